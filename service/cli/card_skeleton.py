"""A card with everything that a card has, and nothing said yet."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from service.engine.library import FOLDER, UNWRITTEN

OTHERS = {"codesystems", "directions", "lines", "orders", "schemas", "terminology"}
"""Folders of ``cards/`` that hold no cards."""
_NAME = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)/([a-z0-9]+(?:-[a-z0-9]+)*)")
_RULE = re.compile(r"^rule: R(\d+)$", re.MULTILINE)


class NotWritten(Exception):
    """The card cannot be written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Written:
    """A card's file, and what is to be done next."""

    path: Path
    steps: Sequence[str]


def write_card(name: str, rule: str | None, today: date, folder: Path = FOLDER, *, force: bool = False) -> Written:
    """Writes the skeleton of a card. Raises NotWritten."""
    parts = _NAME.fullmatch(name)
    if parts is None or parts[1] in OTHERS:
        raise NotWritten(f"{name}: name the card SUBJECT/ID in small letters, such as safety/glaucoma-drops.")
    subject, id_ = parts.groups()
    path = folder / subject / f"{id_}.md"
    for other in folder.glob(f"*/{id_}.md"):
        if other != path or not force:
            there = other.relative_to(folder).as_posix()
            raise NotWritten(f"{there} already exists. Choose another ID, or overwrite the same card with --force.")
    rules = {int(number) for card in folder.glob("*/*.md") for number in _RULE.findall(card.read_text("utf-8"))}
    rule = rule or f"R{max(rules, default=0) + 1}"
    if not re.fullmatch(r"[RX]\d{1,2}", rule):
        raise NotWritten(f"--rule {rule}: a rule is R or X and a number of at most two digits.")
    path.parent.mkdir(exist_ok=True)
    path.write_text(_skeleton(id_, rule, today), encoding="utf-8")
    function = id_.replace("-", "_")
    return Written(
        path,
        (
            f"Write the words of the card: each '{UNWRITTEN} …' says what belongs there (docs/cards.md).",
            f"Rank it: add '- {id_}' to 'ranking' in cards/guideline.yaml, where it belongs among the others.",
            f"Write its rule {rule}: a function {function}(chart, thresholds) -> Finding | None in a module of"
            f" service/guidance/, named in that module's RULES.",
            "Write two requests with tolami new fixture: one that raises it, one that must not.",
            "tolami check names what is still missing; the service does not start until nothing is.",
        ),
    )


def _skeleton(id_: str, rule: str, today: date) -> str:
    def blank(what: str) -> str:
        return f"{UNWRITTEN} {what}>"

    return f"""---
id: {id_}
title: "{blank("its name for people")}"
rule: {rule}
verdict: not in the article
says: "{blank("the key of sources.yaml that says the instruction")}"
topic: "{blank("a code of codesystems/card-topics.json")}"
sources: ["{blank("keys of sources.yaml, each of them opened")}"]
examples:
  fires: ["{blank("a fixture that raises it, such as order-sign/NAME")}"]
  silent: ["{blank("a fixture that comes close and must not raise it")}"]
raised_when: "{blank("when it is raised, for its page")}"
review: {{status: not clinically reviewed, on: {today}}}
---
## summary
{blank("the instruction, at most 90 characters, with the drug's short name")}

## detail
{blank("one reason, one number, and where article and sources disagree; at most 60 words")}

## line
{blank("the same advice in at most 20 words, for where it shares a card")}

## evidence
{blank("what each source says, where, and the day it was read")}
"""

"""The requests that ship with a guideline, and what the running service answers to them: the examples of its cards."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from service.cdshooks.messages import EXTENSION
from service.decide import Decision, decide
from service.engine.library import CardFile, Library
from service.jsonio import encode

EXPECTED = ".expected.json"
EXPRESSION = re.compile(r"{{.*?}}")
INDICATORS = ("info", "warning", "critical")
MOST_ALIKE = 4
"""Examples of a card that are shown of one state."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """A request that ships with a guideline. ``id`` is its path without the ending, such as "order-sign/amoxicillin".

    ``title`` is its file's name in words, ``day`` that for which its recorded answer holds; ``cards`` are the ids of
    the cards in that answer.
    """

    id: str
    path: Path
    title: str
    day: date | None
    cards: tuple[str, ...]

    @property
    def hook(self) -> str:
        """The hook that the request calls; its folder is named after it."""
        return self.id.partition("/")[0]

    @property
    def text(self) -> str:
        """The request as it is in the file."""
        return self.path.read_text(encoding="utf-8")


def fixtures(library: Library) -> Mapping[str, Fixture]:
    """The fixtures of a guideline by their ids, for the hooks that it answers, in the order of their files.

    None where it names no folder, or the folder is not shipped.
    """
    found = _read(library.fixtures / "requests", library.plan.capitals) if library.fixtures is not None else {}
    return {id_: fixture for id_, fixture in found.items() if fixture.hook in library.plan.services}


@lru_cache(maxsize=1)
def _read(folder: Path, capitals: tuple[str, ...]) -> Mapping[str, Fixture]:
    paths = sorted(path for path in folder.glob("*/*.json") if not path.name.endswith(EXPECTED))
    return {found.id: found for found in (_fixture(path, folder, capitals) for path in paths)}


def by_card(found: Mapping[str, Fixture]) -> dict[str, list[Fixture]]:
    """The fixtures under each card that their recorded answer holds; under "" those without a card."""
    groups: dict[str, list[Fixture]] = {}
    for fixture in found.values():
        for card in fixture.cards or ("",):
            groups.setdefault(card, []).append(fixture)
    return groups


def _fixture(path: Path, folder: Path, capitals: tuple[str, ...]) -> Fixture:
    written = {word.lower(): word for word in capitals}
    title = " ".join(written.get(word, word) for word in path.stem.split("-"))
    answer = path.with_name(path.name.removesuffix(".json") + EXPECTED)
    recorded: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}
    cards = recorded.get("body", {}).get("cards", ())
    return Fixture(
        path.relative_to(folder).as_posix().removesuffix(".json"),
        path,
        f"{title[:1].upper()}{title[1:]}",
        date.fromisoformat(recorded["today"]) if recorded else None,
        tuple(dict.fromkeys(card["extension"][EXTENSION]["card"] for card in cards)),
    )


Shown = tuple[Fixture, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Examples:
    """What a card says: ``cards`` with the fixtures that raise them, and ``unseen`` summaries that none of them has.

    Where a card is only ever a line of others, ``own`` is false and ``cards`` are those others.
    """

    cards: Sequence[Shown] = ()
    unseen: Sequence[str] = ()
    own: bool = True

    @property
    def most_urgent(self) -> str:
        """The most urgent indicator among the cards; empty without one."""
        return max((given["indicator"] for _, given in self.cards), key=INDICATORS.index, default="")


def examples_of(card: CardFile, using: Decision) -> Examples:
    """The examples of a card, each text once."""
    own: dict[str, list[Shown]] = {}
    others: dict[str, Shown] = {}
    texts = set[str]()
    shipped = fixtures(using.library)
    for fixture in (shipped[path] for path in card.examples.get("fires", ()) if path in shipped):
        for given in answered(fixture, using):
            if given["extension"][EXTENSION]["card"] == card.id:
                alike = own.setdefault(_state(card, given["summary"]), [])
                if given["summary"] not in texts and len(alike) < MOST_ALIKE:
                    alike.append((fixture, given))
                texts.add(given["summary"])
            elif any(link["url"].endswith(f"/guidance/{card.id}") for link in given["links"]):
                others.setdefault(given["summary"], (fixture, given))
    unseen = [EXPRESSION.sub("…", text) for state, text in _summaries(card) if state not in own]
    shown = [one for alike in own.values() for one in alike]
    return Examples(shown or list(others.values())[:1], unseen, own=bool(shown))


def answered(fixture: Fixture, using: Decision) -> list[dict[str, Any]]:
    """The cards that the service now answers to a fixture, on the day for which it is written."""
    given = replace(using, today=lambda: fixture.day or using.today(), fhir=None)
    answer: dict[str, Any] = json.loads(encode(decide(fixture.text.encode(), fixture.hook, given)))
    return list(answer["cards"])


def _summaries(card: CardFile) -> Iterator[tuple[str, str]]:
    """The summaries that a card has words for, each with the section that it stands in."""
    for title, text in card.sections.items():
        if title.partition(" ")[0] == "summary":
            yield from ((title, line) for line in filter(None, text.splitlines()) if not line.startswith("{%"))


def _state(card: CardFile, summary: str) -> str:
    """The section that a summary comes from."""
    for state, text in _summaries(card):
        if re.fullmatch(".*".join(map(re.escape, EXPRESSION.split(text))), summary):
            return state
    return ""

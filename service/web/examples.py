"""The examples of a card, answered by the running service: its text in each state, and states without an example."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from service.cdshooks.messages import EXTENSION
from service.decide import Decision, decide
from service.engine.library import CardFile
from service.jsonio import encode
from service.web.fixtures import Fixture, fixtures

EXPRESSION = re.compile(r"{{.*?}}")
INDICATORS = ("info", "warning", "critical")
MOST_ALIKE = 4
"""Examples of a card that are shown of one state."""

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
    for path in card.examples.get("fires", ()):
        if path not in fixtures():
            continue
        fixture = fixtures()[path]
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

"""The requests that ship with the service, for its pages: which there are, and which cards each raises."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from service.cdshooks.messages import EXTENSION

FOLDER = Path(__file__).parents[2] / "fhir_fixtures" / "requests"
EXPECTED = ".expected.json"
CAPITALS = {word.lower(): word for word in ("QT", "QTc", "eGFR", "CYP2C19", "CYP2D6", "DSTU2", "STU3", "German")}
"""Words of files' names that are not written in small letters."""


@dataclass(frozen=True, slots=True)
class Fixture:
    """A request that ships with the service. ``id`` is its path without the ending, such as "order-sign/amoxicillin".

    ``day`` is the day for which its recorded answer holds; ``cards`` are the ids of the cards in that answer.
    """

    id: str
    path: Path
    day: date | None
    cards: tuple[str, ...]

    @property
    def hook(self) -> str:
        """The hook that the request calls; its folder is named after it."""
        return self.id.partition("/")[0]

    @property
    def title(self) -> str:
        """Its file's name in words."""
        words = self.id.partition("/")[2].split("-")
        title = " ".join(CAPITALS.get(word, word) for word in words)
        return f"{title[:1].upper()}{title[1:]}"

    @property
    def text(self) -> str:
        """The request as it is in the file."""
        return self.path.read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def fixtures() -> Mapping[str, Fixture]:
    """Every fixture by its id, in the order of their files; none where the folder is not shipped."""
    paths = sorted(path for path in FOLDER.glob("*/*.json") if not path.name.endswith(EXPECTED))
    return {found.id: found for found in map(_fixture, paths)}


def by_card(found: Mapping[str, Fixture]) -> dict[str, list[Fixture]]:
    """The fixtures under each card that their recorded answer holds; under "" those without a card."""
    groups: dict[str, list[Fixture]] = {}
    for fixture in found.values():
        for card in fixture.cards or ("",):
            groups.setdefault(card, []).append(fixture)
    return groups


def _fixture(path: Path) -> Fixture:
    answer = path.with_name(path.name.removesuffix(".json") + EXPECTED)
    recorded: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}
    cards = recorded.get("body", {}).get("cards", ())
    return Fixture(
        path.relative_to(FOLDER).as_posix().removesuffix(".json"),
        path,
        date.fromisoformat(recorded["today"]) if recorded else None,
        tuple(dict.fromkeys(card["extension"][EXTENSION]["card"] for card in cards)),
    )

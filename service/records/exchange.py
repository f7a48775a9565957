"""One answered call, in the words that may be kept: no patient, no order, no text of a card."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.cdshooks.messages import EXTENSION, Card


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as it went out. ``suggestions`` are the uuids that feedback may name."""

    uuid: str
    card: str
    indicator: str
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and what came of it. ``unchecked`` holds the reasons of what could not be checked."""

    at: datetime
    client: str
    tenant: str
    hook: str
    service: str
    guidance: str
    cards: tuple[ShownCard, ...]
    unchecked: tuple[str, ...]
    milliseconds: float


Observer = Callable[[Exchange], None]
"""Is told of every answered call; must neither fail nor wait."""


def shown(cards: Sequence[Card]) -> tuple[ShownCard, ...]:
    """The cards of an answer, as they may be kept."""
    return tuple(
        ShownCard(
            card.uuid,
            str(card.extension[EXTENSION]["card"]),
            card.indicator,
            tuple(suggestion.uuid for suggestion in card.suggestions or ()),
        )
        for card in cards
    )


def unchecked(cards: Sequence[Card]) -> tuple[str, ...]:
    """The reasons of what could not be checked, each once."""
    reasons = (reason for card in cards for reason in card.extension[EXTENSION].get("notChecked", ()))
    return tuple(sorted(set(reasons)))

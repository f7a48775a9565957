"""One answered call, reduced to what may be stored: no patient, no order, no text of a card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.cdshooks.messages import EXTENSION, Card

BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Upper bounds, in milliseconds, of the latency histogram."""

MORE = 2**31 - 1
"""Stands for the time of a call that took longer than all bounds."""

PLAYGROUND = "playground"
"""The client under whose name the playground asks. Nobody is treated there, so it counts only where it is chosen."""


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as it went out. ``suggestions`` are the uuids that feedback may name.

    ``digests`` stand for the clinician, the patient and what the card says; there are none when the card may not stay
    quiet once it is answered.
    """

    uuid: str
    card: str
    indicator: str
    suggestions: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A call and what came of it.

    ``unchecked`` holds the reasons of what could not be checked, ``quiet`` the ids of the cards that were not shown
    because they were answered before, with their indicators.
    """

    at: datetime
    client: str
    tenant: str
    hook: str
    guidance: str
    cards: tuple[ShownCard, ...]
    unchecked: tuple[str, ...]
    milliseconds: float
    quiet: tuple[tuple[str, str], ...] = ()

    @property
    def within(self) -> int:
        """The least of the bounds that the call kept to, in milliseconds."""
        return next((bound for bound in BOUNDS if self.milliseconds <= bound), MORE)


Observer = Callable[[Exchange], None]
"""Called with every answered call; must not raise or block."""


def shown(cards: Sequence[Card], digests: Mapping[str, tuple[str, ...]]) -> tuple[ShownCard, ...]:
    """The cards of an answer, as they may be kept; ``digests`` by the uuids of those that may stay quiet."""
    return tuple(
        ShownCard(
            card.uuid,
            str(card.extension[EXTENSION]["card"]),
            card.indicator,
            tuple(suggestion.uuid for suggestion in card.suggestions or ()),
            digests.get(card.uuid, ()),
        )
        for card in cards
    )


def unchecked(cards: Sequence[Card]) -> tuple[str, ...]:
    """The reasons of what could not be checked, each once."""
    reasons = (reason for card in cards for reason in card.extension[EXTENSION].get("notChecked", ()))
    return tuple(sorted(set(reasons)))

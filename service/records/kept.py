"""What may be kept of an answered call and of feedback: no patient, no order, no text of a card or from a client."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from service.cdshooks.feedback import Feedback, ReasonCoding
from service.cdshooks.messages import EXTENSION, Card

BOUNDS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)
"""Upper bounds, in milliseconds, of the latency histogram."""

MORE = 2**31 - 1
"""Stands for the time of a call that took longer than all bounds."""


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


WORDS = "(words)"
"""Replaces a reason code that no card offers, which might be text about the patient."""

Reasons = Mapping[str, AbstractSet[str]]
"""The codes of the override reasons that cards offer, by their system."""


@dataclass(frozen=True, slots=True)
class StoredFeedback:
    """One entry of feedback. ``at`` is when the clinician decided, as the client says; ``received``, when we heard."""

    card: str
    outcome: str
    at: datetime
    received: datetime
    suggestions: tuple[str, ...] = ()
    reason: str = ""
    system: str = ""
    comment: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same entry sent again, whenever that is."""
        decision = (self.card, self.outcome, self.at.astimezone(UTC).isoformat(), self.suggestions)
        return hashlib.sha256(json.dumps((*decision, self.reason, self.system, self.comment)).encode()).hexdigest()


_USUAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

OutcomeObserver = Callable[[Sequence[StoredFeedback]], None]
"""Called with the entries of a feedback call once they are kept; must not raise or block."""


def identifier(text: str) -> str:
    """A UUID in its usual form; for anything else, which cannot be one of ours, a UUID made of it.

    So no text of a client is kept, and the same text is still known as the same.
    """
    if _USUAL.fullmatch(text):
        return text
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, text))


def kept_outcome(entry: Feedback, received: datetime, reasons: Reasons, *, keep_comment: bool) -> StoredFeedback:
    """An entry of feedback as stored; the comment is dropped unless comments are kept."""
    override = entry.overrideReason
    reason, system = _reason(override.reason if override else None, reasons)
    comment = (override.userComment or "") if override and keep_comment else ""
    return StoredFeedback(
        card=identifier(entry.card),
        outcome=entry.outcome,
        at=entry.outcomeTimestamp.astimezone(UTC),
        received=received,
        suggestions=tuple(sorted({identifier(accepted.id) for accepted in entry.acceptedSuggestions or ()})),
        reason=reason,
        system=system,
        comment=printable(comment),
    )


def _reason(reason: ReasonCoding | None, reasons: Reasons) -> tuple[str, str]:
    """The code and its system if a card offers that code; a client may leave out the system."""
    if reason is None:
        return "", ""
    system = reason.system or ""
    if system:
        return (reason.code, system) if reason.code in reasons.get(system, ()) else (WORDS, "")
    return (reason.code if any(reason.code in codes for codes in reasons.values()) else WORDS), ""


def printable(text: str) -> str:
    """The text without control characters and broken ones: no terminal obeys it, and no database refuses it."""
    if text.isprintable():
        return text.strip()
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} else char for char in text).strip()

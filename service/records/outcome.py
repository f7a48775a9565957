"""The outcome of one card, reduced to what may be stored; free text from a client is left out or made harmless."""

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
        said = (self.card, self.outcome, self.at.astimezone(UTC).isoformat(), self.suggestions)
        return hashlib.sha256(json.dumps((*said, self.reason, self.system, self.comment)).encode()).hexdigest()


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

"""What became of one card, in the words that may be kept; what a client writes freely is left out or made harmless."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from service.cdshooks.feedback import Feedback, ReasonCoding

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]{1,200}")
WORDS = "(words)"
"""Stands for a reason whose code is no code but a text, which could be about the patient."""


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


OutcomeObserver = Callable[[Sequence[StoredFeedback]], None]
"""Is told of the entries of a feedback call once they are kept; must neither fail nor wait."""


def identifier(text: str) -> str:
    """A UUID in its usual form; for anything else, which cannot be one of ours, a UUID made of it.

    So no text of a client is kept, and the same text is still known as the same.
    """
    try:
        return str(UUID(text))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, text))


def kept_outcome(entry: Feedback, received: datetime, *, keep_comment: bool) -> StoredFeedback:
    """An entry of feedback as it is kept. The comment is dropped here unless comments are to be kept."""
    override = entry.overrideReason
    reason, system = _reason(override.reason if override else None)
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


def _reason(reason: ReasonCoding | None) -> tuple[str, str]:
    if reason is None:
        return "", ""
    system = reason.system or ""
    return (
        reason.code if CODE.fullmatch(reason.code) else WORDS,
        system if SYSTEM.fullmatch(system) else "",
    )


def printable(text: str) -> str:
    """The text without control characters and broken ones: no terminal obeys it, and no database refuses it."""
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cs"} else char for char in text).strip()

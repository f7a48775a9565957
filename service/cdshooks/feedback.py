"""Feedback messages: what clinicians made of cards.

Specification: CDS Hooks 2.0.1, "Feedback"; invariants cds-fb-1, cds-fb-2 and cds-fb-3. Members that it does not
name are tolerated; an optional member that is null or empty counts as absent.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from service.cdshooks.messages import NonEmpty
from service.cdshooks.reading import read_body
from service.errors import NotConformant

MOST_ENTRIES = 500
"""Entries of one call: each is written before the answer, which costs a quarter of a millisecond."""

MOST_SUGGESTIONS = 100

Outcome = Literal["accepted", "overridden"]

Timestamp = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 date and time with its zone.")]


class AcceptedSuggestion(msgspec.Struct):
    __doc__ = "A suggestion that was accepted, by the uuid that its card gave it."

    id: NonEmpty


class ReasonCoding(msgspec.Struct):
    __doc__ = (
        "The override reason that was chosen. ``system`` and ``display`` are not asked for: clients leave them out."
    )

    code: NonEmpty
    system: str | None = None
    display: str | None = None


class OverrideReason(msgspec.Struct):
    __doc__ = "Why a card was overridden: a reason of the card's, words of the clinician, or both (cds-fb-3)."

    reason: ReasonCoding | None = None
    userComment: str | None = None

    def __post_init__(self) -> None:
        """Refuses what says nothing."""
        if self.reason is None and not self.userComment:
            raise ValueError("Expected `reason` or `userComment`; leave overrideReason out when there is neither")


class Feedback(msgspec.Struct):
    __doc__ = "What became of one card, which is named by its uuid. A card that was ignored is not reported."

    card: NonEmpty
    outcome: Outcome
    outcomeTimestamp: Timestamp
    acceptedSuggestions: Annotated[list[AcceptedSuggestion], msgspec.Meta(max_length=MOST_SUGGESTIONS)] | None = None
    overrideReason: OverrideReason | None = None

    def __post_init__(self) -> None:
        """Refuses an acceptance of nothing (cds-fb-2), and a time that no calendar holds in UTC."""
        if self.outcome == "accepted" and not self.acceptedSuggestions:
            raise ValueError("Expected `acceptedSuggestions` with the accepted outcome, each as {id: suggestion.uuid}")
        try:
            self.outcomeTimestamp.astimezone(UTC)
        except OverflowError:
            raise ValueError("Expected an `outcomeTimestamp` within the years 1 to 9999 in UTC") from None


class FeedbackRequest(msgspec.Struct):
    __doc__ = "The body of a feedback call: cards of any number of hook calls."

    feedback: Annotated[list[Feedback], msgspec.Meta(min_length=1, max_length=MOST_ENTRIES)]


def read_feedback(body: bytes) -> FeedbackRequest:
    """The body of a feedback call. Members that are null or empty count as absent.

    Raises NotParsable when it is not JSON, NotConformant with the path when an entry is not as it must be.
    """
    try:
        return read_body(body, FeedbackRequest)
    except NotConformant:
        try:
            stripped = msgspec.json.encode(without_empty(msgspec.json.decode(body)))
            return read_body(stripped, FeedbackRequest)
        except (NotConformant, msgspec.DecodeError, RecursionError, ValueError):
            pass
        raise


def without_empty(value: Any) -> Any:
    """The value without members and items that are null or empty; a code that is so leaves nothing of its system."""
    if isinstance(value, dict):
        members = {name: without_empty(member) for name, member in value.items()}
        filled = {name: member for name, member in members.items() if member not in _EMPTY}
        return {} if "code" in value and filled.keys() == {"system"} else filled
    if isinstance(value, list):
        return [item for item in map(without_empty, value) if item not in _EMPTY]
    return value.strip() if isinstance(value, str) and not value.strip() else value


_EMPTY: tuple[object, ...] = (None, "", [], {})

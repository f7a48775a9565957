"""Adapts an answer to a client's dialect: removes what the client's release of CDS Hooks does not define.

No request says which release of CDS Hooks its client speaks, so it is part of the trust file (``dialect``). A
client whose dialect is not known gets what every release accepts. The table is in ``docs/dialects.md``.

A suggestion with an action that the dialect cannot express is left out whole: half of a replacement would be a
second order, or none. The card's text then says what it would have done.
"""

from collections.abc import Callable
from typing import Literal

import msgspec
from msgspec import UNSET

from service.cdshooks.messages import Action, Card, Response, Suggestion

Dialect = Literal["1.0", "2.0", "3.0"]

ByHand = Callable[[list[Suggestion]], str]
"""Says in Markdown what suggestions would have done; the words are the cards'."""


def in_dialect(response: Response, dialect: Dialect | None, by_hand: ByHand) -> Response:
    """The answer for a client of this dialect; None stands for a client whose dialect is not known."""
    if dialect in ("2.0", "3.0"):
        return response
    return Response([_card(card, dialect, by_hand) for card in response.cards], response.extension)


def _card(card: Card, dialect: Dialect | None, by_hand: ByHand) -> Card:
    if dialect == "1.0":
        # A 1.0 client has no place to choose a reason in, no feedback to send it with, and no topics.
        source = msgspec.structs.replace(card.source, topic=UNSET)
        card = msgspec.structs.replace(card, overrideReasons=UNSET, source=source)
    if card.suggestions is UNSET:
        return card
    sayable = [_suggestion(suggestion, dialect) for suggestion in card.suggestions]
    kept = [suggestion for suggestion in sayable if suggestion is not None]
    left_out = [offered for offered, suggestion in zip(card.suggestions, sayable, strict=True) if suggestion is None]
    return msgspec.structs.replace(
        card,
        detail=f"{card.detail}\n\n{by_hand(left_out)}" if left_out else card.detail,
        suggestions=kept or UNSET,
        # "any" came after 1.0, whose clients treat a card as faulty when they do not know the value.
        selectionBehavior="at-most-one" if kept else UNSET,
    )


def _suggestion(suggestion: Suggestion, dialect: Dialect | None) -> Suggestion | None:
    """The suggestion in the dialect; None when the client cannot receive it."""
    if not any(action.type == "delete" for action in suggestion.actions):
        return suggestion
    if dialect is None:
        # 1.0 reads the order from ``resource``, later releases from ``resourceId``. With both, a client that expects
        # a resource there may drop the whole answer; with the other one, a client may delete what was not meant.
        return None
    return msgspec.structs.replace(suggestion, actions=[_as_in_1_0(action) for action in suggestion.actions])


def _as_in_1_0(action: Action) -> Action:
    """A delete names its order in ``resource`` (CDS Hooks 1.0, "Action")."""
    if action.type != "delete":
        return action
    return Action(action.type, action.description, resource=action.resourceId)

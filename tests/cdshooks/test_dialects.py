"""A client gets nothing that its release of CDS Hooks does not know, and nothing is lost in silence."""

import json
from copy import deepcopy
from typing import Any, Literal, get_args

import msgspec
import pytest

from service.cdshooks.dialects import Dialect, in_dialect
from service.cdshooks.messages import Action, Card, Coding, Link, Response, Source, Suggestion
from service.jsonio import encode
from service.trust import clients
from tests.calls import Json

ORDER = {"resourceType": "MedicationRequest", "id": "rx-1"}
DELETE = Action("delete", "Removes the draft.", resourceId="MedicationRequest/rx-1")
CREATE = Action("create", "Orders another drug.", resource={"resourceType": "MedicationRequest"})
UPDATE = Action("update", "Lowers the dose.", resource=ORDER)
REASONS = [Coding("benefit", "https://example.org/reasons", "The benefit outweighs the risk")]
EVERY: list[Dialect | None] = [None, *get_args(Dialect)]


def card(*suggestions: Suggestion, behaviour: Literal["at-most-one", "any"] = "at-most-one") -> Card:
    made = Card("u1", "Summary", "warning", Source("Label"), "Detail.", [Link("a", "https://example.org")], {})
    made.overrideReasons = REASONS
    if suggestions:
        made.suggestions = list(suggestions)
        made.selectionBehavior = behaviour
    return made


def by_hand(suggestions: list[Suggestion]) -> str:
    return "BY HAND: " + ", ".join(suggestion.label for suggestion in suggestions)


def sent(dialect: Dialect | None, *cards: Card) -> list[Json]:
    answer: dict[str, Any] = json.loads(encode(in_dialect(Response(list(cards)), dialect, by_hand)))
    found: list[Json] = answer["cards"]
    return found


def test_the_dialects_are_those_that_a_trust_file_may_name() -> None:
    assert get_args(Dialect) == get_args(clients.Dialect)


def test_a_client_of_a_known_later_release_gets_everything_as_it_is() -> None:
    full = card(Suggestion("Replace", "s1", [DELETE, CREATE]), behaviour="any")
    assert sent("2.0", full) == sent("3.0", full) == json.loads(encode([full]))


def test_a_1_0_client_is_told_the_order_to_delete_in_resource() -> None:
    (told,) = sent("1.0", card(Suggestion("Replace", "s1", [DELETE, CREATE])))
    delete, create = told["suggestions"][0]["actions"]
    assert delete == {"type": "delete", "description": "Removes the draft.", "resource": "MedicationRequest/rx-1"}
    assert create == {"type": "create", "description": "Orders another drug.", "resource": CREATE.resource}
    assert told["detail"] == "Detail."


def test_a_client_of_unknown_release_is_told_to_delete_nothing_and_reads_what_would_have_been_done() -> None:
    (told,) = sent(None, card(Suggestion("Remove", "s1", [DELETE])))
    assert "suggestions" not in told
    assert "selectionBehavior" not in told
    assert told["detail"] == "Detail.\n\nBY HAND: Remove"


def test_a_suggestion_is_never_halved_and_the_others_stay() -> None:
    replace = Suggestion("Replace", "s1", [DELETE, CREATE])
    lower = Suggestion("Lower", "s2", [UPDATE])
    (told,) = sent(None, card(replace, lower))
    assert [offered["label"] for offered in told["suggestions"]] == ["Lower"]
    assert told["selectionBehavior"] == "at-most-one"
    assert told["detail"].endswith("BY HAND: Replace")


@pytest.mark.parametrize("dialect", [None, "1.0"])
def test_any_is_for_clients_that_are_known_to_know_it(dialect: Dialect | None) -> None:
    offered = card(Suggestion("Lower", "s1", [UPDATE]), Suggestion("Order", "s2", [CREATE]), behaviour="any")
    (told,) = sent(dialect, offered)
    assert told["selectionBehavior"] == "at-most-one"
    assert len(told["suggestions"]) == 2


@pytest.mark.parametrize("dialect", EVERY)
def test_reasons_for_overriding_are_for_clients_that_can_send_feedback(dialect: Dialect | None) -> None:
    (told,) = sent(dialect, card())
    assert ("overrideReasons" in told) == (dialect != "1.0")
    assert told["uuid"] == "u1"


@pytest.mark.parametrize("dialect", EVERY)
def test_selection_behaviour_stands_with_suggestions_and_only_with_them(dialect: Dialect | None) -> None:
    replace = Suggestion("Replace", "s1", [DELETE, CREATE])
    lower = Suggestion("Lower", "s2", [UPDATE])
    for told in sent(dialect, card(), card(replace), card(lower), card(replace, lower)):
        assert ("selectionBehavior" in told) == ("suggestions" in told)
        assert told.get("suggestions") != []


@pytest.mark.parametrize("dialect", EVERY)
def test_what_was_decided_is_left_as_it_was(dialect: Dialect | None) -> None:
    decided = Response([card(Suggestion("Replace", "s1", [DELETE, CREATE]), behaviour="any")])
    before = deepcopy(decided)
    in_dialect(decided, dialect, by_hand)
    assert msgspec.to_builtins(decided) == msgspec.to_builtins(before)

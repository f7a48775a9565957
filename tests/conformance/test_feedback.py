"""Feedback in all its legal forms (C-109 … C-117, L-27)."""

from typing import Any

import pytest

from tests.conformance.calls import Called, Json, request

FEEDBACK = "order-sign/feedback"
AT = "2026-11-23T10:05:31Z"
REASON = {"code": "benefit", "system": "https://example.com/override-reasons"}


def entry(**members: Any) -> Json:
    """One entry, overridden without a reason unless it says something else."""
    return {
        "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
        "outcome": "overridden",
        "outcomeTimestamp": AT,
    } | members


def accepted(**members: Any) -> Json:
    return entry(outcome="accepted", acceptedSuggestions=[{"id": "e56e1945-20b3-4393-8503-a1a20fd73152"}]) | members


@pytest.mark.conformance("C-109", "L-27")
def test_feedback_on_a_card_that_was_given_is_taken(call: Called) -> None:
    card = call(request("order-sign")).json()["cards"][0]
    answer = call({"feedback": [entry(card=card["uuid"])]}, FEEDBACK)
    assert answer.status_code == 200
    assert answer.json() == {}


@pytest.mark.conformance("L-27")
def test_feedback_on_a_card_that_nobody_knows_is_taken_too(call: Called) -> None:
    assert call({"feedback": [entry(card="00000000-0000-4000-8000-000000000000")]}, FEEDBACK).status_code == 200


@pytest.mark.conformance("C-110", "C-117")
@pytest.mark.parametrize("body", [[entry()], {}, {"feedback": entry()}, {"feedback": []}, {"feedback": None}])
def test_feedback_is_an_object_with_a_filled_array(call: Called, body: Any) -> None:
    answer = call(body, FEEDBACK)
    assert answer.status_code in (400, 422)
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.conformance("C-111", "C-112")
def test_several_entries_are_taken_and_taken_again(call: Called) -> None:
    body = {"feedback": [entry(), accepted(card="4e0a3a1e-3283-4575-ab82-028d55fe2719"), entry()]}
    assert [call(body, FEEDBACK).status_code for _ in range(2)] == [200, 200]


@pytest.mark.conformance("C-113", "C-114", "C-115", "C-116")
@pytest.mark.parametrize(
    "legal",
    [
        accepted(),
        entry(),
        entry(overrideReason={}),
        entry(overrideReason={"reason": REASON}),
        entry(overrideReason={"reason": REASON | {"display": "The benefit outweighs the risk"}}),
        entry(overrideReason={"userComment": "As agreed with the patient."}),
        entry(overrideReason={"reason": REASON, "userComment": "As agreed with the patient."}),
        entry(outcomeTimestamp="2026-11-23T10:05:31.52Z"),
        entry(extension={"org.example.x": 1}),
    ],
)
def test_every_legal_form_is_taken(call: Called, legal: Json) -> None:
    assert call({"feedback": [legal]}, FEEDBACK).status_code == 200


@pytest.mark.conformance("C-117")
@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (entry(outcome="ignored"), "feedback[0].outcome"),
        (entry(outcome="accepted"), "feedback[0]"),
        (accepted(acceptedSuggestions=["e56e1945"]), "feedback[0].acceptedSuggestions[0]"),
        (entry(overrideReason="will monitor"), "feedback[0].overrideReason"),
        (entry(outcomeTimestamp="yesterday"), "feedback[0].outcomeTimestamp"),
        (entry(card=7), "feedback[0].card"),
    ],
)
def test_what_is_against_the_model_is_refused_with_its_place(call: Called, wrong: Json, path: str) -> None:
    answer = call({"feedback": [wrong]}, FEEDBACK)
    assert answer.status_code == 422
    (issue,) = answer.json()["issue"]
    assert issue["expression"][0].startswith(path)


@pytest.mark.conformance("C-117")
def test_feedback_for_a_service_that_there_is_not_gets_404(call: Called) -> None:
    assert call({"feedback": [entry()]}, "nowhere/feedback").status_code == 404

"""The hall: what is answered to a call of a hook, from its body to its cards."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from service.decide import Decision, decide
from service.engine.library import CardFile, Library
from service.engine.rendering import Renderer
from service.errors import MissingData, NotConformant, NotParsable
from service.jsonio import encode
from service.trust.clients import Client, Dialect
from tests.calls import (
    ATC,
    CRITICAL,
    NEW_START,
    PAIR,
    RAW,
    Json,
    answered,
    by_id,
    draft,
    drafted_too,
    listed,
    with_raw,
    without,
)

Fixture = Callable[[str], dict[str, Any]]
PAIR_CARD = "tolperisone-with-amitriptyline"
START_CARD = "amitriptyline-start-dose"
OLDER_CARD = "amitriptyline-older-adult"
LISTS = {
    "medications": "The medication list",
    "statements": "The list of medication statements",
    "conditions": "The problem list",
    "allergies": "The list of allergies",
    "observations": "The list of measurements",
}
TOLPERISONE = {"coding": [{"system": ATC, "code": "M03BX04"}], "text": "Tolperison 150 mg"}


def changed(decision: Decision, card: str, **changes: Any) -> Decision:
    """The decision with one card file changed, for every client."""
    file: CardFile = replace(decision.library.cards[card], **changes)
    library: Library = replace(decision.library, cards={**decision.library.cards, card: file})
    guideline = replace(decision.guideline, library=library)
    return replace(decision, guideline=guideline, renderer=Renderer.of(library), editions=None)


DRAFTED_TWICE = "requests/order-sign/amitriptyline-drafted-twice"


def duplicate_card(fixture: Fixture, decision: Decision, dialect: Dialect | None) -> Json:
    client = Client(name="An EHR", dialect=dialect)
    answer = decide(json.dumps(fixture(DRAFTED_TWICE)).encode(), "order-sign", decision, client)
    return by_id(json.loads(encode(answer))["cards"])["amitriptyline-duplicate"]


def test_a_client_gets_the_answer_in_its_dialect(fixture: Fixture, decision: Decision, library: Library) -> None:
    later, first, unknown = (duplicate_card(fixture, decision, dialect) for dialect in ("2.0", "1.0", None))
    (removal,) = later["suggestions"]
    assert removal["actions"][0]["resourceId"] == "MedicationRequest/rx-a1"
    assert first["suggestions"][0]["actions"][0]["resource"] == "MedicationRequest/rx-a1"
    assert "suggestions" not in unknown
    assert library.by_hand not in later["detail"] + first["detail"]
    said = unknown["detail"].partition(library.by_hand)[2]
    assert said == f"\n- {removal['label']}"


def test_the_same_call_gives_the_same_cards(fixture: Fixture, decision: Decision) -> None:
    first, second = (answered(fixture(PAIR), replace(decision, new_uuid=lambda: "u")) for _ in range(2))
    assert first == second
    assert by_id(first)[PAIR_CARD]["indicator"] == "warning"


TAKEN = ("active", "on-hold")
NOT_TAKEN = ("stopped", "completed", "cancelled", "entered-in-error", "draft", "unknown")


@pytest.mark.parametrize("status", [*TAKEN, *NOT_TAKEN])
def test_what_is_taken_is_told_from_the_status_on_the_list(fixture: Fixture, decision: Decision, status: str) -> None:
    request = fixture(PAIR)
    listed(request)["status"] = status
    assert (PAIR_CARD in by_id(answered(request, decision))) is (status in TAKEN)


@pytest.mark.parametrize("change", [{"intent": "proposal"}, {"intent": "option"}, {"doNotPerform": True}], ids=str)
def test_what_is_no_prescription_is_not_taken(fixture: Fixture, decision: Decision, change: Json) -> None:
    request = fixture(PAIR)
    listed(request).update(change)
    assert PAIR_CARD not in by_id(answered(request, decision))


def test_a_status_that_fhir_does_not_know_is_said_to_be_unclear(fixture: Fixture, decision: Decision) -> None:
    request = fixture(PAIR)
    listed(request)["status"] = "paused"
    assert "its status is not known" in by_id(answered(request, decision))["not-checked"]["detail"]


@pytest.mark.parametrize("change", [{"status": "entered-in-error"}, {"status": "cancelled"}, {"doNotPerform": True}])
def test_a_draft_that_orders_nothing_gets_no_advice_on_starting(
    fixture: Fixture, decision: Decision, change: Json
) -> None:
    request = fixture(NEW_START)
    draft(request).update(change)
    assert answered(request, decision) == []


def test_a_selected_order_pairs_with_an_unselected_draft(fixture: Fixture, decision: Decision) -> None:
    request = drafted_too(fixture(PAIR), id="rx-t", medicationCodeableConcept=TOLPERISONE)
    request["prefetch"]["medications"] = None
    orders = by_id(answered(request, decision))[PAIR_CARD]["extension"]["io.github.tolami"]["orders"]
    assert set(orders) == {"MedicationRequest/rx-draft", "MedicationRequest/rx-t"}
    request["context"]["selections"] = ["MedicationRequest/rx-t"]
    assert PAIR_CARD in by_id(answered(request, decision))


def test_a_selection_that_is_not_among_the_drafts_is_refused(fixture: Fixture, decision: Decision) -> None:
    request = fixture(PAIR)
    for selections in ([], ["rx-other"], ["MedicationRequest/rx-other"], ["MedicationOrder/rx-draft"]):
        request["context"]["selections"] = selections
        with pytest.raises(NotConformant) as refused:
            answered(request, decision)
        assert refused.value.expression == "$.context.selections"


def test_a_selection_that_leads_nowhere_is_passed_over_when_another_one_does(
    fixture: Fixture, decision: Decision
) -> None:
    request = fixture(PAIR)
    cards = answered(request, decision)
    request["context"]["selections"].append("MedicationRequest/rx-other")
    assert [card["summary"] for card in answered(request, decision)] == [card["summary"] for card in cards]


@pytest.mark.parametrize("spelling", ["ilona-varga", "Patient/ilona-varga"])
def test_the_patient_may_be_named_with_or_without_the_type(fixture: Fixture, decision: Decision, spelling: str) -> None:
    request = fixture(PAIR)
    request["context"]["patientId"] = spelling
    assert PAIR_CARD in by_id(answered(request, decision))


def test_orders_of_another_patient_are_left_out_and_a_draft_among_them_is_named(
    fixture: Fixture, decision: Decision
) -> None:
    request = fixture(PAIR)
    listed(request)["subject"] = {"reference": "Patient/somebody-else"}
    assert PAIR_CARD not in by_id(answered(request, decision))
    draft(request)["subject"] = {"reference": "Patient/somebody-else"}
    cards = by_id(answered(request, decision))
    assert list(cards) == ["not-checked"]
    assert cards["not-checked"]["indicator"] == "warning"
    assert "is for somebody else and was left out" in cards["not-checked"]["detail"]


@pytest.mark.parametrize(
    "patient",
    [
        None,
        {"resourceType": "OperationOutcome", "issue": []},
        {"resourceType": "Patient", "id": "somebody-else"},
        "Patient/ilona-varga",
        {"resourceType": "Practitioner", "id": "ilona-varga"},
    ],
    ids=["null", "not available", "another patient", "no resource", "no patient"],
)
def test_without_the_patient_of_the_call_nothing_can_be_said(
    fixture: Fixture, decision: Decision, patient: Any
) -> None:
    request = fixture(PAIR)
    request["prefetch"]["patient"] = patient
    with pytest.raises(MissingData) as missing:
        answered(request, decision)
    assert missing.value.expression == "prefetch.patient"


def test_without_any_prefetch_the_patient_is_asked_for(fixture: Fixture, decision: Decision) -> None:
    with pytest.raises(MissingData):
        answered(without(fixture(PAIR), "prefetch"), decision)


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize(
    ("value", "why"),
    [
        pytest.param(b"", "not sent", id="left out"),
        pytest.param(b'{"resourceType": "OperationOutcome"}', "not available", id="not available"),
        pytest.param(b"5", "sent, but not readable", id="no resource"),
        pytest.param(b"9" * 5000, "sent, but not readable", id="too many digits"),
        pytest.param(b"1e99999999999999999999", "sent, but not readable", id="too great an exponent"),
    ],
)
def test_a_list_that_was_not_given_is_said_to_be_missing_and_why(
    fixture: Fixture, decision: Decision, key: str, value: bytes, why: str
) -> None:
    request = fixture(PAIR)
    request["prefetch"][key] = RAW
    body = with_raw(request if value else without(request, "prefetch", key), value)
    assert f"{LISTS[key]}: {why}." in by_id(answered(body, decision))["not-checked"]["detail"]


def test_a_list_that_the_client_says_is_empty_is_not_missing(fixture: Fixture, decision: Decision) -> None:
    request = fixture(PAIR)
    for key in LISTS:
        request["prefetch"][key] = None
    cards = by_id(answered(request, decision))
    assert cards
    assert "not-checked" not in cards


def test_orders_that_do_not_concern_the_guidance_need_no_data_at_all(fixture: Fixture, decision: Decision) -> None:
    for hook in ("order-sign", "order-select"):
        request = without(fixture(f"requests/{hook}/amoxicillin"), "prefetch")
        assert answered(request, decision) == []


@pytest.mark.parametrize("name", ["order-sign/both-drugs-drafted", "patient-view/pair-already-taken"])
def test_the_service_of_a_hook_answers_its_hook_only(fixture: Fixture, decision: Decision, name: str) -> None:
    request = fixture(f"requests/{name}")
    for hook in ("order-sign", "order-select", "medication-prescribe", "medication-refill", "patient-view"):
        if hook != request["hook"]:
            with pytest.raises(NotConformant):
                answered(request, decision, hook)


@pytest.mark.parametrize("token", [b"9" * 5000, b"1e99999999999999999999"], ids=["digits", "exponent"])
def test_a_draft_that_cannot_be_read_is_never_passed_over_in_silence(
    fixture: Fixture, decision: Decision, token: bytes
) -> None:
    request = fixture(CRITICAL)
    usual = answered(request, decision)
    assert usual[0]["indicator"] == "critical"
    for member, cards in (("note", [card["summary"] for card in usual]), ("medicationCodeableConcept", [])):
        odd = deepcopy(request)
        draft(odd)[member] = RAW
        said = by_id(answered(with_raw(odd, token), decision))
        assert "part of an order that could not be read" in said.pop("not-checked")["summary"].lower()
        assert [card["summary"] for card in said.values()] == cards
        assert not any(card.get("suggestions") for card in said.values())


def test_a_body_that_is_not_utf_8_is_refused(fixture: Fixture, decision: Decision) -> None:
    request = fixture(CRITICAL)
    draft(request)["note"] = RAW
    with pytest.raises(NotParsable):
        decide(with_raw(request, b'"M\xfcller"'), "order-sign", decision)


@pytest.mark.parametrize("levels", [100, 400, 600, 900])
def test_deep_nesting_in_an_order_loses_no_card(fixture: Fixture, decision: Decision, levels: int) -> None:
    request = fixture(PAIR)
    for member in ("ehrInternal", "priorPrescription", "dispenseRequest"):
        deep = deepcopy(request)
        draft(deep)[member] = {"validityPeriod": RAW, "reference": "MedicationRequest/x"}
        cards = by_id(answered(with_raw(deep, b"[" * levels + b"]" * levels), decision))
        assert PAIR_CARD in cards
        assert cards.keys().isdisjoint({"service-failed", "rule-failed"})


def test_a_rule_that_fails_loses_its_own_advice_and_says_so(
    fixture: Fixture, decision: Decision, logged: list[Any]
) -> None:
    whole = by_id(answered(fixture(NEW_START), decision))
    cards = by_id(answered(fixture(NEW_START), changed(decision, START_CARD, thresholds={})))
    assert START_CARD in whole
    assert set(cards) == {*whole.keys() - {START_CARD}, "rule-failed"}
    assert decision.library.cards[START_CARD].title in cards["rule-failed"]["detail"]
    (line,) = [line for line in logged if line["event"] == "rule failed"]
    assert (line["card"], line["error"]) == (START_CARD, "KeyError")


def test_a_card_whose_words_fail_is_replaced_by_one_that_says_so(
    fixture: Fixture, decision: Decision, logged: list[Any]
) -> None:
    sections = {**decision.library.cards[PAIR_CARD].sections, "detail started": "{{ nobody_knows }}"}
    cards = by_id(answered(fixture(PAIR), changed(decision, PAIR_CARD, sections=sections)))
    assert set(cards) == {*by_id(answered(fixture(PAIR), decision)).keys() - {PAIR_CARD}, "rule-failed"}
    assert [line["card"] for line in logged if line["event"] == "rule failed"] == [PAIR_CARD]


def test_a_line_whose_words_fail_takes_no_other_advice_of_its_card_along(
    fixture: Fixture, decision: Decision, logged: list[Any]
) -> None:
    said = by_id(answered(fixture(PAIR), decision))[OLDER_CARD]["extension"]["io.github.tolami"]["rules"]
    lines = {title: "{{ nobody_knows }}" for title in decision.library.cards[START_CARD].sections if "line" in title}
    sections = {**decision.library.cards[START_CARD].sections, **lines}
    cards = by_id(answered(fixture(PAIR), changed(decision, START_CARD, sections=sections)))
    assert {"R11", "R07"} <= set(said)
    assert {OLDER_CARD, START_CARD, PAIR_CARD} <= set(cards)
    assert not [line for line in logged if line["event"] == "rule failed"]


def test_a_service_that_fails_answers_with_a_card_and_logs_nothing_of_the_request(
    fixture: Fixture, decision: Decision, logged: list[Any]
) -> None:
    def no_clock() -> date:
        raise OSError("ilona-varga")

    (card,) = answered(fixture(PAIR), replace(decision, today=no_clock))
    assert (card["extension"]["io.github.tolami"]["card"], card["indicator"]) == ("service-failed", "warning")
    (line,) = [line for line in logged if line["event"] == "service failed"]
    assert line["error"] == "OSError"
    assert line["place"].startswith("test_decide.py:")
    assert "ilona-varga" not in str(logged)


def test_the_card_of_a_service_that_fails_is_in_the_dialect_too(fixture: Fixture, decision: Decision) -> None:
    def no_clock() -> date:
        raise OSError

    body, broken = json.dumps(fixture(PAIR)).encode(), replace(decision, today=no_clock)
    for dialect, reasons in (("1.0", False), ("2.0", True)):
        client = Client.model_validate({"name": "An EHR", "dialect": dialect})
        (card,) = json.loads(encode(decide(body, "order-select", broken, client)))["cards"]
        assert card["extension"]["io.github.tolami"]["card"] == "service-failed"
        assert ("overrideReasons" in card) == reasons


@pytest.mark.parametrize(("drug", "told"), [("amitriptyline", True), ("tolperisone", True), ("sertraline", False)])
def test_words_that_may_exclude_one_of_the_drugs_are_told_and_about_another_drug_not(
    fixture: Fixture, decision: Decision, drug: str, told: bool
) -> None:
    request = fixture("requests/order-sign/words-that-warn-of-amitriptyline")
    draft(request)["medicationCodeableConcept"] = {"text": f"House mixture, never together with {drug}"}
    cards = answered(request, decision)
    assert [card["extension"]["io.github.tolami"]["notChecked"] for card in cards] == [["words-unclear"]] * told


def test_a_drug_with_a_letter_wrong_is_named_with_what_it_might_be(fixture: Fixture, decision: Decision) -> None:
    request = fixture(PAIR)
    listed(request)["medicationCodeableConcept"] = {"text": "sertaline 50 mg"}
    card = by_id(answered(request, decision))["not-checked"]
    assert card["detail"].count("sertaline 50 mg: no drug known here; it might be sertraline") == 1
    draft(request)["medicationCodeableConcept"] = {"text": "toleprisone 150 mg"}
    (card,) = answered(request, decision)
    assert card["summary"] == "Not checked: toleprisone 150 mg, which might be tolperisone"


def test_a_letter_wrong_in_a_drug_that_only_matters_beside_the_others_is_no_matter_without_them(
    fixture: Fixture, decision: Decision
) -> None:
    request = fixture(PAIR)
    listed(request)["medicationCodeableConcept"] = {"text": "Metformin 1000 mg"}
    for written in (
        {"text": "sertaline 50 mg"},
        {"coding": [{"system": ATC, "code": "A10BA02"}], "text": "tolperisoe"},
    ):
        draft(request)["medicationCodeableConcept"] = written
        assert answered(request, decision) == []


def test_a_reason_that_is_a_reference_is_followed_to_the_problem_list_or_named(
    fixture: Fixture, decision: Decision
) -> None:
    request = fixture(NEW_START)
    depression = {"resourceType": "Condition", "id": "c-1", "code": {"text": "Major depression"}}
    request["prefetch"]["conditions"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": depression}],
    }
    draft(request)["reasonCode"] = [depression["code"]]
    as_code = [card["summary"] for card in answered(request, decision)]
    del draft(request)["reasonCode"]
    for target in ("Condition/c-1", "https://ehr.example.org/fhir/Condition/c-1/_history/2", "urn:uuid:c-1"):
        draft(request)["reasonReference"] = [{"reference": target}]
        assert [card["summary"] for card in answered(request, decision)] == as_code, target
    for target in ("Condition/elsewhere", "Condition/depression", "Observation/pain-1"):
        draft(request)["reasonReference"] = [{"reference": target}]
        assert f"could not be read ({target})" in by_id(answered(request, decision))["not-checked"]["detail"]


def test_no_change_is_offered_where_words_beside_the_dose_may_say_another_one(
    fixture: Fixture, decision: Decision
) -> None:
    request = fixture(NEW_START)
    assert by_id(answered(request, decision))[START_CARD]["suggestions"]
    for words, reasons in (("nach Plan", 1), ("half a tablet at first, see the letter", 1), ("pausieren", 1)):
        draft(request)["dosageInstruction"][0]["text"] = words
        cards = by_id(answered(request, decision))
        assert not any(card.get("suggestions") for card in cards.values()), words
        assert cards["not-checked"]["detail"].count("\n- ") == reasons, cards["not-checked"]["detail"]

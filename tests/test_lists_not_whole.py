"""While a list is known not to be whole it is named, and no order is changed or added."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from service.chart import Chart
from service.decide import Decision
from tests.calls import NEW_START, Json, answered, by_id, draft

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
NAMES = {
    "medications": "medication list",
    "statements": "medication statements",
    "conditions": "problem list",
    "allergies": "allergies",
}
KINDS = {
    "medications": "MedicationRequest",
    "statements": "MedicationStatement",
    "conditions": "Condition",
    "allergies": "AllergyIntolerance",
}
OTHER = {"subject": {"reference": "Patient/somebody-else"}, "patient": {"reference": "Patient/somebody-else"}}

CHANGED = [{"url": "https://ehr.example.org/negated", "valueBoolean": True}]
COUNTED = {"amitriptyline-and-the-heart", "amitriptyline-and-other-conditions", "tolperisone-with-amitriptyline"}
Load = Callable[[str], Json]


def listing(key: str, way: str) -> Any:
    kind = KINDS[key]
    some = {"resourceType": kind, "status": "cancelled"}
    ways: dict[str, Any] = {
        "only counted": {"resourceType": "Bundle", "total": 3},
        "cut": {"resourceType": "Bundle", "total": 12, "entry": [{"resource": some}]},
        "a page": {"resourceType": "Bundle", "link": [{"relation": "next", "url": "https://x.example/2"}]},
        "refused": {"resourceType": "Bundle", "entry": [{"response": {"status": "403"}}]},
        "partly refused": {"resourceType": "Bundle", "entry": [{"response": {"status": "403"}}, {"resource": some}]},
        "only addresses": {"resourceType": "Bundle", "entry": [{"fullUrl": f"https://x.example/{kind}/1"}]},
        "an outcome inside": {"resourceType": "Bundle", "entry": [{"resource": OUTCOME}, {"resource": some}]},
        "an outcome": OUTCOME,
        "a page inside": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "total": 1}}]},
        "another type": {"resourceType": "Basic"},
        "another type inside": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Basic"}}]},
        "somebody else's": {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": kind, **OTHER}}]},
        "no list": 5,
    }
    return ways[way]


WAYS = [
    *("only counted", "cut", "a page", "refused", "partly refused", "only addresses", "an outcome inside"),
    *("an outcome", "a page inside", "another type", "another type inside", "somebody else's", "no list"),
]


@pytest.fixture
def whole(fixture: Load) -> Json:
    request = fixture(NEW_START)
    request["prefetch"] |= {key: request["prefetch"].get(key) for key in NAMES}
    return request


def test_a_change_is_offered_while_all_lists_are_whole(whole: Json, decision: Decision) -> None:
    assert any(card.get("suggestions") for card in answered(whole, decision))


@pytest.mark.parametrize("way", WAYS)
def test_a_list_that_is_not_whole_is_named_and_nothing_is_offered(way: str, whole: Json, decision: Decision) -> None:
    for key, name in NAMES.items():
        request = deepcopy(whole)
        request["prefetch"][key] = listing(key, way)
        cards = answered(request, decision)
        assert name in by_id(cards)["not-checked"]["detail"], key
        assert not any(card.get("suggestions") for card in cards), key


def test_a_resource_that_comes_twice_is_one_and_a_newer_version_counts(whole: Json, decision: Decision) -> None:
    taken = {
        "resourceType": "MedicationRequest",
        "id": "same",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "Amitriptyline 100 mg"},
        "dosageInstruction": [{"text": "1 tablet at night"}],
    }
    older, ended = {**taken, "meta": {"versionId": "1"}}, {**taken, "meta": {"versionId": "2"}, "status": "stopped"}
    another = {**taken, "dosageInstruction": [{"text": "2 tablets at night"}]}
    seen: list[Chart] = []
    for entries, number in (
        ([taken], 1), ([taken, taken], 1), ([older, ended], 0), ([ended, older], 0), ([taken, another], 2)
    ):  # fmt: skip
        bundle = {"resourceType": "Bundle", "entry": [{"resource": entry} for entry in entries]}
        whole["prefetch"] |= {"medications": bundle, "statements": {"resourceType": "Bundle", "entry": bundle["entry"]}}
        answered(whole, replace(decision, seen=seen.append, editions=None))
        assert len(seen[-1].current("amitriptyline")) == number, entries


def test_an_entry_whose_meaning_is_marked_as_changed_is_named_and_only_a_drug_counts(
    whole: Json, decision: Decision
) -> None:
    entries = {
        "conditions": {"resourceType": "Condition", "code": {"text": "Long QT syndrome"}},
        "allergies": {"resourceType": "AllergyIntolerance", "code": {"text": "Amitriptyline"}},
        "medications": {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": {"text": "Tolperisone 150 mg"},
        },
    }
    for key, entry in entries.items():
        for marked in (False, True):
            request = deepcopy(whole)
            resource = {**entry, **({"modifierExtension": CHANGED} if marked else {})}
            request["prefetch"][key] = {"resourceType": "Bundle", "total": 1, "entry": [{"resource": resource}]}
            cards = by_id(answered(request, decision))
            counts = not cards.keys().isdisjoint(COUNTED)
            assert counts is (not marked or key == "medications"), (key, marked)
            assert ("not-checked" in cards) is marked, (key, marked)
            assert counts or not any(card.get("suggestions") for card in cards.values()), key


@pytest.mark.parametrize(
    "drug",
    [
        {"medicationReference": {"reference": "Medication/nowhere"}},
        {"medicationCodeableConcept": {"coding": [{"system": "urn:own-list", "code": "77"}]}},
        {},
    ],
    ids=["a Medication that was not sent", "a code of an own list", "none"],
)
def test_while_a_drug_on_the_list_cannot_be_told_nothing_is_offered(
    drug: Json, whole: Json, decision: Decision
) -> None:
    entry = {"resource": {"resourceType": "MedicationRequest", "status": "active", "intent": "order", **drug}}
    whole["prefetch"]["medications"] = {"resourceType": "Bundle", "entry": [entry]}
    cards = answered(whole, decision)
    assert "known here" in by_id(cards)["not-checked"]["detail"]
    assert not any(card.get("suggestions") for card in cards)


@pytest.mark.parametrize("kind", ["MedicationDispense", "MedicationAdministration"])
@pytest.mark.parametrize("status", ["completed", "in-progress", "on-hold", "unknown"])
def test_what_was_handed_out_or_given_is_read_as_taken(kind: str, status: str, whole: Json, decision: Decision) -> None:
    patient = {"reference": draft(whole)["subject"]["reference"]}
    drug = {"medicationCodeableConcept": {"text": "Tranylcypromine 10 mg"}}
    given = {"resourceType": kind, "id": "g1", "status": status, "subject": patient, **drug}
    whole["prefetch"]["medications"] = {"resourceType": "Bundle", "total": 1, "entry": [{"resource": given}]}
    assert by_id(answered(whole, decision))["amitriptyline-with-maoi"]["indicator"] == "critical"


@pytest.mark.parametrize(
    "members",
    [
        {"resourceType": "MedicationDispense", "status": "cancelled"},
        {"resourceType": "MedicationDispense", "status": "declined"},
        {"resourceType": "MedicationDispense", "status": "entered-in-error"},
        {"resourceType": "MedicationAdministration", "status": "not-done"},
        {"resourceType": "MedicationAdministration", "status": "completed", "notGiven": True},
    ],
)
def test_what_was_not_given_is_not_taken(members: Json, whole: Json, decision: Decision) -> None:
    drug = {"medicationCodeableConcept": {"text": "Tranylcypromine 10 mg"}}
    whole["prefetch"]["medications"] = {"resourceType": "Bundle", "entry": [{"resource": {**members, **drug}}]}
    assert "amitriptyline-with-maoi" not in by_id(answered(whole, decision))


def test_an_order_of_another_drug_stays_without_a_card_whatever_the_lists_lack(whole: Json, decision: Decision) -> None:
    draft(whole)["medicationCodeableConcept"] = {"text": "Amoxicillin 500 mg"}
    whole["prefetch"]["medications"] = listing("medications", "cut")
    assert answered(whole, decision) == []


def test_a_drug_sent_as_a_list_of_one_is_read_and_a_list_of_several_is_said(whole: Json, decision: Decision) -> None:
    usual = [card["summary"] for card in answered(whole, decision)]
    concept = draft(whole)["medicationCodeableConcept"]
    draft(whole)["medicationCodeableConcept"] = [concept]
    assert [card["summary"] for card in answered(whole, decision)] == usual
    draft(whole)["medicationCodeableConcept"] = [concept, {"text": "Ibuprofen 400 mg"}]
    assert "the order names several drugs at once" in by_id(answered(whole, decision))["not-checked"]["detail"]


SINGLE = [
    *("status", "intent", "authoredOn", "subject"),
    *("dosageInstruction.timing", "dosageInstruction.timing.repeat", "dosageInstruction.route"),
    *("dosageInstruction.doseAndRate.doseQuantity", "dosageInstruction.timing.repeat.frequency"),
    "dosageInstruction.timing.repeat.periodUnit",
]


@pytest.mark.parametrize("path", SINGLE)
def test_a_list_of_one_where_fhir_has_one_value_changes_nothing(path: str, whole: Json, decision: Decision) -> None:
    usual = [(card["summary"], card["detail"]) for card in answered(whole, decision)]
    *parents, last = path.split(".")
    holder = draft(whole)
    for step in parents:
        held = holder[step]
        holder = held[0] if isinstance(held, list) else held
    if last in holder:
        holder[last] = [holder[last]]
    assert [(card["summary"], card["detail"]) for card in answered(whole, decision)] == usual


@pytest.mark.parametrize(
    "path", ["dosageInstruction", "medicationCodeableConcept.coding", "dosageInstruction.doseAndRate"]
)
def test_one_object_where_fhir_has_a_list_changes_nothing(path: str, whole: Json, decision: Decision) -> None:
    usual = [(card["summary"], card["detail"]) for card in answered(whole, decision)]
    *parents, last = path.split(".")
    holder = draft(whole)
    for step in parents:
        held = holder[step]
        holder = held[0] if isinstance(held, list) else held
    (holder[last],) = holder[last]
    assert [(card["summary"], card["detail"]) for card in answered(whole, decision)] == usual


def test_what_was_handed_out_or_given_long_ago_is_no_longer_taken(whole: Json, decision: Decision) -> None:
    supply = {"value": 30, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    base = {"status": "completed", "medicationCodeableConcept": {"text": "Tranylcypromine 10 mg"}}
    dispense = {"resourceType": "MedicationDispense", **base}
    given = {"resourceType": "MedicationAdministration", **base}
    for entry, indicator in (
        ({**dispense, "whenHandedOver": "2021-12-25", "daysSupply": supply}, None),
        ({**dispense, "whenHandedOver": "2021-12-25"}, "critical"),  # how long it lasted is not known
        ({**dispense, "whenHandedOver": "2026-10-20", "daysSupply": supply}, "critical"),
        ({**given, "effectiveDateTime": "2024-11-20"}, None),
        ({**given, "effectivePeriod": {"start": "2024-11-20", "end": "2024-11-20"}}, None),
        ({**given, "effectiveDateTime": "2026-11-20"}, "critical"),
    ):
        whole["prefetch"]["medications"] = {"resourceType": "Bundle", "entry": [{"resource": entry}]}
        card = by_id(answered(whole, decision)).get("amitriptyline-with-maoi")
        assert (card["indicator"] if card else None) == indicator, entry


def test_what_was_handed_out_is_not_added_to_its_order_nor_one_supply_to_the_next(
    fixture: Load, decision: Decision
) -> None:
    request = fixture("requests/patient-view/amitriptyline-ordered-twice")
    order = request["prefetch"]["medications"]["entry"][0]["resource"]
    kept = {key: order[key] for key in ("subject", "medicationCodeableConcept", "dosageInstruction") if key in order}
    dispense = {"resourceType": "MedicationDispense", "id": "d1", "status": "completed", **kept}
    supply = {"value": 30, "unit": "d"}
    days = ("2026-09-20", "2026-10-20", "2026-11-18")
    monthly = [{**dispense, "id": day, "whenHandedOver": day, "daysSupply": supply} for day in days]
    for entries in ([order, {**dispense, "whenHandedOver": "2026-11-20"}], monthly):
        request["prefetch"]["medications"]["entry"] = [{"resource": entry} for entry in entries]
        request["prefetch"]["medications"].pop("total", None)
        assert "amitriptyline-duplicate" not in by_id(answered(request, decision))

"""The change a suggestion makes is the client's own order, and it is withheld wherever it would be a guess."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.decide import Decision, decide
from service.engine.finding import Proposal
from service.engine.library import Library
from service.engine.suggestions import Change, change_for
from service.fhir.edit import ClientOrders
from service.fhir.resources import Resource
from service.jsonio import decode, encode
from service.trust.clients import Client
from tests.calls import ATC, NEW_START, RXNORM, Json, answered, by_id, draft, drafted_too
from tests.guidance import charts

Fixture = Callable[[str], dict[str, Any]]

ORDER = b"""{
  "resourceType": "MedicationRequest", "id": "rx-1",
  "meta": {"lastUpdated": "2026-11-23T08:00:00.000+01:00", "tag": [{"code": "a"}]},
  "extension": [{"url": "https://ehr.example.org/x", "valueDecimal": 1.50}],
  "_status": {"extension": [{"url": "https://ehr.example.org/y", "valueInteger": 9007199254740993}]},
  "status": "draft", "intent": "order", "ehrInternal": {"row": [1, 2.0, 1e2, null, true, "\\u00e9"]},
  "medicationCodeableConcept": {"coding": [
    {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "856853", "display": "amitriptyline 75 mg"},
    {"system": "http://www.whocc.no/atc", "code": "N06AA09", "userSelected": true}], "text": "Amitriptyline 75 mg"},
  "subject": {"reference": "Patient/p"},
  "dosageInstruction": [{
    "id": "d1", "extension": [{"url": "https://ehr.example.org/z", "valueString": "kept"}], "sequence": 1,
    "text": "75 mg tonight", "route": {"text": "oral"}, "asNeededBoolean": false,
    "timing": {"repeat": {"boundsDuration": {"value": 28.00, "unit": "d"}, "frequency": 2, "period": 1.0,
      "periodUnit": "d"}, "code": {"text": "BID"}},
    "doseAndRate": [{"doseQuantity": {"value": 37.50, "unit": "mg"}}], "maxDosePerAdministration": {"value": 75}}],
  "dispenseRequest": {"quantity": {"value": 30.0}}}"""


def proposal(dose: Fraction = Fraction(10), current: Fraction = Fraction(75), reference: str = "rx-1") -> Proposal:
    order = charts.draft(charts.AMITRIPTYLINE)
    named = type(order)(f"MedicationRequest/{reference}" if reference else "", order.label, order.drug, order.role)
    return Proposal(named, charts.AMITRIPTYLINE, "amitriptyline-10-mg-at-bedtime", dose, current)


def change(order: Resource, library: Library) -> Change | str:
    return change_for(proposal(), ClientOrders({"MedicationRequest/rx-1": order}), library)


def test_only_drug_and_dosage_are_changed_and_everything_else_comes_back_as_written(library: Library) -> None:
    order = decode(ORDER)
    changed = change(order, library)
    assert isinstance(changed, Change)
    assert list(changed.order) == list(order)
    for member in order.keys() - {"medicationCodeableConcept", "dosageInstruction"}:
        assert encode(changed.order[member]) == encode(order[member])
    written = encode(changed.order)
    for exactly in (b"1.50", b"9007199254740993", b"[1,2.0,1E+2,null,true", b"28.00", b'"value":30.0'):
        assert exactly in written


def test_the_product_of_another_strength_is_replaced_and_the_drug_kept(library: Library) -> None:
    changed = change(decode(ORDER), library)
    assert isinstance(changed, Change)
    assert changed.product == "amitriptyline hydrochloride 10 MG Oral Tablet"
    concept = changed.order["medicationCodeableConcept"]
    assert [(coding["system"], coding["code"]) for coding in concept["coding"]] == [
        (RXNORM, "856783"),
        (ATC, "N06AA09"),
    ]
    assert concept["coding"][1]["userSelected"] is True
    assert concept["text"] == changed.product


def test_the_dosage_says_10_mg_at_bedtime_within_the_bounds_of_the_order(library: Library) -> None:
    changed = change(decode(ORDER), library)
    assert isinstance(changed, Change)
    (dosage,) = changed.order["dosageInstruction"]
    assert (dosage["id"], dosage["sequence"], dosage["route"]) == ("d1", 1, {"text": "oral"})
    assert dosage["extension"] == [{"url": "https://ehr.example.org/z", "valueString": "kept"}]
    assert dosage["text"] == "10 mg at bedtime"
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 10
    repeat = dosage["timing"]["repeat"]
    assert repeat["boundsDuration"]["value"] == 28
    assert (repeat["frequency"], repeat["period"], repeat["periodUnit"], repeat["when"]) == (1, 1, "d", ["HS"])
    assert "code" not in dosage["timing"]
    assert dosage.keys().isdisjoint({"asNeededBoolean", "maxDosePerAdministration"})


def test_the_clients_order_itself_is_left_alone(library: Library) -> None:
    order = decode(ORDER)
    assert isinstance(change(order, library), Change)
    assert order == decode(ORDER)


def test_a_valid_order_stays_valid_fhir(fixture: Fixture, decision: Decision) -> None:
    card = by_id(answered(fixture(NEW_START), decision))["amitriptyline-start-dose"]
    ((action,),) = [suggestion["actions"] for suggestion in card["suggestions"]]
    MedicationRequest.model_validate(action["resource"])


@settings(max_examples=60, deadline=None)
@given(st.fractions(0, 200))
def test_nothing_that_would_not_lower_the_dose_is_offered(library: Library, current: Fraction) -> None:
    dose = Fraction(10)
    found = change_for(proposal(dose, current), ClientOrders({"MedicationRequest/rx-1": decode(ORDER)}), library)
    assert isinstance(found, Change) is (dose < current)
    assert dose < current or found == "would-not-lower"


def test_a_template_that_gives_another_dose_or_drug_than_the_rule_proposes_is_never_sent(library: Library) -> None:
    orders = ClientOrders({"MedicationRequest/rx-1": decode(ORDER)})
    for wrong in (replace(proposal(), dose=Fraction(20)), replace(proposal(), template="duloxetine-start")):
        with pytest.raises(ValueError, match="gives other than"):
            change_for(wrong, orders, library)


def coded(*codes: str, text: str = "Amitriptyline") -> Json:
    codings = [{"system": RXNORM, "code": code} for code in codes]
    return {"medicationCodeableConcept": {"coding": codings, "text": text}}


DEEP: Json = {}
for _ in range(700):
    DEEP = {"a": DEEP}
REFUSED: dict[str, tuple[Json, str]] = {
    "a combination": (coded("856720"), "combination"),
    "a code of another drug": (coded("856834", "2597"), "combination"),
    "a product code that is not known": (coded("856834", "99999999"), "product-unknown"),
    "a strength only in words": (coded("704", text="Amitriptyline 50 mg tablets"), "product-in-words"),
    "no code, a strength in words": (coded(text="Amitriptyline 50 mg"), "product-in-words"),
    "a reference": ({"medicationCodeableConcept": None, "medicationReference": {"reference": "#m"}}, "by-reference"),
    "several dosages": ({"dosageInstruction": [{"text": "10 mg"}, {"text": "25 mg"}]}, "several-dosages"),
    "a dosage that is none": ({"dosageInstruction": ["10 mg"]}, "not-editable"),
    "a timing that is none": ({"dosageInstruction": [{"timing": "daily"}]}, "not-editable"),
    "no drug": ({"medicationCodeableConcept": None}, "not-editable"),
    "nesting beyond reason": ({"x": DEEP}, "not-editable"),
}


@pytest.mark.parametrize(("changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_would_be_a_guess_is_refused_with_its_reason(library: Library, changes: Json, reason: str) -> None:
    assert change(decode(ORDER) | changes, library) == reason
    assert reason in library.withheld


@pytest.mark.parametrize(("reference", "reason"), [("", "order-not-found"), ("rx-2", "several-orders")])
def test_a_change_is_bound_to_exactly_one_order(library: Library, reference: str, reason: str) -> None:
    found = change_for(proposal(reference=reference), ClientOrders({"MedicationRequest/rx-1": decode(ORDER)}), library)
    assert found == reason
    assert reason in library.withheld


def test_a_product_of_the_right_strength_stays_as_ordered(library: Library) -> None:
    order = decode(ORDER) | coded("856783", text="Amitriptyline 10 mg tablet")
    changed = change(order, library)
    assert isinstance(changed, Change)
    assert changed.product == ""
    assert changed.order["medicationCodeableConcept"] == order["medicationCodeableConcept"]


SHAPES: dict[str, tuple[Json, str]] = {
    "DSTU2": ({"resourceType": "MedicationOrder"}, "doseQuantity"),
    "STU3": ({"dosageInstruction": [{"doseQuantity": {"value": 75}}]}, "doseQuantity"),
    "R4": ({}, "doseAndRate"),
    "R5": ({"medicationCodeableConcept": None, "medication": {"concept": coded("856853")["medicationCodeableConcept"]}},
           "doseAndRate"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "member"), SHAPES.values(), ids=SHAPES)
def test_the_order_keeps_the_shape_of_its_fhir_version(library: Library, changes: Json, member: str) -> None:
    changed = change(decode(ORDER) | changes, library)
    assert isinstance(changed, Change)
    (dosage,) = changed.order["dosageInstruction"]
    assert [name for name in ("doseQuantity", "doseAndRate") if name in dosage] == [member]
    repeat = dosage["timing"]["repeat"]
    older = changed.order["resourceType"] == "MedicationOrder"
    assert ("periodUnits" in repeat, "when" in repeat) == (older, not older)


def test_an_order_changed_as_suggested_raises_the_card_no_more(fixture: Fixture, decision: Decision) -> None:
    request = fixture(NEW_START)
    card = by_id(answered(request, decision))["amitriptyline-start-dose"]
    (suggestion,) = card["suggestions"]
    (action,) = suggestion["actions"]
    assert (action["type"], action["resource"]["id"]) == ("update", draft(request)["id"])
    assert action["resource"]["extension"] == draft(request)["extension"]
    request["context"]["draftOrders"]["entry"][0]["resource"] = action["resource"]
    assert answered(request, decision) == []


def start_card(request: Json, decision: Decision) -> Json:
    return by_id(answered(request, decision))["amitriptyline-start-dose"]


def withheld(fixture: Fixture) -> dict[str, Json]:
    """Requests in which a lower start is right and its order must not be offered, by the reason."""
    request = fixture(NEW_START)
    unidentified = deepcopy(request)
    del draft(unidentified)["id"]
    unborn = deepcopy(request)
    del unborn["prefetch"]["patient"]["birthDate"]
    words = deepcopy(request)
    draft(words)["medicationCodeableConcept"] = {"text": "Amitriptyline 75 mg tablet"}
    unknown = deepcopy(request)
    draft(unknown)["medicationCodeableConcept"]["coding"].append({"system": RXNORM, "code": "99999999"})
    unlisted = deepcopy(request)
    del unlisted["prefetch"]["medications"]
    tolperisone = {"coding": [{"system": ATC, "code": "M03BX04"}], "text": "Tolperison 300 mg"}
    thrice = {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}
    dosage = [{"timing": thrice, "doseAndRate": [{"doseQuantity": {"value": 300, "unit": "mg"}}]}]
    return {
        "order-not-found": unidentified,
        "several-orders": drafted_too(request),
        "age-unknown": unborn,
        "product-in-words": words,
        "product-unknown": unknown,
        "start-not-certain": unlisted,
        "combination": fixture("requests/order-sign/amitriptyline-with-chlordiazepoxide"),
        "critical-finding": drafted_too(
            request, id="rx-t", medicationCodeableConcept=tolperisone, dosageInstruction=dosage
        ),
    }


@pytest.mark.parametrize(
    "reason",
    ["order-not-found", "several-orders", "product-in-words", "product-unknown"],
)
def test_the_card_says_why_no_change_is_offered(
    fixture: Fixture, decision: Decision, library: Library, reason: str
) -> None:
    card = start_card(withheld(fixture)[reason], decision)
    assert "suggestions" not in card
    assert f"No button: {library.withheld[reason]}." in card["detail"]


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("age-unknown", "The age is not known; children need other doses."),
        ("start-not-certain", "Earlier amitriptyline could not be ruled out"),
        ("combination", "Whether the other drug is still needed is for you to decide."),
    ],
)
def test_a_reason_that_changes_the_advice_is_in_its_words(
    fixture: Fixture, decision: Decision, reason: str, said: str
) -> None:
    card = start_card(withheld(fixture)[reason], decision)
    assert "suggestions" not in card
    assert said in card["detail"]
    assert "No button" not in card["detail"], "once is enough"


def test_beside_a_critical_card_the_lower_start_is_said_and_not_offered(fixture: Fixture, decision: Decision) -> None:
    first, *others = answered(withheld(fixture)["critical-finding"], decision)
    assert first["indicator"] == "critical"
    assert any("Start amitriptyline at 10 mg at bedtime" in card["detail"] for card in others)
    assert all("suggestions" not in card for card in (first, *others))


def test_under_18_neither_figures_nor_a_change_are_given(fixture: Fixture, decision: Decision) -> None:
    request = fixture(NEW_START)
    request["prefetch"]["patient"]["birthDate"] = "2010"
    cards = by_id(answered(request, decision))
    assert "patient-under-18" in cards
    assert cards.keys().isdisjoint({"amitriptyline-start-dose", "amitriptyline-titration", "amitriptyline-upper-range"})
    assert all("suggestions" not in card for card in cards.values())
    assert "10 mg" not in json.dumps(cards)


OPTIONS = "requests/order-sign/amitriptyline-in-postherpetic-neuralgia-with-enlarged-prostate"
STOPPED = "requests/order-sign/amitriptyline-75-mg-in-25-mg-tablets-stopped"


def options(request: Json, decision: Decision, dialect: str | None) -> Json:
    """The card about other drugs as a client of a dialect gets it."""
    client = Client.model_validate({"name": "An EHR", "dialect": dialect} if dialect else {"name": "An EHR"})
    answer = encode(decide(json.dumps(request).encode(), "order-sign", decision, client))
    return by_id(json.loads(answer)["cards"])["other-options"]


@pytest.mark.parametrize(("dialect", "order"), [("1.0", "resource"), ("2.0", "resourceId"), ("3.0", "resourceId")])
def test_another_drug_accepted_as_suggested_is_alone_in_the_session(
    fixture: Fixture, decision: Decision, dialect: str, order: str
) -> None:
    request = fixture(OPTIONS)
    suggestions = options(request, decision, dialect)["suggestions"]
    assert [s["label"].split(" ")[3] for s in suggestions] == ["duloxetine", "gabapentin", "pregabalin"]
    for suggestion in suggestions:
        removal, creation = suggestion["actions"]
        assert (removal["type"], removal[order]) == ("delete", f"MedicationRequest/{draft(request)['id']}")
        accepted = deepcopy(request)
        accepted["context"]["draftOrders"]["entry"] = [{"resource": {**creation["resource"], "id": "new"}}]
        assert answered(accepted, decision) == []


def test_where_nobody_knows_how_a_draft_is_removed_no_other_drug_is_ordered_beside_it(
    fixture: Fixture, decision: Decision
) -> None:
    card = options(fixture(OPTIONS), decision, None)
    assert "suggestions" not in card
    assert "Instead of amitriptyline: gabapentin 300 mg once a day" in card["detail"]


def test_a_step_of_the_taper_accepted_as_suggested_ends_the_warning(fixture: Fixture, decision: Decision) -> None:
    request = fixture(STOPPED)
    ((action,),) = [s["actions"] for s in by_id(answered(request, decision))["amitriptyline-stopping"]["suggestions"]]
    assert action["type"] == "create"
    request["context"]["draftOrders"]["entry"].append({"resource": {**action["resource"], "id": "new"}})
    cards = by_id(answered(request, decision))
    assert cards.keys().isdisjoint({"amitriptyline-stopping", "amitriptyline-start-dose", "amitriptyline-titration"})

"""One order written in DSTU2, STU3, R4, R4 with objects for arrays, and R5 is read as one and the same."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement

from service.dosing.dosage import DailyDose
from service.fhir.as_r4 import READ_ALREADY, order_as_r4, read_order, routes, statement_as_r4, subject_reference
from service.fhir.medications import ingredients, medication_concept, medication_reference
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import AMITRIPTYLINE, RXNORM, SNOMED, TABLET, drafted, listed

DEPRESSION = {"coding": [{"system": SNOMED, "code": "370143000"}]}
ORAL = {"coding": [{"system": SNOMED, "code": "26643006", "display": "Oral route"}]}
REPEAT = {"boundsPeriod": {"start": "2026-11-23", "end": "2026-12-23"}, "frequency": 2, "period": 1}
AT_MOST = {"numerator": {"value": 3, "unit": "tablet"}, "denominator": {"value": 1, "unit": "d", "code": "d"}}
PRIOR = {"reference": "MedicationRequest/rx-0"}
COMMON = {"id": "rx-1", "status": "draft", "priorPrescription": PRIOR}
INSTRUCTION = {"sequence": 1, "text": "1 tablet twice a day if needed", "route": ORAL, "asNeededBoolean": True}
BARE = {"doseQuantity": TABLET, "maxDosePerPeriod": AT_MOST}
R4 = {
    "resourceType": "MedicationRequest",
    **COMMON,
    "intent": "order",
    "subject": {"reference": "Patient/1"},
    "medicationCodeableConcept": AMITRIPTYLINE,
    "authoredOn": "2026-11-23",
    "reasonCode": [DEPRESSION],
    "dosageInstruction": [
        {
            **INSTRUCTION,
            "timing": {"repeat": {**REPEAT, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": TABLET}],
            "maxDosePerPeriod": AT_MOST,
        }
    ],
}
ORDERS: dict[str, Resource] = {
    "DSTU2": {
        "resourceType": "MedicationOrder",
        **COMMON,
        "patient": {"reference": "Patient/1"},
        "medicationCodeableConcept": AMITRIPTYLINE,
        "dateWritten": "2026-11-23",
        "reasonCodeableConcept": DEPRESSION,
        "dosageInstruction": [{**INSTRUCTION, **BARE, "timing": {"repeat": {**REPEAT, "periodUnits": "d"}}}],
    },
    "STU3": {
        **R4,
        "dosageInstruction": [{**INSTRUCTION, **BARE, "timing": {"repeat": {**REPEAT, "periodUnit": "d"}}}],
    },
    "R4": R4,
    "R4 with objects for arrays": {
        **R4,
        "reasonCode": DEPRESSION,
        "dosageInstruction": {
            **INSTRUCTION,
            "timing": {"repeat": {**REPEAT, "periodUnit": "d"}},
            "doseAndRate": {"doseQuantity": TABLET},
            "maxDosePerPeriod": AT_MOST,
        },
    },
    "R5": {
        "resourceType": "MedicationRequest",
        **COMMON,
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "medication": {"concept": AMITRIPTYLINE},
        "authoredOn": "2026-11-23",
        "reason": [{"concept": DEPRESSION}],
        "dosageInstruction": [
            {
                "sequence": 1,
                "text": INSTRUCTION["text"],
                "route": ORAL,
                "asNeeded": True,
                "timing": {"repeat": {**REPEAT, "periodUnit": "d"}},
                "doseAndRate": [{"doseQuantity": TABLET}],
                "maxDosePerPeriod": [AT_MOST],
            }
        ],
    },
}


@pytest.mark.parametrize("version", ORDERS)
def test_the_same_order_is_read_the_same_in_every_version(version: str, terminology: Terminology) -> None:
    read, unread = drafted(ORDERS[version], terminology)
    expected, _ = drafted(R4, terminology)
    assert read is not None
    assert expected is not None
    assert unread == []
    assert replace(read, reference="") == replace(expected, reference="")
    assert read.reasons == {"major-depressive-disorder"}
    assert read.continues_earlier
    (dosage,) = read.dosages
    assert dosage.as_needed
    assert dosage.timing is not None
    assert dosage.high is not None
    assert (dosage.high, dosage.text) == (dosage.low, "1 tablet twice a day if needed")


@pytest.mark.parametrize("version", ORDERS)
def test_every_version_becomes_valid_r4_and_the_clients_order_is_left_alone(version: str) -> None:
    before = deepcopy(ORDERS[version])
    MedicationRequest.model_validate(order_as_r4(ORDERS[version]) | READ_ALREADY)
    assert ORDERS[version] == before


@pytest.mark.parametrize("version", ORDERS)
def test_drug_patient_and_route_are_found_in_every_version(version: str) -> None:
    order = ORDERS[version]
    assert medication_concept(order) == AMITRIPTYLINE
    assert medication_reference(order) == {}
    assert subject_reference(order) == "Patient/1"
    assert routes(order) == [ORAL]


def test_an_order_that_says_nothing_yet_is_valid_r4_too() -> None:
    for kind in ("MedicationRequest", "MedicationOrder"):
        order = order_as_r4({"resourceType": kind, "id": "1", "status": "draft"})
        MedicationRequest.model_validate(order | READ_ALREADY)
    MedicationStatement.model_validate(statement_as_r4({"resourceType": "MedicationStatement"}) | READ_ALREADY)


@pytest.mark.parametrize("members", [{"status": None}, {"intent": None}, {"status": None, "intent": None}, {}])
def test_null_for_a_required_element_is_the_same_as_leaving_it_out(members: dict[str, Any]) -> None:
    order = {"resourceType": "MedicationRequest", "id": "1", "medicationCodeableConcept": AMITRIPTYLINE}
    assert order_as_r4({**order, **members}) == order_as_r4(order)
    statement = {**order, "resourceType": "MedicationStatement"}
    assert statement_as_r4({**statement, **members}) == statement_as_r4(statement)


STATEMENT = {
    "resourceType": "MedicationStatement",
    "id": "1",
    "status": "active",
    "medicationCodeableConcept": AMITRIPTYLINE,
    "effectivePeriod": {"start": "2026-10-01"},
}
TIMING = {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}
STATEMENTS: dict[str, Resource] = {
    "DSTU2": {
        **STATEMENT,
        "patient": {"reference": "Patient/1"},
        "wasNotTaken": False,
        "dosage": [
            {
                "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnits": "d"}},
                "quantityQuantity": TABLET,
                "asNeededBoolean": False,
            }
        ],
    },
    "STU3": {
        **STATEMENT,
        "subject": {"reference": "Patient/1"},
        "taken": "y",
        "dosage": [{"timing": TIMING, "doseQuantity": TABLET}],
    },
    "R4": {
        **STATEMENT,
        "subject": {"reference": "Patient/1"},
        "dosage": [{"timing": TIMING, "doseAndRate": [{"doseQuantity": TABLET}]}],
    },
    "R5": {
        **STATEMENT,
        "medicationCodeableConcept": None,
        "medication": {"concept": AMITRIPTYLINE},
        "subject": {"reference": "Patient/1"},
        "dosage": [{"timing": TIMING, "doseAndRate": [{"doseQuantity": TABLET}]}],
    },
}


@pytest.mark.parametrize("version", STATEMENTS)
def test_the_same_statement_is_read_the_same_in_every_version(version: str, terminology: Terminology) -> None:
    assert listed(STATEMENTS[version], terminology) == listed(STATEMENTS["R4"], terminology)
    order, unread = listed(STATEMENTS[version], terminology)
    assert unread == []
    assert order is not None
    assert order.dosages[0].high is not None
    assert subject_reference(STATEMENTS[version]) == "Patient/1"


def test_a_need_described_by_a_concept_is_a_need_in_r4_and_r5(terminology: Terminology) -> None:
    for need in ({"asNeededCodeableConcept": {"text": "pain"}}, {"asNeededFor": [{"text": "pain"}]}):
        order, _ = drafted({**R4, "dosageInstruction": [{**INSTRUCTION, "asNeededBoolean": None, **need}]}, terminology)
        assert order is not None
        assert order.dosages[0].as_needed


INGREDIENT = {"coding": [{"system": RXNORM, "code": "704"}]}
RATIO = {"numerator": {"value": 25, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}
MEDICATIONS: dict[str, dict[str, Any]] = {
    "DSTU2": {"product": {"ingredient": [{"item": INGREDIENT, "amount": RATIO}]}},
    "STU3": {"ingredient": [{"itemCodeableConcept": INGREDIENT, "amount": RATIO}]},
    "R4": {"ingredient": [{"itemCodeableConcept": INGREDIENT, "strength": RATIO}]},
    "R4 with an object": {"ingredient": {"itemCodeableConcept": INGREDIENT, "strength": RATIO}},
    "R5": {"ingredient": [{"item": {"concept": INGREDIENT}, "strengthRatio": RATIO}]},
    "DSTU2 by reference": {
        "contained": [{"resourceType": "Substance", "id": "s", "code": INGREDIENT}],
        "product": {"ingredient": [{"item": {"reference": "#s"}, "amount": RATIO}]},
    },
    "STU3 by reference": {
        "contained": [{"resourceType": "Substance", "id": "s", "code": INGREDIENT}],
        "ingredient": [{"itemReference": {"reference": "#s", "display": "x"}, "amount": RATIO}],
    },
    "R5 by reference": {
        "contained": [{"resourceType": "Substance", "id": "s", "code": {"concept": INGREDIENT}}],
        "ingredient": [{"item": {"reference": {"reference": "#s"}}, "strengthRatio": RATIO}],
    },
}


@pytest.mark.parametrize("version", MEDICATIONS)
def test_ingredients_and_their_strength_are_found_in_every_version(version: str) -> None:
    assert ingredients({"resourceType": "Medication", **MEDICATIONS[version]}) == [(INGREDIENT, RATIO)]


def test_an_ingredient_that_leads_nowhere_is_known_by_the_words_beside_it() -> None:
    words = {"reference": "Substance/elsewhere", "display": "amitriptyline"}
    for item in ({"itemReference": words}, {"item": words}, {"item": {"reference": words}}):
        assert ingredients({"resourceType": "Medication", "ingredient": [item]}) == [({"text": "amitriptyline"}, {})]
    nameless = {"itemReference": {"reference": "#gone"}}
    assert ingredients({"resourceType": "Medication", "contained": [5, {}], "ingredient": nameless}) == [({}, {})]


def test_a_bare_strength_of_r5_is_that_of_one_piece(terminology: Terminology) -> None:
    ingredient = {"item": {"concept": INGREDIENT}, "strengthQuantity": {"value": 50, "unit": "mg"}}
    medication = {"resourceType": "Medication", "id": "m", "ingredient": [ingredient]}
    order = {**ORDERS["R5"], "contained": [medication], "medication": {"reference": {"reference": "#m"}}}
    read, unread = drafted(order, terminology)
    assert read is not None
    assert isinstance(read.dose, DailyDose)
    assert read.dose.high == 100
    assert unread == []


def test_the_parts_of_a_contained_product_are_found_beside_it(terminology: Terminology) -> None:
    substances = [
        {"resourceType": "Substance", "id": drug, "code": {"text": drug}} for drug in ("amitriptyline", "perphenazine")
    ]
    parts = [{"item": {"reference": f"#{drug['id']}"}} for drug in substances]
    medication = {"resourceType": "Medication", "id": "m", "product": {"ingredient": parts}}
    order = {**ORDERS["DSTU2"], "contained": [medication, *substances], "medicationReference": {"reference": "#m"}}
    read, _ = drafted({**order, "medicationCodeableConcept": None}, terminology)
    assert read is not None
    assert read.drug.names("amitriptyline")
    assert read.drug.combination


def test_the_length_of_a_step_is_read_under_the_name_that_dstu2_has_for_it(terminology: Terminology) -> None:
    repeat = {
        "frequency": 1,
        "period": 1,
        "periodUnits": "d",
        "boundsQuantity": {"value": 2, "unit": "wk", "code": "wk"},
    }
    dosage = {"timing": {"repeat": repeat}, "doseQuantity": TABLET}
    read, unread = drafted({**ORDERS["DSTU2"], "dosageInstruction": [dosage]}, terminology)
    assert read is not None
    assert read.dosages[0].days == 14
    assert unread == []


def test_why_treatment_ended_is_read_in_dstu2_as_in_r4(terminology: Terminology) -> None:
    for version, name in (("DSTU2", "reasonEnded"), ("R4", "statusReason")):
        reasonless = {k: v for k, v in ORDERS[version].items() if not k.startswith("reason")}
        read, _ = drafted({**reasonless, "status": "stopped", name: DEPRESSION}, terminology)
        assert read is not None
        assert read.stops
        assert read.reasons == {"major-depressive-disorder"}


HARM, NOT_TOLERATED, OTHER = (
    "stopped-because-of-harm",
    "stopped-because-not-tolerated",
    "stopped-for-another-reason",
)


@pytest.mark.parametrize(
    ("words", "sets"),
    [
        ("Allergic reaction", {HARM}),
        ("QTc 530 ms", {HARM}),
        ("Patient took an overdose", {HARM}),
        ("Angioödem", {HARM}),
        ("dry mouth", {NOT_TOLERATED}),
        ("Side effects (constipation)", {NOT_TOLERATED}),
        ("No longer needed", {OTHER}),
        ("no allergic reaction; no benefit", {OTHER}),
        ("no benefit, rash", {OTHER, HARM}),
        ("pas d'éruption cutanée, wirkungslos", {OTHER}),
        ("sans effets indésirables", set()),
        ("bez anafilaksji", set()),
        ("Non toléré : éruption cutanée", {HARM}),
        ("Nie toleruje: wysypka", {HARM}),
        ("without benefit but hives", {OTHER, HARM}),
        ("no rash or hives", set()),
        ("nem allergiás reakció", set()),
        ("trash", set()),
        ("see note", set()),
    ],
)
@pytest.mark.parametrize("version", ["DSTU2", "R4"])
def test_why_treatment_ended_is_read_from_words(
    version: str, words: str, sets: set[str], terminology: Terminology
) -> None:
    name = "reasonEnded" if version == "DSTU2" else "statusReason"
    plain = {k: v for k, v in ORDERS[version].items() if not k.startswith("reason")}
    read, _ = drafted({**plain, "status": "stopped", name: {"text": words}}, terminology)
    assert read is not None
    assert (read.reasons, read.stop_reason_given) == (frozenset(sets), True)
    noted, _ = drafted({**plain, "status": "stopped", "note": [{"text": words}, "x"]}, terminology)
    assert noted is not None
    assert (noted.reasons, noted.stop_reason_given) == (frozenset(sets), False)
    running, _ = drafted({**plain, "note": [{"text": words}]}, terminology)
    assert running is not None
    assert running.stops == (words == "No longer needed")
    assert running.stops or running.reasons == set(), "a note on an order that goes on is no reason to end it"


def test_an_order_with_a_reason_in_words_is_not_kept_for_the_next_call() -> None:
    order = {"resourceType": "MedicationRequest", "id": "1", "status": "stopped", "subject": {"reference": "Patient/1"}}
    assert read_order(order) is read_order({**order, "id": "2", "subject": {"reference": "Patient/2"}})
    for why in ({"statusReason": {"text": "Mrs Example fell"}}, {"reasonCode": [{"text": "Mrs Example fell"}]}):
        assert read_order(order | why) is not read_order(order | why)


@pytest.mark.parametrize("odd", [None, "x", 5, [5, None], [{}], {"item": 5, "strength": 5}])
def test_ingredients_of_any_other_form_name_nothing(odd: Any) -> None:
    assert all(found == ({}, {}) for found in ingredients({"resourceType": "Medication", "ingredient": odd}))


@pytest.mark.parametrize("odd", [None, 5, [], [5], {"reference": 5}])
def test_members_of_an_unexpected_form_are_not_taken_for_anything(odd: Any) -> None:
    order = {"subject": odd, "medicationReference": odd, "medication": odd, "dosageInstruction": odd}
    assert subject_reference(order) == ""
    assert medication_concept(order) == {}
    assert medication_reference(order) in ({}, odd)
    assert routes(order) == []

"""An R4 template is written in every version with all that it says, or not at all."""

from copy import deepcopy
from typing import Any

import pytest

from service.engine.library import Library
from service.fhir.versions import CannotWrite, Version, dosage_in, own_version, written_in
from tests.fhir.samples import AMITRIPTYLINE, RXNORM, SNOMED, TABLET, UCUM
from tests.fhir.validity import faults

CONVERTED: tuple[Version, ...] = ("DSTU2", "STU3", "R5")
ALL: tuple[Version, ...] = (*CONVERTED, "R4")
PAIN = {"coding": [{"system": SNOMED, "code": "22253000"}], "text": "Pain"}
DAY = {"value": 1, "unit": "day", "system": UCUM, "code": "d"}
TWO_WEEKS = {"value": 14, "unit": "day", "system": UCUM, "code": "d"}
DOSAGE: dict[str, Any] = {
    "sequence": 1,
    "text": "1 tablet at bedtime",
    "patientInstruction": "Do not stop at once",
    "additionalInstruction": [{"text": "May make you sleepy"}],
    "timing": {
        "repeat": {"boundsDuration": TWO_WEEKS, "frequency": 1, "period": 1, "periodUnit": "d", "when": ["HS"]},
    },
    "asNeededBoolean": False,
    "route": {"coding": [{"system": SNOMED, "code": "26643006"}]},
    "doseAndRate": [{"doseQuantity": TABLET}],
    "maxDosePerPeriod": {"numerator": TABLET, "denominator": DAY},
}
ORDER: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "status": "draft",
    "intent": "order",
    "category": [{"text": "outpatient"}],
    "priority": "routine",
    "medicationCodeableConcept": AMITRIPTYLINE,
    "subject": {"reference": "Patient/1"},
    "authoredOn": "2026-11-23",
    "reasonCode": [PAIN],
    "note": [{"text": "The next step of the reduction"}],
    "dosageInstruction": [DOSAGE],
    "dispenseRequest": {"numberOfRepeatsAllowed": 1, "quantity": TABLET, "expectedSupplyDuration": TWO_WEEKS},
    "priorPrescription": {"reference": "MedicationRequest/rx-1"},
}
SERVICE: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "status": "draft",
    "intent": "proposal",
    "category": [{"text": "procedure"}],
    "priority": "routine",
    "code": PAIN,
    "subject": {"reference": "Patient/1"},
    "occurrenceDateTime": "2026-12-21",
    "authoredOn": "2026-11-23",
    "reasonCode": [PAIN],
    "note": [{"text": "x"}],
}


@pytest.mark.parametrize("version", ALL)
@pytest.mark.parametrize("order", [ORDER, SERVICE], ids=["medication", "service"])
def test_everything_that_a_template_may_say_is_written_as_valid_fhir(version: Version, order: dict[str, Any]) -> None:
    written = written_in(version, order)
    assert faults(version, written) == []
    assert "Pain" in str(written)
    if order is ORDER:
        assert own_version(written) == version


@pytest.mark.parametrize("version", ALL)
def test_every_template_of_the_cards_can_be_written_in_every_version(version: Version, library: Library) -> None:
    for name, template in library.orders.items():
        written = written_in(version, {**template, "subject": {"reference": "Patient/1"}})
        assert faults(version, written) == [], name


def test_dstu2_says_in_its_own_members_what_it_can() -> None:
    written = written_in("DSTU2", ORDER)
    assert written["resourceType"] == "MedicationOrder"
    assert (written["patient"], written["dateWritten"]) == ({"reference": "Patient/1"}, "2026-11-23")
    assert (written["reasonCodeableConcept"], written["note"]) == (PAIN, "The next step of the reduction")
    (dosage,) = written["dosageInstruction"]
    assert dosage["text"] == "1 tablet at bedtime. Do not stop at once"
    repeat = {"boundsQuantity": TWO_WEEKS, "frequency": 1, "period": 1, "periodUnits": "d"}
    assert (dosage["timing"], dosage["doseQuantity"]) == ({"repeat": repeat}, TABLET)
    assert written_in("DSTU2", SERVICE)["status"] == "proposed"
    assert written_in("DSTU2", {**SERVICE, "intent": "order"})["status"] == "draft"


def test_a_time_of_day_alone_stays_in_dstu2() -> None:
    timing = {"repeat": {"when": ["HS"]}}
    assert dosage_in("DSTU2", {"timing": timing}) == {"timing": {"repeat": {"when": "HS"}}}
    with pytest.raises(CannotWrite):
        dosage_in("DSTU2", {"timing": {"repeat": {"when": ["HS", "WAKE"]}}})


def test_r5_has_the_drug_and_the_reason_in_codeable_references() -> None:
    written = written_in("R5", {**ORDER, "dosageInstruction": [{**DOSAGE, "asNeededBoolean": True}]})
    assert written["medication"] == {"concept": AMITRIPTYLINE}
    assert written["reason"] == [{"concept": PAIN}]
    assert written["dosageInstruction"][0]["asNeeded"] is True
    need = dosage_in("R5", {"asNeededCodeableConcept": PAIN})
    assert need == {"asNeededFor": [PAIN]}


@pytest.mark.parametrize(
    ("version", "changes"),
    [
        ("STU3", {"doNotPerform": True}),
        ("DSTU2", {"doNotPerform": True}),
        ("R5", {"medicationReference": {"reference": "Medication/1"}}),
        ("DSTU2", {"dosageInstruction": [DOSAGE, DOSAGE]}),
        ("DSTU2", {"reasonCode": [PAIN, PAIN]}),
        ("STU3", {"category": [PAIN, PAIN]}),
        ("STU3", {"dosageInstruction": [{**DOSAGE, "doseAndRate": [{"rateQuantity": TABLET}]}]}),
        ("STU3", {"dosageInstruction": [{**DOSAGE, "doseAndRate": []}]}),
        ("DSTU2", {"dosageInstruction": [{"timing": {"repeat": {"timeOfDay": ["20:00:00"]}}}]}),
        ("DSTU2", {"dosageInstruction": [{"timing": {"repeat": {"dayOfWeek": ["mon"]}}}]}),
        ("STU3", {"unknownMember": 1}),
        ("R4", {"status": "active"}),
        ("R5", {"status": "stopped"}),
    ],
)
def test_what_would_be_another_order_is_not_written(version: Version, changes: dict[str, Any]) -> None:
    with pytest.raises(CannotWrite):
        written_in(version, {**ORDER, **changes})


@pytest.mark.parametrize("version", ALL)
def test_the_template_is_left_as_it_is(version: Version) -> None:
    before = deepcopy(ORDER)
    written = written_in(version, ORDER)
    written["dosageInstruction"][0]["timing"]["repeat"]["frequency"] = 99
    concept = written.get("medicationCodeableConcept") or written["medication"]["concept"]
    concept["coding"][0]["code"] = "changed"
    assert before == ORDER
    assert AMITRIPTYLINE["coding"] == [
        {"system": RXNORM, "code": "856834", "display": "amitriptyline hydrochloride 25 MG Oral Tablet"}
    ]

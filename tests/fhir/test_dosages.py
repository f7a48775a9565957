"""Dosage instructions keep what a dose rests on, and say which part of that could not be read."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from service.dosing.dosage import Dosage
from service.fhir.dosages import as_day
from service.fhir.orders import read_dosages
from tests.fhir.hostile import nested
from tests.fhir.samples import TABLET, dosage, order, statement

DAILY = {"frequency": 1, "period": 1, "periodUnit": "d"}
MG = {"unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
CALCULATED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "calculated"}]}
ORDERED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "ordered"}]}
ELEMENT = "dosageInstruction[0]"


def mg(value: float) -> dict[str, Any]:
    return {"value": value, **MG}


def read(*instructions: Any) -> tuple[Dosage, ...]:
    return read_dosages(order(dosageInstruction=list(instructions)))


def only(**members: Any) -> Dosage:
    (found,) = read(dosage(**members))
    return found


def amounts(found: Dosage) -> tuple[Fraction | None, Fraction | None]:
    low, high = (quantity.value if quantity is not None else None for quantity in (found.low, found.high))
    return low, high


@pytest.mark.parametrize(
    ("dose", "low", "high"),
    [
        ({"doseQuantity": mg(25)}, 25, 25),
        ({"doseRange": {"low": mg(10), "high": mg(25)}}, 10, 25),
        ({"doseRange": {"high": mg(25)}}, 0, 25),
        ({"doseRange": {"low": mg(10)}}, 10, None),
        ({"doseQuantity": {**mg(25), "comparator": "<"}}, None, None),
        ({"doseQuantity": {**MG, "value": Decimal("1e400000")}}, None, None),
        ({}, None, None),
    ],
)
def test_a_dose_is_an_interval_of_exact_amounts(dose: dict[str, Any], low: int | None, high: int | None) -> None:
    assert amounts(only(doseAndRate=[dose])) == (low, high)


def test_a_decimal_dose_is_exactly_what_was_written() -> None:
    found = only(doseAndRate=[{"doseQuantity": {**MG, "value": Decimal("12.50")}}])
    assert amounts(found) == (Fraction(25, 2), Fraction(25, 2))
    assert found.high is not None
    assert (found.high.unit, found.high.code, found.high.system) == ("mg", "mg", "http://unitsofmeasure.org")


def test_the_ordered_dose_is_believed_over_a_calculated_one() -> None:
    doses = [{"type": CALCULATED, "doseQuantity": mg(24)}, {"type": ORDERED, "doseQuantity": mg(25)}]
    found = only(doseAndRate=doses)
    assert amounts(found) == (Fraction(25), Fraction(25))
    assert found.unreadable == ()


def test_several_different_doses_are_all_kept_and_the_same_one_once() -> None:
    found = only(doseAndRate=[{"doseQuantity": mg(25)}, {"doseQuantity": mg(50)}])
    assert [high and high.value for _, high in ((found.low, found.high), *found.others)] == [25, 50]
    assert only(doseAndRate=[{"doseQuantity": mg(25)}, {"doseQuantity": mg(25)}]).others == ()


@pytest.mark.parametrize("time", ["08:00", "8:00", "08:00:00", "08:00:00.000", "0800", "8.00", "8:00 AM", "08:00Z"])
def test_a_time_of_the_day_is_read_in_every_usual_form(time: str) -> None:
    found = only(timing={"repeat": {"timeOfDay": [time, "20:00:00"]}})
    assert found.unreadable == ()
    assert found.moments == {"08:00:00", "20:00:00"}


@pytest.mark.parametrize("time", ["25:00", "08:60", "noon", "8", "8:00 and 20:00"])
def test_what_is_no_time_of_the_day_is_named_with_what_stood_there(time: str) -> None:
    found = only(timing={"repeat": {"timeOfDay": [time]}})
    assert found.unreadable == (f"{ELEMENT}.timing.repeat.timeOfDay[0]",)
    assert found.found == time


@pytest.mark.parametrize(
    ("bounds", "start", "end", "days"),
    [
        ({"boundsPeriod": {"start": "2026-11-01", "end": "2026-11-07"}}, date(2026, 11, 1), date(2026, 11, 7), 7),
        ({"boundsPeriod": {"start": "2026-11-01", "end": "2026-11-01"}}, date(2026, 11, 1), date(2026, 11, 1), 1),
        ({"boundsPeriod": {"start": "2026-11-07", "end": "2026-11-01"}}, date(2026, 11, 7), date(2026, 11, 1), None),
        ({"boundsPeriod": {"start": "2026-11-01"}}, date(2026, 11, 1), None, None),
        ({"boundsPeriod": {"end": "2026-12"}}, None, None, None),
        ({"boundsDuration": {"value": 2, "code": "wk"}}, None, None, 14),
        ({"boundsDuration": {"value": 2, "unit": "fortnights"}}, None, None, None),
        ({"boundsRange": {"low": {"value": 1, "code": "wk"}}}, None, None, None),
        ({}, None, None, None),
    ],
)
def test_bounds_are_days_as_far_as_they_say_so(
    bounds: dict[str, Any], start: date | None, end: date | None, days: int | None
) -> None:
    found = only(timing={"repeat": {**DAILY, **bounds}})
    assert (found.start, found.end, found.days) == (start, end, days)


def test_every_maximum_of_r5s_list_is_kept_and_one_that_cannot_be_read_is_named() -> None:
    day = {"numerator": mg(75), "denominator": {"value": 1, "unit": "d", "code": "d"}}
    assert len(only(maxDosePerPeriod=day).maxima) == 1
    assert len(only(maxDosePerPeriod=[day, day]).maxima) == 2
    for odd in ("75 mg a day", {}, {"numerator": mg(75)}, {"numerator": "x", "denominator": "y"}, [day, 5]):
        assert only(maxDosePerPeriod=odd).unreadable == (f"{ELEMENT}.maxDosePerPeriod",)


def test_a_timing_that_says_nothing_is_none() -> None:
    assert only(timing={}).timing is None
    assert only(timing=None).timing is None


@pytest.mark.parametrize("harmless", [{"route": 5}, {"text": 5}, {"sequence": "first"}])
def test_losing_what_no_dose_rests_on_does_no_harm(harmless: dict[str, Any]) -> None:
    assert only(**harmless).unreadable == ()


def test_bounds_and_order_matter_only_among_several_instructions() -> None:
    odd = dosage(sequence="first", timing={"repeat": {**DAILY, "boundsPeriod": {"start": "Invalid date"}}})
    assert [found.unreadable for found in read(odd)] == [()]
    first, second = read(odd, dosage())
    assert set(first.unreadable) == {f"{ELEMENT}.sequence", f"{ELEMENT}.timing.repeat.boundsPeriod.start"}
    assert second.unreadable == ()


def test_when_a_whole_instruction_is_lost_none_of_the_others_is_all_there_is() -> None:
    (found,) = read(dosage(), 5, dosage())
    assert (found.unreadable, found.high, found.element) == (("dosageInstruction[1]",), None, "dosageInstruction")


def test_the_instructions_of_an_order_that_cannot_be_read_are_unreadable() -> None:
    deep = {"repeat": {**DAILY, "boundsPeriod": {"extension": [nested(300)]}}}
    for resource, element in (
        (order(dosageInstruction=[dosage(timing=deep)]), "dosageInstruction"),
        (statement(dosage=[dosage(timing=deep)]), "dosage"),
    ):
        (found,) = read_dosages(resource)
        assert (found.unreadable, found.high) == ((element,), None)


def test_no_instruction_at_all_is_none() -> None:
    assert read() == ()
    assert read_dosages(statement(dosage=None)) == ()


def test_the_paths_of_a_statement_name_its_own_element() -> None:
    (found,) = read_dosages(statement(dosage=[dosage(doseAndRate=[{"doseQuantity": {**TABLET, "value": "one"}}])]))
    assert found.unreadable == ("dosage[0].doseAndRate[0].doseQuantity.value",)


def test_only_a_full_date_is_a_day() -> None:
    assert as_day(date(2026, 11, 1)) == date(2026, 11, 1)
    assert as_day(datetime.fromisoformat("2026-11-01T23:30:00+02:00")) == date(2026, 11, 1)
    assert as_day("2026-11-01") is None
    assert as_day(None) is None


@pytest.mark.parametrize("holder", ["order", "dosage"])
def test_no_dose_is_read_beside_a_modifier_extension(holder: str) -> None:
    dosage: dict[str, Any] = {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}
    order: dict[str, Any] = {"resourceType": "MedicationRequest", "dosageInstruction": [dosage]}
    (order if holder == "order" else dosage)["modifierExtension"] = [{"url": "https://ehr.example.org/x"}]
    (read,) = read_dosages(order)
    assert read.unreadable[-1].endswith("modifierExtension")


@pytest.mark.parametrize(
    ("members", "words", "element"),
    [
        ({"patientInstruction": "1 tablet at night"}, "1 tablet at night", "patientInstruction"),
        ({"text": " ", "patientInstruction": "1 tablet at night"}, "1 tablet at night", "patientInstruction"),
        ({"text": "2 tablets", "patientInstruction": "1 tablet at night"}, "2 tablets", "text"),
        (
            {"additionalInstruction": [{"text": "May make you sleepy"}, {"text": "1 tablet at night"}]},
            "1 tablet at night",
            "additionalInstruction",
        ),
        ({"additionalInstructions": {"text": "1 tablet at night"}}, "1 tablet at night", "additionalInstruction"),
        (
            {"patientInstruction": "1 tablet at night", "additionalInstruction": [{"text": "as needed"}]},
            "1 tablet at night, as needed",
            "patientInstruction",
        ),
        ({"patientInstruction": "as I told you"}, "as I told you", "patientInstruction"),
        ({"patientInstruction": 7, "additionalInstruction": 5}, "", "text"),
        ({"additionalInstruction": "1 tablet at night"}, "1 tablet at night", "additionalInstruction"),
    ],
)
def test_without_a_text_the_words_to_the_patient_and_beside_the_dose_are_read(
    members: dict[str, Any], words: str, element: str
) -> None:
    (found,) = read(members)
    assert (found.text, found.words_element) == (words, f"{ELEMENT}.{element}")

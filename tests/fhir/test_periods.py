"""Until when an order reaches by its own dates; one that is active beyond them is counted, and said to have ended."""

from datetime import date
from typing import Any

import pytest

from service.facts import MedicationOrder, Role
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import dosage, listed, order, statement

LONG_AGO = "2026-01-01"


def bounded(**repeat: Any) -> dict[str, Any]:
    return dosage(timing={"repeat": {"frequency": 1, "period": 1, "periodUnit": "d", **repeat}})


def days(value: float, unit: str = "d") -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def supply(**members: Any) -> dict[str, Any]:
    return {"dispenseRequest": members}


def read(resource: Resource, terminology: Terminology) -> MedicationOrder:
    found, _ = listed(resource, terminology)
    assert found is not None
    return found


ENDED: dict[str, tuple[dict[str, Any], date]] = {
    "the bounds of its instruction": (
        {"dosageInstruction": [bounded(boundsPeriod={"start": LONG_AGO, "end": "2026-01-14"})]},
        date(2026, 1, 14),
    ),
    "a length from the day of the order": (
        {"dosageInstruction": [bounded(boundsDuration=days(14))]},
        date(2026, 1, 14),
    ),
    "weeks": ({"dosageInstruction": [bounded(boundsDuration=days(2, "wk"))]}, date(2026, 1, 14)),
    "steps one after the other": (
        {
            "dosageInstruction": [
                {**bounded(boundsDuration=days(7)), "sequence": 2},
                {**bounded(boundsDuration=days(7)), "sequence": 1},
            ]
        },
        date(2026, 1, 14),
    ),
    "what was to be dispensed": (supply(validityPeriod={"end": "2026-03-01"}), date(2026, 3, 1)),
    "the supply": (supply(expectedSupplyDuration=days(30)), date(2026, 1, 30)),
    "the supply with its repeats": (
        supply(expectedSupplyDuration=days(30), numberOfRepeatsAllowed=2),
        date(2026, 3, 31),
    ),
    "the latest of several": (
        supply(expectedSupplyDuration=days(30), validityPeriod={"end": "2026-02-15"}),
        date(2026, 2, 15),
    ),
}


@pytest.mark.parametrize(("changes", "ended"), ENDED.values(), ids=ENDED)
def test_an_active_order_whose_dates_are_past_is_taken_and_says_so(
    terminology: Terminology, changes: dict[str, Any], ended: date
) -> None:
    found = read(order(authoredOn=LONG_AGO, **changes), terminology)
    assert (found.role, found.period_ended) == (Role.CURRENT, ended)


OPEN: dict[str, dict[str, Any]] = {
    "no dates": {},
    "dates to come": supply(validityPeriod={"end": "2027-01-01"}),
    "until today": supply(validityPeriod={"end": "2026-11-23"}),
    "a supply from an unknown day": {"authoredOn": None, **supply(expectedSupplyDuration=days(30))},
    "a supply of nothing": supply(expectedSupplyDuration=days(0)),
    "a supply in boxes": supply(expectedSupplyDuration=days(3, "box")),
    "one instruction without an end": {"dosageInstruction": [bounded(boundsDuration=days(14)), bounded()]},
    "ended": {"status": "completed", **supply(validityPeriod={"end": "2026-02-15"})},
    "an end that stands for none": supply(validityPeriod={"end": "0001-01-01"}),
}


@pytest.mark.parametrize("changes", OPEN.values(), ids=OPEN)
def test_what_does_not_tell_an_end_is_not_said_to_have_ended(terminology: Terminology, changes: dict[str, Any]) -> None:
    assert read(order(**{"authoredOn": LONG_AGO, **changes}), terminology).period_ended is None


def test_an_active_statement_with_a_past_end_says_so(terminology: Terminology) -> None:
    given = statement(effectivePeriod={"start": LONG_AGO, "end": "2026-02-01"})
    given.pop("effectiveDateTime")
    found = read(given, terminology)
    assert (found.role, found.period_ended) == (Role.CURRENT, date(2026, 2, 1))


def test_a_length_does_not_tell_when_a_past_drug_was_last_taken(terminology: Terminology) -> None:
    # Counted from the day of the order it may be too early, and a wash-out must not begin too early.
    past = order(status="completed", authoredOn=LONG_AGO, dosageInstruction=[bounded(boundsDuration=days(14))])
    assert read(past, terminology).last_taken is None


def test_a_day_that_stands_for_not_known_is_no_day_of_an_order(terminology: Terminology) -> None:
    assert read(order(authoredOn="0001-01-01"), terminology).authored is None

"""The status of a statement says whether the drug is taken, in every version, and its period until when (X1, X2)."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dosing.dosage import DailyDose
from service.facts import MedicationOrder, Role
from service.terminology.recognise import Terminology
from tests.fhir.hostile import PLACES, junk, nested, replaced
from tests.fhir.samples import dosage, listed, order, statement, without
from tests.fhir.test_orders import every, in_version, role_of

STATEMENT_STATUSES: dict[str, dict[str, Role | None]] = {
    "R4": {
        "active": Role.CURRENT,
        "on-hold": Role.CURRENT,
        "intended": Role.CURRENT,
        "completed": Role.PAST,
        "stopped": Role.PAST,
        "entered-in-error": None,
        "Not-Taken": None,
        "not-taken": None,
    },
    "R5": {"recorded": Role.CURRENT, "entered-in-error": None, "draft": None},
    "STU3": {"active": Role.CURRENT, "intended": Role.CURRENT, "completed": Role.PAST, "stopped": Role.PAST},
    "DSTU2": {"active": Role.CURRENT, "intended": Role.CURRENT, "completed": Role.PAST, "entered-in-error": None},
}


@pytest.mark.parametrize(("version", "status", "role"), every(STATEMENT_STATUSES))
def test_the_status_of_a_statement_says_whether_the_drug_is_taken(
    version: str, status: str, role: Role | None, terminology: Terminology
) -> None:
    assert role_of(in_version(statement(status=status), version), terminology) is role


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ({"taken": "n"}, None),
        ({"taken": "y"}, Role.CURRENT),
        ({"taken": "unk"}, Role.CURRENT),
        ({"taken": "na"}, Role.CURRENT),
        ({"wasNotTaken": True}, None),
        ({"wasNotTaken": False}, Role.CURRENT),
    ],
)
def test_older_statements_that_a_drug_was_not_taken_count(
    said: dict[str, Any], role: Role | None, terminology: Terminology
) -> None:
    assert role_of(statement(**said), terminology) is role


@pytest.mark.parametrize(
    ("end", "role"), [("2026-11-22", Role.PAST), ("2026-11-23", Role.CURRENT), ("x", Role.CURRENT)]
)
def test_a_recorded_statement_is_past_once_its_period_has_ended(end: str, role: Role, terminology: Terminology) -> None:
    recorded = without(statement(status="recorded", effectivePeriod={"end": end}), "effectiveDateTime")
    assert role_of(recorded, terminology) is role


def test_the_days_of_a_statement_are_read_from_its_period_or_its_assertion(terminology: Terminology) -> None:
    def read(**changes: Any) -> MedicationOrder:
        found, _ = listed({**without(statement(), "effectiveDateTime"), **changes}, terminology)
        assert found is not None
        return found

    period = read(effectivePeriod={"start": "2026-01-01", "end": "2026-02-01"}, status="completed")
    assert (period.authored, period.last_taken) == (date(2026, 1, 1), date(2026, 2, 1))
    assert read(effectiveDateTime="2026-03-01").authored == date(2026, 3, 1)
    assert read(dateAsserted="2026-04-01").authored == date(2026, 4, 1)


@given(places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=2, unique=True), values=st.lists(junk, min_size=2))
def test_any_json_in_place_of_any_element_of_a_statement_is_read_around(
    terminology: Terminology, places: list[tuple[int | str, ...]], values: list[Any]
) -> None:
    sent = order()
    for path, value in zip(sorted(places, key=len, reverse=True), values, strict=False):
        sent = replaced(sent, path, value)
    sent |= {"resourceType": "MedicationStatement", "dosage": sent.pop("dosageInstruction", None)}
    found, gaps = listed(sent, terminology)
    assert found is not None or gaps or sent["status"] != "active"


def test_a_statement_that_cannot_be_read_at_all_is_named(terminology: Terminology) -> None:
    deep = {"repeat": {"boundsPeriod": {"extension": [nested(300)]}}}
    found, (gap,) = listed(statement(dosage=[dosage(timing=deep)]), terminology)
    assert (gap.reason, found) == ("order-unreadable", None)


@pytest.mark.parametrize(
    ("code", "role"),
    [
        ("taking", Role.CURRENT),
        ("taking-not-as-directed", Role.CURRENT),
        ("not-taking", None),
        ("stopped", Role.PAST),
        ("stopped-as-directed", Role.PAST),
        ("on-hold", Role.CURRENT),
        ("unknown", Role.CURRENT),
    ],
)
def test_the_adherence_of_r5_says_whether_the_drug_is_taken(
    code: str, role: Role | None, terminology: Terminology
) -> None:
    adherence = {
        "code": {"coding": [{"system": "http://hl7.org/fhir/CodeSystem/medication-statement-adherence", "code": code}]}
    }
    assert role_of(statement(status="recorded", adherence=adherence), terminology) is role


@pytest.mark.parametrize(
    "adherence", [None, 5, [], {"code": 5}, {"code": {"coding": "stopped"}}, {"code": {"coding": [5]}}]
)
def test_an_adherence_that_cannot_be_read_leaves_the_drug_taken(adherence: Any, terminology: Terminology) -> None:
    assert role_of(statement(status="recorded", adherence=adherence), terminology) is Role.CURRENT


def test_the_name_that_a_ballot_of_r5_had_for_statements_is_read_alike(terminology: Terminology) -> None:
    usage = {**in_version(statement(status="recorded"), "R5"), "resourceType": "MedicationUsage"}
    found, unread = listed(usage, terminology)
    assert found is not None
    assert (found.role, found.drug.drugs, unread) == (Role.CURRENT, ("amitriptyline",), [])
    assert isinstance(found.dose, DailyDose)

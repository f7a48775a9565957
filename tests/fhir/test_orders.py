"""The status of an order says whether the drug is taken, in every version; its lack is said aloud (X1 to X3)."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dosing.dosage import DailyDose
from service.facts import Role
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.hostile import PLACES, junk, nested, replaced
from tests.fhir.samples import AMITRIPTYLINE, dosage, drafted, listed, order, statement, without

ORDER_STATUSES: dict[str, dict[str, Role | None]] = {
    "R4": {
        "active": Role.CURRENT,
        "on-hold": Role.CURRENT,
        "completed": Role.PAST,
        "stopped": Role.PAST,
        "cancelled": None,
        "entered-in-error": None,
        "draft": None,
        "Active ": Role.CURRENT,
        "STOPPED": Role.PAST,
    },
    "R5": {"ended": Role.PAST, "active": Role.CURRENT},
    "STU3": {"active": Role.CURRENT, "on-hold": Role.CURRENT, "stopped": Role.PAST},
    "DSTU2": {
        "active": Role.CURRENT,
        "on-hold": Role.CURRENT,
        "completed": Role.PAST,
        "stopped": Role.PAST,
        "entered-in-error": None,
        "draft": None,
    },
}


def every(statuses: dict[str, dict[str, Role | None]]) -> list[tuple[str, str, Role | None]]:
    return [(version, status, role) for version, roles in statuses.items() for status, role in roles.items()]


def in_version(resource: Resource, version: str) -> Resource:
    if version == "R5":
        return {**without(resource, "medicationCodeableConcept"), "medication": {"concept": AMITRIPTYLINE}}
    if version == "DSTU2" and resource["resourceType"] == "MedicationRequest":
        return {**without(resource, "intent", "subject"), "resourceType": "MedicationOrder", "patient": {}}
    return resource


def role_of(resource: Resource, terminology: Terminology) -> Role | None:
    found, unread = listed(resource, terminology)
    assert unread == []
    return found.role if found is not None else None


@pytest.mark.parametrize(("version", "status", "role"), every(ORDER_STATUSES))
def test_the_status_of_an_order_says_whether_the_drug_is_taken(
    version: str, status: str, role: Role | None, terminology: Terminology
) -> None:
    assert role_of(in_version(order(status=status), version), terminology) is role


@pytest.mark.parametrize("sent", [order, statement])
@pytest.mark.parametrize("status", ["unknown", "in-progress", 5, ["active", "stopped"], "", None, ...])
def test_a_status_that_is_missing_or_not_fhirs_is_said_aloud(sent: Any, status: Any, terminology: Terminology) -> None:
    resource = without(sent(), "status") if status is ... else sent(status=status)
    found, unread = listed(resource, terminology)
    assert found is None
    assert [(gap.reason, gap.element) for gap in unread] == [("status-unknown", "status")]


def test_a_hold_is_marked_on_orders_and_statements(terminology: Terminology) -> None:
    for resource in (order(status="on-hold"), statement(status="on-hold")):
        found, _ = listed(resource, terminology)
        assert found is not None
        assert found.status == "on-hold"
    draft, _ = drafted(order(status="on-hold"), terminology)
    assert draft is not None
    assert draft.status == "on-hold"


@pytest.mark.parametrize("intent", ["proposal", "option"])
def test_a_proposal_is_no_prescription(intent: str, terminology: Terminology) -> None:
    assert role_of(order(intent=intent), terminology) is None


@pytest.mark.parametrize(
    "intent", ["plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", None]
)
def test_every_other_intent_is_a_prescription(intent: str | None, terminology: Terminology) -> None:
    assert role_of(order(intent=intent), terminology) is Role.CURRENT


def test_an_order_not_to_give_a_drug_is_no_prescription(terminology: Terminology) -> None:
    assert role_of(order(doNotPerform=True), terminology) is None
    assert role_of(order(doNotPerform=False), terminology) is Role.CURRENT


@pytest.mark.parametrize(
    ("status", "stops"),
    [("draft", False), ("active", False), ("completed", False), ("stopped", True), ("cancelled", True), (None, False)],
)
def test_a_draft_is_a_draft_whatever_its_status_and_a_stopped_one_stops(
    status: str | None, stops: bool, terminology: Terminology
) -> None:
    found, unread = drafted(order(status=status), terminology)
    assert unread == []
    assert found is not None
    assert (found.role, found.stops, found.focus) == (Role.DRAFT, stops, True)


def test_a_draft_not_to_give_a_drug_stops_it(terminology: Terminology) -> None:
    found, _ = drafted(order(doNotPerform=True), terminology)
    assert found is not None
    assert found.stops


def test_a_draft_entered_in_error_counts_for_nothing(terminology: Terminology) -> None:
    for entry in (order(status="entered-in-error"), order(status="entered-in-error", doNotPerform=True)):
        assert drafted(entry, terminology) == (None, [])
        assert listed(entry, terminology) == (None, [])


EARLIER = {"reference": "MedicationRequest/rx-0"}


@pytest.mark.parametrize(
    ("prior", "continues"),
    [(EARLIER, True), ([EARLIER], True), ([EARLIER, EARLIER], True), ("MedicationRequest/rx-0", True), (None, False)],
)
def test_a_prior_prescription_means_that_treatment_continues_even_if_it_cannot_be_read(
    prior: Any, continues: bool, terminology: Terminology
) -> None:
    found, _ = drafted(order(priorPrescription=prior), terminology)
    assert found is not None
    assert found.continues_earlier is continues


def test_what_of_a_draft_could_not_be_read_is_named_with_its_path(terminology: Terminology) -> None:
    found, unread = drafted(order(authoredOn="x", dosageInstruction=[dosage(timing=5)]), terminology)
    assert found is not None
    assert {(gap.reason, gap.element) for gap in unread} == {
        ("element-unreadable", "authoredOn"),
        ("element-unreadable", "dosageInstruction[0].timing"),
    }
    assert found.dosages[0].unreadable == ("dosageInstruction[0].timing",)


def test_an_order_that_cannot_be_read_at_all_is_named_with_what_is_known_of_it(terminology: Terminology) -> None:
    deep = {"repeat": {"boundsPeriod": {"extension": [nested(300)]}}}
    unreadable = order(dosageInstruction=[dosage(timing=deep)])
    found, (gap,) = drafted(unreadable, terminology)
    assert (gap.reason, gap.order) == ("order-unreadable", found)
    assert found is not None
    assert (found.label, found.reference, found.focus) == (AMITRIPTYLINE["text"], "MedicationRequest/rx-1", True)
    found, (gap,) = listed(unreadable, terminology)
    assert (gap.reason, found) == ("order-unreadable", None)


@pytest.mark.parametrize("instructions", [5, "x", ["x"], [None], [dosage(), "x"], [dosage(), None], [[dosage()]]])
def test_no_dose_is_made_of_instructions_that_could_not_be_read(instructions: Any, terminology: Terminology) -> None:
    found, _ = drafted(order(dosageInstruction=instructions), terminology)
    assert found is not None
    assert found.dose is not None
    assert not hasattr(found.dose, "high")


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-11-01", date(2026, 11, 1)),
        ("2026-11-01T23:30:00+02:00", date(2026, 11, 1)),
        ("2026-11", None),
        ("2026", None),
        ("Invalid date", None),
    ],
)
def test_the_day_an_order_was_written_is_known_only_from_a_full_date(
    written: str, day: date | None, terminology: Terminology
) -> None:
    for read in (drafted, listed):
        found, _ = read(order(authoredOn=written), terminology)
        assert found is not None
        assert found.authored == day


def test_the_last_day_a_past_order_can_have_been_taken_is_the_latest_it_states(terminology: Terminology) -> None:
    def until(end: str) -> dict[str, Any]:
        repeat = {"frequency": 1, "period": 1, "periodUnit": "d", "boundsPeriod": {"end": end}}
        return dosage(timing={"repeat": repeat})

    def last(**changes: Any) -> date | None:
        found, _ = listed(order(status="stopped", **changes), terminology)
        assert found is not None
        return found.last_taken

    valid = {"validityPeriod": {"start": "2026-01-01", "end": "2026-10-05"}}
    assert last() is None
    assert last(dosageInstruction=[until("2026-10-01"), until("2026-10-09")]) == date(2026, 10, 9)
    assert last(dispenseRequest=valid) == date(2026, 10, 5)
    assert last(dispenseRequest=valid, dosageInstruction=[until("2026-10-01")]) == date(2026, 10, 5)
    assert last(dispenseRequest={"validityPeriod": {"end": "x"}}) is None
    assert last(effectiveDosePeriod={"end": "2026-10-07"}) == date(2026, 10, 7)
    assert last(effectiveDosePeriod={"end": 7}) is None


@given(places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True), values=st.lists(junk, min_size=3))
def test_any_json_in_place_of_any_element_of_an_order_is_read_around(
    terminology: Terminology, places: list[tuple[int | str, ...]], values: list[Any]
) -> None:
    sent = order()
    for path, value in zip(sorted(places, key=len, reverse=True), values, strict=False):
        sent = replaced(sent, path, value)
    sent["resourceType"] = "MedicationRequest"
    draft, gaps = drafted(sent, terminology)
    assert draft is not None or sent["status"] == "entered-in-error"
    assert all(gap.reason in ("order-unreadable", "element-unreadable") for gap in gaps)
    current, gaps = listed(sent, terminology)
    assert current is not None or gaps or sent["status"] != "active"


@pytest.mark.parametrize("ended", [{"statusChanged": "2026-11-18T09:00:00Z"}, {"dateEnded": "2026-11-18"}])
def test_the_day_an_order_ended_is_read_in_r5_and_dstu2(ended: dict[str, Any], terminology: Terminology) -> None:
    stopped, _ = listed(order(status="stopped", **ended), terminology)
    assert stopped is not None
    assert stopped.last_taken == date(2026, 11, 18)
    taken, _ = listed(order(status="active", **ended), terminology)
    assert taken is not None
    assert taken.last_taken is None


def test_what_a_draft_is_based_on_is_kept_and_starts_it_all_the_same(terminology: Terminology) -> None:
    url = "https://ehr.example.org/fhir/MedicationRequest/m0"
    for pointer in ("MedicationRequest/m0", "MedicationRequest/m0/_history/2", url, f"{url}/_history/2"):
        for sent in ([{"reference": pointer}], {"reference": pointer}, [pointer], pointer):
            found, _ = drafted(order(basedOn=sent), terminology)
            assert found is not None
            assert (found.based_on, found.continues_earlier) == (("MedicationRequest/m0",), False), sent
    found, _ = drafted(order(basedOn=[{"reference": 5}]), terminology)
    assert found is not None
    assert (found.based_on, found.continues_earlier) == ((), False)


def test_a_reason_is_read_alike_in_every_shape(terminology: Terminology) -> None:
    coding = {"system": "http://hl7.org/fhir/sid/icd-10", "code": "F32.2"}
    concept = {"coding": [coding]}
    condition = {"resourceType": "Condition", "id": "c", "code": concept}
    shapes: list[dict[str, Any]] = [
        *(
            {"reasonCode": shape}
            for shape in ([concept], concept, [coding], [{"coding": coding}], "Depression", ["Depression"])
        ),
        *({"reason": shape} for shape in ([{"concept": concept}], {"concept": concept}, [concept], ["Depression"])),
        *(
            {name: shape, "contained": held}
            for name, shape in (
                ("reasonReference", [{"reference": "#c"}]),
                ("reasonReference", "#c"),
                ("reason", [{"reference": {"reference": "#c"}}]),
                ("reason", [{"reference": "#c"}]),
            )
            for held in ([condition], condition)
        ),
    ]
    for shape in shapes:
        found, unread = drafted(order(**shape), terminology)
        assert found is not None
        assert ("depressive-disorder" in " ".join(found.reasons), unread) == (True, []), shape


def test_a_long_reason_or_note_is_read_to_its_end(terminology: Terminology) -> None:
    told = "Patientin berichtet. " * 200
    for written in (
        {"reasonCode": [{"text": f"{told}Spastik nach Schlaganfall"}]},
        {"note": [{"text": f"{told}Spastik nach Schlaganfall"}]},
    ):
        found, _ = drafted(order(**written), terminology)
        assert found is not None
        assert "post-stroke-spasticity" in found.reasons, written.keys()


def test_what_was_refused_is_named_in_one_order_whatever_part_of_the_draft_it_is_in(terminology: Terminology) -> None:
    odd = order(status=5, dosageInstruction=[{**dosage(), "timing": 7}], authoredOn="someday")
    assert [gap.element for gap in drafted(odd, terminology)[1]] == [
        "status",
        "dosageInstruction[0].timing",
        "authoredOn",
    ]


def test_the_same_instructions_of_two_drugs_give_a_dose_each(terminology: Terminology) -> None:
    weak, strong = ({"text": f"amitriptyline {mg} mg"} for mg in (10, 75))
    found = [drafted(order(medicationCodeableConcept=drug), terminology)[0] for drug in (weak, strong, weak)]
    read = [one.dose for one in found if one is not None and isinstance(one.dose, DailyDose)]
    assert len(read) == 3
    assert read[0] == read[2] != read[1]


@pytest.mark.parametrize(
    ("changes", "unread"),
    [
        ({"reasonCode": [{"text": "rekurr. depr. Störung"}]}, ["rekurr. depr. Störung"]),
        ({"reasonCode": [{"coding": [{"system": "urn:local", "code": "77"}]}]}, ["77"]),
        ({"reasonReference": [{"display": "xyzzy"}]}, ["xyzzy"]),
        ({"reasonCode": [{"text": "Migräne"}]}, []),
        ({"reasonCode": [{"text": "neuropathic pain"}]}, []),
        ({"reasonCode": [{"text": "xyzzy"}], "status": "stopped"}, []),
        ({}, []),
    ],
)
def test_a_reason_of_an_order_that_is_not_understood_is_named(
    terminology: Terminology, changes: dict[str, Any], unread: list[str]
) -> None:
    _, gaps = drafted(order(**changes), terminology)
    assert [gap.found for gap in gaps if gap.reason == "reason-unread"] == unread

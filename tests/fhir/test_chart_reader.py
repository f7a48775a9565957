"""A call becomes a chart of this patient; what is missing is said, and without the patient nothing can be."""

from fractions import Fraction
from typing import Any

import pytest

from service.chart import Chart
from service.errors import MissingData, NotConformant
from service.facts import Age, Role
from service.fhir.chart_reader import MOST_DRAFTS, MOST_KNOWN, ChartReader
from service.fhir.patients import required_patient
from service.fhir.prefetch import MOST_ENTRIES, Prefetch
from service.fhir.resources import Resource
from service.fhir.session import Session, drafts, orders, unidentified
from service.guidance.ids import SUBJECTS
from service.terminology.recognise import Terminology
from tests.fhir.samples import SNOMED, TODAY, TOLPERISONE, bundle, order, raw, statement

PATIENT = {"resourceType": "Patient", "id": "1", "birthDate": "1961-11-23"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
LISTS = ("medications", "statements", "conditions", "allergies", "observations")
COMPLETE = {"patient": PATIENT, **dict.fromkeys(LISTS)}
SOMEBODY_ELSE = {"reference": "Patient/2"}
WEIGHT = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "effectiveDateTime": "2026-11-20",
    "valueQuantity": {"value": 70, "unit": "kg", "code": "kg"},
}
ALLERGY = {"resourceType": "AllergyIntolerance", "code": TOLPERISONE}
DEPRESSION = {"resourceType": "Condition", "code": {"coding": [{"system": SNOMED, "code": "370143000"}]}}


def prefetched(**values: Any) -> Prefetch:
    return Prefetch({key: raw(value) for key, value in values.items() if value is not ...})


def chart(terminology: Terminology, *resources: Resource, selections: list[str] | None = None, **values: Any) -> Chart:
    prefetch = prefetched(**{**COMPLETE, **values})
    entries = tuple(raw({"resource": resource}) for resource in resources)
    chosen = frozenset(selections) if selections is not None else None
    return reader(terminology, Session("order-sign", "1", entries, chosen), prefetch).whole()


def reader(terminology: Terminology, session: Session, prefetch: Prefetch, jurisdiction: str = "eu") -> ChartReader:
    return ChartReader(
        session, orders(session), prefetch, terminology, SUBJECTS, TODAY, {"weight_age": Fraction(90)}, jurisdiction
    )


def reasons(read: Chart) -> set[tuple[str, str]]:
    return {(gap.reason, gap.element or gap.found) for gap in read.unread}


@pytest.mark.parametrize(
    "value",
    [
        ...,
        None,
        "1",
        {},
        [PATIENT, 5],
        OUTCOME,
        order(),
        bundle(),
        bundle(OUTCOME),
        bundle(order()),
        {**PATIENT, "resourceType": "Person"},
    ],
)
def test_without_the_patient_nothing_can_be_said(value: Any) -> None:
    with pytest.raises(MissingData, match=r"was not provided|cannot be read as a Patient") as caught:
        required_patient(prefetched(patient=value), "1", TODAY)
    assert (caught.value.status, caught.value.expression) == (412, "prefetch.patient")


@pytest.mark.parametrize(
    "value", [{**PATIENT, "id": "2"}, bundle({**PATIENT, "id": "2"}), {**PATIENT, "id": 2}, {**PATIENT, "id": ["2"]}]
)
def test_another_patient_in_prefetch_is_refused_without_naming_either(value: Resource) -> None:
    with pytest.raises(MissingData, match=r"another patient than context\.patientId") as caught:
        required_patient(prefetched(patient=value), "1", TODAY)
    assert (caught.value.status, caught.value.expression) == (412, "prefetch.patient")
    assert "1961" not in caught.value.message


@pytest.mark.parametrize("value", [PATIENT, bundle(PATIENT), bundle(OUTCOME, PATIENT), {**PATIENT, "id": None}])
def test_the_patient_is_found_alone_or_in_a_bundle_and_may_carry_no_id(value: Resource) -> None:
    assert required_patient(prefetched(patient=value), "1", TODAY).age(TODAY) == Age(65, 65)


def test_a_chart_holds_the_drafts_and_the_lists_of_the_patient(terminology: Terminology) -> None:
    read = chart(
        terminology,
        order(id="new", status="draft"),
        medications=bundle(order(id="taken", medicationCodeableConcept=TOLPERISONE), order(id="old", status="stopped")),
        statements=bundle(statement(id="said")),
        conditions=bundle(DEPRESSION),
        allergies=bundle(ALLERGY),
        observations=bundle(WEIGHT),
    )
    assert [(o.reference, o.role) for o in read.orders] == [
        ("MedicationRequest/new", Role.DRAFT),
        ("MedicationRequest/taken", Role.CURRENT),
        ("MedicationRequest/old", Role.PAST),
        ("MedicationStatement/said", Role.CURRENT),
    ]
    assert read.has("major-depressive-disorder")
    assert read.allergies.drugs == {"tolperisone"}
    assert [m.kind for m in read.measurements] == ["body-weight"]
    assert (read.age, read.hook) == (Age(65, 65), "order-sign")
    assert (read.unread, read.history_known, read.conditions_known) == ((), True, True)


PART_ONLY = {
    "tag": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}],
    "lastUpdated": "2026-11-23T08:00:00Z",
}
READ_IN_PART = {"only-first-page", "fewer-than-announced", "entries-unreadable", "entries-refused", "too-many-entries"}
KINDS = {
    "medications": "MedicationRequest",
    "statements": "MedicationStatement",
    "conditions": "Condition",
    "allergies": "AllergyIntolerance",
    "observations": "Observation",
}
NOT_MISSING = {"status": "cancelled"}


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (..., "not-provided"),
        ("x", "not-readable"),
        ({"resourceType": "Parameters"}, "not-readable"),
        (OUTCOME, "not-available"),
        (bundle(OUTCOME), "not-available"),
        (bundle(link=[{"relation": "next", "url": "https://fhir.example.org/2"}]), "only-first-page"),
        (bundle(entry=[{"resource": {"id": "no type"}}]), "not-readable"),
        (bundle({"resourceType": "Basic"}), "not-readable"),
        (bundle(total=1), "fewer-than-announced"),
        ("one too few", "fewer-than-announced"),
        ("a part of it", "fewer-than-announced"),
        ("with a part of one", "fewer-than-announced"),
        ("one that is a part", "fewer-than-announced"),
        ("one is none", "entries-unreadable"),
        ("one is an error", "entries-refused"),
        ("more than are read", "too-many-entries"),
    ],
)
def test_a_list_that_was_not_given_in_full_is_said_aloud(
    key: str, value: Any, reason: str, terminology: Terminology
) -> None:
    one = {"conditions": DEPRESSION, "allergies": ALLERGY}.get(key, {"resourceType": KINDS[key], **NOT_MISSING})
    made: dict[Any, Any] = {
        "one too few": bundle(one, total=2),
        "a part of it": bundle(one, meta=PART_ONLY),
        "with a part of one": bundle({**one, "meta": PART_ONLY}),
        "one that is a part": {**one, "meta": PART_ONLY},
        "one is none": bundle(entry=[{"resource": one}, None]),
        "one is an error": bundle(one, OUTCOME),
        "more than are read": bundle(*[one] * (MOST_ENTRIES + 1)),
    }
    sent: Any = made.get(value, value) if isinstance(value, str) else value
    read = chart(terminology, order(), **{key: sent})
    assert reasons(read) == {(reason, key)}
    assert read.incomplete == (frozenset() if value is ... else {key})
    assert read.record_incomplete is (value is not ... and key != "observations")
    assert read.history_known is (key != "medications"), "part of a list cannot show that nothing was taken"
    assert read.conditions_known is (key != "conditions" or reason in READ_IN_PART)


def test_orders_and_conditions_of_another_patient_are_left_out(terminology: Terminology) -> None:
    read = chart(
        terminology,
        order(id="own"),
        medications=bundle(
            order(id="a", subject=SOMEBODY_ELSE), {**order(id="b"), "subject": {"reference": "Patient/1"}}
        ),
        statements=bundle(statement(subject=SOMEBODY_ELSE)),
        conditions=bundle({**DEPRESSION, "subject": SOMEBODY_ELSE}, {**DEPRESSION, "patient": SOMEBODY_ELSE}),
        allergies=bundle({**ALLERGY, "patient": SOMEBODY_ELSE}),
        observations=bundle({**WEIGHT, "subject": SOMEBODY_ELSE}),
    )
    assert [o.reference for o in read.orders] == ["MedicationRequest/own", "MedicationRequest/b"]
    assert (read.conditions, read.measurements) == ((), ())
    assert read.allergies.drugs == set()
    left_out = {gap.element: gap.found for gap in read.unread if gap.reason == "entries-of-another-patient"}
    assert left_out == {"medications": "1", "statements": "1", "conditions": "2", "allergies": "1", "observations": "1"}
    assert read.record_incomplete


def test_the_weight_of_another_patient_is_no_weight_of_this_one(terminology: Terminology) -> None:
    def weight(subject: str) -> Fraction | None:
        prefetch = prefetched(observations=bundle({**WEIGHT, "subject": {"reference": subject}}))
        session = Session("order-sign", "1")
        return reader(terminology, session, prefetch)._weight()

    assert (weight("Patient/1"), weight("Patient/2")) == (Fraction(70), None)


def test_a_draft_for_another_patient_is_left_out_and_named(terminology: Terminology) -> None:
    read = chart(terminology, order(id="own"), order(id="other", subject=SOMEBODY_ELSE))
    assert [o.reference for o in read.orders] == ["MedicationRequest/own"]
    (gap,) = read.unread
    assert gap.order is not None
    assert (gap.reason, gap.order.reference, gap.conflict) == ("another-patient", "MedicationRequest/other", True)


def test_a_draft_whose_drug_cannot_be_told_is_named_when_it_is_in_focus(terminology: Terminology) -> None:
    blank = order(id="blank", medicationCodeableConcept=None)
    assert reasons(chart(terminology, order(), blank)) == {("no-drug", "")}
    selected = ["MedicationRequest/rx-1"]
    assert reasons(chart(terminology, order(), blank, selections=selected)) == set()


def test_gaps_of_drafts_that_were_not_selected_stay_unsaid(terminology: Terminology) -> None:
    odd = order(id="odd", authoredOn="x")
    assert reasons(chart(terminology, order(), odd)) == {("element-unreadable", "authoredOn")}
    read = chart(terminology, order(), odd, selections=["MedicationRequest/rx-1"])
    assert (reasons(read), [o.focus for o in read.orders]) == (set(), [True, False])


def test_drafts_of_other_drugs_are_not_read(terminology: Terminology) -> None:
    other = order(id="other", medicationCodeableConcept={"text": "Amoxicillin"}, dosageInstruction="x")
    read = chart(terminology, order(), other)
    assert [o.reference for o in read.orders] == ["MedicationRequest/rx-1"]
    assert read.unread == ()


def test_entries_of_the_list_that_name_no_drug_are_counted(terminology: Terminology) -> None:
    blank = order(medicationCodeableConcept=None)
    pointing = {**blank, "medicationReference": {"reference": "Medication/m9"}, "status": ["active"]}
    foreign = {**blank, "subject": SOMEBODY_ELSE}
    read = chart(terminology, order(), medications=bundle(blank, pointing, foreign), statements=bundle(statement()))
    assert reasons(read) == {("list-entry-unidentified", "medications"), ("entries-of-another-patient", "medications")}
    assert "2" in {gap.found for gap in read.unread}


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "draft", "Cancelled"])
def test_entries_that_count_for_nothing_are_not_missed(status: str, terminology: Terminology) -> None:
    blank = order(medicationCodeableConcept=None, status=status)
    assert chart(terminology, order(), medications=bundle(blank)).unread == ()


def test_a_drug_of_the_list_is_found_in_a_medication_under_any_key(terminology: Terminology) -> None:
    pointing = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m1"})
    medication = {"resourceType": "Medication", "id": "m1", "code": TOLPERISONE}
    session = Session("patient-view", "1", ordering=False)
    prefetch = prefetched(medications=bundle(pointing), statements=bundle(medication))
    found, unread = reader(terminology, session, prefetch).listed
    assert [o.drug.drugs for o in found] == [("tolperisone",)]
    assert unread == []


def test_what_the_hook_says_of_the_session_is_on_the_chart(terminology: Terminology) -> None:
    session = Session("medication-refill", "1", refill=True)
    read = reader(terminology, session, prefetched(**COMPLETE), "ch").whole()
    assert (read.hook, read.refill, read.ordering, read.today) == ("medication-refill", True, True, TODAY)
    assert (read.patient_id, read.jurisdiction) == ("1", "ch")


def test_nothing_is_unidentified_where_every_drug_is_told(terminology: Terminology) -> None:
    session = Session("order-sign", "1", (raw({"resource": order()}),))
    found = drafts(session, orders(session).entries, prefetched(), terminology)
    assert unidentified(found, ("amitriptyline",), taken=True) == []


def test_as_many_drafts_as_can_be_compared_are_read_and_more_are_refused(terminology: Terminology) -> None:
    many = [order(id=f"rx-{number}") for number in range(MOST_DRAFTS + 1)]
    assert len(chart(terminology, *many[:-1]).orders) == MOST_DRAFTS
    with pytest.raises(NotConformant, match=f"more than {MOST_DRAFTS} orders.*none was checked"):
        chart(terminology, *many)


def test_of_more_known_drugs_than_are_read_those_taken_now_come_first_and_the_rest_is_said(
    terminology: Terminology,
) -> None:
    past = [order(id=f"old-{number}", status="stopped") for number in range(MOST_KNOWN)]
    read = chart(terminology, order(), medications=bundle(*past, order(id="now")))
    listed = [o for o in read.orders if o.role is not Role.DRAFT]
    assert (len(listed), listed[0].reference) == (MOST_KNOWN, "MedicationRequest/now")
    assert reasons(read) == {("too-many-known", "medications")}
    assert (read.record_incomplete, read.history_known) == (True, False)


def test_every_list_is_read_once(terminology: Terminology) -> None:
    call = reader(terminology, Session("patient-view", "1", ordering=False), prefetched(**COMPLETE))
    assert call.read() is not None or call.listed is call.listed
    assert call.listed is call.listed

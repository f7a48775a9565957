"""The orders of a call: which are there, which are in focus, which are this patient's, which concern the guidance."""

from typing import Any

import pytest
from msgspec import Raw

from service.errors import NotConformant
from service.fhir.prefetch import Prefetch
from service.fhir.resources import Resource
from service.fhir.session import MOST_ORDERS, Draft, Session, concerns, drafts, orders, selection
from service.guidance.ids import SUBJECTS
from service.terminology.recognise import Terminology
from tests.fhir.samples import AMITRIPTYLINE, TOLPERISONE, bundle, identity_of, order, raw

NOTHING = Prefetch(None)


def session(*entries: Any, selections: list[str] | None = None) -> Session:
    chosen = frozenset(map(selection, selections)) if selections is not None else None
    return Session("order-sign", "1", tuple(raw(entry) for entry in entries), chosen)


def looked_at(
    terminology: Terminology, *resources: Resource, selections: list[str] | None = None, prefetch: Prefetch = NOTHING
) -> list[Draft]:
    call = session(*({"resource": resource} for resource in resources), selections=selections)
    held = orders(call)
    return drafts(call, held.entries, prefetch, terminology)


def test_the_resources_of_all_entries_are_found_in_order() -> None:
    first, second = order(id="a"), order(id="b")
    found = orders(session({"resource": first}, second))
    assert [entry.resource for entry in found.entries] == [first, second]
    assert (found.unread, orders(session()).entries) == ((), ())


@pytest.mark.parametrize(
    "entry",
    [
        b'{"resource":{"id":"\xff"}}',
        b'{"resource":{"id":1e99999999999999999999}}',
        b"[" * 100_000 + b"]" * 100_000,
        b"null",
        b"5",
        b"{}",
        b'{"fullUrl": "urn:x"}',
        b'{"resource": null}',
        b'{"resource": 5}',
        b'{"resource": []}',
        b'{"resource": {}}',
        b'{"resource": {"id": "rx-1"}}',
        b'{"resource": {"resourceType": 5}}',
        b'{"response": {"status": "404"}}',
    ],
    ids=lambda entry: entry[:40].decode(errors="replace"),
)
def test_an_entry_that_cannot_be_read_is_named_and_not_passed_over(entry: bytes) -> None:
    found = orders(Session("order-sign", "1", (raw({"resource": order()}), Raw(entry))))
    assert [e.resource for e in found.entries] == [order()]
    assert [(gap.reason, gap.element) for gap in found.unread] == [("draft-unreadable", "entry 2")]


@pytest.mark.parametrize(
    "kind",
    (
        "medicationrequest MEDICATIONREQUEST MedicationPrescription MedicationDispense MedicationStatement"
        f" RequestGroup CarePlan Parameters List {'X' * 500}"
    ).split(),
)
def test_a_draft_of_a_type_that_is_not_read_is_named(kind: str) -> None:
    found = orders(session({"resource": {**order(), "resourceType": kind}}, {"resource": order()}))
    assert [e.resource for e in found.entries] == [order()]
    assert [(gap.reason, gap.found) for gap in found.unread] == [("draft-of-unknown-type", kind[:40])]


def test_orders_in_a_bundle_inside_the_bundle_are_read() -> None:
    found = orders(session({"resource": bundle(order(id="a"), bundle(order(id="b")))}, {"resource": order(id="c")}))
    assert sorted(e.resource["id"] for e in found.entries) == ["a", "b", "c"]


def test_only_orders_of_drugs_are_looked_at(terminology: Terminology) -> None:
    others = [
        {"resourceType": kind, "id": "x"} for kind in ("ServiceRequest", "NutritionOrder", "Medication", "Patient")
    ]
    dstu2 = {**order(), "resourceType": "MedicationOrder"}
    found = looked_at(terminology, *others, order(), dstu2)
    assert [draft.reference for draft in found] == ["MedicationRequest/rx-1", "MedicationOrder/rx-1"]


def test_all_orders_are_in_focus_unless_some_were_selected(terminology: Terminology) -> None:
    pair = [order(id="a"), order(id="b")]
    assert [draft.focus for draft in looked_at(terminology, *pair)] == [True, True]
    assert [d.focus for d in looked_at(terminology, *pair, selections=["MedicationRequest/b"])] == [False, True]
    others = ["MedicationOrder/a", "Patient/1", "", "c"]
    assert [d.focus for d in looked_at(terminology, *pair, selections=others)] == [False, False]


@pytest.mark.parametrize(
    "pointer",
    [
        "MedicationRequest/b",
        "MedicationRequest/b/_history/2",
        "https://fhir.example.org/r4/MedicationRequest/b",
        "https://fhir.example.org/r4/MedicationRequest/b/_history/2",
        "b",
        " MedicationRequest/b/ ",
        "urn:uuid:b",
        "urn:uuid:4B6F1D52-6a33-4f0e-9d0c-111111111111",
        "urn:uuid:4b6f1d52-6a33-4f0e-9d0c-111111111111",
        "4b6f1d52-6a33-4f0e-9d0c-111111111111",
        "MedicationRequest/4b6f1d52-6a33-4f0e-9d0c-111111111111",
    ],
)
def test_a_selection_may_be_written_in_any_way_that_names_the_order(pointer: str, terminology: Terminology) -> None:
    url = "urn:uuid:4b6f1d52-6a33-4f0e-9d0c-111111111111"
    call = session({"resource": order(id="a")}, {"fullUrl": url, "resource": order(id="b")}, selections=[pointer])
    assert [d.focus for d in drafts(call, orders(call).entries, NOTHING, terminology)] == [False, True]


def test_an_order_without_an_id_is_selected_by_its_address(terminology: Terminology) -> None:
    url = "https://fhir.example.org/r4/MedicationRequest/b"
    for pointer in (url, f"{url}/_history/1", "MedicationRequest/b"):
        call = session({"fullUrl": url, "resource": order(id=None)}, selections=[pointer])
        assert [d.focus for d in drafts(call, orders(call).entries, NOTHING, terminology)] == [True]


def test_an_id_that_is_a_number_is_selected_by_it(terminology: Terminology) -> None:
    for pointer in ("MedicationRequest/7", "7"):
        assert [d.focus for d in looked_at(terminology, order(id=7), selections=[pointer])] == [True]


def test_a_bare_id_selects_every_draft_that_has_it(terminology: Terminology) -> None:
    pair = [order(id="a"), {**order(id="a"), "resourceType": "MedicationOrder"}]
    assert [d.focus for d in looked_at(terminology, *pair, selections=["a"])] == [True, True]


def test_an_order_without_an_id_cannot_be_selected_but_is_still_there(terminology: Terminology) -> None:
    (draft,) = looked_at(terminology, order(id=None), selections=["MedicationRequest/rx-1", "MedicationRequest/"])
    assert (draft.reference, draft.focus, draft.own) == ("", False, True)


@pytest.mark.parametrize(
    ("subject", "own"),
    [
        ({"subject": {"reference": "Patient/1"}}, True),
        ({"subject": {"reference": "https://fhir.example.org/Patient/1"}}, True),
        ({"subject": {"display": "somebody"}}, True),
        ({"subject": None}, True),
        ({"subject": None, "patient": {"reference": "Patient/1"}}, True),
        ({"subject": {"reference": "Patient/2"}}, False),
        ({"subject": [{"reference": "Patient/1"}]}, True),
        ({"subject": [{"reference": "Patient/2"}]}, False),
        ({"subject": [{"reference": "Patient/1"}, {"reference": "Patient/2"}]}, False),
        ({"subject": {"reference": ["Patient/2"]}}, False),
        ({"subject": "Patient/2"}, False),
        ({"subject": "Patient/1"}, True),
        ({"subject": {"reference": "Patient/1"}, "patient": {"reference": "Patient/2"}}, False),
        ({"subject": None, "patient": {"reference": "Patient/2"}}, False),
    ],
)
def test_an_order_is_the_patients_own_unless_it_names_somebody_else(
    subject: dict[str, Any], own: bool, terminology: Terminology
) -> None:
    (draft,) = looked_at(terminology, order(**subject))
    assert draft.own is own


def test_a_drug_that_is_a_reference_is_looked_up_in_prefetch(terminology: Terminology) -> None:
    pointing = order(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m1"})
    medication = {"resourceType": "Medication", "id": "m1", "code": TOLPERISONE}
    prefetch = Prefetch({"medications": raw(bundle(medication))})
    (found,) = looked_at(terminology, pointing, prefetch=prefetch)
    assert found.identity.recognition.drugs == ("tolperisone",)
    (missing,) = looked_at(terminology, pointing)
    assert missing.identity.problem == "reference-unresolved"


def test_a_drug_named_in_the_order_is_told_without_looking_at_prefetch(terminology: Terminology) -> None:
    unreadable = Prefetch({"medications": Raw(b"{")})
    (draft,) = looked_at(terminology, order(), prefetch=unreadable)
    assert draft.identity.recognition.drugs == ("amitriptyline",)


@pytest.mark.parametrize(
    ("concept", "concerned"),
    [
        (AMITRIPTYLINE, True),
        (TOLPERISONE, True),
        ({"text": "Amoxicillin 500 mg"}, False),
        ({"text": "Nortriptyline 25 mg"}, False),
        ({"text": "Amitriptyline cream"}, False),
        ({**AMITRIPTYLINE, "text": "Nortriptyline 25 mg"}, True),
        ({}, False),
    ],
)
def test_an_order_concerns_the_guidance_when_it_names_or_disputes_one_of_the_drugs(
    concept: dict[str, Any], concerned: bool, terminology: Terminology
) -> None:
    recognition = identity_of(order(medicationCodeableConcept=concept), terminology).recognition
    assert concerns(recognition, SUBJECTS) is concerned


def test_more_orders_than_one_call_may_hold_are_refused_whole() -> None:
    entry = raw({"resource": {"resourceType": "ServiceRequest"}})
    assert len(orders(Session("order-sign", "1", (entry,) * MOST_ORDERS)).entries) == MOST_ORDERS
    with pytest.raises(NotConformant, match=f"more than {MOST_ORDERS} orders, and none was checked"):
        orders(Session("order-sign", "1", (entry,) * (MOST_ORDERS + 1)))

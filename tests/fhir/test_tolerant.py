"""One bad element costs that element and no more; its path is kept and the client's resource is left alone."""

from copy import deepcopy
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.resources import Resource
from service.fhir.tolerant import Read, read
from tests.fhir.hostile import PLACES, junk, nested, replaced
from tests.fhir.samples import TABLET, dosage, order, without

REQUIRED = {"status": "unknown", "intent": "order", "subject": {"display": "not stated"}}


def tolerantly(resource: Resource) -> Read[MedicationRequest]:
    found = read(MedicationRequest, resource, REQUIRED)
    assert found is not None
    return found


def test_a_valid_resource_is_read_whole() -> None:
    found = tolerantly(order())
    assert found.dropped == ()
    assert (found.value.id, found.value.status) == ("rx-1", "active")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": 5}, "id"),
        ({"id": "rx_1"}, "id"),
        ({"status": 5}, "status"),
        ({"status": ["active"]}, "status"),
        ({"intent": {}}, "intent"),
        ({"subject": "Patient/1"}, "subject"),
        ({"authoredOn": "Invalid date"}, "authoredOn"),
        ({"text": "two tablets"}, "text"),
        ({"colour": "blue"}, "colour"),
        ({"_status": "x"}, "_status"),
        ({"category": {"text": "community"}}, "category"),
        ({"reasonCode": ["pain"]}, "reasonCode[0]"),
        ({"reasonCode": [{"text": "pain"}, {"coding": [{"code": 5}]}]}, "reasonCode[1].coding[0].code"),
        ({"contained": ["x"]}, "contained[0]"),
        ({"dosageInstruction": [dosage(), "x"]}, "dosageInstruction[1]"),
        ({"dosageInstruction": [dosage(sequence="first")]}, "dosageInstruction[0].sequence"),
        ({"dosageInstruction": [dosage(timing="daily")]}, "dosageInstruction[0].timing"),
        (
            {"dosageInstruction": [dosage(timing={"repeat": {"boundsPeriod": {"start": "Invalid date"}}})]},
            "dosageInstruction[0].timing.repeat.boundsPeriod.start",
        ),
        (
            {"dosageInstruction": [dosage(doseAndRate=[{"doseQuantity": {**TABLET, "value": "one"}}])]},
            "dosageInstruction[0].doseAndRate[0].doseQuantity.value",
        ),
        (
            {"dosageInstruction": [dosage(doseAndRate=[{"doseQuantity": TABLET, "doseRange": {"low": TABLET}}])]},
            "dosageInstruction[0].doseAndRate[0]",
        ),
    ],
)
def test_a_refused_element_is_left_out_and_its_path_is_kept(changes: dict[str, Any], path: str) -> None:
    found = tolerantly(order(**changes))
    assert found.dropped == (path,)
    assert isinstance(found.value, MedicationRequest)
    assert found.value.medicationCodeableConcept is not None


def test_several_refused_elements_are_all_named_and_the_rest_is_read() -> None:
    found = tolerantly(
        order(
            authoredOn="x",
            status=5,
            colour="blue",
            reasonCode=[{"coding": [{"code": 5}, {"code": "F32", "display": []}]}],
            dosageInstruction=["x", dosage(timing="y"), dosage(doseAndRate=[{"doseQuantity": TABLET}, 7])],
        )
    )
    assert set(found.dropped) == {
        "authoredOn",
        "status",
        "colour",
        "reasonCode[0].coding[0].code",
        "reasonCode[0].coding[1].display",
        "dosageInstruction[0]",
        "dosageInstruction[1].timing",
        "dosageInstruction[2].doseAndRate[1]",
    }
    assert [len(one.doseAndRate or ()) for one in found.value.dosageInstruction or ()] == [1, 1]
    assert (found.value.status, found.value.intent) == ("unknown", "order")


def test_empty_words_are_a_member_that_is_not_there() -> None:
    for empty in ("", " "):
        found = tolerantly(
            order(
                authoredOn=empty, dosageInstruction=[dosage(doseAndRate=[{"doseQuantity": {**TABLET, "code": empty}}])]
            )
        )
        assert found.dropped == ()
        assert found.value.authoredOn is None


def test_refused_entries_of_a_long_list_leave_the_good_ones_in_their_order() -> None:
    mixed = [dosage(text=str(i)) if i % 3 == 0 else i for i in range(30)]
    found = tolerantly(order(dosageInstruction=mixed))
    assert [one.text for one in found.value.dosageInstruction or ()] == [str(i) for i in range(0, 30, 3)]
    assert set(found.dropped) == {f"dosageInstruction[{i}]" for i in range(30) if i % 3}


def test_an_element_that_is_refused_only_after_others_are_gone_is_refused_too() -> None:
    both = {"doseQuantity": {"value": "x"}, "doseRange": {"low": {"value": 1}}}
    found = tolerantly(order(dosageInstruction=[dosage(doseAndRate=[both])]))
    assert found.dropped == (
        "dosageInstruction[0].doseAndRate[0].doseQuantity.value",
        "dosageInstruction[0].doseAndRate[0]",
    )


@pytest.mark.parametrize("missing", ["status", "intent", "subject"])
def test_a_required_element_that_was_refused_is_replaced_by_a_neutral_one(missing: str) -> None:
    found = tolerantly(order(**{missing: 5}))
    assert found.dropped == (missing,)
    assert read(MedicationRequest, order(**{missing: 5})) is None


@pytest.mark.parametrize(
    "resource",
    [
        {},
        {"resourceType": "MedicationRequest"},
        without(order(), "medicationCodeableConcept"),
        order(medicationReference={"reference": "Medication/1"}),
        order(resourceType="Nonsense"),
        order(resourceType=5),
        order(resourceType=["MedicationRequest"]),
    ],
)
def test_what_is_no_such_resource_even_without_its_bad_elements_is_none(resource: Resource) -> None:
    assert read(MedicationRequest, resource) is None


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        (order(contained=[{"resourceType": "Nonsense"}]), KeyError),
        (order(contained=[{"resourceType": 5}]), TypeError),
        (order(extension=[nested(300)]), RecursionError),
    ],
    ids=["KeyError", "TypeError", "RecursionError"],
)
def test_input_on_which_the_models_themselves_break_is_none(resource: Resource, error: type[Exception]) -> None:
    with pytest.raises(error):
        MedicationRequest.model_validate(resource)
    assert read(MedicationRequest, resource, REQUIRED) is None


def test_nesting_beyond_what_can_be_copied_is_none() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert read(MedicationRequest, order(extension=deep)) is None


def test_the_clients_resource_is_never_touched() -> None:
    sent = order(status=5, colour="blue", dosageInstruction=["x", dosage(timing=7)])
    before = deepcopy(sent)
    assert tolerantly(sent).dropped
    assert sent == before


@given(places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=3, unique=True), values=st.lists(junk, min_size=3))
def test_any_json_in_place_of_any_element_is_read_around_or_refused(
    places: list[tuple[int | str, ...]], values: list[Any]
) -> None:
    sent = order()
    for path, value in zip(sorted(places, key=len, reverse=True), values, strict=False):
        sent = replaced(sent, path, value)
    before = deepcopy(sent)
    found = read(MedicationRequest, sent, REQUIRED)
    assert found is None or isinstance(found.value, MedicationRequest)
    assert found is None or all(path.split(".")[0].split("[")[0] in sent for path in found.dropped)
    assert sent == before

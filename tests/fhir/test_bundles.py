"""What a Bundle says itself that it lacks is heard, and a reference finds its resource in whichever form it is."""

from typing import Any

import pytest
from msgspec import Raw

from service.engine.library import Library
from service.fhir.bundles import MOST_NESTED, UNREADABLE, contents, decoded
from service.fhir.prefetch import Prefetch, State
from service.fhir.session import Session, drafts, orders
from service.jsonio import encode
from service.terminology.recognise import Terminology
from tests.fhir.samples import AMITRIPTYLINE, TOLPERISONE, bundle, order, raw, statement, without

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}
UUID = "urn:uuid:7d1f3d52-6a33-4f0e-9d0c-222222222222"
ENDLESS = b"1" * 5000


def given(value: Any, key: str = "medications") -> Any:
    return Prefetch({key: raw(value)})[key]


def entry(resource: Any, mode: str = "match") -> dict[str, Any]:
    return {"resource": resource, "search": {"mode": mode}}


MEDICATION = {"resourceType": "Medication", "id": "m1"}
PATIENT = {"resourceType": "Patient", "id": "1"}


@pytest.mark.parametrize(
    ("sent", "state", "lost"),
    [
        (bundle(total=3), State.SHORT, 0),
        (bundle(order(), total=12), State.SHORT, 0),
        (bundle(order(), total="2"), State.SHORT, 0),
        (bundle(total=2, entry=[entry(order()), entry(MEDICATION, "include")]), State.SHORT, 0),
        (bundle(order(), MEDICATION, total=2), State.SHORT, 0),
        (bundle(total=1, entry=[entry(order()), entry(OUTCOME, "outcome")]), State.REFUSED, 1),
        (bundle(entry=[{"response": {"status": "403 Forbidden"}}]), State.UNAVAILABLE, 1),
        (bundle(entry=[{"response": {"status": 500}}, entry(order())]), State.REFUSED, 1),
        (bundle(entry=[{"response": {"status": "200 OK"}, "resource": bundle(order(), total=4)}]), State.SHORT, 0),
        (bundle(entry=[{"fullUrl": "https://ehr.example.org/fhir/MedicationRequest/1"}]), State.UNREADABLE, 1),
        (bundle(order(), {"resourceType": "Condition", "id": "c"}), State.DAMAGED, 1),
        (bundle({"resourceType": "Parameters"}), State.UNREADABLE, 1),
        (bundle({**order(), "resourceType": "medicationrequest"}, order()), State.DAMAGED, 1),
        (bundle(bundle(order(), link=[{"relation": "next", "url": "https://x.example/2"}])), State.PARTIAL, 0),
        (bundle(bundle(OUTCOME)), State.UNAVAILABLE, 1),
        ({"resourceType": "List", "entry": []}, State.UNREADABLE, 0),
    ],
)
def test_a_list_that_holds_less_than_the_record_is_not_taken_for_whole(sent: Any, state: State, lost: int) -> None:
    answer = given(sent)
    assert (answer.state, answer.lost) == (state, lost)


@pytest.mark.parametrize(
    "sent",
    [
        bundle(total=0),
        bundle(order(), total=1),
        bundle(order(id="a"), order(id="b"), total=1),
        bundle(order(), total=True),
        bundle(order(), total=-5),
        bundle(order(), total="many"),
        bundle(total=1, entry=[entry(order()), entry(MEDICATION, "include"), entry(PATIENT, "include")]),
        bundle(order(), PATIENT, {"resourceType": "Practitioner"}, total=1),
        bundle(bundle(order(id="a"), total=1), bundle(statement(), total=1), total=2),
        bundle(bundle(total=0)),
        bundle(
            {**order(), "resourceType": "MedicationDispense"}, {**order(), "resourceType": "MedicationAdministration"}
        ),
    ],
)
def test_a_list_that_holds_what_it_announces_is_whole(sent: Any) -> None:
    assert given(sent).state is State.GIVEN


def test_bundles_in_bundles_are_read_as_deep_as_they_go() -> None:
    nested = bundle(order(id="deep"))
    for _ in range(50):
        nested = bundle(nested)
    assert [one["id"] for one in given(nested).resources] == ["deep"]
    many = contents(bundle(*(bundle(order(id=str(n))) for n in range(MOST_NESTED + 5))))
    assert (len(many.entries), many.unread) == (MOST_NESTED - 1, 6)


@pytest.mark.parametrize("list_", ["medications", "statements", "conditions", "allergies", "observations"])
def test_one_unreadable_value_costs_its_entry_and_not_the_list(list_: str) -> None:
    kinds = {"conditions": "Condition", "allergies": "AllergyIntolerance", "observations": "Observation"}
    good = {"resourceType": kinds.get(list_, "MedicationRequest"), "id": "good"}
    sent = b'{"resourceType":"Bundle","entry":[{"resource":%s},{"resource":{"resourceType":"Observation","code":%s}}]}'
    answer = Prefetch({list_: Raw(sent % (encode(good), ENDLESS))})[list_]
    assert (answer.state, answer.lost, answer.resources) == (State.DAMAGED, 1, (good,))


@pytest.mark.parametrize("value", [ENDLESS, b"1e99999999999999999999"])
def test_an_unreadable_member_of_a_list_or_a_patient_costs_that_member(value: bytes) -> None:
    sent = b'{"resourceType":"Bundle","total":%s,"entry":[{"resource":%s}]}' % (value, encode(order()))
    assert Prefetch({"medications": Raw(sent)})["medications"].state is State.DAMAGED
    patient = decoded(b'{"resourceType":"Patient","id":"1","birthDate":"1950-04-02","multipleBirthInteger":%s}' % value)
    assert patient == {
        "resourceType": "Patient",
        "id": "1",
        "birthDate": "1950-04-02",
        "multipleBirthInteger": UNREADABLE,
    }


REFERENCES = [
    "Medication/m1",
    " Medication/m1 ",
    "Medication/m1/_history/3",
    "https://ehr.example.org/fhir/Medication/m1",
    "https://ehr.example.org/fhir/Medication/m1/_history/3",
    "https://elsewhere.example/Medication/m1",
    UUID,
    UUID.upper().replace("URN:UUID:", "urn:uuid:"),
    "urn:uuid:m1",
    "m1",
]


@pytest.mark.parametrize("place", ["draft bundle", "medications", "a key of its own", "a nested bundle"])
@pytest.mark.parametrize("target", REFERENCES)
def test_a_medication_is_found_wherever_the_message_has_it(target: str, place: str, library: Library) -> None:
    terminology: Terminology = library.terminology
    held = {"fullUrl": UUID, "resource": {**MEDICATION, "code": TOLPERISONE}}
    pointing = without(order(medicationReference={"reference": target}), "medicationCodeableConcept")
    sent: dict[str, Any] = {
        "draft bundle": {},
        "medications": {"medications": bundle(entry=[held])},
        "a key of its own": {"drug": bundle(entry=[held])},
        "a nested bundle": {"medications": bundle(bundle(entry=[held]))},
    }[place]
    entries = [held, {"resource": pointing}] if place == "draft bundle" else [{"resource": pointing}]
    call = Session("order-sign", "1", tuple(map(raw, entries)))
    read = orders(call)
    prefetch = Prefetch({key: raw(value) for key, value in sent.items()}, None, read.medications)
    (draft,) = drafts(call, read.entries, prefetch, terminology)
    assert (draft.identity.recognition.drugs, draft.identity.problem) == (("tolperisone",), "")


@pytest.mark.parametrize(("target", "identity"), [("#k", "k"), ("#k", "#k"), ("k", "k"), ("k", "#k"), (" #k", "k")])
def test_a_contained_medication_is_found_with_and_without_its_mark(
    target: str, identity: str, library: Library
) -> None:
    held = {"resourceType": "Medication", "id": identity, "code": TOLPERISONE}
    pointing = without(order(medicationReference={"reference": target}, contained=[held]), "medicationCodeableConcept")
    call = Session("order-sign", "1", (raw({"resource": pointing}),))
    (draft,) = drafts(call, orders(call).entries, Prefetch(None), library.terminology)
    assert draft.identity.recognition.drugs == ("tolperisone",)


def test_the_same_id_on_two_servers_is_told_apart_by_the_address(library: Library) -> None:
    one = {"fullUrl": "https://a.example/Medication/m1", "resource": {**MEDICATION, "code": TOLPERISONE}}
    two = {"fullUrl": "https://b.example/Medication/m1", "resource": {**MEDICATION, "code": AMITRIPTYLINE}}
    pointing = without(order(medicationReference={"reference": two["fullUrl"]}), "medicationCodeableConcept")
    call = Session("order-sign", "1", (raw({"resource": pointing}),))
    prefetch = Prefetch({"medications": raw(bundle(entry=[one, two]))})
    (draft,) = drafts(call, orders(call).entries, prefetch, library.terminology)
    assert draft.identity.recognition.drugs == ("amitriptyline",)

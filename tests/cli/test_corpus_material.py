"""What any JSON file is, and the call that is made of it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.cdshooks.messages import CONTEXTS
from service.cli.answers import InProcess
from service.cli.corpus_material import ANY_SERVICE, material
from service.cli.output import Refused
from service.engine.library import Library
from tests.calls import Json
from tests.cli.test_answers import written
from tests.conftest import FIXTURES, TODAY
from tests.fhir.hostile import junk
from tests.fhir.samples import bundle, order, statement

REQUEST = FIXTURES / "requests/order-sign/amitriptyline-75-mg-new-start.json"
CONTEXT = {"userId": "Practitioner/1", "patientId": "1"}
ORDERS = {"resourceType": "Bundle", "entry": [{"resource": order()}]}
PATIENT = {"resourceType": "Patient", "id": "p-7", "birthDate": "1970-01-01"}


@pytest.fixture(scope="session")
def here(library: Library) -> InProcess:
    return InProcess(library)


def sent(path: Path) -> Json:
    call = material(path).call
    assert call is not None
    whole: Json = json.loads(call.body)
    return whole


@pytest.mark.parametrize("body", [b"{", b"", b'{"hook":"order-sign"}}', b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_sent_as_it_is(body: bytes, tmp_path: Path) -> None:
    found = material(written(tmp_path, body))
    assert found.what == "not JSON"
    assert found.call is not None
    assert (found.call.body, found.call.hook, found.wrapped) == (body, ANY_SERVICE, False)


def test_a_request_is_sent_as_it_is_to_the_service_of_its_hook() -> None:
    found = material(REQUEST)
    assert found.call is not None
    assert (found.call.body, found.call.hook, found.wrapped) == (REQUEST.read_bytes(), "order-sign", False)


def test_a_request_without_a_hook_is_still_one(tmp_path: Path) -> None:
    for odd in ({"hook": 5}, {"hookInstance": "x"}):
        found = material(written(tmp_path, odd))
        assert found.call is not None
        assert (found.what, found.call.hook) == ("a request", ANY_SERVICE)


@pytest.mark.parametrize(
    ("name", "members", "hook"),
    [
        ("context-1.json", {"draftOrders": ORDERS}, "order-sign"),
        ("context-1.json", {"draftOrders": ORDERS, "selections": []}, "order-select"),
        ("context-1.json", {"medications": ORDERS}, "medication-prescribe"),
        ("medication_refill_1.json", {"medications": ORDERS}, "medication-refill"),
        ("context-1.json", {"encounterId": "1"}, "patient-view"),
        ("order_select_context.json", {"draftOrders": ORDERS}, "order-select"),
    ],
)
def test_a_context_becomes_a_call_of_its_hook(name: str, members: Json, hook: str, tmp_path: Path) -> None:
    context = {**CONTEXT, **members}
    for content in (context, {"context": context}):
        path = written(tmp_path, content, name)
        assert sent(path) | {"hookInstance": "", "prefetch": {}} == {
            "hook": hook,
            "hookInstance": "",
            "context": context,
            "prefetch": {},
        }
        assert material(path).wrapped


def test_the_context_of_another_hook_is_no_request(tmp_path: Path) -> None:
    for context in ({**CONTEXT, "appointments": {}}, {"patientId": "1"}):
        assert material(written(tmp_path, context)).call is None


def test_an_order_alone_is_signed(tmp_path: Path, here: InProcess) -> None:
    path = written(tmp_path, order())
    assert (material(path).what, sent(path)["context"]["patientId"]) == ("a MedicationRequest", "1")
    call = material(path).call
    assert call is not None
    cards = here.answer(call, TODAY).cards
    assert "amitriptyline-start-dose" in {card["extension"]["io.github.tolami"]["card"] for card in cards}
    nobody = written(tmp_path, {**order(), "subject": None})
    assert sent(nobody)["context"]["patientId"]


def test_what_is_on_record_is_prefetched_when_the_chart_is_opened(tmp_path: Path, here: InProcess) -> None:
    path = written(tmp_path, bundle(PATIENT, order(subject=None), statement(subject=None)))
    call = sent(path)
    assert (call["hook"], call["context"]["patientId"], call["prefetch"]["patient"]) == ("patient-view", "p-7", PATIENT)
    assert [e["resource"]["id"] for e in call["prefetch"]["medications"]["entry"]] == ["rx-1"]
    assert [e["resource"]["id"] for e in call["prefetch"]["statements"]["entry"]] == ["st-1"]
    assert call["prefetch"]["conditions"]["total"] == 0
    replayed = material(path).call
    assert replayed is not None
    assert here.answer(replayed, TODAY).cards
    alone = sent(written(tmp_path, statement()))
    assert alone["context"]["patientId"] == "1"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ({"cards": []}, "an answer"),
        ({"services": []}, "a discovery"),
        ({"feedback": []}, "feedback"),
        ({"x": 1}, "other JSON"),
        ([], "a list of JSON"),
        (5, "a JSON value"),
        ({"resourceType": "Encounter"}, "a resource that is not used here (Encounter)"),
        ({"resourceType": "Bundle", "entry": []}, "a resource that is not used here (Bundle)"),
    ],
)
def test_what_is_no_request_is_called_what_it_is(content: Any, what: str, tmp_path: Path) -> None:
    found = material(written(tmp_path, content))
    assert (found.what, found.call) == (what, None)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"gone\.json"):
        material(tmp_path / "gone.json")


PARTS = ["hook", "context", "patientId", "userId", "draftOrders", "resourceType", "entry", "resource", "subject", "id"]


@settings(max_examples=60)
@given(content=st.dictionaries(st.sampled_from(PARTS), st.one_of(junk, st.sampled_from(["Bundle", "Patient"]))))
def test_any_json_is_called_something_and_answered(
    content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, here: InProcess
) -> None:
    body = json.dumps(content, default=float).encode()
    found = material(written(tmp_path_factory.mktemp("any"), body))
    assert found.what
    if found.call is not None and found.call.hook in CONTEXTS:
        assert here.answer(found.call, TODAY).status < 500

"""What a request must hold is asked for by name, and everything else is tolerated."""

import json
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from service.cdshooks.messages import (
    CONTEXTS,
    OrderSelectContext,
)
from service.cdshooks.reading import read_context, read_request
from service.errors import NotConformant, NotParsable, ServiceError

BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "rx-1"}}]}
COMMON = {"userId": "Practitioner/example", "patientId": "1288992"}
MINIMAL: dict[str, dict[str, Any]] = {
    "patient-view": COMMON,
    "order-select": {**COMMON, "selections": ["MedicationRequest/rx-1"], "draftOrders": BUNDLE},
    "order-sign": {**COMMON, "draftOrders": BUNDLE},
    "medication-prescribe": {**COMMON, "medications": BUNDLE},
    "medication-refill": {"patientId": "1288992", "medications": BUNDLE},
}


def request(of: str = "order-select", /, **changes: Any) -> bytes:
    content = {"hook": of, "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "context": MINIMAL[of], **changes}
    return json.dumps({name: value for name, value in content.items() if value is not ...}).encode()


def read_both(body: bytes, hook: str = "order-select") -> Any:
    return read_context(read_request(body), hook)


@pytest.mark.parametrize("hook", MINIMAL)
def test_the_least_a_request_of_each_hook_may_hold_is_enough(hook: str) -> None:
    assert MINIMAL.keys() == CONTEXTS.keys()
    context = read_both(request(hook), hook)
    assert isinstance(context, CONTEXTS[hook])
    assert (context.patientId, context.encounterId) == ("1288992", None)


def test_fhir_inside_a_request_stays_as_it_was_sent() -> None:
    resource = b'{"resourceType":"Patient","id":"1","value":1.50}'
    body = request(prefetch={"patient": "HERE"}).replace(b'"HERE"', resource)
    prefetch = read_request(body).prefetch
    assert prefetch is not None
    assert bytes(prefetch["patient"]) == resource


def test_the_entries_of_a_bundle_are_counted_but_not_looked_at() -> None:
    context = read_both(request(context={**MINIMAL["order-select"], "draftOrders": {"entry": [None, 5, BUNDLE]}}))
    assert isinstance(context, OrderSelectContext)
    assert context.draftOrders.entry is not None
    assert [json.loads(bytes(entry)) for entry in context.draftOrders.entry] == [None, 5, BUNDLE]


@pytest.mark.parametrize("bundle", [{}, {"entry": None}, {"entry": []}, {"resourceType": "Bundle"}])
def test_a_bundle_may_be_empty_and_say_nothing_of_itself(bundle: dict[str, Any]) -> None:
    context = read_both(request(context={**MINIMAL["order-select"], "draftOrders": bundle}))
    assert not context.draftOrders.entry


@pytest.mark.parametrize("name", ["prefetch", "fhirServer", "fhirAuthorization"])
def test_null_for_an_optional_member_is_the_same_as_leaving_it_out(name: str) -> None:
    assert getattr(read_request(request(**{name: None})), name) is None
    assert getattr(read_request(request()), name) is None


def test_members_that_nobody_knows_are_tolerated_everywhere() -> None:
    context = {**MINIMAL["order-select"], "extension": {"org.example": 1}, "colour": "blue", "encounterId": "e1"}
    body = request(context=context, extension={"org.example": {"a": []}}, user="Practitioner/x", prefetch={"x": 5})
    assert read_both(body).encounterId == "e1"


@pytest.mark.parametrize("name", ["hook", "hookInstance", "context"])
def test_a_missing_required_member_is_named(name: str) -> None:
    with pytest.raises(NotConformant) as refused:
        read_request(request(**{name: ...}))
    assert (refused.value.status, refused.value.expression) == (422, f"$.{name}")
    assert refused.value.message == f"The required member $.{name} is missing."


@pytest.mark.parametrize(
    ("hook", "name"),
    [(hook, name) for hook, context in MINIMAL.items() for name in context],
)
def test_a_missing_required_member_of_the_context_is_named(hook: str, name: str) -> None:
    context = {key: value for key, value in MINIMAL[hook].items() if key != name}
    with pytest.raises(NotConformant) as refused:
        read_both(request(hook, context=context), hook)
    assert refused.value.expression == f"$.context.{name}"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"hook": 5}, "$.hook"),
        ({"hook": None}, "$.hook"),
        ({"hookInstance": None}, "$.hookInstance"),
        ({"prefetch": [1]}, "$.prefetch"),
        ({"fhirServer": 5}, "$.fhirServer"),
        ({"fhirAuthorization": "token"}, "$.fhirAuthorization"),
        ({"context": None}, "$.context"),
        ({"context": "x"}, "$.context"),
        ({"context": {**MINIMAL["order-select"], "patientId": 5}}, "$.context.patientId"),
        ({"context": {**MINIMAL["order-select"], "patientId": ""}}, "$.context.patientId"),
        ({"context": {**MINIMAL["order-select"], "userId": None}}, "$.context.userId"),
        ({"context": {**MINIMAL["order-select"], "selections": "MedicationRequest/rx-1"}}, "$.context.selections"),
        ({"context": {**MINIMAL["order-select"], "selections": ["a", 5]}}, "$.context.selections[1]"),
        ({"context": {**MINIMAL["order-select"], "draftOrders": [BUNDLE]}}, "$.context.draftOrders"),
        ({"context": {**MINIMAL["order-select"], "draftOrders": {"entry": {}}}}, "$.context.draftOrders.entry"),
        (
            {"context": {**MINIMAL["order-select"], "draftOrders": {"resourceType": "MedicationRequest"}}},
            "$.context.draftOrders",
        ),
    ],
)
def test_a_member_of_the_wrong_type_is_named_and_its_value_is_not_repeated(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(NotConformant) as refused:
        read_both(request(**changes))
    assert (refused.value.status, refused.value.expression) == (422, where)
    assert where in refused.value.message
    assert "rx-1" not in refused.value.message


ACCESS = {"access_token": "eyJ.a-b_c~d+e/f=", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}


@pytest.mark.parametrize(
    "authorization",
    [
        ACCESS,
        {"access_token": "t"},
        {**ACCESS, "patient": None, "expires_in": "300", "scope": ["patient/Observation.rs"]},
        {**ACCESS, "extension": {"com.example": {}}},
    ],
)
def test_of_the_access_to_the_server_only_the_token_is_needed(authorization: dict[str, Any]) -> None:
    read = read_request(request(fhirServer="https://fhir.example.org/r4", fhirAuthorization=authorization))
    assert read.fhirAuthorization is not None
    assert read.fhirAuthorization.access_token == authorization["access_token"]


@pytest.mark.parametrize(
    "authorization", [{}, {"access_token": None}, {"access_token": ""}, {"access_token": "a\r\nb"}]
)
def test_a_token_that_cannot_be_sent_is_named_and_not_repeated(authorization: dict[str, Any]) -> None:
    with pytest.raises(NotConformant) as refused:
        read_request(request(fhirServer="https://fhir.example.org/r4", fhirAuthorization=authorization))
    assert refused.value.expression == "$.fhirAuthorization.access_token"


@pytest.mark.parametrize("server", [..., None, ""])
def test_a_token_without_its_server_is_refused(server: Any) -> None:
    with pytest.raises(NotConformant) as refused:
        read_request(request(fhirServer=server, fhirAuthorization=ACCESS))
    assert refused.value.expression == "$.fhirServer"


def test_a_token_does_not_show_when_a_request_is_printed() -> None:
    read = read_request(request(fhirServer="https://fhir.example.org/r4", fhirAuthorization=ACCESS))
    console = Console(file=StringIO(), width=200)
    console.print(read, read.fhirAuthorization)
    file = console.file
    assert isinstance(file, StringIO)
    for shown in (repr(read), str(read.fhirAuthorization), f"{read}", file.getvalue()):
        assert "eyJ" not in shown


def test_a_request_for_another_hook_is_refused_with_what_to_do() -> None:
    with pytest.raises(NotConformant, match=r"answers the hook 'order-sign'.*discovery lists them") as refused:
        read_both(request("order-select"), "order-sign")
    assert refused.value.expression == "$.hook"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \n",
        b"{",
        b"hook=order-select",
        b"<html></html>",
        b'{"hook": NaN}',
        b"\xef\xbb\xbf",
        b'{"hook":"\xff"}',
        request(prefetch={"patient": "HERE"}).replace(b"HERE", b"M\xfcller"),
        request() + b"{}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=lambda body: body[:10].decode(errors="replace"),
)
def test_a_body_that_is_no_json_text_is_not_parsable(body: bytes) -> None:
    with pytest.raises(NotParsable) as refused:
        read_both(body)
    assert refused.value.status == 400
    assert refused.value.message.startswith("The request ")


json_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["hook", "context", "entry", "draftOrders", "patientId"]), inner, max_size=4),
    ),
    max_leaves=8,
)


def refusal(body: bytes) -> ServiceError | None:
    """The error of the service that refuses a body, None when it is read."""
    try:
        read_context(read_request(body), "order-select")
    except ServiceError as error:
        return error
    return None


@given(member=st.sampled_from(["hook", "hookInstance", "context", "prefetch", "fhirServer"]), value=json_values)
def test_any_json_in_place_of_any_member_is_read_or_refused_as_not_conformant(member: str, value: Any) -> None:
    error = refusal(request(**{member: value}))
    assert error is None or (isinstance(error, NotConformant) and error.expression.startswith("$."))


@given(body=st.one_of(st.binary(max_size=80), json_values.map(lambda value: json.dumps(value).encode())))
def test_any_body_that_is_no_request_is_refused_with_an_error_of_the_service(body: bytes) -> None:
    error = refusal(body)
    assert isinstance(error, NotParsable | NotConformant)
    assert error.message

"""The published schemas say what the service takes and sends: no more, no less."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from service.cdshooks.dialects import in_dialect
from service.cdshooks.feedback import read_feedback, without_empty
from service.cdshooks.messages import CONTEXTS, Action, Card, Response, Suggestion, operation_outcome
from service.cdshooks.reading import read_context, read_request
from service.cdshooks.schemas import MESSAGES, schemas
from service.cdshooks.services import Discovery, services
from service.decide import session_of
from service.engine.library import Library
from service.errors import NotConformant
from service.jsonio import encode
from tests.calls import Json
from tests.cdshooks.test_messages import card
from tests.conftest import FIXTURES, ROOT
from tests.feedback import ACCEPTED, OVERRIDDEN, feedback

Step = str | int
GONE = object()
REQUESTS = {
    hook: next(path for path in sorted(FIXTURES.glob(f"requests/{hook}/*.json")) if ".expected" not in path.name)
    for hook in CONTEXTS
}
PUBLISHED = schemas()
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in PUBLISHED.items()}
ENVELOPE = ("hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization")
VALUES: tuple[Any, ...] = (
    *(GONE, None, "", "x", 5, True, [], ["x"], [5], {}, {"a": 1}),
    *("Patient/", "Patient/p", {"resourceType": "List"}, {"resourceType": "Bundle", "entry": [{}, 5]}),
)


def test_every_schema_is_one() -> None:
    for schema in PUBLISHED.values():
        Draft202012Validator.check_schema(schema)


def test_there_is_one_for_discovery_for_each_hook_for_the_answer_and_for_errors() -> None:
    requests = {f"request-{hook}" for hook in CONTEXTS}
    assert PUBLISHED.keys() >= {"discovery", "response", "operation-outcome", *requests}


MEMBERS: dict[str, tuple[Any, ...]] = {
    "acceptedSuggestions": ([], None, [{}], [{"id": ""}], ["x"], [{"id": "x"}]),
    "overrideReason": (
        *({"reason": coding} for coding in (None, {}, {"code": ""}, {"code": "x"}, {"code": "x", "system": 5})),
        *({"reason": None, "userComment": comment} for comment in (None, "", "x", 5)),
        {"userComment": "x"},
    ),
    **{name: tuple(value for value in VALUES if value is not GONE) for name in ("card", "outcome", "outcomeTimestamp")},
}
FEEDBACK = [
    OVERRIDDEN,
    ACCEPTED,
    *({**said, name: value} for said in (OVERRIDDEN, ACCEPTED) for name, values in MEMBERS.items() for value in values),
    *({key: value for key, value in ACCEPTED.items() if key != name} for name in ACCEPTED),
]


def test_the_schema_of_feedback_takes_what_is_read_but_for_empty_members_and_nothing_else() -> None:
    for said in FEEDBACK:
        if said.get("outcomeTimestamp") in ("", "x", "Patient/", "Patient/p"):
            continue  # validators do not look at formats
        read = True
        try:
            read_feedback(feedback(said))
        except NotConformant:
            read = False
        valid = VALIDATORS["feedback"].is_valid({"feedback": [said]})
        assert read or not valid, said
        # Beyond the schema only members are taken that are empty, which count as absent.
        assert VALIDATORS["feedback"].is_valid({"feedback": [without_empty(said)]}) == read, said


def test_the_files_in_the_documentation_are_those_that_are_published() -> None:
    folder = ROOT / "docs/schemas"
    written = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")}
    assert written == PUBLISHED, "run: tolami schemas --write docs/schemas"


def test_the_identity_of_a_schema_is_its_address() -> None:
    served = schemas("https://cds.example.org/schemas/")
    assert {schema["$id"] for schema in served.values()} == {
        f"https://cds.example.org/schemas/{message.file}.json" for message in MESSAGES
    }


def test_every_reference_within_a_schema_leads_to_a_definition_and_every_definition_is_used() -> None:
    for name, schema in PUBLISHED.items():
        used = {ref.removeprefix("#/$defs/") for ref in _references(schema)}
        assert used == schema["$defs"].keys(), name


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref":
                yield item
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def paths(hook: str) -> Iterator[tuple[Step, ...]]:
    """Every member of a request that the protocol names."""
    yield ()
    yield from ((member,) for member in ENVELOPE)
    for field in msgspec.structs.fields(CONTEXTS[hook]):
        yield ("context", field.name)
        if field.name in ("draftOrders", "medications"):
            yield from (("context", field.name, member) for member in ("resourceType", "entry", "type"))
        if field.name == "selections":
            yield ("context", "selections", 0)
    yield from (("prefetch", "patient"), ("io.example.extra",), ("context", "io.example.extra"))


def changed(request: Json, path: tuple[Step, ...], value: Any) -> Any:
    if not path:
        return {} if value is GONE else value
    copy: Any = deepcopy(request)
    holder = copy
    for step in path[:-1]:
        holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict | list):
            return copy
    if isinstance(holder, list):
        holder[:] = [] if value is GONE else [value]
    elif value is GONE:
        holder.pop(path[-1], None)
    else:
        holder[str(path[-1])] = value
    return copy


def taken(request: Any, hook: str) -> bool:
    """True when the service takes this for a request of the hook."""
    try:
        read = read_request(json.dumps(request).encode())
        session_of(read, read_context(read, hook))
    except NotConformant:
        return False
    return True


@pytest.mark.parametrize("hook", CONTEXTS)
def test_what_the_schema_of_a_request_allows_is_what_the_service_takes(hook: str) -> None:
    request = json.loads(REQUESTS[hook].read_text(encoding="utf-8"))
    validator = VALIDATORS[f"request-{hook}"]
    verdicts = set()
    for path in paths(hook):
        for value in VALUES:
            tried = changed(request, path, value)
            if isinstance(tried, dict):  # anything else is no request at all: 400
                assert validator.is_valid(tried) == taken(tried, hook), (path, value)
                verdicts.add(taken(tried, hook))
    assert verdicts == {True, False}


def test_so_it_is_with_a_token_and_its_server() -> None:
    request = json.loads(REQUESTS["order-sign"].read_text(encoding="utf-8")) | {"fhirAuthorization": {}}
    for server in (*VALUES, "https://fhir.example.org/r4"):
        for token in (*VALUES, "abc", "two words"):
            tried = changed(changed(request, ("fhirServer",), server), ("fhirAuthorization", "access_token"), token)
            accepted = VALIDATORS["request-order-sign"].is_valid(tried)
            assert accepted == taken(tried, "order-sign"), (server, token)


@settings(max_examples=150)
@given(data=st.data(), hook=st.sampled_from(sorted(CONTEXTS)))
def test_so_it_is_when_several_members_are_changed(data: st.DataObject, hook: str) -> None:
    request = json.loads(REQUESTS[hook].read_text(encoding="utf-8"))
    members = st.sampled_from(sorted(filter(None, paths(hook)), key=str))
    for path in data.draw(st.lists(members, min_size=2, max_size=4)):
        request = changed(request, path, data.draw(st.sampled_from(VALUES)))
    assert VALIDATORS[f"request-{hook}"].is_valid(request) == taken(request, hook)


@pytest.mark.parametrize("hook", CONTEXTS)
def test_a_request_of_one_hook_is_none_of_another(hook: str) -> None:
    request = json.loads(REQUESTS[hook].read_text(encoding="utf-8"))
    fits = {other for other in CONTEXTS if VALIDATORS[f"request-{other}"].is_valid(request)}
    assert fits == {hook}


def test_discovery_is_as_published(library: Library) -> None:
    sent = json.loads(encode(Discovery(services(library.plan.services, library.terminology.loinc))))
    VALIDATORS["discovery"].validate(sent)
    nothing: tuple[Any, ...] = ("", None, {}, [])
    for member in ("title", "version", "prefetch", "id"):
        for value in nothing:
            broken = deepcopy(sent)
            broken["services"][0][member] = value
            assert not VALIDATORS["discovery"].is_valid(broken), (member, value)


def test_an_error_is_as_published() -> None:
    sent = json.loads(operation_outcome("invalid", "Do this.", "$.context.userId"))
    VALIDATORS["operation-outcome"].validate(sent)
    assert sent["issue"][0]["expression"] == ["context.userId"]
    VALIDATORS["operation-outcome"].validate(json.loads(operation_outcome("invalid", "Do this.")))
    for broken in ({**sent, "issue": []}, {**sent, "resourceType": "Patient"}, {**sent, "text": None}):
        assert not VALIDATORS["operation-outcome"].is_valid(broken)


UUID = "00000000-0000-4000-8000-000000000009"
DELETE = Action("delete", "Removes it.", resourceId="MedicationRequest/rx-1")
UPDATE = Action("update", "Lowers it.", resource={"resourceType": "MedicationRequest"})


def answer(*suggestions: Suggestion) -> Json:
    members: dict[str, Any] = {"suggestions": list(suggestions), "selectionBehavior": "any"} if suggestions else {}
    sent: Json = json.loads(encode(Response([card(**members)])))
    return sent


@pytest.mark.parametrize("dialect", [None, "1.0", "2.0", "3.0"])
def test_an_answer_in_every_dialect_is_as_published(dialect: Any) -> None:
    full = card(suggestions=[Suggestion("a", UUID, [DELETE, UPDATE]), Suggestion("b", UUID, [UPDATE])])
    full.selectionBehavior = "any"
    sent = in_dialect(Response([full, card()]), dialect, lambda _: "By hand.")
    VALIDATORS["response"].validate(json.loads(encode(sent)))


def broken_card(**changes: Any) -> Json:
    sent = answer(Suggestion("a", UUID, [UPDATE]))
    for member, value in changes.items():
        if value is GONE:
            del sent["cards"][0][member]
        else:
            sent["cards"][0][member] = value
    return sent


def broken_action(**changes: Any) -> Json:
    sent = answer(Suggestion("a", UUID, [UPDATE]))
    action = {"type": "delete", "description": "Removes it.", **changes}
    sent["cards"][0]["suggestions"][0]["actions"] = [action]
    return sent


BROKEN = {
    "no cards": {},
    "cards that are null": {"cards": None},
    "a long summary": broken_card(summary="x" * 140),
    "an empty summary": broken_card(summary=""),
    "no summary": broken_card(summary=GONE),
    "no source": broken_card(source=GONE),
    "a source without a label": broken_card(source={"url": "https://example.org"}),
    "a source with a relative address": broken_card(source={"label": "a", "url": "/guidance"}),
    "another indicator": broken_card(indicator="hard-stop"),
    "an empty detail": broken_card(detail=""),
    "a member that is null": broken_card(overrideReasons=None),
    "a member of another release that is null": broken_card(systemActions=None),
    "no reasons": broken_card(overrideReasons=[]),
    "a reason without display": broken_card(overrideReasons=[{"code": "a", "system": "https://example.org"}]),
    "suggestions without selectionBehavior": broken_card(selectionBehavior=GONE),
    "selectionBehavior without suggestions": broken_card(suggestions=GONE),
    "no suggestions": broken_card(suggestions=[]),
    "a link without a type": broken_card(links=[{"label": "a", "url": "https://example.org"}]),
    "a relative link": broken_card(links=[{"label": "a", "url": "guidance", "type": "absolute"}]),
    "an extension that is no object": broken_card(extension="x"),
    "an extension without its card": broken_card(extension={"io.github.tolami": {"rule": "R01", "guidance": "1"}}),
    "an uuid that is none": broken_card(uuid="1"),
    "a delete of nothing": broken_action(),
    "a delete in both ways": broken_action(resource="MedicationRequest/a", resourceId="MedicationRequest/a"),
    "a delete of a resource": broken_action(resource={"resourceType": "MedicationRequest"}),
    "a delete of an id without a type": broken_action(resourceId="a"),
    "an update of nothing": broken_action(type="update"),
    "an update of a reference": broken_action(type="update", resource="MedicationRequest/a"),
    "an update of no resource": broken_action(type="update", resource={"id": "a"}),
    "a create with an id beside it": broken_action(
        type="create", resource={"resourceType": "MedicationRequest"}, resourceId="MedicationRequest/a"
    ),
    "an action of another type": broken_action(type="patch", resource={"resourceType": "MedicationRequest"}),
    "an action without a description": broken_action(resourceId="MedicationRequest/a", description=""),
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_breaks_a_rule_is_not_as_published(sent: Json) -> None:
    VALIDATORS["response"].validate(answer(Suggestion("a", UUID, [UPDATE])))
    with pytest.raises(ValidationError):
        VALIDATORS["response"].validate(sent)


def test_an_answer_may_gain_members_and_no_cards_is_an_answer() -> None:
    VALIDATORS["response"].validate({"cards": []})
    VALIDATORS["response"].validate(broken_card(isRecommended=True))


def test_every_member_of_a_card_is_described() -> None:
    described = PUBLISHED["response"]["$defs"]
    for message in (Card, Action, Suggestion):
        members = {field.encode_name for field in msgspec.structs.fields(message)}
        assert described[message.__name__]["properties"].keys() == members

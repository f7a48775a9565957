"""Lists are decoded into what is read of them, and nothing that is read is left out."""

import json
from typing import Any, ClassVar

import pytest

from service.cli.answers import InProcess, Request, find
from service.engine.library import Library
from service.fhir import members, prefetch
from service.fhir.as_r4 import singled
from service.fhir.bundles import decoded
from service.fhir.members import MEMBERS, list_of
from tests.conftest import FIXTURES, TODAY
from tests.fhir.translated import VERSIONS, request_in

REQUESTS = sorted(find([FIXTURES / "requests"]))


class Asked(dict[str, Any]):
    """A resource that remembers which of its members were asked for."""

    names: ClassVar[set[str]] = set()

    def get(self, name: str, otherwise: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, otherwise)

    def __getitem__(self, name: str) -> Any:
        self.names.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)


def whole(raw: bytes) -> Any:
    """A list with all that was sent, remembering what is read of it."""
    bundle = decoded(raw)
    if bundle is None or bundle["resourceType"] != "Bundle":
        return bundle
    for entry in bundle.get("entry", ()):
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
            entry["resource"] = Asked(singled(entry["resource"]))
    return bundle


def test_every_member_that_is_read_of_a_list_is_decoded(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = [json.loads(path.read_text(encoding="utf-8")) for path in REQUESTS]
    sent = [*requests, *(request_in(version, request) for request in requests[::5] for version in VERSIONS)]
    calls = [Request(REQUESTS[0], json.dumps(each).encode(), each["hook"], None) for each in sent]
    here = InProcess(library)
    recurring: dict[bytes, Any] = {}
    monkeypatch.setattr(members, "_recurring", lambda raw: recurring.setdefault(raw, members._value(raw)))
    lean = [here.answer(each, TODAY).cards for each in calls]
    assert recurring == {raw: members._value(raw) for raw in recurring}, "what is shared must not be changed"
    Asked.names.clear()
    monkeypatch.setattr(prefetch, "list_of", whole)
    assert [here.answer(each, TODAY).cards for each in calls] == lean
    assert Asked.names - MEMBERS == set()
    assert {"medicationCodeableConcept", "onsetDateTime", "valueQuantity", "dosageInstruction"} <= Asked.names


def sent(*entries: Any, **others: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "entry": entries, **others}).encode()


PROBLEM = {"resourceType": "Condition", "code": {"text": "Asthma", "extension": [{"url": "x"}]}}


def test_what_nobody_asks_for_is_not_decoded() -> None:
    noisy = {**PROBLEM, "meta": {"profile": ["x"]}, "text": {"div": "x"}}
    assert list_of(sent({"fullUrl": "urn:uuid:1", "resource": noisy, "id": "7"}, total=1, id="9")) == {
        "resourceType": "Bundle",
        "total": 1,
        "entry": [{"fullUrl": "urn:uuid:1", "resource": {**PROBLEM, "meta": {}}}],
    }


@pytest.mark.parametrize(
    "content",
    [
        sent(PROBLEM),
        sent({"resource": PROBLEM}, None),
        sent({"resource": None}),
        sent({"resource": [PROBLEM]}),
        json.dumps(PROBLEM).encode(),
        b'{"resourceType": "Bundle", "entry": {"resource": {}}}',
        b'{"resourceType": "Bundle", "entry": [{"resource": {"id": 1e}}]}',
        b'{"resourceType": "Bundle", "id": "\xff", "entry": []}',
        b"[]",
        b"null",
        b'{"resourceType": "Bundle", "entry": [{"resource": ' + b'{"code": ' * 5000 + b"1" + b"}" * 5002 + b"]}",
    ],
)
def test_what_is_no_list_of_plain_entries_is_left_to_the_tolerant_reader(content: bytes) -> None:
    assert list_of(content) is None

"""Every recorded request and answer is as the published schemas say, and what is suggested is valid FHIR."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from service.cdshooks.schemas import schemas
from service.cli.answers import GUIDANCE, PUBLIC_URL, InProcess, find, read
from service.engine.library import Library
from service.engine.rendering import LOCAL
from service.fhir.versions import version_of
from service.jsonio import decode, encode
from service.trust.clients import Dialect
from tests.calls import Json
from tests.conftest import FIXTURES, TODAY
from tests.fhir.validity import faults

REQUESTS = sorted(find([FIXTURES / "requests"]))
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in schemas().items()}
UUID = "00000000-0000-4000-8000-000000000001"


def recorded(path: Path) -> tuple[int, Json]:
    """Status and body of the answer recorded for a request, placeholders filled in."""
    expected = read(path).expected
    assert expected is not None
    text = json.dumps(expected.body).replace(PUBLIC_URL, LOCAL).replace(GUIDANCE, "1.0.0")
    for number in range(40):
        text = text.replace(f"<uuid {number}>", UUID)
    return expected.status, json.loads(text)


def test_every_recorded_answer_is_as_published() -> None:
    """These are the answers to a client of no dialect: test_fixtures compares them."""
    for path in REQUESTS:
        status, body = recorded(path)
        refused = VALIDATORS["response" if status == 200 else "operation-outcome"].iter_errors(body)
        assert [error.message for error in refused] == [], path.stem


def test_a_request_that_is_taken_is_as_published_and_one_that_is_refused_is_not() -> None:
    for path in REQUESTS:
        request = read(path)
        status, body = recorded(path)
        conformant = VALIDATORS[f"request-{request.hook}"].is_valid(json.loads(request.body))
        of_selections = status == 422 and body["issue"][0]["expression"] == ["context.selections"]
        assert conformant == (status in (200, 412) or of_selections), path.stem


def suggested(library: Library, dialect: Dialect) -> Iterator[tuple[Path, Json]]:
    """Every resource that is suggested for a recorded request, as the client gets it."""
    answering = InProcess(library, dialect)
    for path in REQUESTS:
        for card in answering.answer(read(path), TODAY).cards:
            for suggestion in card.get("suggestions", ()):
                for action in suggestion["actions"]:
                    if isinstance(action.get("resource"), dict):
                        yield path, action["resource"]


@pytest.mark.parametrize("dialect", ["1.0", "2.0"])
def test_every_answer_in_every_dialect_is_as_published(library: Library, dialect: Dialect) -> None:
    answering = InProcess(library, dialect)
    for path in REQUESTS:
        answer = answering.answer(read(path), TODAY)
        if answer.status == 200:
            VALIDATORS["response"].validate(answer.body)


def test_every_resource_that_is_suggested_is_valid_fhir_of_its_version(library: Library) -> None:
    versions = []
    for path, resource in suggested(library, "2.0"):
        exact: Any = decode(encode(resource))
        version = version_of([exact])
        versions.append(version)
        assert faults(version, exact) == [], path
    assert len(versions) > 20
    assert {"DSTU2", "STU3", "R4"} <= set(versions)

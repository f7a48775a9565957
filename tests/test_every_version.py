"""The same clinical content gets the same cards in every FHIR version, and suggestions come back in that version."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from service.cli.answers import Answer, InProcess, Request, find
from service.engine.library import Library
from tests.conftest import FIXTURES, TODAY
from tests.fhir.translated import VERSIONS, Json, alternating, request_in, resource_in, resources
from tests.fhir.translated.r4 import in_r4
from tests.fhir.validity import faults

REQUESTS = sorted(find([FIXTURES / "requests"]))

DIFFERENT = {
    ("amitriptyline-steps-of-unstated-length", "DSTU2"): "DSTU2 has no sequence: without dates the steps are added up",
    ("amitriptyline-stopped-for-allergy", "STU3"): "STU3 has no reason of a status: why treatment ends is not told",
    ("amitriptyline-stopped-for-dry-mouth", "STU3"): "as above",
    ("amitriptyline-stopped-for-qt-prolongation-in-words", "STU3"): "as above",
    ("amitriptyline-stopped-for-nortriptyline-in-words", "STU3"): "as above",
}
"""The only fixtures that cannot say the same in a version, and why."""

SAYING_THE_SAME = [path for path in REQUESTS if path.stem not in {stem for stem, _ in DIFFERENT}]

UNTOLD = {
    ("amitriptyline-only-in-german-words", "STU3"): "the dose is in words, and no member is STU3's own: R4 is taken",
}
"""Fixtures whose version cannot be told in a version, so that a new order comes back in R4."""

MIXED = {
    "R5 orders, STU3 lists": lambda request: request_in("R5", request, "STU3"),
    "STU3 orders, R4 lists": lambda request: request_in("STU3", request, "R4"),
    "R4 orders, R5 lists": lambda request: request_in("R4", request, "R5"),
    "R5, STU3, R4 and DSTU2 in turn": lambda request: alternating(request, ["R5", "STU3", "R4", "DSTU2"]),
}


@pytest.fixture(scope="session")
def here(library: Library) -> InProcess:
    return InProcess(library)


@pytest.fixture(scope="session")
def as_sent(here: InProcess) -> Callable[[Path], list[Any]]:
    """What is said to a fixture as it is, worked out once."""
    return cache(lambda path: said(answer_to(read(path), here)))


@pytest.fixture(scope="session")
def in_version(here: InProcess) -> Callable[[str, Path], Answer]:
    """The answer to a fixture in a version, worked out once."""
    return cache(lambda version, path: answer_to(request_in(version, read(path)), here))


def answer_to(request: Json, here: InProcess) -> Answer:
    return here.answer(Request(Path("request.json"), json.dumps(request).encode(), request["hook"], None), TODAY)


def said(answer: Answer) -> list[Any]:
    """Everything that a clinician sees of an answer; the type of DSTU2's orders apart, which their references name."""
    body = json.loads(json.dumps(answer.body).replace("MedicationOrder/", "MedicationRequest/"))
    cards = Answer(answer.status, body).cards
    offered = [
        [(s["label"], [(a["type"], a["description"]) for a in s["actions"]]) for s in card.get("suggestions", [])]
        for card in cards
    ]
    parts = ("summary", "indicator", "detail", "extension", "overrideReasons")
    return [answer.status, [[card.get(part) for part in parts] for card in cards], offered, body.get("issue")]


def written(answer: Answer) -> Iterator[Json]:
    """The resources of all suggestions."""
    for card in answer.cards:
        for suggestion in card.get("suggestions", []):
            yield from (action["resource"] for action in suggestion["actions"] if "resource" in action)


def read(path: Path) -> Json:
    request: Json = json.loads(path.read_text(encoding="utf-8"))
    return request


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_content_gets_the_same_cards_in_every_version(
    version: str, in_version: Callable[[str, Path], Answer], as_sent: Callable[[Path], list[Any]]
) -> None:
    different = {path.stem for path in REQUESTS if said(in_version(version, path)) != as_sent(path)}
    assert different == {stem for stem, other in DIFFERENT if other == version}


@pytest.mark.parametrize("mix", MIXED)
def test_versions_may_be_mixed_freely_in_one_request(
    mix: str, here: InProcess, as_sent: Callable[[Path], list[Any]]
) -> None:
    different = [
        path.stem for path in SAYING_THE_SAME if said(answer_to(MIXED[mix](read(path)), here)) != as_sent(path)
    ]
    assert different == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_translated_request_is_valid_in_its_version(version: str) -> None:
    invalid = {}
    for path in REQUESTS:
        for resource in resources(read(path)):
            if resource["resourceType"] == "OperationOutcome" or faults("R4", in_r4(json.loads(json.dumps(resource)))):
                continue  # the same in every version, or invalid on purpose
            invalid[path.stem] = faults(version, resource_in(version, resource))
    assert {stem: found for stem, found in invalid.items() if found} == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_suggestion_is_valid_in_the_version_of_the_call(
    version: str, in_version: Callable[[str, Path], Answer]
) -> None:
    kinds = set()
    for path in REQUESTS:
        for resource in written(in_version(version, path)):
            expected = "R4" if (path.stem, version) in UNTOLD else version
            assert faults(expected, resource) == [], path.stem
            kinds |= {resource["resourceType"]} if expected == version else set()
    order = "MedicationOrder" if version == "DSTU2" else "MedicationRequest"
    assert kinds == {order, "ProcedureRequest" if version in ("DSTU2", "STU3") else "ServiceRequest"}

"""Each client gets what its release of CDS Hooks knows (C-083, C-093 … C-095, L-14)."""

import json
from pathlib import Path

import pytest

from tests.conformance.calls import Json
from tests.conftest import FIXTURES
from tests.serving import serving, session

DRAFTED_TWICE = FIXTURES / "requests/order-sign/amitriptyline-drafted-twice.json"
"""One of two drafts of the same drug is offered to be deleted."""


def answered(folder: Path, dialect: str) -> list[Json]:
    """The cards that a client of this release gets for the two drafts."""
    (folder / "trust.toml").write_text(f'[[client]]\nname = "EHR"\ndialect = "{dialect}"\n', encoding="utf-8")
    with serving(folder, "--workers", "1", settings={"TOLAMI_TRUST_FILE": "trust.toml"}) as served, session() as client:
        url = f"{served.url}/cds-services/order-sign"
        headers = {"Content-Type": "application/json"}
        answer = client.post(url, data=DRAFTED_TWICE.read_bytes(), headers=headers, timeout=20)
    found: list[Json] = json.loads(answer.content)["cards"]
    return found


@pytest.fixture(scope="module")
def first_release(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    return answered(tmp_path_factory.mktemp("first"), "1.0")


@pytest.fixture(scope="module")
def second_release(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    return answered(tmp_path_factory.mktemp("second"), "2.0")


def deletes(cards: list[Json]) -> list[Json]:
    suggestions = [suggestion for card in cards for suggestion in card.get("suggestions", [])]
    return [action for suggestion in suggestions for action in suggestion["actions"] if action["type"] == "delete"]


@pytest.mark.conformance("C-095", "C-083", "L-14")
def test_a_client_of_1_0_reads_the_order_to_delete_in_resource(first_release: list[Json]) -> None:
    (action,) = deletes(first_release)
    assert action["resource"].startswith("MedicationRequest/")
    assert "resourceId" not in action
    assert all(card.get("selectionBehavior", "at-most-one") == "at-most-one" for card in first_release)
    assert all("overrideReasons" not in card for card in first_release)


@pytest.mark.conformance("C-093", "C-094", "L-14")
def test_a_client_of_2_0_reads_it_in_resource_id(second_release: list[Json], first_release: list[Json]) -> None:
    (action,) = deletes(second_release)
    assert action["resourceId"] == deletes(first_release)[0]["resource"]
    assert "resource" not in action

"""Each client gets what its release of CDS Hooks knows (C-083, C-093 … C-095, L-14)."""

from pathlib import Path

import pytest

from service.app import create_app
from service.engine.library import Library
from service.settings import Settings
from tests.conformance.calls import Json
from tests.conftest import FIXTURES, TODAY

DRAFTED_TWICE = FIXTURES / "requests/order-sign/amitriptyline-drafted-twice.json"
"""One of two drafts of the same drug is offered to be deleted."""


def answered(folder: Path, dialect: str, library: Library) -> list[Json]:
    """The cards that a client of this release gets for the two drafts."""
    trust = folder / "trust.toml"
    trust.write_text(f'[[client]]\nname = "EHR"\ndialect = "{dialect}"\n', encoding="utf-8")
    client = create_app(Settings(trust_file=trust), library, lambda: TODAY).test_client()
    answer = client.post("/cds-services/order-sign", data=DRAFTED_TWICE.read_bytes(), content_type="application/json")
    found: list[Json] = answer.get_json()["cards"]
    return found


@pytest.fixture
def first_release(tmp_path: Path, library: Library) -> list[Json]:
    return answered(tmp_path, "1.0", library)


@pytest.fixture
def second_release(tmp_path: Path, library: Library) -> list[Json]:
    return answered(tmp_path, "2.0", library)


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

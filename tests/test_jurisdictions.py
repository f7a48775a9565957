"""What a jurisdiction changes, over HTTP: the same request to services whose trust file names another one."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
import requests

from service.app import create_app
from service.engine.library import Library
from service.settings import Settings
from service.trust.clients import Jurisdiction
from tests.calls import Json, by_id
from tests.cli.test_answers import serving
from tests.conftest import FIXTURES, TODAY

INDICATION = ("order-sign/tolperisone-150-mg-three-times-a-day", "tolperisone-indication")
RHYTHM = ("patient-view/amitriptyline-taken-with-atrial-fibrillation", "amitriptyline-and-the-heart")
OLD_INFARCTION = ("order-sign/amitriptyline-after-old-heart-attack", "amitriptyline-and-the-heart")
LIVER = ("order-sign/amitriptyline-with-decompensated-cirrhosis", "amitriptyline-and-other-conditions")
MAO_B = ("order-select/amitriptyline-for-patient-on-rasagiline", "amitriptyline-with-maoi")
FIBROMYALGIA = ("order-sign/amitriptyline-in-fibromyalgia-with-enlarged-prostate", "other-options")

EU_WORDS = "the EU has it for spasticity after stroke only"
NO_PREGABALIN = "Consider another drug than amitriptyline: duloxetine\n"
PREGABALIN = "Consider another drug than amitriptyline: duloxetine and pregabalin\n"

EXPECTED: dict[tuple[str, str], dict[str, tuple[str, str]]] = {
    INDICATION: {
        "eu": ("warning", EU_WORDS),
        "uk": ("warning", EU_WORDS),
        "us": ("warning", "it is not approved in the US"),
        "ch": ("warning", "Switzerland has it for spasticity only"),
        "other": ("info", EU_WORDS),
    },
    RHYTHM: {
        "eu": ("critical", "European labels contraindicate"),
        "uk": ("critical", "European labels contraindicate"),
        "us": ("warning", "Check ECG and blood pressure"),
        "ch": ("critical", "European labels contraindicate"),
        "other": ("critical", "European labels contraindicate"),
    },
    OLD_INFARCTION: {
        "eu": ("critical", "Do not give amitriptyline"),
        "uk": ("critical", "Do not give amitriptyline"),
        "us": ("warning", "Check ECG and blood pressure"),
        "ch": ("critical", "Do not give amitriptyline"),
        "other": ("critical", "Do not give amitriptyline"),
    },
    LIVER: {
        "eu": ("critical", "Do not give amitriptyline"),
        "uk": ("critical", "Do not give amitriptyline"),
        "us": ("warning", "Weigh the risk of amitriptyline"),
        "ch": ("critical", "Do not give amitriptyline"),
        "other": ("critical", "Do not give amitriptyline"),
    },
    MAO_B: dict.fromkeys(get_args(Jurisdiction), ("critical", "labels contraindicate it")),
    FIBROMYALGIA: {
        "eu": ("info", NO_PREGABALIN),
        "uk": ("info", NO_PREGABALIN),
        "us": ("info", PREGABALIN),
        "ch": ("info", NO_PREGABALIN),
        "other": ("info", NO_PREGABALIN),
    },
}
"""Of a fixture and its card: the urgency under each jurisdiction, and words that stand on the card."""


def served(folder: Path, library: Library, service: str, client: str | None) -> Iterator[str]:
    """A running service of one jurisdiction whose callers without a token have another, or none of their own."""
    file = folder / "trust.toml"
    own = f'jurisdiction = "{client}"\n' if client else ""
    file.write_text(f'[[client]]\nname = "Everybody"\n{own}', encoding="utf-8")
    settings = Settings.model_validate({"trust_file": file, "jurisdiction": service})
    with serving(create_app(settings, library, lambda: TODAY)) as url:
        yield url


@pytest.fixture(scope="module", params=get_args(Jurisdiction))
def client_of(
    request: pytest.FixtureRequest, library: Library, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """The jurisdiction that the trust file gives the caller, and the address of the service, which has another."""
    jurisdiction: str = request.param
    service = "ch" if jurisdiction == "us" else "us"
    for url in served(tmp_path_factory.mktemp("trust"), library, service, jurisdiction):
        yield jurisdiction, url


def card_over_http(url: str, fixture: str, card: str) -> Json:
    body = (FIXTURES / f"requests/{fixture}.json").read_bytes()
    with requests.Session() as session:
        session.trust_env = False  # no proxy for 127.0.0.1, whatever the environment says
        answer = session.post(
            f"{url}/cds-services/{fixture.partition('/')[0]}",
            data=body,
            headers={"Content-Type": "application/json"},
            timeout=60,
        )
    assert answer.status_code == 200
    return by_id(answer.json()["cards"])[card]


@pytest.mark.parametrize(("fixture", "card"), EXPECTED, ids=lambda value: value.rpartition("/")[2])
def test_the_jurisdiction_of_the_client_decides_urgency_and_words(
    client_of: tuple[str, str], fixture: str, card: str
) -> None:
    jurisdiction, url = client_of
    indicator, words = EXPECTED[fixture, card][jurisdiction]
    shown = card_over_http(url, fixture, card)
    assert shown["indicator"] == indicator
    assert words in f"{shown['summary']}\n{shown['detail']}"


def test_a_client_without_a_jurisdiction_has_that_of_the_service(library: Library, tmp_path: Path) -> None:
    for url in served(tmp_path, library, "ch", None):
        assert "Switzerland has it" in card_over_http(url, *INDICATION)["summary"]

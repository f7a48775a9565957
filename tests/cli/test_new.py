"""What authors start with: a card that is named until it is written, and a request made from words."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from click.testing import Result

from service.cli.new import write_card
from service.cli.output import Refused
from service.engine.check import deep_faults
from service.engine.guideline import Guideline
from service.engine.loading import load
from service.files import FaultyLibrary
from service.guidance.registry import RULES
from tests.conftest import ROOT, TODAY

Tolami = Callable[..., CompletedProcess[str]]
Here = Callable[..., Result]
START = "from service.cli.main import main; main()"
DAY = ("--today", "2026-11-28")
PAIR = (
    *("new", "fixture", "pair-at-72", "--hook", "order-select", "--patient", "72/female", *DAY),
    *("--draft", "amitriptyline 25 mg tablet: 1 tablet at bedtime"),
    *("--on-list", "tolperisone 150 mg tablet: 1 tablet three times a day"),
    *("--condition", "epilepsy", "--condition", "http://snomed.info/sct|84757009", "--condition", "wants to sleep"),
    *("--observation", "qtc-bazett 520 ms", "--observation", "cyp2d6-phenotype poor metaboliser"),
)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The project's folder with what is served, compiled."""
    for part in ("service", "cards"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


@pytest.fixture
def tolami(checkout: Path) -> Tolami:
    """Runs the command in that folder as a user does."""

    def run(*arguments: str) -> CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(checkout), "COLUMNS": "200"}
        command = [sys.executable, "-c", START, *arguments]
        return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def here(tmp_path: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command in this process, in a folder for requests that has none yet."""
    for hook in ("order-select", "order-sign", "patient-view"):
        (tmp_path / "fhir_fixtures" / "requests" / hook).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return run


def test_a_new_card_is_named_by_check_until_it_is_written_ranked_and_raised(tolami: Tolami, checkout: Path) -> None:
    written = tolami("new", "card", "safety/glaucoma-drops")
    assert written.returncode == 0
    assert "service/guidance/" in written.stdout
    assert "guideline.yaml" in written.stdout
    file = checkout / "cards" / "safety" / "glaucoma-drops.md"
    found = tolami("check")
    assert found.returncode == 1
    faults = [line for line in found.stderr.splitlines() if line.startswith("safety/glaucoma-drops.md")]
    for part in ("title: ", "says: ", "topic: ", "sources: ", "examples: ", "raised_when: "):
        assert any(part in fault and "still to be written" in fault for fault in faults), part
    for section in ("summary", "detail", "line", "evidence"):
        assert any(f": section '## {section}': still to be written" in fault for fault in faults), section
    model = next((checkout / "cards" / "safety").glob("a*.md"))
    text = model.read_text("utf-8").replace(f"id: {model.stem}\n", "id: glaucoma-drops\n")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyLibrary, match="ranking: 'glaucoma-drops' is missing"):
        load(checkout / "cards")
    guideline = checkout / "cards" / "guideline.yaml"
    guideline.write_text(guideline.read_text("utf-8").replace("\nranking:\n", "\nranking:\n  - glaucoma-drops\n"))
    (fault, *_) = deep_faults(Guideline(load(checkout / "cards"), RULES), checkout / "cards")
    assert "no rule raises this card" in str(fault)


def test_no_card_is_overwritten_unless_told_to(tmp_path: Path) -> None:
    write_card("eyes/glaucoma-drops", None, TODAY, tmp_path)
    file = tmp_path / "eyes" / "glaucoma-drops.md"
    file.write_text("mine", encoding="utf-8")
    for name in ("eyes/glaucoma-drops", "safety/glaucoma-drops"):
        with pytest.raises(Refused, match=r"eyes/glaucoma-drops\.md already exists"):
            write_card(name, None, TODAY, tmp_path)
    assert file.read_text("utf-8") == "mine"
    assert write_card("eyes/glaucoma-drops", "R77", TODAY, tmp_path, force=True)[0] == file
    assert "\nrule: R77\n" in file.read_text("utf-8")


def test_the_number_of_a_rule_is_taken_once_however_it_is_written(tmp_path: Path) -> None:
    for name, rule, written in (("a", "R5", "R05"), ("b", None, "R06"), ("c", "X5", "X5")):
        path, _ = write_card(f"eyes/{name}", rule, TODAY, tmp_path)
        assert f"\nrule: {written}\n" in path.read_text("utf-8")
    for rule in ("R5", "R05", "X5"):
        with pytest.raises(Refused, match=f"--rule {'X5' if rule == 'X5' else 'R05'} is that of"):
            write_card("eyes/d", rule, TODAY, tmp_path)


@pytest.mark.parametrize("day", ["0050-01-05", "9999-12-31"])
def test_a_day_on_which_nobody_has_an_age_is_refused(here: Here, day: str) -> None:
    refused = here(*PAIR, "--today", day)
    assert refused.exit_code == 2
    assert f"{day} lies outside 1900-01-01 to 2999-12-31" in refused.output


@pytest.mark.parametrize("name", ["glaucoma", "Eyes/Drops", "../up/here", "terminology/drops", "eyes/drops.md"])
def test_a_card_has_a_subject_and_an_id(run: Here, name: str) -> None:
    refused = run("new", "card", name)
    assert refused.exit_code == 2
    assert "SUBJECT/ID" in refused.output


def test_a_new_fixture_is_answered_recorded_and_replayed(here: Here, tmp_path: Path) -> None:
    written = here(*PAIR)
    assert written.exit_code == 0, written.output
    path = "fhir_fixtures/requests/order-select/pair-at-72.json"
    (line,) = [line.strip() for line in written.output.splitlines() if "--update" in line]
    assert line == f"tolami replay {path} --update --today 2026-11-28"
    assert "tolperisone" in written.output
    assert "QTc 520 ms" in written.output
    request = json.loads((tmp_path / path).read_bytes())
    (draft,) = (entry["resource"] for entry in request["context"]["draftOrders"]["entry"])
    assert request["context"]["selections"] == [f"MedicationRequest/{draft['id']}"]
    assert draft["medicationCodeableConcept"]["coding"][0]["code"] == "856834"
    assert request["prefetch"]["patient"]["birthDate"] == "1954-11-01"
    assert [bundle["total"] for bundle in (request["prefetch"][key] for key in ("conditions", "observations"))] == [
        3,
        2,
    ]
    assert here(*line.split()[1:]).exit_code == 0
    replayed = here("replay", path)
    assert replayed.exit_code == 0
    assert "1 agree" in replayed.output


def test_no_fixture_is_overwritten_unless_told_to(here: Here) -> None:
    assert here(*PAIR).exit_code == 0
    again = here(*PAIR)
    assert again.exit_code == 2
    assert "--force" in again.output
    assert here(*PAIR, "--force").exit_code == 0


def test_a_chart_that_is_opened_has_no_draft(here: Here) -> None:
    opened = ("new", "fixture", "chart", "--hook", "patient-view", "--patient", "40/male", *DAY)
    both = ("--on-list", "amitriptyline 25 mg tablet: 25 mg at night", "--on-list", "tolperisone 150 mg tablet: 1-0-1")
    written = here(*opened, *both)
    assert written.exit_code == 0, written.output
    refused = here(*opened, "--draft", "amitriptyline 25 mg tablet", "--force")
    assert refused.exit_code == 2
    assert "leave --draft out" in refused.output


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--draft", "amitryptalon 25 mg: 1 at night"), "is not a drug of cards/terminology/drugs"),
        (("--draft", "amitriptylin 25 mg tablet: now and then"), "now and then' gives no daily dose"),
        (("--draft", "amitriptyline: 1 tablet at bedtime"), "Write the strength beside the drug"),
        (("--draft", "amitriptyline with tolperisone"), "names several drugs (amitriptyline, tolperisone)"),
        ((), "name one with --draft"),
        (("--draft", "amitriptyline 25 mg", "--condition", "epilepsy-of-old"), "no such set"),
        (("--draft", "amitriptyline 25 mg", "--condition", "nowhere|1"), "SYSTEM|CODE"),
        (("--draft", "amitriptyline 25 mg", "--observation", "qtc 480"), "Near: qtc-bazett"),
        (("--draft", "amitriptyline 25 mg", "--patient", "old/female"), "such as 72/female"),
    ],
)
def test_words_that_make_no_request_are_named_with_what_to_write(
    here: Here, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    refused = here("new", "fixture", "x", "--hook", "order-sign", "--patient", "50/male", *more)
    assert refused.exit_code == 2
    assert said in refused.output
    assert list((tmp_path / "fhir_fixtures").rglob("*.json")) == []

"""A folder of anybody's files is replayed, counted, and its exit code says whether something went wrong."""

from pathlib import Path

import pytest
from flask import Flask

from tests.cli.test_answers import REFUSED, WITH_CARDS, WITHOUT_CARDS, serving, written
from tests.cli.test_main import Run
from tests.fhir.samples import order


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A file of every kind, none of which goes wrong."""
    folder = tmp_path / "files"
    (folder / "inner").mkdir(parents=True)
    written(folder, WITH_CARDS.read_bytes(), "with.json")
    written(folder, WITHOUT_CARDS.read_bytes(), "without.json")
    written(folder / "inner", REFUSED.read_bytes(), "refused.json")
    written(folder / "inner", b"{", "broken.json")
    written(folder, order(medicationCodeableConcept={"text": "Amoxicillin"}), "order.json")
    written(folder, {"feedback": []}, "feedback.json")
    return folder


def test_every_file_is_counted_and_nothing_went_wrong(run: Run, corpus: Path) -> None:
    result = run("replay", "--corpus", corpus, "--today", "2026-11-23")
    assert result.exit_code == 0, result.output
    for part in ("│ no cards ", "│ HTTP 400 ", "│ HTTP 422 ", "│ cards ", "tolperisone-with-amitriptyline", "feedback"):
        assert part in result.output
    assert "6 files; went wrong: 0" in result.output


def test_what_went_wrong_is_listed_with_its_file_and_gives_exit_code_1(run: Run, corpus: Path) -> None:
    entries = [{"file": "inner/refused.json", "expected": "validator: no errors"}]
    written(corpus, {"entries": entries}, "index.json")
    result = run("replay", "--corpus", corpus)
    assert result.exit_code == 1
    assert "inner/refused.json: the publisher calls it valid, the answer is HTTP 422" in result.output
    assert "6 files; went wrong: 1" in result.output


def test_a_running_service_is_called(run: Run, corpus: Path, app: Flask) -> None:
    with serving(app) as url:
        assert run("replay", "--corpus", corpus, "--url", url).exit_code == 0
    gone = run("replay", "--corpus", corpus, "--url", url)
    assert gone.exit_code == 1
    assert "could not be reached" in gone.output


@pytest.mark.parametrize("other", [("--update",), ("--full",), ("--brief",), (WITH_CARDS,)])
def test_a_corpus_is_not_compared(run: Run, corpus: Path, other: tuple[str, ...]) -> None:
    result = run("replay", "--corpus", corpus, *other)
    assert result.exit_code == 2
    assert "--corpus replays a folder and compares nothing" in result.output


def test_a_folder_that_is_not_there_or_empty_is_said(run: Run, tmp_path: Path) -> None:
    assert "there is no such folder" in run("replay", "--corpus", tmp_path / "gone").output
    assert "no JSON files there" in run("replay", "--corpus", tmp_path).output

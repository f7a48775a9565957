"""``tolami check --terminology``: what every value set holds, where that comes from, and what to do about faults."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result

from service.engine.library import Library
from service.terminology import recognise
from tests.conftest import ASKED
from tests.terminology.fake_server import Handler, Terminology, answering, value_set

Check = Callable[..., Result]
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def few_shown(few_asked: Library) -> Library:
    """The library with those sets only that a server is asked about."""
    lists = few_asked.terminology.lists
    asked = [summary for summary in lists.sets if summary.id in ASKED]
    return replace(few_asked, terminology=recognise.Terminology(replace(lists, sets=asked)))


@pytest.fixture
def check(
    terminology_server: Terminology,
    tmp_path: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    few_asked: Library,
    few_shown: Library,
) -> Check:
    """Runs the command with the server of the test, or with other settings, where there are no fixtures to render.

    It shows the sets that the server is asked about, or all (``whole``), which takes a long table.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("service.cli.check.unknown_ids", lambda *_: ())  # the sets left out are missed by the rules

    def command(*, whole: bool = False, **settings: str) -> Result:
        monkeypatch.setattr("service.engine.loading.load", lambda: few_asked if whole else few_shown)
        chosen = {
            "TOLAMI_TERMINOLOGY_SERVER": terminology_server.url,
            "TOLAMI_TERMINOLOGY_CACHE": str(tmp_path / "kept"),
            "TOLAMI_TERMINOLOGY_DEADLINE": "300",
            "COLUMNS": "240",
            **settings,
        }
        return run("check", "--terminology", **chosen)

    return command


def row(result: Result, set_: str) -> list[str]:
    """The cells of a set's row."""
    lines = [[cell.strip() for cell in line.strip("│").split("│")] for line in result.output.splitlines()]
    return next(cells for cells in lines if len(cells) == 7 and cells[1] == set_)


def test_every_set_is_shown_with_its_codes_source_date_and_version(
    check: Check, terminology_server: Terminology, library: Library
) -> None:
    terminology_server.descendants = {"230690007": ["900001", "900002"]}
    result = check(whole=True)
    assert result.exit_code == 0, result.output
    _, _, embedded, added, source, date, version = row(result, "stroke")
    summary = next(s for s in library.terminology.sets if s.id == "stroke")
    assert embedded == ", ".join(f"{name} {number}" for name, number in summary.systems.items())
    assert "SNOMED CT 4" in embedded
    assert (added, source) == ("2", terminology_server.url)
    assert len(date) == len("2026-11-23")
    assert version == "900000000000207008/version/20260101"
    assert row(result, "cancer")[3:] == ["0", "embedded", "", ""]
    assert all(f" {s.id} " in result.output for s in library.terminology.sets if s.kind != "classes")
    assert f"Guidance {library.version}.snomed-20260101-" in result.output
    assert "Descendants of drugs: server" in result.output


def test_a_set_that_the_edition_of_the_server_lacks_is_said_to_be_lacking(
    check: Check, terminology_server: Terminology
) -> None:
    def lacking(handler: Handler, asked: dict[str, str]) -> bool:
        lacks = "108691000119102" in asked["url"]
        if lacks:
            handler.send(200, value_set([], 0))
        return lacks

    terminology_server.instead = lacking
    result = check()
    assert result.exit_code == 0
    assert row(result, "post-stroke-spasticity")[4].endswith("(not in this edition)")


def test_without_a_server_everything_is_embedded(check: Check, library: Library) -> None:
    result = check(TOLAMI_TERMINOLOGY_SERVER="")
    assert result.exit_code == 0
    assert row(result, "stroke")[3:] == ["0", "embedded", "", ""]
    assert "No terminology server is configured (TOLAMI_TERMINOLOGY_SERVER)" in result.output
    assert f"Guidance {library.version}:" in result.output


def test_a_fault_of_one_set_is_named_with_what_to_do_and_the_others_are_asked(
    check: Check, terminology_server: Terminology, few_asked: Library
) -> None:
    def faulty(handler: Handler, asked: dict[str, str]) -> bool:
        wrong = "230690007" in asked["url"]
        if wrong:
            handler.send(422, {"issue": [{"diagnostics": "too\x1b[31m costly"}]})
        return wrong

    terminology_server.instead = faulty
    result = check()
    assert result.exit_code == 1
    assert "conditions/stroke: The server answered with status 422 (too[31m costly). Check that" in result.output
    assert "Descendants of conditions: embedded lists" in result.output
    assert "Descendants of drugs: server" in result.output
    assert len(terminology_server.asked) == len(few_asked.terminology.queries)
    assert row(result, "epilepsy")[4] == "embedded"


def test_a_server_that_does_not_answer_is_named_once(check: Check, terminology_server: Terminology) -> None:
    terminology_server.instead = answering(503, b"")
    result = check()
    assert result.exit_code == 1
    assert result.output.count("status 503") == 1
    assert result.output.count("embedded lists") == 2


def test_what_is_kept_is_shown_when_the_server_does_not_answer(check: Check, terminology_server: Terminology) -> None:
    terminology_server.descendants = {"230690007": ["900001"]}
    assert check().exit_code == 0
    terminology_server.instead = answering(503, b"")
    result = check()
    assert result.exit_code == 1
    assert row(result, "stroke")[3:5] == ["1", "cache"]
    assert "Descendants of conditions: cache of 20" in result.output


def test_refused_codes_are_named_with_the_sets_that_claim_them(check: Check, terminology_server: Terminology) -> None:
    terminology_server.descendants = {
        "372596005": [str(code) for code in range(900001, 900031)],
        "400447003": [str(code) for code in range(900001, 900031)],
    }
    result = check()
    assert result.exit_code == 0
    assert "Refused: 900001, claimed by citalopram, escitalopram" in result.output
    assert "… and 10 more codes refused" in result.output


def test_a_folder_that_cannot_be_written_is_named_with_the_setting(check: Check, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = check(TOLAMI_TERMINOLOGY_CACHE=str(tmp_path / "file"))
    assert result.exit_code == 1
    assert "Set TOLAMI_TERMINOLOGY_CACHE to a folder that can be written to." in result.output

"""``tolami feedback``, ``report`` and ``records purge``: what was kept is read back in words, numbers and files."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from service.cli.main import main
from service.records.database import Database
from service.settings import PREFIX
from tests.records.kept import PAIR, START, exchange, keep, named, outcome, show, shown

Run = Callable[..., Result]
NOW, DAY = datetime.now(UTC), timedelta(days=1)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Runs the command in an empty folder, without anybody's settings. How it logs is undone afterwards."""
    logs = structlog.get_config()
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(main, arguments, prog_name="tolami", env={"COLUMNS": "200", **environment})

    yield command
    structlog.configure(**logs)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """The database of the default settings in that folder, with its tables."""
    made = Database(f"sqlite:///{tmp_path}/tolami.db")
    assert made.available()
    return made


@pytest.fixture
def filled(database: Database) -> Database:
    """Three calls, of which two cards were overridden, one accepted, and one entry about a card unknown."""
    show(database, *(exchange(shown(number), shown(f"pair {number}", PAIR), at=NOW - DAY) for number in range(3)))
    said = [outcome(0, reason="benefit"), outcome(1), outcome(2, "accepted"), outcome("unknown")]
    keep(
        database,
        *(replace(each, at=NOW - DAY, received=NOW - DAY + timedelta(seconds=n)) for n, each in enumerate(said)),
    )
    return database


READING = [("feedback",), ("report",), ("records", "purge", "--older-than", "1d")]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_where_there_is_no_database_none_is_made(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert "sqlite:///tolami.db: there is no such file. `tolami serve` creates it" in result.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_a_database_that_cannot_be_used_is_said_without_its_password(run: Run, arguments: tuple[str, ...]) -> None:
    result = run(*arguments, TOLAMI_DATABASE_URL="postgresql://tolami:Zx9-secret@127.0.0.1:1/tolami")
    assert result.exit_code == 1
    assert "127.0.0.1:1/tolami cannot be used" in result.output
    assert "docs/records.md" in result.output
    assert "Zx9-secret" not in result.output
    assert "Traceback" not in result.output


def test_a_wrong_setting_is_named(run: Run) -> None:
    result = run("report", TOLAMI_LOG_LEVEL="loud")
    assert (result.exit_code, "TOLAMI_LOG_LEVEL" in result.output) == (1, True)


def test_an_empty_database_is_told_in_a_sentence(run: Run, database: Database) -> None:
    assert run("report").output == "No answered call is kept in sqlite:///tolami.db.\n"
    assert run("feedback").output == "No feedback is kept in sqlite:///tolami.db.\n"
    assert run("feedback", START).output == f"No feedback about {START} is kept in sqlite:///tolami.db.\n"
    assert json.loads(run("report", "--format", "json").output) == []
    assert run("report", "--format", "csv").output.startswith("card,shown,accepted,overridden,override_rate,low,high,")


def test_the_report_tells_of_each_card_and_apart_of_the_unknown(run: Run, filled: Database) -> None:
    result = run("report")
    assert result.exit_code == 0
    (line,) = [line for line in result.output.splitlines() if START in line]
    assert [cell.strip() for cell in line.split("│")[1:-1]] == [
        START, "3", "1", "2", "67% (21% to 94%)", "", "1 benefit, 1 no reason given",
    ]  # fmt: skip
    assert "3 answered calls, 2 different cards shown." in result.output
    assert "Feedback about cards that are not on record: 1 overridden." in result.output


def test_the_report_for_programs_has_the_same_numbers(run: Run, filled: Database) -> None:
    first, second = json.loads(run("report", "--format", "json").output)
    assert first == {
        "card": START,
        "shown": 3,
        "accepted": 1,
        "overridden": 2,
        "override_rate": 0.6667,
        "low": 0.2077,
        "high": 0.9385,
        "rate_before": None,
        "rate_recent": 0.6667,
        "trend": None,
        "unanswered": 0,
        "quiet": 0,
        "reasons": {"benefit": 1, "no reason given": 1},
    }
    assert (second["card"], second["override_rate"]) == (PAIR, None)
    (row, _) = csv.DictReader(io.StringIO(run("report", "--format", "csv").output))
    assert (row["card"], row["low"], row["reasons"]) == (START, "0.2077", "benefit: 1; no reason given: 1")


def test_the_report_of_a_time_without_calls_says_so(run: Run, filled: Database) -> None:
    assert "No answered call is kept in sqlite:///tolami.db since " in run("report", "--since", "0d").output


def test_feedback_is_shown_newest_first_with_the_time_in_utc(run: Run, filled: Database) -> None:
    result = run("feedback")
    assert result.exit_code == 0
    lines = [line for line in result.output.splitlines() if "overridden" in line or "accepted" in line]
    assert ["(unknown)" in line for line in lines] == [True, False, False, False]
    assert f"{NOW - DAY:%Y-%m-%d %H:%M}" in lines[0]
    assert named(0) in lines[-1]


def test_feedback_about_one_card_and_not_all_of_it(run: Run, filled: Database) -> None:
    result = run("feedback", START, "--most", "1")
    assert result.output.count(START) == 1
    assert "2 older ones are not shown; --most 3 shows all." in result.output
    assert "No feedback is kept in sqlite:///tolami.db since then." in run("feedback", "--since", "0d").output


def test_feedback_for_programs_holds_everything(run: Run, database: Database) -> None:
    show(database, exchange(shown(1)))
    keep(database, replace(outcome(1, "accepted"), system="urn:x", reason="x", comment="=1+1"))
    (said,) = json.loads(run("feedback", "--format", "json").output)
    assert said == {
        "at": "2026-11-23T12:00:00+00:00",
        "received": "2026-11-23T12:00:05+00:00",
        "card": START,
        "uuid": named(1),
        "outcome": "accepted",
        "reason": "x",
        "system": "urn:x",
        "suggestions": [named("suggestion of 1")],
        "comment": "=1+1",
    }
    (row,) = csv.DictReader(io.StringIO(run("feedback", "--format", "csv").output))
    assert row["comment"] == "'=1+1", "a spreadsheet must not take it for a formula"
    assert row["suggestions"] == named("suggestion of 1")


def test_purge_tells_what_was_removed(run: Run, filled: Database) -> None:
    assert "0 cards, 0 entries of feedback; 0 expired tokens." in run("records", "purge", "--older-than", "9d").output
    result = run("records", "purge", "--older-than", "0d")
    assert result.exit_code == 0
    assert "6 cards, 4 entries of feedback; 0 expired tokens." in result.output
    assert "No answered call" in run("report").output


@pytest.mark.parametrize(
    "age", ["90", "d", "-1d", "soon", "2026-13-45", "2026-01-01T00:00+02:00", "999999d", "9999-01-01"]
)
def test_an_age_that_is_none_is_refused_with_an_example(run: Run, database: Database, age: str) -> None:
    result = run("records", "purge", "--older-than", age)
    assert result.exit_code == 2
    assert "90d" in result.output or "future" in result.output or "No such option" in result.output


def test_purge_asks_for_an_age(run: Run) -> None:
    assert "Missing option '--older-than'" in run("records", "purge").output


def test_the_group_teaches_with_an_example(run: Run) -> None:
    for arguments in (("records", "--help"), ("records", "purge", "--help")):
        assert "tolami records purge --older-than 365d" in run(*arguments).output.partition("Example:")[2]

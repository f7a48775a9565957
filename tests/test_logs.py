"""A log is lines for people or for programs, of the levels that were asked for."""

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from service.logs import REQUEST, catch_strays, configure_logs
from service.settings import Settings

FORGED = "first\nsecond line"


class Terminal(io.StringIO):
    """Text somebody is looking at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def restored(logged: list[Any]) -> Iterator[None]:
    """Puts the configuration of the other tests back."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def line_of(stream: io.StringIO, **chosen: Any) -> str:
    """What a first line looks like under some settings."""
    configure_logs(Settings(**chosen), stream)
    structlog.get_logger().info("answered", service="order-select", cards=["a", "b"], milliseconds=1.5)
    return stream.getvalue()


def test_a_line_for_programs_is_one_json_object_with_level_and_time() -> None:
    line = line_of(io.StringIO(), log_format="json")
    assert line.count("\n") == 1
    said = json.loads(line)
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "event": "answered",
        "level": "info",
        "service": "order-select",
        "cards": ["a", "b"],
        "milliseconds": 1.5,
    }


def test_a_line_for_people_is_no_json_and_names_the_event() -> None:
    line = line_of(io.StringIO(), log_format="console")
    assert "answered" in line
    assert "service=order-select" in line
    assert not line.startswith("{")


def test_the_form_is_for_people_on_a_terminal_and_for_programs_elsewhere() -> None:
    assert line_of(io.StringIO()).startswith("{")
    assert not line_of(Terminal()).startswith("{")
    assert line_of(Terminal(), log_format="json").startswith("{")


def test_colours_are_used_on_a_terminal_only() -> None:
    escape = "\x1b["
    assert escape in line_of(Terminal(), log_format="console")
    assert escape not in line_of(io.StringIO(), log_format="console")


@pytest.mark.parametrize(
    ("least", "written"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_only_lines_of_the_least_level_and_above_are_written(least: str, written: list[str]) -> None:
    stream = io.StringIO()
    configure_logs(Settings(log_level=least, log_format="json"), stream)
    for level in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger(), level)("something")
    assert [json.loads(line)["level"] for line in stream.getvalue().splitlines()] == written


def test_standard_error_is_written_to_when_no_stream_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(Settings(log_format="json"))
    structlog.get_logger().warning("rule failed", card="some-card")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "rule failed"


def test_a_line_break_in_a_value_does_not_make_a_second_line_for_programs() -> None:
    stream = io.StringIO()
    configure_logs(Settings(log_format="json"), stream)
    structlog.get_logger().info("answered", place=FORGED)
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["place"] == FORGED


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_log_on_a_full_disk_loses_lines_and_raises_nothing() -> None:
    full = open("/dev/full", "w", encoding="utf-8", buffering=1)  # noqa: SIM115
    configure_logs(Settings(log_format="json"), full)
    for _ in range(3):
        structlog.get_logger().error("request", status=200)
    with pytest.raises(OSError, match="No space left"):
        full.close()


def test_every_line_written_while_a_request_is_answered_has_its_id() -> None:
    stream = io.StringIO()
    configure_logs(Settings(log_format="json"), stream)
    answering = REQUEST.set("r-1")
    structlog.get_logger().info("one")
    REQUEST.reset(answering)
    structlog.get_logger().info("two")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["request"], "request" in second) == ("r-1", False)


SECRET = "Ilona Example, 1961-04-02"


@pytest.fixture
def strays() -> Iterator[io.StringIO]:
    """A log into which lines of libraries go as well; everything is put back afterwards."""
    root, hook = logging.getLogger(), threading.excepthook
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(Settings(log_format="json"), stream)
    catch_strays()
    yield stream
    logging.captureWarnings(capture=False)
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)


def test_a_line_of_a_library_says_who_and_where_but_not_what(strays: io.StringIO) -> None:
    try:
        raise LookupError(SECRET)
    except LookupError:
        logging.getLogger("a.library").exception("GET /Patient/%s", SECRET)
    (line,) = map(json.loads, strays.getvalue().splitlines())
    assert (line["event"], line["logger"], line["error"]) == ("library", "a.library", "LookupError")
    assert line["place"].startswith("test_logs.py:")
    assert "Ilona" not in strays.getvalue()


def test_what_a_library_says_in_passing_is_left_out(strays: io.StringIO) -> None:
    logging.getLogger("a.library").info("GET /Patient/%s", SECRET)
    assert strays.getvalue() == ""


def test_a_warning_of_the_interpreter_is_a_line_without_its_words(strays: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(SECRET, UserWarning, stacklevel=1)
    (line,) = map(json.loads, strays.getvalue().splitlines())
    assert (line["logger"], line["level"]) == ("py.warnings", "warning")
    assert "Ilona" not in strays.getvalue()


def test_a_thread_that_ends_with_an_error_leaves_a_line_with_its_type_and_place(strays: io.StringIO) -> None:
    def fail() -> None:
        raise LookupError(SECRET)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    (line,) = map(json.loads, strays.getvalue().splitlines())
    assert (line["event"], line["error"]) == ("thread ended", "LookupError")
    assert line["place"].startswith("test_logs.py:")
    assert "Ilona" not in strays.getvalue()


WRITER = """
import sys
from service.logs import configure_logs
from service.settings import Settings
import structlog
configure_logs(Settings(log_format="json"), lasting=True)
log = structlog.get_logger()
for number in range(1500):
    log.info("request", writer=sys.argv[1], number=number, padding="x" * (number % 7 * 2000))
"""


def test_lines_of_processes_that_write_at_once_stay_whole(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with file.open("wb") as out:
        writers = [subprocess.Popen([sys.executable, "-c", WRITER, name], stderr=out) for name in "abcd"]
        assert [writer.wait(60) for writer in writers] == [0] * 4
    lines = [json.loads(line) for line in file.read_bytes().split(b"\n")[:-1]]
    assert len(lines) == 4 * 1500
    for name in "abcd":
        assert [line["number"] for line in lines if line["writer"] == name] == list(range(1500))


def test_what_is_no_whole_character_is_written_escaped() -> None:
    stream = io.StringIO()
    configure_logs(Settings(log_format="json"), stream)
    structlog.get_logger().info("answered", place="\ud800", path=Path("a"))
    assert json.loads(stream.getvalue()) | {"timestamp": ""} == {
        "event": "answered", "level": "info", "place": "\ud800", "path": "a", "timestamp": "",
    }  # fmt: skip

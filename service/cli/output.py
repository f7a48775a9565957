"""What all commands share: an example in the help, forms of output, the cards, and an end with a message."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from textwrap import indent
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from service.dates import DAYS, local_day

if TYPE_CHECKING:
    from rich.console import Console

    from service.engine.guideline import Guideline
    from service.engine.library import Library

STANDARD_INPUT = Path("-")
LINES = ".ndjson"
"""Files that hold a JSON document on each line."""

PIPE_WIDTH = 240
"""Characters of a line that goes to a file or another program."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it: 128 and the signal."""

FAULTY = 1
"""The exit code when a difference or a fault was found."""

BROKEN = 2
"""The exit code when what was asked for cannot be done."""


Command = TypeVar("Command", bound=Callable[..., Any])


def example(text: str) -> str:
    """The end of a command's help: an example, kept in its lines."""
    return "\b\nExample:\n" + indent(text, "  ")


def standard_output() -> "Console":
    """Standard output, text as it is: as wide as the terminal, and wide enough for whole names in a file or a pipe."""
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = PIPE_WIDTH
    return console


def print_json(value: object) -> None:
    """Prints a value as JSON, for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(title: str, headings: Sequence[str], rows: Iterable[Iterable[Any]], *, lines: bool = False) -> None:
    """Prints a table, for people; nothing of it is cut. Raises ValueError when a row has another number of cells."""
    from rich.table import Column, Table

    table = Table(*(Column(heading, overflow="fold") for heading in headings), title=title, show_lines=lines)
    for row in rows:
        table.add_row(*(str(cell) for _, cell in zip(headings, row, strict=True)))
    standard_output().print(table)


def print_rows(form: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Prints rows as JSON, for programs, or as CSV, for spreadsheets."""
    from service.records.report import sheet

    if form == "json":
        print_json(rows)
    else:
        click.echo(sheet(rows, columns), nl=False)


def form_option(*forms: str) -> Callable[[Command], Command]:
    """The option ``--format``, handed over as ``form``."""
    choice = click.Choice(["table", *forms])
    return click.option("--format", "form", type=choice, default="table", show_default=True, help="Form of output.")


as_json = form_option("json")
as_rows = form_option("csv", "json")


def named(path: Path) -> str:
    """What a message calls a file."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def content_of(path: Path) -> bytes:
    """The bytes of a file. Raises Refused when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from None


def documents(path: Path) -> list[tuple[str, bytes]]:
    """The JSON documents of a file or of standard input, each with its place, such as "many.ndjson:3".

    Several are one per line, in ``NAME.ndjson`` or where the first line of standard input is a whole object.

    Raises Refused when it cannot be read.
    """
    body = sys.stdin.buffer.read() if path == STANDARD_INPUT else content_of(path)
    lines = [(number, line) for number, line in enumerate(body.splitlines(), 1) if line.strip()]
    if path.suffix != LINES and not (path == STANDARD_INPUT and lines and _is_object(lines[0][1])):
        return [(named(path), body)] if lines else []
    return [(f"{named(path)}:{number}" if len(lines) > 1 else named(path), line) for number, line in lines]


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


class Day(click.DateTime):
    """A day, such as 2026-11-23."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def get_metavar(self, *_: Any, **__: Any) -> str:
        """How the help names it."""
        return "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The day. Fails for one before any patient of today was born, whose age nothing here is made for."""
        day: date = value if isinstance(value, date) else super().convert(value, param, ctx).date()
        if not DAYS[0] <= day <= DAYS[1]:
            self.fail(f"{day} lies outside {DAYS[0]} to {DAYS[1]}.", param, ctx)
        return day


def day_option(help: str) -> Callable[[Command], Command]:  # noqa: A002  (as click calls it)
    """The option ``--today``: by default the day where the clinician is."""
    return click.option("--today", type=Day(), default=local_day, help=help)


class Refused(click.ClickException):
    """What was asked for cannot be done; the message says why, or what to do instead."""

    exit_code = BROKEN

    def show(self, file: IO[Any] | None = None) -> None:
        """Prints the message on standard error."""
        click.echo(self.message, file=file, err=True)


class Faulty(Refused):
    """Something that a command rests on, or that it was to look at, is faulty; the message says what."""

    exit_code = FAULTY


def library() -> "Library":
    """The cards; the command ends with their faults when they cannot be used."""
    from service.engine.loading import load
    from service.files import FaultyLibrary

    try:
        return load()
    except FaultyLibrary as faulty:
        raise Faulty(f"The cards cannot be used as they are:\n{faulty}") from None


def guideline(cards: "Library | None" = None) -> "Guideline":
    """The cards with the rules that raise them."""
    from service.engine.guideline import Guideline
    from service.guidance.registry import RULES

    return Guideline(cards or library(), RULES)

"""What all commands share: an example in the help, the cards, and an end with a message."""

import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from service.engine.library import Library

PIPE_WIDTH = 240
"""Characters of a line that goes to a file or another program."""

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it: 128 and the signal."""

BROKEN = 2
"""The exit code when what was asked for cannot be done."""


Command = TypeVar("Command", bound=click.Command)


def example(text: str) -> Callable[[Command], Command]:
    """Adds an example, kept in its lines, to the end of a command's help."""

    def add(command: Command) -> Command:
        command.epilog = "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.splitlines())
        return command

    return add


def standard_output() -> "Console":
    """Standard output: as wide as the terminal, and wide enough for whole names in a file or a pipe."""
    from rich.console import Console

    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal or os.environ.get("COLUMNS") else Console(highlight=False, width=PIPE_WIDTH)


def print_json(value: object) -> None:
    """Prints a value as JSON, for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


as_json = click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Form of output."
)


def stop(message: str, code: int = BROKEN) -> NoReturn:
    """Ends the command with a message on standard error."""
    click.echo(message, err=True)
    sys.exit(code)


def library() -> "Library":
    """The cards; the command ends with their faults when they cannot be used."""
    from service.engine.library import load
    from service.files import FaultyLibrary

    try:
        return load()
    except FaultyLibrary as faulty:
        stop(f"The cards cannot be used as they are:\n{faulty}", 1)

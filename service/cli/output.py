"""What all commands share: an example in the help, the cards, and an end with a message."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from service.engine.library import Library

BROKEN = 2
"""The exit code when what was asked for cannot be done."""


Command = TypeVar("Command", bound=click.Command)


def example(text: str) -> Callable[[Command], Command]:
    """Adds an example, kept in its lines, to the end of a command's help."""

    def add(command: Command) -> Command:
        command.epilog = "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.splitlines())
        return command

    return add


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

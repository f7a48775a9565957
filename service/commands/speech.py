"""What all commands share: an example in the help, and an end with a message."""

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import click

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

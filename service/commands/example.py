"""The example at the end of a command's help."""

from collections.abc import Callable

import click


def example(text: str) -> Callable[[click.Command], click.Command]:
    """Adds an example, kept in its lines, to the end of a command's help."""

    def add(command: click.Command) -> click.Command:
        command.epilog = "\b\nExample:\n" + "\n".join(f"  {line}" for line in text.splitlines())
        return command

    return add

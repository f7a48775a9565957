"""The command ``tolami``. What a command rests on is imported when it is called, so that ``--help`` answers at once."""

import gc
import sys
from importlib import import_module
from typing import Any, cast

import click

from service.cli.output import INTERRUPTED, example

GC_THRESHOLDS = (1_000_000, 50, 100)
"""Objects allocated before a collection is considered; ``tolami serve`` chooses its own for its processes."""

COMMANDS = {
    "burden": ("burden", "Count the cards that synthetic orders raise."),
    "cards": ("cards", "Show every card and statement; sign cards off."),
    "check": ("check", "Check cards, settings and clients."),
    "clients": ("clients", "Check the clients of the trust file."),
    "demo": ("serve", "Serve, with synthetic patients for the Sandbox."),
    "dose": ("doses", "Show how every order in a file is read."),
    "feedback": ("records", "Show what clinicians made of the cards."),
    "new": ("new", "Write a new card, or a request to try one with."),
    "records": ("records", "Maintain the database of answered calls and feedback."),
    "replay": ("replay", "Replay hook requests and compare the answers."),
    "report": ("records", "Show how often each card was accepted or overridden."),
    "schemas": ("contract", "Show the JSON Schemas of requests, answers and discovery."),
    "serve": ("serve", "Serve the CDS Hooks endpoints."),
    "services": ("contract", "Show the services that discovery publishes."),
}
"""The module of each command, and in short what the command does."""


def command_of(name: str) -> click.Command:
    """The command of this name, with all that it rests on."""
    module = import_module(f"service.cli.{COMMANDS[name][0]}")
    return cast(click.Command, getattr(module, name))


class Commands(click.Group):
    """The commands, of which nothing but their names is loaded. They end with the code of shells after Ctrl-C."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Runs as a process of its own: soon over, so that looking for garbage would cost more than it frees."""
        gc.set_threshold(*GC_THRESHOLDS)
        try:
            return super().__call__(*args, **kwargs)
        finally:
            gc.freeze()  # the interpreter would look once more when it ends

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Runs the command that the arguments name."""
        try:
            return super().main(*args, **{**kwargs, "standalone_mode": False})
        except click.Abort:
            click.echo("Interrupted.", err=True)
            sys.exit(INTERRUPTED)
        except click.ClickException as refused:
            refused.show()
            sys.exit(refused.exit_code)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the arguments name, loaded, and the arguments that are its own."""
        name, named, rest = super().resolve_command(ctx, args)
        return name, command_of(name) if name else named, rest


@click.group(
    cls=Commands,
    commands=[click.Command(name, short_help=short) for name, (_, short) in COMMANDS.items()],
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""CDS Hooks service: advice on drugs at order entry.

    Its content is not clinically reviewed.
    """,
    epilog=example(
        "tolami serve                     serve on http://127.0.0.1:8000\n"
        "tolami replay my-request.json    answer one request from a file, without a server\n"
        "tolami dose my-request.json      how its orders are read\n"
        "tolami replay --help             the options of a command"
    ),
)
@click.version_option(package_name="tolami")
def main() -> None: ...

"""The command ``tolami``. Imports are inside the commands, so that ``--help`` answers at once."""

import gc
import json
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click

from service.cli.burden import burden
from service.cli.cards import cards
from service.cli.check import check
from service.cli.clients import clients
from service.cli.new import new
from service.cli.output import INTERRUPTED, as_json, day_option, example, print_json, print_table, standard_output
from service.cli.output import library as _library
from service.cli.records import feedback, records, report
from service.cli.replay import replay
from service.cli.serve import demo, serve

GC_THRESHOLDS = (1_000_000, 50, 100)
"""Objects allocated before a collection is considered; ``tolami serve`` chooses its own for its processes."""


class Interruptible(click.Group):
    """Commands that end with the code of shells when Ctrl-C is pressed."""

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


@click.group(
    cls=Interruptible,
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


@main.command(
    short_help="Show how every order in a file is read.",
    help="""Show how every order in a file is read: drug, dose, working, or why not.

    FILES are a MedicationRequest, MedicationOrder or MedicationStatement, a Bundle, or a whole hook request; - is
    standard input. A file NAME.ndjson, and standard input, may hold one of them on each line.
    """,
    epilog=example(
        "tolami dose my-request.json\n"
        "curl -s https://fhir.example.org/r4/MedicationRequest/1 | tolami dose - --format json"
    ),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@day_option("The day to read for; by default today.")
@as_json
def dose(files: tuple[Path, ...], today: date, form: str) -> None:
    from service.cli.display import dose_lines
    from service.cli.doses import readings

    library, console = _library(), standard_output()
    found = []
    for file in files:
        for place, reading in readings(file, library, today):
            found.append({"file": place, **asdict(reading)})
            for line in dose_lines(reading) if form == "table" else ():
                console.print(line, soft_wrap=True)
    if form == "json":
        print_json(found)


@main.command(
    help="Show the services that discovery publishes.",
    epilog=example("tolami services\ntolami services --format json      as discovery answers"),
)
@as_json
def services(form: str) -> None:
    import msgspec

    from service.cdshooks.services import Discovery
    from service.cdshooks.services import services as published

    library = _library()
    entries = published(library.plan.services, library.terminology.loinc)
    if form == "json":
        print_json(msgspec.to_builtins(Discovery(entries)))
        return
    rows = [(service.id, service.title, service.description) for service in entries]
    print_table("Services", ("id", "title", "description"), rows, lines=True)
    click.echo("Each id is also the hook's name. Prefetch of every service:")
    for key, template in entries[0].prefetch.items():
        click.echo(f"{key}: {template}")


@main.command(
    help="""Show the JSON Schemas of requests, answers and discovery.

    NAME is a message; without it the names are listed. A running service has them under /schemas/.
    """,
    epilog=example("tolami schemas response\ntolami schemas --write docs/schemas"),
)
@click.argument("name", required=False)
@click.option("--write", type=click.Path(path_type=Path, file_okay=False), help="Write all of them to this folder.")
def schemas(name: str | None, write: Path | None) -> None:
    from service.cdshooks.schemas import schemas as published

    texts = {message: json.dumps(schema, indent=2, ensure_ascii=False) for message, schema in published().items()}
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for message, text in texts.items():
            (write / f"{message}.json").write_text(f"{text}\n", encoding="utf-8")
        click.echo(f"{len(texts)} schemas written to {write}.")
    elif name is None or name in texts:
        click.echo(texts[name] if name else "\n".join(texts))
    else:
        raise click.BadParameter(f"there is no message {name}; `tolami schemas` lists them.", param_hint="NAME")


for command in (serve, demo, burden, cards, check, clients, new, replay, feedback, report, records):
    main.add_command(command)

"""The command ``tolami``. Imports are inside the commands, so that ``--help`` answers at once."""

import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.commands.clients import clients
from service.commands.records import feedback, records, report
from service.commands.schemas import schemas
from service.commands.speech import BROKEN, example, stop

if TYPE_CHECKING:
    from rich.console import Console

    from cards.library import Library
    from service.replay import InProcess, OverHttp, Request
    from service.trust.clients import Dialect

FIXTURES = Path("fhir_fixtures/requests")
MOST_SHOWN_IN_FULL = 5


def _library() -> "Library":
    from cards.faults import FaultyLibrary
    from cards.library import load

    try:
        return load()
    except FaultyLibrary as faulty:
        stop(f"The cards cannot be used as they are:\n{faulty}", 1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tolami")
def main() -> None:
    """CDS Hooks service for tolperisone together with amitriptyline.

    Its content is not clinically reviewed.
    """


@example("tolami serve --port 8001\ncurl -s http://127.0.0.1:8001/cds-services")
@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Port to serve on.")
@click.option("--workers", default=2, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option("--threads", default=4, show_default=True, type=click.IntRange(1), help="Threads in each process.")
@click.option("--reload", is_flag=True, help="Restart when code changes; for development.")
@click.option(
    "--without-authentication",
    is_flag=True,
    help="Serve on an address that others can reach, although anybody may call.",
)
def serve(host: str, port: int, workers: int, threads: int, reload: bool, without_authentication: bool) -> None:
    """Serve the CDS Hooks endpoints."""
    from service import server
    from service.app import utc_now
    from service.settings import SettingsError, load_settings
    from service.trust.clients import FaultyTrustFile
    from service.web.access import check_access

    try:
        settings = load_settings()
        _library()
        check_access(settings, utc_now)
        server.check_address(
            host, port, needs_token=settings.auth == "required", without_authentication=without_authentication
        )
    except (SettingsError, FaultyTrustFile, server.AddressNotUsable) as error:
        stop(f"tolami cannot start: {error}", 1)
    base = settings.public_url.rstrip("/") or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    sample = os.path.relpath(server.SAMPLE)

    def ready() -> None:
        click.echo(f"Discovery: {base}/cds-services")
        if settings.auth == "required":
            click.echo("Every call needs a token. Who may call: tolami clients check")
            click.echo("Not clinically reviewed. Stop with Ctrl-C.")
            return
        click.echo("Try it:    curl -s -H 'Content-Type: application/json' \\")
        click.echo(f"             -d @{sample} {base}/cds-services/order-select")
        click.echo("Not clinically reviewed. Stop with Ctrl-C.")

    settings = settings.model_copy(update={"public_url": base})
    server.serve(settings, host, port, workers, threads, reload=reload, ready=ready)


@example(
    "tolami replay                      all fixtures, compared with their expected answers\n"
    "tolami replay my-request.json      one request from anywhere\n"
    "tolami replay --url http://127.0.0.1:8000 --full\n"
    "tolami replay --dialect 2.0        what a client of 2.0 gets more or otherwise, as differences"
)
@main.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--url", help="Call a running service instead of answering in this process.")
@click.option("--update", is_flag=True, help="Write the answers as the expected ones.")
@click.option(
    "--dialect",
    type=click.Choice(["1.0", "2.0", "3.0"]),
    help="Answer a client of this CDS Hooks release; expected answers are for a client whose release is not known.",
)
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day to answer for; by default the recorded day, else today's date.",
)
@click.option("--full/--brief", default=None, help=f"Cards in full; the default up to {MOST_SHOWN_IN_FULL} requests.")
def replay(
    paths: tuple[Path, ...],
    url: str | None,
    update: bool,
    dialect: "Dialect | None",
    today: datetime | None,
    full: bool | None,
) -> None:
    """Replay hook requests and compare the answers with the expected ones.

    PATHS are request files or folders of them. A file NAME.expected.json beside a request holds the expected
    answer. The exit code is 0 when all agree, 1 when an answer differs, 2 when a file cannot be replayed.
    """
    from rich.console import Console

    from service.replay import InProcess, OverHttp, find

    if url is not None and update:
        stop("--update records answers of this code; it does not go together with --url.")
    if dialect is not None and (url is not None or update):
        option = "--update records the answers that every client may get" if update else "--url asks a running service"
        stop(f"{option}; it does not go together with --dialect.")
    chosen = list(paths) or [FIXTURES]
    for path in chosen:
        if not path.exists():
            stop(f"{path}: there is no such file or folder.")
    files = list(find(chosen))
    if not files:
        stop(f"{', '.join(map(str, chosen))}: no hook requests there.")
    console = Console(highlight=False)
    answering = OverHttp(url) if url is not None else InProcess(_library(), dialect)
    in_full = len(files) <= MOST_SHOWN_IN_FULL if full is None else full
    day = today.date() if today is not None else None
    sys.exit(_replay_all(console, answering, files, day, update=update, full=in_full))


def _replay_all(
    console: "Console",
    answering: "InProcess | OverHttp",
    files: list[Path],
    today: date | None,
    *,
    update: bool,
    full: bool,
) -> int:
    """Replays the files one by one under a progress bar; returns the exit code."""
    from rich.progress import Progress
    from rich.text import Text

    from service.replay import NotReplayable, read

    counts = {"agree": 0, "differ": 0, "without expected answer": 0, "recorded": 0, "broken": 0}
    with Progress(console=console, transient=True, disable=len(files) == 1) as progress:
        for path in progress.track(files, description="Replaying"):
            try:
                request = read(path)
                outcome = _replay_one(progress.console, answering, request, today, update=update, full=full)
            except NotReplayable as error:
                progress.console.print(Text(str(error), style="red"))
                outcome = "broken"
            counts[outcome] += 1
    console.print(", ".join(f"{number} {name}" for name, number in counts.items() if number))
    return BROKEN if counts["broken"] else 1 if counts["differ"] else 0


def _replay_one(
    console: "Console",
    answering: "InProcess | OverHttp",
    request: "Request",
    today: date | None,
    *,
    update: bool,
    full: bool,
) -> str:
    """Replays one request and shows the answer; returns what came of it."""
    from rich.text import Text

    from service.display import answer_lines, diff_lines
    from service.replay import difference, record, recorded_day

    day = today or recorded_day(request) or date.today()  # noqa: DTZ011  (the day where the clinician is)
    answer = answering.answer(request, day)
    console.print(Text(f"{request.path} ({request.hook})", style="bold"), soft_wrap=True)
    for line in answer_lines(answer, full=full):
        console.print(line, soft_wrap=not full)
    if update:
        record(request, answer, day)
        return "recorded"
    lines = difference(request, answer)
    for text in diff_lines(lines):
        console.print(text, soft_wrap=True)
    if request.expected is None:
        return "without expected answer"
    return "differ" if lines else "agree"


@example("tolami dose fhir_fixtures/medications/amitriptyline-25-mg-at-bedtime.json\ntolami dose my-request.json")
@main.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), help="The day to read for; by default today.")
def dose(files: tuple[Path, ...], today: datetime | None) -> None:
    """Show how every order in a file is read: drug, dose, working, or why not.

    FILES are a MedicationRequest, MedicationOrder or MedicationStatement, a Bundle, or a whole hook request.
    """
    from rich.console import Console

    from service.display import dose_lines
    from service.doses import NothingToRead, readings

    console = Console(highlight=False)
    library = _library()
    day = today.date() if today is not None else date.today()  # noqa: DTZ011  (the day where the clinician is)
    for file in files:
        try:
            found = readings(file, library, day)
        except NothingToRead as error:
            stop(str(error))
        for reading in found:
            for line in dose_lines(reading):
                console.print(line, soft_wrap=True)


@example("tolami check && echo ready\ntolami check --terminology      also asks the terminology server, set by set")
@main.command()
@click.option("--terminology", is_flag=True, help="Show every value set, and ask the terminology server for each.")
def check(terminology: bool) -> None:
    """Check cards, sources, terminology, order templates, settings and clients.

    Names file, line and reason of every fault; the exit code is 1 when there is one.
    """
    from rich.console import Console

    from cards.check import deep_faults
    from service.app import utc_now
    from service.display import terminology_table
    from service.settings import SettingsError, load_settings
    from service.trust.clients import FaultyTrustFile
    from service.web.access import check_access

    problems = []
    settings = None
    try:
        settings = load_settings()
        check_access(settings, utc_now)
    except (SettingsError, FaultyTrustFile) as error:
        problems.append(f"settings: {error}")
    library = _library()
    problems += map(str, deep_faults(library))
    if settings is None or problems:
        stop("\n".join(problems), 1)
    console = Console()
    console.print(terminology_table(library.terminology.sets))
    if terminology:
        from service.app import utc_now
        from service.terminology_check import check_terminology

        library, whole = check_terminology(console, library, settings, utc_now)
        if not whole:
            sys.exit(1)
    click.echo(
        f"Guidance {library.version}: {len(library.cards)} cards, {len(library.lines)} shared lines,"
        f" {len(library.sources)} sources, {len(library.orders)} order templates. Settings are valid."
    )


@example("tolami cards\ntolami cards --markdown      the tables of docs/guidance.md")
@main.command()
@click.option("--markdown", is_flag=True, help="Print the tables that docs/guidance.md holds.")
def cards(markdown: bool) -> None:
    """Show every card and when it is raised, every statement and its verdict."""
    from cards.catalogue import markdown as as_markdown

    text = as_markdown(_library())
    if markdown:
        click.echo(text, nl=False)
        return
    from rich.console import Console

    from service.display import catalogue_tables

    console = Console()
    for table in catalogue_tables(_library()):
        console.print(table)


@example("tolami services")
@main.command()
def services() -> None:
    """Show the services that discovery publishes."""
    from rich.console import Console

    from service.cdshooks.services import services as published
    from service.display import services_table

    entries = published(_library().terminology.loinc)
    console = Console()
    console.print(services_table(entries))
    console.print("Each id is also the hook's name. Prefetch of every service:")
    for key, template in entries[0].prefetch.items():
        console.print(f"{key}: {template}", highlight=False, soft_wrap=True)


for command in (clients, schemas, feedback, report, records):
    main.add_command(command)

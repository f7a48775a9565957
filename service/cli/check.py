"""``tolami check``: cards, sources, terminology, settings and clients, before they are served."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from time import sleep
from typing import Any, NoReturn

import click

from service.cli.answers import InProcess, find, read_all
from service.cli.output import Faulty, Refused, as_json, example, guideline, library, print_json, print_table
from service.cli.replay import FIXTURES
from service.cli.synthetic import shares_in
from service.engine.asked import unknown_ids
from service.engine.check import deep_faults, template_faults
from service.engine.check_answers import unlike_examples, unreadable, words_fault
from service.engine.editions import policies_of
from service.engine.library import Library
from service.engine.loading import FOLDER
from service.engine.policy import Policy
from service.engine.rendering import Renderer
from service.files import Fault, FaultyLibrary
from service.settings import Settings, SettingsError, load_settings
from service.trust.clients import FaultyTrustFile, clients_of

PAUSE = 0.5
"""Seconds between two looks at the files."""
WATCHED = {".md", ".yaml", ".json"}
COMMAND = (sys.executable, "-c", "from service.cli.main import main; main()", "check")


@click.command(
    help="""Check cards, sources, terminology, order templates, settings and clients.

    In the project folder every fixture is answered, too: nothing may fail, no text may be too long, and each card has
    to be raised where its examples say. Every fault is named with file, line and reason; the exit code is then 1. Card
    files that passed are remembered in $XDG_CACHE_HOME/tolami.
    """,
    epilog=example(
        "tolami check && echo ready\n"
        "tolami check --terminology      also asks the terminology server, set by set\n"
        "tolami check --watch            again on each save, with the address of the preview"
    ),
)
@click.option("--terminology", is_flag=True, help="Show every value set, and ask the terminology server for each.")
@click.option("--watch", is_flag=True, help="Check again whenever a card or a fixture is saved, until Ctrl-C.")
@click.option(
    "--url",
    default="http://127.0.0.1:8000",
    show_default=True,
    help="With --watch: the running service that shows the preview.",
)
@as_json
def check(terminology: bool, watch: bool, url: str, form: str) -> None:
    if watch:
        check_on_save(url, (FOLDER, FIXTURES), check_again)
    cards = library()
    settings, policies, problems = _settings(cards)
    problems += _cards_faults(cards, quick=bool(problems))
    if form == "json":
        print_json({"guidance": cards.version, "faults": problems})
        sys.exit(1 if problems else 0)
    if settings is None or problems:
        raise Faulty("\n".join(problems))
    _show(cards, policies)
    if terminology:
        from service.cli.terminology import check_terminology

        cards = check_terminology(cards, settings)
    click.echo(
        f"Guidance {cards.version}: {len(cards.cards)} cards,"
        f" {len(cards.sources)} sources, {len(cards.orders)} order templates. Settings are valid."
    )


def _show(cards: Library, policies: Mapping[str, Policy]) -> None:
    """Counts of the terminology by kind, and what hospitals have changed: for whom, why, who answers for it."""
    kinds = {summary.kind: [0, 0, 0, 0] for summary in cards.terminology.sets}
    for summary in cards.terminology.sets:
        added = (1, summary.codes, summary.unchecked, summary.names)
        kinds[summary.kind] = [count + more for count, more in zip(kinds[summary.kind], added, strict=True)]
    counted = ("kind", "sets", "codes", "not checked anywhere", "names")
    print_table("Terminology", counted, ((kind, *counts) for kind, counts in kinds.items()))
    if policies:
        changes = [(client or "all others", change) for client, policy in policies.items() for change in policy]
        headings = ("client", "card", "change", "reason", "by", "from", "until")
        rows = ((client, c.card, c, c.reason, c.by, c.since, c.until) for client, c in changes)
        print_table("Policies", headings, rows, lines=True)


def _settings(cards: Library) -> tuple[Settings | None, dict[str, Policy], list[str]]:
    """The settings, what hospitals have changed, and what keeps the service from starting with them."""
    try:
        settings = load_settings()
        clients = clients_of(settings.trust_file)
        if settings.auth == "required":
            from service.web.auth import check_access

            check_access(settings)
        return settings, policies_of(settings.policy, clients, cards), []
    except (SettingsError, FaultyTrustFile) as error:
        return None, {}, [f"settings: {error}"]
    except FaultyLibrary as error:
        return None, {}, [f"policy: {fault}" for fault in str(error).splitlines()]


def _cards_faults(cards: Library, *, quick: bool) -> list[str]:
    """What is wrong with the cards; with their examples only when nothing else is, and not if it has to be quick."""
    served = guideline(cards)
    found = [
        *template_faults(Renderer.of(cards)),
        *deep_faults(served),
        *unknown_ids(cards, served.rules),
        *_population_faults(),
    ]
    if found or quick or not FIXTURES.exists():
        return list(map(str, found))
    return list(example_faults(cards, find([FIXTURES]), whole=True))


def _population_faults() -> Sequence[Fault]:
    """What is wrong with the population of ``tolami burden``."""
    try:
        shares_in(FOLDER)
    except FaultyLibrary as faulty:
        return faulty.faults
    return ()


def example_faults(
    cards: Library, files: Iterable[Path], folder: Path | None = None, *, whole: bool = False
) -> Iterator[str]:
    """What is wrong with the answers to request files: what fails, words that are too long, or a developer's.

    Each fault once, with the first file in which it was found and how many more there are; words that fail also with
    their line in the folder of the cards. With ``whole`` these are all fixtures, which the cards' examples name.
    """
    failures: list[tuple[str, Exception]] = []
    answering = InProcess(cards, failed=lambda card, error: failures.append((card, error)))
    places: dict[str, list[Path]] = {}
    answers: dict[str, list[dict[str, Any]]] = {}
    for request in (request for file in files for request in read_all(file)):
        if isinstance(request, Refused):
            yield str(request)
            continue
        failures.clear()
        answer = answering.answer(request, request.day)
        answers["/".join(request.path.with_suffix("").parts[-2:])] = answer.cards
        found = [words_fault(card, error, cards, folder or FOLDER) for card, error in failures]
        for fault in (
            *found,
            *(fault for shown in answer.cards for fault in unreadable(shown, cards, folder or FOLDER)),
        ):
            places.setdefault(str(fault), []).append(request.path)
    for reason, paths in places.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        yield f"{reason} ({paths[0]}{more})"
    if whole and not places:
        yield from map(str, unlike_examples(cards, answers, folder or FOLDER))


def check_on_save(url: str, folders: Sequence[Path], check: Callable[[], None]) -> NoReturn:
    """Checks now and whenever a card, table or fixture is saved, until Ctrl-C.

    Each time it names the page of the service at ``url`` that previews what was saved.
    """
    seen = _saved(folders)
    check()
    while True:
        sleep(PAUSE)
        now = _saved(folders)
        files = sorted({path for path, _ in seen ^ now})
        if files:
            seen = now
            click.echo(f"\nSaved: {', '.join(path.name for path in files)}")
            check()
            for page in dict.fromkeys(preview(path, url) for path in files):
                click.echo(f"Preview, where tolami serve --reload runs: {page}")


def _saved(folders: Sequence[Path]) -> set[tuple[Path, int]]:
    """The files that an author edits, with the moment in which each was saved."""
    found = set()
    for path in (path for folder in folders for path in folder.rglob("*") if path.suffix in WATCHED):
        try:
            found.add((path, path.stat().st_mtime_ns))
        except OSError:  # an editor puts a new file in its place
            continue
    return found


def preview(path: Path, url: str) -> str:
    """The page of a service that shows what was saved: the card's own, or all of them."""
    card = path.suffix == ".md" and path.parent.name != "lines"
    return f"{url.rstrip('/')}/guidance/{path.stem if card else ''}"


def check_again() -> None:
    """Checks in a process of its own, because tables are read once in a process."""
    result = subprocess.run(COMMAND, capture_output=True, text=True, check=False)  # noqa: S603
    click.echo(result.stderr.strip() or result.stdout.splitlines()[-1])

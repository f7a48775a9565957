"""``tolami replay``: request files answered and compared, or a whole corpus of anybody's files."""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from service.cli.answers import OK, InProcess, OverHttp, Request, difference, find, read_all, record
from service.cli.display import answer_lines, diff_lines
from service.cli.output import BROKEN, LINES, STANDARD_INPUT, Day, Refused, example, library, standard_output
from service.trust.clients import Dialect, Jurisdiction

FIXTURES = Path("fhir_fixtures/requests")
MOST_SHOWN_IN_FULL = 5


@click.command(
    help="""Replay hook requests and compare the answers with the expected ones.

    PATHS are request files, folders of them, or - for standard input. A file NAME.ndjson, and standard input, may
    hold a request on each line. A file NAME.expected.json beside a request holds the expected answer. The exit code
    is 0 when all agree, 1 when an answer differs or is an error that is not expected, 2 when a file cannot be
    replayed.

    With --corpus no answers are compared. Messages are sent as they are; contexts and resources are wrapped in a
    call. The exit code is 1 when something went wrong: a failure, an error without an OperationOutcome, a card
    about a drug that the file does not name, or an answer that contradicts the folder's index.json.
    """,
    epilog=example(
        "tolami replay                      all fixtures, compared with their expected answers\n"
        "tolami replay my-request.json      one request from anywhere\n"
        "tolami replay -                    requests from standard input, one, or one per line\n"
        "tolami replay --url http://127.0.0.1:8000 --full\n"
        "tolami replay --dialect 2.0        what a client of 2.0 gets differently\n"
        "tolami replay --jurisdiction us    what changes under US labels\n"
        "tolami replay --corpus my-files    every JSON file below a folder, whatever it is"
    ),
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--url", help="Call a running service instead of answering in this process.")
@click.option("--update", is_flag=True, help="Record the answers as the expected ones.")
@click.option(
    "--dialect",
    type=click.Choice(["1.0", "2.0", "3.0"]),
    help="Answer as to a client of this CDS Hooks release; expected answers are for a client of unknown release.",
)
@click.option(
    "--jurisdiction",
    type=click.Choice(["eu", "uk", "us", "ch", "other"]),
    help="Follow the labels of this jurisdiction; expected answers are for eu.",
)
@click.option(
    "--today",
    type=Day(),
    help="The day to answer for; by default the recorded day, else today's date.",
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Replay every JSON file below a folder, whatever it is, and count the outcomes.",
)
@click.option("--full/--brief", default=None, help=f"In full: the default for up to {MOST_SHOWN_IN_FULL} requests.")
def replay(
    paths: tuple[Path, ...],
    url: str | None,
    update: bool,
    dialect: Dialect | None,
    jurisdiction: Jurisdiction | None,
    today: date | None,
    corpus: Path | None,
    full: bool | None,
) -> None:
    alone = "it cannot be combined with"
    if update and (url or dialect or jurisdiction):
        raise Refused(f"--update records answers of this code; {alone} --url, --dialect or --jurisdiction.")
    if url and (dialect or jurisdiction):
        raise Refused(f"--url asks a service whose trust file decides; {alone} --dialect or --jurisdiction.")
    if url and not url.startswith(("http://", "https://")):
        raise Refused(f"--url {url}: write the address of a running service, for example http://127.0.0.1:8000.")
    if update and any(path == STANDARD_INPUT or path.suffix == LINES for path in paths):
        raise Refused(f"--update needs files of one request; {alone} - or {LINES}.")
    if corpus is not None and (paths or update or full is not None):
        raise Refused(f"--corpus replays a folder and compares nothing; {alone} PATHS, --update or --full.")
    cards = library()
    answering = OverHttp(url) if url is not None else InProcess(cards, dialect, jurisdiction)
    if corpus is not None:
        from service.cli.corpus import replay_corpus

        sys.exit(replay_corpus(corpus, answering, cards, today))
    files = _files(list(paths) or [FIXTURES])
    in_full = len(files) <= MOST_SHOWN_IN_FULL if full is None else full
    sys.exit(_Replay(answering, today, update, in_full).run(files))


def _files(chosen: list[Path]) -> list[Path]:
    """The request files that the paths name; the command ends where there are none."""
    for path in chosen:
        if path != STANDARD_INPUT and not path.exists():
            here = " Name a request file, or run this in the project's folder." if path == FIXTURES else ""
            raise Refused(f"{path}: there is no such file or folder.{here}")
    files = list(find(chosen))
    if not files:
        raise Refused(f"{', '.join(map(str, chosen))}: no hook requests there.")
    return files


@dataclass(frozen=True)
class _Replay:
    """Who answers, for which day, and what is done with the answers."""

    answering: "InProcess | OverHttp"
    today: date | None
    update: bool
    full: bool

    def run(self, files: list[Path]) -> int:
        """Replays the files one by one under a progress bar; returns the exit code."""
        counts = {"agree": 0, "differ": 0, "without expected answer": 0, "recorded": 0, "refused": 0, "broken": 0}
        console, differing = standard_output(), list[str]()
        with Progress(console=console, transient=True, disable=len(files) == 1) as progress:
            for path in progress.track(files, description="Replaying"):
                for request in read_all(path):
                    if isinstance(request, Refused):
                        progress.console.print(str(request), style="red")
                        counts["broken"] += 1
                    else:
                        outcome = self._one(request, progress.console)
                        counts[outcome] += 1
                        differing += [str(request.path)] if outcome == "differ" else []
        if len(files) > MOST_SHOWN_IN_FULL:  # the differences have scrolled away
            for differing_file in differing:
                console.print(f"differs: {differing_file}", soft_wrap=True)
        console.print(", ".join(f"{number} {name}" for name, number in counts.items() if number))
        return BROKEN if counts["broken"] else 1 if counts["differ"] or counts["refused"] else 0

    def _one(self, request: Request, console: Console) -> str:
        """Replays one request and shows the answer; returns what came of it."""
        day = self.today or request.day
        answer = self.answering.answer(request, day)
        console.print(f"{request.path} ({request.hook})", style="bold", soft_wrap=True)
        for line in answer_lines(answer, full=self.full):
            console.print(line, soft_wrap=not self.full)
        if self.update and request.recordable:
            record(request, answer, day)
            return "recorded"
        lines = difference(request, answer)
        for text in diff_lines(lines):
            console.print(text, soft_wrap=True)
        if request.expected is None:
            return "without expected answer" if answer.status == OK else "refused"
        return "differ" if lines else "agree"

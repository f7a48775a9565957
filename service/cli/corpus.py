"""``tolami replay --corpus``: every JSON file below a folder, whatever it is."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from service.cli.output import standard_output, stop

if TYPE_CHECKING:
    from service.cli.answers import InProcess, OverHttp
    from service.cli.corpus_outcomes import Tally
    from service.terminology.recognise import Terminology

MOST_REASONS = 12
"""How many reasons are shown of one outcome; the others are counted together."""


def replay_corpus(
    folder: Path, answering: "InProcess | OverHttp", terminology: "Terminology", today: date | None
) -> int:
    """Replays the folder under a progress bar and shows what came of it; returns the exit code."""
    from rich.progress import Progress
    from rich.text import Text

    from service.cli.corpus_outcomes import Tally, files, verdicts
    from service.cli.display import corpus_table

    if not folder.is_dir():
        stop(f"{folder}: there is no such folder.")
    found = files(folder)
    if not found:
        stop(f"{folder}: no JSON files there.")
    console = standard_output()
    tally, expected = Tally(), verdicts(folder)
    day = today or date.today()  # noqa: DTZ011  (the day where the clinician is)
    with Progress(console=console, transient=True) as progress:
        for path in progress.track(found, description="Replaying"):
            _replay(path, answering, expected.get(path), terminology, day, tally)
    console.print(corpus_table(tally, MOST_REASONS))
    for path, what in tally.wrong:
        console.print(Text(f"{path.relative_to(folder)}: {what}", style="red"), soft_wrap=True)
    console.print(f"{len(found)} files; went wrong: {len(tally.wrong)}")
    return 1 if tally.wrong else 0


def _replay(
    path: Path,
    answering: "InProcess | OverHttp",
    expected: object,
    terminology: "Terminology",
    today: date,
    tally: "Tally",
) -> None:
    """Replays one file and counts what came of it."""
    from service.cli.answers import NotReplayable
    from service.cli.corpus_material import material
    from service.cli.corpus_outcomes import Outcome, outcome

    try:
        one = material(path)
        answer = answering.answer(one.call, today) if one.call is not None else None
        tally.add(path, outcome(one, answer, expected, terminology))
    except NotReplayable as error:
        tally.add(path, Outcome("could not be replayed", wrong=(str(error),)))

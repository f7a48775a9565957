"""``tolami check --watch``: the check again on each save, with the page that previews what was saved."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import sleep
from typing import NoReturn

import click

from service.cli.replay import FIXTURES
from service.engine.loading import FOLDER

PAUSE = 0.5
"""Seconds between two looks at the files."""
WATCHED = {".md", ".yaml", ".json"}
COMMAND = (sys.executable, "-c", "from service.cli.main import main; main()", "check", "--format", "json")
"""A process of its own, because tables are read once in a process."""


def saved_at(folders: Sequence[Path]) -> dict[Path, int]:
    """When each card, table and fixture below the folders was saved, in ns."""
    paths = (path for folder in folders for path in folder.rglob("*") if path.suffix in WATCHED)
    found = {}
    for path in paths:
        try:
            found[path] = path.stat().st_mtime_ns
        except OSError:  # an editor puts a new file in its place
            continue
    return found


def changed(before: Mapping[Path, int], now: Mapping[Path, int]) -> list[Path]:
    """The files that were saved, made or removed in between."""
    return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))


def preview(path: Path, url: str) -> str:
    """The page of a service that shows what was saved: the card's own, or all of them."""
    card = path.suffix == ".md" and path.parent.name != "lines"
    return f"{url.rstrip('/')}/guidance/{path.stem if card else ''}"


def check_on_save(
    url: str, folders: Sequence[Path] = (FOLDER, FIXTURES), run: Callable[[], None] | None = None
) -> NoReturn:
    """Checks now and on each save, until Ctrl-C."""
    check = run or _check
    seen = saved_at(folders)
    check()
    while True:
        sleep(PAUSE)
        now = saved_at(folders)
        files = changed(seen, now)
        if files:
            seen = now
            click.echo(f"\nSaved: {', '.join(path.name for path in files)}")
            check()
            for page in dict.fromkeys(preview(path, url) for path in files):
                click.echo(f"Preview, where tolami serve --reload runs: {page}")


def _check() -> None:
    result = subprocess.run(COMMAND, capture_output=True, text=True, check=False)  # noqa: S603
    click.echo(result_in_words(result.stdout, result.stderr))


def result_in_words(found: str, refused: str) -> str:
    """What a check has found, for people; where it found nothing at all, why the cards could not be read."""
    if not found.strip():
        return refused.strip()
    result = json.loads(found)
    return "\n".join(result["faults"]) or f"Guidance {result['guidance']}: no faults."

"""The cards of request files, seen as a prescriber sees them: for ``tolami check`` and the tests."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from service.cli.answers import InProcess, NotReplayable, Request, read_all, recorded_day
from service.dates import local_day
from service.engine.check import unreadable, words_fault
from service.engine.library import Library
from service.engine.loading import FOLDER


class Examples:
    """Answers request files and says what is wrong with the cards: words that fail, are too long, or a developer's.

    Each fault with its file; words that fail also with their line.
    """

    def __init__(self, library: Library, folder: Path = FOLDER) -> None:
        self._library = library
        self._folder = folder
        self._failures: list[tuple[str, Exception]] = []
        self.answering = InProcess(library, failed=lambda card, error: self._failures.append((card, error)))

    def faults(self, path: Path) -> list[tuple[str, Path]]:
        """The faults of one file, each with the request in which it was found."""
        return [
            (fault, path if isinstance(request, NotReplayable) else request.path)
            for request in read_all(path)
            for fault in ([str(request)] if isinstance(request, NotReplayable) else self._faults_of(request))
        ]

    def _faults_of(self, request: Request) -> Iterator[str]:
        self._failures.clear()
        answer = self.answering.answer(request, recorded_day(request) or local_day())
        for card, error in self._failures:
            yield str(words_fault(card, error, self._library, self._folder))
        for shown in answer.cards:
            yield from map(str, unreadable(shown, self._library))


def once_each(found: Iterable[tuple[str, Path]]) -> Iterator[str]:
    """Each fault once, with the first file in which it was found and how many more there are."""
    files: dict[str, list[Path]] = {}
    for fault, file in found:
        files.setdefault(fault, []).append(file)
    for fault, places in files.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        yield f"{fault} ({places[0]}{more})"

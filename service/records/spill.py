"""Where answered calls wait on disk while the database cannot be written: a file of JSON lines, without patient data.

All processes of a machine share one file. Whoever touches it holds its lock, so no line is torn or lost between them.
A line that cannot be read or that the database refuses is set aside in a second file beside it, ``….refused``.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from errno import ENOSPC
from pathlib import Path
from typing import BinaryIO

import msgspec

from service.records.store import Numbered

MOST_BYTES = 64 * 1024 * 1024
"""Size at which a file takes no more: about a hundred thousand calls."""

BATCH = 500


class SpillFile:
    """The waiting calls of this machine."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._refused = path.with_name(f"{path.name}.refused")
        self._most_bytes = most_bytes

    def add(self, calls: Sequence[Numbered]) -> list[Numbered]:
        """Appends calls; those for which there was no room. Raises OSError."""
        fitting = self._append(self._path, [msgspec.json.encode(call) for call in calls])
        return list(calls[fitting:])

    def set_aside(self, lines: Sequence[bytes]) -> None:
        """Keeps lines that cannot be written, for somebody to look at, as long as there is room. Raises OSError."""
        if lines:
            self._append(self._refused, lines)

    def take(self, write: Callable[[Sequence[Numbered]], Sequence[Numbered]]) -> tuple[int, int]:
        """Hands all waiting calls to ``write``, then empties the file; how many were written, and how many unreadable.

        ``write`` returns the calls that the database refuses; they are set aside, as lines that cannot be read are.
        What it raises leaves the file as it was: calls that were written are written again, which changes nothing
        (they have an identifier). Raises OSError.
        """
        if not self._path.exists() or self._path.stat().st_size == 0:
            return 0, 0
        written, unreadable, refused = 0, list[bytes](), list[bytes]()
        with _locked(self._path) as file:
            file.seek(0)
            batch: list[Numbered] = []
            for line in filter(bytes.strip, file):
                try:
                    batch.append(msgspec.json.decode(line, type=Numbered))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    unreadable.append(line.rstrip(b"\n"))
                if len(batch) == BATCH:
                    refused += map(msgspec.json.encode, write(batch))
                    written, batch = written + len(batch), []
            if batch:
                refused += map(msgspec.json.encode, write(batch))
            self.set_aside([*unreadable, *refused])
            file.truncate(0)
        return written + len(batch) - len(refused), len(unreadable)

    def _append(self, path: Path, lines: Sequence[bytes]) -> int:
        """Appends lines as long as there is room; the number of those that were."""
        with _locked(path) as file:
            before = size = file.seek(0, os.SEEK_END)
            torn = b""
            if size:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a full disk left a torn line: it must not spoil the next one
                    torn = b"\n"
            fitting = 0
            for line in lines:
                size += len(line) + 1
                if size > self._most_bytes:
                    break
                fitting += 1
            content = torn + b"".join(line + b"\n" for line in lines[:fitting])
            if os.write(file.fileno(), content) < len(content):
                file.truncate(before)  # what is counted as lost must not be half there
                raise OSError(ENOSPC, "no room")
        return fitting


@contextmanager
def _locked(path: Path) -> Iterator[BinaryIO]:
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file

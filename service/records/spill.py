"""Where answered calls wait on disk while the database cannot be written: a file of JSON lines, without patient data.

All processes of a machine share one file. Whoever touches it holds its lock, so no line is torn or lost between them.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from service.records.store import Numbered

MOST_BYTES = 64 * 1024 * 1024
"""Size at which the file takes no more: about a hundred thousand calls."""

BATCH = 500


class SpillFile:
    """The waiting calls of this machine."""

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._most_bytes = most_bytes

    def add(self, calls: Sequence[Numbered]) -> int:
        """Appends calls; the number of those for which there was no room. Raises OSError."""
        lines = [msgspec.json.encode(call) + b"\n" for call in calls]
        with self._locked() as file:
            size = file.seek(0, os.SEEK_END)
            if size:
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a full disk left a torn line: it must not spoil the next one
                    lines[0] = b"\n" + lines[0]
            fitting = 0
            for line in lines:
                size += len(line)
                if size > self._most_bytes:
                    break
                fitting += 1
            file.write(b"".join(lines[:fitting]))
        return len(lines) - fitting

    def take(self, write: Callable[[Sequence[Numbered]], None]) -> tuple[int, int]:
        """Hands all waiting calls to ``write``, then empties the file; the numbers of those written and unreadable.

        What ``write`` raises leaves the file as it was: calls that were written are written again, which changes
        nothing (they have an identifier). Raises OSError.
        """
        if not self._path.exists() or self._path.stat().st_size == 0:
            return 0, 0
        written, unreadable, batch = 0, 0, list[Numbered]()
        with self._locked() as file:
            file.seek(0)
            for line in file:
                try:
                    batch.append(msgspec.json.decode(line, type=Numbered))
                except (msgspec.DecodeError, UnicodeDecodeError):
                    unreadable += 1
                if len(batch) == BATCH:
                    write(batch)
                    written, batch = written + len(batch), []
            if batch:
                write(batch)
            file.truncate(0)
        return written + len(batch), unreadable

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
            file.flush()

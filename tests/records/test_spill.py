"""Calls wait in a file that several processes share, come out as they went in, and what has no room is counted."""

import multiprocessing
import resource
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from service.records.spill import SpillFile
from service.records.store import Numbered
from tests.records.kept import exchange, named, shown


def calls(*names: object) -> list[Numbered]:
    return [Numbered(named(name), exchange(shown(name), unchecked=["dose-missing"])) for name in names]


def taken(spill: SpillFile) -> tuple[list[Numbered], tuple[int, int]]:
    found: list[Numbered] = []

    def take(batch: Sequence[Numbered]) -> list[Numbered]:
        found.extend(batch)
        return []

    numbers = spill.take(take)
    return found, numbers


def aside(file: Path) -> Path:
    return file.with_name("waiting.jsonl.refused")


FIRST_VERSION = (
    b'{"id":"%(id)s","exchange":{"at":"2026-11-23T12:00:00Z","client":"Example EHR","tenant":"ward-7",'
    b'"hook":"order-sign","service":"order-sign","guidance":"0.1.0+abc","cards":[{"uuid":"%(id)s",'
    b'"card":"amitriptyline-start-dose","indicator":"warning","suggestions":["%(suggestion)s"]}],'
    b'"unchecked":["dose-missing"],"milliseconds":4.2}}\n'
) % {b"id": named(1).encode(), b"suggestion": named("suggestion of 1").encode()}
"""A line as the version before the counts wrote it."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "waiting.jsonl"


def test_calls_come_out_as_they_went_in_and_once(file: Path) -> None:
    spill = SpillFile(file)
    assert spill.add(calls(1, 2)) == []
    assert spill.add(calls(3)) == []
    assert taken(spill) == (calls(1, 2, 3), (3, 0))
    assert taken(spill) == ([], (0, 0))


def test_without_a_file_nothing_waits_and_none_is_made(file: Path) -> None:
    assert taken(SpillFile(file)) == ([], (0, 0))
    assert not file.exists()


def test_what_cannot_be_written_stays_in_the_file(file: Path) -> None:
    spill = SpillFile(file)
    spill.add(calls(*range(1200)))
    seen: list[int] = []

    def refuse_the_second(batch: Sequence[Numbered]) -> list[Numbered]:
        seen.append(len(batch))
        if len(seen) == 2:
            raise ConnectionError
        return []

    with pytest.raises(ConnectionError):
        spill.take(refuse_the_second)
    assert seen == [500, 500]
    found, numbers = taken(spill)
    assert (found, numbers) == (calls(*range(1200)), (1200, 0))


def test_a_torn_line_is_counted_and_spoils_no_other(file: Path) -> None:
    spill = SpillFile(file)
    spill.add(calls(1))
    with file.open("ab") as opened:
        opened.write(b'{"id":"torn","exch')
    spill.add(calls(2))
    with file.open("ab") as opened:
        opened.write(b"\xff\xfe\n")
    assert taken(spill) == (calls(1, 2), (2, 2))
    assert taken(spill) == ([], (0, 0))
    assert aside(file).read_bytes() == b'{"id":"torn","exch\n\xff\xfe\n'


def test_a_call_that_the_database_refuses_is_set_aside_and_blocks_no_other(file: Path) -> None:
    spill = SpillFile(file)
    spill.add(calls(1, 2, 3))
    assert spill.take(lambda batch: [batch[1]]) == (2, 0)
    assert taken(spill) == ([], (0, 0))
    assert msgspec.json.decode(aside(file).read_bytes(), type=Numbered) == calls(2)[0]


def test_a_line_of_the_first_version_is_read(file: Path) -> None:
    file.write_bytes(FIRST_VERSION)
    (found,), _ = taken(SpillFile(file))
    assert found == calls(1)[0]


def test_the_file_of_what_was_refused_does_not_grow_for_ever(file: Path) -> None:
    file.write_bytes(b"nonsense\n" * 100)
    spill = SpillFile(file, most_bytes=450)
    assert taken(spill) == ([], (0, 100))
    assert aside(file).stat().st_size == 450


def test_what_has_no_room_is_counted_and_the_rest_is_kept(file: Path) -> None:
    SpillFile(file).add(calls(1))
    spill = SpillFile(file, most_bytes=file.stat().st_size * 2 + 10)
    assert spill.add(calls(2, 3, 4)) == calls(3, 4)
    assert taken(spill)[0] == calls(1, 2)


def test_of_calls_for_which_the_disk_has_no_room_nothing_is_left_behind(file: Path) -> None:
    spill = SpillFile(file)
    spill.add(calls(1))
    before, (soft, hard) = file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) * 5 // 2, hard))
    try:
        with pytest.raises(OSError, match=r"room|large"):
            spill.add(calls(2, 3, 4))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_bytes() == before
    assert spill.add(calls(5)) == []
    assert taken(spill) == (calls(1, 5), (2, 0))


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        SpillFile(tmp_path / "nowhere" / "waiting.jsonl").add(calls(1))


def write_many(file: Path, who: int) -> None:
    for number in range(40):
        assert SpillFile(file).add(calls(f"{who} {number}")) == []


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_several_processes_write_to_it_and_no_line_is_torn(file: Path) -> None:
    forks = multiprocessing.get_context("fork")
    processes = [forks.Process(target=write_many, args=(file, who)) for who in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    found, numbers = taken(SpillFile(file))
    assert numbers == (120, 0)
    assert {call.id for call in found} == {named(f"{who} {number}") for who in range(3) for number in range(40)}

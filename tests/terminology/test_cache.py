"""Kept expansions: whole or not there, and only for the question and the server that they answered."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from service.terminology.answer import Member
from service.terminology.client import Expansion
from service.terminology.expand import MOST_BYTES, ExpansionCache
from service.terminology.query import Query
from tests.terminology.fake_server import VERSION

STROKE = Query("stroke", "conditions", ("230690007",))
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FOUND = Expansion((Member("230690007", "Stroke"), Member("1001", "")), VERSION, NOW)


@pytest.fixture
def cache(tmp_path: Path) -> ExpansionCache:
    return ExpansionCache(tmp_path / "kept", "https://tx.example.org/fhir")


def only_file(cache: ExpansionCache) -> Path:
    (path,) = cache.folder.iterdir()
    return path


def test_what_is_kept_is_read_again_with_its_date(cache: ExpansionCache) -> None:
    assert cache.read(STROKE) is None
    for expansion in (FOUND, Expansion((), "", NOW)):
        cache.write(STROKE, expansion)
        assert cache.read(STROKE) == expansion


def test_another_question_or_another_server_is_not_answered_by_it(cache: ExpansionCache) -> None:
    cache.write(STROKE, FOUND)
    assert cache.read(Query("stroke", "conditions", ("275526006",))) is None
    assert cache.read(Query("stroke", "drugs", STROKE.concepts)) is None
    assert ExpansionCache(cache.folder, "https://other.example.org").read(STROKE) is None


def test_a_newer_answer_takes_the_place_of_the_older(cache: ExpansionCache) -> None:
    cache.write(STROKE, Expansion((Member("230690007", ""),), VERSION, NOW))
    cache.write(STROKE, FOUND)
    only_file(cache)
    assert cache.read(STROKE) == FOUND


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("expansion", "on"), "yesterday"),
        (("expansion", "on"), "2026-11-23T08:00:00"),
        (("expansion", "on"), None),
        (("expansion", "members"), [{"code": 1001}]),
        (("expansion",), []),
        (("asked",), None),
        (("server",), "https://other.example.org"),
    ],
)
def test_a_kept_answer_that_was_damaged_counts_for_nothing(
    cache: ExpansionCache, path: tuple[str, ...], value: Any
) -> None:
    cache.write(STROKE, FOUND)
    file = only_file(cache)
    content = json.loads(file.read_text(encoding="utf-8"))
    *parents, last = path
    holder = content
    for parent in parents:
        holder = holder[parent]
    holder[last] = value
    file.write_text(json.dumps(content), encoding="utf-8")
    assert cache.read(STROKE) is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"[]", b" " * (MOST_BYTES + 1)])
def test_a_file_that_is_something_else_counts_for_nothing(cache: ExpansionCache, content: bytes) -> None:
    cache.write(STROKE, FOUND)
    only_file(cache).write_bytes(content)
    assert cache.read(STROKE) is None


def test_a_folder_that_cannot_be_written_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        ExpansionCache(tmp_path / "file", "https://tx.example.org").write(STROKE, FOUND)

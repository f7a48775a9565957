"""All sets are looked up within a time: from the server, or from what is kept of it, or not at all."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service.terminology.client import Expansion, NoAnswer, TerminologyServer, open_session
from service.terminology.expand import ExpansionCache, Expansions, Lookup, Source
from service.terminology.query import Query
from tests.terminology.fake_server import Behaviour, Handler, Terminology, answering

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
WEEK = timedelta(days=7)
STROKE = Query("stroke", "conditions", ("230690007",))
EPILEPSY = Query("epilepsy", "conditions", ("84757009",))
DRUG = Query("amitriptyline", "drugs", ("372726002",))
ALL = (STROKE, EPILEPSY, DRUG)


def look_up(
    server: Terminology, folder: Path, *, now: datetime = NOW, thorough: bool = False, seconds: float = 60
) -> Expansions:
    with open_session(server.url) as session:
        cache = ExpansionCache(folder, server.url)
        lookup = Lookup(TerminologyServer(server.url, session), cache, WEEK, lambda: now, thorough)
        return lookup.run(ALL, seconds)


def sources(expansions: Expansions) -> list[Source]:
    return [found.source for found in expansions.found]


def failing(*roots: str) -> Behaviour:
    def instead(handler: Handler, asked: dict[str, str]) -> bool:
        wrong = any(root in asked["url"] for root in roots)
        if wrong:
            handler.send(500, b"")
        return wrong

    return instead


def test_every_set_is_asked_for_and_kept(terminology_server: Terminology, tmp_path: Path) -> None:
    found = look_up(terminology_server, tmp_path)
    assert sources(found) == [Source.SERVER] * 3
    assert (found.faults, found.not_kept, len(found.whole)) == ((), "", 3)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "conditions-epilepsy.json",
        "conditions-stroke.json",
        "drugs-amitriptyline.json",
    ]


def test_what_is_kept_and_young_is_used_without_asking(terminology_server: Terminology, tmp_path: Path) -> None:
    look_up(terminology_server, tmp_path)
    terminology_server.asked.clear()
    again = look_up(terminology_server, tmp_path, now=NOW + WEEK - timedelta(seconds=1))
    assert sources(again) == [Source.CACHE] * 3
    assert terminology_server.asked == []
    assert {found.answer.on for found in again.found if found.answer is not None} == {NOW}


def test_what_is_kept_and_old_or_of_the_future_is_asked_for_again(
    terminology_server: Terminology, tmp_path: Path
) -> None:
    look_up(terminology_server, tmp_path)
    assert sources(look_up(terminology_server, tmp_path, now=NOW + WEEK)) == [Source.SERVER] * 3
    assert sources(look_up(terminology_server, tmp_path, now=NOW)) == [Source.SERVER] * 3


def test_a_thorough_lookup_asks_whatever_is_kept(terminology_server: Terminology, tmp_path: Path) -> None:
    look_up(terminology_server, tmp_path)
    assert sources(look_up(terminology_server, tmp_path, thorough=True)) == [Source.SERVER] * 3


def test_what_is_kept_serves_when_the_server_does_not_answer(terminology_server: Terminology, tmp_path: Path) -> None:
    look_up(terminology_server, tmp_path)
    terminology_server.asked.clear()
    terminology_server.instead = answering(503, b"")
    later = look_up(terminology_server, tmp_path, now=NOW + 10 * WEEK)
    assert sources(later) == [Source.CACHE] * 3
    assert len(later.whole) == 3
    assert [found.query for found in later.faults] == [STROKE]
    assert len(terminology_server.asked) == 1


def test_a_server_that_does_not_answer_is_asked_once(terminology_server: Terminology, tmp_path: Path) -> None:
    terminology_server.instead = answering(503, b"")
    for thorough in (False, True):
        terminology_server.asked.clear()
        found = look_up(terminology_server, tmp_path, thorough=thorough)
        assert sources(found) == [Source.EMBEDDED] * 3
        assert (found.whole, len(found.faults), len(terminology_server.asked)) == ((), 1, 1)


def test_a_kind_is_used_whole_or_not_at_all(terminology_server: Terminology, tmp_path: Path) -> None:
    terminology_server.instead = failing("84757009")
    found = look_up(terminology_server, tmp_path)
    assert [f.query for f in found.whole] == [DRUG]
    assert [f.query for f in found.faults] == [EPILEPSY]


def test_a_kind_that_cannot_become_whole_is_not_asked_further_but_when_thorough(
    terminology_server: Terminology, tmp_path: Path
) -> None:
    terminology_server.instead = failing("230690007")
    assert sources(look_up(terminology_server, tmp_path)) == [Source.EMBEDDED, Source.EMBEDDED, Source.SERVER]
    thorough = look_up(terminology_server, tmp_path, thorough=True)
    assert sources(thorough) == [Source.EMBEDDED, Source.SERVER, Source.SERVER]


def test_a_faulty_answer_to_one_set_is_made_up_for_by_what_is_kept(
    terminology_server: Terminology, tmp_path: Path
) -> None:
    look_up(terminology_server, tmp_path)
    terminology_server.instead = failing("84757009")
    found = look_up(terminology_server, tmp_path, now=NOW + WEEK)
    assert sources(found) == [Source.SERVER, Source.CACHE, Source.SERVER]
    assert len(found.whole) == 3


def test_a_slow_server_is_not_waited_for_and_what_was_answered_is_kept(
    terminology_server: Terminology, tmp_path: Path
) -> None:
    released = threading.Event()

    def slow(handler: Handler, asked: dict[str, str]) -> bool:
        return "84757009" in asked["url"] and not released.wait(120)

    terminology_server.instead = slow
    begun = time.monotonic()
    found = look_up(terminology_server, tmp_path, seconds=5)
    waited = time.monotonic() - begun
    released.set()
    assert waited < 60
    assert [f.query for f in found.faults] == [EPILEPSY]
    assert sources(found)[1:] == [Source.EMBEDDED] * 2
    assert ExpansionCache(tmp_path, terminology_server.url).read(STROKE) is not None


def test_a_call_that_no_limit_reaches_is_left_behind(tmp_path: Path) -> None:
    released = threading.Event()

    class Resolving(TerminologyServer):
        def expand(self, query: Query, on: datetime, until: float) -> Expansion:  # noqa: ARG002
            released.wait(120)
            raise NoAnswer("Too late.", "")

    with open_session("http://127.0.0.1:9") as session:
        server = Resolving("http://127.0.0.1:9", session)
        found = Lookup(server, ExpansionCache(tmp_path, server.base), WEEK, lambda: NOW).run(ALL, 0.1)
    released.set()
    assert sources(found) == [Source.EMBEDDED] * 3
    assert [str(f.fault) for f in found.faults] == [
        "The server did not answer in time. Check that it is up, and its load."
    ]


def test_answers_that_cannot_be_kept_are_used_and_it_is_said(terminology_server: Terminology, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    found = look_up(terminology_server, tmp_path / "file")
    assert sources(found) == [Source.SERVER] * 3
    assert found.not_kept in ("File exists", "Not a directory")


def test_a_failure_of_our_own_ends_the_asking_and_not_the_start(tmp_path: Path) -> None:
    class Broken(TerminologyServer):
        def expand(self, query: Query, on: datetime, until: float) -> Expansion:  # noqa: ARG002
            raise ZeroDivisionError("somebody's secret")

    with open_session("http://127.0.0.1:9") as session:
        server = Broken("http://127.0.0.1:9", session)
        found = Lookup(server, ExpansionCache(tmp_path, server.base), WEEK, lambda: NOW).run(ALL, 60)
    assert sources(found) == [Source.EMBEDDED] * 3
    assert "ZeroDivisionError" in str(found.faults[0].fault)
    assert "secret" not in str(found.faults[0].fault)

"""Two machines on one PostgreSQL, called with tokens: what one knows the other knows, and no end of one loses anything.

Each machine is a ``tolami serve`` with a folder of its own, so that each has a spill file of its own.
"""

import itertools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from service.records.database import Database
from service.records.opening import ANSWER
from service.records.reading import latest_outcomes, report
from service.records.report import Counted
from service.records.tables import outcomes, shown_cards
from service.settings import PREFIX
from tests.calls import SAMPLE
from tests.feedback import entry, feedback
from tests.records.kept import named
from tests.records.postgres import Postgres
from tests.records.test_store import answered_calls
from tests.records.test_writer import until
from tests.serving import CALL, Served, serving, session
from tests.trust.ehr import Ehr, ec, trusting

PUBLIC = "https://cds.example.org"
SELECT = "/cds-services/order-select"
LIMIT = 120.0
"""Seconds after which a test gives up waiting, on a machine that does much else."""


@dataclass(frozen=True)
class Machine:
    """One of several machines, and the EHR that calls it."""

    served: Served
    folder: Path
    database_url: str
    ehr: Ehr
    answered: list[int]
    """The statuses of the calls of all machines that got cards."""

    def token(self, path: str = SELECT) -> str:
        """A fresh token: it names the public address, whichever machine gets it."""
        return self.ehr.today().token(PUBLIC + path)

    def post(self, body: bytes, path: str = SELECT, token: str = "") -> requests.Response:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token(path)}"}
        with session() as client:
            return client.post(self.served.url + path, data=body, headers=headers, timeout=CALL)

    def call(self, token: str = "") -> requests.Response:
        """Asks for cards."""
        answer = self.post(SAMPLE.read_bytes(), token=token)
        if answer.ok:
            self.answered.append(answer.status_code)
        return answer

    def send_feedback(self, card: str) -> int:
        """Sends feedback on a card; the status of the answer."""
        return self.post(feedback(entry(card=card)), f"{SELECT}/feedback").status_code

    def recorded(self, outcome: str) -> int:
        """How many exchanges this machine has ``written``, ``spilled`` or ``lost``."""
        with session() as client:
            text = client.get(f"{self.served.url}/metrics", timeout=CALL).text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(
            int(sample.value)
            for sample in samples
            if sample.name == "tolami_records_total" and sample.labels["outcome"] == outcome
        )


class Machines:
    """Two machines on one database. One that was ended is started again when the two are asked for."""

    def __init__(self, folder: Path, url: str, stack: ExitStack) -> None:
        self._folder = folder
        self._url = url
        self._stack = stack
        self._ehr = Ehr(ec("shared"))
        self._answered: list[int] = []
        self._running: dict[str, Machine] = {}

    def both(self) -> tuple[Machine, Machine]:
        return self._machine("first"), self._machine("second")

    def _machine(self, name: str) -> Machine:
        running = self._running.get(name)
        if running is None or running.served.process.poll() is not None:
            own = self._folder / name
            own.mkdir(exist_ok=True)
            trust = trusting(self._folder, self._ehr).items()
            settings = {f"{PREFIX}{key.upper()}": value for key, value in trust} | {"TOLAMI_DATABASE_URL": self._url}
            served = self._stack.enter_context(serving(own, "--workers", "1", settings=settings))
            running = self._running[name] = Machine(served, own, self._url, self._ehr, self._answered)
        return running


@pytest.fixture(scope="module")
def machines(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    with ExitStack() as stack:
        yield Machines(tmp_path_factory.mktemp("machines"), postgres.new_database(), stack)


@pytest.fixture
def pair(machines: Machines) -> tuple[Machine, Machine]:
    """Two machines that run, on a database that others have used before."""
    return machines.both()


@pytest.fixture
def kept(pair: tuple[Machine, Machine]) -> Iterator[Database]:
    """What the two have kept."""
    database = Database(pair[0].database_url)
    yield database
    database.close()


def all_are_counted(machine: Machine, kept: Database) -> bool:
    return answered_calls(kept) == len(machine.answered)


def counted(kept: Database, card: str) -> Counted:
    """What the report says of a card."""
    with kept.reading() as connection:
        found = report(connection, datetime.now(UTC).date())
    return next((each.counted for each in found.cards if each.card == card), Counted())


def with_feedback(database: Database) -> list[str]:
    """The cards that there is feedback on, once for each."""
    with database.reading() as connection:
        return sorted(each.uuid for each in latest_outcomes(connection, None, None, 100_000)[0])


def test_a_token_used_on_one_machine_is_refused_on_the_other(pair: tuple[Machine, Machine]) -> None:
    for one, other in (pair, pair[::-1]):
        token = one.token()
        assert [machine.call(token).status_code for machine in (one, other, one)] == [200, 401, 401]
        assert '"reason":"replayed"' in other.served.logged()


def test_a_token_sent_to_both_machines_at_once_is_good_once(pair: tuple[Machine, Machine]) -> None:
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            token = pair[0].token()
            statuses = list(pool.map(lambda machine, same=token: machine.call(same).status_code, pair * 2))
            assert sorted(statuses) == [200, 401, 401, 401]


def test_feedback_sent_to_one_machine_counts_for_a_card_of_the_other(
    pair: tuple[Machine, Machine], kept: Database
) -> None:
    first, second = pair
    until(lambda: all_are_counted(first, kept), LIMIT)
    card = next(card for card in first.call().json()["cards"] if card.get("suggestions"))
    name = card["extension"]["io.github.tolami"]["card"]
    before = counted(kept, name)
    until(lambda: all_are_counted(first, kept), LIMIT)
    assert second.send_feedback(card["uuid"]) == 200
    assert counted(kept, name) == before + Counted(shown=1, overridden=1)


@dataclass
class Load:
    """Callers that ask the machines for cards until they are to stop, and what they got."""

    stop: threading.Event = field(default_factory=threading.Event)
    statuses: list[int] = field(default_factory=list)
    cards: list[str] = field(default_factory=list)

    def run(self, machine: Machine) -> None:
        while not self.stop.wait(0.02):
            answer = machine.call()
            given = [card["uuid"] for card in answer.json().get("cards", [])]
            assert given, "no answer may be without its cards"
            self.cards.extend(given)
            self.statuses.append(answer.status_code)

    def goes_on(self, calls: int) -> None:
        """Waits until so many more calls are answered."""
        enough = len(self.statuses) + calls
        until(lambda: len(self.statuses) >= enough, LIMIT)


@contextmanager
def calling(*called: Machine) -> Iterator[Load]:
    """Two callers for each machine; at the end, whatever went wrong for one of them is raised."""
    load = Load()
    with ThreadPoolExecutor(2 * len(called)) as pool:
        running = [pool.submit(load.run, machine) for machine in called * 2]
        try:
            yield load
        finally:
            load.stop.set()
        for each in running:
            each.result(LIMIT)


def test_a_database_that_is_ended_and_started_under_load_loses_no_card_and_no_record(
    pair: tuple[Machine, Machine], kept: Database, postgres: Postgres
) -> None:
    modes: tuple[Literal["fast", "immediate"], ...] = ("fast", "immediate")
    numbers = itertools.count()
    tried: list[str] = []
    sent: list[str] = []

    def taken(machine: Machine) -> bool:
        """Whether feedback is taken now; it is noted if so. Otherwise it is refused with a 503, and no other."""
        card = named(f"ended {next(numbers)}")
        tried.append(card)
        status = machine.send_feedback(card)
        assert status in (200, 503)
        sent.extend([card] if status == 200 else [])
        return status == 200

    used = pair[0].token()
    with calling(*pair) as load:
        assert pair[0].call(used).status_code == 200
        for mode in modes:
            until(lambda: all(taken(machine) for machine in pair), LIMIT)
            load.goes_on(15)
            postgres.end(mode)
            try:
                load.goes_on(15)
                assert not any(taken(machine) for machine in pair)
            finally:
                postgres.start()
        until(lambda: all(taken(machine) for machine in pair), LIMIT)
        load.goes_on(15)
    assert pair[1].call(used).status_code == 401, "what was known before the crash is known after it"
    assert set(load.statuses) == {200}

    until(lambda: answered_calls(kept) >= len(pair[0].answered), LIMIT)
    assert all_are_counted(pair[0], kept)
    with kept.reading() as connection:
        assert set(load.cards) <= set(connection.scalars(select(shown_cards.c.uuid)))
    assert sorted(set(with_feedback(kept)) & set(tried)) == sorted(sent)
    assert all(machine.recorded("spilled") > 0 for machine in pair), "some had to wait on each machine's disk"
    assert not any(machine.recorded("lost") for machine in pair)
    files = [machine.folder / "tolami-waiting.jsonl" for machine in pair]
    until(lambda: not any(file.stat().st_size for file in files), LIMIT)


def test_feedback_is_refused_within_seconds_while_the_database_stands_still_and_is_kept_once_after_that(
    pair: tuple[Machine, Machine], kept: Database, postgres: Postgres
) -> None:
    cards = [named(f"still {number}") for number in range(36)]
    statuses: list[int] = []
    seconds: list[float] = []

    def send(card: str, number: int) -> None:
        started = time.monotonic()
        statuses.append(pair[number % 2].send_feedback(card))
        seconds.append(time.monotonic() - started)

    until(lambda: pair[0].send_feedback(cards[0]) == pair[1].send_feedback(cards[0]) == 200, LIMIT)
    with calling(*pair) as load, ThreadPoolExecutor(6) as pool:
        sending = [pool.submit(send, card, number) for number, card in enumerate(cards)]
        until(lambda: len(statuses) > 10, LIMIT)
        with postgres.standing_still():
            load.goes_on(15)
            for each in sending:
                each.result(LIMIT)
            load.goes_on(15)
        until(lambda: pair[0].send_feedback(cards[0]) == pair[1].send_feedback(cards[0]) == 200, LIMIT)
        assert {pair[number % 2].send_feedback(card) for number, card in enumerate(cards)} == {200}
    assert set(statuses) == {200, 503}
    assert max(seconds) < 3 * ANSWER, "once for those that were under way; nobody waits for it again"
    assert set(load.statuses) == {200}
    with kept.reading() as connection:
        found = list(connection.scalars(select(outcomes.c.card).where(outcomes.c.card.in_(cards))))
    assert sorted(found) == sorted(cards), "each once, also if it was sent again after a refusal"
    until(lambda: answered_calls(kept) >= len(pair[0].answered), LIMIT)
    assert all_are_counted(pair[0], kept)
    assert not any(machine.recorded("lost") for machine in pair)


def test_a_machine_killed_under_load_loses_no_acknowledged_feedback_and_the_other_takes_over(
    pair: tuple[Machine, Machine], kept: Database
) -> None:
    first, second = pair
    cards = [named(f"killed {number}") for number in range(120)]
    until(lambda: all_are_counted(first, kept), LIMIT)  # its last second would be gone
    acknowledged: list[str] = []
    moved: list[str] = []

    def send(card: str) -> None:
        """Sends to the first machine, to the second when that does not answer; again what was not taken (503)."""
        try:
            until(lambda: first.send_feedback(card) == 200, LIMIT)
        except requests.RequestException:
            moved.append(card)
            until(lambda: second.send_feedback(card) == 200, LIMIT)
        acknowledged.append(card)

    with ThreadPoolExecutor(6) as pool:
        sending = [pool.submit(send, card) for card in cards]
        until(lambda: len(acknowledged) > 20, LIMIT)
        first.served.kill(1)
        for each in sending:
            each.result(LIMIT)
    assert 0 < len(moved) < len(cards) - 20, "it was killed in the middle"
    assert sorted(acknowledged) == sorted(cards) == sorted(set(with_feedback(kept)) & set(cards))

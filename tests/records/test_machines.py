"""Two machines on one PostgreSQL, called with tokens: what one knows the other knows, and no end of one loses anything.

Each machine is a ``tolami serve`` with a folder of its own, so that each has a spill file of its own.
"""

import itertools
import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import select

from service.records.database import Database
from service.records.listing import latest_outcomes
from service.records.tables import shown_cards
from service.server import SAMPLE
from service.settings import PREFIX
from tests.feedback import entry, feedback
from tests.records.kept import named
from tests.records.postgres import running_postgres
from tests.records.test_store import answered_calls
from tests.records.test_writer import until
from tests.serving import CALL, COMMAND, Served, environment, serving, session
from tests.trust.ehr import Ehr, ec, trusting

PUBLIC = "https://cds.example.org"
SELECT = "/cds-services/order-select"
LIMIT = 120.0
"""Seconds after which a test gives up waiting, on a machine that does much else."""

Url = Callable[[], str]


@dataclass(frozen=True)
class Machine:
    """One of several machines, and the EHR that calls it."""

    served: Served
    folder: Path
    database_url: str
    ehr: Ehr

    def token(self, path: str = SELECT) -> str:
        """A fresh token: it names the public address, whichever machine gets it."""
        return self.ehr.today().token(PUBLIC + path)

    def post(self, body: bytes, path: str = SELECT, token: str = "") -> requests.Response:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token or self.token(path)}"}
        with session() as client:
            return client.post(self.served.url + path, data=body, headers=headers, timeout=CALL)

    def call(self, token: str = "") -> requests.Response:
        """Asks for cards."""
        return self.post(SAMPLE.read_bytes(), token=token)

    def tell(self, card: str) -> int:
        """Sends feedback on a card; the status of the answer."""
        return self.post(feedback(entry(card=card)), f"{SELECT}/feedback").status_code

    def report(self) -> dict[str, dict[str, int]]:
        """What ``tolami report`` says on this machine, by card."""
        ran = subprocess.run(
            [str(COMMAND), "report", "--format", "json"], capture_output=True, check=True, timeout=LIMIT,
            cwd=self.folder, env=environment() | {"TOLAMI_DATABASE_URL": self.database_url},
        )  # fmt: skip
        return {row["card"]: row for row in json.loads(ran.stdout)}

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


@contextmanager
def machines(folder: Path, url: str) -> Iterator[tuple[Machine, Machine]]:
    """Two machines on one database."""
    ehr = Ehr(ec("shared"))
    folder.mkdir(exist_ok=True)
    settings = {f"{PREFIX}{name.upper()}": value for name, value in trusting(folder, ehr).items()}
    with ExitStack() as stack:
        started = []
        for name in ("first", "second"):
            own = folder / name
            own.mkdir()
            options = settings | {"TOLAMI_DATABASE_URL": url}
            served = stack.enter_context(serving(own, "--workers", "1", settings=options))
            started.append(Machine(served, own, url, ehr))
        yield started[0], started[1]


@pytest.fixture
def pair(new_postgres_database: Url, tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines on one empty database."""
    with machines(tmp_path / "machines", new_postgres_database()) as both:
        yield both


@pytest.fixture
def kept(pair: tuple[Machine, Machine]) -> Iterator[Database]:
    """What the two have kept."""
    database = Database(pair[0].database_url)
    yield database
    database.close()


def told(database: Database) -> list[str]:
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
        for _ in range(10):
            token = pair[0].token()
            statuses = list(pool.map(lambda machine, same=token: machine.call(same).status_code, pair * 2))
            assert sorted(statuses) == [200, 401, 401, 401]


def test_feedback_sent_to_one_machine_is_reported_by_the_other(pair: tuple[Machine, Machine], kept: Database) -> None:
    first, second = pair
    card = next(card for card in first.call().json()["cards"] if card.get("suggestions"))
    until(lambda: answered_calls(kept) == 1, LIMIT)
    assert second.tell(card["uuid"]) == 200
    row = first.report()[card["extension"]["io.github.tolami"]["card"]]
    assert (row["shown"], row["overridden"]) == (1, 1)
    assert second.report() == first.report()


def test_a_machine_killed_under_load_loses_no_acknowledged_feedback_and_the_other_takes_over(
    pair: tuple[Machine, Machine], kept: Database
) -> None:
    first, second = pair
    cards = [named(number) for number in range(200)]
    acknowledged: list[str] = []
    moved: list[str] = []

    def send(card: str) -> None:
        """Sends to the first machine; to the second, the same again, when the first does not answer."""
        try:
            assert first.tell(card) == 200
        except requests.RequestException:
            moved.append(card)
            assert second.tell(card) == 200
        acknowledged.append(card)

    with ThreadPoolExecutor(6) as pool:
        sending = [pool.submit(send, card) for card in cards]
        until(lambda: len(acknowledged) > 40, LIMIT)
        first.served.kill(1)
        for each in sending:
            each.result(LIMIT)
    assert 0 < len(moved) < len(cards) - 40, "it was killed in the middle"
    assert sorted(acknowledged) == sorted(cards) == told(kept)


@dataclass
class Load:
    """Callers that ask the machines for cards until they are told to stop, and what they got."""

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


def test_a_database_that_is_ended_and_started_under_load_loses_no_card_and_no_record(tmp_path: Path) -> None:
    modes: tuple[Literal["fast", "immediate"], ...] = ("fast", "immediate")
    numbers = itertools.count()
    sent: list[str] = []
    with running_postgres() as postgres, machines(tmp_path / "machines", postgres.new_database()) as pair:

        def taken(machine: Machine) -> bool:
            """Whether feedback is taken now; it is noted if so. Otherwise it is refused with a 503, and no other."""
            card = named(next(numbers))
            status = machine.tell(card)
            assert status in (200, 503)
            sent.extend([card] if status == 200 else [])
            return status == 200

        used = pair[0].token()
        with calling(*pair) as load:
            assert pair[0].call(used).status_code == 200
            for mode in modes:
                until(lambda: all(taken(machine) for machine in pair), LIMIT)
                load.goes_on(40)
                postgres.end(mode)
                load.goes_on(40)
                assert not any(taken(machine) for machine in pair)
                postgres.start()
            until(lambda: all(taken(machine) for machine in pair), LIMIT)
            load.goes_on(40)
        assert pair[1].call(used).status_code == 401, "what was known before the crash is known after it"
        assert set(load.statuses) == {200}
        answered = len(load.statuses) + 1

        database = Database(pair[0].database_url)
        until(lambda: answered_calls(database) >= answered, LIMIT)
        assert answered_calls(database) == answered
        with database.reading() as connection:
            assert set(load.cards) <= set(connection.scalars(select(shown_cards.c.uuid)))
        assert told(database) == sorted(sent)
        database.close()

        assert all(machine.recorded("spilled") > 0 for machine in pair), "some had to wait on each machine's disk"
        assert not any(machine.recorded("lost") for machine in pair)
        files = [machine.folder / "tolami-waiting.jsonl" for machine in pair]
        until(lambda: not any(file.stat().st_size for file in files), LIMIT)

"""What tokens and recording cost: the same calls with and without them, in interleaved rounds, as a table of ratios.

All calls go through the WSGI interface of this process, so that no network is measured. "Time" is what the caller
waits. "CPU" is that of this process, the thread that writes records included, but not that of PostgreSQL. Tokens are
signed beforehand. The rounds of all ways take turns, so that the machine's load falls on all alike.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from flask import Flask

from service.app import create_app, new_uuid
from service.dates import utc_now
from service.engine.library import Library
from service.engine.loading import load
from service.records import Records
from service.server import warmed
from service.settings import Settings
from tests.benchmarks.calls import call
from tests.benchmarks.request import AMITRIPTYLINE, AMOXICILLIN, body
from tests.records.postgres import running_postgres
from tests.trust.ehr import Ehr, ec, trusting

ROUNDS, CALLS = 20, 20
WRITTEN = 30.0
"""Seconds that the writing of one round may take."""

AUDIENCE = "https://cds.example.org/cds-services/order-sign"
BODIES = {"another drug": body(AMOXICILLIN), "amitriptyline": body(AMITRIPTYLINE)}


@dataclass
class Way:
    """One way to run the service, and what each round of calls took, in microseconds a call."""

    app: Flask
    ehr: Ehr | None
    records: Records | None
    waited: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in BODIES})
    cpu: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in BODIES})

    def round(self, name: str) -> None:
        """One round of calls with this body, until all of it is written."""
        tokens = [self.ehr.today().token(AUDIENCE) if self.ehr else "" for _ in range(CALLS)]
        started, cpu = time.perf_counter_ns(), time.process_time_ns()
        for token in tokens:
            call(self.app, BODIES[name], token)
        waited = time.perf_counter_ns() - started
        if self.records and not self.records.writer.flush(WRITTEN):
            raise RuntimeError("the records were not written in time")
        self.waited[name].append(waited / CALLS / 1000)
        self.cpu[name].append((time.process_time_ns() - cpu) / CALLS / 1000)


@contextmanager
def ways(folder: Path) -> Iterator[dict[str, Way]]:
    """The service without anything, and with tokens, records or both, in either kind of database."""
    library, ehr = load(), Ehr(ec("bench"))
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())

        def way(name: str, database_url: str = "", *, tokens: bool) -> Way:
            records = None
            if database_url:
                records = Records(database_url, folder / f"{name}.jsonl", utc_now, new_uuid)
                stack.callback(records.close)
                if not records.database.available():
                    raise RuntimeError(f"{records.database.name} cannot be used")
            return Way(application(folder, library, ehr if tokens else None, records), ehr if tokens else None, records)

        yield {
            "neither": way("neither", tokens=False),
            "records, SQLite": way("1", f"sqlite:///{folder / '1.db'}", tokens=False),
            "records, PostgreSQL": way("2", postgres.new_database(), tokens=False),
            "tokens": way("tokens", tokens=True),
            "both, SQLite": way("3", f"sqlite:///{folder / '3.db'}", tokens=True),
            "both, PostgreSQL": way("4", postgres.new_database(), tokens=True),
        }


def application(folder: Path, library: Library, ehr: Ehr | None, records: Records | None) -> Flask:
    """The application as the server makes it; without records, used tokens are known in memory only."""
    chosen = trusting(folder, ehr) if ehr else {}
    return warmed(create_app(Settings.model_validate(chosen), library, records=records))


def table(measured: dict[str, Way], name: str) -> str:
    """The medians of all ways for one body, each beside the first way's of the same round."""
    lines = [f"{name:<22} {'time':>10} {'ratio':>7} {'CPU':>10} {'ratio':>7}"]
    plain = measured["neither"]
    for label, way in measured.items():
        line = f"  {label:<20}"
        for values, floors in ((way.waited[name], plain.waited[name]), (way.cpu[name], plain.cpu[name])):
            ratio = statistics.median(value / floor for value, floor in zip(values, floors, strict=True))
            line += f" {statistics.median(values):7.0f} µs {ratio:7.2f}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Prints a table for each body."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    with tempfile.TemporaryDirectory() as folder, ways(Path(folder)) as measured:
        for _ in range(ROUNDS):
            for name in BODIES:
                for way in measured.values():
                    way.round(name)
    print(f"tokens and recording, medians of {ROUNDS} rounds of {CALLS} calls; ratio to neither")
    for name in BODIES:
        print(table(measured, name))


if __name__ == "__main__":
    main()

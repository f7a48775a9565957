"""Ten million cards in PostgreSQL: what a report, one feedback, the purge of a month and authorised calls then take.

The cards are made by the database itself, always the same, twelve months of them, and are gone with the server at the
end. ``--cards`` takes another number. Times are medians of several tries.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
from sqlalchemy import text

from service.records.database import Database
from service.records.kept import StoredFeedback
from service.records.purge import following, make_months, month_of, purge
from service.records.reading import report
from service.records.report import Chosen
from service.records.store import write_outcomes
from service.records.tables import outcomes, shown_cards
from tests.records.postgres import running_postgres

DAYS = 360
TRIES = 5
PROCESSES, SECONDS = 4, 10
WORKING = 3600.0
"""Seconds that a statement may take: the making of the cards is one."""

CARDS = """
INSERT INTO shown_card (uuid, at, card, indicator, client, tenant, hook, guidance, suggestions, answer, reason)
SELECT md5(n::text)::uuid::text, CAST(:first AS timestamptz) + n * CAST(:days AS float) / :cards * interval '1 day',
  'card-' || n % 30, CASE n % 3 WHEN 0 THEN 'info' ELSE 'warning' END, 'client-' || n % 20, '',
  CASE n % 2 WHEN 0 THEN 'order-select' ELSE 'order-sign' END, '0.2.0', '[]',
  CASE n % 10 WHEN 0 THEN 'overridden' WHEN 1 THEN 'accepted' ELSE '' END,
  CASE n % 10 WHEN 0 THEN 'risk-benefit-ratio' ELSE '' END
FROM generate_series(1, :cards) AS n
"""
OUTCOMES = """
INSERT INTO outcome
  (fingerprint, card, number, card_id, latest, outcome, at, received, reason, system, suggestions, comment)
SELECT md5(uuid) || md5(uuid), uuid, 1, card, true, answer, at, at + interval '1 minute', reason, '', '[]', ''
FROM shown_card WHERE answer <> ''
"""
COUNTS = """
INSERT INTO card_day (day, card, client, hook, indicator, shown, accepted, overridden, quiet)
SELECT CAST(at AT TIME ZONE 'UTC' AS date), card, client, hook, indicator, count(*),
  count(*) FILTER (WHERE answer = 'accepted'), count(*) FILTER (WHERE answer = 'overridden'), 0
FROM shown_card GROUP BY 1, 2, 3, 4, 5
"""
REASONS = """
INSERT INTO reason_day (day, card, client, hook, reason, overridden)
SELECT CAST(at AT TIME ZONE 'UTC' AS date), card, client, hook, reason, count(*)
FROM shown_card WHERE answer = 'overridden' GROUP BY 1, 2, 3, 4, 5
"""
CALLS = """
INSERT INTO call_hour (hour, client, hook, within, calls)
SELECT CAST(:first AS timestamptz) + h * interval '1 hour', 'client-' || c, hook, within, 500
FROM generate_series(0, :hours) AS h, generate_series(0, 19) AS c,
  unnest(ARRAY['order-select', 'order-sign']) AS hook, unnest(ARRAY[10, 25, 50]) AS within
"""


def seed(database: Database, cards: int, now: datetime) -> None:
    """Fills the empty tables with so many cards of the last ``DAYS`` days, a fifth answered, and counts."""
    first = now - timedelta(days=DAYS)
    with database.writing(WORKING) as connection:
        for table in (shown_cards, outcomes):
            make_months(connection, table, (first + timedelta(days=day) for day in range(DAYS + 1)))
    values = {"first": first, "days": DAYS, "cards": cards, "hours": DAYS * 24}
    for statement in (CARDS, OUTCOMES, COUNTS, REASONS, CALLS):
        wanted = {name: value for name, value in values.items() if f":{name}" in statement}
        with database.writing(WORKING) as connection:
            connection.execute(text(statement), wanted)


def median(action: Callable[[], object], tries: int = TRIES) -> float:
    """The median of the milliseconds that an action takes."""
    took = []
    for _ in range(tries):
        started = time.perf_counter()
        action()
        took.append((time.perf_counter() - started) * 1000)
    return statistics.median(took)


USES = """
import sys, threading, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from service.records import Records
from tests.records.kept import exchange, shown
records = Records(sys.argv[1], Path(sys.argv[2]), lambda: datetime.now(UTC), lambda: str(uuid4()), timedelta(days=30))
counts = dict(written=0, spilled=0, lost=0)
def note(what, number):
    counts[what] += number
records.writer.observers.append(note)
assert records.database.available()
records.tokens.first_use("issuer", str(uuid4()), datetime.now(UTC) + timedelta(minutes=5))
seconds, calls, late = float(sys.argv[3]), [0] * 8, [0] * 8
ends = time.monotonic() + seconds
def use(place):
    while time.monotonic() < ends:
        now = datetime.now(UTC)
        try:
            assert records.tokens.first_use("issuer", str(uuid4()), now + timedelta(minutes=5))
        except Exception:
            late[place] += 1
        cards = (shown(uuid4()),) if calls[place] % 10 == 0 else ()
        records.writer.add(exchange(*cards, at=now))
        calls[place] += 1
threads = [threading.Thread(target=use, args=(place,)) for place in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
records.close()
print(sum(calls), sum(late), counts["written"], counts["spilled"], counts["lost"])
"""


def authorised(url: str, folder: str) -> str:
    """Calls from several processes at once, each with a token that is noted and an exchange that is kept."""
    command = [sys.executable, "-c", USES, url]
    running = [
        subprocess.Popen([*command, f"{folder}/{each}.jsonl", str(SECONDS)], stdout=subprocess.PIPE, text=True)
        for each in range(PROCESSES)
    ]
    sums = [
        sum(each)
        for each in zip(*(map(int, one.communicate()[0].splitlines()[-1].split()) for one in running), strict=True)
    ]
    calls, late, written, spilled, lost = sums
    return (
        f"{calls / SECONDS:7.0f} authorised calls/s from {PROCESSES} processes: {written} written, {spilled} spilled,"
        f" {lost} lost, {late} tokens by memory"
    )


def main() -> None:
    """Prints a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=int, default=10_000_000)
    cards = parser.parse_args().cards
    now = datetime.now(UTC).replace(day=28, hour=0, minute=0, second=0, microsecond=0)
    with running_postgres(durable=True) as postgres:
        url = postgres.new_database()
        database = Database(url, WORKING)
        started = time.monotonic()
        seed(database, cards, now)
        with psycopg.connect(url, autocommit=True) as raw:
            raw.execute("VACUUM ANALYZE")  # as PostgreSQL does by itself in the course of a year
        print(f"{cards} cards made in {time.monotonic() - started:.0f} s")

        def reported() -> None:
            with database.reading() as connection:
                found = report(connection, now.date(), Chosen(since=(now - timedelta(days=30)).date()))
            assert found.counted.shown > 0

        with database.reading() as connection:
            uuids = iter(connection.scalars(text("SELECT uuid FROM shown_card WHERE answer = '' LIMIT 100")).all())

        def fed_back() -> None:
            write_outcomes(database, [StoredFeedback(next(uuids), "overridden", now, now)], timedelta(days=30))

        print(f"{median(reported):7.0f} ms  report of 30 days")
        print(f"{median(fed_back, 30):7.1f} ms  one feedback")
        first = following(month_of(now - timedelta(days=DAYS)))
        purge(database, first, now)  # the part of a month that the cards begin with
        started = time.perf_counter()
        gone = purge(database, following(first), now)
        took = (time.perf_counter() - started) * 1000
        print(f"{took:7.0f} ms  purge of a month: {gone.cards} cards, {gone.feedback} feedback")
        with tempfile.TemporaryDirectory() as folder:
            print(authorised(url, folder))
        database.close()


if __name__ == "__main__":
    main()

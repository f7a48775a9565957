"""Which cards are found answered, and what looking for them costs, whatever was shown before."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from service.records import DatabaseUnavailable
from service.records.database import Database
from service.records.quiet import QuietCards
from service.records.tables import quiet_cards
from tests.records.kept import NOW

WHOSE = ("client", "", "Practitioner/1", "Patient/1")


def test_a_card_shown_ten_thousand_times_and_never_answered_costs_no_more_than_one_shown_once(
    database: Database,
) -> None:
    quiet = QuietCards(database)

    def fastest() -> float:
        times = []
        for _ in range(20):
            started = time.perf_counter()
            (digest, answered) = quiet.look_up(WHOSE, {"pain-score": "says"}, NOW)["pain-score"]
            times.append(time.perf_counter() - started)
            assert not answered
        rows.extend({"uuid": f"{n:036}", "digest": digest, "expires": NOW + timedelta(days=1)} for n in range(10_000))
        return min(times)

    rows: list[dict[str, object]] = []
    before = fastest()
    with database.writing(30) as connection:
        connection.execute(quiet_cards.insert(), rows)
    assert fastest() < 3 * before


def test_whether_the_database_answers_again_is_asked_without_a_card(database: Database, tmp_path: Path) -> None:
    assert QuietCards(database)._look_up([]) == []
    away = QuietCards(Database(f"sqlite:///{tmp_path}/none/tolami.db"))
    with pytest.raises(DatabaseUnavailable):
        away._look_up([])


def test_an_answered_card_is_quiet_until_the_moment_at_which_that_expires_and_no_other_is(database: Database) -> None:
    quiet = QuietCards(database)
    said = {"pain-score": "says", "taper": "says another thing"}
    digests = {card: digest for card, (digest, _) in quiet.look_up(WHOSE, said, NOW).items()}
    rows = [{"uuid": card, "digest": digest, "expires": NOW} for card, digest in digests.items()]
    with database.writing() as connection:
        connection.execute(quiet_cards.insert(), [row | {"answered": row["uuid"] == "taper"} for row in rows])

    def answered(now: datetime) -> dict[str, bool]:
        return {card: found for card, (_, found) in quiet.look_up(WHOSE, said, now).items()}

    assert answered(NOW - timedelta(microseconds=1)) == {"pain-score": False, "taper": True}
    assert answered(NOW) == {"pain-score": False, "taper": False}

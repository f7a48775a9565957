"""A report counts each card that went out once, by the latest feedback about it; a list has that feedback."""

from dataclasses import replace
from datetime import datetime, timedelta

from service.records.database import Database
from service.records.reading import latest_outcomes, report
from service.records.report import CardReport, Chosen, Rate, Report, Times
from tests.records.kept import NOW, PAIR, START, exchange, keep, named, outcome, show, shown

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def made(database: Database, since_days: int | None = None) -> Report:
    with database.reading() as connection:
        since = None if since_days is None else (NOW - since_days * DAY).date()
        return report(connection, NOW.date(), Chosen(since=since))


def of(found: Report, card: str = START) -> CardReport:
    return next(each for each in found.cards if each.card == card)


def test_an_empty_database_gives_an_empty_report(database: Database) -> None:
    assert made(database) == Report(0, (), (), (), (), Times(), {})


def test_a_card_is_counted_as_shown_accepted_and_overridden_with_reasons(database: Database) -> None:
    show(database, *(exchange(shown(number), shown(f"pair {number}", PAIR)) for number in range(6)), exchange())
    keep(database, outcome(0, reason="benefit"), outcome(1, reason="benefit"), outcome(2), outcome(3, "accepted"))
    found = made(database)
    assert found.calls == 7
    assert [card.card for card in found.cards] == [START, PAIR]
    card = of(found)
    assert (card.counted.shown, card.counted.accepted, card.counted.overridden) == (6, 1, 3)
    assert card.reasons == (("benefit", 2), ("no reason given", 1))
    assert card.counted.override_rate == Rate(3, 4)
    assert (of(found, PAIR).counted.shown, of(found, PAIR).counted.override_rate) == (6, Rate(0, 0))


def test_the_same_said_again_counts_once(database: Database) -> None:
    show(database, exchange(shown(1)))
    keep(database, outcome(1), outcome(1), replace(outcome(1), at=NOW + MINUTE))
    assert of(made(database)).counted.override_rate == Rate(1, 1)


def test_of_a_changed_mind_the_latest_decision_counts_whenever_it_arrives(database: Database) -> None:
    show(database, exchange(shown(1)), exchange(shown(2)))
    keep(database, outcome(1, at=NOW - MINUTE), outcome(1, "accepted", at=NOW))
    keep(database, outcome(2, "accepted", at=NOW))
    keep(database, outcome(2, at=NOW - MINUTE))
    assert of(made(database)).counted.override_rate == Rate(0, 2)


def test_of_two_decisions_at_the_same_moment_the_later_sent_counts(database: Database) -> None:
    show(database, exchange(shown(1)))
    keep(database, outcome(1, "accepted"), outcome(1))
    assert of(made(database)).counted.override_rate == Rate(1, 1)


def test_a_clock_that_is_years_ahead_does_not_have_the_last_word_for_years(database: Database) -> None:
    show(database, exchange(shown(1)))
    ahead = replace(outcome(1, at=NOW.replace(year=9999)), received=NOW)
    keep(database, ahead, replace(outcome(1, "accepted", at=NOW + MINUTE), received=NOW + MINUTE))
    assert of(made(database)).counted.override_rate == Rate(0, 1)


def test_feedback_about_unknown_cards_is_counted_apart(database: Database) -> None:
    show(database, exchange(shown(1)))
    keep(database, outcome("x"), outcome("y"), outcome("y", at=NOW + MINUTE), outcome("z", "accepted"), outcome(1))
    found = made(database)
    assert found.unknown == {"accepted": 1, "overridden": 2}
    assert of(found).counted.override_rate == Rate(1, 1)


def test_feedback_that_comes_before_its_exchange_is_counted_when_that_is_there(database: Database) -> None:
    keep(database, outcome(1))
    assert made(database).unknown == {"overridden": 1}
    show(database, exchange(shown(1)))
    found = made(database)
    assert (found.unknown, of(found).counted.override_rate) == ({}, Rate(1, 1))


def test_a_period_takes_the_cards_that_were_shown_in_it(database: Database) -> None:
    show(database, exchange(shown(1), at=NOW - 9 * DAY), exchange(shown(2), at=NOW - 2 * DAY))
    keep(database, outcome(1), outcome(2, "accepted"))
    assert of(made(database, 10)).counted.shown == 2
    assert (of(made(database, 5)).counted.shown, of(made(database, 5)).counted.override_rate) == (1, Rate(0, 1))
    assert made(database, 1).cards == ()


def test_the_trend_compares_the_last_thirty_days_with_the_thirty_before(database: Database) -> None:
    days = {"long ago": 61, "before": 59, "before too": 31, "lately": 29, "now": 0}
    show(database, *(exchange(shown(name), at=NOW - age * DAY) for name, age in days.items()))
    keep(database, *(outcome(name) for name in ("long ago", "before", "lately")))
    keep(database, *(outcome(name, "accepted") for name in ("before too", "now")))
    card = of(made(database))
    assert (card.before, card.recent) == (Rate(1, 2), Rate(1, 2))
    assert card.counted.override_rate == Rate(3, 5)


def listed(
    database: Database, card: str | None = None, since: datetime | None = None, most: int = 10
) -> tuple[list[str], int]:
    with database.reading() as connection:
        found, total = latest_outcomes(connection, card, since, most)
    return [f"{each.card} {each.outcome}" for each in found], total


def filled(database: Database) -> None:
    show(database, exchange(shown(1), shown(2, PAIR)), exchange(shown(3)))
    feedback = [outcome(1), outcome(2, "accepted"), outcome(3), outcome("unknown")]
    keep(database, *(replace(each, received=NOW + timedelta(hours=n)) for n, each in enumerate(feedback)))


def test_nothing_is_listed_of_an_empty_database(database: Database) -> None:
    assert listed(database) == ([], 0)


def test_all_is_listed_newest_first_with_the_unknown_ones(database: Database) -> None:
    filled(database)
    assert listed(database) == ([" overridden", f"{START} overridden", f"{PAIR} accepted", f"{START} overridden"], 4)


def test_a_card_is_asked_for_by_its_id_or_by_the_uuid_that_went_out(database: Database) -> None:
    filled(database)
    assert listed(database, START) == ([f"{START} overridden"] * 2, 2)
    assert listed(database, named(2)) == ([f"{PAIR} accepted"], 1)
    assert listed(database, named("unknown").upper()) == ([" overridden"], 1)
    assert listed(database, "no-such-card") == ([], 0)


def test_only_so_many_are_listed_and_how_many_there_are_is_told(database: Database) -> None:
    filled(database)
    assert listed(database, most=1) == ([" overridden"], 4)


def test_only_what_was_received_since_is_listed(database: Database) -> None:
    filled(database)
    assert listed(database, since=NOW + timedelta(hours=1, minutes=30)) == ([" overridden", f"{START} overridden"], 2)


def test_of_each_card_that_went_out_only_the_latest_is_listed_with_all_its_members(database: Database) -> None:
    show(database, exchange(shown(1)))
    last = replace(outcome(1, "accepted", at=NOW + timedelta(minutes=1)), reason="x", system="urn:x", comment="Words.")
    keep(database, outcome(1), last)
    with database.reading() as connection:
        found, total = latest_outcomes(connection, None, None, 10)
    assert total == 1
    suggestion = [named("suggestion of 1")]
    assert list(map(tuple, found)) == [
        (START, named(1), "accepted", last.at, last.received, "x", "urn:x", suggestion, "Words.")
    ]

"""The report counts each card that went out once, by the latest that was said about it; the unknown ones apart."""

from dataclasses import replace
from datetime import timedelta

from service.records.database import Database
from service.records.rate import Rate
from service.records.report import CardReport, Chosen, Report, Times, report
from tests.records.kept import NOW, PAIR, START, exchange, keep, outcome, show, shown

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

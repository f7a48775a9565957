"""Reads reports and lists of feedback.

A report is read from the tables of counts, so it takes the same time however many cards went out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Date, Row, Table, cast, func, or_, select

from service.records.kept import MORE, identifier
from service.records.report import (
    ALL,
    DAY,
    PERIOD,
    CardReport,
    Chosen,
    ClientReport,
    Counted,
    Rate,
    Report,
    Times,
)
from service.records.tables import call_counts, card_counts, outcomes, reason_counts, unchecked_counts
from service.trust.clients import PLAYGROUND

OUTCOMES = ("shown", "accepted", "overridden", "quiet")
NO_REASON = "no reason given"


def report(connection: Connection, today: date, chosen: Chosen = ALL) -> Report:
    """The report on the calls answered and the cards shown in a period, at one client or all, at one hook or all."""
    by_card = _cards(connection, today, chosen)
    reasons = _reasons(connection, chosen)
    cards = [_card(card, by_card[card], reasons[card], today, chosen) for card in by_card]
    calls = _sums(connection, call_counts, ("client", "hook", "within"), ("calls",), chosen)
    unchecked = _sums(connection, unchecked_counts, ("reason",), ("answers",), chosen)
    return Report(
        calls=sum(number for *_, number in calls),
        cards=tuple(
            sorted(
                (card for card in cards if card.days),
                key=lambda each: (-each.counted.overridden, -each.counted.shown, each.card),
            )
        ),
        unchecked=_most_first(dict(unchecked)),
        clients=_clients(connection, _called(calls, 0), chosen),
        hooks=_most_first(_called(calls, 1)),
        times=Times(tuple((None if bound == MORE else bound, n) for bound, n in sorted(_called(calls, 2).items()))),
        unknown=_unknown(connection, chosen),
    )


def _sums(
    connection: Connection, table: Table, by: Sequence[str], numbers: Sequence[str], chosen: Chosen
) -> list[tuple[Any, ...]]:
    """What a table of counts holds of the chosen calls: columns, and the sums of numbers for each of their values."""
    asked = {"client": chosen.client, "hook": chosen.hook}
    wanted = [table.c[column] == value for column, value in asked.items() if value]
    wanted += [] if chosen.client else [table.c.client != PLAYGROUND]
    columns = [table.c[column] for column in by]
    sums = [cast(func.sum(table.c[number]), table.c[number].type).label(number) for number in numbers]
    wanted += _within(next(iter(table.columns)), chosen)
    statement = select(*columns, *sums).where(*wanted).group_by(*columns).order_by(*columns)
    return [tuple(row) for row in connection.execute(statement)]


def _within(column: Column[Any], chosen: Chosen) -> list[ColumnElement[bool]]:
    """That a day or a moment lies in the chosen period."""

    def first(day: date) -> date:
        return day if isinstance(column.type, Date) else datetime.combine(day, time(), UTC)

    wanted = [] if chosen.since is None else [column >= first(chosen.since)]
    return wanted if chosen.until is None else [*wanted, column < first(chosen.until + DAY)]


def _cards(connection: Connection, today: date, chosen: Chosen) -> dict[str, list[tuple[date, Counted]]]:
    """What became of each card, by day, in the period and in those of the trend."""
    trend_since = (chosen.until or today) + DAY - 2 * PERIOD
    longer = replace(chosen, since=chosen.since and min(chosen.since, trend_since))
    cards: defaultdict[str, list[tuple[date, Counted]]] = defaultdict(list)
    for card, day, *numbers in _sums(connection, card_counts, ("card", "day"), OUTCOMES, longer):
        cards[card].append((day, Counted(*numbers)))
    return cards


def _card(
    card: str, days: Sequence[tuple[date, Counted]], reasons: Counter[str], today: date, chosen: Chosen
) -> CardReport:
    after = (chosen.until or today) + DAY

    def rate(since: date, before: date) -> Rate:
        return _total(counted for day, counted in days if since <= day < before).override_rate

    inside = tuple((day, counted) for day, counted in days if chosen.since is None or day >= chosen.since)
    return CardReport(
        card=card,
        counted=_total(counted for _, counted in inside),
        reasons=_most_first(reasons),
        before=rate(after - 2 * PERIOD, after - PERIOD),
        recent=rate(after - PERIOD, after),
        days=inside,
    )


def _total(counts: Iterable[Counted]) -> Counted:
    return sum(counts, Counted())


def _reasons(connection: Connection, chosen: Chosen) -> defaultdict[str, Counter[str]]:
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for card, reason, number in _sums(connection, reason_counts, ("card", "reason"), ("overridden",), chosen):
        reasons[card][reason or NO_REASON] += number
    return reasons


def _called(calls: Iterable[tuple[Any, ...]], by: int) -> Counter[Any]:
    """The calls of each value of a column: client, hook or time."""
    called = Counter[Any]()
    for row in calls:
        called[row[by]] += row[-1]
    return called


def _clients(connection: Connection, called: Counter[str], chosen: Chosen) -> tuple[ClientReport, ...]:
    rows = _sums(connection, card_counts, ("client",), OUTCOMES, chosen)
    cards = {name: Counted(*numbers) for name, *numbers in rows}
    return tuple(ClientReport(name, number, cards.get(name, Counted())) for name, number in _most_first(called))


def _unknown(connection: Connection, chosen: Chosen) -> dict[str, int]:
    """Feedback about cards of which nothing is kept."""
    if chosen.client or chosen.hook:
        return {}
    wanted = (outcomes.c.latest, outcomes.c.card_id == "", *_within(outcomes.c.received, chosen))
    rows = connection.execute(select(outcomes.c.outcome, func.count()).where(*wanted).group_by(outcomes.c.outcome))
    return dict(sorted((outcome, number) for outcome, number in rows))


def _most_first(numbers: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(numbers.items(), key=lambda item: (-item[1], item[0])))


def latest_outcomes(
    connection: Connection, card: str | None, since: datetime | None, most: int
) -> tuple[Sequence[Row[Any]], int]:
    """A page of the latest feedback of each sent card, newest first, and the total number.

    ``card`` is the id of a card or the uuid of one that went out; ``since``, when the feedback was received. Of a row,
    ``uuid`` names the card that went out, ``card`` its file: empty when the uuid is unknown.
    """
    wanted: list[ColumnElement[bool]] = [outcomes.c.latest]
    if card is not None:
        wanted.append(or_(outcomes.c.card_id == card, outcomes.c.card == identifier(card)))
    if since is not None:
        wanted.append(outcomes.c.received >= since)
    total = connection.scalar(select(func.count()).select_from(outcomes).where(*wanted)) or 0
    as_they_are = (
        outcomes.c[name] for name in ("outcome", "at", "received", "reason", "system", "suggestions", "comment")
    )
    listed = select(outcomes.c.card_id.label("card"), outcomes.c.card.label("uuid"), *as_they_are).where(*wanted)
    newest_first = (outcomes.c.received.desc(), outcomes.c.card, outcomes.c.number.desc())
    return connection.execute(listed.order_by(*newest_first).limit(most)).all(), total

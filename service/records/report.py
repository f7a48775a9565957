"""The report on each card: how often it was shown, accepted and overridden, why, and its trend.

All of it is read from the tables of counts, so it takes the same time however many cards went out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Date, Table, cast, func, select

from service.records.exchange import MORE, PLAYGROUND
from service.records.rate import Rate
from service.records.tables import call_counts, card_counts, outcomes, reason_counts, unchecked_counts

PERIOD = timedelta(days=30)
"""The trend compares the cards shown in the last of these with those of the one before."""

DAY = timedelta(days=1)
OUTCOMES = ("shown", "accepted", "overridden", "quiet")
NO_REASON = "no reason given"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a report is about: days of UTC, both included, a client by its name, a hook. Left out: all.

    All clients are all but the playground.
    """

    since: date | None = None
    until: date | None = None
    client: str = ""
    hook: str = ""


ALL = Chosen()


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of cards: each that went out counts once, by the latest feedback about it.

    ``quiet`` counts those that were not shown because the same clinician had answered them.
    """

    shown: int = 0
    accepted: int = 0
    overridden: int = 0
    quiet: int = 0

    @property
    def unanswered(self) -> int:
        """Shown without feedback: ignored, or followed without a word. Clients do not report which."""
        return self.shown - self.accepted - self.overridden

    @property
    def accept_rate(self) -> Rate:
        """Accepted among those shown."""
        return Rate(self.accepted, self.shown)

    @property
    def override_rate(self) -> Rate:
        """Overridden among those with feedback; a card without tells nothing."""
        return Rate(self.overridden, self.accepted + self.overridden)

    @property
    def unanswered_rate(self) -> Rate:
        """Without feedback among those shown."""
        return Rate(self.unanswered, self.shown)

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(
            self.shown + other.shown,
            self.accepted + other.accepted,
            self.overridden + other.overridden,
            self.quiet + other.quiet,
        )


@dataclass(frozen=True, slots=True)
class CardReport:
    """One card. ``days`` holds the days of the period on which it was shown or kept quiet, oldest first.

    ``reasons`` tell why it was overridden, the most frequent first. ``before`` and ``recent`` are the override rates
    of the last two periods of thirty days, whatever the period of the report.
    """

    card: str
    counted: Counted
    reasons: tuple[tuple[str, int], ...]
    before: Rate
    recent: Rate
    days: tuple[tuple[date, Counted], ...]


@dataclass(frozen=True, slots=True)
class ClientReport:
    """One client: its answered calls, and what became of the cards shown to it."""

    client: str
    calls: int
    counted: Counted


@dataclass(frozen=True, slots=True)
class Times:
    """How long calls took: for each bound in milliseconds the calls that kept to it and to none below.

    None stands for those that took longer than all bounds.
    """

    calls: tuple[tuple[int | None, int], ...] = ()

    def within(self, share: float) -> int | None:
        """The bound in milliseconds to which this share of the calls kept, 0 to 1; None when none is that high."""
        wanted, seen = share * sum(number for _, number in self.calls), 0
        for bound, number in self.calls:
            seen += number
            if seen >= wanted:
                return bound
        return None


@dataclass(frozen=True, slots=True)
class Report:
    """All cards that were shown or kept quiet, most overridden first.

    ``unchecked`` counts the answers in which something was not checked, by reason, the most frequent first.
    ``clients`` are those that called, the one with most calls first, and ``hooks`` the calls of each. ``unknown``
    counts the latest feedback about cards that we do not know, which no client or hook can be told of.
    """

    calls: int
    cards: tuple[CardReport, ...]
    unchecked: tuple[tuple[str, int], ...]
    clients: tuple[ClientReport, ...]
    hooks: tuple[tuple[str, int], ...]
    times: Times
    unknown: Mapping[str, int]

    @property
    def counted(self) -> Counted:
        """All cards together."""
        return sum((card.counted for card in self.cards), Counted())


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

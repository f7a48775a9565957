"""What became of each card: how often it was shown, accepted and overridden, why, and whether that changes.

All of it is read from the tables of counts, so it takes the same time however many cards went out.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, Table, func, select

from service.records.exchange import MORE
from service.records.rate import Rate
from service.records.tables import call_counts, card_counts, outcomes, reason_counts, unchecked_counts

PERIOD = timedelta(days=30)
"""The trend compares the cards shown in the last of these with those of the one before."""

DAY = timedelta(days=1)
NO_REASON = "no reason given"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a report is about: days of UTC, both included, a client by its name, a hook. Left out: all."""

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
    calls = _calls(connection, chosen)
    return Report(
        calls=sum(number for *_, number in calls),
        cards=tuple(
            sorted(
                (card for card in cards if card.days),
                key=lambda each: (-each.counted.overridden, -each.counted.shown, each.card),
            )
        ),
        unchecked=_unchecked(connection, chosen),
        clients=_clients(connection, calls, chosen),
        hooks=_hooks(calls),
        times=_times(calls),
        unknown=_unknown(connection, chosen),
    )


def _chosen(table: Table, chosen: Chosen) -> list[ColumnElement[bool]]:
    """What rows of a table of counts must meet, the days left out."""
    asked = {"client": chosen.client, "hook": chosen.hook}
    return [table.c[column] == value for column, value in asked.items() if value]


def _days(table: Table, since: date | None, until: date | None) -> list[ColumnElement[bool]]:
    wanted = [] if since is None else [table.c.day >= since]
    return wanted if until is None else [*wanted, table.c.day <= until]


def _sums(table: Table) -> list[ColumnElement[int]]:
    return [func.sum(table.c[column]) for column in ("shown", "accepted", "overridden", "quiet")]


def _counted(numbers: Sequence[int]) -> Counted:
    return Counted(*map(int, numbers))


def _cards(connection: Connection, today: date, chosen: Chosen) -> dict[str, list[tuple[date, Counted]]]:
    """What became of each card, by day, in the period and in those of the trend."""
    trend_since = (chosen.until or today) + DAY - 2 * PERIOD
    since = chosen.since and min(chosen.since, trend_since)
    wanted = (*_chosen(card_counts, chosen), *_days(card_counts, since, chosen.until))
    columns = (card_counts.c.card, card_counts.c.day)
    rows = connection.execute(
        select(*columns, *_sums(card_counts)).where(*wanted).group_by(*columns).order_by(*columns)
    )
    cards: defaultdict[str, list[tuple[date, Counted]]] = defaultdict(list)
    for card, day, *numbers in rows:
        cards[card].append((day, _counted(numbers)))
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
    wanted = (*_chosen(reason_counts, chosen), *_days(reason_counts, chosen.since, chosen.until))
    columns = (reason_counts.c.card, reason_counts.c.reason)
    rows = connection.execute(select(*columns, func.sum(reason_counts.c.overridden)).where(*wanted).group_by(*columns))
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for card, reason, number in rows:
        reasons[card][reason or NO_REASON] += int(number)
    return reasons


def _calls(connection: Connection, chosen: Chosen) -> list[tuple[str, str, int, int]]:
    """Client, hook, bound in milliseconds and number of calls."""
    hour = call_counts.c.hour
    wanted = _chosen(call_counts, chosen)
    if chosen.since is not None:
        wanted.append(hour >= datetime.combine(chosen.since, time(), UTC))
    if chosen.until is not None:
        wanted.append(hour < datetime.combine(chosen.until + DAY, time(), UTC))
    columns = (call_counts.c.client, call_counts.c.hook, call_counts.c.within)
    rows = connection.execute(select(*columns, func.sum(call_counts.c.calls)).where(*wanted).group_by(*columns))
    return [(client, hook, within, int(number)) for client, hook, within, number in rows]


def _unchecked(connection: Connection, chosen: Chosen) -> tuple[tuple[str, int], ...]:
    wanted = (*_chosen(unchecked_counts, chosen), *_days(unchecked_counts, chosen.since, chosen.until))
    reason = unchecked_counts.c.reason
    rows = connection.execute(select(reason, func.sum(unchecked_counts.c.answers)).where(*wanted).group_by(reason))
    return _most_first(Counter({reason: int(number) for reason, number in rows}))


def _clients(
    connection: Connection, calls: Iterable[tuple[str, str, int, int]], chosen: Chosen
) -> tuple[ClientReport, ...]:
    wanted = (*_chosen(card_counts, chosen), *_days(card_counts, chosen.since, chosen.until))
    client = card_counts.c.client
    rows = connection.execute(select(client, *_sums(card_counts)).where(*wanted).group_by(client))
    cards = {name: _counted(numbers) for name, *numbers in rows}
    called = Counter[str]()
    for name, _, _, number in calls:
        called[name] += number
    return tuple(ClientReport(name, number, cards.get(name, Counted())) for name, number in _most_first(called))


def _hooks(calls: Iterable[tuple[str, str, int, int]]) -> tuple[tuple[str, int], ...]:
    called = Counter[str]()
    for _, hook, _, number in calls:
        called[hook] += number
    return _most_first(called)


def _times(calls: Iterable[tuple[str, str, int, int]]) -> Times:
    bounds = Counter[int]()
    for _, _, within, number in calls:
        bounds[within] += number
    return Times(tuple((None if bound == MORE else bound, number) for bound, number in sorted(bounds.items())))


def _unknown(connection: Connection, chosen: Chosen) -> dict[str, int]:
    """Feedback about cards of which nothing is kept."""
    if chosen.client or chosen.hook:
        return {}
    wanted: list[ColumnElement[bool]] = [outcomes.c.latest, outcomes.c.card_id == ""]
    if chosen.since is not None:
        wanted.append(outcomes.c.received >= datetime.combine(chosen.since, time(), UTC))
    if chosen.until is not None:
        wanted.append(outcomes.c.received < datetime.combine(chosen.until + DAY, time(), UTC))
    rows = connection.execute(select(outcomes.c.outcome, func.count()).where(*wanted).group_by(outcomes.c.outcome))
    return dict(sorted((outcome, number) for outcome, number in rows))


def _most_first(numbers: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(numbers.items(), key=lambda item: (-item[1], item[0])))

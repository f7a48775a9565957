"""What became of each card: how often it was shown, accepted and overridden, why, and whether that changes."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, func, select

from service.records.listing import latest
from service.records.rate import Rate
from service.records.tables import exchanges, shown_cards

PERIOD = timedelta(days=30)
"""The trend compares the cards shown in the last of these with those of the one before."""


@dataclass(frozen=True, slots=True)
class CardReport:
    """One card: each card that went out counts once, by the latest feedback about it."""

    card: str
    shown: int
    accepted: int
    overridden: int
    reasons: tuple[tuple[str, int], ...]
    before: Rate
    recent: Rate

    @property
    def override_rate(self) -> Rate:
        """Overridden among those with feedback; clients report no ignored ones, so a card without tells nothing."""
        return Rate(self.overridden, self.accepted + self.overridden)


@dataclass(frozen=True, slots=True)
class Report:
    """All cards that were shown, and the feedback about cards that we do not know."""

    calls: int
    cards: tuple[CardReport, ...]
    unknown: Mapping[str, int]


def report(connection: Connection, now: datetime, since: datetime | None = None) -> Report:
    """The report on the cards shown since a moment, or on all. Cards with most overrides come first."""
    shown = [] if since is None else [exchanges.c.at >= since]
    counts = _counts(connection, *shown)
    reasons = _reasons(connection, *shown)
    start = now - PERIOD
    recent = _counts(connection, exchanges.c.at >= start)
    before = _counts(connection, exchanges.c.at >= start - PERIOD, exchanges.c.at < start)
    cards = [
        CardReport(
            card=card,
            shown=counted.total(),
            accepted=counted["accepted"],
            overridden=counted["overridden"],
            reasons=tuple(sorted(reasons[card].items(), key=lambda item: (-item[1], item[0]))),
            before=_rate(before[card]),
            recent=_rate(recent[card]),
        )
        for card, counted in counts.items()
    ]
    return Report(
        calls=connection.scalar(select(func.count()).select_from(exchanges).where(*shown)) or 0,
        cards=tuple(sorted(cards, key=lambda each: (-each.overridden, -each.shown, each.card))),
        unknown=_unknown(connection, since),
    )


def _rate(counted: Mapping[str, int]) -> Rate:
    return Rate(counted["overridden"], counted["accepted"] + counted["overridden"])


def _counts(connection: Connection, *shown: ColumnElement[bool]) -> defaultdict[str, Counter[str]]:
    """For each card how many went out with each outcome; an empty one stands for no feedback."""
    said = latest()
    went_out = shown_cards.join(exchanges, exchanges.c.id == shown_cards.c.exchange)
    joined = went_out.outerjoin(said, (said.c.card == shown_cards.c.uuid) & (said.c.rank == 1))
    columns = (shown_cards.c.card, said.c.outcome)
    rows = connection.execute(select(*columns, func.count()).select_from(joined).where(*shown).group_by(*columns))
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for card, outcome, number in rows:
        counts[card][outcome or ""] += number
    return counts


def _reasons(connection: Connection, *shown: ColumnElement[bool]) -> defaultdict[str, Counter[str]]:
    said = latest()
    went_out = shown_cards.join(exchanges, exchanges.c.id == shown_cards.c.exchange)
    joined = went_out.join(said, (said.c.card == shown_cards.c.uuid) & (said.c.rank == 1))
    columns = (shown_cards.c.card, said.c.reason)
    chosen = select(*columns, func.count()).select_from(joined).where(said.c.outcome == "overridden", *shown)
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for card, reason, number in connection.execute(chosen.group_by(*columns)):
        reasons[card][reason or "no reason given"] += number
    return reasons


def _unknown(connection: Connection, since: datetime | None) -> dict[str, int]:
    """Feedback about cards that were never shown, or whose exchange is not kept any more."""
    said = latest()
    joined = said.outerjoin(shown_cards, shown_cards.c.uuid == said.c.card)
    received = [] if since is None else [said.c.received >= since]
    chosen = select(said.c.outcome, func.count()).select_from(joined)
    chosen = chosen.where(said.c.rank == 1, shown_cards.c.uuid.is_(None), *received).group_by(said.c.outcome)
    return dict(sorted((outcome, number) for outcome, number in connection.execute(chosen)))

"""``/insights``: what becomes of the cards, from the counts that are kept. Nothing about patients."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from flask import Blueprint, Response, render_template, request

from service.engine.library import OVERRIDE_REASONS, Library
from service.records import DatabaseUnavailable, Records
from service.records.report import CARD_COLUMNS, Chosen, Counted, Report, card_rows, sheet, trend
from service.trust.clients import PLAYGROUND
from service.web.pages import hardened

PERIODS = (7, 30, 90, 365)
"""Days that a reader can choose."""


def insights(records: Records | None, library: Library, today: Callable[[], date]) -> Blueprint:
    """The blueprint of the insights; without records it says what is missing."""
    blueprint = Blueprint("insights", __name__, template_folder="templates")

    def made(chosen: Chosen) -> tuple[Report | None, Report | None]:
        from service.records.reading import report  # SQLAlchemy is imported when the first reader comes

        if records is None:
            return None, None
        try:
            with records.database.reading() as connection:
                everywhere = replace(chosen, client=PLAYGROUND if chosen.client == PLAYGROUND else "", hook="")
                return report(connection, today(), chosen), report(connection, today(), everywhere)
        except DatabaseUnavailable:
            return None, None

    @blueprint.get("/insights")
    def show() -> str:
        days, chosen = _asked(today())
        found, everywhere = made(chosen)
        return render_template(
            "insights.html",
            report=found,
            chosen=chosen,
            days=days,
            periods=PERIODS,
            clients=dict.fromkeys([*(each.client for each in everywhere.clients), PLAYGROUND]) if everywhere else [],
            hooks=[hook for hook, _ in everywhere.hooks] if everywhere else [],
            titles={card.id: card.title for card in library.cards.values()},
            reasons={**library.override_reasons, **library.code_systems[OVERRIDE_REASONS].displays},
            by_day=_by_day(found, chosen) if found else [],
            trend=trend,
            kept=records is not None,
        )

    @blueprint.get("/insights.csv")
    def as_sheet() -> Response:
        found, _ = made(_asked(today())[1])
        rows = card_rows(found) if found else []
        answer = Response(sheet(rows, CARD_COLUMNS), mimetype="text/csv")
        answer.headers["Content-Disposition"] = 'attachment; filename="insights.csv"'
        return answer

    @blueprint.after_request
    def fresh(response: Response) -> Response:
        response.headers["Cache-Control"] = "no-store"
        return hardened(response)

    return blueprint


def _asked(today: date) -> tuple[int, Chosen]:
    """The period in days and what a reader has chosen; what cannot be is left out."""
    asked = request.args.get("days", "")
    days = int(asked) if asked in map(str, PERIODS) else PERIODS[1]
    since = today - timedelta(days=days - 1)
    return days, Chosen(since, today, request.args.get("client", "")[:200], request.args.get("hook", "")[:100])


def _by_day(report: Report, chosen: Chosen) -> list[tuple[date, Counted]]:
    """What became of the cards of every day of the period; empty when none was shown."""
    assert chosen.since is not None
    assert chosen.until is not None
    period = range((chosen.until - chosen.since).days + 1)
    days = {chosen.since + timedelta(days=n): Counted() for n in period}
    for card in report.cards:
        for day, counted in card.days:
            days[day] += counted
    return list(days.items()) if report.counted.shown else []

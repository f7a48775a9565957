"""Heart, circulation and QT interval before amitriptyline (R17)."""

from collections.abc import Iterator
from datetime import date, timedelta

from service.chart import Chart, Condition
from service.engine.concerns import Point, gathered, partners, stale
from service.engine.finding import AMITRIPTYLINE, Finding, Indicator, Rule, Thresholds

CISAPRIDE = "contraindicated-with-amitriptyline-us"
QT_RISK = "qt-risk"
QTC = ("qtc-bazett", "qtc-fridericia", "qtc-method-unspecified")
INFARCTION = "recent-myocardial-infarction"
ACUTE = "acute-myocardial-infarction"
OLD_INFARCTION = "old-myocardial-infarction"
CORONARY = "ischaemic-heart-disease"

CONTRAINDICATED = ("long-qt", "brugada-syndrome", "heart-block", "cardiac-arrhythmia")
CAUTIONED = ("heart-failure", "orthostatic-hypotension", "hypokalaemia")
QT_CONDITIONS = frozenset({"long-qt", "brugada-syndrome", "hypokalaemia"})
MILDER_IN_US = frozenset({"atrial-fibrillation", "first-degree-av-block", "bundle-branch-block"})
"""The US label contraindicates a recent infarction only."""


def amitriptyline_and_the_heart(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R17: what in the record makes amitriptyline dangerous for heart and circulation, a line for each.

    When another drug is ordered for somebody who takes amitriptyline, only what concerns the QT interval counts.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    points = list(_drugs(chart))
    if orders or points:
        points += [*_qtc(chart, thresholds), *_conditions(chart, qt_only=not orders)]
    if orders:
        points += _infarctions(chart, thresholds)
    return gathered(
        "amitriptyline-and-the-heart",
        points,
        orders or chart.taken_or_drafted(AMITRIPTYLINE),
        {
            "jurisdiction": chart.jurisdiction,
            "ordering": chart.ordering,
            "ordered": bool(orders),
            "gender": chart.patient.gender,
        },
    )


def _drugs(chart: Chart) -> Iterator[Point]:
    """Drugs that prolong the QT interval, cisapride first, when this session adds them or amitriptyline to them."""
    for order in partners(chart, AMITRIPTYLINE, CISAPRIDE, lasting=True):
        yield Point("cisapride", Indicator.CRITICAL, order=order)
    for order in partners(chart, AMITRIPTYLINE, QT_RISK):
        if CISAPRIDE not in order.classes:
            yield Point("qt-drug", Indicator.WARNING, order=order)


def _qtc(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """The latest corrected QT, of several on one day the longest; "below so much" tells nothing.

    Without a gender the lower limit counts.
    """
    found = [
        (m.taken, m.value, m.comparator)
        for m in chart.measurements
        if m.kind in QTC and m.unit == "ms" and m.value is not None and m.comparator[:1] != "<"
        if m.taken <= chart.today
    ]
    if not found:
        return
    day, value, comparator = max(found)
    raised = thresholds["qtc_women" if chart.patient.gender == "female" else "qtc_men"].value
    age = stale(chart, day, thresholds["qtc_age"].value)
    if value >= thresholds["qtc_critical"].value:
        yield Point("qtc-critical", Indicator.CRITICAL, day=day, value=value, comparator=comparator, age=age)
    elif value >= raised:
        yield Point("qtc-raised", Indicator.WARNING, day=day, value=value, comparator=comparator, age=age)


def _conditions(chart: Chart, *, qt_only: bool) -> Iterator[Point]:
    for condition in chart.conditions:
        if not condition.active or (qt_only and not condition.sets & QT_CONDITIONS):
            continue
        kind = next((k for k in (*CONTRAINDICATED, *CAUTIONED) if k in condition.sets), None)
        if kind is None and CORONARY in condition.sets and not condition.sets & {INFARCTION, OLD_INFARCTION}:
            kind = CORONARY
        if kind is not None:
            yield Point(kind, _urgency(kind, condition, chart.jurisdiction), condition.label)


def _urgency(kind: str, condition: Condition, jurisdiction: str) -> Indicator:
    if kind == CORONARY:
        return Indicator.CRITICAL if jurisdiction == "uk" else Indicator.WARNING
    milder = jurisdiction == "us" and condition.sets & MILDER_IN_US
    return Indicator.CRITICAL if kind in CONTRAINDICATED and not milder else Indicator.WARNING


def _infarctions(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Heart attacks, resolved ones included: recent, of unclear date, or old."""
    limit = chart.today - timedelta(days=int(thresholds["recent"].value))
    for condition in chart.conditions:
        if not condition.sets & {INFARCTION, OLD_INFARCTION}:
            continue
        kind = _infarction(condition, limit)
        critical = kind in ("recent-infarction", "recorded-infarction") or (
            chart.jurisdiction == "uk" and CORONARY in condition.sets
        )
        onset = condition.onset
        certain = onset is not None and onset.earliest == onset.latest
        yield Point(
            kind,
            Indicator.CRITICAL if critical else Indicator.WARNING,
            condition.label,
            day=onset.latest
            if onset is not None and certain and (not condition.recorded_only or kind == "recorded-infarction")
            else None,
        )


def _infarction(condition: Condition, limit: date) -> str:
    """Recent only when the whole of the onset is; a day of recording says no more than "before".

    Recorded lately as acute and still active is taken for recent until somebody knows better.
    """
    onset = condition.onset
    lately = onset is not None and condition.recorded_only and onset.earliest >= limit
    if lately and condition.active and ACUTE in condition.sets:
        return "recorded-infarction"
    if OLD_INFARCTION in condition.sets or (onset is not None and onset.latest < limit):
        return "old-infarction"
    if onset is None or condition.recorded_only or onset.earliest < limit:
        return "undated-infarction"
    return "recent-infarction"


RULES: tuple[Rule, ...] = (amitriptyline_and_the_heart,)

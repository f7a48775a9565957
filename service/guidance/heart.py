"""Heart, circulation, electrolytes and QT interval before amitriptyline (R17)."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from service.chart import Chart, Condition
from service.engine.concerns import Point, gathered, partners, stale, within
from service.engine.finding import Finding, Indicator, Rule, Thresholds, states
from service.guidance.drugs import AMITRIPTYLINE

CISAPRIDE = "contraindicated-with-amitriptyline-us"
QT_RISK = "qt-risk"
COUNTERED = "antihypertensive-countered-by-tca"
DOMPERIDONE = "domperidone"
"""The one QT drug whose own label contraindicates others."""
QTC = ("qtc-bazett", "qtc-fridericia", "qtc-method-unspecified")
INFARCTION = "recent-myocardial-infarction"
ACUTE = "acute-myocardial-infarction"
OLD_INFARCTION = "old-myocardial-infarction"
CORONARY = "ischaemic-heart-disease"
EXTRA_BEATS = "ectopic-beats"
"""Premature beats stand among the arrhythmias of a terminology; as a contraindication they do not count."""

CONTRAINDICATED = ("long-qt", "brugada-syndrome", "heart-block", "cardiac-arrhythmia")
ELECTROLYTES = ("hypokalaemia", "hypomagnesaemia", "hyperkalaemia")
CAUTIONED = ("heart-failure", "orthostatic-hypotension", *ELECTROLYTES)
QT_CONDITIONS = frozenset({"long-qt", "brugada-syndrome", *ELECTROLYTES})
MILDER_IN_US = frozenset({"atrial-fibrillation", "first-degree-av-block", "bundle-branch-block", CORONARY})
"""The US label contraindicates a recent infarction only."""

LOW = {"hypokalaemia": "potassium", "hypomagnesaemia": "magnesium"}
"""What a blood test shows, and what is measured. A card says for each unit how low is low."""
UNITS = {"umol/L": "", "mg/dL": "_mass", "meq/L": "_charge"}
UMOL_PER_MMOL = 1000


OF_THEIR_OWN = ("cisapride", "qt-drug", "qt-domperidone", "qtc-raised", "undated-infarction", "antihypertensive")
"""Points with words of their own; the others say how urgent they are and what they concern."""


@states("contraindicated", "contraindicated-taken", "contraindicated-added", "caution", "electrolytes", *OF_THEIR_OWN)
def amitriptyline_and_the_heart(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R17: what in the record makes amitriptyline dangerous for heart and circulation, a line for each.

    When another drug is ordered for somebody who takes amitriptyline, only what concerns the QT interval counts.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    points = list(_drugs(chart))
    added = next((point.order for point in points if point.order is not None and point.order.focus), None)
    if orders or points:
        points += [*_qtc(chart, thresholds), *_electrolytes(chart, thresholds)]
        measured = {point.kind.removeprefix("measured-") for point in points}
        points += _conditions(chart, qt_only=not orders, known=measured)
    points += _countered(chart)
    if orders:
        points += _infarctions(chart, thresholds)
    return gathered(
        "amitriptyline-and-the-heart",
        points,
        orders or chart.taken_or_drafted(AMITRIPTYLINE),
        {"added": added, "clonidine": any(p.order is not None and p.order.drug.names("clonidine") for p in points)},
        lambda point: _state(point, ordering=chart.ordering, ordered=bool(orders)),
    )


def _state(point: Point, *, ordering: bool, ordered: bool) -> str:
    """Which of the card's words are for a point."""
    if point.kind in OF_THEIR_OWN:
        return point.kind
    if point.kind.removeprefix("measured-") in ELECTROLYTES:
        return "electrolytes"
    if point.indicator is not Indicator.CRITICAL:
        return "caution"
    if not ordering:
        return "contraindicated-taken"
    return "contraindicated" if ordered else "contraindicated-added"


def _drugs(chart: Chart) -> Iterator[Point]:
    """Drugs that prolong the QT interval, cisapride first, when this session adds them or amitriptyline to them."""
    for order in partners(chart, AMITRIPTYLINE, CISAPRIDE, lasting=True):
        yield Point("cisapride", Indicator.CRITICAL, order=order)
    for order in partners(chart, AMITRIPTYLINE, QT_RISK):
        if CISAPRIDE not in order.classes:
            kind = "qt-domperidone" if order.drug.names(DOMPERIDONE) else "qt-drug"
            yield Point(kind, Indicator.WARNING, order=order)


def _countered(chart: Chart) -> Iterator[Point]:
    """Drugs for high blood pressure whose effect amitriptyline can abolish."""
    for order in partners(chart, AMITRIPTYLINE, COUNTERED):
        yield Point("antihypertensive", Indicator.WARNING, order=order)


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


def _electrolytes(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Potassium and magnesium by the latest value that is recent; of several on one day the lowest."""
    for kind, measured in LOW.items():
        found = [
            (m.taken, -m.value, m)
            for m in chart.measurements
            if m.kind == measured and m.value is not None and m.unit in UNITS and m.taken <= chart.today
            if within(chart, m.taken, thresholds["electrolytes_age"].value)
        ]
        if not found:
            continue
        latest = max(found, key=lambda entry: entry[:2])[2]
        limit = thresholds.get(f"{measured}{UNITS[latest.unit]}")
        value, unit = latest.value or Fraction(0), latest.unit
        if unit == "umol/L":
            value, unit = value / UMOL_PER_MMOL, "mmol/L"
        if limit is not None and value <= limit.value and latest.comparator[:1] != ">":
            yield Point(
                f"measured-{kind}",
                Indicator.WARNING,
                day=latest.taken,
                value=value,
                comparator=latest.comparator,
                unit=unit,
            )


def _conditions(chart: Chart, *, qt_only: bool, known: set[str]) -> Iterator[Point]:
    """Active conditions; of those that are ``known`` from a measurement nothing more."""
    for condition in chart.conditions:
        if not condition.active or (qt_only and not condition.sets & QT_CONDITIONS):
            continue
        sets = condition.sets - known
        if EXTRA_BEATS in sets:
            sets -= {"cardiac-arrhythmia"}
        kind = next((k for k in (*CONTRAINDICATED, *CAUTIONED) if k in sets), None)
        if kind is None and CORONARY in condition.sets and not condition.sets & {INFARCTION, OLD_INFARCTION}:
            kind = CORONARY
        if kind is not None:
            yield Point(kind, _urgency(kind, condition, chart.jurisdiction), condition.label)


def _urgency(kind: str, condition: Condition, jurisdiction: str) -> Indicator:
    """Critical for what the labels of Europe contraindicate, which the US label does not share in all."""
    milder = jurisdiction == "us" and condition.sets & MILDER_IN_US
    return Indicator.CRITICAL if kind in (*CONTRAINDICATED, CORONARY) and not milder else Indicator.WARNING


def _infarctions(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Heart attacks, resolved ones included: recent, of unclear date, or old."""
    limit = chart.today - timedelta(days=int(thresholds["recent"].value))
    for condition in chart.conditions:
        if not condition.sets & {INFARCTION, OLD_INFARCTION}:
            continue
        kind = _infarction(condition, limit)
        critical = kind in ("recent-infarction", "recorded-infarction") or (
            chart.jurisdiction != "us" and CORONARY in condition.sets
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

"""Heart, circulation, electrolytes and QT interval before amitriptyline (R17)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from fractions import Fraction

from service.chart import Chart
from service.engine.concerns import Point, beside, gathered, partners, point, recorded, stale, state_of_row
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import Condition, latest_lowest
from service.guidance.ids import AMITRIPTYLINE, CISAPRIDE, CORONARY, QTC

QT_RISK = "qt-risk"
DOMPERIDONE = "domperidone"
"""The one QT drug whose own label contraindicates others."""
INFARCTION = "recent-myocardial-infarction"
ACUTE = "acute-myocardial-infarction"
OLD_INFARCTION = "old-myocardial-infarction"

QT_CONDITIONS = ("long-qt", "brugada-syndrome", "hypokalaemia", "hypomagnesaemia", "hyperkalaemia")

LOW = {"hypokalaemia": "potassium", "hypomagnesaemia": "magnesium"}
"""What a blood test shows, and what is measured. A card says for each unit how low is low."""
UNITS = ("umol/L", "mg/dL", "meq/L")
UMOL_PER_MMOL = 1000


@states("contraindicated", "contraindicated-taken", "contraindicated-added", "caution")
def amitriptyline_and_the_heart(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R17: what in the record makes amitriptyline dangerous for heart and circulation, a line for each.

    When another drug is ordered for somebody who takes amitriptyline, only what concerns the QT interval counts.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    points = list(_drugs(chart, thresholds))
    added = next((point.order for point in points if point.order is not None and point.order.focus), None)
    if orders or points:
        points += [*_qtc(chart, thresholds), *_electrolytes(chart, thresholds)]
        measured = {point.kind.removeprefix("measured-") for point in points}
        found = recorded(chart, thresholds, *(() if orders else QT_CONDITIONS))
        points += [point for point in found if point.kind not in measured]
    points += beside(chart, thresholds, AMITRIPTYLINE)
    if orders:
        points += _infarctions(chart, thresholds)
    return gathered(
        "amitriptyline-and-the-heart",
        points,
        orders or chart.taken_or_drafted(AMITRIPTYLINE),
        {"added": added, "clonidine": any(p.order is not None and p.order.drug.names("clonidine") for p in points)},
        lambda point: state_of_row(point, thresholds) or _by_urgency(chart, point, ordered=bool(orders)),
    )


def _by_urgency(chart: Chart, point: Point, *, ordered: bool) -> str:
    if point.indicator is not Indicator.CRITICAL:
        return "caution"
    if not chart.ordering:
        return "contraindicated-taken"
    return "contraindicated" if ordered else "contraindicated-added"


def _drugs(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Drugs that prolong the QT interval, cisapride first, when this session adds them or amitriptyline to them."""
    for order in partners(chart, AMITRIPTYLINE, CISAPRIDE, lasting=True):
        yield point("cisapride", chart, thresholds, order=order)
    for order in partners(chart, AMITRIPTYLINE, QT_RISK):
        if CISAPRIDE not in order.classes:
            kind = "qt-domperidone" if order.drug.names(DOMPERIDONE) else "qt-drug"
            yield point(kind, chart, thresholds, order=order)


def _qtc(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """The latest corrected QT, of several on one day the longest; a mere upper bound ("<") tells nothing.

    Without a gender the lower limit counts.
    """
    found = [
        (m.taken, m.value, m.comparator)
        for m in chart.measured(*QTC, units=("ms",))
        if m.value is not None and m.comparator[:1] != "<"
    ]
    if not found:
        return
    day, value, comparator = max(found)
    raised = thresholds["qtc_women" if chart.patient.gender == "female" else "qtc_men"].to("ms")
    age = stale(chart, day, thresholds["qtc_age"].to("d"))
    if value >= raised:
        kind = "qtc-critical" if value >= thresholds["qtc_critical"].to("ms") else "qtc-raised"
        yield point(kind, chart, thresholds, day=day, value=value, comparator=comparator, age=age)


def _electrolytes(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Potassium and magnesium by the latest value that is recent; of several on one day the lowest."""
    for kind, measured in LOW.items():
        found = chart.measured(measured, units=UNITS, days=thresholds["electrolytes_age"].to("d"))
        latest = latest_lowest(found)
        if latest is None:
            continue
        limit = _low(measured, latest.unit, thresholds)
        value, unit = latest.value or Fraction(0), latest.unit
        if unit == "umol/L":
            value, unit = value / UMOL_PER_MMOL, "mmol/L"
        if limit is not None and value <= limit and latest.comparator[:1] != ">":
            found_low = {"day": latest.taken, "value": value, "comparator": latest.comparator, "unit": unit}
            yield point(f"measured-{kind}", chart, thresholds, **found_low)


def _low(measured: str, unit: str, thresholds: Thresholds) -> Fraction | None:
    """How low is low for a value in this unit, in mmol/L where that is umol/L; None where the card does not say."""
    limits = {
        ("potassium", "umol/L"): thresholds["potassium"].to("mmol/L"),
        ("potassium", "meq/L"): thresholds["potassium_charge"].to("meq/L"),
        ("magnesium", "umol/L"): thresholds["magnesium"].to("mmol/L"),
        ("magnesium", "mg/dL"): thresholds["magnesium_mass"].to("mg/dL"),
        ("magnesium", "meq/L"): thresholds["magnesium_charge"].to("meq/L"),
    }
    return limits.get((measured, unit))


def _infarctions(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Heart attacks, resolved ones included: recent, of unclear date, or old. Coronary disease is as urgent as that."""
    limit = chart.days_ago(thresholds["recent"].to("d"))
    for condition in chart.conditions:
        if not condition.sets & {INFARCTION, OLD_INFARCTION}:
            continue
        kind = _infarction(condition, limit)
        onset = condition.onset
        certain = onset is not None and onset.earliest == onset.latest
        dated = certain and (not condition.recorded_only or kind == "recorded-infarction")
        found = point(kind, chart, thresholds, name=condition.label, day=onset.latest if onset and dated else None)
        if CORONARY in condition.sets:
            found = replace(found, indicator=max(found.indicator, point(CORONARY, chart, thresholds).indicator))
        yield found


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

"""Rules about the dose of amitriptyline: the start, the upper range, and too little for depression (R07, R09, R14)."""

from collections.abc import Iterable
from fractions import Fraction

from service.chart import Chart
from service.dosing.dosage import DailyDose
from service.engine.finding import Finding, Indicator, Proposal, Thresholds, holding, states
from service.facts import MedicationOrder, doses, reasons
from service.guidance.duplicates import before, duplicates, summed, taken_together
from service.guidance.ids import AMITRIPTYLINE, DEPRESSION, DEPRESSIVE, NEUROPATHIC, PAIN, TRIGEMINAL

REMISSION = "depression-in-remission"
ANTIDEPRESSANT = "antidepressant"

LADDER = {
    "hospital": Indicator.CRITICAL,
    "outpatient": Indicator.CRITICAL,
    "caution": Indicator.WARNING,
    "pain-ceiling": Indicator.WARNING,
    "pain-target": Indicator.INFO,
}
"""The rungs of the ladder, the highest first, and how urgent a dose above each is."""


def purpose(chart: Chart, orders: Iterable[MedicationOrder]) -> str:
    """What amitriptyline is for: "depression", "neuropathic" or "other" (another pain, or not said).

    The orders' reasons decide. Without one the record does: depression only when no pain stands beside it.
    """
    indications = chart.indication(orders)
    if indications & (NEUROPATHIC | TRIGEMINAL):
        return "neuropathic"
    return "depression" if indications & DEPRESSIVE and not indications & PAIN else "other"


@states("", "perhaps-new", "age-unknown", "depression", "other-product")
def amitriptyline_start_dose(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R07: a new start above 10 mg a day; above 25 mg a warning unless it is for major depression.

    A weekly dose is not averaged: what counts is the most on one dosing day (Q2). An order whose reason could not be
    read may be for depression: the card says "if this is for pain" and offers no change. One that follows another
    order of the session is a later step. When the list of earlier
    orders is not known, the card says "if this is a new start" and offers no change.
    """
    if chart.under_age(thresholds["adult"].to("a")):
        return None
    started = [
        (order, order.dose.first, new)
        for order in chart.selected(AMITRIPTYLINE)
        if isinstance(order.dose, DailyDose)
        if not any(before(other, order) for other in chart.drafts(AMITRIPTYLINE))
        for new in [new_start(chart, order, thresholds["look_back"].to("d"))]
        if new is not False and order.dose.first.dosing_day > thresholds["article_start"].to("mg")
    ]
    if not started:
        return None
    order, dose, new = max(started, key=lambda entry: entry[1].dosing_day)
    day = dose.dosing_day
    depression = purpose(chart, [order]) == "depression"
    perhaps = not depression and order.reason_unread and not order.reasons
    urgent = day > thresholds["label_start"].to("mg") and not depression
    start = thresholds["article_start"].to("mg")
    other_product = needs_other_product(order, start)
    states_in_order = {
        "other-product": other_product,
        "depression": depression or perhaps,
        "perhaps-new": new is not True,
        "age-unknown": chart.age is None,
    }
    return Finding(
        card="amitriptyline-start-dose",
        indicator=Indicator.WARNING if urgent else Indicator.INFO,
        orders=(order,),
        state=next(iter(holding(states_in_order)), ""),
        facts={"order": order, "day": day, "age_known": chart.age is not None},
        proposal=Proposal(order, AMITRIPTYLINE, "amitriptyline-10-mg-at-bedtime", start, dose.high),
        withheld=withheld(chart, new is True, dose, thresholds)
        + (("depression",) if depression else ())
        + (("reason-unread",) if perhaps else ())
        # A dose that one tablet of the combination does not hold cannot be given with the product as ordered.
        + (("combination",) if other_product else ()),
    )


def needs_other_product(order: MedicationOrder, dose: Fraction) -> bool:
    """True for a combination of which one tablet does not hold just this dose in mg of amitriptyline."""
    held = {strength.mg for strength in order.drug.strengths if strength.drug == AMITRIPTYLINE}
    return order.drug.combination and dose not in held


def new_start(chart: Chart, order: MedicationOrder, look_back: Fraction) -> bool | None:
    """True when no amitriptyline was taken in that many days; None when the record does not tell (X5)."""
    if not chart.starts(AMITRIPTYLINE, order):
        return False
    since = chart.days_ago(look_back)
    unsure = not chart.history_known
    for earlier in chart.past(AMITRIPTYLINE):
        if earlier.last_known >= since:
            return False
        unsure = unsure or earlier.last_taken is None
    return None if unsure else True


def withheld(chart: Chart, certainly_new: bool, dose: DailyDose, thresholds: Thresholds) -> tuple[str, ...]:
    """Why the lower start is not offered as a change: every reason that holds."""
    checks = {
        "age-unknown": chart.age is None,
        "start-not-certain": not certainly_new,
        # One of two orders at 10 mg would leave the other as it is.
        "ordered-twice": bool(duplicates(chart)),
        # The whole interval has to come down: an as-needed or a weekly dose may be less than a nightly one.
        "would-not-lower": dose.low <= thresholds["article_start"].to("mg"),
    }
    return holding(checks)


@states(*LADDER, "under-age")
def amitriptyline_upper_range(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R09: the most on one day against the ladder of pain doses, and against every labelled dose.

    Orders that add up are summed (R27). For depression only the two highest rungs count. Whether the patient is
    in hospital is not known here, and the card says so. Under 18, the adult figures for pain are never shown.
    That a dose is more than most need is said where it is ordered, not at each opening of the chart.
    """
    found = [
        (LADDER[rung], day, rung, orders)
        for orders in taken_together(chart)
        if (day := summed(orders)[0]) is not None and (rung := _rung(chart, orders, day, thresholds))
    ]
    if not found:
        return None
    indicator, day, rung, orders = max(found, key=lambda entry: entry[:2])
    if indicator is Indicator.INFO and not chart.ordering and len(orders) == 1:
        return None
    return Finding(
        card="amitriptyline-upper-range",
        indicator=indicator,
        orders=tuple(orders),
        state="under-age" if chart.under_age(thresholds["adult"].to("a")) else rung,
        facts={
            "day": day,
            "summed": len(orders) > 1,
            "depression_recorded": chart.has(*DEPRESSIVE),
            "implausible": "",
        },
    )


def _rung(chart: Chart, orders: list[MedicationOrder], day: Fraction, thresholds: Thresholds) -> str:
    """The highest rung of the ladder that a dose is above; empty when it is above none that counts here."""
    use = purpose(chart, orders)
    rungs = list(LADDER)
    if use == "depression" or chart.under_age(thresholds["adult"].to("a")):
        rungs = ["hospital", "outpatient"]
    elif use == "neuropathic":
        rungs.remove("pain-target")
    return next((rung for rung in rungs if day > thresholds[rung.replace("-", "_")].to("mg")), "")


@states("below", "low-end", "not-daily")
def amitriptyline_for_depression(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R14: a recorded major depression, not in remission, with amitriptyline too low and nothing else for it.

    The most of the order counts, on average over days; where it is not taken daily, no daily dose is spoken of.
    Silent when a dose is not computed (R28), and for anybody under 18.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    otherwise_treated = chart.of_class(ANTIDEPRESSANT, but=AMITRIPTYLINE)
    if not orders or not _depressed(chart, orders) or chart.under_age(thresholds["adult"].to("a")) or otherwise_treated:
        return None
    together = duplicates(chart)
    counted = together or orders
    computed = doses(counted)
    if len(computed) < len(counted):
        return None
    highest = [dose.high for dose in computed]
    day = sum(highest, Fraction(0)) if together else max(highest)
    if day >= thresholds["us_low"].to("mg"):
        return None
    below = day < thresholds["eu_low"].to("mg")
    daily = all(dose.daily for dose in computed)
    return Finding(
        card="amitriptyline-for-depression",
        indicator=Indicator.WARNING if below else Indicator.INFO,
        orders=tuple(counted),
        state="not-daily" if not daily else "below" if below else "low-end",
        facts={"day": day, "history_known": chart.history_known},
    )


def _depressed(chart: Chart, orders: list[MedicationOrder]) -> bool:
    """True when an active condition, or the reason of an order, is a major depression that is not in remission."""
    recorded = (condition.sets for condition in chart.active(DEPRESSION))
    return any(DEPRESSION in sets and REMISSION not in sets for sets in (*recorded, reasons(orders)))

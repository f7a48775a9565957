"""Rules about amitriptyline alone (R07)."""

from datetime import timedelta
from fractions import Fraction

from service.chart import Chart, MedicationOrder
from service.dosing.dosage import DailyDose
from service.engine.finding import Finding, Indicator, Proposal, Threshold, Thresholds, states
from service.guidance.condition_groups import purpose
from service.guidance.drugs import AMITRIPTYLINE
from service.guidance.duplicates import duplicates


@states("", "perhaps-new", "age-unknown", "depression", "other-product")
def amitriptyline_start_dose(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R07: a new start above 10 mg a day; above 25 mg a warning unless it is for major depression.

    A weekly dose is not averaged: what counts is the most on one dosing day (Q2). An order whose reason could not be
    read may be for depression: the card says "if this is for pain" and offers no change. When the list of earlier
    orders is not known, the card says "if this is a new start" and offers no change.
    """
    if chart.under_age(thresholds["adult"].value):
        return None
    started = [
        (order, order.dose.first, new)
        for order in chart.drafts(AMITRIPTYLINE)
        if order.focus and isinstance(order.dose, DailyDose)
        for new in [new_start(chart, order, thresholds["look_back"])]
        if new is not False and order.dose.first.dosing_day > thresholds["article_start"].value
    ]
    if not started:
        return None
    order, dose, new = max(started, key=lambda entry: entry[1].dosing_day)
    day = dose.dosing_day
    depression = purpose(chart, [order]) == "depression"
    perhaps = not depression and order.reason_unread and not order.reasons
    urgent = day > thresholds["label_start"].value and not depression
    start = thresholds["article_start"].value
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
        state=next((state for state, holds in states_in_order.items() if holds), ""),
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


def new_start(chart: Chart, order: MedicationOrder, look_back: Threshold) -> bool | None:
    """True when no amitriptyline was taken in the look-back; None when the record does not tell (X5)."""
    if not chart.starts(AMITRIPTYLINE, order):
        return False
    since = chart.today - timedelta(days=int(look_back.value))
    unsure = not chart.history_known
    for earlier in chart.past(AMITRIPTYLINE):
        taken = earlier.last_taken or earlier.authored
        if taken is not None and taken >= since:
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
        "would-not-lower": dose.low <= thresholds["article_start"].value,
    }
    return tuple(reason for reason, holds in checks.items() if holds)

"""What to measure and when to look again (R11, R24, R25, R26)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from service.chart import Chart
from service.dates import later
from service.engine.concerns import concerns_of
from service.engine.finding import Finding, Indicator, Offer, Thresholds, states
from service.facts import Measurement
from service.guidance.amitriptyline import needs_other_product
from service.guidance.ids import AMITRIPTYLINE, PAIN
from service.guidance.safety import pregnant

SCORE = "pain-nrs-0-10"
OTHER_SCALES = ("pain-vas-score", "pain-severity-reported-generic-scale-unknown")
SIGNS_OF_REVIEW = (SCORE, *OTHER_SCALES, "phq-9-total")
"""Measurements that show that somebody asked how the treatment works."""

OBSERVATIONS = "observations"
LYING, STANDING = "supine", "standing"
PRESSURES = tuple(f"{part}-bp-{posture}" for part in ("systolic", "diastolic") for posture in (LYING, STANDING))


@states("starts", "starts-combination", "taken")
def amitriptyline_older_adult(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R11: amitriptyline in question for somebody who is surely 65 or older (X9: a year of birth may not be enough).

    An info when a chart is only opened.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    if not orders or not chart.at_least(thresholds["older"].to("a")):
        return None
    assert chart.age is not None
    state = "starts" if chart.starts(AMITRIPTYLINE, *orders) else "taken"
    if state == "starts" and needs_other_product(orders[0], thresholds["article_start"].to("mg")):
        state = "starts-combination"
    return Finding(
        card="amitriptyline-older-adult",
        indicator=Indicator.WARNING if chart.ordering else Indicator.INFO,
        orders=tuple(orders),
        state=state,
        facts={"age": chart.age},
    )


@states("due", "overdue")
def amitriptyline_review(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R24: amitriptyline taken for 4 to 6 weeks, or longer and not reviewed; when a chart is opened or it is renewed.

    A score of pain or depression since the fourth week counts as a review. Silent when no start is known.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    treatment = chart.taken_since(AMITRIPTYLINE, int(thresholds["gap"].to("d")))
    if not orders or treatment is None or chart.starts(AMITRIPTYLINE, *orders):
        return None
    days = (chart.today - treatment.since).days
    due = later(treatment.since, int(thresholds["review_from"].to("d")))
    reviewed = any(due <= m.taken <= chart.today for m in chart.measurements if m.kind in SIGNS_OF_REVIEW)
    if chart.today < due or reviewed:
        return None
    return Finding(
        card="amitriptyline-review",
        indicator=Indicator.INFO,
        orders=tuple(orders),
        state="overdue" if days > thresholds["review_by"].to("d") else "due",
        facts={"days": days},
        offers=(Offer("review-of-amitriptyline"),),
    )


@states("", "other-scale")
def pain_score(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R25: amitriptyline for pain and no pain score of 0 to 10 in the last 4 weeks.

    Scores on other scales do not count, and neither does a number that cannot be one of 0 to 10. Silent in
    pregnancy and for children too young for such a score, and when the measurements were not given in full: that
    is said elsewhere.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    if not orders or not chart.indication(orders) & PAIN or not _observations_known(chart):
        return None
    if chart.under_age(thresholds["youngest"].to("a")) or pregnant(chart, thresholds["status_age"].to("d")):
        return None
    days, lowest, highest = thresholds["recent"].to("d"), thresholds["lowest"].to(""), thresholds["highest"].to("")
    scores = chart.measured(SCORE, days=days)
    if any(m.exact and m.value is not None and lowest <= m.value <= highest for m in scores):
        return None
    return Finding(
        card="pain-score",
        indicator=Indicator.INFO,
        orders=tuple(orders),
        state="other-scale" if chart.measured(*OTHER_SCALES, days=days) else "",
        offers=(Offer("pain-score-0-to-10"),),
    )


@states("falls-systolic", "falls-diastolic", "missing")
def standing_blood_pressure(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R26: no lying and standing blood pressure in 30 days at 65 or with heart disease; a warning when it falls.

    The latest day with both counts. A fall is reported at any age. Silent about what is missing when the
    measurements were not given in full: that is said elsewhere.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    readings = lying_and_standing(chart.measured(*PRESSURES, units=("mm[Hg]",), days=thresholds["recent"].to("d")))
    conditions = chart.active(*concerns_of(thresholds)["circulation"].conditions)
    older = chart.at_least(thresholds["older"].to("a"))
    at_risk = bool(conditions) or older
    falls = [
        f"falls-{part}"
        for part in ("systolic", "diastolic")
        if readings is not None and _fall(getattr(readings, part)) >= thresholds[f"{part}_fall"].to("mm[Hg]")
    ]
    missing = readings is None and at_risk and _observations_known(chart)
    if not orders or not (falls or missing):
        return None
    return Finding(
        card="standing-blood-pressure",
        indicator=Indicator.WARNING if falls else Indicator.INFO,
        orders=tuple(orders),
        state=falls[0] if falls else "missing",
        facts={
            "readings": readings,
            "conditions": list(dict.fromkeys(condition.label for condition in conditions)),
        },
        offers=(Offer("blood-pressure-lying-and-standing"),) if missing and not falls else (),
    )


@dataclass(frozen=True, slots=True)
class Readings:
    """Blood pressures of one day in mmHg, each (lying, standing); of several the highest lying, lowest standing."""

    taken: date
    systolic: tuple[Fraction, Fraction] | None
    diastolic: tuple[Fraction, Fraction] | None
    several: bool = False


def lying_and_standing(measurements: Iterable[Measurement]) -> Readings | None:
    """The latest day on which blood pressure was taken lying and standing; None when there is no such day."""
    found: dict[date, dict[str, list[Fraction]]] = {}
    for m in measurements:
        if m.exact and m.value is not None:
            found.setdefault(m.taken, {}).setdefault(m.kind, []).append(m.value)
    for day in sorted(found, reverse=True):
        systolic, diastolic = (_both(found[day], f"{part}-bp") for part in ("systolic", "diastolic"))
        if systolic is not None or diastolic is not None:
            several = any(len(values) > 1 for values in found[day].values())
            return Readings(day, systolic, diastolic, several)
    return None


def _both(values: dict[str, list[Fraction]], part: str) -> tuple[Fraction, Fraction] | None:
    lying, standing = values.get(f"{part}-{LYING}"), values.get(f"{part}-{STANDING}")
    return (max(lying), min(standing)) if lying and standing else None


def _fall(pair: tuple[Fraction, Fraction] | None) -> Fraction:
    return pair[0] - pair[1] if pair is not None else Fraction(0)


def _observations_known(chart: Chart) -> bool:
    return not any(gap.element == OBSERVATIONS for gap in chart.unread)

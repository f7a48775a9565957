"""Contraindications and warnings from the patient's record (R18, R29, R30, R31)."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction

from service.chart import Chart
from service.engine.concerns import Point, beside, gathered, point, recorded, stale, state_of_row
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import Age, body_weight, latest_lowest
from service.guidance.duplicates import summed, taken_together
from service.guidance.ids import AMITRIPTYLINE, CLEARANCE, FILTRATION, SUBJECTS, TOLPERISONE

GESTATION = "gestational-age"
LIVER = ("hepatic-failure", "hepatic-impairment")


@states(
    *("", "contraindicated", "contraindicated-taken", "contraindicated-in-europe", "contraindicated-in-europe-taken")
)
def amitriptyline_and_other_conditions(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R18: allergies to amitriptyline and conditions that it can worsen; young age only when it is being ordered.

    Disulfiram counts also when it is what is ordered.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    points = list(beside(chart, thresholds, AMITRIPTYLINE))
    if orders:
        points += [*_hypersensitive(chart, thresholds), *_conditions(chart, thresholds)]
        points += [*_liver(chart, thresholds, "severe-liver-disease", "liver-disease"), *_young(chart, thresholds)]
    return gathered(
        "amitriptyline-and-other-conditions",
        points,
        orders or chart.taken_or_drafted(AMITRIPTYLINE),
        {},
        lambda point: _contraindicated(chart, point) or state_of_row(point, thresholds),
    )


def _contraindicated(chart: Chart, point: Point) -> str:
    """The state of a critical point; empty for any other."""
    if point.indicator is not Indicator.CRITICAL:
        return ""
    state = "contraindicated-in-europe" if point.kind == "severe-liver-disease" else "contraindicated"
    return state if chart.ordering else f"{state}-taken"


def _hypersensitive(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Allergy to amitriptyline, less urgent when called an intolerance, to nortriptyline, or to another tricyclic."""
    allergies = chart.allergies
    if AMITRIPTYLINE in allergies.drugs - allergies.intolerances or chart.has("allergy-to-amitriptyline"):
        yield point("allergy", chart, thresholds)
    elif AMITRIPTYLINE in allergies.drugs:
        yield point("intolerance", chart, thresholds)
    elif class_ := allergies.classes.get(AMITRIPTYLINE):
        yield point("class-allergy", chart, thresholds, name=class_)
    elif (relative := allergies.related.get(AMITRIPTYLINE)) and "nortriptyline" not in allergies.drugs:
        yield point("tricyclic-allergy", chart, thresholds, name=relative)
    if chart.allergic("nortriptyline"):
        yield point("nortriptyline-allergy", chart, thresholds)


def _conditions(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """What the record holds. An unknown glaucoma is none beside a known angle closure."""
    for found in recorded(chart, thresholds):
        if found.kind != "glaucoma-unspecified" or not chart.has("angle-closure-glaucoma"):
            yield found


def _liver(chart: Chart, thresholds: Thresholds, severe: str, mild: str) -> Iterator[Point]:
    """Liver disease; severe is liver failure, or liver disease together with a sign of decompensation."""
    impaired = chart.has("hepatic-impairment") and chart.has("hepatic-decompensation")
    kind = severe if chart.has("hepatic-failure") or impaired else mild
    for condition in chart.active(*LIVER):
        yield point(kind, chart, thresholds, name=condition.label)


def _young(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Young age when it is being ordered; who is, or may be, under 18 is spoken of by R30 alone."""
    young = chart.under_age(thresholds["young"].to("a")) and not chart.under_age(thresholds["adult"].to("a"))
    if chart.ordering and young:
        yield point("young", chart, thresholds)


@states("contraindicated", "contraindicated-taken", "caution", "titrate")
def tolperisone_contraindications(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R29: what speaks against tolperisone: allergies, myasthenia gravis, breastfeeding, kidney, liver, other drugs."""
    orders = chart.in_question(TOLPERISONE)
    points = list(beside(chart, thresholds, TOLPERISONE))
    if orders:
        points += [*_allergies(chart, thresholds), *recorded(chart, thresholds), *_kidney(chart, thresholds)]
        points += [*_liver(chart, thresholds, "severe-liver", "liver"), *_expecting_or_feeding(chart, thresholds)]
    about = orders or chart.taken_or_drafted(TOLPERISONE)
    return gathered(
        "tolperisone-contraindications",
        points,
        about,
        {},
        lambda point: (
            _contraindicated(chart, point)
            or state_of_row(point, thresholds)
            or ("caution" if point.indicator is Indicator.WARNING else "titrate")
        ),
    )


def _allergies(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    for drug in ("tolperisone", "eperisone"):
        if chart.allergic(drug):
            yield point("allergy", chart, thresholds, name=drug)
    if class_ := chart.allergies.classes.get(TOLPERISONE):
        yield point("class-allergy", chart, thresholds, name=class_)
    if chart.allergic("lidocaine") or "lidocaine" in chart.allergies.classes:
        yield point("lidocaine-allergy", chart, thresholds)


def _kidney(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """By the latest eGFR or clearance, of several on one day the lowest.

    The problem list counts without one, and severe impairment on it also beside a better value, which may be old.
    """
    latest = latest_lowest(chart.measured(*FILTRATION, *CLEARANCE, units=("mL/min",)))
    if latest is not None and latest.value is not None:
        kind = _renal_kind(latest.value, latest.comparator, thresholds)
        if kind is not None:
            measured = {"value": latest.value, "comparator": latest.comparator, "unit": latest.shown_unit}
            age = stale(chart, latest.taken, thresholds["value_age"].to("d"))
            yield point(kind, chart, thresholds, day=latest.taken, age=age, **measured)
        if kind == "severe-renal":
            return
    for condition in chart.active("renal-impairment", "severe-renal-impairment"):
        severe = "severe-renal-impairment" in condition.sets
        if latest is not None and not severe:
            continue
        yield point("severe-renal" if severe else "renal-unmeasured", chart, thresholds, name=condition.label)


def _renal_kind(value: Fraction, comparator: str, thresholds: Thresholds) -> str | None:
    """Severe or moderate impairment by a value or by an upper bound ("<"); None for better kidneys."""
    severe, moderate = thresholds["severe_renal"].to("mL/min"), thresholds["moderate_renal"].to("mL/min")
    for kind, most in (("severe-renal", severe), ("moderate-renal", moderate)):
        if value < most or (comparator == "<" and value == most):
            return kind
    return None


@states("too-young", "above-label", "above-studied", "above-young", "amitriptyline", "amitriptyline-us", "tolperisone")
def patient_under_18(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R30: the patient is, or may be, under 18. No adult numbers.

    Critical for amitriptyline under 6, above what a label gives adolescents, and above what was studied in children
    by body weight.
    """
    age = chart.age
    if age is None or not chart.under_age(thresholds["adult"].to("a")):
        return None
    weight = body_weight(chart.measurements, chart.today, int(thresholds["weight_age"].to("d")))
    points = [_amitriptyline_for_a_child(chart, age, weight, thresholds)] if chart.in_question(AMITRIPTYLINE) else []
    points += [Point("tolperisone", Indicator.WARNING)] if chart.in_question(TOLPERISONE) else []
    orders = [order for drug in SUBJECTS for order in chart.in_question(drug)]
    facts = {
        "certain": age.at_most < thresholds["adult"].to("a"),
        "weight": round(weight, 1) if weight is not None else None,
    }
    return gathered("patient-under-18", points, orders, facts)


def _amitriptyline_for_a_child(chart: Chart, age: Age, weight: Fraction | None, thresholds: Thresholds) -> Point:
    """What the card says of amitriptyline at this age and dose; ``value`` is mg a day, of a weight mg/kg."""
    if age.at_least < thresholds["uk_minimum"].to("a"):
        return Point("too-young", Indicator.CRITICAL)
    day = _most_on_a_day(chart)
    if day is not None and day > thresholds["adolescent"].to("mg"):
        return Point("above-label", Indicator.CRITICAL, value=day)
    if day is not None and weight is not None and day / weight > thresholds["studied_per_kg"].to("mg/kg"):
        return Point("above-studied", Indicator.CRITICAL, value=round(day / weight, 2))
    if day is not None and age.at_most < thresholds["older_child"].to("a") and day > thresholds["young_child"].to("mg"):
        return Point("above-young", Indicator.WARNING, value=day)
    return Point("amitriptyline-us" if chart.jurisdiction == "us" else "amitriptyline", Indicator.WARNING)


def _most_on_a_day(chart: Chart) -> Fraction | None:
    """The most mg of amitriptyline on one day, orders that add up summed; None when no dose is known."""
    return max((mg for orders in taken_together(chart) if (mg := summed(orders)[0]) is not None), default=None)


@states("pregnancy", "breastfeeding")
def amitriptyline_in_pregnancy_or_breastfeeding(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R31: amitriptyline for somebody who is pregnant, or, less urgent, breastfeeding."""
    orders = chart.in_question(AMITRIPTYLINE)
    points = _expecting_or_feeding(chart, thresholds) if orders else ()
    return gathered("amitriptyline-in-pregnancy-or-breastfeeding", points, orders, {})


def _expecting_or_feeding(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    span = thresholds["status_age"].to("d")
    for kind, holds in (("pregnancy", pregnant), ("breastfeeding", breastfeeding)):
        if holds(chart, span):
            yield point(kind, chart, thresholds)


def pregnant(chart: Chart, span: Fraction) -> bool:
    """True when a pregnancy that cannot be over yet, after ``span`` days, is on record or the latest answer.

    So it is when a gestational age newer than any answer tells; one that began before the patient's birth is their own.
    """
    since = chart.days_ago(span)
    recorded = any(c.onset is None or c.onset.latest >= since for c in chart.active("pregnancy"))
    return recorded or _answered(chart, "pregnancy", span) or _gestation_lasts(chart, span)


def _gestation_lasts(chart: Chart, span: Fraction) -> bool:
    aged, answered = chart.latest(GESTATION), chart.latest("pregnancy-status")
    if (
        aged is None
        or aged.value is None
        or aged.unit != "d"
        or (answered is not None and answered.taken >= aged.taken)
    ):
        return False
    began, birth = aged.taken - timedelta(days=int(min(aged.value, span))), chart.patient.birth
    return began >= chart.days_ago(span) and (birth is None or began > birth.latest)


def breastfeeding(chart: Chart, span: Fraction) -> bool:
    """True when breastfeeding is on record, or the latest answer of the last ``span`` days."""
    return chart.has("breastfeeding") or _answered(chart, "breastfeeding", span)


def pregnant_or_breastfeeding(chart: Chart, span: Fraction) -> bool:
    """True when a pregnancy of the last ``span`` days, or breastfeeding, is on record."""
    return pregnant(chart, span) or breastfeeding(chart, span)


def _answered(chart: Chart, what: str, span: Fraction) -> bool:
    """True when the latest answer about it is yes and not too old."""
    latest = chart.latest(f"{what}-status")
    return latest is not None and latest.taken >= chart.days_ago(span) and what in latest.sets

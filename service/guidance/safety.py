"""Contraindications and warnings from the patient's record (R18, R29, R30, R31)."""

import re
from collections.abc import Iterator
from fractions import Fraction

from service.chart import Chart, Measurement
from service.engine.concerns import Point, gathered, partners, stale, within
from service.engine.finding import Finding, Indicator, Rule, Thresholds, states
from service.guidance.drugs import AMITRIPTYLINE, SUBJECTS, TOLPERISONE
from service.guidance.duplicates import summed, taken_together
from service.guidance.kidney import CLEARANCE, FILTRATION

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL

ACUTE = {"angle-closure-glaucoma": "acute-angle-closure", "urinary-retention": "acute-urinary-retention"}
"""Conditions that are critical when the record calls them acute, and the sets whose codes say so."""
CAUTIONED = (
    "benign-prostatic-hyperplasia",
    "paralytic-ileus",
    "epilepsy",
    "bipolar-disorder",
    "hyperthyroidism",
    "dementia",
    "delirium",
    "falls",
    "suicidal-ideation",
    "alcohol-dependence",
)
DISULFIRAM = "disulfiram"
LIVER = ("hepatic-failure", "hepatic-impairment")
BODY_WEIGHT = "body-weight"
RENAL = (*FILTRATION, *CLEARANCE)
SAYS_ACUTE = re.compile(r"(?<![\w-])acute(?!\w)", re.IGNORECASE)
SAYS_OTHERWISE = re.compile(r"\b(?:not|non|history of|previous|past)[ -](?:an )?acute\b", re.IGNORECASE)
YES = frozenset({"yes", "pregnant", "breastfeeding", "currently breastfeeding"})
"""Answers in words to "pregnant?" and "breastfeeding?", where the code is not known."""


@states(
    "",
    "beers",
    "europe",
    "contraindicated",
    "contraindicated-taken",
    "contraindicated-in-europe",
    "contraindicated-in-europe-taken",
    "ask",
    "glaucoma",
    "suicidal-ideation",
    "alcohol",
    "disulfiram",
    "young",
)
def amitriptyline_and_other_conditions(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R18: allergies to amitriptyline and conditions that it can worsen; young age only when it is being ordered.

    Disulfiram counts also when it is what is ordered.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    if not orders:
        return gathered(
            "amitriptyline-and-other-conditions", _disulfiram(chart), chart.taken_or_drafted(AMITRIPTYLINE), {}
        )
    points = [
        *_disulfiram(chart),
        *_hypersensitive(chart),
        *_acute_or_not(chart),
        *_cautioned(chart),
        *_liver(chart),
        *_young(chart, thresholds),
    ]
    return gathered(
        "amitriptyline-and-other-conditions",
        points,
        orders,
        {},
        lambda point: _contraindicated(chart, point) or STATES_OF_KINDS.get(point.kind, ""),
    )


STATES_OF_KINDS = {
    "intolerance": "ask",
    "nortriptyline-allergy": "ask",
    "glaucoma-unspecified": "glaucoma",
    "suicidal-ideation": "suicidal-ideation",
    "alcohol-dependence": "alcohol",
    "disulfiram": "disulfiram",
    "young": "young",
    **dict.fromkeys(("dementia", "delirium", "falls"), "beers"),
    **dict.fromkeys(("liver-disease", "severe-liver-disease"), "europe"),
}
"""Which of the card's words, and which source, are for a point that is not critical; for others the plain ones."""


def _contraindicated(chart: Chart, point: Point) -> str:
    """The state of a critical point; empty for any other."""
    if point.indicator is not CRITICAL:
        return ""
    state = "contraindicated-in-europe" if point.kind == "severe-liver-disease" else "contraindicated"
    return state if chart.ordering else f"{state}-taken"


def _disulfiram(chart: Chart) -> Iterator[Point]:
    for order in partners(chart, AMITRIPTYLINE, "delirium-with-amitriptyline"):
        yield Point(DISULFIRAM, WARNING, order=order)


def _hypersensitive(chart: Chart) -> Iterator[Point]:
    """Allergy to amitriptyline, less urgent when called an intolerance, and to nortriptyline, which it becomes."""
    if AMITRIPTYLINE in chart.allergies - chart.intolerances or chart.has("allergy-to-amitriptyline"):
        yield Point("allergy", CRITICAL)
    elif AMITRIPTYLINE in chart.allergies:
        yield Point("intolerance", WARNING)
    elif class_ := chart.allergy_class(AMITRIPTYLINE):
        yield Point("class-allergy", CRITICAL, class_)
    if "nortriptyline" in chart.allergies or chart.has("allergy-to-nortriptyline"):
        yield Point("nortriptyline-allergy", WARNING)


def _acute_or_not(chart: Chart) -> Iterator[Point]:
    for kind, acute in ACUTE.items():
        for condition in chart.active(kind):
            if acute in condition.sets or _says_acute(condition.label):
                yield Point(acute, CRITICAL, condition.label)
            else:
                yield Point(kind, WARNING, condition.label)


def _says_acute(label: str) -> bool:
    """True when the words say that it is acute now, not that it is not or once was."""
    return SAYS_ACUTE.search(label) is not None and SAYS_OTHERWISE.search(label) is None


def _cautioned(chart: Chart) -> Iterator[Point]:
    for kind in CAUTIONED:
        for condition in chart.active(kind):
            yield Point(kind, WARNING, condition.label)
    if not chart.has("angle-closure-glaucoma"):
        for condition in chart.active("glaucoma-unspecified"):
            yield Point("glaucoma-unspecified", INFO, condition.label)


def _liver(chart: Chart) -> Iterator[Point]:
    """Severe liver disease is contraindicated by the labels of Europe; the US label does not name it."""
    severe = _severe_liver(chart)
    kind = "severe-liver-disease" if severe else "liver-disease"
    for condition in chart.active(*LIVER):
        yield Point(kind, CRITICAL if severe and chart.jurisdiction != "us" else WARNING, condition.label)


def _severe_liver(chart: Chart) -> bool:
    """Liver failure, or liver disease together with a sign of decompensation."""
    return chart.has("hepatic-failure") or (chart.has("hepatic-impairment") and chart.has("hepatic-decompensation"))


def _young(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """Young age when it is being ordered; who is, or may be, under 18 is spoken of by R30 alone."""
    young = chart.under_age(thresholds["young"].value) and not chart.under_age(thresholds["adult"].value)
    if chart.ordering and young:
        yield Point("young", WARNING)


@states("contraindicated", "contraindicated-taken", "not-recommended", "caution", "titrate", "muscle-relaxant", "nsaid")
def tolperisone_contraindications(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R29: what speaks against tolperisone: allergies, myasthenia gravis, breastfeeding, kidney, liver, other drugs."""
    orders = chart.in_question(TOLPERISONE)
    points = list(_beside_tolperisone(chart))
    if orders:
        span = thresholds["status_age"].value
        points += [*_allergies(chart), *_myasthenia(chart), *_kidney(chart, thresholds), *_liver_and_tolperisone(chart)]
        points += [*_breastfeeding(chart, span, CRITICAL), *_pregnancy(chart, span)]
    about = orders or chart.taken_or_drafted(TOLPERISONE)
    return gathered(
        "tolperisone-contraindications",
        points,
        about,
        {},
        lambda point: _contraindicated(chart, point) or _beside_or_by_urgency(point),
    )


def _beside_or_by_urgency(point: Point) -> str:
    if point.order is not None:
        return point.kind
    if point.kind in ("severe-renal", "severe-liver"):
        return "not-recommended"
    return "caution" if point.indicator is WARNING else "titrate"


def _beside_tolperisone(chart: Chart) -> Iterator[Point]:
    for order in partners(chart, TOLPERISONE, "muscle-relaxant"):
        yield Point("muscle-relaxant", WARNING, order=order)
    for order in partners(chart, TOLPERISONE, "nsaid-potentiated-by-tolperisone"):
        yield Point("nsaid", INFO, order=order)


def _allergies(chart: Chart) -> Iterator[Point]:
    for drug in ("tolperisone", "eperisone"):
        if drug in chart.allergies:
            yield Point("allergy", CRITICAL, drug)
    if class_ := chart.allergy_class(TOLPERISONE):
        yield Point("class-allergy", CRITICAL, class_)
    if "lidocaine" in chart.allergies or chart.allergy_class("lidocaine") or chart.has("allergy-to-lidocaine"):
        yield Point("lidocaine-allergy", WARNING)


def _myasthenia(chart: Chart) -> Iterator[Point]:
    for condition in chart.active("myasthenia-gravis"):
        yield Point("myasthenia-gravis", CRITICAL, condition.label)


def _kidney(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    """By the latest eGFR or clearance, of several on one day the lowest.

    The problem list counts without one, and severe impairment on it also beside a better value, which may be old.
    """
    found = [
        (m.taken, -m.value, m)
        for m in chart.measurements
        if m.kind in RENAL and m.unit == "mL/min" and m.value is not None and m.taken <= chart.today
    ]
    if found:
        _, negative, latest = max(found, key=lambda entry: entry[:2])
        kind = _renal_kind(-negative, latest.comparator, thresholds)
        if kind is not None:
            age = stale(chart, latest.taken, thresholds["value_age"].value)
            indicator = WARNING if kind == "severe-renal" else INFO
            yield Point(
                kind,
                indicator,
                day=latest.taken,
                value=latest.value,
                comparator=latest.comparator,
                unit=latest.shown_unit,
                age=age,
            )
        if kind == "severe-renal":
            return
    for condition in chart.active("renal-impairment", "severe-renal-impairment"):
        severe = "severe-renal-impairment" in condition.sets
        if found and not severe:
            continue
        yield Point("severe-renal" if severe else "renal-unmeasured", WARNING if severe else INFO, condition.label)


def _renal_kind(value: Fraction, comparator: str, thresholds: Thresholds) -> str | None:
    """Severe or moderate impairment by a value or by "below so much"; None for better kidneys."""
    for kind, limit in (("severe-renal", "severe_renal"), ("moderate-renal", "moderate_renal")):
        most = thresholds[limit].value
        if value < most or (comparator == "<" and value == most):
            return kind
    return None


def _liver_and_tolperisone(chart: Chart) -> Iterator[Point]:
    severe = _severe_liver(chart)
    for condition in chart.active(*LIVER):
        yield Point("severe-liver" if severe else "liver", WARNING if severe else INFO, condition.label)


@states("too-young", "above-label", "above-studied", "above-young", "amitriptyline", "amitriptyline-us", "tolperisone")
def patient_under_18(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R30: the patient is, or may be, under 18. No adult numbers.

    Critical for amitriptyline under 6, above what a label gives adolescents, and above what was studied in children
    by body weight.
    """
    age = chart.age
    if age is None or not chart.under_age(thresholds["adult"].value):
        return None
    points = [_amitriptyline_for_a_child(chart, thresholds)] if chart.in_question(AMITRIPTYLINE) else []
    points += [Point("tolperisone", WARNING)] if chart.in_question(TOLPERISONE) else []
    orders = [order for drug in SUBJECTS for order in chart.in_question(drug)]
    weight = _weight(chart, thresholds)
    facts = {
        "certain": age.at_most < thresholds["adult"].value,
        "weight": round(weight, 1) if weight is not None else None,
    }
    return gathered("patient-under-18", points, orders, facts)


def _amitriptyline_for_a_child(chart: Chart, thresholds: Thresholds) -> Point:
    """What is to be said of amitriptyline at this age and dose; ``value`` is mg a day, of a weight mg/kg."""
    age = chart.age
    assert age is not None
    if age.at_least < thresholds["uk_minimum"].value:
        return Point("too-young", CRITICAL)
    day = _most_on_a_day(chart)
    weight = _weight(chart, thresholds)
    if day is not None and day > thresholds["adolescent"].value:
        return Point("above-label", CRITICAL, value=day)
    if day is not None and weight is not None and day / weight > thresholds["studied_per_kg"].value:
        return Point("above-studied", CRITICAL, value=round(day / weight, 2))
    if day is not None and age.at_most < thresholds["older_child"].value and day > thresholds["young_child"].value:
        return Point("above-young", WARNING, value=day)
    return Point("amitriptyline-us" if chart.jurisdiction == "us" else "amitriptyline", WARNING)


def _most_on_a_day(chart: Chart) -> Fraction | None:
    """The most mg of amitriptyline on one day, orders that add up summed; None when no dose is known."""
    groups = taken_together(chart) or [[order] for order in chart.in_question(AMITRIPTYLINE)]
    return max((mg for orders in groups if (mg := summed(orders)[0]) is not None), default=None)


def _weight(chart: Chart, thresholds: Thresholds) -> Fraction | None:
    """Kg of the latest body weight, when it is recent."""
    latest = chart.latest(BODY_WEIGHT)
    if latest is None or not latest.exact or latest.unit != "kg":
        return None
    recent = within(chart, latest.taken, thresholds["weight_age"].value)
    return latest.value if recent and latest.value else None


@states("pregnancy", "breastfeeding")
def amitriptyline_in_pregnancy_or_breastfeeding(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R31: amitriptyline for somebody who is pregnant, or, less urgent, breastfeeding."""
    span = thresholds["status_age"].value
    points = [*_pregnancy(chart, span), *_breastfeeding(chart, span, INFO)]
    orders = chart.in_question(AMITRIPTYLINE)
    return gathered("amitriptyline-in-pregnancy-or-breastfeeding", points, orders, {}) if orders else None


def _pregnancy(chart: Chart, span: Fraction) -> Iterator[Point]:
    """One point when a pregnancy is on record that cannot be over yet, as a condition or as the latest answer."""
    conditions = [c for c in chart.active("pregnancy") if c.onset is None or within(chart, c.onset.latest, span)]
    if conditions or _answered(chart, "pregnancy", span):
        yield Point("pregnancy", WARNING)


def _breastfeeding(chart: Chart, span: Fraction, indicator: Indicator) -> Iterator[Point]:
    if chart.has("breastfeeding") or _answered(chart, "breastfeeding", span):
        yield Point("breastfeeding", indicator)


def pregnant(chart: Chart, span: Fraction) -> bool:
    """True when a pregnancy of the last ``span`` days is on record."""
    return any(True for _ in _pregnancy(chart, span))


def pregnant_or_breastfeeding(chart: Chart, span: Fraction) -> bool:
    """True when a pregnancy of the last ``span`` days, or breastfeeding, is on record."""
    return any(True for _ in (*_pregnancy(chart, span), *_breastfeeding(chart, span, WARNING)))


def _answered(chart: Chart, what: str, span: Fraction) -> bool:
    """True when the latest answer about it is yes and not too old."""
    latest: Measurement | None = chart.latest(f"{what}-status")
    if latest is None or not within(chart, latest.taken, span):
        return False
    return what in latest.sets or latest.answer.casefold().strip() in YES


RULES: tuple[Rule, ...] = (
    tolperisone_contraindications,
    amitriptyline_and_other_conditions,
    patient_under_18,
    amitriptyline_in_pregnancy_or_breastfeeding,
)

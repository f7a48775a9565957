"""Opioids in fibromyalgia and other drugs than amitriptyline (R19, R21, R22, R23)."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from service.chart import Chart
from service.engine.concerns import concerns_of
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import Measurement, MedicationOrder, Role, reasons
from service.guidance.ids import (
    AMITRIPTYLINE,
    MAO_INHIBITORS,
    NEUROPATHIC,
    NOT_TOLERATED,
    PAIN,
    TOLPERISONE,
    TRIGEMINAL,
)
from service.guidance.replacing import kidney_function, renal_doses, replacements

FIBROMYALGIA = "fibromyalgia"
DIABETIC = "diabetic-neuropathy"
STRONG_OPIOID = "opioid-strong"
OPIOID_ACCEPTED = ("cancer", "palliative-care", "opioid-use-disorder")
"""Where strong opioids have their place, or are the treatment (R19)."""

MAOI = (*MAO_INHIBITORS, "maoi-weak")
GABAPENTINOIDS = frozenset({"gabapentin", "pregabalin"})


@states("starts", "continues", "taken")
def opioid_in_fibromyalgia(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R19: a strong opioid, beside amitriptyline or tolperisone, for somebody with fibromyalgia.

    Drafted, or on the list when the chart is opened. Not in cancer, palliative care or opioid use disorder;
    tramadol and codeine are not strong.
    """
    beside = [order for drug in (AMITRIPTYLINE, TOLPERISONE) for order in chart.taken_or_drafted(drug)]
    listed = chart.of_class(STRONG_OPIOID, roles=(Role.CURRENT,))
    opioids = chart.of_class(STRONG_OPIOID, roles=(Role.DRAFT,)) if chart.ordering else listed
    if not (beside and opioids) or not chart.named(opioids, FIBROMYALGIA) or chart.named(opioids, *OPIOID_ACCEPTED):
        return None
    if chart.ordering and not any(order.focus for order in (*opioids, *beside)):
        return None
    taken = {drug for order in listed for drug in order.drug.drugs}
    continued = chart.refill or any(o.continues_earlier or taken.intersection(o.drug.drugs) for o in opioids)
    return Finding(
        card="opioid-in-fibromyalgia",
        indicator=Indicator.WARNING,
        orders=(*opioids, *beside),
        state="taken" if not chart.ordering else "continues" if continued else "starts",
        facts={"opioid": opioids[0]},
    )


@states("instead", "switch", "not-tolerated")
def other_options(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R21, R22, R23: duloxetine, gabapentin or pregabalin instead of amitriptyline for pain, when a reason exists.

    In one card, while amitriptyline is ordered for an adult, or stopped because it was not tolerated. Age alone is
    no reason. An option that something recorded speaks against is not one. Silent when no option is left.
    """
    orders = _in_question(chart)
    wanted = _pain(chart, orders)
    against = reasons_against_amitriptyline(chart, thresholds)
    if not orders or not wanted or not any(against.values()) or chart.under_age(thresholds["adult"].to("a")):
        return None
    kidney = kidney_function(chart, thresholds["kidney_age"].to("d"))
    checks = duloxetine_checks(chart, kidney, thresholds)
    drugs = {
        "duloxetine": wanted != TRIGEMINAL and False not in checks.values(),
        **_gabapentinoids(chart, wanted),
    }
    if not any(drugs.values()):
        return None
    options = [drug for drug, is_option in drugs.items() if is_option]
    american = _american(chart, wanted)
    replacing = replacements(chart, orders, options, checks, thresholds, diabetic=american == DIABETIC)
    merged = {"gabapentin": "R22", "pregabalin": "R23"}
    return Finding(
        card="other-options",
        indicator=Indicator.INFO,
        orders=tuple(orders),
        state="not-tolerated" if orders[0].stops else "instead" if chart.starts(AMITRIPTYLINE, *orders) else "switch",
        facts={
            **against,
            "options": options,
            "american": american,
            "not_offered": replacing.own,
            "kidney": kidney,
            **renal_doses(kidney, thresholds),
        },
        offers=replacing.offers,
        withheld=replacing.withheld,
        rules=tuple(rule for drug, rule in merged.items() if drugs[drug]),
    )


def _american(chart: Chart, wanted: frozenset[str]) -> str:
    """The pain for which a US label gives doses of its own, the lowest first; empty elsewhere and for other pain."""
    pains = (DIABETIC, "postherpetic-neuralgia", FIBROMYALGIA) if chart.jurisdiction == "us" else ()
    return next((pain for pain in pains if pain in wanted), "")


def _in_question(chart: Chart) -> list[MedicationOrder]:
    """Orders for amitriptyline in a session; without any, those that end it because it was not tolerated."""
    ended = [order for order in chart.stops(AMITRIPTYLINE) if NOT_TOLERATED in order.reasons]
    return (chart.in_question(AMITRIPTYLINE) or ended) if chart.ordering else []


def _pain(chart: Chart, orders: Sequence[MedicationOrder]) -> frozenset[str]:
    """The pain that the orders are for; why treatment ended is nothing that it was for."""
    if any(order.stops for order in orders):
        return (chart.indication(orders) | chart.indication(())) & PAIN
    return chart.indication(orders) & PAIN


def reasons_against_amitriptyline(chart: Chart, thresholds: Thresholds) -> dict[str, Any]:
    """Why another drug may be wanted: heart, other anticholinergic risks and drugs, intolerance now or earlier."""
    drugs = chart.of_class("anticholinergic-strong", but=AMITRIPTYLINE)
    conditions = chart.active(*concerns_of(thresholds)["condition"].conditions)
    return {
        "conditions": list(dict.fromkeys(condition.label for condition in conditions)),
        "anticholinergics": list(dict.fromkeys(order.label for order in drugs)),
        "intolerance": chart.allergic(AMITRIPTYLINE) or NOT_TOLERATED in reasons(chart.stops(AMITRIPTYLINE)),
    }


def duloxetine_checks(chart: Chart, kidney: Measurement | None, thresholds: Thresholds) -> dict[str, bool | None]:
    """Each condition of duloxetine: true when it holds, false when something recorded speaks against, None unknown."""
    adult = None if chart.age is None else chart.age.at_least >= thresholds["adult"].to("a")
    filtered = kidney.value if kidney is not None else None
    enough = None if filtered is None else filtered >= thresholds["duloxetine_kidney"].to("mL/min")
    known = chart.problems_read
    return {
        "adult": adult,
        "kidney": enough,
        "liver": _absent(chart.has("hepatic-impairment", "hepatic-failure"), known),
        "maoi": _no_maoi(chart, thresholds["maoi_gap"].to("d")),
        "angle": _absent(chart.has("angle-closure-glaucoma"), known and not chart.has("glaucoma-unspecified")),
        "antidepressant": _absent(bool(chart.of_class("ssri", "snri")), chart.history_known),
        "allergy": _absent(chart.allergic("duloxetine"), not any(gap.element == "allergies" for gap in chart.unread)),
    }


def _absent(present: bool, known: bool) -> bool | None:
    return False if present else True if known else None


def _no_maoi(chart: Chart, gap: Fraction) -> bool | None:
    """No MAO inhibitor now or within that many days; None if the list is unknown or an ended one has no date."""
    earliest, past = chart.days_ago(gap), chart.of_class(*MAOI, roles=(Role.PAST,))
    present = bool(chart.of_class(*MAOI)) or any(order.last_known >= earliest for order in past)
    open_end = any(order.last_taken is None for order in past)
    return _absent(present, chart.history_known and not open_end)


def _gabapentinoids(chart: Chart, wanted: frozenset[str]) -> Mapping[str, bool]:
    """Gabapentin and pregabalin for neuropathic pain without fibromyalgia; in the US pregabalin for fibromyalgia.

    Neither when one of them is taken already, or an allergy to one of them is recorded.
    """
    barred = bool(chart.of_class("gabapentinoid")) or not chart.allergies.drugs.isdisjoint(GABAPENTINOIDS)
    fibromyalgia = FIBROMYALGIA in wanted
    neuropathic = bool(wanted & NEUROPATHIC) and not fibromyalgia
    american = fibromyalgia and chart.jurisdiction == "us"
    return {"gabapentin": neuropathic and not barred, "pregabalin": (neuropathic or american) and not barred}

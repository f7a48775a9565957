"""Another drug in place of the amitriptyline draft: which starting dose may be offered, and why not (R21 to R23).

Labels make the doses of these drugs depend on kidney function. An offer takes the draft out of the session and orders
the other drug in its place, never both. It is made only when everything that it rests on is known and nothing recorded
speaks against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from service.chart import DECISIVE, Chart
from service.engine.finding import Offer, Thresholds, holding
from service.facts import Measurement, MedicationOrder, latest_lowest
from service.guidance.amitriptyline import new_start
from service.guidance.ids import AMITRIPTYLINE, CLEARANCE, FILTRATION, STRONG_INHIBITOR, TOLPERISONE
from service.guidance.safety import pregnant_or_breastfeeding

UNREAD_DRUGS = frozenset({"list-entry-unidentified", "order-unreadable", "status-unknown"})
"""Why a drug on the patient's list may be hidden from the checks."""

DIABETIC_STARTS = ("duloxetine", "pregabalin")
"""Drugs for which the US label gives a starting dose of its own in diabetic nerve pain."""
SYSTOLIC = ("systolic-bp", "systolic-bp-sitting", "systolic-bp-standing", "systolic-bp-supine")
DIASTOLIC = ("diastolic-bp", "diastolic-bp-standing", "diastolic-bp-supine")


@dataclass(frozen=True, slots=True)
class Replacements:
    """What may be offered: the offers, why there is none at all, and by drug why that one is not offered."""

    offers: tuple[Offer, ...]
    withheld: tuple[str, ...]
    own: Mapping[str, tuple[str, ...]]


def replacements(
    chart: Chart,
    orders: Sequence[MedicationOrder],
    options: Iterable[str],
    duloxetine: Mapping[str, bool | None],
    thresholds: Thresholds,
    *,
    diabetic: bool = False,
) -> Replacements:
    """The offers for the options, each bound to the draft that it replaces.

    ``orders`` are the amitriptyline orders in question, ``duloxetine`` its checks; ``diabetic`` when the doses of
    the US labels for diabetic nerve pain hold.
    """
    kidney = kidney_function(chart, thresholds["offer_age"].to("d"))
    withheld = _general(chart, orders, kidney, thresholds)
    own = {
        drug: _duloxetine(chart, duloxetine, thresholds)
        if drug == "duloxetine"
        else _gabapentinoid(chart, drug, kidney, thresholds)
        for drug in options
    }
    offers = tuple(
        Offer(_template(drug, band(kidney, thresholds), diabetic=diabetic), delete=orders[0].reference)
        for drug, reasons in own.items()
        if not (withheld or reasons)
    )
    return Replacements(offers, withheld, {drug: reasons for drug, reasons in own.items() if reasons})


def _template(drug: str, kidneys: str, *, diabetic: bool) -> str:
    """The starting dose of a drug: of diabetic nerve pain with good kidneys, else by the kidney function."""
    if diabetic and kidneys == "normal" and drug in DIABETIC_STARTS:
        return f"{drug}-start-diabetic"
    return f"{drug}-start" if drug == "duloxetine" else f"{drug}-start-{kidneys}"


def _general(
    chart: Chart, orders: Sequence[MedicationOrder], kidney: Measurement | None, thresholds: Thresholds
) -> tuple[str, ...]:
    """Why nothing is offered in place of this draft, whatever the drug (keys of ``cards/phrases.yaml``)."""
    (order, *others) = orders
    new = new_start(chart, order, thresholds["look_back"].to("d"))
    incomplete = any(gap.element in DECISIVE or gap.reason in UNREAD_DRUGS for gap in chart.unread)
    better = kidney is not None and kidney.value is not None and kidney.value >= thresholds["renal_severe"].to("mL/min")
    checks = {
        "age-unknown": chart.age is None,
        "taper-first": new is False,
        "start-not-certain": new is None,
        "ordered-twice": bool(others) or len(chart.drafts(AMITRIPTYLINE)) > 1,
        "order-not-found": not order.reference,
        "combination": order.drug.combination,
        "drug-disputed": order.drug.disputes(AMITRIPTYLINE),
        "record-incomplete": incomplete or not (chart.history_known and chart.conditions_known),
        "kidney-unknown": kidney is None,
        "kidney-contradictory": better and chart.has("severe-renal-impairment"),
        "pregnancy": pregnant_or_breastfeeding(chart, thresholds["status_age"].to("d")),
        "suicidal": chart.has("suicidal-ideation"),
        "with-tolperisone": bool(chart.taken_or_drafted(TOLPERISONE)),
    }
    return holding(checks)


def _duloxetine(chart: Chart, checks: Mapping[str, bool | None], thresholds: Thresholds) -> tuple[str, ...]:
    reasons = {
        "not-all-known": any(holds is None for holds in checks.values()),
        "serotonergic": bool(chart.of_class("serotonergic", but=AMITRIPTYLINE)),
        "inhibitor": bool(chart.of_class(STRONG_INHIBITOR)),
        "young": chart.under_age(thresholds["young"].to("a")),
        "mood-or-seizures": chart.has("bipolar-disorder", "epilepsy"),
        "falls": chart.has("falls", "orthostatic-hypotension"),
        "pressure": _pressure_high(chart, thresholds),
    }
    return holding(reasons)


def _pressure_high(chart: Chart, thresholds: Thresholds) -> bool:
    """True when one of the recent blood pressures is at or above the limit; nothing recent does not count against."""
    limits = {
        **dict.fromkeys(SYSTOLIC, thresholds["pressure_systolic"].to("mm[Hg]")),
        **dict.fromkeys(DIASTOLIC, thresholds["pressure_diastolic"].to("mm[Hg]")),
    }
    recent = chart.measured(*limits, units=("mm[Hg]",), days=thresholds["offer_age"].to("d"))
    return any(m.value is not None and m.value >= limits[m.kind] for m in recent)


def _gabapentinoid(chart: Chart, drug: str, kidney: Measurement | None, thresholds: Thresholds) -> tuple[str, ...]:
    older = chart.age is None or chart.age.at_most >= thresholds["older"].to("a")
    reasons = {
        "kidney-failure": band(kidney, thresholds) == "failure",
        # Labels go by creatinine clearance.
        "only-egfr": older and kidney is not None and kidney.kind not in CLEARANCE,
        "sedating": bool(chart.of_class("cns-depressant", "cns-active", but=AMITRIPTYLINE)),
        "unsteady": chart.has("falls", "delirium", "dementia"),
        "misuse": chart.has("opioid-use-disorder"),
        "heart-failure": drug == "pregabalin" and chart.has("heart-failure"),
    }
    return holding(reasons)


def kidney_function(chart: Chart, most: Fraction) -> Measurement | None:
    """The latest creatinine clearance, else the latest eGFR, in mL/min of the last ``most`` days; None if unknown."""
    for kinds in (CLEARANCE, FILTRATION):
        found = latest_lowest(m for m in chart.measured(*kinds, units=("mL/min",), days=most) if m.exact)
        if found is not None:
            return found
    return None


def band(kidney: Measurement | None, thresholds: Thresholds) -> str:
    """ "normal", "moderate", "severe" or "failure" as the labels divide kidney function; "unknown" without a value."""
    value = kidney.value if kidney is not None else None
    if value is None:
        return "unknown"
    if value <= thresholds["renal_failure"].to("mL/min"):
        return "failure"
    if value < thresholds["renal_severe"].to("mL/min"):
        return "severe"
    return "moderate" if value < thresholds["renal_moderate"].to("mL/min") else "normal"


def renal_doses(kidney: Measurement | None, thresholds: Thresholds) -> dict[str, Any]:
    """The labels' daily ranges of gabapentin and pregabalin where kidneys are known to be worse than good."""
    found = band(kidney, thresholds)
    if found in ("unknown", "normal"):
        return {"band": found}
    drugs = ("gabapentin", "pregabalin")
    ranges = {
        f"{drug}_range": (thresholds[f"{drug}_{found}_low"], thresholds[f"{drug}_{found}_high"]) for drug in drugs
    }
    return {"band": found, **ranges}

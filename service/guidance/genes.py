"""How fast the patient's enzymes break amitriptyline down (R06)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import doses
from service.guidance.ids import AMITRIPTYLINE

GENES = {"CYP2D6": "cyp2d6-phenotype", "CYP2C19": "cyp2c19-phenotype"}

POOR, INTERMEDIATE, RAPID, ULTRARAPID, AS_USUAL = "poor", "intermediate", "rapid", "ultrarapid", "as usual"
TYPES = frozenset({POOR, INTERMEDIATE, RAPID, ULTRARAPID, AS_USUAL})
"""The types of metabolisers, as ``cards/terminology/words/cues.yaml`` names them."""
UNCLEAR = "unclear"
"""The type of an answer that names none of them, several, or denies one."""

AVOIDED = {POOR, ULTRARAPID}


@dataclass(frozen=True, slots=True)
class Metaboliser:
    """The latest result for one gene; ``answer`` is how the laboratory put it."""

    gene: str
    type: str
    answer: str
    taken: date


@states("avoid", "avoid-or-lower", "low-dose", "check", "unread")
def metaboliser_type(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R06: a CYP2D6 or CYP2C19 type other than normal; a warning from 50 mg a day for poor and ultrarapid.

    Below that only a word, as no dose change is recommended. When a chart is only opened, warnings only.
    """
    orders = chart.in_question(AMITRIPTYLINE)
    found = [result for result in results_of(chart) if result.type != AS_USUAL]
    results = sorted(found, key=lambda result: (result.type not in AVOIDED, result.type == UNCLEAR))
    if not orders or not results:
        return None
    known = doses(orders)
    high = max((dose.dosing_day for dose in known), default=None)
    cut = thresholds["depression_range"].to("mg")
    level = "unknown" if high is None else "high" if high >= cut else "low"
    if level == "low" and len(known) < len(orders):
        level = "unknown"
    warns = level == "high" and any(result.type in AVOIDED for result in results)
    if not (warns or chart.ordering):
        return None
    return Finding(
        card="metaboliser-type",
        indicator=Indicator.WARNING if warns else Indicator.INFO,
        orders=tuple(orders),
        state=_state(results, level, warns=warns),
        facts={"results": results, "day": high},
    )


def _state(results: Sequence[Metaboliser], level: str, *, warns: bool) -> str:
    if all(result.type == UNCLEAR for result in results):
        return "unread"
    if warns:
        return "avoid-or-lower" if any(result.type == POOR for result in results) else "avoid"
    return "low-dose" if level == "low" else "check"


def results_of(chart: Chart) -> Iterator[Metaboliser]:
    """The latest result of each gene; CYP2D6 has no rapid type."""
    for gene, kind in GENES.items():
        found = [m for m in chart.measurements if m.kind == kind]
        if found:
            # Of one day, a type is worth more than another answer: reports give the genotype beside it.
            latest = max(found, key=lambda m: (m.taken, not m.sets.isdisjoint(TYPES)))
            type_ = next(iter(latest.sets & TYPES), UNCLEAR)
            known = gene != "CYP2D6" or type_ != RAPID
            yield Metaboliser(gene, type_ if known else UNCLEAR, latest.answer, latest.taken)

"""The rules of the second guideline: HL7's decision table for warfarin with NSAIDs."""

from collections.abc import Iterator

from service.chart import Chart
from service.engine.concerns import Point, partners, point, recorded
from service.engine.finding import Finding, Indicator, Rule, Thresholds, states
from service.engine.unchecked import code_and_text_disagree, not_checked

WARFARIN, NSAID = "warfarin", "nsaid"


@states("", "protected", "increased", "substantial")
def nsaid_with_warfarin(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R01: the columns of the decision table; an NSAID for the skin is none here ("no special precautions")."""
    nsaids = partners(chart, WARFARIN, NSAID)
    if not nsaids:
        return None
    protection = chart.of_class("gastroprotection")
    patient = [*recorded(chart, thresholds), *_old(chart, thresholds)]
    drugs = [*_beside(chart, thresholds), *_several(chart, thresholds)]
    state = "protected" if protection else ("", "increased", "substantial")[bool(patient) + bool(drugs)]
    return Finding(
        "nsaid-with-warfarin",
        Indicator.CRITICAL if state == "substantial" else Indicator.WARNING,
        (*nsaids, *chart.taken_or_drafted(WARFARIN)),
        facts={"nsaids": nsaids, "protection": protection, "points": list(dict.fromkeys([*patient, *drugs]))},
        state=state,
    )


def _old(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    if chart.age is not None and chart.age.at_least > thresholds["older"].to("a"):
        yield point("older", chart, thresholds)


def _beside(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    for order in chart.of_class("corticosteroid", "aldosterone-antagonist"):
        yield point("other-drug", chart, thresholds, order=order)


def _several(chart: Chart, thresholds: Thresholds) -> Iterator[Point]:
    if len({drug for order in chart.of_class(NSAID) for drug in order.drug.drugs}) > 1:
        yield point("several", chart, thresholds)


def warfarin_monitoring(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R02: what to watch when paracetamol takes the place of the NSAID."""
    nsaids = partners(chart, WARFARIN, NSAID)
    return Finding("warfarin-monitoring", Indicator.INFO, tuple(nsaids)) if nsaids else None


RULES: tuple[Rule, ...] = (nsaid_with_warfarin, warfarin_monitoring, code_and_text_disagree, not_checked)

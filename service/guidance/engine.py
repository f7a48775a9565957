"""Runs the rules over a chart and settles what the findings mean for each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from service.clinical.chart import Chart
from service.guidance.amitriptyline import amitriptyline_start_dose
from service.guidance.finding import Finding, Indicator, Thresholds
from service.guidance.pair import tolperisone_with_amitriptyline
from service.guidance.tolperisone import tolperisone_daily_dose
from service.guidance.unchecked import code_and_text_disagree, not_checked, patient_deceased, rule_failed

Rule = Callable[[Chart, Thresholds], Finding | None]

RULES: tuple[Rule, ...] = (
    tolperisone_with_amitriptyline,
    amitriptyline_start_dose,
    tolperisone_daily_dose,
    code_and_text_disagree,
    not_checked,
)
"""Every rule, in the order of their cards where urgency is equal. A rule is named after its card."""


def card_of(rule: Rule) -> str:
    """The id of a rule's card."""
    return rule.__name__.replace("_", "-")


def evaluate(
    chart: Chart,
    thresholds: Mapping[str, Thresholds],
    failed: Callable[[str, Exception], None],
    rules: Sequence[Rule] = RULES,
) -> list[Finding]:
    """The findings for a chart, most urgent first.

    ``thresholds`` are the numbers of each card by its id. A rule that raises loses its own advice only:
    ``failed`` is told, and a finding says that the rule could not be applied.
    """
    if chart.patient.deceased:
        return [patient_deceased(chart)] if chart.orders else []
    findings = []
    for rule in rules:
        card = card_of(rule)
        try:
            finding = rule(chart, thresholds.get(card, {}))
        except Exception as error:
            failed(card, error)
            finding = rule_failed(card)
        if finding is not None:
            findings.append(finding)
    return sorted(map(_settler(findings), findings), key=lambda finding: -finding.indicator)


def _settler(findings: Sequence[Finding]) -> Callable[[Finding], Finding]:
    """Takes proposals back that may not be made: none at all while a critical finding stands."""
    critical = any(finding.indicator is Indicator.CRITICAL for finding in findings)

    def settle(finding: Finding) -> Finding:
        if finding.proposal is None:
            return finding
        reasons = (*finding.withheld, *(("critical-finding",) if critical else ()))
        return replace(finding, withheld=reasons, proposal=None if reasons else finding.proposal)

    return settle

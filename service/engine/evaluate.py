"""Runs the rules over a chart and settles what the findings mean for each other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Rule, Thresholds
from service.engine.ranking import FOLD, folded, in_order
from service.engine.unchecked import (
    patient_deceased,
    rule_failed,
    unchecked,
)

NEEDLESS_BESIDE = {"amitriptyline-titration": "amitriptyline-upper-range"}
"""Cards not shown beside a critical other one: how fast to reach a dose that must not be reached is no question."""


DOSE_CARDS = frozenset({"amitriptyline-upper-range", "tolperisone-daily-dose"})
"""Cards about a dose: when one of them is critical, it also says that the dose is not plausible (Q7)."""


def card_of(rule: Rule) -> str:
    """The id of a rule's card."""
    return rule.__name__.replace("_", "-")


def evaluate(
    chart: Chart,
    thresholds: Mapping[str, Thresholds],
    failed: Callable[[str, Exception], None],
    rules: Sequence[Rule],
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
    critical = {finding.card for finding in findings if finding.indicator is Indicator.CRITICAL}
    findings = [finding for finding in findings if NEEDLESS_BESIDE.get(finding.card) not in critical]
    findings = _said_once(findings)
    settled = map(_settler(findings), findings)
    return folded(in_order(list(settled)), thresholds.get(FOLD, {}))


def _said_once(findings: Sequence[Finding]) -> list[Finding]:
    """An implausible dose is told by the critical card about that very dose, not once more as not checked."""
    gaps = {gap.order: gap for f in findings for gap in f.unread if gap.reason == "implausible" and gap.order}
    told = {
        order: f
        for f in findings
        if f.card in DOSE_CARDS and f.indicator is Indicator.CRITICAL
        for order in f.orders
        if order in gaps
    }
    if not told:
        return list(findings)
    settled = []
    for finding in findings:
        implausible = next((gaps[order].found for order, teller in told.items() if teller is finding), None)
        if implausible is not None:
            finding = replace(finding, facts={**finding.facts, "implausible": implausible})
        elif any(gap.reason == "implausible" and gap.order in told for gap in finding.unread):
            unread = [gap for gap in finding.unread if gap.reason != "implausible" or gap.order not in told]
            if not unread:
                continue
            finding = unchecked(unread)
        settled.append(finding)
    return settled


def _settler(findings: Sequence[Finding]) -> Callable[[Finding], Finding]:
    """Takes proposals back that may not be made: none at all while a critical finding stands."""
    critical = any(finding.indicator is Indicator.CRITICAL for finding in findings)

    def settle(finding: Finding) -> Finding:
        if critical and finding.offers:
            finding = replace(finding, offers=(), withheld=(*finding.withheld, "critical-finding"))
        if finding.proposal is None:
            return finding
        reasons = tuple(dict.fromkeys((*finding.withheld, *(("critical-finding",) if critical else ()))))
        return replace(finding, withheld=reasons, proposal=None if reasons else finding.proposal)

    return settle

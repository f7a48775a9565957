"""Runs the rules over a chart and settles what the findings mean for each other."""

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from functools import cache

from service.chart import Chart
from service.engine.bounds import bounded
from service.engine.finding import Finding, Indicator, Rule, holding
from service.engine.guideline import Guideline
from service.engine.policy import allowed
from service.engine.ranking import merged, ranked
from service.engine.unchecked import (
    patient_deceased,
    rule_failed,
    unchecked,
)


@cache
def card_of(rule: Rule) -> str:
    """The id of a rule's card."""
    return rule.__name__.replace("_", "-")


def evaluate(chart: Chart, guideline: Guideline, failed: Callable[[str, Exception], None]) -> list[Finding]:
    """The findings for a chart, most urgent first, those that share a card put together.

    A rule that raises loses its own advice only: ``failed`` is called, and a finding says that it could not be applied.
    """
    thresholds, plan = guideline.library.thresholds, guideline.library.plan
    if chart.patient.deceased:
        return [patient_deceased(chart)] if chart.orders else []
    findings = []
    for rule in guideline.rules:
        card = card_of(rule)
        try:
            finding = rule(chart, thresholds.get(card, {}))
        except Exception as error:
            failed(card, error)
            finding = rule_failed(card)
        if finding is not None:
            finding = allowed(finding, guideline.policy)
        if finding is not None:
            findings.append(finding)
    critical = {finding.card for finding in findings if finding.indicator is Indicator.CRITICAL}
    silenced = frozenset[str]().union(*(plan.silenced.get(card, ()) for card in critical))
    findings = _said_once([finding for finding in findings if finding.card not in silenced], plan.doses)
    settled = map(_settler(chart, findings), findings)
    return merged(ranked(bounded(list(settled)), plan), plan)


def _said_once(findings: Sequence[Finding], doses: Container[str]) -> list[Finding]:
    """An implausible dose is named by the critical card about that very dose, not once more as not checked."""
    gaps = {gap.order: gap for f in findings for gap in f.unread if gap.reason == "implausible" and gap.order}
    explained = {
        order: f
        for f in findings
        if f.card in doses and f.indicator is Indicator.CRITICAL
        for order in f.orders
        if order in gaps
    }
    if not explained:
        return list(findings)
    settled = []
    for finding in findings:
        implausible = next((gaps[order].found for order, dose_card in explained.items() if dose_card is finding), None)
        if implausible is not None:
            finding = replace(finding, facts={**finding.facts, "implausible": implausible})
        elif any(gap.reason == "implausible" and gap.order in explained for gap in finding.unread):
            unread = [gap for gap in finding.unread if gap.reason != "implausible" or gap.order not in explained]
            if not unread:
                continue
            finding = unchecked(unread)
        settled.append(finding)
    return settled


def _settler(chart: Chart, findings: Sequence[Finding]) -> Callable[[Finding], Finding]:
    """Takes proposals back that may not be made: none at all while a critical finding stands or a list is not whole."""
    standing = {
        "critical-finding": any(finding.indicator is Indicator.CRITICAL for finding in findings),
        "record-incomplete": chart.record_incomplete,
    }
    against = holding(standing)

    def settle(finding: Finding) -> Finding:
        if not against or (finding.proposal is None and not finding.offers):
            return finding if finding.proposal is None or not finding.withheld else replace(finding, proposal=None)
        return replace(finding, offers=(), proposal=None, withheld=tuple(dict.fromkeys((*finding.withheld, *against))))

    return settle

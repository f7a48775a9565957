"""Runs the rules over a chart and settles what the findings mean for each other."""

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Rule, holding
from service.engine.guideline import Guideline
from service.engine.plan import merged
from service.engine.policy import allowed
from service.engine.unchecked import patient_deceased, rule_failed, unchecked
from service.engine.wording import shortened
from service.facts import WORDS_BESIDE, WORDS_MAY_END, Unread

MOST_LISTED = 25
"""Orders, names or gaps that one card lists."""

MOST_LETTERS = 200
"""Letters of one word or name from a request."""


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
    silenced = frozenset[str]().union(*(plan.silenced.get(card, ()) for card in critical)) - critical
    findings = _implausible_once([finding for finding in findings if finding.card not in silenced], plan.doses)
    settled = map(_settler(chart, findings), findings)
    return merged(sorted(bounded(list(settled)), key=plan.rank), plan)


def _implausible_once(findings: Sequence[Finding], doses: Container[str]) -> list[Finding]:
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
    """Takes proposals back that may not be made.

    None is made while a critical finding stands, a list is not whole, or words beside a dose may say another one: what
    lowers the dose that was read may raise the one that is meant.
    """
    words = (WORDS_BESIDE, WORDS_MAY_END)
    standing = {
        "critical-finding": any(finding.indicator is Indicator.CRITICAL for finding in findings),
        "record-incomplete": chart.record_incomplete,
        "words-beside": any(gap.reason in words for finding in findings for gap in finding.unread),
    }
    against = holding(standing)

    def settle(finding: Finding) -> Finding:
        if not against or (finding.proposal is None and not finding.offers):
            return finding if finding.proposal is None or not finding.withheld else replace(finding, proposal=None)
        return replace(finding, offers=(), proposal=None, withheld=tuple(dict.fromkeys((*finding.withheld, *against))))

    return settle


def bounded(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, each cut to the most that a card lists; *Not checked* says how many are left out."""
    kept = [_within(finding) for finding in findings]
    left_out = max((_beyond(finding) for finding in findings), default=0)
    if left_out <= 0:
        return kept
    gap = Unread("more-than-listed", found=str(left_out))
    place = next((place for place, finding in enumerate(kept) if finding.unread), None)
    if place is None:
        return [*kept, unchecked([gap])]
    kept[place] = replace(kept[place], unread=(*kept[place].unread, gap))
    return kept


def _within(finding: Finding) -> Finding:
    facts = {name: _cut(value) for name, value in finding.facts.items()}
    if facts == finding.facts and len(finding.orders) <= MOST_LISTED and not finding.unread:
        return finding
    unread = tuple(
        replace(gap, element=shortened(gap.element, MOST_LETTERS), found=shortened(gap.found, MOST_LETTERS))
        for gap in _foremost(finding.unread)
    )
    return replace(finding, orders=finding.orders[:MOST_LISTED], facts=facts, unread=unread)


def _foremost(gaps: Sequence[Unread]) -> list[Unread]:
    """As many gaps as are listed, in their order: the first of each reason before any second one."""
    firsts = dict.fromkeys({gap.reason: gap for gap in reversed(gaps)}.values())
    others = [gap for gap in gaps if gap not in firsts]
    kept = set([*(gap for gap in gaps if gap in firsts), *others][:MOST_LISTED])
    return [gap for gap in gaps if gap in kept][:MOST_LISTED]


def _beyond(finding: Finding) -> int:
    """How many of the longest list of a finding are not shown."""
    lists = [finding.orders, finding.unread, *(v for v in finding.facts.values() if isinstance(v, list | tuple))]
    return max(map(len, lists)) - MOST_LISTED


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return shortened(value, MOST_LETTERS)
    if type(value) in (list, tuple):
        return type(value)(map(_cut, value[:MOST_LISTED]))
    return value

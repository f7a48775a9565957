"""Findings within what a card can show: long lists and long words from a request are cut, and the cut is said."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from service.engine.escaping import shortened
from service.engine.finding import Finding
from service.engine.unchecked import unchecked
from service.facts import Unread

MOST_LISTED = 25
"""Orders, names or gaps that one card lists."""

MOST_LETTERS = 200
"""Letters of one word or name from a request."""


def bounded(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, each with at most so many orders, names and gaps; *Not checked* says how many are left out."""
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

"""The order of findings, and how many of them one answer holds (rules.md, section 4)."""

from collections.abc import Sequence
from dataclasses import replace

from service.engine.finding import Finding, Indicator, Thresholds

FOLD = "more-advice"
UNCHECKED = frozenset({"not-checked", "rule-failed", "code-and-text-disagree"})
"""Cards about what could not be checked: they qualify everything else."""


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Critical first, then warning, then info; each shared line only on the first card that carries it."""
    said: set[str] = set()
    ordered = []
    for finding in sorted(findings, key=lambda finding: -finding.indicator):
        ordered.append(replace(finding, lines=tuple(line for line in finding.lines if line not in said)))
        said |= set(finding.lines)
    return ordered


def folded(findings: Sequence[Finding], thresholds: Thresholds) -> list[Finding]:
    """At most ``most`` cards: the rest are named in the last one. Critical findings are never folded.

    Whatever could not be checked is kept as well. Where those alone fill the answer, the last of them names the
    rest and is as urgent as the most urgent of it, so that no card comes on top.
    """
    most = int(thresholds["most"].value) if "most" in thresholds else len(findings)
    if len(findings) <= most:
        return list(findings)
    kept = [f for f in findings if f.indicator is Indicator.CRITICAL or f.card in UNCHECKED]
    room = max(most - 1 - len(kept), 0)
    others = [f for f in findings if f not in kept]
    shown, rest = others[:room], others[room:]
    if not rest:
        return list(findings)
    if len(kept) >= most:
        *before, last = kept
        named = {"folded": tuple(f.card for f in rest)}
        urgent = max(last.indicator, *(f.indicator for f in rest))
        return [*before, replace(last, indicator=urgent, facts={**last.facts, **named})]
    ordered = [f for f in findings if f in kept or f in shown]
    more = Finding(
        FOLD,
        max(f.indicator for f in rest),
        orders=tuple(dict.fromkeys(order for f in rest for order in f.orders)),
        facts={"folded": tuple(f.card for f in rest)},
    )
    return [*ordered, more]

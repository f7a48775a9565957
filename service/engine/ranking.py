"""The order of findings, which of them share a card, and how many cards one answer holds."""

from collections.abc import Sequence
from dataclasses import replace

from service.engine.finding import Finding, Indicator
from service.engine.plan import Plan

FOLD = "more-advice"


def ranked(findings: Sequence[Finding], plan: Plan) -> list[Finding]:
    """The findings, the most urgent first."""
    return sorted(findings, key=plan.rank)


def merged(findings: Sequence[Finding], plan: Plan) -> list[Finding]:
    """The findings with those that are said in a line of another one's card put into it."""
    kept = list(findings)
    for merge in plan.merges:
        given = next((finding for finding in kept if finding.card == merge.card), None)
        if given is None or not merge.into:
            continue
        target = plan.target(merge, given, kept)
        if target is not None:
            kept.remove(given)
            kept[kept.index(target)] = _carrying(target, given)
        elif merge.or_nothing:
            kept.remove(given)
    return sorted(kept, key=plan.rank)


def _carrying(target: Finding, given: Finding) -> Finding:
    """The finding with another one as a line, as urgent as the more urgent of them."""
    lines = (*target.merged, replace(given, merged=()), *given.merged)
    return replace(target, merged=lines, indicator=max(target.indicator, given.indicator))


def capped(findings: Sequence[Finding], plan: Plan) -> list[Finding]:
    """At most so many cards as the plan says: the last one says the rest in a line each. No critical one is folded.

    A finding that goes with any card is a line of the one that has the fewest, and a card only where there is none.
    """
    anywhere = {merge.card for merge in plan.merges if not merge.into}
    lines = [finding for finding in findings if finding.card in anywhere]
    cards = [finding for finding in findings if finding not in lines]
    if not cards:
        cards, lines = lines[:1], lines[1:]
    if len(cards) <= plan.most:
        for line in lines:
            target = min(cards, key=lambda card: (card.indicator is Indicator.CRITICAL, len(card.merged)))
            cards[cards.index(target)] = _carrying(target, line)
        return cards
    critical = sum(finding.indicator is Indicator.CRITICAL for finding in cards)
    shown = max(plan.most - 1, critical)
    rest = (*cards[shown:], *lines)
    if not rest:
        return cards
    urgent = max(finding.indicator for finding in rest)
    if critical >= plan.most:
        return [*cards[: shown - 1], replace(cards[shown - 1], folded=rest)]
    orders = tuple(dict.fromkeys(order for finding in rest for order in finding.orders))
    return [*cards[:shown], Finding(FOLD, urgent, orders, folded=rest)]

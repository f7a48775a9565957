"""What stays quiet: a card that the same clinician has answered for the same patient, as long as it says the same.

Nothing critical stays quiet, and no card about a rule that failed. A card says the same while its id, its
urgency, its drugs with their dose bands, and its facts are the same; the hook and passing days make no difference.
"""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from fractions import Fraction
from numbers import Rational
from typing import Any

from service.dosing.dosage import DailyDose
from service.engine.finding import Finding, Indicator
from service.facts import MedicationOrder

NEVER = frozenset({"rule-failed"})
"""Cards that are shown however often they were answered: each reports a separate event."""

MOMENTS = frozenset({"started", "continued", "taken"})
"""States that tell the moment only."""

LookUp = Callable[[str, str, Mapping[str, str]], Mapping[str, tuple[str, bool]]]
"""For a user, a patient and what cards say, by id: the digest of each, and whether it was answered. Never fails."""


@dataclass(slots=True)
class Once:
    """One call of a clinician: what was answered before, and afterwards what was kept quiet.

    ``digests`` are those of each card that is shown, by its uuid; ``quiet`` the cards that were not, with indicators.
    """

    look_up: LookUp
    digests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    quiet: tuple[tuple[str, str], ...] = ()


def contents(findings: Iterable[Finding], bands: Mapping[str, Sequence[Fraction]]) -> dict[str, str]:
    """What each finding that may stay quiet says, by its card; findings that share a card are left out.

    ``bands`` are the numbers of each card in their order.
    """
    texts: dict[str, str] = {}
    twice: set[str] = set()
    for finding in (one for given in findings for one in given.all):
        if finding.card in texts:
            twice.add(finding.card)
        if finding.indicator is not Indicator.CRITICAL and finding.card not in NEVER:
            texts[finding.card] = content(finding, bands.get(finding.card, ()))
    return {card: text for card, text in texts.items() if card not in twice}


def content(finding: Finding, bounds: Sequence[Fraction]) -> str:
    """What a finding says, as a text that is the same as long as nothing of it changes."""
    own = finding.proposal
    return json.dumps(
        [
            finding.card,
            finding.indicator.word,
            "" if finding.state in MOMENTS else finding.state,
            sorted({json.dumps(_plain(order, bounds)) for order in finding.orders}),
            {name: _plain(fact, bounds) for name, fact in sorted(finding.facts.items())},
            [] if own is None else [own.template, str(own.dose)],
            sorted(json.dumps(_plain(gap, bounds)) for gap in finding.unread),
        ]
    )


def kept_quiet(
    findings: Sequence[Finding], texts: Mapping[str, str], answered: AbstractSet[str]
) -> tuple[list[Finding], list[Finding]]:
    """The findings to show, and those to keep quiet: all that each of them says was answered before."""
    shown: list[Finding] = []
    quiet: list[Finding] = []
    for finding in findings:
        stays = answered and all(one.card in texts and one.card in answered for one in finding.all)
        (quiet if stays else shown).append(finding)
    return shown, quiet


def _plain(value: Any, bounds: Sequence[Fraction]) -> Any:
    """A fact without what changes from hook to hook or from day to day; a number as its band among the bounds."""
    if isinstance(value, MedicationOrder):
        dose = value.dose.high if isinstance(value.dose, DailyDose) else None
        return [sorted(value.drug.drugs) or value.label, value.drug.topical, _plain(dose, bounds)]
    if isinstance(value, DailyDose):
        return _plain(value.high, bounds)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Rational | float):
        return bisect_right(bounds, value)
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value):
        return [_plain(getattr(value, each.name), bounds) for each in fields(value)]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, bounds) for key, item in sorted(value.items(), key=str)}
    if isinstance(value, AbstractSet):
        return sorted(json.dumps(_plain(item, bounds)) for item in value)
    if isinstance(value, Iterable):
        return [_plain(item, bounds) for item in value]
    return str(value)

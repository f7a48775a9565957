"""A hospital's own policy: a card turned off, its urgency changed, or a number chosen within the card's bounds.

Every change has a reason, a name and an end. Nothing critical is ever turned off or made less urgent.
"""

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any

from service.engine.concerns import CardNumbers, concerns_of
from service.engine.finding import Finding, Indicator, Threshold
from service.engine.library import CardFile, Library
from service.engine.loading import FOLDER
from service.files import Fault, FaultyLibrary, reason, schema, validator


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one card, from ``since`` to ``until``, both days included. ``by`` answers for it.

    Without an indicator and a threshold the card is off.
    """

    hospital: str
    card: str
    reason: str
    by: str
    since: date
    until: date
    indicator: Indicator | None = None
    threshold: str = ""
    value: Threshold | None = None

    def __str__(self) -> str:
        """What is changed, in words."""
        if self.value is not None:
            return f"{self.threshold} is {self.value}"
        return "off" if self.indicator is None else f"shown as {self.indicator.word}"

    def in_force(self, day: date) -> bool:
        """True on the days that it is for."""
        return self.since <= day <= self.until


Policy = tuple[Change, ...]


def read_policy(file: Path, library: Library) -> Policy:
    """The changes of a policy file, those to come and those that have ended included.

    Raises FaultyLibrary with every fault: what the cards do not allow is refused.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FaultyLibrary([Fault(str(file), 0, error.strerror or "cannot be read")]) from None
    except (ValueError, RecursionError) as error:
        raise FaultyLibrary([Fault(str(file), 0, f"not valid TOML: {error}")]) from None
    errors = validator(schema(FOLDER, "policy.schema.json")).iter_errors(content)
    reasons = [f"{'.'.join(map(str, error.absolute_path)) or 'policy'}: {reason(error)}" for error in errors]
    changes = [] if reasons else [_change(content["hospital"], entry) for entry in content["change"]]
    reasons += [f"{change.card}: {wrong}" for change in changes for wrong in _refused(change, library)]
    reasons = reasons or [f"{one.card}: {one} and {other} on the same days; keep one" for one, other in _twice(changes)]
    if reasons:
        raise FaultyLibrary([Fault(str(file), 0, wrong) for wrong in reasons])
    return tuple(changes)


def _change(hospital: str, entry: dict[str, Any]) -> Change:
    card, reason, by, since, until = (entry[key] for key in ("card", "reason", "by", "from", "until"))
    indicator = Indicator[entry["indicator"].upper()] if "indicator" in entry else None
    value = Threshold.of(entry["value"]) if "value" in entry else None
    return Change(hospital, card, reason, by, since, until, indicator, entry.get("threshold", ""), value)


def _refused(change: Change, library: Library) -> list[str]:
    """Why a change may not be made."""
    card = library.cards.get(change.card)
    if card is None:
        return ["there is no such card"]
    days = type(change.since) is date and type(change.until) is date
    reasons = [] if days else ["from and until must be dates, such as 2027-06-30"]
    if days and change.until < change.since:
        reasons.append("until lies before from")
    if change.value is not None:
        return [*reasons, *_out_of_bounds(card, change.threshold, change.value)]
    if change.card in library.plan.always:
        reasons.append("this card may be critical, or says what could not be checked; it stays as it is")
    return reasons


def _twice(changes: Sequence[Change]) -> list[tuple[Change, Change]]:
    """The changes that are of the same thing of a card on the same days: the order in the file must not decide."""
    return [
        (one, other)
        for one, other in combinations(changes, 2)
        if (one.card, one.threshold) == (other.card, other.threshold)
        and one.since <= other.until
        and other.since <= one.until
    ]


def _out_of_bounds(card: CardFile, name: str, value: Threshold) -> list[str]:
    if name not in card.bounds:
        may = ", ".join(card.bounds) or "none"
        return [f"'{name}' has no bounds, so it cannot be chosen; with bounds are: {may}"]
    least, most = card.bounds[name]
    if value.unit != least.unit or not least.value <= value.value <= most.value:
        return [f"{name} must be from {least} to {most}, not {value}"]
    return []


def under(library: Library, policy: Sequence[Change]) -> Library:
    """The library with the numbers of a policy. Its version names the policy: another one, another version."""
    if not policy:
        return library
    cards = dict(library.cards)
    for change in policy:
        if change.value is not None:
            card = cards[change.card]
            numbers = {**card.thresholds, change.threshold: change.value}
            cards[card.id] = replace(card, thresholds=CardNumbers(numbers, concerns_of(card.thresholds)))
    digest = hashlib.sha256(repr([(c.card, str(c), c.until) for c in policy]).encode()).hexdigest()[:8]
    return replace(library, cards=cards, version=f"{library.version}.policy-{digest}")


def allowed(finding: Finding, policy: Sequence[Change]) -> Finding | None:
    """The finding as a policy wants it: as urgent as it says, or None when its card is off. Critical stays."""
    for change in policy:
        if change.card != finding.card or change.value is not None or finding.indicator is Indicator.CRITICAL:
            continue
        if change.indicator is None:
            return None
        finding = replace(finding, indicator=change.indicator)
    return finding

"""What a rule finds: which card to show and how urgent it is, but not its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

from service.chart import Chart
from service.facts import MedicationOrder, Unread


class Indicator(IntEnum):
    """Urgency of a card, as CDS Hooks has it; ordered, so that the most urgent is the greatest."""

    INFO = 1
    WARNING = 2
    CRITICAL = 3

    @property
    def word(self) -> Literal["info", "warning", "critical"]:
        """The value on the wire."""
        return _WORDS[self]


_WORDS: dict[Indicator, Literal["info", "warning", "critical"]] = {
    Indicator.INFO: "info",
    Indicator.WARNING: "warning",
    Indicator.CRITICAL: "critical",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of a card's front matter with its unit, such as 10 mg or 90 d. Rules get numbers only so."""

    value: Fraction
    unit: str

    @classmethod
    def of(cls, written: int | str) -> "Threshold":
        """The number of "10 mg" or 3 (a schema has checked the form)."""
        number, _, unit = str(written).partition(" ")
        return cls(Fraction(number), unit)

    def to(self, unit: str) -> Fraction:
        """The number in the unit in which a rule reads it. Raises ValueError for a card's number in any other unit."""
        if unit != self.unit:
            raise ValueError(f"{self} is not in {unit or 'a bare number'}")
        return self.value

    def __str__(self) -> str:
        number = self.value.numerator if self.value.denominator == 1 else float(self.value)
        return f"{number} {self.unit}".strip()


Thresholds = Mapping[str, Threshold]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of one order that the card offers. ``template`` names a file of ``cards/orders``.

    ``dose`` is the daily dose in mg that the change leads to, ``current`` the one it replaces.
    """

    order: MedicationOrder
    drug: str
    template: str
    dose: Fraction
    current: Fraction


@dataclass(frozen=True, slots=True)
class Offer:
    """Something a card may offer besides changing the order: a new order from a template, or a draft to delete.

    ``template`` names a file of ``cards/orders``; ``delete`` is the draft that would go ("Type/id"). Both together
    are one suggestion: the new order in place of that draft. With ``product_of`` the new order is for the product of
    that order of the session, which is one of ``drug``, and for less than ``below`` mg a day.
    """

    template: str = ""
    delete: str = ""
    product_of: str = ""
    drug: str = ""
    below: Fraction | None = None


@dataclass(frozen=True)
class Finding:
    """One finding for one card.

    ``card`` is the card's id, ``state`` which of its words are said ("" for the plain ones). ``orders`` are the
    orders it is about, the one in question first. ``facts`` are what the card's words mention. ``withheld`` are
    reasons (keys of ``cards/phrases.yaml``) why a proposal that the rule would make is not offered. ``rules`` are
    further rules that this finding speaks for. ``merged`` are findings that this one's card says in a line each,
    ``folded`` those for which an answer has no room.
    """

    card: str
    indicator: Indicator
    orders: tuple[MedicationOrder, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    proposal: Proposal | None = None
    withheld: tuple[str, ...] = ()
    offers: tuple[Offer, ...] = ()
    unread: tuple[Unread, ...] = ()
    rules: tuple[str, ...] = ()
    state: str = ""
    merged: tuple["Finding", ...] = ()
    folded: tuple["Finding", ...] = ()

    @cached_property
    def all(self) -> tuple["Finding", ...]:
        """The finding itself and those that its card says in a line each, with what these say in a line."""
        return (self, *(one for carried in (*self.merged, *self.folded) for one in carried.all))


Rule = Callable[[Chart, Thresholds], Finding | None]
"""A rule: a pure function named after its card, handed the chart and the numbers of its card."""


def states(*names: str) -> Callable[[Rule], Rule]:
    """Declares the states in which a rule's findings come; without it they have none."""

    def declare(rule: Rule) -> Rule:
        vars(rule)["states"] = names
        return rule

    return declare


def states_of(rule: Rule) -> tuple[str, ...]:
    """The states that a rule declares; the empty one when it declares none."""
    declared: tuple[str, ...] = vars(rule).get("states", ("",))
    return declared


def holding(checks: Mapping[str, bool]) -> tuple[str, ...]:
    """The names of the checks that hold, such as the reasons for which nothing is offered."""
    return tuple(name for name, holds in checks.items() if holds)

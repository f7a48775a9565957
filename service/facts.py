"""What a chart holds: the patient, orders, conditions and measurements, and what could not be read.

In clinical words and free of FHIR versions; all of it is frozen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from service.dates import Span
from service.dosing.amount import NotComputed
from service.dosing.dosage import DailyDose, Dosage
from service.terminology.recognise import Recognition


class Role(StrEnum):
    """What an order is to this request: being written, taken now, or taken before."""

    DRAFT = "draft"
    CURRENT = "current"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Age:
    """Age in whole years, as an interval because a birth date may be only a year."""

    at_least: int
    at_most: int


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient of the request. ``birth`` is None when the birth date is missing or not plausible.

    ``gender`` is "male" or "female", empty when the record says neither. ``birth_stated`` is true when a birth date
    stands in the record, whether it could be read or not.
    """

    birth: Span | None = None
    deceased: bool = False
    gender: str = ""
    birth_stated: bool = False

    def age(self, today: date) -> Age | None:
        """Age on a day, None when unknown (rule X9)."""
        if self.birth is None:
            return None
        return Age(_years(self.birth.latest, today), _years(self.birth.earliest, today))


def _years(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


class Noted(NamedTuple):
    """A note and what it names: problems for which no order is given, other drugs, and whether a measured value."""

    words: str
    sets: frozenset[str]
    drugs: frozenset[str]
    value: bool


@dataclass(frozen=True, slots=True)
class MedicationOrder:
    """One order or statement about a drug.

    ``reference`` is "MedicationRequest/rx-1", empty when the order carries no id. ``label`` is the drug as
    the client shows it. ``focus`` is true for the orders that guidance is about: on order-select the
    selected ones, otherwise all drafts. ``stops`` marks an order that ends treatment (rule X3).
    ``based_on`` are references of what it is based on, a plan as often as an order that it replaces (X5).
    ``reason_unread`` is true when it gives a reason in words or a code that could not be read.
    ``stop_reason_given`` is true when the order says why its status is what it is, understood or not.
    ``period_ended`` is the last day of an order on the list by its own dates, when that is past and its status says
    that the drug is taken all the same.
    ``instance`` marks one of an order's single occurrences, which adds nothing to it.
    ``last_taken`` is the latest day a past order can have been taken, None when nothing tells.
    ``reasons`` are sets of conditions that the order is for; of one that ends treatment also why it ends. ``noted`` are
    notes that name something else.
    """

    reference: str
    label: str
    drug: Recognition
    role: Role
    status: str = ""
    focus: bool = False
    stops: bool = False
    continues_earlier: bool = False
    based_on: tuple[str, ...] = ()
    dosages: tuple[Dosage, ...] = ()
    dose: DailyDose | NotComputed | None = None
    authored: date | None = None
    last_taken: date | None = None
    reasons: frozenset[str] = frozenset()
    reason_given: bool = False
    reason_unread: bool = False
    stop_reason_given: bool = False
    classes: frozenset[str] = frozenset()
    period_ended: date | None = None
    instance: bool = False
    noted: "tuple[Noted, ...]" = ()

    def __hash__(self) -> int:
        """Of what tells orders apart nearly always: hashing every dose and fraction takes longer than a rule."""
        return hash((self.reference, self.label, self.role))

    @property
    def is_draft(self) -> bool:
        """True while the order is being written in this session."""
        return self.role is Role.DRAFT

    @property
    def computed(self) -> DailyDose | None:
        """The dose where it could be computed."""
        return self.dose if isinstance(self.dose, DailyDose) else None

    @property
    def is_statement(self) -> bool:
        """True for a record that the drug is taken, was handed out or given, which nobody ordered by it."""
        return self.reference.startswith(("MedicationStatement/", "MedicationDispense/", "MedicationAdministration/"))

    @property
    def began(self) -> date | None:
        """The first day that the instructions state, else the day it was written; None when neither is known."""
        return min((dosage.start for dosage in self.dosages if dosage.start is not None), default=self.authored)

    @property
    def last_known(self) -> date:
        """The latest day on which a past order is known to have counted; ``date.min`` when it bears no date."""
        return self.last_taken or self.authored or date.min


def doses(orders: Iterable[MedicationOrder]) -> list[DailyDose]:
    """The doses of the orders whose dose could be computed."""
    return [order.dose for order in orders if isinstance(order.dose, DailyDose)]


def reasons(orders: Iterable[MedicationOrder]) -> frozenset[str]:
    """What orders give as their reasons, as sets of conditions."""
    return frozenset(reason for order in orders for reason in order.reasons)


@dataclass(frozen=True, slots=True)
class Treatment:
    """How long a drug is taken without a break: since that day at least.

    ``certain`` is false when an earlier beginning may be hidden: no list was sent, an order bears no date, or it
    renews one that is not on the list.
    """

    since: date
    certain: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that the terminology knows: the sets it belongs to, whether it holds now, and since when.

    ``recorded_only`` marks an onset that is only the day of recording: the condition began then or before.
    """

    sets: frozenset[str]
    label: str
    active: bool = True
    onset: Span | None = None
    recorded_only: bool = False


EGFR_COMPUTED = "egfr-computed"
"""The kind of a filtration rate that follows from creatinine, used where none that was reported is as new."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A valid observation: what was measured (a set's id), when, and its value or coded answer.

    ``value`` is in the unit that ``unit`` names: mm[Hg], ms, mL/min, {score}, kg, umol/L, meq/L, mg/dL or d.
    ``comparator`` says that the true value is below ("<", "<=") or above (">", ">=") it; only rules that can do
    with a bound use such a value.
    ``sets`` are the condition sets that an answer belongs to, or the type of metaboliser that it names. ``indexed``
    says that mL/min are per 1.73 m² of body surface, ``computed`` that the value follows from another measurement.
    """

    kind: str
    taken: date
    value: Fraction | None = None
    unit: str = ""
    answer: str = ""
    sets: frozenset[str] = frozenset()
    comparator: str = ""
    indexed: bool = False
    computed: bool = False

    @property
    def shown_unit(self) -> str:
        """The unit as it is to be shown, with how the value came about where it was not measured."""
        unit = f"{self.unit}/1.73 m²" if self.indexed else self.unit
        return f"{unit} (computed from creatinine, CKD-EPI 2021)" if self.computed else unit

    @property
    def exact(self) -> bool:
        """True when there is a value and it is not only a bound."""
        return self.value is not None and not self.comparator


@dataclass(frozen=True, slots=True)
class Allergies:
    """The known drugs that the patient is allergic to.

    ``intolerances`` are those of the ``drugs`` that every record calls a mere intolerance. ``classes`` are drugs of a
    class that the record names, with its words ("tricyclic antidepressants"), ``related`` those of a class in which an
    allergy to one drug counts for all, with the words for that one.
    """

    drugs: frozenset[str] = frozenset()
    intolerances: frozenset[str] = frozenset()
    classes: Mapping[str, str] = field(default_factory=dict)
    related: Mapping[str, str] = field(default_factory=dict)


def latest_lowest(measured: Iterable[Measurement]) -> Measurement | None:
    """The newest value; of several of one day the lowest, as laboratories report one for each population."""
    return max(measured, key=lambda m: (m.taken, -(m.value or 0)), default=None)


def body_weight(measured: Iterable[Measurement], today: date, most_days: int) -> Fraction | None:
    """Kg of the latest body weight of the last ``most_days`` days, None when there is none (rule Q6)."""
    weights = [m for m in measured if m.kind == "body-weight" and m.unit == "kg" and m.exact and (m.value or 0) > 0]
    latest = max((m for m in weights if 0 <= (today - m.taken).days <= most_days), key=lambda m: m.taken, default=None)
    return latest.value if latest is not None else None


WORDS_BESIDE, WORDS_MAY_END = "words-beside", "words-may-end"
"""Reasons: words beside a dose may say another one, words of an order may say that it is not taken."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something a decision would have rested on and that could not be used.

    ``reason`` is a key of the not-checked card; ``order`` names the order it concerns, ``element`` and
    ``found`` complete the sentence. ``conflict`` marks contradictions, which weigh more than gaps. ``words`` are
    those of the record that could not be read.
    """

    reason: str
    order: MedicationOrder | None = None
    element: str = ""
    found: str = ""
    conflict: bool = False
    words: tuple[str, ...] = ()

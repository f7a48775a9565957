"""The chart: one patient, the orders being written, what is already taken, and what could not be read.

Everything a rule may look at is here, in clinical words and free of FHIR versions. All of it is frozen:
the same chart always gives the same findings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

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

    ``gender`` is "male" or "female", empty when the record says neither.
    """

    birth: Span | None = None
    deceased: bool = False
    gender: str = ""

    def age(self, today: date) -> Age | None:
        """Age on a day, None when unknown (rule X9)."""
        if self.birth is None:
            return None
        return Age(_years(self.birth.latest, today), _years(self.birth.earliest, today))


def _years(birth: date, today: date) -> int:
    return today.year - birth.year - ((today.month, today.day) < (birth.month, birth.day))


@dataclass(frozen=True, slots=True)
class MedicationOrder:
    """One order or statement about a drug.

    ``reference`` is "MedicationRequest/rx-1", empty when the order carries no id. ``label`` is the drug as
    the client shows it. ``focus`` is true for the orders that guidance is about: on order-select the
    selected ones, otherwise all drafts. ``stops`` marks an order that ends treatment (rule X3).
    ``based_on`` are references of what it is based on, a plan as often as an order that it replaces (X5).
    ``stop_reason_given`` is true when the order says why its status is what it is, understood or not.
    ``period_ended`` is the last day of an order on the list by its own dates, when that is past and its status says
    that the drug is taken all the same.
    ``last_taken`` is the latest day a past order can have been taken, None when nothing tells.
    """

    reference: str
    label: str
    drug: Recognition
    role: Role
    status: str = ""
    focus: bool = False
    on_hold: bool = False
    stops: bool = False
    continues_earlier: bool = False
    based_on: tuple[str, ...] = ()
    dosages: tuple[Dosage, ...] = ()
    dose: DailyDose | NotComputed | None = None
    authored: date | None = None
    last_taken: date | None = None
    reasons: frozenset[str] = frozenset()
    reason_given: bool = False
    stop_reason_given: bool = False
    classes: frozenset[str] = frozenset()
    started: date | None = None
    period_ended: date | None = None

    def __hash__(self) -> int:
        """Of what tells orders apart nearly always: hashing every dose and fraction takes longer than a rule."""
        return hash((self.reference, self.label, self.role))

    @property
    def is_draft(self) -> bool:
        """True while the order is being written in this session."""
        return self.role is Role.DRAFT


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


@dataclass(frozen=True, slots=True)
class Measurement:
    """A valid observation: what was measured (a set's id), when, and its value or coded answer.

    ``value`` is in the unit that ``unit`` names: mm[Hg], ms, mL/min, {score} or kg. ``comparator`` says that the
    true value is below ("<", "<=") or above (">", ">=") it; only rules that can do with a bound use such a value.
    ``sets`` are the condition sets that a coded answer belongs to. ``indexed`` says that mL/min are per 1.73 m² of
    body surface.
    """

    kind: str
    taken: date
    value: Fraction | None = None
    unit: str = ""
    answer: str = ""
    sets: frozenset[str] = frozenset()
    comparator: str = ""
    indexed: bool = False

    @property
    def shown_unit(self) -> str:
        """The unit as it is to be shown."""
        return f"{self.unit}/1.73 m²" if self.indexed else self.unit

    @property
    def exact(self) -> bool:
        """True when there is a value and it is not only a bound."""
        return self.value is not None and not self.comparator


@dataclass(frozen=True, slots=True)
class Unread:
    """Something a decision would have rested on and that could not be used.

    ``reason`` is a key of the not-checked card; ``order`` names the order it concerns, ``element`` and
    ``found`` complete the sentence. ``conflict`` marks contradictions, which weigh more than gaps.
    """

    reason: str
    order: MedicationOrder | None = None
    element: str = ""
    found: str = ""
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """All that the rules may know about one request.

    ``ordering`` is false when a chart is only opened (patient-view); ``refill`` is true when the hook
    itself says that treatment continues. ``intolerances`` are those of the ``allergies`` that the record calls a mere
    intolerance. ``history_known`` is false when no medication list was given.
    """

    today: date
    hook: str
    patient: Patient
    orders: tuple[MedicationOrder, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allergies: frozenset[str] = frozenset()
    intolerances: frozenset[str] = frozenset()
    measurements: tuple[Measurement, ...] = ()
    jurisdiction: str = "eu"
    patient_id: str = ""
    conditions_known: bool = True
    history_known: bool = True
    unread: tuple[Unread, ...] = ()
    ordering: bool = True
    refill: bool = False

    @property
    def age(self) -> Age | None:
        """The patient's age today, None when unknown."""
        return self.patient.age(self.today)

    def under_age(self, adult: Fraction) -> bool:
        """True when the patient is, or may be, younger than ``adult`` years (X9); false when the age is unknown."""
        return self.age is not None and self.age.at_least < adult

    def drafts(self, drug: str) -> Iterator[MedicationOrder]:
        """Orders being written for a systemic product of the drug, except those that only stop it."""
        return (o for o in self.orders if o.is_draft and o.drug.names(drug) and not o.stops)

    def current(self, drug: str) -> Iterator[MedicationOrder]:
        """Orders and statements by which the drug is taken now."""
        return (o for o in self.orders if o.role is Role.CURRENT and o.drug.names(drug))

    def in_question(self, drug: str) -> list[MedicationOrder]:
        """Orders of a drug that advice about it concerns: selected drafts, or what is taken when a chart is opened."""
        if self.ordering:
            return [order for order in self.drafts(drug) if order.focus]
        return list(self.current(drug))

    def taken_or_drafted(self, drug: str) -> list[MedicationOrder]:
        """Drafts and current orders of a drug."""
        return [*self.drafts(drug), *self.current(drug)]

    def of_class(self, *classes: str, roles: tuple[Role, ...] = (Role.DRAFT, Role.CURRENT)) -> list[MedicationOrder]:
        """Orders of systemic products whose drug belongs to one of the classes; orders that only stop are left out."""
        wanted = frozenset(classes)
        return [
            order
            for order in self.orders
            if order.role in roles and order.classes & wanted and not order.drug.topical and not order.stops
        ]

    def has(self, *sets: str) -> bool:
        """True when an active condition belongs to one of the sets."""
        return any(condition.active and not condition.sets.isdisjoint(sets) for condition in self.conditions)

    def active(self, *sets: str) -> list[Condition]:
        """The active conditions of the sets, as the record names them."""
        return [condition for condition in self.conditions if condition.active and not condition.sets.isdisjoint(sets)]

    def latest(self, *kinds: str) -> Measurement | None:
        """The latest measurement of one of the kinds."""
        found = [m for m in self.measurements if m.kind in kinds]
        return max(found, key=lambda m: m.taken, default=None)

    def past(self, drug: str) -> Iterator[MedicationOrder]:
        """Orders and statements by which the drug was taken before."""
        return (o for o in self.orders if o.role is Role.PAST and o.drug.names(drug))

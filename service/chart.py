"""The chart: one patient, the orders being written, what is already taken, and what could not be read.

Everything a rule may look at is here, in clinical words and free of FHIR versions. All of it is frozen:
the same chart always gives the same findings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cached_property

from service.dates import Span
from service.dosing.amount import NotComputed
from service.dosing.dosage import DailyDose, Dosage
from service.terminology.recognise import Recognition

DECISIVE = frozenset({"medications", "statements", "conditions", "allergies"})
"""Lists of which nothing may be missing where an order is changed or added."""


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
    ``last_taken`` is the latest day a past order can have been taken, None when nothing tells.
    ``reasons`` are sets of conditions that the order is for; of one that ends treatment also why it ends.
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
    reason_unread: bool = False
    stop_reason_given: bool = False
    classes: frozenset[str] = frozenset()
    period_ended: date | None = None

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
        """True for a record that the drug is taken, which nobody ordered by it."""
        return self.reference.startswith("MedicationStatement/")

    @property
    def began(self) -> date | None:
        """The first day that the instructions state, else the day it was written; None when neither is known."""
        return min((dosage.start for dosage in self.dosages if dosage.start is not None), default=self.authored)


def doses(orders: Iterable[MedicationOrder]) -> list[DailyDose]:
    """The doses of orders, as far as they could be computed."""
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


@dataclass(frozen=True, slots=True)
class Measurement:
    """A valid observation: what was measured (a set's id), when, and its value or coded answer.

    ``value`` is in the unit that ``unit`` names: mm[Hg], ms, mL/min, {score}, kg, umol/L, meq/L or mg/dL.
    ``comparator`` says that the true value is below ("<", "<=") or above (">", ">=") it; only rules that can do
    with a bound use such a value.
    ``sets`` are the condition sets that a coded answer belongs to. ``indexed`` says that mL/min are per 1.73 m² of
    body surface, ``computed`` that the value follows from another measurement.
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


def latest_lowest(measured: Iterable[Measurement]) -> Measurement | None:
    """The newest value; of several of one day the lowest, as laboratories report one for each population."""
    return max(measured, key=lambda m: (m.taken, -(m.value or 0)), default=None)


def body_weight(measured: Iterable[Measurement], today: date, most_days: int) -> Fraction | None:
    """Kg of the latest body weight of the last ``most_days`` days, None when there is none (rule Q6)."""
    weights = [m for m in measured if m.kind == "body-weight" and m.unit == "kg" and m.exact and (m.value or 0) > 0]
    latest = max((m for m in weights if 0 <= (today - m.taken).days <= most_days), key=lambda m: m.taken, default=None)
    return latest.value if latest is not None else None


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


@dataclass(frozen=True)
class Chart:
    """All that the rules may know about one request.

    ``ordering`` is false when a chart is only opened (patient-view); ``refill`` is true when the hook
    itself says that treatment continues. ``intolerances`` are those of the ``allergies`` that the record calls a mere
    intolerance; ``allergy_classes`` are drugs of a class that the record names there, with its words, and
    ``related_allergies`` drugs of a class in which an allergy to one counts for all, with the words for that one.
    ``history_known`` is false when no medication list was given. ``subjects`` are the drugs that the guideline is
    about. ``incomplete`` are the lists that hold less than the record by what they say themselves.
    """

    today: date
    hook: str
    patient: Patient
    orders: tuple[MedicationOrder, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allergies: frozenset[str] = frozenset()
    intolerances: frozenset[str] = frozenset()
    allergy_classes: tuple[tuple[str, str], ...] = ()
    related_allergies: tuple[tuple[str, str], ...] = ()
    measurements: tuple[Measurement, ...] = ()
    jurisdiction: str = "eu"
    patient_id: str = ""
    conditions_known: bool = True
    history_known: bool = True
    unread: tuple[Unread, ...] = ()
    subjects: tuple[str, ...] = ()
    incomplete: frozenset[str] = frozenset()
    ordering: bool = True
    refill: bool = False

    @property
    def problems_read(self) -> bool:
        """True when the problem list was given and every entry of it could be read."""
        return self.conditions_known and not any(gap.element == "conditions" for gap in self.unread)

    def allergy_class(self, drug: str) -> str:
        """The class that a drug belongs to and that the record names among the allergies, in its words."""
        return dict(self.allergy_classes).get(drug, "")

    @cached_property
    def age(self) -> Age | None:
        """The patient's age today, None when unknown."""
        return self.patient.age(self.today)

    def under_age(self, adult: Fraction) -> bool:
        """True when the patient is, or may be, younger than ``adult`` years (X9); false when the age is unknown."""
        return self.age is not None and self.age.at_least < adult

    def at_least(self, years: Fraction) -> bool:
        """True when the patient is certainly that old: a year of birth may not be enough (X9)."""
        return self.age is not None and self.age.at_least >= years

    @property
    def record_incomplete(self) -> bool:
        """True while something is known to be missing from the lists of drugs, problems or allergies."""
        return not self.incomplete.isdisjoint(DECISIVE)

    @cached_property
    def _by_drug(self) -> dict[str, list[MedicationOrder]]:
        """Orders by each drug of which they are for a systemic product."""
        found: dict[str, list[MedicationOrder]] = {}
        for order in self.orders:
            for drug in order.drug.drugs if not order.drug.topical else ():
                found.setdefault(drug, []).append(order)
        return found

    def _taken_as(self, drug: str, role: Role) -> list[MedicationOrder]:
        return [order for order in self._by_drug.get(drug, ()) if order.role is role]

    def drafts(self, drug: str) -> list[MedicationOrder]:
        """Orders being written for a systemic product of the drug, except those that only stop it."""
        return [order for order in self._taken_as(drug, Role.DRAFT) if not order.stops]

    def selected(self, drug: str) -> list[MedicationOrder]:
        """The drafts of a drug that guidance is about."""
        return [order for order in self.drafts(drug) if order.focus]

    def current(self, drug: str) -> list[MedicationOrder]:
        """Orders and statements by which the drug is taken now."""
        return self._taken_as(drug, Role.CURRENT)

    def past(self, drug: str) -> list[MedicationOrder]:
        """Orders and statements by which the drug was taken before."""
        return self._taken_as(drug, Role.PAST)

    def stops(self, drug: str) -> list[MedicationOrder]:
        """The selected drafts that end the drug."""
        return [order for order in self._by_drug.get(drug, ()) if order.stops and order.focus]

    def in_question(self, drug: str) -> list[MedicationOrder]:
        """Orders of a drug that advice about it concerns: selected drafts, or what is taken when a chart is opened."""
        return self.selected(drug) if self.ordering else self.current(drug)

    def taken_or_drafted(self, drug: str) -> list[MedicationOrder]:
        """Drafts and current orders of a drug."""
        return [*self.drafts(drug), *self.current(drug)]

    @cached_property
    def _classes(self) -> frozenset[str]:
        return frozenset(class_ for order in self.orders for class_ in order.classes)

    def of_class(
        self, *classes: str, roles: tuple[Role, ...] = (Role.DRAFT, Role.CURRENT), but: str = ""
    ) -> list[MedicationOrder]:
        """Orders of systemic products whose drug belongs to one of the classes; orders that only stop are left out.

        ``but`` is a drug of which no order counts.
        """
        wanted = frozenset(classes)
        if self._classes.isdisjoint(wanted):
            return []
        return [
            order
            for order in self.orders
            if order.role in roles and order.classes & wanted and not order.drug.topical and not order.stops
            if not (but and order.drug.names(but))
        ]

    @cached_property
    def _active_sets(self) -> frozenset[str]:
        return frozenset(set_ for condition in self.conditions if condition.active for set_ in condition.sets)

    def has(self, *sets: str) -> bool:
        """True when an active condition belongs to one of the sets."""
        return not self._active_sets.isdisjoint(sets)

    def active(self, *sets: str) -> list[Condition]:
        """The active conditions of the sets, as the record names them."""
        if self._active_sets.isdisjoint(sets):
            return []
        return [condition for condition in self.conditions if condition.active and not condition.sets.isdisjoint(sets)]

    def days_ago(self, days: Fraction) -> date:
        """The day that many days before today."""
        return self.today - timedelta(days=int(days))

    def measured(self, *kinds: str, units: Iterable[str] = (), days: Fraction | None = None) -> list[Measurement]:
        """Values of the kinds in one of the units, of the last so many days or ever; none of a day to come."""
        earliest = self.days_ago(days) if days is not None else date.min
        dated = (m for m in self.measurements if m.kind in kinds and earliest <= m.taken <= self.today)
        return [m for m in dated if m.value is not None and (not units or m.unit in units)]

    def latest(self, *kinds: str) -> Measurement | None:
        """The latest measurement of one of the kinds."""
        found = [m for m in self.measurements if m.kind in kinds]
        return max(found, key=lambda m: m.taken, default=None)

    def starts(self, drug: str, *orders: MedicationOrder) -> bool:
        """True when one of the orders begins the drug: a draft that continues nothing while the drug is not taken."""
        if self.refill or self.current(drug):
            return False
        return any(o.is_draft and o.drug.names(drug) and not (o.stops or o.continues_earlier) for o in orders)

    def indication(self, orders: Iterable[MedicationOrder]) -> frozenset[str]:
        """What orders are for, as sets of conditions: their reasons, or without any the patient's active conditions."""
        given = [order for order in orders if order.reason_given]
        if given:
            return reasons(given)
        return self._active_sets

    def taken_since(self, drug: str, gap: int) -> Treatment | None:
        """Since when the drug is taken without a break of more than ``gap`` days; None when no date tells.

        What this session ends was taken until now. An end that is not known is no break.
        """
        listed, stops = self.current(drug), self.stops(drug)
        orders = listed or stops
        dates = [order.began for order in orders]
        known = [day for day in (*dates, *(order.began for order in stops)) if day is not None]
        if not known:
            return None
        since = min(known)
        for order in sorted(self.past(drug), key=lambda order: order.last_taken or date.max, reverse=True):
            began, ended = order.began, order.last_taken or since
            if began is not None and began < since and (since - ended).days <= gap:
                since = began
        renewed = any(order.continues_earlier for order in orders)
        return Treatment(since, self.history_known and not renewed and None not in dates)

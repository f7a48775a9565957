"""The chart: one patient, the orders being written, what is already taken, and what could not be read.

Everything a rule may look at is here, in clinical words and free of FHIR versions. All of it is frozen:
the same chart always gives the same findings.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

from service.facts import (
    EGFR_COMPUTED,
    Age,
    Allergies,
    Condition,
    Measurement,
    MedicationOrder,
    Patient,
    Role,
    Treatment,
    Unread,
    reasons,
)

DECISIVE = frozenset({"medications", "statements", "conditions", "allergies"})
"""Lists of which nothing may be missing where an order is changed or added."""


@dataclass(frozen=True)
class Chart:
    """All that the rules may know about one request.

    ``ordering`` is false when a chart is only opened (patient-view); ``refill`` is true when the hook
    itself says that treatment continues.
    ``history_known`` is false when no medication list was given. ``subjects`` are the drugs that the guideline is
    about. ``incomplete`` are the lists that hold less than the record by what they say themselves. ``ids`` are by kind
    all that can be asked for: a question with another one would be answered no for ever, so it raises LookupError.
    """

    today: date
    hook: str
    patient: Patient
    orders: tuple[MedicationOrder, ...] = ()
    conditions: tuple[Condition, ...] = ()
    allergies: Allergies = field(default_factory=Allergies)
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
    ids: Mapping[str, frozenset[str]] = field(default_factory=dict, compare=False, repr=False)

    def _ask(self, kind: str, ids: tuple[str, ...]) -> None:
        known = self.ids.get(kind)
        if known is not None and not known.issuperset(ids) and (unknown := {*ids} - known - {EGFR_COMPUTED}):
            raise LookupError(f"there is no {', '.join(sorted(unknown))} in terminology/{kind}")

    @property
    def problems_read(self) -> bool:
        """True when the problem list was given and every entry of it could be read."""
        return self.conditions_known and not any(gap.element == "conditions" for gap in self.unread)

    def allergic(self, drug: str) -> bool:
        """True when an allergy to the drug is recorded, or a mere intolerance, as an allergy or as a problem."""
        self._ask("drugs", (drug,))
        return drug in self.allergies.drugs or f"allergy-to-{drug}" in self._active_sets

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

    def _of_drug(self, drug: str) -> Sequence[MedicationOrder]:
        found = self._by_drug.get(drug)
        if found is None:
            self._ask("drugs", (drug,))
        return found or ()

    def _taken_as(self, drug: str, role: Role) -> list[MedicationOrder]:
        return [order for order in self._of_drug(drug) if order.role is role]

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
        return [order for order in self._of_drug(drug) if order.stops and order.focus]

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
        self._ask("classes", classes)
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
    def recorded_sets(self) -> frozenset[str]:
        """The sets of all conditions of the record, active or not."""
        return frozenset(set_ for condition in self.conditions for set_ in condition.sets)

    @cached_property
    def _active_sets(self) -> frozenset[str]:
        return frozenset(set_ for condition in self.conditions if condition.active for set_ in condition.sets)

    def has(self, *sets: str) -> bool:
        """True when an active condition belongs to one of the sets."""
        self._ask("conditions", sets)
        return not self._active_sets.isdisjoint(sets)

    def named(self, orders: Iterable[MedicationOrder], *sets: str) -> bool:
        """True when an active condition or a reason of the orders belongs to one of the sets."""
        return self.has(*sets) or not reasons(orders).isdisjoint(sets)

    def active(self, *sets: str) -> list[Condition]:
        """The active conditions of the sets, as the record names them."""
        if not self.has(*sets):
            return []
        return [condition for condition in self.conditions if condition.active and not condition.sets.isdisjoint(sets)]

    def days_ago(self, days: Fraction) -> date:
        """The day that many days before today."""
        return self.today - timedelta(days=int(days))

    def measured(self, *kinds: str, units: Iterable[str] = (), days: Fraction | None = None) -> list[Measurement]:
        """Values of the kinds in one of the units, of the last ``days`` or ever; none with a date in the future."""
        self._ask("observations", kinds)
        earliest = self.days_ago(days) if days is not None else date.min
        dated = (m for m in self.measurements if m.kind in kinds and earliest <= m.taken <= self.today)
        return [m for m in dated if m.value is not None and (not units or m.unit in units)]

    def latest(self, *kinds: str) -> Measurement | None:
        """The latest measurement of one of the kinds."""
        self._ask("observations", kinds)
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

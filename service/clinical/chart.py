"""The chart: one patient, the orders being written, what is already taken, and what could not be read.

Everything a rule may look at is here, in clinical words and free of FHIR versions. All of it is frozen:
the same chart always gives the same findings.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from service.clinical.amounts import NotComputed
from service.clinical.dates import Span
from service.clinical.dosing import DailyDose, Dosage
from service.clinical.terminology import Recognition


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
    """The patient of the request. ``birth`` is None when the birth date is missing or not plausible."""

    birth: Span | None = None
    deceased: bool = False

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
    dosages: tuple[Dosage, ...] = ()
    dose: DailyDose | NotComputed | None = None
    authored: date | None = None
    last_taken: date | None = None
    reasons: frozenset[str] = frozenset()
    reason_given: bool = False

    @property
    def is_draft(self) -> bool:
        """True while the order is being written in this session."""
        return self.role is Role.DRAFT


@dataclass(frozen=True, slots=True)
class Unread:
    """Something a decision would have rested on and that could not be used.

    ``reason`` is a key of the not-checked card; ``order`` names the order it concerns, ``found`` and
    ``needed`` complete the sentence. ``conflict`` marks contradictions, which weigh more than gaps.
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
    itself says that treatment continues. ``history_known`` is false when no medication list was given.
    """

    today: date
    hook: str
    patient: Patient
    orders: tuple[MedicationOrder, ...] = ()
    conditions: frozenset[str] = frozenset()
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

    def past(self, drug: str) -> Iterator[MedicationOrder]:
        """Orders and statements by which the drug was taken before."""
        return (o for o in self.orders if o.role is Role.PAST and o.drug.names(drug))

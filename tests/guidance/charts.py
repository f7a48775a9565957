"""Charts in a few words, for the tests of the rules and of the cards."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from service.chart import Chart
from service.dates import Span
from service.dosing.amount import NotComputed
from service.dosing.dosage import DailyDose
from service.facts import MedicationOrder, Patient, Role
from service.guidance.ids import AMITRIPTYLINE, SUBJECTS, TOLPERISONE
from service.terminology.recognise import Claim, Recognition
from tests.conftest import TODAY

__all__ = ["AMITRIPTYLINE", "TODAY", "TOLPERISONE", "NotComputed"]


def days_ago(days: int) -> date:
    """The day that many days before the fixed one."""
    return TODAY - timedelta(days=days)


def drug(name: str, *, topical: bool = False, combination: bool = False) -> Recognition:
    """An order recognised by one code."""
    claim = Claim(frozenset({name}), "RxNorm 1")
    return Recognition((name,), claim.evidence, topical=topical, combination=combination, claims=(claim,))


def dose(on_a_day: str, times: int = 1, *, average: str | None = None, least: str | None = None) -> DailyDose:
    """So many mg on a dosing day, in so many doses.

    ``average`` is for orders of which not every day is a dosing day, ``least`` for ranges and as-needed doses.
    """
    day, mean = Fraction(on_a_day), Fraction(average or on_a_day)
    return DailyDose(
        low=mean if least is None else Fraction(least),
        high=mean,
        single=day / times,
        dosing_day=day,
        times=Fraction(times),
        working=f"{float(day / times)} mg × {times} a day",
    )


def titrated(*steps: DailyDose) -> DailyDose:
    """Doses that follow each other; as a whole the largest of them."""
    return replace(max(steps, key=lambda step: step.dosing_day), steps=steps)


def draft(name: str, mg: DailyDose | NotComputed | None = None, number: int = 1) -> MedicationOrder:
    """An order being written and in focus, without an earlier one."""
    return MedicationOrder(f"MedicationRequest/{name}-{number}", name, drug(name), Role.DRAFT, focus=True, dose=mg)


def current(name: str) -> MedicationOrder:
    """An order by which the drug is taken now."""
    return MedicationOrder(f"MedicationRequest/{name}-now", name, drug(name), Role.CURRENT, status="active")


def past(name: str, *, taken: date | None = None, authored: date | None = None) -> MedicationOrder:
    """An order by which the drug was taken until ``taken``."""
    order = MedicationOrder(f"MedicationRequest/{name}-then", name, drug(name), Role.PAST, status="stopped")
    return replace(order, last_taken=taken, authored=authored)


def born(earliest: date, latest: date | None = None) -> Patient:
    """A patient born on a day, or between two."""
    return Patient(Span(earliest, latest or earliest))


def adult() -> Patient:
    """A patient of fifty."""
    return born(date(1976, 5, 1))


def chart(*orders: MedicationOrder, patient: Patient | None = None, hook: str = "order-sign") -> Chart:
    """A chart of an adult, with everything known."""
    return Chart(TODAY, hook, patient or adult(), orders, subjects=SUBJECTS)

"""The last day of an order or a statement, from its instructions, its supply and its period."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from math import ceil

from fhir.resources.R4B.medicationrequest import MedicationRequestDispenseRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement

from service.dates import later
from service.dosing.dosage import Dosage
from service.dosing.units import DAYS_PER_UNIT, period_unit
from service.facts import MedicationOrder, Role
from service.fhir.dosages import as_day
from service.fhir.resources import exact


def given_until(instructions: Sequence[Dosage], authored: date | None) -> date | None:
    """The last day of the instructions; None unless every one of them is bounded.

    A length without a first day counts from the day of the order, steps one after the other.
    """
    ends: list[date] = []
    begins = authored
    for dosage in sorted(instructions, key=lambda dosage: dosage.sequence or 0):
        end = dosage.end
        if end is None and dosage.days is not None and begins is not None:
            end = later(begins, ceil(dosage.days) - 1)
        if end is None:
            return None
        ends.append(end)
        begins = later(end, 1)
    return max(ends, default=None)


def supplied_until(dispense: MedicationRequestDispenseRequest | None, authored: date | None) -> date | None:
    """The last day of the supply with all its repeats, from the day of the order on; None when it is not stated."""
    duration = dispense.expectedSupplyDuration if dispense is not None else None
    if dispense is None or duration is None or authored is None:
        return None
    value = exact(duration.value)
    days = DAYS_PER_UNIT.get(period_unit(duration.code or "", duration.unit or ""))
    if value is None or days is None or value <= 0:
        return None
    fills = 1 + (dispense.numberOfRepeatsAllowed or 0)
    return later(authored, ceil(value * days * fills) - 1)


def dated_statement(
    order: MedicationOrder, statement: MedicationStatement, today: date, grace: int | None
) -> MedicationOrder:
    """A statement of the list with the days between which the drug is taken.

    What was handed out or given ``grace`` days before its end was taken then: no status says that it ended.
    """
    period = statement.effectivePeriod
    started = period.start if period is not None else statement.effectiveDateTime
    ended = as_day(period.end) if period is not None else None
    over = order.role is Role.CURRENT and ended is not None and ended < today
    long_over = grace is not None and ended is not None and later(ended, grace) < today
    past = over and (order.status == "recorded" or long_over)
    return replace(
        order,
        role=Role.PAST if past else order.role,
        authored=as_day(started) or as_day(statement.dateAsserted),
        last_taken=ended,
        period_ended=ended if over and not past else None,
    )

"""The last day of an order, from its instructions and from the supply to be dispensed."""

from collections.abc import Sequence
from datetime import date
from math import ceil

from fhir.resources.R4B.medicationrequest import MedicationRequestDispenseRequest

from service.dates import later
from service.dosing.dosage import Dosage
from service.dosing.units import DAYS_PER_UNIT, period_unit
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

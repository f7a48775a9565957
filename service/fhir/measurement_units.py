"""Units of measured values, in the one in which rules compare (``cards/terminology/measurement-units.yaml``)."""

import re
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

from service.caching import cached
from service.dosing.units import MEASUREMENT_UNITS, read_table

SCORE = "{score}"
_MARKS = str.maketrans(
    {"²": "2", ",": ".", "\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u", **dict.fromkeys(" {}_^*")}
)
_SURFACES = re.compile(r"(?<=/)1\.73(?:m2|qm|sqm|sq\.?m|m)?$")


class MeasurementUnit(NamedTuple):
    """A unit that was understood: the one it is compared in, how many of those it is, whether per body surface."""

    compared: str
    size: Fraction
    indexed: bool = False


@cached
def unit_of(written: str) -> MeasurementUnit | None:
    """The unit that a record writes, None when it is not known; a value without a unit is a score."""
    if not written:
        return MeasurementUnit(SCORE, Fraction(1))
    bare = _SURFACES.sub("1.73m2", written.translate(_MARKS))
    return _units().get(bare.lower())


def in_units(kind: str) -> bool:
    """True for what is measured in units, not answered or scored."""
    return kind.startswith(tuple(_measured()))


def fits(kind: str, unit: MeasurementUnit) -> bool:
    """True when this kind of measurement is reported in such a unit."""
    return all(unit.compared in units for start, units in _measured().items() if kind.startswith(start))


def plausible(kind: str, value: Fraction) -> bool:
    """False for a value that nobody has, of the kinds for which that is listed."""
    bounds = (bounds for start, bounds in _table()["plausible"].items() if kind.startswith(start))
    return all(Fraction(str(least)) <= value <= Fraction(str(most)) for least, most in bounds)


@cache
def _table() -> Any:
    return read_table(MEASUREMENT_UNITS)


@cache
def _units() -> dict[str, MeasurementUnit]:
    return {
        word.lower(): MeasurementUnit(row["as"], Fraction(row["is"]), row.get("indexed", False))
        for row in _table()["units"]
        for word in row["written"].split(", ")
    }


@cache
def _measured() -> dict[str, frozenset[str]]:
    return {start: frozenset(units) for start, units in _table()["measured"].items()}

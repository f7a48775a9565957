"""Units of a dose: masses, volumes, pieces and masses a kilogram, by code and by word (rules Q5, Q6); of time (Q1).

The tables are ``cards/terminology/units.yaml``.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

from service.files import Document, Fault, FaultyLibrary, load_table, load_yaml, read, schema
from service.terminology.codes import address
from service.terminology.folding import plain

CARDS = Path(__file__).parents[2] / "cards"
UCUM = "http://unitsofmeasure.org"

UNITS, MEASUREMENT_UNITS = "terminology/units.yaml", "terminology/measurement-units.yaml"
ALL_LANGUAGES = "directions/any.yaml"

DAYS_PER_UNIT = {
    "s": Fraction(1, 86400),
    "min": Fraction(1, 1440),
    "h": Fraction(1, 24),
    "d": Fraction(1),
    "wk": Fraction(7),
    "mo": Fraction("30.4375"),
    "a": Fraction("365.25"),
}
"""Length of each FHIR period unit in days (rule Q1; a month is a twelfth of 365.25 days)."""


class Kind(StrEnum):
    """What a dose is counted in."""

    MASS = "mass"
    VOLUME = "volume"
    COUNT = "count"
    MASS_A_KILOGRAM = "mass a kilogram"
    DOSE = "dose"
    """A number of single doses: known only where a single dose is stated beside it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that was understood. ``size`` is in mg, mL or mg/kg; a piece has no size of its own."""

    kind: Kind
    name: str
    size: Fraction = Fraction(1)


def unit_of_text(text: str) -> Unit | None:
    """The unit a word names, None when it is not known. Braces and "(s)" are understood."""
    return _tables().words.get(comparable(_REMARK.sub("", text.strip().strip("{}[]")).replace(",", " ")))


def unit_of_code(code: str, system: str) -> Unit | None:
    """The unit a code names, None when it is not known.

    A code without a system, or of a system that is not known, is read as UCUM's, save one of a single character,
    which in a list of somebody's own may mean anything. Spelled-out words ("{tbl}", "TAB", "tablet") are understood in
    a code as in a text; a mass only in UCUM's own spelling, because "Mg" and "mg" differ there.
    """
    tables = _tables()
    name = tables.systems.get(address(system), "" if system else "ucum")
    if not name and len(code) == 1:
        return None
    coded = tables.codes.get((name or "ucum", code))
    if coded is not None or name not in ("ucum", ""):
        return coded
    worded = unit_of_text(code)
    short = len(code) <= len("mg")
    return None if worded is None or (short and worded.kind is not Kind.COUNT) else worded


def period_unit(code: str, text: str = "") -> str:
    """The FHIR period unit that a code or a word names; the code or word itself when none is known.

    A code may be one in capitals or a word, and one of a list that is not known leaves the word beside it.
    """
    periods = _tables().periods
    for name in (code, text):
        word = name.strip().rstrip(".").lower()
        if name in DAYS_PER_UNIT or word in periods:
            return periods.get(word, name)
    return code or text


def same_unit(a: Unit, b: Unit) -> bool:
    """True when two readings of one quantity agree: of one kind and one size; pieces are all alike."""
    return a.kind is b.kind and a.size == b.size


def unit_words() -> dict[str, Unit]:
    """Every word for a unit, made comparable."""
    return _tables().words


def read_table(name: str) -> Any:
    """The content of a table of units, or of a language's directions. Loading the library has checked them all."""
    return load_table(CARDS, name, None)


def faulty_tables(folder: Path) -> list[Fault]:
    """The faults of all tables that doses are read with: those in a folder of cards, and what it need not have."""
    faults: list[Fault] = []
    directions = schema(CARDS, "directions.schema.json")
    schemas = {name: schema(CARDS, f"{Path(name).stem}.schema.json") for name in (UNITS, MEASUREMENT_UNITS)}
    languages = (path.relative_to(folder).as_posix() for path in sorted(folder.glob("directions/*.yaml")))
    for name in dict.fromkeys((*schemas, ALL_LANGUAGES, *languages)):
        own = folder if (folder / name).exists() else CARDS
        try:
            table = load_table(own, name, schemas.get(name, directions))
            faults += _ambiguous(name, read(own, name), table) if name in schemas else []
            for kind in table["measured"] if name == MEASUREMENT_UNITS else ():
                if not any(own.glob(f"terminology/observations/{kind}*.json")):
                    faults.append(Fault(name, 0, f"measured: no set of terminology/observations begins with '{kind}'"))
        except FaultyLibrary as faulty:
            faults += faulty.faults
    return faults


def _ambiguous(name: str, text: str, table: Any) -> list[Fault]:
    """Words of units that stand in two rows: which of them is meant nobody could tell."""
    document, column = load_yaml(name, text), "words" if name == UNITS else "written"
    assert isinstance(document, Document), "it was loaded"
    found: dict[str, int] = {}
    faults = []
    for place, row in enumerate(table["units"]):
        for word in sorted(set(map(comparable, row[column].split(",")))):
            other = document.line(("units", found.setdefault(word, place)))
            if found[word] != place:
                wrong = f"units.{place}.{column}: '{word}' also stands in line {other}"
                faults.append(document.fault(wrong, "units", place, column))
    return faults


def comparable(text: str) -> str:
    """Words without case, accents and full stops, and with one blank for blanks and hyphens."""
    return " ".join(plain(text).replace(".", " ").replace("-", " ").split())


# "tablet(s)", "Tablet (unit of presentation)"; a number in brackets says something of its own.
_REMARK = re.compile(r"\s*\([^()\d]*\)\s*$")


@dataclass(frozen=True, slots=True)
class _Tables:
    systems: dict[str, str]
    codes: dict[tuple[str, str], Unit]
    words: dict[str, Unit]
    periods: dict[str, str]


@cache
def _tables() -> _Tables:
    content = read_table(UNITS)
    systems = {address(uri): name for name, uris in content["systems"].items() for uri in uris}
    codes: dict[tuple[str, str], Unit] = {}
    words: dict[str, Unit] = {}
    for row in content["units"]:
        unit = Unit(Kind(row["kind"]), row["name"], Fraction(row.get("size", 1)))
        codes |= {(code["system"], code["code"]): unit for code in row["codes"]}
        words |= {comparable(word): unit for word in row["words"].split(",")}
    periods = {word: unit for unit, written in content["periods"].items() for word in (unit, *written.split(", "))}
    return _Tables(systems, codes, words, periods)

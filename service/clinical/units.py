"""Units of a dose: masses, and tablets or capsules, in the spellings that occur (rules Q5 and Q6)."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from service.clinical.terminology import fold

UCUM = "http://unitsofmeasure.org"


class Kind(StrEnum):
    """What a dose is counted in."""

    MASS = "mass"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that was understood: for a mass ``mg`` is its size in milligrams; a count is one piece."""

    kind: Kind
    name: str
    mg: Fraction = Fraction(0)


MILLIGRAM = Unit(Kind.MASS, "mg", Fraction(1))
GRAM = Unit(Kind.MASS, "g", Fraction(1000))
MICROGRAM = Unit(Kind.MASS, "ug", Fraction(1, 1000))
TABLET = Unit(Kind.COUNT, "tablet")
CAPSULE = Unit(Kind.COUNT, "capsule")

# UCUM is case sensitive ("Mg" is not a milligram); the all-capital forms are its case-insensitive variant.
_CODES = {
    "mg": MILLIGRAM, "MG": MILLIGRAM,
    "g": GRAM, "G": GRAM,
    "ug": MICROGRAM, "UG": MICROGRAM,
}  # fmt: skip

_WORDS = {
    "mg": MILLIGRAM, "milligram": MILLIGRAM, "milligrams": MILLIGRAM, "milligramm": MILLIGRAM,
    "g": GRAM, "gram": GRAM, "grams": GRAM, "gramm": GRAM,
    "ug": MICROGRAM, "mcg": MICROGRAM, "μg": MICROGRAM, "microgram": MICROGRAM, "micrograms": MICROGRAM,
    "mikrogramm": MICROGRAM,
    "tbl": TABLET, "tab": TABLET, "tabs": TABLET, "tablet": TABLET, "tablets": TABLET, "tablette": TABLET,
    "tabletten": TABLET, "tabletta": TABLET, "filmtablette": TABLET, "filmtabletten": TABLET,
    "pill": TABLET, "pills": TABLET, "tbl.": TABLET, "tab.": TABLET, "tabl.": TABLET, "tabl": TABLET,
    "cap": CAPSULE, "caps": CAPSULE, "capsule": CAPSULE, "capsules": CAPSULE, "kapsel": CAPSULE,
    "kapseln": CAPSULE, "kapszula": CAPSULE, "cap.": CAPSULE, "caps.": CAPSULE,
}  # fmt: skip

_CODED_PIECES = {("http://snomed.info/sct", "732936001"): TABLET}


def unit_of_text(text: str) -> Unit | None:
    """The unit a word names, None when it is not known. A plural or a note in brackets is understood."""
    word = fold(text).strip().strip("{}").replace("(s)", "")
    return _WORDS.get(word)


def unit_of_code(code: str, system: str) -> Unit | None:
    """The unit a code names, None when it is not known.

    "1" is UCUM's unity, which real clients use for "one tablet"; it is read as a piece.
    """
    if (system, code) in _CODED_PIECES:
        return _CODED_PIECES[system, code]
    if code in _CODES:
        return _CODES[code]
    if code == "1":
        return TABLET
    unit = unit_of_text(code)
    # A spelled-out or bracketed word is as good in a code as in a text; a mistyped mass code is not.
    return unit if unit is not None and (unit.kind is Kind.COUNT or len(code) > len("ug")) else None


def same_unit(a: Unit, b: Unit) -> bool:
    """True when two readings of one quantity agree: the same mass, or both a piece."""
    return a.kind is b.kind and a.mg == b.mg

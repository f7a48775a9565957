"""Units of a dose: masses, volumes, pieces and masses a kilogram, in the spellings that occur (rules Q5, Q6)."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from service.terminology.folding import fold

UCUM = "http://unitsofmeasure.org"
SNOMED_CT = "http://snomed.info/sct"

_UCUM_SYSTEMS = frozenset({"", UCUM, "urn:oid:2.16.840.1.113883.6.8"})
"""Systems in which a code of one character is UCUM's; in a list of somebody's own it may mean anything."""


class Kind(StrEnum):
    """What a dose is counted in."""

    MASS = "mass"
    VOLUME = "volume"
    COUNT = "count"
    MASS_A_KILOGRAM = "mass a kilogram"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that was understood. ``size`` is in mg, mL or mg/kg; a piece has no size of its own."""

    kind: Kind
    name: str
    size: Fraction = Fraction(1)


MILLIGRAM = Unit(Kind.MASS, "mg")
GRAM = Unit(Kind.MASS, "g", Fraction(1000))
MICROGRAM = Unit(Kind.MASS, "ug", Fraction(1, 1000))
MILLILITRE = Unit(Kind.VOLUME, "mL")
LITRE = Unit(Kind.VOLUME, "L", Fraction(1000))
TABLET = Unit(Kind.COUNT, "tablet")
CAPSULE = Unit(Kind.COUNT, "capsule")
MILLIGRAM_A_KILOGRAM = Unit(Kind.MASS_A_KILOGRAM, "mg/kg")

# UCUM is case sensitive ("Mg" is not a milligram); the all-capital forms are its case-insensitive variant.
_CODES = {
    "mg": MILLIGRAM, "MG": MILLIGRAM,
    "g": GRAM, "G": GRAM,
    "ug": MICROGRAM, "UG": MICROGRAM,
    "mL": MILLILITRE, "ml": MILLILITRE, "ML": MILLILITRE,
    "L": LITRE, "l": LITRE,
    "mg/kg": MILLIGRAM_A_KILOGRAM, "MG/KG": MILLIGRAM_A_KILOGRAM,
    "1": TABLET,  # UCUM's unity, which clients use for "one piece"
}  # fmt: skip

_PIECES = {
    TABLET: (
        "tablet tablets tab tabs tab. tabs. tbl tbl. tbls tabl tabl. tablette tabletten tabletta tabletka"
        " filmtablette filmtabletten filmtabletta pill pills pille pillen comprimido comprimidos compressa"
        " compresse comprimé comprimés dragee dragees dragée dragées"
    ),
    CAPSULE: "capsule capsules cap cap. caps caps. kapsel kapseln kapszula kaps kaps. cápsula cápsulas capsula",
}

_WORDS = {
    "mg": MILLIGRAM, "milligram": MILLIGRAM, "milligrams": MILLIGRAM, "milligramm": MILLIGRAM, "mgs": MILLIGRAM,
    "g": GRAM, "gram": GRAM, "grams": GRAM, "gramm": GRAM,
    "ug": MICROGRAM, "mcg": MICROGRAM, "μg": MICROGRAM, "microgram": MICROGRAM, "micrograms": MICROGRAM,
    "mikrogramm": MICROGRAM,
    "ml": MILLILITRE, "millilitre": MILLILITRE, "millilitres": MILLILITRE, "milliliter": MILLILITRE,
    "milliliters": MILLILITRE, "l": LITRE,
    "mg/kg": MILLIGRAM_A_KILOGRAM,
    **{word: unit for unit, words in _PIECES.items() for word in words.split()},
}  # fmt: skip

# Seen with these names in public FHIR examples: hl7ch/ch-emed (732936001), Swiss and other national guides.
_CODED_PIECES = {
    (SNOMED_CT, "732936001"): TABLET,  # Tablet (unit of presentation)
    (SNOMED_CT, "732937005"): CAPSULE,  # Capsule (unit of presentation)
    (SNOMED_CT, "385055001"): TABLET,  # Tablet (basic dose form)
    (SNOMED_CT, "385049006"): CAPSULE,  # Capsule (basic dose form)
}


def unit_of_text(text: str) -> Unit | None:
    """The unit a word names, None when it is not known. Braces and "(s)" are understood."""
    return _WORDS.get(fold(text).strip().strip("{}").replace("(s)", "").replace("(en)", ""))


def unit_of_code(code: str, system: str) -> Unit | None:
    """The unit a code names, None when it is not known.

    Bracketed and spelled-out words ("{tbl}", "TAB", "tablet") are understood in a code as in a text; a mass
    only in UCUM's own spelling, because "Mg" and "mg" differ there. "1" and "g" count only as UCUM's.
    """
    if len(code) == 1 and system.rstrip("/") not in _UCUM_SYSTEMS:
        return None
    coded = _CODED_PIECES.get((system, code)) or _CODES.get(code)
    if coded is not None or system == SNOMED_CT:
        return coded
    worded = unit_of_text(code)
    short = len(code) <= len("mg")
    return None if worded is None or (short and worded.kind is not Kind.COUNT) else worded


def same_unit(a: Unit, b: Unit) -> bool:
    """True when two readings of one quantity agree: of one kind and one size; pieces are all alike."""
    return a.kind is b.kind and a.size == b.size

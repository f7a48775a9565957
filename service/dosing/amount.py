"""The mass of one dose in mg, from a mass, pieces, a volume or body weight (rules Q5, Q6, Q8)."""

import re
from dataclasses import dataclass, replace
from fractions import Fraction

from service.dosing.units import UCUM, Kind, Unit, same_unit, unit_of_code, unit_of_text
from service.terminology.folding import fold
from service.terminology.recognise import Recognition, Strength

_DECIMALS = 1000


def number(value: Fraction) -> str:
    """Exact when three decimals can say it, else rounded to three with "about"."""
    if value.denominator == 1:
        return str(value.numerator)
    whole, rest = divmod(abs(value.numerator) * _DECIMALS, value.denominator)
    about = "" if rest == 0 else "about "
    if rest * 2 >= value.denominator:
        whole += 1
    text = f"{whole // _DECIMALS}.{whole % _DECIMALS:03}".rstrip("0").rstrip(".")
    sign = "-" if value < 0 else ""
    return about + sign + text


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount as ordered: exact value, unit text, unit code and the code's system."""

    value: Fraction
    unit: str = ""
    code: str = ""
    system: str = UCUM


@dataclass(frozen=True, slots=True)
class NotComputed:
    """Why there is no dose: a reason (key of the not-checked card), the element and what stood there.

    ``conflict`` says that it is a contradiction or an open end rather than a gap, which is shown as a warning (R28).
    """

    reason: str
    element: str = ""
    found: str = ""
    conflict: bool = False

    def at(self, element: str) -> "NotComputed":
        """The same reason at an element, unless it names one already."""
        return self if self.element else NotComputed(self.reason, element, self.found, self.conflict)


@dataclass(frozen=True, slots=True)
class Amount:
    """One dose in mg, and how it came about: "2 tablets × 25 mg (RxNorm 856834)"."""

    mg: Fraction
    words: str


@dataclass(frozen=True, slots=True)
class Product:
    """What is known of the ordered product: the drug, its label, strengths a piece and a mL, the body weight.

    ``stated`` are strengths from a Medication resource, a piece or (``per_ml``) a mL. ``weight`` is in kg.
    """

    drug: str
    recognised: Recognition
    label: str
    stated: tuple[Strength, ...] = ()
    weight: Fraction | None = None


def amount(quantity: Quantity, product: Product, single: Amount | None = None) -> Amount | NotComputed:
    """The mass of a quantity of the product. Nothing is assumed: no unit is not mg, no strength is not one.

    Beside a ``single`` dose a quantity may be a number of such doses: "4 doses".
    """
    unit = _unit(quantity)
    if isinstance(unit, NotComputed):
        return unit
    value = quantity.value
    if unit.kind is Kind.DOSE:
        found = quantity.unit or quantity.code
        return NotComputed("unit-unknown", found=found) if single is None else replace(single, mg=single.mg * value)
    if unit.kind is Kind.MASS:
        return Amount(value * unit.size, f"{number(value)} {unit.name}")
    if unit.kind is Kind.MASS_A_KILOGRAM:
        if product.weight is None:
            return NotComputed("weight-missing")
        mg = value * product.weight
        return Amount(mg, f"{number(value)} mg/kg × {number(product.weight)} kg")
    per_ml = unit.kind is Kind.VOLUME
    strength = _strength(product, per_ml=per_ml)
    if isinstance(strength, NotComputed):
        return strength
    if per_ml:
        ml = value * unit.size
        return Amount(ml * strength.mg, f"{number(ml)} mL × {number(strength.mg)} mg/mL ({strength.evidence})")
    pieces = f"1 {unit.name}" if value == 1 else f"{number(value)} {unit.name}s"
    return Amount(value * strength.mg, f"{pieces} × {number(strength.mg)} mg ({strength.evidence})")


def _unit(quantity: Quantity) -> Unit | NotComputed:
    """The unit that code and text name: a clear text counts whatever the code is, but not against a known one."""
    coded = unit_of_code(quantity.code, quantity.system) if quantity.code else None
    worded = unit_of_text(quantity.unit) if quantity.unit else None
    if coded and worded and not same_unit(coded, worded):
        return NotComputed("unit-conflict", found=f"{quantity.unit} / {quantity.code}", conflict=True)
    if coded is None and unit_of_text(quantity.code) is not None and unit_of_code("mg", quantity.system) is not None:
        return NotComputed("unit-unknown", found=quantity.code)  # "Mg" beside "mg"
    unit = worded or coded
    if unit is not None:
        return unit
    if not quantity.code and not quantity.unit:
        return NotComputed("unit-missing")
    return NotComputed("unit-unknown", found=" / ".join(filter(None, (quantity.unit, quantity.code))))


# Two decimals at most: "1,000 mg" is a thousand to some and one to others, and is not read.
_NUMBER = r"(\d{1,4}(?:[.,]\d{1,2})?)"
_PER = r"\s*(?:/|per|pro|in)\s*"
_ONTO_A_WORD = re.compile(r"(?<=[^\W\d_]{3})(?=\d)")
_MG_IN_TEXT = re.compile(rf"(?<![\w.,/-]){_NUMBER}\s*mg(?!\w)(?!{_PER}[\d.,]*\s*ml)")
_ANOTHER_MG = re.compile(rf"mg\s*(?:[/+-]|to|bis)\s*{_NUMBER}\s*mg(?!\w)")
_MG_PER_ML = re.compile(rf"(?<![\w.,/-]){_NUMBER}\s*mg{_PER}{_NUMBER}?\s*ml(?!\w)")
_JOINED = r"(?:\s*[-/+&]\s*|\s+(?:and|with|und|mit)\s+)"
_COMBINATION = re.compile(rf"(?<![\w.,/-]){_NUMBER}\s*(?:mg\s*)?[-/+]\s*{_NUMBER}(?:\s*mg)?(?![\w.,/-])")


def _written(label: str) -> str:
    """A label with its units in Latin letters and its numbers apart from the name: "tolperison150mg", "150 мг"."""
    return _ONTO_A_WORD.sub(" ", fold(label).replace("мг", "mg").replace("мл", "ml"))


def strengths_in_text(label: str) -> tuple[Fraction, ...]:
    """The different strengths in mg that a label states; "mg/mL" is a concentration and is not one.

    "500 mg/150 mg" states two: a combination, of which it does not say whose part is which.
    """
    folded = _written(label)
    found = _MG_IN_TEXT.findall(folded)
    if folded.count("mg") > 1:
        found += _ANOTHER_MG.findall(folded)
    return tuple(dict.fromkeys(map(_value, dict.fromkeys(found))))


def concentrations_in_text(label: str) -> tuple[Fraction, ...]:
    """The different concentrations in mg/mL that a label states, such as "10 mg/5 mL"."""
    found = (
        _value(mg) / _value(ml or "1") for mg, ml in _MG_PER_ML.findall(_written(label)) if not ml or _value(ml) > 0
    )
    return tuple(dict.fromkeys(found))


def _value(text: str) -> Fraction:
    return Fraction(text.replace(",", "."))


def _part_in_text(label: str, drug: str) -> tuple[Fraction, ...]:
    """The drug's own strength in a combination's label: beside its name, or its place in "10-25" (Q8).

    In "perphenazine-amitriptyline 2 mg-10 mg" no number belongs to the name before it, so the place tells as well.
    Numbers stand in the order of the names, so "amitriptyline-perphenazine 25-2" has it first. Brands write either
    first: Limbitrol is 10-25 in the US and 12.5 mg/5 mg in Switzerland, Klotriptyl mite 12.5/5. In every product of Q8
    the drug's own part is the larger one; a place that says otherwise tells nothing.
    """
    folded = _written(label)
    name = rf"{re.escape(drug.removesuffix('e'))}\w*(?:\s+(?:hydrochloride|hcl))?"
    beside = re.findall(rf"{name}\s+{_NUMBER}\s*mg(?!\s*/\s*\d*\s*ml)(?!\s*[-/+]\s*\d)", folded)
    if beside:
        return tuple(dict.fromkeys(map(_value, beside)))
    leads = re.search(rf"{name}{_JOINED}[^\W\d]", folded) is not None
    follows = re.search(rf"[^\W\d]{_JOINED}{name}", folded) is not None
    pairs = [tuple(map(_value, pair)) for pair in _COMBINATION.findall(folded)]
    if leads != follows:
        own = [pair[0 if leads else 1] for pair in pairs]
    elif re.search(name, folded) is None:
        own = [max(pair) for pair in pairs]
    else:
        return ()
    return tuple(dict.fromkeys(own)) if own == [max(pair) for pair in pairs] else ()


def _strength(product: Product, *, per_ml: bool) -> Strength | NotComputed:
    """Mg a piece or a mL: from the Medication, the product code, then the label; different ones conflict."""
    known = [
        s for s in (*product.stated, *product.recognised.strengths) if s.drug == product.drug and s.per_ml == per_ml
    ]
    if per_ml:
        in_text = concentrations_in_text(product.label)
    elif product.recognised.combination:
        in_text = _part_in_text(product.label, product.drug)
    else:
        in_text = strengths_in_text(product.label)
    if len(in_text) == 1:
        known.append(Strength(product.drug, in_text[0], "label text", per_ml))
    if any(s.mg != known[0].mg for s in known[1:]):
        unit = "mg/mL" if per_ml else "mg"
        found = ", ".join(f"{number(s.mg)} {unit} ({s.evidence})" for s in known)
        return NotComputed("strength-conflict", "medication", found, conflict=True)
    if not known or known[0].mg <= 0:
        return NotComputed("concentration-unknown" if per_ml else "strength-unknown", "medication")
    return known[0]

"""Which drug an order is for, read cheaply and before anything else (rules X6 and X7).

Nearly every order concerns other drugs; this module looks at codes and names only, so that those orders
cost next to nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

from service.caching import cached
from service.dosing.amount import concentrations_in_text, strengths_in_text
from service.dosing.units import Kind, Unit, unit_of_code, unit_of_text, unit_words
from service.facts import MedicationOrder, Unread
from service.fhir.as_r4 import routes
from service.fhir.bundles import referred_to, unversioned
from service.fhir.concepts import MOST_LETTERS, Concept, concept_of, words_in
from service.fhir.medications import ingredients, medication_concepts, medication_reference
from service.fhir.resources import Resource, as_resource, aslist, exact, text
from service.terminology.names import HEARD, naming_words, script
from service.terminology.recognise import LONGEST_CACHED, Claim, Coding, Recognition, Strength, Terminology

NO_DRUG = "no-drug"
UNRESOLVED = "reference-unresolved"
UNKNOWN_SYSTEM = "code-system-unknown"
WORDS_UNCLEAR = "words-unclear"
SEVERAL_DRUGS = "several-drugs"
MISSPELT = "name-misspelt"
SCRIPT_UNREAD = "script-unread"
READ_IN_PART = "drug-read-in-part"
DEPENDING = frozenset({MISSPELT, SCRIPT_UNREAD, WORDS_UNCLEAR})
"""Problems of a name that matter beside one of the drugs, where the name cannot be one of these themselves."""
LISTED_SCRIPTS = frozenset({"CJK", "KATAKANA", "HIRAGANA", "HANGUL"})
"""Scripts in which the drugs of the guidance are known by their names, and hardly any other drug."""
INGREDIENTS = "ingredients of the Medication"
MOST_INGREDIENTS = 50
"""Ingredients of one Medication that are looked at; the largest products have about thirty."""

LABEL = 200
"""Letters of a name that are kept."""

Ingredient = tuple[Concept, dict[str, Any]]
"""Concept and strength of one ingredient."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The drug of an order: what it was recognised as, its label, strengths its Medication states.

    ``problem`` is set when the drug could not be identified at all: no code and no words that name one, a reference
    that leads nowhere, only a code of an unknown system without a name, words that name a drug where they may say
    that it is not meant, a name with a letter wrong or in a script that is not read, words that go on beyond what is
    read of them, or a list of drugs where FHIR has one. ``resolved`` says that the Medication it points to was at
    hand. ``cut`` names what of it was longer than is read, ``nearly`` the drugs whose name the words nearly are.
    """

    recognition: Recognition
    label: str
    strengths: tuple[Strength, ...] = ()
    problem: str = ""
    by_reference: bool = False
    resolved: bool = False
    cut: tuple[str, ...] = ()
    nearly: frozenset[str] = frozenset()

    def unidentified(self, subjects: Sequence[str]) -> str:
        """The problem, empty when it matters beside one of the drugs only: it is none of them by any reading."""
        if self.problem in (WORDS_UNCLEAR, MISSPELT) and (self.recognition.doubted | self.nearly).isdisjoint(subjects):
            return ""
        if self.problem == SCRIPT_UNREAD and not LISTED_SCRIPTS.isdisjoint(map(script, naming_words(self.label))):
            return ""
        return self.problem


def misspelt(identity: Identity, order: MedicationOrder | None = None, element: str = "") -> Unread:
    """A name with a letter wrong, and what it might be."""
    might_be = " or ".join(sorted(drug.replace("-", " ") for drug in identity.nearly))
    return Unread(MISSPELT, order, element, might_be, words=(identity.label,))


def identify(order: Resource, medications: Mapping[str, Resource], terminology: Terminology) -> Identity:
    """The drug of an order. ``medications`` are the Medication resources of the request by reference."""
    pointer = medication_reference(order)
    medication = _referenced(order, pointer, medications) if pointer else None
    listed = ingredients(medication) if medication is not None else []
    parts = [(concept_of(item), strength) for item, strength in listed[:MOST_INGREDIENTS]]
    product = concept_of(medication.get("code")) if medication is not None else None
    said = _NamedDrug(
        concepts=tuple(dict.fromkeys(map(concept_of, medication_concepts(order)))),
        beside=words_in(pointer.get("display"))[:MOST_LETTERS],
        points=bool(pointer),
        product=product,
        parts=tuple(item for item, _ in parts),
        strengths=tuple(_stated_strengths(product, parts, terminology)) if product is not None else (),
        cut=("ingredients",) if len(listed) > MOST_INGREDIENTS else (),
    )
    found = _understood(said, terminology, False)
    if found.recognition.drugs and any(_topical(route, terminology) for route in routes(order)):
        return _understood(said, terminology, True)
    return found


class _NamedDrug(NamedTuple):
    """What an order says of its drug: its own concepts, the word beside a reference, and the Medication there."""

    concepts: tuple[Concept, ...]
    beside: str
    points: bool
    product: Concept | None
    parts: tuple[Concept, ...]
    strengths: tuple[Strength, ...]
    cut: tuple[str, ...]

    @property
    def all(self) -> tuple[Concept, ...]:
        """Every concept, the order's own first."""
        return (*self.concepts, *((self.product,) if self.product is not None else ()), *self.parts)


def _understand(said: _NamedDrug, terminology: Terminology, on_skin: bool) -> Identity:
    """The drug that is meant; ``on_skin`` says that an instruction names such a route."""
    concepts = said.all
    codings = [coding for concept in concepts for coding in concept.codings]
    texts = [*(words for concept in concepts for words in concept.texts), *filter(None, [said.beside])]
    words = [word for word in (*texts, *(coding.display for coding in codings)) if word.strip()]
    recognition = _recognise(said.parts, codings, texts, terminology, on_skin)
    cut = tuple(dict.fromkeys((*said.cut, *(name for concept in concepts for name in concept.cut))))
    naming = [one for word in words for one in naming_words(word, terminology.words.nameless, _words_of_units())]
    judged = recognition.drugs or recognition.doubted or any(map(terminology.can_judge, codings))
    nearly = frozenset[str]() if judged else terminology.nearly(dict.fromkeys(words))
    return Identity(
        recognition=recognition,
        label=(words[0].strip() if words else _code_label(codings))[:LABEL],
        strengths=said.strengths,
        problem=SEVERAL_DRUGS
        if len(said.concepts) > 1
        and len({terminology.recognise(c.codings, c.texts).drugs or c for c in said.concepts}) > 1
        else WORDS_UNCLEAR
        if recognition.doubted and (recognition.from_text or not recognition.drugs)
        else MISSPELT
        if nearly
        else SCRIPT_UNREAD
        if naming and not judged and HEARD.isdisjoint(map(script, naming))
        else READ_IN_PART
        if cut and not judged
        else _problem(bool(recognition.drugs or naming), codings, said, terminology),
        by_reference=said.points and not said.concepts,
        resolved=said.product is not None,
        cut=cut,
        nearly=nearly,
    )


def _letters(said: _NamedDrug, _: Terminology, __: bool) -> int:
    concepts = said.all
    written = chain(*(concept.texts for concept in concepts), *(coding for c in concepts for coding in c.codings))
    return len(said.beside) + sum(map(len, written))


_understood = cached(_understand, _letters, LONGEST_CACHED)


@cache
def _words_of_units() -> frozenset[str]:
    """Words for units and forms, which are no drug's name: "tablet", "film", "mg"."""
    return frozenset(word for words in unit_words() for word in words.split())


def _recognise(
    parts: Sequence[Concept], codings: list[Coding], texts: list[str], terminology: Terminology, on_skin: bool
) -> Recognition:
    """Recognition over the order and its Medication; several ingredients of one product belong together."""
    if len(parts) < 2:
        return terminology.recognise(codings, texts, topical_route=on_skin)
    # A product's ingredients name different drugs without disagreeing: their codings and words are read apart.
    of_parts = {coding for item in parts for coding in item.codings}
    texts_of_parts = {words for item in parts for words in item.texts}
    own = [coding for coding in codings if coding not in of_parts]
    own_texts = [words for words in texts if words not in texts_of_parts]
    whole = terminology.recognise(own, own_texts, topical_route=on_skin)
    each = [terminology.recognise(item.codings, item.texts) for item in parts]
    in_parts = dict.fromkeys(drug for r in each for drug in r.drugs)
    if not in_parts:
        return whole
    return Recognition(
        drugs=tuple(dict.fromkeys((*whole.drugs, *in_parts))),
        evidence=whole.evidence or INGREDIENTS,
        topical=whole.topical or on_skin or any(r.topical for r in each),
        combination=True,
        strengths=tuple(s for r in (whole, *each) for s in r.strengths),
        claims=(
            *whole.claims,
            Claim(frozenset(in_parts), INGREDIENTS, by_words=all(r.from_text for r in each if r.drugs)),
        ),
    )


def _topical(route: Any, terminology: Terminology) -> bool:
    concept = concept_of(route)
    return terminology.topical(concept.codings, concept.words)


def _referenced(order: Resource, pointer: Mapping[str, Any], medications: Mapping[str, Resource]) -> Resource | None:
    """The Medication a reference leads to: contained, or given in the request."""
    target = text(pointer.get("reference"))
    if not target:
        return None
    beside = None if target.startswith("#") else referred_to(target, medications)
    found = contained(order, target) or (contained(order, _identity(target)) if beside is None else None)
    # Contained resources hold none themselves: what its ingredients refer to stands beside it.
    return beside if found is None else {**found, "contained": aslist(order["contained"])}


def _identity(target: str) -> str:
    """The id in "Medication/id", under whatever address and version; empty for a reference of another form."""
    kind, _, identity = unversioned(target).rpartition("/")
    return identity if kind.rpartition("/")[2] == "Medication" else ""


def contained(order: Resource, target: str) -> Resource | None:
    """The contained resource that a reference names, with or without the mark ``#`` on either side."""
    name = target.strip().removeprefix("#")
    if "/" in name or not name:
        return None
    held = (as_resource(item) for item in aslist(order.get("contained")))
    return next((one for one in held if one is not None and text(one.get("id")).removeprefix("#") == name), None)


def _problem(named: bool, codings: list[Coding], said: _NamedDrug, terminology: Terminology) -> str:
    if named:
        return ""
    if codings:
        return "" if any(terminology.can_judge(coding) for coding in codings) else UNKNOWN_SYSTEM
    return UNRESOLVED if said.points and said.product is None else NO_DRUG


def _code_label(codings: list[Coding]) -> str:
    return f"code {codings[0].code}" if codings else ""


def _stated_strengths(product: Concept, parts: Sequence[Ingredient], terminology: Terminology) -> Iterable[Strength]:
    """Mg a piece or a mL that a Medication states for each ingredient (of a single one, for the product)."""
    for item, ratio in parts:
        strength = _ratio(ratio)
        if strength is None:
            continue
        drugs = terminology.recognise(item.codings, item.texts).drugs
        if not drugs and len(parts) == 1:
            drugs = terminology.recognise(product.codings, product.texts).drugs
        if len(drugs) == 1:
            mg, per_ml = strength
            yield Strength(drugs[0], mg, "Medication", per_ml)


def _ratio(ratio: Mapping[str, Any]) -> tuple[Fraction, bool] | None:
    """(mg, whether a mL rather than a piece) of a strength; None unless it is a mass in pieces or in a volume."""
    words = text(ratio.get("text"))
    if words:
        stated = [(mg, False) for mg in strengths_in_text(words)] + [(mg, True) for mg in concentrations_in_text(words)]
        return stated[0] if len(stated) == 1 else None
    mass = _measured(ratio.get("numerator"))
    if mass is None or mass[1] is None or mass[1].kind is not Kind.MASS:
        return None
    mg = mass[0] * mass[1].size
    if ratio.get("denominator") is None:
        return mg, False
    base = _measured(ratio["denominator"], absent=Fraction(1))
    if base is None or base[0] <= 0:
        return None
    amount, unit = base
    if unit is None or unit.kind is Kind.COUNT:
        return mg / amount, False
    return (mg / (amount * unit.size), True) if unit.kind is Kind.VOLUME else None


def _measured(quantity: Any, absent: Fraction | None = None) -> tuple[Fraction, Unit | None] | None:
    """Value and unit of a Quantity. No unit at all is None as the unit; one that is not known gives no reading."""
    if not isinstance(quantity, dict):
        return None
    value = exact(quantity["value"]) if "value" in quantity else absent
    code, unit = text(quantity.get("code")), text(quantity.get("unit"))
    if value is None:
        return None
    if not code and not unit:
        return value, None
    known = (unit_of_code(code, text(quantity.get("system"))) if code else None) or unit_of_text(unit)
    return (value, known) if known is not None else None

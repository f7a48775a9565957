"""Allergies of the patient: to drugs that the terminology knows, to classes of them, and what could not be read."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.fhir.recognise import codings_of, texts_of
from service.fhir.resources import Resource, aslist, text
from service.terminology.allergens import Allergens
from service.terminology.recognise import Coding, Terminology

NOT_TRUE = frozenset({"refuted", "entered-in-error"})
SAYS_NONE = re.compile(r"\b(?:no (?:known )?(?:drug )?allerg|not allergic|denies|tolerates)", re.IGNORECASE)
"""Words by which a text tells that there is no allergy to what it names; "not tolerated" is none of them."""

NOT_NOW = frozenset({"inactive", "resolved"})
NO_DRUGS = frozenset({"food", "environment"})
"""Categories in which no drug of the guidance can be."""


@dataclass(frozen=True, slots=True)
class AllergyList:
    """The allergies of the patient.

    ``drugs`` are those that the terminology knows, ``intolerances`` those of them that every record calls a mere
    intolerance. ``classes`` are drugs of a class that the record names, with its words ("tricyclic antidepressants").
    ``unread`` are entries that could not be read, in the record's words, of ``total`` that are not taken back.
    """

    drugs: frozenset[str] = frozenset()
    intolerances: frozenset[str] = frozenset()
    classes: tuple[tuple[str, str], ...] = ()
    unread: tuple[str, ...] = ()
    total: int = 0


def allergy_list(resources: Iterable[Resource], terminology: Terminology) -> AllergyList:
    """Every allergy, unless the record is refuted, resolved or an error.

    The substance stands in ``code`` (from STU3 on), in ``substance`` (DSTU2), or with a reaction.
    """
    allergic: set[str] = set()
    intolerant: set[str] = set()
    classes: dict[str, str] = {}
    unread: list[str] = []
    total = 0
    for resource in resources:
        if resource["resourceType"] != "AllergyIntolerance" or _status(resource) & (NOT_TRUE | NOT_NOW):
            continue
        total += 1
        concepts = list(_concepts(resource))
        found = {drug for concept in concepts for drug in _substances(concept, terminology)}
        (intolerant if _intolerance(resource) else allergic).update(found)
        named = {drug: label for concept in concepts for drug, label in _of_classes(concept, terminology)}
        classes |= {drug: label for drug, label in named.items() if drug not in classes}
        if not found and not named and not _understood(resource, concepts, terminology):
            unread.append(next(filter(None, map(_label, concepts)), "an allergy without code and words"))
    drugs = frozenset(allergic | intolerant)
    return AllergyList(
        drugs,
        frozenset(intolerant - allergic),
        tuple((drug, label) for drug, label in sorted(classes.items()) if drug not in drugs),
        tuple(unread),
        total,
    )


def _concepts(resource: Resource) -> Iterator[Mapping[str, Any]]:
    reactions = (r.get("substance") for r in aslist(resource.get("reaction")) if isinstance(r, dict))
    yield from (c for c in (resource.get("code"), resource.get("substance"), *reactions) if isinstance(c, dict))


def _intolerance(resource: Resource) -> bool:
    """True for the type "intolerance", a code up to R4 and a concept in R5; a record without a type is an allergy."""
    kind = resource.get("type")
    if isinstance(kind, dict):
        return {coding.code for coding in codings_of(kind)} == {"intolerance"}
    return bool(kind == "intolerance")


def _substances(concept: Mapping[str, Any], terminology: Terminology) -> set[str]:
    codings, words = codings_of(concept), texts_of(concept)
    if _denied([*words, *(coding.display for coding in codings)], terminology.words.allergens):
        # Only codes count then: what the words name they take back.
        words, codings = [], [coding._replace(display="") for coding in codings]
    found = terminology.recognise(codings, words)
    # "Allergic to amitriptyline" is what words may take back in an order, not here.
    drugs = set(found.drugs) | found.doubted
    named = {id_.removeprefix("allergy-to-") for id_ in terminology.concepts(codings) if id_.startswith("allergy-to-")}
    return drugs | named


def _of_classes(concept: Mapping[str, Any], terminology: Terminology) -> Iterator[tuple[str, str]]:
    """The drugs of the classes that an entry names, each with the words of the entry."""
    allergens = terminology.words.allergens
    codings, words = codings_of(concept), texts_of(concept)
    written = [*words, *(coding.display for coding in codings)]
    classes = {class_ for coding in codings for class_ in allergens.of_code(*_key(coding, terminology))}
    if not _denied(written, allergens):
        classes |= {class_ for said in written for class_ in allergens.classes(said)}
    for class_ in sorted(classes):
        for drug in sorted(terminology.drugs_of(class_) or {class_}):
            yield drug, _label(concept)


def _key(coding: Coding, terminology: Terminology) -> tuple[str, str]:
    return terminology.systems.key(coding.system, coding.code)


def _denied(written: Iterable[str], allergens: Allergens) -> bool:
    return any(SAYS_NONE.search(said) or allergens.denies(said) for said in written)


def _understood(resource: Resource, concepts: Iterable[Mapping[str, Any]], terminology: Terminology) -> bool:
    """True when an entry is known to be something that no rule asks for, or to say that there is no allergy."""
    if {text(category) for category in aslist(resource.get("category"))} & NO_DRUGS:
        return True
    allergens = terminology.words.allergens
    for concept in concepts:
        codings = codings_of(concept)
        written = [said for said in (*texts_of(concept), *(coding.display for coding in codings)) if said.strip()]
        if (
            any(map(terminology.can_judge, codings))
            or _denied(written, allergens)
            or any(map(allergens.other, written))
        ):
            return True
    return False


def _label(concept: Mapping[str, Any]) -> str:
    """The entry as the record shows it: its text, the name of a code, or the code."""
    codings = codings_of(concept)
    named = next((c.display for c in codings if c.display.strip()), "")
    return next(filter(str.strip, texts_of(concept)), "") or named or (f"code {codings[0].code}" if codings else "")


def _status(resource: Resource) -> frozenset[str]:
    """Every code of the clinical and the verification status (DSTU2 has one ``status``)."""
    found: set[str] = set()
    for member in ("clinicalStatus", "verificationStatus", "status"):
        value = resource.get(member)
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, dict):
            found |= {coding.code for coding in codings_of(value)}
    return frozenset(found)

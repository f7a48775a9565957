"""Allergies of the patient to drugs that the terminology knows (rules R18 and R29)."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from service.fhir.recognise import codings_of, texts_of
from service.fhir.resources import Resource, aslist
from service.terminology.recognise import Terminology

NOT_TRUE = frozenset({"refuted", "entered-in-error"})
SAYS_NONE = re.compile(r"\b(?:no (?:known )?(?:drug )?allerg|not allergic|denies|tolerates)", re.IGNORECASE)
"""Words by which a text tells that there is no allergy to what it names; "not tolerated" is none of them."""

NOT_NOW = frozenset({"inactive", "resolved"})


def allergies(resources: Iterable[Resource], terminology: Terminology) -> frozenset[str]:
    """Drugs the patient is recorded as allergic to, unless the record is refuted, resolved or an error.

    The substance stands in ``code`` (from STU3 on), in ``substance`` (DSTU2), or with a reaction.
    """
    found: set[str] = set()
    for resource in resources:
        if resource["resourceType"] != "AllergyIntolerance" or _status(resource) & (NOT_TRUE | NOT_NOW):
            continue
        reactions = (r.get("substance") for r in aslist(resource.get("reaction")) if isinstance(r, dict))
        for concept in (resource.get("code"), resource.get("substance"), *reactions):
            if isinstance(concept, dict):
                found |= _substances(concept, terminology)
    return frozenset(found)


def intolerances(resources: Iterable[Resource], terminology: Terminology) -> frozenset[str]:
    """Of the drugs of ``allergies`` those that every record calls an intolerance by its ``type``, none an allergy."""
    kept = list(resources)
    allergic = allergies((r for r in kept if not _intolerance(r)), terminology)
    return allergies(filter(_intolerance, kept), terminology) - allergic


def _intolerance(resource: Resource) -> bool:
    """True for the type "intolerance", a code up to R4 and a concept in R5; a record without a type is an allergy."""
    kind = resource.get("type")
    if isinstance(kind, dict):
        return {coding.code for coding in codings_of(kind)} == {"intolerance"}
    return bool(kind == "intolerance")


def _substances(concept: Mapping[str, Any], terminology: Terminology) -> set[str]:
    codings = codings_of(concept)
    words = texts_of(concept)
    if any(map(SAYS_NONE.search, words)) or any(SAYS_NONE.search(coding.display) for coding in codings):
        # Only codes count then: what the words name they take back.
        words, codings = [], [coding._replace(display="") for coding in codings]
    drugs = set(terminology.recognise(codings, words).drugs)
    named = {id_.removeprefix("allergy-to-") for id_ in terminology.concepts(codings) if id_.startswith("allergy-to-")}
    return drugs | named


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

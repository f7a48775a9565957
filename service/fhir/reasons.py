"""Why an order is given, or ended: the problems that its reasons and notes name, by code or in words."""

from collections.abc import Iterator
from itertools import islice

from service.fhir.concepts import Concept, concept_of, words_in
from service.fhir.resources import Resource, as_resource, aslist, text
from service.terminology.problems import Saying
from service.terminology.recognise import Terminology

_CONCEPTS = ("reasonCode", "reasonCodeableConcept", "statusReason", "reasonEnded", "reasonForUse")
_REFERENCES = ("reasonReference",)
_NOTES = ("note", "notes")

MOST_REASONS = 10
"""Reasons of one order that are read, and notes of it: each costs a third of a millisecond."""


def named_reasons(order: Resource, terminology: Terminology) -> frozenset[str]:
    """The condition sets that the reasons and notes of an order name as present or past, in every FHIR version."""
    found: set[str] = set()
    for concept in islice(_reasons(order), MOST_REASONS):
        saying = terminology.problem(concept.codings, concept.texts)
        found |= saying.present | saying.past
    for note in islice(_notes(order), MOST_REASONS):
        saying = terminology.problem((), [note])
        found |= saying.present | saying.past
    return frozenset(found)


def more_than_read(order: Resource) -> bool:
    """True when the order gives more reasons or notes than are read."""
    return any(next(islice(given, MOST_REASONS, None), None) is not None for given in (_reasons(order), _notes(order)))


def unread_reason(order: Resource, terminology: Terminology) -> str:
    """The first reason of an order that could not be read, in its words or its code; empty when there is none."""
    for concept in islice(_reasons(order), MOST_REASONS):
        said = next((words.strip() for words in concept.words if words.strip()), "")
        said = said or next((coding.code for coding in concept.codings), "")
        if said and not _understood(terminology.problem(concept.codings, concept.texts)):
            return said
    return ""


def _understood(saying: Saying) -> bool:
    """True for what names a set, also one that is asked of orders alone."""
    return saying.understood or bool(saying.present or saying.past or saying.suspected)


def _reasons(order: Resource) -> Iterator[Concept]:
    """The reasons as concepts: those that are one, the contained condition of a reference, and what it is called."""
    given = [item for member in _CONCEPTS for item in aslist(order.get(member))]
    pointers = [item for member in _REFERENCES for item in aslist(order.get(member))]
    for item in aslist(order.get("reason")):  # R5: a concept, a reference, or both
        if isinstance(item, dict):
            given.append(item.get("concept"))
            pointers.append(item.get("reference"))
    yield from (concept_of(item) for item in given if isinstance(item, dict))
    for pointer in pointers:
        if not isinstance(pointer, dict):
            continue
        contained = _contained(order, text(pointer.get("reference")))
        code = contained.get("code") if contained is not None else None
        if isinstance(code, dict):
            yield concept_of(code)
        elif words_in(pointer.get("display")).strip():
            yield concept_of({"text": pointer["display"]})


def _contained(order: Resource, target: str) -> Resource | None:
    if not target.startswith("#"):
        return None
    resources = (as_resource(item) for item in aslist(order.get("contained")))
    return next((res for res in resources if res is not None and text(res.get("id")).lstrip("#") == target[1:]), None)


def _notes(order: Resource) -> Iterator[str]:
    for member in _NOTES:
        for note in aslist(order.get(member)):
            words = note.get("text") if isinstance(note, dict) else note
            if text(words).strip():
                yield text(words)

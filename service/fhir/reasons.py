"""Why an order is given, or ended: the problems that its reasons and notes name, by code or in words."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple

from service.facts import Noted
from service.fhir.as_r4 import MOST_REASONS, r5_reasons
from service.fhir.bundles import referred_to
from service.fhir.concepts import ALL, Concept, Room, concept_of, words_in
from service.fhir.measurement_units import in_units
from service.fhir.resources import Resource, as_resource, aslist, reference, text
from service.terminology.problems import Mentions
from service.terminology.recognise import Terminology

_CONCEPTS = ("reasonCode", "reasonCodeableConcept", "statusReason", "reasonEnded", "reasonForUse")
_REFERENCES = ("reasonReference",)
_NOTES = ("note", "notes")


class Reasons(NamedTuple):
    """What the reasons and notes of an order say.

    ``sets`` are the condition sets that they name as present or past, ``unread`` is the first reason that could not be
    read, in its words or its code. ``more`` says that there are more of them than are read, ``held`` that there was
    room for those. ``noted`` are the notes that name something else than a problem for which orders are given.
    """

    sets: frozenset[str] = frozenset()
    unread: str = ""
    notes: tuple[str, ...] = ()
    more: bool = False
    held: bool = True
    noted: tuple[Noted, ...] = ()


class Listed:
    """The problem list as references lead to it; ``conditions`` is called when the first one is followed."""

    def __init__(self, conditions: Callable[[], Iterable[Resource]] = tuple) -> None:
        self._conditions = conditions
        self._by_reference: dict[str, Resource] | None = None

    def condition(self, target: str) -> Resource | None:
        """The Condition that a reference names, None when it is not on the list."""
        if self._by_reference is None:
            self._by_reference = {reference(one): one for one in self._conditions()}
        return referred_to(target, self._by_reference, "Condition")


NOT_LISTED = Listed()


def reasons_of(order: Resource, terminology: Terminology, room: Room, listed: Listed = NOT_LISTED) -> Reasons:
    """Why an order is given, in every FHIR version. Where there is no room for it, nothing of it is read."""
    lost: list[str] = []
    found = _reasons(order, listed, lost)
    concepts, notes = tuple(islice(found, MOST_REASONS + 1)), tuple(islice(notes_of(order), MOST_REASONS + 1))
    more = max(len(concepts), len(notes)) > MOST_REASONS
    concepts, notes = concepts[:MOST_REASONS], notes[:MOST_REASONS]
    too_long = any("codes" in concept.cut for concept in concepts)
    if too_long or not room.holds(sum(concept.size for concept in concepts) + sum(map(len, notes))):
        return Reasons(more=True, held=False)
    sayings = [terminology.problem(concept.codings, concept.texts) for concept in concepts]
    of_notes = [terminology.problem((), [note]) for note in notes]
    unread = (_said(c) for c, saying in zip(concepts, sayings, strict=True) if not _understood(saying))
    sets = frozenset[str]().union(*(saying.present | saying.past for saying in (*sayings, *of_notes)))
    named = (_named(note, saying, terminology) for note, saying in zip(notes, of_notes, strict=True))
    noted = tuple(note for note in named if any(note[1:]))
    return Reasons(sets, next(filter(None, chain(unread, lost)), ""), notes, more, noted=noted)


def _named(note: str, saying: Mentions, terminology: Terminology) -> Noted:
    """What a note names. A drug counts that any rule looks at, a value by the words of what is measured."""
    drugs = frozenset(drug for drug in terminology.drugs_in_text(note) if terminology.classes((drug,)))
    measured = any(map(str.isdecimal, note)) and any(map(in_units, terminology.words.measured((note,))))
    return Noted(note, saying.present - terminology.words.reasons, drugs, measured)


def _said(concept: Concept) -> str:
    said = next((words.strip() for words in concept.words if words.strip()), "")
    return said or next((coding.code for coding in concept.codings), "")


def _understood(saying: Mentions) -> bool:
    """True for what names a set, also one that is asked of orders alone, and leaves none unclear."""
    return not saying.unclear and (saying.understood or bool(saying.present or saying.past or saying.suspected))


def _reasons(order: Resource, listed: Listed, lost: list[str]) -> Iterator[Concept]:
    """The reasons as concepts: those that are one, the condition of a reference, and what it is called.

    The first reference that leads nowhere and says nothing is added to ``lost``.
    """
    given = [item for member in _CONCEPTS for item in aslist(order.get(member))]
    pointers = [item for member in _REFERENCES for item in aslist(order.get(member))]
    for concept, pointer in r5_reasons(order):
        given.append(concept)
        pointers.append(pointer)
    yield from (concept_of(item, ALL) for item in given if item and isinstance(item, dict | str))
    held = (as_resource(item) for item in aslist(order.get("contained") if pointers else None))
    contained = {f"#{text(one.get('id')).lstrip('#')}": one for one in held if one is not None}
    for pointer in pointers:
        pointer = {"reference": pointer} if isinstance(pointer, str) else pointer
        if not isinstance(pointer, dict):
            continue
        target = text(pointer.get("reference")).strip()
        code = (contained.get(target) or listed.condition(target) or {}).get("code")
        if isinstance(code, dict):
            yield concept_of(code, ALL)
        elif words_in(pointer.get("display")).strip():
            yield concept_of({"text": pointer["display"]}, ALL)
        elif target and not lost:
            lost.append(target)


def notes_of(order: Resource) -> Iterator[str]:
    """The notes of an order, each up to the letters that are read."""
    for member in _NOTES:
        for note in aslist(order.get(member)):
            words = note.get("text") if isinstance(note, dict) else note
            if text(words).strip():
                yield text(words)[:ALL]

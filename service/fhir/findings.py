"""Problems that stand among the observations: a finding as an answer ("ECG: atrial fibrillation"), or as a question."""

from collections.abc import Iterable, Iterator

from service.fhir.concepts import ALL, Concept, Room, concept_of
from service.fhir.observations import MOST_VALUES, WITHDRAWN, YES_OR_NO, parts_within, status_of
from service.fhir.resources import Resource, text
from service.terminology.recognise import Terminology

_MEASURED = ("valueQuantity", "valueInteger", "valueRange", "valueRatio", "valueDateTime", "dataAbsentReason")
_ANSWERS = ("valueCodeableConcept", "valueString", "valueBoolean")
_PARTS = ("component", "hasMember")


def findings(
    resources: Iterable[Resource], terminology: Terminology, room: Room, known: frozenset[str]
) -> tuple[str, ...]:
    """What observations name of the condition sets that the record does not hold as problems, in their words.

    Measurements that are known and numbers are none. What there is no room for is among them.
    """
    valid = (r for r in resources if r["resourceType"] == "Observation" and status_of(r) not in WITHDRAWN)
    named = (
        name
        for _, parts in parts_within(valid, MOST_VALUES)
        for part in parts
        if isinstance(part, dict) and _may_name(part)
        for name in _named(part, terminology, room, known)
    )
    return tuple(dict.fromkeys(named))


def _named(part: Resource, terminology: Terminology, room: Room, known: frozenset[str]) -> Iterator[str]:
    """The finding in the words of question and answer, where it names a condition set that is not known yet."""
    asked, answer = concept_of(part.get("code"), ALL), _answer(part)
    words = f"{asked.label}: {answer.label}" if answer.label else asked.label
    no = {terminology.words.answer(said) for said in (*answer.words, *(coding.code for coding in answer.codings))}
    measured = terminology.concepts(asked.codings) & terminology.ids["observations"]
    if "no" in no or "unknown" in no or measured or terminology.words.measured(tuple(asked.words)):
        return
    if not room.holds(len(words) + asked.size + answer.size):
        yield words
        return
    codings = answer.codings if terminology.concepts(answer.codings) else asked.codings
    saying = terminology.problem([coding._replace(display="") for coding in codings], [words])
    if (saying.present | saying.suspected) - known:
        yield words


def _may_name(part: Resource) -> bool:
    """True for an answer, or a question that says nothing else: no number, and no heading of its parts."""
    answered = any(member in part for member in _ANSWERS)
    return answered or not any(member in part for member in (*_MEASURED, *_PARTS))


def _answer(part: Resource) -> Concept:
    """The answer as a concept: one, words, or true and false in words."""
    given = part.get("valueBoolean")
    said = YES_OR_NO[given] if isinstance(given, bool) else text(part.get("valueString"))
    return concept_of({"text": said}, ALL) if said else concept_of(part.get("valueCodeableConcept"), ALL)

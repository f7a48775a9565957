"""Allergies of the patient: to drugs that the terminology knows, to classes of them, and what could not be read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from service.facts import Allergies
from service.fhir.concepts import ALL, Concept, Room, concept_of, status_codes
from service.fhir.resources import Resource, aslist, text
from service.terminology.folding import plain
from service.terminology.recognise import Terminology
from service.terminology.words import Allergens

NOT_TRUE = frozenset({"refuted", "entered-in-error"})
NOT_NOW = frozenset({"inactive", "resolved"})
NO_DRUGS = frozenset({"food", "environment"})
"""Categories in which no drug of the guidance can be."""

NAMELESS = "an allergy without code or words"

MOST_REACTIONS = 10
"""Reactions of one entry whose substance is read; an entry with more of them counts as not read."""


@dataclass(frozen=True, slots=True)
class AllergyList:
    """The allergies of the patient: those that are known, and in the record's words entries that could not be read.

    ``total`` counts all that are not taken back.
    """

    known: Allergies = field(default_factory=Allergies)
    unread: tuple[str, ...] = ()
    total: int = 0


def allergy_list(resources: Iterable[Resource], terminology: Terminology, room: Room | None = None) -> AllergyList:
    """Every allergy, unless the record is refuted, resolved or an error; also one that stands among the problems.

    The substance stands in ``code`` (from STU3 on), in ``substance`` (DSTU2), or with a reaction. An entry for which
    there is no room counts as not read, and so does one whose code and words contradict each other.
    """
    room = room or Room()
    allergic: set[str] = set()
    intolerant: set[str] = set()
    classes: dict[str, str] = {}
    related: dict[str, str] = {}
    unread: list[str] = []
    total = 0
    for resource in resources:
        concepts = [concept_of(concept, ALL) for concept in _concepts(resource)]
        among_problems = resource["resourceType"] == "Condition" and _speaks_of_allergy(concepts, terminology)
        listed = resource["resourceType"] == "AllergyIntolerance"
        if not (listed or among_problems) or _status(resource) & (NOT_TRUE | NOT_NOW):
            continue
        total += listed
        held = room.holds(sum(concept.size for concept in concepts))
        if not held or any(_contradictory(concept, terminology) for concept in concepts):
            unread.append(_label(concepts) or NAMELESS)
            continue
        found = {drug for concept in concepts for drug in _substances(concept, terminology)}
        intolerance = _intolerance(resource)
        (intolerant if intolerance else allergic).update(found)
        if not intolerance:
            crossing = terminology.classes(found) & terminology.words.allergens.crossing
            relatives = sorted(drug for class_ in crossing for drug in terminology.drugs_of(class_))
            related = dict.fromkeys(relatives, _label(concepts)) | related
        named = {drug: label for concept in concepts for drug, label in _of_classes(concept, terminology)}
        classes |= {drug: label for drug, label in named.items() if drug not in classes}
        too_many = len(aslist(resource.get("reaction"))) > MOST_REACTIONS
        if not found and not named and listed and (too_many or not _understood(resource, concepts, terminology)):
            unread.append(_label(concepts) or NAMELESS)
    drugs = frozenset(allergic | intolerant)
    known = Allergies(
        drugs,
        frozenset(intolerant - allergic),
        {drug: label for drug, label in sorted(classes.items()) if drug not in drugs},
        {drug: label for drug, label in sorted(related.items()) if drug not in drugs},
    )
    return AllergyList(known, tuple(unread), total)


def _speaks_of_allergy(concepts: Iterable[Concept], terminology: Terminology) -> bool:
    """True for a problem that its words call an allergy of the patient's own."""
    allergic, problems = terminology.words.allergens.allergic, terminology.words.problems
    written = (said for concept in concepts for said in concept.words)
    return any(allergic.search(plain(said)) and not problems.of_others(said) for said in written)


def _contradictory(concept: Concept, terminology: Terminology) -> bool:
    """True when words deny the allergy that the code names, or any beside words that name one."""
    denying = [said for said in concept.words if said.strip() and terminology.words.allergens.denies(said)]
    others = tuple(said for said in concept.words if said.strip() and said not in denying)
    if not denying:
        return False
    denied = terminology.recognise((), denying)
    specific = denied.drugs or denied.doubted
    codings = tuple(coding._replace(display="") for coding in concept.codings) if specific else ()
    bare = Concept(codings, others)
    return bool(_substances(bare, terminology)) or any(_of_classes(bare, terminology))


def _label(concepts: Iterable[Concept]) -> str:
    return next(filter(None, (concept.label for concept in concepts)), "")


def _concepts(resource: Resource) -> Iterator[Any]:
    listed = aslist(resource.get("reaction"))[:MOST_REACTIONS]
    reactions = (reaction.get("substance") for reaction in listed if isinstance(reaction, dict))
    yield from (c for c in (resource.get("code"), resource.get("substance"), *reactions) if c is not None)


def _intolerance(resource: Resource) -> bool:
    """True for the type "intolerance", a code up to R4 and a concept in R5; a record without a type is an allergy."""
    kind = resource.get("type")
    if isinstance(kind, dict):
        return {coding.code for coding in concept_of(kind).codings} == {"intolerance"}
    return bool(kind == "intolerance")


def _substances(concept: Concept, terminology: Terminology) -> set[str]:
    codings, words = concept.codings, concept.texts
    if _taken_back(concept.words, terminology):
        # Only codes count then: what the words name they take back.
        words, codings = (), tuple(coding._replace(display="") for coding in codings)
    found = terminology.recognise(codings, words)
    # "Allergic to amitriptyline" is what words may take back in an order, not here.
    drugs = set(found.drugs) | found.doubted
    named = {id_.removeprefix("allergy-to-") for id_ in terminology.concepts(codings) if id_.startswith("allergy-to-")}
    return drugs | named


def _of_classes(concept: Concept, terminology: Terminology) -> Iterator[tuple[str, str]]:
    """The drugs of the classes that an entry names, each with the words of the entry."""
    allergens = terminology.words.allergens
    written = concept.words
    keys = (terminology.systems.key(coding.system, coding.code) for coding in concept.codings)
    classes = {allergens.codes[key] for key in keys if key in allergens.codes}
    if not _taken_back(written, terminology):
        classes |= {class_ for said in written for class_ in allergens.classes(said)}
    for class_ in sorted(classes):
        for drug in sorted(terminology.drugs_of(class_) or {class_}):
            yield drug, concept.label


def _taken_back(written: Iterable[str], terminology: Terminology) -> bool:
    """True when words deny an allergy, or tell of that of a relative."""
    words = terminology.words
    return any(words.allergens.denies(name) or words.problems.of_others(name) for name in written)


def _denied(written: Iterable[str], allergens: Allergens) -> bool:
    return any(map(allergens.denies, written))


def _understood(resource: Resource, concepts: Iterable[Concept], terminology: Terminology) -> bool:
    """True when an entry is known to be something that no rule asks for, or to say that there is no allergy."""
    if {text(category) for category in aslist(resource.get("category"))} & NO_DRUGS:
        return True
    allergens = terminology.words.allergens
    for concept in concepts:
        written = [words for words in concept.words if words.strip()]
        if any(map(terminology.words.problems.of_others, written)):
            continue
        if (
            any(map(terminology.can_judge, concept.codings))
            or _denied(written, allergens)
            or any(map(allergens.others_only, written))
        ):
            return True
    return False


def _status(resource: Resource) -> frozenset[str]:
    """Every code of the clinical and the verification status (DSTU2 has one ``status``)."""
    members = ("clinicalStatus", "verificationStatus", "status")
    return frozenset().union(*(status_codes(resource.get(member)) for member in members))

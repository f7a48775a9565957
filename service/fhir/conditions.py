"""Problems of the patient, recognised by their codes and words; an unreadable problem keeps its words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from service.dates import Span, event
from service.facts import Condition
from service.fhir.concepts import ALL, Room, concept_of, status_codes
from service.fhir.resources import Resource, aslist, text
from service.fhir.versions import first
from service.terminology.problems import Mentions, Sets
from service.terminology.recognise import Terminology

ACTIVE = frozenset({"active", "recurrence", "relapse"})
OVER = frozenset({"inactive", "remission", "resolved"})
NOT_READ = Mentions()
NOT_TRUE = frozenset({"refuted", "entered-in-error"})
NOT_SURE = frozenset({"provisional", "differential"})
VERIFIED = frozenset({"confirmed", "unconfirmed"})

CERTAINTY = "diagnosesicherheit"
"""Ends the address of the German extension on a coding that says whether a diagnosis holds."""
_CERTAINTIES = {"A": "absent", "V": "suspected", "Z": "past", "G": ""}
"""Its codes: ausgeschlossen, Verdacht auf, (symptomloser) Zustand nach, gesichert."""


@dataclass(frozen=True, slots=True)
class ProblemList:
    """The problems of the patient: those the guidance knows, and in the record's words those that could not be read.

    ``suspected`` are those of the guidance that the words only suspect; ``total`` counts all that are not taken back.
    """

    known: tuple[Condition, ...] = ()
    unread: tuple[str, ...] = ()
    suspected: tuple[str, ...] = ()
    total: int = 0


def problem_list(resources: Iterable[Resource], terminology: Terminology, room: Room | None = None) -> ProblemList:
    """Every problem, recognised by its codes and words; refuted ones and errors are ignored.

    One for which there is no room counts as not read.
    """
    room = room or Room()
    known: list[Condition] = []
    unread: list[str] = []
    suspected: list[str] = []
    total = 0
    for resource in resources:
        stands = _stands(resource, terminology)
        if resource["resourceType"] != "Condition" or stands == "absent":
            continue
        total += 1
        concept = concept_of(resource.get("code"), ALL)
        label = concept.label
        saying = terminology.problem(concept.codings, concept.texts) if room.holds(concept.size) else NOT_READ
        if not saying.understood or saying.unclear:
            unread.append(label or "a problem without code or words")
        if saying.suspected or (stands == "suspected" and saying.present):
            suspected.append(label)
        if stands != "suspected":
            known += _conditions(resource, saying, label, over=stands == "past")
    unread += _depending(known, terminology.words.problems.dependent)
    return ProblemList(tuple(known), tuple(unread), tuple(suspected), total)


def _depending(known: Sequence[Condition], dependent: Sets) -> Iterator[str]:
    """Problems that count only beside others, none of which is on the list: ascites without a disease of the liver."""
    active = [condition for condition in known if condition.active]
    held = frozenset[str]().union(*(condition.sets for condition in active))
    for condition in active:
        if all(set_ in dependent and held.isdisjoint(dependent[set_]) for set_ in condition.sets):
            yield condition.label


def _conditions(resource: Resource, saying: Mentions, label: str, *, over: bool) -> Iterator[Condition]:
    """The conditions of one entry: what its words call present, and what they call past."""
    if not (saying.present or saying.past):
        return
    clinical = status_codes(resource.get("clinicalStatus"))
    # A status that says neither, such as R5's "unknown", rules nothing out.
    active = bool(clinical & ACTIVE) or not (clinical & OVER or _ended(resource))
    onset, recorded = _onset(resource), _recorded(resource)
    for sets, holds in ((saying.present, active and not over), (saying.past, False)):
        if sets:
            yield Condition(sets, label, holds, onset or recorded, onset is None and recorded is not None)


def _stands(resource: Resource, terminology: Terminology) -> str:
    """How the entry says that its problem stands: absent, suspected, past; empty when it holds.

    Words count where a status bears no code of FHIR.
    """
    problems, code = terminology.words.problems, resource.get("code")
    verification, clinical = resource.get("verificationStatus"), resource.get("clinicalStatus")
    codes = status_codes(verification)
    certainty = _certainty(code) if isinstance(code, dict) else ""
    if codes & NOT_TRUE or certainty == "absent":
        return "absent"
    if codes & NOT_SURE:
        return "suspected"
    verified = "" if codes & VERIFIED else problems.status(concept_of(verification).words)
    over = "" if status_codes(clinical) & (ACTIVE | OVER) else problems.status(concept_of(clinical).words)
    return certainty or verified or over


def _certainty(concept: Resource) -> str:
    """How the codes say that the problem stands (Germany); empty when they say nothing else than that it holds."""
    extensions = (
        extension
        for coding in aslist(concept.get("coding"))
        if isinstance(coding, dict)
        for extension in aslist(coding.get("extension"))
        if isinstance(extension, dict) and text(extension.get("url")).lower().rstrip("/").endswith(CERTAINTY)
    )
    for extension in extensions:
        value = extension.get("valueCoding")
        code = text(value.get("code")) if isinstance(value, dict) else text(extension.get("valueCode"))
        if code.strip().upper() in _CERTAINTIES:
            return _CERTAINTIES[code.strip().upper()]
    return ""


def _ended(resource: Resource) -> bool:
    """True with an abatement[x] of any type; false is DSTU2's and STU3's "not over"."""
    return any(k.startswith("abatement") and v not in (None, False) for k, v in resource.items())


def _onset(resource: Resource) -> Span | None:
    """When the condition began, if the record says."""
    period = resource.get("onsetPeriod")
    given = (resource.get("onsetDateTime"), period.get("start") if isinstance(period, dict) else None)
    return next((found for value in given if (found := event(text(value))) is not None), None)


def _recorded(resource: Resource) -> Span | None:
    """When the condition was recorded."""
    return event(text(first(resource, "Condition", "recordedDate")))

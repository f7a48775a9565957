"""Why the lists of a call are not complete, as reasons of the card ``not-checked``."""

from collections.abc import Iterator, Sequence

from service.facts import MedicationOrder, Role, Unread
from service.fhir.allergies import AllergyList
from service.fhir.as_r4 import subject_references
from service.fhir.conditions import ProblemList
from service.fhir.patients import same_patient
from service.fhir.prefetch import Answer, Prefetch, State
from service.fhir.recognise import MISSPELT, READ_IN_PART, Identity, misspelt
from service.fhir.resources import Resource
from service.fhir.session import Session, concerns

PATIENT = "patient"
MEDICATIONS = "medications"
STATEMENTS = "statements"
CONDITIONS = "conditions"
ALLERGIES = "allergies"
OBSERVATIONS = "observations"
LISTS = (MEDICATIONS, STATEMENTS, CONDITIONS, ALLERGIES, OBSERVATIONS)

OF_OTHERS = "entries-of-another-patient"
MODIFIED = "entries-modified"
TOO_MANY_KNOWN = "too-many-known"
UNIDENTIFIED = "list-entry-unidentified"
NOT_WHOLE = frozenset({OF_OTHERS, MODIFIED, TOO_MANY_KNOWN, UNIDENTIFIED, MISSPELT, READ_IN_PART})
"""Reasons for which entries of a list that came were left out, or say nothing: the list is not whole."""

WHY = {
    State.ABSENT: "not-provided",
    State.UNREADABLE: "not-readable",
    State.UNAVAILABLE: "not-available",
    State.PARTIAL: "only-first-page",
    State.SHORT: "fewer-than-announced",
    State.DAMAGED: "entries-unreadable",
    State.REFUSED: "entries-refused",
    State.CUT: "too-many-entries",
    State.OTHER: "list-of-another-patient",
}


def incomplete(prefetch: Prefetch) -> frozenset[str]:
    """The lists that declare themselves incomplete; a list that was not sent is not among them."""
    return frozenset(key for key in LISTS if prefetch[key].state not in (State.GIVEN, State.ABSENT))


def missing(prefetch: Prefetch) -> list[Unread]:
    """The lists that guidance rests on and that were not given in full."""
    gaps = [gap(key, prefetch[key]) for key in LISTS if prefetch[key].state is not State.GIVEN]
    return gaps + failures(prefetch)


def usable(session: Session, key: str, sent: Sequence[Resource]) -> tuple[list[Resource], list[Unread]]:
    """The entries of a list that are this patient's, and what was left out.

    That is also an entry with a modifier extension, which may turn its meaning round (FHIR R4, 2.4.2: it must not be
    processed); a drug with one counts as taken, and ``listed_order`` names it.
    """
    own = [resource for resource in sent if is_own(session, resource)]
    plain = own if key in (MEDICATIONS, STATEMENTS) else [one for one in own if not one.get("modifierExtension")]
    gaps = []
    if len(own) < len(sent):
        gaps.append(Unread(OF_OTHERS, element=key, found=str(len(sent) - len(own)), conflict=True))
    if len(plain) < len(own):
        gaps.append(Unread(MODIFIED, element=key, found=str(len(own) - len(plain))))
    return plain, gaps


def not_understood(problems: ProblemList, allergies: AllergyList) -> Iterator[Unread]:
    """Problems and allergies that could not be read, one gap per list, and problems that are only suspected."""
    lists = (("conditions-unread", CONDITIONS, problems), ("allergies-unread", ALLERGIES, allergies))
    for reason, element, found in lists:
        if found.unread:
            share = f"{len(found.unread)} of {found.total}"
            yield Unread(reason, element=element, found=share, words=found.unread)
    if problems.suspected:
        yield Unread("problems-suspected", words=problems.suspected)


def drugs_not_told(entries: Sequence[Identity]) -> Iterator[Unread]:
    """Entries of the medication lists of which nobody can say what drug they are: those without a name are counted."""
    for identity in entries:
        if identity.problem == MISSPELT:
            yield misspelt(identity, element=MEDICATIONS)
        elif identity.problem == READ_IN_PART:
            entry = MedicationOrder("", identity.label, identity.recognition, Role.CURRENT)
            yield Unread(READ_IN_PART, entry, MEDICATIONS)
    nameless = sum(identity.problem not in (MISSPELT, READ_IN_PART) for identity in entries)
    if nameless:
        yield Unread(UNIDENTIFIED, element=MEDICATIONS, found=str(nameless))


def may_be_one_of(subjects: Sequence[str], gap: Unread) -> bool:
    """True when what could not be read of the medication lists may be one of these drugs."""
    if gap.reason == MISSPELT:
        return any(drug in gap.found for drug in subjects)
    return gap.order is None or gap.reason == READ_IN_PART or concerns(gap.order.drug, subjects)


def among_measurements(named: tuple[str, ...]) -> Iterator[Unread]:
    """Problems that stand among the observations: the problem list is not all that the record says."""
    if named:
        yield Unread("findings", element=CONDITIONS, words=named)


def is_own(session: Session, resource: Resource) -> bool:
    """True unless the resource names another patient than the call."""
    subject = resource.get("subject")
    named = subject.get("reference") if isinstance(subject, dict) and "patient" not in resource else None
    if named == f"Patient/{session.patient_id}":
        return True
    return same_patient(subject_references(resource), session.patient_id)


def gap(key: str, answer: Answer) -> Unread:
    """Why a list is not whole, with what it holds of what it should."""
    short = answer.state is State.SHORT and answer.matches < answer.announced
    found = f"{answer.matches} of {answer.announced}" if short else ""
    found = str(answer.lost) if answer.state in (State.DAMAGED, State.REFUSED) else found
    return Unread(_why(answer), element=key, found=found, conflict=answer.state is State.OTHER)


def _why(answer: Answer) -> str:
    if not answer.reason or (answer.state is not State.PARTIAL and answer.known):
        return WHY[answer.state]
    return "only-some-pages" if answer.known else "not-fetched"


def failures(prefetch: Prefetch) -> list[Unread]:
    """Why anything could not be fetched, once for each reason."""
    return [Unread(reason, element=", ".join(keys)) for reason, keys in prefetch.failures.items()]

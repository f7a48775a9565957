"""From a hook call to the chart that the rules look at."""

from collections.abc import Iterable, Sequence
from datetime import date
from fractions import Fraction
from itertools import chain

from service.chart import Chart, MedicationOrder, Patient, Role, Unread
from service.errors import MissingData, NotConformant
from service.fhir.allergies import allergies, intolerances
from service.fhir.conditions import conditions
from service.fhir.fetch_errors import Failure
from service.fhir.observations import body_weight, measurements
from service.fhir.orders import IGNORED, DoseContext, draft_order, listed_order
from service.fhir.patients import patient, same_patient
from service.fhir.prefetch import Answer, Prefetch, State
from service.fhir.resources import Resource, text
from service.fhir.session import Draft, Session, concerns, identified, known
from service.fhir.version_detection import Version, version_of
from service.fhir.versions import ORDER_TYPES, STATEMENT_TYPES, TAKEN_TYPES, subject_references
from service.terminology.recognise import Recognition, Terminology

PATIENT = "patient"
MEDICATIONS = "medications"
STATEMENTS = "statements"
CONDITIONS = "conditions"
ALLERGIES = "allergies"
OBSERVATIONS = "observations"
LISTS = (MEDICATIONS, STATEMENTS, CONDITIONS, ALLERGIES, OBSERVATIONS)

OF_OTHERS = "entries-of-another-patient"

MOST_DRAFTS = 100
"""Drafts for drugs of the guidance that one call may hold; they are compared with each other, each with each."""

_WHY = {
    State.ABSENT: "not-provided",
    State.UNREADABLE: "not-readable",
    State.UNAVAILABLE: "not-available",
    State.PARTIAL: "only-first-page",
    State.SHORT: "fewer-than-announced",
    State.DAMAGED: "entries-unreadable",
    State.REFUSED: "entries-refused",
    State.CUT: "too-many-entries",
}


def dose_context(
    session: Session,
    prefetch: Prefetch,
    terminology: Terminology,
    subjects: Sequence[str],
    today: date,
    weight_days: int,
) -> DoseContext:
    """What doses need of this call. The weight is looked for only when a dose is ordered by weight (Q6)."""

    def weight() -> Fraction | None:
        return body_weight(_own(session, prefetch[OBSERVATIONS].resources), terminology, today, weight_days)

    return DoseContext(tuple(subjects), weight)


def _own(session: Session, resources: Iterable[Resource]) -> list[Resource]:
    """The resources that are not another patient's."""
    return [res for res in resources if _is_own(session, res)]


def required_patient(prefetch: Prefetch, patient_id: str, today: date) -> Patient:
    """The patient of the call.

    Raises MissingData when prefetch does not hold the patient that the context names: with nobody to check
    for, nothing can be said.
    """
    for resource in prefetch[PATIENT].resources:
        if resource["resourceType"] != "Patient":
            continue
        if text(resource.get("id")) not in ("", patient_id):
            raise MissingData(
                f"prefetch.{PATIENT} is another patient than context.patientId. Send the patient of the context.",
                f"prefetch.{PATIENT}",
            )
        found = patient(resource, today)
        if found is not None:
            return found
    failure = prefetch.failure(PATIENT)
    fetched = f" It could not be fetched either: {Failure(failure).advice}." if failure else ""
    if prefetch.no_token:
        fetched = " Nothing was fetched: fhirServer came without fhirAuthorization."
    sent = prefetch[PATIENT].state is State.UNREADABLE
    problem = "what came for it cannot be read as a Patient" if sent else "was not provided"
    raise MissingData(
        f"The patient is needed and {problem}.{fetched} Send prefetch.{PATIENT} as discovery describes it"
        " (Patient/{{context.patientId}}).",
        f"prefetch.{PATIENT}",
    )


def listed(
    session: Session, prefetch: Prefetch, terminology: Terminology, doses: DoseContext, today: date
) -> tuple[list[MedicationOrder], list[Unread]]:
    """The patient's orders and statements about the drugs, and what of the lists could not be used.

    Lists that were not provided are fetched where the client's FHIR server may be read.
    """
    prefetch.complete(MEDICATIONS, STATEMENTS)
    found: list[MedicationOrder] = []
    unread: list[Unread] = []
    unidentified = 0
    entries = [
        resource
        for resource in _own(session, (*prefetch[MEDICATIONS].resources, *prefetch[STATEMENTS].resources))
        if resource["resourceType"] in ORDER_TYPES | STATEMENT_TYPES | TAKEN_TYPES
    ]
    for resource, identity in zip(entries, identified(entries, prefetch, terminology), strict=True):
        unidentified += bool(identity.unidentified(doses.subjects)) and text(resource.get("status")) not in IGNORED
        if known(identity.recognition, doses.subjects, terminology):
            order, gaps = listed_order(resource, identity, terminology, today, doses)
            found += [order] if order is not None else []
            unread += gaps
    if unidentified:
        unread.append(Unread("list-entry-unidentified", found=str(unidentified)))
    return found, unread


def read_chart(
    session: Session,
    drafts: Sequence[Draft],
    prefetch: Prefetch,
    terminology: Terminology,
    doses: DoseContext,
    today: date,
    jurisdiction: str,
    unread_drafts: Sequence[Unread] = (),
) -> Chart:
    """Everything the rules may know about this call.

    Raises MissingData when the patient is not provided, NotConformant when there are more drafts than can be
    checked against each other in time.
    """
    if sum(known(draft.identity.recognition, doses.subjects, terminology) for draft in drafts) > MOST_DRAFTS:
        raise NotConformant(
            f"The context holds more than {MOST_DRAFTS} orders for drugs of this guidance, and none was checked."
            " Send them in several calls.",
            "$.context",
        )
    prefetch.complete(PATIENT, *LISTS)
    who = required_patient(prefetch, session.patient_id, today)
    found: list[MedicationOrder] = []
    unread: list[Unread] = list(unread_drafts)
    for draft in drafts:
        if draft.own and known(draft.identity.recognition, doses.subjects, terminology):
            order, gaps = draft_order(draft.resource, draft.identity, terminology, doses, focus=draft.focus)
            found += [order] if order is not None else []
            unread += gaps if draft.focus else []
    unread += unidentified(drafts, doses.subjects)
    in_list, gaps = listed(session, prefetch, terminology, doses, today)
    unread += gaps + _missing(prefetch) + _of_others(session, prefetch)
    return Chart(
        today=today,
        hook=session.hook,
        patient=who,
        orders=tuple(found + in_list),
        conditions=conditions(_own(session, prefetch[CONDITIONS].resources), terminology),
        allergies=allergies(_own(session, prefetch[ALLERGIES].resources), terminology),
        intolerances=intolerances(_own(session, prefetch[ALLERGIES].resources), terminology),
        measurements=measurements(_own(session, prefetch[OBSERVATIONS].resources), terminology),
        jurisdiction=jurisdiction,
        patient_id=session.patient_id,
        conditions_known=prefetch[CONDITIONS].known,
        history_known=prefetch[MEDICATIONS].state is State.GIVEN,
        unread=tuple(dict.fromkeys(unread)),
        subjects=doses.subjects,
        incomplete=incomplete(prefetch) | {gap.element for gap in unread if gap.reason == OF_OTHERS},
        ordering=session.ordering,
        refill=session.refill,
    )


def version_spoken(orders: Iterable[Resource], prefetch: Prefetch) -> Version:
    """The FHIR version of a call: of the first order that tells its own, else of the lists, else R4."""
    lists = (prefetch[key].resources for key in (MEDICATIONS, STATEMENTS, CONDITIONS, ALLERGIES, OBSERVATIONS))
    return version_of(chain(orders, chain.from_iterable(lists)))


def unidentified(drafts: Sequence[Draft], subjects: Sequence[str]) -> list[Unread]:
    """Orders in focus whose drug could not be told at all, and orders about the drugs of another patient."""
    found = []
    for draft in drafts:
        if not draft.focus:
            continue
        order = MedicationOrder(draft.reference, draft.identity.label, Recognition(), Role.DRAFT, focus=True)
        problem = draft.identity.unidentified(subjects)
        if problem:
            found.append(Unread(problem, order))
        elif not draft.own and concerns(draft.identity.recognition, subjects):
            found.append(Unread("another-patient", order, conflict=True))
    return found


def unsettled(drafts: Sequence[Draft], prefetch: Prefetch, subjects: Sequence[str]) -> list[Unread]:
    """Why it is not certain that no order concerns the guidance: drugs that could not be told, or a list not whole.

    A list is looked at only for a draft that matters beside the drugs. One that nobody was to fetch is not missed.
    """
    gaps = unidentified(drafts, subjects)
    for key in (MEDICATIONS, STATEMENTS):
        if prefetch.failure(key) or (prefetch.looked_at(key) and key in incomplete(prefetch)):
            gaps.append(_gap(key, prefetch[key]))
    return gaps + _failures(prefetch) if gaps else []


def incomplete(prefetch: Prefetch) -> frozenset[str]:
    """The lists that hold less than the record by what they say themselves; one that was not sent is none of them."""
    return frozenset(key for key in LISTS if prefetch[key].state not in (State.GIVEN, State.ABSENT))


def _missing(prefetch: Prefetch) -> list[Unread]:
    """The lists that guidance rests on and that were not given in full."""
    gaps = [_gap(key, prefetch[key]) for key in LISTS if prefetch[key].state is not State.GIVEN]
    return gaps + _failures(prefetch)


def _of_others(session: Session, prefetch: Prefetch) -> list[Unread]:
    """Entries of another patient, which are left out, by list."""
    counts = {key: sum(1 for res in prefetch[key].resources if not _is_own(session, res)) for key in LISTS}
    return [Unread(OF_OTHERS, element=key, found=str(count), conflict=True) for key, count in counts.items() if count]


def _is_own(session: Session, resource: Resource) -> bool:
    return same_patient(subject_references(resource), session.patient_id)


def _gap(key: str, answer: Answer) -> Unread:
    """Why a list is not whole, with what it holds of what it should."""
    found = f"{answer.matches} of {answer.announced}" if answer.state is State.SHORT else ""
    found = str(answer.lost) if answer.state in (State.DAMAGED, State.REFUSED) else found
    return Unread(_why(answer), element=key, found=found)


def _why(answer: Answer) -> str:
    if not answer.reason or (answer.state is not State.PARTIAL and answer.known):
        return _WHY[answer.state]
    return "only-some-pages" if answer.known else "not-fetched"


def _failures(prefetch: Prefetch) -> list[Unread]:
    return [Unread(reason, element=", ".join(keys)) for reason, keys in prefetch.failures.items()]

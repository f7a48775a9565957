"""The orders of one hook call, read just far enough to tell whether they concern the guidance.

Nearly every order is about another drug: it is recognised by its codes and words alone, and nothing else of
the request is decoded for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from msgspec import Raw

from service.errors import NotConformant
from service.facts import MedicationOrder, Role, Unread
from service.fhir.as_r4 import subject_references
from service.fhir.bundles import Entry, contents, decoded_entry, medications_of, unversioned
from service.fhir.medications import medication_reference
from service.fhir.patients import same_patient
from service.fhir.prefetch import Prefetch
from service.fhir.recognise import MISSPELT, UNRESOLVED, Identity, contained, identify, misspelt
from service.fhir.resources import Resource, reference, relative, text
from service.fhir.versions import ORDER_TYPES
from service.terminology.recognise import Recognition, Terminology

MOST_ORDERS = 1000
"""The most orders in the context of one call, for any drug."""

OTHER_ORDERS = frozenset(
    {"ServiceRequest", "NutritionOrder", "DeviceRequest", "VisionPrescription", "CommunicationRequest"}
    | {"ReferralRequest", "ProcedureRequest", "DiagnosticOrder", "DeviceUseRequest", "SupplyRequest", "Appointment"}
    | {"ImmunizationRecommendation", "Immunization", "Procedure", "Observation", "Condition", "AllergyIntolerance"}
    | {"Goal", "Specimen", "QuestionnaireResponse", "DocumentReference", "Communication", "EnrollmentRequest"}
    | {"Medication", "Substance", "Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization"}
    | {"Encounter", "EpisodeOfCare", "Location", "Device", "HealthcareService", "CareTeam", "Coverage", "Provenance"}
    | {"Account", "Endpoint", "Flag", "OperationOutcome", "Binary", "DiagnosticReport", "ImagingStudy", "Claim"}
)
"""Types of draft orders that order no drug. Any other unknown type is named as not read."""

FRAME = frozenset(
    {"resourceType", "id", "meta", "status", "intent", "priority", "subject", "patient", "encounter"}
    | {"authoredOn", "dateWritten", "requester", "prescriber", "recorder", "performer"}
)
"""What a draft holds before anything is chosen: who, when and for whom, and nothing about a drug or its dose."""


@dataclass(frozen=True, slots=True)
class Session:
    """The context of a hook call in one form for every hook: whose chart, which orders, which are selected.

    ``selections`` is None where all drafts count alike, else what ``selection`` makes of each; ``ordering`` is
    false when a chart is only opened; ``refill`` is true when the hook itself says that treatment continues.
    """

    hook: str
    patient_id: str
    drafts: tuple[Raw, ...] = ()
    selections: frozenset[str] | None = None
    ordering: bool = True
    refill: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """One order of the session. ``focus`` marks those that guidance is about; ``own`` those of this patient.

    Of one that is not ``whole`` a member could not be read.
    """

    resource: Resource
    identity: Identity
    focus: bool
    own: bool
    whole: bool = True

    @property
    def reference(self) -> str:
        """ "Type/id", empty when the order has no id."""
        return reference(self.resource)


@dataclass(frozen=True, slots=True)
class Orders:
    """The orders in the context's bundle, and the entries that could not be read as orders."""

    entries: tuple[Entry, ...]
    unread: tuple[Unread, ...] = ()

    @property
    def medications(self) -> dict[str, Resource]:
        """The Medications among the orders, by each name that a reference may use."""
        return medications_of(self.entries)


def orders(session: Session) -> Orders:
    """Every resource of the session's bundle, Bundles inside it opened.

    An entry may be the resource itself, as some clients send it. What is no resource that is known here may be the
    very order that had to be checked, so it is named. Raises NotConformant when there are more orders than one call
    may hold: none is left out in silence.
    """
    if len(session.drafts) > MOST_ORDERS:
        raise _too_many()
    found: list[Entry] = []
    unread: list[Unread] = []
    for number, raw in enumerate(session.drafts):
        place = f"entry {number + 1}"
        entry, whole = decoded_entry(raw)
        inside = contents({"resourceType": "Bundle", "entry": [entry]})
        known_types = [held for held in inside.entries if _known_order(held.resource)]
        found += known_types if whole else [held._replace(whole=False) for held in known_types]
        odd = dict.fromkeys(e.resource["resourceType"] for e in inside.entries if not _known_order(e.resource))
        unread += [Unread("draft-of-unknown-type", element=place, found=kind[:40]) for kind in odd]
        if inside.unread or inside.refused:
            unread.append(Unread("draft-unreadable", element=place))
        elif not whole and any(held.resource["resourceType"] in ORDER_TYPES for held in known_types):
            unread.append(Unread("draft-read-in-part", element=place))
    if len(found) > MOST_ORDERS:
        raise _too_many()
    return Orders(tuple(found), tuple(unread))


def _too_many() -> NotConformant:
    return NotConformant(
        f"The context holds more than {MOST_ORDERS} orders, and none was checked. Send them in several calls.",
        "$.context",
    )


def _known_order(resource: Resource) -> bool:
    return resource["resourceType"] in ORDER_TYPES or resource["resourceType"] in OTHER_ORDERS


def drafts(session: Session, entries: Sequence[Entry], prefetch: Prefetch, terminology: Terminology) -> list[Draft]:
    """The medication orders among the entries, each with its drug. Other order types are skipped (L-10)."""
    ordered = [entry for entry in entries if entry.resource["resourceType"] in ORDER_TYPES]
    identities = identified([entry.resource for entry in ordered], prefetch, terminology)
    return [
        Draft(
            resource=entry.resource,
            identity=identity,
            focus=selected(session, entry) and not _empty(session, entry),
            own=same_patient(subject_references(entry.resource), session.patient_id),
            whole=entry.whole,
        )
        for entry, identity in zip(ordered, identities, strict=True)
    ]


def identified(resources: Sequence[Resource], prefetch: Prefetch, terminology: Terminology) -> list[Identity]:
    """The drug of each order or statement.

    A Medication that was not sent is fetched where it may say more: no word names the drug, or the word beside the
    reference is a drug known here, whose strength then counts. An order named as any other drug costs no fetch.
    """

    def look() -> list[Identity]:
        return [identify(resource, medications_for(resource, prefetch), terminology) for resource in resources]

    found = look()
    pointing = [
        target
        for resource, identity in zip(resources, found, strict=True)
        if (identity.problem == UNRESOLVED or (identity.by_reference and identity.recognition.drugs))
        and (target := _outside(resource))
        and not identity.resolved
    ]
    return look() if prefetch.resolve(pointing) else found


def identified_once(
    entries: Sequence[Resource], prefetch: Prefetch, terminology: Terminology
) -> list[tuple[Resource, Identity]]:
    """The entries with their drugs, without a resource that came before: in another list, or as an older version.

    The same type and id are the same resource only where they are for the same drug: some clients number anew.
    """
    kept: list[tuple[Resource, Identity]] = []
    places: dict[tuple[str, tuple[str, ...]], list[int]] = {}
    for pair in zip(entries, identified(entries, prefetch, terminology), strict=True):
        resource, identity = pair
        before = places.setdefault((reference(resource), identity.recognition.drugs), []) if reference(resource) else []
        if any(kept[place][0] == resource for place in before):
            continue
        version = _version(resource)
        other = next((place for place in before if version >= 0 and _version(kept[place][0]) >= 0), None)
        if other is None:
            before.append(len(kept))
            kept.append(pair)
        elif version > _version(kept[other][0]):
            kept[other] = pair
    return kept


def _version(resource: Resource) -> int:
    """The number of a resource's version; -1 where it is not numbered."""
    meta = resource.get("meta")
    given = text(meta.get("versionId")) if isinstance(meta, dict) else ""
    return int(given) if given.isdecimal() and len(given) < 10 else -1


def _outside(resource: Resource) -> str:
    """The reference to a Medication outside the resource, empty when there is none."""
    target = text(medication_reference(resource).get("reference"))
    return "" if target.startswith("#") or contained(resource, target) is not None else target


def selection(pointer: str) -> str:
    """A member of ``selections`` in comparable form: "Type/id", a bare id, or a ``urn:uuid``.

    The specification has "Type/id" (C-046). A client that sends an absolute URL or a version means the same order.
    """
    return relative(unversioned(pointer))


def selected(session: Session, entry: Entry) -> bool:
    """True when guidance is about this order: all of them, or the selected ones (L-09).

    A bare id selects every draft with that id, as does the ``urn:uuid`` of an id that is one.
    """
    if session.selections is None:
        return True
    given, url = entry.resource.get("id"), selection(entry.url)
    ids = (
        str(given) if isinstance(given, int) else text(given),
        url.removeprefix("urn:uuid:") if "/" not in url else "",
    )
    kind = entry.resource["resourceType"]
    names = {name for id_ in filter(None, ids) for name in (id_, f"{kind}/{id_}", f"urn:uuid:{id_.lower()}")}
    return not session.selections.isdisjoint(names | {url} - {""})


def _empty(session: Session, entry: Entry) -> bool:
    """True for an order selected before anything is chosen: there is nothing to hear, or to name as not checked."""
    return session.selections is not None and entry.whole and entry.resource.keys() <= FRAME


def unidentified(drafts: Sequence[Draft], subjects: Sequence[str], *, taken: bool) -> list[Unread]:
    """Orders in focus whose drug could not be recognised at all, and orders about the drugs of another patient.

    Where one of the drugs is ordered, or ``taken``, a name that any drug which is known here may be meant by is named.
    """
    found = []
    involved = taken or any(concerns(draft.identity.recognition, subjects) for draft in drafts)
    for draft in drafts:
        if not draft.focus:
            continue
        order = MedicationOrder(draft.reference, draft.identity.label, Recognition(), Role.DRAFT, focus=True)
        problem = draft.identity.problem if involved else draft.identity.unidentified(subjects)
        if problem == MISSPELT:
            found.append(misspelt(draft.identity, order))
        elif problem:
            found.append(Unread(problem, order))
        elif not draft.own and concerns(draft.identity.recognition, subjects):
            found.append(Unread("another-patient", order, conflict=True))
    return found


def concerns(recognition: Recognition, subjects: Sequence[str]) -> bool:
    """True when the order is for one of the drugs, or when its codes and words disagree about one."""
    return any(recognition.names(drug) or recognition.disputes(drug) for drug in subjects)


def known(recognition: Recognition, subjects: Sequence[str], terminology: Terminology) -> bool:
    """True when a rule may look at the order: one of the subjects, or a drug of an interaction class."""
    if not (recognition.drugs or recognition.claims):
        return False
    return concerns(recognition, subjects) or (not recognition.topical and bool(terminology.classes(recognition.drugs)))


def medications_for(resource: Resource, prefetch: Prefetch) -> Mapping[str, Resource]:
    """Medication resources a draft may point to; prefetch is decoded only for a draft that points outside itself."""
    target = _outside(resource)
    return prefetch.medications_for(target) if target else {}

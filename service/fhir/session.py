"""The orders of one hook call, looked at just closely enough to tell whether they concern the guidance.

Nearly every order is about another drug: it is recognised by its codes and words alone, and nothing else of
the request is decoded for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import Raw

from service.errors import NotConformant, NotParsable
from service.fhir.patients import same_patient
from service.fhir.prefetch import Prefetch
from service.fhir.recognise import UNRESOLVED, Identity, identify
from service.fhir.resources import Resource, as_resource, reference, relative, text
from service.fhir.versions import ORDER_TYPES, medication_reference, subject_reference
from service.jsonio import decode, is_null
from service.terminology.recognise import Recognition, Terminology

MOST_ORDERS = 1000
"""Orders that one call may hold in its context, whatever they are for."""


@dataclass(frozen=True, slots=True)
class Session:
    """What a hook call says in its context, whatever the hook: whose chart, which orders, which selected.

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
    """One order of the session. ``focus`` marks those that guidance is about; ``own`` those of this patient."""

    resource: Resource
    identity: Identity
    focus: bool
    own: bool

    @property
    def reference(self) -> str:
        """ "Type/id", empty when the order has no id."""
        return reference(self.resource)


def orders(session: Session) -> list[Resource]:
    """Every resource of the session's bundle. An entry may be the resource itself, as some clients send it.

    Raises NotParsable for an entry that cannot be read: it may be the very order that had to be checked.
    Raises NotConformant when there are more orders than one call may hold: none is left out in silence.
    """
    if len(session.drafts) > MOST_ORDERS:
        raise NotConformant(
            f"The context holds more than {MOST_ORDERS} orders, and none was checked. Send them in several calls.",
            "$.context",
        )
    found = []
    for raw in session.drafts:
        entry = decode(raw)
        if entry is None and not is_null(raw):
            raise NotParsable(
                "An order in the context cannot be read: a number or its nesting is beyond reason.", "$.context"
            )
        resource = (as_resource(entry.get("resource")) or as_resource(entry)) if isinstance(entry, dict) else None
        if resource is not None:
            found.append(resource)
        elif isinstance(entry, dict) and entry.get("resource") is not None:
            raise NotConformant("An entry's resource in the context has no resourceType.", "$.context")
    return found


def drafts(
    session: Session, resources: Sequence[Resource], prefetch: Prefetch, terminology: Terminology
) -> list[Draft]:
    """The medication orders among the resources, each with its drug. Other order types are skipped (L-10)."""
    ordered = [resource for resource in resources if resource["resourceType"] in ORDER_TYPES]
    return [
        Draft(
            resource=resource,
            identity=identity,
            focus=selected(session, resource),
            own=same_patient(subject_reference(resource), session.patient_id),
        )
        for resource, identity in zip(ordered, identified(ordered, prefetch, terminology), strict=True)
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


def _outside(resource: Resource) -> str:
    """The reference to a Medication outside the resource, empty when there is none."""
    target = text(medication_reference(resource).get("reference"))
    return "" if target.startswith("#") else target


def selection(pointer: str) -> str:
    """A member of ``selections`` as it is compared: "Type/id", or a bare id.

    The specification has "Type/id" (C-046). A client that sends an absolute URL or a version means the same order.
    """
    return relative(pointer)


def selected(session: Session, resource: Resource) -> bool:
    """True when guidance is about this order: all of them, or the selected ones (L-09).

    A bare id selects every draft with that id. An order without an id cannot be selected.
    """
    if session.selections is None:
        return True
    return bool(reference(resource)) and not session.selections.isdisjoint({reference(resource), resource["id"]})


def concerns(recognition: Recognition, subjects: Sequence[str]) -> bool:
    """True when the order is for one of the drugs, or when its codes and words disagree about one."""
    return any(recognition.names(drug) or recognition.disputes(drug) for drug in subjects)


def known(recognition: Recognition, subjects: Sequence[str], terminology: Terminology) -> bool:
    """True when a rule may look at the order: one of the subjects, or a drug of an interaction class."""
    return concerns(recognition, subjects) or (not recognition.topical and bool(terminology.classes(recognition.drugs)))


def medications_for(resource: Resource, prefetch: Prefetch) -> dict[str, Resource]:
    """Medication resources a draft may point to; prefetch is decoded only for a draft that points outside itself."""
    target = _outside(resource)
    return prefetch.medications_for(target) if target else {}

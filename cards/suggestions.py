"""The change a suggestion makes, bound to one order of the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cards.library import Library
from service.cdshooks.messages import Action
from service.fhir.editing import CannotEdit, with_template
from service.fhir.resources import Resource
from service.fhir.shapes import Version
from service.fhir.writing import CannotWrite, written_in
from service.guidance.finding import Offer, Proposal


@dataclass(frozen=True, slots=True)
class Change:
    """A changed order, whole, and the name of its new product (empty when the product stays)."""

    order: Resource
    product: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a suggestion has to fit: the client's drafts by reference, the patient, the day and the FHIR version."""

    drafts: Mapping[str, Resource]
    patient_id: str = ""
    today: date = date.min
    version: Version = "R4"


def actions_for(offer: Offer, asked: Asked, library: Library) -> tuple[str, Action] | None:
    """Label and action of an offer; None when the client's FHIR version cannot say it, or the draft is not there."""
    if offer.delete:
        words = library.offers["delete-draft"]
        if offer.delete not in asked.drafts:
            return None
        return words["label"], Action("delete", words["description"], resourceId=offer.delete)
    words = library.offers[offer.template]
    if not asked.patient_id:
        return None
    template = {
        **library.orders[offer.template],
        "subject": {"reference": f"Patient/{asked.patient_id}"},
        "authoredOn": asked.today.isoformat(),
    }
    try:
        order = written_in(asked.version, template)
    except CannotWrite:
        return None
    return words["label"], Action("create", words["description"], resource=order)


def change_for(proposal: Proposal, asked: Asked, library: Library) -> Change | str:
    """The change that a proposal makes, or the reason (a key of ``withheld``) why it cannot be offered.

    No suggestion raises a dose: one that would is refused here whatever the rule said.
    """
    if proposal.dose >= proposal.current:
        return "would-not-lower"
    order = asked.drafts.get(proposal.order.reference) if proposal.order.reference else None
    if order is None:
        return "several-orders" if proposal.order.reference else "order-not-found"
    try:
        changed, product = with_template(
            order, library.orders[proposal.template], library.terminology.terminology, proposal.drug, asked.version
        )
    except CannotEdit as refusal:
        return refusal.reason
    except (CannotWrite, RecursionError):
        return "not-editable"
    return Change(changed, product)

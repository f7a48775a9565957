"""The change a suggestion makes, bound to one order of the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cards.library import Library
from service.cdshooks.messages import Action
from service.fhir.editing import CannotEdit, with_template
from service.fhir.resources import Resource, copied
from service.fhir.versions import order_as_stu3
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
    version: str = "R4"


def actions_for(offer: Offer, asked: Asked, library: Library) -> tuple[str, Action] | None:
    """Label and action of an offer; None when the client's FHIR version has no such order or the draft is not there."""
    if offer.delete:
        words = library.offers["delete-draft"]
        if offer.delete not in asked.drafts:
            return None
        return words["label"], Action("delete", words["description"], resourceId=offer.delete)
    words = library.offers[offer.template]
    if asked.version not in words["versions"] or not asked.patient_id:
        return None
    order = copied(library.orders[offer.template])
    order["subject"] = {"reference": f"Patient/{asked.patient_id}"}
    order["authoredOn"] = asked.today.isoformat()
    if asked.version == "STU3":
        order = order_as_stu3(order)
    return words["label"], Action("create", words["description"], resource=order)


def change_for(proposal: Proposal, drafts: Mapping[str, Resource], library: Library) -> Change | str:
    """The change that a proposal makes, or the reason (a key of ``withheld``) why it cannot be offered.

    No suggestion raises a dose: one that would is refused here whatever the rule said.
    """
    if proposal.dose >= proposal.current:
        return "would-not-lower"
    order = drafts.get(proposal.order.reference) if proposal.order.reference else None
    if order is None:
        return "several-orders" if proposal.order.reference else "order-not-found"
    try:
        changed, product = with_template(
            order, library.orders[proposal.template], library.terminology.terminology, proposal.drug
        )
    except CannotEdit as refusal:
        return refusal.reason
    except RecursionError:
        return "not-editable"
    return Change(changed, product)

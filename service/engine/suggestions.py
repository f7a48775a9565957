"""The change a suggestion makes, bound to one order of the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from service.cdshooks.messages import Action
from service.engine.finding import Offer, Proposal
from service.engine.library import Library
from service.fhir.edit import CannotEdit, same_product, with_template
from service.fhir.numbers import exact
from service.fhir.resources import Resource, copied
from service.fhir.version_detection import Version
from service.fhir.writing import CannotWrite, written_in


@dataclass(frozen=True, slots=True)
class Change:
    """A changed order, whole, and the name of its new product (empty when the product stays)."""

    order: Resource
    product: str


@dataclass(frozen=True, slots=True)
class SuggestionContext:
    """What a suggestion has to fit: the client's drafts by reference, the patient, the day and the FHIR version."""

    drafts: Mapping[str, Resource]
    patient_id: str = ""
    today: date = date.min
    version: Version = "R4"


@dataclass(frozen=True, slots=True)
class Offered:
    """A suggestion that creates or deletes: the words of its button and what it does, in this order.

    ``because`` says where the dose of a new order comes from, empty when it has none.
    """

    label: str
    actions: tuple[Action, ...]
    because: str = ""


def actions_for(offer: Offer, asked: SuggestionContext, library: Library) -> Offered | str:
    """What an offer does, or the reason (a key of ``withheld``) why it cannot be offered to this client."""
    if offer.delete and offer.delete not in asked.drafts:
        return "order-not-found"
    if not offer.template:
        words = library.offers["delete-draft"]
        return Offered(words["label"], (_deletion(offer.delete, words["description"]),))
    words = library.offers[offer.template]
    order = _new_order(offer, asked, library)
    if isinstance(order, str):
        return order
    creation = Action("create", words["description"], resource=order)
    if not offer.delete:
        return Offered(words["label"], (creation,), words.get("because", ""))
    removed = library.offers["replaced-draft"]["description"]
    return Offered(words["label"], (_deletion(offer.delete, removed), creation), words.get("because", ""))


def _deletion(reference: str, description: str) -> Action:
    return Action("delete", description, resourceId=reference)


def _new_order(offer: Offer, asked: SuggestionContext, library: Library) -> Resource | str:
    """The order of a template for this patient today, or the reason why there is none."""
    if not asked.patient_id:
        return "version-without"
    order: Resource = copied(library.orders[offer.template])
    if offer.product_of:
        product = _product(offer, order, asked, library)
        if isinstance(product, str):
            return product
        order["medicationCodeableConcept"] = product
    order["subject"] = {"reference": f"Patient/{asked.patient_id}"}
    order["authoredOn"] = asked.today.isoformat()
    try:
        return written_in(asked.version, order)
    except CannotWrite:
        return "version-without"


def _product(offer: Offer, template: Resource, asked: SuggestionContext, library: Library) -> Resource | str:
    """The product of the order that the new one follows; refused when the new dose would not be a smaller one."""
    earlier = asked.drafts.get(offer.product_of)
    (dosage,) = template["dosageInstruction"]
    dose = exact(dosage["doseAndRate"][0]["doseQuantity"]["value"])
    if earlier is None:
        return "order-not-found"
    if dose is None or offer.below is None or dose >= offer.below:
        return "would-not-lower"
    try:
        return same_product(earlier, dose, library.terminology.terminology, offer.drug)
    except CannotEdit as refusal:
        return refusal.reason


def change_for(proposal: Proposal, asked: SuggestionContext, library: Library) -> Change | str:
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

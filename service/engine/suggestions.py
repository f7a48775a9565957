"""The change a suggestion makes, bound to one order of the client."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.cdshooks.messages import Action
from service.engine.finding import Offer, Proposal
from service.engine.library import DELETE_DRAFT, REPLACED_DRAFT, Library
from service.fhir.concepts import concept_of
from service.fhir.edit import CannotEdit, ClientOrders, dose_a_day
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology


@dataclass(frozen=True, slots=True)
class Change:
    """A changed order, whole, and the name of its new product (empty when the product stays)."""

    order: Resource
    product: str


@dataclass(frozen=True, slots=True)
class Offered:
    """A suggestion that creates or deletes: the words of its button and what it does, in this order.

    ``because`` says where the dose of a new order comes from, empty when it has none.
    """

    label: str
    actions: tuple[Action, ...]
    because: str = ""


def actions_for(offer: Offer, orders: ClientOrders, library: Library) -> Offered | str:
    """What an offer does, or the reason (a key of ``withheld``) why it cannot be offered to this client."""
    if offer.delete and offer.delete not in orders.drafts:
        return "order-not-found"
    if not offer.template:
        words = library.offers[DELETE_DRAFT]
        return Offered(words["label"], (_deletion(offer.delete, words["description"]),))
    words = library.offers[offer.template]
    template, terminology = library.orders[offer.template], library.terminology
    try:
        product = (
            orders.product_of(offer.product_of, template, terminology, offer.drug, offer.below)
            if offer.product_of
            else None
        )
        creation = Action("create", words["description"], resource=orders.new(template, product))
    except CannotEdit as refusal:
        return refusal.reason
    removed = library.offers[REPLACED_DRAFT]["description"]
    actions = (_deletion(offer.delete, removed), creation) if offer.delete else (creation,)
    return Offered(words["label"], actions, words.get("because", ""))


def drugs_of(template: Mapping[str, Any], terminology: Terminology) -> set[str]:
    """The drugs of the codes of a template's product."""
    codings = concept_of(template["medicationCodeableConcept"]).codings
    return {entry.drug for coding in codings for entry in terminology.drug_codes(coding)}


def _deletion(reference: str, description: str) -> Action:
    return Action("delete", description, resourceId=reference)


def change_for(proposal: Proposal, orders: ClientOrders, library: Library) -> Change | str:
    """The change that a proposal makes, or the reason (a key of ``withheld``) why it cannot be offered.

    No suggestion raises a dose: one that would is refused here whatever the rule said. Raises ValueError when the
    template gives another drug or dose than the rule proposes.
    """
    if proposal.dose >= proposal.current:
        return "would-not-lower"
    template, terminology = library.orders[proposal.template], library.terminology
    given = (drugs_of(template, terminology), dose_a_day(template))
    if given != ({proposal.drug}, proposal.dose):
        raise ValueError(
            f"orders/{proposal.template}.json gives other than {proposal.dose} mg a day of {proposal.drug}"
        )
    try:
        return Change(*orders.changed(proposal.order.reference, template, terminology, proposal.drug))
    except CannotEdit as refusal:
        return refusal.reason

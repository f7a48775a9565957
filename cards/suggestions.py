"""The change a suggestion makes, bound to one order of the client."""

from collections.abc import Mapping
from dataclasses import dataclass

from cards.library import Library
from service.fhir.editing import CannotEdit, with_template
from service.fhir.resources import Resource
from service.guidance.finding import Proposal


@dataclass(frozen=True, slots=True)
class Change:
    """A changed order, whole, and the name of its new product (empty when the product stays)."""

    order: Resource
    product: str


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

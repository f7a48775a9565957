"""Which drug an order names, and what a Medication is made of, in every version of FHIR."""

from collections.abc import Mapping
from typing import Any

from service.fhir.resources import Resource, aslist, one, text


def medication_concepts(order: Resource) -> list[dict[str, Any]]:
    """The CodeableConcepts of the drug: one, and only of an order that breaks FHIR's rules several."""
    medication = one(order.get("medication"))
    concept = medication.get("concept") if isinstance(medication, dict) else None
    for candidate in (order.get("medicationCodeableConcept"), concept):
        found = [item for item in aslist(candidate) if isinstance(item, dict)]
        if found:
            return found
    return []


def medication_concept(order: Resource) -> dict[str, Any]:
    """The CodeableConcept of the drug, empty when the order has none or several."""
    found = medication_concepts(order)
    return found[0] if len(found) == 1 else {}


def medication_reference(order: Resource) -> dict[str, Any]:
    """The Reference to a Medication, empty when the order has none."""
    if "medicationReference" not in order and "medication" not in order:
        return {}
    medication = one(order.get("medication"))
    reference = medication.get("reference") if isinstance(medication, dict) else None
    for candidate in (order.get("medicationReference"), reference):
        found = one(candidate)
        if isinstance(found, dict):
            return found
    return {}


def ingredients(medication: Resource) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """(CodeableConcept, strength Ratio) of each ingredient of a Medication, in any version."""
    product = medication.get("product")
    listed = medication.get("ingredient") or (product.get("ingredient") if isinstance(product, dict) else None)
    contained = (held for held in aslist(medication.get("contained")) if isinstance(held, dict))
    beside = {f"#{held['id']}": held for held in contained if held.get("id")}
    found = []
    for ingredient in aslist(listed):
        if not isinstance(ingredient, dict):
            continue
        item = ingredient.get("itemCodeableConcept") or ingredient.get("item") or ingredient.get("itemReference")
        found.append((_substance(one(item), beside), _strength(ingredient)))
    return found


def _substance(item: Any, beside: Mapping[str, Resource]) -> dict[str, Any]:
    """The CodeableConcept of an ingredient: as it is, R5's ``concept``, or of the resource it refers to.

    A Substance or Medication that an ingredient refers to is looked for among the contained ones; without it the
    words beside the reference are all there is.
    """
    if not isinstance(item, dict):
        return {}
    reference = item.get("reference")
    pointer = reference if isinstance(reference, dict) else item
    target, words = text(pointer.get("reference")), text(pointer.get("display"))
    if isinstance(item.get("concept"), dict) or not (target or words):
        concept = item.get("concept", item)
        return concept if isinstance(concept, dict) else {}
    code = beside.get(target, {}).get("code")
    named = code.get("concept", code) if isinstance(code, dict) else None
    return named if isinstance(named, dict) else {"text": words} if words else {}


def _strength(ingredient: Resource) -> dict[str, Any]:
    """The strength as a Ratio, under the name of each version; R5 may also give a bare quantity for one piece."""
    given = ingredient.get("strength") or ingredient.get("strengthRatio") or ingredient.get("amount")
    if given is None and ingredient.get("strengthQuantity") is not None:
        return {"numerator": ingredient["strengthQuantity"]}
    return given if isinstance(given, dict) else {}

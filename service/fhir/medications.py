"""Which drug an order names, and what a Medication is made of, in every version of FHIR."""

from collections.abc import Mapping
from typing import Any

from service.fhir.concepts import concept_of
from service.fhir.resources import Resource, aslist, one, text

_MEDICATION = (
    "medicationCodeableConcept",
    "medication",
    "medicationCodeableReference",
    "medicationCoding",
    "medicationString",
)
"""Members for the drug: up to R4, in R5, and as clients write these."""


def medication_concepts(order: Resource) -> list[Any]:
    """What names the drug, for ``concept_of``: one concept, and only of an order that breaks FHIR's rules several.

    A CodeableReference with a reference alone names none; words or a Coding may stand in the concept's place.
    """
    found: list[Any] = []
    for member in _MEDICATION:
        named = (item for item in aslist(order.get(member)) if item and isinstance(item, dict | str))
        found += [item for item in named if not _is_reference(item) and item not in found]
    return found


def medication_concept(order: Resource) -> dict[str, Any]:
    """The CodeableConcept of the drug in the order itself; empty when there is none, or several, or only a Coding."""
    found = medication_concepts(order)
    if len(found) != 1 or not isinstance(found[0], dict):
        return {}
    concept = found[0].get("concept", found[0])
    return concept if isinstance(concept, dict) and not {"code", "system", "display"} & concept.keys() else {}


def medication_reference(order: Resource) -> dict[str, Any]:
    """The Reference to a Medication, empty when the order has none."""
    for member in ("medicationReference", *_MEDICATION[1:3]):
        found = one(order.get(member))
        if found is None:
            continue
        if isinstance(found, dict) and isinstance(found.get("reference"), dict):
            return dict(found["reference"])
        if _is_reference(found) or (member == "medicationReference" and found):
            return found if isinstance(found, dict) else {"reference": found} if isinstance(found, str) else {}
    return {}


def _is_reference(item: Any) -> bool:
    """True for a Reference or a CodeableReference that has nothing else, also where only its address came."""
    if isinstance(item, str):
        return item.startswith(("#", "Medication/", "urn:", "http:", "https:"))
    return isinstance(item, dict) and "reference" in item and "concept" not in item and "coding" not in item


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
    """The strength as a Ratio, under the name of each version; a bare quantity is for one piece, words are its text."""
    members = ("strength", "strengthRatio", "strengthQuantity", "amount", "strengthCodeableConcept")
    given = one(next(filter(None, map(ingredient.get, members)), None))
    if isinstance(given, dict) and "value" in given:
        return {"numerator": given}
    if isinstance(given, dict) and not {"coding", "text"} & given.keys():
        return given
    words = concept_of(given).label
    return {"text": words} if words else {}

"""The orders of a call as their client wrote them: one of them changed, or a new one written like them.

A changed order is the client's own resource, every unknown element and extension included, in its own FHIR version; the
drug product and the dosage are changed, and what was written from them goes. What cannot be done without guessing is
refused with a reason (a key of ``withheld`` in cards/phrases.yaml).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from service.dosing.amount import strengths_in_text
from service.dosing.freetext import directions
from service.fhir.as_r4 import routes
from service.fhir.concepts import concept_of
from service.fhir.medications import medication_concept, medication_reference
from service.fhir.order_words import BESIDE
from service.fhir.resources import Resource, aslist, copied, exact, one, text
from service.fhir.versions import RENDERED, CannotWrite, Version, dosage_in, is_rendered, names, own_version, written_in
from service.jsonio import encode
from service.terminology.recognise import Terminology

ORAL = "oral"
"""The set of routes by mouth."""

_SAYS_HOW_MUCH = frozenset(
    {*names("Dosage", "asNeededBoolean"), *names("Dosage", "asNeededCodeableConcept"), "text", "patientInstruction"}
    | {"doseAndRate", "doseQuantity", "doseSimpleQuantity", "doseRange", "rateRatio", "rateRange", "rateQuantity"}
    | {"maxDosePerPeriod", "maxDosePerAdministration", "maxDosePerLifetime"}
)
"""Members of a dosage that say how much or when; the new dosage replaces them. All others are kept."""


MOST_BYTES = 64 * 1024
"""An order larger than this is not sent back changed: answers stay small."""


class CannotEdit(Exception):
    """The order cannot be changed without guessing; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ClientOrders:
    """The drafts of a call by their reference, and what a new order has to fit: the patient, the day, the FHIR version.

    ``drafts`` are those whose reference is theirs alone: a change cannot be bound to one of two equal ids. ``version``
    is that of the call, for an order whose own members do not tell in which one it is written.
    """

    drafts: Mapping[str, Resource]
    patient_id: str = ""
    today: date = date.min
    version: Version = "R4"

    def changed(
        self, reference: str, template: Mapping[str, Any], terminology: Terminology, drug: str
    ) -> tuple[Resource, str]:
        """A draft with the template's dosage and, when that names a product of another strength, its product.

        Returns the changed order and the new product's name, empty when the product stays. Raises CannotEdit.
        """
        order = self.drafts.get(reference)
        if order is None:
            raise CannotEdit("several-orders" if reference else "order-not-found")
        try:
            _check_route(order, terminology)
            if len(encode(order)) > MOST_BYTES:
                raise CannotEdit("too-large")
            changed: Resource = copied(order)
            product = _change_product(changed, template, terminology, drug)
            _change_dosage(changed, dosage_in(own_version(order) or self.version, template["dosageInstruction"][0]))
        except (CannotWrite, RecursionError):
            raise CannotEdit("not-editable") from None
        return changed, product

    def new(self, template: Mapping[str, Any], product: Mapping[str, Any] | None = None) -> Resource:
        """The order of a template for this patient today, for another product where one is given. Raises CannotEdit."""
        order: Resource = copied(template)
        order["subject"], order["authoredOn"] = {"reference": f"Patient/{self.patient_id}"}, self.today.isoformat()
        if product is not None:
            order["medicationCodeableConcept"] = product
        try:
            if self.patient_id:
                return written_in(self.version, order)
        except CannotWrite:
            pass
        raise CannotEdit("version-without")

    def product_of(
        self, reference: str, template: Mapping[str, Any], terminology: Terminology, drug: str, below: Fraction | None
    ) -> dict[str, Any]:
        """The product of a draft, when whole pieces of it make the dose of a template, which is less than ``below``.

        Raises CannotEdit when the product is not surely one of the drug alone, or its strength does not fit.
        """
        order = self.drafts.get(reference)
        if order is None:
            raise CannotEdit("order-not-found")
        dose = _dose(template)
        if dose is None or below is None or dose >= below:
            raise CannotEdit("would-not-lower")
        return _same_product(order, dose, terminology, drug)


def _same_product(order: Resource, dose: Fraction, terminology: Terminology, drug: str) -> dict[str, Any]:
    """The product of an order for another dose of it in mg."""
    _check_route(order, terminology)
    concept = medication_concept(order)
    if not concept:
        raise CannotEdit("by-reference" if medication_reference(order) else "not-editable")
    codings = concept_of(concept).codings
    known = [terminology.drug_codes(coding) for coding in codings]
    if not all(known):
        raise CannotEdit("product-unknown")
    entries = [entry for found in known for entry in found]
    if any(entry.combination or entry.drug != drug for entry in entries):
        raise CannotEdit("combination")
    words = [text(concept.get("text")), *(coding.display for coding in codings)]
    strengths = {entry.strength for entry in entries if entry.strength is not None}
    strengths |= {strength for word in words for strength in strengths_in_text(word)}
    if len(strengths) != 1:
        raise CannotEdit("strength-not-told")
    if any((dose / strength).denominator != 1 for strength in strengths if strength > 0):
        raise CannotEdit("strength-not-held")
    kept: dict[str, Any] = copied(concept)
    return kept


def dose_a_day(template: Mapping[str, Any]) -> Fraction:
    """The mg a day that a template gives, which fits its schema."""
    times: int = template["dosageInstruction"][0]["timing"]["repeat"]["frequency"]
    return (_dose(template) or Fraction(0)) * times


def _dose(template: Mapping[str, Any]) -> Fraction | None:
    """The mg that a template gives at once."""
    return exact(template["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"])


def _check_route(order: Resource, terminology: Terminology) -> None:
    """Raises CannotEdit for an order that names another route than by mouth, or one that is not known."""
    oral = terminology.concept_sets.get(ORAL)
    for route in routes(order):
        given = concept_of(route)
        worded = oral is not None and any(oral.in_words(word) for word in given.words)
        if (given.codings or any(given.words)) and not (worded or ORAL in terminology.concepts(given.codings)):
            raise CannotEdit("not-oral")


def _change_product(order: Resource, template: Mapping[str, Any], terminology: Terminology, drug: str) -> str:
    concept = medication_concept(order)
    if not concept:
        raise CannotEdit("by-reference" if medication_reference(order) else "not-editable")
    new = template["medicationCodeableConcept"]
    target = _dose(template)
    keep, product = [], False
    for coding in aslist(concept.get("coding")):
        known = [entry for read in concept_of({"coding": [coding]}).codings for entry in terminology.drug_codes(read)]
        if not known:
            raise CannotEdit("product-unknown")
        if any(entry.combination or entry.drug != drug for entry in known):
            raise CannotEdit("combination")
        strengths = {entry.strength for entry in known} - {None}
        if strengths and strengths != {target}:
            product = True
        else:
            keep.append(coding)
    if product:
        concept["coding"] = [*copied(new["coding"]), *keep]
        concept["text"] = new["text"]
        return str(new["text"])
    words = [text(concept.get("text")), *(coding.display for coding in concept_of(concept).codings)]
    if any(strength != target for word in words for strength in strengths_in_text(word)):
        raise CannotEdit("product-in-words")
    return ""


def _change_dosage(order: Resource, new: Mapping[str, Any]) -> None:
    given = aslist(order.get("dosageInstruction"))
    if order.get("dosage"):
        raise CannotEdit("not-editable")  # it stands where FHIR has none, and would stay beside the new one
    if len(given) > 1:
        raise CannotEdit("several-dosages")
    old = given[0] if given else {}
    timing = one(old.get("timing", {})) if isinstance(old, dict) else None
    if not isinstance(timing, dict):
        raise CannotEdit("not-editable")
    dosage = {key: value for key, value in old.items() if key.lstrip("_") not in _SAYS_HOW_MUCH}
    for name in BESIDE:
        if name in dosage:
            dosage[name] = [item for item in aslist(dosage[name]) if directions(concept_of(item).label) is None]
    dosage = {key: value for key, value in dosage.items() if value != []}
    dosage |= {**new, "timing": _timing(timing, new["timing"])}
    order["dosageInstruction"] = [dosage]
    _drop_words(order)


def _drop_words(order: Resource) -> None:
    """Takes away what was written from the data that has changed: the narrative, and the rendered dosage."""
    narrative = order.pop("text", None)
    if isinstance(narrative, dict) and narrative.get("status") == "additional":
        raise CannotEdit("not-editable")  # it says more than the data does
    for name in (RENDERED, f"_{RENDERED}"):
        order.pop(name, None)
    given = aslist(order.get("extension"))
    if any(map(is_rendered, given)):
        order["extension"] = [item for item in given if not is_rendered(item)]
        if not order["extension"]:
            del order["extension"]  # FHIR has no empty lists


def _timing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The new rhythm within the old bounds, extensions kept."""
    repeat = one(old.get("repeat"))
    bounds = {
        key: value
        for key, value in (repeat if isinstance(repeat, dict) else {}).items()
        if key.lstrip("_").startswith("bounds") or key == "extension"
    }
    kept = {key: value for key, value in old.items() if key == "extension"}
    return {**kept, "repeat": {**bounds, **new["repeat"]}}

"""An offer creates an order in the FHIR version of the client, or removes a draft that is really there."""

from dataclasses import replace

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest

from cards.library import Library
from cards.suggestions import Asked, actions_for
from service.fhir.resources import Resource, decode, encode
from service.fhir.shapes import Version
from service.guidance.finding import Offer
from tests.fhir.samples import TODAY, order
from tests.fhir.validity import faults

DRAFTS = {"MedicationRequest/rx-1": order()}
TEMPLATES = ["pain-score-0-to-10", "blood-pressure-lying-and-standing", "review-of-amitriptyline"]


def asked(version: Version = "R4", patient: str = "1") -> Asked:
    return Asked(DRAFTS, patient, TODAY, version)


def test_every_offer_is_tried_here(library: Library) -> None:
    assert library.offers.keys() == {*TEMPLATES, "delete-draft"}


@pytest.mark.parametrize("template", TEMPLATES)
def test_an_order_is_created_for_this_patient_today(library: Library, template: str) -> None:
    made = actions_for(Offer(template), asked(), library)
    assert made is not None
    label, action = made
    assert (label, action.type) == (library.offers[template]["label"], "create")
    assert action.description == library.offers[template]["description"]
    resource = decode(encode(action.resource))
    assert "id" not in resource
    assert (resource["subject"], resource["authoredOn"]) == ({"reference": "Patient/1"}, "2026-11-23")
    ServiceRequest.model_validate(resource)


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R5"])
def test_every_template_can_be_sent_in_every_version(library: Library, version: Version) -> None:
    for template in TEMPLATES:
        made = actions_for(Offer(template), asked(version), library)
        assert made is not None, template
        resource = decode(encode(made[1].resource))
        assert told_apart(resource) == version, template
        assert faults(version, resource) == [], template


def told_apart(resource: Resource) -> str:
    """The version of an order for a service, which differs in type, status and code."""
    if resource["resourceType"] == "ServiceRequest":
        return "R5" if "concept" in resource["code"] else "R4"
    return "STU3" if "intent" in resource else "DSTU2"


def test_what_a_version_cannot_say_is_not_offered_rather_than_halved(library: Library) -> None:
    template = {**library.orders[TEMPLATES[0]], "doNotPerform": True}
    stopping = replace(library, orders={**library.orders, TEMPLATES[0]: template})
    assert actions_for(Offer(TEMPLATES[0]), asked("R4"), stopping) is not None
    assert actions_for(Offer(TEMPLATES[0]), asked("STU3"), stopping) is None


def test_an_offer_has_a_label_and_a_description_and_nothing_else(library: Library) -> None:
    assert all(words.keys() == {"label", "description"} for words in library.offers.values())


def test_nothing_is_created_for_nobody(library: Library) -> None:
    assert actions_for(Offer(TEMPLATES[0]), asked(patient=""), library) is None


def test_the_template_itself_is_left_alone(library: Library) -> None:
    before = encode(library.orders[TEMPLATES[0]])
    assert actions_for(Offer(TEMPLATES[0]), asked(), library) is not None
    assert encode(library.orders[TEMPLATES[0]]) == before


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R4", "R5"])
def test_a_draft_is_removed_in_every_version(library: Library, version: Version) -> None:
    made = actions_for(Offer(delete="MedicationRequest/rx-1"), asked(version), library)
    assert made is not None
    label, action = made
    assert (label, action.type) == (library.offers["delete-draft"]["label"], "delete")
    assert action.resourceId == "MedicationRequest/rx-1"


@pytest.mark.parametrize("reference", ["MedicationRequest/rx-2", "rx-1"])
def test_what_is_no_draft_of_this_session_is_not_removed(library: Library, reference: str) -> None:
    assert actions_for(Offer(delete=reference), asked(), library) is None

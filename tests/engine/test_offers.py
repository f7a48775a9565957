"""An offer creates an order in the FHIR version of the client, or removes a draft that is really there."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest

from service.dosing.dosage import DailyDose
from service.engine.finding import Offer
from service.engine.library import Library
from service.engine.suggestions import Offered, actions_for
from service.fhir.edit import ClientOrders
from service.fhir.orders import DoseContext, draft_order
from service.fhir.recognise import identify
from service.fhir.resources import Resource
from service.fhir.versions import Version
from service.jsonio import decode, encode
from tests.fhir.samples import RXNORM, TODAY, order
from tests.fhir.validity import faults

DRAFT = "MedicationRequest/rx-1"
TABLETS = {"coding": [{"system": RXNORM, "code": "856834"}], "text": "Amitriptyline 25 MG Oral Tablet"}
DRAFTS = {DRAFT: order(medicationCodeableConcept=TABLETS)}
ASSESSMENTS = ["pain-score-0-to-10", "blood-pressure-lying-and-standing", "review-of-amitriptyline"]
STARTS = {
    "duloxetine-start": 30,
    "duloxetine-start-diabetic": 60,
    "gabapentin-start-normal": 300,
    "gabapentin-start-moderate": 300,
    "gabapentin-start-severe": 100,
    "pregabalin-start-normal": 150,
    "pregabalin-start-diabetic": 150,
    "pregabalin-start-moderate": 75,
    "pregabalin-start-severe": 25,
}
RUNGS = {f"amitriptyline-rung-{number}": mg for number, mg in enumerate((75, 50, 25, 10), 1)}


def asked(version: Version = "R4", patient: str = "1", drafts: dict[str, Resource] | None = None) -> ClientOrders:
    return ClientOrders(DRAFTS if drafts is None else drafts, patient, TODAY, version)


def offered(offer: Offer, fits: ClientOrders, library: Library) -> Offered:
    made = actions_for(offer, fits, library)
    assert isinstance(made, Offered)
    return made


def created(made: Offered) -> Resource:
    """The one order that is created, as it is sent."""
    (action,) = [action for action in made.actions if action.type == "create"]
    resource: Resource = decode(encode(action.resource))
    return resource


def daily(resource: Any, library: Library, drug: str) -> Fraction:
    """The mg a day of an order, computed as for an order of a client."""
    terminology = library.terminology
    reading = DoseContext((drug,), lambda: None)
    found, _ = draft_order(resource, identify(resource, {}, terminology), terminology, reading, focus=True)
    assert found is not None
    assert isinstance(found.dose, DailyDose)
    return found.dose.high


def test_every_offer_is_tried_here(library: Library) -> None:
    assert library.offers.keys() == {*ASSESSMENTS, *STARTS, *RUNGS, "delete-draft", "replaced-draft"}


@pytest.mark.parametrize("template", ASSESSMENTS)
def test_an_order_is_created_for_this_patient_today(library: Library, template: str) -> None:
    made = offered(Offer(template), asked(), library)
    (action,) = made.actions
    assert (made.label, action.type) == (library.offers[template]["label"], "create")
    assert action.description == library.offers[template]["description"]
    resource = created(made)
    assert "id" not in resource
    assert (resource["subject"], resource["authoredOn"]) == ({"reference": "Patient/1"}, "2026-11-23")
    ServiceRequest.model_validate(resource)


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R5"])
def test_every_template_can_be_sent_in_every_version(library: Library, version: Version) -> None:
    for template in ASSESSMENTS:
        resource = created(offered(Offer(template), asked(version), library))
        assert told_apart(resource) == version, template
        assert faults(version, resource) == [], template


def told_apart(resource: Resource) -> str:
    """The version of an order for a service, which differs in type, status and code."""
    if resource["resourceType"] == "ServiceRequest":
        return "R5" if "concept" in resource["code"] else "R4"
    return "STU3" if "intent" in resource else "DSTU2"


def test_what_a_version_cannot_say_is_not_offered_rather_than_halved(library: Library) -> None:
    template = {**library.orders[ASSESSMENTS[0]], "doNotPerform": True}
    stopping = replace(library, orders={**library.orders, ASSESSMENTS[0]: template})
    assert isinstance(actions_for(Offer(ASSESSMENTS[0]), asked("R4"), stopping), Offered)
    assert actions_for(Offer(ASSESSMENTS[0]), asked("STU3"), stopping) == "version-without"


def test_nothing_is_created_for_nobody(library: Library) -> None:
    assert actions_for(Offer(ASSESSMENTS[0]), asked(patient=""), library) == "version-without"


def test_the_template_itself_is_left_alone(library: Library) -> None:
    before = encode(library.orders[ASSESSMENTS[0]])
    offered(Offer(ASSESSMENTS[0]), asked(), library)
    assert encode(library.orders[ASSESSMENTS[0]]) == before


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R4", "R5"])
def test_a_draft_is_removed_in_every_version(library: Library, version: Version) -> None:
    made = offered(Offer(delete=DRAFT), asked(version), library)
    (action,) = made.actions
    assert (made.label, action.type) == (library.offers["delete-draft"]["label"], "delete")
    assert action.resourceId == DRAFT


@pytest.mark.parametrize("reference", ["MedicationRequest/rx-2", "rx-1"])
def test_what_is_no_draft_of_this_session_is_not_removed(library: Library, reference: str) -> None:
    assert actions_for(Offer(delete=reference), asked(), library) == "order-not-found"
    # Above all it is not left beside the drug that was to take its place.
    assert actions_for(Offer("duloxetine-start", delete=reference), asked(), library) == "order-not-found"


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R4", "R5"])
@pytest.mark.parametrize(("template", "mg"), STARTS.items())
def test_another_drug_takes_the_place_of_the_draft_at_its_starting_dose(
    library: Library, template: str, mg: int, version: Version
) -> None:
    made = offered(Offer(template, delete=DRAFT), asked(version), library)
    assert [action.type for action in made.actions] == ["delete", "create"]
    assert made.actions[0].resourceId == DRAFT
    resource = created(made)
    assert faults(version, resource) == []
    drug = template.split("-")[0]
    assert daily(resource, library, drug) == mg
    words = made.label
    assert words.startswith(f"Instead of amitriptyline: {drug} ")
    assert (
        words.removeprefix("Instead of amitriptyline: ").removeprefix(drug).strip()
        in (resource["dosageInstruction"][0]["text"].split(":")[0])
    )


@pytest.mark.parametrize("drug", ["gabapentin", "pregabalin"])
def test_less_kidney_function_never_means_a_higher_start(library: Library, drug: str) -> None:
    bands = [STARTS[f"{drug}-start-{band}"] for band in ("normal", "moderate", "severe")]
    numbers = library.thresholds["other-options"]
    assert bands == sorted(bands, reverse=True)
    for band, start in zip(("moderate", "severe"), bands[1:], strict=True):
        assert start <= numbers[f"{drug}_{band}_low"].value


@pytest.mark.parametrize(("template", "mg"), list(RUNGS.items())[:3])
def test_a_step_of_the_taper_keeps_the_product(library: Library, template: str, mg: int) -> None:
    made = offered(Offer(template, product_of=DRAFT, drug="amitriptyline", below=Fraction(100)), asked(), library)
    resource = created(made)
    MedicationRequest.model_validate(resource)
    assert resource["medicationCodeableConcept"] == TABLETS
    assert daily(resource, library, "amitriptyline") == mg
    assert f"{mg} mg" in made.label


def test_the_steps_are_those_of_the_card(library: Library) -> None:
    numbers = library.thresholds["amitriptyline-stopping"]
    assert [numbers[f"rung_{number}"].value for number in range(1, 5)] == list(RUNGS.values())


@pytest.mark.parametrize(("below", "reason"), [(None, "would-not-lower"), (50, "would-not-lower")])
def test_a_step_that_is_not_below_the_dose_is_refused(library: Library, below: int | None, reason: str) -> None:
    limit = None if below is None else Fraction(below)
    offer = Offer("amitriptyline-rung-2", product_of=DRAFT, drug="amitriptyline", below=limit)
    assert actions_for(offer, asked(), library) == reason


PRODUCTS: dict[str, tuple[Resource, str]] = {
    "75 mg tablets": ({"coding": [{"system": RXNORM, "code": "856853"}]}, "strength-not-held"),
    "only the ingredient": ({"coding": [{"system": RXNORM, "code": "704"}]}, "strength-not-told"),
    "two strengths": (
        {"coding": [{"system": RXNORM, "code": "856834"}], "text": "Amitriptyline 50 mg"},
        "strength-not-told",
    ),
    "a combination": ({"coding": [{"system": RXNORM, "code": "856720"}]}, "combination"),
    "an unknown product": ({"coding": [{"system": RXNORM, "code": "99999999"}]}, "product-unknown"),
}


@pytest.mark.parametrize(("product", "reason"), PRODUCTS.values(), ids=PRODUCTS)
def test_a_product_that_does_not_make_the_step_is_refused(library: Library, product: Resource, reason: str) -> None:
    fits = asked(drafts={DRAFT: order(medicationCodeableConcept=product)})
    assert (
        actions_for(
            Offer("amitriptyline-rung-2", product_of=DRAFT, drug="amitriptyline", below=Fraction(75)), fits, library
        )
        == reason
    )
    assert reason in library.withheld


def test_a_product_behind_a_reference_is_refused(library: Library) -> None:
    pointer = order(medicationReference={"reference": "Medication/1"})
    pointer.pop("medicationCodeableConcept", None)
    offer = Offer("amitriptyline-rung-2", product_of=DRAFT, drug="amitriptyline", below=Fraction(75))
    assert actions_for(offer, asked(drafts={DRAFT: pointer}), library) == "by-reference"
    assert actions_for(offer, asked(drafts={}), library) == "order-not-found"

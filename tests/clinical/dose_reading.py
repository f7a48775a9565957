"""An order read as ``tolami dose`` reads it: drug, dosage instructions, body weight, daily dose."""

from collections.abc import Sequence

from service.clinical.amounts import NotComputed, Product
from service.clinical.dose import DailyDose
from service.clinical.dosing import daily_dose
from service.clinical.terminology import Terminology
from service.fhir.identity import identify
from service.fhir.observations import body_weight
from service.fhir.orders import read_dosages
from service.fhir.resources import Resource, decode, encode, reference
from service.guidance.finding import SUBJECTS
from tests.clinical.dose_orders import Json
from tests.conftest import TODAY

WEIGHT_DAYS = 90


def dose_of(order: Json, terminology: Terminology, beside: Sequence[Json] = ()) -> DailyDose | NotComputed:
    """The daily dose of an order as it comes over the wire."""
    sent: Resource = decode(encode(order))
    resources: list[Resource] = decode(encode(list(beside)))
    medications = {reference(r): r for r in resources if r["resourceType"] == "Medication"}
    kilograms = body_weight(resources, terminology, TODAY, WEIGHT_DAYS)
    identity = identify(sent, medications, terminology)
    drug = next((d for d in SUBJECTS if identity.recognition.names(d)), "")
    product = Product(drug, identity.recognition, identity.label, identity.strengths, kilograms)
    return daily_dose(read_dosages(sent), product)

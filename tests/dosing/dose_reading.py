"""An order read as ``tolami dose`` reads it: drug, dosage instructions, body weight, daily dose."""

from collections.abc import Sequence

from service.dosing.amount import NotComputed, Product
from service.dosing.compute import daily_dose
from service.dosing.dosage import DailyDose
from service.facts import body_weight
from service.fhir.observations import observed
from service.fhir.orders import read_dosages
from service.fhir.recognise import identify
from service.fhir.resources import Resource, reference
from service.guidance.ids import SUBJECTS
from service.jsonio import decode, encode
from service.terminology.recognise import Terminology
from tests.conftest import TODAY
from tests.dosing.dose_orders import Json

WEIGHT_DAYS = 90


def dose_of(order: Json, terminology: Terminology, beside: Sequence[Json] = ()) -> DailyDose | NotComputed:
    """The daily dose of an order as it comes over the wire."""
    sent: Resource = decode(encode(order))
    resources: list[Resource] = decode(encode(list(beside)))
    medications = {reference(r): r for r in resources if r["resourceType"] == "Medication"}
    kilograms = body_weight(observed(resources, terminology).measurements, TODAY, WEIGHT_DAYS)
    identity = identify(sent, medications, terminology)
    drug = next((d for d in SUBJECTS if identity.recognition.names(d)), "")
    product = Product(drug, identity.recognition, identity.label, identity.strengths, kilograms)
    return daily_dose(read_dosages(sent), product)

"""Whether the order templates of a guideline say in words, in data and on their buttons the same drug and dose."""

from collections.abc import Iterator

from service.dosing.amount import NotComputed, Product, strengths_in_text
from service.dosing.compute import daily_dose
from service.engine.library import Library
from service.engine.suggestions import drugs_of
from service.fhir.edit import dose_a_day
from service.fhir.orders import read_dosages
from service.fhir.recognise import identify
from service.fhir.resources import exact
from service.files import Fault


def order_faults(library: Library) -> Iterator[Fault]:
    """Templates that are not for one drug, whose words say another dose, or whose offer says another drug or dose."""
    terminology = library.terminology
    for name, template in library.orders.items():
        if template["resourceType"] != "MedicationRequest":
            continue
        identity, (single,) = identify(template, {}, terminology), template["dosageInstruction"][0]["doseAndRate"]
        dose = daily_dose(read_dosages(template), Product("", identity.recognition, identity.label, identity.strengths))
        drugs, coded = drugs_of(template, terminology), "coding" in template["medicationCodeableConcept"]
        label, named = library.offers.get(name, {}).get("label", ""), [terminology.titles[drug] for drug in drugs]
        wrong = ""
        if coded and (len(drugs) != 1 or any(map(identity.recognition.disputes, drugs))):
            wrong = "its codes and words are not those of one drug"
        elif isinstance(dose, NotComputed) or dose.high != dose_a_day(template):
            wrong = "its words say another dose than its data"
        elif label and exact(single["doseQuantity"]["value"]) not in strengths_in_text(label):
            wrong = f"its dose is not that of its button, '{label}'"
        elif label and not all(title.partition(" (")[0] in label for title in named):
            wrong = f"its drug is not that of its button, '{label}'"
        if wrong:
            yield Fault(f"orders/{name}.json", 0, wrong)

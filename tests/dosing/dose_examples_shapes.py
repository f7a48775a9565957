"""Dose examples: the shapes of DSTU2, STU3, R4 and R5, those of real clients, and hostile ones."""

from decimal import Decimal

from tests.dosing.dose_orders import (
    A_DAY,
    AMITRIPTYLINE,
    AMITRIPTYLINE_25,
    DAILY,
    DRUG_FORM,
    QUANTITY,
    TOLPERISONE_150,
    Json,
    at_most,
    between,
    example,
    mg,
    order,
    per,
    quantity,
    refused,
    tablets,
    take,
)

ORDERED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "ordered"}]}
CALCULATED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/dose-rate-type", "code": "calculated"}]}
THREE_TIMES = {"repeat": per(3, 1, "d")}


def dstu2(dosage: Json, drug: Json = AMITRIPTYLINE_25) -> Json:
    """A DSTU2 MedicationOrder."""
    return {
        "resourceType": "MedicationOrder",
        "id": "order-123",
        "status": "draft",
        "patient": {"reference": "Patient/1"},
        "dateWritten": "2026-11-23",
        "medicationCodeableConcept": drug,
        "dosageInstruction": [dosage],
    }


def r5(*dosages: Json, drug: Json = AMITRIPTYLINE_25) -> Json:
    """An R5 MedicationRequest."""
    plain = order(*dosages, medication={"concept": drug})
    return {name: value for name, value in plain.items() if name != "medicationCodeableConcept"}


def statement(dosage: Json | None, **members: object) -> Json:
    """An R4 MedicationStatement."""
    found = {
        "resourceType": "MedicationStatement",
        "id": "st-1",
        "status": "active",
        "medicationCodeableConcept": AMITRIPTYLINE_25,
        "subject": {"reference": "Patient/1"},
        **members,
    }
    return found if dosage is None else {**found, "dosage": [dosage]}


SANDBOX = {
    "resourceType": "MedicationRequest",
    "id": "request-123",
    "status": "draft",
    "subject": {"reference": "Patient/1"},
    "authoredOn": "2026-11-23",
    "dosageInstruction": [
        {
            "timing": {"repeat": per(3, 1, "d", boundsPeriod={"start": "2027-01-15", "end": "2027-02-15"})},
            "doseAndRate": [{"doseQuantity": quantity(2, "", "{pill}")}],
        }
    ],
    "intent": "order",
    "category": {"coding": [{"code": "community"}]},
    "medicationCodeableConcept": AMITRIPTYLINE_25,
    "reasonCode": {"text": "Pain", "coding": []},
}

VERSIONS = (
    example("the Sandbox's R4 order", "Sandbox order", SANDBOX, "150", "150", "50", "150"),
    example("the Sandbox's STU3 order", "Sandbox order, STU3",
            order({"doseQuantity": quantity(2, "", "{pill}"), "timing": THREE_TIMES}), "150", "150", "50", "150"),
    example("the Sandbox's DSTU2 order", "Sandbox order, DSTU2",
            dstu2({"doseQuantity": quantity(2, "", "{pill}"),
                   "timing": {"repeat": {"frequency": 3, "period": 1, "periodUnits": "d"}}}),
            "150", "150", "50", "150"),
    example("STU3 with a range", "STU3 doseRange",
            order({"doseRange": {"low": mg(10), "high": mg(25)}, "timing": {"repeat": DAILY}}), "10", "25", "25", "25"),
    example("STU3 as needed with a maximum", "STU3 maxDosePerPeriod",
            order({"doseQuantity": mg(25), "asNeededBoolean": True, "maxDosePerPeriod": at_most(mg(75), A_DAY)}),
            "0", "75", "25", "75"),
    example("DSTU2 with one event as a word", "DSTU2 when",
            dstu2({"doseQuantity": mg(25), "timing": {"repeat": {"when": "HS"}}}), "25", "25", "25", "25"),
    example("DSTU2 with hours", "DSTU2 periodUnits",
            dstu2({"doseQuantity": tablets(1), "timing": {"repeat": {"frequency": 1, "period": 8, "periodUnits": "h"}}},
                  TOLPERISONE_150), "450", "450", "150", "450"),
    example("DSTU2 with a timing code", "DSTU2 timing.code",
            dstu2({"doseQuantity": mg(25), "timing": {"code": {"coding": [{"code": "BID"}]}}}), "50", "50", "25", "50"),
    example("R4 with one doseAndRate object", "HL7 library example, object for list",
            order({"doseAndRate": {"doseQuantity": mg(25)}, "timing": {"repeat": DAILY}}), "25", "25", "25", "25"),
    example("R4 with one instruction object", "object for list",
            {**order(), "dosageInstruction": take(mg(25), DAILY)}, "25", "25", "25", "25"),
    example("R4 with doseQuantity of STU3", "cds-hooks/sandbox issue 109",
            order({"doseQuantity": mg(25), "timing": {"repeat": DAILY}}), "25", "25", "25", "25"),
    example("ordered beside calculated", "Epic, calculated beside ordered",
            order({"doseAndRate": [{"type": CALCULATED, "doseQuantity": quantity(0.5, "mL", "mL")},
                                   {"type": ORDERED, "doseQuantity": mg(25)}], "timing": {"repeat": DAILY}}),
            "25", "25", "25", "25"),
    example("two that say the same", "Epic, calculated beside administered",
            order({"doseAndRate": [{"type": CALCULATED, "doseQuantity": mg(25)}, {"doseQuantity": mg(25)}],
                   "timing": {"repeat": DAILY}}), "25", "25", "25", "25"),
    example("a rate beside a dose", "HL7 Dosage, rate",
            order({"doseAndRate": [{"doseQuantity": mg(25)}, {"rateQuantity": quantity(1, "mL/h")}],
                   "timing": {"repeat": DAILY}}), "25", "25", "25", "25"),
    example("R5", "R5 medication.concept", r5(take(mg(25), DAILY)), "25", "25", "25", "25"),
    example("R5 as needed", "R5 asNeeded", r5(take(mg(25), {**THREE_TIMES["repeat"]}, asNeeded=True)),
            "0", "75", "25", "75"),
    example("R5 as needed for a reason, with a list of one maximum", "R5 asNeededFor",
            r5(take(mg(25), None, asNeededFor=[{"text": "pain"}], maxDosePerPeriod=[at_most(mg(50), A_DAY)])),
            "0", "50", "25", "50"),
    example("R5 range of tablets", "HL7 R5 example medicationrequest0301",
            r5(between(quantity(1, "TAB", "TAB", DRUG_FORM), quantity(2, "TAB", "TAB", DRUG_FORM),
                       per(1, 4, "h", periodMax=6), asNeeded=True)), "0", "300", "50", "300"),
    example("a statement", "R4 MedicationStatement", statement(take(mg(25), DAILY)), "25", "25", "25", "25"),
    example("a statement in words", "HL7 R4 example medicationstatementexample1",
            statement({"text": "1-2 tablets once daily at bedtime as needed"}), "0", "50", "50", "50", words=True),
    example("a DSTU2 statement", "DSTU2 quantityQuantity",
            statement({"quantityQuantity": mg(25),
                       "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnits": "d"}}}),
            "50", "50", "25", "50"),
    example("an R5 statement", "R5 MedicationStatement",
            {**statement(take(mg(25), DAILY)), "status": "recorded"}, "25", "25", "25", "25"),
    refused("two doses that differ", "HL7 Dosage, several doseAndRate",
            order({"doseAndRate": [{"doseQuantity": mg(25)}, {"doseQuantity": mg(50)}], "timing": {"repeat": DAILY}}),
            "doses-differ", "doseAndRate"),
    example("a tablet and its mg, both ordered", "Several doseAndRate that say the same",
            order({"doseAndRate": [{"doseQuantity": quantity(1, "tablet", "{tbl}")}, {"doseQuantity": mg(25)}],
                   "timing": {"repeat": DAILY}}), "25", "25", "25", "25"),
    example("a tablet of unknown strength and mg", "Several doseAndRate, one of which can be weighed",
            order({"doseAndRate": [{"doseQuantity": quantity(1, "tablet", "{tbl}")}, {"doseQuantity": mg(25)}],
                   "timing": {"repeat": DAILY}}, drug=AMITRIPTYLINE), "25", "25", "25", "25"),
    refused("no instruction", "CDS Hooks library, order-select before a dose", order(), "dose-missing",
            "dosageInstruction"),
    refused("a statement without a dosage", "R4 MedicationStatement", statement(None), "dose-missing",
            "dosageInstruction"),
    refused("only a timing", "CQF order without a dose", order({"timing": {"repeat": DAILY}}),
            "dose-missing", "doseAndRate"),
    refused("a statement without a unit", "R4 MedicationStatement", statement(take(quantity(25), DAILY)),
            "unit-missing", f"dosage[0].{QUANTITY}"),
)  # fmt: skip

HOSTILE = (
    refused("a dose of nothing", "hostile", order(take(mg(0), DAILY)), "dose-unclear", QUANTITY),
    refused("a negative dose", "hostile", order(take(mg(-25), DAILY)), "dose-unclear", QUANTITY),
    refused("half a milligram less than nothing", "hostile", order(take(mg(-0.5), DAILY)), "dose-unclear", QUANTITY),
    refused("a range upside down", "hostile", order(between(mg(50), mg(25), DAILY)), "dose-unclear", QUANTITY),
    refused("a range of nothing", "hostile", order(between(mg(0), mg(0), DAILY)), "dose-unclear", QUANTITY),
    refused("a range from below nothing", "hostile", order(between(mg(-10), mg(25), DAILY)), "dose-unclear", QUANTITY),
    refused("1e400000 mg", "hostile", order(take(mg(Decimal("1e400000")), DAILY)), "element-unreadable", "doseAndRate"),
    refused("1e400000 mg beside words", "hostile", order(take(mg(Decimal("1e400000")), DAILY, text="25 mg daily")),
            "element-unreadable", "doseAndRate"),
    refused("1e-30 mg", "hostile", order(take(mg(Decimal("1e-30")), DAILY)), "element-unreadable", "doseAndRate"),
    refused("a range up to 1e400000 mg", "hostile", order(between(mg(10), mg(Decimal("1e400000")), DAILY)),
            "element-unreadable", "doseAndRate"),
    refused("a range from 1e400000 mg", "hostile", order(between(mg(Decimal("-1e400000")), mg(25), DAILY)),
            "element-unreadable", "doseAndRate"),
    refused("less than 25 mg", "hostile", order(take({**mg(25), "comparator": "<"}, DAILY)),
            "element-unreadable", "doseAndRate"),
    refused("a dose that is no number", "hostile", order(take(mg("plenty"), DAILY)), "element-unreadable",
            f"{QUANTITY}.value"),
    refused("every 1e-30 days", "hostile", order(take(mg(25), per(1, Decimal("1e-30"), "d"))),
            "element-unreadable", "timing.repeat.period"),
    refused("every 1e-30 days at bedtime", "hostile",
            order(take(mg(25), {"period": Decimal("1e-30"), "periodUnit": "d", "when": ["HS"]})),
            "element-unreadable", "timing.repeat.period"),
    refused("every 1 to 1e400000 days", "hostile",
            order(take(mg(25), per(1, 1, "d", periodMax=Decimal("1e400000")))),
            "element-unreadable", "timing.repeat.periodMax"),
    refused("every 0 days", "hostile", order(take(mg(25), per(1, 0, "d"))),
            "frequency-missing", "timing.repeat.period"),
    refused("every -1 days", "hostile", order(take(mg(25), per(1, -1, "d"))),
            "frequency-missing", "timing.repeat.period"),
    refused("0 times a day", "hostile", order(take(mg(25), per(0, 1, "d"))), "element-unreadable",
            "timing.repeat.frequency"),
    refused("-3 times a day", "hostile", order(take(mg(25), per(-3, 1, "d"))), "element-unreadable",
            "timing.repeat.frequency"),
    refused("10^19 times a day", "hostile", order(take(mg(25), per(10**19, 1, "d"))), "element-unreadable",
            "timing.repeat.frequency"),
    refused("an instruction that is a word", "hostile", {**order(), "dosageInstruction": ["as I said"]},
            "dose-in-words", "dosageInstruction[0].text"),
    refused("an instruction that is a number", "hostile", {**order(), "dosageInstruction": [5]},
            "element-unreadable", "dosageInstruction[0]"),
    refused("a weight of the drug", "hostile", order(take(quantity(1, "mg/kg", "mg/kg"), DAILY), drug=AMITRIPTYLINE),
            "weight-missing", QUANTITY),
)  # fmt: skip

SHAPES = (*VERSIONS, *HOSTILE)

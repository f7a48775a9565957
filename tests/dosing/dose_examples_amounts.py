"""Dose examples: how much. Units in their spellings, strengths and their sources, mL, body weight, combinations."""

from tests.dosing.dose_orders import (
    AMITRIPTYLINE,
    AMITRIPTYLINE_25,
    ATC,
    DAILY,
    DRUG_FORM,
    QUANTITY,
    SNOMED,
    TOLPERISONE_150,
    Json,
    between,
    coded,
    example,
    holding,
    medication,
    mg,
    order,
    per,
    pointing,
    quantity,
    refused,
    strength,
    tablets,
    take,
    weight,
)

LOCAL = "urn:example:units"


def daily(dose: Json, drug: Json = AMITRIPTYLINE_25) -> Json:
    """The dose once a day."""
    return order(take(dose, DAILY), drug=drug)


def one_tablet(drug: Json) -> Json:
    """One tablet of the drug once a day."""
    return daily(tablets(1), drug)


def named(label: str) -> Json:
    """A drug in words only."""
    return {"text": label}


# 25 mg in every spelling (Q6).
MASSES = (
    *(
        example(f"25 mg as {dose['value']} {dose.get('unit', '')} [{dose.get('code', '')}]", "Q6, spellings",
                daily(dose, AMITRIPTYLINE), "25", "25", "25", "25")
        for dose in (
            quantity(25, "mg"), quantity(25, "", "mg"), quantity(25, "MG", "MG"), quantity(25, "Milligramm", "mg"),
            quantity(25, "milligrams"), quantity(0.025, "g", "g"), quantity(0.025, "gram"), quantity(0.025, "", "G"),
            quantity(25000, "ug", "ug"), quantity(25000, "mcg", "ug"), quantity(25000, "mcg"),
            quantity(25000, "\N{MICRO SIGN}g", "ug"), quantity(25000, "\N{GREEK SMALL LETTER MU}g"),
            quantity(25000, "micrograms"), quantity(25, "mg", "mg", LOCAL),
        )
    ),
    example("half a milligram", "Q6, decimals", daily(quantity(0.5, "mg", "mg")), "1/2", "1/2", "1/2", "1/2"),
    example("12.5 mg", "Q6, decimals", daily(mg(12.5)), "25/2", "25/2", "25/2", "25/2"),
    example("a tenth is a tenth", "SNOMED demonstrator trap 4", order(take(mg(0.1), per(3, 1, "d"))),
            "3/10", "3/10", "1/10", "3/10"),
)  # fmt: skip

# One piece of 25 mg in every spelling (Q5).
PIECES = (
    *(
        example(f"one {dose.get('unit', '')} [{dose.get('code', '')}] of 25 mg", "Q5, spellings",
                daily(dose), "25", "25", "25", "25")
        for dose in (
            quantity(1, "tablet"), quantity(1, "Tablet"), quantity(1, "tablets"), quantity(1, "tablet(s)"),
            quantity(1, "Tbl."), quantity(1, "tabletta"), quantity(1, "Filmtablette"), quantity(1, "pill"),
            quantity(1, "", "{tbl}"), quantity(1, "", "{tablet}"), quantity(1, "tablet", "{tablet}"),
            quantity(1, "", "{pill}"), quantity(1, "TAB", "TAB", DRUG_FORM), quantity(1, "Tablet", "TAB", DRUG_FORM),
            quantity(1, "Tablette", "732936001", SNOMED), quantity(1, "", "732936001", SNOMED),
            quantity(1, "", "1"), quantity(1, "tablet", "1"), quantity(1, "capsule", "{capsule}"),
            quantity(1, "Kapsel", "732937005", SNOMED), quantity(1, "CAP", "CAP", DRUG_FORM),
        )
    ),
    example("half a tablet", "Q5", daily(tablets(0.5)), "25/2", "25/2", "25/2", "25/2"),
    example("two capsules three times a day", "Q5",
            order(take(quantity(2, "capsules", "{capsule}"), per(3, 1, "d"))), "150", "150", "50", "150"),
    example("one to two tablets", "HL7 R4 example medicationrequest0301", order(between(tablets(1), tablets(2), DAILY)),
            "25", "50", "50", "50"),
    example("25 pieces when 25 mg was meant", "Q5, a slip that Q7 catches", daily(quantity(25, "", "{tbl}")),
            "625", "625", "625", "625"),
    example("one tolperisone tablet three times a day", "EU tolperisone label 50-150 mg x3",
            order(take(tablets(1), per(3, 1, "d")), drug=TOLPERISONE_150), "450", "450", "150", "450"),
    example("four tolperisone tablets", "Swiss tolperisone label, up to 600 mg",
            order(take(tablets(1), per(4, 1, "d")), drug=TOLPERISONE_150), "600", "600", "150", "600"),
)  # fmt: skip

UNITS_REFUSED = (
    refused("25 mg with a maximum of 10 mg at once", "the order contradicts itself",
            order(take(mg(25), DAILY, maxDosePerAdministration=mg(10))), "above-own-maximum",
            "dosageInstruction[0].maxDosePerAdministration"),
    refused("a megagram", "Q6, 'Mg' is not 'mg'", daily(quantity(25, "", "Mg")), "unit-unknown", QUANTITY),
    refused("text mg and code Mg", "Q6, 'Mg' is not 'mg'", daily(quantity(25, "mg", "Mg")), "unit-unknown", QUANTITY),
    refused("text mg and code ug", "Q6, conflict", daily(quantity(25, "mg", "ug")), "unit-conflict", QUANTITY),
    refused("text tablet and code mg", "Q6, conflict", daily(quantity(1, "tablet", "mg")), "unit-conflict", QUANTITY),
    refused("text mg and code 1", "Q6, conflict", daily(quantity(25, "mg", "1")), "unit-conflict", QUANTITY),
    refused("no unit", "Q6, mg is not assumed", daily(quantity(25)), "unit-missing", QUANTITY),
    refused("drops", "Q6", daily(quantity(10, "drops", "[drp]")), "unit-unknown", QUANTITY),
    refused("a patch", "Q6", daily(quantity(1, "patch", "{patch}")), "unit-unknown", QUANTITY),
    refused("code 1 of a local list", "Q6, UCUM's unity only", daily(quantity(25, "", "1", LOCAL)),
            "unit-unknown", QUANTITY),
    refused("code g of a local list", "Q6, UCUM's gram only", daily(quantity(2, "", "g", LOCAL)),
            "unit-unknown", QUANTITY),
    example("a clear text beside a code of another list", "Q5", daily(quantity(1, "tablet", "732936001")),
            "25", "25", "25", "25"),
    refused("SNOMED's tablet in another system, without a text", "Q5", daily(quantity(1, "", "732936001")),
            "unit-unknown", QUANTITY),
    refused("mg/day is a rate", "Q6", daily(quantity(25, "mg/d", "mg/d")), "unit-unknown", QUANTITY),
    refused("a range with a unit only at one end", "Q6", order(between(quantity(10), mg(25), DAILY)),
            "unit-missing", QUANTITY),
)  # fmt: skip

TABLET_50 = medication((AMITRIPTYLINE, strength(mg(50))))
TWO_FOR_50 = medication((AMITRIPTYLINE, strength(mg(50), quantity(2, "TAB", "TAB", DRUG_FORM))))
PLAIN_50 = {
    "resourceType": "Medication",
    "id": "med-1",
    "code": {"text": "Amitriptyline"},
    "ingredient": [{"itemCodeableConcept": AMITRIPTYLINE, "strength": {"numerator": mg(50)}}],
}

# mg in one tablet: from the Medication, the product code, then the label; different ones conflict (Q5).
STRENGTHS = (
    *(
        example(f"RxNorm {code} holds {value} mg", "RxNorm product",
                one_tablet(coded(code, "Amitriptyline Hydrochloride")), value, value, value, value)
        for code, value in (
            ("856783", "10"), ("856834", "25"), ("856845", "50"), ("856853", "75"), ("856762", "100"),
            ("856773", "150"), ("856791", "25"), ("856768", "25/2"),
        )
    ),
    example("the Sandbox's product name", "Sandbox order",
            one_tablet(named("Amitriptyline Hydrochloride 25 MG Oral Tablet")), "25", "25", "25", "25"),
    example("a label with a decimal comma", "Q5, label text", one_tablet(named("Amitriptylin 12,5 mg Tabletten")),
            "25/2", "25/2", "25/2", "25/2"),
    example("an ingredient code with a label", "Q5, label text",
            one_tablet(coded("704", "Amitriptyline 10mg tablets")), "10", "10", "10", "10"),
    example("an NDC label, 25 mg in 1", "Q5, label text", one_tablet(named("amitriptyline hydrochloride 25 mg/1")),
            "25", "25", "25", "25"),
    example("a contained Medication", "HL7 R4 example medicationstatementexample1",
            holding(take(tablets(1), DAILY), TABLET_50), "50", "50", "50", "50"),
    example("a Medication beside the order", "Q5, medicationReference", pointing(take(tablets(1), DAILY)),
            "50", "50", "50", "50", beside=(TABLET_50,)),
    example("a Medication of 50 mg in two tablets", "Q5, ratio", holding(take(tablets(1), DAILY), TWO_FOR_50),
            "25", "25", "25", "25"),
    example("a Medication without a denominator", "Q5, ratio", holding(take(tablets(1), DAILY), PLAIN_50),
            "50", "50", "50", "50"),
    example("a Medication in grams", "Q5, ratio",
            holding(take(tablets(1), DAILY), medication((AMITRIPTYLINE, strength(quantity(0.05, "g", "g"))))),
            "50", "50", "50", "50"),
    example("a Medication in micrograms", "Q5, ratio",
            holding(take(tablets(1), DAILY), medication((AMITRIPTYLINE, strength(quantity(25000, "mcg", "ug"))))),
            "25", "25", "25", "25"),
    example("sources that agree", "Q5", one_tablet(coded("856834", "Amitriptylin 25 mg Tabletten")),
            "25", "25", "25", "25"),
    example("25 mg of a 10 mg tablet is 25 mg", "Q5, mass needs no strength",
            daily(mg(25), coded("856783", "Amitriptyline 10 MG Tablet")), "25", "25", "25", "25"),
    refused("product code and label that differ", "Q5, conflict",
            one_tablet(coded("856834", "Amitriptyline 50 MG Oral Tablet")), "strength-conflict", "medication"),
    refused("two product codes that differ", "Q5, conflict",
            one_tablet({"coding": [*AMITRIPTYLINE_25["coding"], *coded("856845", "amitriptyline")["coding"]]}),
            "strength-conflict", "medication"),
    refused("Medication and label that differ", "Q5, conflict",
            holding(take(tablets(1), DAILY),
                    medication((AMITRIPTYLINE, strength(mg(50))), code=named("Amitriptyline 25 mg tablet"))),
            "strength-conflict", "medication"),
    refused("no strength", "Q5", one_tablet(AMITRIPTYLINE), "strength-unknown", "medication"),
    refused("1,000 mg, which is a thousand to some and one to others", "Q5, label text",
            one_tablet(coded("M03BX04", "Tolperison 1,000 mg", ATC)), "strength-unknown", "medication"),
    refused("1.000 mg, the same the other way round", "Q5, label text",
            one_tablet(coded("M03BX04", "Tolperison 1.000 mg", ATC)), "strength-unknown", "medication"),
    refused("a label with two strengths", "Q5, label text", one_tablet(named("Amitriptyline 10 mg, 25 mg tablets")),
            "strength-unknown", "medication"),
    refused("a label with a range of strengths", "Q5, label text", one_tablet(named("Amitriptyline 10-25 mg")),
            "strength-unknown", "medication"),
    refused("a label with two strengths in a ratio", "Q5, label text",
            one_tablet(named("Paracetamol/Tolperisone 500 mg/150 mg")), "strength-unknown", "medication"),
    refused("a Medication of nothing", "Q5, hostile",
            holding(take(tablets(1), DAILY), medication((AMITRIPTYLINE, strength(mg(0))))),
            "strength-unknown", "medication"),
    refused("tablets of a solution", "Q5", one_tablet(named("Amitriptyline 10 mg/5 mL oral solution")),
            "strength-unknown", "medication"),
    refused("tablets of a solution named with 'in'", "Q5", one_tablet(named("Amitriptyline 10mg in 5ml solution")),
            "strength-unknown", "medication"),
)  # fmt: skip


def ml(value: float) -> Json:
    """Millilitres."""
    return quantity(value, "mL", "mL")


SOLUTION = medication((AMITRIPTYLINE, strength(mg(25), ml(5))))
NEAT = medication((AMITRIPTYLINE, strength(quantity(0.01, "g", "g"), quantity(0.005, "L", "L"))))

VOLUMES = (
    example("5 mL of 10 mg/5 mL", "A-PAIN, oral solution", daily(ml(5), named("Amitriptyline 10 mg/5 mL solution")),
            "10", "10", "10", "10"),
    example("12.5 mL of 2 mg/mL", "A-PAIN, oral solution", daily(ml(12.5), named("Amitriptylin 2 mg/ml Lösung")),
            "25", "25", "25", "25"),
    example("5 mL of 50 mg per 5 ml", "A-PAIN, oral solution", daily(ml(5), named("Amitriptyline 50 mg per 5 ml")),
            "50", "50", "50", "50"),
    example("5 mL of 25 mg in 5 ml", "A-PAIN, oral solution", daily(ml(5), named("Amitriptyline 25 mg in 5 ml")),
            "25", "25", "25", "25"),
    example("2.5 mL twice a day of a contained solution", "HL7 sample order, 5 mL twice a day",
            holding(take(ml(2.5), per(2, 1, "d")), SOLUTION), "25", "25", "25/2", "25"),
    example("a litre is a thousand mL", "Q6", holding(take(quantity(0.005, "L", "L"), DAILY), SOLUTION),
            "25", "25", "25", "25"),
    example("grams in litres", "Q6, 10 g in 5 L is 2 mg/mL", holding(take(ml(5), DAILY), NEAT),
            "10", "10", "10", "10"),
    example("a concentration in two forms that agree", "Q6",
            daily(ml(5), named("Amitriptyline 10 mg/5 mL (2 mg/mL)")), "10", "10", "10", "10"),
    refused("mL of nobody knows what", "Q6", daily(ml(5), AMITRIPTYLINE), "concentration-unknown", "medication"),
    refused("mL of a tablet", "Q6", daily(ml(5)), "concentration-unknown", "medication"),
    refused("mL where Medication and label differ", "Q6, conflict",
            holding(take(ml(5), DAILY), {**SOLUTION, "code": named("Amitriptyline 10 mg/5 mL")}),
            "strength-conflict", "medication"),
    refused("mL of something in no volume", "Q6, hostile", daily(ml(5), named("Amitriptyline 10 mg/0 mL")),
            "concentration-unknown", "medication"),
)  # fmt: skip

HALF_A_MG = daily(quantity(0.5, "mg/kg", "mg/kg"))

# The tests' day is 2026-11-23: 2026-08-26 is 89 days before it, 08-25 is 90, 08-24 is 91.
WEIGHTS = (
    example("0.5 mg/kg, weighed 89 days ago", "Q6, 90 days", HALF_A_MG, "40", "40", "40", "40",
            beside=(weight(80, "2026-08-26"),)),
    example("0.5 mg/kg, weighed 90 days ago", "Q6, 90 days", HALF_A_MG, "40", "40", "40", "40",
            beside=(weight(80, "2026-08-25"),)),
    example("0.5 mg/kg, weighed in grams", "Q6", HALF_A_MG, "40", "40", "40", "40",
            beside=(weight(80000, "2026-11-01", "g"),)),
    example("0.5 mg/kg, weighed in pounds", "Q6", HALF_A_MG, "45359237/2000000", "45359237/2000000",
            "45359237/2000000", "45359237/2000000", beside=(weight(100, "2026-11-01", "[lb_av]"),)),
    example("0.5 mg/kg twice a day", "Q6", order(take(quantity(0.5, "mg/kg"), per(2, 1, "d"))),
            "80", "80", "40", "80", beside=(weight(80, "2026-11-01"),)),
    example("the latest of two weights", "Q6", HALF_A_MG, "35", "35", "35", "35",
            beside=(weight(80, "2026-10-01"), weight(70, "2026-11-01"))),
    refused("0.5 mg/kg, weighed 91 days ago", "Q6, 90 days", HALF_A_MG, "weight-missing", QUANTITY,
            beside=(weight(80, "2026-08-24"),)),
    refused("0.5 mg/kg, never weighed", "Q6", HALF_A_MG, "weight-missing", QUANTITY),
    refused("0.5 mg/kg, weighed in error", "Q6", HALF_A_MG, "weight-missing", QUANTITY,
            beside=(weight(80, "2026-11-01", status="entered-in-error"),)),
    refused("0.5 mg/kg, weighed in stones", "Q6", HALF_A_MG, "weight-missing", QUANTITY,
            beside=(weight(12, "2026-11-01", "[stone_av]"),)),
    refused("0.5 mg/kg, to be weighed tomorrow", "Q6", HALF_A_MG, "weight-missing", QUANTITY,
            beside=(weight(80, "2026-11-24"),)),
    refused("micrograms a kilogram", "Q6", daily(quantity(500, "ug/kg", "ug/kg")), "unit-unknown", QUANTITY),
)  # fmt: skip

LIMBITROL = coded("856796", "amitriptyline hydrochloride 25 MG / chlordiazepoxide 10 MG Oral Tablet [Limbitrol]")
CHLORDIAZEPOXIDE = {"text": "chlordiazepoxide"}

# The amitriptyline part only (Q8).
COMBINATIONS = (
    example("Limbitrol three times a day", "RxNorm 856796, Limbitrol 10-25",
            order(take(tablets(1), per(3, 1, "d")), drug=LIMBITROL), "75", "75", "25", "75"),
    *(
        example(f"RxNorm {code} holds {value} mg of amitriptyline", "RxNorm product, combination",
                one_tablet(coded(code, "Amitriptyline with a partner")), value, value, value, value)
        for code, value in (
            ("856706", "10"), ("856720", "10"), ("856797", "25"), ("856825", "25"), ("856840", "50"),
            ("856769", "25/2"), ("856792", "25"), ("856863", "25/2"),
        )
    ),
    *(
        example(f"{label} holds {value} mg of amitriptyline", "Q8, label text", one_tablet(named(label)),
                value, value, value, value)
        for label, value in (
            ("Limbitrol 10-25", "25"), ("Limbitrol 5-12.5", "25/2"), ("Triavil 4-50", "50"), ("Etrafon 2-10", "10"),
            ("perphenazine-amitriptyline 2 mg-10 mg oral tablet", "10"),
            ("Perphenazine and amitriptyline 4 mg/25 mg tablet", "25"),
            ("amitriptyline-perphenazine 25 mg-4 mg oral tablet", "25"),
            ("Perphenazine-Amitriptyline 4-10 MG Oral Tablet", "10"), ("Perphenazine and Amitriptyline 2/25", "25"),
            ("Chlordiazepoxide-Amitriptyline 5-12.5 MG", "25/2"),
            ("Amitriptyline-Perphenazine 25-2 MG Oral Tablet", "25"), ("Amitriptylin/Perphenazine 50/4", "50"),
            ("Amitriptyline HCl and Chlordiazepoxide 12.5-5", "25/2"),
            ("Chlordiazepoxide 10 MG / Amitriptyline Hydrochloride 25 MG Oral Tablet", "25"),
            ("amitriptyline hydrochloride 25 MG / perphenazine 2 MG Oral Tablet", "25"),
            ("Amitriptylinhydrochlorid 25 mg, Perphenazine 2 mg", "25"),
        )
    ),
    example("a Medication of two ingredients", "Q8, Medication",
            holding(take(tablets(2), DAILY),
                    medication((CHLORDIAZEPOXIDE, strength(mg(10))), (AMITRIPTYLINE, strength(mg(25))))),
            "50", "50", "50", "50"),
    refused("a brand without numbers", "Q8, label text", one_tablet(named("Limbitrol")),
            "strength-unknown", "medication"),
    refused("a brand beside the name, in no order", "Q8, label text",
            one_tablet(named("Limbitrol (amitriptyline) 10-25")), "strength-unknown", "medication"),
    refused("a partner that is not known", "Q5, label text", one_tablet(named("Amitriptylin/Unbekanntin 25 mg / 2 mg")),
            "strength-unknown", "medication"),
    refused("a group of combinations", "RxNorm 1152272",
            one_tablet(coded("1152272", "Amitriptyline / Perphenazine Pill")), "strength-unknown", "medication"),
    refused("code and label of a combination that differ", "Q5 with Q8", one_tablet(coded("856797", "Triavil 4-50")),
            "strength-conflict", "medication"),
)  # fmt: skip

AMOUNTS = (*MASSES, *PIECES, *UNITS_REFUSED, *STRENGTHS, *VOLUMES, *WEIGHTS, *COMBINATIONS)

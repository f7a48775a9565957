"""One dose in mg is worked out from what is stated, shown with its source, and never from a guess (Q5, Q6, Q8)."""

from fractions import Fraction
from typing import Any

import pytest

from service.dosing.amount import (
    Amount,
    NotComputed,
    Product,
    Quantity,
    amount,
    concentrations_in_text,
    strengths_in_text,
)
from service.terminology.recognise import Recognition, Strength

DRUG = "amitriptyline"
PLAIN = Recognition((DRUG,))
COMBINED = Recognition((DRUG, "perphenazine"), combination=True)
CODED = Recognition((DRUG,), strengths=(Strength(DRUG, Fraction(25), "RxNorm 856834"),))


def product(label: str = "amitriptyline", recognised: Recognition = PLAIN, **members: Any) -> Product:
    """A product with a label."""
    return Product(DRUG, recognised, label, **members)


def weighed(quantity: Quantity, of: Product) -> Amount:
    """The amount of a quantity that has one."""
    found = amount(quantity, of)
    assert isinstance(found, Amount)
    return found


def refusal(quantity: Quantity, of: Product) -> NotComputed:
    """Why a quantity has no amount."""
    found = amount(quantity, of)
    assert isinstance(found, NotComputed)
    return found


TABLET = Quantity(Fraction(1), "tablet", "{tbl}")
MILLILITRES = Quantity(Fraction(5), "mL", "mL")
BY_WEIGHT = Quantity(Fraction(1, 2), "", "mg/kg")


@pytest.mark.parametrize(
    ("quantity", "of", "mg", "words"),
    [
        (Quantity(Fraction(25), "mg", "mg"), product(), "25", "25 mg"),
        (Quantity(Fraction(1, 40), "g", "g"), product(), "25", "0.025 g"),
        (Quantity(Fraction(25000), "mcg"), product(), "25", "25000 ug"),
        (TABLET, product(recognised=CODED), "25", "1 tablet × 25 mg (RxNorm 856834)"),
        (Quantity(Fraction(2), "", "TAB"), product(recognised=CODED), "50", "2 tablets × 25 mg (RxNorm 856834)"),
        (Quantity(Fraction(1, 2), "Kapsel"), product("Saroten 50 mg"), "25", "0.5 capsules × 50 mg (label text)"),
        (MILLILITRES, product("Amitriptyline 10 mg/5 mL"), "10", "5 mL × 2 mg/mL (label text)"),
        (Quantity(Fraction(1, 200), "", "L"), product("Amitriptyline 2 mg/mL"), "10", "5 mL × 2 mg/mL (label text)"),
        (BY_WEIGHT, product(weight=Fraction(80)), "40", "0.5 mg/kg × 80 kg"),
    ],
)
def test_an_amount_is_exact_and_shows_how_it_came_about(quantity: Quantity, of: Product, mg: str, words: str) -> None:
    assert weighed(quantity, of) == Amount(Fraction(mg), words)


@pytest.mark.parametrize(
    ("quantity", "of", "reason", "found", "conflict"),
    [
        (Quantity(Fraction(25)), product(), "unit-missing", "", False),
        (Quantity(Fraction(25), "drops"), product(), "unit-unknown", "drops", False),
        (Quantity(Fraction(25), "mg", "Mg"), product(), "unit-unknown", "Mg", False),
        (Quantity(Fraction(25), "mg", "ug"), product(), "unit-conflict", "mg / ug", True),
        (TABLET, product(), "strength-unknown", "", False),
        (MILLILITRES, product(), "concentration-unknown", "", False),
        (BY_WEIGHT, product(), "weight-missing", "", False),
        (
            TABLET,
            product("Amitriptyline 50 mg", CODED),
            "strength-conflict",
            "25 mg (RxNorm 856834), 50 mg (label text)",
            True,
        ),
        (
            MILLILITRES,
            product("Amitriptyline 2 mg/mL", stated=(Strength(DRUG, Fraction(5), "Medication", per_ml=True),)),
            "strength-conflict",
            "5 mg/mL (Medication), 2 mg/mL (label text)",
            True,
        ),
    ],
)
def test_no_amount_says_why_and_what_stood_there(
    quantity: Quantity, of: Product, reason: str, found: str, conflict: bool
) -> None:
    why = refusal(quantity, of)
    assert (why.reason, why.found, why.conflict) == (reason, found, conflict)


def test_a_reason_takes_the_element_it_is_told_unless_it_names_one() -> None:
    assert refusal(Quantity(Fraction(25)), product()).at("dose").element == "dose"
    assert refusal(TABLET, product()).at("dose").element == "medication"


def test_the_strength_of_another_drug_does_not_count() -> None:
    other = Strength("perphenazine", Fraction(2), "RxNorm 1")
    assert refusal(TABLET, product(stated=(other,))).reason == "strength-unknown"
    own = Strength(DRUG, Fraction(25), "Medication")
    assert weighed(TABLET, product(stated=(other, own))).mg == 25


def test_a_strength_a_piece_is_none_a_millilitre() -> None:
    assert refusal(MILLILITRES, product(recognised=CODED)).reason == "concentration-unknown"
    solution = product("solution", stated=(Strength(DRUG, Fraction(2), "Medication", per_ml=True),))
    assert refusal(TABLET, solution).reason == "strength-unknown"


@pytest.mark.parametrize(
    ("label", "strengths"),
    [
        ("Amitriptyline Hydrochloride 25 MG Oral Tablet", ["25"]),
        ("Amitriptylin 12,5mg Tabletten", ["25/2"]),
        ("Tolperison 150 mg, 30 Filmtabletten", ["150"]),
        ("amitriptyline 25 mg/1", ["25"]),
        ("Amitriptyline 10 mg, 25 mg", ["10", "25"]),
        ("Amitriptyline 25 mg (25 mg)", ["25"]),
        ("A/B 500 mg/150 mg", ["500", "150"]),
        ("A/B 500 mg / 150 mg", ["500", "150"]),
        ("A 10 mg-25 mg", ["10", "25"]),
        ("Amitriptyline 10 mg/5 mL", []),
        ("Amitriptyline 10mg per 5ml", []),
        ("Amitriptyline 10mg in 5 ml", []),
        ("Tolperison 1,000 mg", []),
        ("Tolperison 1.000 mg", []),
        ("Tolperison 10000 mg", []),
        ("Amitriptyline 10-25 mg", []),
        ("Amitriptyline 25 mgs", []),
        ("Amitriptyline 25", []),
        ("N25 mg", []),
        ("", []),
    ],
)
def test_the_strengths_of_a_label_are_read_where_they_are_plain(label: str, strengths: list[str]) -> None:
    assert list(strengths_in_text(label)) == [Fraction(strength) for strength in strengths]


@pytest.mark.parametrize(
    ("label", "concentrations"),
    [
        ("Amitriptyline 10 mg/5 mL", ["2"]),
        ("Amitriptyline 2 mg/ml", ["2"]),
        ("Amitriptyline 12,5 mg pro 5 ml", ["5/2"]),
        ("Amitriptyline 25 mg in 5 ml", ["5"]),
        ("Amitriptyline 10 mg/5 mL, 50 mg/5 mL", ["2", "10"]),
        ("Amitriptyline 10 mg/0 mL", []),
        ("Amitriptyline 10 mg", []),
        ("Amitriptyline 1,000 mg/5 mL", []),
    ],
)
def test_the_concentrations_of_a_label_are_read_where_they_are_plain(label: str, concentrations: list[str]) -> None:
    assert list(concentrations_in_text(label)) == [Fraction(concentration) for concentration in concentrations]


@pytest.mark.parametrize(
    ("label", "mg"),
    [
        ("Limbitrol 10-25", "25"),
        ("Limbitrol 12,5 mg/5 mg Kaps", "25/2"),
        ("Klotriptyl mite 12,5/5 mg", "25/2"),
        ("Mutabon Forte 25 mg + 4 mg", "25"),
        ("Mutabon Mite 2 mg + 10 mg", "10"),
        ("Triavil 2/25", "25"),
        ("Perphenazine-Amitriptyline 2-25 MG", "25"),
        ("Amitriptyline-Perphenazine 25-2 MG", "25"),
        ("Amitriptyline Hydrochloride & Perphenazine 25/2", "25"),
        ("Perphenazin mit Amitriptylin 2-25", "25"),
        ("Perphenazine 2 MG / Amitriptyline HCl 25 MG", "25"),
        ("Amitriptyline 12.5 mg-chlordiazepoxide 5 mg", "25/2"),
    ],
)
def test_the_own_part_of_a_combination_stands_beside_its_name_or_in_its_place(label: str, mg: str) -> None:
    assert weighed(TABLET, product(label, COMBINED)).mg == Fraction(mg)


@pytest.mark.parametrize(
    "label",
    [
        "Limbitrol",
        "Limbitrol (amitriptyline) 10-25",
        "Amitriptyline 10-25",
        "A-Amitriptyline-B 1-25-2",
        "Triavil 2 25",
        "Perphenazine-Amitriptyline 25-2",
        "Amitriptyline/Chlordiazepoxide 5-12.5",
    ],
)
def test_a_combination_in_no_clear_order_has_no_strength(label: str) -> None:
    assert refusal(TABLET, product(label, COMBINED)).reason == "strength-unknown"

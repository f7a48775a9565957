"""Kidney function from creatinine is what the published equation gives, and nothing where it is not for the patient."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dosing.filtration import egfr
from service.engine.library import Library

NUMBERS = {
    "ckd_epi_scale": "142",
    "ckd_epi_kappa_female": "0.7",
    "ckd_epi_kappa_male": "0.9",
    "ckd_epi_alpha_female": "0.241",
    "ckd_epi_alpha_male": "0.302",
    "ckd_epi_beta": "1.200",
    "ckd_epi_year": "0.9938",
    "ckd_epi_female": "1.012",
    "ckd_epi_adult": "18",
    "ckd_epi_umol_per_mg": "88.4",
    "ckd_epi_least": "0.1",
    "ckd_epi_most": "30",
}


def computed(creatinine: str, unit: str, age: int, sex: str) -> int | None:
    found = egfr(Fraction(creatinine), unit, age, sex, {name: Fraction(value) for name, value in NUMBERS.items()})
    return int(found) if found is not None else None


def test_the_numbers_are_those_of_the_card(library: Library) -> None:
    numbers = library.cards["not-checked"].thresholds
    assert {name: numbers[name].value for name in NUMBERS} == {n: Fraction(value) for n, value in NUMBERS.items()}


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "rate"),
    [
        # Worked by hand from the equation: at kappa both powers are 1.
        ("0.9", 50, "male", round(142 * 0.9938**50)),
        ("0.7", 50, "female", round(142 * 0.9938**50 * 1.012)),
        ("1.8", 50, "male", round(142 * 2**-1.2 * 0.9938**50)),
        ("0.45", 50, "male", round(142 * 2**0.302 * 0.9938**50)),
        ("0.35", 50, "female", round(142 * 2**0.241 * 0.9938**50 * 1.012)),
        ("1.4", 80, "female", round(142 * 2**-1.2 * 0.9938**80 * 1.012)),
    ],
)
def test_the_equation_is_followed(creatinine: str, age: int, sex: str, rate: int) -> None:
    assert computed(creatinine, "mg/dL", age, sex) == rate
    assert computed(str(Fraction(creatinine) * Fraction("88.4")), "umol/L", age, sex) == rate


@pytest.mark.parametrize(
    ("creatinine", "unit", "age", "sex"),
    [
        ("1", "mg/dL", 17, "male"),
        ("1", "mg/dL", 50, ""),
        ("1", "mg/dL", 50, "other"),
        ("1", "mL/min", 50, "male"),
        ("1", "umol/L", 50, "male"),
        ("90", "mg/dL", 50, "male"),
        ("0", "mg/dL", 50, "male"),
    ],
)
def test_what_the_equation_is_not_for_gives_nothing(creatinine: str, unit: str, age: int, sex: str) -> None:
    assert computed(creatinine, unit, age, sex) is None


@given(
    mg=st.fractions(min_value=Fraction(1, 10), max_value=29, max_denominator=100),
    age=st.integers(min_value=18, max_value=120),
    sex=st.sampled_from(["female", "male"]),
)
def test_more_creatinine_and_more_years_never_mean_a_better_kidney(mg: Fraction, age: int, sex: str) -> None:
    here = computed(str(mg), "mg/dL", age, sex)
    assert here is not None
    for creatinine, years in ((mg + 1, age), (mg, age + 1)):
        other = computed(str(creatinine), "mg/dL", years, sex)
        assert other is not None
        assert other <= here

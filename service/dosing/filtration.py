"""Kidney function computed from creatinine, age and sex with the CKD-EPI equation of 2021.

Its numbers are handed in, from the card ``not-checked``, where their source stands.
"""

from collections.abc import Mapping
from fractions import Fraction

SEXES = frozenset({"female", "male"})
NUMBERS = {
    **dict.fromkeys(("ckd_epi_scale", "ckd_epi_alpha_female", "ckd_epi_alpha_male", "ckd_epi_beta"), ""),
    **dict.fromkeys(("ckd_epi_year", "ckd_epi_female", "ckd_epi_umol_per_mg"), ""),
    **dict.fromkeys(("ckd_epi_kappa_female", "ckd_epi_kappa_male", "ckd_epi_least", "ckd_epi_most"), "mg/dL"),
    "ckd_epi_adult": "a",
}
"""The names of the numbers that it needs, each with its unit; without one of them nothing is computed."""


def egfr(creatinine: Fraction, unit: str, age: int, sex: str, numbers: Mapping[str, Fraction]) -> Fraction | None:
    """mL/min per 1.73 m², in whole numbers as laboratories report it.

    None for another unit than mg/dL and umol/L, a creatinine incompatible with life, a sex that the equation does
    not know, and below the age of adults, for whom it was derived.
    """
    per_mg = {"mg/dL": Fraction(1), "umol/L": numbers["ckd_epi_umol_per_mg"]}.get(unit)
    if per_mg is None or sex not in SEXES or age < numbers["ckd_epi_adult"]:
        return None
    mg = creatinine / per_mg
    if not numbers["ckd_epi_least"] <= mg <= numbers["ckd_epi_most"]:
        return None
    ratio = float(mg / numbers[f"ckd_epi_kappa_{sex}"])
    exponent = numbers[f"ckd_epi_alpha_{sex}"] if ratio < 1 else numbers["ckd_epi_beta"]
    found = float(numbers["ckd_epi_scale"]) * ratio ** -float(exponent) * float(numbers["ckd_epi_year"]) ** age
    return Fraction(round(found * float(numbers["ckd_epi_female"] if sex == "female" else 1)))

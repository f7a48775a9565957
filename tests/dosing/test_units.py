"""Units are understood in the spellings that occur, and nothing else is taken for milligrams (Q5, Q6)."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dosing.units import (
    ALL_LANGUAGES,
    MEASUREMENT_UNITS,
    UCUM,
    UNITS,
    Kind,
    Unit,
    faulty_tables,
    same_unit,
    unit_of_code,
    unit_of_text,
)
from tests.engine.folder import changed, copied

MILLIGRAM = Unit(Kind.MASS, "mg")
GRAM = Unit(Kind.MASS, "g", Fraction(1000))
MICROGRAM = Unit(Kind.MASS, "ug", Fraction(1, 1000))
TABLET = Unit(Kind.COUNT, "tablet")
CAPSULE = Unit(Kind.COUNT, "capsule")

SNOMED = "http://snomed.info/sct"


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("mg", MILLIGRAM),
        ("MG", MILLIGRAM),
        (" mg ", MILLIGRAM),
        ("milligrams", MILLIGRAM),
        ("Milligramm", MILLIGRAM),
        ("g", GRAM),
        ("Gramm", GRAM),
        ("mcg", MICROGRAM),
        ("ug", MICROGRAM),
        ("\N{MICRO SIGN}g", MICROGRAM),
        ("\N{GREEK SMALL LETTER MU}g", MICROGRAM),
        ("Mikrogramm", MICROGRAM),
        ("tablet", TABLET),
        ("Tablets", TABLET),
        ("tablet(s)", TABLET),
        ("{tbl}", TABLET),
        ("{pill}", TABLET),
        ("TAB", TABLET),
        ("tabl.", TABLET),
        ("Filmtabletten", TABLET),
        ("tabletta", TABLET),
        ("capsule(s)", CAPSULE),
        ("Kapseln", CAPSULE),
        ("kapszula", CAPSULE),
    ],
)
def test_a_unit_is_understood_in_words_of_several_languages(text: str, unit: Unit) -> None:
    assert unit_of_text(text) == unit


@pytest.mark.parametrize("text", ["", " ", "{}", "U", "IU", "drop", "puff", "mg/mL", "mg/d", "mgg", "one tablet", "%"])
def test_a_unit_that_is_not_known_is_not_guessed(text: str) -> None:
    assert unit_of_text(text) is None


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("mg", MILLIGRAM),
        ("MG", MILLIGRAM),
        ("g", GRAM),
        ("G", GRAM),
        ("ug", MICROGRAM),
        ("UG", MICROGRAM),
        ("mcg", MICROGRAM),
        ("{tbl}", TABLET),
        ("{Tbl}", TABLET),
        ("{tablet}", TABLET),
        ("{pill}", TABLET),
        ("{capsule}", CAPSULE),
        ("TAB", TABLET),
        ("CAP", CAPSULE),
    ],
)
def test_a_unit_is_understood_by_its_ucum_code(code: str, unit: Unit) -> None:
    assert unit_of_code(code, UCUM) == unit


@pytest.mark.parametrize("code", ["Mg", "mG", "Ug", "uG"])
def test_a_mass_code_in_the_wrong_case_is_another_unit_in_ucum(code: str) -> None:
    assert unit_of_code(code, UCUM) is None


def test_ucums_unity_is_one_piece() -> None:
    assert unit_of_code("1", UCUM) == TABLET


def test_the_snomed_unit_of_presentation_is_a_tablet_only_in_its_own_system() -> None:
    assert unit_of_code("732936001", SNOMED) == TABLET
    assert unit_of_code("732936001", UCUM) is None
    assert unit_of_code("258684004", SNOMED) == MILLIGRAM


@pytest.mark.parametrize("code", ["", "U", "[iU]", "{puff}", "%", "mg/mL", "25"])
def test_a_code_that_is_not_known_is_not_guessed(code: str) -> None:
    assert unit_of_code(code, UCUM) is None


def test_masses_agree_only_in_their_size_and_pieces_always() -> None:
    assert same_unit(MILLIGRAM, MILLIGRAM)
    assert same_unit(TABLET, CAPSULE)
    assert not same_unit(MILLIGRAM, MICROGRAM)
    assert not same_unit(GRAM, MILLIGRAM)
    assert not same_unit(MILLIGRAM, TABLET)


@given(text=st.text(max_size=12), system=st.one_of(st.just(UCUM), st.just(SNOMED), st.text(max_size=12)))
def test_no_text_and_no_code_ever_raise(text: str, system: str) -> None:
    for unit in (unit_of_text(text), unit_of_code(text, system)):
        assert unit is None or unit.kind in Kind


@given(text=st.text(alphabet="mguMGUkKcC\N{MICRO SIGN}", min_size=1, max_size=4))
def test_code_and_words_of_one_mass_never_contradict_each_other(text: str) -> None:
    coded, worded = unit_of_code(text, UCUM), unit_of_text(text)
    assert coded is None or (worded is not None and same_unit(coded, worded))


def test_a_table_without_which_no_dose_is_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied(tmp_path)
    needed = [UNITS, MEASUREMENT_UNITS, ALL_LANGUAGES]
    for name in needed:
        (folder / name).unlink()
    assert faulty_tables(folder) == [], "those of this guideline serve every other one"
    monkeypatch.setattr("service.dosing.units.CARDS", folder)
    assert [str(fault) for fault in faulty_tables(folder)] == [f"{name}: No such file or directory" for name in needed]


def test_a_measurement_whose_units_are_listed_and_that_the_terminology_lacks_is_named(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    changed(folder, MEASUREMENT_UNITS, "\n  potassium:", "\n  potasium:")
    (fault,) = faulty_tables(folder)
    assert str(fault) == f"{MEASUREMENT_UNITS}: measured: no set of terminology/observations begins with 'potasium'"

"""Kidney function is read under its codes and in its units, computed where only creatinine is there, or not checked."""

from fractions import Fraction
from typing import Any

import pytest

from service.chart import Chart
from service.engine.library import Library
from service.fhir.chart_reader import ChartReader
from service.fhir.prefetch import Prefetch
from service.fhir.resources import Resource
from service.fhir.session import Orders, Session
from service.guidance.ids import SUBJECTS
from tests.fhir.samples import TODAY, bundle, raw

LOINC = "http://loinc.org"
EGFR = [*("33914-3", "48642-3", "48643-1", "62238-1", "69405-9", "77147-7", "88293-6", "88294-4", "98979-8")]
LISTS = ("medications", "statements", "conditions", "allergies")


def observation(code: str, value: Any, unit: str, day: str = "2026-11-01") -> Resource:
    quantity = {"value": value, "unit": unit}
    coding = {"coding": [{"system": LOINC, "code": code}]}
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": coding,
        "effectiveDateTime": day,
        "valueQuantity": quantity,
    }


def chart(library: Library, *observations: Resource, **patient: Any) -> Chart:
    who = {"resourceType": "Patient", "id": "1", "birthDate": "1956-01-01", "gender": "female", **patient}
    prefetch = {"patient": who, "observations": bundle(*observations), **dict.fromkeys(LISTS)}
    numbers = {name: number.value for name, number in library.cards["not-checked"].thresholds.items()}
    return ChartReader(
        Session("patient-view", "1", ordering=False),
        Orders(()),
        Prefetch({key: raw(value) for key, value in prefetch.items()}),
        library.terminology,
        SUBJECTS,
        TODAY,
        numbers,
    ).whole()


@pytest.mark.parametrize("code", EGFR)
def test_filtration_is_read_under_its_usual_codes(code: str, library: Library) -> None:
    (read,) = chart(library, observation(code, 45, "mL/min/{1.73_m2}")).measurements
    assert (read.value, read.unit, read.indexed, read.computed) == (Fraction(45), "mL/min", True, False)


@pytest.mark.parametrize(
    ("value", "unit", "rate"),
    [
        *((0.75, unit, 45) for unit in ("mL/s", "ml/s", "mL/s/{1.73_m2}", "ml/s/1.73m2", "ml/s/1,73 m²")),
        *((45, unit, 45) for unit in ("ml/min/1,73m²", "mL/min/1.73qm", "mL/min/1.73", "ML/MIN")),
    ],
)
def test_millilitres_a_second_and_other_spellings_are_read(value: Any, unit: str, rate: int, library: Library) -> None:
    (read,) = chart(library, observation("98979-8", value, unit)).measurements
    assert (read.value, read.indexed) == (Fraction(rate), "1" in unit)


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        *(("2160-0", 1.4, unit) for unit in ("mg/dL", "mg/dl")),
        *(("14682-9", 123.76, unit) for unit in ("umol/L", "µmol/l", "\N{GREEK SMALL LETTER MU}mol/L")),
        ("14682-9", 0.12376, "mmol/L"),
        ("2160-0", 14, "mg/L"),
    ],
)
def test_creatinine_gives_filtration_marked_as_computed(code: str, value: Any, unit: str, library: Library) -> None:
    read = chart(library, observation(code, value, unit))
    computed = read.latest("egfr-computed")
    assert computed is not None
    assert (computed.value, computed.computed) == (Fraction(round(142 * 2**-1.2 * 0.9938**70 * 1.012)), True)
    assert "computed from creatinine" in computed.shown_unit
    assert read.unread == ()


def test_a_filtration_rate_that_is_as_new_counts_and_an_older_one_does_not(library: Library) -> None:
    creatinine = observation("2160-0", 1.4, "mg/dL", "2026-11-01")
    assert chart(library, creatinine, observation("98979-8", 60, "mL/min")).latest("egfr-computed") is None
    older = observation("98979-8", 60, "mL/min", "2026-01-01")
    assert chart(library, creatinine, older).latest("egfr-computed") is not None


@pytest.mark.parametrize(
    "patient", [{"gender": "unknown"}, {"gender": None}, {"birthDate": None}, {"birthDate": "2015-01-01"}]
)
def test_creatinine_that_cannot_be_computed_with_is_said(patient: dict[str, Any], library: Library) -> None:
    read = chart(library, observation("2160-0", 1.4, "mg/dL"), **patient)
    assert [gap.reason for gap in read.unread] == ["creatinine-alone"]


@pytest.mark.parametrize("unit", ["furlong", "mg", "%", "mg/dL", "kg"])
def test_a_value_in_a_unit_that_is_not_read_is_said(unit: str, library: Library) -> None:
    read = chart(library, observation("98979-8", 45, unit), observation("98979-8", 44, unit))
    assert [(gap.reason, gap.found) for gap in read.unread] == [("measurement-unit", unit)]


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        ("2823-3", 10.5, "mg/dL"),
        ("2823-3", 2.6, ""),
        ("19123-9", 0.4, "kg"),
        ("8636-3", 530, "mg/dL"),
        ("8636-3", 530, ""),
    ],
)
def test_a_unit_of_other_kinds_is_none_of_this_one(code: str, value: float, unit: str, library: Library) -> None:
    read = chart(library, observation(code, value, unit))
    assert [(gap.reason, gap.found) for gap in read.unread] == [("measurement-unit", unit)]
    assert read.measurements == ()

"""A type of metaboliser is about the gene that the report names, wherever it stands; without one it is named."""

from typing import Any

import pytest

from service.fhir.observations import Observed, observed
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import TODAY

LOINC = "http://loinc.org"
EFFECT = {"coding": [{"system": LOINC, "code": "53040-2"}]}
POOR = {"coding": [{"system": LOINC, "code": "LA9657-3", "display": "Poor metabolizer"}]}


def observation(code: Any, **members: Any) -> Resource:
    named = {"text": code} if isinstance(code, str) else code
    base = {"resourceType": "Observation", "status": "final", "effectiveDateTime": "2026-11-20"}
    return {**base, "code": named, **members}


def gene(name: str) -> dict[str, Any]:
    code = {"coding": [{"system": LOINC, "code": "48018-6", "display": "Gene studied [ID]"}]}
    return {"code": code, "valueCodeableConcept": {"text": name}}


def read(terminology: Terminology, *resources: Resource) -> Observed:
    return observed(resources, terminology, today=TODAY)


def implication(**members: Any) -> Resource:
    answer = {"code": {"text": "Therapeutic Implication"}, "valueCodeableConcept": POOR}
    return observation("therapeutic-implication", component=[answer], **members)


GENOTYPE = observation("Genotype", id="g1", component=[gene("CYP2C19")], valueString="*2/*2")
REPORTS = {
    "the gene as a component": ([observation(EFFECT, valueCodeableConcept=POOR, component=[gene("CYP2D6")])], "2d6"),
    "both as components": (
        [observation("Report", component=[gene("CYP2D6"), {"code": EFFECT, "valueCodeableConcept": POOR}])],
        "2d6",
    ),
    "the gene of what it is derived from": (
        [GENOTYPE, implication(derivedFrom=[{"reference": "Observation/g1"}])],
        "2c19",
    ),
    "in words": ([observation("Pharmakogenetik", valueString="CYP2D6: langsamer Metabolisierer")], "2d6"),
}


@pytest.mark.parametrize(("resources", "name"), REPORTS.values(), ids=REPORTS)
def test_the_type_is_that_of_the_gene(terminology: Terminology, resources: list[Resource], name: str) -> None:
    (found,) = read(terminology, *resources).measurements
    assert (found.kind, set(found.sets)) == (f"cyp{name}-phenotype", {"poor"})


def test_a_type_of_no_gene_is_named_and_one_of_another_gene_is_none_of_ours(terminology: Terminology) -> None:
    for nameless in (observation(EFFECT, valueCodeableConcept=POOR), implication()):
        assert [gap.reason for gap in read(terminology, nameless).unread] == ["gene-unnamed"]
    other = observation(EFFECT, valueCodeableConcept=POOR, component=[gene("CYP2C9")])
    for silent in (other, observation("Appetite", valueString="poor")):
        assert read(terminology, silent) == Observed()


def test_an_activity_score_is_a_type_where_its_tables_agree(terminology: Terminology) -> None:
    types = dict.fromkeys(("1.5", "2"), "as usual") | dict.fromkeys(("2.5", "3"), "ultrarapid")
    types |= {"0": "poor", "0.5": "intermediate"}
    for written in ("0", "0.5", "1", "1.25", "1.5", "2", "2.25", "2.5", "3"):
        (found,) = read(terminology, observation("CYP2D6 activity score", valueString=written)).measurements
        assert found.sets == ({types[written]} if written in types else set()), written
    for given in ({"valueInteger": 0}, {"valueQuantity": {"value": 0, "unit": "{score}"}}):
        (found,) = read(terminology, observation("CYP2D6 activity score", **given)).measurements
        assert (found.answer, set(found.sets)) == ("activity score 0", {"poor"})
    (found,) = read(terminology, observation("CYP2D6 phenotype", valueInteger=0)).measurements
    assert (found.answer, len(found.sets)) == ("0", 0), "a bare number names no type"

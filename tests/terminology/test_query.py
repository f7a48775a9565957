"""What is asked of a terminology server."""

import pytest

from service.engine.library import Library
from service.terminology.query import Query


def test_the_descendants_of_every_concept_are_asked_for() -> None:
    asked = Query("stroke", "conditions", ("230690007", "275526006"))
    assert asked.url == "http://snomed.info/sct?fhir_vs=ecl/<< 230690007 OR << 275526006"


@pytest.mark.parametrize(("substances", "ingredients"), [(("1",), "<< 1"), (("1", "2"), "(<< 1 OR << 2)")])
def test_of_a_drug_the_products_with_this_ingredient_alone_are_asked_for(
    substances: tuple[str, ...], ingredients: str
) -> None:
    asked = Query("amitriptyline", "drugs", substances)
    assert asked.url.endswith(f" OR (< 373873005 : [1..1] << 127489000 = *, << 127489000 = {ingredients})")


def test_our_sets_ask_for_conditions_and_drugs_and_each_set_once(library: Library) -> None:
    queries = library.terminology.queries
    assert {asked.kind for asked in queries} == {"conditions", "drugs"}
    assert len({asked.id for asked in queries}) == len(queries)
    assert {"amitriptyline", "tolperisone", "angle-closure-glaucoma", "myasthenia-gravis"} <= {q.id for q in queries}


@pytest.mark.parametrize(
    "kept_narrow", ["glaucoma-unspecified", "opioid-use-disorder", "depression-in-remission", "topical"]
)
def test_sets_that_mean_what_they_list_or_silence_advice_ask_for_nothing(library: Library, kept_narrow: str) -> None:
    assert kept_narrow not in {asked.id for asked in library.terminology.queries}

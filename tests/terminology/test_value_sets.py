"""Which concepts of our ValueSets are meant with their descendants."""

from pathlib import Path

import pytest

from service.engine.library import Library
from service.terminology.load import load_terminology
from service.terminology.query import SNOMED
from tests.engine.folder import changed, copied
from tests.terminology.test_load import value_sets

DRUG = "terminology/drugs/zopiclone.json"


def test_every_concept_that_is_meant_with_its_descendants_was_seen_with_its_name(library: Library) -> None:
    checked = {
        concept["code"]
        for kind in ("conditions", "drugs")
        for value_set in value_sets(kind)
        for include in value_set["compose"]["include"]
        if include["system"] == SNOMED and "concept" in include
        if not include["extension"][0]["valueString"].startswith("NOT CHECKED")
        for concept in include["concept"]
    }
    assert {code for query in library.terminology.queries for code in query.concepts} <= checked


def test_a_history_of_an_infarction_is_not_meant_with_its_descendants(library: Library) -> None:
    # A recent one is below it, and an old one is the lesser warning.
    queries = {query.id: query for query in library.terminology.queries}
    assert "399211009" not in queries["old-myocardial-infarction"].concepts


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"op": "is-a"', '"op": "regex"', "Invalid enum value 'regex'"),
        ('"property": "concept"', '"property": "parent"', "Invalid enum value 'parent'"),
        ('"op": "is-a", "value": "395929002"', '"op": "is-a", "value": "138875005"', "138875005 is not listed"),
        (
            '"filter": [{"property": "concept", "op": "is-a", "value": "395929002"}]',
            '"filter": []',
            "Expected `array` of length 1",
        ),
    ],
)
def test_a_filter_that_cannot_be_asked_for_is_a_fault(tmp_path: Path, old: str, new: str, reason: str) -> None:
    folder = copied(tmp_path)
    changed(folder, DRUG, old, new)
    loaded, faults = load_terminology(folder / "terminology")
    (fault,) = (fault for fault in faults if "classes" not in fault.file)
    assert fault.file == DRUG
    assert reason in fault.reason
    assert "zopiclone" not in {query.id for query in loaded.queries}

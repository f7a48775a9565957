"""What an expansion adds: codes that the lists do not know, and never one that two sets claim against each other."""

from datetime import UTC, datetime

import pytest

from service.engine.expanded import Expanded, Refusal, expanded
from service.engine.library import Library
from service.terminology.answer import Member
from service.terminology.client import Expansion
from service.terminology.expand import Found, Source
from service.terminology.query import SNOMED
from service.terminology.recognise import Coding
from tests.terminology.fake_server import VERSION

ON = datetime(2026, 11, 23, tzinfo=UTC)
NEW = "900001"
AMITRIPTYLINE, OLD_INFARCTION, TOPICAL = "372726002", "1755008", "6064005"


def expand(library: Library, codes: dict[str, list[str]], version: str = VERSION) -> Expanded:
    """The library with answers to some of its queries, by the id of the set."""
    queries = {query.id: query for query in library.terminology.queries}
    answers = []
    for id_, found in codes.items():
        members = tuple(Member(code, f"invented {code}") for code in found)
        answers.append(Found(queries[id_], Expansion(members, version, ON), Source.SERVER))
    return expanded(library, answers)


def concepts(found: Expanded, code: str) -> frozenset[str]:
    return found.library.terminology.concepts([Coding(SNOMED, code)])


def drugs(found: Expanded, code: str) -> list[str]:
    return [c.drug for c in found.library.terminology.drug_codes(Coding(SNOMED, code))]


def test_a_descendant_of_a_condition_is_that_condition(library: Library) -> None:
    found = expand(library, {"stroke": ["230690007", NEW]})
    assert concepts(found, NEW) == {"stroke"}
    assert found.added == {"stroke": 1}
    assert concepts(Expanded(library, {}), NEW) == frozenset()


def test_a_descendant_may_belong_to_several_conditions(library: Library) -> None:
    found = expand(library, {"heart-block": [NEW], "first-degree-av-block": [NEW]})
    assert concepts(found, NEW) == {"heart-block", "first-degree-av-block"}
    assert found.refused == ()


def test_a_salt_or_product_of_a_drug_is_that_drug_and_no_combination(library: Library) -> None:
    found = expand(library, {"amitriptyline": [AMITRIPTYLINE, NEW]})
    (code,) = found.library.terminology.drug_codes(Coding(SNOMED, NEW))
    assert (code.drug, code.combination, code.form, code.strength) == ("amitriptyline", False, "", None)
    recognised = found.library.terminology.recognise([Coding(SNOMED, NEW)], [])
    assert (recognised.drugs, recognised.evidence) == (("amitriptyline",), f"SNOMED CT {NEW}")


def test_what_our_lists_say_of_a_code_stands(library: Library) -> None:
    before = library.terminology.concepts([Coding(SNOMED, OLD_INFARCTION)])
    found = expand(
        library, {"recent-myocardial-infarction": [OLD_INFARCTION], "major-depressive-disorder": ["42810003"]}
    )
    assert concepts(found, OLD_INFARCTION) == before == {"old-myocardial-infarction"}
    assert concepts(found, "42810003") == {"depression-in-remission"}
    assert (found.added, found.refused) == ({}, ())


def test_nothing_that_was_known_gets_lost(library: Library) -> None:
    found = expand(library, {"stroke": [NEW], "amitriptyline": ["900002"]})
    before, after = library.terminology, found.library.terminology
    for id_, concept_set in before.concept_sets.items():
        assert concept_set.codes <= after.concept_sets[id_].codes
        assert concept_set.prefixes == after.concept_sets[id_].prefixes
    assert drugs(found, AMITRIPTYLINE) == ["amitriptyline"]
    assert after.drugs_in_text("Amitriptyline 25 mg") == {"amitriptyline"}
    assert after.classes(["amitriptyline"]) == before.classes(["amitriptyline"])


@pytest.mark.parametrize(
    ("answers", "refusal"),
    [
        ({"citalopram": [NEW], "escitalopram": [NEW]}, Refusal(NEW, ("citalopram", "escitalopram"))),
        ({"citalopram": [NEW], "stroke": [NEW]}, Refusal(NEW, ("citalopram", "stroke"))),
        ({"citalopram": [AMITRIPTYLINE]}, Refusal(AMITRIPTYLINE, ("amitriptyline", "citalopram"))),
        ({"stroke": [AMITRIPTYLINE]}, Refusal(AMITRIPTYLINE, ("amitriptyline", "stroke"))),
        ({"citalopram": [OLD_INFARCTION]}, Refusal(OLD_INFARCTION, ("citalopram", "old-myocardial-infarction"))),
        ({"citalopram": [TOPICAL]}, Refusal(TOPICAL, ("citalopram", "topical"))),
    ],
)
def test_a_code_that_contradictory_sets_claim_is_refused(
    library: Library, answers: dict[str, list[str]], refusal: Refusal
) -> None:
    found = expand(library, answers)
    assert found.refused == (refusal,)
    assert found.added == {}
    assert drugs(found, refusal.code) == drugs(Expanded(library, {}), refusal.code)
    assert concepts(found, refusal.code) == concepts(Expanded(library, {}), refusal.code)


def test_the_version_tells_which_codes_are_in_force(library: Library) -> None:
    one, same = expand(library, {"stroke": [NEW]}), expand(library, {"stroke": ["230690007", NEW]})
    other = expand(library, {"epilepsy": [NEW]})
    assert one.library.version == same.library.version
    assert one.library.version.startswith(f"{library.version}.snomed-20260101-")
    assert len({library.version, one.library.version, other.library.version}) == 3


@pytest.mark.parametrize("version", ["", "http://snomed.info/sct/900000000000207008"])
def test_a_release_that_is_not_stated_is_not_named(library: Library, version: str) -> None:
    found = expand(library, {"stroke": [NEW]}, version)
    assert found.release == ""
    assert found.library.version.partition(".snomed-")[2].isalnum()


def test_an_expansion_that_adds_nothing_leaves_the_guidance_as_it_is(library: Library) -> None:
    assert expand(library, {"stroke": ["230690007"]}).library is library
    assert expand(library, {}).library is library

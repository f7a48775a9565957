"""An allergy counts when it is to a drug that the terminology knows and the record does not take it back (R29)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.allergies import allergy_list
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.hostile import junk
from tests.fhir.samples import AMITRIPTYLINE, SNOMED, TOLPERISONE, order


def allergies(resources: list[Resource], terminology: Terminology) -> frozenset[str]:
    return allergy_list(resources, terminology).known.drugs


def allergy(**members: Any) -> Resource:
    return {"resourceType": "AllergyIntolerance", "code": TOLPERISONE, **members}


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": code}]}


@pytest.mark.parametrize(
    ("substance", "drugs"),
    [
        ({}, {"tolperisone"}),
        ({"code": {"text": "Lidocaine"}}, {"lidocaine"}),
        ({"code": {"coding": [{"display": "Lidocaine"}]}}, {"lidocaine"}),
        ({"code": {"coding": [{"display": "No known allergy to lidocaine"}]}}, set()),
        ({"code": {"coding": [{"system": SNOMED, "code": "293829000"}]}}, {"amitriptyline"}),
        ({"code": None, "substance": AMITRIPTYLINE}, {"amitriptyline"}),
        ({"code": None, "reaction": [{"substance": TOLPERISONE}]}, {"tolperisone"}),
        ({"reaction": {"substance": AMITRIPTYLINE}}, {"amitriptyline", "tolperisone"}),
        ({"code": "Lidocaine"}, {"lidocaine"}),
        ({"code": [{"text": "Lidocaine"}]}, {"lidocaine"}),
        ({"code": {"system": SNOMED, "code": "293829000"}}, {"amitriptyline"}),
        ({"code": {"text": "Peanut"}}, set()),
        ({"code": None}, set()),
    ],
    ids=[
        "code",
        "words",
        "name without a code",
        "such a name that denies",
        "allergy code",
        "DSTU2",
        "reaction",
        "reaction as well",
        "words alone",
        "list",
        "coding alone",
        "no drug",
        "nothing",
    ],
)
def test_the_substance_is_found_wherever_its_version_puts_it(
    substance: dict[str, Any], drugs: set[str], terminology: Terminology
) -> None:
    assert allergies([allergy(**substance)], terminology) == drugs


@pytest.mark.parametrize(
    "status",
    [
        {"clinicalStatus": coded("active"), "verificationStatus": coded("confirmed")},
        {"clinicalStatus": "active", "verificationStatus": "unconfirmed"},
        {"status": "confirmed"},
        {"clinicalStatus": {"text": "resolved, perhaps"}},
    ],
    ids=str,
)
def test_an_allergy_counts_until_the_record_takes_it_back(status: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(**status)], terminology) == {"tolperisone"}


@pytest.mark.parametrize(
    "status",
    [
        {"clinicalStatus": coded("resolved")},
        {"clinicalStatus": coded("inactive"), "verificationStatus": coded("confirmed")},
        {"clinicalStatus": coded("active"), "verificationStatus": coded("refuted")},
        {"verificationStatus": "entered-in-error"},
        {"status": "resolved"},
        {"clinicalStatus": {"text": "Inactive"}},
        {"verificationStatus": coded("Refuted")},
        {"status": "entered-in-error"},
    ],
    ids=str,
)
def test_a_refuted_or_resolved_allergy_is_none(status: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(**status)], terminology) == set()
    assert allergies([allergy(**status), allergy()], terminology) == {"tolperisone"}


def test_an_order_is_no_allergy(terminology: Terminology) -> None:
    assert allergies([order(code=TOLPERISONE)], terminology) == set()


@given(member=st.sampled_from(["clinicalStatus", "verificationStatus", "status", "reaction", "substance"]), value=junk)
def test_any_json_in_place_of_any_member_raises_nothing(terminology: Terminology, member: str, value: Any) -> None:
    assert allergies([allergy(**{member: value})], terminology) <= {"tolperisone"}


@pytest.mark.parametrize(
    "code",
    [
        {"text": "No known allergy to tolperisone"},
        {"text": "Not allergic to tolperisone"},
        {"coding": [{"system": SNOMED, "code": "716186003", "display": "No known allergy"}], "text": "tolperisone"},
        {"coding": [{"system": SNOMED, "code": "716186003"}], "text": "Tolerates tolperisone"},
    ],
)
def test_words_that_there_is_no_allergy_name_none(code: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(code=code)], terminology) == frozenset()


@pytest.mark.parametrize(
    "code",
    [
        {"text": "Tolperisone: not tolerated"},
        {"text": "Tolperisone, rash without anaphylaxis"},
        {"text": "Tolperisone (no anaphylaxis)"},
        {**TOLPERISONE, "text": "No known allergy"},
    ],
)
def test_other_negations_and_codes_keep_the_allergy(code: dict[str, Any], terminology: Terminology) -> None:
    assert allergies([allergy(code=code)], terminology) == {"tolperisone"}


@pytest.mark.parametrize(
    ("kinds", "mere"),
    [
        (["intolerance"], {"tolperisone"}),
        ([coded("intolerance")], {"tolperisone"}),
        (["allergy"], set()),
        ([None], set()),
        (["intolerance", "allergy"], set()),
        (["intolerance", None], set()),
        ([{"coding": []}], set()),
        ([["intolerance"]], set()),
    ],
    ids=["code", "concept of R5", "allergy", "no type", "also an allergy", "also without type", "empty", "junk"],
)
def test_an_intolerance_is_one_only_when_every_record_says_so(
    kinds: list[Any], mere: set[str], terminology: Terminology
) -> None:
    assert allergy_list([allergy(type=kind) for kind in kinds], terminology).known.intolerances == mere


@pytest.mark.parametrize(
    ("words", "drug"),
    [
        ("Amitriptylin", "amitriptyline"),
        ("Allergie gegen Amitriptylin", "amitriptyline"),
        ("allergic to amitriptyline", "amitriptyline"),
        ("allergie à l’amitriptyline", "amitriptyline"),
        ("uczulenie na amitryptylinę", "amitriptyline"),
        ("аллергия на толперизон", "tolperisone"),
        ("alergie na tolperison", "tolperisone"),
        ("Mydocalm érzékenység", "tolperisone"),
        ("Lidocain", "lidocaine"),
        ("Xylocain-Allergie, Lidokain", "lidocaine"),
    ],
)
def test_an_allergy_in_words_is_read_in_every_language(words: str, drug: str, terminology: Terminology) -> None:
    found = allergy_list([allergy(code={"text": words})], terminology)
    assert found.known.drugs == {drug}
    assert found.unread == ()


@pytest.mark.parametrize(
    "words",
    [
        "tricyclic antidepressants",
        "Trizyklische Antidepressiva",
        "antidépresseurs tricycliques",
        "трициклические антидепрессанты",
        "tricyklická antidepresiva",
        "triciklikus antidepresszánsok",
        "antidepressants",
        "Antidepressiva",
        "leki przeciwdepresyjne",
    ],
)
def test_a_class_among_the_allergies_holds_its_drugs_and_is_named_as_recorded(
    words: str, terminology: Terminology
) -> None:
    found = allergy_list([allergy(code={"text": words})], terminology)
    assert found.known.classes["amitriptyline"] == words
    assert (found.known.drugs, found.unread) == (frozenset(), ())


def test_a_class_by_its_code_is_one_too(terminology: Terminology) -> None:
    for system, code in (("http://www.whocc.no/atc", "N06AA"), (SNOMED, "373253007")):
        found = allergy_list([allergy(code={"coding": [{"system": system, "code": code}]})], terminology)
        assert "amitriptyline" in found.known.classes


@pytest.mark.parametrize(
    "code",
    [
        {"coding": [{"system": "https://ehr.example.org/allergens", "code": "A17"}]},
        {"text": "Zubrowka forte"},
        None,
    ],
)
def test_an_allergy_that_cannot_be_read_is_counted(code: Any, terminology: Terminology) -> None:
    found = allergy_list([allergy(code=code), allergy()], terminology)
    assert (len(found.unread), found.total) == (1, 2)


@pytest.mark.parametrize(
    "members",
    [
        {"code": {"text": "Penicillin V"}},
        {"code": {"text": "Пенициллин"}},
        {"code": {"text": "pyłki traw"}},
        {"code": {"text": "something odd"}, "category": ["food"]},
        {"code": {"text": "something odd"}, "category": "environment"},
        {"code": {"text": "Keine Allergie bekannt"}},
        {"code": {"text": "Nincs ismert allergia"}},
        {"code": {"text": "brak alergii na leki"}},
        {"code": {"text": "Keine Allergie gegen Amitriptylin"}},
        {"code": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "7980"}]}},
    ],
    ids=str,
)
def test_other_allergens_and_denials_are_read_and_name_no_drug(
    members: dict[str, Any], terminology: Terminology
) -> None:
    found = allergy_list([allergy(**members)], terminology)
    assert (found.known.drugs, found.known.classes, found.unread, found.total) == (frozenset(), {}, (), 1)


def test_an_allergy_to_another_tricyclic_counts_for_amitriptyline_an_intolerance_does_not(
    terminology: Terminology,
) -> None:
    allergy = {"resourceType": "AllergyIntolerance", "code": {"text": "Imipramine"}}
    assert allergy_list([allergy], terminology).known.related["amitriptyline"] == "Imipramine"
    assert allergy_list([{**allergy, "type": "intolerance"}], terminology).known.related == {}
    assert allergy_list([{**allergy, "code": {"text": "Sertraline"}}], terminology).known.related == {}


def test_a_substance_that_is_tolerated_is_no_allergy_and_one_that_is_not_tolerated_is(terminology: Terminology) -> None:
    tolerated = (
        "Lidocain vertragen; Lidocain gut vertragen; lidocaine tolerated; lidocaïne bien tolérée; verträgt Lidocain;"
        " lidocaína tolerada; лидокаин переносит хорошо; lidokain tolereras väl; lidocaine goed verdragen"
    )
    for words in tolerated.split("; "):
        found = allergy_list([allergy(code={"text": words})], terminology)
        assert (found.known.drugs, found.unread) == (frozenset(), ()), words
    not_tolerated = (
        "Lidocain nicht vertragen; lidocaine not tolerated; verträgt Lidocain nicht; lidocaïne mal tolérée;"
        " Lidocain-Unverträglichkeit; unable to tolerate lidocaine; лидокаин не переносит; lidocaine poorly tolerated"
    )
    for words in not_tolerated.split("; "):
        assert allergy_list([allergy(code={"text": words})], terminology).known.drugs == {"lidocaine"}, words


def test_words_that_there_is_no_allergy_are_understood_in_many_languages(terminology: Terminology) -> None:
    none = (
        "geen bekende allergieën; Geen; inga kända allergier; ingen kendte allergier; sem alergias conhecidas;"
        " brak; нет; alerjisi yok; bilinen ilaç alerjisi yok; niega alergias; nessuna nota; aucune connue; NKDA;"
        " Allergie gegen Amitriptylin nicht bekannt; алергії немає; geen allergie voor amitriptyline;"
        " ingen allergi mot amitriptylin; sem alergia à amitriptilina; amitriptilin alerjisi yok;"
        " no known allergy to amitriptyline"
    )
    for words in none.split("; "):
        found = allergy_list([allergy(code={"text": words})], terminology)
        assert (found.known.drugs, found.unread) == (frozenset(), ()), words


def test_a_denial_with_an_exception_denies_nothing_that_is_named(terminology: Terminology) -> None:
    for words in (
        "No known allergies except amitriptyline",
        "keine Penicillinallergie, aber Allergie auf Amitriptylin",
        "no allergy to penicillin, anaphylaxis to amitriptyline",
        "NKDA, but rash with amitriptyline",
        "нет аллергии, кроме амитриптилин",
    ):
        assert allergy_list([allergy(code={"text": words})], terminology).known.drugs == {"amitriptyline"}, words


def test_a_code_and_words_that_contradict_each_other_are_not_counted_and_named(terminology: Terminology) -> None:
    none = {"coding": [{"system": SNOMED, "code": "716186003", "display": "No known allergy"}], "text": "Mydocalm"}
    for code in (none, {**TOLPERISONE, "text": "keine Allergie gegen Tolperison"}):
        found = allergy_list([allergy(code=code)], terminology)
        assert (found.known.drugs, len(found.unread)) == (frozenset(), 1), code


def test_an_allergy_among_the_problems_counts(terminology: Terminology) -> None:
    def drugs(words: str) -> frozenset[str]:
        found = allergy_list([{"resourceType": "Condition", "code": {"text": words}}], terminology)
        assert (found.unread, found.total) == ((), 0)
        return found.known.drugs | found.known.classes.keys()

    for words in (
        "Allergie gegen Mydocalm",
        "Tolperison-Allergie",
        "drug allergy: tolperisone",
        "аллергия на толперизон",
        "alergia na Mydocalm",
        "Unverträglichkeit von Tolperison",
    ):
        assert drugs(words) == {"tolperisone"}, words
    assert "amitriptyline" in drugs("Allergie gegen trizyklische Antidepressiva")
    for words in ("Keine Allergie gegen Tolperison", "Mutter: Allergie gegen Mydocalm", "nimmt Tolperison"):
        assert drugs(words) == frozenset(), words


def test_a_long_list_of_allergies_is_read_to_its_end(terminology: Terminology) -> None:
    for last, found in (("Tolperison", "tolperisone"), ("trizyklische Antidepressiva", "amitriptyline")):
        known = allergy_list([allergy(code={"text": "Penicillin, " * 300 + last})], terminology).known
        assert found in known.drugs | known.classes.keys(), last


def test_the_allergy_of_a_relative_is_named_and_does_not_count(terminology: Terminology) -> None:
    for words in (
        "Mutter allergisch auf Mydocalm",
        "Tolperisone (mother)",
        "père allergique aux antidépresseurs tricycliques",
    ):
        found = allergy_list([allergy(code={"text": words})], terminology)
        assert (found.known.drugs, dict(found.known.classes), found.unread) == (frozenset(), {}, (words,)), words
    coded_beside = allergy(code={**TOLPERISONE, "text": "Mutter auch"})
    assert allergies([coded_beside], terminology) == {"tolperisone"}, "a code is the patient's own"


def test_what_is_not_known_in_a_list_of_allergens_is_named(terminology: Terminology) -> None:
    for words, named in (
        ("Penicillin, Xyzolam, Pollen", True),
        ("Penicillin, Pollen", False),
        ("Penicillin, Pollen, anaphylaxis", False),
        ("Penicillin, Ausschlag", False),
        ("Penicillin (rash, hives); Pollen", False),
    ):
        found = allergy_list([allergy(code={"text": words})], terminology)
        assert bool(found.unread) is named, words

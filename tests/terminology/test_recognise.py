"""Drugs are told by their codes, in the order of belief, and by whole words only where no code is known (X6, X7)."""

import json
import time
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from string import punctuation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.engine.loading import FOLDER
from service.terminology.recognise import Coding, Terminology

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
ATC = "http://www.whocc.no/atc"
UNII = "http://fdasis.nlm.nih.gov"

AMITRIPTYLINE = ("amitriptyline",)
TOLPERISONE = ("tolperisone",)

AMITRIPTYLINE_IN = {
    "RxNorm": Coding(RXNORM, "704"),
    "SNOMED CT": Coding(SNOMED, "372726002"),
    "ATC": Coding(ATC, "N06AA09"),
    "UNII": Coding(UNII, "1806D8D52K"),
}
TOLPERISONE_IN = {
    "SNOMED CT": Coding(SNOMED, "703717006"),
    "ATC": Coding(ATC, "M03BX04"),
    "UNII": Coding(UNII, "F5EOM0LD8E"),
}


@pytest.mark.parametrize(
    ("name", "coding", "drugs"),
    [
        *((name, coding, AMITRIPTYLINE) for name, coding in AMITRIPTYLINE_IN.items()),
        *((name, coding, TOLPERISONE) for name, coding in TOLPERISONE_IN.items()),
        ("UNII", Coding(UNII, "26LUD4JO9K"), AMITRIPTYLINE),
        ("UNII", Coding(UNII, "8Z075K2TIG"), TOLPERISONE),
    ],
)
def test_a_drug_and_its_salt_are_recognised_by_their_code_in_each_system(
    terminology: Terminology, name: str, coding: Coding, drugs: tuple[str, ...]
) -> None:
    found = terminology.recognise([coding], [])
    assert (found.drugs, found.evidence, found.from_text) == (drugs, f"{name} {coding.code}", False)


def test_the_code_of_the_system_believed_most_decides_wherever_it_stands(terminology: Terminology) -> None:
    codings = [AMITRIPTYLINE_IN["RxNorm"], TOLPERISONE_IN["SNOMED CT"], TOLPERISONE_IN["ATC"], TOLPERISONE_IN["UNII"]]
    for order in permutations(codings):
        assert terminology.recognise(order, []).evidence == "RxNorm 704"
    for order in permutations([AMITRIPTYLINE_IN["SNOMED CT"], TOLPERISONE_IN["ATC"], TOLPERISONE_IN["UNII"]]):
        assert terminology.recognise(order, []).evidence == "SNOMED CT 372726002"
    for order in permutations([AMITRIPTYLINE_IN["ATC"], TOLPERISONE_IN["UNII"]]):
        assert terminology.recognise(order, ["Mydocalm"]).evidence == "ATC N06AA09"


@pytest.mark.parametrize(
    ("system", "code", "drugs"),
    [
        ("urn:oid:2.16.840.1.113883.6.88", "704", AMITRIPTYLINE),
        ("urn:oid:2.16.840.1.113883.6.96", "703717006", TOLPERISONE),
        ("urn:oid:2.16.840.1.113883.6.73", "M03BX04", TOLPERISONE),
        ("http://fhir.de/CodeSystem/bfarm/atc", "N06AA09", AMITRIPTYLINE),
        (f"{RXNORM}/", "704", AMITRIPTYLINE),
        (f" {ATC}", "n06aa09 ", AMITRIPTYLINE),
        (ATC, "N06 AA09", AMITRIPTYLINE),
    ],
)
def test_other_spellings_of_a_system_and_a_code_are_the_same(
    terminology: Terminology, system: str, code: str, drugs: tuple[str, ...]
) -> None:
    assert terminology.can_judge(Coding(system, "1234567"))
    assert terminology.recognise([Coding(system, code)], []).drugs == drugs


def test_an_unknown_system_stays_as_it_is_and_names_nothing(terminology: Terminology) -> None:
    local = "http://pharmacy.example.org/products"
    assert (terminology.systems.of(local), terminology.can_judge(Coding(local, "1"))) == (None, False)
    assert terminology.recognise([Coding(local, "704")], ["house preparation 7"]).claims == ()


@pytest.mark.parametrize(
    ("words", "drugs"),
    [
        ("Amitriptyline 25 mg", AMITRIPTYLINE),
        ("AMITRIPTYLINE HCL", AMITRIPTYLINE),
        ("Amitriptylin-neuraxpharm 25 mg", AMITRIPTYLINE),
        ("Amitriptylinhydrochlorid", AMITRIPTYLINE),
        ("amitriptilin", AMITRIPTYLINE),
        ("(amitriptylina)", AMITRIPTYLINE),
        ("Saroten retard 50", AMITRIPTYLINE),
        ("Elavil", AMITRIPTYLINE),
        ("Laroxyl gotas", AMITRIPTYLINE),
        ("Ａｍｉｔｒｉｐｔｙｌｉｎｅ", AMITRIPTYLINE),
        ("Tolperison HEXAL 150 mg Filmtabletten", TOLPERISONE),
        ("tolperizon-hidroklorid", TOLPERISONE),
        ("Tolperisonum", TOLPERISONE),
        ("tolperyzon", TOLPERISONE),
        ("Mydocalm, 3x1", TOLPERISONE),
        ("MYDETON 150 mg filmtabletta", TOLPERISONE),
        ("Viveo/Mydoflex", TOLPERISONE),
    ],
)
def test_names_brands_and_foreign_spellings_are_recognised_as_whole_words(
    terminology: Terminology, words: str, drugs: tuple[str, ...]
) -> None:
    found = terminology.recognise([], [words])
    assert (found.drugs, found.evidence, found.from_text) == (drugs, "text", True)


@pytest.mark.parametrize(
    "words",
    [
        "Nortriptyline 25 mg",
        "Amitriptylinoxid 60 mg",
        "xamitriptyline",
        "deutolperisone",
        "Mydocalmin",
        "eperisone",
        "",
    ],
)
def test_other_drugs_with_similar_names_are_neither_of_the_two(terminology: Terminology, words: str) -> None:
    found = terminology.recognise([], [words])
    assert not found.names("amitriptyline")
    assert not found.names("tolperisone")


def test_a_name_inside_another_word_is_not_found_beside_a_name_that_is(terminology: Terminology) -> None:
    assert terminology.drugs_in_text("Mydocalm, xamitriptyline, amitriptylinoxides") == {"tolperisone"}


def test_nortriptyline_is_a_drug_of_its_own_in_words_and_codes(terminology: Terminology) -> None:
    assert terminology.drugs_in_text("Nortriptyline 25 mg") == {"nortriptyline"}
    assert terminology.recognise([Coding(RXNORM, "7531")], ["nortriptyline"]).drugs == ("nortriptyline",)


def test_a_code_that_lost_its_system_is_made_up_for_by_the_words(terminology: Terminology) -> None:
    sandbox = Coding(RXNORM, "M03BX04", "tolperisone")
    assert terminology.drug_codes(sandbox) == ()
    found = terminology.recognise([sandbox], ["Tolperisone 150 mg"])
    assert (found.drugs, found.evidence, found.from_text) == (TOLPERISONE, "text", True)
    assert terminology.recognise([sandbox], []).evidence == "name of M03BX04"


def test_a_known_code_is_believed_over_words_that_say_something_else(terminology: Terminology) -> None:
    found = terminology.recognise([AMITRIPTYLINE_IN["RxNorm"]], ["Nortriptyline 25 mg"])
    assert found.drugs == AMITRIPTYLINE
    assert found.disputes("amitriptyline")
    assert found.mentions("nortriptyline")
    assert [(claim.evidence, *claim.drugs) for claim in found.claims] == [
        ("RxNorm 704", "amitriptyline"),
        ("text", "nortriptyline"),
    ]


def test_two_codes_of_different_drugs_disagree(terminology: Terminology) -> None:
    found = terminology.recognise([AMITRIPTYLINE_IN["ATC"], TOLPERISONE_IN["SNOMED CT"]], [])
    assert found.disputes("amitriptyline")
    assert found.disputes("tolperisone")


def test_an_atc_code_of_another_drug_disputes_the_words(terminology: Terminology) -> None:
    for code, disputed in (("C09AA05", True), ("N06AA09", False), ("N06AA", False), ("C09", False)):
        found = terminology.recognise([Coding(ATC, code, "")], ["Amitriptylin 25 mg"])
        assert (found.drugs, found.disputes("amitriptyline")) == (("amitriptyline",), disputed), code
    assert terminology.recognise([Coding(ATC, "C09AA05", "")], ["Ramipril"]).claims == ()
    product = terminology.recognise([Coding(RXNORM, "99999999", "")], ["Amitriptylin 25 mg"])
    assert not product.disputes("amitriptyline")


def test_agreeing_codes_and_words_dispute_nothing(terminology: Terminology) -> None:
    found = terminology.recognise(list(AMITRIPTYLINE_IN.values()), ["Saroten", "ward stock"])
    assert not found.disputes("amitriptyline")
    assert not found.disputes("tolperisone")


def test_a_topical_product_is_not_the_systemic_drug(terminology: Terminology) -> None:
    found = terminology.recognise([Coding(ATC, "M02AX06")], [])
    assert (found.drugs, found.topical, found.names("tolperisone")) == (TOLPERISONE, True, False)


@pytest.mark.parametrize(
    "words", ["Amitriptyline 2% cream", "Amitriptylin Salbe", "AMITRIPTYLINE gel", "Pommade Elavil"]
)
def test_a_form_for_the_skin_in_the_words_makes_it_topical(terminology: Terminology, words: str) -> None:
    assert not terminology.recognise([], [words]).names("amitriptyline")


def test_a_tablet_stays_systemic_whatever_route_or_words_say(terminology: Terminology) -> None:
    tablet = Coding(RXNORM, "856834")
    assert terminology.recognise([tablet], ["in gel capsule"], topical_route=True).names("amitriptyline")
    assert not terminology.recognise([], ["Amitriptyline"], topical_route=True).names("amitriptyline")


@pytest.mark.parametrize(
    ("code", "drugs", "strength"),
    [
        ("856797", ("amitriptyline", "perphenazine"), Fraction(25)),
        ("856769", ("amitriptyline", "chlordiazepoxide"), Fraction(25, 2)),
    ],
)
def test_a_combination_product_names_both_drugs_and_amitriptylines_own_strength(
    terminology: Terminology, code: str, drugs: tuple[str, ...], strength: Fraction
) -> None:
    found = terminology.recognise([Coding(RXNORM, code)], [])
    assert (found.drugs, found.combination) == (drugs, True)
    assert {s.mg for s in found.strengths if s.drug == "amitriptyline"} == {strength}


def test_a_product_code_states_its_strength_and_an_ingredient_code_none(terminology: Terminology) -> None:
    (strength,) = terminology.recognise([Coding(RXNORM, "856834")], []).strengths
    assert (strength.drug, strength.mg, strength.evidence) == ("amitriptyline", Fraction(25), "RxNorm 856834")
    assert terminology.recognise([AMITRIPTYLINE_IN["RxNorm"]], []).strengths == ()


def test_a_condition_belongs_to_its_set_by_exact_code_or_icd_prefix(terminology: Terminology) -> None:
    depression = {"major-depressive-disorder"}
    assert terminology.concepts([Coding(SNOMED, "370143000")]) == depression
    assert terminology.concepts([Coding("http://fhir.de/CodeSystem/bfarm/icd-10-gm", "F33.2")]) == depression
    assert terminology.concepts([Coding("http://hl7.org/fhir/sid/icd-10", "F31.1")]) == {"bipolar-disorder"}
    assert terminology.concepts([Coding("http://hl7.org/fhir/sid/icd-10", "F3")]) == set()
    assert terminology.concepts([Coding(SNOMED, "3701430001"), Coding("", "370143000")]) == set()


@pytest.mark.parametrize("letters", [str, str.upper, str.lower])
def test_every_code_of_a_set_belongs_to_it_however_its_letters_are_written(
    terminology: Terminology, letters: Callable[[str], str]
) -> None:
    members = [
        (concept_set.id, Coding(system, letters(code)))
        for concept_set in terminology.concept_sets.values()
        for system, code in concept_set.codes | concept_set.prefixes
    ]
    assert members
    assert [member for member in members if member[0] not in terminology.concepts([member[1]])] == []


def test_every_drug_code_of_the_repository_names_the_drug_of_its_file(terminology: Terminology) -> None:
    counted = 0
    for path in FOLDER.glob("terminology/drugs/*.json"):
        for include in json.loads(path.read_text(encoding="utf-8"))["compose"]["include"]:
            for concept in include.get("concept", ()):
                found = terminology.recognise([Coding(include["system"], concept["code"])], [])
                assert path.stem in found.drugs, f"{include['system']} {concept['code']}"
                counted += 1
    assert counted > len(AMITRIPTYLINE_IN) + len(TOLPERISONE_IN)


around = st.text(alphabet=punctuation.replace("_", "") + " \t\n", max_size=5)


@given(before=around, name=st.sampled_from(["amitriptyline", "Tolperison", "MYDOCALM", "tryptizol"]), after=around)
def test_a_name_is_found_between_any_characters_that_are_no_letters(
    terminology: Terminology, before: str, name: str, after: str
) -> None:
    assert len(terminology.drugs_in_text(before + name + after)) == 1


systems = st.one_of(st.sampled_from([RXNORM, SNOMED, ATC, UNII]), st.text(max_size=20))
codes = st.one_of(st.sampled_from(["704", "856797", "M03BX04", "M02AX06"]), st.text(max_size=20))
labels = st.one_of(st.sampled_from(["amitriptyline", "nortriptyline", "Mydocalm gel"]), st.text(max_size=40))


@given(
    codings=st.lists(st.builds(Coding, systems, codes, labels), max_size=4),
    texts=st.lists(labels, max_size=3),
    topical=st.booleans(),
)
def test_no_code_and_no_words_ever_raise_and_no_drug_is_named_without_evidence(
    terminology: Terminology, codings: list[Coding], texts: list[str], topical: bool
) -> None:
    found = terminology.recognise(codings, texts, topical_route=topical)
    assert set(found.drugs) <= {drug for claim in found.claims for drug in claim.drugs}
    assert bool(found.drugs) == bool(found.claims) == bool(found.evidence)
    assert found.from_text == (bool(found.drugs) and not any(terminology.drug_codes(c) for c in codings))
    terminology.concepts(codings)


def test_a_code_that_cannot_be_one_of_its_system_judges_nothing(terminology: Terminology) -> None:
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    assert not terminology.can_judge(Coding(rxnorm, "M03BX04")), "the Sandbox sends ATC codes as RxNorm"
    assert terminology.can_judge(Coding(rxnorm, "617993"))


@pytest.mark.parametrize(
    "label", ["Mydocalm150", "TOLPERISONE_150_MG", "Tolperi\N{SOFT HYPHEN}son 50 mg", "толперизон 150 мг"]
)
def test_a_name_is_found_however_it_is_written_onto_other_things(label: str, terminology: Terminology) -> None:
    assert terminology.recognise([], [label]).drugs == ("tolperisone",)


def test_a_soft_gel_capsule_is_swallowed(terminology: Terminology) -> None:
    assert not terminology.recognise([], ["Tolperison soft gel capsule 150 mg"]).topical
    assert terminology.recognise([], ["Tolperison Gel"]).topical


NOT_MEANT = [
    "Do not give with amitriptyline",
    "ibuprofen-like thing; never together with Amitriptyline 25 mg",
    "instead of amitriptyline",
    "Don't combine with amitriptyline",
    "Nicht mit Amitriptylin geben",
    "patient is allergic to amitriptyline",
    "Ibuprofen 400 mg (kein Amitriptylin)",
    "Paracetamol 500 mg, no amitriptyline",
    "Paracetamol 500 mg (not amitriptyline)",
    "Paracetamol, no more amitriptyline",
    "Paracetamol ohne Amitriptylin",
    "Paracetamol statt Amitriptylin 25 mg",
    "Paracétamol sans amitriptyline",
    "Paracétamol, pas d'amitriptyline",
    "Paracetamol sin amitriptilina",
    "Paracetamolo senza amitriptilina",
    "Paracetamol zamiast amitryptyliny",
    "Paracetamol, nie amitryptylina",
    "Paracetamol bez amitriptylinu",
    "Парацетамол без амитриптилина",
    "Парацетамол вместо амитриптилина",
    "Paracetamol amitriptilin helyett",
    "Paracetamol, nem amitriptilin",
    "Paracetamol i stedet for amitriptylin",
    "Paracetamol, ingen amitriptylin",
    "Stopped amitriptyline",
    "Stop amitriptyline 25 mg",
    "switched from amitriptyline 25 mg to paracetamol",
    "Amitriptylin 25 mg abgesetzt",
    "Amitriptylin 25 abgesetzt",
    "amitriptyline 25 mg (stopped)",
    "amitriptyline 25 mg tablets - discontinued 2026-01-01",
    "Amitriptyline: no",
    "Амитриптилин 25 мг отменен",
    "amitriptyline arrêtée",
    "previously on amitriptyline",
    "Amitryptylina 25 mg odstawiona",
    "Ibuprofen w/o amitriptyline",
    "Ibuprofen, Amitriptylin nicht",
    "Ibuprofen (ne amitriptylin)",
    "Ibuprofeno sem amitriptilina",
    "Ibuprofen i stället för amitriptylin",
    "hold amitriptyline",
    "amitriptyline on hold",
    "amitriptyline STOP",
    "patient refuses amitriptyline",
    "Ibuprofen, amitriptyline-free",
]
MEANT = [
    "Amitriptyline 25 mg, do not drive",
    "Amitriptyline. Do not give with alcohol.",
    "No substitution: amitriptyline 25 mg",
    "Do not crush. Amitriptyline 25 mg tablets",
    "amitriptyline with food",
    "Amitriptyline 25 mg, no refills",
    "No. 30 amitriptyline 25 mg tablets",
    "no 30 amitriptyline 25 mg tablets",
    "Amitriptyline 25 mg not to be taken with alcohol",
    "Amitriptyline 25 mg, stop if drowsy",
    "Amitriptyline 25 mg ohne Zucker",
    "Amitriptylin 25 mg, nicht zerkauen",
    "Amitriptyline sans sucre",
    "Amitriptylin-neuraxpharm 25 mg",
    "Amitriptyline 25 mg at night, not in the morning",
    "Amitryptylina 25 mg, nie przerywać nagle",
    "increased from amitriptyline 10 mg to amitriptyline 25 mg",
    "lactose-free amitriptyline 25 mg",
    "Амитриптилин никомед 25 мг",
]


@pytest.mark.parametrize("words", NOT_MEANT)
def test_words_that_may_say_that_the_drug_is_not_meant_only_raise_a_doubt(terminology: Terminology, words: str) -> None:
    found = terminology.recognise([], [words])
    assert not found.mentions("amitriptyline")
    assert found.doubted == {"amitriptyline"}


@pytest.mark.parametrize("words", MEANT)
def test_a_warning_elsewhere_in_the_words_does_not_hide_the_drug(terminology: Terminology, words: str) -> None:
    found = terminology.recognise([], [words])
    assert (found.drugs, found.doubted) == (("amitriptyline",), frozenset())


def test_a_doubtful_mention_beside_another_drug_is_no_second_drug(terminology: Terminology) -> None:
    found = terminology.recognise([], ["Sertraline 50 mg, do not give with amitriptyline"])
    assert (found.drugs, found.combination) == (("sertraline",), False)
    assert found.doubted == {"amitriptyline"}
    coded = terminology.recognise([Coding(ATC, "N06AA09")], ["never more than prescribed amitriptyline"])
    assert (coded.drugs, coded.doubted) == (("amitriptyline",), frozenset())


@pytest.mark.parametrize(
    ("code", "topical"),
    [
        ("D04AX99", True),
        ("S01XA99", True),
        ("G01AX99", True),
        ("M02AX99", True),
        ("D11AX99", False),
        ("D01BA99", False),
        ("N06AA99", False),
        ("R06AX99", False),
    ],
)
def test_a_local_product_in_a_topical_group_of_atc_is_topical(
    terminology: Terminology, code: str, topical: bool
) -> None:
    found = terminology.recognise([Coding(ATC, code)], ["Doxepin Hausmarke"])
    assert (found.drugs, found.topical) == (("doxepin",), topical)


def test_a_systemic_product_stays_one_whatever_group_stands_beside_it(terminology: Terminology) -> None:
    found = terminology.recognise([Coding(RXNORM, "856834"), Coding(ATC, "D04AX99")], ["Amitriptyline"])
    assert found.names("amitriptyline")


@pytest.mark.parametrize(
    ("coding", "words", "potentiated"),
    [
        (Coding(ATC, "M01AE01"), "", True),
        (Coding(ATC, "M01AX02"), "", True),
        (Coding(ATC, "M01AX05"), "Glucosamine", False),
        (Coding(RXNORM, "99999"), "Naproxen 500 mg tablet", True),
    ],
)
def test_nsaids_are_of_the_class_that_tolperisone_adds_to(
    terminology: Terminology, coding: Coding, words: str, potentiated: bool
) -> None:
    classes = terminology.classes(terminology.recognise([coding], [words]).drugs)
    assert ("nsaid-potentiated-by-tolperisone" in classes) is potentiated


def test_the_other_drug_of_an_nsaid_combination_is_not_lost(terminology: Terminology) -> None:
    found = terminology.recognise([Coding(ATC, "M01AE57")], ["Naproxen / diphenhydramine"])
    assert set(found.drugs) == {"nsaid", "diphenhydramine"}


def test_opioid_dependence_is_known_by_its_code(terminology: Terminology) -> None:
    assert "opioid-use-disorder" in terminology.concepts([Coding(SNOMED, "75544000")])


@pytest.mark.parametrize(
    ("coding", "acute"),
    [
        (Coding(SNOMED, "57054005"), True),
        (Coding("http://hl7.org/fhir/sid/icd-10", "I21.4"), True),
        (Coding(SNOMED, "22298006"), False),
    ],
)
def test_an_infarction_is_acute_only_when_its_code_says_so(
    terminology: Terminology, coding: Coding, acute: bool
) -> None:
    found = terminology.concepts([coding])
    assert "recent-myocardial-infarction" in found
    assert ("acute-myocardial-infarction" in found) is acute


def test_a_hostile_text_full_of_names_and_warnings_is_read_quickly(terminology: Terminology) -> None:
    started = time.process_time()
    found = terminology.recognise([], ["not amitriptyline " * 6_000])
    assert found.doubted == {"amitriptyline"}
    assert time.process_time() - started < 20, "a look back over the whole text for each name takes minutes"


@pytest.mark.parametrize(
    "words",
    ["Amirol 25 mg/5 mL", "Redomex 25 mg", "Tryptomer 25", "Syneudon 50", "Amitryptyline 10 mg", "Amitryptylinum VP"],
)
def test_amitriptyline_is_recognised_by_further_brands_and_a_common_misspelling(
    terminology: Terminology, words: str
) -> None:
    assert terminology.recognise([], [words]).drugs == ("amitriptyline",)


@pytest.mark.parametrize(
    ("words", "drug"),
    [
        ("tolpérisone 150 mg", "tolperisone"),
        ("Tolperisoni hydrochloridum 150 mg", "tolperisone"),
        ("толперизона гидрохлорид 150 мг", "tolperisone"),
        ("Мідокалм 150 мг", "tolperisone"),
        ("Мидокалма 150", "tolperisone"),
        ("ムスカルム錠100mg", "tolperisone"),
        ("トルペリゾン塩酸塩錠", "tolperisone"),
        ("アミトリプチリン塩酸塩錠10mg", "amitriptyline"),
        ("盐酸阿米替林片 25mg", "amitriptyline"),
        ("盐酸托哌酮片", "tolperisone"),
        ("에나폰정 10mg", "amitriptyline"),
        ("톨페리손염산염 150mg", "tolperisone"),
        ("TOLPERISONHYDROCHLORID150MG", "tolperisone"),
        ("amitriptyliini 25 mg", "amitriptyline"),
        ("amitriptylín 25 mg", "amitriptyline"),
        ("Amitriptylin25mg", "amitriptyline"),
        ("САРОТЕН", "amitriptyline"),
        ("Moclobemid 150 mg", "moclobemide"),
        ("Jatrosom 20 mg", "tranylcypromine"),
        ("sélégiline 5 mg", "selegiline"),
        ("Szelegilin 5 mg", "selegiline"),
        ("Morphin 10 mg", "morphine"),
        ("MST 10 Mundipharma", "morphine"),
        ("codéine 30 mg", "codeine"),
        ("Fluoxetin 20 mg", "fluoxetine"),
        ("Прозак 20 мг", "fluoxetine"),
        ("Johanniskraut 425 mg", "st-johns-wort"),
        ("St. John’s Wort", "st-johns-wort"),
        ("chlorure de méthylthioninium", "methylene-blue"),
        ("węglan litu 250 mg", "lithium"),
        ("Nifluminsäure", "niflumic-acid"),
    ],
)
def test_drugs_are_recognised_in_the_words_of_each_country(terminology: Terminology, words: str, drug: str) -> None:
    assert terminology.recognise([], [words]).drugs == (drug,)


@pytest.mark.parametrize(
    "words", ["la lyrique", "prosak", "Les métadonnées", "Butylscopolamin 10 mg", "Yoshino", "lyrika"]
)
def test_ordinary_words_and_other_substances_are_no_drug(terminology: Terminology, words: str) -> None:
    assert terminology.recognise([], [words]).drugs == ()


def test_a_combination_of_tolperisone_is_known_by_its_atc_code(terminology: Terminology) -> None:
    found = terminology.recognise([Coding(ATC, "M03BX54")], [])
    assert (found.drugs, found.combination) == (TOLPERISONE, True)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("http://fhir.de/CodeSystem/dimdi/atc", "N06AA09"),
        ("https://www.whocc.no/atc", "N06AA09"),
        ("http://whocc.no/atc/", "N06AA09"),
        ("HTTP://WWW.WHOCC.NO/ATC|2024", "N06AA09"),
        ("urn:oid:2.16.840.1.113883.6.73", "N06AA09"),
        ("2.16.840.1.113883.6.73", "N06AA09"),
        ("https://terminology.example.org/CodeSystem/atc-de", "N06AA09"),
        ("ATC", "N06AA09"),
        ("https://snomed.info/sct", "372726002"),
        ("http://snomed.info/sct/900000000000207008/version/20240101", "372726002"),
        ("SNOMED CT", "372726002"),
        ("urn:oid:2.16.840.1.113883.4.9", "1806D8D52K"),
        ("https://fdasis.nlm.nih.gov/", "1806D8D52K"),
        ("https://www.nlm.nih.gov/research/umls/rxnorm", "704"),
        ("RxNorm", "704"),
    ],
)
def test_a_drug_code_is_known_under_every_address_of_its_system(
    terminology: Terminology, system: str, code: str
) -> None:
    assert terminology.recognise([Coding(system, code)], []).drugs == AMITRIPTYLINE


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("http://fhir.de/CodeSystem/dimdi/icd-10-gm", "F32.1"),
        ("urn:oid:1.2.276.0.76.5.409", "F32.1"),
        ("urn:oid:2.16.840.1.113883.6.3", "F321"),
        ("http://hl7.org/fhir/sid/icd-10-nl", "F32.1†"),
        ("https://hl7.org/fhir/sid/icd-10-am", "f32.1"),
        ("http://hl7.org/fhir/sid/icd-10-ca", "F32.1 +"),
        ("urn:oid:2.16.756.5.30.1.126.3.1", "F32.1*"),
        ("https://terminology.example.cz/CodeSystem/mkn-10", "F32.1"),
        ("http://example.hu/fhir/bno-10", "F321"),
        ("http://hl7.org/fhir/sid/icd-10-cm/", "F32A"),
        ("ICD-10-GM", "F32.1 G"),
    ],
)
def test_a_problem_is_known_in_national_editions_with_and_without_dot_dagger_and_star(
    terminology: Terminology, system: str, code: str
) -> None:
    assert terminology.concepts([Coding(system, code)]) == {"major-depressive-disorder"}


@pytest.mark.parametrize("system", ["http://hl7.org/fhir/sid/icd-10-pcs", "http://example.org/atco", "", "sct-like"])
def test_an_address_that_only_resembles_one_is_unknown(terminology: Terminology, system: str) -> None:
    assert terminology.systems.of(system) is None


@pytest.mark.parametrize("words", ["Methenamine 81.6 mg / methylene blue 10.8 mg / hyoscyamine", "Uribel capsule"])
def test_methylene_blue_beside_methenamine_is_a_combination_by_its_words(terminology: Terminology, words: str) -> None:
    found = terminology.recognise([], [words])
    assert found.names("methylene-blue")
    assert found.combination
    assert not terminology.recognise([], ["methylene blue urinary tablet"]).combination


@pytest.mark.parametrize("words", ["Ketoconazole shampoo 2 %", "Кетоконазол шампунь", "ketokonazol krém"])
def test_a_shampoo_is_for_the_skin(terminology: Terminology, words: str) -> None:
    assert terminology.recognise([], [words]).topical


NEW_DRUGS = {
    "phenazepam": ("Феназепам 1 мг", "benzodiazepine"),
    "ketoconazole": ("Ketoconazol 200 mg", "qt-risk"),
    "furazolidone": ("Furazolidon 100 mg", "maoi-irreversible"),
    "isoniazid": ("Изониазид 300 мг", "maoi-weak"),
    "bromazepam": ("Bromazepam 3 mg", "cns-depressant"),
    "piritramide": ("Piritramid", "cns-active"),
    "chlorprothixene": ("Truxal 15", "cns-depressant"),
    "pipamperone": ("Dipiperon Saft", "cns-depressant"),
    "prothipendyl": ("Dominal forte 80", "cns-depressant"),
    "opipramol": ("Opipramol 50 mg", "tca"),
    "biperiden": ("Akineton 2 mg", "anticholinergic-strong"),
    "thiocolchicoside": ("Thiocolchicosid 4 mg", "muscle-relaxant"),
    "procainamide": ("Procainamid", "qt-risk"),
}


@pytest.mark.parametrize(("drug", "words", "class_"), [(drug, *said) for drug, said in NEW_DRUGS.items()])
def test_a_drug_that_rules_speak_of_as_a_class_is_known(
    terminology: Terminology, drug: str, words: str, class_: str
) -> None:
    found = terminology.recognise([], [words])
    assert found.drugs == (drug,)
    assert class_ in terminology.classes(found.drugs)


@pytest.mark.parametrize(
    ("words", "drugs"),
    [
        ("Klotriptyl Mite tabletti", {"amitriptyline", "chlordiazepoxide"}),
        ("Pertriptyl 10/2 mg", {"amitriptyline", "perphenazine"}),
        ("Mutabase 4-10", {"amitriptyline", "perphenazine"}),
        ("Amytril 25mg comp rev", {"amitriptyline"}),
        ("amitrip 10mg nocte", {"amitriptyline"}),
        ("Tolperis VP 150 mg", {"tolperisone"}),
        ("Miderizone 150 mg", {"tolperisone"}),
        ("Lexomil 1/4", {"bromazepam"}),
        ("Tramadolor long 100 ID", {"tramadol"}),
        ("Ralgen SR 100 mg", {"tramadol"}),
        ("ANAPSIQUE 25 MG 50 TABLETAS", {"amitriptyline"}),
    ],
)
def test_brands_of_further_countries_are_known(terminology: Terminology, words: str, drugs: set[str]) -> None:
    assert set(terminology.recognise([], [words]).drugs) == drugs


@pytest.mark.parametrize("words", ["crème amitriptyline 10 %", "amitriptyline zalf 5%", "amitriptyliini voide"])
def test_a_cream_is_for_the_skin_in_each_language(terminology: Terminology, words: str) -> None:
    assert terminology.recognise([], [words]).topical


@pytest.mark.parametrize(
    "words", ["ex-Mydocalm", "tolperison slutat", "Mydocalm stopgezet", "Mydocalm bırakıldı", "Amitriptylin kesildi"]
)
def test_a_drug_that_was_stopped_is_doubted_in_each_language(terminology: Terminology, words: str) -> None:
    found = terminology.recognise([], [words])
    assert not found.drugs
    assert found.doubted


def test_a_drug_that_ends_by_any_word_behind_its_name_is_doubted(terminology: Terminology) -> None:
    ended = (
        "Amitriptylin absetzen;Amitriptylin 25 mg pausieren;Amitriptylin ausschleichen;amitriptyline - discontinue;"
        "Amitriptyline HOLD;amitriptyline arrêt;амитриптилин отменить;amitriptilin elhagyása;amitriptylin vysadit;"
        "wie Amitriptylin;consider amitriptyline;vorher Amitriptylin"
    )
    for words in ended.split(";"):
        found = terminology.recognise([], [words])
        assert (found.drugs, found.doubted) == ((), frozenset({"amitriptyline"})), words
    for words in ("Amitriptylin beta 25", "Amitriptylin 25 mg Tabletten", "Amitriptylin-neuraxpharm 75 retard"):
        assert terminology.recognise([], [words]).drugs == ("amitriptyline",)
    other = terminology.recognise([], ["Mirtazapin 15 mg - AMITRIPTYLIN ABSETZEN"])
    assert (other.drugs, other.doubted) == (("mirtazapine",), frozenset({"amitriptyline"}))


@pytest.mark.parametrize("group", ["N06AF", "n06ab ", "N05B", "C"])
def test_a_group_of_atc_is_no_other_drug(terminology: Terminology, group: str) -> None:
    assert not terminology.can_judge(Coding(ATC, group))
    assert terminology.can_judge(Coding(ATC, "C10AA01"))


def test_names_in_turkish_capitals_are_heard(terminology: Terminology) -> None:
    names = {
        "moclobemide": "MOKLOBEMİD",
        "amitriptyline": "AMİTRİPTİLİN",
        "linezolid": "LİNEZOLİD",
        "diazepam": "DİAZEPAM",
    }
    for drug, written in names.items():
        assert terminology.drugs_in_text(f"{written} 25 MG") == {drug}, written
    assert terminology.drugs_in_text("MİDOCALM") == {"tolperisone"}


def test_names_in_greek_are_heard_whichever_letters_stand_for_a_sound(terminology: Terminology) -> None:
    names = {
        "moclobemide": "Μοκλοβεμίδη", "fluoxetine": "Φλουοξετίνη", "bupropion": "Βουπροπιόνη Μπουπροπιόνη",
        "pregabalin": "Πρεγκαμπαλίνη Πρεγαβαλίνη", "gabapentin": "Γκαμπαπεντίνη Γαβαπεντίνη",
        "duloxetine": "Ντουλοξετίνη Δουλοξετίνη", "quetiapine": "Κουετιαπίνη", "baclofen": "Βακλοφαίνη Μπακλοφένη",
        "fentanyl": "Φαιντανύλη", "tranylcypromine": "Τρανυλκυπρομίνη", "chlorpromazine": "Χλωροπρομαζίνη",
        "thioridazine": "Θειοριδαζίνη", "codeine": "Κωδεΐνη", "clarithromycin": "Κλαριθρομυκίνη",
        "valproate": "Βαλπροϊκό", "lithium": "Λίθιο", "ketoconazole": "Κετοκοναζόλη", "venlafaxine": "Βενλαφαξίνη",
    }  # fmt: skip
    for drug, written in names.items():
        for word in written.split():
            assert terminology.drugs_in_text(f"{word} 20 mg") == {drug}, word
            assert terminology.drugs_in_text(word.upper()) == {drug}, word
    assert terminology.drugs_in_text("Λιθίου ανθρακικό") == {"lithium"}
    for other in ("Παρακεταμόλη", "Βαρφαρίνη", "Λαμπεταλόλη", "Αμπικιλλίνη", "Φουροσεμίδη"):
        assert not terminology.drugs_in_text(other), other


def test_what_is_painted_on_dropped_into_the_eye_or_rinsed_with_is_topical(terminology: Terminology) -> None:
    for words in (
        "Methylenblau 1% Lösung zum Pinseln",
        "collyre ofloxacine",
        "krople do oczu ofloksacyna",
        "Morphin Mundspülung",
    ):
        found = terminology.recognise((), (words,))
        assert found.drugs, words
        assert found.topical, words

"""The drug of an order is found wherever the order leads, and what cannot be told is named as a problem (X6, X7)."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.concepts import concept_of
from service.fhir.recognise import NO_DRUG, SCRIPT_UNREAD, SEVERAL_DRUGS, UNKNOWN_SYSTEM, UNRESOLVED, identify
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import AMITRIPTYLINE, ATC, RXNORM, UCUM, identity_of

LOCAL = "http://pharmacy.example.org/products"
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": AMITRIPTYLINE}


def named_by(**members: Any) -> Resource:
    return {"resourceType": "MedicationRequest", "id": "rx-1", **members}


def pointing_to(reference: str, **members: Any) -> Resource:
    return named_by(medicationReference={"reference": reference}, **members)


def product(*ingredients: dict[str, Any], **members: Any) -> Resource:
    return {"resourceType": "Medication", "id": "m1", "ingredient": list(ingredients), **members}


def ingredient(name: str, mg: float, unit: str = "tablet", code: str = "") -> dict[str, Any]:
    coding = {"coding": [{"system": RXNORM, "code": code}]} if code else {}
    strength = {"numerator": {"value": mg, "unit": "mg", "code": "mg", "system": UCUM}, "denominator": {"unit": unit}}
    return {"itemCodeableConcept": {"text": name, **coding}, "strength": strength}


@pytest.mark.parametrize(
    "reference",
    [
        "Medication/m1",
        "https://fhir.example.org/r4/Medication/m1",
        "Medication/m1/_history/2",
        "https://fhir.example.org/r4/Medication/m1/_history/2",
    ],
)
def test_a_medication_of_the_request_is_found_by_any_reference_to_it(reference: str, terminology: Terminology) -> None:
    found = identity_of(pointing_to(reference), terminology, MEDICATION)
    assert found.recognition.drugs == ("amitriptyline",)
    assert (found.label, found.problem, found.by_reference) == (AMITRIPTYLINE["text"], "", True)


def test_a_drug_is_read_alike_in_every_shape(terminology: Terminology) -> None:
    words, coding = AMITRIPTYLINE["text"], AMITRIPTYLINE["coding"][0]
    shapes: list[dict[str, Any]] = [
        *({name: words} for name in ("medicationCodeableConcept", "medication", "medicationString")),
        *({name: coding} for name in ("medicationCodeableConcept", "medication", "medicationCoding")),
        *({"medication": concept} for concept in (AMITRIPTYLINE, [AMITRIPTYLINE], {"concept": AMITRIPTYLINE})),
        {"medicationCodeableReference": {"concept": AMITRIPTYLINE}},
        {"medicationCodeableConcept": {**AMITRIPTYLINE, "coding": coding}},
    ]
    for shape in shapes:
        found = identity_of(named_by(**shape), terminology)
        assert (found.recognition.drugs, found.problem, found.by_reference) == (("amitriptyline",), "", False), shape


def test_a_reference_is_followed_in_every_shape(terminology: Terminology) -> None:
    pointer = {"reference": "Medication/m1"}
    for member in ("medicationReference", "medication", "medicationCodeableReference"):
        for shape in (pointer, [pointer], {"reference": pointer}, "Medication/m1"):
            found = identity_of(named_by(**{member: shape}), terminology, MEDICATION)
            assert (found.recognition.drugs, found.by_reference) == (("amitriptyline",), True), (member, shape)


def test_a_contained_medication_that_is_named_like_one_outside_is_found_where_there_is_none(
    terminology: Terminology,
) -> None:
    for target in ("Medication/m1", "https://fhir.example.org/r4/Medication/m1/_history/2"):
        order = pointing_to(target, contained=[MEDICATION])
        assert identity_of(order, terminology).recognition.drugs == ("amitriptyline",)
        outside = {**MEDICATION, "code": {"text": "Mydocalm"}}
        assert identity_of(order, terminology, outside).recognition.drugs == ("tolperisone",)


def test_a_contained_medication_is_found_and_the_requests_own_is_not_mixed_up_with_it(terminology: Terminology) -> None:
    order = pointing_to("#m1", contained=[{"resourceType": "Practitioner", "id": "p"}, MEDICATION])
    other = {**MEDICATION, "code": {"text": "Mydocalm"}}
    assert identity_of(order, terminology, other).recognition.drugs == ("amitriptyline",)
    assert identity_of(pointing_to("Medication/m1"), terminology, other).recognition.drugs == ("tolperisone",)


def test_r5_points_to_a_medication_in_a_codeable_reference(terminology: Terminology) -> None:
    order = named_by(medication={"reference": {"reference": "Medication/m1"}})
    assert identity_of(order, terminology, MEDICATION).recognition.drugs == ("amitriptyline",)


@pytest.mark.parametrize("reference", ["Medication/m2", "#m1", "urn:uuid:0d6b7b3e-0000-4000-8000-000000000001", "m2"])
def test_a_reference_that_leads_nowhere_is_a_problem(reference: str, terminology: Terminology) -> None:
    found = identity_of(pointing_to(reference), terminology, MEDICATION)
    assert (found.problem, found.recognition.drugs, found.label) == (UNRESOLVED, (), "")


def test_the_name_beside_a_reference_is_enough(terminology: Terminology) -> None:
    order = named_by(medicationReference={"reference": "Medication/m2", "display": "Mydocalm 150 mg"})
    found = identity_of(order, terminology)
    assert (found.recognition.drugs, found.recognition.from_text) == (("tolperisone",), True)
    assert (found.label, found.problem) == ("Mydocalm 150 mg", "")


def test_a_name_that_is_no_drug_of_the_guidance_is_no_problem(terminology: Terminology) -> None:
    found = identity_of(named_by(medicationCodeableConcept={"text": "House cough mixture"}), terminology)
    assert (found.problem, found.recognition.drugs, found.label) == ("", (), "House cough mixture")


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"medicationCodeableConcept": {}},
        {"medicationCodeableConcept": {"text": " ", "coding": []}},
        {"medicationCodeableConcept": {"coding": [{"system": RXNORM}, {"code": ""}, {"code": True}, "704"]}},
        {"medicationCodeableConcept": 5},
    ],
)
def test_an_order_without_any_code_or_name_has_no_drug(members: dict[str, Any], terminology: Terminology) -> None:
    assert identity_of(named_by(**members), terminology).problem == NO_DRUG


NO_NAMES = (
    *(
        "Tablette",
        "Tabletten 25 mg",
        "Filmtabl. 10 St.",
        "Arzneimittel",
        "Medikament",
        "unknown drug",
        "Unknown",
        "n/a",
    ),
    *(
        "siehe Text",
        "s. Bemerkung",
        "tabletta",
        "лекарство",
        "см. примечание",
        "see comments",
        "See notes below",
        "médicament",
    ),
    *(
        "voir commentaire",
        "lek",
        "inny lek",
        "lék",
        "viz poznámka",
        "pozri text",
        "gyógyszer",
        "lásd megjegyzés",
        "farmaco",
    ),
    *(
        "vedi nota",
        "medicamento",
        "ver texto",
        "medicament",
        "vezi text",
        "препарат",
        "ліки",
        "lääke",
        "läkemedel",
        "N.N.",
    ),
    *(
        "100 mg",
        "-",
        "???",
        "1",
        "Other",
        "sonstiges Medikament",
        "Freitext",
        "Verordnung siehe Anhang",
        "wie zuvor",
        "same as before",
    ),
    *(  # a class, or another place where the drugs stand
        "MAO-Hemmer",
        "ein SSRI",
        "unknown antidepressant",
        "sleeping pills",
        "opioid patch",
        "Betablocker 50 mg",
        "Schlaftabletten",
        "somnifère",
        "antidepresivo tricíclico",
        "обезболивающее",
        "lek nasenny",
        "siehe Medikationsplan",
        "s. Entlassbrief",
        "see discharge summary",
        "см. выписку",
        "wg zaleceń",
        "Studienmedikation verblindet",
    ),
)


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_says_nothing_is_none(name: str, terminology: Terminology) -> None:
    coded = {"coding": [{"system": LOCAL, "code": "A17", "display": name}]}
    assert identity_of(named_by(medicationCodeableConcept={"text": name}), terminology).problem == NO_DRUG
    assert identity_of(named_by(medicationCodeableConcept=coded), terminology).problem == UNKNOWN_SYSTEM


def test_a_name_that_says_nothing_beside_a_code_that_is_known_takes_nothing_away(terminology: Terminology) -> None:
    concept = {"coding": [{"system": RXNORM, "code": "308191"}], "text": "Kapsel"}
    assert identity_of(named_by(medicationCodeableConcept=concept), terminology).problem == ""


@pytest.mark.parametrize("name", ["Amoxicillin 500 mg Kapsel", "NaCl 0,9 %", "Vitamin D", "Salbutamol spray", "Eisen"])
def test_words_beside_a_drug_that_is_not_known_here_leave_it_named(name: str, terminology: Terminology) -> None:
    assert identity_of(named_by(medicationCodeableConcept={"text": name}), terminology).problem == ""


def test_a_local_code_without_a_name_is_a_problem_and_with_a_name_none(terminology: Terminology) -> None:
    coding = {"system": LOCAL, "code": "A17"}
    bare = identity_of(named_by(medicationCodeableConcept={"coding": [coding]}), terminology)
    assert (bare.problem, bare.label) == (UNKNOWN_SYSTEM, "code A17")
    shown = {**coding, "display": "Amitriptyline 25 mg"}
    named = identity_of(named_by(medicationCodeableConcept={"coding": [shown]}), terminology)
    assert (named.problem, named.recognition.evidence) == ("", "name of A17")


def test_an_unknown_code_of_a_known_system_is_another_drug(terminology: Terminology) -> None:
    order = named_by(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": "723"}]})
    found = identity_of(order, terminology)
    assert (found.problem, found.recognition.drugs) == ("", ())


def test_codes_that_disagree_with_the_name_of_the_medication_are_kept_as_a_dispute(terminology: Terminology) -> None:
    medication = {**MEDICATION, "code": {**AMITRIPTYLINE, "text": "Nortriptyline 25 mg"}}
    found = identity_of(pointing_to("Medication/m1"), terminology, medication)
    assert found.recognition.disputes("amitriptyline")


PAIR = (ingredient("Amitriptyline", 25, code="704"), ingredient("Perphenazine", 2, code="8076"))


@pytest.mark.parametrize(
    "code",
    [
        {},
        {"text": "Triavil 2-25"},
        {"text": "Amitriptyline and perphenazine", "coding": [{"system": RXNORM, "code": "856797"}]},
        {"coding": [{"system": ATC, "code": "N06CA01"}]},
    ],
)
def test_the_ingredients_of_one_product_do_not_disagree(code: dict[str, Any], terminology: Terminology) -> None:
    found = identity_of(pointing_to("Medication/m1"), terminology, product(*PAIR, code=code))
    assert set(found.recognition.drugs) == {"amitriptyline", "perphenazine"}
    assert found.recognition.combination
    assert not found.recognition.disputes("amitriptyline")
    assert {s.drug: s.mg for s in found.strengths} == {"amitriptyline": 25, "perphenazine": 2}


def test_ingredients_named_in_words_only_are_recognised_from_text(terminology: Terminology) -> None:
    words = product(ingredient("Amitriptylin", 25), ingredient("Perphenazin", 2), ingredient("Lactose", 50))
    found = identity_of(pointing_to("Medication/m1"), terminology, words)
    assert found.recognition.names("amitriptyline")
    assert found.recognition.from_text
    assert not found.recognition.disputes("amitriptyline")


def test_a_product_whose_name_is_not_among_its_ingredients_is_disputed(terminology: Terminology) -> None:
    medication = product(*PAIR, code={"text": "Mydocalm"})
    found = identity_of(pointing_to("Medication/m1"), terminology, medication)
    assert found.recognition.disputes("amitriptyline")
    assert found.recognition.disputes("tolperisone")


@pytest.mark.parametrize(
    ("strength", "mg"),
    [
        ({"numerator": {"value": 25, "unit": "mg"}}, Fraction(25)),
        ({"numerator": {"value": 25, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}, Fraction(25)),
        ({"numerator": {"value": 50, "unit": "mg"}, "denominator": {"value": 2, "code": "{tbl}"}}, Fraction(25)),
        ({"numerator": {"value": Decimal("0.025"), "code": "g"}, "denominator": {"value": 1}}, Fraction(25)),
        ({"numerator": {"value": 25000, "code": "ug"}, "denominator": {"unit": "capsule"}}, Fraction(25)),
        ({"numerator": {"value": 25, "unit": "mg"}, "denominator": {"value": 0, "unit": "tablet"}}, None),
        ({"numerator": {"value": 25}, "denominator": {"value": 1, "unit": "tablet"}}, None),
        ({"numerator": {"value": 25, "unit": "mg"}, "denominator": {"value": 1, "unit": "h"}}, None),
        ({"numerator": {"value": 25, "unit": "mg"}, "denominator": {"value": 1, "unit": "g"}}, None),
        ({"numerator": {"value": "x", "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}, None),
        ({"numerator": {"value": 25, "unit": "mg"}, "denominator": {"value": "x", "unit": "tablet"}}, None),
        ({"numerator": {"value": 25, "unit": "mg"}, "denominator": "tablet"}, None),
        ({"numerator": "25 mg"}, None),
        ([{"numerator": {"value": 25, "unit": "mg"}}], Fraction(25)),
        ({"value": 25, "unit": "mg"}, Fraction(25)),
        ("25 mg", Fraction(25)),
        ({"text": "25 mg"}, Fraction(25)),
        ({"coding": [{"display": "25 mg"}]}, Fraction(25)),
        ("25 mg or 50 mg", None),
        ("strong", None),
        ({}, None),
    ],
)
def test_a_strength_is_read_only_as_a_mass_in_pieces(
    strength: Any, mg: Fraction | None, terminology: Terminology
) -> None:
    item = {"itemCodeableConcept": {"text": "Amitriptyline"}, "strength": strength}
    found = identity_of(pointing_to("Medication/m1"), terminology, product(item))
    assert [s.mg for s in found.strengths] == ([mg] if mg is not None else [])


def test_a_strength_in_a_volume_is_one_a_millilitre(terminology: Terminology) -> None:
    for volume in ({"value": 5, "unit": "mL", "code": "mL"}, {"value": 5, "unit": "ml"}):
        strength = {"numerator": {"value": 10, "unit": "mg"}, "denominator": volume}
        item = {"itemCodeableConcept": {"text": "Amitriptyline"}, "strength": strength}
        (found,) = identity_of(pointing_to("Medication/m1"), terminology, product(item)).strengths
        assert (found.mg, found.per_ml) == (Fraction(2), True)


def test_a_product_whose_ingredients_nobody_knows_is_told_by_its_name(terminology: Terminology) -> None:
    unknown = (ingredient("Ingredient A", 1), ingredient("Ingredient B", 2))
    found = identity_of(pointing_to("Medication/m1"), terminology, product(*unknown, code={"text": "Saroten"}))
    assert (found.recognition.drugs, found.recognition.from_text) == (("amitriptyline",), True)
    assert identity_of(pointing_to("Medication/m1"), terminology, product(*unknown)).recognition.drugs == ()


def test_the_strength_of_an_unnamed_single_ingredient_is_the_products(terminology: Terminology) -> None:
    medication = product(ingredient("", 50), code={"text": "Saroten"})
    (strength,) = identity_of(pointing_to("Medication/m1"), terminology, medication).strengths
    assert (strength.drug, strength.mg, strength.evidence) == ("amitriptyline", Fraction(50), "Medication")


@pytest.mark.parametrize(
    "route",
    [{"coding": [{"system": "http://snomed.info/sct", "code": "6064005"}]}, {"text": "cutaneous"}, {"text": "Topical"}],
)
def test_a_route_on_the_skin_makes_an_order_in_words_topical(route: dict[str, Any], terminology: Terminology) -> None:
    words = named_by(medicationCodeableConcept={"text": "Amitriptyline"}, dosageInstruction=[{"route": route}])
    assert not identity_of(words, terminology).recognition.names("amitriptyline")
    tablet = named_by(medicationCodeableConcept=AMITRIPTYLINE, dosageInstruction=[{"route": route}])
    assert identity_of(tablet, terminology).recognition.names("amitriptyline")


def test_only_codings_with_a_code_are_codings() -> None:
    odd = {"coding": [None, 5, "x", {}, {"code": 1.5}, {"code": ""}, {"code": "1", "system": 7, "display": []}]}
    assert [(c.system, c.code, c.display) for c in concept_of(odd).codings] == [("", "1", "")]
    assert [c.code for c in concept_of({"coding": {"code": "704"}}).codings] == ["704"]
    assert concept_of({"coding": [{"code": True}, {"code": -1}, {"code": 10**5000}]}).codings == ()


@pytest.mark.parametrize(
    "written",
    [
        "ami\u200btriptyline 25 mg",
        "amitrip\u00adtyline 25 mg",
        "amitrip\x00tyline 25 mg",
        "\ufeffamitriptyline\u2060 25 mg",
        "amitripty&shy;line&nbsp;25&nbsp;mg",
        "am&#105;triptyl&iacute;n 25 mg",
        ["amitriptyline 25 mg"],
    ],
)
def test_a_name_is_read_as_somebody_sees_it(written: Any, terminology: Terminology) -> None:
    identity = identity_of(named_by(medicationCodeableConcept={"text": written}), terminology)
    assert identity.recognition.drugs == ("amitriptyline",)
    assert identity.label.replace("\N{NO-BREAK SPACE}", " ").isprintable()


def test_a_code_that_was_sent_as_a_number_is_a_code(terminology: Terminology) -> None:
    found = identity_of(
        named_by(medicationCodeableConcept={"coding": [{"system": RXNORM, "code": 856834}]}), terminology
    )
    assert (found.recognition.drugs, found.recognition.evidence) == (("amitriptyline",), "RxNorm 856834")


def test_the_name_of_a_coding_without_a_code_is_as_good_as_the_text(terminology: Terminology) -> None:
    nameless = {"coding": [{"system": RXNORM, "display": "Amitriptyline 25 MG Oral Tablet"}]}
    found = identity_of(named_by(medicationCodeableConcept=nameless), terminology)
    assert (found.recognition.drugs, found.recognition.from_text) == (("amitriptyline",), True)
    assert (found.label, found.problem) == ("Amitriptyline 25 MG Oral Tablet", "")


junk: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.integers(), st.sampled_from(["#m1", "Medication/m1", "amitriptyline"]), st.text(max_size=8)
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["reference", "display", "concept", "coding", "text", "code", "ingredient", "item", "route"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@given(concept=junk, pointer=junk, medication=junk, contained=junk, dosages=junk)
def test_any_json_in_place_of_a_drug_is_told_or_named_as_a_problem(
    terminology: Terminology, concept: Any, pointer: Any, medication: Any, contained: Any, dosages: Any
) -> None:
    order = named_by(
        medicationCodeableConcept=concept,
        medicationReference=pointer,
        medication=medication,
        contained=contained,
        dosageInstruction=dosages,
    )
    sent = {"resourceType": "Medication", "id": "m1", "code": concept, "ingredient": medication, "product": pointer}
    found = identify(order, {"Medication/m1": sent}, terminology)
    assert found.problem in ("", NO_DRUG, UNRESOLVED, UNKNOWN_SYSTEM, SEVERAL_DRUGS, SCRIPT_UNREAD)
    assert not (found.problem not in ("", SEVERAL_DRUGS) and found.recognition.drugs)


def test_drugs_in_the_members_of_two_versions_are_one_when_they_are_the_same(terminology: Terminology) -> None:
    for beside, problem in (
        (AMITRIPTYLINE, ""),
        ({"text": "Amitriptylin 25"}, ""),
        ({"text": "Ramipril"}, SEVERAL_DRUGS),
    ):
        order = named_by(medicationCodeableConcept=beside, medication={"concept": AMITRIPTYLINE})
        found = identity_of(order, terminology)
        assert "amitriptyline" in found.recognition.drugs
        assert found.problem == problem, beside


def test_a_drug_in_a_script_that_is_not_read_is_not_taken_for_another_drug(terminology: Terminology) -> None:
    subjects = ("amitriptyline", "tolperisone")
    for words, problem, in_draft in (
        ("סרטרלין 50 mg", SCRIPT_UNREAD, SCRIPT_UNREAD),
        ("アムロジピン錠 5mg", SCRIPT_UNREAD, ""),  # the two drugs are known in Japanese, Chinese and Korean
        ("Рамиприл 5 мг", "", ""),
        ("Ibuprofen 錠", "", ""),
        ("アミトリプチリン錠25mg", "", ""),
        ("錠", NO_DRUG, NO_DRUG),
    ):
        found = identity_of(named_by(medicationCodeableConcept={"text": words}), terminology)
        assert (found.problem, found.unidentified(subjects)) == (problem, in_draft), words
    coded = {"text": "סרטרלין", "coding": [{"system": RXNORM, "code": "29046"}]}
    assert identity_of(named_by(medicationCodeableConcept=coded), terminology).problem == ""

"""A suggestion's order is the client's own, with another product and dosage and nothing else changed or lost."""

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest

from service.engine.library import Library
from service.fhir.edit import CannotEdit, ClientOrders
from service.fhir.resources import Resource
from service.fhir.versions import Version
from service.jsonio import decode, encode
from service.terminology.recognise import Terminology
from tests.fhir.samples import AMITRIPTYLINE, ATC, RXNORM, SNOMED, TABLET, dosage, order, without

TEN = "856783"
TEN_MG = {"value": 10, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}
DAILY = {"frequency": 1, "period": 1, "periodUnit": "d", "when": ["HS"]}
EXTENSIONS = "http://hl7.org/fhir/5.0/StructureDefinition/"
LOCAL = {"system": "http://pharmacy.example.org/products", "code": "A17"}


@pytest.fixture(scope="session")
def template(library: Library) -> Mapping[str, Any]:
    return library.orders["amitriptyline-10-mg-at-bedtime"]


class Editor:
    """Edits orders with the template of 10 mg at bedtime."""

    def __init__(self, template: Mapping[str, Any], terminology: Terminology) -> None:
        self._template = template
        self._terminology = terminology

    def edited(self, resource: Resource) -> tuple[Resource, str]:
        return ClientOrders({"rx": resource}).changed("rx", self._template, self._terminology, "amitriptyline")

    def refusal(self, resource: Resource) -> str:
        with pytest.raises(CannotEdit) as refused:
            self.edited(resource)
        return refused.value.reason


@pytest.fixture(scope="session")
def editor(template: Mapping[str, Any], terminology: Terminology) -> Editor:
    return Editor(template, terminology)


def test_product_and_dosage_are_replaced_and_the_new_product_is_named(editor: Editor) -> None:
    changed, product = editor.edited(order())
    assert [c["code"] for c in changed["medicationCodeableConcept"]["coding"]] == [TEN]
    assert product == changed["medicationCodeableConcept"]["text"] == "amitriptyline hydrochloride 10 MG Oral Tablet"
    (instruction,) = changed["dosageInstruction"]
    assert instruction["doseAndRate"] == [{"doseQuantity": TEN_MG}]
    assert (instruction["timing"], instruction["text"]) == ({"repeat": DAILY}, "10 mg at bedtime")
    rest = ("medicationCodeableConcept", "dosageInstruction")
    assert without(changed, *rest) == without(order(), *rest)
    MedicationRequest.model_validate(changed)


def test_everything_else_of_the_order_survives_unknown_elements_and_numbers_included(editor: Editor) -> None:
    kept = {
        "extension": [{"url": "http://example.org/price", "valueDecimal": Decimal("1.50")}],
        "_status": {"extension": [{"url": "http://example.org/why", "valueString": "x"}]},
        "unknownElement": {"deep": [1, None, {"a": Decimal("0.10")}]},
        "note": [{"text": "50 mg was too much"}],
        "contained": [{"resourceType": "Practitioner", "id": "p"}],
    }
    changed, _ = editor.edited(order(**kept))
    assert {name: changed[name] for name in kept} == kept
    assert b"1.50" in encode(changed)


def test_what_does_not_say_how_much_or_when_is_kept_in_the_dosage(editor: Editor) -> None:
    bounds = {"boundsPeriod": {"start": "2026-11-23", "end": "2026-12-23"}, "_boundsPeriod": {"id": "b"}}
    repeat = {**bounds, "count": 5, "frequency": 3, "period": 1, "periodUnit": "d", "extension": [{"url": "r"}]}
    kept = {
        "sequence": 1,
        "route": {"coding": [{"system": SNOMED, "code": "26643006"}]},
        "site": {"text": "mouth"},
        "method": {"text": "swallow"},
        "extension": [{"url": "http://example.org/d", "valueDecimal": Decimal("2.50")}],
    }
    timing = {"extension": [{"url": "t"}], "repeat": repeat, "code": {"text": "TID"}, "event": ["2026-11-23"]}
    (instruction,) = editor.edited(order(dosageInstruction=[dosage(timing=timing, **kept)]))[0]["dosageInstruction"]
    assert {name: instruction[name] for name in kept} == kept
    assert instruction["timing"] == {
        "extension": [{"url": "t"}],
        "repeat": {**bounds, "extension": [{"url": "r"}], **DAILY},
    }


def test_everything_that_says_how_much_or_when_is_gone(editor: Editor) -> None:
    said: dict[str, Any] = {
        "patientInstruction": "one in the morning, one at night",
        "_patientInstruction": {"id": "p"},
        "additionalInstruction": [{"text": "2 tablets at night"}],
        "asNeededBoolean": True,
        "asNeededCodeableConcept": {"text": "pain"},
        "asNeeded": True,
        "asNeededFor": [{"text": "pain"}],
        "maxDosePerPeriod": {"numerator": TABLET, "denominator": TABLET},
        "maxDosePerAdministration": TABLET,
        "maxDosePerLifetime": TABLET,
        "rateQuantity": TABLET,
    }
    (instruction,) = editor.edited(order(dosageInstruction=[dosage(**said)]))[0]["dosageInstruction"]
    assert instruction.keys() == {"text", "timing", "doseAndRate"}


def test_r5s_rendered_words_for_the_old_dosage_go_with_it(editor: Editor) -> None:
    r5 = {
        **without(order(), "medicationCodeableConcept"),
        "medication": {"concept": AMITRIPTYLINE},
        "renderedDosageInstruction": "50 mg at night",
        "_renderedDosageInstruction": {"id": "r"},
    }
    changed, _ = editor.edited(r5)
    assert "50 mg" not in encode(changed).decode()
    assert "_renderedDosageInstruction" not in changed


def test_nothing_that_was_written_from_the_old_dosage_stays(editor: Editor) -> None:
    rendered = {"url": f"{EXTENSIONS}extension-MedicationRequest.renderedDosageInstruction", "valueMarkdown": "50 mg"}
    other = {"url": "https://ehr.example.org/x", "valueString": "kept"}
    narrative = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Amitriptyline 50 mg</div>'}
    changed, _ = editor.edited(order(text=narrative, extension=[rendered, other]))
    assert "50 mg" not in encode(changed).decode()
    assert changed["extension"] == [other]
    assert "extension" not in editor.edited(order(extension=[rendered]))[0]
    assert editor.refusal(order(text={**narrative, "status": "additional"})) == "not-editable"


def test_an_r5_order_keeps_its_product_in_its_codeable_reference(editor: Editor) -> None:
    changed, product = editor.edited(
        {**without(order(), "medicationCodeableConcept"), "medication": {"concept": AMITRIPTYLINE}}
    )
    assert "medicationCodeableConcept" not in changed
    assert [c["code"] for c in changed["medication"]["concept"]["coding"]] == [TEN]
    assert product


def test_an_stu3_order_keeps_its_dose_beside_the_timing(editor: Editor) -> None:
    for dose in ({"doseQuantity": TABLET}, {"doseRange": {"low": TABLET, "high": TABLET}}):
        stu3 = order(
            dosageInstruction=[{"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}}, **dose}]
        )
        (instruction,) = editor.edited(stu3)[0]["dosageInstruction"]
        assert instruction["doseQuantity"] == TEN_MG
        assert instruction.keys() == {"text", "timing", "doseQuantity"}


def test_a_dstu2_order_is_written_as_dstu2(editor: Editor) -> None:
    old = {"timing": {"repeat": {"frequency": 2, "period": 1, "periodUnits": "d"}}, "doseQuantity": TABLET}
    changed, _ = editor.edited({**order(dosageInstruction=[old]), "resourceType": "MedicationOrder"})
    (instruction,) = changed["dosageInstruction"]
    assert instruction["timing"] == {"repeat": {"frequency": 1, "period": 1, "periodUnits": "d"}}
    assert instruction["doseQuantity"] == TEN_MG
    assert "doseAndRate" not in instruction


@pytest.mark.parametrize("version", ["DSTU2", "STU3", "R4", "R5"])
def test_an_order_that_does_not_tell_its_version_gets_the_calls(version: Version, library: Library) -> None:
    template, terminology = library.orders["amitriptyline-10-mg-at-bedtime"], library.terminology
    in_words = order(dosageInstruction=[{"text": "25 mg at night"}])
    own = order(dosageInstruction=[{"doseQuantity": TABLET}])
    orders = ClientOrders({"in words": in_words, "own": own}, version=version)
    changed, _ = orders.changed("in words", template, terminology, "amitriptyline")
    (instruction,) = changed["dosageInstruction"]
    assert ("doseAndRate" in instruction) is (version in ("R4", "R5"))
    (instruction,) = orders.changed("own", template, terminology, "amitriptyline")[0]["dosageInstruction"]
    assert "doseQuantity" in instruction


@pytest.mark.parametrize(
    "given",
    [dosage(), [dosage(doseAndRate={"doseQuantity": TABLET})], [dosage(timing={})], [{}], [], None],
)
def test_objects_for_lists_and_missing_parts_become_one_whole_dosage(given: Any, editor: Editor) -> None:
    changed, _ = editor.edited(order(dosageInstruction=given))
    assert changed["dosageInstruction"] == [
        {"text": "10 mg at bedtime", "timing": {"repeat": DAILY}, "doseAndRate": [{"doseQuantity": TEN_MG}]}
    ]


def test_a_product_of_the_right_strength_stays(editor: Editor) -> None:
    fitting = {"coding": [{"system": RXNORM, "code": TEN}], "text": "my 10 mg tablets"}
    changed, product = editor.edited(order(medicationCodeableConcept=fitting))
    assert (changed["medicationCodeableConcept"], product) == (fitting, "")


@pytest.mark.parametrize(
    "concept",
    [
        {"text": "Amitriptyline"},
        {"coding": [{"system": RXNORM, "code": "704"}]},
        {"coding": [], "text": "Saroten 10 mg"},
    ],
)
def test_a_drug_named_without_another_strength_keeps_its_name(concept: dict[str, Any], editor: Editor) -> None:
    changed, product = editor.edited(order(medicationCodeableConcept=concept))
    assert (changed["medicationCodeableConcept"], product) == (concept, "")


def test_codes_of_the_drug_without_a_strength_stay_beside_the_new_product(editor: Editor) -> None:
    atc = {"system": ATC, "code": "N06AA09"}
    both = {"coding": [atc, *AMITRIPTYLINE["coding"]], "text": "Amitriptyline 25 mg"}
    changed, _ = editor.edited(order(medicationCodeableConcept=both))
    assert [c["code"] for c in changed["medicationCodeableConcept"]["coding"]] == [TEN, "N06AA09"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dosageInstruction": [dosage(), dosage()]}, "several-dosages"),
        ({"dosageInstruction": ["at night"]}, "not-editable"),
        ({"dosageInstruction": [dosage(timing="at night")]}, "not-editable"),
        ({"dosageInstruction": [dosage(timing=None)]}, "not-editable"),
        ({"dosageInstruction": None, "dosage": [dosage()]}, "not-editable"),
        ({"medicationCodeableConcept": AMITRIPTYLINE["text"]}, "not-editable"),
        ({"medicationCodeableConcept": AMITRIPTYLINE["coding"][0]}, "not-editable"),
        ({"dosageInstruction": [dosage(route={"coding": [{"system": SNOMED, "code": "47625008"}]})]}, "not-oral"),
        ({"dosageInstruction": [dosage(route={"text": "nasogastric tube"})]}, "not-oral"),
        ({"medicationCodeableConcept": None}, "not-editable"),
        ({"medicationCodeableConcept": {}, "medicationReference": {"reference": "Medication/1"}}, "by-reference"),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "856797"}]}}, "combination"),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "7531"}]}}, "combination"),
        ({"medicationCodeableConcept": {"coding": [*AMITRIPTYLINE["coding"], LOCAL]}}, "product-unknown"),
        ({"medicationCodeableConcept": {"coding": [{"display": "amitriptyline"}]}}, "product-unknown"),
        ({"medicationCodeableConcept": {"coding": ["856834"]}}, "product-unknown"),
        ({"medicationCodeableConcept": {"text": "Amitriptyline 25 mg tablets"}}, "product-in-words"),
        (
            {"medicationCodeableConcept": {"coding": [{"system": ATC, "code": "N06AA09", "display": "Saroten 50 mg"}]}},
            "product-in-words",
        ),
    ],
)
def test_what_cannot_be_changed_without_guessing_is_refused_with_its_reason(
    changes: dict[str, Any], reason: str, editor: Editor, library: Library
) -> None:
    assert editor.refusal(order(**changes)) == reason
    assert reason in library.withheld


@pytest.mark.parametrize(
    "route",
    [{"coding": [{"system": SNOMED, "code": "26643006"}]}, {"text": "PO"}, {"text": "take by mouth"}, {"text": ""}, {}],
)
def test_an_order_by_mouth_or_without_a_route_is_changed(route: dict[str, Any], editor: Editor) -> None:
    assert editor.edited(order(dosageInstruction=[dosage(route=route)]))[1]


def test_neither_the_clients_order_nor_the_template_is_touched(editor: Editor, template: Mapping[str, Any]) -> None:
    sent, before = decode(encode(order())), deepcopy(template)
    changed, _ = editor.edited(sent)
    changed["dosageInstruction"][0]["timing"]["repeat"]["frequency"] = 99
    changed["medicationCodeableConcept"]["coding"][0]["code"] = "changed"
    assert sent == decode(encode(order()))
    assert template == before

"""Terminology from the ValueSets: drugs, conditions, routes and measurements, every code with its provenance."""

import json
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from service.engine.library import Library
from service.engine.loading import FOLDER
from service.files import FaultyLibrary
from service.terminology.load import load_terminology
from service.terminology.recognise import Coding
from service.terminology.value_sets import EXTENSION
from tests.engine.folder import changed, copied

RXNORM, SNOMED, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct", "http://www.whocc.no/atc"
ICD = "http://hl7.org/fhir/sid/icd-10"
DRUG = "terminology/drugs/zopiclone.json"


def test_the_folder_of_the_repository_loads_without_faults() -> None:
    loaded, faults = load_terminology(FOLDER / "terminology")
    assert faults == []
    assert len(loaded.sets) == len(list((FOLDER / "terminology").glob("*/*.json")))


@pytest.mark.parametrize(
    ("coding", "drug"),
    [
        (Coding(RXNORM, "704"), "amitriptyline"),
        (Coding(RXNORM, "856834"), "amitriptyline"),
        (Coding(SNOMED, "372726002"), "amitriptyline"),
        (Coding(ATC, "N06AA09"), "amitriptyline"),
        (Coding("urn:oid:2.16.840.1.113883.6.73", "N06AA09"), "amitriptyline"),
        (Coding(ATC, "M03BX04"), "tolperisone"),
    ],
)
def test_the_drugs_of_the_guidance_are_known_by_their_codes(library: Library, coding: Coding, drug: str) -> None:
    assert [code.drug for code in library.terminology.drug_codes(coding)] == [drug]


def test_a_code_of_another_system_is_another_code(library: Library) -> None:
    assert list(library.terminology.drug_codes(Coding(SNOMED, "704"))) == []


def test_a_product_code_carries_its_strength_and_its_form(library: Library) -> None:
    (tablet,) = library.terminology.drug_codes(Coding(RXNORM, "856834"))
    assert tablet.strength == Fraction(25)
    assert (tablet.form, tablet.combination) == ("systemic", False)
    (ingredient,) = library.terminology.drug_codes(Coding(RXNORM, "704"))
    assert (ingredient.strength, ingredient.form) == (None, "")
    (gel,) = library.terminology.drug_codes(Coding(ATC, "M02AX06"))
    assert (gel.drug, gel.form) == ("tolperisone", "topical")


def test_a_combination_carries_the_strength_of_each_of_its_drugs(library: Library) -> None:
    codes = library.terminology.drug_codes(Coding(RXNORM, "856769"))
    assert all(code.combination for code in codes)
    assert {code.drug: code.strength for code in codes}["amitriptyline"] == Fraction("12.5")


@pytest.mark.parametrize(
    ("system", "code", "depression"),
    [
        (SNOMED, "370143000", True),
        (ICD, "F32", True),
        (ICD, "F32.1", True),
        ("http://hl7.org/fhir/sid/icd-10-cm", "F33.41", True),
        (ICD, "F3", False),
        (ICD, "F31.3", False),
        (SNOMED, "F32.1", False),
    ],
)
def test_icd_codes_are_prefixes_and_others_are_exact(
    library: Library, system: str, code: str, depression: bool
) -> None:
    found = library.terminology.concepts([Coding(system, code)])
    assert ("major-depressive-disorder" in found) is depression


def test_discovery_asks_for_each_measurement_once_and_in_order(library: Library) -> None:
    loinc = library.terminology.loinc
    assert loinc
    assert list(loinc) == sorted(set(loinc))


def value_sets(kind: str) -> list[dict[str, Any]]:
    paths = sorted((FOLDER / "terminology" / kind).glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def test_every_drug_can_be_recognised_by_a_code_and_by_a_name(library: Library) -> None:
    for summary in library.terminology.sets:
        if summary.kind == "drugs":
            assert summary.codes > 0, summary.id
            assert summary.names > 0, summary.id
            assert 0 <= summary.unchecked <= summary.codes


def test_a_name_compared_as_it_sounds_is_one_word() -> None:
    """A sound is compared with single words of a label: a name of two would never be found."""
    sounded = [
        (value_set["id"], extension["valueString"])
        for value_set in value_sets("drugs")
        for extension in value_set["extension"]
        if extension["url"] == EXTENSION + "name-in-text"
    ]
    assert sounded
    assert [(drug, name) for drug, name in sounded if not name.isalpha()] == []


def test_the_summary_counts_what_the_files_hold(library: Library) -> None:
    counted = {
        value_set["id"]: sum(len(include.get("concept", ())) for include in value_set["compose"]["include"])
        for kind in ("drugs", "conditions", "observations", "routes")
        for value_set in value_sets(kind)
    }
    counted |= {
        value_set["id"]: sum(len(include["valueSet"]) for include in value_set["compose"]["include"])
        for value_set in value_sets("classes")
    }
    assert {summary.id: summary.codes for summary in library.terminology.sets} == counted
    by_system = {s.id: sum(s.systems.values()) for s in library.terminology.sets if s.kind != "classes"}
    assert by_system == {s.id: s.codes for s in library.terminology.sets if s.kind != "classes"}


def test_every_code_says_what_it_was_checked_against() -> None:
    for value_set in [*value_sets("drugs"), *value_sets("conditions"), *value_sets("routes")]:
        for include in value_set["compose"]["include"]:
            if "filter" in include:
                continue  # it names a concept that stands elsewhere in the set, with its provenance
            provenance = {extension["url"]: extension for extension in include["extension"]}
            assert provenance[f"{EXTENSION}checked-against"]["valueString"].strip(), value_set["id"]


def test_codes_that_could_not_be_checked_are_counted_as_such(tmp_path: Path, library: Library) -> None:
    folder = copied(tmp_path, whole=True)
    changed(folder, DRUG, '"valueString": "WHO ATC', '"valueString": "NOT CHECKED; WHO ATC')
    loaded, faults = load_terminology(folder / "terminology")
    before, after = ({s.id: s for s in sets}["zopiclone"] for sets in (library.terminology.sets, loaded.sets))
    assert faults == []
    assert after.unchecked == before.unchecked + 1


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("systems.yaml", "- name: SNOMED CT", "- name: [SNOMED CT"), ("words/allergens.yaml", "fr: tri", "fr: [tri")],
)
def test_bad_yaml_in_code_systems_and_words_is_named_with_its_line(
    tmp_path: Path, file: str, old: str, new: str
) -> None:
    folder = copied(tmp_path, whole=True)
    line = changed(folder, f"terminology/{file}", old, new)
    with pytest.raises(FaultyLibrary) as faulty:
        load_terminology(folder / "terminology")
    (fault,) = faulty.value.faults
    assert fault.file == f"terminology/{file}"
    assert abs(fault.line - line) <= 1
    assert "not valid YAML" in fault.reason


def test_a_faulty_code_list_is_left_out_and_the_others_are_loaded(tmp_path: Path, library: Library) -> None:
    folder = copied(tmp_path, whole=True)
    changed(folder, DRUG, '"resourceType": "ValueSet"', '"resourceType": "CodeSystem"')
    loaded, faults = load_terminology(folder / "terminology")
    assert [fault.file for fault in faults if "classes" not in fault.file] == [DRUG]
    assert all("'zopiclone'" in fault.reason for fault in faults if "classes" in fault.file)
    assert len(loaded.sets) == len(library.terminology.sets) - 1


def test_a_drug_belongs_to_the_classes_that_include_it(library: Library) -> None:
    terminology = library.terminology
    assert terminology.classes(["zopiclone"]) >= {"z-drug", "cns-depressant"}
    assert terminology.classes(["paracetamol"]) == set()


def test_a_class_of_a_drug_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    folder = copied(tmp_path, whole=True)
    changed(folder, "terminology/classes/z-drug.json", "ValueSet/zopiclone", "ValueSet/zopiclon")
    _, faults = load_terminology(folder / "terminology")
    assert [str(fault) for fault in faults] == ["terminology/classes/z-drug.json: there is no drug ValueSet 'zopiclon'"]


def test_what_would_make_a_set_find_nothing_is_a_fault(tmp_path: Path) -> None:
    """An extension or a value that nothing reads, and whatever is empty: each was silence."""
    folder = copied(tmp_path, whole=True) / "terminology"
    changes: dict[str, tuple[Callable[[Any], object], str]] = {
        "drugs/zopiclone": (lambda s: s["extension"][0].update(url=EXTENSION + "name-in-txt"), "'name-in-txt' is not"),
        "drugs/tolperisone": (lambda s: s["compose"].update(include=[]), "length >= 1"),
        "drugs/amitriptyline": (lambda s: s["compose"].update(exclude=[]), "unknown field `exclude`"),
        "drugs/ofloxacin": (lambda s: s.update(extension=[]), "no name by which it would be recognised"),
        "drugs/tramadol": (lambda s: s["extension"][0].update(valueString=" "), "' ' has no letter"),
        "drugs/doxepin": (
            lambda s: s["extension"].append({"url": EXTENSION + "exact-name-in-text", "valueString": "25"}),
            "'25' has no letter",
        ),
        "drugs/trimipramine": (
            lambda s: s["compose"]["include"][0]["concept"][0].update(
                extension=[{"url": EXTENSION + "strength", "valueQuantity": {"value": 0, "code": "mg"}}]
            ),
            "no number of mg above 0",
        ),
        "drugs/sertraline": (
            lambda s: s["compose"]["include"][0]["concept"][0].update(
                extension=[{"url": EXTENSION + "strength", "valueQuantity": {"value": 1, "code": "g"}}]
            ),
            "no number of mg above 0",
        ),
        "drugs/scopolamine": (
            lambda s: s["extension"].append({"url": EXTENSION + "name-in-text", "valueString": "hyoscine"}),
            "'hyoscine' is too short to be compared by its sound",
        ),
        "classes/z-drug": (
            lambda s: s["compose"].update(include=[{"valueSet": []}]),
            "length >= 1",
        ),
        "classes/ssri": (lambda s: s["compose"].update(include=[{}]), "no drug is in this class"),
        "classes/snri": (lambda s: s["compose"].update(include=[{"valueSet": ["venlafaxin"]}]), "'venlafaxin'"),
        "conditions/falls": (
            lambda s: extension(s, "match").update(valueCode="prefx"),
            "'match': 'prefx' is not known",
        ),
        "conditions/stroke": (lambda s: extension(s, "match").update(url=EXTENSION + "mach"), "'mach' is not known"),
        "conditions/dementia": (lambda s: extension(s, "checked-against").pop("valueString"), "without provenance"),
        "conditions/delirium": (lambda s: s["compose"]["include"][0].update(concept=[]), "length >= 1"),
        "conditions/cancer": (lambda s: s["compose"].update(include=[{}]), "no code by which it would be recognised"),
        "observations/potassium": (
            lambda s: s["compose"]["include"][0]["concept"][0].update(extension=[{"url": "x"}]),
            "'x'",
        ),
    }
    for name, (change, _) in changes.items():
        path = folder / f"{name}.json"
        value_set = json.loads(path.read_text(encoding="utf-8"))
        change(value_set)
        path.write_text(json.dumps(value_set), encoding="utf-8")
    shutil.copytree(folder / "routes", folder / "route")
    copy = (folder / "drugs" / "venlafaxine.json").read_text(encoding="utf-8")
    (folder / "drugs" / "venlafaxine2.json").write_text(copy.replace('"id": "venlafaxine"', '"id": "venlafaxine2"'))
    changed(folder, "systems.yaml", "uri: http://loinc.org", "uri: https://www.snomed.info/sct/")
    _, faults = load_terminology(folder)
    for name, (_, reason) in changes.items():
        assert any(reason in fault.reason for fault in faults if fault.file == f"terminology/{name}.json"), (
            name,
            faults,
        )
    assert any("N06AX16 is also a code of venlafaxine2" in fault.reason for fault in faults)
    assert any("'snomed.info/sct' is the address of two" in fault.reason for fault in faults)
    assert any(fault.file == "terminology/route/oral.json" and "belongs in one of" in fault.reason for fault in faults)


def extension(value_set: Any, name: str) -> dict[str, Any]:
    """The first extension of a name on an include."""
    extensions = (each for include in value_set["compose"]["include"] for each in include.get("extension", ()))
    return next(each for each in extensions if each["url"] == EXTENSION + name)

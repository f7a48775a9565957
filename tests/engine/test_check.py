"""The slow checks: FHIR validity, and that cards, rules and templates belong together."""

import shutil
from pathlib import Path

import pytest

from service.engine.check import deep_faults
from service.engine.guideline import Guideline
from service.engine.library import Library, load
from service.guidance.registry import RULES
from tests.engine.folder import changed, copied

FAILED = "unchecked/rule-failed.md"
TEMPLATE = "orders/amitriptyline-10-mg-at-bedtime.json"
DRUG = "terminology/drugs/zopiclone.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


def faults(folder: Path) -> list[str]:
    return [str(fault) for fault in deep_faults(Guideline(load(folder), RULES), folder)]


def test_the_folder_of_the_repository_has_no_faults(library: Library) -> None:
    assert deep_faults(Guideline(library, RULES)) == []


def test_a_code_list_that_is_not_fhir_is_named_with_the_element(folder: Path) -> None:
    changed(folder, DRUG, '"status": "draft"', '"status": ["draft"], "colour": "red"')
    found = faults(folder)
    assert all(fault.startswith(f"{DRUG}: not valid FHIR: ") for fault in found)
    assert any("status" in fault for fault in found)
    assert any("colour" in fault for fault in found)


def test_every_code_list_that_is_not_fhir_is_named(folder: Path) -> None:
    others = [DRUG, "terminology/conditions/major-depressive-disorder.json", "terminology/routes/topical.json"]
    for file in others:
        changed(folder, file, '"status": "draft"', '"status": ["draft"]')
    assert {fault.split(":")[0] for fault in faults(folder)} == set(others)


def test_a_copy_of_the_folder_has_no_faults_either(folder: Path) -> None:
    assert faults(folder) == []


def test_an_order_template_that_is_not_fhir_is_named_with_the_element(folder: Path) -> None:
    changed(folder, TEMPLATE, '"frequency": 1', '"frequency": "once"')
    (fault,) = faults(folder)
    assert fault.startswith(f"{TEMPLATE}: not valid FHIR: dosageInstruction.0.timing.repeat.frequency")


@pytest.mark.parametrize("broken", ["{% if failed %}", "{{ failed", "{% frobnicate %}"])
def test_words_that_cannot_be_filled_in_are_named_with_their_section(folder: Path, broken: str) -> None:
    changed(folder, FAILED, "Its absence means nothing.", broken)
    (fault,) = faults(folder)
    assert fault.startswith(f"{FAILED}: section '## detail': ")


def test_a_shared_line_that_cannot_be_filled_in_is_named(folder: Path) -> None:
    line = folder / "lines/tolperisone-food.md"
    line.write_text(line.read_text(encoding="utf-8") + "{{ failed\n", encoding="utf-8")
    (fault,) = faults(folder)
    assert fault.startswith("lines/tolperisone-food.md: ")


def test_a_sentence_of_what_was_not_checked_that_cannot_be_filled_in_is_named_with_its_reason(folder: Path) -> None:
    changed(folder, "unchecked/not-checked.md", "the dose of {{ label }} is not stated", "the dose of {{ label")
    (fault,) = faults(folder)
    assert fault.startswith("unchecked/not-checked.md: reasons ")


def test_a_card_that_no_rule_raises_is_named(folder: Path) -> None:
    shutil.copy(folder / FAILED, folder / "unchecked" / "nobody-asks.md")
    changed(folder, "unchecked/nobody-asks.md", "id: rule-failed", "id: nobody-asks")
    (fault,) = faults(folder)
    assert fault.startswith("unchecked/nobody-asks.md: no rule raises this card")


@pytest.mark.parametrize("card", ["pair/tolperisone-with-amitriptyline", "unchecked/rule-failed"])
def test_a_rule_without_its_card_is_named(folder: Path, card: str) -> None:
    (folder / f"{card}.md").unlink()
    fault, *uncarried = faults(folder)
    assert fault.startswith(f"{Path(card).name}.md: a rule of this name raises this card")
    assert all("no card carries it" in statement for statement in uncarried)


def test_a_statement_that_no_card_carries_and_that_does_not_say_why_is_named(folder: Path) -> None:
    carried = load(folder).line_cards["tolperisone-food"].statements
    text = (folder / "lines/tolperisone-food.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("statements:"))
    changed(folder, "lines/tolperisone-food.md", f"{line}\n", "")
    assert [fault.split(": ")[:2] for fault in faults(folder)] == [["statements.yaml", key] for key in carried]


def test_several_faults_are_all_named(folder: Path) -> None:
    changed(folder, TEMPLATE, '"frequency": 1', '"frequency": "once"')
    changed(folder, FAILED, "Its absence means nothing.", "{% if failed %}")
    assert [fault.split(":")[0] for fault in faults(folder)] == [TEMPLATE, FAILED]

"""The slow checks: FHIR validity, and that cards, rules and templates belong together."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from service.cli.answers import find
from service.cli.check import example_faults
from service.engine.check import deep_faults, fhir_faults, other_units, template_faults
from service.engine.check_answers import unreadable
from service.engine.concerns import CardNumbers, concerns_of
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.loading import load
from service.engine.rendering import Renderer
from service.engine.wording import texts_of
from service.guidance.registry import RULES
from tests.conftest import FIXTURES
from tests.engine.folder import changed, copied

FAILED = "unchecked/rule-failed.md"
TEMPLATE = "orders/amitriptyline-10-mg-at-bedtime.json"
DRUG = "terminology/drugs/zopiclone.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path)


def faults(folder: Path) -> list[str]:
    library = load(folder)
    found = (*template_faults(Renderer.of(library)), *deep_faults(Guideline(library, RULES), folder))
    return [str(fault) for fault in found]


def test_the_folder_of_the_repository_has_no_faults(library: Library) -> None:
    assert deep_faults(Guideline(library, RULES)) == []
    assert list(template_faults(Renderer.of(library))) == []


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


def test_code_lists_that_are_valid_are_remembered_and_faulty_ones_never(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.engine.check.FOLDER", folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert [fhir_faults(folder) for _ in range(2)] == [[], []]
    assert len(list((tmp_path / "cache" / "tolami").iterdir())) == 1
    changed(folder, DRUG, '"status": "draft"', '"status": ["draft"]')
    for _ in range(2):
        assert fhir_faults(folder)
    changed(folder, DRUG, '"status": ["draft"]', '"status": "draft"')
    monkeypatch.setattr("service.engine.check._fhir_faults_of", None)
    assert fhir_faults(folder) == [], "what was valid is not looked at again"


def test_a_copy_of_the_folder_has_no_faults_either(folder: Path) -> None:
    assert faults(folder) == []


def test_an_order_template_that_is_not_fhir_is_named_with_the_element(folder: Path) -> None:
    changed(folder, TEMPLATE, '"status": "draft"', '"status": "draft", "colour": "red"')
    (fault,) = faults(folder)
    assert fault.startswith(f"{TEMPLATE}: not valid FHIR: colour")


SEVERAL = [FAILED, "monitoring/pain-score.md", "tolperisone/tolperisone-food.md"]


def test_words_that_cannot_be_filled_in_are_named_with_their_section(folder: Path) -> None:
    broken = dict(zip(SEVERAL, ["{% if failed %}", "{{ failed", "{% frobnicate %}"], strict=True))
    lines = {file: changed(folder, file, "## detail\n", f"## detail\n{words} ") + 1 for file, words in broken.items()}
    found = faults(folder)
    for file, line in lines.items():
        assert any(fault.startswith(f"{file}:{line}: section '## detail': ") for fault in found), (file, found)


def test_a_piece_of_text_that_cannot_be_filled_in_is_named(folder: Path) -> None:
    line = folder / "lines/other-options-doses.md"
    line.write_text(line.read_text(encoding="utf-8") + "{{ failed\n", encoding="utf-8")
    (fault,) = faults(folder)
    assert fault.startswith(f"lines/other-options-doses.md:{len(line.read_text(encoding='utf-8').splitlines())}: ")


def test_a_sentence_of_what_was_not_checked_that_cannot_be_filled_in_is_named_with_its_reason(folder: Path) -> None:
    line = changed(folder, "unchecked/not-checked.md", "dose of {{ label }} not stated", "dose of {{ label")
    (fault,) = faults(folder)
    assert fault.startswith(f"unchecked/not-checked.md:{line}: reasons ")


def test_a_card_that_no_rule_raises_is_named(folder: Path) -> None:
    shutil.copy(folder / FAILED, folder / "unchecked" / "nobody-asks.md")
    changed(folder, "unchecked/nobody-asks.md", "id: rule-failed", "id: nobody-asks")
    changed(folder, "guideline.yaml", "\nranking:\n", "\nranking:\n  - nobody-asks\n")
    (fault,) = faults(folder)
    assert fault.startswith("unchecked/nobody-asks.md: no rule raises this card")


@pytest.mark.parametrize("card", ["tolperisone-with-amitriptyline", "rule-failed"])
def test_a_rule_without_its_card_is_named(library: Library, card: str) -> None:
    without = replace(library, cards={id_: file for id_, file in library.cards.items() if id_ != card})
    found = [str(fault) for fault in deep_faults(Guideline(without, RULES))]
    assert found[0].startswith(f"{card}.md: a rule of this name raises this card")
    assert all("no card carries it" in fault for fault in found[1:])


def test_words_for_a_state_that_no_rule_declares_are_named(folder: Path) -> None:
    line = changed(folder, FAILED, "## line\n", "## detail loud\nListen.\n\n## line\n")
    assert faults(folder) == [f"{FAILED}:{line}: section '## detail loud': no rule or row names the state 'loud'"]


def test_a_state_of_a_row_that_nothing_is_for_is_named(folder: Path) -> None:
    card = "safety/amitriptyline-and-other-conditions.md"
    changed(folder, card, "    state: glaucoma\n", "    state: galucoma\n")
    row, *sections = faults(folder)
    wrong = "reasons: 'glaucoma-unspecified' names the state 'galucoma', which has neither words nor a source"
    assert row.startswith(f"{card}:")
    assert row.endswith(wrong)
    assert all("no rule or row names the state 'glaucoma'" in fault for fault in sections)
    assert sections


def test_a_state_without_words_is_named(folder: Path) -> None:
    path = folder / "monitoring/pain-score.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"## line\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL), encoding="utf-8")
    line = path.read_text(encoding="utf-8").splitlines().index("## line other-scale") + 1
    assert f"monitoring/pain-score.md:{line}: section '## line' is missing" in faults(folder)


def test_a_state_that_a_card_has_no_words_for_is_named_where_they_belong(folder: Path) -> None:
    path = folder / "monitoring/standing-blood-pressure.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"## summary missing\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL), encoding="utf-8")
    line = changed(
        folder, "monitoring/standing-blood-pressure.md", "## summary falls-diastolic", "## summary falls-diastolic"
    )
    assert f"monitoring/standing-blood-pressure.md:{line}: section '## summary missing' is missing" in faults(folder)


def test_a_source_for_a_state_that_no_rule_declares_is_named_with_its_line(folder: Path) -> None:
    line = changed(folder, FAILED, "says: service", "says:\n  '': service\n  loud: service") + 2
    assert faults(folder) == [f"{FAILED}:{line}: says: no rule or row names the state 'loud'"]


def test_states_and_texts_that_are_not_there_are_named_where_something_leads_to_them(folder: Path) -> None:
    merges = changed(folder, "guideline.yaml", "    states: [both-new]", "    states: [both-nw]")
    ranked = changed(folder, "guideline.yaml", "  - tolperisone-contraindications/nsaid", "  - tolperisone-food/nsaid")
    heart, line = "safety/amitriptyline-and-the-heart.md", "lines/other-options-doses.md"
    included = changed(folder, heart, "-heart/cisapride/long", "-heart/cisaprid/long")
    (folder / line).write_text('{% include "nothing/" ~ kind ~ "/short" %}', encoding="utf-8")
    missing = "there is no 'amitriptyline-and-the-heart/cisaprid/long' to include"
    assert set(faults(folder)) >= {
        f"guideline.yaml:{merges - 2}: merges: tolperisone-with-amitriptyline has no state 'both-nw'",
        f"guideline.yaml:{ranked}: ranking: tolperisone-food has no state 'nsaid'",
        f"{heart}:{included}: section '## detail cisapride': {missing}",
        f"{line}:1: there is no 'nothing/*/short' to include",
    }


GLUED = [
    "Check {% if failed %}this{% else %}that{% endif %} by hand.",
    "Check this\n{% if failed %}\nby hand.\n{% endif %}",
    "Check {{ 'this' if failed else 'that' }} by hand.",
]


def test_a_sentence_put_together_from_pieces_is_named(folder: Path) -> None:
    lines = [
        changed(folder, file, "## detail\n", f"## detail\n{glued}\n")
        for file, glued in zip(SEVERAL, GLUED, strict=True)
    ]
    found = [fault for fault in faults(folder) if "nothing gives it 'failed'" not in fault]
    wrong = "section '## detail': a condition inside a sentence: "
    for file, line, after in zip(SEVERAL, lines, (1, 2, 1), strict=True):
        assert any(fault.startswith(f"{file}:{line + after}: {wrong}") for fault in found), (file, found)
    assert all(wrong in fault for fault in found)


def test_a_condition_may_choose_whole_sentences(folder: Path) -> None:
    changed(folder, FAILED, "## detail\n", "## detail\nCheck it.\n{% if failed %}\nNow.\n{% endif %}\n")
    assert faults(folder) == []


CARD = {"summary": "Do it", "detail": "Because.", "extension": {"io.github.tolami": {"card": "rule-failed"}}}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"summary": "x" * 91}, "summary of 91 characters"),
        ({"summary": "Do it…"}, "summary of 6 characters"),
        ({"detail": "word " * 61}, "detail of 61 words"),
        ({"detail": "word " * 78 + "\n- a\n- b c"}, "detail of 81 words"),
        ({"detail": "See MedicationRequest/1."}, "'MedicationRequest/' does not belong on a card"),
        ({"summary": "Set TOLAMI_X"}, "'TOLAMI_' does not belong on a card"),
    ],
)
def test_a_card_that_nobody_would_read_is_named(library: Library, changes: dict[str, str], reason: str) -> None:
    assert list(unreadable(CARD, library)) == []
    assert list(unreadable({**CARD, "detail": "word " * 77 + "\n- a\n- b c"}, library)) == []
    (fault,) = unreadable({**CARD, **changes}, library)
    assert reason in str(fault)


def test_a_text_that_is_too_long_is_named_at_the_section_it_comes_from(tmp_path: Path) -> None:
    folder = copied(tmp_path, whole=True)
    file, title = "tolperisone/tolperisone-daily-dose.md", "## summary divide"
    line = changed(folder, file, f"{title}\nGive", f"{title}\nAs far as that can be said of anybody at all, give")
    example = FIXTURES / "requests" / "order-sign" / "tolperisone-once-a-day.json"
    (fault,) = example_faults(load(folder), [example], folder)
    assert fault.startswith(f"{file}:{line}: section '{title}': summary of ")


def with_other_units(library: Library, card: str, *names: str) -> Library:
    """The library with numbers of a card in a unit in which nothing reads them."""
    own = library.cards[card]
    other = {name: replace(own.thresholds[name], unit="h") for name in names}
    numbers = CardNumbers({**own.thresholds, **other}, concerns_of(own.thresholds))
    return replace(library, cards={**library.cards, card: replace(own, thresholds=numbers)})


def test_a_number_in_another_unit_than_that_in_which_a_rule_reads_it_is_a_fault(library: Library) -> None:
    """Found in the rules' source; where a rule works the name out, by the card's own examples, which then fail."""
    changed = library
    for card in library.cards.values():
        changed = with_other_units(changed, card.id, *card.thresholds)
    found = " ".join(fault.reason for fault in other_units(changed, RULES))
    words = "\n".join(texts_of(library).values())
    for card in library.cards.values():
        examples = [FIXTURES / f"requests/{example}.json" for example in card.examples.get("fires", ())]
        for name in card.thresholds:
            printed = f"thresholds.{name} " in words or re.fullmatch(".*_(moderate|severe|failure)_(low|high)", name)
            if card.id != "not-checked" and f"thresholds.{name}: rules read it in" not in found and not printed:
                assert list(example_faults(with_other_units(library, card.id, name), examples)), (card.id, name)


GONE = {
    "amitriptyline-and-the-heart": ["qtc_critical", "potassium", "magnesium", "magnesium_mass", "magnesium_charge"],
    "amitriptyline-with-maoi": ["reversible", "amitriptyline"],
    "amitriptyline-stopping": ["infarction", "tablet"],
    "tolperisone-contraindications": ["moderate_renal"],
    "other-options": ["pregabalin_herpetic"],
}


def test_a_number_or_a_row_that_a_rule_or_a_text_asks_for_and_no_card_has_is_a_fault(library: Library) -> None:
    cards = dict(library.cards)
    for id_, names in GONE.items():
        card = cards[id_]
        numbers = {name: number for name, number in card.thresholds.items() if name not in names}
        rows = {kind: row for kind, row in card.reasons.items() if kind != "cisapride"}
        cards[id_] = replace(card, thresholds=CardNumbers(numbers, concerns_of(card.thresholds)), reasons=rows)
    changed = replace(library, cards=cards)
    found = [*other_units(changed, RULES), *template_faults(Renderer.of(changed))]
    reasons = " ".join(fault.reason for fault in found)
    assert "a rule asks for the row of reasons 'cisapride', which no card has" in reasons
    for name in (name for names in GONE.values() for name in names):
        assert f"number '{name}'" in reasons, name


def test_a_call_that_fails_as_a_whole_is_a_fault(library: Library) -> None:
    example = FIXTURES / "requests" / "order-sign" / "tolperisone-once-a-day.json"
    broken = replace(library, plan=replace(library.plan, subjects=None))  # type: ignore[arg-type]
    (fault,) = example_faults(broken, [example])
    assert fault.startswith("unchecked/service-failed.md: the whole call failed: TypeError")


def test_a_card_that_is_not_raised_or_silent_as_its_examples_say_is_named_with_its_line(library: Library) -> None:
    always = library.plan.always - {"tolperisone-daily-dose"}
    plan = replace(library.plan, subjects=("tolperisone",), example="order-sign/nothing", always=always)
    card = library.cards["tolperisone-daily-dose"]
    examples = {"fires": [*card.examples["fires"], "order-sign/not-there"], "silent": card.examples["fires"][:1]}
    cards = {**library.cards, card.id: replace(card, examples=examples)}
    found = list(example_faults(replace(library, plan=plan, cards=cards), find([FIXTURES / "requests"]), whole=True))
    by_file = {
        file: [fault for fault in found if fault.startswith(f"{file}:")] for file in (card.file, "guideline.yaml")
    }
    assert any("examples: 'order-sign/not-there' is no fixture" in fault for fault in by_file[card.file])
    assert any("must not raise this card" in fault for fault in by_file[card.file])
    assert "always: 'tolperisone-daily-dose' is missing" in by_file["guideline.yaml"][0]
    assert by_file["guideline.yaml"][1].endswith("example: 'order-sign/nothing' is no fixture")
    start = [fault for fault in found if fault.startswith("amitriptyline/amitriptyline-start-dose.md:")]
    assert start, "without its drug as a subject no card of it is raised"
    assert all("must raise this card" in fault for fault in start)


def test_a_statement_that_no_card_carries_and_that_does_not_say_why_is_named(folder: Path) -> None:
    (carried,) = load(folder).cards["tolperisone-food"].statements
    changed(folder, "tolperisone/tolperisone-food.md", f"statements: [{carried}]\n", "")
    (fault,) = faults(folder)
    assert re.fullmatch(rf"statements\.yaml:\d+: {carried}: no card carries it; .*", fault)


def test_several_faults_are_all_named(folder: Path) -> None:
    changed(folder, TEMPLATE, '"status": "draft"', '"status": "draft", "colour": "red"')
    changed(folder, FAILED, "could not be worked out", "{{ failed")
    assert {fault.split(":")[0] for fault in faults(folder)} == {TEMPLATE, FAILED}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("## line divide\n", "## line divide\n", ""),
        (
            "Give tolperisone in {{ thresholds.doses }} doses a day: ",
            "{{ dose.tmies }} ",
            "'dose' has no attribute 'tmies'",
        ),
        ("Give tolperisone in {{ thresholds.doses }} doses a day: ", "{{ dosis }} ", "'dosis' is undefined"),
    ],
)
def test_words_that_fail_in_an_example_are_named_with_file_line_and_variable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, reason: str
) -> None:
    folder = copied(tmp_path, whole=True)
    file = "tolperisone/tolperisone-daily-dose.md"
    line = changed(folder, file, old, new)
    example = FIXTURES / "requests" / "order-sign" / "tolperisone-once-a-day.json"
    again = shutil.copy(example, tmp_path / "again.json")
    found = list(example_faults(load(folder), [example, Path(again)], folder))
    assert found == ([f"{file}:{line}: section '## summary divide': {reason} ({example} and 1 more)"] if reason else [])
    assert capsys.readouterr().out == "", "what prints the faults as JSON prints nothing else"


def test_a_name_that_nothing_gives_is_found_where_no_example_leads(folder: Path) -> None:
    file = "pair/tolperisone-with-amitriptyline.md"
    line = changed(folder, file, "{{ unsure | list }} was last taken: it raises amitriptyline for", "{{ unsur }} for")
    assert faults(folder) == [f"{file}:{line}: section '## summary perhaps-inhibitor': nothing gives it 'unsur'"]

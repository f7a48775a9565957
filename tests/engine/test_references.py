"""What files say of each other: every number of a card has words, and a guideline loses none of its cards."""

from pathlib import Path

import pytest

from service.engine.check import deep_faults
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.loading import FOLDER, load
from service.engine.references import guideline_faults
from service.files import Document, FaultyLibrary, load_yaml
from service.guidance.registry import RULES
from tests.engine.folder import changed, copied

FILE = "numbers.yaml"


def test_a_cards_own_words_come_before_those_for_all(library: Library) -> None:
    words = library.number_words["other-options"]
    assert words["older"].startswith("Age from which, or perhaps from which, an order goes by a creatinine clearance")
    assert words["adult"] == "Age from which a patient is an adult; not where the date of birth leaves it open"
    assert library.number_words["amitriptyline-older-adult"]["older"] != words["older"]


def test_a_number_without_words_and_words_without_a_number_are_named_with_their_lines(tmp_path: Path) -> None:
    folder, card = copied(tmp_path), "amitriptyline/amitriptyline-stopping.md"
    number = changed(folder, card, "  infarction: 180 d", "  infarction: 180 d")
    own = changed(folder, FILE, "    infarction: Longest", "    infraction: Longest")
    shared = changed(folder, FILE, "  look_back: An", "  look_ahead: An")
    faults = list(map(str, deep_faults(Guideline(load(folder), RULES), folder)))
    assert f"{card}:{number}: thresholds.infarction: numbers.yaml does not say what it stands for" in faults
    assert f"numbers.yaml:{own}: cards.amitriptyline-stopping.infraction: there is no such number" in faults
    assert f"numbers.yaml:{shared}: all.look_ahead: no card has such a number" in faults


def test_a_row_that_takes_its_own_condition_back_is_a_fault_with_its_line(tmp_path: Path) -> None:
    folder, card = copied(tmp_path), "safety/amitriptyline-and-the-heart.md"
    old = "    conditions: [brugada-syndrome]\n    unless: [long-qt]"
    line = changed(folder, card, old, old.replace("[long-qt]", "[long-qt, brugada-syndrome]"))
    with pytest.raises(FaultyLibrary, match=f"{card}:{line - 2}: reasons: 'brugada-syndrome' has 'brugada-syndrome'"):
        load(folder)


def test_words_that_are_no_phrase_are_a_fault_with_their_line(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    line = changed(folder, FILE, "  adult: Age", "  adult: [18] # Age")
    with pytest.raises(FaultyLibrary, match=f"numbers.yaml:{line}: all.adult"):
        load(folder)


LOST = {
    "always: 'not-checked' is missing": ("  - not-checked\n  - code-and", "  - code-and"),
    "silenced: 'amitriptyline-with-maoi' is never silenced": (
        "    - other-options\n",
        "    - amitriptyline-with-maoi\n",
    ),
    "silenced: 'not-checked' is never silenced": ("    - other-options\n", "    - not-checked\n"),
    "merges: 'amitriptyline-duplicate' is merged into itself": (
        "from: [anticholinergic-with-amitriptyline]\n    when",
        "from: [amitriptyline-duplicate]\n    when",
    ),
    "merges: 'not-checked' is never nothing": ("from: [tolperisone-food]", "from: [not-checked]"),
    "marks: no card says 'the artcle'": ("  the article: AI", "  the artcle: AI"),
    "silenced: there is no card 'amitriptyline-and-the-hart'": ("heart:\n    [", "hart:\n    ["),
}


def test_a_guideline_that_would_lose_a_card_is_named(library: Library) -> None:
    text = (FOLDER / "guideline.yaml").read_text(encoding="utf-8")
    for reason, (old, new) in LOST.items():
        assert text.count(old) == 1, old
        document = load_yaml("guideline.yaml", text.replace(old, new))
        assert isinstance(document, Document)
        (fault,) = guideline_faults(document, library)
        assert fault.reason.startswith(reason)
        assert fault.line

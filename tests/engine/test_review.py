"""A sign-off stands for what was reviewed: any edit of words, numbers or rule takes it back, and so does its end."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import pytest

from service.engine.editions import Editions
from service.engine.finding import Finding, Indicator
from service.engine.guideline import Guideline
from service.engine.library import CardFile, Library
from service.engine.loading import load
from service.engine.review import digest, open_reason, signed, valid_until
from service.fhir.edit import ClientOrders
from service.guidance import monitoring
from service.guidance.registry import RULES
from tests.conftest import TODAY
from tests.engine.folder import changed, copied

CARD, FILE = "rule-failed", "unchecked/rule-failed.md"
UNTIL = TODAY + timedelta(days=30)


def with_card(library: Library, card: CardFile) -> Guideline:
    return Guideline(replace(library, cards={**library.cards, card.id: card}), RULES)


@pytest.fixture
def folder(tmp_path: Path, library: Library) -> Path:
    """A folder in which one card is signed off, by a name that YAML could misread."""
    folder = copied(tmp_path)
    reviewed = digest(Guideline(library, RULES), CARD)
    path = folder / FILE
    text = signed(path.read_text(encoding="utf-8"), "M. O'Neil: #1", "clinical pharmacist", TODAY, UNTIL, reviewed)
    path.write_text(text, encoding="utf-8")
    return folder


def test_a_signed_card_counts_as_reviewed_until_its_last_day(folder: Path) -> None:
    signed_off = Guideline(load(folder), RULES)
    review = signed_off.library.cards[CARD].review
    assert (review["by"], review["role"]) == ("M. O'Neil: #1", "clinical pharmacist")
    assert open_reason(signed_off, CARD, TODAY) == open_reason(signed_off, CARD, UNTIL) == ""
    assert open_reason(signed_off, CARD, UNTIL + timedelta(days=1)).endswith(f"ended on {UNTIL}")
    assert valid_until(signed_off) == {CARD: UNTIL}


def test_a_changed_word_takes_the_sign_off_back(folder: Path) -> None:
    changed(folder, FILE, "means nothing.\n", "means little.\n")
    changed_since = Guideline(load(folder), RULES)
    assert open_reason(changed_since, CARD, TODAY).startswith("changed since M. O'Neil")
    assert valid_until(changed_since) == {}


def test_signing_again_replaces_the_sign_off(folder: Path) -> None:
    text = signed((folder / FILE).read_text(encoding="utf-8"), "B", "physician", TODAY, UNTIL, "0")
    assert text.count("review:") == 1
    assert "O'Neil" not in text


Edit = Callable[[CardFile], CardFile]
EDITS: dict[str, Edit] = {
    "a word": lambda card: replace(card, sections={**card.sections, "detail": "Other words.\n"}),
    "a title": lambda card: replace(card, title="Another title"),
    "a source": lambda card: replace(card, sources=(*card.sources, "T-EMA")),
    "a number": lambda card: replace(
        card, thresholds={**card.thresholds, "recent": replace(card.thresholds["recent"], unit="a")}
    ),
    "a row of its table": lambda card: replace(card, reasons={"x": {"short": "x", "long": "y"}}),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_every_thing_that_is_reviewed_counts_for_the_digest(library: Library, edit: Edit) -> None:
    card = library.cards["pain-score"]
    assert digest(with_card(library, edit(card)), card.id) != digest(with_card(library, card), card.id)


AROUND: dict[str, tuple[str, Callable[[Library], Library]]] = {
    "a line that it includes": ("other-options", lambda lib: replace(lib, lines=dict.fromkeys(lib.lines, "other"))),
    "how far a source was read": (
        "pain-score",
        lambda lib: replace(lib, sources={key: replace(source, read="part") for key, source in lib.sources.items()}),
    ),
    "what a number stands for": ("pain-score", lambda lib: replace(lib, number_words={"pain-score": {"recent": "x"}})),
    "an order that it offers": ("pain-score", lambda lib: replace(lib, orders={})),
    "a sentence that all share": ("pain-score", lambda lib: replace(lib, not_reviewed="Reviewed.")),
}


def test_what_a_card_says_without_its_file_counts_for_the_digest(library: Library) -> None:
    for what, (card, edit) in AROUND.items():
        before, after = (digest(Guideline(one, RULES), card) for one in (library, edit(library)))
        assert before != after, what
    untouched = [digest(Guideline(one, RULES), "rule-failed") for one in (library, replace(library, orders={}))]
    assert untouched[0] == untouched[1]


def test_the_code_of_the_rule_and_of_what_it_rests_on_counts(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    guideline, read = Guideline(library, RULES), inspect.getsource
    before = {card: digest(guideline, card) for card in ("pain-score", "service-failed")}

    def edited(module: ModuleType) -> str:
        return read(module) + ("\n# edited" if module is monitoring else "")

    monkeypatch.setattr(inspect, "getsource", edited)
    assert digest(guideline, "pain-score") != before["pain-score"]
    assert digest(guideline, "service-failed") == before["service-failed"]


def test_the_card_says_that_it_is_not_reviewed_unless_a_sign_off_stands(folder: Path) -> None:
    library = load(folder)
    _, renderer = Editions(Guideline(library, RULES)).of("", TODAY)

    def detail(today: date) -> str:
        finding = Finding(CARD, Indicator.WARNING, facts={"failed": CARD})
        return renderer.card(finding, ClientOrders({}, today=today), lambda: "id").detail

    assert library.not_reviewed not in detail(TODAY)
    assert detail(UNTIL + timedelta(days=1)).endswith(library.not_reviewed)
    assert detail(date.min).endswith(library.not_reviewed), "on a day that is not known no sign-off stands"

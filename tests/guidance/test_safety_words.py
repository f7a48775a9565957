"""The cards of R03, R17, R18 and R29 to R31 have words for every kind of line."""

import re
from dataclasses import replace
from datetime import date

import pytest

from service.cdshooks.messages import Card
from service.chart import Chart, Condition
from service.engine.concerns import Point, gathered
from service.engine.finding import AMITRIPTYLINE, TOLPERISONE, Indicator
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.engine.suggestions import SuggestionContext
from service.guidance import heart, maoi, safety
from tests.guidance.charts import born, chart, current, draft
from tests.guidance.test_safety_maoi import CLASSES
from tests.guidance.test_safety_maoi import maoi as as_maoi

SUMMARY = 140
LINES = {
    "amitriptyline-and-the-heart": (
        *heart.CONTRAINDICATED,
        *heart.CAUTIONED,
        heart.CORONARY,
        "recent-infarction",
        "undated-infarction",
        "old-infarction",
        "qtc-critical",
        "qtc-raised",
        "cisapride",
        "qt-drug",
    ),
    "amitriptyline-and-other-conditions": (
        *safety.ACUTE,
        *safety.ACUTE.values(),
        *safety.CAUTIONED,
        "glaucoma-unspecified",
        "severe-liver-disease",
        "liver-disease",
        "young",
    ),
    "tolperisone-contraindications": (
        "allergy",
        "lidocaine-allergy",
        "myasthenia-gravis",
        "breastfeeding",
        "pregnancy",
        "severe-renal",
        "moderate-renal",
        "renal-unmeasured",
        "severe-liver",
        "liver",
        "muscle-relaxant",
        "nsaid",
    ),
    "amitriptyline-in-pregnancy-or-breastfeeding": ("pregnancy", "breastfeeding"),
}
KINDS = [(card, kind) for card, every in LINES.items() for kind in every]


def card_of(library: Library, card: str, given: Chart) -> Card:
    rule = next(r for r in (*maoi.RULES, *heart.RULES, *safety.RULES) if r.__name__.replace("_", "-") == card)
    finding = rule(given, library.thresholds[card])
    assert finding is not None
    return Renderer.of(library).card(finding, SuggestionContext({}), lambda: "uuid")


def assert_said(card: Card) -> None:
    assert len(card.summary) < SUMMARY
    text = f"{card.summary}\n{card.detail}"
    assert "None" not in text
    assert not re.search(r"\bsafe", text)
    assert not re.search(r"^- *$|\*\*\*\*|\*\*:\*\*", card.detail or "", re.MULTILINE)


@pytest.mark.parametrize(("card", "kind"), KINDS)
@pytest.mark.parametrize("indicator", Indicator)
@pytest.mark.parametrize("ordering", [True, False])
def test_every_kind_of_line_has_its_words(
    library: Library, card: str, kind: str, indicator: Indicator, ordering: bool
) -> None:
    about = draft(TOLPERISONE if card.startswith(TOLPERISONE) else AMITRIPTYLINE)
    other = draft("another drug") if kind in ("cisapride", "qt-drug", "muscle-relaxant", "nsaid") else None
    measured = kind.startswith("qtc") or kind.endswith("-renal")
    point = Point(
        kind,
        indicator,
        "What the record says",
        other,
        date(2026, 11, 1) if measured else None,
        library.thresholds["amitriptyline-and-the-heart"]["qtc_men"].value if measured else None,
    )
    facts = {"jurisdiction": "us", "ordering": ordering, "ordered": True, "gender": ""}
    finding = gathered(card, [point], [about], facts)
    assert finding is not None
    rendered = Renderer.of(library).card(finding, SuggestionContext({}), lambda: "uuid")
    assert_said(rendered)
    items = [line for line in (rendered.detail or "").split("**Why:**")[0].splitlines() if line.startswith("- ")]
    assert len(items) == 1


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("jurisdiction", ["us", "eu"])
def test_every_mao_inhibitor_has_its_words(library: Library, name: str, jurisdiction: str) -> None:
    for given in (
        chart(draft(AMITRIPTYLINE), as_maoi(current(name))),
        chart(as_maoi(draft(name)), current(AMITRIPTYLINE)),
        chart(as_maoi(draft(name)), draft(AMITRIPTYLINE)),
    ):
        card = card_of(library, "amitriptyline-with-maoi", replace(given, jurisdiction=jurisdiction))
        assert_said(card)
        assert ("urgent" in (card.detail or "")) == (
            name in ("linezolid", "methylene-blue") or "abruptly" in card.detail
        )


@pytest.mark.parametrize("birth", [date(2022, 1, 1), date(2012, 1, 1)])
def test_the_card_for_children_names_no_adult_dose(library: Library, birth: date) -> None:
    for orders in ([draft(AMITRIPTYLINE)], [draft(TOLPERISONE)], [draft(AMITRIPTYLINE), draft(TOLPERISONE)]):
        card = card_of(library, "patient-under-18", chart(*orders, patient=born(birth)))
        assert_said(card)
        assert not re.search(r"\d+ ?mg", card.detail or "")


def test_a_name_from_the_record_stays_text(library: Library) -> None:
    shady = Condition(frozenset({"falls"}), "<b>Falls</b> [x](https://example.org)")
    given = replace(chart(draft(AMITRIPTYLINE)), conditions=(shady,))
    detail = card_of(library, "amitriptyline-and-other-conditions", given).detail or ""
    assert "<b>" not in detail
    assert "[x](" not in detail

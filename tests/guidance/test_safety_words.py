"""The cards of R03, R17, R18 and R29 to R31 have words for everything that their rules find."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from service.cdshooks.messages import Card
from service.chart import Chart
from service.engine import wording
from service.engine.concerns import Point, gathered
from service.engine.evaluate import card_of
from service.engine.finding import Finding, Indicator, states_of
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Allergies, Condition
from service.fhir.edit import ClientOrders
from service.guidance import maoi, safety
from service.guidance.registry import RULES
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, born, chart, current, draft
from tests.guidance.test_safety_maoi import CLASSES
from tests.guidance.test_safety_maoi import maoi as as_maoi

RULES_BY_CARD = {card_of(rule): rule for rule in RULES}
TABLES = ("amitriptyline-and-the-heart", "amitriptyline-and-other-conditions", "tolperisone-contraindications")
WITH_ANOTHER_DRUG = (
    "cisapride",
    "disulfiram",
    "qt-drug",
    "qt-domperidone",
    "antihypertensive",
    "muscle-relaxant",
    "nsaid",
)


@pytest.fixture(scope="module")
def renderer(library: Library) -> Renderer:
    return Renderer.of(library)


def shown(renderer: Renderer, finding: Finding | None) -> Card:
    assert finding is not None
    return renderer.card(finding, ClientOrders({}), lambda: "uuid")


def assert_said(card: Card) -> None:
    detail = card.detail or ""
    assert len(card.summary) <= wording.SUMMARY_LIMIT, card.summary
    assert wording.count(detail) <= wording.limit(detail), detail
    text = f"{card.summary}\n{detail}"
    assert "None" not in text
    assert not re.search(r"\bsafe", text)
    assert not re.search(r"\.[A-Z]|^- *$|  ", text, re.MULTILINE), text


@pytest.mark.parametrize("card", TABLES)
def test_every_row_is_said_in_every_state_that_can_say_it(library: Library, renderer: Renderer, card: str) -> None:
    about = draft(TOLPERISONE if card.startswith(TOLPERISONE) else AMITRIPTYLINE)
    rows, possible = library.cards[card].reasons, states_of(RULES_BY_CARD[card])
    for kind in rows:
        other = draft("another drug") if kind in WITH_ANOTHER_DRUG else None
        age = 200 if kind.startswith("qtc") else None
        point = Point(kind, Indicator.WARNING, "a name", other, date(2026, 11, 1), Fraction(470), unit="ms", age=age)
        facts: dict[str, object] = {"added": draft("another drug"), "clonidine": True}
        own = rows[kind].get("state")
        for state in [own] if own else possible:
            assert_said(shown(renderer, gathered(card, [point], [about], facts, always(state))))


def always(state: str) -> Callable[[Point], str]:
    return lambda _: state


@pytest.mark.parametrize("name", CLASSES)
def test_every_mao_inhibitor_has_its_words(library: Library, renderer: Renderer, name: str) -> None:
    for given in (
        chart(draft(AMITRIPTYLINE), as_maoi(current(name))),
        chart(as_maoi(draft(name)), current(AMITRIPTYLINE)),
        chart(as_maoi(draft(name)), draft(AMITRIPTYLINE)),
    ):
        rule = maoi.amitriptyline_with_maoi
        card = shown(renderer, rule(given, library.thresholds["amitriptyline-with-maoi"]))
        assert_said(card)
        urgent = name in ("linezolid", "methylene-blue")
        assert ("24 hours" in (card.detail or "")) is urgent
        assert ("earliest date" in (card.detail or "")) is ("ended" not in card.summary and _dated(given, name))


def _dated(given: Chart, name: str) -> bool:
    strong = name not in ("linezolid", "methylene-blue") and CLASSES[name] != {"maoi-weak"}
    return strong and any(not order.is_draft for order in given.orders)


@pytest.mark.parametrize("birth", [date(2022, 1, 1), date(2012, 1, 1)])
def test_the_card_for_children_names_no_adult_dose(library: Library, renderer: Renderer, birth: date) -> None:
    for orders in ([draft(AMITRIPTYLINE)], [draft(TOLPERISONE)], [draft(AMITRIPTYLINE), draft(TOLPERISONE)]):
        given = chart(*orders, patient=born(birth))
        card = shown(renderer, safety.patient_under_18(given, library.thresholds["patient-under-18"]))
        assert_said(card)
        assert not re.search(r"\d+ ?mg", card.detail or "")


def test_a_name_from_the_record_stays_text(library: Library, renderer: Renderer) -> None:
    given = replace(chart(draft(TOLPERISONE)), allergies=Allergies(frozenset({"<b>x</b> [x](https://example.org)"})))
    given = replace(given, conditions=(Condition(frozenset({"falls"}), "<b>Falls</b>"),))
    point = Point("allergy", Indicator.CRITICAL, "<b>x</b> [x](https://example.org)")
    card = shown(renderer, gathered("tolperisone-contraindications", [point], given.orders, {}, lambda _: "caution"))
    assert "<b>" not in (card.detail or "")
    assert "[x](" not in (card.detail or "")


def test_each_further_kind_is_a_line_of_the_card(library: Library, renderer: Renderer) -> None:
    conditions = tuple(Condition(frozenset({name}), name) for name in ("falls", "epilepsy", "falls"))
    given = replace(chart(draft(AMITRIPTYLINE)), conditions=conditions)
    rule = safety.amitriptyline_and_other_conditions
    card = shown(renderer, rule(given, library.thresholds["amitriptyline-and-other-conditions"]))
    assert [line for line in (card.detail or "").splitlines() if line.startswith("- ")] == [
        "- Falls: sleepiness and low standing blood pressure add to them. Beers advises against tricyclics after falls."
    ]
    assert "seizures" in card.summary


def test_lines_that_do_not_fit_are_counted_and_stand_on_the_page(library: Library, renderer: Renderer) -> None:
    kinds = ("falls", "epilepsy", "dementia", "bipolar-disorder", "hyperthyroidism", "urinary-retention")
    conditions = tuple(Condition(frozenset({name}), name) for name in kinds)
    rule = safety.amitriptyline_and_other_conditions
    given = replace(chart(draft(AMITRIPTYLINE)), conditions=conditions)
    card = shown(renderer, rule(given, library.thresholds["amitriptyline-and-other-conditions"]))
    assert_said(card)
    said = [line for line in (card.detail or "").splitlines() if line.startswith("- ")]
    assert said[-1] == f"- And {len(kinds) - len(said)} more, on the page of this card."

"""Findings stand in order of urgency, say shared lines once, and are folded when there are too many."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.chart import Unread
from service.engine.finding import Finding, Indicator, Threshold
from service.engine.library import Library
from service.engine.ranking import FOLD, UNCHECKED, folded, in_order
from service.engine.rendering import Renderer
from service.engine.suggestions import SuggestionContext
from tests.guidance.charts import AMITRIPTYLINE, draft

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
MOST = {"most": Threshold(Fraction(3), "")}


def findings(*indicators: Indicator) -> list[Finding]:
    return in_order([Finding(f"card-{number}", indicator) for number, indicator in enumerate(indicators)])


def test_a_shared_line_stands_on_the_most_urgent_card_that_carries_it() -> None:
    quiet, loud = Finding("a", INFO, lines=("food", "rest")), Finding("b", WARNING, lines=("food",))
    assert [(f.card, f.lines) for f in in_order([quiet, loud])] == [("b", ("food",)), ("a", ("rest",))]


@pytest.mark.parametrize("many", [0, 1, 3])
def test_as_many_as_one_answer_holds_are_not_folded(many: int) -> None:
    found = findings(*[INFO] * many)
    assert folded(found, MOST) == found


def test_without_a_number_nothing_is_folded() -> None:
    found = findings(*[INFO] * 20)
    assert folded(found, {}) == found


def test_the_least_urgent_are_named_in_a_last_card_as_urgent_as_they_are() -> None:
    found = folded(findings(INFO, WARNING, WARNING, WARNING, INFO), MOST)
    assert [f.card for f in found] == ["card-1", "card-2", FOLD]
    assert found[-1].facts == {"folded": ("card-3", "card-0", "card-4")}
    assert found[-1].indicator is WARNING


def test_the_folded_orders_are_named_once() -> None:
    order = draft(AMITRIPTYLINE)
    found = folded([Finding(f"card-{number}", INFO, (order,)) for number in range(5)], MOST)
    assert found[-1].orders == (order,)


@pytest.mark.parametrize("card", sorted(UNCHECKED))
def test_what_could_not_be_checked_is_never_folded(card: str, library: Library) -> None:
    assert card in library.cards
    found = folded([*findings(*[WARNING] * 4), Finding(card, INFO)], MOST)
    assert [f.card for f in found] == ["card-0", card, FOLD]


def test_what_is_never_folded_fills_the_answer_and_the_last_of_it_names_the_rest() -> None:
    unsure = Finding("not-checked", INFO, facts={"first": "x"})
    found = folded([*findings(*[CRITICAL] * 2), Finding("a", WARNING), unsure, Finding("b", INFO)], MOST)
    assert [f.card for f in found] == ["card-0", "card-1", "not-checked"]
    assert found[-1].indicator is WARNING
    assert found[-1].facts == {"first": "x", "folded": ("a", "b")}
    more = folded([*findings(*[CRITICAL] * 4), Finding("a", WARNING)], MOST)
    assert [f.card for f in more] == [f"card-{number}" for number in range(4)]
    assert more[-1].facts["folded"] == ("a",)


def test_a_card_that_names_others_beside_its_own_matter_shows_their_titles(library: Library) -> None:
    gap = Unread("list-entry-unidentified", found="1")
    finding = Finding("not-checked", INFO, unread=(gap,), facts={"folded": ("pain-score", "tolperisone-indication")})
    card = Renderer.of(library).card(finding, SuggestionContext({}), lambda: "id")
    assert card.detail is not None
    for named in ("pain-score", "tolperisone-indication"):
        assert library.cards[named].title in card.detail
        assert any(link.url.endswith(f"/guidance/{named}") for link in card.links or ())


def test_critical_findings_alone_leave_nothing_to_fold() -> None:
    found = findings(*[CRITICAL] * 5)
    assert folded(found, MOST) == found


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(Indicator), max_size=12), st.integers(1, 8))
def test_every_finding_is_shown_or_named_and_no_critical_one_only_named(found: list[Indicator], most: int) -> None:
    given_ = findings(*found)
    shown = folded(given_, {"most": Threshold(Fraction(most), "")})
    named = [card for f in shown for card in f.facts.get("folded", ())]
    assert sorted([*(f.card for f in shown if f.card != FOLD), *named]) == sorted(f.card for f in given_)
    critical = found.count(CRITICAL)
    assert len(shown) <= max(most, critical)
    assert sum(f.indicator is CRITICAL for f in shown) == critical
    assert all(f.facts["folded"] for f in shown if f.card == FOLD)

"""Findings stand in order of urgency, share cards where the guideline says so, and are folded when too many."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.engine.finding import Finding, Indicator
from service.engine.library import Library
from service.engine.plan import FOLD, Plan, capped, merged, plan
from service.engine.rendering import Renderer
from service.facts import MedicationOrder
from service.fhir.edit import ClientOrders
from tests.guidance.charts import current, draft

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
CARDS = [f"card-{number}" for number in range(12)]


def planned(most: int = 3, **more: Any) -> Plan:
    whole = {
        "title": "t",
        "description": "d",
        "subjects": ["warfarin"],
        "services": {},
        "always": [],
        "most": most,
        "ranking": CARDS,
    }
    return plan({**whole, **more})


def findings(*indicators: Indicator) -> list[Finding]:
    found = [Finding(card, indicator) for card, indicator in zip(CARDS, indicators, strict=False)]
    return sorted(found, key=planned().rank)


def cards(found: list[Finding]) -> list[str]:
    return [finding.card for finding in found]


def test_where_urgency_is_equal_the_ranking_of_the_guideline_decides() -> None:
    found = [Finding("card-2", INFO), Finding("unranked", INFO), Finding("card-0", INFO), Finding("card-1", WARNING)]
    assert cards(sorted(found, key=planned().rank)) == ["card-1", "card-0", "card-2", "unranked"]


def test_a_state_may_have_a_rank_of_its_own() -> None:
    plan_ = planned(ranking=["card-0", "card-1", "card-0/milder"])
    found = [Finding("card-0", WARNING, state="milder"), Finding("card-1", WARNING), Finding("card-0", WARNING)]
    assert [(f.card, f.state) for f in sorted(found, key=plan_.rank)] == [
        ("card-0", ""),
        ("card-1", ""),
        ("card-0", "milder"),
    ]
    urgent = [Finding("card-1", WARNING), Finding("card-0", CRITICAL, state="milder")]
    assert cards(sorted(urgent, key=plan_.rank)) == ["card-0", "card-1"]


@pytest.mark.parametrize("many", [0, 1, 3])
def test_as_many_as_one_answer_holds_are_not_folded(many: int) -> None:
    found = findings(*[INFO] * many)
    assert capped(found, planned()) == found


def test_the_least_urgent_are_said_on_a_last_card_as_urgent_as_they_are() -> None:
    found = capped(findings(INFO, WARNING, WARNING, WARNING, INFO), planned())
    assert cards(found) == ["card-1", "card-2", FOLD]
    assert cards(list(found[-1].folded)) == ["card-3", "card-0", "card-4"]
    assert found[-1].indicator is WARNING


def test_the_folded_orders_are_named_once() -> None:
    order = draft("warfarin")
    found = capped([Finding(card, INFO, (order,)) for card in CARDS[:5]], planned())
    assert found[-1].orders == (order,)


def test_critical_findings_fill_the_answer_and_the_last_of_them_says_the_rest() -> None:
    found = capped([*findings(*[CRITICAL] * 4), Finding("a", WARNING)], planned())
    assert cards(found) == CARDS[:4]
    assert cards(list(found[-1].folded)) == ["a"]
    assert capped(findings(*[CRITICAL] * 5), planned()) == findings(*[CRITICAL] * 5)


MERGES = [{"into": ["card-1", "card-2"], "from": ["card-0", "card-3"]}]


def test_a_card_is_said_as_a_line_of_the_first_card_that_is_there() -> None:
    found = merged(findings(INFO, INFO, INFO, WARNING), planned(merges=MERGES))
    assert cards(found) == ["card-1", "card-2"]
    assert cards(list(found[0].merged)) == ["card-0", "card-3"]
    assert found[0].indicator is WARNING, "a card is as urgent as the most urgent thing it says"
    assert cards(merged([Finding("card-0", INFO), Finding("card-2", INFO)], planned(merges=MERGES))) == ["card-2"]


def test_without_a_card_to_be_said_on_it_stands_alone_or_is_left_out_where_it_is_only_a_line() -> None:
    alone = [Finding("card-0", INFO)]
    assert merged(alone, planned(merges=MERGES)) == alone
    assert merged(alone, planned(merges=[{**MERGES[0], "else": "nothing"}])) == []


def test_critical_is_said_in_a_line_of_a_critical_card_only() -> None:
    rules = planned(merges=MERGES)
    assert cards(merged([Finding("card-0", CRITICAL), Finding("card-1", WARNING)], rules)) == ["card-0", "card-1"]
    assert cards(merged([Finding("card-0", CRITICAL), Finding("card-1", CRITICAL)], rules)) == ["card-1"]


def test_a_merge_may_ask_for_a_state_or_for_the_same_partner() -> None:
    stated = planned(merges=[{**MERGES[0], "states": ["both-new"]}])
    assert len(merged([Finding("card-0", INFO), Finding("card-1", INFO)], stated)) == 2
    assert len(merged([Finding("card-0", INFO), Finding("card-1", INFO, state="both-new")], stated)) == 1
    partner = planned(merges=[{**MERGES[0], "when": "same partner"}])

    def with_partner(*orders: MedicationOrder) -> list[Finding]:
        own = current("warfarin")
        return [Finding("card-0", INFO, (own, *orders)), Finding("card-1", INFO, (own, draft("ibuprofen")))]

    assert len(merged(with_partner(), partner)) == 2
    assert len(merged(with_partner(draft("naproxen")), partner)) == 2
    assert len(merged(with_partner(draft("naproxen"), current("ibuprofen")), partner)) == 1


def test_what_goes_with_any_card_is_a_line_of_the_one_that_says_least_and_is_not_critical() -> None:
    anywhere = planned(merges=[{"into": "any", "from": ["card-8", "card-9"]}])
    lines = [Finding("card-8", INFO), Finding("card-9", INFO)]
    found = capped([*findings(CRITICAL, INFO), *lines], anywhere)
    assert [(f.card, cards(list(f.merged))) for f in found] == [("card-0", []), ("card-1", ["card-8", "card-9"])]
    alone = capped(lines, anywhere)
    assert [(f.card, cards(list(f.merged))) for f in alone] == [("card-8", ["card-9"])]
    crowd = capped([*findings(*[INFO] * 4), *lines], anywhere)
    assert cards(list(crowd[-1].folded)) == ["card-2", "card-3", "card-8", "card-9"]


def test_folded_cards_are_said_and_linked_and_their_rules_named(library: Library) -> None:
    folded = (Finding("rule-failed", WARNING, facts={"failed": "pain-score"}), Finding("pain-score", INFO))
    card = Renderer.of(library).card(Finding(FOLD, WARNING, folded=folded), ClientOrders({}), lambda: "id")
    own = card.extension["io.github.tolami"]
    assert (own["rule"], own["rules"]) == ("R28", ["R28", "R25"])
    assert [link.url.rpartition("/")[2] for link in card.links[:3]] == [FOLD, "rule-failed", "pain-score"]
    assert card.detail.count("\n- ") == 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(Indicator), max_size=12), st.integers(1, 8))
def test_every_finding_is_shown_or_folded_and_no_critical_one_is_folded(found: list[Indicator], most: int) -> None:
    given_ = findings(*found)
    shown = capped(given_, planned(most))
    said = [one.card for f in shown for one in f.all if one.card != FOLD]
    assert sorted(said) == sorted(cards(given_))
    critical = found.count(CRITICAL)
    assert len(shown) <= max(most, critical)
    assert sum(f.indicator is CRITICAL for f in shown) == critical
    assert all(f.folded for f in shown if f.card == FOLD)


def test_a_merge_of_merges_keeps_every_line() -> None:
    chain = planned(merges=[{"into": ["card-1"], "from": ["card-0"]}, {"into": ["card-2"], "from": ["card-1"]}])
    (one,) = merged(findings(INFO, INFO, INFO), chain)
    assert cards(list(one.all)) == ["card-2", "card-1", "card-0"]
    assert all(not line.merged for line in one.merged)
    assert replace(one, merged=()) == Finding("card-2", INFO)


def test_what_is_said_in_a_line_of_a_folded_card_is_folded_with_it() -> None:
    carried = Finding("e", INFO, merged=(Finding("f", INFO),))
    shown = capped([*findings(*[WARNING] * 4), carried], planned())
    assert [one.card for finding in shown for one in finding.all if one.card in "ef"] == ["e", "f"]

"""The engine: every rule is run, a broken one costs its own advice only, and the order is fixed."""

import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import service
from service.chart import Chart
from service.engine.evaluate import card_of, evaluate
from service.engine.finding import Finding, Indicator, Rule, Thresholds
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Patient, Unread
from service.fhir.edit import ClientOrders
from service.guidance.registry import RULES
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, chart, current, dose, draft

SERVICE = str(Path(service.__file__).parent)
FULL = chart(draft(AMITRIPTYLINE, dose("50")), draft(TOLPERISONE, dose("500", 3)))


def unexpected(card: str, error: Exception) -> None:
    raise AssertionError(f"{card} failed") from error


def finds(card: str, indicator: Indicator | None) -> Rule:
    """A rule that finds one thing, or nothing."""

    def rule(chart: Chart, thresholds: Thresholds) -> Finding | None:
        return Finding(card, indicator) if indicator is not None else None

    rule.__name__ = card.replace("-", "_")
    return rule


def breaks(chart: Chart, thresholds: Thresholds) -> Finding | None:
    raise ValueError("a fault of the rule")


def test_every_rule_is_named_after_a_card(library: Library) -> None:
    assert {card_of(rule) for rule in RULES} <= library.cards.keys()
    assert len({card_of(rule) for rule in RULES}) == len(RULES)


def test_all_rules_speak_with_the_numbers_of_their_cards(library: Library) -> None:
    found = evaluate(FULL, Guideline(library, RULES), unexpected)
    cards = {one.card for finding in found for one in finding.all}
    assert cards >= {"tolperisone-with-amitriptyline", "amitriptyline-start-dose", "tolperisone-daily-dose"}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.none() | st.sampled_from(Indicator), max_size=8))
def test_the_most_urgent_comes_first_and_equals_keep_the_order_of_the_rules(
    library: Library, found: list[Indicator | None]
) -> None:
    rules = [finds(f"card-{number}", indicator) for number, indicator in enumerate(found)]
    findings = evaluate(chart(), Guideline(library, tuple(rules)), unexpected)
    assert len(findings) == len([indicator for indicator in found if indicator is not None])
    keys = [(-finding.indicator, finding.card) for finding in findings]
    assert keys == sorted(keys)


def test_the_same_chart_gives_the_same_findings(library: Library) -> None:
    assert evaluate(FULL, Guideline(library, RULES), unexpected) == evaluate(
        FULL, Guideline(library, RULES), unexpected
    )


def test_a_rule_that_breaks_loses_only_its_own_advice_and_is_reported(library: Library) -> None:
    told: list[tuple[str, type[Exception]]] = []
    rules = (finds("one", Indicator.INFO), breaks, finds("two", Indicator.CRITICAL))
    findings = evaluate(chart(), Guideline(library, rules), lambda card, error: told.append((card, type(error))))
    assert [finding.card for finding in findings] == ["two", "rule-failed", "one"]
    assert findings[1].facts == {"failed": "breaks"}
    assert told == [("breaks", ValueError)]


def test_a_card_without_its_numbers_breaks_its_rule_and_no_other(library: Library) -> None:
    without = replace(library.cards["amitriptyline-start-dose"], thresholds={})
    numberless = replace(library, cards={**library.cards, without.id: without})
    told: list[tuple[str, type[Exception]]] = []
    findings = evaluate(FULL, Guideline(numberless, RULES), lambda card, error: told.append((card, type(error))))
    assert told == [("amitriptyline-start-dose", KeyError)]
    whole = {finding.card for finding in evaluate(FULL, Guideline(library, RULES), unexpected)}
    assert {finding.card for finding in findings} == {*whole - {"amitriptyline-start-dose"}, "rule-failed"}


def test_while_a_critical_finding_stands_no_change_is_offered(library: Library) -> None:
    critical = chart(draft(AMITRIPTYLINE, dose("50")), draft(TOLPERISONE, dose("900", 3)))
    found = evaluate(critical, Guideline(library, RULES), unexpected)
    by_card = {one.card: one for finding in found for one in finding.all}
    assert by_card["tolperisone-daily-dose"].indicator is Indicator.CRITICAL
    start = by_card["amitriptyline-start-dose"]
    assert (start.proposal, start.withheld) == (None, ("critical-finding",))


def test_a_change_that_a_rule_withholds_is_not_offered(library: Library) -> None:
    unknown = chart(draft(AMITRIPTYLINE, dose("50")), patient=Patient())
    start = next(
        f for f in evaluate(unknown, Guideline(library, RULES), unexpected) if f.card == "amitriptyline-start-dose"
    )
    assert (start.proposal, start.withheld) == (None, ("age-unknown",))


def test_a_change_that_nothing_speaks_against_is_offered(library: Library) -> None:
    found = evaluate(FULL, Guideline(library, RULES), unexpected)
    start = next(one for f in found for one in f.all if one.card == "amitriptyline-start-dose")
    assert start.proposal is not None
    assert start.withheld == ()


def test_a_deceased_patient_gets_no_advice_whatever_is_ordered(library: Library) -> None:
    deceased = replace(FULL, patient=Patient(deceased=True))
    assert [finding.card for finding in evaluate(deceased, Guideline(library, RULES), unexpected)] == [
        "patient-deceased"
    ]


def test_an_opened_chart_of_a_deceased_patient_without_the_drugs_says_nothing(library: Library) -> None:
    assert evaluate(chart(patient=Patient(deceased=True)), Guideline(library, RULES), unexpected) == []


def test_an_empty_chart_raises_nothing(library: Library) -> None:
    assert evaluate(chart(current("nortriptyline")), Guideline(library, RULES), unexpected) == []


def test_the_pace_is_no_question_beside_a_dose_that_must_not_be_reached(library: Library) -> None:
    def cards(mg: str) -> list[str]:
        taken = replace(current(AMITRIPTYLINE), dose=dose("25"))
        given = chart(replace(draft(AMITRIPTYLINE, dose(mg)), continues_earlier=True), taken)
        return [
            f.card for f in evaluate(given, Guideline(library, RULES), unexpected) if f.card.startswith(AMITRIPTYLINE)
        ]

    assert "amitriptyline-titration" in cards("150")
    assert "amitriptyline-upper-range" in cards("200")
    assert "amitriptyline-titration" not in cards("200")


@pytest.mark.parametrize("drug", [AMITRIPTYLINE, TOLPERISONE])
def test_a_dose_that_is_told_to_be_critical_is_not_told_once_more_to_be_implausible(
    library: Library, drug: str
) -> None:
    slip = draft(drug, dose("1500"))
    findings = {f.card: f for f in evaluate(chart(slip), Guideline(library, RULES), unexpected)}
    assert "not-checked" not in findings
    (teller,) = [f for f in findings.values() if f.facts.get("implausible")]
    assert (teller.indicator, teller.facts["implausible"]) == (Indicator.CRITICAL, "1500 mg")
    detail = Renderer.of(library).card(teller, ClientOrders({}), lambda: "id").detail or ""
    assert "1500 mg" in detail


def test_other_gaps_and_implausible_doses_that_nothing_critical_tells_stay(library: Library) -> None:
    slip, tiny = draft(TOLPERISONE, dose("1500")), draft(AMITRIPTYLINE, dose("1"))
    unread = replace(chart(slip, tiny), unread=(Unread("not-provided", element="allergies"),))
    findings = {f.card: f for f in evaluate(unread, Guideline(library, RULES), unexpected)}
    kept = [(gap.reason, gap.order) for gap in findings["not-checked"].unread]
    assert kept == [("implausible", tiny), ("not-provided", None)]
    assert findings["not-checked"].orders == (tiny,)


@pytest.mark.parametrize("stops", [False, True])
def test_twice_as_long_a_list_is_about_twice_the_work(library: Library, stops: bool) -> None:
    """Counted in calls of our functions: neither how fast the machine is nor what traces them matters."""

    def calls(length: int) -> int:
        listed = [replace(current(AMITRIPTYLINE), reference=f"MedicationRequest/{n}") for n in range(length)]
        draft_order = replace(draft(AMITRIPTYLINE, dose("50")), stops=stops)
        long = chart(draft_order, *listed)
        counted = 0

        def count(frame: FrameType, event: str, _argument: object) -> None:
            nonlocal counted
            counted += event == "call" and frame.f_code.co_filename.startswith(SERVICE)

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            evaluate(long, Guideline(library, RULES), unexpected)
        finally:
            sys.setprofile(before)
        return counted

    assert calls(400) < 2.5 * calls(200)

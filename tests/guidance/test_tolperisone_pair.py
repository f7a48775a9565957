"""R01: tolperisone together with amitriptyline."""

from dataclasses import replace
from datetime import date

import pytest

from service.chart import Chart
from service.engine.finding import Finding, Indicator
from service.facts import MedicationOrder, Role
from service.guidance.tolperisone import tolperisone_with_amitriptyline, tolperisone_with_other_tricyclic
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, chart, current, draft, drug, past


def found(given: Chart) -> Finding:
    finding = tolperisone_with_amitriptyline(given, {})
    assert finding is not None
    assert finding.card == "tolperisone-with-amitriptyline"
    return finding


def renewed(name: str) -> MedicationOrder:
    return replace(draft(name), continues_earlier=True)


STARTS = {
    "both are drafted": (draft(AMITRIPTYLINE), draft(TOLPERISONE)),
    "amitriptyline joins": (draft(AMITRIPTYLINE), current(TOLPERISONE)),
    "tolperisone joins": (draft(TOLPERISONE), current(AMITRIPTYLINE)),
    "tolperisone joins what is on hold": (draft(TOLPERISONE), replace(current(AMITRIPTYLINE), status="on-hold")),
    "tolperisone joins a renewal": (renewed(AMITRIPTYLINE), draft(TOLPERISONE)),
    "amitriptyline is taken up again": (draft(AMITRIPTYLINE), past(AMITRIPTYLINE), current(TOLPERISONE)),
    "a combination product joins": (
        replace(draft(AMITRIPTYLINE), drug=drug(AMITRIPTYLINE, combination=True)),
        current(TOLPERISONE),
    ),
}


@pytest.mark.parametrize("orders", STARTS.values(), ids=STARTS)
def test_a_pair_that_the_ordering_creates_is_a_warning(orders: tuple[MedicationOrder, ...]) -> None:
    finding = found(chart(*orders))
    both = orders == STARTS["both are drafted"]
    assert (finding.indicator, finding.state) == (Indicator.WARNING, "both-new" if both else "started")


CONTINUES = {
    "one is renewed": (renewed(AMITRIPTYLINE), current(TOLPERISONE)),
    "both are renewed": (renewed(AMITRIPTYLINE), renewed(TOLPERISONE)),
    "one is changed": (draft(AMITRIPTYLINE), current(AMITRIPTYLINE), current(TOLPERISONE)),
    "both are changed": (
        draft(AMITRIPTYLINE),
        draft(TOLPERISONE),
        current(AMITRIPTYLINE),
        current(TOLPERISONE),
    ),
}


@pytest.mark.parametrize("orders", CONTINUES.values(), ids=CONTINUES)
def test_a_pair_that_only_continues_is_information(orders: tuple[MedicationOrder, ...]) -> None:
    finding = found(chart(*orders))
    assert (finding.indicator, finding.state) == (Indicator.INFO, "continued")


def test_a_refill_continues_even_when_the_list_does_not_show_it() -> None:
    refill = replace(chart(draft(AMITRIPTYLINE), current(TOLPERISONE)), refill=True)
    assert found(refill).indicator is Indicator.INFO


NO_PAIR = {
    "one drug only": (draft(AMITRIPTYLINE),),
    "the same drug twice": (draft(AMITRIPTYLINE), current(AMITRIPTYLINE)),
    "the partner was taken before": (draft(AMITRIPTYLINE), past(TOLPERISONE, taken=date(2026, 11, 22))),
    "the partner is another tricyclic": (draft("nortriptyline"), current(TOLPERISONE)),
    "tolperisone is for the skin": (
        draft(AMITRIPTYLINE),
        replace(draft(TOLPERISONE), drug=drug(TOLPERISONE, topical=True)),
    ),
    "the draft stops amitriptyline": (replace(draft(AMITRIPTYLINE), stops=True), current(TOLPERISONE)),
    "the pair is taken already and a third drug is ordered": (
        draft("nortriptyline"),
        current(AMITRIPTYLINE),
        current(TOLPERISONE),
    ),
}


@pytest.mark.parametrize("orders", NO_PAIR.values(), ids=NO_PAIR)
def test_without_a_pair_in_the_ordering_nothing_is_said(orders: tuple[MedicationOrder, ...]) -> None:
    assert tolperisone_with_amitriptyline(chart(*orders), {}) is None


def test_a_selected_order_pairs_with_one_that_is_not_selected() -> None:
    selected, context = draft(AMITRIPTYLINE), replace(draft(TOLPERISONE), focus=False)
    finding = found(chart(selected, context, hook="order-select"))
    assert finding.indicator is Indicator.WARNING
    assert set(finding.orders) == {selected, context}


def test_a_pair_of_which_nothing_is_selected_is_left_for_later() -> None:
    context = [replace(draft(name), focus=False) for name in (AMITRIPTYLINE, TOLPERISONE)]
    assert tolperisone_with_amitriptyline(chart(*context, hook="order-select"), {}) is None


def test_an_unselected_draft_does_not_pair_with_the_list() -> None:
    context = replace(draft(AMITRIPTYLINE), focus=False)
    assert tolperisone_with_amitriptyline(chart(context, current(TOLPERISONE), hook="order-select"), {}) is None


def test_an_opened_chart_shows_the_pair_that_is_taken() -> None:
    opened = replace(chart(current(AMITRIPTYLINE), current(TOLPERISONE), hook="patient-view"), ordering=False)
    finding = found(opened)
    assert (finding.indicator, finding.state) == (Indicator.INFO, "taken")


def test_an_opened_chart_with_one_of_the_drugs_says_nothing() -> None:
    opened = replace(chart(current(AMITRIPTYLINE), hook="patient-view"), ordering=False)
    assert tolperisone_with_amitriptyline(opened, {}) is None


def test_every_draft_of_the_pair_is_named_once_and_before_what_is_taken() -> None:
    drafts = (draft(TOLPERISONE), draft(AMITRIPTYLINE, number=1), draft(AMITRIPTYLINE, number=2))
    assert found(chart(*drafts)).orders == drafts
    mixed = found(chart(current(TOLPERISONE), draft(AMITRIPTYLINE)))
    assert mixed.orders == (draft(AMITRIPTYLINE), current(TOLPERISONE))


def test_no_change_of_an_order_is_proposed_for_a_pair() -> None:
    assert found(chart(draft(AMITRIPTYLINE), draft(TOLPERISONE))).proposal is None


NORTRIPTYLINE = replace(draft("nortriptyline"), classes=frozenset({"tca"}))
DESIPRAMINE = replace(draft("desipramine"), classes=frozenset({"tca", "cyp2d6-substrate-tolperisone-sensitive"}))


def test_another_tricyclic_beside_tolperisone_is_information() -> None:
    finding = tolperisone_with_other_tricyclic(chart(NORTRIPTYLINE, current(TOLPERISONE)), {})
    assert finding is not None
    assert (finding.indicator, finding.facts["others"]) == (Indicator.INFO, [NORTRIPTYLINE])
    listed = replace(NORTRIPTYLINE, role=Role.CURRENT, focus=False)
    assert tolperisone_with_other_tricyclic(chart(draft(TOLPERISONE), listed), {}) is not None


NO_OTHER = {
    "amitriptyline has its own card": chart(
        replace(draft(AMITRIPTYLINE), classes=frozenset({"tca"})), current(TOLPERISONE)
    ),
    "a tricyclic that labels name has its own card": chart(DESIPRAMINE, current(TOLPERISONE)),
    "tolperisone taken before": chart(NORTRIPTYLINE, past(TOLPERISONE)),
    "a chart that is only opened": replace(
        chart(replace(NORTRIPTYLINE, role=Role.CURRENT, focus=False), current(TOLPERISONE)), ordering=False
    ),
}


@pytest.mark.parametrize("given", NO_OTHER.values(), ids=NO_OTHER)
def test_otherwise_no_other_tricyclic_is_named(given: Chart) -> None:
    assert tolperisone_with_other_tricyclic(given, {}) is None

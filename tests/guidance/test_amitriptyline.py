"""R07: the starting dose of amitriptyline, at the edges of every number."""

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.chart import Chart
from service.dosing.dosage import Dosage
from service.engine.finding import Finding, Indicator
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Condition, MedicationOrder, Patient
from service.fhir.edit import ClientOrders
from service.guidance.amitriptyline import amitriptyline_start_dose
from service.guidance.ids import DEPRESSION
from service.terminology.recognise import Strength
from tests.guidance.charts import (
    AMITRIPTYLINE,
    TODAY,
    TOLPERISONE,
    NotComputed,
    born,
    chart,
    current,
    days_ago,
    dose,
    draft,
    drug,
    past,
    titrated,
)

INFO, WARNING = Indicator.INFO, Indicator.WARNING


@pytest.fixture
def start(library: Library) -> "Start":
    return Start(library)


class Start:
    """The rule with the numbers of its card."""

    def __init__(self, library: Library) -> None:
        self.thresholds = library.thresholds["amitriptyline-start-dose"]

    def find(self, given: Chart) -> Finding | None:
        return amitriptyline_start_dose(given, self.thresholds)

    def found(self, given: Chart) -> Finding:
        finding = self.find(given)
        assert finding is not None
        return finding


@pytest.mark.parametrize(
    ("mg", "indicator"), [("10", None), ("10.01", INFO), ("25", INFO), ("25.01", WARNING), ("75", WARNING)]
)
def test_a_new_start_is_measured_at_10_and_25_mg_a_day(start: Start, mg: str, indicator: Indicator | None) -> None:
    finding = start.find(chart(draft(AMITRIPTYLINE, dose(mg))))
    assert (finding.indicator if finding else None) is indicator


def test_the_change_offered_is_to_10_mg(start: Start) -> None:
    order = draft(AMITRIPTYLINE, dose("25"))
    finding = start.found(chart(order))
    assert finding.withheld == ()
    assert finding.proposal is not None
    assert finding.proposal.order == order
    assert (finding.proposal.dose, finding.proposal.current) == (Fraction(10), Fraction(25))


@pytest.mark.parametrize(("days", "silent"), [(0, True), (89, True), (90, True), (91, False), (400, False)])
def test_amitriptyline_in_the_last_90_days_makes_it_no_new_start(start: Start, days: int, silent: bool) -> None:
    given = chart(draft(AMITRIPTYLINE, dose("25")), past(AMITRIPTYLINE, taken=days_ago(days)))
    assert (start.find(given) is None) is silent


@pytest.mark.parametrize(("days", "silent"), [(89, True), (90, True), (91, False)])
def test_an_ended_order_without_an_end_counts_from_its_writing(start: Start, days: int, silent: bool) -> None:
    finding = start.find(chart(draft(AMITRIPTYLINE, dose("25")), past(AMITRIPTYLINE, authored=days_ago(days))))
    assert (finding is None) is silent
    if finding is not None:
        assert finding.withheld == ("start-not-certain",), "it may have been taken until yesterday"


UNCERTAIN = {
    "an ended order without any date": chart(draft(AMITRIPTYLINE, dose("25")), past(AMITRIPTYLINE)),
    "no medication list": replace(chart(draft(AMITRIPTYLINE, dose("25"))), history_known=False),
}


@pytest.mark.parametrize("given", UNCERTAIN.values(), ids=UNCERTAIN)
def test_a_start_that_is_not_certain_is_said_and_no_change_offered(start: Start, given: Chart) -> None:
    finding = start.found(given)
    assert finding.state == "perhaps-new"
    assert "start-not-certain" in finding.withheld


DEPRESSED = Condition(frozenset({DEPRESSION}), "depression")
DRAFT = draft(AMITRIPTYLINE, dose("50"))
NOT_STARTS = {
    "taken now": chart(DRAFT, current(AMITRIPTYLINE)),
    "taken now, on hold": chart(DRAFT, replace(current(AMITRIPTYLINE), status="on-hold")),
    "renewed": chart(replace(DRAFT, continues_earlier=True)),
    "refilled": replace(chart(DRAFT), refill=True),
    "stopped": chart(replace(DRAFT, stops=True)),
    "not selected": chart(replace(DRAFT, focus=False)),
    "of unknown dose": chart(draft(AMITRIPTYLINE, NotComputed("dose-missing", "dosageInstruction"))),
    "of another drug": chart(draft("nortriptyline", dose("50"))),
}


@pytest.mark.parametrize("given", NOT_STARTS.values(), ids=NOT_STARTS)
def test_an_order_that_starts_nothing_raises_nothing(start: Start, given: Chart) -> None:
    assert start.find(given) is None


@pytest.mark.parametrize(
    ("order", "conditions", "indicator"),
    [
        (DRAFT, (), WARNING),
        (DRAFT, (DEPRESSED,), INFO),
        (replace(DRAFT, reason_given=True, reasons=frozenset({DEPRESSION})), (), INFO),
        (replace(DRAFT, reason_given=True), (DEPRESSED,), WARNING),
        (DRAFT, (replace(DEPRESSED, active=False),), WARNING),
    ],
    ids=["no reason", "in the problem list", "the order's reason", "the order has another reason", "over"],
)
def test_for_major_depression_a_higher_start_is_no_warning(
    start: Start, order: MedicationOrder, conditions: tuple[Condition, ...], indicator: Indicator
) -> None:
    assert start.found(replace(chart(order), conditions=conditions)).indicator is indicator


def test_an_order_whose_reason_was_not_read_may_be_for_depression(start: Start) -> None:
    finding = start.found(chart(replace(DRAFT, reason_given=True, reason_unread=True)))
    assert (finding.indicator, finding.state) == (Indicator.WARNING, "depression")
    assert finding.withheld == ("reason-unread",)
    pain = replace(DRAFT, reason_given=True, reason_unread=True, reasons=frozenset({"neuropathic-pain"}))
    assert start.found(chart(pain)).state == ""


@pytest.mark.parametrize(
    ("patient", "spoken"),
    [
        (born(date(2008, 11, 23)), True),
        (born(date(2008, 11, 24)), False),
        (born(date(2008, 1, 1), date(2008, 12, 31)), False),
        (born(date(2007, 1, 1), date(2007, 12, 31)), True),
    ],
    ids=["18 today", "18 tomorrow", "perhaps still 17", "surely 18"],
)
def test_adult_figures_are_for_those_who_are_surely_18(start: Start, patient: Patient, spoken: bool) -> None:
    assert (start.find(chart(DRAFT, patient=patient)) is not None) is spoken


def test_without_an_age_the_card_says_so_and_offers_no_change(start: Start) -> None:
    finding = start.found(chart(DRAFT, patient=Patient()))
    assert finding.facts["age_known"] is False
    assert finding.withheld == ("age-unknown",)


def test_a_weekly_dose_counts_in_full_on_its_day_and_is_not_raised_over_the_week(start: Start) -> None:
    finding = start.found(chart(draft(AMITRIPTYLINE, dose("70", average="10"))))
    assert (finding.indicator, finding.withheld) == (WARNING, ("would-not-lower",))


@pytest.mark.parametrize(("least", "offered"), [("0", False), ("10", False), ("10.01", True), ("25", True)])
def test_a_range_is_changed_only_when_all_of_it_comes_down(start: Start, least: str, offered: bool) -> None:
    finding = start.found(chart(draft(AMITRIPTYLINE, dose("50", least=least))))
    assert finding.withheld == (() if offered else ("would-not-lower",))


@pytest.mark.parametrize(
    ("steps", "indicator"),
    [(("10", "25", "50"), None), (("10.01", "50"), INFO), (("25", "10"), INFO), (("50", "10"), WARNING)],
)
def test_of_a_titration_the_first_step_is_the_start(
    start: Start, steps: tuple[str, ...], indicator: Indicator | None
) -> None:
    finding = start.find(chart(draft(AMITRIPTYLINE, titrated(*map(dose, steps)))))
    assert (finding.indicator if finding else None) is indicator
    assert finding is None or finding.facts["day"] == Fraction(steps[0])


def test_of_several_drafts_the_highest_is_spoken_about(start: Start) -> None:
    drafts = [draft(AMITRIPTYLINE, dose(mg), number) for number, mg in enumerate(("25", "75", "50"))]
    assert start.found(chart(*drafts)).orders == (drafts[1],)


def test_tolperisone_alone_is_no_matter_of_this_rule(start: Start) -> None:
    assert start.find(chart(draft(TOLPERISONE, dose("450", 3)))) is None


@settings(max_examples=100, deadline=None)
@given(
    day=st.fractions(0, 500, max_denominator=100),
    dosing_days=st.integers(1, 7),
    stopped=st.none() | st.dates(TODAY - timedelta(days=200), TODAY),
    history=st.booleans(),
)
def test_a_change_is_offered_only_for_a_certain_start_that_it_lowers(
    library: Library, day: Fraction, dosing_days: int, stopped: date | None, history: bool
) -> None:
    order = draft(AMITRIPTYLINE, dose(str(day), average=str(day * dosing_days / 7)))
    earlier = [past(AMITRIPTYLINE, taken=stopped)] if stopped else []
    finding = Start(library).find(replace(chart(order, *earlier), history_known=history))
    if finding is not None and not finding.withheld:
        assert finding.proposal is not None
        assert finding.proposal.dose < finding.proposal.current
        assert history
        assert stopped is None or stopped < days_ago(90)


def test_no_change_of_one_order_is_offered_while_amitriptyline_is_ordered_twice(start: Start) -> None:
    one, two = draft(AMITRIPTYLINE, dose("50"), 1), draft(AMITRIPTYLINE, dose("50"), 2)
    assert start.found(chart(one)).withheld == ()
    assert start.found(chart(one, two)).withheld == ("ordered-twice",)


def test_no_10_mg_are_offered_of_a_combination_that_does_not_hold_them(start: Start) -> None:
    product = replace(drug(AMITRIPTYLINE, combination=True), strengths=(Strength(AMITRIPTYLINE, Fraction(25, 2), "x"),))
    order = replace(draft(AMITRIPTYLINE, dose("37.5", 3)), drug=product)
    assert start.found(chart(order)).withheld == ("combination",)
    assert start.found(chart(draft(AMITRIPTYLINE, dose("37.5", 3)))).withheld == ()


@pytest.mark.parametrize(("mg", "possible"), [("10", True), ("25", False), (None, False)])
def test_of_a_combination_the_start_is_possible_only_when_one_tablet_holds_it(
    library: Library, mg: str | None, possible: bool
) -> None:
    held = () if mg is None else (Strength(AMITRIPTYLINE, Fraction(mg), "RxNorm 1"),)
    product = replace(drug(AMITRIPTYLINE, combination=True), strengths=held)
    order = replace(draft(AMITRIPTYLINE, dose("50", 2)), drug=product)
    finding = amitriptyline_start_dose(chart(order), library.thresholds["amitriptyline-start-dose"])
    assert finding is not None
    card = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id")
    assert ("choose amitriptyline alone" in card.summary) is not possible
    assert (finding.state == "other-product") is not possible


def test_as_needed_the_most_counts(library: Library) -> None:
    order = draft(AMITRIPTYLINE, dose("50", 2, least="0"))
    finding = amitriptyline_start_dose(chart(order), library.thresholds["amitriptyline-start-dose"])
    assert finding is not None
    assert "not 50 mg" in Renderer.of(library).card(finding, ClientOrders({}), lambda: "id").summary


def test_depression_and_pain_together_are_pain_for_every_card(library: Library) -> None:
    given = chart(draft(AMITRIPTYLINE, dose("80")))
    sets = (frozenset({DEPRESSION}), frozenset({"fibromyalgia"}))
    given = replace(given, conditions=tuple(Condition(set_, "x") for set_ in sets))
    finding = amitriptyline_start_dose(given, library.thresholds["amitriptyline-start-dose"])
    assert finding is not None
    assert (finding.indicator, finding.state) == (Indicator.WARNING, "")


def test_the_next_step_as_a_draft_of_its_own_is_no_start(start: "Start") -> None:
    def during(order: MedicationOrder, first: int, last: int | None) -> MedicationOrder:
        ends = days_ago(-last) if last is not None else None
        return replace(order, dosages=(Dosage(start=days_ago(-first), end=ends),))

    for end in (6, 7):
        ten = during(draft(AMITRIPTYLINE, dose("10"), 1), 0, end)
        then = during(draft(AMITRIPTYLINE, dose("25"), 2), 7, None)
        assert start.find(chart(ten, then)) is None
        finding = start.find(chart(replace(ten, dose=dose("20")), then))
        assert finding is not None
        assert finding.facts["day"] == 20, "the first of the two"

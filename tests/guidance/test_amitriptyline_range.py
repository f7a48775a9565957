"""R08, R09, R14, R20 and R27: the dose of amitriptyline over time, at the edges of every number."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from service.chart import Chart
from service.dates import Span
from service.dosing.amount import Quantity
from service.dosing.dosage import DailyDose, Dosage
from service.engine.finding import Finding, Indicator, Offer, Thresholds
from service.engine.library import Library
from service.facts import Allergies, Condition, Measurement, MedicationOrder, Role
from service.guidance.amitriptyline import amitriptyline_for_depression, amitriptyline_upper_range
from service.guidance.duplicates import amitriptyline_duplicate
from service.guidance.stopping import amitriptyline_stopping, next_dose
from service.guidance.titration import amitriptyline_titration
from tests.guidance.charts import (
    AMITRIPTYLINE,
    TODAY,
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

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
Apply = Callable[[Chart], Finding | None]
NORTRIPTYLINE = "nortriptyline"


@pytest.fixture
def limits(library: Library) -> Callable[[str], Thresholds]:
    return lambda card: library.thresholds.get(card, {})


@pytest.fixture
def titration(limits: Callable[[str], Thresholds]) -> Apply:
    return lambda given: amitriptyline_titration(given, limits("amitriptyline-titration"))


@pytest.fixture
def upper(limits: Callable[[str], Thresholds]) -> Apply:
    return lambda given: amitriptyline_upper_range(given, limits("amitriptyline-upper-range"))


@pytest.fixture
def depression(limits: Callable[[str], Thresholds]) -> Apply:
    return lambda given: amitriptyline_for_depression(given, limits("amitriptyline-for-depression"))


@pytest.fixture
def stopping(limits: Callable[[str], Thresholds]) -> Apply:
    return lambda given: amitriptyline_stopping(given, limits("amitriptyline-stopping"))


@pytest.fixture
def duplicate(limits: Callable[[str], Thresholds]) -> Apply:
    return lambda given: amitriptyline_duplicate(given, limits("amitriptyline-duplicate"))


def urgency(finding: Finding | None) -> Indicator | None:
    return finding.indicator if finding is not None else None


def taken(
    mg: str | DailyDose | NotComputed | None, since: int | None = 200, name: str = AMITRIPTYLINE
) -> MedicationOrder:
    """An order on the list with its dose, written so many days ago."""
    given = dose(mg) if isinstance(mg, str) else mg
    return replace(current(name), dose=given, authored=days_ago(since) if since is not None else None)


def ended(
    mg: str | None, *, reference: str = "MedicationRequest/amitriptyline-now", authored: date | None = TODAY
) -> MedicationOrder:
    """A draft that ends amitriptyline."""
    order = replace(draft(AMITRIPTYLINE, dose(mg) if mg else None), stops=True, status="stopped")
    return replace(order, reference=reference, authored=authored)


def step(mg: str, days: str | None = None) -> DailyDose:
    return replace(dose(mg), days=Fraction(days) if days else None)


def with_conditions(given: Chart, *sets: str) -> Chart:
    return replace(given, conditions=tuple(Condition(frozenset({name}), name) for name in sets))


def tricyclic(order: MedicationOrder) -> MedicationOrder:
    return replace(order, classes=frozenset({"tca", "antidepressant"}))


def child() -> Chart:
    return chart(patient=born(date(2010, 1, 1)))


# R08: titration


def test_the_next_step_as_a_draft_of_its_own_is_held_against_the_draft_before(titration: Apply, upper: Apply) -> None:
    first = replace(draft(AMITRIPTYLINE, dose("25"), 1), dosages=period(0, 6))
    then = replace(draft(AMITRIPTYLINE, dose("50"), 2), dosages=period(7, None))
    finding = titration(chart(first, then))
    assert finding is not None
    assert (finding.facts["before"], finding.facts["after"], finding.facts["days"]) == (25, 50, 7)
    assert finding.orders == (then, first)
    listed = taken("10")
    finding = titration(chart(first, then, listed))
    assert finding is not None
    assert finding.facts["rise"] == 25, "not from what is taken now to the last step"
    assert titration(chart(replace(first, dose=dose("10")), replace(then, dose=dose("20")))) is None


@pytest.mark.parametrize(
    ("before", "after", "days", "indicator"),
    [
        ("10", "20", "7", None),
        ("10", "20.01", "7", INFO),
        ("10", "20", "6", INFO),
        ("10", "20", "3", INFO),
        ("10", "20", "2", WARNING),
        ("10", "35", "7", INFO),
        ("10", "35.01", "28", WARNING),
        ("10", "15", "3", INFO),
        ("10", "12", "2", None),
        ("10", "10", "1", None),
        ("50", "25", "1", None),
        ("10", "20", None, INFO),
        ("10", "36", None, WARNING),
    ],
)
def test_steps_inside_an_order_are_held_against_10_mg_a_week(
    titration: Apply, before: str, after: str, days: str | None, indicator: Indicator | None
) -> None:
    order = draft(AMITRIPTYLINE, titrated(step(before, days), step(after)))
    assert urgency(titration(chart(order))) is indicator


@pytest.mark.parametrize(
    ("mg", "since", "indicator"),
    [
        ("20", 7, None),
        ("20", 6, INFO),
        ("20", 2, WARNING),
        ("20", 0, None),
        ("20", None, None),
        ("25", 300, INFO),
        ("35", 300, INFO),
        ("36", 300, WARNING),
        ("36", None, WARNING),
        ("10", 1, None),
    ],
)
def test_the_step_from_the_list_to_the_draft_counts_from_the_orders_date(
    titration: Apply, mg: str, since: int | None, indicator: Indicator | None
) -> None:
    given = chart(draft(AMITRIPTYLINE, dose(mg)), taken("10", since))
    assert urgency(titration(given)) is indicator


def test_a_renewal_on_the_list_tells_nothing_about_how_long_the_dose_was_taken(titration: Apply) -> None:
    renewed = replace(taken("10", 1), continues_earlier=True)
    assert titration(chart(draft(AMITRIPTYLINE, dose("20")), renewed)) is None


def test_the_worst_step_is_told(titration: Apply) -> None:
    order = draft(AMITRIPTYLINE, titrated(step("10", "7"), step("25", "7"), step("75")))
    finding = titration(chart(order))
    assert finding is not None
    assert (finding.facts["before"], finding.facts["after"], finding.facts["inside"]) == (25, 75, True)


@pytest.mark.parametrize(("since", "before"), [(3, 10), (6, 10), (7, 20), (13, 20), (14, 30), (100, 30)])
def test_a_titration_on_the_list_has_reached_the_step_of_its_date(titration: Apply, since: int, before: int) -> None:
    listed = taken(titrated(step("10", "7"), step("20", "7"), step("30")), since)
    finding = titration(chart(draft(AMITRIPTYLINE, dose("75")), listed))
    assert finding is not None
    assert finding.facts["before"] == before


def test_steps_for_depression_are_information_only(titration: Apply) -> None:
    given = chart(draft(AMITRIPTYLINE, dose("75")), taken("25"))
    assert urgency(titration(given)) is WARNING
    assert urgency(titration(with_conditions(given, "major-depressive-disorder"))) is INFO


TITRATION_SILENT = {
    "a first dose without steps": chart(draft(AMITRIPTYLINE, dose("75"))),
    "a draft that is not selected": chart(replace(draft(AMITRIPTYLINE, dose("75")), focus=False), taken("10")),
    "a dose that was not computed": chart(draft(AMITRIPTYLINE, NotComputed("unit-missing")), taken("10")),
    "a list without doses": chart(draft(AMITRIPTYLINE, dose("75")), taken(None)),
    "somebody under 18": chart(draft(AMITRIPTYLINE, dose("75")), taken("10"), patient=child().patient),
    "a chart that is only opened": replace(chart(taken("10")), ordering=False),
}


@pytest.mark.parametrize("given", TITRATION_SILENT.values(), ids=TITRATION_SILENT)
def test_titration_is_silent_for(titration: Apply, given: Chart) -> None:
    assert titration(given) is None


# R09: upper range


@pytest.mark.parametrize(
    ("mg", "other", "neuropathic", "depressed"),
    [
        ("50", None, None, None),
        ("50.01", INFO, None, None),
        ("75", INFO, None, None),
        ("75.01", WARNING, WARNING, None),
        ("100.01", WARNING, WARNING, None),
        ("150", WARNING, WARNING, None),
        ("150.01", CRITICAL, CRITICAL, CRITICAL),
        ("300.01", CRITICAL, CRITICAL, CRITICAL),
    ],
)
def test_the_ladder_of_pain_doses(
    upper: Apply, mg: str, other: Indicator | None, neuropathic: Indicator | None, depressed: Indicator | None
) -> None:
    given = chart(draft(AMITRIPTYLINE, dose(mg)))
    assert urgency(upper(given)) is other
    assert urgency(upper(with_conditions(given, "fibromyalgia"))) is other
    assert urgency(upper(with_conditions(given, "postherpetic-neuralgia"))) is neuropathic
    assert urgency(upper(with_conditions(given, "major-depressive-disorder"))) is depressed


@pytest.mark.parametrize(
    ("mg", "level"), [("100", "pain-ceiling"), ("101", "caution"), ("151", "outpatient"), ("301", "hospital")]
)
def test_the_rung_is_named(upper: Apply, mg: str, level: str) -> None:
    finding = upper(chart(draft(AMITRIPTYLINE, dose(mg))))
    assert finding is not None
    assert finding.state == level


def test_the_reason_of_the_order_outweighs_the_record(upper: Apply) -> None:
    order = replace(draft(AMITRIPTYLINE, dose("100")), reason_given=True)
    given = with_conditions(chart(order), "major-depressive-disorder")
    assert urgency(upper(given)) is WARNING
    said = replace(order, reasons=frozenset({"major-depressive-disorder"}))
    assert upper(with_conditions(chart(said), "fibromyalgia")) is None


def test_depression_beside_pain_does_not_lift_the_ceiling(upper: Apply) -> None:
    given = with_conditions(chart(draft(AMITRIPTYLINE, dose("100"))), "major-depressive-disorder", "fibromyalgia")
    finding = upper(given)
    assert finding is not None
    assert finding.facts["depression_recorded"] is True


def test_a_weekly_dose_is_not_averaged(upper: Apply) -> None:
    weekly = dose("160", average="22.86")
    assert urgency(upper(chart(draft(AMITRIPTYLINE, weekly)))) is CRITICAL


def test_a_titration_counts_with_its_highest_step(upper: Apply) -> None:
    assert urgency(upper(chart(draft(AMITRIPTYLINE, titrated(step("10", "7"), step("80")))))) is WARNING


@pytest.mark.parametrize(("mg", "indicator"), [("150", None), ("151", CRITICAL)])
def test_nobody_under_18_is_told_adult_pain_doses(upper: Apply, mg: str, indicator: Indicator | None) -> None:
    given = chart(draft(AMITRIPTYLINE, dose(mg)), patient=child().patient)
    assert urgency(upper(given)) is indicator


def test_duplicates_are_summed(upper: Apply) -> None:
    one, two = draft(AMITRIPTYLINE, dose("50"), 1), draft(AMITRIPTYLINE, dose("50"), 2)
    finding = upper(chart(one, two))
    assert finding is not None
    assert (finding.facts["day"], finding.facts["summed"]) == (100, True)
    finding = upper(chart(one, replace(two, dose=dose("25")), draft(AMITRIPTYLINE, None, 3)))
    assert finding is not None
    assert finding.facts["day"] == 75


def test_a_change_of_the_dose_is_not_summed(upper: Apply) -> None:
    assert upper(chart(replace(draft(AMITRIPTYLINE, dose("50")), continues_earlier=True), taken("50"))) is None
    assert urgency(upper(chart(draft(AMITRIPTYLINE, dose("50")), taken("50")))) is WARNING, "no link: added"


def test_what_is_only_taken_or_not_selected_says_nothing_about_the_range(upper: Apply) -> None:
    assert upper(chart(taken("200"))) is None
    assert upper(chart(replace(draft(AMITRIPTYLINE, dose("200")), focus=False))) is None


# R14: depression


@pytest.mark.parametrize(
    ("mg", "indicator"), [("25", WARNING), ("49.99", WARNING), ("50", INFO), ("74.99", INFO), ("75", None)]
)
def test_a_dose_below_those_for_depression(depression: Apply, mg: str, indicator: Indicator | None) -> None:
    given = with_conditions(chart(draft(AMITRIPTYLINE, dose(mg))), "major-depressive-disorder")
    assert urgency(depression(given)) is indicator


def test_a_weekly_dose_is_averaged_and_no_daily_dose_is_spoken_of(depression: Apply) -> None:
    weekly = replace(dose("70", average="10"), daily=False)
    given = with_conditions(chart(draft(AMITRIPTYLINE, weekly)), "major-depressive-disorder")
    finding = depression(given)
    assert urgency(finding) is WARNING
    assert finding is not None
    assert finding.state == "not-daily"


def test_depression_only_as_the_reason_of_the_order_counts(depression: Apply) -> None:
    order = replace(
        draft(AMITRIPTYLINE, dose("25")), reason_given=True, reasons=frozenset({"major-depressive-disorder"})
    )
    assert urgency(depression(chart(order))) is WARNING


LOW = chart(draft(AMITRIPTYLINE, dose("25")))
DEPRESSED = with_conditions(LOW, "major-depressive-disorder")
DEPRESSION_SILENT = {
    "no depression": LOW,
    "depression in remission": replace(
        LOW, conditions=(Condition(frozenset({"major-depressive-disorder", "depression-in-remission"}), "F33.42"),)
    ),
    "depression that is over": replace(
        LOW, conditions=(Condition(frozenset({"major-depressive-disorder"}), "F32.1", active=False),)
    ),
    "another antidepressant": replace(DEPRESSED, orders=(*LOW.orders, tricyclic(taken(None, name="sertraline")))),
    "somebody under 18": replace(DEPRESSED, patient=child().patient),
    "a dose that was not computed": replace(DEPRESSED, orders=(draft(AMITRIPTYLINE, NotComputed("unit-missing")),)),
    "two orders that reach the range": replace(
        DEPRESSED, orders=(draft(AMITRIPTYLINE, dose("25"), 1), draft(AMITRIPTYLINE, dose("50"), 2))
    ),
}


@pytest.mark.parametrize("given", DEPRESSION_SILENT.values(), ids=DEPRESSION_SILENT)
def test_depression_is_silent_for(depression: Apply, given: Chart) -> None:
    assert depression(given) is None


def test_amitriptyline_is_not_its_own_other_antidepressant(depression: Apply) -> None:
    orders = (*LOW.orders, tricyclic(taken("10")))
    assert urgency(depression(replace(DEPRESSED, orders=orders))) is WARNING


# R20: stopping


@pytest.mark.parametrize(("since", "indicator"), [(27, None), (28, WARNING), (400, WARNING), (None, WARNING)])
def test_a_stop_counts_from_28_days_of_use(stopping: Apply, since: int | None, indicator: Indicator | None) -> None:
    assert urgency(stopping(chart(ended("75", authored=None), taken("75", since)))) is indicator


@pytest.mark.parametrize(("mg", "indicator"), [("10", INFO), ("10.01", WARNING), ("75", WARNING), (None, WARNING)])
def test_above_10_mg_a_stop_is_a_warning(stopping: Apply, mg: str | None, indicator: Indicator) -> None:
    assert urgency(stopping(chart(ended(mg), taken(mg)))) is indicator


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [
        ("75", "37.5", False),
        ("75", "37", True),
        ("75", "50", False),
        ("50", "25", False),
        ("50", "20", True),
        ("25", "10", False),
        ("25", "9", True),
        ("20", "10", False),
        ("10", "4", False),
        ("100", "50", False),
        ("100", "49", True),
    ],
)
def test_a_cut_below_half_unless_it_is_the_next_step_of_the_example(
    stopping: Apply, before: str, after: str, fires: bool
) -> None:
    change = replace(draft(AMITRIPTYLINE, dose(after)), continues_earlier=True)
    assert (stopping(chart(change, taken(before))) is not None) is fires
    assert stopping(chart(draft(AMITRIPTYLINE, dose(after)), taken(before))) is None, "no link: it comes on top"


@pytest.mark.parametrize(
    ("before", "path"),
    [
        ("75", (50, 25, 10)),
        ("50", (25, 10)),
        ("60", (50, 25, 10)),
        ("10", ()),
        ("20", (10,)),
        ("100", (75, 50, 25, 10)),
        ("150", (75, 50, 25, 10)),
        ("300", (150, 75, 50, 25, 10)),
    ],
)
def test_the_example_taper_goes_down_by_tablets(
    limits: Callable[[str], Thresholds], before: str, path: tuple[int, ...]
) -> None:
    doses, numbers = [Fraction(before)], limits("amitriptyline-stopping")
    while (step := next_dose(doses[-1], numbers)) is not None:
        doses.append(step)
    assert tuple(doses[1:]) == path


def test_the_next_step_is_a_fact_and_no_proposal(stopping: Apply) -> None:
    finding = stopping(chart(ended("75"), taken("75")))
    assert finding is not None
    assert finding.facts["next_step"] == 50
    assert finding.proposal is None


def test_a_dose_of_zero_is_a_stop(stopping: Apply) -> None:
    zero = Dosage(low=Quantity(Fraction(0), code="mg"), high=Quantity(Fraction(0), code="mg"))
    order = replace(draft(AMITRIPTYLINE, NotComputed("dose-unclear")), dosages=(zero,))
    finding = stopping(chart(order, taken("75")))
    assert finding is not None
    assert finding.facts["after"] == 0


def test_a_stop_that_is_replaced_with_at_least_half_is_silent(stopping: Apply) -> None:
    assert stopping(chart(ended("75"), draft(AMITRIPTYLINE, dose("50")), taken("75"))) is None
    assert stopping(chart(ended("75"), draft(AMITRIPTYLINE, dose("10")), taken("75"))) is not None
    assert stopping(chart(ended("75"), draft(AMITRIPTYLINE, None), taken("75"))) is None


def test_a_statement_about_the_stopped_order_does_not_hide_the_stop(stopping: Apply) -> None:
    for statement_dose in ("75", None):
        twin = replace(taken(statement_dose), reference="MedicationStatement/amitriptyline")
        assert urgency(stopping(chart(ended("75"), taken("75"), twin))) is WARNING


def test_an_order_of_another_dose_that_stays_is_what_is_left(stopping: Apply) -> None:
    for left, fires in (("50", False), ("10", True)):
        other = replace(taken(left), reference="MedicationRequest/other")
        assert (stopping(chart(ended("75"), taken("75"), other)) is not None) is fires


@pytest.mark.parametrize("reason", ["stopped-because-of-harm", "serotonin-syndrome"])
def test_harm_as_the_reason_of_the_stop_makes_it_an_info(stopping: Apply, reason: str) -> None:
    stop = replace(ended("75"), reasons=frozenset({reason}))
    assert urgency(stopping(chart(stop, taken("75")))) is INFO


def test_harm_in_the_record_makes_it_an_info(stopping: Apply) -> None:
    given = chart(ended("75"), taken("75"))
    assert urgency(stopping(replace(given, allergies=Allergies(frozenset({AMITRIPTYLINE}))))) is INFO
    assert urgency(stopping(with_conditions(given, "serotonin-syndrome"))) is INFO
    assert urgency(stopping(with_conditions(given, "pregnancy"))) is WARNING, "pregnancy alone is no emergency"


@pytest.mark.parametrize(
    ("set_", "ago", "state"),
    [
        ("heart-block", 4000, "harm"),
        ("ischaemic-heart-disease", 4000, "harm"),
        ("recent-myocardial-infarction", 180, "harm"),
        ("recent-myocardial-infarction", 181, "stop"),
        ("stopped-because-of-harm", 30, "harm"),
        ("stopped-because-of-harm", 31, "stop"),
        ("hepatic-impairment", 3, "harm"),
        ("hepatic-impairment", 300, "stop"),
        ("dementia", 3, "stop"),
    ],
)
def test_a_recent_condition_or_a_contraindication_explains_the_stop(
    stopping: Apply, set_: str, ago: int, state: str
) -> None:
    began = days_ago(ago)
    given = replace(
        chart(ended("75"), taken("75")),
        conditions=(Condition(frozenset({set_}), set_, onset=Span(began, began)),),
    )
    finding = stopping(given)
    assert finding is not None
    assert (finding.state, finding.indicator) == (state, INFO if state == "harm" else WARNING)
    assert not (state == "harm" and finding.offers)


def test_what_is_over_explains_a_stop_only_when_it_was_lately(stopping: Apply) -> None:
    day = days_ago(2)
    rash = Condition(frozenset({"stopped-because-of-harm"}), "Angioedema", active=False, onset=Span(day, day))
    assert urgency(stopping(replace(chart(ended("75"), taken("75")), conditions=(rash,)))) is INFO


@pytest.mark.parametrize(("ms", "days", "indicator"), [("500", 30, INFO), ("499", 1, WARNING), ("530", 31, WARNING)])
def test_a_long_qtc_of_lately_explains_the_stop(stopping: Apply, ms: str, days: int, indicator: Indicator) -> None:
    qtc = Measurement("qtc-fridericia", days_ago(days), Fraction(ms), "ms")
    assert urgency(stopping(replace(chart(ended("75"), taken("75")), measurements=(qtc,)))) is indicator


def test_coronary_disease_is_no_contraindication_on_the_us_label(stopping: Apply) -> None:
    given = with_conditions(chart(ended("75"), taken("75")), "ischaemic-heart-disease")
    assert urgency(stopping(given)) is INFO
    assert urgency(stopping(replace(given, jurisdiction="us"))) is WARNING


def test_a_switch_to_another_tricyclic_is_no_stop(stopping: Apply) -> None:
    given = (ended("75"), taken("75"))
    assert stopping(chart(*given, tricyclic(draft(NORTRIPTYLINE)))) is None
    assert urgency(stopping(chart(*given, tricyclic(current(NORTRIPTYLINE))))) is WARNING
    said = replace(ended("75"), stop_reason_given=True, reasons=frozenset({"tca", "antidepressant"}))
    assert stopping(chart(said, taken("75"))) is None


def test_beside_an_mao_inhibitor_of_the_session_its_card_says_what_to_do(stopping: Apply) -> None:
    linezolid = replace(draft("linezolid"), classes=frozenset({"maoi-antibiotic"}))
    assert stopping(chart(ended("75"), taken("75"), linezolid)) is None
    listed = replace(current("linezolid"), classes=frozenset({"maoi-antibiotic"}))
    assert urgency(stopping(chart(ended("75"), taken("75"), listed))) is INFO


@pytest.mark.parametrize(
    ("reasons", "state"),
    [
        ((), "unread"),
        (("stopped-for-another-reason",), "stop"),
        (("stopped-because-not-tolerated",), "stop"),
        (("stopped-because-of-harm", "stopped-for-another-reason"), "harm"),
    ],
)
def test_a_reason_that_is_not_understood_is_not_taken_for_none(
    stopping: Apply, reasons: tuple[str, ...], state: str
) -> None:
    stop = replace(ended("75"), reasons=frozenset(reasons), stop_reason_given=True)
    finding = stopping(chart(stop, taken("75")))
    assert finding is not None
    assert (finding.state, finding.indicator is WARNING) == (state, state == "stop")


@pytest.mark.parametrize(("gap", "fires"), [(14, True), (15, False)])
def test_an_earlier_order_counts_when_the_break_was_short(stopping: Apply, gap: int, fires: bool) -> None:
    earlier = past(AMITRIPTYLINE, authored=days_ago(200), taken=days_ago(10 + gap))
    finding = stopping(chart(ended("75", authored=None), taken("75", 10), earlier))
    assert (finding is not None) is fires


def test_a_renewal_may_hide_an_earlier_beginning(stopping: Apply) -> None:
    renewed = replace(taken("75", 10), continues_earlier=True)
    finding = stopping(chart(ended("75"), renewed))
    assert finding is not None
    assert "time-unknown" in finding.withheld


def test_the_stopped_order_itself_tells_when_the_list_does_not(stopping: Apply) -> None:
    stop = ended("75", authored=days_ago(100))
    assert urgency(stopping(chart(stop))) is WARNING
    assert stopping(chart(ended("75"))) is None, "written today, on no list: nothing to taper"
    assert stopping(replace(chart(ended("75")), history_known=False)) is not None


def test_a_child_gets_no_example(stopping: Apply) -> None:
    finding = stopping(chart(ended("25"), taken("25"), patient=child().patient))
    assert finding is not None
    assert finding.facts["next_step"] is None


STOPPING_SILENT = {
    "a new start": chart(draft(AMITRIPTYLINE, dose("10"))),
    "a stop that is not selected": chart(replace(ended("75"), focus=False), taken("75")),
    "a stop of another drug": chart(replace(ended("75"), drug=drug(NORTRIPTYLINE)), taken("75")),
    "a raise": chart(draft(AMITRIPTYLINE, dose("50")), taken("25")),
    "a chart that is only opened": replace(chart(taken("75")), ordering=False),
}


@pytest.mark.parametrize("given", STOPPING_SILENT.values(), ids=STOPPING_SILENT)
def test_stopping_is_silent_for(stopping: Apply, given: Chart) -> None:
    assert stopping(given) is None


# R27: duplicates


def period(start: int, end: int | None) -> tuple[Dosage, ...]:
    """One instruction from so many days after today to so many."""
    return (Dosage(start=days_ago(-start), end=days_ago(-end) if end is not None else None),)


def test_two_drafts_of_one_session_are_duplicates(duplicate: Apply) -> None:
    one, two = draft(AMITRIPTYLINE, dose("50"), 1), draft(AMITRIPTYLINE, dose("25"), 2)
    older = replace(one, authored=days_ago(3))
    finding = duplicate(chart(replace(two, authored=TODAY), older))
    assert finding is not None
    assert finding.indicator is WARNING
    assert (finding.facts["total"], finding.offers) == (75, (Offer(delete=older.reference),))


def test_two_equal_drafts_without_an_id_are_two(duplicate: Apply) -> None:
    order = replace(draft(AMITRIPTYLINE, dose("25")), reference="")
    finding = duplicate(chart(order, order))
    assert finding is not None
    assert (finding.facts["same"], finding.facts["total"]) == (2, 50)


@pytest.mark.parametrize(("start", "fires"), [(6, True), (7, False), (8, False)])
def test_drafts_whose_periods_follow_each_other_are_no_duplicates(duplicate: Apply, start: int, fires: bool) -> None:
    first = replace(draft(AMITRIPTYLINE, dose("10"), 1), dosages=period(1, 7))
    second = replace(draft(AMITRIPTYLINE, dose("20"), 2), dosages=period(start, None))
    assert (duplicate(chart(first, second)) is not None) is fires


@pytest.mark.parametrize(("start", "fires"), [(10, True), (11, False)])
def test_a_draft_that_begins_before_the_listed_order_ends_comes_on_top(
    duplicate: Apply, start: int, fires: bool
) -> None:
    listed = replace(taken("25"), dosages=period(-30, 10))
    order = replace(draft(AMITRIPTYLINE, dose("25")), dosages=period(start, None))
    assert (duplicate(chart(order, listed)) is not None) is fires
    assert duplicate(chart(replace(order, continues_earlier=True), listed)) is None
    assert duplicate(replace(chart(order, listed), refill=True)) is None
    based = replace(order, based_on=(f"https://ehr.example.org/fhir/{listed.reference}",))
    assert duplicate(chart(based, listed)) is None
    elsewhere = replace(order, based_on=("MedicationRequest/a-plan",))
    assert (duplicate(chart(elsewhere, listed)) is not None) is fires


def test_a_combination_comes_on_top_of_plain_amitriptyline(duplicate: Apply) -> None:
    combined = replace(draft(AMITRIPTYLINE, dose("25")), drug=drug(AMITRIPTYLINE, combination=True))
    finding = duplicate(chart(combined, taken("25")))
    assert finding is not None
    assert (finding.facts["combination"], finding.facts["total"], finding.offers) == (True, 50, ())


def test_another_tricyclic_beside_amitriptyline(duplicate: Apply) -> None:
    listed = tricyclic(taken(None, name=NORTRIPTYLINE))
    finding = duplicate(chart(draft(AMITRIPTYLINE, dose("10")), listed))
    assert finding is not None
    assert (finding.state, finding.facts["same"], finding.facts["others"]) == ("other", 0, [listed])
    finding = duplicate(chart(tricyclic(draft(NORTRIPTYLINE)), taken("10")))
    assert finding is not None
    assert finding.indicator is WARNING


AMI = draft(AMITRIPTYLINE, dose("10"))
OTHER = replace(taken("10"), reference="MedicationRequest/other")
STATEMENT = replace(taken("25"), reference="MedicationStatement/amitriptyline")


def opened(*orders: MedicationOrder) -> Chart:
    return replace(chart(*orders, hook="patient-view"), ordering=False)


def test_two_prescribers_without_a_link_are_added(duplicate: Apply) -> None:
    finding = duplicate(chart(AMI, taken("25")))
    assert finding is not None
    assert (finding.indicator, finding.facts["total"]) == (WARNING, 35)
    followed = replace(AMI, continues_earlier=True, based_on=(taken("25").reference,))
    finding = duplicate(chart(followed, taken("25"), replace(OTHER, dose=dose("50"))))
    assert finding is not None
    assert finding.facts["total"] == 60, "what the draft replaces is no part of it"
    finding = duplicate(chart(AMI, taken("25"), STATEMENT))
    assert finding is not None
    assert finding.facts["total"] == 35, "a statement tells of the order"


def test_occurrences_of_an_order_on_the_list_are_not_added_to_it(duplicate: Apply, upper: Apply) -> None:
    standing = taken("100")
    occurrences = [
        replace(standing, reference=f"MedicationRequest/o{n}", instance=True, based_on=(standing.reference,))
        for n in range(3)
    ]
    for orders in ((standing, *occurrences), (*occurrences, standing)):
        finding = upper(opened(*orders))
        assert finding is not None
        assert finding.facts["day"] == 100
        assert duplicate(opened(*orders)) is None
    finding = upper(opened(*occurrences))
    assert finding is not None
    assert finding.facts["day"] == 300, "without the order nobody knows whether they are of one day"


def test_one_order_too_high_is_told_when_a_chart_is_opened_as_two_are(upper: Apply) -> None:
    stated = replace(STATEMENT, dose=dose("200"))
    ended = replace(taken("200"), period_ended=days_ago(2))
    for orders in ((taken("200"),), (stated,), (ended,), (taken("200"), stated), (taken("200"), ended)):
        finding = upper(opened(*orders))
        assert finding is not None
        assert (finding.state, finding.indicator, finding.facts["day"]) == ("outpatient", CRITICAL, 200)
    assert upper(opened(taken("60"))) is None, "what is an info is said where it is ordered"


def test_the_sum_is_told_when_a_chart_is_opened(duplicate: Apply, upper: Apply) -> None:
    finding = duplicate(opened(taken("100"), replace(OTHER, dose=dose("75"))))
    assert finding is not None
    assert (finding.indicator, finding.facts["total"], finding.offers) == (WARNING, 175, ())
    assert urgency(upper(opened(taken("100"), replace(OTHER, dose=dose("75"))))) is CRITICAL


def test_two_statements_are_added_when_a_chart_is_opened(duplicate: Apply) -> None:
    other = replace(STATEMENT, reference="MedicationStatement/other", dose=dose("50"))
    finding = duplicate(opened(STATEMENT, other))
    assert finding is not None
    assert (finding.state, finding.indicator, finding.facts["total"]) == ("same", WARNING, 75)


@pytest.mark.parametrize("given", [chart(AMI, STATEMENT), opened(replace(OTHER, dose=dose("10")), STATEMENT)])
def test_a_statement_of_another_dose_than_the_order_is_a_question_with_the_possible_sum(
    duplicate: Apply, given: Chart
) -> None:
    finding = duplicate(given)
    assert finding is not None
    assert (finding.state, finding.indicator, finding.facts["total"]) == ("possible", Indicator.INFO, 35)
    assert finding.facts["stated"] == 25


DUPLICATE_SILENT = {
    "one draft": chart(AMI),
    "a change of the order on the list": chart(replace(AMI, continues_earlier=True), taken("25")),
    "a refill of the order on the list": replace(chart(AMI, taken("25")), refill=True),
    "a draft with the id of the order on the list": chart(replace(AMI, reference=taken("25").reference), taken("25")),
    "an order that ended by its own dates": chart(AMI, replace(taken("25"), period_ended=days_ago(1))),
    "a statement of the same dose": chart(AMI, replace(STATEMENT, dose=dose("10"))),
    "a statement of a dose that is not known": chart(AMI, replace(STATEMENT, dose=None)),
    "a statement that the draft continues": chart(replace(AMI, continues_earlier=True), STATEMENT),
    "a statement based on the draft": chart(AMI, replace(STATEMENT, based_on=(AMI.reference,))),
    "a statement that ended": chart(AMI, replace(STATEMENT, period_ended=days_ago(1))),
    "a statement beside a refill": replace(chart(AMI, STATEMENT), refill=True),
    "a draft that the session only holds": chart(replace(AMI, focus=False), STATEMENT),
    "one draft sent twice": chart(AMI, AMI),
    "a stop beside a new draft": chart(ended("25"), AMI, taken("25")),
    "two orders on the list while another drug is ordered": chart(draft(NORTRIPTYLINE), taken("25"), OTHER),
    "one order on the list": opened(taken("25")),
    "an order on the list and a statement about it": opened(taken("25"), STATEMENT),
    "an order on the list that another replaces": opened(
        taken("25"), replace(OTHER, based_on=(f"https://ehr.example.org/fhir/{taken('25').reference}",))
    ),
    "an order on the list that ended by its own dates": opened(taken("25"), replace(OTHER, period_ended=days_ago(1))),
    "two drafts of which none is selected": chart(
        replace(AMI, focus=False), replace(draft(AMITRIPTYLINE, dose("25"), 2), focus=False)
    ),
    "a tricyclic that is replaced in this session": chart(
        AMI,
        tricyclic(taken(None, name=NORTRIPTYLINE)),
        tricyclic(replace(draft(NORTRIPTYLINE), stops=True, reference="MedicationRequest/nortriptyline-now")),
    ),
    "amitriptyline that a tricyclic replaces": chart(ended("10"), tricyclic(draft(NORTRIPTYLINE)), taken("10")),
    "a tricyclic taken before": chart(AMI, tricyclic(replace(past(NORTRIPTYLINE), role=Role.PAST))),
    "a tricyclic for the skin": chart(AMI, replace(tricyclic(current("doxepin")), drug=drug("doxepin", topical=True))),
}


@pytest.mark.parametrize("given", DUPLICATE_SILENT.values(), ids=DUPLICATE_SILENT)
def test_duplicates_are_silent_for(duplicate: Apply, given: Chart) -> None:
    assert duplicate(given) is None


def test_another_tricyclic_on_the_list_is_an_info_when_a_chart_is_opened(duplicate: Apply) -> None:
    nortriptyline = replace(current("nortriptyline"), classes=frozenset({"tca"}))
    opened = replace(chart(current(AMITRIPTYLINE), nortriptyline), ordering=False, hook="patient-view")
    finding = duplicate(opened)
    assert finding is not None
    assert (finding.indicator, finding.state) == (INFO, "other")
    assert duplicate(replace(opened, ordering=True, hook="order-sign")) is None


def test_at_a_refill_the_orders_of_the_list_add_up_and_the_refill_does_not(duplicate: Apply) -> None:
    two = (taken("50"), replace(taken("25"), reference="MedicationRequest/amitriptyline-other"))
    finding = duplicate(replace(chart(draft(AMITRIPTYLINE, dose("50")), *two), refill=True))
    assert finding is not None
    assert (finding.state, finding.facts["total"]) == ("same", 75)

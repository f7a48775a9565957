"""R15: the daily dose of tolperisone, at the edges of every number; R16: meals."""

from dataclasses import replace
from datetime import date

import pytest

from service.chart import Chart
from service.dosing.dosage import Dosage
from service.engine.finding import Finding, Indicator, Threshold, Thresholds
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Condition, MedicationOrder, Patient
from service.fhir.edit import ClientOrders
from service.guidance.tolperisone import tolperisone_daily_dose, tolperisone_food, tolperisone_indication
from tests.guidance.charts import TOLPERISONE, NotComputed, born, chart, current, days_ago, dose, draft, drug, titrated

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL
CHILD = born(date(2016, 3, 1))


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["tolperisone-daily-dose"]


def found(given: Chart, numbers: Thresholds) -> Finding:
    finding = tolperisone_daily_dose(given, numbers)
    assert finding is not None
    return finding


def test_a_dose_on_the_list_is_measured_when_a_chart_is_opened(numbers: Thresholds) -> None:
    def opened(mg: str, times: int) -> Chart:
        return replace(chart(replace(current(TOLPERISONE), dose=dose(mg, times))), ordering=False)

    assert found(opened("900", 3), numbers).indicator is CRITICAL
    assert found(opened("500", 3), numbers).indicator is WARNING
    assert tolperisone_daily_dose(opened("300", 2), numbers) is None


@pytest.mark.parametrize(
    ("mg", "times", "indicator"),
    [
        ("450", 3, None),
        ("450.01", 3, WARNING),
        ("600", 3, WARNING),
        ("600.01", 3, CRITICAL),
        ("900", 6, CRITICAL),
        ("149.99", 1, None),
        ("150", 1, INFO),
        ("150", 3, None),
        ("300", 2, INFO),
        ("450", 4, INFO),
        ("450.01", 1, WARNING),
    ],
)
def test_a_day_is_measured_at_450_and_600_mg_and_in_three_doses(
    numbers: Thresholds, mg: str, times: int, indicator: Indicator | None
) -> None:
    finding = tolperisone_daily_dose(chart(draft(TOLPERISONE, dose(mg, times))), numbers)
    assert (finding.indicator if finding else None) is indicator
    if finding is not None:
        expected = {INFO: "divide", WARNING: "above-eu", CRITICAL: "above-labels"}
        assert finding.state == expected[finding.indicator]


def test_the_numbers_come_from_the_card(numbers: Thresholds) -> None:
    stricter = {**numbers, "eu_maximum": Threshold(numbers["label_minimum"].value, "mg")}
    given = chart(draft(TOLPERISONE, dose("300", 3)))
    assert tolperisone_daily_dose(given, numbers) is None
    assert found(given, stricter).indicator is WARNING


def test_what_counts_is_the_most_on_one_day_and_not_the_average(numbers: Thresholds) -> None:
    every_other_day = draft(TOLPERISONE, dose("900", 3, average="450"))
    assert found(chart(every_other_day), numbers).indicator is CRITICAL


def test_of_a_titration_the_largest_step_counts(numbers: Thresholds) -> None:
    steps = titrated(dose("150", 3), dose("600.01", 3), dose("450", 3))
    assert found(chart(draft(TOLPERISONE, steps)), numbers).indicator is CRITICAL


SILENT = {
    "not selected": chart(replace(draft(TOLPERISONE, dose("900", 3)), focus=False)),
    "stopped": chart(replace(draft(TOLPERISONE, dose("900", 3)), stops=True)),
    "only on the list": chart(replace(current(TOLPERISONE), dose=dose("900", 3))),
    "for the skin": chart(replace(draft(TOLPERISONE, dose("900", 3)), drug=drug(TOLPERISONE, topical=True))),
    "of unknown dose": chart(draft(TOLPERISONE, NotComputed("unit-missing", "dosageInstruction"))),
    "without a dose": chart(draft(TOLPERISONE)),
    "eperisone": chart(draft("eperisone", dose("900", 3))),
}


@pytest.mark.parametrize("given", SILENT.values(), ids=SILENT)
def test_an_order_that_gives_no_dose_to_judge_raises_nothing(numbers: Thresholds, given: Chart) -> None:
    assert tolperisone_daily_dose(given, numbers) is None


def until(order: MedicationOrder, first: int, last: int) -> MedicationOrder:
    """The order from one day to another, counted back from the fixed one."""
    return replace(order, dosages=(Dosage(start=days_ago(first), end=days_ago(last)),))


def test_drafts_that_follow_each_other_are_not_added_up_and_the_highest_is_spoken_about(numbers: Thresholds) -> None:
    drafts = [
        until(draft(TOLPERISONE, dose(mg, 3), number), -10 * number, -10 * number - 9)
        for number, mg in enumerate(("500", "700", "600"))
    ]
    finding = found(chart(*drafts), numbers)
    assert (finding.orders, finding.indicator) == ((drafts[1],), CRITICAL)
    assert finding.facts["summed"] is False


def test_two_orders_that_are_taken_together_are_added_up(numbers: Thresholds, library: Library) -> None:
    one, two = (draft(TOLPERISONE, dose("450", 3), number) for number in (1, 2))
    drafted = found(chart(one, two), numbers)
    listed = until(replace(current(TOLPERISONE), dose=dose("450", 3)), 30, -30)
    on_top = found(chart(until(one, 0, -20), listed), numbers)
    for finding in (drafted, on_top):
        assert (finding.indicator, finding.facts["day"], len(finding.orders)) == (CRITICAL, 900, 2)
        card = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id")
        assert "900 mg on one day" in card.summary
        assert "Several orders are added up" in (card.detail or "")


def test_a_draft_that_changes_the_order_on_the_list_is_not_added_to_it(numbers: Thresholds) -> None:
    listed = replace(current(TOLPERISONE), dose=dose("450", 3))
    change = replace(draft(TOLPERISONE, dose("450", 3)), continues_earlier=True)
    assert tolperisone_daily_dose(chart(change, listed), numbers) is None


def test_a_draft_without_a_link_is_added_to_the_order_on_the_list(numbers: Thresholds) -> None:
    listed = replace(current(TOLPERISONE), dose=dose("450", 3))
    finding = found(chart(draft(TOLPERISONE, dose("450", 3)), listed), numbers)
    assert (finding.indicator, finding.facts["day"], finding.facts["summed"]) == (Indicator.CRITICAL, 900, True)


def test_a_sum_in_which_a_dose_is_missing_says_so(numbers: Thresholds, library: Library) -> None:
    one, two = draft(TOLPERISONE, dose("600.5", 3)), draft(TOLPERISONE, NotComputed("dose-missing"), 2)
    finding = found(chart(one, two), numbers)
    assert finding.facts["complete"] is False
    detail = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id").detail or ""
    assert "One dose could not be computed and comes on top." in detail


def test_as_needed_the_daily_dose_is_the_most_it_can_be(numbers: Thresholds, library: Library) -> None:
    finding = found(chart(draft(TOLPERISONE, dose("500", 3, least="0"))), numbers)
    assert (
        "it can reach 500 mg on one day" in Renderer.of(library).card(finding, ClientOrders({}), lambda: "id").summary
    )


@pytest.mark.parametrize(
    ("mg", "times", "indicator"), [("300", 1, None), ("450.01", 3, WARNING), ("600.01", 3, CRITICAL)]
)
def test_nobody_under_18_is_told_adult_figures_but_a_dose_above_them_is(
    numbers: Thresholds, mg: str, times: int, indicator: Indicator | None
) -> None:
    finding = tolperisone_daily_dose(chart(draft(TOLPERISONE, dose(mg, times)), patient=CHILD), numbers)
    assert (finding.indicator if finding else None) is indicator
    assert finding is None or finding.state == "under-age"


@pytest.mark.parametrize(
    ("patient", "older"),
    [
        (born(date(1961, 11, 23)), True),
        (born(date(1961, 11, 24)), False),
        (born(date(1961, 1, 1), date(1961, 12, 31)), False),
        (born(date(1960, 1, 1), date(1960, 12, 31)), True),
        (Patient(), False),
    ],
    ids=["65 today", "65 tomorrow", "perhaps 64", "surely 65", "age unknown"],
)
def test_lower_doses_are_mentioned_for_those_who_are_surely_65(
    numbers: Thresholds, patient: Patient, older: bool
) -> None:
    finding = found(chart(draft(TOLPERISONE, dose("600", 3)), patient=patient), numbers)
    assert finding.facts["older"] is older
    assert finding.state == "above-eu"


def test_tolperisone_that_is_ordered_is_taken_after_meals() -> None:
    assert tolperisone_food(chart(draft(TOLPERISONE)), {}) is not None
    assert tolperisone_food(chart(replace(draft(TOLPERISONE), focus=False)), {}) is None
    assert tolperisone_food(chart(draft("nortriptyline"), current(TOLPERISONE)), {}) is None


def test_no_change_of_a_tolperisone_order_is_proposed(numbers: Thresholds) -> None:
    assert found(chart(draft(TOLPERISONE, dose("600", 3))), numbers).proposal is None


def test_the_indication_is_a_warning_only_when_tolperisone_is_ordered(library: Library) -> None:
    limits = library.thresholds.get("tolperisone-indication", {})
    ordered = tolperisone_indication(chart(draft(TOLPERISONE)), limits)
    assert ordered is not None
    assert (ordered.indicator, ordered.state) == (WARNING, "")
    elsewhere = tolperisone_indication(replace(chart(draft(TOLPERISONE)), jurisdiction="us"), limits)
    assert elsewhere is not None
    assert elsewhere.state == "us"
    opened = tolperisone_indication(replace(chart(current(TOLPERISONE)), ordering=False), limits)
    assert opened is not None
    assert opened.indicator is INFO
    assert tolperisone_indication(chart(draft("nortriptyline"), current(TOLPERISONE)), limits) is None


def test_in_switzerland_any_spasticity_is_what_the_label_asks_for_elsewhere_one_after_a_stroke(
    library: Library,
) -> None:
    limits = library.thresholds.get("tolperisone-indication", {})
    spastic = Condition(frozenset({"spasticity"}), "Spastik bei MS")
    given = replace(chart(draft(TOLPERISONE)), conditions=(spastic,))
    assert tolperisone_indication(replace(given, jurisdiction="ch"), limits) is None
    assert tolperisone_indication(given, limits) is not None
    after = replace(given, conditions=(spastic, Condition(frozenset({"stroke"}), "CVA", active=False)))
    assert tolperisone_indication(after, limits) is None

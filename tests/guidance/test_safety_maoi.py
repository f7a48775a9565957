"""R03: MAO inhibitors and amitriptyline, together and one after the other."""

from dataclasses import replace
from datetime import date

import pytest

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Thresholds
from service.engine.library import Library
from service.facts import MedicationOrder
from service.guidance.maoi import amitriptyline_with_maoi
from tests.guidance.charts import AMITRIPTYLINE, chart, current, days_ago, draft, drug, past

WARNING, CRITICAL = Indicator.WARNING, Indicator.CRITICAL
IRREVERSIBLE, MAO_B, REVERSIBLE = "maoi-irreversible", "maoi-b", "maoi-reversible"
CLASSES = {
    "phenelzine": {IRREVERSIBLE},
    "selegiline": {MAO_B},
    "moclobemide": {REVERSIBLE},
    "linezolid": {REVERSIBLE, "maoi-antibiotic"},
    "methylene-blue": {REVERSIBLE},
    "tedizolid": {"maoi-weak"},
    "procarbazine": {"maoi-weak"},
}


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["amitriptyline-with-maoi"]


def maoi(order: MedicationOrder) -> MedicationOrder:
    return replace(order, classes=frozenset(CLASSES[order.label]))


def later(days: int) -> date:
    return days_ago(-days)


def urgency(finding: Finding | None) -> Indicator | None:
    return finding.indicator if finding else None


def first(given: Chart, numbers: Thresholds) -> tuple[str, date | None]:
    finding = amitriptyline_with_maoi(given, numbers)
    assert finding is not None
    point = finding.facts["points"][0]
    return point.kind, point.day


@pytest.mark.parametrize(
    ("name", "indicator"), [(name, WARNING if CLASSES[name] == {"maoi-weak"} else CRITICAL) for name in CLASSES]
)
def test_both_together_are_contraindicated_whichever_is_ordered(
    numbers: Thresholds, name: str, indicator: Indicator
) -> None:
    for given in (
        chart(draft(AMITRIPTYLINE), maoi(current(name))),
        chart(maoi(draft(name)), current(AMITRIPTYLINE)),
        chart(draft(AMITRIPTYLINE), maoi(draft(name))),
        chart(draft(AMITRIPTYLINE), replace(maoi(draft(name)), focus=False)),
    ):
        assert urgency(amitriptyline_with_maoi(given, numbers)) is indicator


@pytest.mark.parametrize(("name", "days"), [("phenelzine", 14), ("selegiline", 14), ("moclobemide", 1)])
def test_the_earliest_date_for_amitriptyline_if_the_other_stops_today(
    numbers: Thresholds, name: str, days: int
) -> None:
    given = chart(draft(AMITRIPTYLINE), maoi(current(name)))
    assert first(given, numbers) == ("together", later(days))


def test_the_earliest_date_for_an_mao_inhibitor_if_amitriptyline_stops_today(numbers: Thresholds) -> None:
    for name in ("phenelzine", "moclobemide"):
        given = chart(maoi(draft(name)), current(AMITRIPTYLINE))
        assert first(given, numbers) == ("maoi-ordered", later(14))


@pytest.mark.parametrize(
    ("name", "ago", "earliest"),
    [
        ("phenelzine", 0, later(14)),
        ("phenelzine", 13, later(1)),
        ("phenelzine", 14, None),
        ("selegiline", 13, later(1)),
        ("selegiline", 14, None),
        ("moclobemide", 0, later(1)),
        ("moclobemide", 1, None),
        ("linezolid", 1, None),
        ("tedizolid", 0, None),
    ],
)
def test_amitriptyline_waits_for_the_wash_out(numbers: Thresholds, name: str, ago: int, earliest: date | None) -> None:
    given = chart(draft(AMITRIPTYLINE), maoi(past(name, taken=days_ago(ago))))
    if earliest is None:
        assert amitriptyline_with_maoi(given, numbers) is None
    else:
        assert first(given, numbers) == ("after-maoi", earliest)
        assert urgency(amitriptyline_with_maoi(given, numbers)) is CRITICAL


@pytest.mark.parametrize(
    ("name", "kind"),
    [("phenelzine", "after-amitriptyline"), ("moclobemide", "after-amitriptyline"), ("linezolid", "urgent-after")],
)
@pytest.mark.parametrize(("ago", "earliest"), [(0, later(14)), (13, later(1)), (14, None)])
def test_an_mao_inhibitor_waits_14_days_after_amitriptyline(
    numbers: Thresholds, name: str, kind: str, ago: int, earliest: date | None
) -> None:
    given = chart(maoi(draft(name)), past(AMITRIPTYLINE, taken=days_ago(ago)))
    if earliest is None:
        assert amitriptyline_with_maoi(given, numbers) is None
    else:
        assert first(given, numbers) == (kind, earliest)


def test_a_planned_end_in_the_future_counts_as_today(numbers: Thresholds) -> None:
    given = chart(draft(AMITRIPTYLINE), maoi(past("phenelzine", taken=later(30))))
    assert first(given, numbers) == ("after-maoi", later(14))


@pytest.mark.parametrize(("authored", "fires"), [(None, True), (days_ago(365), True), (days_ago(366), False)])
def test_an_end_that_is_not_recorded_is_a_question(numbers: Thresholds, authored: date | None, fires: bool) -> None:
    for given, kind in (
        (chart(draft(AMITRIPTYLINE), maoi(past("phenelzine", authored=authored))), "after-maoi-end-unknown"),
        (chart(maoi(draft("phenelzine")), past(AMITRIPTYLINE, authored=authored)), "after-amitriptyline-end-unknown"),
    ):
        assert urgency(amitriptyline_with_maoi(given, numbers)) is (WARNING if fires else None)
        if fires:
            assert first(given, numbers) == (kind, None)


def test_of_several_courses_the_latest_end_counts_and_gives_one_line(numbers: Thresholds) -> None:
    courses = [maoi(past("phenelzine", taken=days_ago(ago))) for ago in (3, 40)]
    unknown = maoi(past("phenelzine"))
    finding = amitriptyline_with_maoi(chart(draft(AMITRIPTYLINE), *courses, unknown), numbers)
    assert finding is not None
    assert [point.day for point in finding.facts["points"]] == [later(11)]


def test_an_earlier_course_of_what_is_taken_now_adds_nothing(numbers: Thresholds) -> None:
    given = chart(draft(AMITRIPTYLINE), maoi(current("phenelzine")), maoi(past("phenelzine", taken=days_ago(3))))
    finding = amitriptyline_with_maoi(given, numbers)
    assert finding is not None
    assert [point.kind for point in finding.facts["points"]] == ["together"]


def test_methylene_blue_counts_when_systemic_and_less_in_urinary_products(numbers: Thresholds) -> None:
    blue = maoi(current("methylene-blue"))
    on_the_skin = replace(blue, drug=drug("methylene-blue", topical=True))
    urinary = replace(blue, drug=drug("methylene-blue", combination=True))
    assert urgency(amitriptyline_with_maoi(chart(draft(AMITRIPTYLINE), blue), numbers)) is CRITICAL
    assert amitriptyline_with_maoi(chart(draft(AMITRIPTYLINE), on_the_skin), numbers) is None
    assert urgency(amitriptyline_with_maoi(chart(draft(AMITRIPTYLINE), urinary), numbers)) is WARNING


def test_the_most_urgent_is_said_first(numbers: Thresholds) -> None:
    given = chart(draft(AMITRIPTYLINE), maoi(current("tedizolid")), maoi(current("linezolid")))
    finding = amitriptyline_with_maoi(given, numbers)
    assert finding is not None
    assert finding.facts["other"].label == "linezolid"
    assert [finding.state, *(other.state for other in finding.merged)] == ["urgent-first", "maoi-weak"]


@pytest.mark.parametrize("name", ["linezolid", "methylene-blue"])
def test_what_is_given_urgently_has_no_earliest_date_but_a_stop_and_watching(numbers: Thresholds, name: str) -> None:
    ordered = chart(maoi(draft(name)), current(AMITRIPTYLINE))
    assert first(ordered, numbers) == ("urgent-ordered", None)
    assert first(chart(draft(AMITRIPTYLINE), maoi(current(name))), numbers) == ("urgent-first", None)
    assert first(chart(draft(AMITRIPTYLINE), maoi(draft(name))), numbers) == ("urgent-first", None)


@pytest.mark.parametrize("listed", [True, False])
def test_stopping_amitriptyline_as_linezolid_is_ordered_is_what_is_asked_for(numbers: Thresholds, listed: bool) -> None:
    orders = [maoi(draft("linezolid")), replace(draft(AMITRIPTYLINE), stops=True)]
    finding = amitriptyline_with_maoi(chart(*orders, *([current(AMITRIPTYLINE)] if listed else [])), numbers)
    assert finding is not None
    assert (finding.state, finding.indicator) == ("urgent-stopped", WARNING)
    carried_on = chart(*orders, draft(AMITRIPTYLINE, number=2), current(AMITRIPTYLINE))
    assert urgency(amitriptyline_with_maoi(carried_on, numbers)) is CRITICAL


def test_procarbazine_has_a_sentence_of_its_own(numbers: Thresholds) -> None:
    finding = amitriptyline_with_maoi(chart(maoi(draft("procarbazine")), current(AMITRIPTYLINE)), numbers)
    assert finding is not None
    assert (finding.state, finding.indicator) == ("procarbazine", WARNING)


SILENT = {
    "a chart that is only opened": replace(chart(current(AMITRIPTYLINE), maoi(current("phenelzine"))), ordering=False),
    "only the MAO inhibitor": chart(maoi(draft("phenelzine"))),
    "only amitriptyline": chart(draft(AMITRIPTYLINE)),
    "neither selected": chart(replace(maoi(draft("phenelzine")), focus=False), current(AMITRIPTYLINE)),
    "amitriptyline stopped by the order": chart(replace(draft(AMITRIPTYLINE), stops=True), maoi(current("phenelzine"))),
    "another drug ordered": chart(draft("amoxicillin"), maoi(current("phenelzine")), current(AMITRIPTYLINE)),
}


@pytest.mark.parametrize("given", SILENT.values(), ids=SILENT)
def test_nothing_is_said_for(given: Chart, numbers: Thresholds) -> None:
    assert amitriptyline_with_maoi(given, numbers) is None


def test_stopping_amitriptyline_in_the_same_session_does_not_make_room_for_an_mao_inhibitor(
    numbers: Thresholds,
) -> None:
    stop = replace(draft(AMITRIPTYLINE), stops=True)
    assert first(chart(maoi(draft("phenelzine")), stop, current(AMITRIPTYLINE)), numbers) == ("maoi-ordered", later(14))


def test_with_several_mao_inhibitors_the_earliest_date_is_the_latest_of_theirs(numbers: Thresholds) -> None:
    given = chart(draft(AMITRIPTYLINE), maoi(current("moclobemide")), maoi(past("phenelzine", taken=days_ago(4))))
    finding = amitriptyline_with_maoi(given, numbers)
    assert finding is not None
    assert {point.day for point in finding.facts["points"]} == {later(10)}


def test_an_order_that_the_session_ends_was_taken_until_today(numbers: Thresholds) -> None:
    ending = replace(maoi(draft("phenelzine")), stops=True)
    assert first(chart(draft(AMITRIPTYLINE), ending), numbers) == ("after-maoi", later(14))
    ending = replace(draft(AMITRIPTYLINE), stops=True)
    assert first(chart(maoi(draft("phenelzine")), ending), numbers) == ("after-amitriptyline", later(14))


@pytest.mark.parametrize(("written", "level"), [(13, CRITICAL), (14, WARNING), (-(10**6), CRITICAL)])
def test_what_was_written_within_the_wash_out_cannot_have_ended_before_it(
    numbers: Thresholds, written: int, level: Indicator
) -> None:
    authored = days_ago(written) if written > 0 else date.max
    earlier = maoi(past("phenelzine", authored=authored))
    assert urgency(amitriptyline_with_maoi(chart(draft(AMITRIPTYLINE), earlier), numbers)) is level


def test_the_card_is_about_amitriptyline_whatever_else_the_session_ends(numbers: Thresholds) -> None:
    others = [replace(draft(name), stops=True) for name in ("ibuprofen", AMITRIPTYLINE)]
    finding = amitriptyline_with_maoi(chart(maoi(draft("phenelzine")), *others), numbers)
    assert finding is not None
    assert finding.facts["order"].drug.names(AMITRIPTYLINE)

"""R11, R24, R25, R26: age, review, pain score and standing blood pressure, at the edges of every number."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from service.chart import Chart
from service.engine.concerns import concerns_of
from service.engine.evaluate import evaluate
from service.engine.finding import Finding, Indicator, Rule
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Age, Condition, Measurement, MedicationOrder, Patient, Role, Unread
from service.fhir.edit import ClientOrders
from service.guidance.ids import PAIN
from service.guidance.monitoring import (
    amitriptyline_older_adult,
    amitriptyline_review,
    pain_score,
    standing_blood_pressure,
)
from tests.guidance.charts import (
    AMITRIPTYLINE,
    TODAY,
    TOLPERISONE,
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

RULES = (amitriptyline_older_adult, standing_blood_pressure, amitriptyline_review, pain_score)
INFO, WARNING = Indicator.INFO, Indicator.WARNING
OLD, TURNS_65, TURNS_65_TOMORROW = born(date(1950, 5, 9)), born(date(1961, 11, 23)), born(date(1961, 11, 24))
DRAFT = draft(AMITRIPTYLINE, dose("10"))


@pytest.fixture
def find(library: Library) -> "Find":
    return Find(library)


class Find:
    """Rules with the numbers of their cards."""

    def __init__(self, library: Library) -> None:
        self.library = library

    def __call__(self, rule: Rule, given: Chart) -> Finding | None:
        return rule(given, self.library.thresholds[rule.__name__.replace("_", "-")])

    def words(self, rule: Rule, given: Chart) -> str:
        """The card as it is written; a name that is not known to its template would raise."""
        finding = self(rule, given)
        assert finding is not None
        card = Renderer.of(self.library).card(finding, ClientOrders({}), lambda: "id")
        assert len(card.summary) < 140
        return f"{card.summary}\n{card.detail}"

    def indicator(self, rule: Rule, given: Chart) -> Indicator | None:
        finding = self(rule, given)
        return finding.indicator if finding is not None else None

    def facts(self, rule: Rule, given: Chart) -> dict[str, object]:
        finding = self(rule, given)
        assert finding is not None
        return dict(finding.facts)


def with_conditions(given: Chart, *sets: str, active: bool = True) -> Chart:
    return replace(given, conditions=tuple(Condition(frozenset({set_}), set_, active) for set_ in sets))


def opened(*orders: MedicationOrder, patient: Patient | None = None) -> Chart:
    given = chart(patient=patient, hook="patient-view")
    return replace(given, orders=orders, ordering=False)


def measured(given: Chart, *found: Measurement) -> Chart:
    return replace(given, measurements=found)


def pressure(kind: str, value: str, days: int = 0, unit: str = "mm[Hg]") -> Measurement:
    return Measurement(kind, days_ago(days), Fraction(value), unit)


def pair(lying: str, standing: str, days: int = 0, part: str = "systolic") -> tuple[Measurement, Measurement]:
    return pressure(f"{part}-bp-supine", lying, days), pressure(f"{part}-bp-standing", standing, days)


def score(value: str | None, days: int = 0, kind: str = "pain-nrs-0-10") -> Measurement:
    return Measurement(kind, days_ago(days), Fraction(value) if value is not None else None, "{score}")


NOT_THIS_DRUG = {
    "tolperisone": chart(draft(TOLPERISONE), patient=OLD),
    "nortriptyline": chart(draft("nortriptyline"), patient=OLD),
    "only on the list while something else is ordered": chart(
        draft("nortriptyline"), replace(current(AMITRIPTYLINE), authored=days_ago(50)), patient=OLD
    ),
    "not selected": chart(replace(DRAFT, focus=False), patient=OLD),
    "stopped": chart(replace(DRAFT, stops=True), patient=OLD),
    "taken before": opened(past(AMITRIPTYLINE, taken=days_ago(1)), patient=OLD),
}


@pytest.mark.parametrize("given", NOT_THIS_DRUG.values(), ids=NOT_THIS_DRUG)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_without_amitriptyline_in_question_nothing_is_said(find: Find, rule: Rule, given: Chart) -> None:
    assert find(rule, with_conditions(given, "chronic-pain", "heart-failure")) is None


@pytest.mark.parametrize(
    ("patient", "indicator"),
    [
        (TURNS_65, WARNING),
        (TURNS_65_TOMORROW, None),
        (born(date(1961, 1, 1), date(1961, 12, 31)), None),
        (born(date(1960, 1, 1), date(1960, 12, 31)), WARNING),
        (born(date(1961, 11, 1), date(1961, 11, 30)), None),
        (Patient(), None),
    ],
    ids=["65 today", "65 tomorrow", "perhaps still 64", "surely 65", "65 this month", "age unknown"],
)
def test_beers_is_for_those_who_are_surely_65(find: Find, patient: Patient, indicator: Indicator | None) -> None:
    assert find.indicator(amitriptyline_older_adult, chart(DRAFT, patient=patient)) is indicator
    when_opened = find.indicator(amitriptyline_older_adult, opened(current(AMITRIPTYLINE), patient=patient))
    assert when_opened is (INFO if indicator is WARNING else None)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        (chart(DRAFT, patient=OLD), "starts"),
        (chart(replace(DRAFT, drug=drug(AMITRIPTYLINE, combination=True)), patient=OLD), "starts-combination"),
        (chart(DRAFT, current(AMITRIPTYLINE), patient=OLD), "taken"),
        (opened(current(AMITRIPTYLINE), patient=OLD), "taken"),
    ],
    ids=["10 mg", "a combination", "continued", "opened"],
)
def test_the_start_at_10_mg_is_for_starts(find: Find, given: Chart, state: str) -> None:
    finding = find(amitriptyline_older_adult, given)
    assert finding is not None
    assert (finding.state, finding.facts["age"]) == (state, Age(76, 76))


@pytest.mark.parametrize(
    ("days", "overdue"), [(0, None), (27, None), (28, False), (42, False), (43, True), (900, True), (-1, None)]
)
def test_the_review_is_due_from_4_and_overdue_after_6_weeks(find: Find, days: int, overdue: bool | None) -> None:
    taken = replace(current(AMITRIPTYLINE), authored=days_ago(days))
    renewal = chart(replace(DRAFT, continues_earlier=True), taken)
    for given in (opened(taken), renewal, replace(chart(DRAFT, taken), refill=True)):
        finding = find(amitriptyline_review, given)
        assert (finding.state == "overdue" if finding is not None else None) is overdue
        assert finding is None or (finding.indicator, finding.facts["days"]) == (INFO, days)


TAKEN = replace(current(AMITRIPTYLINE), authored=days_ago(50))
REVIEWS = {
    "a pain score in week 4": (score("3", 22), True),
    "a pain score on another scale": (score("30", 5, "pain-vas-score"), True),
    "a depression score": (score("7", 5, "phq-9-total"), True),
    "a pain score before week 4": (score("3", 23), False),
    "a pain score of tomorrow": (score("3", -1), False),
    "a blood pressure": (pressure("systolic-bp", "130", 2), False),
}


@pytest.mark.parametrize(("found", "silent"), REVIEWS.values(), ids=REVIEWS)
def test_a_score_since_week_4_is_a_review(find: Find, found: Measurement, silent: bool) -> None:
    assert (find(amitriptyline_review, measured(opened(TAKEN), found)) is None) is silent


NO_REVIEW = {
    "start unknown": opened(current(AMITRIPTYLINE)),
    "a new start": chart(DRAFT),
    "a renewal of what is not on the list": chart(replace(DRAFT, continues_earlier=True)),
}


@pytest.mark.parametrize("given", NO_REVIEW.values(), ids=NO_REVIEW)
def test_no_review_is_asked_for_when_the_start_is_not_known(find: Find, given: Chart) -> None:
    assert find(amitriptyline_review, given) is None


@pytest.mark.parametrize(
    ("earlier", "since"),
    [
        ([], 50),
        ([past(AMITRIPTYLINE, authored=days_ago(200), taken=days_ago(64))], 200),
        ([past(AMITRIPTYLINE, authored=days_ago(200), taken=days_ago(65))], 50),
        ([past(AMITRIPTYLINE, authored=days_ago(140))], 140),
        ([past(AMITRIPTYLINE, authored=days_ago(230)), past(AMITRIPTYLINE, authored=days_ago(140))], 230),
        ([past(AMITRIPTYLINE, taken=days_ago(60))], 50),
        ([past("nortriptyline", authored=days_ago(60))], 50),
        ([past(AMITRIPTYLINE, authored=days_ago(20), taken=days_ago(10))], 50),
        ([current(AMITRIPTYLINE)], 50),
    ],
)
def test_treatment_goes_on_over_a_break_of_at_most_14_days(
    find: Find, library: Library, earlier: list[MedicationOrder], since: int
) -> None:
    gaps = {library.thresholds[card]["gap"] for card in ("amitriptyline-review", "amitriptyline-stopping")}
    (gap,) = gaps  # one question, one answer
    given = opened(TAKEN, *earlier)
    treatment = given.taken_since(AMITRIPTYLINE, int(gap.value))
    assert treatment is not None
    assert treatment.since == days_ago(since)
    assert find.facts(amitriptyline_review, given)["days"] == since


@pytest.mark.parametrize(
    ("found", "silent"),
    [
        (score("0", 28), True),
        (score("10"), True),
        (score("4", 29), False),
        (score("4", -1), False),
        (score("10.1"), False),
        (score("-1"), False),
        (score(None), False),
        (score("4", kind="pain-vas-score"), False),
        (score("4", kind="pain-severity-reported-generic-scale-unknown"), False),
        (score("4", kind="phq-9-total"), False),
    ],
)
def test_only_a_score_of_0_to_10_of_the_last_28_days_counts(find: Find, found: Measurement, silent: bool) -> None:
    given = measured(with_conditions(chart(DRAFT), "fibromyalgia"), found)
    finding = find(pain_score, given)
    assert (finding is None) is silent
    if finding is not None:
        other = found.kind in ("pain-vas-score", "pain-severity-reported-generic-scale-unknown")
        assert (finding.indicator, finding.state) == (INFO, "other-scale" if other else "")


FOR_PAIN = replace(DRAFT, reason_given=True, reasons=frozenset({"diabetic-neuropathy"}))
FOR_DEPRESSION = replace(DRAFT, reason_given=True, reasons=frozenset({"major-depressive-disorder"}))
PAIN_OR_NOT = {
    "for pain": (chart(FOR_PAIN), True),
    "for depression": (with_conditions(chart(FOR_DEPRESSION), "chronic-pain"), False),
    "a reason that is not known": (with_conditions(chart(replace(DRAFT, reason_given=True)), "chronic-pain"), False),
    "pain in the list": (with_conditions(chart(DRAFT), "chronic-pain"), True),
    "pain that is over": (with_conditions(chart(DRAFT), "chronic-pain", active=False), False),
    "nothing known": (chart(DRAFT), False),
    "for depression, with tolperisone": (chart(FOR_DEPRESSION, current(TOLPERISONE)), False),
    "tolperisone for somebody on amitriptyline": (chart(draft(TOLPERISONE), current(AMITRIPTYLINE)), False),
    "both taken": (opened(current(AMITRIPTYLINE), current(TOLPERISONE)), False),
    "both taken in pain": (with_conditions(opened(current(AMITRIPTYLINE)), "chronic-pain"), True),
    "in pregnancy": (with_conditions(chart(DRAFT), "chronic-pain", "pregnancy"), False),
    "a child of 7": (with_conditions(chart(DRAFT, patient=born(days_ago(8 * 365))), "chronic-pain"), False),
    "a child of 8": (with_conditions(chart(DRAFT, patient=born(days_ago(8 * 366))), "chronic-pain"), True),
    "both taken, something else ordered": (
        chart(draft("nortriptyline"), current(AMITRIPTYLINE), current(TOLPERISONE)),
        False,
    ),
    "tolperisone alone": (with_conditions(chart(draft(TOLPERISONE)), "chronic-pain"), False),
}


@pytest.mark.parametrize(("given", "asked"), PAIN_OR_NOT.values(), ids=PAIN_OR_NOT)
def test_a_score_is_asked_for_only_in_pain(find: Find, given: Chart, asked: bool) -> None:
    assert (find(pain_score, given) is not None) is asked


@pytest.mark.parametrize("set_", sorted(PAIN))
def test_every_kind_of_pain_is_known_to_the_terminology(find: Find, library: Library, set_: str) -> None:
    assert set_ in library.terminology.concept_sets
    assert find(pain_score, with_conditions(chart(DRAFT), set_)) is not None


def test_every_disease_of_the_circulation_asks_for_blood_pressure(find: Find, library: Library) -> None:
    diseases = concerns_of(library.thresholds["standing-blood-pressure"])["circulation"].conditions
    assert len(diseases) == 10
    for set_ in sorted(diseases):
        assert find.indicator(standing_blood_pressure, with_conditions(chart(DRAFT), set_)) is INFO
        assert find(standing_blood_pressure, with_conditions(chart(DRAFT), set_, active=False)) is None


@pytest.mark.parametrize("reason", ["not-provided", "not-available", "only-first-page"])
def test_what_is_missing_is_not_said_twice_when_measurements_were_not_given(find: Find, reason: str) -> None:
    gap = (Unread(reason, element="observations"),)
    given = replace(with_conditions(chart(DRAFT, patient=OLD), "chronic-pain"), unread=gap)
    assert find(pain_score, given) is None
    assert find(standing_blood_pressure, given) is None
    fell = replace(given, measurements=pair("140", "110"))
    assert find.indicator(standing_blood_pressure, fell) is WARNING


@pytest.mark.parametrize(("patient", "indicator"), [(TURNS_65, INFO), (TURNS_65_TOMORROW, None), (Patient(), None)])
def test_blood_pressure_is_asked_for_from_65(find: Find, patient: Patient, indicator: Indicator | None) -> None:
    assert find.indicator(standing_blood_pressure, chart(DRAFT, patient=patient)) is indicator


READINGS = {
    "a fall of 20": (pair("140", "120"), WARNING),
    "a fall of 19": (pair("140", "121"), None),
    "a diastolic fall of 10": (pair("80", "70", part="diastolic"), WARNING),
    "a diastolic fall of 9": (pair("80", "71", part="diastolic"), None),
    "a rise": (pair("120", "150"), None),
    "30 days ago": (pair("140", "120", 30), WARNING),
    "31 days ago": (pair("140", "120", 31), INFO),
    "tomorrow": (pair("140", "120", -1), INFO),
    "on different days": ((pressure("systolic-bp-supine", "140", 2), pressure("systolic-bp-standing", "110", 1)), INFO),
    "lying only": ((pressure("systolic-bp-supine", "140"),), INFO),
    "sitting and standing": (
        (pressure("systolic-bp-sitting", "140"), pressure("systolic-bp-standing", "110")),
        INFO,
    ),
    "systolic lying, diastolic standing": (
        (pressure("systolic-bp-supine", "140"), pressure("diastolic-bp-standing", "70")),
        INFO,
    ),
    "no unit": (
        (
            pressure("systolic-bp-supine", "140", unit="{score}"),
            pressure("systolic-bp-standing", "110", unit="{score}"),
        ),
        INFO,
    ),
    "a fall that is over": ((*pair("140", "110", 9), *pair("140", "135", 2)), None),
    "a fall that is new": ((*pair("140", "135", 9), *pair("140", "110", 2)), WARNING),
    "a later half of a pair": ((*pair("140", "110", 9), pressure("systolic-bp-supine", "140", 2)), WARNING),
    "several on a day": ((*pair("140", "130"), *pair("150", "128")), WARNING),
}


@pytest.mark.parametrize(("found", "indicator"), READINGS.values(), ids=READINGS)
def test_what_lying_and_standing_pressures_say_at_76(
    find: Find, found: tuple[Measurement, ...], indicator: Indicator | None
) -> None:
    assert find.indicator(standing_blood_pressure, measured(chart(DRAFT, patient=OLD), *found)) is indicator
    warned = WARNING if indicator is WARNING else None
    assert find.indicator(standing_blood_pressure, measured(chart(DRAFT), *found)) is warned, "younger: a fall only"


def test_the_numbers_of_a_fall_are_told(find: Find) -> None:
    found = (*pair("142", "118"), *pair("78", "70", part="diastolic"))
    readings = find.facts(standing_blood_pressure, measured(opened(current(AMITRIPTYLINE)), *found))["readings"]
    assert readings is not None
    assert (readings.taken, readings.several) == (TODAY, False)  # type: ignore[attr-defined]
    assert (readings.systolic, readings.diastolic) == ((142, 118), (78, 70))  # type: ignore[attr-defined]


def test_an_order_on_hold_counts_as_taken(find: Find) -> None:
    held = replace(current(AMITRIPTYLINE), status="on-hold", role=Role.CURRENT)
    assert find(amitriptyline_older_adult, opened(held, patient=OLD)) is not None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (chart(DRAFT, patient=OLD), "start at 10 mg at bedtime"),
        (opened(current(AMITRIPTYLINE), patient=OLD), "do not stop it at once"),
    ],
)
def test_the_card_for_older_adults_shows_both_sides(find: Find, given: Chart, said: str) -> None:
    text = find.words(amitriptyline_older_adult, given)
    assert said in text
    assert "Beers says avoid" in text
    assert "The article (AI-written, pending human review) asks only" in text


@pytest.mark.parametrize("days", [28, 43])
@pytest.mark.parametrize("condition", ["chronic-pain", "major-depressive-disorder"])
def test_the_card_for_the_review_tells_since_when(find: Find, days: int, condition: str) -> None:
    taken = replace(current(AMITRIPTYLINE), authored=days_ago(days))
    text = find.words(amitriptyline_review, with_conditions(opened(taken), condition))
    assert f"{days} days" in text
    assert ("no review was found" in text) is (days == 43)


@pytest.mark.parametrize("kind", ["pain-vas-score", "body-weight"])
def test_the_card_for_the_score_names_other_scales(find: Find, kind: str) -> None:
    text = find.words(pain_score, measured(chart(FOR_PAIN), score("40", kind=kind)))
    assert ("another scale" in text) is (kind == "pain-vas-score")


@pytest.mark.parametrize(
    ("found", "summary"),
    [
        (pair("142", "118"), "142 to 118 mmHg"),
        (pair("90", "70", part="diastolic"), "diastolic 90 to 70 mmHg"),
        ((*pair("142", "130"), *pair("90", "70", part="diastolic")), "diastolic 90 to 70 mmHg"),
        ((*pair("142", "118"), *pair("150", "130")), "150 to 118 mmHg"),
        ((), "none on record in 30 days"),
    ],
)
def test_the_card_for_blood_pressure_tells_the_fall_that_counts(
    find: Find, found: tuple[Measurement, ...], summary: str
) -> None:
    for given in (chart(DRAFT, patient=OLD), with_conditions(opened(current(AMITRIPTYLINE)), "heart-failure")):
        assert summary in find.words(standing_blood_pressure, measured(given, *found))


@pytest.mark.parametrize("authored", [date.min, date.max])
def test_the_first_and_the_last_day_there_is_break_no_rule(library: Library, authored: date) -> None:
    steps = titrated(replace(dose("10"), days=Fraction(10**9)), dose("25"))
    taken = replace(current(AMITRIPTYLINE), authored=authored, dose=steps)
    ended = past(AMITRIPTYLINE, taken=days_ago(400), authored=days_ago(500))

    def failed(card: str, error: Exception) -> None:
        raise AssertionError(card) from error

    for given in (chart(DRAFT, taken, ended), opened(taken, ended)):
        evaluate(given, Guideline(library, RULES), failed)

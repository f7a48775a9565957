"""R18, R29, R30 and R31: what the patient's record says against amitriptyline and tolperisone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from service.chart import Chart
from service.dates import Span
from service.engine.evaluate import card_of
from service.engine.finding import Finding, Indicator
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Allergies, Condition, Measurement, MedicationOrder, Patient
from service.fhir.edit import ClientOrders
from service.guidance import safety
from service.guidance.registry import RULES
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, born, chart, current, days_ago, dose, draft, drug

CAUTIONED = (
    *("benign-prostatic-hyperplasia", "paralytic-ileus", "epilepsy", "bipolar-disorder", "hyperthyroidism"),
    *("dementia", "delirium", "falls", "suicidal-ideation", "alcohol-dependence"),
)

INFO, WARNING, CRITICAL = Indicator.INFO, Indicator.WARNING, Indicator.CRITICAL

RULES_BY_CARD = {card_of(rule): rule for rule in RULES}
Judge = Callable[[str, Chart], Finding | None]


@pytest.fixture
def judge(library: Library) -> Judge:
    return lambda card, given: RULES_BY_CARD[card](given, library.thresholds[card])


def on_record(*sets: str, label: str = "as recorded", active: bool = True, onset: date | None = None) -> Condition:
    return Condition(frozenset(sets), label, active, Span(onset, onset) if onset else None)


def with_conditions(order: MedicationOrder, *conditions: Condition) -> Chart:
    return replace(chart(order), conditions=conditions)


def of_class(order: MedicationOrder, *classes: str) -> MedicationOrder:
    return replace(order, classes=frozenset(classes))


OTHER = "amitriptyline-and-other-conditions"
TOLP = "tolperisone-contraindications"
YOUNG = "patient-under-18"
CHILD = "amitriptyline-in-pregnancy-or-breastfeeding"


def urgency(finding: Finding | None) -> Indicator | None:
    return finding.indicator if finding else None


def kinds(finding: Finding | None) -> list[str]:
    return [point.kind for point in finding.facts["points"]] if finding else []


# R18


@pytest.mark.parametrize(
    ("condition", "indicator", "kind"),
    [
        (on_record("angle-closure-glaucoma"), WARNING, "angle-closure-glaucoma"),
        (on_record("angle-closure-glaucoma", "acute-angle-closure"), CRITICAL, "acute-angle-closure"),
        (on_record("glaucoma-unspecified"), INFO, "glaucoma-unspecified"),
        (on_record("urinary-retention"), WARNING, "urinary-retention"),
        (on_record("urinary-retention", "acute-urinary-retention"), CRITICAL, "acute-urinary-retention"),
        (on_record("benign-prostatic-hyperplasia"), WARNING, "benign-prostatic-hyperplasia"),
        *((on_record(one), WARNING, one) for one in CAUTIONED),
        (on_record("hepatic-impairment"), WARNING, "liver-disease"),
        (on_record("hepatic-failure"), CRITICAL, "severe-liver-disease"),
        (on_record("falls", active=False), None, ""),
        (on_record("myasthenia-gravis"), None, ""),
        (on_record("hepatic-decompensation"), None, ""),
    ],
)
def test_each_condition_has_its_line(
    judge: Judge, condition: Condition, indicator: Indicator | None, kind: str
) -> None:
    finding = judge(OTHER, with_conditions(draft(AMITRIPTYLINE), condition))
    assert urgency(finding) is indicator
    assert kinds(finding) == ([kind] if kind else [])


def test_severe_liver_disease_is_critical_but_with_the_us_label(judge: Judge) -> None:
    cirrhosis, ascites = on_record("hepatic-impairment"), on_record("hepatic-decompensation")
    given = with_conditions(draft(AMITRIPTYLINE), cirrhosis, ascites)
    assert urgency(judge(OTHER, given)) is CRITICAL
    assert urgency(judge(OTHER, replace(given, jurisdiction="uk"))) is CRITICAL
    assert urgency(judge(OTHER, replace(given, jurisdiction="us"))) is WARNING
    compensated = replace(with_conditions(draft(AMITRIPTYLINE), cirrhosis), jurisdiction="uk")
    assert urgency(judge(OTHER, compensated)) is WARNING


def test_past_seizures_and_angle_closure_count_and_with_the_us_label_past_retention(judge: Judge) -> None:
    for sets, everywhere in (
        (("epilepsy",), "epilepsy"),
        (("angle-closure-glaucoma", "acute-angle-closure"), "angle-closure-glaucoma"),
        (("urinary-retention",), ""),
    ):
        given = with_conditions(draft(AMITRIPTYLINE), on_record(*sets, active=False))
        assert kinds(judge(OTHER, given)) == ([everywhere] if everywhere else []), sets
        assert kinds(judge(OTHER, replace(given, jurisdiction="us"))) == [everywhere or "urinary-retention"], sets


def test_several_conditions_are_one_card_the_most_urgent_first(judge: Judge) -> None:
    given = with_conditions(
        draft(AMITRIPTYLINE),
        on_record("falls"),
        on_record("falls"),
        on_record("urinary-retention", "acute-urinary-retention"),
    )
    finding = judge(OTHER, given)
    assert urgency(finding) is CRITICAL
    assert kinds(finding) == ["acute-urinary-retention", "falls"]


def test_a_known_angle_closure_answers_which_glaucoma_it_is(judge: Judge) -> None:
    given = with_conditions(
        draft(AMITRIPTYLINE), on_record("glaucoma-unspecified"), on_record("angle-closure-glaucoma")
    )
    assert kinds(judge(OTHER, given)) == ["angle-closure-glaucoma"]


@pytest.mark.parametrize(
    ("birth", "fires"),
    [
        (date(2001, 11, 23), False),
        (date(2001, 11, 24), True),
        (date(2003, 1, 1), True),
        (date(2008, 11, 23), True),
        # Who is under 18 is spoken of by R30, with the boxed warning, and not twice.
        (date(2008, 11, 24), False),
        (date(2021, 1, 1), False),
    ],
)
def test_the_boxed_warning_is_for_those_under_25(judge: Judge, birth: date, fires: bool) -> None:
    assert kinds(judge(OTHER, chart(draft(AMITRIPTYLINE), patient=born(birth)))) == (["young"] if fires else [])


@pytest.mark.parametrize("birth", [date(2012, 1, 1), date(2009, 1, 1)])
def test_from_6_to_18_the_boxed_warning_stands_on_the_card_about_children(library: Library, birth: date) -> None:
    given = chart(draft(AMITRIPTYLINE), patient=born(birth))
    finding = safety.patient_under_18(given, library.thresholds["patient-under-18"])
    assert finding is not None
    assert "boxed warning" in (Renderer.of(library).card(finding, ClientOrders({}), lambda: "id").detail or "")


@pytest.mark.parametrize(("ago", "age"), [(365, None), (366, 366)])
def test_an_old_kidney_value_counts_and_says_how_old_and_in_which_unit_it_is(
    library: Library, ago: int, age: int | None
) -> None:
    value = Measurement("egfr-ckd-epi-2021", days_ago(ago), Fraction(29), "mL/min", indexed=True)
    given = replace(chart(draft(TOLPERISONE)), measurements=(value,))
    finding = safety.tolperisone_contraindications(given, library.thresholds["tolperisone-contraindications"])
    assert finding is not None
    detail = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id").detail or ""
    assert finding.facts["points"][0].age == age
    assert "29 mL/min/1.73 m²" in detail
    assert (f"{ago} days old" in detail) is (age is not None)


def test_a_year_of_birth_that_may_mean_24_counts_as_young(judge: Judge) -> None:
    year = born(date(2001, 1, 1), date(2001, 12, 31))
    assert kinds(judge(OTHER, chart(draft(AMITRIPTYLINE), patient=year))) == ["young"]


def test_age_alone_is_no_reason_to_speak_when_a_chart_is_opened_or_age_is_unknown(judge: Judge) -> None:
    opened = chart(current(AMITRIPTYLINE), patient=born(date(2004, 1, 1)), hook="patient-view")
    assert judge(OTHER, replace(opened, ordering=False)) is None
    assert judge(OTHER, chart(draft(AMITRIPTYLINE), patient=Patient())) is None


def test_an_opened_chart_shows_the_condition_of_somebody_who_takes_amitriptyline(judge: Judge) -> None:
    opened = replace(with_conditions(current(AMITRIPTYLINE), on_record("suicidal-ideation")), ordering=False)
    assert kinds(judge(OTHER, opened)) == ["suicidal-ideation"]


@pytest.mark.parametrize(
    ("allergies", "intolerances", "indicator", "kind"),
    [
        ({"amitriptyline"}, set(), CRITICAL, "allergy"),
        ({"amitriptyline"}, {"amitriptyline"}, WARNING, "intolerance"),
        ({"nortriptyline"}, set(), WARNING, "nortriptyline-allergy"),
        ({"tolperisone"}, set(), None, None),
    ],
)
def test_an_allergy_to_amitriptyline_is_never_passed_over(
    judge: Judge, allergies: set[str], intolerances: set[str], indicator: Indicator | None, kind: str | None
) -> None:
    given = replace(chart(draft(AMITRIPTYLINE)), allergies=Allergies(frozenset(allergies), frozenset(intolerances)))
    finding = judge(OTHER, given)
    assert (urgency(finding), kinds(finding)) == (indicator, [kind] if kind else [])


# R29


def test_allergies_myasthenia_and_breastfeeding_contraindicate_tolperisone(judge: Judge) -> None:
    for allergy in ("tolperisone", "eperisone"):
        given = replace(chart(draft(TOLPERISONE)), allergies=Allergies(frozenset({allergy})))
        assert urgency(judge(TOLP, given)) is CRITICAL
    for condition in ("myasthenia-gravis", "breastfeeding"):
        assert urgency(judge(TOLP, with_conditions(draft(TOLPERISONE), on_record(condition)))) is CRITICAL


def test_an_allergy_to_lidocaine_or_a_pregnancy_is_a_warning(judge: Judge) -> None:
    lidocaine = replace(chart(draft(TOLPERISONE)), allergies=Allergies(frozenset({"lidocaine"})))
    assert urgency(judge(TOLP, lidocaine)) is WARNING
    assert urgency(judge(TOLP, with_conditions(draft(TOLPERISONE), on_record("pregnancy")))) is WARNING
    assert judge(TOLP, replace(chart(draft(TOLPERISONE)), allergies=Allergies(frozenset({"amitriptyline"})))) is None


def egfr(value: str, ago: int = 10, unit: str = "mL/min") -> Measurement:
    return Measurement("egfr-ckd-epi-2021", days_ago(ago), Fraction(value), unit)


@pytest.mark.parametrize(
    ("measured", "indicator"),
    [
        ([egfr("29.9")], WARNING),
        ([egfr("30")], INFO),
        ([egfr("59.9")], INFO),
        ([egfr("60")], None),
        ([egfr("20", ago=100), egfr("75")], None),
        ([egfr("75"), egfr("29")], WARNING),
        ([egfr("20", unit="{score}")], None),
        ([], None),
    ],
)
def test_kidney_function_is_measured_at_30_and_60(
    judge: Judge, measured: list[Measurement], indicator: Indicator | None
) -> None:
    given = replace(chart(draft(TOLPERISONE)), measurements=tuple(measured))
    assert urgency(judge(TOLP, given)) is indicator


def test_without_a_measurement_the_problem_list_speaks_and_with_one_it_does_not(judge: Judge) -> None:
    stage_3, stage_4 = on_record("renal-impairment"), on_record("renal-impairment", "severe-renal-impairment")
    assert kinds(judge(TOLP, with_conditions(draft(TOLPERISONE), stage_3))) == ["renal-unmeasured"]
    assert urgency(judge(TOLP, with_conditions(draft(TOLPERISONE), stage_3))) is INFO
    assert urgency(judge(TOLP, with_conditions(draft(TOLPERISONE), stage_4))) is WARNING
    alone = on_record("severe-renal-impairment")
    assert kinds(judge(TOLP, with_conditions(draft(TOLPERISONE), alone))) == ["severe-renal"]
    for stage, found in ((stage_3, []), (stage_4, ["severe-renal"])):
        measured = replace(with_conditions(draft(TOLPERISONE), stage), measurements=(egfr("75"),))
        assert kinds(judge(TOLP, measured)) == found


def test_severe_liver_disease_is_a_warning_and_any_other_an_info(judge: Judge) -> None:
    assert urgency(judge(TOLP, with_conditions(draft(TOLPERISONE), on_record("hepatic-failure")))) is WARNING
    assert urgency(judge(TOLP, with_conditions(draft(TOLPERISONE), on_record("hepatic-impairment")))) is INFO


BACLOFEN, NIFLUMIC = ("muscle-relaxant", WARNING), ("nsaid-potentiated-by-tolperisone", INFO)


@pytest.mark.parametrize(("class_", "indicator"), [BACLOFEN, NIFLUMIC])
def test_another_drug_counts_in_the_session_that_puts_both_together(
    judge: Judge, class_: str, indicator: Indicator
) -> None:
    beside, ordered = of_class(current("other"), class_), of_class(draft("other"), class_)
    tolperisone = of_class(current(TOLPERISONE), "muscle-relaxant")
    assert urgency(judge(TOLP, chart(of_class(draft(TOLPERISONE), "muscle-relaxant"), beside))) is indicator
    assert urgency(judge(TOLP, chart(ordered, tolperisone))) is indicator
    assert judge(TOLP, chart(replace(ordered, focus=False), tolperisone)) is None
    assert judge(TOLP, replace(chart(tolperisone, beside), ordering=False)) is None
    assert judge(TOLP, chart(ordered)) is None


def test_a_muscle_relaxant_for_somebody_on_tolperisone_says_nothing_of_the_record(judge: Judge) -> None:
    given = chart(of_class(draft("baclofen"), "muscle-relaxant"), current(TOLPERISONE))
    given = replace(given, conditions=(on_record("myasthenia-gravis"),))
    assert kinds(judge(TOLP, given)) == ["muscle-relaxant"]


def test_tolperisone_is_not_its_own_partner(judge: Judge) -> None:
    both = chart(of_class(draft(TOLPERISONE), "muscle-relaxant"), of_class(current(TOLPERISONE), "muscle-relaxant"))
    assert judge(TOLP, both) is None


# R30


@pytest.mark.parametrize(
    ("birth", "amitriptyline", "tolperisone"),
    [
        (date(2020, 11, 24), CRITICAL, WARNING),
        (date(2020, 11, 23), WARNING, WARNING),
        (date(2008, 11, 24), WARNING, WARNING),
        (date(2008, 11, 23), None, None),
    ],
)
def test_age_is_measured_at_6_and_18_years(
    judge: Judge, birth: date, amitriptyline: Indicator | None, tolperisone: Indicator | None
) -> None:
    assert urgency(judge(YOUNG, chart(draft(AMITRIPTYLINE), patient=born(birth)))) is amitriptyline
    assert urgency(judge(YOUNG, chart(draft(TOLPERISONE), patient=born(birth)))) is tolperisone


def test_somebody_who_may_be_under_18_counts_and_the_card_says_may(judge: Judge) -> None:
    year = born(date(2008, 1, 1), date(2008, 12, 31))
    finding = judge(YOUNG, chart(draft(AMITRIPTYLINE), patient=year))
    assert finding is not None
    assert finding.facts["certain"] is False
    assert judge(YOUNG, chart(draft(AMITRIPTYLINE), patient=Patient())) is None


def test_both_drugs_are_one_card(judge: Judge) -> None:
    finding = judge(YOUNG, chart(draft(TOLPERISONE), draft(AMITRIPTYLINE), patient=born(date(2022, 1, 1))))
    assert finding is not None
    assert finding.indicator is CRITICAL
    assert [finding.state, *(other.state for other in finding.merged)] == ["too-young", "tolperisone"]
    assert len(finding.orders) == 2


def child(age: int, mg: str, *, weight: str | None = None, weighed: int = 10) -> Chart:
    given = chart(draft(AMITRIPTYLINE, dose(mg)), patient=born(date(2026 - age, 1, 1)))
    taken = [Measurement("body-weight", days_ago(weighed), Fraction(weight), "kg")] if weight else []
    return replace(given, measurements=tuple(taken))


@pytest.mark.parametrize(
    ("given", "state", "indicator"),
    [
        (child(14, "50"), "amitriptyline", WARNING),
        (child(14, "50.5"), "above-label", CRITICAL),
        (child(10, "150"), "above-label", CRITICAL),
        (child(7, "75"), "above-label", CRITICAL),
        (child(7, "20"), "amitriptyline", WARNING),
        (child(7, "25"), "above-young", WARNING),
        (child(11, "25"), "amitriptyline", WARNING),
        (child(8, "40", weight="25"), "above-studied", CRITICAL),
        (child(8, "40", weight="25", weighed=91), "above-young", WARNING),
        (child(12, "40", weight="40"), "amitriptyline", WARNING),
        (replace(child(12, "40"), jurisdiction="us"), "amitriptyline-us", WARNING),
        (replace(child(12, "60"), jurisdiction="us"), "above-label", CRITICAL),
        (child(4, "10"), "too-young", CRITICAL),
    ],
)
def test_a_childs_dose_is_measured_against_what_is_said_of_children(
    judge: Judge, given: Chart, state: str, indicator: Indicator
) -> None:
    finding = judge(YOUNG, given)
    assert finding is not None
    assert (finding.state, finding.indicator) == (state, indicator)


def test_a_childs_dose_counts_when_a_chart_is_opened_and_orders_that_add_up_are_summed(judge: Judge) -> None:
    opened = chart(
        replace(current(AMITRIPTYLINE), dose=dose("75")), patient=born(date(2014, 1, 1)), hook="patient-view"
    )
    assert urgency(judge(YOUNG, replace(opened, ordering=False))) is CRITICAL
    two = chart(
        draft(AMITRIPTYLINE, dose("30")), draft(AMITRIPTYLINE, dose("30"), number=2), patient=born(date(2014, 1, 1))
    )
    assert urgency(judge(YOUNG, two)) is CRITICAL


def test_another_drug_for_a_child_is_not_our_business(judge: Judge) -> None:
    assert judge(YOUNG, chart(draft("amoxicillin"), patient=born(date(2022, 1, 1)))) is None
    for_the_skin = replace(draft(TOLPERISONE), drug=drug(TOLPERISONE, topical=True))
    assert judge(YOUNG, chart(for_the_skin, patient=born(date(2022, 1, 1)))) is None


# R31


def answered(kind: str, answer: str, *sets: str, ago: int = 10) -> Measurement:
    return Measurement(kind, days_ago(ago), answer=answer, sets=frozenset(sets))


@pytest.mark.parametrize(
    ("answers", "fires"),
    [
        ([answered("pregnancy-status", "Pregnant", "pregnancy")], True),
        ([answered("pregnancy-status", "schwanger", "pregnancy")], True),
        ([answered("pregnancy-status", "Not pregnant")], False),
        ([answered("pregnancy-status", "Unknown")], False),
        ([answered("pregnancy-status", "Pregnant", "pregnancy", ago=300)], True),
        ([answered("pregnancy-status", "Pregnant", "pregnancy", ago=301)], False),
        (
            [
                answered("pregnancy-status", "Pregnant", "pregnancy", ago=60),
                answered("pregnancy-status", "Not pregnant"),
            ],
            False,
        ),
        ([answered("breastfeeding-status", "Yes", "breastfeeding")], True),
        ([answered("breastfeeding-status", "No")], False),
    ],
)
def test_the_latest_answer_counts_while_it_can_be_true(judge: Judge, answers: list[Measurement], fires: bool) -> None:
    given = replace(chart(draft(AMITRIPTYLINE)), measurements=tuple(answers))
    milder = any(answer.kind == "breastfeeding-status" for answer in answers)
    assert urgency(judge(CHILD, given)) is ((INFO if milder else WARNING) if fires else None)


def aged(days: int, ago: int = 10) -> Measurement:
    return Measurement("gestational-age", days_ago(ago), Fraction(days), "d")


def test_a_gestational_age_is_a_pregnancy_until_that_must_be_over(judge: Judge) -> None:
    not_pregnant = answered("pregnancy-status", "Not pregnant", ago=5)
    for measured, fires in (
        ([aged(84)], True),
        ([aged(290)], True),
        ([aged(291)], False),
        ([aged(84, ago=250)], False),
        ([aged(84), not_pregnant], False),
        ([aged(84, ago=1), not_pregnant], True),
        ([aged(10**12)], False),
    ):
        given = replace(chart(draft(AMITRIPTYLINE)), measurements=tuple(measured))
        assert (judge(CHILD, given) is not None) is fires, measured


def test_a_gestational_age_that_began_before_birth_is_that_of_the_patient(judge: Judge) -> None:
    newborn = chart(draft(AMITRIPTYLINE), patient=born(days_ago(20)))
    assert judge(CHILD, replace(newborn, measurements=(aged(270),))) is None


@pytest.mark.parametrize(("onset", "fires"), [(None, True), (days_ago(300), True), (days_ago(301), False)])
def test_a_pregnancy_that_must_be_over_does_not_count(judge: Judge, onset: date | None, fires: bool) -> None:
    given = with_conditions(draft(AMITRIPTYLINE), on_record("pregnancy", onset=onset))
    assert (judge(CHILD, given) is not None) is fires


def test_both_are_lines_of_one_card_and_nothing_is_said_without_amitriptyline(judge: Judge) -> None:
    both = on_record("pregnancy"), on_record("breastfeeding")
    assert kinds(judge(CHILD, with_conditions(draft(AMITRIPTYLINE), *both))) == ["pregnancy", "breastfeeding"]
    assert judge(CHILD, with_conditions(draft(TOLPERISONE), *both)) is None
    assert judge(CHILD, with_conditions(replace(draft(AMITRIPTYLINE), stops=True), *both)) is None


@pytest.mark.parametrize(
    ("value", "comparator", "found"),
    [
        ("15", "<", ["severe-renal"]),
        ("30", "<", ["severe-renal"]),
        ("30", "<=", ["moderate-renal"]),
        ("60", "<", ["moderate-renal"]),
        ("60", ">", []),
        ("90", ">=", []),
    ],
)
def test_a_bound_of_kidney_function_counts_as_far_as_it_tells(
    judge: Judge, value: str, comparator: str, found: list[str]
) -> None:
    measured = replace(egfr(value), comparator=comparator)
    assert kinds(judge(TOLP, replace(chart(draft(TOLPERISONE)), measurements=(measured,)))) == found


def test_a_measurement_of_the_future_hides_none(judge: Judge) -> None:
    given = replace(chart(draft(TOLPERISONE)), measurements=(egfr("20"), egfr("70", ago=-30)))
    assert kinds(judge(TOLP, given)) == ["severe-renal"]


def test_mg_a_kg_are_said_with_two_decimals_at_most(judge: Judge) -> None:
    finding = judge(YOUNG, child(12, "50", weight="30"))
    assert finding is not None
    assert finding.facts["value"] == Fraction("1.67")


@pytest.mark.parametrize(
    ("kind", "jurisdiction", "state"),
    [
        ("falls", "eu", "beers"),
        ("dementia", "us", "beers"),
        ("epilepsy", "eu", ""),
        ("hepatic-impairment", "eu", "europe"),
        ("hepatic-failure", "us", "europe"),
        ("hepatic-failure", "eu", "contraindicated-in-europe"),
    ],
)
def test_a_condition_is_told_under_the_source_that_names_it(
    judge: Judge, kind: str, jurisdiction: str, state: str
) -> None:
    sick = replace(chart(draft(AMITRIPTYLINE)), conditions=(Condition(frozenset({kind}), kind),))
    finding = judge(OTHER, replace(sick, jurisdiction=jurisdiction))
    assert finding is not None
    assert finding.state == state


def test_disulfiram_counts_whichever_of_the_two_is_ordered_and_not_at_chart_opening(judge: Judge) -> None:
    of_class = frozenset({"delirium-with-amitriptyline"})
    taken, ordered = (replace(of("disulfiram"), classes=of_class) for of in (current, draft))
    for given in (chart(draft(AMITRIPTYLINE), taken), chart(current(AMITRIPTYLINE), ordered)):
        finding = judge(OTHER, given)
        assert finding is not None
        assert (finding.state, finding.indicator) == ("disulfiram", WARNING)
    assert judge(OTHER, chart(ordered)) is None
    opened = replace(chart(current(AMITRIPTYLINE), taken), ordering=False, hook="patient-view")
    assert judge(OTHER, opened) is None

"""R17: heart, circulation and QT interval before amitriptyline."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from service.chart import Chart
from service.dates import Span
from service.engine.finding import Finding, Indicator, Thresholds
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Condition, Measurement, MedicationOrder, Patient
from service.fhir.edit import ClientOrders
from service.guidance.heart import (
    ACUTE,
    QT_RISK,
    amitriptyline_and_the_heart,
)
from service.guidance.ids import CISAPRIDE
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, adult, chart, current, days_ago, draft

WARNING, CRITICAL = Indicator.WARNING, Indicator.CRITICAL
COUNTERED = "antihypertensive-countered-by-tca"
MI, OLD, CORONARY = "recent-myocardial-infarction", "old-myocardial-infarction", "ischaemic-heart-disease"


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["amitriptyline-and-the-heart"]


def having(*sets: str, onset: Span | None = None, active: bool = True, recorded_only: bool = False) -> Condition:
    return Condition(frozenset(sets), "as recorded", active, onset, recorded_only)


def ordered(*conditions: Condition, jurisdiction: str = "eu") -> Chart:
    return replace(chart(draft(AMITRIPTYLINE)), conditions=conditions, jurisdiction=jurisdiction)


def urgency(finding: Finding | None) -> Indicator | None:
    return finding.indicator if finding else None


def kinds(finding: Finding | None) -> list[str]:
    return [point.kind for point in finding.facts["points"]] if finding else []


def on(day: date) -> Span:
    return Span(day, day)


@pytest.mark.parametrize(
    ("condition", "kind", "indicator"),
    [
        (having(MI, onset=on(days_ago(180))), "recent-infarction", CRITICAL),
        (having(MI, onset=on(days_ago(181))), "old-infarction", WARNING),
        (having(MI, onset=on(days_ago(30)), active=False), "recent-infarction", CRITICAL),
        (having(MI), "undated-infarction", WARNING),
        (having(MI, onset=on(days_ago(3)), recorded_only=True), "undated-infarction", WARNING),
        (having(MI, onset=on(days_ago(181)), recorded_only=True), "old-infarction", WARNING),
        (having(MI, ACUTE, onset=on(days_ago(3)), recorded_only=True), "recorded-infarction", CRITICAL),
        (having(MI, ACUTE, onset=on(days_ago(180)), recorded_only=True), "recorded-infarction", CRITICAL),
        (having(MI, ACUTE, onset=on(days_ago(181)), recorded_only=True), "old-infarction", WARNING),
        (having(MI, ACUTE, onset=on(days_ago(3)), active=False, recorded_only=True), "undated-infarction", WARNING),
        (having(MI, ACUTE), "undated-infarction", WARNING),
        (having(MI, onset=Span(date(2026, 1, 1), date(2026, 12, 31))), "undated-infarction", WARNING),
        (having(MI, onset=Span(date(2026, 10, 1), date(2026, 10, 31))), "recent-infarction", CRITICAL),
        (having(MI, onset=Span(date(2025, 1, 1), date(2025, 12, 31))), "old-infarction", WARNING),
        (having(OLD, CORONARY, onset=on(days_ago(3))), "old-infarction", CRITICAL),
        (having(OLD, MI, onset=on(days_ago(3))), "old-infarction", WARNING),
    ],
)
def test_a_heart_attack_is_recent_only_when_its_date_says_so(
    numbers: Thresholds, condition: Condition, kind: str, indicator: Indicator
) -> None:
    finding = amitriptyline_and_the_heart(ordered(condition), numbers)
    assert kinds(finding) == [kind]
    assert urgency(finding) is indicator


@pytest.mark.parametrize(
    ("sets", "eu", "uk", "us"),
    [
        (["heart-block"], CRITICAL, CRITICAL, CRITICAL),
        (["heart-block", "first-degree-av-block"], CRITICAL, CRITICAL, WARNING),
        (["heart-block", "bundle-branch-block"], CRITICAL, CRITICAL, WARNING),
        (["cardiac-arrhythmia"], CRITICAL, CRITICAL, CRITICAL),
        (["cardiac-arrhythmia", "atrial-fibrillation"], CRITICAL, CRITICAL, WARNING),
        (["long-qt"], CRITICAL, CRITICAL, CRITICAL),
        (["long-qt", "heart-block"], CRITICAL, CRITICAL, CRITICAL),
        (["brugada-syndrome"], CRITICAL, CRITICAL, CRITICAL),
        ([CORONARY], CRITICAL, CRITICAL, WARNING),
        ([CORONARY, OLD], CRITICAL, CRITICAL, WARNING),
        ([MI], WARNING, WARNING, WARNING),
        (["heart-failure"], WARNING, WARNING, WARNING),
        (["orthostatic-hypotension"], WARNING, WARNING, WARNING),
        *(
            ([electrolyte], WARNING, WARNING, WARNING)
            for electrolyte in ("hypokalaemia", "hypomagnesaemia", "hyperkalaemia")
        ),
        (["ectopic-beats"], None, None, None),
        (["cardiac-arrhythmia", "ectopic-beats"], None, None, None),
        (["falls"], None, None, None),
    ],
)
def test_urgency_depends_on_the_condition_and_the_jurisdiction(
    numbers: Thresholds, sets: list[str], eu: Indicator | None, uk: Indicator | None, us: Indicator | None
) -> None:
    for jurisdiction, expected in {"eu": eu, "uk": uk, "us": us, "ch": eu, "other": eu}.items():
        given = ordered(having(*sets), jurisdiction=jurisdiction)
        assert urgency(amitriptyline_and_the_heart(given, numbers)) is expected, jurisdiction


def test_what_is_resolved_does_not_count_unless_it_is_a_heart_attack(numbers: Thresholds) -> None:
    assert amitriptyline_and_the_heart(ordered(having("cardiac-arrhythmia", active=False)), numbers) is None


def qtc(value: str, ago: int = 7, kind: str = "qtc-fridericia") -> Measurement:
    return Measurement(kind, days_ago(ago), Fraction(value), "ms")


@pytest.mark.parametrize(
    ("gender", "value", "indicator"),
    [
        ("male", "449", None),
        ("male", "450", WARNING),
        ("male", "499.9", WARNING),
        ("male", "500", CRITICAL),
        ("female", "450", None),
        ("female", "459", None),
        ("female", "460", WARNING),
        ("female", "500", CRITICAL),
        ("", "449", None),
        ("", "450", WARNING),
    ],
)
def test_qtc_is_measured_at_450_460_and_500_ms(
    numbers: Thresholds, gender: str, value: str, indicator: Indicator | None
) -> None:
    given = replace(ordered(), patient=replace(adult(), gender=gender), measurements=(qtc(value),))
    finding = amitriptyline_and_the_heart(given, numbers)
    assert urgency(finding) is indicator


def test_the_latest_qtc_counts_and_of_one_day_the_longest(numbers: Thresholds) -> None:
    old = replace(ordered(), measurements=(qtc("520", ago=100), qtc("440")))
    assert amitriptyline_and_the_heart(old, numbers) is None
    same_day = replace(ordered(), measurements=(qtc("510", kind="qtc-bazett"), qtc("440")))
    assert urgency(amitriptyline_and_the_heart(same_day, numbers)) is CRITICAL


def test_an_uncorrected_qt_or_another_unit_is_no_qtc(numbers: Thresholds) -> None:
    other = Measurement("qt-uncorrected", days_ago(7), Fraction(520), "ms")
    unit = Measurement("qtc-fridericia", days_ago(7), Fraction(520), "{score}")
    assert amitriptyline_and_the_heart(replace(ordered(), measurements=(other, unit)), numbers) is None


def of_class(order: MedicationOrder, *classes: str) -> MedicationOrder:
    return replace(order, classes=frozenset(classes))


@pytest.mark.parametrize(
    ("classes", "kind", "indicator"),
    [([QT_RISK], "qt-drug", WARNING), ([QT_RISK, CISAPRIDE], "cisapride", CRITICAL)],
)
def test_a_qt_drug_counts_in_the_session_that_puts_both_together(
    numbers: Thresholds, classes: list[str], kind: str, indicator: Indicator
) -> None:
    taken, being_ordered = of_class(current("other"), *classes), of_class(draft("other"), *classes)
    amitriptyline = of_class(current(AMITRIPTYLINE), QT_RISK)
    for given in (chart(of_class(draft(AMITRIPTYLINE), QT_RISK), taken), chart(being_ordered, amitriptyline)):
        finding = amitriptyline_and_the_heart(given, numbers)
        assert kinds(finding) == [kind]
        assert urgency(finding) is indicator
    assert amitriptyline_and_the_heart(replace(chart(amitriptyline, taken), ordering=False), numbers) is None
    assert amitriptyline_and_the_heart(chart(replace(being_ordered, focus=False), amitriptyline), numbers) is None
    assert amitriptyline_and_the_heart(chart(being_ordered, current(TOLPERISONE)), numbers) is None


def test_a_qt_drug_for_somebody_on_amitriptyline_brings_up_the_qt_interval_and_nothing_else(
    numbers: Thresholds,
) -> None:
    given = chart(of_class(draft("citalopram"), QT_RISK), current(AMITRIPTYLINE))
    given = replace(
        given,
        conditions=(having("cardiac-arrhythmia"), having("hypokalaemia"), having(MI, onset=on(days_ago(10)))),
        measurements=(qtc("505"),),
    )
    finding = amitriptyline_and_the_heart(given, numbers)
    assert finding is not None
    assert kinds(finding) == ["qtc-critical", "qt-drug", "hypokalaemia"]
    assert [order.label for order in finding.orders] == ["citalopram", AMITRIPTYLINE]
    assert finding.state == "contraindicated-added"
    assert finding.facts["added"].label == "citalopram"


def test_an_opened_chart_shows_the_condition_of_somebody_who_takes_amitriptyline(numbers: Thresholds) -> None:
    opened = replace(chart(current(AMITRIPTYLINE)), conditions=(having("heart-block"),), ordering=False)
    assert urgency(amitriptyline_and_the_heart(opened, numbers)) is CRITICAL


def test_nothing_is_said_without_amitriptyline_or_when_it_is_stopped(numbers: Thresholds) -> None:
    for order in (draft(TOLPERISONE), replace(draft(AMITRIPTYLINE), stops=True)):
        given = replace(chart(order, patient=Patient()), conditions=(having("heart-block"),))
        assert amitriptyline_and_the_heart(given, numbers) is None


def test_a_qt_drug_that_replaces_amitriptyline_is_no_partner_but_cisapride_is(numbers: Thresholds) -> None:
    stop = replace(draft(AMITRIPTYLINE), stops=True)
    switch = chart(of_class(draft("other"), QT_RISK), stop, current(AMITRIPTYLINE))
    assert amitriptyline_and_the_heart(switch, numbers) is None
    cisapride = chart(of_class(draft("other"), QT_RISK, CISAPRIDE), stop, current(AMITRIPTYLINE))
    assert kinds(amitriptyline_and_the_heart(cisapride, numbers)) == ["cisapride"]


@pytest.mark.parametrize(
    ("value", "comparator", "level"), [("500", ">", CRITICAL), ("500", ">=", CRITICAL), ("500", "<", None)]
)
def test_a_bound_of_the_qtc_counts_when_the_true_value_is_above(
    numbers: Thresholds, value: str, comparator: str, level: Indicator | None
) -> None:
    measured = Measurement("qtc-bazett", days_ago(3), Fraction(value), "ms", comparator=comparator)
    assert urgency(amitriptyline_and_the_heart(replace(ordered(), measurements=(measured,)), numbers)) is level


def test_a_qtc_of_the_future_hides_none(numbers: Thresholds) -> None:
    measured = (
        Measurement("qtc-bazett", days_ago(3), Fraction(520), "ms"),
        Measurement("qtc-bazett", days_ago(-30), Fraction(420), "ms"),
    )
    assert urgency(amitriptyline_and_the_heart(replace(ordered(), measurements=measured), numbers)) is CRITICAL


@pytest.mark.parametrize(("ago", "age"), [(180, None), (181, 181), (400, 400)])
@pytest.mark.parametrize("value", ["470", "510"])
def test_an_old_qtc_counts_and_says_how_old_it_is(
    numbers: Thresholds, library: Library, value: str, ago: int, age: int | None
) -> None:
    finding = amitriptyline_and_the_heart(replace(ordered(), measurements=(qtc(value, ago),)), numbers)
    assert finding is not None
    assert finding.facts["points"][0].age == age
    detail = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id").detail
    assert (f"{ago} days old" in (detail or "")) is (age is not None)


def test_an_infarction_recorded_lately_says_that_its_date_is_not_known(numbers: Thresholds, library: Library) -> None:
    given = ordered(having(MI, ACUTE, onset=on(days_ago(3)), recorded_only=True))
    finding = amitriptyline_and_the_heart(given, numbers)
    assert finding is not None
    card = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id")
    assert "acute heart attack on record" in card.summary
    assert "Look up its date" in (card.detail or "")


def blood(kind: str, value: str, unit: str, ago: int = 7, comparator: str = "") -> Measurement:
    mmol = unit == "mmol/L"
    size = Fraction(value) * (1000 if mmol else 1)
    return Measurement(kind, days_ago(ago), size, "umol/L" if mmol else unit, comparator=comparator)


@pytest.mark.parametrize(
    ("measured", "found"),
    [
        (blood("potassium", "3.5", "mmol/L"), ["measured-hypokalaemia"]),
        (blood("potassium", "3.5", "meq/L"), ["measured-hypokalaemia"]),
        (blood("potassium", "3.6", "mmol/L"), []),
        (blood("potassium", "3.1", "mmol/L", ago=90), ["measured-hypokalaemia"]),
        (blood("potassium", "3.1", "mmol/L", ago=91), []),
        (blood("potassium", "3.1", "mmol/L", ago=-1), []),
        (blood("potassium", "3.5", "mmol/L", comparator="<"), ["measured-hypokalaemia"]),
        (blood("potassium", "3.5", "mmol/L", comparator=">"), []),
        (blood("potassium", "12", "mg/dL"), []),
        (blood("magnesium", "0.7", "mmol/L"), ["measured-hypomagnesaemia"]),
        (blood("magnesium", "0.8", "mmol/L"), []),
        (blood("magnesium", "1.7", "mg/dL"), ["measured-hypomagnesaemia"]),
        (blood("magnesium", "1.8", "mg/dL"), []),
        (blood("magnesium", "1.4", "meq/L"), ["measured-hypomagnesaemia"]),
    ],
)
def test_potassium_and_magnesium_are_measured_each_in_its_unit(
    numbers: Thresholds, measured: Measurement, found: list[str]
) -> None:
    finding = amitriptyline_and_the_heart(replace(ordered(), measurements=(measured,)), numbers)
    assert kinds(finding) == found
    assert finding is None or (finding.state, urgency(finding)) == ("electrolytes", WARNING)


def test_the_latest_potassium_counts_and_of_one_day_the_lowest(numbers: Thresholds) -> None:
    better = (blood("potassium", "3.1", "mmol/L", ago=20), blood("potassium", "4.1", "mmol/L"))
    assert amitriptyline_and_the_heart(replace(ordered(), measurements=better), numbers) is None
    same_day = (blood("potassium", "4.1", "mmol/L"), blood("potassium", "3.1", "mmol/L"))
    assert kinds(amitriptyline_and_the_heart(replace(ordered(), measurements=same_day), numbers)) == [
        "measured-hypokalaemia"
    ]


def test_a_measured_potassium_says_what_the_problem_list_would(numbers: Thresholds) -> None:
    given = replace(ordered(having("hypokalaemia")), measurements=(blood("potassium", "3.1", "mmol/L"),))
    assert kinds(amitriptyline_and_the_heart(given, numbers)) == ["measured-hypokalaemia"]


def test_extra_beats_beside_another_arrhythmia_hide_nothing(numbers: Thresholds) -> None:
    given = ordered(having("ectopic-beats", "cardiac-arrhythmia"), having("cardiac-arrhythmia"))
    assert kinds(amitriptyline_and_the_heart(given, numbers)) == ["cardiac-arrhythmia"]


def test_a_blood_pressure_drug_that_amitriptyline_counters_is_told_whichever_is_ordered(numbers: Thresholds) -> None:
    for given in (
        chart(draft(AMITRIPTYLINE), of_class(current("clonidine"), COUNTERED)),
        chart(of_class(draft("clonidine"), COUNTERED), current(AMITRIPTYLINE)),
    ):
        finding = amitriptyline_and_the_heart(given, numbers)
        assert finding is not None
        assert (kinds(finding), finding.indicator, finding.facts["clonidine"]) == (["antihypertensive"], WARNING, True)
    opened = replace(chart(current(AMITRIPTYLINE), of_class(current("clonidine"), COUNTERED)), ordering=False)
    assert amitriptyline_and_the_heart(opened, numbers) is None


def test_domperidone_has_a_sentence_of_its_own(numbers: Thresholds) -> None:
    finding = amitriptyline_and_the_heart(
        chart(of_class(draft("domperidone"), QT_RISK), current(AMITRIPTYLINE)), numbers
    )
    assert kinds(finding) == ["qt-domperidone"]


@pytest.mark.parametrize(
    "name",
    [
        *("clarithromycin", "erythromycin", "moxifloxacin", "domperidone", "donepezil", "flecainide", "sotalol"),
        *("hydroxychloroquine", "haloperidol", "ondansetron", "methadone", "citalopram", "escitalopram", "quinine"),
        *("azithromycin", "ciprofloxacin", "risperidone", "sulpiride", "pentamidine", "dronedarone"),
    ],
)
def test_a_drug_of_the_public_list_prolongs_qt(library: Library, name: str) -> None:
    assert QT_RISK in library.terminology.classes((name,))

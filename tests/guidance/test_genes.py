"""R06: CYP2D6 and CYP2C19 metaboliser types, below and from 50 mg a day."""

from dataclasses import replace
from datetime import date

import pytest

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Thresholds
from service.engine.library import Library
from service.engine.rendering import Renderer
from service.facts import Measurement
from service.fhir.edit import ClientOrders
from service.guidance.genes import (
    AS_USUAL,
    INTERMEDIATE,
    POOR,
    RAPID,
    TYPES,
    ULTRARAPID,
    UNCLEAR,
    metaboliser_type,
)
from tests.guidance.charts import (
    AMITRIPTYLINE,
    TOLPERISONE,
    NotComputed,
    chart,
    current,
    days_ago,
    dose,
    draft,
    titrated,
)

INFO, WARNING = Indicator.INFO, Indicator.WARNING
D6, C19 = "cyp2d6-phenotype", "cyp2c19-phenotype"


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["metaboliser-type"]


SAID = {"PM": POOR, "IM": INTERMEDIATE, "RM": RAPID, "UM": ULTRARAPID, "NM": AS_USUAL}


def result(kind: str, answer: str, taken: date) -> Measurement:
    """A result as it is read; an answer that is none of these names no type."""
    return Measurement(kind, taken, answer=answer, sets=frozenset({SAID[answer]} if answer in SAID else ()))


def with_results(given: Chart, **answers: str) -> Chart:
    found = tuple(result(kind.replace("_", "-"), answer, days_ago(400)) for kind, answer in answers.items())
    return replace(given, measurements=found)


def test_the_types_are_those_of_the_words(library: Library) -> None:
    assert library.terminology.words.metabolisers.keys() == TYPES == set(SAID.values())


def words(finding: Finding, library: Library) -> str:
    """The card as it is written; a name that is not known to its template would raise."""
    card = Renderer.of(library).card(finding, ClientOrders({}), lambda: "id")
    assert len(card.summary) < 140
    assert card.detail is not None
    return f"{card.summary}\n{card.detail}"


def found(given: Chart, numbers: Thresholds) -> Finding:
    finding = metaboliser_type(given, numbers)
    assert finding is not None
    return finding


DOSES = {"49.99": False, "50": True, "75": True}


@pytest.mark.parametrize(("mg", "high"), DOSES.items())
@pytest.mark.parametrize(
    ("kind", "answer", "at_high"),
    [
        ("cyp2d6_phenotype", "PM", WARNING),
        ("cyp2d6_phenotype", "IM", INFO),
        ("cyp2d6_phenotype", "UM", WARNING),
        ("cyp2d6_phenotype", "RM", INFO),
        ("cyp2c19_phenotype", "PM", WARNING),
        ("cyp2c19_phenotype", "IM", INFO),
        ("cyp2c19_phenotype", "RM", INFO),
        ("cyp2c19_phenotype", "UM", WARNING),
        ("cyp2c19_phenotype", "see report", INFO),
    ],
)
def test_from_50_mg_poor_and_ultrarapid_are_warnings(
    numbers: Thresholds, kind: str, answer: str, at_high: Indicator, mg: str, high: bool
) -> None:
    finding = found(with_results(chart(draft(AMITRIPTYLINE, dose(mg))), **{kind: answer}), numbers)
    assert finding.indicator is (at_high if high else INFO)
    unread = answer == "see report" or (kind, answer) == ("cyp2d6_phenotype", "RM")
    assert (finding.state == "low-dose") is not (high or unread)


def test_a_normal_type_raises_nothing(numbers: Thresholds) -> None:
    given = with_results(chart(draft(AMITRIPTYLINE, dose("75"))), cyp2d6_phenotype="NM")
    assert metaboliser_type(given, numbers) is None


def test_an_unknown_dose_is_an_info(numbers: Thresholds) -> None:
    for order in (draft(AMITRIPTYLINE), draft(AMITRIPTYLINE, NotComputed("dose-missing", "dosageInstruction"))):
        finding = found(with_results(chart(order), cyp2d6_phenotype="PM"), numbers)
        assert (finding.indicator, finding.state, finding.facts["day"]) == (INFO, "check", None)


def test_a_low_dose_beside_an_unknown_one_is_not_called_low(numbers: Thresholds) -> None:
    given = chart(draft(AMITRIPTYLINE, dose("10")), draft(AMITRIPTYLINE, number=2))
    assert found(with_results(given, cyp2d6_phenotype="PM"), numbers).state == "check"


def test_of_a_titration_the_highest_step_counts(numbers: Thresholds) -> None:
    given = chart(draft(AMITRIPTYLINE, titrated(dose("10"), dose("50"))))
    assert found(with_results(given, cyp2d6_phenotype="PM"), numbers).indicator is WARNING


def test_when_a_chart_is_opened_only_warnings_are_shown(numbers: Thresholds) -> None:
    def opened(mg: str) -> Chart:
        given = chart(replace(current(AMITRIPTYLINE), dose=dose(mg)), hook="patient-view")
        return with_results(replace(given, ordering=False), cyp2d6_phenotype="PM")

    assert metaboliser_type(opened("49"), numbers) is None
    assert found(opened("50"), numbers).indicator is WARNING


def test_the_latest_result_of_each_gene_counts(numbers: Thresholds) -> None:
    results = (result(D6, "PM", date(2020, 1, 1)), result(D6, "NM", date(2024, 1, 1)))
    given = replace(chart(draft(AMITRIPTYLINE, dose("75"))), measurements=results)
    assert metaboliser_type(given, numbers) is None
    both = with_results(given, cyp2d6_phenotype="IM", cyp2c19_phenotype="PM")
    finding = found(both, numbers)
    assert [(r.gene, r.type) for r in finding.facts["results"]] == [("CYP2C19", POOR), ("CYP2D6", INTERMEDIATE)]
    assert finding.indicator is WARNING


def test_cyp2d6_has_no_rapid_type(numbers: Thresholds) -> None:
    finding = found(with_results(chart(draft(AMITRIPTYLINE, dose("75"))), cyp2d6_phenotype="RM"), numbers)
    assert [r.type for r in finding.facts["results"]] == [UNCLEAR]


@pytest.mark.parametrize(
    "given",
    [chart(draft(TOLPERISONE)), chart(draft("nortriptyline")), chart(replace(draft(AMITRIPTYLINE), focus=False))],
    ids=["tolperisone", "nortriptyline", "not selected"],
)
def test_without_amitriptyline_in_question_nothing_is_said(numbers: Thresholds, given: Chart) -> None:
    assert metaboliser_type(with_results(given, cyp2d6_phenotype="PM"), numbers) is None


@pytest.mark.parametrize("mg", ["10", "75", None])
@pytest.mark.parametrize("answer", ["PM", "IM", "RM", "UM", "see report"])
def test_the_card_tells_dose_changes_only_where_they_are_meant(
    numbers: Thresholds, library: Library, answer: str, mg: str | None
) -> None:
    order = draft(AMITRIPTYLINE, dose(mg) if mg else None)
    given = with_results(chart(order, current(TOLPERISONE)), cyp2d6_phenotype="IM", cyp2c19_phenotype=answer)
    text = words(found(given, numbers), library)
    assert ("CPIC, for doses used in depression" in text) is (mg != "10")
    assert ("CPIC advises no change at low doses" in text) is (mg == "10")


def test_an_ultrarapid_type_is_never_an_occasion_to_lower_or_raise(numbers: Thresholds, library: Library) -> None:
    given = with_results(chart(draft(AMITRIPTYLINE, dose("75"))), cyp2d6_phenotype="UM")
    text = words(found(given, numbers), library)
    assert "lower dose" not in text
    assert "rais" not in text


def test_a_result_that_is_not_understood_is_quoted(numbers: Thresholds, library: Library) -> None:
    given = with_results(chart(draft(AMITRIPTYLINE, dose("75"))), cyp2d6_phenotype="see report 12")
    assert '"see report 12"' in words(found(given, numbers), library)

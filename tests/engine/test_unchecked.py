"""R28, X7 and X8: what could not be checked is said, and a deceased patient gets no advice."""

from dataclasses import replace
from datetime import date

import pytest

from service.chart import Chart
from service.engine.evaluate import evaluate
from service.engine.finding import Finding, Indicator, Thresholds
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.unchecked import (
    code_and_text_disagree,
    not_checked,
    patient_deceased,
    rule_failed,
    service_failed,
)
from service.facts import Condition, MedicationOrder, Noted, Patient, Role, Unread
from service.guidance.registry import RULES
from service.terminology.recognise import Claim, Recognition
from tests.guidance.charts import AMITRIPTYLINE, TOLPERISONE, NotComputed, born, chart, current, dose, draft, titrated

GAP = NotComputed("strength-unknown", "medication")
CONFLICT = NotComputed("unit-conflict", "dosageInstruction", "mg / ug", conflict=True)
CHILD = born(date(2016, 3, 1))


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["not-checked"]


def found(given: Chart, numbers: Thresholds) -> Finding:
    finding = not_checked(given, numbers)
    assert finding is not None
    return finding


def test_a_chart_in_which_everything_was_read_raises_nothing(numbers: Thresholds) -> None:
    assert not_checked(chart(draft(AMITRIPTYLINE, dose("10")), current(TOLPERISONE)), numbers) is None


@pytest.mark.parametrize(("reason", "indicator"), [(GAP, Indicator.INFO), (CONFLICT, Indicator.WARNING)])
def test_a_gap_is_information_and_a_contradiction_a_warning(
    numbers: Thresholds, reason: NotComputed, indicator: Indicator
) -> None:
    order = draft(AMITRIPTYLINE, reason)
    finding = found(chart(order), numbers)
    assert finding.indicator is indicator
    assert finding.orders == (order,)
    assert finding.unread == (Unread(reason.reason, order, reason.element, reason.found, reason.conflict),)


def test_a_dose_on_the_list_that_cannot_be_computed_is_named_when_the_chart_is_opened(numbers: Thresholds) -> None:
    listed = replace(current(AMITRIPTYLINE), dose=GAP)
    opened = replace(chart(listed), ordering=False)
    assert [gap.reason for gap in found(opened, numbers).unread] == ["strength-unknown"]
    assert not_checked(chart(listed), numbers) is None, "while another drug is ordered it is not in question"
    silent = replace(listed, dose=NotComputed("dose-missing", "dosageInstruction"))
    assert not_checked(replace(chart(silent), ordering=False), numbers) is None
    slip = replace(listed, dose=dose("500"))
    assert [gap.reason for gap in found(replace(chart(slip), ordering=False), numbers).unread] == ["implausible"]


def test_one_card_says_everything_contradictions_first_and_nothing_twice(numbers: Thresholds) -> None:
    first, second = draft(AMITRIPTYLINE, GAP), draft(TOLPERISONE, CONFLICT)
    missing = Unread("not-provided", element="conditions")
    finding = found(replace(chart(first, second), unread=(missing, missing)), numbers)
    assert [gap.reason for gap in finding.unread] == ["unit-conflict", "strength-unknown", "not-provided"]
    assert finding.orders == (second, first)
    assert finding.indicator is Indicator.WARNING


SILENT = {
    "not selected": replace(draft(AMITRIPTYLINE, GAP), focus=False),
    "stopped": replace(draft(AMITRIPTYLINE, GAP), stops=True),
    "only on the list": replace(current(AMITRIPTYLINE), dose=GAP),
    "without any dose that matters": draft("nortriptyline"),
}


@pytest.mark.parametrize("order", SILENT.values(), ids=SILENT)
def test_a_dose_that_no_rule_would_have_looked_at_is_no_gap(numbers: Thresholds, order: MedicationOrder) -> None:
    assert not_checked(chart(order), numbers) is None


@pytest.mark.parametrize(
    ("name", "single", "plausible"),
    [
        (AMITRIPTYLINE, "2.49", False),
        (AMITRIPTYLINE, "2.5", True),
        (AMITRIPTYLINE, "150", True),
        (AMITRIPTYLINE, "150.01", False),
        (TOLPERISONE, "24.99", False),
        (TOLPERISONE, "25", True),
        (TOLPERISONE, "450", True),
        (TOLPERISONE, "450.01", False),
    ],
)
def test_a_single_dose_that_is_not_plausible_is_a_warning(
    numbers: Thresholds, name: str, single: str, plausible: bool
) -> None:
    for given in (dose(single), titrated(dose("50"), dose(single))):
        finding = not_checked(chart(draft(name, given)), numbers)
        assert (finding is None) is plausible
        if finding is not None:
            assert finding.indicator is Indicator.WARNING
            assert [gap.reason for gap in finding.unread] == ["implausible"]


def test_instructions_that_were_added_up_are_said_to_be_so(numbers: Thresholds) -> None:
    finding = found(chart(draft(AMITRIPTYLINE, replace(dose("20", 2), together=True))), numbers)
    assert [gap.reason for gap in finding.unread] == ["together"]
    assert finding.indicator is Indicator.INFO


def test_a_known_age_is_a_matter_of_other_cards(numbers: Thresholds) -> None:
    assert not_checked(chart(draft(AMITRIPTYLINE, dose("10")), patient=CHILD), numbers) is None


@pytest.mark.parametrize("drug", [AMITRIPTYLINE, TOLPERISONE])
def test_an_unknown_age_is_said_once_when_one_of_the_drugs_is_ordered(numbers: Thresholds, drug: str) -> None:
    ordered = chart(draft(drug, dose("50", 1)), patient=Patient())
    finding = not_checked(ordered, numbers)
    assert finding is not None
    assert [gap.reason for gap in finding.unread] == ["age-unknown"]
    assert not_checked(chart(current(drug), patient=Patient()), numbers) is None


def test_under_18_the_dose_is_said_to_be_unchecked_on_a_card_of_its_own(library: Library) -> None:
    def failed(card: str, error: Exception) -> None:
        raise AssertionError(card) from error

    findings = evaluate(chart(draft(AMITRIPTYLINE, dose("10")), patient=CHILD), Guideline(library, RULES), failed)
    assert "patient-under-18" in {finding.card for finding in findings}


def disputed(name: str = AMITRIPTYLINE, *, role: Role = Role.DRAFT, focus: bool = True) -> MedicationOrder:
    claims = (
        Claim(frozenset({name}), "RxNorm 704"),
        Claim(frozenset({"nortriptyline", "doxepin"}), "text", by_words=True),
    )
    return MedicationOrder(
        "MedicationRequest/x", "x", Recognition((name,), "RxNorm 704", claims=claims), role, focus=focus
    )


def test_code_and_text_of_a_draft_that_disagree_are_both_quoted() -> None:
    finding = code_and_text_disagree(chart(disputed()), {})
    assert finding is not None
    assert finding.indicator is Indicator.WARNING
    assert finding.facts["claims"] == ["RxNorm 704: amitriptyline", "text: doxepin, nortriptyline"]


@pytest.mark.parametrize(
    ("order", "spoken"),
    [
        (disputed(), True),
        (disputed(TOLPERISONE), True),
        (disputed(role=Role.CURRENT, focus=False), True),
        (disputed(focus=False), False),
        (disputed("doxepin"), False),
        (draft(AMITRIPTYLINE), False),
    ],
    ids=["draft", "tolperisone", "on the list", "not selected", "about other drugs", "in agreement"],
)
def test_a_disagreement_counts_for_what_is_selected_or_taken(order: MedicationOrder, spoken: bool) -> None:
    assert (code_and_text_disagree(chart(order), {}) is not None) is spoken


def test_a_deceased_patient_gets_one_warning_about_the_orders_in_focus() -> None:
    order, other = draft(AMITRIPTYLINE), replace(draft(TOLPERISONE), focus=False)
    finding = patient_deceased(chart(order, other, patient=Patient(deceased=True)))
    assert (finding.indicator, finding.orders) == (Indicator.WARNING, (order,))


def test_a_fault_of_the_service_is_a_warning_that_names_what_is_missing() -> None:
    assert service_failed().indicator is Indicator.WARNING
    assert rule_failed("not-checked").facts == {"failed": "not-checked"}


def test_what_a_note_names_is_named_unless_it_is_on_a_list(numbers: Thresholds) -> None:
    pregnant = Noted("schwanger, 12. SSW", frozenset({"pregnancy"}), frozenset(), value=False)
    moclobemide = Noted("nimmt auch Moclobemid", frozenset(), frozenset({"moclobemide"}), value=False)
    qtc = Noted("QTc 530 ms", frozenset(), frozenset(), value=True)
    known = Condition(frozenset({"pregnancy"}), "pregnant")
    for note in (pregnant, moclobemide, qtc):
        noted = replace(draft(AMITRIPTYLINE), noted=(note,))
        gap = found(chart(noted), numbers).unread[0]
        assert (gap.reason, gap.order, gap.found, gap.conflict) == ("note-names", noted, note.words, False)
        listed = replace(chart(noted, current("moclobemide")), conditions=(known,))
        assert (not_checked(listed, numbers) is None) == (not note.value)
        assert not_checked(chart(replace(noted, stops=True)), numbers) is None


def test_words_that_may_say_another_dose_are_named_beside_it(numbers: Thresholds) -> None:
    worded = replace(dose("25"), unheard="increase to three a day " * 9)
    gap = found(chart(draft(AMITRIPTYLINE, worded)), numbers).unread[0]
    assert (gap.reason, len(gap.found), gap.conflict) == ("words-beside", 80, False)

"""The next step of the taper is offered in place of a plain stop, and nowhere else."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from service.chart import Chart
from service.dosing.dosage import DailyDose
from service.engine.concerns import concerns_of
from service.engine.finding import Finding, Offer, Thresholds
from service.engine.library import Library
from service.facts import Condition, MedicationOrder, Patient, Role, Unread
from service.guidance.stopping import amitriptyline_stopping
from tests.guidance.charts import AMITRIPTYLINE, chart, current, days_ago, dose, draft, drug, titrated

LISTED = replace(current(AMITRIPTYLINE), dose=dose("75"), authored=days_ago(100))
STOP = replace(draft(AMITRIPTYLINE, dose("75")), reference=LISTED.reference, stops=True, authored=days_ago(100))
PLAIN = chart(STOP, LISTED)


@pytest.fixture
def numbers(library: Library) -> Thresholds:
    return library.thresholds["amitriptyline-stopping"]


def found(given: Chart, numbers: Thresholds) -> Finding:
    finding = amitriptyline_stopping(given, numbers)
    assert finding is not None
    return finding


def as_taken(given: DailyDose) -> Chart:
    return chart(replace(STOP, dose=given), replace(LISTED, dose=given))


def taken(mg: str, times: int = 1) -> Chart:
    return as_taken(dose(mg, times))


@pytest.mark.parametrize(("mg", "template"), [("150", 1), ("76", 1), ("75", 2), ("50", 3), ("30", 3), ("25", 4)])
def test_the_step_is_the_first_of_the_example_and_less_than_is_taken(
    numbers: Thresholds, mg: str, template: int
) -> None:
    (offer,) = found(taken(mg), numbers).offers
    expected = Offer(
        f"amitriptyline-rung-{template}", product_of=STOP.reference, below=Fraction(mg), drug=AMITRIPTYLINE
    )
    assert offer == expected


def test_of_a_titration_the_step_that_is_reached_counts(numbers: Thresholds) -> None:
    given = as_taken(titrated(replace(dose("25"), days=Fraction(200)), dose("75")))
    (offer,) = found(given, numbers).offers
    assert (offer.template, offer.below) == ("amitriptyline-rung-4", Fraction(25))


def test_from_the_lowest_dose_nothing_is_offered(numbers: Thresholds) -> None:
    finding = found(taken("10"), numbers)
    assert (finding.offers, finding.withheld) == ((), ())


def of(name: str, *classes: str) -> MedicationOrder:
    return MedicationOrder(f"MedicationRequest/{name}", name, drug(name), Role.DRAFT, classes=frozenset(classes))


def sick(set_: str) -> dict[str, Any]:
    return {"conditions": (Condition(frozenset({set_}), set_),)}


WITHHELD: dict[str, tuple[Chart, str]] = {
    "age unknown": (replace(PLAIN, patient=Patient()), "age-unknown"),
    "no problem list": (replace(PLAIN, conditions_known=False), "record-incomplete"),
    "allergies not given": (replace(PLAIN, unread=(Unread("not-provided", element="allergies"),)), "record-incomplete"),
    "two orders on the list": (
        replace(PLAIN, orders=(STOP, LISTED, replace(LISTED, reference="MedicationRequest/2"))),
        "ordered-twice",
    ),
    "no id": (replace(PLAIN, orders=(replace(STOP, reference=""), LISTED)), "order-not-found"),
    "a combination": (
        replace(PLAIN, orders=(replace(STOP, drug=drug(AMITRIPTYLINE, combination=True)), LISTED)),
        "combination",
    ),
    "a reason of the stop": (replace(PLAIN, orders=(replace(STOP, stop_reason_given=True), LISTED)), "stop-reason"),
    "pregnancy": (replace(PLAIN, **sick("pregnancy")), "condition-against"),
    "duloxetine drafted": (
        replace(PLAIN, orders=(STOP, LISTED, of("duloxetine", "antidepressant"))),
        "another-in-its-place",
    ),
    "25 mg three times a day": (taken("75", 3), "taken-divided"),
    "as needed": (as_taken(dose("75", least="0")), "would-not-lower"),
    "25 to 75 mg": (as_taken(dose("75", least="25")), "would-not-lower"),
    "200 mg": (taken("300"), "step-not-prepared"),
    "a cut instead of a stop": (
        replace(PLAIN, orders=(replace(draft(AMITRIPTYLINE, dose("10")), continues_earlier=True), LISTED)),
        "drafts-stay",
    ),
}


@pytest.mark.parametrize(("given", "reason"), WITHHELD.values(), ids=WITHHELD)
def test_otherwise_the_reason_is_kept(numbers: Thresholds, library: Library, given: Chart, reason: str) -> None:
    finding = found(given, numbers)
    assert finding.offers == ()
    assert reason in finding.withheld
    assert reason in library.withheld


def test_each_condition_of_the_card_speaks_against_the_next_step(numbers: Thresholds) -> None:
    against = concerns_of(numbers)["in-stages"].conditions
    assert len(against) == 11
    for set_ in sorted(against):
        finding = found(replace(PLAIN, jurisdiction="us", **sick(set_)), numbers)
        assert (finding.offers, finding.withheld) == ((), ("condition-against",)), set_


def test_harm_is_a_reason_to_stop_fast_and_nothing_is_offered(numbers: Thresholds) -> None:
    harmed = replace(PLAIN, orders=(replace(STOP, reasons=frozenset({"stopped-because-of-harm"})), LISTED))
    finding = found(harmed, numbers)
    assert (finding.offers, finding.withheld) == ((), ())


def test_how_long_it_was_taken_has_to_be_known(numbers: Thresholds) -> None:
    finding = found(replace(PLAIN, orders=(replace(STOP, authored=None), replace(LISTED, authored=None))), numbers)
    assert finding.offers == ()
    assert "time-unknown" in finding.withheld

"""Doses are what a pharmacist works out from the rules, example by example (Q1 to Q6, Q8)."""

from fractions import Fraction

import pytest

from service.dosing.amount import NotComputed
from service.dosing.dosage import DailyDose
from service.engine.library import Library
from service.terminology.recognise import Terminology
from tests.dosing.dose_examples import PARTS
from tests.dosing.dose_examples_words import DISAGREE
from tests.dosing.dose_orders import DAILY, Dose, Json, Refused, mg, order, quantity, take
from tests.dosing.dose_reading import WEIGHT_DAYS, dose_of

FEWEST = 150


def seen(found: DailyDose | NotComputed) -> Dose | Refused:
    """What was found, in the words of the examples."""
    if isinstance(found, NotComputed):
        return Refused(found.reason, found.element)
    low, high, single, day = map(str, (found.low, found.high, found.single, found.dosing_day))
    steps = tuple(str(step.high) for step in found.steps)
    return Dose(low, high, single, day, steps, found.together, found.from_text)


@pytest.mark.parametrize("part", PARTS)
def test_a_dose_is_what_the_rules_make_it(part: str, terminology: Terminology) -> None:
    for one in PARTS[part]:
        assert seen(dose_of(one.order, terminology, one.beside)) == one.expected, one.name


def test_no_example_breaks_what_holds_for_every_dose() -> None:
    for dose in (one.expected for examples in PARTS.values() for one in examples):
        if isinstance(dose, Dose):
            low, high, single, day = map(Fraction, (dose.low, dose.high, dose.single, dose.day))
            assert 0 <= low <= high <= day >= single > 0
            assert not dose.steps or high == max(map(Fraction, dose.steps))


def test_data_and_words_that_differ_are_shown_as_they_differ(terminology: Terminology) -> None:
    shown = {}
    for one in DISAGREE:
        found = dose_of(one.order, terminology)
        assert isinstance(found, NotComputed)
        shown[one.name] = found.found
        data, words = found.found.split(" / ")
        assert data != words, one.name
    assert shown["another maximum"] == "75 mg/day / 100 mg/day"
    assert shown["an amount far above the maximum of the data"] == "50 mg/day / 600 mg/day"
    assert shown["a third tablet beyond the maximum of the data"] == "50 mg/day / 75 mg/day"
    at_once = "50 mg/day as 25 / 50 mg at once"
    assert shown["the tablets of a day taken at once"] == at_once
    assert shown["the same day in another number of doses"] == at_once


@pytest.mark.parametrize(
    ("bounds", "days"),
    [
        ({"boundsPeriod": {"start": "2026-11-01", "end": "2026-11-07"}}, "7"),
        ({"boundsPeriod": {"start": "2026-11-01", "end": "2026-11-01"}}, "1"),
        ({"boundsPeriod": {"start": "2026-11-07", "end": "2026-11-01"}}, None),
        ({"boundsPeriod": {"start": "2026-11-01"}}, None),
        ({"boundsDuration": quantity(7, "days", "d")}, "7"),
        ({"boundsDuration": quantity(2, "weeks", "wk")}, "14"),
        ({"boundsDuration": quantity(36, "hours", "h")}, "3/2"),
        ({"boundsDuration": quantity(7, "days")}, "7"),
        ({"boundsDuration": quantity(-7, "days", "d")}, None),
        ({"boundsDuration": quantity(1, "course")}, None),
        ({"boundsRange": {"low": quantity(7, "days", "d"), "high": quantity(14, "days", "d")}}, None),
    ],
)
def test_the_length_of_a_step_is_that_of_its_bounds(bounds: Json, days: str | None, terminology: Terminology) -> None:
    found = dose_of(order(take(mg(25), {**DAILY, **bounds})), terminology)
    assert isinstance(found, DailyDose)
    assert found.days == (None if days is None else Fraction(days))


def test_the_examples_are_many_told_apart_and_each_says_where_it_comes_from() -> None:
    examples = [one for part in PARTS.values() for one in part]
    assert len(examples) >= FEWEST
    assert all(one.origin for one in examples)
    for part in PARTS.values():
        names = [one.name for one in part]
        assert len(set(names)) == len(names)


def test_every_reason_for_no_dose_has_an_example_and_a_sentence_on_the_card(library: Library) -> None:
    reasons = {one.expected.reason for part in PARTS.values() for one in part if isinstance(one.expected, Refused)}
    assert reasons == {
        "above-own-maximum",
        "concentration-unknown", "daily-maximum-not-stated", "dose-in-words", "dose-maximum-only", "dose-missing",
        "dose-unclear", "doses-differ", "element-unreadable", "frequency-implausible",
        "frequency-conflict", "frequency-missing", "frequency-unknown", "strength-conflict", "strength-unknown",
        "text-conflict", "unit-conflict", "unit-missing", "unit-unknown", "weight-missing",
    }  # fmt: skip
    assert reasons <= library.cards["not-checked"].reasons.keys()
    assert library.cards["not-checked"].thresholds["weight_age"].value == WEIGHT_DAYS

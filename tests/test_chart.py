"""Ages are intervals where a birth date is partial, and a chart tells what is drafted, taken and taken before (X9)."""

from dataclasses import FrozenInstanceError, replace
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.chart import Chart
from service.dates import span
from service.facts import (
    Age,
    Allergies,
    Condition,
    Measurement,
    MedicationOrder,
    Patient,
    Role,
    body_weight,
    latest_lowest,
)
from service.terminology.recognise import Claim, Recognition

ADULT = Fraction(18)


def born(text: str) -> Patient:
    birth = span(text)
    assert birth is not None
    return Patient(birth)


@pytest.mark.parametrize(
    ("birth", "today", "at_least", "at_most"),
    [
        ("2008-11-23", date(2026, 11, 22), 17, 17),
        ("2008-11-23", date(2026, 11, 23), 18, 18),
        ("2008-11-23", date(2027, 11, 22), 18, 18),
        ("2008", date(2026, 1, 1), 17, 18),
        ("2008", date(2026, 12, 30), 17, 18),
        ("2008", date(2026, 12, 31), 18, 18),
        ("2008-11", date(2026, 10, 31), 17, 17),
        ("2008-11", date(2026, 11, 1), 17, 18),
        ("2008-11", date(2026, 11, 29), 17, 18),
        ("2008-11", date(2026, 11, 30), 18, 18),
        ("1961", date(2026, 11, 23), 64, 65),
        ("2026-11-23", date(2026, 11, 23), 0, 0),
    ],
)
def test_age_changes_on_the_birthday_and_is_an_interval_where_the_day_is_not_known(
    birth: str, today: date, at_least: int, at_most: int
) -> None:
    assert born(birth).age(today) == Age(at_least, at_most)


@pytest.mark.parametrize(
    ("today", "years"),
    [
        (date(2026, 2, 28), 17),
        (date(2026, 3, 1), 18),
        (date(2028, 2, 28), 19),
        (date(2028, 2, 29), 20),
    ],
)
def test_somebody_born_on_a_leap_day_grows_older_on_the_first_of_march_of_other_years(today: date, years: int) -> None:
    assert born("2008-02-29").age(today) == Age(years, years)


def test_somebody_born_in_a_leap_february_is_surely_adult_only_on_the_first_of_march() -> None:
    assert born("2008-02").age(date(2026, 2, 28)) == Age(17, 18)
    assert born("2008-02").age(date(2026, 3, 1)) == Age(18, 18)


def test_the_age_is_unknown_without_a_birth_date() -> None:
    assert Patient().age(date(2026, 11, 23)) is None
    assert chart(Patient()).age is None


@pytest.mark.parametrize(
    ("birth", "under"),
    [("2008-11-23", False), ("2008-11-24", True), ("2008", True), ("2007", False), ("2007-12", False)],
)
def test_somebody_who_may_be_under_age_is_under_age(birth: str, under: bool) -> None:
    assert chart(born(birth)).under_age(ADULT) is under


def test_nobody_is_under_age_whose_age_is_unknown() -> None:
    assert not chart(Patient()).under_age(ADULT)


def birthday(birth: date, year: int) -> date:
    """The day of a birthday; the first of March for a leap day in other years."""
    return birth.replace(year=year) if (birth.month, birth.day) != (2, 29) or year % 4 == 0 else date(year, 3, 1)


days = st.dates(date(1905, 1, 1), date(2095, 12, 31))


@given(one=days, other=days)
def test_age_is_the_number_of_birthdays_that_have_come(one: date, other: date) -> None:
    birth, today = sorted((one, other))
    had = sum(birthday(birth, year) <= today for year in range(birth.year + 1, today.year + 1))
    assert born(birth.isoformat()).age(today) == Age(had, had)


@given(one=days, other=days)
def test_a_partial_birth_date_never_rules_the_true_age_out(one: date, other: date) -> None:
    birth, today = sorted((one, other))
    exact = born(birth.isoformat()).age(today)
    assert exact is not None
    for length in (len("2008"), len("2008-11")):
        age = born(birth.isoformat()[:length]).age(today)
        assert age is not None
        assert age.at_least <= exact.at_least <= exact.at_most <= age.at_most <= age.at_least + 1


def order(reference: str, drug: str, role: Role, *, stops: bool = False, topical: bool = False) -> MedicationOrder:
    recognised = Recognition(
        (drug,), "text", topical=topical, claims=(Claim(frozenset({drug}), "text", by_words=True),)
    )
    return MedicationOrder(reference, drug.title(), recognised, role, stops=stops)


def chart(patient: Patient, *orders: MedicationOrder) -> Chart:
    return Chart(date(2026, 11, 23), "order-sign", patient, orders)


def test_a_chart_tells_drafts_current_and_past_orders_of_a_drug_apart() -> None:
    draft = order("MedicationRequest/1", "amitriptyline", Role.DRAFT)
    current = order("MedicationRequest/2", "amitriptyline", Role.CURRENT)
    past = order("MedicationRequest/3", "amitriptyline", Role.PAST)
    other = order("MedicationRequest/4", "tolperisone", Role.CURRENT)
    read = chart(Patient(), draft, current, past, other)
    assert read.drafts("amitriptyline") == [draft]
    assert read.current("amitriptyline") == [current]
    assert read.past("amitriptyline") == [past]
    assert read.current("tolperisone") == [other]
    assert [o.is_draft for o in read.orders] == [True, False, False, False]


def test_an_order_that_stops_a_drug_or_is_for_the_skin_is_no_draft_of_it() -> None:
    stop = order("MedicationRequest/1", "amitriptyline", Role.DRAFT, stops=True)
    gel = order("MedicationRequest/2", "amitriptyline", Role.DRAFT, topical=True)
    read = chart(Patient(), stop, gel)
    assert read.drafts("amitriptyline") == []
    assert chart(Patient(), order("", "amitriptyline", Role.CURRENT, topical=True)).current("amitriptyline") == []


def test_a_chart_and_its_orders_cannot_be_changed() -> None:
    draft = order("MedicationRequest/1", "amitriptyline", Role.DRAFT)
    with pytest.raises(FrozenInstanceError):
        draft.stops = True  # type: ignore[misc]  # what is tested
    with pytest.raises(FrozenInstanceError):
        chart(Patient()).ordering = False  # type: ignore[misc]  # what is tested


def test_equal_orders_count_once_and_orders_that_differ_in_anything_stay_apart() -> None:
    draft = order("MedicationRequest/1", "amitriptyline", Role.DRAFT)
    again = order("MedicationRequest/1", "amitriptyline", Role.DRAFT)
    stop = order("MedicationRequest/1", "amitriptyline", Role.DRAFT, stops=True)
    assert list(dict.fromkeys([draft, stop, again])) == [draft, stop]


def test_measured_are_the_values_of_the_last_days_in_a_unit_and_none_of_a_day_to_come() -> None:
    days = (date(2026, 11, 24), date(2026, 11, 23), date(2026, 10, 24), date(2026, 10, 23))
    values = tuple(Measurement("potassium", day, Fraction(4), "umol/L") for day in days)
    others = (Measurement("potassium", days[1], None, answer="low"), Measurement("qt", days[1], Fraction(4), "ms"))
    read = replace(chart(Patient()), measurements=(*values, *others))
    assert read.measured("potassium") == [*values[1:]]
    assert read.measured("potassium", days=Fraction(30)) == [*values[1:3]]
    assert read.measured("potassium", units=("meq/L",)) == []
    assert read.measured("potassium", "qt", units=("ms",)) == [others[1]]


def test_of_one_day_the_lowest_value_counts_and_a_weight_that_is_only_a_bound_hides_none() -> None:
    then, now = date(2026, 11, 1), date(2026, 11, 23)
    values = [Measurement("egfr-mdrd", day, Fraction(n), "mL/min") for day, n in ((then, 20), (now, 60), (now, 50))]
    assert latest_lowest(values) == values[2]
    assert latest_lowest([]) is None
    weights = [
        Measurement("body-weight", then, Fraction(30), "kg"),
        Measurement("body-weight", now, Fraction(1), "kg", comparator="<"),
    ]
    assert body_weight(weights, now, 30) == 30
    assert body_weight(weights, now, 20) is None


def test_an_allergy_counts_from_either_list_and_a_reason_like_a_problem() -> None:
    problem = Condition(frozenset({"allergy-to-lidocaine"}), "Lidocaine allergy")
    read = replace(chart(Patient()), conditions=(problem,), allergies=Allergies(frozenset({"duloxetine"})))
    assert [read.allergic(drug) for drug in ("lidocaine", "duloxetine", "eperisone")] == [True, True, False]
    ordered = replace(order("MedicationRequest/1", "amitriptyline", Role.DRAFT), reasons=frozenset({"stroke"}))
    assert (read.named([ordered], "stroke"), read.named([], "stroke")) == (True, False)
    assert read.named([], "allergy-to-lidocaine")

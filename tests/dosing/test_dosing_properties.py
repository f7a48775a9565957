"""What holds for every dose, whatever is ordered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import ceil
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.dosing.amount import NotComputed, Product, Quantity, number
from service.dosing.compute import daily_dose
from service.dosing.dosage import DailyDose, Dosage, MaxDose, Timing
from service.dosing.freetext import directions
from service.dosing.timing import ONCE_A_DAY_EVENTS, PER_DAY_OF_CODE
from service.dosing.units import DAYS_PER_UNIT
from service.terminology.recognise import Recognition, Strength

PRODUCT = Product(
    drug="amitriptyline",
    recognised=Recognition(("amitriptyline",), strengths=(Strength("amitriptyline", Fraction(25), "RxNorm 856834"),)),
    label="amitriptyline hydrochloride 25 MG Oral Tablet",
    weight=Fraction(80),
)
SIZES = {"mg": Fraction(1), "g": Fraction(1000), "ug": Fraction(1, 1000)}

counts = st.integers(1, 8).map(Fraction)
values = st.integers(1, 4000).map(lambda quarters: Fraction(quarters, 4))
hours = st.sampled_from(["08:00:00", "12:00:00", "16:00:00", "20:00:00"])
moments = st.sampled_from([*sorted(ONCE_A_DAY_EVENTS), "PC", "C"])
weekdays = st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])


def or_nothing(strategy: st.SearchStrategy[Fraction]) -> st.SearchStrategy[Fraction | None]:
    """The strategy, or None."""
    return st.one_of(st.none(), strategy)


def milligrams(value: Fraction) -> Quantity:
    """A mass."""
    return Quantity(value, "mg", "mg")


quantities = st.one_of(
    st.builds(milligrams, values),
    st.builds(Quantity, values, st.just(""), st.sampled_from(["mg", "g", "ug", "{tbl}", "mg/kg", "Mg"])),
    st.builds(Quantity, counts, st.sampled_from(["tablet", "Kapsel", "mcg", "drops", ""])),
)
timings = st.builds(
    Timing,
    frequency=or_nothing(counts),
    frequency_max=or_nothing(counts),
    period=or_nothing(st.sampled_from([Fraction(n, 2) for n in (1, 2, 3, 4, 8, 14, 24, 36, 48, 72)])),
    period_max=or_nothing(st.sampled_from([Fraction(n) for n in (1, 2, 6, 12, 48)])),
    unit=st.sampled_from([*DAYS_PER_UNIT, ""]),
    times_of_day=st.lists(hours, max_size=4).map(tuple),
    when=st.lists(moments, max_size=3).map(tuple),
    days_of_week=st.lists(weekdays, max_size=7).map(tuple),
    count=or_nothing(counts),
    codes=st.lists(st.sampled_from([*PER_DAY_OF_CODE, "twice daily", "?"]), max_size=2).map(tuple),
)
periods = st.sampled_from([Fraction(n, 2) for n in (1, 2, 3, 14, 16, 24, 72)])
units = st.sampled_from(["d", "wk", "mo", "a"])
plain_timings = st.builds(Timing, frequency=counts, period=periods, unit=units)
sensible_timings = st.one_of(
    plain_timings,
    st.builds(Timing, frequency=counts, period=periods, unit=units, count=counts),
    st.builds(
        Timing,
        frequency=counts,
        frequency_max=counts.map(lambda count: count + 8),
        period=periods,
        period_max=st.just(Fraction(40)),
        unit=units,
    ),
    st.builds(
        Timing,
        times_of_day=st.lists(hours, min_size=1, max_size=4).map(tuple),
        days_of_week=st.lists(weekdays, max_size=7).map(tuple),
    ),
    st.builds(Timing, when=st.lists(st.sampled_from(sorted(ONCE_A_DAY_EVENTS)), min_size=1, max_size=4).map(tuple)),
    st.builds(Timing, codes=st.tuples(st.sampled_from(list(PER_DAY_OF_CODE))), count=or_nothing(counts)),
)
some_timings = st.one_of(sensible_timings, timings)
maxima = st.builds(
    MaxDose,
    st.builds(milligrams, values),
    st.builds(Quantity, counts, st.just(""), st.sampled_from(list(DAYS_PER_UNIT))),
)
sensible = st.builds(
    lambda value, timing, as_needed, most, number: Dosage(
        milligrams(value), milligrams(value), timing, as_needed, tuple(most), number
    ),
    values,
    sensible_timings,
    st.booleans(),
    st.lists(maxima, max_size=2),
    st.one_of(st.none(), st.integers(1, 3)),
)
texts = st.sampled_from(["", "25 mg at bedtime", "1-0-1", "as needed, max 75 mg/day", "twice daily", "apply thinly"])


@st.composite
def dosages(draw: st.DrawFn) -> Dosage:
    """One instruction, sensible or not."""
    low, high = draw(st.one_of(quantities.map(lambda q: (q, q)), st.tuples(quantities, quantities)))
    return Dosage(
        low=low,
        high=high,
        timing=draw(st.one_of(st.none(), some_timings)),
        as_needed=draw(st.booleans()),
        maxima=tuple(draw(st.lists(maxima, max_size=2))),
        sequence=draw(st.one_of(st.none(), st.integers(1, 3))),
        text=draw(texts),
    )


def mg(value: Fraction, timing: Timing, **members: object) -> Dosage:
    """An instruction in mg."""
    quantity = milligrams(value)
    return replace(Dosage(low=quantity, high=quantity, timing=timing), **members)  # type: ignore[arg-type]


def dose_of(*instructions: Dosage) -> DailyDose | NotComputed:
    """The dose of the instructions."""
    return daily_dose(instructions, PRODUCT)


def computed(*instructions: Dosage) -> DailyDose:
    """The dose of the instructions; other instructions are not looked at."""
    found = dose_of(*instructions)
    assume(isinstance(found, DailyDose))
    assert isinstance(found, DailyDose)
    return found


def numbers(dose: DailyDose) -> tuple[Fraction, ...]:
    """What rules look at."""
    return dose.low, dose.high, dose.single, dose.dosing_day


def all_numbers(doses: Sequence[DailyDose]) -> list[tuple[Fraction, ...]]:
    """What rules look at, of several doses."""
    return [numbers(dose) for dose in doses]


@given(st.lists(st.one_of(sensible, dosages()), max_size=4))
def test_a_dose_is_an_interval_and_a_dosing_day_holds_at_least_one_dose(instructions: list[Dosage]) -> None:
    dose = dose_of(*instructions)
    for one in (dose, *dose.steps) if isinstance(dose, DailyDose) else ():
        assert 0 <= one.low <= one.high <= one.dosing_day
        assert 0 < one.single <= one.dosing_day
        assert one.times > 0
        assert one.working


@given(st.lists(dosages(), max_size=4))
def test_no_dose_always_says_why_and_where(instructions: list[Dosage]) -> None:
    dose = dose_of(*instructions)
    assert isinstance(dose, DailyDose) or (dose.reason and dose.element)


@given(values, some_timings, st.booleans(), st.lists(maxima, max_size=2))
def test_the_unit_of_a_mass_does_not_change_the_dose(
    value: Fraction, timing: Timing, as_needed: bool, most: list[MaxDose]
) -> None:
    found = []
    for unit, size in SIZES.items():
        quantity = Quantity(value / size, unit, unit)
        dose = dose_of(Dosage(quantity, quantity, timing, as_needed, tuple(most)))
        found.append(numbers(dose) if isinstance(dose, DailyDose) else (dose.reason, dose.element))
    assert found[0] == found[1] == found[2]


@given(values, values, some_timings)
def test_a_dose_split_over_two_concurrent_instructions_is_the_same_dose(
    one: Fraction, other: Fraction, timing: Timing
) -> None:
    whole = computed(mg(one + other, timing))
    split = computed(mg(one, timing, sequence=1), mg(other, timing, sequence=1))
    assert (split.low, split.high, split.dosing_day) == (whole.low, whole.high, whole.dosing_day)
    assert split.single <= whole.single
    assert not split.together


@given(values, values, some_timings, st.booleans(), st.lists(maxima, max_size=2))
def test_a_larger_dose_is_never_read_as_a_smaller_one(
    value: Fraction, more: Fraction, timing: Timing, as_needed: bool, most: list[MaxDose]
) -> None:
    less_dose = computed(mg(value, timing, as_needed=as_needed, maxima=tuple(most)))
    more_dose = computed(mg(value + more, timing, as_needed=as_needed, maxima=tuple(most)))
    assert all(a <= b for a, b in zip(numbers(less_dose), numbers(more_dose), strict=True))


@given(values, some_timings, counts, st.booleans(), st.lists(maxima, max_size=2))
def test_a_higher_frequency_is_never_read_as_a_lower_dose(
    value: Fraction, timing: Timing, more: Fraction, as_needed: bool, most: list[MaxDose]
) -> None:
    assume(timing.frequency is not None)
    oftener = replace(timing, frequency=(timing.frequency or 0) + more)
    less_dose = computed(mg(value, timing, as_needed=as_needed, maxima=tuple(most)))
    more_dose = computed(mg(value, oftener, as_needed=as_needed, maxima=tuple(most)))
    assert all(a <= b for a, b in zip(numbers(less_dose), numbers(more_dose), strict=True))


@given(values, plain_timings, st.integers(2, 5))
def test_so_many_times_as_often_in_so_many_times_the_period_is_the_same_dose(
    value: Fraction, timing: Timing, factor: int
) -> None:
    assert timing.frequency is not None
    assert timing.period is not None
    longer = replace(timing, frequency=timing.frequency * factor, period=timing.period * factor)
    assert numbers(computed(mg(value, longer))) == numbers(computed(mg(value, timing)))


@given(st.lists(sensible, min_size=2, max_size=4))
def test_a_schedule_of_steps_is_its_largest_step(instructions: list[Dosage]) -> None:
    week = timedelta(days=7)
    begins = [date(2026, 1, 1) + n * week for n in range(len(instructions))]
    steps = [
        replace(one, sequence=None, start=day, end=day + week - timedelta(days=1), days=Fraction(7))
        for one, day in zip(instructions, begins, strict=True)
    ]
    whole = computed(*steps)
    apart = [computed(step) for step in steps]
    assert all_numbers(whole.steps) == all_numbers(apart)
    assert whole.high == max(step.high for step in apart)
    assert whole.single == max(step.single for step in apart)
    assert whole.dosing_day == max(step.dosing_day for step in apart)
    assert whole.low == min(step.low for step in apart)
    assert numbers(whole.first) == numbers(apart[0])


@given(st.lists(sensible, min_size=2, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_instructions_in_the_list_does_not_matter(instructions: list[Dosage], chance: Random) -> None:
    shuffled = chance.sample(instructions, len(instructions))
    one, other = computed(*instructions), computed(*shuffled)
    assert numbers(one) == numbers(other)
    assert all_numbers(one.steps) == all_numbers(other.steps)
    assert one.together == other.together


@given(values, some_timings, st.lists(maxima, max_size=2))
def test_an_as_needed_order_is_never_more_than_the_same_taken_regularly(
    value: Fraction, timing: Timing, most: list[MaxDose]
) -> None:
    regular = computed(mg(value, timing))
    as_needed = computed(mg(value, timing, as_needed=True, maxima=tuple(most)))
    assert as_needed.low == 0
    assert all(a <= b for a, b in zip(numbers(as_needed), numbers(regular), strict=True))


@given(values, st.one_of(st.none(), some_timings), st.lists(maxima, min_size=1, max_size=2))
def test_an_as_needed_order_is_never_more_than_its_maximum(
    value: Fraction, timing: Timing | None, most: list[MaxDose]
) -> None:
    quantity = milligrams(value)
    dose = computed(Dosage(quantity, quantity, timing, as_needed=True, maxima=tuple(most)))
    for maximum in most:
        periods_a_day = 1 / (maximum.period.value * DAYS_PER_UNIT[maximum.period.code])
        assert dose.high <= maximum.amount.value * periods_a_day
        assert dose.dosing_day <= maximum.amount.value * max(1, ceil(periods_a_day))


@given(values, st.one_of(st.none(), some_timings))
def test_an_as_needed_order_without_a_frequency_or_a_maximum_has_no_dose(
    value: Fraction, timing: Timing | None
) -> None:
    regular = dose_of(Dosage(milligrams(value), milligrams(value), timing))
    as_needed = dose_of(Dosage(milligrams(value), milligrams(value), timing, as_needed=True))
    assert isinstance(as_needed, DailyDose) == isinstance(regular, DailyDose)


words = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(["25", "mg", "1", "tablet", "daily", "then", "2", "at bedtime", "1-0-1", "max"])).map(
        " ".join
    ),
)


@given(st.one_of(sensible, dosages()), words)
def test_words_that_are_not_understood_never_change_a_dose(dosage: Dosage, text: str) -> None:
    assume(directions(text) is None)
    worded, alone = dose_of(replace(dosage, text=text)), dose_of(replace(dosage, text=""))
    worded = replace(worded, unheard="") if isinstance(worded, DailyDose) else worded
    assert worded == alone or (isinstance(worded, NotComputed) and worded.reason == "dose-in-words")
    assert isinstance(worded, DailyDose) == isinstance(alone, DailyDose)


@given(st.one_of(sensible, dosages()), words)
def test_words_never_raise_a_structured_dose(dosage: Dosage, text: str) -> None:
    alone = dose_of(replace(dosage, text=""))
    worded = dose_of(replace(dosage, text=text))
    if isinstance(alone, DailyDose) and isinstance(worded, DailyDose):
        assert all(a <= b for a, b in zip(numbers(worded), numbers(alone), strict=True))


@settings(max_examples=300)
@given(st.fractions(min_value=-10_000, max_value=10_000))
def test_a_number_is_exact_unless_it_says_about(value: Fraction) -> None:
    written = number(value)
    if written.startswith("about "):
        assert abs(Fraction(written.removeprefix("about ")) - value) <= Fraction(1, 2000)
        assert (value * 1000).denominator != 1
    else:
        assert Fraction(written) == value


@given(st.integers(-(10**9), 10**9))
def test_thousandths_are_always_exact(thousandths: int) -> None:
    assert Fraction(number(Fraction(thousandths, 1000))) == Fraction(thousandths, 1000)

"""Directions as prescribers of many countries write them, and look-alikes that must not be computed."""

from fractions import Fraction
from pathlib import Path

from service.dosing.amount import NotComputed, Product
from service.dosing.compute import daily_dose
from service.dosing.dosage import Dosage
from service.terminology.recognise import Recognition, Strength

TABLET = Fraction(25)
PRODUCT = Product(
    "amitriptyline",
    Recognition(drugs=("amitriptyline",)),
    "Amitriptyline 25 mg",
    (Strength("amitriptyline", TABLET, "Medication"),),
)
HEARD = [
    line.split("\t")
    for line in Path(__file__).with_name("directions_heard.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]


def taken(text: str) -> str:
    """What a text makes of an order without any data, in the notation of the list."""
    dose = daily_dose([Dosage(text=text)], PRODUCT)
    if isinstance(dose, NotComputed):
        return "-"
    average, day = dose.high / TABLET, dose.dosing_day / TABLET
    kind = "p" if dose.low == 0 else "r" if dose.low < dose.high else ""
    return f"{kind}{average}" if average == day else f"{kind}{average}@{day}"


def test_directions_are_heard_or_not_computed() -> None:
    assert [(text, taken(text)) for _, text in HEARD] == [(text, expected) for expected, text in HEARD]


def test_of_two_bare_numbers_the_larger_is_the_single_dose_unless_the_second_is_one() -> None:
    single = {text: daily_dose([Dosage(text=text)], PRODUCT) for text in ("3x1", "1x3", "2x3", "3x2")}
    doses = {text: dose.single / TABLET for text, dose in single.items() if not isinstance(dose, NotComputed)}
    assert doses == {"3x1": 1, "1x3": 3, "2x3": 3, "3x2": 3}


def test_a_maximum_below_the_frequency_is_what_is_taken_at_most() -> None:
    dose = daily_dose([Dosage(text="1 tablet every 6 hours, max 3 per day")], PRODUCT)
    assert not isinstance(dose, NotComputed)
    assert "4 a day = 100 mg/day, but at most 75 mg/day" in dose.working

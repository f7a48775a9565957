"""Words beside complete data that are not understood whole: whether they may say another dose.

Half-understood directions give no dose and contradict none, but amounts and times in them that the data does not have
are named. So are words of a script in which no language is known: they may say anything.
"""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from service.dosing.amount import NotComputed, Product, Quantity, amount
from service.dosing.clauses import MOST_PIECES
from service.dosing.dosage import DailyDose, Dosage
from service.dosing.freetext import directions, understood_part
from service.dosing.units import DAYS_PER_UNIT, Kind, unit_of_text
from service.dosing.vocabulary import Lettered
from service.terminology.names import script

_AMOUNT = re.compile("nu")
_SCHEME = re.compile("(?<![n-])n-n-n(?:-n)?(?!-)")
_TIMES = re.compile("[no][xX]d|od|r|e?nH|en[phm]|nx(?!n)")
_NUMBER = re.compile(
    r"(?<=[MUY])n(?=d(?!n))|(?<=[MU]d)n(?![uxX])|n(?=[xX](?![nd]))|(?<![?nu]x)(?<=x)n(?![phu(])"
    r"|(?<![?t])o(?![dtoXx])|(?<!\?,)(?<![-?nCcBxX/(l])n(?![-?nuxXpHhKocDdz/(])"
)
"""A number that stands alone, behind "at most" or "x", or before "times": tablets, or times a day."""
_ADDING = re.compile("^&.*[nmu]")
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK"})
"""Scripts of the languages of ``cards/directions``."""
_RAREST = Fraction(1, 3)
"""Doses a day: what is done more rarely than every third day may be a visit."""


def unheard(dosages: Sequence[Dosage], doses: Sequence[DailyDose], product: Product) -> str:
    """The first words beside the doses of an order that may say another dose; empty when none does."""
    texts = dict.fromkeys(words.strip() for dosage in dosages for words in (dosage.text, *dosage.beside))
    unclear = [words for words in texts if any(map(str.isalnum, words)) and directions(words) is None]
    if not unclear:
        return ""
    known = _Known(dosages, doses, product)
    for words in unclear:
        part = understood_part(words)
        if known.lacks(part) if part is not None else _in_another_script(words):
            return words
    return ""


class _Known:
    """The amounts, times a day and days of the week that the data of an order has."""

    def __init__(self, dosages: Sequence[Dosage], doses: Sequence[DailyDose], product: Product) -> None:
        self._product = product
        self._masses = {
            mg for dose in doses for mg in (dose.single, dose.high, dose.low, dose.dosing_day, dose.low / dose.times)
        }
        piece = self._of_pieces(Fraction(1))
        self._masses |= {piece} if piece is not None else set()
        self._times = {rate for dose in doses for rate in (dose.times, dose.high / dose.single)}
        self._days = {day for dosage in dosages if dosage.timing is not None for day in dosage.timing.days_of_week}

    def lacks(self, words: Lettered) -> bool:
        """True when words hold an amount, a rhythm, a day or a number that the data does not have, or add to it."""
        amounts = {mg for quantity in _quantities(words) if (mg := self._mg(quantity)) is not None}
        if not (
            amounts <= self._masses and set(_rates(words)) <= self._times and set(words.values_of("w")) <= self._days
        ):
            return True
        return _ADDING.search(words.letters) is not None or any(map(self._other_number, _numbers(words)))

    def _other_number(self, number: Fraction) -> bool:
        """True for a number that is neither the tablets of the data nor its times a day."""
        return number not in self._times and self._of_pieces(number) not in self._masses

    def _of_pieces(self, number: Fraction) -> Fraction | None:
        return self._mg(Quantity(number, "tablet"))

    def _mg(self, quantity: Quantity) -> Fraction | None:
        found = amount(quantity, self._product)
        return None if isinstance(found, NotComputed) else found.mg


def _in_another_script(words: str) -> bool:
    """True for words of a script in which no language is known."""
    return any(script(word) not in _SCRIPTS for word in _WORD.findall(words))


def _quantities(run: Lettered) -> Iterator[Quantity]:
    """The amounts in a run, and what a scheme such as 1-0-1 comes to; so many pieces are those of a package."""
    for match in _AMOUNT.finditer(run.letters):
        part = run.part(*match.span())
        number, unit = part.numbers()[0], unit_of_text(part.value("u"))
        if unit is not None and not (unit.kind is Kind.COUNT and number >= MOST_PIECES):
            yield Quantity(number, part.value("u"))
    for match in _SCHEME.finditer(run.letters):
        yield Quantity(sum(run.part(*match.span()).numbers(), Fraction(0)), "tablet")


def _numbers(run: Lettered) -> Iterator[Fraction]:
    found = (run.part(*match.span()).numbers("no")[0] for match in _NUMBER.finditer(run.letters))
    yield from (number for number in found if number < MOST_PIECES)


def _rates(run: Lettered) -> Iterator[Fraction]:
    """The times a day in a run."""
    for match in _TIMES.finditer(run.letters):
        part = run.part(*match.span())
        if part.letters == "r":
            count, period, unit = part.value("r").split("/")
        else:
            each = part.letters[0] == "e" or part.letters[-1] == "H"
            number, unit = str(part.numbers("no")[0]), part.value("pdh", "h" if part.letters[-1] == "H" else "d")
            count, period = ("1", number) if each else (number, "1")
        days = Fraction(period) * DAYS_PER_UNIT[unit]
        if days > 0 and (rate := Fraction(count) / days) >= _RAREST:
            yield rate

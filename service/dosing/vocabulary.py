"""The words of directions, one table per language (``cards/directions``), and a text as words and phrases."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import NamedTuple

from service.dosing.units import CARDS, Kind, comparable, read_table, unit_of_text, unit_words
from service.terminology.folding import fold

FRACTION_SLASH = "\N{FRACTION SLASH}"
_VULGAR = re.compile(
    "[\N{VULGAR FRACTION ONE QUARTER}-\N{VULGAR FRACTION THREE QUARTERS}\N{VULGAR FRACTION ONE THIRD}]"
)
_DATE = r"\d{4}-\d\d-\d\d|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4}"
_TOKEN = re.compile(
    rf"(?:{_DATE})(?![\d/-])"
    r"|\d+/\d+(?![\d/])|\d{1,2}:\d\d(?![\d:])|\d+(?:[.,]\d+)?|[^\W\d_]+|(?<!\w)[.,]\d+|[^\s.]"
)
_NUMERIC = (
    # Two decimals at most, three after a zero: "1,000 mg" is a thousand to some and one to others, and is not read.
    (re.compile(r"[1-9]\d{0,3}(?:[.,]\d{1,2})?|0(?:[.,]\d{1,3})?|[1-3]/[2-4]"), "n"),
    (re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d|24:00|0\d\.[0-5]\d"), "c"),
    (re.compile(_DATE), "z"),
)
"""Numbers, hours and dates, and the letter of each."""
_BRITISH_LENGTH = re.compile(r"(\d{1,2})/(7|52|12)")
_BRITISH_PERIODS = {"7": "d", "52": "wk", "12": "mo"}
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "ij": "2", "iij": "3"}
_ROMAN_PIECES = _ROMAN | {"iv": "4", "v": "5"}
"""Roman numerals of prescriptions. "iv" is a way to give a drug, too, so it counts pieces only."""
_DASH_BEFORE_NUMBER = re.compile(r"(?<=[^\W\d_])\s+[-–—]\s+(?=\d)")
_PLURAL = re.compile(r"(?<=\w)\((?:s|n|en|e|es)\)")
_HOUR_AND_MINUTES = re.compile(r"(?<!\d)(\d{1,2})h([0-5]\d)(?!\w)")
# "1/0/1", "1+1+1+1": a scheme; of a date the year has more digits.
_SCHEME = re.compile(r"(?<![\w/.,+])(\d)([/+])(\d)\2(\d)(?:\2(\d))?(?![\w/.,+]*\d)")
_TIMES_WRITTEN_ON = re.compile(r"(?<=\d)x(?=[^\W\d_])")
_IN_A_DAY = re.compile(r"(?<=\d)/(?=24 ?h)")
_ABBREVIATION = re.compile(r"(?<!\w)(?:[^\W\d_]\.){1,3}[^\W\d_](?!\w)\.?")
_SHORTEST_DAY = 2
"""Letters of a weekday that is not one alone: "so" and "ne" are Sunday, and other words."""
_FIGURES = re.compile("n-n-n(?:-n)?")
_TWO_NUMBERS = re.compile(r"n\(n\)(?=[uXdph])|nn")

LETTERS = {
    "counts": "o",  # once, twice
    "times": "X",  # times
    "as needed": "s",
    "at most": "M",
    "most a day": "Y",  # maximum daily dose
    "up to": "U",
    "in": "i",
    "divided doses": "D",  # in 3 divided doses
    "every": "e",
    "to": "t",
    "or": "t",
    "to or at": "t",
    "from": "F",  # from Monday to Friday
    "until": "t",
    "and": "&",
    "each": "a",  # 1 tablet of 25 mg
    "total": "T",
    "for": "l",  # for 7 days
    "take": "v",
    "to be taken": "b",
    "hourly": "H",
    "at the hour": "C",  # kl. 8
    "at the bare hour": "B",  # the same, never before "8 h": to Germans that is "every 8 hours"
    "o'clock": "K",
    "fillers": "f",
}
"""The sections of a table that are lists of phrases, and the letter of each."""

_VALUED = {
    "numbers": "n",
    "counts a day": "o",
    "a period": "d",
    "periods": "p",
    "moments": "m",
    "rhythms": "r",
    "halves of the day": "K",  # am, pm
}
"""The sections that are phrases by their value, and the letter of each; hours have one of their own, ``h``."""

OR, AT = "or", "to or at"
"""Values that tell the letters of "to" apart."""


class Phrase(NamedTuple):
    """One or more words with one meaning: a letter, and a value where the letter needs one."""

    words: tuple[str, ...]
    letter: str
    value: str = ""


Table = dict[str, list[Phrase]]
"""The phrases of a language by their first word, the longest first."""


@cache
def languages() -> dict[str, Table]:
    """The table of every language, with what all share. Raises FaultyLibrary."""
    shared = [Phrase((sign,), sign) for sign in "-,()x/"]
    shared += [Phrase((sign,), letter) for sign, letter in ((";", ","), (":", ","), ("×", "x"), ("*", "x"))]
    units = (word for word, unit in unit_words().items() if unit.kind is not Kind.MASS_A_KILOGRAM)
    shared += [Phrase(tuple(words_of(word)), "u", word) for word in units] + phrases("any")
    names = sorted(path.stem for path in (CARDS / "directions").glob("*.yaml") if path.stem != "any")
    return {name: _table([*shared, *phrases(name)]) for name in names}


@cache
def known_words() -> dict[str, frozenset[str]]:
    """All words of each language's table, Roman numerals included: a quick look before a text is read."""
    words = {
        name: {word for alike in table.values() for one in alike for word in one.words}
        for name, table in languages().items()
    }
    return {name: frozenset(known).union(_ROMAN_PIECES) for name, known in words.items()}


def phrases(language: str) -> list[Phrase]:
    """The phrases of one language's table."""
    content = read_table(f"directions/{language}.yaml")
    found = [(content.get(name, ""), letter, name if letter == "t" else "") for name, letter in LETTERS.items()]
    found += [
        (text, "h" if (name, value) == ("periods", "h") else letter, str(value))
        for name, letter in _VALUED.items()
        for value, text in content.get(name, {}).items()
    ]
    before = ["", *(f"{word} " for word in content.get("on", "").split(",") if word)]
    for day, text in content.get("weekdays", {}).items():
        found += [(f"{on}{name.strip()}", "w", day) for on in before for name in text.split(",")]
    split = [(words, letter, value) for text, letter, value in found for words in text.split(",") if words.strip()]
    return [Phrase(tuple(words_of(words)), letter, value) for words, letter, value in split]


def _table(found: list[Phrase]) -> Table:
    table: Table = {}
    for phrase in found:
        table.setdefault(phrase.words[0], []).append(phrase)
    for alike in table.values():
        alike.sort(key=lambda phrase: -len(phrase.words))
    return table


def words_of(text: str) -> list[str]:
    """The words, numbers and signs of a text, made comparable."""
    letters = fold(text)
    if letters.replace(" ", "").isalpha():
        return (letters if letters.isascii() else "".join(map(_bare, letters))).split()
    spaced = fold(_VULGAR.sub(lambda match: f" {match[0]}", text)).replace(FRACTION_SLASH, "/")
    spaced = _TIMES_WRITTEN_ON.sub("x ", _IN_A_DAY.sub(" / ", spaced))
    spaced = _DASH_BEFORE_NUMBER.sub(", ", spaced)
    spaced = _PLURAL.sub("", spaced.replace("–", "-").replace("—", "-"))
    spaced = _HOUR_AND_MINUTES.sub(r"\1:\2", spaced)
    spaced = _SCHEME.sub(lambda match: "-".join(filter(None, match.group(1, 3, 4, 5))), spaced)
    spaced = _ABBREVIATION.sub(lambda match: match[0].replace(".", ""), spaced)
    return _TOKEN.findall(spaced if spaced.isascii() else "".join(map(_bare, spaced)))


@lru_cache(1024)
def _bare(letter: str) -> str:
    """A letter without its accent; full stops and hyphens stay."""
    return comparable(letter) or letter


@dataclass(frozen=True, slots=True)
class Lettered:
    """A text or a part of one as letters, the value of each, and the letters just before and behind it."""

    letters: str
    values: list[str]
    before: str = ""
    after: str = ""

    def part(self, start: int, end: int) -> "Lettered":
        """The part between two places."""
        letters = self.letters
        return Lettered(letters[start:end], self.values[start:end], letters[:start][-1:], letters[end : end + 1])

    def values_of(self, letters: str) -> list[str]:
        """The values of these letters, in order."""
        return [value for letter, value in zip(self.letters, self.values, strict=True) if letter in letters]

    def value(self, letters: str, default: str = "") -> str:
        """The value of the first of these letters."""
        return next(iter(self.values_of(letters)), default)

    def numbers(self, letters: str = "n") -> list[Fraction]:
        """The numbers that these letters stand for."""
        return [Fraction(value.replace(",", ".")) for value in self.values_of(letters)]


UNKNOWN, SIGN = "?", "!"
"""The letters of a word and of a sign that no table has, where others may stand beside them."""


def lettered(words: list[str], table: Table, *, partly: bool = False) -> Lettered | None:
    """The words as letters, without those that change nothing; None when one is not in the table.

    ``partly`` has a letter for such a word, too.
    """
    found: list[Phrase] = []
    at = 0
    while at < len(words):
        phrase = _known(words, at, table)
        if phrase is not None:
            at += len(phrase.words)
            found.append(phrase)
            continue
        length = _BRITISH_LENGTH.fullmatch(words[at])
        at += 1
        if length is None or not found or found[-1].letter not in "lx":
            if not partly:
                return None
            unknown = words[at - 1]
            found.append(Phrase((unknown,), UNKNOWN if unknown.isalnum() else SIGN, unknown))
            continue
        found += [Phrase((), "n", length[1]), Phrase((), "p", _BRITISH_PERIODS[length[2]])]
    said = [phrase for phrase in found if phrase.letter != "f"]
    said = [phrase for n, phrase in enumerate(said) if not _idle(phrase, said[n - 1].letter if n else "")]
    letters, digits = "".join(phrase.letter for phrase in said), [_in_digits(phrase) for phrase in said]
    if not all(_of_one_kind(said[match.start() : match.end() : 2]) for match in _FIGURES.finditer(letters)):
        return None
    days = [phrase for phrase in said if phrase.letter == "w"]
    if len(days) == 1 and len(days[0].words[-1]) <= _SHORTEST_DAY:
        return None
    return _joined(Lettered(letters, [phrase.value for phrase in said]), digits)


def _in_digits(phrase: Phrase) -> bool:
    """True for a number that is written in figures; one from a British length is."""
    return phrase.letter == "n" and not "".join(phrase.words).isalpha()


def _idle(phrase: Phrase, before: str) -> bool:
    """True for "2 comprimés à avaler par jour", which says what a tablet is for, and "1 tds pc", which is a meal."""
    return (phrase.letter, before) == ("b", "u") or (phrase.value == "pc" and before != "n")


def _known(words: list[str], at: int, table: Table) -> Phrase | None:
    """The phrase, number or hour at a place; a Roman numeral where no word of the language stands."""
    word = words[at]
    for phrase in table.get(word, ()):
        if tuple(words[at : at + len(phrase.words)]) == phrase.words:
            return phrase
    for pattern, letter in _NUMERIC:
        if pattern.fullmatch(word):
            return Phrase((word,), letter, word)
    if word not in _ROMAN_PIECES:
        return None
    following = _known(words, at + 1, table) if at + 1 < len(words) else None
    pieces = following is not None and following.letter == "u" and _counts_pieces(following.value)
    value = (_ROMAN_PIECES if pieces else _ROMAN).get(word)
    return None if value is None else Phrase((word,), "n", value)


def _counts_pieces(unit: str) -> bool:
    known = unit_of_text(unit)
    return known is not None and known.kind is Kind.COUNT


def _of_one_kind(numbers: Sequence[Phrase]) -> bool:
    """True for a scheme in figures, or in Roman ones: "1-o-1" may hold a zero, and "o" is one in Portuguese."""
    words = {word for number in numbers for word in number.words if word != "0"}
    return words <= _ROMAN.keys() or not any(map(str.isalpha, words))


def _joined(text: Lettered, digits: Sequence[bool]) -> Lettered | None:
    """With "1 1/2" as one number, and "4 (four)" said once; None when doubled numbers differ.

    In words "a half" and "1 half" are a half: "one and a half" is a phrase of its own.
    """
    letters, values = text.letters, list(text.values)
    for match in reversed(list(_TWO_NUMBERS.finditer(letters))):
        first, second = match.start(), match.start() + match[0].rindex("n")
        one, other = text.part(first, second + 1).numbers()
        again = second > first + 1
        if again and one != other:
            return None
        part = one.denominator == 1 and "/" in values[second] and other < 1
        if again or (part and (digits[second] or one == 1)):
            letters = f"{letters[:first]}n{letters[match.end() :]}"
            values[first : match.end()] = [str(one if again else one + other if digits[second] else other)]
    return Lettered(letters, values)

"""Dosage in words, as a last resort and cautiously: a text is understood whole or not at all.

"1-0-1", "Take 1 tablet (150 mg total) by mouth 4 (four) times daily.", "2x tgl. 1 Tbl.", "naponta 3x1 tabletta".
The words of each language are a table, ``cards/directions/<language>.yaml``; what all languages share is ``any.yaml``.
A text is turned into one letter per word or phrase, and patterns of letters say what it means; a word that is in no
table, or a letter that is left over, and nothing of the text is read: half-understood directions are worse than none.
Where two languages understand a text differently, it is not understood.
"""

import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cache

from service.dosing.amount import Quantity
from service.dosing.timing import Rate, Timing, rate
from service.dosing.units import CARDS, Kind, plain, read_table, unit_of_text, unit_words
from service.kept import kept
from service.terminology.folding import fold

LONGEST = 240
"""A longer text is prose, not a direction."""

FRACTION_SLASH = "\N{FRACTION SLASH}"
_VULGAR = re.compile(
    "[\N{VULGAR FRACTION ONE QUARTER}-\N{VULGAR FRACTION THREE QUARTERS}\N{VULGAR FRACTION ONE THIRD}]"
)
_TOKEN = re.compile(r"\d+/\d+(?![\d/])|\d+(?:[.,]\d+)?|[^\W\d_]+|(?<!\w)[.,]\d+|[^\s.]")
# Two decimals at most, three after a zero: "1,000 mg" is a thousand to some and one to others, and is not read.
_NUMBER = re.compile(r"[1-9]\d{0,3}(?:[.,]\d{1,2})?|0(?:[.,]\d{1,3})?|[1-3]/[2-4]")
_PLURAL = re.compile(r"(?<=\w)\((?:s|n|en|e|es)\)")
# "1/0/1", "1/1/1/1": a scheme; of a date the year has more digits.
_SLASHED = re.compile(r"(?<![\w/.,])(\d)/(\d)/(\d)(?:/(\d))?(?![\w/.,]*\d)")
_ABBREVIATION = re.compile(r"(?<!\w)(?:[^\W\d_]\.){1,3}[^\W\d_](?!\w)\.?")

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
    "and": "&",
    "each": "a",  # 1 tablet of 25 mg
    "total": "T",
    "for": "l",  # for 7 days
    "take": "v",
    "to be taken": "b",
    "hourly": "H",
    "fillers": "f",
}
"""The sections of a table that are lists of phrases, and the letter of each."""


@dataclass(frozen=True, slots=True)
class Directions:
    """What a text says: an amount (from ``low`` on), when, whether as needed, and at most how much a day.

    ``total`` is what the amount comes to, from ``total_low`` on, where the text says both: 1 tablet (150 mg).
    ``slots`` are the counts through the day of a scheme such as 1-0-1, without the zeros; ``amount`` is then one.
    """

    amount: Quantity | None = None
    low: Quantity | None = None
    total: Quantity | None = None
    total_low: Quantity | None = None
    timing: Timing | None = None
    as_needed: bool = False
    most_a_day: Quantity | None = None
    slots: tuple[Fraction, ...] = field(default=())


def directions(text: str) -> Directions | None:
    """The directions in a text, None unless every word of it was understood.

    "two daily" alone may be two tablets or two doses, and is not.
    """
    found, bare = _read(text)
    return None if found is None or (bare and found.amount is None) else found


def frequency(text: str) -> Timing | None:
    """The timing in words, None unless the text says that and nothing else. In its place "two daily" is twice."""
    found, _ = _read(text)
    return found.timing if found is not None and found.amount is None and not found.as_needed else None


@kept
def _read(text: str) -> tuple[Directions | None, bool]:
    """The directions in a text, and whether its number of times a day is a number and nothing else."""
    if len(text) > LONGEST:
        return None, False
    words = _words(text)
    readings = {found for table in languages().values() if (found := _in_language(words, table)) is not None}
    return readings.pop() if len(readings) == 1 else (None, False)


def _words(text: str) -> list[str]:
    """The words, numbers and signs of a text, made comparable."""
    spaced = fold(_VULGAR.sub(lambda match: f" {match[0]}", text)).replace(FRACTION_SLASH, "/").replace("–", "-")
    spaced = _SLASHED.sub(lambda match: "-".join(filter(None, match.groups())), _PLURAL.sub("", spaced))
    return _TOKEN.findall(_bare(_ABBREVIATION.sub(lambda match: match[0].replace(".", ""), spaced)))


def _bare(folded: str) -> str:
    """The text without accents; full stops and hyphens stay."""
    return folded if folded.isascii() else "".join(plain(c) or c for c in folded)


@dataclass(frozen=True, slots=True)
class Phrase:
    """One or more words with one meaning: a letter, and a value where the letter needs one."""

    words: tuple[str, ...]
    letter: str
    value: str = ""


Table = dict[str, list[Phrase]]
"""The phrases of a language by their first word, the longest first."""


@cache
def languages() -> dict[str, Table]:
    """The table of every language, with what all share. Raises FaultyLibrary."""
    shared = [Phrase((sign,), sign) for sign in "-,()x"]
    shared += [Phrase((sign,), letter) for sign, letter in ((";", ","), (":", ","), ("×", "x"))]
    shared += [Phrase(tuple(_words(word)), "u", word) for word in unit_words() if "/" not in word] + phrases("any")
    names = sorted(path.stem for path in (CARDS / "directions").glob("*.yaml") if path.stem != "any")
    return {name: _table([*shared, *phrases(name)]) for name in names}


def phrases(language: str) -> list[Phrase]:
    """The phrases of one language's table."""
    content = read_table(f"directions/{language}.yaml")
    found = [(text, letter, "") for name, letter in LETTERS.items() for text in [content.get(name, "")]]
    found += [(text, "n", str(value)) for value, text in content.get("numbers", {}).items()]
    found += [(text, "o", str(value)) for value, text in content.get("counts a day", {}).items()]
    found += [(text, "d", unit) for unit, text in content.get("a period", {}).items()]
    found += [(text, "p", unit) for unit, text in content.get("periods", {}).items()]
    found += [(text, "m", event) for event, text in content.get("moments", {}).items()]
    found += [(text, "r", rhythm) for rhythm, text in content.get("rhythms", {}).items()]
    split = [(words, letter, value) for text, letter, value in found for words in text.split(",") if words.strip()]
    return [Phrase(tuple(_words(words)), letter, value) for words, letter, value in split]


def _table(found: list[Phrase]) -> Table:
    table: Table = {}
    for phrase in sorted(found, key=lambda phrase: -len(phrase.words)):
        table.setdefault(phrase.words[0], []).append(phrase)
    return table


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A text as letters, and the value of each."""

    letters: str
    values: list[str]

    def number(self, at: int) -> Fraction:
        """The number at a place."""
        return Fraction(self.values[at].replace(",", "."))


def _in_language(words: list[str], table: Table) -> tuple[Directions | None, bool] | None:
    parsed = _letters(words, table)
    return _meaning(parsed) if parsed is not None else None


def _letters(words: list[str], table: Table) -> _Parsed | None:
    """The words as letters, without those that change nothing; None when one is not in the table."""
    letters: list[str] = []
    values: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        found = next((p for p in table.get(word, ()) if tuple(words[at : at + len(p.words)]) == p.words), None)
        if found is None and _NUMBER.fullmatch(word):
            found = Phrase((word,), "n", word)
        if found is None:
            return None
        at += len(found.words)
        if found.letter != "f":
            letters.append(found.letter)
            values.append(found.value)
    return _joined(_Parsed("".join(letters), values))


def _joined(parsed: _Parsed) -> _Parsed | None:
    """With "1 1/2" as one number, "4 (four)" said once, and the day of "3 x 1 a day" beside its times.

    None when the doubled numbers differ.
    """
    letters, values = parsed.letters, list(parsed.values)
    while (match := re.search(r"n\(n\)(?=[uXdp])", letters)) is not None:
        one, other = (Fraction(values[n].replace(",", ".")) for n in (match.start(), match.start() + 2))
        if one != other:
            return None
        letters = letters[: match.start() + 1] + letters[match.end() :]
        del values[match.start() + 1 : match.end()]
    for match in reversed(list(re.finditer("nn", letters))):
        whole, part = values[match.start()], values[match.start() + 1]
        if whole.isdigit() and "/" in part and Fraction(part) < 1:
            letters = letters[: match.start()] + letters[match.start() + 1 :]
            values[match.start() : match.end()] = [str(int(whole) + Fraction(part))]
    if (match := re.search(r"(?<=nx)nud(?!n)", letters)) is not None:  # 3 x 1 tablet a day: 3 x a day 1 tablet
        place = match.start()
        letters = f"{letters[:place]}dnu{letters[match.end() :]}"
        values[place : place + 3] = [values[place + 2], *values[place : place + 2]]
    return _Parsed(letters, values)


_RANGE = "n[-t]n"
_ITEMS = re.compile(
    r"(?P<scheme>(?<![n-])n-n-n(?:-n)?(?!-)u?)"
    r"|(?P<most>MUnud|M,?d,?nu|[MU]nud|Y,?nu|Mnd(?!n))"
    rf"|(?P<amount>nuanu|{_RANGE}u\({_RANGE}uT?\)|nu\(nuT?\)|n-?nuu|{_RANGE}u|nu[-t]nu|nu|vn(?![uXxot-])|nb"
    r"|n(?=m|r|o[dr])|(?<=m)n(?![a-zA-Z(-]))"
    rf"|(?P<every>e{_RANGE}p|enp|ep|{_RANGE}H|nH)"
    rf"|(?P<times>U?{_RANGE}[xX]?d|U?oto[dr]?d|U?[xX]?n[xX]?d|U?od|d{_RANGE}[xX](?!p)|dn[xX](?!p)|do|dn(?![-tnu(xX])|nx(?!p|d))"
    r"|(?P<rhythm>r|d)"
    rf"|(?P<length>[lx](?:{_RANGE}|n)p)"
    r"|(?P<moment>m)"
    r"|(?P<divided>,?i?nD)"
    r"|(?P<needed>s|M(?=nuenp))"
    r"|(?P<nothing>[,&()vab])"
)


@dataclass(slots=True)
class _Items:
    """What was found, in order."""

    amounts: list[tuple[int, Directions]] = field(default_factory=list)
    rhythms: list[Timing] = field(default_factory=list)
    moments: list[tuple[int, str]] = field(default_factory=list)
    scheme: Directions | None = None
    most: Quantity | None = None
    divided: Fraction | None = None
    needed: bool = False
    bare: bool = False
    order: str = ""


def _meaning(parsed: _Parsed) -> tuple[Directions | None, bool] | None:
    """The directions that the letters say, None when one is left over or the whole may mean two things."""
    items = _Items()
    at = 0
    while at < len(parsed.letters):
        match = _ITEMS.match(parsed.letters, at)
        if match is None or not _take(match, parsed, items):
            return None
        at = match.end()
    return _whole(items)


def _take(match: re.Match[str], parsed: _Parsed, items: _Items) -> bool:
    """Adds one item; False when it cannot stand."""
    kind, letters, at = str(match.lastgroup), match[0], match.start()
    if kind == "scheme":
        first = items.scheme is None
        items.scheme = _scheme(parsed, letters, at)
        return first and items.scheme is not None
    if kind == "most":
        n = at + letters.rindex("n")
        first = items.most is None
        items.most = Quantity(parsed.number(n), parsed.values[n + 1] if "u" in letters else "")
        return first
    if kind == "amount":
        found = _amount(parsed, letters, at)
        if parsed.letters[:at].endswith("M") and found in dict(items.amounts).values():
            return True  # 1 tablet as needed, max. 1 tablet every 6 hours
        if found is not None:
            items.amounts.append((at, found))
            items.order += "A"
        return found is not None
    if kind in ("every", "times", "rhythm"):
        timing, bare = _rhythm(parsed, letters, at)
        items.bare = items.bare or bare
        items.needed = items.needed or letters.startswith("U")
        items.rhythms.append(timing)
        return 0 not in (timing.frequency, timing.period)
    return _take_mark(kind, letters, parsed, at, items)


def _take_mark(kind: str, letters: str, parsed: _Parsed, at: int, items: _Items) -> bool:
    """Adds what is neither amount nor rhythm; False when it cannot stand."""
    if kind == "divided":
        first, items.divided = items.divided is None, parsed.number(at + letters.index("n"))
        return first and items.divided >= 1
    if kind == "moment":
        items.moments.append((at, parsed.values[at]))
        items.order += "m"
    elif kind == "needed":
        items.needed = True
    elif letters in ("&", ","):
        items.order += letters
    return True


def _scheme(parsed: _Parsed, letters: str, at: int) -> Directions | None:
    """ "1-0-1": amounts in the morning, at noon, in the evening and at night."""
    counts = [parsed.number(at + n) for n, letter in enumerate(letters) if letter == "n"]
    slots = tuple(count for count in counts if count > 0)
    if not slots or any(count >= 10 for count in counts):
        return None
    unit = parsed.values[at + len(letters) - 1] if letters.endswith("u") else ""
    return Directions(Quantity(Fraction(1), unit), slots=slots)


def _amount(parsed: _Parsed, letters: str, at: int) -> Directions | None:
    """One amount: "1 tablet", "1 to 2 tablets", "1 tablet (150 mg total)", "two 25 mg tablets", "take one"."""
    numbers = [parsed.number(at + n) for n, letter in enumerate(letters) if letter == "n"]
    units = [parsed.values[at + n] for n, letter in enumerate(letters) if letter == "u"]
    if not units:
        return _of_pieces(numbers[0], parsed.letters[at + len(letters) :][:1], spoken=len(letters) > 1)
    if letters in ("n-nu", "ntnu", "nu-nu", "nutnu"):
        if len(units) == 2 and units[0] != units[1] and unit_of_text(units[0]) != unit_of_text(units[1]):
            return None
        return Directions(Quantity(numbers[1], units[-1]), low=Quantity(numbers[0], units[-1]))
    if len(numbers) == 1:
        return Directions(Quantity(numbers[0], units[0]))
    if len(numbers) > 2:  # 1-2 tablets (25-50 mg total)
        (low, high, least, most), (piece, mass) = numbers, units
        return Directions(Quantity(high, piece), Quantity(low, piece), Quantity(most, mass), Quantity(least, mass))
    return _with_total(letters, numbers, units)


def _with_total(letters: str, numbers: list[Fraction], units: list[str]) -> Directions | None:
    """ "two 25 mg tablets", "2 tablets of 25 mg", "1 tablet (25 mg)", "2 tablets (50 mg total)"."""
    count, mass = numbers
    kinds = [unit.kind if (unit := unit_of_text(word)) is not None else None for word in units]
    if letters in ("nnuu", "n-nuu"):
        told = kinds == [Kind.MASS, Kind.COUNT]
        return Directions(Quantity(count, units[1]), total=Quantity(count * mass, units[0])) if told else None
    if "a" in letters:
        told = kinds == [Kind.COUNT, Kind.MASS]
        return Directions(Quantity(count, units[0]), total=Quantity(count * mass, units[1])) if told else None
    if "T" not in letters and 1 not in numbers:  # 2 tablets (25 mg): each, or together?
        return None
    return Directions(Quantity(count, units[0]), total=Quantity(mass, units[1]))


def _of_pieces(count: Fraction, following: str, *, spoken: bool) -> Directions | None:
    """A count without a unit, as in "take one at night" and "1 mane": pieces. "take 2 daily" may be two times."""
    if count >= 10 or (following in ("d", "e") and count != 1):
        return None
    return Directions(Quantity(count, "tablet" if spoken else ""))


def _rhythm(parsed: _Parsed, letters: str, at: int) -> tuple[Timing, bool]:
    """How often, and whether that is a bare number: "2 daily"."""
    values = [parsed.values[at + n] for n, letter in enumerate(letters) if letter in "no"]
    numbers = [Fraction(value.replace(",", ".")) for value in values]
    unit = next((parsed.values[at + n] for n, letter in enumerate(letters) if letter in "pd"), "d")
    one = Fraction(1)
    if letters == "r":
        count, period, unit = parsed.values[at].split("/")
        return Timing(frequency=Fraction(count), period=Fraction(period), unit=unit), False
    if letters[0] == "e" or letters[-1] == "H":
        first = numbers[0] if numbers else one
        longest = numbers[1] if len(numbers) > 1 else None
        return Timing(frequency=one, period=first, period_max=longest, unit=unit if letters[0] == "e" else "h"), False
    least, most = (numbers[0], numbers[-1]) if numbers else (one, one)
    bare = "n" in letters and "x" not in letters and "X" not in letters
    return Timing(least, most if most != least else None, one, unit=unit), bare


def _whole(items: _Items) -> tuple[Directions | None, bool] | None:
    if any(_rate(rhythm) != _rate(items.rhythms[0]) for rhythm in items.rhythms):
        return None
    rhythm = items.rhythms[0] if items.rhythms else None
    if items.scheme is not None:
        return _of_scheme(items, rhythm)
    if items.divided is not None or len(items.amounts) > 1:
        return _of_slots(items, rhythm) if items.divided is None else _of_parts(items, rhythm)
    said = items.amounts[0][1] if items.amounts else Directions()
    if said.amount is not None and not said.amount.unit:
        said = replace(said, amount=replace(said.amount, unit="tablet"))
    most = items.most
    if most is not None and not most.unit:
        if said.amount is None or said.amount.value != 1 or said.low is not None:
            return None
        most = Quantity(most.value, said.amount.unit)
    order = items.order.replace("A", "")
    moments = tuple(event for _, event in items.moments)
    if moments[:2] == ("EVE", "HS") and len(moments) == 2 and "mm" in order:
        moments = ("HS",)
    joined = "&" in order
    if (rhythm is not None and joined and len(set(moments)) == 1) or (not joined and {"EVE", "HS"} <= set(moments)):
        return None
    timing = replace(rhythm or Timing(), when=moments) if moments else rhythm
    if said.amount is None and timing is None and most is None and not items.needed:
        return None
    return replace(said, timing=timing, as_needed=items.needed, most_a_day=most), items.bare


def _of_parts(items: _Items, rhythm: Timing | None) -> tuple[Directions, bool] | None:
    """ "600 mg a day in 3 divided doses": a third of it, three times. Nothing else may say when."""
    said, parts = items.amounts[0][1] if len(items.amounts) == 1 else Directions(), items.divided
    if said.amount is None or said.low or said.total or parts is None or rhythm is None or not _once_a_day(rhythm):
        return None
    if items.needed or items.moments or items.most or parts.denominator != 1:
        return None
    each = replace(said.amount, value=said.amount.value / parts)
    return Directions(each, timing=Timing(parts, period=Fraction(1), unit="d")), False


def _once_a_day(rhythm: Timing | None) -> bool:
    """True for "daily", which says nothing beside a scheme, and for no rhythm at all."""
    return rhythm is None or _rate(rhythm) == (Fraction(1), Fraction(1))


def _rate(timing: Timing) -> tuple[Fraction, Fraction] | None:
    found = rate(timing, lambda _: None)
    return (found.low, found.high) if isinstance(found, Rate) else None


def _of_scheme(items: _Items, rhythm: Timing | None) -> tuple[Directions, bool] | None:
    """The scheme, with an amount beside it: "25 mg 1-0-1". Nothing else says when."""
    said = items.scheme
    if said is None or said.amount is None or not _once_a_day(rhythm) or items.needed or items.most or items.moments:
        return None
    if not items.amounts:
        return replace(said, amount=Quantity(Fraction(1), said.amount.unit or "tablet")), False
    other = items.amounts[0][1]
    if len(items.amounts) > 1 or said.amount.unit or other.low or other.total:
        return None
    return replace(said, amount=other.amount), False


def _of_slots(items: _Items, rhythm: Timing | None) -> tuple[Directions, bool] | None:
    """Amounts that differ through the day: "1 tablet in the morning and 2 at night"."""
    order = re.sub("[&,]", "", items.order)
    units = [said.amount.unit for _, said in items.amounts if said.amount is not None and said.amount.unit] or [
        "tablet"
    ]
    plain_amounts = all(said.low is None and said.total is None for _, said in items.amounts)
    if not _once_a_day(rhythm):
        return None
    if items.needed or items.most or not plain_amounts or len({unit_of_text(unit) for unit in units}) != 1:
        return None
    if not re.fullmatch("(?:m+A)+|(?:Am+)+", order) or len({event for _, event in items.moments}) < len(items.moments):
        return None
    groups = re.findall("m+A|Am+", order)
    slots = [
        said.amount.value
        for (_, said), group in zip(items.amounts, groups, strict=True)
        if said.amount is not None and said.amount.value > 0
        for _ in range(group.count("m"))
    ]
    return (Directions(Quantity(Fraction(1), units[0]), slots=tuple(slots)), False) if slots else None

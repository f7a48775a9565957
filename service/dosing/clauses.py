"""The clauses of a text of directions: amounts, rhythms, moments, hours, days, schemes, maxima.

Each is a pattern of the letters of ``vocabulary``; what the clauses say together is decided by ``freetext``.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from service.dosing.amount import Quantity
from service.dosing.dosage import Dosage
from service.dosing.timing import WEEK, Timing
from service.dosing.units import Kind, unit_of_text
from service.dosing.vocabulary import AT, OR, Lettered

_MOST_PIECES = 10
"""From so many pieces on a number beside "x" is that of a package, or milligrams without their unit: "2x30"."""
_ONE = Fraction(1)
_HALF = {"am": "MORN", "pm": "EVE"}
"""Halves of the day that stand without an hour: "1 tab am, 2 tabs pm"."""


_RANGE = "n[-t]n"
_CLAUSE = re.compile(
    r"(?P<days>e?(?:w(?:/w)+|w(?:-w){2,}|F?w[-t]w|w))"
    r"|(?P<dates>Fz(?:tz)?|tz)"
    r"|(?P<hours>[BC](?:[nc][,&]+[aBC]?)+[nc]K|c(?:/c)+|[BC][nc](?:[,&]+[BC]?[nc])+(?![-nuaxXdDphoHtCK(])|(?<=u)n(?:[,&]+n)*&nK|[aBCt]?(?:nK|ch?K?)|[Ct](?:nh?[,&]+[Ct]?)*nh(?!H)"
    r"|(?:[aBC]|(?<=[aBC]nm&))n(?=m)|[BC][nc](?![-nuaxXdDphoHtCK(]))"
    r"|(?P<scheme>(?<![n-])n-n-n(?:-n)?(?!-)u?)"
    rf"|(?P<product>[UM]?(?:nu,?nxn|d?n[xX](?:n[-t])?nu?d?|donu|onud|nxdn)(?![-nuXaCotphHK]|\(n|x(?!n[ph])))"
    r"|(?P<most>MUnud|M,?d,?nu|[MU]nud|Y,?nu|Mnd(?!n)|Mdn(?![-nuxX(]))"
    rf"|(?P<amount>nuanu|{_RANGE}u\({_RANGE}uT?\)|nu\(nuT?\)|n-?nuu|{_RANGE}u|nu[-t]nu|nu|vn(?![uXxot-])|nb"
    rf"|(?:{_RANGE}|n)(?=m|r|[BC]|o[dr])|(?<=[mKcr])n(?![a-zA-Z(-]))"
    rf"|(?P<every>e{_RANGE}[ph]|en[ph]|e[ph]|{_RANGE}H|nH)"
    rf"|(?P<times>t?{_RANGE}[xX]d|U?{_RANGE}[xX]?d|[UMt]n[xX]d|Mdn[xX](?!p)|[UM]?oto[dr]?d|[UM]?od|[UM]?do|U?[xX]?n[xX]?d"
    rf"|d{_RANGE}[xX](?!p)|dn[xX](?!p)|nx(?![pdh]))"
    r"|(?P<rhythm>[UM]?r|d)"
    rf"|(?P<length>[lx](?:{_RANGE}|n)[ph])"
    r"|(?P<moment>m|(?<=u)K)"
    r"|(?P<divided>,?[iC]?nD)"
    r"|(?P<needed>s|M(?=nuen[ph])|U(?=nu(?!d)))"
    r"|(?P<nothing>[,&()vab])"
)


@dataclass(slots=True)
class Clauses:
    """What was found. ``order`` is a letter for each amount A, moment m, hour c, day w, and the signs between.

    ``amounts`` and ``scheme`` are instructions of which only the dose is known.
    """

    amounts: list[Dosage] = field(default_factory=list)
    rhythms: list[Timing] = field(default_factory=list)
    moments: list[str] = field(default_factory=list)
    days: list[str] = field(default_factory=list)
    scheme: Dosage | None = None
    most: Quantity | None = None
    divided: Fraction | None = None
    dates: bool = False
    needed: bool = False
    bare: bool = False
    order: str = ""


def clauses_of(text: Lettered) -> Clauses | None:
    """The clauses of a text, None when a letter is left over or one of them cannot stand."""
    found = Clauses()
    at = 0
    while at < len(text.letters):
        match = _CLAUSE.match(text.letters, at)
        if match is None or not _take(match, text, found):
            return None
        at = match.end()
    cut_off = text.letters.count("uK") == 1  # "25 mg am" may go on: in German it is "on the"
    return None if cut_off or text.letters.startswith("&") else found


def _take(match: re.Match[str], text: Lettered, found: Clauses) -> bool:
    """Adds one clause; False when it cannot stand."""
    kind, letters, at = str(match.lastgroup), match[0], match.start()
    if kind in ("days", "dates", "times") and OR in text.values[at : match.end()]:
        return False
    if kind in _TAKE:
        return _TAKE[kind](text, letters, at, found)
    if kind == "divided":
        first, found.divided = found.divided is None, text.number(at + letters.index("n"))
        return first and found.divided >= 1
    if kind == "dates":
        first, found.dates = not found.dates, True
        return first
    if kind == "moment":
        found.moments.append(_HALF.get(text.values[at], text.values[at]))
        found.order += "m"
        return found.moments[-1] != ""
    if kind == "needed":
        found.needed = True
    elif letters in ("&", ","):
        found.order += letters
    return True


def _take_amount(text: Lettered, letters: str, at: int, found: Clauses) -> bool:
    amount = _amount(text, letters, at)
    if "u" not in letters and "cm" in found.order:
        return False  # at 8 in the morning and 8 in the evening
    if amount is None or (text.letters[:at].endswith("M") and amount in found.amounts):
        return amount is not None  # 1 tablet as needed, max. 1 tablet every 6 hours
    found.amounts.append(amount)
    found.order += "A"
    return True


def _take_rhythm(text: Lettered, letters: str, at: int, found: Clauses) -> bool:
    timing, bare = _rhythm(text, letters, at)
    found.bare = found.bare or bare
    found.needed = found.needed or letters[0] in "UMt"
    found.rhythms.append(timing)
    return 0 not in (timing.frequency, timing.period)


def _take_product(text: Lettered, letters: str, at: int, found: Clauses) -> bool:
    product = _product(text, letters, at)
    if product is None:
        return False
    found.needed = found.needed or letters[0] in "UM"
    found.amounts.append(product[0])
    found.rhythms.append(product[1])
    found.order += "A"
    return True


def _take_scheme(text: Lettered, letters: str, at: int, found: Clauses) -> bool:
    first, found.scheme = found.scheme is None, _scheme(text, letters, at)
    return first and found.scheme is not None


def _take_most(text: Lettered, letters: str, at: int, found: Clauses) -> bool:
    """The maximum per day; maxima of other periods are not read."""
    n = at + letters.rindex("n")
    first = found.most is None
    found.most = Quantity(text.number(n), text.values[n + 1] if "u" in letters else "")
    return first and ("d" not in letters or text.values[at + letters.index("d")] == "d")


def _take_hours(text: Lettered, letters: str, at: int, found: Clauses) -> bool:
    named = _hours(text, at, at + len(letters))
    if named is None or ("t" in letters and AT not in text.values[at : at + len(letters)]):
        return False  # until 8 pm
    found.moments += named
    found.order += "&".join("c" for _ in named)
    return True


def _hours(text: Lettered, at: int, end: int) -> list[str] | None:
    """The hours between two places as "08:00"; None when one is none, or a single "pm" stands behind several."""
    places = [place for place in range(at, end) if text.letters[place] in "nc"]
    half = next((text.values[place] for place in range(at, end) if text.letters[place] == "K"), "")
    if half and len(places) > 1:
        return None
    found = [_hour(text.values[place], half) for place in places]
    return None if None in found else [hour for hour in found if hour is not None]


def _hour(written: str, half: str) -> str | None:
    """One hour: "8", "8.30", "08:30", with "am", "pm" or neither."""
    whole, _, minutes = written.replace(",", ":").replace(".", ":").partition(":")
    if not whole.isdecimal() or (minutes and (len(minutes) != 2 or minutes > "59")):
        return None
    hour = int(whole)
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return f"{hour:02}:{minutes or '00'}" if hour <= 24 else None


def _take_days(text: Lettered, letters: str, at: int, found: Clauses) -> bool:
    """Adds days of the week, with those between a first and a last one; each once, and a chain in order."""
    days = [WEEK.index(text.values[at + n]) for n, letter in enumerate(letters) if letter == "w"]
    if len(days) > 2 and "-" in letters and days != sorted(days):
        return False
    if len(days) == 2 and "/" not in letters:
        days = [(days[0] + n) % len(WEEK) for n in range((days[1] - days[0]) % len(WEEK) + 1)]
    found.days += [WEEK[day] for day in days]
    found.order += "w"
    return len(set(found.days)) == len(found.days)


_TAKE = {
    "amount": _take_amount,
    "product": _take_product,
    "scheme": _take_scheme,
    "most": _take_most,
    "hours": _take_hours,
    "days": _take_days,
    **dict.fromkeys(("every", "times", "rhythm"), _take_rhythm),
}


def _scheme(text: Lettered, letters: str, at: int) -> Dosage | None:
    """ "1-0-1": amounts in the morning, at noon, in the evening and at night."""
    counts = [text.number(at + n) for n, letter in enumerate(letters) if letter == "n"]
    slots = tuple(count for count in counts if count > 0)
    if not slots or any(count >= _MOST_PIECES for count in counts):
        return None
    unit = text.values[at + len(letters) - 1] if letters.endswith("u") else ""
    return Dosage(high=Quantity(_ONE, unit), slots=slots)


def _product(text: Lettered, letters: str, at: int) -> tuple[Dosage, Timing] | None:
    """ "3x1", "3 x 1-2 Tabl.", "25 mg 3x1": so many times a day an amount.

    Some countries write the amount first. Whatever is meant, the daily dose is the same; where the two numbers are
    bare, the larger is the single dose, unless the second is one: nobody writes "3x1" for three tablets at once.
    """
    numbers = [text.number(at + n) for n, letter in enumerate(letters) if letter in "no"]
    unit = text.values[at + letters.index("u")] if "u" in letters else ""
    period = text.values[at + letters.index("d")] if "d" in letters else "d"
    times, low, amount = numbers[0], numbers[1], numbers[-1]
    pieces = (known := unit_of_text(unit)) is None or known.kind is Kind.COUNT
    if letters.lstrip("UM").startswith("nu"):
        low, times, each = numbers
        amount, pieces = low, each != 1
    elif not unit and low == amount and (times.denominator > 1 or (amount.denominator == 1 and amount != 1)):
        times, amount = (amount, times) if times.denominator > 1 else (min(numbers), max(numbers))
        low = amount
    if pieces and (max(numbers) >= _MOST_PIECES or letters.lstrip("UM").startswith("nu")):
        return None
    if times.denominator > 1 or times < 1 or not 0 < low <= amount or (period != "d" and not unit):
        return None
    said = Dosage(Quantity(low, unit) if low != amount else None, Quantity(amount, unit))
    return said, Timing(times, period=_ONE, unit=period)


def _amount(text: Lettered, letters: str, at: int) -> Dosage | None:
    """One amount: "1 tablet", "1 to 2 tablets", "1 tablet (150 mg total)", "two 25 mg tablets", "take one"."""
    numbers = [text.number(at + n) for n, letter in enumerate(letters) if letter == "n"]
    units = [text.values[at + n] for n, letter in enumerate(letters) if letter == "u"]
    if not units:
        return _of_pieces(
            numbers, text.letters[at + len(letters) :][:1], spoken=letters[0] == "v" or letters[-1] == "b"
        )
    if letters in ("n-nu", "ntnu", "nu-nu", "nutnu"):
        if len(units) == 2 and units[0] != units[1] and unit_of_text(units[0]) != unit_of_text(units[1]):
            return None
        return Dosage(Quantity(numbers[0], units[-1]), Quantity(numbers[1], units[-1]))
    if len(numbers) == 1:
        return Dosage(high=Quantity(numbers[0], units[0]))
    if len(numbers) > 2:  # 1-2 tablets (25-50 mg total)
        (low, high, least, most), (piece, mass) = numbers, units
        together = (Quantity(least, mass), Quantity(most, mass))
        return Dosage(Quantity(low, piece), Quantity(high, piece), others=(together,))
    return _with_total(letters, numbers, units)


def _with_total(letters: str, numbers: list[Fraction], units: list[str]) -> Dosage | None:
    """ "two 25 mg tablets", "2 tablets of 25 mg", "1 tablet (25 mg)", "2 tablets (50 mg total)"."""
    count, mass = numbers
    kinds = [unit.kind if (unit := unit_of_text(word)) is not None else None for word in units]
    if letters in ("nnuu", "n-nuu"):
        in_order = kinds == [Kind.MASS, Kind.COUNT]
        return _coming_to(Quantity(count, units[1]), Quantity(count * mass, units[0])) if in_order else None
    if "a" in letters:
        in_order = kinds == [Kind.COUNT, Kind.MASS]
        return _coming_to(Quantity(count, units[0]), Quantity(count * mass, units[1])) if in_order else None
    if "T" not in letters and 1 not in numbers:  # 2 tablets (25 mg): each, or together?
        return None
    return _coming_to(Quantity(count, units[0]), Quantity(mass, units[1]))


def _coming_to(pieces: Quantity, mass: Quantity) -> Dosage:
    return Dosage(high=pieces, others=((mass, mass),))


def _of_pieces(counts: list[Fraction], following: str, *, spoken: bool) -> Dosage | None:
    """A count without a unit, as in "take one at night" and "1-2 mane": pieces. "take 2 daily" may be two times."""
    low, most = counts[0], counts[-1]
    if most >= _MOST_PIECES or low > most or (following in ("d", "e") and most != 1):
        return None
    unit = "tablet" if spoken else ""
    return Dosage(Quantity(low, unit) if low != most else None, Quantity(most, unit))


def _rhythm(text: Lettered, letters: str, at: int) -> tuple[Timing, bool]:
    """How often, and whether that is a bare number: "2 daily"."""
    numbers = [text.number(at + n) for n, letter in enumerate(letters) if letter in "no"]
    unit = next((text.values[at + n] for n, letter in enumerate(letters) if letter in "pdh"), "d")
    if letters[-1] == "r":
        count, period, unit = text.values[at + len(letters) - 1].split("/")
        return Timing(Fraction(count), period=Fraction(period), unit=unit), False
    if letters[0] == "e" or letters[-1] == "H":
        first = numbers[0] if numbers else _ONE
        longest = numbers[1] if len(numbers) > 1 else None
        return Timing(_ONE, period=first, period_max=longest, unit=unit if letters[0] == "e" else "h"), False
    least, most = (numbers[0], numbers[-1]) if numbers else (_ONE, _ONE)
    bare = "n" in letters and "x" not in letters and "X" not in letters
    return Timing(least, most if most != least else None, _ONE, unit=unit), bare

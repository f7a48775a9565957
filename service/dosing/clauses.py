"""The clauses of a text of directions: amounts, rhythms, moments, hours, days, schemes, maxima.

Each is a pattern of the letters of ``vocabulary``; what the clauses say together is decided by ``freetext``.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from service.dosing.amount import Quantity
from service.dosing.dosage import WEEK, Dosage, Timing
from service.dosing.units import Kind, unit_of_text
from service.dosing.vocabulary import AT, OR, Lettered

MOST_PIECES = 10
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
    rf"|(?P<amount>nuanu|{_RANGE}u\({_RANGE}uT?\)|nu\(nuT?\)|n-?nuu|{_RANGE}u|nu[-t]nu|nu|vn(?![uXxot-])|{_RANGE}b|nb"
    rf"|(?:{_RANGE}|n)(?=m|r|[BC]|o[dr])|(?<=[mKcr])n(?![a-zA-Z(-]))"
    rf"|(?P<every>e{_RANGE}[ph]|en[ph]|e[ph]|{_RANGE}H|nH)"
    rf"|(?P<times>t?{_RANGE}[xX]d|U?{_RANGE}[xX]?d|[UMt]n[xX]d|Mdn[xX](?!p)|[UM]?oto[dr]?d|[UM]?od|[UM]?do|U?[xX]?n[xX]?d"
    rf"|d{_RANGE}[xX](?!p)|dn[xX](?!p)|nx(?![pdh]))"
    r"|(?P<rhythm>[UM]?r|d)"
    rf"|(?P<length>[lx](?:{_RANGE}|n)[ph]|(?<=d)np$)"
    r"|(?P<moment>m|(?<=u)K)"
    r"|(?P<divided>,?[iC]?nD)"
    r"|(?P<needed>s|M(?=nuen[ph])|U(?=nu(?!d)))"
    r"|(?P<nothing>[,&()vab])"
)


@dataclass(slots=True)
class Clauses:
    """What was found. ``order`` is a letter for each amount A, moment m, hour c, day w, and the signs between.

    ``amounts`` and ``scheme`` are instructions of which only the dose is known. ``counted`` says that a rhythm tells
    how often, which "a day" does not.
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
    counted: bool = False
    order: str = ""


def clauses_of(text: Lettered) -> Clauses | None:
    """The clauses of a text, None when a letter is left over or one of them cannot stand."""
    found = Clauses()
    at = 0
    while at < len(text.letters):
        match = _CLAUSE.match(text.letters, at)
        if match is None or not _take(str(match.lastgroup), text.part(at, match.end()), found):
            return None
        at = match.end()
    cut_off = text.letters.count("uK") == 1  # "25 mg am" may go on: in German it is "on the"
    return None if cut_off or text.letters.startswith("&") else found


def _take(kind: str, clause: Lettered, found: Clauses) -> bool:
    """Adds one clause; False when it cannot stand."""
    if kind in ("days", "dates", "times") and OR in clause.values:
        return False
    if kind in _TAKE:
        return _TAKE[kind](clause, found)
    if kind == "divided":
        first, found.divided = found.divided is None, clause.numbers()[0]
        return first and found.divided >= 1
    if kind == "dates":
        first, found.dates = not found.dates, True
        return first
    if kind == "moment":
        found.moments += (_HALF.get(value, value) for value in clause.values)
        found.order += "m"
        return found.moments[-1] != ""
    if kind == "needed":
        found.needed = True
    elif clause.letters in ("&", ","):
        found.order += clause.letters
    return True


def _take_amount(clause: Lettered, found: Clauses) -> bool:
    amount = _amount(clause)
    if "u" not in clause.letters and "cm" in found.order:
        return False  # at 8 in the morning and 8 in the evening
    if amount is None or (clause.before == "M" and amount in found.amounts):
        return amount is not None  # 1 tablet as needed, max. 1 tablet every 6 hours
    found.amounts.append(amount)
    found.order += "A"
    return True


def _take_rhythm(clause: Lettered, found: Clauses) -> bool:
    timing, bare = _rhythm(clause)
    found.bare = found.bare or bare
    found.counted = found.counted or clause.letters != "d"
    found.needed = found.needed or clause.letters[0] in "UMt"
    found.rhythms.append(timing)
    return 0 not in (timing.frequency, timing.period)


def _take_product(clause: Lettered, found: Clauses) -> bool:
    product = _product(clause)
    if product is None:
        return False
    found.needed = found.needed or clause.letters[0] in "UM"
    found.amounts.append(product[0])
    found.rhythms.append(product[1])
    found.order += "A"
    return True


def _take_scheme(clause: Lettered, found: Clauses) -> bool:
    """ "1-0-1": amounts in the morning, at noon, in the evening and at night."""
    counts = clause.numbers()
    slots = tuple(count for count in counts if count > 0)
    first, found.scheme = found.scheme is None, Dosage(high=Quantity(_ONE, clause.value("u")), slots=slots)
    return first and bool(slots) and max(counts) < MOST_PIECES


def _take_most(clause: Lettered, found: Clauses) -> bool:
    """The maximum per day; maxima of other periods are not read."""
    first, found.most = found.most is None, Quantity(clause.numbers()[0], clause.value("u"))
    return first and clause.value("d", "d") == "d"


def _take_hours(clause: Lettered, found: Clauses) -> bool:
    """Adds hours as "08:00"; not when one is none, or a single "pm" stands behind several."""
    written, half = clause.values_of("nc"), clause.value("K")
    named = [hour for one in written if (hour := _hour(one, half)) is not None]
    if len(named) < len(written) or (half and len(named) > 1) or ("t" in clause.letters and AT not in clause.values):
        return False  # until 8 pm
    found.moments += named
    found.order += "&".join("c" for _ in named)
    return True


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


def _take_days(clause: Lettered, found: Clauses) -> bool:
    """Adds days of the week, with those between a first and a last one; each once, and a chain in order."""
    days = [WEEK.index(day) for day in clause.values_of("w")]
    if len(days) > 2 and "-" in clause.letters and days != sorted(days):
        return False
    if len(days) == 2 and "/" not in clause.letters:
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


def _product(clause: Lettered) -> tuple[Dosage, Timing] | None:
    """ "3x1", "3 x 1-2 Tabl.", "25 mg 3x1": so many times a day an amount.

    Some countries write the amount first. Whatever is meant, the daily dose is the same; where the two numbers are
    bare, the larger is the single dose, unless the second is one: nobody writes "3x1" for three tablets at once.
    """
    numbers, unit, period = clause.numbers("no"), clause.value("u"), clause.value("d", "d")
    mass_first = clause.letters.lstrip("UM").startswith("nu")
    times, low, amount = numbers[0], numbers[1], numbers[-1]
    pieces = (known := unit_of_text(unit)) is None or known.kind is Kind.COUNT
    if mass_first:
        low, times, each = numbers
        amount, pieces = low, each != 1
    elif not unit and low == amount and (times.denominator > 1 or (amount.denominator == 1 and amount != 1)):
        times, amount = (amount, times) if times.denominator > 1 else (min(numbers), max(numbers))
        low = amount
    if pieces and (max(numbers) >= MOST_PIECES or mass_first):
        return None
    if times.denominator > 1 or times < 1 or not 0 < low <= amount or (period != "d" and not unit):
        return None
    said = Dosage(Quantity(low, unit) if low != amount else None, Quantity(amount, unit))
    return said, Timing(times, period=_ONE, unit=period)


def _amount(clause: Lettered) -> Dosage | None:
    """One amount: "1 tablet", "1 to 2 tablets", "1 tablet (150 mg total)", "two 25 mg tablets", "take one"."""
    letters, numbers, units = clause.letters, clause.numbers(), clause.values_of("u")
    if not units:
        return _of_pieces(numbers, clause.after, spoken=letters[0] == "v" or letters[-1] == "b")
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
    piece, of_mass = reversed(units) if "uu" in letters else units
    if "uu" in letters or "a" in letters:
        kinds = [unit.kind if unit is not None else None for unit in map(unit_of_text, (piece, of_mass))]
        if kinds != [Kind.COUNT, Kind.MASS]:
            return None
        mass *= count
    elif "T" not in letters and 1 not in numbers:  # 2 tablets (25 mg): each, or together?
        return None
    total = Quantity(mass, of_mass)
    return Dosage(high=Quantity(count, piece), others=((total, total),))


def _of_pieces(counts: list[Fraction], following: str, *, spoken: bool) -> Dosage | None:
    """A count without a unit, as in "take one at night" and "1-2 mane": pieces. "take 2 daily" may be two times."""
    low, most = counts[0], counts[-1]
    if most >= MOST_PIECES or low > most or (following in ("d", "e") and most != 1):
        return None
    unit = "tablet" if spoken else ""
    return Dosage(Quantity(low, unit) if low != most else None, Quantity(most, unit))


def _rhythm(clause: Lettered) -> tuple[Timing, bool]:
    """How often, and whether that is a bare number: "2 daily"."""
    letters, numbers, unit = clause.letters, clause.numbers("no"), clause.value("pdh", "d")
    if letters[-1] == "r":
        count, period, unit = clause.values[-1].split("/")
        return Timing(Fraction(count), period=Fraction(period), unit=unit), False
    if letters[0] == "e" or letters[-1] == "H":
        first = numbers[0] if numbers else _ONE
        longest = numbers[1] if len(numbers) > 1 else None
        return Timing(_ONE, period=first, period_max=longest, unit=unit if letters[0] == "e" else "h"), False
    least, most = (numbers[0], numbers[-1]) if numbers else (_ONE, _ONE)
    bare = "n" in letters and "x" not in letters and "X" not in letters
    return Timing(least, most if most != least else None, _ONE, unit=unit), bare

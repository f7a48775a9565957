"""Dosage in words, as a last resort and cautiously: a text is understood whole or not at all.

"1-0-1", "150 mg three times daily", "25 mg nocte", "1 tab at bedtime", "2x tgl. 1 Tbl.", "naponta 3x1 tabletta".
Whatever a text holds beyond the forms below, nothing of it is read: half-understood directions are worse than none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from service.dosing.amount import Quantity
from service.dosing.timing import Timing
from service.terminology.folding import fold

FRACTION_SLASH = "\N{FRACTION SLASH}"
LONGEST = 160
"""A longer text is prose, not a direction."""


@dataclass(frozen=True, slots=True)
class Directions:
    """What a text says: an amount (from ``low`` on), when, whether as needed, and at most how much a day.

    ``slots`` are the counts through the day of a scheme such as 1-0-1, without the zeros; ``amount`` is then
    one of them.
    """

    amount: Quantity | None = None
    low: Quantity | None = None
    timing: Timing | None = None
    as_needed: bool = False
    most_a_day: Quantity | None = None
    slots: tuple[Fraction, ...] = field(default=())


_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "once": 1, "two": 2, "twice": 2, "three": 3, "thrice": 3, "four": 4,
    "ein": 1, "eine": 1, "einen": 1, "zwei": 2, "drei": 3, "vier": 4,
    "einmal": 1, "zweimal": 2, "dreimal": 3, "viermal": 4,
    "egy": 1, "két": 2, "kettő": 2, "három": 3, "négy": 4,
    "egyszer": 1, "kétszer": 2, "háromszor": 3, "négyszer": 4,
}  # fmt: skip
_HALVES = {
    "1/2": Fraction(1, 2), "half a": Fraction(1, 2), "half": Fraction(1, 2),
    "eine halbe": Fraction(1, 2), "halbe": Fraction(1, 2), "fél": Fraction(1, 2),
    "1/4": Fraction(1, 4),
}  # fmt: skip


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


_NUM = r"\d{1,4}(?:[.,]\d{1,2})?"
_UNITS = r"(?:mg|mcg|μg|ug|g|ml|tablet(?:\(s\)|s|te|ten|ta)?|tab(?:s|l)?\.?|tbl\.?|filmtablette(?:n)?|"
_UNITS += r"capsules?(?:\(s\))?|caps?\.?|kapseln?|kapszula|pills?)"
_N = rf"(?:(?P<l>{_NUM})\s*(?:-|to|bis|or)\s*)?(?P<n>{_NUM}|{_any((*_HALVES, *_NUMBERS))})"
_AMOUNT = re.compile(rf"(?:(?<![\w.,/-])|(?<=\dx)){_N}\s*(?P<u>{_UNITS})(?!\w)")
_TIMES = rf"(?P<times#>\d|{_any(_NUMBERS)})\s*(?:x|×|times?|mal|-szor|-szer)?"

_A_DAY = r"(?:(?:a|per|each|every)\s*day|daily|/\s*d(?:ay)?|täglich|tgl\.?|(?:am|pro) tag|naponta|napi)"
_A_WEEK = r"(?:(?:a|per|each|every)\s*(?:week|wk)|weekly|(?:pro|in der) woche|wöchentlich|hetente)"
_HOURS = r"(?:hourly|hours?|hrs?|h|stunden|std\.?|stündlich)"

# Alternatives of one pattern, so that a text is searched once; where two start at one place the first one wins.
# In each, "#" stands for the alternative's number, because a group's name may occur only once.
_RHYTHMS = (
    (rf"(?:every|alle|q)\s*(?P<h#>\d{{1,2}})(?:\s*(?:to|-|bis)\s*(?P<k#>\d{{1,2}}))?\s*{_HOURS}", "h"),
    (r"(?P<h#>\d{1,2})\s*(?:óránként|stündlich|hourly)", "h"),
    (r"every (?:other|second) day|(?:on )?alternate days|jeden (?:zweiten|2\.?) tag|másnaponta|q\.?o\.?d\.?", "2d"),
    (rf"{_TIMES}\s*{_A_WEEK}", "wk"),
    (r"weekly|(?:a|per|each|every) week|wöchentlich|hetente", "1wk"),
    (rf"(?:naponta|napi|täglich|tgl\.?|daily)\s*{_TIMES}", "d"),
    (rf"{_TIMES}\s*{_A_DAY}", "d"),
    (r"(?P<times#>\d)\s*[x×]", "d"),
    (r"b\.?i\.?d\.?|b\.?d\.?", "2"),
    (r"t\.?i\.?d\.?|t\.?d\.?s\.?", "3"),
    (r"q\.?i\.?d\.?|q\.?d\.?s\.?", "4"),
    (rf"{_A_DAY}|o\.?d\.?|q\.?d\.?", "1"),
)
_MOMENTS = (
    (r"q\.?\s*h\.?\s*s\.?|h\.?s\.?|nocte|noct\.?|at bedtime|before bed|at night|every night|nightly|zur nacht|"
     r"vor dem schlafengehen|nachts|lefekvés előtt|lefekvéskor|éjszakára", "HS"),
    (r"(?:in the|every|each) evening|abends|am abend|este", "EVE"),
    (r"(?:in the|every|each) morning|mane|morgens|am morgen|früh|reggel", "MORN"),
    (r"mittags|at noon|délben", "NOON"),
)  # fmt: skip


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w/])(?:{pattern})(?![\w/])")


_RHYTHM = _whole("|".join(f"(?P<r{n}>{p.replace('#', str(n))})" for n, (p, _) in enumerate(_RHYTHMS)))
_MOMENT = _whole("|".join(f"(?P<{event}>{pattern})" for pattern, event in _MOMENTS))
_SLOT = r"(?:1/[24]|[0-9](?:[.,]\d)?)"
_SCHEME = re.compile(rf"(?<![\w.,/-])(?P<s>{_SLOT}(?:\s*-\s*{_SLOT}){{2,3}})(?:\s*(?P<u>{_UNITS}))?(?![\w/-])")
_PRN = _whole(
    r"p\.?r\.?n\.?|(?:as|if|when) (?:needed|required|necessary)|bei bedarf|b\. ?bed\.|"
    r"szükség (?:esetén|szerint)"
)
_MOST = _whole(
    rf"(?:max(?:imum|imal|\.)?|(?:at|not more|no more) (?:most|than)|höchstens|legfeljebb)\s*(?P<n>{_NUM})\s*"
    rf"(?P<u>{_UNITS})\s*(?:{_A_DAY}|(?:per|in|pro|/)\s*24\s*{_HOURS}|/\s*(?:24\s*h|tag))"
)
_OFTEN = re.compile(r"[x×]|times?|mal|sz[oe]r|once|twice|thrice")
"""What makes "3" a number of times: "3x", "3 times", "dreimal", "háromszor"."""

_AND = _whole("and|und|és")
_FILLER = _whole(
    r"take|takes|nehmen|einnehmen|oral(?:ly)?|by mouth|p\.?o\.?|per os|with (?:water|food)|after (?:meals?|food)|"
    r"mit wasser|nach dem essen|zu den mahlzeiten|étkezés után|szedjen|and|und|és"
)


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


def _read(text: str) -> tuple[Directions | None, bool]:
    """The directions in a text, and whether its number of times a day is a number and nothing else."""
    rest = " ".join(fold(text).replace("–", "-").replace(FRACTION_SLASH, "/").split())
    if not rest or len(rest) > LONGEST:
        return None, False
    rest, most = _cut(_MOST, rest)
    rest, prn = _cut(_PRN, rest)
    rest, scheme = _cut(_SCHEME, rest)
    rest, amount = _cut(_AMOUNT, rest)
    rest, timing, bare = _timing(rest)
    if _FILLER.sub(" ", rest).strip(" .,;:()"):
        return None, False
    if scheme is not None:
        return _of_scheme(scheme, amount) if timing is None and prn is None and most is None else None, False
    if amount is None and timing is None and prn is None and most is None:
        return None, False
    low = Quantity(_count(amount["l"]), unit=amount["u"]) if amount is not None and amount["l"] else None
    return Directions(_quantity(amount), low, timing, prn is not None, _quantity(most)), bare


def _cut(pattern: re.Pattern[str], text: str) -> tuple[str, dict[str, str] | None]:
    """The text without the first match, and the match's groups."""
    match = pattern.search(text)
    if match is None:
        return text, None
    return f"{text[: match.start()]} {text[match.end() :]}", match.groupdict("")


def _timing(rest: str) -> tuple[str, Timing | None, bool]:
    """The one rhythm in the text; moments of the day may stand beside it or together ("morning and evening").

    What may mean two things is left in the text, so that it is not understood.
    """
    rhythm: Timing | None = None
    bare = False
    left = rest
    match = _RHYTHM.search(rest)
    if match is not None and match.lastgroup is not None:
        number = match.lastgroup.removeprefix("r")
        groups = {name: match.groupdict().get(f"{name}{number}") or "" for name in ("h", "k", "times")}
        rhythm = _rhythm(_RHYTHMS[int(number)][1], groups)
        bare = bool(groups["times"]) and _OFTEN.search(match[0]) is None
        left = f"{rest[: match.start()]} {rest[match.end() :]}"
    moments = tuple(str(found.lastgroup) for found in _MOMENT.finditer(left))
    if _ambiguous(rhythm, moments, joined=_AND.search(left) is not None):
        return rest, None, False
    if not moments:
        return left, rhythm, bare
    timing = replace(rhythm, when=moments) if rhythm is not None else Timing(when=moments)
    return _MOMENT.sub(" ", left), timing, bare


def _ambiguous(rhythm: Timing | None, moments: tuple[str, ...], *, joined: bool) -> bool:
    """True for "every 0 hours", "daily and at bedtime" (one dose or two?), "in the evening at bedtime"."""
    if rhythm is not None and 0 in (rhythm.frequency, rhythm.period):
        return True
    if rhythm is not None and joined:
        return len(set(moments)) == 1
    return not joined and {"EVE", "HS"} <= set(moments)


def _rhythm(meaning: str, groups: dict[str, str]) -> Timing:
    one = Fraction(1)
    if meaning == "h":
        longest = Fraction(groups["k"]) if groups.get("k") else None
        return Timing(frequency=one, period=Fraction(groups["h"]), period_max=longest, unit="h")
    if meaning in {"d", "wk"}:
        return Timing(frequency=_count(groups["times"]), period=one, unit=meaning)
    if meaning == "2d":
        return Timing(frequency=one, period=Fraction(2), unit="d")
    if meaning == "1wk":
        return Timing(frequency=one, period=one, unit="wk")
    return Timing(frequency=Fraction(meaning), period=one, unit="d")


def _quantity(groups: dict[str, str] | None) -> Quantity | None:
    if groups is None:
        return None
    return Quantity(_count(groups["n"]), unit=groups["u"])


def _count(word: str) -> Fraction:
    if word in _HALVES:
        return _HALVES[word]
    return Fraction(_NUMBERS[word]) if word in _NUMBERS else Fraction(word.replace(",", "."))


def _of_scheme(scheme: dict[str, str], amount: dict[str, str] | None) -> Directions | None:
    """ "1-0-1": amounts in the morning, at noon, in the evening and at night; "25 mg 1-0-1" names one of them."""
    counts = (_count(part.strip()) for part in scheme["s"].split("-"))
    slots = tuple(count for count in counts if count > 0)
    if not slots or (amount is not None and (scheme["u"] or amount["l"])):
        return None
    one = _quantity(amount) or Quantity(Fraction(1), unit=scheme["u"] or "tablet")
    return Directions(one, slots=slots)

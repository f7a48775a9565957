"""Hours of the day in words: "8 am and 8 pm", "um 8, 14 und 20 Uhr", "morgens um 8"."""

from collections.abc import Sequence

from service.dosing.vocabulary import Lettered

_SPANS = {"MORN": (4, 12), "NOON": (11, 15), "AFT": (12, 19), "EVE": (16, 24), "NIGHT": (19, 28), "HS": (19, 28)}
"""First and last hour of each part of the day, counted on beyond midnight: they tell "8 in the evening" from "noon"."""


def hours(text: Lettered, at: int, end: int) -> list[str] | None:
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


def one_moment_each(moments: Sequence[str], order: str) -> tuple[tuple[str, ...], str] | None:
    """The moments and their order without the hours that only say one of them again: "in the morning at 8".

    ``order`` has a letter for each thing said: m for a part of the day, c for an hour. None when an hour contradicts
    the part of the day beside it, or stands there twice.
    """
    places = [place for place, letter in enumerate(order) if letter in "mc"]
    named = dict(zip(places, moments, strict=True))
    again: set[int] = set()
    for place in places:
        part = next((n for n in (place - 1, place + 1) if n in named and order[n] == "m"), None)
        if order[place] == "c" and part is not None:
            first, last = _SPANS[named[part]]
            hour = int(named[place][:2])
            if not any(first <= said <= last for said in (hour, hour + 12, hour + 24)):
                return None
            again.add(place)
    kept = tuple(moment for place, moment in named.items() if place not in again)
    clock = [moment for moment in kept if ":" in moment]
    left = "".join(letter for place, letter in enumerate(order) if place not in again)
    return (kept, left) if len(set(clock)) == len(clock) else None

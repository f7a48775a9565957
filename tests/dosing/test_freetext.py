"""A text is understood whole or not at all, in several languages; a near miss is not understood."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.dosing.dosage import Timing
from service.dosing.freetext import LONGEST, directions, frequency
from service.dosing.timing import Rate, rate
from service.dosing.vocabulary import languages, phrases


def seen(text: str) -> dict[str, Any] | None:
    """What a text says, without what it leaves out: amount, low, doses a day, as needed, most a day, slots."""
    found = directions(text)
    if found is None:
        return None
    a_day = rate(found.timing) if found.timing is not None else None
    most = found.maxima[0].amount if found.maxima else None
    total = found.others[0][1] if found.others else None
    amounts = {"amount": found.high, "low": found.low, "most": most, "total": total}
    said: dict[str, Any] = {name: f"{q.value} {q.unit}" for name, q in amounts.items() if q is not None}
    if isinstance(a_day, Rate):
        said["a day"] = str(a_day.high) if a_day.low == a_day.high else f"{a_day.low} to {a_day.high}"
    if found.as_needed:
        said["as needed"] = True
    if found.slots:
        said["slots"] = [str(slot) for slot in found.slots]
    return said


def dose(amount: str, a_day: str | None = None, **more: Any) -> dict[str, Any]:
    """An amount, and how often a day."""
    return {"amount": amount, **({} if a_day is None else {"a day": a_day}), **more}


def as_needed(amount: str, a_day: str | None = None, **more: Any) -> dict[str, Any]:
    """The same, as needed."""
    return dose(amount, a_day, **more, **{"as needed": True})


ENGLISH_AND_LATIN = [
    ("25 mg", dose("25 mg")),
    ("25mg daily", dose("25 mg", "1")),
    ("25 MG DAILY", dose("25 mg", "1")),
    ("  25  mg ,  daily . ", dose("25 mg", "1")),
    ("12,5 mg daily", dose("25/2 mg", "1")),
    ("0.5 mg daily", dose("1/2 mg", "1")),
    ("25 mg once daily", dose("25 mg", "1")),
    ("25 mg once a day", dose("25 mg", "1")),
    ("25 mg every day", dose("25 mg", "1")),
    ("25 mg each day", dose("25 mg", "1")),
    ("25 mg per day", dose("25 mg", "1")),
    ("25 mg/d", dose("25 mg", "1")),
    ("25 mg o.d.", dose("25 mg", "1")),
    ("25 mg qd", dose("25 mg", "1")),
    ("25 mg twice daily", dose("25 mg", "2")),
    ("25 mg two times a day", dose("25 mg", "2")),
    ("25 mg 2x/day", dose("25 mg", "2")),
    ("25 mg 2 × daily", dose("25 mg", "2")),
    ("25 mg bd", dose("25 mg", "2")),
    ("25 mg b.i.d.", dose("25 mg", "2")),
    ("25 mg tds", dose("25 mg", "3")),
    ("25 mg thrice daily", dose("25 mg", "3")),
    ("25 mg three times a day", dose("25 mg", "3")),
    ("25 mg t.i.d.", dose("25 mg", "3")),
    ("25 mg q.d.s.", dose("25 mg", "4")),
    ("25 mg qid", dose("25 mg", "4")),
    ("25 mg every 8 hours", dose("25 mg", "3")),
    ("25 mg q8h", dose("25 mg", "3")),
    ("25 mg 8 hourly", dose("25 mg", "3")),
    ("25 mg q 12 hrs", dose("25 mg", "2")),
    ("25 mg every 4-6 hours", dose("25 mg", "4 to 6")),
    ("25 mg every 4 to 6 h", dose("25 mg", "4 to 6")),
    ("25 mg every 72 hours", dose("25 mg", "1/3")),
    ("25 mg every other day", dose("25 mg", "1/2")),
    ("25 mg on alternate days", dose("25 mg", "1/2")),
    ("25 mg qod", dose("25 mg", "1/2")),
    ("70 mg weekly", dose("70 mg", "1/7")),
    ("70 mg once a week", dose("70 mg", "1/7")),
    ("70 mg every week", dose("70 mg", "1/7")),
    ("70 mg a week", dose("70 mg", "1/7")),
    ("25 mg 3 times per week", dose("25 mg", "3/7")),
    ("25 mg at bedtime", dose("25 mg", "1")),
    ("25 mg nightly at bedtime", dose("25 mg", "1")),
    ("25 mg daily at bedtime", dose("25 mg", "1")),
    ("25 mg before bed", dose("25 mg", "1")),
    ("25 mg every other day at bedtime", dose("25 mg", "1/2")),
    ("25 mg in the morning", dose("25 mg", "1")),
    ("25 mg in the morning and at bedtime", dose("25 mg", "2")),
    ("25 mg every morning and every evening", dose("25 mg", "2")),
    ("25 mg in the evening and at bedtime", dose("25 mg", "2")),
    ("25 mg at noon and at bedtime", dose("25 mg", "2")),
    ("25 mg twice daily, in the morning and at night", dose("25 mg", "2")),
    ("1 tablet daily", dose("1 tablet", "1")),
    ("take 1 tab by mouth daily", dose("1 tab", "1")),
    ("Take one tablet orally twice a day with food.", dose("1 tablet", "2")),
    ("a tablet at night", dose("1 tablet", "1")),
    ("two tablets at night", dose("2 tablets", "1")),
    ("half a tablet at night", dose("1/2 tablet", "1")),
    ("1/2 tab at night", dose("1/2 tab", "1")),
    ("1/4 tablet at night", dose("1/4 tablet", "1")),
    ("½ tablet at night", dose("1/2 tablet", "1")),
    ("1 tablet(s) daily", dose("1 tablet", "1")),
    ("2 caps tid after meals", dose("2 caps", "3")),
    ("5 ml bid", dose("5 ml", "2")),
    ("0.1 g daily", dose("1/10 g", "1")),
    ("500 mcg daily", dose("500 mcg", "1")),
    ("1-2 tablets daily", dose("2 tablets", "1", low="1 tablets")),
    ("1 to 2 tablets at bedtime", dose("2 tablets", "1", low="1 tablets")),
    ("10 or 25 mg at night", dose("25 mg", "1", low="10 mg")),
    ("2x25 mg", dose("25 mg", "2")),
    ("25 mg daily as needed", as_needed("25 mg", "1")),
    ("25 mg prn", as_needed("25 mg")),
    ("25 mg p.r.n. at bedtime", as_needed("25 mg", "1")),
    ("25 mg when required", as_needed("25 mg")),
    ("1 tablet as needed, max 3 tablets per day", as_needed("1 tablet", most="3 tablets")),
    ("1 tablet as needed, max. 75 mg/day", as_needed("1 tablet", most="75 mg")),
    ("1 tablet prn not more than 3 tablets in 24 hours", as_needed("1 tablet", most="3 tablets")),
    ("at most 75 mg daily", {"most": "75 mg"}),
    ("as needed", {"as needed": True}),
    ("three times daily", {"a day": "3"}),
    ("every 8 hours", {"a day": "3"}),
    ("with food at bedtime", {"a day": "1"}),
    ("25 mg daily for 7 days", dose("25 mg", "1")),
    ("25 mg bid x 10 days", dose("25 mg", "2")),
    ("25 mg in the evening before bed", dose("25 mg", "1")),
    ("25 mg up to 3 times daily", as_needed("25 mg", "3")),
    ("25 mg every night as needed for sleep", as_needed("25 mg", "1")),
    ("0.125 mg daily", dose("1/8 mg", "1")),
    ("1½ tablets at night", dose("3/2 tablets", "1")),
    ("1 1/2 tablets at night", dose("3/2 tablets", "1")),
    ("1/2-1 tablet at night", dose("1 tablet", "1", low="1/2 tablet")),
    ("one to two tablets at night", dose("2 tablets", "1", low="1 tablets")),
    ("two 25 mg tablets at night", dose("2 tablets", "1", total="50 mg")),
    ("1 tablet (25 mg) at night", dose("1 tablet", "1", total="25 mg")),
    ("25 mg every 2 days", dose("25 mg", "1/2")),
    ("25 mg every 100 hours", dose("25 mg", "6/25")),
    ("25 mg 3x per month", dose("25 mg", "48/487")),
    ("25 mg 4-6 hourly", dose("25 mg", "4 to 6")),
    ("1 tablet in the morning and 2 at night", dose("1 tablet", slots=["1", "2"])),
    ("1 tablet in the morning and 2 tablets at night", dose("1 tablet", slots=["1", "2"])),
    ("1 tablet mane and 2 nocte", dose("1 tablet", slots=["1", "2"])),
    ("Take one tablet daily as directed", dose("1 tablet", "1")),
    ("Take 1 tablet (150 mg total) by mouth 4 (four) times daily.", dose("1 tablet", "4", total="150 mg")),
    (
        "Take 0.5 tablets (12.5 mg total) by mouth every night at bedtime.",
        dose("1/2 tablets", "1", total="25/2 mg"),
    ),
    (
        "Take 1-2 tablets (25-50 mg total) by mouth every 6 (six) hours as needed for pain.",
        as_needed("2 tablets", "4", low="1 tablets", total="50 mg"),
    ),
    ("One to be taken four times a day", dose("1 tablet", "4")),
    ("TAKE ONE AT NIGHT", dose("1 tablet", "1")),
    ("take one daily", dose("1 tablet", "1")),
    ("1 bd", dose("1 tablet", "2")),
    (
        "25mg PO every 6-12 hours as needed for pain. Do not exceed 100mg per day",
        as_needed("25 mg", "2 to 4", most="100 mg"),
    ),
]


def test_english_and_latin_are_understood() -> None:
    assert [(text, seen(text)) for text, _ in ENGLISH_AND_LATIN] == ENGLISH_AND_LATIN


GERMAN_AND_HUNGARIAN = [
    ("1 Tablette täglich", dose("1 tablette", "1")),
    ("täglich 1 Tablette", dose("1 tablette", "1")),
    ("2x tgl. 1 Tbl.", dose("1 tbl", "2")),
    ("3x täglich 150 mg nach dem Essen", dose("150 mg", "3")),
    ("3 mal am Tag 1 Filmtablette", dose("1 filmtablette", "3")),
    ("zweimal täglich 1 Kapsel", dose("1 kapsel", "2")),
    ("alle 12 Stunden 1 Tabl.", dose("1 tabl", "2")),
    ("alle 4 bis 6 Std. 1 Tablette", dose("1 tablette", "4 to 6")),
    ("jeden zweiten Tag 25 mg", dose("25 mg", "1/2")),
    ("einmal wöchentlich 70 mg", dose("70 mg", "1/7")),
    ("2x pro Woche 25 mg", dose("25 mg", "2/7")),
    ("25 mg zur Nacht", dose("25 mg", "1")),
    ("25 mg vor dem Schlafengehen", dose("25 mg", "1")),
    ("morgens und abends 1 Tablette", dose("1 tablette", "2")),
    ("morgens, mittags und abends 1 Tablette mit Wasser", dose("1 tablette", "3")),
    ("eine halbe Tablette abends", dose("1/2 tablette", "1")),
    ("bei Bedarf 1 Tablette, höchstens 3 Tabletten pro Tag", as_needed("1 tablette", most="3 tabletten")),
    ("naponta 3x1 tabletta", dose("1 tabletta", "3")),
    ("3 x 1 tabletta naponta", dose("1 tabletta", "3")),
    ("4x1 Tabl. täglich", dose("1 tabl", "4")),
    ("D.S. 4x tgl. 1 Tbl.", dose("1 tbl", "4")),
    ("napi 2x1 tabletta étkezés után", dose("1 tabletta", "2")),
    ("naponta egyszer 25 mg", dose("25 mg", "1")),
    ("naponta háromszor 1 tabletta", dose("1 tabletta", "3")),
    ("napi 2-szer 1 tabletta", dose("1 tabletta", "2")),
    ("8 óránként 1 tabletta", dose("1 tabletta", "3")),
    ("másnaponta 1 tabletta", dose("1 tabletta", "1/2")),
    ("este fél tabletta", dose("1/2 tabletta", "1")),
    ("reggel és este egy tabletta", dose("1 tabletta", "2")),
    ("lefekvéskor 25 mg", dose("25 mg", "1")),
    ("jeden zweiten Tag abends 25 mg", dose("25 mg", "1/2")),
    ("Morgens je 1 Tablette einnehmen", dose("1 tablette", "1")),
    ("abends vor dem Schlafengehen 1 Tablette", dose("1 tablette", "1")),
    ("morgens 1, abends 2 Tbl.", dose("1 tbl", slots=["1", "2"])),
    ("1 Tbl. b. Bed., max. 3 Tbl./Tag", as_needed("1 tbl", most="3 tbl")),
    ("hetente 3x 1 tabletta", dose("1 tabletta", "3/7")),
    ("reggel 1, este 2 tabletta", dose("1 tabletta", slots=["1", "2"])),
    ("szükség esetén 1 tabletta, legfeljebb 2 tabletta naponta", as_needed("1 tabletta", most="2 tabletta")),
]


def test_german_and_hungarian_are_understood() -> None:
    assert [(text, seen(text)) for text, _ in GERMAN_AND_HUNGARIAN] == GERMAN_AND_HUNGARIAN


@pytest.mark.parametrize(
    ("text", "amount", "slots"),
    [
        ("1-0-1", "1 tablet", ["1", "1"]),
        ("1 - 0 - 1", "1 tablet", ["1", "1"]),
        ("1–0–1", "1 tablet", ["1", "1"]),
        ("1-1-1-1", "1 tablet", ["1", "1", "1", "1"]),
        ("0-0-1", "1 tablet", ["1"]),
        ("1-0-2 Tabletten", "1 tabletten", ["1", "2"]),
        ("½-0-1", "1 tablet", ["1/2", "1"]),
        ("1/2-0-1/4", "1 tablet", ["1/2", "1/4"]),
        ("1,5-0-0", "1 tablet", ["3/2"]),
        ("25 mg 1-0-1", "25 mg", ["1", "1"]),
        ("1-0-1 25 mg", "25 mg", ["1", "1"]),
        ("10-10", None, None),
        ("10-25-50", None, None),
        ("0-0-0", None, None),
        ("1-0-1 for 7 days", "1 tablet", ["1", "1"]),
        ("1-0-1, max 3 tablets per day", None, None),
        ("1-0-1 morgens", None, None),
        ("1-1-1-1-1", None, None),
        ("1½-0-1", "1 tablet", ["3/2", "1"]),
        ("0.25-0-0", "1 tablet", ["1/4"]),
        ("1-2 tablets 1-0-1", None, None),
        ("01-01-2026", None, None),
    ],
)
def test_a_scheme_is_the_counts_of_a_day(text: str, amount: str | None, slots: list[str] | None) -> None:
    assert seen(text) == (None if slots is None else {"amount": amount, "slots": slots})


NEAR_MISSES = [
    "",
    "   ",
    "...",
    "apply thinly",
    "as directed",
    "see leaflet",
    "take",
    "25",
    "25 mg once",
    "25 mg twice",
    "25 mg stat",
    "daily for 7 days then 2",
    "25 mg daily then 50 mg daily",
    "10 mg at night, increase to 25 mg after 1 week",
    "1 tablet daily and at bedtime",
    "1 tablet twice daily and at bedtime",
    "25 mg not daily",
    "do not take 25 mg daily",
    "never 25 mg daily",
    "25 mg daily except Sunday",
    "25 mg daily or twice daily",
    "75 mg daily in divided doses",
    "75 mg/day divided tid",
    "75 mg/day tid",
    "0.5 mg/kg daily",
    "0.5 mg/kg/day",
    "25 mg/h",
    "1,000 mg daily",
    "1.000 mg daily",
    "10000 mg daily",
    ".5 mg daily",
    ",5 mg daily",
    "Take .5 tablet daily",
    "25 nocte",
    "2 tablets (25 mg) at night",
    "1 tablet 4 (three) times daily",
    "25 mg daily, 50 mg at night",
    "1 tablet daily or 2 tablets at night",
    "stop 25 mg daily",
    "25 mg every other Monday",
    "2 x 25 mg tablets at night",
    "amitriptyline 25 mg at night",
    "25 mg every 8",
    "25 mg every 0 hours",
    "25 mg 0 times a day",
    "25 mg at night 2 wk",
    "25 mg 2 week",
    "25 mg bid and daily",
    "two daily",
    "3 a day",
    "take 2 daily",
    "tgl. 3",
    "10 drops daily",
    "1 puff daily",
    "25 mcg/h patch",
    "max 3 per day",
    "25 mg max 3 per day",
    "25 mg and 50 mg daily",
    "25 mg am",
    "25 mg pm",
    "25 mg \N{RIGHTWARDS ARROW} 50 mg daily",
]


def test_a_near_miss_is_not_understood() -> None:
    assert [text for text in NEAR_MISSES if directions(text) is not None] == []


UNDERSTOOD = ["25 mg at bedtime", "1-0-1", "1 tablet twice daily", "naponta 3x1 tabletta", "25 mg prn, max 75 mg/day"]
MORE = ["then", "x", "7", "mg/h", "for 2 weeks then", "?", "!", "#", "nortriptyline", "or", "-", "/"]


def test_one_more_word_and_nothing_is_understood() -> None:
    longer = [longer for text in UNDERSTOOD for more in MORE for longer in (f"{text} {more}", f"{more} {text}")]
    assert [text for text in UNDERSTOOD if directions(text) is None] == []
    assert [text for text in longer if directions(text) is not None] == []


def test_a_longer_text_is_prose() -> None:
    text = "25 mg daily"
    assert directions(text.ljust(LONGEST, ".")) is not None
    assert directions(text.ljust(LONGEST + 1, ".")) is None


@pytest.mark.parametrize(
    ("text", "timing"),
    [
        ("twice daily", Timing(frequency=Fraction(2), period=Fraction(1), unit="d")),
        ("two daily", Timing(frequency=Fraction(2), period=Fraction(1), unit="d")),
        ("3 per day", Timing(frequency=Fraction(3), period=Fraction(1), unit="d")),
        ("every 4-6 hours", Timing(Fraction(1), period=Fraction(4), period_max=Fraction(6), unit="h")),
        ("at bedtime", Timing(when=("HS",))),
        ("daily at bedtime", Timing(Fraction(1), period=Fraction(1), unit="d", when=("HS",))),
        ("25 mg daily", None),
        ("twice daily as needed", None),
        ("1-0-1", None),
        ("as directed", None),
        ("max 75 mg/day", None),
    ],
)
def test_in_the_place_of_a_timing_code_only_a_frequency_is_read(text: str, timing: Timing | None) -> None:
    assert frequency(text) == timing


@given(st.text(max_size=200))
def test_no_text_ever_raises(text: str) -> None:
    directions(text)
    frequency(text)


PIECES = """
25 1 2 0 1/2 ½ ² ٣ mg tablet ml daily twice x every 8 hours week per naponta tgl. zur_Nacht at_bedtime 1-0-1 - ,
as_needed max and
"""
pieces = st.lists(st.sampled_from(PIECES.split()), max_size=8).map(lambda some: " ".join(some).replace("_", " "))


@given(pieces)
def test_what_is_understood_is_at_least_one_thing_and_positive_numbers(text: str) -> None:
    found = directions(text)
    if found is None:
        return
    assert found.high or found.timing or found.as_needed or found.maxima
    if found.timing is not None:
        assert found.timing.when or (found.timing.period or 0) > 0
        assert found.timing.when or (found.timing.frequency or 0) > 0
    assert all(slot > 0 for slot in found.slots)


@pytest.mark.parametrize(
    "text",
    [
        *("1 tableta 4-krát denne", "4-krát denně 1 tableta", "4-mal täglich 1 Tablette", "1 Tablette 6-stündlich"),
        *("1 tablet 6-hourly", "1 tabletka 4-krotnie dziennie", "по 1 таблетке 4-раза в день"),
    ],
)
def test_a_hyphen_between_a_number_and_its_word_is_passed_over(text: str) -> None:
    assert directions(text) == directions(text.replace("-krotnie", " razy").replace("-", " ")) is not None


def test_no_word_of_the_tables_holds_a_quotation_mark() -> None:
    """In YAML a quote inside a plain list is a letter, and the word would never be met."""
    assert [(code, p) for code in languages() for p in phrases(code) if '"' in "".join(p.words)] == []


@pytest.mark.parametrize(
    ("text", "value", "a_day"),
    [
        ("1 таблетка 4 рази на день", 1, 4),
        ("по 1 пігулці 3 рази на добу після їжі", 1, 3),
        ("1 kalvopäällysteinen tabletti 3 kertaa vuorokaudessa", 1, 3),
        ("1 tabletti 4 kertaa päivässä", 1, 4),
        ("1 filmdragerad tablett 4 gånger dagligen", 1, 4),
        ("1 tablet 3 gange dagligt", 1, 3),
        ("1 tablett 3 ganger daglig", 1, 3),
        ("3 maal daags 1 tablet", 1, 3),
        ("3dd 1 tablet", 1, 3),
        ("tomar 1 comprimido de 8 em 8 horas", 1, 3),
        ("1 comprimido recubierto con película 4 veces al día", 1, 4),
        ("1 comp. pellic. 4x/j", 1, 4),
        ("600 mg daily in 4 divided doses", 150, 4),
        ("600 mg täglich in 3 Einzeldosen", 200, 3),
        ("600 mg par jour en 3 prises", 200, 3),
        ("600 мг в сутки в 3 приема", 200, 3),
        ("napi 450 mg 3 részletben", 150, 3),
        ("Dosierung: 3 x täglich 1 Tablette", 1, 3),
    ],
)
def test_more_languages_and_divided_doses(text: str, value: int, a_day: int) -> None:
    found = directions(text)
    assert found is not None
    assert found.high is not None
    timing = rate(found.timing)
    assert isinstance(timing, Rate)
    assert (found.high.value, timing.high) == (Fraction(value), Fraction(a_day))


@pytest.mark.parametrize(("text", "slots"), [("1/1/1/1", 4), ("1-1-1-1", 4), ("1/0/1", 2), ("1/0/0/1 Tbl.", 2)])
def test_a_scheme_with_slashes_is_one_with_hyphens(text: str, slots: int) -> None:
    found = directions(text)
    assert found is not None
    assert len(found.slots) == slots


@pytest.mark.parametrize(
    "text",
    [
        *("1/1/2026", "1/2", "4 tablets a day in divided doses", "600 mg in 3 divided doses"),
        *("1 tablet daily 7", "1 Tablette täglich 3", "1 caps cada 24 horas vo 7"),
    ],
)
def test_what_is_no_scheme_and_no_number_of_doses_is_not_understood(text: str) -> None:
    assert directions(text) is None


@pytest.mark.parametrize(
    "text", ["max daily dose 4 tablets", "Tageshöchstdosis: 4 Tabletten", "maximální denní dávka 4 tablety"]
)
def test_a_maximum_a_day_is_no_dose(text: str) -> None:
    found = directions(text)
    assert found is not None
    assert (found.high, found.timing) == (None, None)
    assert [most.amount.value for most in found.maxima] == [4]

"""What the tables of words say is read back as it was meant, in every language, and nothing is read beside junk."""

import time
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.dosing.dosage import Timing
from service.dosing.freetext import LONGEST, directions
from service.dosing.timing import Rate, rate
from service.dosing.units import unit_of_text
from service.dosing.vocabulary import Phrase, languages, phrases

LANGUAGES = sorted(languages())
UNITS = {"mg": ("mg", "milligram"), "tablet": ("tablet", "tabl.", "tab", "Tbl."), "capsule": ("caps", "kaps.")}
NUMBERS = ["1", "2", "3", "1/2", "½", "0,5", "1.5", "12", "25", "150"]


@cache
def spoken(language: str, letter: str, value: str = "") -> list[str]:
    """The phrases of a language with a letter and, if it is asked for, a value."""
    return [" ".join(p.words) for p in phrases(language) if p.letter == letter and value in ("", p.value)]


def one_of(found: list[str]) -> st.SearchStrategy[str]:
    """One phrase, or none where the language has none."""
    return st.sampled_from(found) if found else st.just("")


def value_of(number: str) -> Fraction:
    """What a written number counts."""
    return Fraction(number.replace("½", "1/2").replace(",", "."))


def times_a_day(timing: Timing | None) -> Fraction | None:
    """Doses a day at most."""
    found = rate(timing)
    return found.high if isinstance(found, Rate) else None


@st.composite
def sentences(draw: st.DrawFn) -> tuple[str, str, str, Fraction, Fraction]:
    """A language, a sentence, the name of its unit, its amount and its doses a day."""
    language = draw(st.sampled_from(LANGUAGES))
    name = draw(st.sampled_from(sorted(UNITS)))
    number = draw(st.sampled_from(NUMBERS))
    amount = f"{number} {draw(st.sampled_from(UNITS[name]))}"
    kind = draw(st.sampled_from(["times", "x", "every", "moment", "moments"]))
    if kind == "times":
        count = draw(st.integers(1, 6))
        when = f"{count} {draw(one_of(spoken(language, 'X')))} {draw(one_of(spoken(language, 'd', 'd')))}"
        a_day = Fraction(count)
    elif kind == "x":
        count = draw(st.integers(1, 6))
        when, a_day = f"{count}x {draw(one_of(spoken(language, 'd', 'd')))}", Fraction(count)
    elif kind == "every":
        hours = draw(st.sampled_from([4, 6, 8, 12, 24]))
        when = f"{draw(one_of(spoken(language, 'e')))} {hours} {draw(one_of(spoken(language, 'h')))}"
        a_day = Fraction(24, hours)
    elif kind == "moment":
        when, a_day = draw(one_of(spoken(language, "m"))), Fraction(1)
    else:
        both = f"{draw(one_of(spoken(language, 'm', 'MORN')))} {draw(one_of(spoken(language, '&')))} "
        evening = spoken(language, "m", "EVE") or spoken(language, "m", "NIGHT")
        when, a_day = both + draw(one_of(evening)), Fraction(2)
    filler = draw(one_of(spoken(language, "f"))) if draw(st.booleans()) else ""
    parts = [amount, when] if draw(st.booleans()) else [when, amount]
    return language, " ".join([*parts, filler]).strip(), name, value_of(number), a_day


@settings(max_examples=100)
@given(sentences())
def test_a_sentence_of_the_tables_is_read_as_it_was_meant_or_not_at_all(
    said: tuple[str, str, str, Fraction, Fraction],
) -> None:
    _, text, name, amount, a_day = said
    found = directions(text)
    if found is None:
        return
    assert found.high is not None
    unit = unit_of_text(found.high.unit)
    assert unit is not None
    assert (unit.name, found.high.value, times_a_day(found.timing)) == (name, amount, a_day)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_plain_sentences_of_every_language_are_read(language: str) -> None:
    """The first word of each section stands for it."""
    times, a_day = spoken(language, "X")[0], spoken(language, "d", "d")[0]
    every, hours = spoken(language, "e")[0], spoken(language, "h")[0]
    morning, evening = spoken(language, "m", "MORN")[0], spoken(language, "m", "EVE") or spoken(language, "m", "NIGHT")
    for text, expected in (
        (f"1 tablet 3 {times} {a_day}", 3),
        (f"3 {times} {a_day} 1 tablet", 3),
        (f"1 tablet {every} 8 {hours}", 3),
        (f"1 tablet {morning}", 1),
        (f"1 tablet {morning} {spoken(language, '&')[0]} {evening[0]}", 2),
        (f"1 tablet 2x {a_day} {spoken(language, 'f')[0]}", 2),
    ):
        found = directions(text)
        assert found is not None, text
        assert times_a_day(found.timing) == expected, text


@given(sentences(), st.sampled_from(["then", "?", "!", "#", "7", "mg/h", "nortriptyline", "stop", "not", "/", "-"]))
def test_junk_beside_a_sentence_and_nothing_is_read(said: tuple[str, str, str, Fraction, Fraction], junk: str) -> None:
    text = said[1]
    assume(directions(text) is not None)
    assert directions(f"{text} {junk}") is None
    assert directions(f"{junk} {text}") is None or junk in ("7", "-", "/")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_table_says_one_thing_with_one_phrase(language: str) -> None:
    said: dict[tuple[str, ...], set[tuple[str, str]]] = {}
    for phrase in phrases(language):
        said.setdefault(phrase.words, set()).add((phrase.letter, phrase.value))
    harmless = {"f", "a", "&", "v", "b"}
    twice = {words: meanings for words, meanings in said.items() if len(meanings) > 1}
    assert not {w: m for w, m in twice.items() if not all(letter in harmless for letter, _ in m)}


def test_a_phrase_is_never_empty() -> None:
    assert all(Phrase(p.words, p.letter).words for language in LANGUAGES for p in phrases(language))


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 120,
        "1-" * 120,
        "(" * 240,
        "1 tablet " * 26,
        "a." * 120,
        "1(1)" * 60,
        "every 1 to 1 " * 18,
        "½" * 240,
        "x" * 10**6,
    ],
)
def test_a_hostile_text_costs_little(text: str) -> None:
    started = time.process_time()
    assert directions(text) is None
    assert directions(text[:LONGEST]) is None
    assert time.process_time() - started < 1

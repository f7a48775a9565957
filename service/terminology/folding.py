"""Names of drugs as they sound: one key for the spellings of many languages.

International names are written as each language writes: "amitriptyline", "amitryptylina", "амитриптилин". ``sound``
writes letters that sound alike in one way; what follows the last consonant is left out of a name's key. A word is a
name's when it begins with its key, and what remains is an ending of a case or a salt written onto it. Brands are not
compared so: one in eight would meet an ordinary word.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import filterfalse, product
from typing import TypeVar

from anyascii import anyascii

Key = TypeVar("Key")
Value = TypeVar("Value")

_ALIKE = tuple(
    (written, one)
    for one, several in (
        ("f", "ph"), ("s", "sch"), ("k", "kh ch"), ("s", "sh zh"), ("k", "ck qu kv kw q"), ("s", "tz ts cz sz zs"),
        ("e", "ae oe"), ("i", "y j"), ("", "h"), ("se", "ce"), ("si", "ci"), ("k", "c"), ("s", "z x"), ("v", "w"),
        ("s", "ks"),
    )
    for written in several.split()
)  # fmt: skip
"""Letters that languages write for one sound, and the one used here; in the order in which they are replaced."""

_GREEK = tuple(
    (greek, latin.split())
    for greek, latin in (
        ("β", "v b"), ("μπ", "b mp"), ("ντ", "nt d"), ("γκ", "g nk"), ("κου", "ku q"), ("ου", "u"), ("αι", "e ai"),
        ("ει", "i ei"), ("κι", "ki ci"), ("κυ", "ky cy"), ("κε", "ke ce"), ("χλωρο", "chlor chloro"),
    )
)  # fmt: skip
"""What Greek writes for sounds that it has no letter for, or two, and how other languages write them."""

_DOUBLE = re.compile(r"(.)\1+")
_NO_LETTER = re.compile(r"[^a-z]+")
_ASPIRATED = re.compile(r"^h|(?<=[aeiouy])h(?=[aeiouy])")
_SHORTEST, _LONGEST = 6, 60
"""Letters of the shortest key, as shorter ones meet ordinary words, and of the longest word that is looked at."""
_KEPT = 8192
"""Words whose meaning is kept for the next label, in memory only; those of a label are few and come again."""

_SALTS = (
    "hydrochlorid hydroklorid dihydrochlorid chlorid chlorhydrat hydrobromid bromid bromhydrat sulfat sulphat maleat"
    " fumarat hemifumarat tartrat hydrogentartrat bitartrat citrat phosphat mesilat besilat succinat acetat oxalat"
    " pamoat decanoat embonat hydrogenmaleat hydrogenfumarat hydrogensulfat natrium kalium base"
    " tablet tabletten kapsel kapseln filmtabletten tropfen retard"
)
"""Salts and forms that languages with compounds write onto the name."""

_ENDING = r"(?:[aeiou]{0,3}|[aeiou]{0,2}[ms][aeiou]?|[ei]?n|[aeiou]va?|ami|t|n[ae]k|[tb][oe]l|ista|ila|ilas?)"
"""Endings of cases and numbers, as they sound: "-um", "-om", "-nak", "-ista" ("from", Finnish)."""


def phonetic(letters: str) -> str:
    """Small Latin letters, those that sound alike written alike, nothing twice."""
    for written, one in _ALIKE:
        letters = letters.replace(written, one)
    return _DOUBLE.sub(r"\1", letters)


def sound(word: str) -> str:
    """A word of any script as it sounds: "амитриптилин" and "amitryptyline" both begin with "amitriptilin"."""
    return phonetic(_NO_LETTER.sub("", (word if word.isascii() else anyascii(word)).lower()))


def sounds(word: str) -> Iterator[str]:
    """A word as it may sound: one of Greek letters in several ways, as "Βουπροπιόνη" and "Μπουπροπιόνη" are one."""
    written = [] if word.isascii() else [pair for pair in _GREEK if pair[0] in word]
    for choice in product(*(latin for _, latin in written)):
        letters = word
        for (greek, _), latin in zip(written, choice, strict=True):
            letters = letters.replace(greek, latin)
        yield sound(letters)


def bare(word: str) -> str:
    """A word's stem without a salt: "sertalinhydrochlorid" is "sertalin"; empty for a word too long for a name."""
    return _SALT_BEHIND.sub("", stem(word)) if len(word) <= _LONGEST else ""


def stem(name: str) -> str:
    """What is left of a name's sound in every language: all up to its last consonant."""
    return sound(name).rstrip("aeiou")


_WRITTEN_ON = "|".join(sorted(map(stem, _SALTS.split()), key=len, reverse=True))
_REMAINDER = re.compile(rf"(?:[aeiou]?(?:{_WRITTEN_ON}))?{_ENDING}")
_SALT_BEHIND = re.compile(rf"(?<=[a-z]{{5}})[aeiou]*(?:{_WRITTEN_ON})$")


class Sounds:
    """Common names of drugs by their sound; ``others`` are words that would be taken for one of them and are not."""

    def __init__(self, names: Iterable[tuple[str, str]], others: Iterable[str] = ()) -> None:
        self.keys = grouped((key, drug) for name, drug in names for key in _keys(name))
        self._others = frozenset(map(plain, others))
        self._lengths = sorted({len(key) for key in self.keys}, reverse=True)
        self.drugs = lru_cache(_KEPT)(self._drugs)
        """The drugs whose name the word is, in any spelling, case or with a salt; empty for any other word."""

    def _drugs(self, word: str) -> frozenset[str]:
        if not _SHORTEST <= len(word) <= _LONGEST or word in self._others:
            return frozenset()
        for heard in sounds(word):
            for length in self._lengths:
                found = self.keys.get(heard[:length])
                if found is not None and len(heard) >= length and _REMAINDER.fullmatch(heard, length):
                    return found
        return frozenset()


def _keys(name: str) -> set[str]:
    """The keys of the name, and of it as Russian writes an h: "haloperidol" is "галоперидол"."""
    return {stem(name), stem(_ASPIRATED.sub("g", name.lower()))}


def too_short(name: str) -> bool:
    """True for a name of so few sounds that other words would be taken for it."""
    return any(len(key) < _SHORTEST for key in _keys(name))


def grouped(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, frozenset[Value]]:
    """The values of each key, such as the drugs of each name."""
    found: dict[Key, set[Value]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}


def fold(text: str) -> str:
    """Text made comparable: compatibility forms unified, case folded."""
    if text.isascii():
        return text.lower()
    # Folding takes some letters apart, as the Greek ΐ, and no word goes on behind a mark that stands alone.
    folded = unicodedata.normalize("NFKC", text).replace("İ", "i").casefold()  # the Turkish capital of "i"
    return unicodedata.normalize("NFKC", folded)


_STROKED = str.maketrans("łı", "li")
"""Letters whose mark is no accent."""


def plain(text: str) -> str:
    """Text without case and accents: "Sélégiline" is "selegiline", "MĘŻCZYZNA" is "mezczyzna"."""
    if text.isascii():
        return text.lower()
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(filterfalse(unicodedata.combining, letters)).translate(_STROKED)

"""Phrases and patterns of the lists of words, and whole phrases found in a text.

Their words stand in any order, with any ending that a phrase leaves open.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from service.terminology.folding import plain

_KEPT = 8192
"""Words whose patterns are kept for the next text, in memory only."""
_SHORTEST_BEGINNING = 2
_MOST_PLACES = 4
"""Places of one word in a part of a sentence that are looked at: enough for a person's, no work for a hostile text."""
_WORD = re.compile(r"[^\W_]+")


class Phrase(NamedTuple):
    """A phrase of patterns such as ("spasti*", "stroke"); ``whole`` when nothing else may stand beside it."""

    words: tuple[str, ...]
    id: str
    whole: bool

    @property
    def reach(self) -> int:
        """From its first to its last word: two others may stand between, beside a number one."""
        return len(self.words) + (1 if any(word.isdecimal() for word in self.words) else 2)


class Match(NamedTuple):
    """A phrase found: its id and the first and last place of its words in the part of the sentence."""

    id: str
    first: int
    last: int


class Phrases:
    """Finds the phrases of lists, each list with its id; a phrase of ``unless`` takes back what is found for its id.

    They are written as words, with "*" at a beginning or an end, and "=" for nothing beside it.
    """

    def __init__(self, lists: Iterable[tuple[str, str]], unless: Iterable[tuple[str, str]] = ()) -> None:
        self._by_longest: dict[str, list[Phrase]] = {}
        patterns: set[str] = set()
        for written, id_ in phrases_in(lists):
            words = tuple(written.removeprefix("=").split())
            phrase = Phrase(words, id_, written.startswith("="))
            self._by_longest.setdefault(max(words, key=len), []).append(phrase)
            patterns.update(words)
        self._patterns = frozenset(patterns)
        self._inside = tuple(word.strip("*") for word in patterns if word[0] == word[-1] == "*")
        self._fitting = lru_cache(_KEPT)(self._patterns_of)
        taking_back = tuple(unless)
        self._unless = Phrases(taking_back) if taking_back else None

    def __iter__(self) -> Iterator[Phrase]:
        return (phrase for phrases in self._by_longest.values() for phrase in phrases)

    def find(self, words: Sequence[str]) -> list[Match]:
        """The phrases in one part of a sentence, its words without case and accents; marks are none."""
        places: dict[str, list[int]] = {}
        size = sum(map(str.isalnum, words))
        for place, word in enumerate(words):
            for pattern in self._fitting(word):
                places.setdefault(pattern, []).append(place)
        found = [
            match
            for pattern in places
            for phrase in self._by_longest.get(pattern, ())
            if (match := _match(phrase, places, size)) is not None
        ]
        if not found or self._unless is None:
            return found
        taken_back = {match.id for match in self._unless.find(words)}
        return [match for match in found if match.id not in taken_back]

    def ids(self, text: str) -> frozenset[str]:
        """The ids of the phrases in a text without case and accents, which is one part of a sentence."""
        return frozenset(match.id for match in self.find(words_of(text)))

    def _patterns_of(self, word: str) -> tuple[str, ...]:
        sizes = range(_SHORTEST_BEGINNING, len(word) + 1)
        candidates = (word, *(f"{word[:size]}*" for size in sizes), *(f"*{word[-size:]}" for size in sizes))
        inside = (f"*{part}*" for part in self._inside if part in word)
        return tuple(dict.fromkeys(c for c in (*candidates, *inside) if c in self._patterns))


def words_of(text: str) -> list[str]:
    """The words and numbers of a text without case and accents."""
    return _WORD.findall(text)


def phrases_in(lists: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Each phrase of the lists, which separate them by ";", without case and accents, with the id of its list."""
    folded = ((plain(written), id_) for written, id_ in lists)
    return ((phrase.strip(), id_) for written, id_ in folded for phrase in written.split(";") if phrase.strip())


def any_of(words: str) -> re.Pattern[str]:
    """A pattern for alternatives separated by "|", each a whole word."""
    return re.compile(rf"(?<![^\W_])(?:{alternatives(words)})(?![^\W_])")


def alternatives(words: str) -> str:
    """Alternatives on one line, without case and accents; a space before the bar is that of the file."""
    return plain(" ".join(words.split())).replace(" |", "|")


def _match(phrase: Phrase, places: Mapping[str, Sequence[int]], size: int) -> Match | None:
    if phrase.whole and size != len(phrase.words):
        return None
    if any(word not in places for word in phrase.words):
        return None
    if len(phrase.words) == 1:
        first = places[phrase.words[0]][0]
        return Match(phrase.id, first, first)
    reach = phrase.reach
    for chosen in product(*(places[word][:_MOST_PLACES] for word in phrase.words)):
        first, last = min(chosen), max(chosen)
        if last - first < reach and len(set(chosen)) == len(chosen):
            return Match(phrase.id, first, last)
    return None

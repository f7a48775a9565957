"""Drug names that are misspelt or cut short: which name an unknown word may have been meant to be.

Nothing is guessed from it: such a word is named as not checked. A letter is missing, too much, another, or two have
changed places; in the longest names two such slips. Common names are compared as they sound, brands letter by letter.
Of the 180,000 words of FDA's UNII list some 370 are so near a name, and 13 of the 6,200 words in the names of
all French products (CIS_bdpm of the BDPM), most of them rightly; those of other drugs are ``no-name-in-text``.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from service.terminology.folding import grouped

SHORTEST, _LONG = 7, 12
"""Letters from which a name is compared, and from which two slips are allowed; shorter ones meet ordinary words."""
_SAME = 3
"""Letters at the beginning or the end that are right in a name with two slips."""
_BEGINNING, _LEFT_OUT, _MOST_BEGUN = 5, 3, 2
"""Letters of a name that is cut short, letters that it lacks, and how many drugs it may stand for."""
_KEPT = 4096


class Misspellings:
    """Finds names that a word may misspell; ``others`` are words that resemble one and mean something else."""

    def __init__(
        self, names: Mapping[str, frozenset[str]], others: Iterable[str] = (), *, shortest: int = SHORTEST
    ) -> None:
        self._drugs_of = {name: drugs for name, drugs in names.items() if len(name) >= shortest}
        self._others = frozenset(others)
        self._lengths = range(shortest - 1, max(map(len, self._drugs_of), default=0) + 3)
        self._shortened = grouped((shortened, name) for name in self._drugs_of for shortened in _shortened(name))
        self._long = grouped((end, name) for name in self._drugs_of if len(name) >= _LONG for end in _ends(name))
        self.drugs = lru_cache(_KEPT)(self._drugs)
        """The drugs whose name the word nearly is; empty for any other word."""

    def _drugs(self, word: str) -> frozenset[str]:
        if len(word) not in self._lengths or word in self._others:
            return frozenset()
        one = {name for shortened in _shortened(word) for name in self._shortened.get(shortened, ())}
        near = {name for name in one if slips(word, name) <= 1}
        for end in _ends(word):
            alike = (name for name in self._long.get(end, ()) if abs(len(name) - len(word)) <= 2)
            near.update(name for name in alike if slips(word, name) <= 2)
        return frozenset[str]().union(*map(self._drugs_of.__getitem__, near))


def _shortened(word: str) -> set[str]:
    """The word, and it without one of its letters: words that one slip tells apart have one of these in common."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def _ends(word: str) -> tuple[str, str]:
    return f"{word[:_SAME]}-", f"-{word[-_SAME:]}"


def truncated_names(names: Iterable[tuple[str, str]], others: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """The drugs of names that are cut short ("Citalo", "Pregaba"), where no more than two drugs begin so."""
    found = grouped((name[:n], drug) for name, drug in names for n in range(_BEGINNING, len(name) - _LEFT_OUT + 1))
    return {word: drugs for word, drugs in found.items() if len(drugs) <= _MOST_BEGUN and word not in others}


def slips(one: str, other: str) -> int:
    """How many letters are missing, too much or other ones, two that changed places counted once."""
    before, last = list[int](), list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, wanted in enumerate(other, 1):
            least = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != wanted))
            if row > 1 < column and letter == other[column - 2] and one[row - 2] == wanted:
                least = min(least, before[column - 2] + 1)
            current.append(least)
        before, last = last, current
    return last[-1]

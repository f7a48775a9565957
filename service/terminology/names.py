"""Drugs in the words of a label: common names by their sound, brands letter by letter, and what may take them back."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from service.terminology.folding import Sounds, fold, plain

_WORD = re.compile(r"[゠-ヿ]+|[^\W\d_゠-ヿ]+")
"""Runs of letters; katakana, in which Japanese writes drugs, apart from the script around it."""
_TAKEN_BACK = re.compile(
    r"(?<!\w)(?:not|\w+n['’]t|never|avoid\w*|without|instead of|rather than|in place of|replac\w+|interact\w*"
    r"|contraindicated|allerg\w*|intoleran\w*|nicht|ohne|statt|anstelle|au lieu d[e'’]?|en lugar de|invece d\w+|zamiast"
    r"|místo|miesto|namiesto|вместо|замість)(?!\w)[^.;\n]*$"
)
"""Words before a drug's name, in the same sentence, by which a text may say that it is not this drug that is meant."""
_REACH = 80
"""How many characters before the name are looked at: far enough for a phrase, and no work for a hostile text."""


class Names(NamedTuple):
    """The names of drugs, each with the id of its drug.

    ``common`` are compared by their sound, ``exact`` case and accents apart; ``others`` are words that sound like a
    common name and mean something else.
    """

    common: tuple[tuple[str, str], ...] = ()
    exact: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()


def says_nothing(text: str, *nameless: frozenset[str]) -> bool:
    """True when a name has only words that name no drug, and single letters: "Tablette 25 mg", "see comments"."""
    words = (plain(match[0]) for match in _WORD.finditer(fold(text)))
    return all(len(word) == 1 or any(word in those for those in nameless) for word in words)


class Label:
    """Finds the drugs that the words of a label name."""

    def __init__(self, names: Names) -> None:
        self._sounds = Sounds(names.common, names.others)
        self._phrases = _by_first_word(names.exact)

    def drugs(self, text: str) -> tuple[frozenset[str], frozenset[str]]:
        """The drugs that a text names, and those that it names only where it may say that they are not meant."""
        folded = fold(text).replace("\N{SOFT HYPHEN}", "")
        words = [(match.start(), plain(match[0])) for match in _WORD.finditer(folded)]
        meant: set[str] = set()
        doubted: set[str] = set()
        for place, (start, word) in enumerate(words):
            found = self._phrase(words, place) or self._sounds.drugs(word)
            if found:
                taken_back = _TAKEN_BACK.search(folded, max(start - _REACH, 0), start)
                (doubted if taken_back else meant).update(found)
        return frozenset(meant), frozenset(doubted - meant)

    def _phrase(self, words: Sequence[tuple[int, str]], place: int) -> frozenset[str]:
        """The drugs of the exact names that begin with the word at this place."""
        begun = self._phrases.get(words[place][1])
        if begun is None:
            return frozenset()
        return frozenset(
            drug
            for rest, drug in begun
            if all(w == r for (_, w), r in zip(words[place + 1 :], rest, strict=False))
            and len(words) - place > len(rest)
        )


def _by_first_word(names: Iterable[tuple[str, str]]) -> Mapping[str, Sequence[tuple[tuple[str, ...], str]]]:
    """Each name by its first word, with the words that have to follow."""
    found: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for name, drug in names:
        first, *rest = (plain(word) for word in _WORD.findall(fold(name)))
        found.setdefault(first, []).append((tuple(rest), drug))
    return found

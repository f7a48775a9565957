"""Drugs in the words of a label: common names by sound, brands letter by letter, and words that negate them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from service.terminology.endings import Endings
from service.terminology.folding import Sounds, bare, fold, grouped, plain
from service.terminology.misspellings import SHORTEST, Misspellings, truncated_names

_WORD = re.compile(r"[゠-ヿ]+|[^\W\d_゠-ヿ]+")
"""Runs of letters; katakana, in which Japanese writes drugs, apart from the script around it."""
_UNSPACED = re.compile(r"[㐀-鿿가-힣]+")
"""Names in Chinese characters and Hangul, which stand within a word: "盐酸阿米替林片", "에나폰정"."""
_REACH = 80
"""How many characters around the name are looked at: far enough for a phrase, and no work for a hostile text."""
_SENTENCE = re.compile(r"[.;\n]")
_AT_MOST_TWO_WORDS = re.compile(r"[\s\"'(]*(?:[^\W\d_]+[\s'-]+){0,2}[\"'(]*")
_STRENGTH = re.compile(r"(?:[\s\d.,/+]*(?:m?c?g|ml|tabl?\w*|caps?\w*|kaps?\w*|мг|таб\w*)(?!\w)){0,3}[\s\d.,:(\[–-]*")
HEARD = frozenset({"LATIN", "CYRILLIC", "GREEK", "GEORGIAN", "ARMENIAN"})
"""Scripts in which names are compared as they sound. Of others only those are known that are listed."""
_MOST_WORDS = 6
"""Words of a label that are compared with names that they nearly are: a name stands at its beginning."""
_NEVER = re.compile(r"(?!)")


class TakenBack(NamedTuple):
    """Words by which a text may say that it is not this drug that is meant, without case and accents.

    ``near`` stand at most two words before the name ("no amitriptyline"), ``before`` anywhere before it in the sentence
    ("instead of"), ``after`` right behind it and its strength ("stopped"), as do the words of ``endings``.
    """

    near: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]
    endings: Endings

    def say_so(self, folded: str, start: int, end: int) -> bool:
        """True when such words stand around the name between these places."""
        sentence = _SENTENCE.split(plain(folded[max(start - _REACH, 0) : start]))[-1]
        if self.before.search(sentence) is not None:
            return True
        if any(_AT_MOST_TWO_WORDS.fullmatch(sentence, match.end()) for match in self.near.finditer(sentence)):
            return True
        behind = plain(folded[end : end + _REACH])
        strength = _STRENGTH.match(behind)
        behind = behind[strength.end() if strength is not None else 0 :]
        return self.after.match(behind) is not None or self.endings.begin(behind)


@dataclass(slots=True)
class Names:
    """The names of drugs, each with the id of its drug.

    ``common`` are compared by their sound, ``exact`` case and accents apart; ``others`` are words that sound like a
    common name, or are nearly a name, and mean something else. ``short`` are brands that are looked for
    misspelt although they are short, and beginnings that may stand for a drug.
    """

    common: list[tuple[str, str]] = field(default_factory=list)
    exact: list[tuple[str, str]] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    short: list[tuple[str, str]] = field(default_factory=list)


def naming_words(text: str, *nameless: frozenset[str]) -> list[str]:
    """The words of a text that may name a drug; none in "Tablette 25 mg" and "see comments"."""
    words = (plain(match[0]) for match in _WORD.finditer(fold(text)))
    return [word for word in words if len(word) > 1 and not any(word in those for those in nameless)]


def script(word: str) -> str:
    """The script of a word's first letter, as Unicode names it: "LATIN", "CYRILLIC", "CJK"."""
    return "LATIN" if word.isascii() else unicodedata.name(word[0], "").partition(" ")[0]


class Label:
    """Finds the drugs that the words of a label name."""

    def __init__(self, names: Names, taken_back: TakenBack) -> None:
        self._taken_back = taken_back
        self._sounds = Sounds(names.common, names.others)
        exact = ((*map(plain, _WORD.findall(fold(name))), drug) for name, drug in names.exact)
        self._phrases = grouped((first, (tuple(rest), drug)) for first, *rest, drug in exact)
        self._within = grouped((fold(name), drug) for name, drug in names.exact if _UNSPACED.fullmatch(name))
        self._unspaced = re.compile("|".join(sorted(self._within, key=len, reverse=True))) if self._within else _NEVER
        brands = grouped((name, drug) for name, several in self._phrases.items() for rest, drug in several if not rest)
        others = frozenset(map(plain, names.others))
        short = grouped((plain(name), drug) for name, drug in names.short)
        self._near_sounds = Misspellings(self._sounds.keys, map(bare, names.others), shortest=SHORTEST + 1)
        self._near_brands = Misspellings(brands, others)
        self._near_short = Misspellings(short, others, shortest=SHORTEST - 1)
        self._truncated = {**truncated_names(((plain(name), drug) for name, drug in names.common), others), **short}

    def drugs(self, text: str) -> tuple[frozenset[str], frozenset[str]]:
        """The drugs that a text names, and those that it names only where it may say that they are not meant."""
        folded = fold(text).replace("\N{SOFT HYPHEN}", "")
        words = [(match.start(), plain(match[0])) for match in _WORD.finditer(folded)]
        named = [
            (start, start + len(word), self._phrase(words, place) or self._sounds.drugs(word))
            for place, (start, word) in enumerate(words)
        ]
        named += [(*match.span(), self._within[match[0]]) for match in self._unspaced.finditer(folded)]
        meant: set[str] = set()
        doubted: set[str] = set()
        for start, end, found in named:
            if not found <= meant:
                (doubted if self._taken_back.say_so(folded, start, end) else meant).update(found)
        return frozenset(meant), frozenset(doubted - meant)

    def nearly(self, text: str) -> frozenset[str]:
        """The drugs whose names are in a text with a letter wrong or cut short, among its first words."""
        words = [plain(match[0]) for match in islice(_WORD.finditer(fold(text)), _MOST_WORDS)]
        near = (
            self._near_sounds.drugs(bare(word)) | self._near_brands.drugs(word) | self._near_short.drugs(word)
            for word in words
        )
        return frozenset[str]().union(*near, *(self._truncated.get(word, frozenset()) for word in words))

    def _phrase(self, words: Sequence[tuple[int, str]], place: int) -> frozenset[str]:
        """The drugs of the exact names that begin with the word at this place."""
        several = self._phrases.get(words[place][1])
        if several is None:
            return frozenset()
        longest = max(len(rest) for rest, _ in several)
        behind = tuple(word for _, word in words[place + 1 : place + 1 + longest])
        return frozenset(drug for rest, drug in several if behind[: len(rest)] == rest)

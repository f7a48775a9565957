"""Sets of codes, and of words as a last resort, that mean one condition, route or measurement."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from service.terminology.folding import fold

_DENIED = re.compile(r"(?<!\w)(?:no|not|without|denie[sd]|denying|never|kein\w*|nicht|ohne)(?!\w)[^.;,\n]*$")
"""Words by which a reason says that something is not so."""
_REACH = 80
"""How many characters before a word are looked at: far enough for a phrase, and no work for a hostile text."""

_SWALLOWED = re.compile(r"(?<!\w)(?:soft ?gels?|(?:\w*(?:capsule|tablet|kapsel|kapszula|tabletta)\w*))(?!\w)")


@dataclass(frozen=True, slots=True)
class ConceptSet:
    """Codes of one condition, route or measurement: exact ones, ICD prefixes, and words for last resort."""

    id: str
    title: str
    codes: frozenset[tuple[str, str]]
    prefixes: frozenset[tuple[str, str]] = frozenset()
    words: re.Pattern[str] | None = None

    def in_words(self, text: str) -> bool:
        """True when one of the set's words stands in the text as a word of its own."""
        return self.words is not None and self.words.search(fold(text)) is not None

    def affirmed(self, folded: str) -> bool:
        """True when a word of the set stands in the folded text and no denial before it in the same sentence."""
        found = self.words.finditer(folded) if self.words is not None else ()
        return any(_DENIED.search(folded, max(m.start() - _REACH, 0), m.start()) is None for m in found)


def swallowed(text: str) -> bool:
    """True when a text names an oral form, even if it also seems to name a form for the skin: "soft gel"."""
    return _SWALLOWED.search(fold(text)) is not None


def word_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the words, whole, the longest first."""
    alternatives = "|".join(re.escape(fold(word)) for word in sorted(words, key=lambda w: (-len(w), w)))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")

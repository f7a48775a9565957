"""Allergens in words: classes of drugs, what no rule asks for, and words that deny an allergy."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from service.terminology.folding import plain
from service.terminology.names import NEVER
from service.terminology.phrases import Phrases, words_of

_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Allergens:
    """``named`` are phrases of classes, ``others`` of what no rule asks for, ``denying`` of "no known allergy".

    ``codes`` are the codes of classes, by system and code, ``crossing`` classes in which an allergy to one drug counts
    for all. What is ``tolerated`` is no allergy, unless a word of ``not_tolerated`` stands beside it. A denial with a
    word of ``yet``, or with another word for a reaction (``allergic``), is none of all that is named.
    """

    named: Phrases
    others: Phrases
    denying: Phrases
    denied: re.Pattern[str]
    codes: Mapping[tuple[str, str], str]
    crossing: frozenset[str] = frozenset()
    tolerated: re.Pattern[str] = NEVER
    not_tolerated: re.Pattern[str] = NEVER
    yet: re.Pattern[str] = NEVER
    allergic: re.Pattern[str] = NEVER

    def classes(self, text: str) -> frozenset[str]:
        """The classes of drugs that a text names; the narrower of two where one word is in both."""
        found = frozenset(match.id for match in self.named.find(_words(text)))
        return found - {"antidepressant"} if "tca" in found else found

    def of_code(self, system: str, code: str) -> frozenset[str]:
        """The class that a code means."""
        class_ = self.codes.get((system, code))
        return frozenset() if class_ is None else frozenset({class_})

    def other(self, text: str) -> bool:
        """True for an allergen that no rule asks for."""
        return bool(self.others.find(_words(text)))

    def denies(self, text: str) -> bool:
        """True when the words say that there is no allergy, or that the substance is tolerated."""
        folded = plain(text[:_LONGEST])
        rest, count = self.denied.subn(" ", folded)
        if count or self.denying.find(words_of(folded)):
            return self.yet.search(folded) is None and not (count and self.allergic.search(rest))
        return self.tolerated.search(folded) is not None and self.not_tolerated.search(folded) is None


def _words(text: str) -> Sequence[str]:
    return words_of(plain(text[:_LONGEST]))

"""Whether the words of an order, or of an entry of the list, say that its drug is not taken, in every language."""

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import NamedTuple

from service.terminology.folding import plain
from service.terminology.phrases import any_of

LONGEST = 1000
"""Letters of a text that are read."""
_ENDING = ("hold", "ended", "stop")
_SENTENCE = re.compile(r"[;!?\n]|(?<!\bpat)(?<!\bdr)\.")
_PART = re.compile(r"[,:()\[\]/]|\s[-–—]\s")
_DATE = re.compile(r"(?<!\d)(?:\d{4}-\d\d-\d\d|\d{1,2}[/.]\d{4}|\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d\d)?)(?!\d)")
_AMOUNT = re.compile(r"\d[\d.,]*\s*(?:(?:mg|g|mcg|µg|ml|x|tbl|tabl?|caps?|мг|таб)(?![^\W_]))?")
_WORD = re.compile(r"[^\W\d_]+")


class Ending(StrEnum):
    """What words say of a drug: that it ends, that it pauses, perhaps one of these, or that its dose changes later."""

    STOP = "stop"
    HOLD = "hold"
    PERHAPS = "perhaps"
    CHANGE = "change"


class Phrases(NamedTuple):
    """The words of one language, as ``cards/terminology/words/order-words.yaml`` explains them."""

    stop: re.Pattern[str]
    ended: re.Pattern[str]
    hold: re.Pattern[str]
    beside: re.Pattern[str]
    why: re.Pattern[str]
    unless: re.Pattern[str]
    ahead: re.Pattern[str]
    change: re.Pattern[str]
    any: re.Pattern[str]

    def reads(self, sentence: str, *, dated: bool) -> Ending | None:
        """What a sentence with such words says; None for something else. ``dated``: a date stood in the text."""
        over, pauses = self.ended.search(sentence), self.hold.search(sentence)
        ahead = self.ahead.search(self.any.sub(" ", sentence)) is not None
        if self.unless.search(sentence) or (ahead and not (over or pauses)):
            return None
        for part in _PART.split(sentence):
            ends = self.any.search(part) is not None
            before_why = self.why.split(part, maxsplit=1)[0] if ends else part
            rest = _AMOUNT.sub(" ", self.beside.sub(" ", self.any.sub(" ", before_why)))
            if _WORD.search(rest) and (ends or any(map(str.isdecimal, part))):
                return Ending.PERHAPS
        if pauses:
            return Ending.HOLD
        return Ending.PERHAPS if ahead or (dated and not over) else Ending.STOP


class Endings:
    """Reads texts for words by which a drug is not taken; ``denied`` are those that deny what follows."""

    def __init__(self, languages: Mapping[str, Mapping[str, str]], denied: re.Pattern[str]) -> None:
        self._languages = [_phrases(lists) for lists in languages.values()]
        self._any, self._ends = any_of(_every_kind(languages)), any_of(_every_kind(languages, *_ENDING))
        self._changes = any_of(_every_kind(languages, "change"))
        self._denied = re.compile(rf"{denied.pattern}\W+(?:\w+\W+){{0,2}}$")

    def mentioned(self, text: str) -> bool:
        """True when such words stand in a text, whatever they say there; reading it takes longer."""
        return self._any.search(plain(text[:LONGEST])) is not None

    def begin(self, behind: str) -> bool:
        """True when words by which a drug is not taken stand first, and the text behind them does not say otherwise."""
        return self._any.match(behind) is not None and self.read(behind, lambda _: (), ()) is not None

    def read(self, text: str, named: Callable[[str], Collection[str]], own: Collection[str]) -> Ending | None:
        """What a text beside an order for the drugs ``own`` says of them; ``named`` are the drugs that words name."""
        dateless, dates = _DATE.subn(" ", plain(text[:LONGEST]))
        found: set[Ending] = set()
        doses = False
        for sentence in _SENTENCE.split(dateless):
            if self._ends.search(sentence) is None:
                doses = doses or any(map(str.isdecimal, sentence))
            elif ending := self._read(sentence, named, frozenset(own), dated=dates > 0):
                found.add(ending)
        if not found:
            return Ending.CHANGE if any(map(self._changed, _SENTENCE.split(dateless))) else None
        return Ending.PERHAPS if len(found) > 1 or doses else found.pop()

    def _changed(self, sentence: str) -> bool:
        """True for words of a change that are not denied: "do not take a double dose"."""
        change = self._changes.search(sentence)
        return change is not None and self._denied.search(sentence[: change.start()]) is None

    def _read(
        self, sentence: str, named: Callable[[str], Collection[str]], own: frozenset[str], *, dated: bool
    ) -> Ending | None:
        drugs = frozenset(named(sentence))
        if drugs - own:
            return Ending.PERHAPS if drugs & own else None
        if drugs:
            sentence = _WORD.sub(lambda word: " " if named(word[0]) else word[0], sentence)
        readings = {words.reads(sentence, dated=dated) for words in self._languages if words.any.search(sentence)}
        if None in readings:
            return None
        whole = readings & {Ending.STOP, Ending.HOLD}
        return whole.pop() if len(whole) == 1 else Ending.PERHAPS


def _every_kind(languages: Mapping[str, Mapping[str, str]], *kinds: str) -> str:
    """The alternatives of some kinds, or of all by which a drug is not taken as before, in all languages."""
    return " |".join(lists[kind] for lists in languages.values() for kind in kinds or (*_ENDING, "change"))


def _phrases(lists: Mapping[str, str]) -> Phrases:
    each = [any_of(lists[kind]) for kind in Phrases._fields[:-1]]
    return Phrases._make([*each, any_of(" |".join(lists[kind] for kind in _ENDING))])

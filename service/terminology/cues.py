"""Cues: the words beside a problem that say how it stands, and a text with a mark in place of each, part by part."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from service.terminology.folding import plain
from service.terminology.phrases import any_of, phrases_in

KINDS = ("suspected", "family", "child", "unclear", "absent", "past")
"""Kinds of cues, in the order in which a text is searched for them: "not excluded" before "excluded"."""
PLACES = ("before", "after", "lists", "result")
"""Where a cue stands: before its problem, behind it, or, as "denies" does, on either side of a whole list of them. A
``result`` such as "negative" stands right behind it, or is that of a test."""
MARK = {
    (kind, place): chr(0xE000 + len(PLACES) * n + m) for n, kind in enumerate(KINDS) for m, place in enumerate(PLACES)
}
BEFORE = {mark: kind for (kind, place), mark in MARK.items() if place in ("before", "lists")}
AFTER = {mark: kind for (kind, place), mark in MARK.items() if place != "before"}
KIND_OF = BEFORE | AFTER
LISTS, HEREDITY, RESULT = MARK["absent", "lists"], MARK["family", "lists"], MARK["absent", "result"]
STRONGEST = ("absent", "suspected", "unclear", "past")
"""Kinds of cues that may stand at one problem, the one that decides first: "questionable history of"."""
_PART = re.compile(r"((?<!\d)(?<!\bst)(?<!\bstad)(?<!\bgr)(?<!\bz)(?<!\bzt)\.|[;:=,\n()\[\]/+|]|\s[-–—]\s)")
"""Ends of a part of a sentence; a dot behind a number is an ordinal's, "st." a stage, "z. Zt." at present."""
_NONE = re.compile(
    r"\(\s*[-–—−]\s*\)|[:=]\s*[-–—−](?=\s*(?:[,;)\n]|$))|∅"
    r"|(?<=[\s(])0(?=\s*(?:[,;)\n]|$))|(?<=\w)\s+[-–—−](?=\s*(?:[,;)\n]|$))"
)
"""Signs for "none": "(-)", ": -", "∅" or a nought at the end."""
_WITHIN = re.compile(r"(?<= )\((\w+)\)(?= \w)")
"""A word in brackets within a name: "without (congestive) heart failure"."""
CAPITALS = "\ue0ff"
"""Stands before an abbreviation in capitals."""
_TOKEN = re.compile(r"[^\W_]+|[\ue000-\ue0ff]")
_MOST_WORDS = 300
"""Words of one part that are read together; nobody writes so many without a comma."""


@dataclass(frozen=True, slots=True)
class Cues:
    """Words that say how a problem stands: regular expressions by kind and place.

    ``ends`` are words that end a cue's reach, ``choice`` those of a denied list ("or", "nor"). ``no`` deny what stands
    before them as an answer. ``object`` are what a denial behind a problem may be of ("cause not found"), ``also`` say
    beside a relative that it is both, ``over`` that a status is. ``stage`` finds the sign before a stage, which belongs
    to the problem before it: "kidney disease, stage 4"; ``qualified`` a denial that is part of a word: "non-valvular".
    ``perhaps`` finds abbreviations in capitals.
    """

    patterns: Mapping[tuple[str, str], re.Pattern[str]]
    ends: frozenset[str]
    choice: frozenset[str]
    no: frozenset[str]
    object: re.Pattern[str]
    also: re.Pattern[str]
    over: re.Pattern[str]
    perhaps: re.Pattern[str]
    stage: re.Pattern[str]
    qualified: re.Pattern[str]

    def capitals(self, text: str) -> str:
        """The text with a sign before each abbreviation in capitals that may mean a problem."""
        return self.perhaps.sub(CAPITALS, text)

    def joined(self, folded: str) -> str:
        """The text without the signs within a name: "disease, stage 4", "without (congestive) heart failure"."""
        return self.qualified.sub(r"\1\2", self.stage.sub(" ", _WITHIN.sub(r"\1", folded)))

    def marked(self, folded: str) -> str:
        """The text with a mark in place of each cue, so that their dots end no sentence."""
        folded = _NONE.sub(f" {MARK['absent', 'after']} ", _WITHIN.sub(r"\1", folded))
        for kind in KINDS:
            # "not confirmed" before "not", but "family history of" before "family history".
            for place in ("lists", "before", "after") if kind == "family" else ("lists", "after", "result", "before"):
                if (kind, place) in self.patterns:
                    folded = self.patterns[kind, place].sub(f" {MARK[kind, place]} ", folded)
        return folded.replace("?", f" {MARK['suspected', 'after']} ")

    def pieces(self, folded: str) -> list[str]:
        """The text taken apart at the ends of sentences, not of abbreviations, and at words that end a cue's reach."""
        words = "|".join(map(re.escape, sorted(self.ends)))
        return re.split(rf"(?<=\w{{4}})\.|[;\n]|\b(?:{words})\b", folded)

    def of_others(self, folded: str) -> bool:
        """True when a cue speaks of another person."""
        return any(KIND_OF.get(letter) in ("family", "child") for letter in self.marked(folded))

    def status(self, folded: str) -> str:
        """How a status in words says that its problem stands; empty when it says nothing."""
        kinds = {KIND_OF[letter] for letter in self.marked(folded) if letter in KIND_OF}
        return next((kind for kind in STRONGEST if kind in kinds), "past" if self.over.search(folded) else "")


def doubts(marked: str) -> bool:
    """True when a marked text bears a cue of another kind than the past."""
    return any(mark in marked for mark, kind in KIND_OF.items() if kind != "past")


def parts_of(text: str) -> Iterator[tuple[list[str], str]]:
    """The words and marks of each part of a text, with the sign that ends it."""
    pieces = _PART.split(text)
    for part, closing in zip(pieces[::2], [*pieces[1::2], "."], strict=True):
        tokens = _TOKEN.findall(part)
        for start in range(0, len(tokens) - _MOST_WORDS, _MOST_WORDS):
            yield tokens[start : start + _MOST_WORDS], ""
        yield tokens[(len(tokens) - 1) // _MOST_WORDS * _MOST_WORDS :], closing.strip()


def cues_of(lists: Mapping[str, Any], abbreviations: Iterable[str]) -> Cues:
    """Cues from their lists; ``alone`` are words that belong to the problem before them when they stand alone."""
    stage, alone = plain(lists["stage"]), plain(lists["alone"])
    return Cues(
        patterns={(kind, place): any_of(words) for kind in KINDS for place, words in lists[kind].items()},
        ends=frozenset(plain(lists["ends"]).split("|")),
        choice=frozenset(plain(lists["choice"]).split("|")),
        no=frozenset(answer for answer, _ in phrases_in([(lists["answers"]["no"], "")]) if len(answer) > 1),
        object=any_of(lists["object"]),
        also=any_of(lists["also"]),
        over=any_of(lists["over"]),
        perhaps=re.compile(rf"(?<!\w)(?<!\d )(?=(?:{'|'.join(abbreviations)})(?!\w))"),
        qualified=re.compile(rf"(?<!\w)({plain(lists['not a'])})[- ]({plain(lists['qualified'])})(?!\w)"),
        stage=re.compile(rf"\s*[,(]\s*(?=(?:(?:{stage})(?![^\W_])|(?:{alone})\s*(?:[,;.)]|$)))"),
    )

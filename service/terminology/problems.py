"""Problems in words: which condition sets they mention, and whether as present, past, suspected or denied."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.terminology.folding import plain
from service.terminology.phrases import Match, Phrases, any_of, words_of

KINDS = ("suspected", "family", "absent", "past")
"""Kinds of cues, in the order in which a text is searched for them: "not excluded" before "excluded"."""
_MARK = {kind: (chr(0xE000 + 2 * n), chr(0xE001 + 2 * n)) for n, kind in enumerate(KINDS)}
_BEFORE = {mark[0]: kind for kind, mark in _MARK.items()}
_AFTER = {mark[1]: kind for kind, mark in _MARK.items()}
_FAMILY = frozenset(_MARK["family"])
"""The family's marks count on both sides: "mother with epilepsy", "epilepsy (mother)"."""
_DOUBTS = frozenset(mark for kind in KINDS if kind != "past" for mark in _MARK[kind])
_PART = re.compile(r"((?<!\d)(?<!\bst)(?<!\bstad)(?<!\bgr)\.|[;:,\n()\[\]/+|]|\s[-–—]\s)")
"""Ends of a part of a sentence; a dot behind a number is an ordinal's, behind "st" the stage's."""
_TOKEN = re.compile(r"[^\W_]+|[\ue000-\ue007]")
_LONGEST_NAME = 8
"""Words of a name that may be written the other way round."""
_LONGEST = 2000
"""Characters of a problem that are read; nobody writes a longer one."""


@dataclass(frozen=True, slots=True)
class Cues:
    """Words that say how a problem stands: regular expressions by kind, before and after it, and what ends a reach.

    ``stage`` finds the sign before a stage, which belongs to the problem before it: "kidney disease, stage 4".
    """

    before: Mapping[str, re.Pattern[str]]
    after: Mapping[str, re.Pattern[str]]
    ends: frozenset[str]
    stage: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Mentions:
    """Condition sets that words mention as present, as past, and as only suspected.

    ``understood`` is true also for what is denied, the family's, or an ordinary problem that no rule asks for.
    """

    present: frozenset[str] = frozenset()
    past: frozenset[str] = frozenset()
    suspected: frozenset[str] = frozenset()
    understood: bool = False


@dataclass(frozen=True, slots=True)
class Problems:
    """Reads problems in words.

    ``conditions`` are the phrases of the sets, ``others`` those of ordinary problems, ``lasting`` the sets for which
    what was counts as what is: falls, an allergy; ``of_orders`` those that no rule asks of a problem, so that its words
    alone are not understood.
    """

    conditions: Phrases
    others: Phrases
    cues: Cues
    lasting: frozenset[str]
    of_orders: frozenset[str]

    def read(self, text: str) -> Mentions:
        """What the words of one entry of a problem list, or of an order's reason, say."""
        folded = self.cues.stage.sub(" ", plain(text[:_LONGEST]))
        parts = [words_of(part) for part in _PART.split(folded)]
        named = {match.id for part in parts for match in self.conditions.find(part)}
        ordinary = len(text) <= _LONGEST and any(self.others.find(part) for part in parts)
        if not named:
            upright = _inverted(folded, self.conditions)
            return self.read(upright) if upright else Mentions(understood=ordinary)
        marked = self._marked(folded)
        found = self._standing(marked)
        present = frozenset(found["present"]) | (self.lasting & found["past"])
        if not _DOUBTS.intersection(marked):
            # A phrase that holds a word of the cues itself: "old infarct", "history of falls".
            present |= named.difference(*found.values())
        past = frozenset(found["past"]) - present
        suspected = frozenset(found["suspected"]) - present - past
        denied = not (present or past or suspected)
        return Mentions(present, past, suspected, denied or ordinary or not named <= self.of_orders)

    def _marked(self, folded: str) -> str:
        """The text with a mark in place of each cue, so that their dots end no sentence."""
        for kind in KINDS:
            steps = [(self.cues.after, _MARK[kind][1]), (self.cues.before, _MARK[kind][0])]
            # "not confirmed" before "not", but "family history of" before "family history".
            for cues, mark in reversed(steps) if kind == "family" else steps:
                folded = cues[kind].sub(f" {mark} ", folded)
        return folded.replace("?", f" {_MARK['suspected'][1]} ")

    def _standing(self, marked: str) -> dict[str, set[str]]:
        """The sets that a marked text names, by how they stand."""
        found: dict[str, set[str]] = {kind: set() for kind in ("present", *KINDS)}
        carried, last = "", frozenset[str]()
        pieces = _PART.split(marked)
        for part, closing in zip(pieces[::2], [*pieces[1::2], "."], strict=True):
            tokens = _TOKEN.findall(part)
            matches = self.conditions.find(tokens)
            for match in matches:
                found[_kind(match, tokens, self.cues.ends) or carried or "present"].add(match.id)
            marks = [token for token in tokens if token in _AFTER or token in _FAMILY]
            if not matches and marks and len(tokens) <= len(marks) + 3:
                # "Epilepsy (in her mother)" is hers; whose "Epilepsy, mother died" is nobody can tell.
                of_family = "family" if all(len(token) < 4 for token in tokens) else "suspected"
                found["present"] -= last
                found[of_family if marks[0] in _FAMILY else _AFTER[marks[0]]] |= last
            if matches:
                last = frozenset(match.id for match in matches)
            carried = _carried(tokens, matches, carried, closing)
        return found


def _inverted(folded: str, conditions: Phrases) -> str:
    """A name written the other way round, without its commas: "disease, coronary artery"; empty for any other text.

    A list of problems is none, so the phrase has to begin with the first word.
    """
    joined = folded.replace(",", " ")
    words = words_of(joined)
    inverted = joined != folded and len(words) <= _LONGEST_NAME and any(m.first == 0 for m in conditions.find(words))
    return joined if inverted else ""


def _kind(match: Match, tokens: Sequence[str], ends: frozenset[str]) -> str:
    """How the words around a phrase say that it stands; empty when they say nothing."""
    if not _FAMILY.isdisjoint(tokens):
        return "family"
    for place in range(match.last, -1, -1):
        token = tokens[place]
        if place < match.first and token in ends:
            break
        if token in _BEFORE:
            return _BEFORE[token]
    behind = [token for token in tokens[match.first :] if token in _AFTER]
    if behind:
        return _AFTER[behind[0]]
    for place in range(match.first - 1, -1, -1):
        if tokens[place] in ends:
            break
        if tokens[place] in _AFTER:
            return _AFTER[tokens[place]]
    return ""


def _carried(tokens: Sequence[str], matches: Sequence[Match], carried: str, closing: str) -> str:
    """The cue that goes on into the next part: of a heading ("suspected: …"), and the family's over a list."""
    here = next((kind for t in tokens if (kind := _BEFORE.get(t) or _AFTER.get(t, ""))), "")
    if closing == ":" and not matches:
        return here or carried
    if closing in (",", "/", "+"):
        kind = here if here == "family" else carried
        return kind if kind == "family" or not matches else ""
    return ""


def cues_of(lists: Mapping[str, Any]) -> Cues:
    """Cues from their lists; ``alone`` are words that belong to the problem before them when they stand alone."""
    stage, alone = plain(lists["stage"]), plain(lists["alone"])
    return Cues(
        before={kind: any_of(lists[kind]["before"]) for kind in KINDS},
        after={kind: any_of(lists[kind]["after"]) for kind in KINDS},
        ends=frozenset(plain(lists["ends"]).split("|")),
        stage=re.compile(rf"\s*[,(]\s*(?=(?:(?:{stage})(?![^\W_])|(?:{alone})\s*(?:[,;.)]|$)))"),
    )

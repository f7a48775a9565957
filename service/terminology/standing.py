"""How the problems that a text names stand: present, past, suspected, denied, another person's, or not clear.

Cues are replaced by marks, and the text is taken apart into parts of sentences. A cue counts for the problems of its
own part; a denial also for the list that it begins or ends: "denies CAD, MI, AF"; "CAD, MI or AF excluded".
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from service.terminology.cues import (
    AFTER,
    BEFORE,
    CAPITALS,
    HEREDITY,
    KIND_OF,
    KINDS,
    LISTS,
    MARK,
    RESULT,
    STRONGEST,
    Cues,
    parts_of,
)
from service.terminology.phrases import Match, Phrases

_GO_ON = ("family", "unclear")
"""Kinds that go on over a list."""
_OF_LISTS, _OF_HEADS, _BRACKETS = frozenset(",/+"), frozenset(":="), frozenset("()[]")
_LITTLE_WORDS, _LONG = 2, 5
"""How many words may stand between a problem and whose it is, and how many letters make a long one."""


@dataclass(slots=True)
class Standing:
    """Reads a marked text part by part; ``found`` are the sets that it names, by how they stand.

    ``born`` are sets that a child does not take away: "pregnant with her second child". ``perhaps`` are abbreviations
    that may mean a set, which is then named with a "?" before it.
    """

    conditions: Phrases
    others: Phrases
    cues: Cues
    born: frozenset[str]
    perhaps: Mapping[str, str]
    found: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in ("present", *KINDS)})
    _last: frozenset[str] = frozenset()
    _carried: str = ""
    _denial: str = ""
    _pending: set[str] = field(default_factory=set)
    _listed: set[str] = field(default_factory=set)

    def read(self, marked: str) -> Mapping[str, set[str]]:
        """What the whole text says."""
        opening = "."
        for tokens, closing in parts_of(marked):
            tokens, matches = self._find(tokens)
            for match in matches:
                self._place(match, tokens)
            if not matches and closing not in _OF_HEADS:
                self._alone(tokens, opening)
            self._deny(tokens, matches, closing)
            self._last = frozenset(match.id for match in matches) or self._last
            self._carried = self._carry(tokens, matches, closing)
            if closing not in _OF_LISTS | _OF_HEADS | _BRACKETS:
                self._end_list()
            opening = closing or opening
        self._end_list()
        return self.found

    def _find(self, tokens: Sequence[str]) -> tuple[list[str], list[Match]]:
        """The tokens of a part without the signs before abbreviations, and what it names or may name."""
        words = [token for token in tokens if token != CAPITALS]
        matches = self.conditions.find(words)
        held = {place for match in matches for place in range(match.first, match.last + 1)}
        before = [place for place, token in enumerate(tokens) if token == CAPITALS]
        for place in (place - signs for signs, place in enumerate(before)):
            if place not in held and words[place] in self.perhaps:
                matches.append(Match(f"?{self.perhaps[words[place]]}", place, place))
        return words, matches

    def _place(self, match: Match, tokens: Sequence[str]) -> None:
        kind = self._kind(match, tokens) or self._carried
        reached = self.cues.ends.isdisjoint(tokens[: match.first])
        if kind or not (self._denial and reached):
            self.found[kind or "present"].add(match.id)
            self._listed |= {match.id} if not kind else set()
            self._denial = self._denial if kind or reached else ""
        elif self._denial == "list":
            self.found["absent"].add(match.id)
        else:
            self._pending.add(match.id)

    def _kind(self, match: Match, tokens: Sequence[str]) -> str:
        """How the words around a phrase say that it stands; empty when they say nothing."""
        kinds = {KIND_OF[token] for token in tokens if token in KIND_OF}
        ahead, rest = tokens[: match.first], tokens[match.first :]
        if not kinds.isdisjoint(("family", "child")):
            if MARK["child", "before"] in ahead or _named(ahead, "family") or MARK["family", "after"] in rest:
                return "family"
            if match.id not in self.born and _named(ahead, "child"):
                return "family"
            if _named(rest, "family") or match.id not in self.born:
                return "family" if HEREDITY in rest or _of_whom(tokens[match.last + 1 :]) else "unclear"
        before, behind = self._before(match, tokens), self._behind(match, tokens)
        if "absent" in before and "absent" in behind:
            return "unclear"  # "Ausschluss nicht möglich"
        return next((kind for kind in STRONGEST if kind in before or kind in behind), "")

    def _before(self, match: Match, tokens: Sequence[str]) -> set[str]:
        """The kinds of the nearest cues before a phrase, or within it."""
        found: set[str] = set()
        for place in range(match.last, -1, -1):
            token = tokens[place]
            if place < match.first and (token in self.cues.ends or (found and token not in KIND_OF and len(token) > 3)):
                break
            found |= {KIND_OF[token]} if token in (KIND_OF if place < match.first else BEFORE) else set()
        return found

    def _behind(self, match: Match, tokens: Sequence[str]) -> set[str]:
        """The kinds of the cues behind a phrase, "no" as the last word among them: "Epilepsie nein"."""
        rest = [token for token in tokens[match.last + 1 :] if token not in KIND_OF]
        found = {"absent"} if len(rest) == 1 and rest[0] == tokens[-1] in self.cues.no else set()
        for place in range(match.first, len(tokens)):
            token = tokens[place]
            if self.cues.object.fullmatch(token):
                break
            if token in AFTER and (token != RESULT or place == match.last + 1):
                found.add(AFTER[token])
        return found

    def _alone(self, tokens: Sequence[str], opening: str) -> None:
        """A part that names nothing may say how what stands before it stands: "Epilepsy: no", "Epilepsy (mother)"."""
        kinds = [KIND_OF[token] for token in tokens if token in KIND_OF]
        others = " ".join(token for token in tokens if token not in KIND_OF)
        about = set(self._last)
        if (kinds == ["absent"] and not others) or (others in self.cues.no and tokens):
            kind = "absent"
            about |= self._listed if opening in _OF_HEADS or LISTS in tokens else set()
        elif not kinds or others.count(" ") > 2 or self.cues.also.search(others) or self.cues.object.search(others):
            return
        elif "family" in kinds or "child" in kinds:
            # "Epilepsy (in her mother)" is hers; whose "Epilepsy, mother died" is nobody can tell.
            kind = "unclear" if re.search(r"\w{4}", others) else "family"
            about -= self.born if kind == "unclear" or "family" not in kinds else set()
            about -= about if "absent" in kinds else set()
        elif kinds[0] != "unclear" and RESULT not in tokens and _behind_its_own(tokens):
            kind = "unclear" if kinds[0] == "absent" else kinds[0]
        else:
            return
        self.found["present"] -= about
        self.found[kind] |= about

    def _deny(self, tokens: Sequence[str], matches: Sequence[Match], closing: str) -> None:
        """Keeps in mind that a list is denied: for certain, or perhaps, until a word such as "or" tells."""
        places = [place for place, token in enumerate(tokens) if KIND_OF.get(token) == "absent"]
        first = min((match.first for match in matches), default=len(tokens))
        last = max((match.last for match in matches), default=-1)
        choices = [place for place, token in enumerate(tokens) if token in self.cues.choice]
        if any(place == 0 or place > first for place in choices):
            self.found["absent"] |= self._pending
            self._pending.clear()
        if not places:
            return
        chosen = any(place < last for place in choices)
        ahead = [place for place in places if place < first or tokens[place] in BEFORE]
        mark = tokens[places[-1]]
        if matches and places[-1] > last and (mark == LISTS or (chosen and mark in AFTER)):
            self.found["present"] -= self._listed
            self.found["absent"] |= self._listed
        elif ahead and ahead[0] < first:
            history = any(KIND_OF.get(token) == "past" for token in tokens[ahead[0] : first])
            sure = history or tokens[ahead[0]] == LISTS
            heading = closing in _OF_HEADS and not matches
            if matches or self.others.find(tokens) or sure or heading:
                bare = heading and (sure or len(tokens) == len(places))
                self._denial = "list" if bare or (sure and matches) else "perhaps"

    def _carry(self, tokens: Sequence[str], matches: Sequence[Match], closing: str) -> str:
        """The cue that goes on into the next part: of a heading ("suspected: …"), and the family's over a list."""
        here = next((KIND_OF[token] for token in tokens if token in KIND_OF), "")
        if here == "child" or (here == "family" and HEREDITY not in tokens):
            # Whose the next problem is nobody can tell, but behind a colon; of "family history of" all are.
            here = "family" if closing not in _OF_LISTS and not matches else "unclear"
        if closing in _OF_HEADS and not matches:
            return "" if here == "absent" else here or self._carried
        if closing in _OF_LISTS:
            kind = self._carried if self._carried in _GO_ON else here if here in _GO_ON else self._carried
            return kind if kind in _GO_ON or not matches else ""
        if closing in _BRACKETS and not matches and not self._last:
            return here if here == "family" else self._carried
        return ""

    def _end_list(self) -> None:
        """Whether the rest of a list is denied, too, nobody can tell."""
        self.found["unclear"] |= self._pending
        self._pending.clear()
        self._listed.clear()
        self._denial = ""


def _named(tokens: Sequence[str], kind: str) -> bool:
    """True when a cue of another person is among the tokens."""
    return any(KIND_OF.get(token) == kind for token in tokens)


def _of_whom(behind: Sequence[str]) -> bool:
    """True when another person stands right behind a problem, but for little words: "bei der Mutter"."""
    place = next((n for n, token in enumerate(behind) if KIND_OF.get(token) in ("family", "child")), len(behind))
    return place <= _LITTLE_WORDS and all(len(token) < _LONG for token in behind[:place])


def _behind_its_own(tokens: Sequence[str]) -> bool:
    """True when a part that names nothing bears a cue for what stands before it."""
    return tokens[-1] in AFTER or any(token in AFTER and token != LISTS for token in tokens)

"""How the problems that a text names stand: present, past, suspected, denied, another person's, or not clear.

Cues are replaced by marks, and the text is taken apart into parts of sentences. A cue counts for the problems of its
own part; a denial also for the list that it begins or ends: "denies CAD, MI, AF"; "CAD, MI or AF excluded".
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.terminology.folding import plain
from service.terminology.phrases import Match, Phrases, any_of, phrases_in

KINDS = ("suspected", "family", "child", "unclear", "absent", "past")
"""Kinds of cues, in the order in which a text is searched for them: "not excluded" before "excluded"."""
PLACES = ("before", "after", "lists", "result")
"""Where a cue stands: before its problem, behind it, or, as "denies" does, on either side of a whole list of them. A
``result`` such as "negative" stands right behind it, or is that of a test."""
_MARK = {
    (kind, place): chr(0xE000 + len(PLACES) * n + m) for n, kind in enumerate(KINDS) for m, place in enumerate(PLACES)
}
_BEFORE = {mark: kind for (kind, place), mark in _MARK.items() if place in ("before", "lists")}
_AFTER = {mark: kind for (kind, place), mark in _MARK.items() if place != "before"}
_KIND = _BEFORE | _AFTER
_LISTS, _HEREDITY, _RESULT = _MARK["absent", "lists"], _MARK["family", "lists"], _MARK["absent", "result"]
_GO_ON = ("family", "unclear")
"""Kinds that go on over a list."""
_STRONGEST = ("absent", "suspected", "unclear", "past")
"""Kinds of cues that may stand at one problem, the one that decides first: "questionable history of"."""
_PART = re.compile(r"((?<!\d)(?<!\bst)(?<!\bstad)(?<!\bgr)(?<!\bz)(?<!\bzt)\.|[;:=,\n()\[\]/+|]|\s[-–—]\s)")
"""Ends of a part of a sentence; a dot behind a number is an ordinal's, "st." a stage, "z. Zt." at present."""
_OF_LISTS, _OF_HEADS, _BRACKETS = frozenset(",/+"), frozenset(":="), frozenset("()[]")
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
_LITTLE_WORDS, _LONG = 2, 5
"""How many words may stand between a problem and whose it is, and how many letters make a long one."""
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
        folded = _NONE.sub(f" {_MARK['absent', 'after']} ", _WITHIN.sub(r"\1", folded))
        for kind in KINDS:
            # "not confirmed" before "not", but "family history of" before "family history".
            for place in ("lists", "before", "after") if kind == "family" else ("lists", "after", "result", "before"):
                if (kind, place) in self.patterns:
                    folded = self.patterns[kind, place].sub(f" {_MARK[kind, place]} ", folded)
        return folded.replace("?", f" {_MARK['suspected', 'after']} ")

    def pieces(self, folded: str) -> list[str]:
        """The text taken apart at the ends of sentences, not of abbreviations, and at words that end a cue's reach."""
        words = "|".join(map(re.escape, sorted(self.ends)))
        return re.split(rf"(?<=\w{{4}})\.|[;\n]|\b(?:{words})\b", folded)

    def of_others(self, folded: str) -> bool:
        """True when a cue speaks of another person."""
        return any(_KIND.get(letter) in ("family", "child") for letter in self.marked(folded))

    def status(self, folded: str) -> str:
        """How a status in words says that its problem stands; empty when it says nothing."""
        kinds = {_KIND[letter] for letter in self.marked(folded) if letter in _KIND}
        return next((kind for kind in _STRONGEST if kind in kinds), "past" if self.over.search(folded) else "")


def doubts(marked: str) -> bool:
    """True when a marked text bears a cue of another kind than the past."""
    return any(mark in marked for mark, kind in _KIND.items() if kind != "past")


def parts_of(text: str) -> Iterator[tuple[list[str], str]]:
    """The words and marks of each part of a text, with the sign that ends it."""
    pieces = _PART.split(text)
    for part, closing in zip(pieces[::2], [*pieces[1::2], "."], strict=True):
        tokens = _TOKEN.findall(part)
        for start in range(0, len(tokens) - _MOST_WORDS, _MOST_WORDS):
            yield tokens[start : start + _MOST_WORDS], ""
        yield tokens[(len(tokens) - 1) // _MOST_WORDS * _MOST_WORDS :], closing.strip()


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
        kinds = {_KIND[token] for token in tokens if token in _KIND}
        ahead, rest = tokens[: match.first], tokens[match.first :]
        if not kinds.isdisjoint(("family", "child")):
            if _MARK["child", "before"] in ahead or _named(ahead, "family") or _MARK["family", "after"] in rest:
                return "family"
            if match.id not in self.born and _named(ahead, "child"):
                return "family"
            if _named(rest, "family") or match.id not in self.born:
                return "family" if _HEREDITY in rest or _of_whom(tokens[match.last + 1 :]) else "unclear"
        before, behind = self._before(match, tokens), self._behind(match, tokens)
        if "absent" in before and "absent" in behind:
            return "unclear"  # "Ausschluss nicht möglich"
        return next((kind for kind in _STRONGEST if kind in before or kind in behind), "")

    def _before(self, match: Match, tokens: Sequence[str]) -> set[str]:
        """The kinds of the nearest cues before a phrase, or within it."""
        found: set[str] = set()
        for place in range(match.last, -1, -1):
            token = tokens[place]
            if place < match.first and (token in self.cues.ends or (found and token not in _KIND and len(token) > 3)):
                break
            found |= {_KIND[token]} if token in (_KIND if place < match.first else _BEFORE) else set()
        return found

    def _behind(self, match: Match, tokens: Sequence[str]) -> set[str]:
        """The kinds of the cues behind a phrase, "no" as the last word among them: "Epilepsie nein"."""
        rest = [token for token in tokens[match.last + 1 :] if token not in _KIND]
        found = {"absent"} if len(rest) == 1 and rest[0] == tokens[-1] in self.cues.no else set()
        for place in range(match.first, len(tokens)):
            token = tokens[place]
            if self.cues.object.fullmatch(token):
                break
            if token in _AFTER and (token != _RESULT or place == match.last + 1):
                found.add(_AFTER[token])
        return found

    def _alone(self, tokens: Sequence[str], opening: str) -> None:
        """A part that names nothing may say how what stands before it stands: "Epilepsy: no", "Epilepsy (mother)"."""
        kinds = [_KIND[token] for token in tokens if token in _KIND]
        others = " ".join(token for token in tokens if token not in _KIND)
        about = set(self._last)
        if (kinds == ["absent"] and not others) or (others in self.cues.no and tokens):
            kind = "absent"
            about |= self._listed if opening in _OF_HEADS or _LISTS in tokens else set()
        elif not kinds or others.count(" ") > 2 or self.cues.also.search(others) or self.cues.object.search(others):
            return
        elif "family" in kinds or "child" in kinds:
            # "Epilepsy (in her mother)" is hers; whose "Epilepsy, mother died" is nobody can tell.
            kind = "unclear" if re.search(r"\w{4}", others) else "family"
            about -= self.born if kind == "unclear" or "family" not in kinds else set()
            about -= about if "absent" in kinds else set()
        elif kinds[0] != "unclear" and _RESULT not in tokens and _behind_its_own(tokens):
            kind = "unclear" if kinds[0] == "absent" else kinds[0]
        else:
            return
        self.found["present"] -= about
        self.found[kind] |= about

    def _deny(self, tokens: Sequence[str], matches: Sequence[Match], closing: str) -> None:
        """Keeps in mind that a list is denied: for certain, or perhaps, until a word such as "or" tells."""
        places = [place for place, token in enumerate(tokens) if _KIND.get(token) == "absent"]
        first = min((match.first for match in matches), default=len(tokens))
        last = max((match.last for match in matches), default=-1)
        choices = [place for place, token in enumerate(tokens) if token in self.cues.choice]
        if any(place == 0 or place > first for place in choices):
            self.found["absent"] |= self._pending
            self._pending.clear()
        if not places:
            return
        chosen = any(place < last for place in choices)
        ahead = [place for place in places if place < first or tokens[place] in _BEFORE]
        mark = tokens[places[-1]]
        if matches and places[-1] > last and (mark == _LISTS or (chosen and mark in _AFTER)):
            self.found["present"] -= self._listed
            self.found["absent"] |= self._listed
        elif ahead and ahead[0] < first:
            history = any(_KIND.get(token) == "past" for token in tokens[ahead[0] : first])
            sure = history or tokens[ahead[0]] == _LISTS
            heading = closing in _OF_HEADS and not matches
            if matches or self.others.find(tokens) or sure or heading:
                bare = heading and (sure or len(tokens) == len(places))
                self._denial = "list" if bare or (sure and matches) else "perhaps"

    def _carry(self, tokens: Sequence[str], matches: Sequence[Match], closing: str) -> str:
        """The cue that goes on into the next part: of a heading ("suspected: …"), and the family's over a list."""
        here = next((_KIND[token] for token in tokens if token in _KIND), "")
        if here == "child" or (here == "family" and _HEREDITY not in tokens):
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
    return any(_KIND.get(token) == kind for token in tokens)


def _of_whom(behind: Sequence[str]) -> bool:
    """True when another person stands right behind a problem, but for little words: "bei der Mutter"."""
    place = next((n for n, token in enumerate(behind) if _KIND.get(token) in ("family", "child")), len(behind))
    return place <= _LITTLE_WORDS and all(len(token) < _LONG for token in behind[:place])


def _behind_its_own(tokens: Sequence[str]) -> bool:
    """True when a part that names nothing bears a cue for what stands before it."""
    return tokens[-1] in _AFTER or any(token in _AFTER and token != _LISTS for token in tokens)


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
        qualified=re.compile(
            rf"(?<!\w)(non?|not|nicht|nie|не|nao|ikke|icke|niet)[- ]({plain(lists['qualified'])})(?!\w)"
        ),
        stage=re.compile(rf"\s*[,(]\s*(?=(?:(?:{stage})(?![^\W_])|(?:{alone})\s*(?:[,;.)]|$)))"),
    )

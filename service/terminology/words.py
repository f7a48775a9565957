"""The lists of words of ``cards/terminology/words``: problems, cues of how they stand, and allergens."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.files import load_table
from service.terminology.cues import cues_of
from service.terminology.endings import Endings
from service.terminology.folding import grouped, plain
from service.terminology.names import TakenBack
from service.terminology.phrases import Phrases, alternatives, any_of, phrases_in, words_of
from service.terminology.problems import Problems, Sets

UNLESS = "unless"
LASTING = "lasting"
PART_OF = "part of"
OF_ORDERS = "of orders"
BESIDE_A_CODE = "beside a code"
REASON = "a reason"
BORN = "with a child"
NEAR = "near"
ONLY_BESIDE = "only beside"
PERHAPS = "perhaps"
"""Keys of a condition set that are no languages: what takes it back, that the past counts as the present, the wider
set, for which each of its words counts as well, that it is asked of orders alone: no rule has it of a problem, that
the name of a code of the wider set is read for it, that a child named beside it does not take it away, sets that a
code of it as good as means, that orders are given for it, sets beside which alone it counts, and abbreviations in
capitals that may mean it."""
NO_LANGUAGES = frozenset({UNLESS, LASTING, PART_OF, OF_ORDERS, BESIDE_A_CODE, BORN, NEAR, REASON, ONLY_BESIDE, PERHAPS})
OTHER = "other"
"""The id of words that no rule asks for."""
_PIECE = re.compile(r".{1,500}(?:[,;.\s]|$)|.{500}", re.DOTALL)
"""What of an allergen is read together: all of it, of a list without an end as much as a sentence may have."""
_LISTED, _SEVERAL = re.compile(r"[,;\n]|\([^)]*\)"), 2
"""What stands between the entries of a list, and how many make one."""


@dataclass(frozen=True, slots=True)
class Allergens:
    """``named`` are phrases of classes, ``others`` of what no rule asks for, ``denying`` of "no known allergy".

    ``codes`` are the codes of classes, by system and code, ``crossing`` classes in which an allergy to one drug counts
    for all, ``within`` the wider class of a narrower one. What is ``tolerated`` is no allergy, unless a word of
    ``not_tolerated`` stands beside it. A denial with a word of ``yet``, or with another word for a reaction
    (``allergic``), is none of all that is named.
    """

    named: Phrases
    others: Phrases
    denying: Phrases
    denied: re.Pattern[str]
    tolerated: re.Pattern[str]
    not_tolerated: re.Pattern[str]
    yet: re.Pattern[str]
    allergic: re.Pattern[str]
    codes: Mapping[tuple[str, str], str]
    crossing: frozenset[str]
    within: Mapping[str, str]

    def classes(self, text: str) -> frozenset[str]:
        """The classes of drugs that a text names; the narrower of two where one word is in both."""
        found = frozenset[str]().union(*map(self.named.ids, _pieces(plain(text))))
        return found - {self.within[class_] for class_ in found if class_ in self.within}

    def others_only(self, text: str) -> bool:
        """True when a text names such allergens and, where it lists several, nothing else: that may be a drug.

        Beside a single one stands as a rule what it did ("penicillin, rash").
        """
        parts = [part for part in _LISTED.split(plain(text)) if part.strip()]
        others = [any(map(self.others.ids, _pieces(part))) for part in parts]
        unknown = (part for part, other in zip(parts, others, strict=True) if not other)
        return any(others) and (sum(others) < _SEVERAL or all(map(self.allergic.search, unknown)))

    def denies(self, text: str) -> bool:
        """True when the words say that there is no allergy, or that the substance is tolerated."""
        return all(map(self._denies, _pieces(plain(text))))

    def _denies(self, folded: str) -> bool:
        rest, count = self.denied.subn(" ", folded)
        if count or self.denying.ids(folded):
            return self.yet.search(folded) is None and not (count and self.allergic.search(rest))
        return self.tolerated.search(folded) is not None and self.not_tolerated.search(folded) is None


@dataclass(frozen=True, slots=True)
class Words:
    """Problems and allergens in words. ``languages`` are those of each condition set, for the documentation.

    ``acute`` are sets of which a code says nothing of how acute it is, so that its name is read, too; ``parts`` for
    each set its wider and narrower ones, ``near`` those that a code of it as good as means. ``reasons`` are
    those for which orders are given. ``nameless`` are words in
    the place of a drug's name that name none, ``observations`` those of measurements, ``taken_back`` those by which a
    text says that a drug is not meant, ``denied`` those by which it says, before something, that this is not so,
    ``ends`` what ends their reach, ``endings`` those by which a drug is not taken, ``swallowed`` oral forms, even
    "soft gel". ``answers`` are what a whole answer means: "yes", "no" or "unknown", ``metabolisers`` the words for each
    type of metaboliser, ``unclear`` those with which an answer names none.
    """

    problems: Problems
    allergens: Allergens
    languages: Mapping[str, frozenset[str]]
    acute: frozenset[str]
    parts: Sets
    near: Sets
    reasons: frozenset[str]
    nameless: frozenset[str]
    observations: Phrases
    taken_back: TakenBack
    denied: re.Pattern[str]
    ends: re.Pattern[str]
    endings: Endings
    swallowed: re.Pattern[str]
    answers: Mapping[str, str]
    metabolisers: Mapping[str, re.Pattern[str]]
    unclear: re.Pattern[str]

    def denies(self, before: str) -> bool:
        """True when the words before something deny it, within one part of a sentence."""
        said = plain(before)
        end = max((match.end() for match in self.ends.finditer(said)), default=0)
        return self.denied.search(said, end) is not None

    def answer(self, said: str) -> str:
        """What an answer means; empty when its words are not known."""
        return self.answers.get(plain(said).strip(" .!"), "")

    def metaboliser(self, answer: str) -> str:
        """The type of metaboliser that an answer names by code or in words; empty for none, several or one denied."""
        said = plain(answer)
        found = [type_ for type_, words in self.metabolisers.items() if words.search(said)]
        return found[0] if len(found) == 1 and not (self.denied.search(said) or self.unclear.search(said)) else ""

    def measured(self, texts: tuple[str, ...]) -> frozenset[str]:
        """The sets of measurements that one of the texts names."""
        return frozenset[str]().union(*(self.observations.ids(plain(text)) for text in texts))


def _pieces(text: str) -> list[str]:
    return [text] if len(text) <= 500 else _PIECE.findall(text)


def load_words(folder: Path) -> Words:
    """The lists of words below the folder of the terminology. Raises FaultyLibrary."""
    conditions, cue_lists = _list(folder, "conditions"), _list(folder, "cues")
    drugs, types = cue_lists["drug taken back"], cue_lists["metabolisers"]
    abbreviations = tuple(_pairs(conditions, PERHAPS))
    problems = Problems(
        conditions=_sets(conditions),
        others=Phrases((words, OTHER) for words in _list(folder, "other-problems").values()),
        cues=cues_of(cue_lists, (said for _, said in abbreviations)),
        lasting=frozenset(id_ for id_, lists in conditions.items() if LASTING in lists),
        of_orders=frozenset(id_ for id_, lists in conditions.items() if OF_ORDERS in lists),
        born=frozenset(id_ for id_, lists in conditions.items() if BORN in lists),
        dependent=grouped(_pairs(conditions, ONLY_BESIDE)),
        perhaps={plain(said): id_ for id_, said in abbreviations},
    )
    denied = any_of(cue_lists["absent"]["before"])
    endings = Endings(_list(folder, "order-words"), denied)
    near = any_of(f"{cue_lists['absent']['before']} |{drugs['near']}")
    return Words(
        problems=problems,
        allergens=_allergens(_list(folder, "allergens")),
        languages={id_: frozenset(lists) - NO_LANGUAGES for id_, lists in conditions.items()},
        acute=frozenset(lists[PART_OF] for lists in conditions.values() if BESIDE_A_CODE in lists),
        parts=grouped(pair for one in _pairs(conditions, PART_OF) for pair in (one, one[::-1])),
        near=grouped(_pairs(conditions, NEAR)),
        reasons=frozenset(id_ for id_, lists in conditions.items() if REASON in lists),
        nameless=frozenset(words_of(plain(" ".join(_list(folder, "nameless").values())))),
        observations=_sets(_list(folder, "observations")),
        denied=denied,
        ends=re.compile(rf"[.;:,()\n]|{any_of(cue_lists['ends']).pattern}"),
        endings=endings,
        swallowed=any_of(cue_lists["swallowed"]),
        taken_back=TakenBack(near, any_of(drugs["before"]), any_of(drugs["after"]), endings),
        answers=dict(phrases_in((words, meaning) for meaning, words in cue_lists["answers"].items())),
        metabolisers={type_: _metaboliser(said, types["behind"]) for type_, said in types["types"].items()},
        unclear=any_of(types["unclear"]),
    )


def _list(folder: Path, name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = load_table(folder.parent, f"terminology/words/{name}.yaml", None)
    return loaded


def _sets(sets: Mapping[str, Mapping[str, str]]) -> Phrases:
    """The phrases of sets, and those that take them back."""
    return Phrases(_of_languages(sets), ((lists[UNLESS], id_) for id_, lists in sets.items() if UNLESS in lists))


def _of_languages(sets: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """The words of each set in each language, with the set's id and with that of the set that it is a part of."""
    for id_, lists in sets.items():
        named = [id_, lists[PART_OF]] if PART_OF in lists else [id_]
        for language, words in lists.items():
            if language not in NO_LANGUAGES:
                yield from ((words, name) for name in named)


def _pairs(sets: Mapping[str, Mapping[str, str]], key: str) -> Iterator[tuple[str, str]]:
    """Each set with those that it lists under a key."""
    return ((id_, other) for id_, lists in sets.items() if key in lists for other in lists[key].split("; "))


def _metaboliser(said: Mapping[str, str], behind: str) -> re.Pattern[str]:
    """The words of one type, and its abbreviation: no hour ("3 pm"), no word of a sentence ("um relatório")."""
    return any_of(rf"{said['words']} |(?<!\d )(?:{said['short']})(?! (?!{behind})[a-z])")


def _allergens(lists: Mapping[str, Any]) -> Allergens:
    return Allergens(
        named=_sets(lists["classes"]),
        others=Phrases([(lists["other"], OTHER)]),
        denying=Phrases([(lists["none"], OTHER)]),
        denied=re.compile(rf"(?<!\w)(?:{alternatives(lists['denied'])})"),
        tolerated=any_of(lists["tolerated"]),
        not_tolerated=any_of(lists["not tolerated"]),
        yet=any_of(lists["except"]),
        allergic=any_of(lists["allergic"]),
        codes={(entry["system"], entry["code"]): entry["class"] for entry in lists["codes"]},
        crossing=frozenset(lists["crossing"]),
        within=lists["within"],
    )

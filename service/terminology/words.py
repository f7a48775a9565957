"""The lists of words of ``cards/terminology/words``: problems, cues of how they stand, and allergens."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from service.files import Fault, load_yaml
from service.terminology.allergens import Allergens
from service.terminology.folding import plain
from service.terminology.names import NEVER, TakenBack
from service.terminology.phrases import Phrases, words_of
from service.terminology.problems import NO_CUES, Problems, any_of, compiled, phrases_in

LISTS = ("conditions", "other-problems", "allergens", "cues", "nameless", "observations")
UNLESS = "unless"
LASTING = "lasting"
PART_OF = "part of"
OF_ORDERS = "of orders"
"""Keys of a condition set that are no languages: what takes it back, that the past counts as the present, the wider
set, for which each of its words counts as well, and that it is asked of orders alone: no rule has it of a problem."""
NO_LANGUAGES = frozenset({UNLESS, LASTING, PART_OF, OF_ORDERS})
_NEVER = TakenBack()
OTHER = "other"
"""The id of words that no rule asks for."""


@dataclass(frozen=True, slots=True)
class Words:
    """Problems and allergens in words. ``languages`` are those of each condition set, for the documentation.

    ``nameless`` are words in the place of a drug's name that name none, ``observations`` those of measurements,
    ``taken_back`` those by which a text says that a drug is not meant.
    """

    problems: Problems
    allergens: Allergens
    languages: Mapping[str, frozenset[str]]
    nameless: frozenset[str] = frozenset()
    observations: tuple[Phrases, Phrases] = (Phrases(()), Phrases(()))
    """What names a set, and what takes it back."""
    taken_back: TakenBack = _NEVER
    answers: Mapping[str, str] = field(default_factory=dict)
    """What a whole answer means: "yes", "no" or "unknown"."""

    def answer(self, said: str) -> str:
        """What an answer means; empty when its words are not known."""
        return self.answers.get(plain(said).strip(" .!"), "")

    def measured(self, texts: tuple[str, ...]) -> frozenset[str]:
        """The sets of measurements that one of the texts names."""
        named, unless = self.observations
        found = frozenset[str]()
        for written in texts:
            words = words_of(plain(written))
            sets = {match.id for match in named.find(words)}
            found |= sets.difference(match.id for match in unless.find(words)) if sets else sets
        return found


_NOTHING = Phrases(())
NO_WORDS = Words(
    Problems(_NOTHING, _NOTHING, _NOTHING, NO_CUES),
    Allergens(_NOTHING, _NOTHING, _NOTHING, NEVER, {}),
    {},
)
"""For a terminology that knows codes only."""


def load_words(folder: Path, faults: list[Fault]) -> Words | None:
    """The lists of words below the folder of the terminology; None, with a fault, when one cannot be read."""
    loaded: dict[str, Any] = {}
    for list_ in LISTS:
        name = f"terminology/words/{list_}.yaml"
        document = load_yaml(name, (folder / "words" / f"{list_}.yaml").read_text(encoding="utf-8"))
        if isinstance(document, Fault):
            faults.append(document)
            return None
        loaded[list_] = document.value
    conditions, cues = loaded["conditions"], loaded["cues"]
    ends, stage, alone, drugs, answers = map(cues.pop, ("ends", "stage", "alone", "drug taken back", "answers"))
    problems = Problems(
        conditions=Phrases(phrases_in(_of_languages(conditions))),
        unless=_unless(conditions),
        others=Phrases(phrases_in((words, OTHER) for words in loaded["other-problems"].values())),
        cues=compiled(cues, ends, stage, alone),
        lasting=frozenset(id_ for id_, lists in conditions.items() if LASTING in lists),
        of_orders=frozenset(id_ for id_, lists in conditions.items() if OF_ORDERS in lists),
    )
    languages = {id_: frozenset(lists) - NO_LANGUAGES for id_, lists in conditions.items()}
    measured = loaded["observations"]
    observations = (Phrases(phrases_in(_of_languages(measured))), _unless(measured))
    near = any_of(f"{cues['absent']['before']} |{drugs['near']}")
    taken_back = TakenBack(near, any_of(drugs["before"]), any_of(drugs["after"]))
    nameless = _nameless(loaded["nameless"])
    meant = dict(phrases_in((words, meaning) for meaning, words in answers.items()))
    return Words(problems, _allergens(loaded["allergens"]), languages, nameless, observations, taken_back, meant)


def _unless(sets: Mapping[str, Mapping[str, str]]) -> Phrases:
    return Phrases(phrases_in((lists[UNLESS], id_) for id_, lists in sets.items() if UNLESS in lists))


def _nameless(lists: Mapping[str, str]) -> frozenset[str]:
    return frozenset(words_of(plain(" ".join(lists.values()))))


def _allergens(lists: Mapping[str, Any]) -> Allergens:
    return Allergens(
        named=Phrases(phrases_in(_of_languages(lists["classes"]))),
        others=Phrases(phrases_in([(lists["other"], OTHER)])),
        denying=Phrases(phrases_in([(lists["none"], OTHER)])),
        denied=re.compile(rf"(?<!\w)(?:{_on_one_line(lists['denied'])})"),
        tolerated=any_of(lists["tolerated"]),
        not_tolerated=any_of(lists["not tolerated"]),
        yet=any_of(lists["except"]),
        allergic=any_of(lists["allergic"]),
        codes={(entry["system"], entry["code"]): entry["class"] for entry in lists["codes"]},
        crossing=frozenset(lists["crossing"]),
    )


def _on_one_line(pattern: str) -> str:
    return plain(" ".join(pattern.split())).replace(" |", "|")


def _of_languages(sets: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """The words of each set in each language, with the set's id and with that of the set that it is a part of."""
    for id_, lists in sets.items():
        named = [id_, lists[PART_OF]] if PART_OF in lists else [id_]
        for language, words in lists.items():
            if language not in NO_LANGUAGES:
                yield from ((words, name) for name in named)

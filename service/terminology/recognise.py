"""Which drug an order is for, by its codes and, last, by its words (rules X6 and X7).

The codes themselves live in ``cards/terminology`` with their provenance; this module only looks them up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from service.caching import cached
from service.terminology.codes import DrugCode, Lists, Systems
from service.terminology.endings import Ending
from service.terminology.folding import fold, grouped, plain
from service.terminology.names import Label
from service.terminology.problems import Mentions, beside, together

TEXT = "text"
_NUMERIC = frozenset({"RxNorm", "SNOMED CT"})
ATC_SYSTEM = "ATC"
SNOMED = "SNOMED CT"
"""Its general concepts are known here, and have many below them."""
_ATC_OF_A_DRUG = 7
"""Characters of an ATC code that stands for a substance; shorter ones are groups, such as N06AF, MAO inhibitors."""
LONGEST_CACHED = 600
"""Letters of all codes and words of what is kept."""


class Coding(NamedTuple):
    """One code as a client sent it: system URI, code and the name the client shows for it.

    A named tuple because a call holds hundreds of them, and a frozen dataclass takes several times as long to make.
    """

    system: str
    code: str
    display: str = ""


@dataclass(frozen=True, slots=True)
class Strength:
    """How many mg of a drug one tablet or capsule holds (``per_ml``: one mL), and where that stood."""

    drug: str
    mg: Fraction
    evidence: str
    per_ml: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """One piece of evidence about what an order is: which drugs it names, and where that stood."""

    drugs: frozenset[str]
    evidence: str
    by_words: bool = False


@dataclass(frozen=True, slots=True)
class Recognition:
    """What an order is for.

    ``drugs`` are terminology ids, first the one believed most; empty when nothing was recognised.
    ``evidence`` is "RxNorm 856834", "text" or "name of 856834". ``strengths`` are those that product codes state.
    ``doubted`` are drugs that only words name which may say that they are not meant ("do not give with …").
    """

    drugs: tuple[str, ...] = ()
    evidence: str = ""
    topical: bool = False
    combination: bool = False
    strengths: tuple[Strength, ...] = ()
    claims: tuple[Claim, ...] = ()
    doubted: frozenset[str] = frozenset()

    @property
    def from_text(self) -> bool:
        """True when no code was known and only the words named the drug."""
        return bool(self.claims) and self.claims[0].by_words

    def names(self, drug: str) -> bool:
        """True when the order is for a systemic product of this drug."""
        return drug in self.drugs and not self.topical

    def mentions(self, drug: str) -> bool:
        """True when any evidence, believed or not, names this drug."""
        return any(drug in claim.drugs for claim in self.claims)

    def disputes(self, drug: str) -> bool:
        """True when one piece of evidence names the drug and another names something else (rule X7)."""
        return self.mentions(drug) and any(drug not in claim.drugs for claim in self.claims)


def _letters(codings: Iterable[Coding], texts: Iterable[str] = (), _: bool = False) -> int:
    return sum(map(len, chain(texts, *codings)))


def _in_words(code: str) -> str:
    """What a code of words says, such as "no-known-problems" of the International Patient Summary; empty for others."""
    return code.replace("-", " ") if code.startswith("no-known-") else ""


class Terminology:
    """Look-up of drugs, conditions and routes by code, and of drugs by the words of a label."""

    def __init__(self, lists: Lists) -> None:
        self.lists = lists
        self.words, self.concept_sets = lists.words, lists.concept_sets
        self.sets, self.titles, self.queries = lists.sets, lists.titles, lists.queries
        self.ids = grouped((summary.kind, summary.id) for summary in lists.sets)
        self.loinc = tuple(sorted(lists.loinc))
        self.systems = Systems(lists.systems)
        self._codes: dict[tuple[str, str], list[DrugCode]] = {}
        for entry in lists.drug_codes:
            self._codes.setdefault(self.systems.key(entry.system.uri, entry.code), []).append(entry)
        self._label = Label(lists.names, self.words.taken_back)
        sets, key = self.concept_sets.values(), self.systems.key
        self._classes_of = grouped((drug, class_) for class_, drugs in lists.classes.items() for drug in drugs)
        self._sets_of_code = grouped((key(*member), each.id) for each in sets for member in each.codes)
        self._sets_of_prefix = grouped((key(*member), each.id) for each in sets for member in each.prefixes)
        self._prefix_lengths = grouped((system, len(prefix)) for system, prefix in self._sets_of_prefix)
        self._recognised = cached(self._recognise, _letters, LONGEST_CACHED)
        self._said = cached(self._problem, _letters, LONGEST_CACHED)
        self._mentions_ending = cached(self.words.endings.mentioned)
        self._known_ending = cached(self._ending, lambda text, _: len(text))
        self._sets = cached(self._concepts, _letters, LONGEST_CACHED)

    def extended(
        self, drug_codes: Iterable[DrugCode], members: Mapping[str, frozenset[tuple[str, str]]]
    ) -> "Terminology":
        """A terminology that knows more codes: of drugs, and of concept sets (pairs of system URI and code) by id."""
        sets = {
            id_: replace(concept_set, codes=concept_set.codes | members.get(id_, frozenset()))
            for id_, concept_set in self.concept_sets.items()
        }
        return Terminology(replace(self.lists, drug_codes=[*self.lists.drug_codes, *drug_codes], concept_sets=sets))

    def recognise(self, codings: Iterable[Coding], texts: Iterable[str], *, topical_route: bool = False) -> Recognition:
        """What an order with these codes and these words is for.

        A code is believed in the order of the systems (RxNorm, SNOMED CT, ATC, UNII); words only when no
        code is known. Every piece of evidence is kept, so that a disagreement can be named (rule X7).
        """
        return self._recognised(tuple(codings), tuple(texts), topical_route)

    def problem(self, codings: Iterable[Coding], texts: Iterable[str]) -> Mentions:
        """What a problem is: by its codes and by its words.

        A code that no set holds says nothing against the words, and its name is one of them: classifications have a
        code for every doubt. Of a code that a set holds the name is not read. What the words name beside it counts,
        too, unless they name something else altogether.
        """
        return self._said(tuple(codings), tuple(texts))

    def concepts(self, codings: Iterable[Coding]) -> frozenset[str]:
        """Ids of the condition, route and measurement sets that any of the codes belongs to."""
        return self._sets(tuple(codings))

    def can_judge(self, coding: Coding) -> bool:
        """True when an unknown code means another drug: a known system, and a code that can be one of its codes."""
        system, code = self.systems.of(coding.system), coding.code.strip()
        if system is None or (system.name == ATC_SYSTEM and len(code) < _ATC_OF_A_DRUG):
            return False
        return system.name not in _NUMERIC or code.isdecimal()

    def _another_drug(self, coding: Coding) -> bool:
        """True for a code of ATC that is none of a drug here: of those all are known, of products in RxNorm not."""
        system = self.systems.of(coding.system)
        atc = system is not None and system.name == ATC_SYSTEM
        return atc and self.can_judge(coding) and not self.drug_codes(coding) and not self.topical((coding,), ())

    def drug_codes(self, coding: Coding) -> Sequence[DrugCode]:
        """What the terminology knows of this code; empty when the system or the code is unknown."""
        return self._codes.get(self.systems.key(coding.system, coding.code), ())

    def claimed_twice(self) -> Iterator[tuple[str, list[str]]]:
        """Codes of two drugs that are not marked as combinations, each with these drugs."""
        for (_, code), entries in self._codes.items():
            drugs = sorted({entry.drug for entry in entries})
            if len(drugs) > 1 and not all(entry.combination for entry in entries):
                yield code, drugs

    def codes_of(self, drug: str) -> Sequence[DrugCode]:
        """The codes by which a drug is known."""
        return [entry for entry in self.lists.drug_codes if entry.drug == drug]

    def drugs_in_text(self, text: str) -> frozenset[str]:
        """Drugs whose names stand in the text as whole words, except where it may say that they are not meant."""
        return self._label.drugs(text)[0]

    def _named(self, text: str) -> frozenset[str]:
        """Drugs whose names stand in the text, whether they are meant or not."""
        return frozenset[str]().union(*self._label.drugs(text))

    def mentions_ending(self, text: str, *, kept: bool = True) -> bool:
        """True when words by which a drug is not taken stand in a text, whatever they say. A note is not ``kept``."""
        return self._mentions_ending(text) if kept else self.words.endings.mentioned(text)

    def ending(self, text: str, drugs: tuple[str, ...], *, kept: bool = True) -> Ending | None:
        """What a text beside an order for these drugs says of their being taken; None when nothing."""
        return self._known_ending(text, drugs) if kept else self._ending(text, drugs)

    def _ending(self, text: str, drugs: tuple[str, ...]) -> Ending | None:
        return self.words.endings.read(text, self._named, drugs)

    def nearly(self, texts: Iterable[str]) -> frozenset[str]:
        """Drugs whose names are in the texts with a letter wrong; asked where no code and no word names one."""
        return frozenset[str]().union(*map(self._label.nearly, texts))

    def _problem(self, codings: tuple[Coding, ...], texts: tuple[str, ...]) -> Mentions:
        known = [coding for coding in codings if self.concepts((coding,))]
        own = {coding.display for coding in known if self.words.acute.isdisjoint(self.concepts((coding,)))}
        named = (coding.display or (_in_words(coding.code) if coding not in known else "") for coding in codings)
        written = dict.fromkeys(words for words in chain(texts, named) if words.strip() and words not in own)
        saying = together(map(self.words.problems.read, written))
        if not known:
            return replace(saying, understood=saying.understood or any(self._tells(c, bool(written)) for c in codings))
        return beside(self.concepts(codings), saying, self.words.parts, self.words.near)

    def _tells(self, coding: Coding, named: bool) -> bool:
        """True when a code of no set is known to be another problem: of SNOMED CT only where words say which."""
        system = self.systems.of(coding.system)
        return self.can_judge(coding) and system is not None and (named or system.name != SNOMED)

    def drugs_of(self, class_: str) -> frozenset[str]:
        """The drugs of an interaction class."""
        return frozenset(drug for drug, classes in self._classes_of.items() if class_ in classes)

    def classes(self, drugs: Iterable[str]) -> frozenset[str]:
        """The interaction classes that any of the drugs belongs to, such as "serotonergic"."""
        return frozenset(class_ for drug in drugs for class_ in self._classes_of.get(drug, ()))

    def _concepts(self, codings: tuple[Coding, ...]) -> frozenset[str]:
        found: set[str] = set()
        for coding in codings:
            system, code = self.systems.key(coding.system, coding.code)
            found |= self._sets_of_code.get((system, code), frozenset())
            for length in self._prefix_lengths.get(system, ()):
                found |= self._sets_of_prefix.get((system, code[:length]), frozenset())
        return frozenset(found)

    def concepts_in_words(self, texts: Iterable[str], ids: Iterable[str]) -> frozenset[str]:
        """Which of these sets a text names by one of their words, and does not deny in the same sentence."""
        folded = [fold(text) for text in texts]
        sets = (self.concept_sets[id_] for id_ in ids if id_ in self.concept_sets)
        return frozenset(held.id for held in sets if any(held.affirmed(text, self.words.denies) for text in folded))

    def _recognise(
        self, codings: tuple[Coding, ...], texts: tuple[str, ...], topical_route: bool = False
    ) -> Recognition:
        known = [(coding, entries) for coding in codings if (entries := self.drug_codes(coding))]
        known.sort(key=lambda pair: pair[1][0].system.rank)
        claims = [
            Claim(frozenset(entry.drug for entry in entries), f"{entries[0].system.name} {coding.code}")
            for coding, entries in known
        ]
        words = [(TEXT, text) for text in texts] + [(f"name of {c.code}", c.display) for c in codings]
        # Clients repeat one name in every coding and in the text; each wording is looked at once.
        named_in = {text: self._label.drugs(text) for text in {text for _, text in words}}
        named = dict.fromkeys((where, *named_in[text]) for where, text in words)
        claims += [Claim(drugs, where, by_words=True) for where, drugs, _ in named if drugs]
        doubted = frozenset(drug for _, _, drugs in named for drug in drugs)
        if not claims:
            return Recognition(doubted=doubted)
        claims += [Claim(frozenset(), f"{ATC_SYSTEM} {c.code.strip()}") for c in codings if self._another_drug(c)]
        drugs = tuple(sorted(claims[0].drugs))
        product = any(entry.form == "systemic" for _, codes in known for entry in codes)
        return Recognition(
            drugs=drugs,
            evidence=claims[0].evidence,
            topical=any(entry.form == "topical" for _, codes in known for entry in codes)
            or (not product and (topical_route or self.topical(codings, (text for _, text in words)))),
            combination=len(drugs) > 1 or any(entry.combination for _, codes in known[:1] for entry in codes),
            strengths=tuple(
                Strength(entry.drug, entry.strength, f"{entry.system.name} {entry.code}")
                for _, codes in known
                for entry in codes
                if entry.strength is not None
            ),
            claims=tuple(claims),
            doubted=doubted.difference(*(claim.drugs for claim in claims)),
        )

    def topical(self, codings: Iterable[Coding], texts: Iterable[str]) -> bool:
        """True when a code belongs to a group of topical products, or a word names a form for the skin ("gel")."""
        if "topical" in self.concepts(codings):
            return True
        on_skin = self.concept_sets.get("topical")
        swallowed = self.words.swallowed
        return on_skin is not None and any(
            on_skin.in_words(text) and not swallowed.search(plain(text)) for text in texts
        )

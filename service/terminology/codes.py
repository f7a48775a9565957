"""What a terminology knows: code systems, codes of drugs, sets of codes and words, and the lists of all of them."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import msgspec

from service.caching import cached
from service.terminology.folding import fold
from service.terminology.names import Names
from service.terminology.query import Query
from service.terminology.words import Words

_KEPT = 1024
"""Addresses whose system is kept for the next code, in memory only."""
_SNOMED = "snomed.info/sct"
_PREFIXES = ("http://", "https://", "www.", "urn:oid:", "oid:")
_MARKS = re.compile(r"[\s†‡*+!#-]+$|^[†*+]+")
"""Dagger and star of ICD-10 and its national marks, which add nothing to the code's own meaning."""
_SPACED = re.compile(r"\s.*$")
_REACH = 80
"""How many characters before a word are looked at: far enough for a phrase, and no work for a hostile text."""


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system, its position in the order of belief (0 first) and its other spellings.

    ``pattern`` is for the last part of an address: national editions are published under many. ``dotted`` says that
    the dot in its codes may be left out.
    """

    name: str
    uri: str
    rank: int
    aliases: tuple[str, ...] = ()
    pattern: str = ""
    dotted: bool = False


class Systems:
    """The code systems that are known, found by any of their addresses."""

    def __init__(self, systems: Iterable[CodeSystem]) -> None:
        self.known = tuple(systems)
        self._by_address = {address(uri): system for system in self.known for uri in (system.uri, *system.aliases)}
        self._patterns = [(re.compile(system.pattern), system) for system in self.known if system.pattern]
        self.of = cached(self._of, most=_KEPT)
        """The system of an address, None for an unknown one."""

    def _of(self, sent: str) -> CodeSystem | None:
        plain = address(sent)
        found = self._by_address.get(plain)
        if found is not None or len(plain) > 200:
            return found
        last = plain.rsplit("/", 1)[-1]
        return next((system for pattern, system in self._patterns if pattern.fullmatch(last)), None)

    def key(self, sent: str, code: str) -> tuple[str, str]:
        """System and code as they are compared: the canonical URI, capitals, no dot where it may be left out."""
        system = self.of(sent)
        if system is None:
            return sent, code.strip().upper()
        code = code.strip().upper()
        return system.uri, _bare(code) if system.dotted else "".join(code.split())


def _bare(code: str) -> str:
    return _MARKS.sub("", _SPACED.sub("", code)).replace(".", "")


def address(uri: str) -> str:
    """A system's address without what makes no difference: scheme, "www.", "urn:oid:", a version, a slash at the end.

    Of SNOMED CT also without the edition.
    """
    plain = uri.strip().lower().split("|", 1)[0].rstrip("/#")
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    return _SNOMED if plain.startswith(f"{_SNOMED}/") else plain


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

    def affirmed(self, folded: str, denies: Callable[[str], bool]) -> bool:
        """True when a word of the set stands in the folded text, and what stands before it does not deny it."""
        found = self.words.finditer(folded) if self.words is not None else ()
        return not all(denies(folded[max(match.start() - _REACH, 0) : match.start()]) for match in found)


def word_pattern(words: Iterable[str]) -> re.Pattern[str]:
    """A pattern that finds any of the words, whole, the longest first."""
    alternatives = "|".join(re.escape(fold(word)) for word in sorted(words, key=lambda w: (-len(w), w)))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)")


class DrugCode(msgspec.Struct, frozen=True):
    """What one code says: the drug, whether it is a combination, the strength in mg a unit.

    ``form`` is "topical" for a skin product, "systemic" for one that is none, empty where the code does not say.
    """

    drug: str
    system: CodeSystem
    code: str
    display: str
    form: str = ""
    combination: bool = False
    strength: Fraction | None = None


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What one ValueSet holds: how many codes, how many of them could not be checked anywhere.

    ``systems`` counts the codes by the name of their code system; a class has none, its members are sets.
    """

    id: str
    kind: str
    codes: int
    unchecked: int
    names: int
    systems: Mapping[str, int]


@dataclass(slots=True)
class Lists:
    """All that a terminology knows: code systems, value sets, words.

    ``titles`` name the drugs, ``classes`` are of drugs. ``loinc`` are the codes discovery asks for, ``queries`` ask for
    the descendants of the concepts that are meant with them.
    """

    systems: Sequence[CodeSystem]
    words: Words
    sets: list[SetSummary] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    drug_codes: list[DrugCode] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    concept_sets: dict[str, ConceptSet] = field(default_factory=dict)
    classes: dict[str, frozenset[str]] = field(default_factory=dict)
    loinc: list[str] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)

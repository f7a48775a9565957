"""Terminology from the FHIR ValueSets of ``cards/terminology``, every code with its provenance."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import msgspec

from service.files import Fault, load_table
from service.terminology.codes import CodeSystem, ConceptSet, word_pattern
from service.terminology.names import Names
from service.terminology.query import Query
from service.terminology.recognise import DrugCode, Terminology
from service.terminology.value_sets import EXTENSION, Concept, Include, ValueSet, concepts_meant, read_value_set
from service.terminology.words import load_words

UNCHECKED = "NOT CHECKED"


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


@dataclass(frozen=True, slots=True)
class LoadedTerminology:
    """The terminology and a summary of each of its sets; ``loinc`` are the codes discovery asks for.

    ``queries`` ask for the descendants of the concepts that are meant with them, ``titles`` name the drugs.
    """

    terminology: Terminology
    sets: tuple[SetSummary, ...]
    loinc: tuple[str, ...]
    queries: tuple[Query, ...]
    titles: Mapping[str, str] = field(default_factory=dict)


def load_terminology(folder: Path) -> tuple[LoadedTerminology, list[Fault]]:
    """All code systems, ValueSets and words below ``folder``, with the faults of its ValueSets.

    Raises FaultyLibrary where code systems or words are not YAML.
    """
    faults: list[Fault] = []
    reading = _Reading(_systems(folder), faults)
    for path in sorted(folder.glob("*/*.json")):
        name = path.relative_to(folder.parent).as_posix()
        value_set = read_value_set(path, name, faults)
        if value_set is not None:
            reading.add(path.parent.name, value_set, name)
    for class_, members in reading.classes.items():
        for unknown in sorted(members - reading.titles.keys()):
            faults.append(Fault(f"terminology/classes/{class_}.json", 0, f"there is no drug ValueSet '{unknown}'"))
    names = Names(tuple(reading.common), tuple(reading.brands), tuple(reading.no_names), tuple(reading.short))
    words = load_words(folder)
    terminology = Terminology(reading.systems, reading.drug_codes, names, reading.concept_sets, reading.classes, words)
    loinc = tuple(sorted(reading.loinc))
    return LoadedTerminology(terminology, tuple(reading.sets), loinc, tuple(reading.queries), reading.titles), faults


@dataclass(slots=True)
class _Reading:
    """What has been read of the ValueSets so far."""

    systems: list[CodeSystem]
    faults: list[Fault]
    sets: list[SetSummary] = field(default_factory=list)
    titles: dict[str, str] = field(default_factory=dict)
    drug_codes: list[DrugCode] = field(default_factory=list)
    common: list[tuple[str, str]] = field(default_factory=list)
    brands: list[tuple[str, str]] = field(default_factory=list)
    no_names: list[str] = field(default_factory=list)
    short: list[tuple[str, str]] = field(default_factory=list)
    concept_sets: dict[str, ConceptSet] = field(default_factory=dict)
    classes: dict[str, frozenset[str]] = field(default_factory=dict)
    loinc: list[str] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)

    def add(self, kind: str, value_set: ValueSet, name: str) -> None:
        """Adds a ValueSet of a kind: a drug, a class of drugs, or a set of conditions, routes or measurements."""
        id_ = value_set.id
        if kind == "classes":
            members = (url for include in value_set.compose.include for url in include.valueSet)
            self.classes[id_] = frozenset(url.rsplit("/", 1)[1] for url in members)
            self.sets.append(SetSummary(id_, kind, len(self.classes[id_]), 0, 0, {}))
            return
        includes = list(self._includes(value_set, name))
        if meant := concepts_meant(value_set, name, self.faults):
            self.queries.append(Query(id_, kind, meant))
        words, exact = value_set.strings("name-in-text"), value_set.strings("exact-name-in-text")
        if kind == "drugs":
            self.titles[id_] = value_set.title
            self.drug_codes += [code for system, include in includes for code in _drug_codes(id_, system, include)]
            self.common += [(word, id_) for word in words]
            self.brands += [(word, id_) for word in exact]
            self.no_names += value_set.strings("no-name-in-text")
            self.short += [(word, id_) for word in value_set.strings("short-name-in-text")]
        else:
            self.concept_sets[id_] = _concept_set(value_set, includes, words)
        if kind == "observations":
            self.loinc += [concept.code for _, include in includes for concept in include.concept]
        self.sets.append(_summary(id_, kind, includes, len(words) + len(exact)))

    def _includes(self, value_set: ValueSet, name: str) -> Iterator[tuple[CodeSystem, Include]]:
        """The includes that list codes, each with its system; the others are faults."""
        by_uri = {system.uri: system for system in self.systems}
        for include in value_set.compose.include:
            if include.filter is not None:
                continue
            system = by_uri.get(include.system)
            if system is None:
                self.faults.append(Fault(name, 0, f"code system {include.system} is not in systems.yaml"))
            elif "checked-against" not in include.properties:
                without = f"codes of {system.name} without provenance (extension checked-against)"
                self.faults.append(Fault(name, 0, without))
            else:
                yield system, include


def _drug_codes(drug: str, system: CodeSystem, include: Include) -> Iterator[DrugCode]:
    properties = include.properties
    form = properties["form"].valueCode if "form" in properties else ""
    for concept in include.concept:
        yield DrugCode(
            drug=drug,
            system=system,
            code=concept.code,
            display=concept.display,
            form=form,
            combination="combination" in properties,
            strength=_strength(concept),
        )


def _strength(concept: Concept) -> Fraction | None:
    for extension in concept.extension:
        if extension.valueQuantity is not None and extension.url == f"{EXTENSION}strength":
            return Fraction(extension.valueQuantity.value)
    return None


def _concept_set(
    value_set: ValueSet, includes: Sequence[tuple[CodeSystem, Include]], words: Sequence[str]
) -> ConceptSet:
    exact: set[tuple[str, str]] = set()
    prefixes: set[tuple[str, str]] = set()
    for system, include in includes:
        match = include.properties.get("match")
        chosen = prefixes if match is not None and match.valueCode == "prefix" else exact
        chosen.update((system.uri, concept.code) for concept in include.concept)
    pattern = word_pattern(words) if words else None
    return ConceptSet(value_set.id, value_set.title, frozenset(exact), frozenset(prefixes), pattern)


def _summary(id_: str, kind: str, includes: Sequence[tuple[CodeSystem, Include]], names: int) -> SetSummary:
    systems: Counter[str] = Counter()
    unchecked = 0
    for system, include in includes:
        systems[system.name] += len(include.concept)
        if include.properties["checked-against"].valueString.startswith(UNCHECKED):
            unchecked += len(include.concept)
    return SetSummary(id_, kind, systems.total(), unchecked, names, systems)


def _systems(folder: Path) -> list[CodeSystem]:
    table = load_table("terminology/systems.yaml", (folder / "systems.yaml").read_text(encoding="utf-8"), None)
    return [msgspec.convert({**entry, "rank": rank}, CodeSystem) for rank, entry in enumerate(table)]

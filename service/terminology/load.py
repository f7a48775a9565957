"""Terminology from the FHIR ValueSets of ``cards/terminology``, every code with its provenance."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from service.files import Fault, load_yaml
from service.terminology.descendants import roots
from service.terminology.names import Names
from service.terminology.query import Query, query
from service.terminology.recognise import ConceptSet, DrugCode, Terminology, word_pattern
from service.terminology.systems import CodeSystem
from service.terminology.words import NO_WORDS, load_words

EXTENSION = "https://tolami.github.io/fhir/StructureDefinition/"
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

    ``queries`` ask for the descendants of those concepts that are meant with them, ``titles`` name the drugs.
    """

    terminology: Terminology
    sets: tuple[SetSummary, ...]
    loinc: tuple[str, ...]
    queries: tuple[Query, ...]
    titles: Mapping[str, str] = field(default_factory=dict)


def load_terminology(folder: Path) -> tuple[LoadedTerminology, list[Fault]]:
    """All code systems and ValueSets below ``folder``, with the faults found on the way."""
    faults: list[Fault] = []
    systems = _systems(folder, faults)
    by_uri = {system.uri: system for system in systems}
    drug_codes: list[DrugCode] = []
    common: list[tuple[str, str]] = []
    brands: list[tuple[str, str]] = []
    no_names: list[str] = []
    concept_sets: dict[str, ConceptSet] = {}
    summaries: list[SetSummary] = []
    loinc: list[str] = []
    queries: list[Query] = []
    classes: dict[str, frozenset[str]] = {}
    titles: dict[str, str] = {}
    for path in sorted(folder.glob("*/*.json")):
        name = path.relative_to(folder.parent).as_posix()
        value_set = _read(path, name, faults)
        if value_set is None:
            continue
        kind = path.parent.name
        if kind == "classes":
            classes[value_set["id"]] = _members(value_set)
            summaries.append(SetSummary(value_set["id"], kind, len(classes[value_set["id"]]), 0, 0, {}))
            continue
        includes = list(_includes(value_set, by_uri, name, faults))
        if meant := roots(value_set, name, faults):
            queries.append(query(value_set["id"], kind, meant))
        words, exact, others = (
            _strings(value_set, url) for url in ("name-in-text", "exact-name-in-text", "no-name-in-text")
        )
        if kind == "drugs":
            titles[value_set["id"]] = value_set["title"]
            drug_codes += [code for include in includes for code in include.drug_codes(value_set["id"])]
            common += [(word, value_set["id"]) for word in words]
            brands += [(word, value_set["id"]) for word in exact]
            no_names += others
        else:
            concept_sets[value_set["id"]] = _concept_set(value_set, includes, words)
        if kind == "observations":
            loinc += [concept["code"] for include in includes for concept in include.concepts]
        summaries.append(_summary(value_set["id"], kind, includes, [*words, *exact]))
    drugs = {summary.id for summary in summaries if summary.kind == "drugs"}
    for class_, members in classes.items():
        for unknown in sorted(members - drugs):
            faults.append(Fault(f"terminology/classes/{class_}.json", 0, f"there is no drug ValueSet '{unknown}'"))
    names = Names(tuple(common), tuple(brands), tuple(no_names))
    said = load_words(folder, faults) or NO_WORDS
    terminology = Terminology(systems, drug_codes, names, concept_sets, classes, said)
    return LoadedTerminology(terminology, tuple(summaries), tuple(sorted(loinc)), tuple(queries), titles), faults


@dataclass(frozen=True, slots=True)
class _Include:
    """One ``compose.include``: codes of one system that share provenance and properties."""

    system: CodeSystem
    checked_against: str
    form: str
    combination: bool
    prefix: bool
    concepts: tuple[Mapping[str, Any], ...]

    def drug_codes(self, drug: str) -> Iterator[DrugCode]:
        for concept in self.concepts:
            strength = _strength(concept)
            yield DrugCode(
                drug=drug,
                system=self.system,
                code=concept["code"],
                display=concept["display"],
                topical=self.form == "topical",
                systemic_product=self.form == "systemic",
                combination=self.combination,
                strength=strength,
            )


def _strings(value_set: Mapping[str, Any], url: str) -> list[str]:
    return [e["valueString"] for e in value_set.get("extension", ()) if e["url"] == f"{EXTENSION}{url}"]


def _summary(id_: str, kind: str, includes: list[_Include], words: list[str]) -> SetSummary:
    systems: Counter[str] = Counter()
    for include in includes:
        systems[include.system.name] += len(include.concepts)
    unchecked = sum(len(i.concepts) for i in includes if i.checked_against.startswith(UNCHECKED))
    return SetSummary(id_, kind, systems.total(), unchecked, len(words), systems)


def _members(value_set: Mapping[str, Any]) -> frozenset[str]:
    """The drugs of a class: the ids of the ValueSets that it includes."""
    return frozenset(
        url.rsplit("/", 1)[1] for include in value_set["compose"]["include"] for url in include.get("valueSet", ())
    )


def _systems(folder: Path, faults: list[Fault]) -> list[CodeSystem]:
    document = load_yaml("terminology/systems.yaml", (folder / "systems.yaml").read_text(encoding="utf-8"))
    if isinstance(document, Fault):
        faults.append(document)
        return []
    return [
        CodeSystem(
            name=entry["name"],
            uri=entry["uri"],
            rank=rank,
            aliases=tuple(entry["aliases"]),
            pattern=entry.get("pattern", ""),
            dotted=entry.get("dotted", False),
            whole=entry.get("whole", False),
        )
        for rank, entry in enumerate(document.value)
    ]


def _read(path: Path, name: str, faults: list[Fault]) -> dict[str, Any] | None:
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except ValueError as error:
        faults.append(Fault(name, getattr(error, "lineno", 0), f"not valid JSON: {error}"))
        return None
    if value.get("resourceType") != "ValueSet" or value.get("id") != path.stem:
        faults.append(Fault(name, 0, "must be a ValueSet whose id is the file's name"))
        return None
    return value


def _includes(
    value_set: Mapping[str, Any], systems: Mapping[str, CodeSystem], name: str, faults: list[Fault]
) -> Iterator[_Include]:
    for include in value_set["compose"]["include"]:
        if "filter" in include:
            continue
        properties = {e["url"].removeprefix(EXTENSION): e for e in include.get("extension", ())}
        system = systems.get(include["system"])
        if system is None:
            faults.append(Fault(name, 0, f"code system {include['system']} is not in systems.yaml"))
        elif "checked-against" not in properties:
            faults.append(Fault(name, 0, f"codes of {system.name} without provenance (extension checked-against)"))
        else:
            yield _Include(
                system=system,
                checked_against=properties["checked-against"]["valueString"],
                form=properties["form"]["valueCode"] if "form" in properties else "",
                combination="combination" in properties,
                prefix=properties.get("match", {}).get("valueCode") == "prefix",
                concepts=tuple(include["concept"]),
            )


def _concept_set(value_set: Mapping[str, Any], includes: list[_Include], words: list[str]) -> ConceptSet:
    def pairs(prefix: bool) -> frozenset[tuple[str, str]]:
        return frozenset(
            (i.system.uri, concept["code"]) for i in includes if i.prefix is prefix for concept in i.concepts
        )

    return ConceptSet(
        value_set["id"], value_set["title"], pairs(False), pairs(True), word_pattern(words) if words else None
    )


def _strength(concept: Mapping[str, Any]) -> Fraction | None:
    for extension in concept.get("extension", ()):
        if extension["url"] == f"{EXTENSION}strength":
            return Fraction(extension["valueQuantity"]["value"])
    return None

"""Terminology from the FHIR ValueSets of ``cards/terminology``, every code with its provenance."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from service.files import Document, Fault, FaultyLibrary, load_json, load_table, load_yaml, read
from service.terminology.codes import CodeSystem, ConceptSet, DrugCode, Lists, SetSummary, address, word_pattern
from service.terminology.folding import too_short
from service.terminology.query import Query
from service.terminology.recognise import Terminology
from service.terminology.value_sets import Concept, Include, ValueSet, concepts_meant, read_value_set
from service.terminology.words import load_words

KINDS = ("classes", "conditions", "drugs", "observations", "routes")
UNCHECKED = "NOT CHECKED"
SYSTEMS = "terminology/systems.yaml"
TABLES = {
    SYSTEMS: "systems",
    "terminology/words/allergens.yaml": "allergens",
    "terminology/words/conditions.yaml": "sets",
    "terminology/words/cues.yaml": "cues",
    "terminology/words/order-words.yaml": "order-words",
    "terminology/words/nameless.yaml": "languages",
    "terminology/words/observations.yaml": "sets",
    "terminology/words/other-problems.yaml": "languages",
}
"""The tables of code systems and words, each with its definition in the schema of all of them."""


def faulty_lists(folder: Path, form: Mapping[str, Any]) -> list[Fault]:
    """The faults of a folder of cards in the schema of its code systems and words, and in the JSON of its ValueSets."""
    faults: list[Fault] = []
    for name, definition in TABLES.items():
        try:
            table = load_table(folder, name, {**form, "$ref": f"#/$defs/{definition}"})
            faults += _words_of_nothing(folder, name, table)
        except FaultyLibrary as faulty:
            faults += faulty.faults
    for path in sorted(folder.glob("terminology/*/*.json")):
        try:
            load_json(folder, path.relative_to(folder).as_posix())
        except FaultyLibrary as faulty:
            faults += faulty.faults
    return faults


def _words_of_nothing(folder: Path, name: str, table: Any) -> Iterator[Fault]:
    """Ids for which a list has words and which the terminology lacks: they would never be found."""
    kind = Path(name).stem
    if kind == "allergens":
        kinds: tuple[str, ...] = ("classes", "drugs")
        named = [
            *table["crossing"],
            *table["within"],
            *table["within"].values(),
            *(row["class"] for row in table["codes"]),
        ]
        places: dict[str, tuple[str, ...]] = {
            **dict.fromkeys(named, ()),
            **{id_: ("classes", id_) for id_ in table["classes"]},
        }
    elif kind in ("conditions", "observations"):
        kinds = (kind,)
        places = {lists["part of"]: (id_, "part of") for id_, lists in table.items() if "part of" in lists}
        places |= {id_: (id_,) for id_ in table}
    else:
        return
    unknown = [id_ for id_ in places if not any((folder / f"terminology/{each}/{id_}.json").exists() for each in kinds)]
    document = load_yaml(name, read(folder, name)) if unknown else None
    for id_ in unknown:
        assert isinstance(document, Document), "it was loaded"
        yield document.fault(f"'{id_}' is not in terminology/{' or '.join(kinds)}", *places[id_])


def load_terminology(folder: Path) -> tuple[Terminology, list[Fault]]:
    """All code systems, ValueSets and words below ``folder``, with the faults of its ValueSets.

    Raises FaultyLibrary where code systems or words are not YAML.
    """
    faults: list[Fault] = []
    lists = Lists(_systems(folder), load_words(folder))
    addresses = [each for one in lists.systems for each in {address(uri) for uri in (one.uri, *one.aliases)}]
    for twice in sorted({each for each in addresses if addresses.count(each) > 1}):
        faults.append(Fault(SYSTEMS, 0, f"'{twice}' is the address of two code systems"))
    for path in sorted(folder.glob("*/*.json")):
        name = path.relative_to(folder.parent).as_posix()
        value_set = read_value_set(path, name, faults)
        if value_set is not None:
            _add(value_set, path.parent.name, name, lists, faults)
    for class_, members in lists.classes.items():
        for unknown in sorted(members - lists.titles.keys()):
            faults.append(Fault(f"terminology/classes/{class_}.json", 0, f"there is no drug ValueSet '{unknown}'"))
    terminology = Terminology(lists)
    for code, drugs in terminology.claimed_twice():
        wrong = f"{code} is also a code of {' and '.join(drugs[1:])}, and not marked as a combination in each"
        faults.append(Fault(f"terminology/drugs/{drugs[0]}.json", 0, wrong))
    return terminology, faults


def _add(value_set: ValueSet, kind: str, name: str, lists: Lists, faults: list[Fault]) -> None:
    """Adds a ValueSet of a kind: a drug, a class of drugs, or a set of conditions, routes or measurements."""
    id_ = value_set.id
    if kind not in KINDS:
        faults.append(Fault(name, 0, f"belongs in one of the folders {', '.join(KINDS)}"))
        return
    if kind == "classes":
        members = (url for include in value_set.compose.include for url in include.valueSet)
        lists.classes[id_] = frozenset(url.rpartition("/")[2] for url in members)
        lists.sets.append(SetSummary(id_, kind, len(lists.classes[id_]), 0, 0, {}))
        if not lists.classes[id_]:
            faults.append(Fault(name, 0, "no drug is in this class"))
        return
    includes = list(_includes(value_set, name, lists.systems, faults))
    if meant := concepts_meant(value_set, name, faults):
        lists.queries.append(Query(id_, kind, meant))
    words, exact = value_set.strings("name-in-text"), value_set.strings("exact-name-in-text")
    if kind == "drugs":
        short = list(filter(too_short, words))
        faults += [
            Fault(name, 0, f"'{word}' is too short to be compared by its sound; make it exact") for word in short
        ]
        lists.titles[id_] = value_set.title
        lists.drug_codes += [code for system, include in includes for code in _drug_codes(id_, system, include)]
        lists.names.common += [(word, id_) for word in words]
        lists.names.exact += [(word, id_) for word in exact]
        lists.names.others += value_set.strings("no-name-in-text")
        lists.names.short += [(word, id_) for word in value_set.strings("short-name-in-text")]
    else:
        lists.concept_sets[id_] = _concept_set(value_set, includes, words)
    if kind == "observations":
        lists.loinc += [concept.code for _, include in includes for concept in include.concept]
    summary = _summary(id_, kind, includes, len(words) + len(exact))
    lists.sets.append(summary)
    if not summary.codes or (kind == "drugs" and not summary.names):
        faults.append(Fault(name, 0, f"no {'name' if summary.codes else 'code'} by which it would be recognised"))


def _includes(
    value_set: ValueSet, name: str, systems: Sequence[CodeSystem], faults: list[Fault]
) -> Iterator[tuple[CodeSystem, Include]]:
    """The includes that list codes, each with its system; the others are faults."""
    by_uri = {system.uri: system for system in systems}
    for include in value_set.compose.include:
        if include.filter is not None:
            continue
        system = by_uri.get(include.system)
        if system is None:
            faults.append(Fault(name, 0, f"code system {include.system} is not in systems.yaml"))
        elif "checked-against" not in include.properties or not include.properties["checked-against"].valueString:
            faults.append(Fault(name, 0, f"codes of {system.name} without provenance (extension checked-against)"))
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
            combination="combination" in properties and properties["combination"].valueBoolean,
            strength=_strength(concept),
        )


def _strength(concept: Concept) -> Fraction | None:
    for extension in concept.extension:
        if extension.valueQuantity is not None and extension.name == "strength":
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
    table = load_table(folder.parent, SYSTEMS, None)
    return [msgspec.convert({**entry, "rank": rank}, CodeSystem) for rank, entry in enumerate(table)]

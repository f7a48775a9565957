"""Reads a ValueSet of ``cards/terminology``: the members in use, and the concepts meant with their descendants."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from service.files import Fault
from service.terminology.query import SNOMED

EXTENSION = "https://tolami.github.io/fhir/StructureDefinition/"


class Quantity(msgspec.Struct):
    """An amount; decimals stay exact."""

    value: Decimal


class Extension(msgspec.Struct):
    """An extension with a value of one of these types."""

    url: str
    valueString: str = ""
    valueCode: str = ""
    valueQuantity: Quantity | None = None


class Concept(msgspec.Struct):
    """A code with its name."""

    code: str
    display: str
    extension: tuple[Extension, ...] = ()


class Filter(msgspec.Struct):
    """A concept that is meant with its descendants."""

    property: Literal["concept"]
    op: Literal["is-a"]
    value: str


class Include(msgspec.Struct):
    """Codes of one system that share their extensions, a filter, or other ValueSets."""

    system: str = ""
    concept: tuple[Concept, ...] = ()
    filter: tuple[Filter] | None = None
    valueSet: tuple[str, ...] = ()
    extension: tuple[Extension, ...] = ()

    @property
    def properties(self) -> Mapping[str, Extension]:
        """The extensions by the last part of their address."""
        return {extension.url.removeprefix(EXTENSION): extension for extension in self.extension}


class Compose(msgspec.Struct):
    """What a ValueSet is put together from."""

    include: tuple[Include, ...]


class ValueSet(msgspec.Struct, tag_field="resourceType", tag="ValueSet"):
    """A ValueSet; ``strings`` are its extensions of one address."""

    id: str
    title: str
    compose: Compose
    extension: tuple[Extension, ...] = ()

    def strings(self, url: str) -> list[str]:
        """The strings of an extension."""
        return [each.valueString for each in self.extension if each.url == f"{EXTENSION}{url}"]


_DECODER = msgspec.json.Decoder(ValueSet)


def read_value_set(path: Path, name: str, faults: list[Fault]) -> ValueSet | None:
    """The ValueSet of a file; None, with a fault, when it is not a ValueSet of that name."""
    content = path.read_bytes()
    try:
        value_set = _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError) as refused:
        try:
            json.loads(content)
        except ValueError as error:
            faults.append(Fault(name, getattr(error, "lineno", 0), f"not valid JSON: {error}"))
        else:
            faults.append(Fault(name, 0, f"not in the expected form: {refused}"))
        return None
    if value_set.id != path.stem:
        faults.append(Fault(name, 0, "must be a ValueSet whose id is the file's name"))
        return None
    return value_set


def concepts_meant(value_set: ValueSet, name: str, faults: list[Fault]) -> tuple[str, ...]:
    """The concepts that are meant with their descendants; the same ValueSet must list each with its provenance."""
    includes = value_set.compose.include
    listed = {concept.code for include in includes if include.system == SNOMED for concept in include.concept}
    found = []
    for include in includes:
        if include.filter is None:
            continue
        code = include.filter[0].value
        if include.system != SNOMED or include.concept:
            faults.append(Fault(name, 0, f"filter: an include with a filter is of {SNOMED}, without concepts"))
        elif code not in listed:
            faults.append(Fault(name, 0, f"filter: {code} is not listed in this ValueSet; list it with its provenance"))
        else:
            found.append(code)
    return tuple(found)

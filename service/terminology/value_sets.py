"""Reads a ValueSet of ``cards/terminology``: the members in use, and the concepts meant with their descendants."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from service.files import Fault
from service.terminology.query import SNOMED

EXTENSION = "https://tolami.github.io/fhir/StructureDefinition/"
NAMES = {"name-in-text", "exact-name-in-text", "short-name-in-text", "no-name-in-text"}
PROPERTIES = {"checked-against", "confidence", "term-type", "form", "combination", "match"}
CODES = {"form": {"topical", "systemic"}, "match": {"prefix"}}
"""The extensions that are read: of a ValueSet, and of its includes; the codes of those that have a list of them."""
AT_LEAST_ONE = msgspec.Meta(min_length=1)


class Quantity(msgspec.Struct):
    """An amount with its UCUM code; decimals stay exact."""

    value: Decimal
    code: str


class Extension(msgspec.Struct):
    """An extension with a value of one of these types."""

    url: str
    valueString: str = ""
    valueCode: str = ""
    valueBoolean: bool = False
    valueQuantity: Quantity | None = None

    @property
    def name(self) -> str:
        """The last part of its address; the whole of one that is not ours."""
        return self.url.removeprefix(EXTENSION)


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


class Include(msgspec.Struct, forbid_unknown_fields=True):
    """Codes of one system that share their extensions, a filter, or other ValueSets."""

    system: str = ""
    concept: Annotated[tuple[Concept, ...], AT_LEAST_ONE] = ()
    filter: tuple[Filter] | None = None
    valueSet: Annotated[tuple[str, ...], AT_LEAST_ONE] = ()
    extension: tuple[Extension, ...] = ()

    @property
    def properties(self) -> Mapping[str, Extension]:
        """The extensions by the last part of their address."""
        return {extension.name: extension for extension in self.extension}


class Compose(msgspec.Struct, forbid_unknown_fields=True):
    """What a ValueSet is put together from."""

    include: Annotated[tuple[Include, ...], AT_LEAST_ONE]


class ValueSet(msgspec.Struct, tag_field="resourceType", tag="ValueSet"):
    """A ValueSet; ``strings`` are its extensions of one address."""

    id: str
    title: str
    compose: Compose
    extension: tuple[Extension, ...] = ()

    def strings(self, url: str) -> list[str]:
        """The strings of an extension that hold a letter."""
        found = (each.valueString for each in self.extension if each.url == f"{EXTENSION}{url}")
        return [written for written in found if any(map(str.isalpha, written))]


_DECODER = msgspec.json.Decoder(ValueSet)


def read_value_set(path: Path, name: str, faults: list[Fault]) -> ValueSet | None:
    """The ValueSet of a file; None, with a fault, when it is not a ValueSet of that name."""
    try:
        value_set = _DECODER.decode(path.read_bytes())
    except (msgspec.DecodeError, UnicodeDecodeError) as refused:
        faults.append(Fault(name, 0, f"not in the expected form: {refused}"))
        return None
    if value_set.id != path.stem:
        faults.append(Fault(name, 0, "must be a ValueSet whose id is the file's name"))
        return None
    faults += [Fault(name, 0, f"extension {wrong}") for wrong in dict.fromkeys(_not_read(value_set))]
    return value_set


def _not_read(value_set: ValueSet) -> Iterator[str]:
    """Extensions that nothing reads, or not with that value."""
    yield from (f"'{each.name}' is not known" for each in value_set.extension if each.name not in NAMES)
    yield from (
        f"'{each.name}': '{each.valueString}' has no letter"
        for each in value_set.extension
        if not any(map(str.isalpha, each.valueString))
    )
    for include in value_set.compose.include:
        for each in (each for concept in include.concept for each in concept.extension):
            if each.name != "strength":
                yield f"'{each.name}' is not known"
            elif each.valueQuantity is None or each.valueQuantity.code != "mg" or each.valueQuantity.value <= 0:
                yield "'strength': no number of mg above 0"
        for name, each in include.properties.items():
            if name not in PROPERTIES:
                yield f"'{name}' is not known"
            elif name in CODES and each.valueCode not in CODES[name]:
                yield f"'{name}': '{each.valueCode}' is not known"


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

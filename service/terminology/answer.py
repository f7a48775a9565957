"""Reads a terminology server's answer to ``$expand`` strictly, because a code decides which advice is given.

Source: FHIR R4, ValueSet.expansion. An answer that is not whole or not about SNOMED CT is refused, never repaired.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import msgspec

from service.terminology.query import SNOMED

INCOMPLETE = frozenset({"valueset-toocostly", "valueset-unclosed"})
"""Extensions by which a server says that an expansion is not whole (FHIR extensions pack)."""

LONGEST_TEXT = 200
_CODE = re.compile(r"[0-9]{1,18}")
"""A SNOMED CT identifier."""


class NotUsable(Exception):
    """An answer, or a kept one, that cannot be used: what is wrong, and what to do about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason} {advice}")
        self.reason = reason
        self.advice = advice


class Member(msgspec.Struct, frozen=True):
    """One concept of an expansion."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an expansion. ``entries`` counts all, also those that may not be chosen and are not members.

    ``total`` is None when the server does not state it; ``version``, the edition and version of SNOMED CT, is empty
    then.
    """

    members: tuple[Member, ...]
    entries: int
    total: int | None
    version: str


class _Entry(msgspec.Struct):
    system: str = ""
    code: str = ""
    display: str = ""
    abstract: bool = False
    inactive: bool = False
    contains: tuple["_Entry", ...] = ()


class _Parameter(msgspec.Struct):
    name: str = ""
    valueUri: str = ""
    valueCanonical: str = ""
    valueString: str = ""


class _Extension(msgspec.Struct):
    url: str = ""
    valueBoolean: bool = True


class _Expansion(msgspec.Struct):
    contains: tuple[_Entry, ...] = ()
    total: Annotated[int, msgspec.Meta(ge=0)] | None = None
    parameter: tuple[_Parameter, ...] = ()
    extension: tuple[_Extension, ...] = ()


class _ValueSet(msgspec.Struct, tag_field="resourceType", tag="ValueSet"):
    expansion: _Expansion


_DECODER = msgspec.json.Decoder(_ValueSet)


def read_page(body: bytes) -> Page:
    """One page of an expansion. Raises NotUsable."""
    try:
        expansion = _DECODER.decode(body).expansion
        entries = list(_entries(expansion.contains))
    except msgspec.ValidationError as error:
        raise NotUsable(
            f"The answer is not a ValueSet with an expansion: {one_line(error)}.",
            "Check that the server is a terminology server with SNOMED CT.",
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NotUsable("The answer is not JSON.", "Check that the address is the base of a FHIR server.") from None
    if any(each.valueBoolean and each.url.rpartition("/")[2] in INCOMPLETE for each in expansion.extension):
        raise NotUsable("The server says that its expansion is not complete.", "Raise the server's expansion limit.")
    members = tuple(_member(entry) for entry in entries if not (entry.abstract or entry.inactive))
    return Page(members, len(entries), expansion.total, _version(expansion.parameter))


def one_line(text: object) -> str:
    """Words of a server on one line, short and printable."""
    words = " ".join(str(text).split())
    return "".join(letter for letter in words if letter.isprintable())[:LONGEST_TEXT]


def _entries(contains: tuple[_Entry, ...]) -> Iterator[_Entry]:
    """Every entry, the nested ones included."""
    for entry in contains:
        yield entry
        yield from _entries(entry.contains)


def _member(entry: _Entry) -> Member:
    if entry.system != SNOMED or not _CODE.fullmatch(entry.code):
        raise NotUsable(
            "The ValueSet has an entry that is not a concept of SNOMED CT.",
            "Report it to whoever runs the terminology server.",
        )
    return Member(entry.code, one_line(entry.display))


def _version(parameters: tuple[_Parameter, ...]) -> str:
    """The edition and version of SNOMED CT, as the parameters say: ``http://snomed.info/sct/…/version/20260101``."""
    for name in ("version", "used-codesystem"):
        for parameter in parameters:
            stated = parameter.valueUri or parameter.valueCanonical or parameter.valueString
            if parameter.name == name and stated.startswith(f"{SNOMED}|"):
                return one_line(stated.removeprefix(f"{SNOMED}|"))
    return ""

"""Reads a terminology server's answer to ``$expand`` strictly, because a code decides which advice is given.

Source: FHIR R4, ValueSet.expansion. An answer that is not whole or not about SNOMED CT is refused, never repaired.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from service.terminology.query import SNOMED

INCOMPLETE = ("valueset-toocostly", "valueset-unclosed")
"""Extensions by which a server says that an expansion is not whole (FHIR extensions pack)."""

LONGEST_CODE = 18
"""Digits of a SNOMED CT identifier, at most."""

DEEPEST = 50
"""Levels of nested entries that are followed."""

LONGEST_TEXT = 200


class NotUsable(Exception):
    """An answer, or a kept one, that cannot be used: what is wrong, and what to do about it."""

    def __init__(self, reason: str, advice: str) -> None:
        super().__init__(f"{reason} {advice}")
        self.reason = reason
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Member:
    """One concept of an expansion."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of an expansion. ``entries`` counts all, also those that may not be chosen and are not members.

    ``total`` is None when the server does not state it; ``version`` is empty then, too.
    """

    members: tuple[Member, ...]
    entries: int
    total: int | None
    version: str
    identifier: str
    timestamp: str


def read_page(body: bytes) -> Page:
    """One page of an expansion. Raises NotUsable."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise NotUsable("The answer is not JSON.", "Check that the address is the base of a FHIR server.") from None
    if not isinstance(value, dict) or value.get("resourceType") != "ValueSet":
        kind = value.get("resourceType") if isinstance(value, dict) else None
        raise NotUsable(
            f"The answer is {one_line(kind) if isinstance(kind, str) else 'no resource'}, not a ValueSet.",
            "Check that the server is a terminology server with SNOMED CT.",
        )
    expansion = value.get("expansion")
    if not isinstance(expansion, dict):
        raise _faulty("has no expansion")
    _check_whole(expansion)
    entries = list(_entries(expansion.get("contains", []), 0))
    total = expansion.get("total")
    if total is not None and (not isinstance(total, int) or isinstance(total, bool) or total < 0):
        raise _faulty("has a total that is not a count")
    return Page(
        members=tuple(member for member in map(_member, entries) if member is not None),
        entries=len(entries),
        total=total,
        version=_version(expansion),
        identifier=_text(expansion.get("identifier")),
        timestamp=_text(expansion.get("timestamp")),
    )


def one_line(text: object) -> str:
    """Words of a server on one line, short and printable."""
    words = " ".join(str(text).split())
    return "".join(letter for letter in words if letter.isprintable())[:LONGEST_TEXT]


def _faulty(what: str) -> NotUsable:
    return NotUsable(f"The ValueSet {what}.", "Report it to whoever runs the terminology server.")


def _check_whole(expansion: dict[str, Any]) -> None:
    extensions = expansion.get("extension", [])
    for extension in extensions if isinstance(extensions, list) else ():
        url = extension.get("url") if isinstance(extension, dict) else None
        if isinstance(url, str) and url.rpartition("/")[2] in INCOMPLETE and extension.get("valueBoolean") is not False:
            raise NotUsable(
                "The server says that its expansion is not complete.", "Raise the server's expansion limit."
            )


def _entries(contains: object, depth: int) -> Iterator[dict[str, Any]]:
    """Every entry, the nested ones included."""
    if not isinstance(contains, list) or depth > DEEPEST:
        raise _faulty("has a list of codes that is not a list, or is nested too deeply")
    for entry in contains:
        if not isinstance(entry, dict):
            raise _faulty("has an entry that is not a code")
        yield entry
        if "contains" in entry:
            yield from _entries(entry["contains"], depth + 1)


def _member(entry: dict[str, Any]) -> Member | None:
    """The concept of an entry; None when it only groups others, or is inactive."""
    if entry.get("abstract") is True or entry.get("inactive") is True:
        return None
    system, code = entry.get("system"), entry.get("code")
    if system != SNOMED:
        raise _faulty("has an entry that is not of SNOMED CT")
    if not isinstance(code, str) or not code.isascii() or not code.isdecimal() or len(code) > LONGEST_CODE:
        raise _faulty("has an entry whose code is not a SNOMED CT identifier")
    return Member(code, _text(entry.get("display")))


def _version(expansion: dict[str, Any]) -> str:
    """The edition and version of SNOMED CT, as the parameters say: ``http://snomed.info/sct/…/version/20260101``."""
    parameters = expansion.get("parameter", [])
    if not isinstance(parameters, list):
        raise _faulty("has parameters that are not a list")
    stated = [
        str(parameter.get("valueUri") or parameter.get("valueCanonical") or parameter.get("valueString") or "")
        for name in ("version", "used-codesystem")
        for parameter in parameters
        if isinstance(parameter, dict) and parameter.get("name") == name
    ]
    versions = [text.removeprefix(f"{SNOMED}|") for text in stated if text.startswith(f"{SNOMED}|")]
    return one_line(versions[0]) if versions else ""


def _text(value: object) -> str:
    return one_line(value) if isinstance(value, str) else ""

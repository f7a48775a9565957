"""Code systems, under every address that clients and national profiles use for them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

_KEPT = 1024
"""Addresses whose system is kept for the next code, in memory only."""
_SNOMED = "snomed.info/sct"
_PREFIXES = ("http://", "https://", "www.", "urn:oid:", "oid:")
_MARKS = re.compile(r"[\s†‡*+!#-]+$|^[†*+]+")
"""Dagger and star of ICD-10 and its national marks, which add nothing to the code's own meaning."""
_SPACED = re.compile(r"\s.*$")


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system, its position in the order of belief (0 first) and its other spellings.

    ``pattern`` is for the last part of an address: national editions are published under many. ``dotted`` says that
    the dot in its codes may be left out. ``whole`` is true for a classification: it has a code for every problem, so
    that one which no set holds is known to be something else.
    """

    name: str
    uri: str
    rank: int
    aliases: tuple[str, ...] = ()
    pattern: str = ""
    dotted: bool = False
    whole: bool = False


class Systems:
    """The code systems that are known, found by any of their addresses."""

    def __init__(self, systems: Iterable[CodeSystem]) -> None:
        self.known = tuple(systems)
        self._by_address = {address(uri): system for system in self.known for uri in (system.uri, *system.aliases)}
        self._patterns = [(re.compile(system.pattern), system) for system in self.known if system.pattern]
        self.of = lru_cache(_KEPT)(self._of)
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
        return system.uri, _bare(code) if system.dotted else code


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

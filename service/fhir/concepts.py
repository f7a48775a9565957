"""A CodeableConcept as the client sent it: its codes, and its words."""

import html
import unicodedata
from collections.abc import Mapping
from itertools import chain
from typing import Any, NamedTuple

from service.caching import cached
from service.fhir.resources import aslist, one, text
from service.terminology.recognise import Coding

MOST_CODINGS = 100
"""Codings of one concept that are looked at."""

MOST_LETTERS = 1000
"""Letters of one name that are looked at, such as a drug's."""

MOST_WORDS = 100_000
"""Letters of the problems, allergies, reasons and answers of one call that are read: one costs up to 9 µs."""

ALL = MOST_WORDS + 1
"""Letters that are looked at where a text is read whole or not at all: for a longer one there is no room."""

_LARGEST_CODE = 10**18
"""The longest codes of SNOMED CT have 18 digits."""


class Concept(NamedTuple):
    """What a CodeableConcept says.

    ``codings`` are those that carry a code, ``texts`` the words that stand beside no code: its text, and names of
    codings without one. ``cut`` names what of it goes beyond what is looked at, ``size`` counts the letters of its
    words, each once, and of its codes.
    """

    codings: tuple[Coding, ...] = ()
    texts: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    size: int = 0

    @property
    def words(self) -> list[str]:
        """All its words, names of codes last."""
        return [*self.texts, *(coding.display for coding in self.codings)]

    @property
    def label(self) -> str:
        """The concept as the record shows it: its text, the name of a code, or the code."""
        return next(filter(str.strip, self.words), "") or (f"code {self.codings[0].code}" if self.codings else "")


NOTHING = Concept()


class RecurringConcept(dict[str, Any]):
    """The JSON of a concept that comes again and again, such as a status, with what it says. Never to be changed."""

    __slots__ = ("says",)

    def __init__(self, value: dict[str, Any]) -> None:
        super().__init__(value)
        self.says = _read(value)


class Room:
    """How many more letters of problems, allergies, reasons and answers may be read for one call."""

    def __init__(self, letters: int = MOST_WORDS) -> None:
        self._left = letters

    def holds(self, letters: int) -> bool:
        """True when this many more letters fit; they are then used up."""
        held = letters <= self._left
        self._left -= letters if held else 0
        return held


def concept_of(value: object, most: int = MOST_LETTERS) -> Concept:
    """The concept in this JSON, ``most`` letters of each name: a CodeableConcept, or what clients send in its place.

    That is a list of one, words, a Coding, or R5's CodeableReference. Anything else says nothing.
    """
    if isinstance(value, RecurringConcept) and (most == MOST_LETTERS or "name" not in value.says.cut):
        return value.says
    return _read(value, most)


def _read(value: object, most: int = MOST_LETTERS) -> Concept:
    if not isinstance(value, dict):
        value = one(value)
        value = {"text": value} if isinstance(value, str) else value
    if isinstance(value, dict) and isinstance(value.get("concept"), dict):
        value = value["concept"]
    if not isinstance(value, dict):
        return NOTHING
    listed = aslist(value.get("coding", value if "code" in value or "display" in value else None))
    said = words_in(value.get("text"))
    longest = len(said)
    codings: list[Coding] = []
    texts = [said[:most]] if said else []
    for coding in listed[:MOST_CODINGS]:
        if not isinstance(coding, dict):
            continue
        code, name = _code(coding), words_in(coding.get("display"))
        longest = max(longest, len(name))
        if code:
            codings.append(Coding(text(coding.get("system")), code, name[:most]))
        elif name:
            texts.append(name[:most])
    cut = (("codes",) if len(listed) > MOST_CODINGS else ()) + (("name",) if longest > most else ())
    size = sum(map(len, {*texts, *(coding.display for coding in codings)})) + sum(len(c.code) for c in codings)
    return Concept(tuple(codings), tuple(texts), cut, size)


def status_codes(value: object) -> frozenset[str]:
    """What a status says, in small letters: a code up to STU3, a CodeableConcept (or its text) from R4."""
    return _status_of(concept_of(value))


def _status(concept: Concept) -> frozenset[str]:
    said = [coding.code for coding in concept.codings] or concept.texts
    return frozenset(words.strip().lower() for words in said)


_status_of = cached(_status, letters=lambda concept: sum(map(len, chain(concept.texts, *concept.codings))))


def words_in(value: Any) -> str:
    """The words of a name as a reader sees them, empty when there are none.

    Without the letters that nobody sees (a zero-width space within the name), and with those that were written for a
    web page ("Tolp&eacute;risone").
    """
    if isinstance(value, str) and value.isprintable() and "&" not in value:
        return value
    said = text(one(value))
    if "&" in said:
        said = html.unescape(said[: 8 * ALL])
    if said.isprintable():
        return said
    return "".join(letter for letter in said if letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cf"))


def _code(coding: Mapping[str, Any]) -> str:
    """The code; some clients send one of digits as a number."""
    code = coding.get("code")
    if isinstance(code, str):
        return code if len(code) <= MOST_LETTERS else ""
    of_digits = isinstance(code, int) and not isinstance(code, bool) and 0 <= code < _LARGEST_CODE
    return str(code) if of_digits else ""

"""Which gene a type of metaboliser is about: a report of genomics names it beside the answer, or where that is from."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from service.fhir.concepts import MOST_LETTERS, concept_of
from service.fhir.resources import Resource, aslist, reference, relative, text
from service.terminology.folding import plain
from service.terminology.recognise import Terminology

METABOLISM = "drug-metabolism"
"""The kind of an answer about the breakdown of drugs that names no gene itself."""
PHENOTYPE = "-phenotype"
"""How kinds end that are answered with a type of metaboliser."""


class Genes:
    """The genes of the reports among these observations."""

    def __init__(self, resources: Sequence[Resource], terminology: Terminology) -> None:
        self._resources, self._terminology = resources, terminology

    def kinds(self, part: Resource, report: Resource, *, effect: bool) -> frozenset[str]:
        """The kinds of the genes whose type of metaboliser a part of a report gives; none where it gives no such type.

        ``effect`` says that the part is about the breakdown of drugs by its code. Without a gene it is of the kind
        METABOLISM, unless the report is about a gene that no rule asks for.
        """
        answer = _answer(part)
        if not (effect or self._terminology.words.metaboliser(answer)):
            return frozenset()
        found = self._named(report)
        if found is None:
            origins = [self._reports.get(_target(origin)) for origin in aslist(report.get("derivedFrom"))]
            named = [genes for origin in origins if origin and (genes := self._named(origin)) is not None]
            found = frozenset[str]().union(*named) if named else None
        if found is None:
            return frozenset({METABOLISM}) if effect or "metaboli" in plain(answer) else frozenset()
        return found

    @cached_property
    def _reports(self) -> dict[str, Resource]:
        return {reference(resource): resource for resource in self._resources if "component" in resource}

    def _named(self, report: Resource) -> frozenset[str] | None:
        """The kinds of the genes that values of a report name; None when it names no gene at all."""
        parts = [part for part in (report, *aslist(report.get("component"))) if isinstance(part, dict)]
        found = self._terminology.words.measured(tuple(map(_answer, parts)))
        genes = frozenset(kind for kind in found if kind.endswith(PHENOTYPE))
        about = (words for part in parts[1:] for words in concept_of(part.get("code")).words)
        other = any("gene" in plain(words).split() for words in about)
        return genes if genes or other else None


def _answer(part: Resource) -> str:
    """Codes and words of a value."""
    coded = concept_of(part.get("valueCodeableConcept"))
    said = (*(coding.code for coding in coded.codings), *coded.words, text(part.get("valueString")))
    return "; ".join(filter(None, said))[:MOST_LETTERS]


def _target(pointer: Any) -> str:
    return relative(text(pointer.get("reference"))) if isinstance(pointer, dict) else ""

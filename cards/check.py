"""The slow checks of the cards folder, for ``tolami check`` and the tests: FHIR validity and completeness."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.valueset import ValueSet
from jinja2 import TemplateError
from pydantic import BaseModel, ValidationError

from cards.faults import Fault
from cards.library import FOLDER, Library
from cards.rendering import Renderer
from service.guidance.engine import RULES, card_of

WITHOUT_RULE = ("patient-deceased", "rule-failed", "service-failed")
"""Cards that the engine raises itself."""


def deep_faults(library: Library, folder: Path = FOLDER) -> list[Fault]:
    """Faults that loading does not look for, because they cost too much at every start."""
    return [
        *_fhir_faults(folder, "terminology/*/*.json", ValueSet),
        *_fhir_faults(folder, "orders/*.json", MedicationRequest),
        *_rule_faults(library),
        *_template_faults(library),
    ]


def _fhir_faults(folder: Path, pattern: str, model: type[BaseModel]) -> Iterable[Fault]:
    """Files that are not valid FHIR R4."""
    for path in sorted(folder.glob(pattern)):
        value: Any = json.loads(path.read_text(encoding="utf-8"))
        try:
            model.model_validate(value)
        except ValidationError as error:
            for problem in error.errors():
                place = ".".join(map(str, problem["loc"]))
                yield Fault(path.relative_to(folder).as_posix(), 0, f"not valid FHIR: {place}: {problem['msg']}")


def _rule_faults(library: Library) -> Iterable[Fault]:
    """Rules without a card, and cards that no rule raises."""
    expected = {*map(card_of, RULES), *WITHOUT_RULE}
    for card in sorted(expected - library.cards.keys()):
        yield Fault(f"{card}.md", 0, "a rule of this name raises this card, and there is none")
    for card in sorted(library.cards.keys() - expected):
        yield Fault(library.cards[card].file, 0, "no rule raises this card; rules are named after their card")


def _template_faults(library: Library) -> Iterable[Fault]:
    """Sections that are not valid Jinja2."""
    environment = Renderer.of(library).marked
    for card in library.cards.values():
        for title in card.sections:
            try:
                environment.get_template(f"{card.id}/{title}")
            except TemplateError as error:
                yield Fault(card.file, 0, f"section '## {title}': {error}")

"""The slow checks of the cards folder, for ``tolami check`` and the tests: FHIR validity and completeness."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhir.resources.R4B.valueset import ValueSet
from jinja2 import TemplateError
from pydantic import BaseModel, ValidationError

from cards.faults import Fault
from cards.library import FOLDER, Library
from cards.rendering import Renderer
from service.guidance.engine import RULES, card_of

MODELS: dict[str, type[BaseModel]] = {
    "MedicationRequest": MedicationRequest,
    "ServiceRequest": ServiceRequest,
    "ValueSet": ValueSet,
}

WITHOUT_RULE = ("patient-deceased", "rule-failed", "service-failed", "more-advice")
"""Cards that the engine raises itself."""


def deep_faults(library: Library, folder: Path = FOLDER) -> list[Fault]:
    """Faults that loading does not look for, because they cost too much at every start."""
    return [
        *_fhir_faults(folder, "terminology/*/*.json"),
        *_fhir_faults(folder, "orders/*.json"),
        *_rule_faults(library),
        *_template_faults(library),
        *_uncarried(library),
    ]


def _fhir_faults(folder: Path, pattern: str) -> Iterable[Fault]:
    """Files that are not valid FHIR R4."""
    for path in sorted(folder.glob(pattern)):
        value: Any = json.loads(path.read_text(encoding="utf-8"))
        try:
            MODELS[value.get("resourceType", "")].model_validate(value)
        except KeyError:
            yield Fault(path.relative_to(folder).as_posix(), 0, "not a resource of a kind that belongs here")
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


def _uncarried(library: Library) -> Iterable[Fault]:
    """Statements that no card carries and that do not say why not."""
    files = (*library.cards.values(), *library.line_cards.values())
    carried = {key for card in files for key in card.statements}
    for statement in library.statements.values():
        if statement.key not in carried and not statement.not_carried:
            yield Fault("statements.yaml", 0, f"{statement.key}: no card carries it; say why in not_carried")


def _template_faults(library: Library) -> Iterable[Fault]:
    """Sections that are not valid Jinja2."""
    environment = Renderer.of(library).marked
    for card in library.cards.values():
        for title in card.sections:
            try:
                environment.get_template(f"{card.id}/{title}")
            except TemplateError as error:
                yield Fault(card.file, 0, f"section '## {title}': {error}")

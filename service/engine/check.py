"""The slow checks of the cards folder, for ``tolami check`` and the tests: FHIR validity and completeness."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.servicerequest import ServiceRequest
from fhir.resources.R4B.valueset import ValueSet
from jinja2 import TemplateError
from pydantic import BaseModel, ValidationError

from service.engine.catalogue import RAISED_BY_THE_ENGINE, statements
from service.engine.evaluate import card_of
from service.engine.finding import Rule
from service.engine.library import FOLDER, Library
from service.engine.rendering import Renderer
from service.files import Fault

MODELS: dict[str, type[BaseModel]] = {
    "MedicationRequest": MedicationRequest,
    "ServiceRequest": ServiceRequest,
    "ValueSet": ValueSet,
}


def deep_faults(library: Library, rules: Sequence[Rule], folder: Path = FOLDER) -> list[Fault]:
    """Faults that loading does not look for, because they cost too much at every start."""
    return [
        *_fhir_faults(folder, "terminology/*/*.json"),
        *_fhir_faults(folder, "orders/*.json"),
        *_rule_faults(library, rules),
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


def _rule_faults(library: Library, rules: Sequence[Rule]) -> Iterable[Fault]:
    """Rules without a card, and cards that no rule raises."""
    expected = {*map(card_of, rules), *RAISED_BY_THE_ENGINE}
    for card in sorted(expected - library.cards.keys()):
        yield Fault(f"{card}.md", 0, "a rule of this name raises this card, and there is none")
    for card in sorted(library.cards.keys() - expected):
        yield Fault(library.cards[card].file, 0, "no rule raises this card; rules are named after their card")


def _uncarried(library: Library) -> Iterable[Fault]:
    """Statements that no card carries and that do not say why not."""
    for carried in statements(library):
        if not carried.cards and not carried.statement.not_carried:
            key = carried.statement.key
            yield Fault("statements.yaml", 0, f"{key}: no card carries it; say why in not_carried")


def _template_faults(library: Library) -> Iterable[Fault]:
    """Texts that are not valid Jinja2: sections of cards, sentences of their reasons, shared lines."""
    environment = Renderer.of(library).marked
    for name in environment.list_templates():
        try:
            environment.get_template(name)
        except TemplateError as error:
            owner, _, part = name.partition("/")
            if owner in library.cards:
                where = f"reasons {part}" if "/" in part else f"section '## {part}'"
                yield Fault(library.cards[owner].file, 0, f"{where}: {error}")
            else:
                yield Fault(f"lines/{owner}.md", 0, str(error))

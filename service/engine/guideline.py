"""A guideline as it is handed to ``decide``: its rules, and the library of their words, numbers and codes."""

from dataclasses import dataclass

from service.engine.finding import Rule
from service.engine.library import Library


@dataclass(frozen=True, slots=True)
class Guideline:
    """Rules and the library that they belong to. Each rule is named after its card."""

    library: Library
    rules: tuple[Rule, ...]

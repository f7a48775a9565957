"""A guideline as ``decide`` takes it: its rules, and the library of their words, numbers and codes."""

from dataclasses import dataclass, replace

from service.engine.finding import Rule
from service.engine.library import Library
from service.engine.policy import Policy, under


@dataclass(frozen=True, slots=True)
class Guideline:
    """Rules and the library that they belong to. Each rule is named after its card.

    ``policy`` are the changes of a hospital that are in force.
    """

    library: Library
    rules: tuple[Rule, ...]
    policy: Policy = ()

    def under(self, policy: Policy) -> "Guideline":
        """The guideline as a hospital's policy wants it."""
        return replace(self, library=under(self.library, policy), policy=policy)

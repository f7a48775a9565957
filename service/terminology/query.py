"""The query to a terminology server for the descendants of the concepts that a value set names.

The question is an Expression Constraint (SNOMED CT ECL 2.x), asked as an implicit value set of FHIR
(``http://snomed.info/sct?fhir_vs=ecl/…``, FHIR R4, "Using SNOMED CT with FHIR").
"""

from collections.abc import Sequence
from dataclasses import dataclass

SNOMED = "http://snomed.info/sct"
OPERATORS = {"is-a": "<<", "descendent-of": "<"}
"""The operators of a filter (FHIR ``filter-operator``) and of ECL that mean the same."""

PRODUCT = "373873005"
"""Pharmaceutical / biologic product: above every product."""

INGREDIENT = "127489000"
"""Has active ingredient: the attribute; those below it name the ingredient more precisely."""


@dataclass(frozen=True, slots=True)
class Root:
    """A concept that is meant with its descendants; ``op`` is a key of ``OPERATORS``."""

    code: str
    op: str

    @property
    def ecl(self) -> str:
        """The concepts below it (and it itself, with "is-a") as an expression constraint."""
        return f"{OPERATORS[self.op]} {self.code}"


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for one of our value sets: its id, its kind (the folder it lies in), its roots."""

    id: str
    kind: str
    roots: tuple[Root, ...]
    ecl: str

    @property
    def url(self) -> str:
        """The implicit value set, as it is asked for; not percent-encoded."""
        return f"{SNOMED}?fhir_vs=ecl/{self.ecl}"

    @property
    def required(self) -> frozenset[str]:
        """Codes of which a valid answer holds at least one: roots that include themselves."""
        return frozenset(root.code for root in self.roots if root.op == "is-a")


def query(id_: str, kind: str, roots: Sequence[Root]) -> Query:
    """The question for a value set. Of a drug the substances count, and the products with this ingredient alone.

    A product with another active ingredient is a combination, and no code alone tells its strengths.
    """
    below = " OR ".join(root.ecl for root in roots)
    if kind == "drugs":
        ingredients = f"({below})" if len(roots) > 1 else below
        alone = f"[1..1] << {INGREDIENT} = *"
        below = f"{below} OR (< {PRODUCT} : {alone}, << {INGREDIENT} = {ingredients})"
    return Query(id_, kind, tuple(roots), below)

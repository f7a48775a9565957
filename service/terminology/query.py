"""The query to a terminology server for the descendants of the concepts that a value set names.

The question is an Expression Constraint (SNOMED CT ECL 2.x), asked as an implicit value set of FHIR
(``http://snomed.info/sct?fhir_vs=ecl/…``, FHIR R4, "Using SNOMED CT with FHIR").
"""

from dataclasses import dataclass

SNOMED = "http://snomed.info/sct"

PRODUCT = "373873005"
"""Pharmaceutical / biologic product: above every product."""

INGREDIENT = "127489000"
"""Has active ingredient: the attribute; those below it name the ingredient more precisely."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for one of our value sets: its id, its kind (the folder it lies in), the concepts meant."""

    id: str
    kind: str
    concepts: tuple[str, ...]

    @property
    def url(self) -> str:
        """The implicit value set of the concepts with their descendants; not percent-encoded.

        Of a drug the substances count, and the products with this ingredient alone. A product with another active
        ingredient is a combination, and no code alone tells its strengths.
        """
        below = " OR ".join(f"<< {concept}" for concept in self.concepts)
        if self.kind == "drugs":
            ingredients = f"({below})" if len(self.concepts) > 1 else below
            alone = f"[1..1] << {INGREDIENT} = *"
            below = f"{below} OR (< {PRODUCT} : {alone}, << {INGREDIENT} = {ingredients})"
        return f"{SNOMED}?fhir_vs=ecl/{below}"

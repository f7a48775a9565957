"""Every rule of this guideline, in the order of their cards where urgency is equal."""

from service.engine.finding import Rule
from service.engine.unchecked import code_and_text_disagree, not_checked
from service.guidance import (
    alternatives,
    amitriptyline,
    duplicates,
    genes,
    heart,
    interactions,
    maoi,
    monitoring,
    safety,
    stopping,
    titration,
    tolperisone,
)

RULES: tuple[Rule, ...] = (
    *maoi.RULES,
    *heart.RULES,
    *safety.RULES,
    *duplicates.RULES,
    *tolperisone.RULES,
    *interactions.RULES,
    *genes.RULES,
    *amitriptyline.RULES,
    *titration.RULES,
    *stopping.RULES,
    *monitoring.RULES,
    *alternatives.RULES,
    code_and_text_disagree,
    not_checked,
)
"""Every rule, in the order of their cards where urgency is equal. A rule is named after its card."""

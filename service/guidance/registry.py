"""Every rule of this guideline, in the order of their cards where urgency is equal."""

from service.engine.finding import Rule
from service.engine.unchecked import code_and_text_disagree, not_checked
from service.guidance import (
    alternatives,
    dose_range,
    duplicates,
    genes,
    heart,
    interactions,
    maoi,
    monitoring,
    safety,
    stopping,
    titration,
)
from service.guidance.amitriptyline import amitriptyline_start_dose
from service.guidance.pair import tolperisone_with_amitriptyline
from service.guidance.tolperisone import tolperisone_daily_dose, tolperisone_indication

RULES: tuple[Rule, ...] = (
    *maoi.RULES,
    *heart.RULES,
    *safety.RULES,
    *duplicates.RULES,
    tolperisone_with_amitriptyline,
    *interactions.RULES,
    *genes.RULES,
    tolperisone_indication,
    amitriptyline_start_dose,
    *dose_range.RULES,
    *titration.RULES,
    *stopping.RULES,
    tolperisone_daily_dose,
    *monitoring.RULES,
    *alternatives.RULES,
    code_and_text_disagree,
    not_checked,
)
"""Every rule, in the order of their cards where urgency is equal. A rule is named after its card."""

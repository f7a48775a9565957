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
    maoi.amitriptyline_with_maoi,
    heart.amitriptyline_and_the_heart,
    safety.tolperisone_contraindications,
    safety.amitriptyline_and_other_conditions,
    safety.patient_under_18,
    safety.amitriptyline_in_pregnancy_or_breastfeeding,
    duplicates.amitriptyline_duplicate,
    tolperisone.tolperisone_with_amitriptyline,
    tolperisone.tolperisone_with_other_tricyclic,
    tolperisone.tolperisone_indication,
    tolperisone.tolperisone_daily_dose,
    tolperisone.tolperisone_food,
    interactions.cyp_inhibitor_with_amitriptyline,
    interactions.serotonergic_with_amitriptyline,
    interactions.sedating_drugs_with_amitriptyline,
    interactions.anticholinergic_with_amitriptyline,
    interactions.tolperisone_with_cyp2d6_drug,
    genes.metaboliser_type,
    amitriptyline.amitriptyline_start_dose,
    amitriptyline.amitriptyline_upper_range,
    amitriptyline.amitriptyline_for_depression,
    titration.amitriptyline_titration,
    stopping.amitriptyline_stopping,
    monitoring.amitriptyline_older_adult,
    monitoring.standing_blood_pressure,
    monitoring.amitriptyline_review,
    monitoring.pain_score,
    alternatives.opioid_in_fibromyalgia,
    alternatives.other_options,
    code_and_text_disagree,
    not_checked,
)
"""A rule is named after its card."""

"""The drugs of this guideline, as its terminology and ``guideline.yaml`` call them."""

from service.engine.finding import AMITRIPTYLINE, SUBJECTS, TOLPERISONE

__all__ = ["AMITRIPTYLINE", "SUBJECTS", "TOLPERISONE"]

"""The drugs of this guideline, as its terminology and ``guideline.yaml`` call them."""

AMITRIPTYLINE = "amitriptyline"
TOLPERISONE = "tolperisone"
SUBJECTS = (AMITRIPTYLINE, TOLPERISONE)

"""All worked examples of doses. Each part has its own file; values are worked out by hand from the rules."""

from tests.dosing.dose_examples_amounts import AMOUNTS
from tests.dosing.dose_examples_as_needed import AS_NEEDED
from tests.dosing.dose_examples_rhythm import RHYTHM
from tests.dosing.dose_examples_schemes import SCHEMES
from tests.dosing.dose_examples_several import SEVERAL
from tests.dosing.dose_examples_shapes import SHAPES
from tests.dosing.dose_examples_words import WORDS

PARTS = {
    "rhythm": RHYTHM,
    "amounts": AMOUNTS,
    "as needed": AS_NEEDED,
    "several": SEVERAL,
    "words": WORDS,
    "shapes": SHAPES,
    "schemes": SCHEMES,
}

"""CPU of one daily dose: typical data, data with words, words alone, a maximum, and a titration.

Only the arithmetic is measured, from dosage instructions in clinical words to mg a day; reading FHIR comes on
top of it. Cases take turns in every round, so that the machine's load falls on all alike.
"""

import statistics
import time
from collections.abc import Sequence
from fractions import Fraction

from service.dosing.amount import NotComputed, Product, Quantity
from service.dosing.compute import daily_dose
from service.dosing.dosage import Dosage, MaxDose, Timing
from service.terminology.recognise import Recognition, Strength

ROUNDS = 30
CALLS = 200
AIM = {"one tablet a day": 50.0}

DRUG = "amitriptyline"
PRODUCT = Product(
    drug=DRUG,
    recognised=Recognition((DRUG,), strengths=(Strength(DRUG, Fraction(25), "RxNorm 856834"),)),
    label="amitriptyline hydrochloride 25 MG Oral Tablet",
)
TABLET = Quantity(Fraction(1), "tablet", "{tbl}")
DAILY = Timing(frequency=Fraction(1), period=Fraction(1), unit="d")


def plain(mg: int, sequence: int | None = None) -> Dosage:
    """So many mg once a day."""
    quantity = Quantity(Fraction(mg), "mg", "mg")
    return Dosage(quantity, quantity, DAILY, sequence=sequence)


CASES: dict[str, Sequence[Dosage]] = {
    "25 mg a day": [plain(25)],
    "one tablet a day": [Dosage(TABLET, TABLET, DAILY)],
    "with a timing code": [Dosage(TABLET, TABLET, Timing(codes=("BID",)))],
    "as needed, a maximum": [
        Dosage(TABLET, TABLET, DAILY, as_needed=True, maxima=(MaxDose(TABLET, Quantity(Fraction(1), code="d")),))
    ],
    "with words that agree": [Dosage(TABLET, TABLET, DAILY, text="1 tablet daily at bedtime")],
    "with prose": [Dosage(TABLET, TABLET, DAILY, text="Take in the evening as agreed; come back after two weeks.")],
    "words alone": [Dosage(text="1 tablet by mouth three times daily after meals")],
    "a scheme alone": [Dosage(text="1-0-1")],
    "three steps": [plain(mg, step) for step, mg in enumerate((10, 25, 50))],
}


def microseconds(dosages: Sequence[Dosage]) -> float:
    """CPU of one dose, averaged over a round."""
    started = time.process_time_ns()
    for _ in range(CALLS):
        daily_dose(dosages, PRODUCT)
    return (time.process_time_ns() - started) / CALLS / 1000


def main() -> None:
    """Prints the medians."""
    for name, dosages in CASES.items():
        if isinstance(daily_dose(dosages, PRODUCT), NotComputed):
            raise RuntimeError(f"{name} has no dose")
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(ROUNDS):
        for name, dosages in CASES.items():
            times[name].append(microseconds(dosages))
    for name, values in times.items():
        aim = f" (aim at most {AIM[name]:.0f})" if name in AIM else ""
        print(f"{name:<22} {statistics.median(values):6.1f} µs{aim}")


if __name__ == "__main__":
    main()

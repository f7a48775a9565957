"""Words beside complete data that are not understood whole: what in them may say another dose is named."""

from fractions import Fraction

from service.dosing.amount import Quantity
from service.dosing.compute import daily_dose
from service.dosing.dosage import DailyDose, Dosage, Timing
from tests.dosing.test_directions_heard import PRODUCT

ONE = Fraction(1)
ONCE = Timing(ONE, period=ONE, unit="d")

NAMED = (
    "1 tablet at night for 1 week, then 3 tablets;nach 3 Tagen 2 Tabletten;one nightly, perhaps 75 mg;up to 6 a day;"
    "max 150 mg as agreed;nur alle 2 Tage;nur Mo, Mi, Fr;75 mg, 3 tab(s), Oral, HS, # 90 tab(s), 0 Refill(s);"
    "three times daily until Dr Miller sees you;1-0-1 wie mit Dr. Huber besprochen;中止;ללא;"
    "every 6 hours as Dr Miller said;nach 1 Woche 2;bei Schmerzen 2;und morgens eine;and one in the morning;halbe;"
    "4 mal;x4;1 → 2 → 3;jeden 2. Abend"
)
SILENT = (
    "25 mg, 1 tab(s), Oral, HS, # 90 tab(s), 0 Refill(s);1 tablet nightly as Dr Miller said;25 mg zur Nacht nach Plan;"
    "50 St N2, 1x tgl. abends lt. Dr. Huber;review in 4 weeks;Kontrolle alle 4 Wochen;"
    "for pain as agreed with the clinic;siehe Plan;отдельно;ne pas croquer;repeat x 5;refills: 2;seit 2024;"
    "neu seit 20.11.;1 OP;N2;Rp. 3 Monate;about 2 hours before bed;kein Alkohol;100 St.;met voedsel;"
    "Amitriptyline 25 mg;take with 250 ml water and a biscuit;0-0-0-1 nach Plan"
)


def unheard(text: str, *others: str) -> str:
    dose = daily_dose([Dosage(high=Quantity(ONE, "tablet"), timing=ONCE, text=text, beside=others)], PRODUCT)
    assert isinstance(dose, DailyDose)
    assert not dose.from_text
    return dose.unheard


def test_amounts_and_times_that_the_data_does_not_have_are_named() -> None:
    texts = NAMED.split(";")
    assert [unheard(words) for words in texts] == texts
    assert [unheard("1 tablet daily", words) for words in texts] == texts


def test_words_that_say_nothing_else_are_silent() -> None:
    assert [words for words in SILENT.split(";") if unheard(words)] == []

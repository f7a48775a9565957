"""A dose is read alike in every shape that FHIR's versions and clients give it."""

from typing import Any

from service.dosing.dosage import Dosage
from service.fhir.orders import read_dosages
from tests.fhir.samples import order

TABLET = {"value": 1, "unit": "tablet", "system": "http://unitsofmeasure.org", "code": "{tbl}"}
PIECE = {"value": 1, "unit": "Tablet", "system": "http://snomed.info/sct", "code": "732936001"}
FOUR = {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}}
HALF = {**TABLET, "value": 0.5}
QID = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "code": "QID"}]}


def repeat(**members: Any) -> dict[str, Any]:
    return {"repeat": members}


def read(**members: Any) -> tuple[Dosage, ...]:
    return read_dosages(order(dosageInstruction=[members]))


DOSES: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"doseAndRate": {"doseQuantity": TABLET}}, {"doseQuantity": TABLET}),
    ({"doseAndRate": [{"doseQuantity": TABLET}]}, {"doseQuantity": [TABLET]}),
    ({"doseAndRate": [{"doseQuantity": TABLET}]}, {"doseSimpleQuantity": TABLET}),
    ({"doseAndRate": [{"doseQuantity": TABLET}]}, {"doseAndRate": [None, {"doseQuantity": TABLET}]}),
    ({"doseAndRate": [{"doseQuantity": TABLET}]}, {"doseAndRate": [{"rateQuantity": TABLET}], "doseQuantity": TABLET}),
    ({"doseAndRate": [{"doseQuantity": TABLET}]}, {"doseAndRate": [], "doseQuantity": TABLET}),
    ({"doseAndRate": [{"doseQuantity": TABLET}]}, {"doseAndRate": [{"doseQuantity": TABLET}], "doseQuantity": TABLET}),
    ({"doseAndRate": [{"doseQuantity": PIECE}]}, {"doseQuantity": {**PIECE, "code": 732936001}}),
    (
        {"doseAndRate": [{"doseQuantity": HALF}, {"doseQuantity": TABLET}]},
        {"doseAndRate": [{"doseQuantity": HALF}], "doseQuantity": TABLET},
    ),
    (
        {"doseAndRate": [{"doseQuantity": HALF}, {"doseRange": {"low": HALF, "high": TABLET}}]},
        {"doseAndRate": {"doseQuantity": HALF, "doseRange": {"low": HALF, "high": TABLET}}},
    ),
    ({"asNeededBoolean": True}, {"asNeededCodeableConcept": [{"text": "pain"}]}),
    ({"asNeededBoolean": True}, {"asNeededCodeableConcept": "pain"}),
    ({"asNeededBoolean": True}, {"asNeededFor": {"text": "pain"}}),
)

TIMINGS: tuple[tuple[Any, Any], ...] = (
    (FOUR, [FOUR]),
    (FOUR, {"repeat": [FOUR["repeat"]]}),
    *(
        (FOUR, repeat(frequency=4, period=1, periodUnit=unit))
        for unit in ("D", "day", "Days", "Tag", "jours", "giorno")
    ),
    *(
        (repeat(frequency=1, period=6, periodUnit="h"), repeat(frequency=1, period=6, periodUnit=unit))
        for unit in ("H", "hours", "hr", "Hrs.", "Stunden", "heures")
    ),
    (repeat(dayOfWeek=["mon", "tue"]), repeat(dayOfWeek=["MON", "Tuesday"])),
    (repeat(when=["MORN", "AFT.late", "HS"]), repeat(when=["morn", "Aft.Late", "bedtime"])),
    (repeat(timeOfDay=["08:00:00", "18:00:00"]), repeat(timeOfDay=["8 Uhr", "18h"])),
    (repeat(timeOfDay=["08:00:00"]), repeat(timeOfDay="2026-11-20T08:00:00Z")),
    ({"code": QID}, {"code": [QID]}),
    ({"code": QID}, {"code": {"coding": QID["coding"][0]}}),
    ({"code": QID}, {"code": QID["coding"][0]}),
    ({"code": {"text": "4x daily"}}, {"code": "4x daily"}),
    ({"code": {"text": "4x daily"}}, "4x daily"),
)


def test_a_dose_is_read_alike_in_every_shape() -> None:
    for plain, odd in DOSES:
        assert read(**odd) == read(**plain), odd


def test_a_timing_is_read_alike_in_every_shape() -> None:
    for plain, odd in TIMINGS:
        assert read(timing=odd) == read(timing=plain), odd


def test_an_instruction_in_words_alone_is_its_text() -> None:
    spoken = read(text="1 tablet four times daily")
    for given in ("1 tablet four times daily", ["1 tablet four times daily"]):
        assert read_dosages(order(dosageInstruction=given)) == spoken
    rendered = order(dosageInstruction=None, renderedDosageInstruction="1 tablet four times daily")
    assert read_dosages(rendered) == spoken


def test_a_number_that_is_withheld_is_not_taken_for_left_out() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
    }
    (found,) = read(timing=repeat(_frequency=absent, period=1, periodUnit="d"), doseQuantity=TABLET)
    assert [path.rpartition(".")[0] for path in found.unreadable] == ["dosageInstruction[0].timing.repeat"]


def test_what_is_neither_code_nor_word_is_refused_and_named() -> None:
    for timing in (
        5,
        repeat(frequency=True, period=1, periodUnit="d"),
        repeat(count=True),
        repeat(frequency=4, period=1, periodUnit=["d", "h"]),
        repeat(when=[5]),
        {"code": 5},
    ):
        (found,) = read(timing=timing, doseQuantity=TABLET)
        assert found.unreadable, timing
    (found,) = read(timing=FOUR, doseQuantity={**TABLET, "value": True})
    assert found.unreadable


def test_beside_a_modifier_extension_no_dose_is_read_wherever_it_stands() -> None:
    modifier: dict[str, Any] = {"modifierExtension": [{"url": "https://example.org/not-so", "valueBoolean": True}]}
    dose: dict[str, Any] = {"doseAndRate": [{"doseQuantity": TABLET}]}
    for given in (
        {"timing": FOUR, **dose, **modifier},
        {"timing": {**FOUR, **modifier}, **dose},
        {"timing": [{"repeat": {**FOUR["repeat"], **modifier}}], **dose},
        {"timing": FOUR, "doseAndRate": {"doseQuantity": TABLET, **modifier}},
    ):
        (found,) = read(**given)
        assert found.unreadable, given

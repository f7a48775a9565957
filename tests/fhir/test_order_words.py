"""Words beside complete data: an order that says stop is no start, and an entry of the list that says so is named."""

from typing import Any

from service.dosing.amount import NotComputed
from service.dosing.dosage import DailyDose
from service.facts import MedicationOrder, Noted, Role, Unread
from service.fhir.resources import Resource
from service.terminology.recognise import Terminology
from tests.fhir.samples import dosage, drafted, listed, order, statement

RENDERED = {
    "url": "http://hl7.org/fhir/5.0/StructureDefinition/extension-MedicationRequest.renderedDosageInstruction",
}
END, MAY_END, BESIDE = "words-end", "words-may-end", "words-beside"


def with_words(words: str) -> dict[str, Resource]:
    """An order of complete data with the words in each place where they may stand."""
    repeat = {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}
    return {
        "text": order(dosageInstruction=[dosage(text=words)]),
        "patientInstruction": order(dosageInstruction=[dosage(text="1 tablet daily", patientInstruction=words)]),
        "additionalInstruction": order(dosageInstruction=[dosage(additionalInstruction=[{"text": words}])]),
        "timing.code": order(dosageInstruction=[dosage(timing={**repeat, "code": {"text": words}})]),
        "note": order(note=[{"text": words}]),
        "renderedDosageInstruction": order(renderedDosageInstruction=words),
        "renderedDosageInstruction as extension": order(extension=[{**RENDERED, "valueMarkdown": words}]),
    }


def read(resource: Resource, terminology: Terminology) -> tuple[MedicationOrder, list[Unread]]:
    found, gaps = drafted({**resource, "status": "draft"}, terminology)
    assert found is not None
    return found, gaps


def named(gaps: list[Unread], *reasons: str) -> list[tuple[str, str, str, bool]]:
    return [(gap.reason, gap.element, gap.found, gap.conflict) for gap in gaps if gap.reason in reasons]


def test_a_draft_whose_words_only_say_stop_is_a_stop_that_contradicts_its_dose(terminology: Terminology) -> None:
    for place, resource in with_words("STOP").items():
        found, gaps = read(resource, terminology)
        assert found.stops, place
        assert named(gaps, END) == [(END, place.partition(" ")[0], "STOP", True)], place


def test_a_stop_without_a_dose_contradicts_nothing(terminology: Terminology) -> None:
    found, gaps = read(order(dosageInstruction=[{"text": "Absetzen wegen Hautausschlag"}]), terminology)
    assert found.stops
    assert [gap.conflict for gap in gaps if gap.reason == END] == [False]
    assert "stopped-because-of-harm" in found.reasons, "why it ends counts as that of an order with the status"
    stopped, gaps = read(order(doNotPerform=True, note=[{"text": "STOP"}]), terminology)
    assert (stopped.stops, named(gaps, END)) == (True, [])


def test_a_pause_or_perhaps_a_stop_counts_as_ordered_and_is_named(terminology: Terminology) -> None:
    for words in ("on hold", "pausieren", "suspendre", "stopped, then started again", "STOP 12.12.2026"):
        for place, resource in with_words(words).items():
            found, gaps = read(resource, terminology)
            assert not found.stops, (words, place)
            assert named(gaps, MAY_END) == [(MAY_END, place.partition(" ")[0], words, False)], (words, place)


def test_of_several_instructions_one_that_stops_may_be_the_last_step(terminology: Terminology) -> None:
    both = [dosage(sequence=1, text="1 tablet daily"), dosage(sequence=2, text="STOP")]
    found, gaps = read(order(dosageInstruction=both), terminology)
    assert (found.stops, [gap[0] for gap in named(gaps, END, MAY_END)]) == (False, [MAY_END])
    found, _ = read(order(dosageInstruction=[dosage(text="STOP"), dosage(text="STOP")]), terminology)
    assert found.stops


def test_an_entry_of_the_list_that_only_words_end_counts_as_taken_and_is_named(terminology: Terminology) -> None:
    for words in ("STOP", "abgesetzt 3/2026", "on hold", "nimmt er nicht"):
        for entry in (*with_words(words).values(), statement(dosage=[dosage(text=words)])):
            found, gaps = listed(entry, terminology)
            assert found is not None
            assert (found.role, [(gap.reason, gap.found) for gap in gaps]) == (Role.CURRENT, [(MAY_END, words)])
    for known in (
        order(status="on-hold", note=[{"text": "on hold"}]),
        order(status="stopped", note=[{"text": "STOP"}]),
    ):
        assert listed(known, terminology)[1] == []


def test_warnings_beside_a_dose_end_nothing(terminology: Terminology) -> None:
    for words in ("Do not stop suddenly", "stop if a rash appears", "nicht mit Alkohol einnehmen", "stop sertraline"):
        for place, resource in with_words(words).items():
            found, gaps = read(resource, terminology)
            assert (found.stops, named(gaps, END, MAY_END)) == (False, []), (words, place)


def test_a_dose_that_changes_later_in_words_is_named(terminology: Terminology) -> None:
    for words in ("increase by one tablet every week", "Dosis verdoppeln nach 1 Woche", "wean off over 4 weeks"):
        for place, resource in with_words(words).items():
            _, gaps = read(resource, terminology)
            assert [gap[2] for gap in named(gaps, BESIDE)] == [words], (words, place)
    assert listed(order(note=[{"text": "increase by one tablet every week"}]), terminology)[1] == []


def test_words_beside_the_dose_that_say_another_one_leave_none(terminology: Terminology) -> None:
    for place, resource in with_words("Take 3 tablets at night").items():
        found, _ = read(resource, terminology)
        if place not in ("note",):
            assert isinstance(found.dose, NotComputed), place
            assert found.dose.conflict, place


def test_the_words_of_all_instructions_give_the_dose_where_there_is_no_other(terminology: Terminology) -> None:
    for words in ("Take 2 tablets at night", "1-0-1"):
        for sent in ({"renderedDosageInstruction": words}, {"extension": [{**RENDERED, "valueMarkdown": words}]}):
            found, _ = read({**order(**sent), "dosageInstruction": []}, terminology)
            assert isinstance(found.dose, DailyDose)
            assert found.dose.high == 50
    other: Any = [{"url": "http://example.org/other", "valueMarkdown": "STOP"}, "x", None]
    assert not read(order(extension=other), terminology)[0].stops


def test_what_a_note_names_and_no_order_is_given_for_is_kept_with_the_order(terminology: Terminology) -> None:
    none = frozenset[str]()
    for words, sets, drugs, value in (
        ("Patientin ist schwanger, 12. SSW", {"pregnancy"}, none, False),
        ("Cave: bekanntes Long-QT-Syndrom", {"long-qt"}, none, False),
        ("nimmt auch Moclobemid", none, {"moclobemide"}, False),
        ("QTc 530 ms on last ECG", none, none, True),
        ("not pregnant", none, none, False),
        ("for neuropathic pain and depression", none, none, False),
        ("replaces sertraline, QTc to be measured", none, none, False),
        ("taken with food", none, none, False),
    ):
        found, _ = read(order(note=[{"text": words}]), terminology)
        named = Noted(words, frozenset(sets), frozenset(drugs), value)
        assert found.noted == ((named,) if any(named[1:]) else ()), words

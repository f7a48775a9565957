"""What goes wrong with a file of a corpus is told, and nothing else is."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from service.cli.answers import Answer
from service.cli.corpus import (
    MOST_REASONS,
    NOT_A_REQUEST,
    Outcome,
    corpus_table,
    files,
    names_a_subject,
    outcome,
    verdicts,
)
from service.cli.corpus_material import Material
from service.engine.library import Library
from tests.calls import ATC, Json
from tests.cli.test_answers import written
from tests.fhir.samples import RXNORM, order

REFUSED = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "Not UTF-8 (byte 17), at $.entry[3]."}]}


def card(card_id: str = "amitriptyline-start-dose") -> Json:
    return {"summary": "Start low", "extension": {"io.github.tolami": {"card": card_id}}}


def answer(*cards: Json, status: int = 200, body: Any = None) -> Answer:
    return Answer(status, body if body is not None else {"cards": list(cards)})


def came_of(
    library: Library, given: Answer, content: Any = None, expected: Any = None, *, wrapped: bool = False
) -> Outcome:
    return outcome(Material("a request", content, wrapped=wrapped), given, expected, library)


def test_an_answer_is_counted_by_what_it_holds(library: Library) -> None:
    named = {"x": ["Amitriptyline 25 mg"]}
    found = came_of(library, answer(card(), card("not-checked"), card()), named)
    assert found == Outcome("cards", "amitriptyline-start-dose, not-checked")
    assert came_of(library, answer()) == Outcome("no cards")
    assert came_of(library, answer(status=422, body=REFUSED)) == Outcome("HTTP 422", "Not UTF-8 , at $.entry.")
    assert outcome(Material("feedback"), None, None, library) == Outcome(NOT_A_REQUEST, "feedback")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(status=500, body=REFUSED), "HTTP 500"),
        (answer(status=503, body={}), "HTTP 503"),
        (answer(status=422, body={"error": "x"}), "without an OperationOutcome"),
        (answer(card("service-failed")), "a failure as a card"),
        (answer(card("rule-failed")), "a failure as a card"),
    ],
)
def test_a_failure_is_wrong(given: Answer, said: str, library: Library) -> None:
    (what,) = came_of(library, given, order()).wrong
    assert said in what


def test_a_card_about_a_drug_that_is_nowhere_named_is_wrong(library: Library) -> None:
    other = {"medicationCodeableConcept": {"text": "Amoxicillin"}}
    (what,) = came_of(library, answer(card()), other).wrong
    assert "amitriptyline-start-dose" in what
    assert came_of(library, answer(card()), order()).wrong == ()
    assert came_of(library, answer(card("not-checked")), other).wrong == ()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"a": [{"b": "Mydocalm 150 mg"}]}, True),
        ({"system": RXNORM, "code": "856834"}, True),
        ({"system": RXNORM, "code": 856834}, True),
        ({"system": ATC, "code": "M03BX04"}, True),
        ({"system": RXNORM, "code": "M03BX04"}, False),
        ({"a": ["ibuprofen", 5, None, {}]}, False),
        (None, False),
    ],
)
def test_the_drugs_are_looked_for_in_every_word_and_code(content: Any, named: bool, library: Library) -> None:
    assert names_a_subject(content, library) is named


def test_deep_nesting_is_looked_through(library: Library) -> None:
    deep: Any = "Saroten"
    for _ in range(5000):
        deep = [deep]
    assert names_a_subject(deep, library)


@pytest.mark.parametrize(
    ("expected", "given", "wrong"),
    [
        ("HTTP 400", answer(status=400, body=REFUSED), False),
        ("HTTP 400", answer(status=422, body=REFUSED), True),
        ("HTTP 400", answer(), True),
        ("validator: no errors", answer(), False),
        ("validator: no errors", answer(status=412, body=REFUSED), False),
        ("validator: no errors", answer(status=422, body=REFUSED), True),
        (["error: x"], answer(), False),
        (["error: x"], answer(status=422, body=REFUSED), False),
        (None, answer(status=400, body=REFUSED), False),
    ],
)
def test_an_answer_against_the_publishers_verdict_is_wrong(
    expected: Any, given: Answer, wrong: bool, library: Library
) -> None:
    assert bool(came_of(library, given, expected=expected).wrong) is wrong
    assert came_of(library, given, expected=expected, wrapped=True).wrong == ()


def test_verdicts_are_read_from_the_index_of_the_folder(tmp_path: Path) -> None:
    assert verdicts(tmp_path) == {}
    entries = [{"file": "a/b.json", "expected": "HTTP 400"}, {"file": "c.json"}]
    written(tmp_path, {"entries": entries}, "index.json")
    assert verdicts(tmp_path) == {tmp_path / "a/b.json": "HTTP 400", tmp_path / "c.json": None}
    for odd in (b"{", b"5", b"{}", b"[]", b'{"entries":5}', b'{"entries":[5]}', b'{"entries":[{"file":5}]}'):
        written(tmp_path, odd, "index.json")
        assert verdicts(tmp_path) == {}


def test_every_json_file_below_the_folder_is_found_but_the_index(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "folder.json").mkdir()
    for name in ("index.json", "b.json", "a/index.json", "a/c.txt"):
        (tmp_path / name).write_text(json.dumps({}))
    assert files(tmp_path) == [tmp_path / "a/index.json", tmp_path / "b.json"]


def test_outcomes_are_shown_the_most_frequent_first_with_as_many_reasons_as_can_be_read() -> None:
    many = Counter({f"reason {n}": 20 - n for n in range(20)})
    table = corpus_table({"no cards": Counter({"": 2}), "HTTP 422": many})
    (outcomes, files_of_each, reasons) = ([str(cell) for cell in column.cells] for column in table.columns)
    assert [label for label in outcomes if label] == ["HTTP 422", "no cards"]
    assert (files_of_each[0], files_of_each[-1]) == ("210", "2")
    assert [reason for reason in reasons if reason] == [f"reason {n}" for n in range(MOST_REASONS)]

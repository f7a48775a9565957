"""Replay answers request files in this process or over HTTP, and says what is wrong with a file that is no request."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from socket import create_server
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.wrappers import Response

from service.cli.answers import (
    GUIDANCE,
    Answer,
    InProcess,
    OverHttp,
    Request,
    difference,
    find,
    normalised,
    read,
    record,
)
from service.cli.output import Refused
from service.dates import local_day
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.loading import load
from service.engine.review import digest, signed
from service.guidance.registry import RULES
from tests.conftest import FIXTURES, TODAY
from tests.engine.folder import copied

SELECT = FIXTURES / "requests/order-select"
WITH_CARDS = SELECT / "amitriptyline-25-mg-for-patient-on-tolperisone.json"
WITHOUT_CARDS = SELECT / "amoxicillin.json"
REFUSED = SELECT / "draft-orders-missing.json"


@contextmanager
def serving(app: Callable[..., Any]) -> Iterator[str]:
    """Serves a WSGI application on this machine and gives its URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def url(app: Flask) -> Iterator[str]:
    with serving(app) as address:
        yield address


@pytest.fixture(scope="session")
def here(library: Library) -> InProcess:
    return InProcess(library)


def written(folder: Path, content: Any, name: str = "request.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def test_a_request_is_read_with_the_answer_recorded_beside_it() -> None:
    request = read(WITH_CARDS)
    assert (request.hook, request.body) == ("order-select", WITH_CARDS.read_bytes())
    assert request.expected_path.name == "amitriptyline-25-mg-for-patient-on-tolperisone.expected.json"
    assert request.expected is not None
    assert request.expected.body == json.loads(request.expected_path.read_bytes())["body"]
    assert request.day == TODAY


def test_a_request_without_a_recorded_answer_differs_from_nothing(tmp_path: Path, here: InProcess) -> None:
    request = read(written(tmp_path, WITH_CARDS.read_bytes()))
    assert (request.expected, request.day) == (None, local_day())
    assert difference(request, here.answer(request, TODAY)) == []


def test_a_card_that_is_signed_off_is_replayed_as_the_service_shows_it(tmp_path: Path, library: Library) -> None:
    card, file = "tolperisone-with-amitriptyline", "pair/tolperisone-with-amitriptyline.md"
    path = copied(tmp_path, whole=True) / file
    until = TODAY + timedelta(days=30)
    reviewed = digest(Guideline(library, RULES), card)
    text = signed(path.read_text(encoding="utf-8"), "B", "physician", TODAY, until, reviewed)
    path.write_text(text, encoding="utf-8")
    replayed = InProcess(load(path.parents[1]))
    details = [
        [library.not_reviewed in shown["detail"] for shown in replayed.answer(read(WITH_CARDS), day).body["cards"]]
        for day in (TODAY, until + timedelta(days=1))
    ]
    assert details == [[False, True], [True, True]], "the card of the pair is signed, the other is not"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{\n"hook": "order-select",\n}', "not JSON: .* at line 3, column 1"),
        (b"", "the file is empty"),
        (b'{"hook": "\xff"}', "not UTF-8 text"),
        (b"[" * 100_000, "too deeply nested"),
        (b'{"hook": "x", "n": ' + b"1" * 5000 + b"}", "too deeply nested"),
        (b"[]", "not a hook request"),
        (b"{}", "not a hook request"),
        (b'{"hook": 5}', "not a hook request"),
        (b"null", "not a hook request"),
    ],
)
def test_a_file_that_is_no_request_is_named_with_what_is_wrong(content: bytes, problem: str, tmp_path: Path) -> None:
    path = written(tmp_path, content)
    with pytest.raises(Refused, match=problem) as refused:
        read(path)
    assert str(refused.value).startswith(f"{path}: ")


def test_a_folder_or_a_missing_file_in_place_of_a_request_is_named(tmp_path: Path) -> None:
    for path, problem in ((tmp_path, "directory"), (tmp_path / "missing.json", "No such file")):
        with pytest.raises(Refused, match=problem):
            read(path)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"today": "soon", "status": 200, "body": {}}',
        b'{"today": 5, "status": 200, "body": {}}',
        b'{"today": "2026-11-23", "status": "200", "body": {}}',
        b'{"today": "2026-11-23", "status": 200, "body": []}',
    ],
)
def test_a_recorded_answer_that_is_none_is_named(content: bytes, tmp_path: Path) -> None:
    path = written(tmp_path, WITH_CARDS.read_bytes())
    recorded = written(tmp_path, content, "request.expected.json")
    with pytest.raises(Refused) as refused:
        read(path)
    assert str(refused.value).startswith(f"{recorded}: not ")


def test_requests_are_found_in_folders_in_order_without_answers_and_other_json(tmp_path: Path) -> None:
    written(tmp_path, {"hook": "b"}, "b.json")
    written(tmp_path, {"resourceType": "Patient"}, "patient.json")
    written(tmp_path, {"hook": "b"}, "b.expected.json")
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", {"hook": "a"}, "a.json")
    broken = written(tmp_path, b"{", "z.json")
    deep = written(tmp_path, b"[" * 100_000, "y.json")
    named = written(tmp_path, {"resourceType": "Patient"}, "named.txt")
    found = list(find([tmp_path, named]))
    assert found == [tmp_path / "b.json", tmp_path / "inner/a.json", deep, broken, named]
    assert list(find(sorted(tmp_path.glob("b*.json")))) == [tmp_path / "b.json"], "as a shell expands b*.json"


@pytest.mark.parametrize("path", [WITH_CARDS, WITHOUT_CARDS, REFUSED], ids=lambda path: path.stem)
def test_the_same_answer_comes_from_here_and_over_http(path: Path, url: str, here: InProcess) -> None:
    request = read(path)
    local = here.answer(request, TODAY)
    for address in (url, f"{url}/", f"{url}/cds-services"):
        remote = OverHttp(address).answer(request, TODAY)
        assert normalised(remote) == normalised(local)
    assert difference(request, local) == []


def test_a_hook_that_nobody_serves_is_answered_404_in_both_ways(tmp_path: Path, url: str, here: InProcess) -> None:
    request = read(written(tmp_path, {"hook": "order-dispatch"}))
    for answer in (here.answer(request, TODAY), OverHttp(url).answer(request, TODAY)):
        assert (answer.status, answer.body["resourceType"], answer.cards) == (404, "OperationOutcome", [])


def test_a_service_that_cannot_be_reached_is_named_without_repeating_the_request() -> None:
    with create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}", "nonsense", "http://"):
        with pytest.raises(Refused, match=r"could not be reached \([A-Za-z]+\)\. Is the service"):
            OverHttp(address).answer(read(WITH_CARDS), TODAY)


@pytest.mark.parametrize("status", [200, 502])
def test_an_answer_that_is_no_json_is_named_with_its_status(status: int) -> None:
    page = Response("<html><body>It works!</body></html>", status, mimetype="text/html")
    with serving(page) as address, pytest.raises(Refused, match=f"answered {status} with something that is not"):
        OverHttp(address).answer(read(WITH_CARDS), TODAY)


def test_a_redirect_is_not_followed() -> None:
    moved = Response("{}", 307, {"Location": "http://127.0.0.1:9/elsewhere"}, mimetype="application/json")
    with serving(moved) as address:
        assert OverHttp(address).answer(read(WITH_CARDS), TODAY) == Answer(307, {})


def test_an_answer_that_is_json_but_no_object_has_no_cards() -> None:
    with serving(Response("[1]", mimetype="application/json")) as address:
        assert OverHttp(address).answer(read(WITH_CARDS), TODAY).cards == []
    assert Answer(200, {"cards": None}).cards == []


def test_identifiers_and_the_guidance_version_are_replaced_before_answers_are_compared(here: InProcess) -> None:
    answer = here.answer(read(WITH_CARDS), TODAY)
    shown = normalised(answer)
    extensions = [card["extension"]["io.github.tolami"] for card in shown.cards]
    assert {extension["guidance"] for extension in extensions} == {GUIDANCE}
    assert shown.cards[0]["uuid"] == "<uuid 1>"
    assert "00000000-0000-4000-8000" not in json.dumps(shown.body)
    assert "00000000-0000-4000-8000" in json.dumps(answer.body), "the answer itself is left as it was"


def test_every_identifier_of_an_answer_is_replaced_in_order(here: InProcess) -> None:
    cards = normalised(here.answer(read(WITH_CARDS), TODAY)).cards
    given = [holder["uuid"] for card in cards for holder in (card, *card.get("suggestions", []))]
    assert given == [f"<uuid {n}>" for n in range(1, len(given) + 1)]
    assert len(given) > len(cards), "a suggestion has an identifier of its own"


def test_a_changed_word_or_status_is_shown_as_a_difference(here: InProcess) -> None:
    request = read(WITH_CARDS)
    answer = here.answer(request, TODAY)
    said = answer.cards[0]["summary"][:20]
    changed = json.loads(json.dumps(answer.body).replace(said, "Something else entirely"))
    lines = difference(request, Answer(200, changed))
    assert any(line.startswith("-") and said in line for line in lines)
    assert any(line.startswith("+") and "Something else entirely" in line for line in lines)
    assert difference(request, Answer(500, answer.body))


@pytest.mark.parametrize(
    "card",
    [
        "text",
        None,
        [],
        {},
        {"extension": None, "suggestions": None},
        {"extension": {"io.github.tolami": 5}, "detail": 5},
        {"suggestions": 5},
    ],
)
def test_an_answer_of_some_other_service_is_a_difference_and_no_fault(card: Any) -> None:
    assert difference(read(WITHOUT_CARDS), Answer(200, {"cards": [card]}))


@pytest.mark.parametrize("recorded", [WITH_CARDS, REFUSED], ids=lambda path: path.stem)
def test_what_was_recorded_is_read_back_and_agrees(recorded: Path, tmp_path: Path, here: InProcess) -> None:
    path = written(tmp_path, recorded.read_bytes())
    request: Request = read(path)
    answer = here.answer(request, date(2027, 1, 2))
    record(request, answer, date(2027, 1, 2))
    again = read(path)
    assert difference(again, answer) == []
    assert again.expected is not None
    assert (again.expected.status, again.day) == (answer.status, date(2027, 1, 2))

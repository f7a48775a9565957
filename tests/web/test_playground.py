"""The playground shows what an EHR gets, carries out what is pressed, and keeps nothing of what is pasted."""

import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app, records_of
from service.cdshooks.messages import CONTEXTS
from service.engine.library import Library
from service.settings import Settings
from service.web.ehr import apply, called_for
from service.web.fixtures import by_card, fixtures
from tests.trust.ehr import ec, key_set

PAIR = "order-select/amitriptyline-25-mg-for-patient-on-tolperisone"
Fixture = Callable[[str], dict[str, Any]]


@pytest.fixture
def client(tmp_path: Path, library: Library) -> Iterator[FlaskClient]:
    """A client of a service that keeps records."""
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'kept.db'}", spill_file=tmp_path / "waiting.jsonl")
    records = records_of(settings)
    records.open()
    with closing(records):
        yield create_app(settings, library, records=records).test_client()


def answer_in(page: str) -> dict[str, Any]:
    found = re.search(r'name="answer" value="([^"]*)"', page)
    assert found is not None
    answer: dict[str, Any] = json.loads(html.unescape(found[1]))
    return answer


def request_in(page: str) -> str:
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def form_in(page: str) -> dict[str, str]:
    """What a browser sends when nothing was changed: lines of the box end with CRLF."""
    chosen = re.search(r'<option value="([^"]*)" selected>', page)
    shown = re.search(r'name="box" value="([0-9a-f]+)"', page)
    assert shown is not None
    box = request_in(page).replace("\n", "\r\n")
    return {"fixture": chosen[1] if chosen else "", "box": shown[1], "request": box}


def notes(page: str) -> str:
    return " ".join(re.findall(r'role="status">([^<]+)</p>', page))


def test_a_fixture_is_answered_as_its_link_says(client: FlaskClient) -> None:
    page = client.get("/playground", query_string={"fixture": PAIR}).text
    assert len(answer_in(page)["cards"]) == page.count('<article class="card')
    assert "by RxNorm 856834" in page
    assert "= 25 mg/day" in page
    fewer = client.get("/playground", query_string={"fixture": PAIR, "drop": ["medications", "statements"]}).text
    assert "<li>The medication list: not sent. Look by hand.</li>" in fewer
    assert "left out here" in fewer


def test_a_request_that_is_too_large_is_refused_on_a_page() -> None:
    client = create_app(Settings(max_body_bytes=4096)).test_client()
    page = client.post("/playground", data={"request": "x" * 5000}, headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (413, "text/html")
    assert "larger than this service accepts" in page.text


def test_a_fixture_is_called_by_its_name_in_words(library: Library) -> None:
    assert fixtures(library)["order-sign/amitriptyline-with-qtc-of-465-ms"].title == "Amitriptyline with QTc of 465 ms"


def test_a_link_to_a_fixture_that_is_gone_says_so_and_shows_another(client: FlaskClient) -> None:
    page = client.get("/playground", query_string={"fixture": "order-sign/<b>gone"}).text
    assert "is called order-sign/&lt;b&gt;gone; this is another" in page
    assert '<article class="card' in page


def test_a_day_that_cannot_be_answered_for_is_refused_and_the_furthest_ones_fail_no_rule(
    client: FlaskClient, library: Library
) -> None:
    for day in ("0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31", "<i>"):
        page = client.get("/playground", query_string={"fixture": PAIR, "day": day}).text
        assert f"{html.escape(day)} is no day from 1900-01-01 to 2999-12-31; the answer is for another" in page
        assert [card["summary"] for card in answer_in(page)["cards"]] == [
            card["summary"]
            for card in answer_in(client.get("/playground", query_string={"fixture": PAIR}).text)["cards"]
        ]
    for day, fixture in product(("1900-01-01", "2999-12-31"), [PAIR, *sorted(fixtures(library))[::12]]):
        page = client.get("/playground", query_string={"fixture": fixture, "day": day}).text
        assert not re.search("(rule|service)-failed", page), (fixture, day)


def test_every_fixture_that_ships_can_be_chosen_under_the_card_that_it_raises(
    client: FlaskClient, library: Library
) -> None:
    page = client.get("/playground").text
    for fixture in fixtures(library).values():
        assert f"fixture={fixture.id}" in page, fixture.id
    assert PAIR in {fixture.id for fixture in by_card(fixtures(library))["tolperisone-with-amitriptyline"]}


OTHER = "order-sign/amitriptyline-13-days-after-phenelzine"


def test_a_request_is_chosen_and_sent_without_script(client: FlaskClient) -> None:
    form = form_in(client.get("/playground", query_string={"fixture": PAIR}).text)
    assert form["fixture"] == PAIR
    other = client.post("/playground", data={**form, "fixture": OTHER}).text
    assert "phenelzine ended" in other
    assert form_in(other)["fixture"] == OTHER
    unchanged = client.post("/playground", data={**form, "hook": "order-sign"}).text
    assert "Link to this" in unchanged
    assert json.loads(request_in(unchanged))["hook"] == "order-sign"


@pytest.mark.parametrize("chosen", [PAIR, OTHER, ""])
def test_what_is_written_in_the_box_is_sent_whatever_is_chosen_beside_it(client: FlaskClient, chosen: str) -> None:
    form = form_in(client.get("/playground", query_string={"fixture": PAIR}).text)
    pasted = form["request"].replace("Tolperison HEXAL", "Amoxicillin")
    page = client.post("/playground", data={**form, "fixture": chosen, "request": pasted}).text
    assert "Amoxicillin" in request_in(page)
    assert "Link to this" not in page
    again = client.post("/playground", data={**form_in(page), "day": "2026-11-23"}).text
    assert request_in(again) == request_in(page)
    assert "phenelzine ended" in client.post("/playground", data={**form_in(page), "fixture": OTHER}).text


def test_an_accepted_suggestion_changes_the_request_asks_again_and_is_reported(client: FlaskClient) -> None:
    page = client.get("/playground", query_string={"fixture": PAIR}).text
    number, label = next(
        (f"{n}.{m}", suggestion["label"])
        for n, card in enumerate(answer_in(page)["cards"])
        for m, suggestion in enumerate(card.get("suggestions", ()))
        if suggestion["actions"][0]["type"] == "update"
    )
    form = {**form_in(page), "answer": json.dumps(answer_in(page))}
    after = client.post("/playground", data={**form, "accept": number, "day": "2026-11-23"}).text
    assert label in html.unescape(notes(after))
    assert "The feedback was sent." in notes(after)
    assert "= 10 mg/day" in after
    assert label not in [s["label"] for card in answer_in(after)["cards"] for s in card.get("suggestions", ())]


def test_an_override_sends_the_chosen_reason(client: FlaskClient) -> None:
    page = client.get("/playground", query_string={"fixture": PAIR}).text
    form = {**form_in(page), "answer": json.dumps(answer_in(page))}
    after = client.post("/playground", data={**form, "override": "0", "reason-0": "0"}).text
    assert "Overridden" in notes(after)
    assert "The feedback was sent." in notes(after)
    assert "tolami_feedback_total{" not in client.get("/metrics").text, "nobody is treated there"


def test_a_card_without_reasons_is_dismissed(client: FlaskClient) -> None:
    page = client.get("/playground", query_string={"fixture": "patient-view/pair-already-taken"}).text
    assert "overrideReasons" not in answer_in(page)["cards"][0]
    sent = client.post("/playground", data={"answer": json.dumps(answer_in(page)), "override": "0", **form_in(page)})
    assert notes(sent.text).startswith("Dismissed: ")
    assert "The feedback was sent." in notes(sent.text)


def test_of_a_long_request_only_the_lines_around_the_error_are_repeated(client: FlaskClient) -> None:
    lines = ['{"x": 1,', *(f'"member-{n}": {n},' for n in range(40)), '"wrong": nonsense}']
    page = client.post("/playground", data={"request": "\n".join(lines)}).text
    assert "Line 42 of the request:" in page
    shown = re.search(r"<pre[^>]*>([^<]*)<mark>", page)
    assert shown is not None
    assert html.unescape(shown[1]).splitlines() == lines[33:41]
    page = client.post("/playground", data={"request": "[" + "7," * 50_000 + "nonsense]"}).text
    marked = re.search(r"<mark>(.*?)</mark>", page, re.DOTALL)
    assert marked is not None
    assert "nonsense" in marked[1]
    assert len(marked[1]) < 1000


@pytest.mark.parametrize("pressed", [{"accept": "9.9"}, {"accept": "x"}, {"override": "0", "reason-0": "77"}])
def test_a_button_of_an_answer_that_is_gone_says_so(client: FlaskClient, pressed: dict[str, str]) -> None:
    page = client.post("/playground", data={"request": "{}", "answer": "no", **pressed}).text
    assert "no longer part of this answer" in notes(page)


@pytest.mark.parametrize(
    ("text", "status", "marked"),
    [
        ('{"hook": "order-sign",\n "context": {', 400, '"context": {'),
        (
            '{"hook": "order-sign", "hookInstance": "i", "context": {"userId": 5, "patientId": "p"}}',
            422,
            '"userId": 5,',
        ),
        ("[]", 400, None),
        ("", 400, None),
    ],
)
def test_an_error_is_shown_with_its_place_in_what_was_pasted(
    client: FlaskClient, text: str, status: int, marked: str | None
) -> None:
    page = client.post("/playground", data={"request": text or " "}).text
    assert f"Error {status}" in page
    if marked:
        assert marked in html.unescape(" ".join(re.findall(r"<mark>(.*?)</mark>", page, re.DOTALL)))


def test_what_is_pasted_is_in_no_link_and_in_no_log(client: FlaskClient, logged: list[Any]) -> None:
    pasted = json.dumps(
        {"hook": "patient-view", "hookInstance": "i", "context": {"userId": "u", "patientId": "Zaphod"}}
    )
    page = client.post("/playground", data={"request": pasted}).text
    assert "Link to this" not in page
    assert "Zaphod" not in json.dumps(logged, default=str)


def test_html_in_a_request_stays_text(client: FlaskClient, fixture: Fixture) -> None:
    body = fixture(f"requests/{PAIR}")
    text = json.dumps(body).replace("Tolperison HEXAL", "<img src=x onerror=alert(1)>")
    page = client.post("/playground", data={"request": text}).text
    assert "<img" not in page


@pytest.mark.parametrize("hook", CONTEXTS)
def test_the_same_orders_can_be_asked_about_in_any_hook(client: FlaskClient, fixture: Fixture, hook: str) -> None:
    body = called_for(fixture(f"requests/{PAIR}"), hook)
    answer = client.post(f"/cds-services/{hook}", json=body)
    assert answer.status_code == 200, answer.text


def test_orders_of_any_shape_can_be_asked_about_in_any_hook_and_changed(client: FlaskClient) -> None:
    order = {"resourceType": "MedicationRequest", "id": "a"}
    for orders in ({"entry": [{"resource": "x"}]}, {"entry": 5}, 5, "x", [5], [order], {"entry": [[order], order]}):
        context = {"userId": "Practitioner/1", "patientId": "1", "draftOrders": orders}
        text = json.dumps({"hook": "order-sign", "hookInstance": "x", "context": context})
        for hook in CONTEXTS:
            assert client.post("/playground", data={"request": text, "hook": hook}).status_code == 200, (orders, hook)
        for kind in ("create", "update", "delete"):
            apply({"type": kind, "resource": order}, json.loads(text))


def test_actions_are_carried_out_in_every_dialect() -> None:
    entry = {"resource": {"resourceType": "MedicationRequest", "id": "a"}}
    body: dict[str, Any] = {"context": {"draftOrders": {"entry": [entry]}, "selections": ["MedicationRequest/a"]}}
    apply({"type": "update", "resource": {"resourceType": "MedicationRequest", "id": "a", "note": 1}}, body)
    assert body["context"]["draftOrders"]["entry"][0]["resource"]["note"] == 1
    apply({"type": "create", "resource": {"resourceType": "MedicationRequest"}}, body)
    assert len(body["context"]["draftOrders"]["entry"]) == 2
    apply({"type": "delete", "resourceId": "MedicationRequest/a"}, body)
    assert len(body["context"]["draftOrders"]["entry"]) == 1
    assert body["context"]["selections"] == []


def test_where_calls_need_a_token_there_is_no_playground_unless_a_setting_allows_it(
    tmp_path: Path, library: Library
) -> None:
    trust = tmp_path / "trust.toml"
    keys = tmp_path / "keys.json"
    keys.write_bytes(key_set(ec()))
    trust.write_text(f'[[client]]\nname = "EHR"\nissuer = "https://ehr.example.org"\njwks_file = "{keys}"\n')
    for allowed in (False, True):
        settings = Settings(auth="required", trust_file=trust, public_url="https://cds.example.org", open_pages=allowed)
        answer = create_app(settings, library).test_client().get("/playground")
        assert answer.status_code == (200 if allowed else 401)


def test_of_a_hundred_thousand_prefetch_keys_the_page_shows_some(client: FlaskClient) -> None:
    request = {"hook": "patient-view", "prefetch": {f"key{number}": None for number in range(100_000)}}
    page = client.post("/playground", data={"request": json.dumps(request)}).text
    assert page.count('name="drop"') <= 100
    assert "key99999" in request_in(page)

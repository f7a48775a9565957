"""Every answer to every fixture keeps the rules of cards (C-067 … C-107, L-14 … L-16)."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from markdown_it import MarkdownIt

from tests.conformance.calls import ORDERING, Called, Json, bundle, having, order, request
from tests.conformance.conftest import Answered
from tests.conformance.test_discovery import walk

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
REFERENCE = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}")


def absolute(url: Any) -> bool:
    """True for a web address with a host."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


@pytest.mark.conformance("C-002", "C-067", "C-107")
def test_every_answer_is_json_with_cards_or_an_operation_outcome(answers: list[Answered]) -> None:
    assert len(answers) > 100
    assert {answered.status for answered in answers} <= {200, 412, 422}
    for answered in answers:
        assert answered.media_type.split(";")[0] == "application/json"
        if answered.status == 200:
            assert isinstance(answered.body["cards"], list), answered.name
        else:
            assert answered.body["resourceType"] == "OperationOutcome", answered.name


@pytest.mark.conformance("C-004", "C-005", "C-006", "C-069", "C-103", "C-104")
def test_nothing_is_null_or_empty_but_the_list_of_cards(answers: list[Answered]) -> None:
    for answered in answers:
        assert set(answered.body) <= {"cards", "resourceType", "issue"}, "no system action without an agreement"
        for path, value in walk(answered.body):
            assert path == "$.cards" or value not in (None, "", [], {}), f"{answered.name}: {path}"


@pytest.mark.conformance("C-007", "C-091")
def test_resources_in_actions_are_fhir_json(actions: list[Json]) -> None:
    resources = [action["resource"] for action in actions if "resource" in action]
    assert resources
    assert all(isinstance(resource["resourceType"], str) for resource in resources)


@pytest.mark.conformance("C-068")
def test_no_guidance_is_an_empty_list(answers: list[Answered]) -> None:
    assert any(answered.body == {"cards": []} for answered in answers)


@pytest.mark.conformance("C-070", "C-071")
def test_a_summary_is_one_line_of_at_most_139_characters(cards: list[Json]) -> None:
    for card in cards:
        assert card["summary"].strip()
        assert "\n" not in card["summary"]
        assert len(card["summary"]) < 140


@pytest.mark.conformance("C-071")
def test_a_summary_stays_short_whatever_the_drug_is_called(call: Called) -> None:
    name = {"text": "amitriptyline hydrochloride " + "very long product name " * 40 + "75 mg"}
    for card in call(request("order-sign", order(medicationCodeableConcept=name))).json()["cards"]:
        assert len(card["summary"]) < 140


@pytest.mark.conformance("C-072")
def test_the_indicator_is_one_of_three_and_urgent_cards_come_first(answers: list[Answered]) -> None:
    order_of = ["critical", "warning", "info"]
    for answered in answers:
        places = [order_of.index(card["indicator"]) for card in answered.cards]
        assert places == sorted(places) or answered.cards[-1]["indicator"] == "info", answered.name


@pytest.mark.conformance("C-073", "C-074", "C-075", "C-076", "C-077", "C-078")
def test_a_source_has_a_label_and_one_address_for_all_cards_of_it(cards: list[Json]) -> None:
    addresses: dict[str, set[str]] = {}
    for card in cards:
        source = card["source"]
        assert source["label"].strip()
        assert {"label", "topic"} <= set(source) <= {"label", "url", "topic"}, "no icon is sent"
        if "url" in source:
            assert absolute(source["url"])
            addresses.setdefault(source["label"], set()).add(source["url"])
    assert all(len(found) == 1 for found in addresses.values())


@pytest.mark.conformance("C-079", "C-080", "L-16")
def test_the_detail_is_markdown_without_html(cards: list[Json]) -> None:
    reader = MarkdownIt("commonmark").enable("table")
    for card in cards:
        kinds = {token.type for token in reader.parse(card["detail"])}
        inline = {child.type for token in reader.parse(card["detail"]) for child in token.children or ()}
        assert not {"html_block", "html_inline"} & (kinds | inline)


@pytest.mark.conformance("C-080", "L-16")
def test_html_and_markdown_in_a_name_stay_text(call: Called) -> None:
    name = {"text": "amitriptyline 75 mg <script>alert(1)</script> **bold** [x](https://evil.example) | `x`"}
    reader = MarkdownIt("commonmark").enable("table")
    found = call(request("order-sign", order(medicationCodeableConcept=name))).json()["cards"]
    assert found
    for card in found:
        html = reader.render(card["detail"])
        assert "<script" not in html
        assert "evil.example" not in re.sub(r">[^<]*<", "><", html)


@pytest.mark.conformance("C-081", "C-086", "L-15")
def test_every_card_and_suggestion_has_a_uuid_of_its_own(cards: list[Json], suggestions: list[Json]) -> None:
    uuids = [one["uuid"] for one in (*cards, *suggestions)]
    assert all(UUID.fullmatch(uuid) for uuid in uuids)
    assert len(set(uuids)) == len(uuids)


@pytest.mark.conformance("C-082", "C-083", "C-084", "C-087", "C-088", "L-14")
def test_suggestions_come_with_a_behaviour_that_every_client_knows(cards: list[Json]) -> None:
    offering = [card for card in cards if "suggestions" in card]
    assert offering
    for card in offering:
        assert card["selectionBehavior"] == "at-most-one"
        assert sum(bool(one.get("isRecommended")) for one in card["suggestions"]) <= 1
        assert all("actionSelectionBehavior" not in one for one in card["suggestions"])


@pytest.mark.conformance("C-085", "C-086", "C-089", "C-090")
def test_suggestions_and_actions_say_what_they_do(suggestions: list[Json], actions: list[Json]) -> None:
    assert all(one["label"].strip() and one["actions"] for one in suggestions)
    for action in actions:
        assert action["type"] in {"create", "update", "delete"}
        assert action["description"].strip()
        assert ("resource" in action) == (action["type"] != "delete")


@pytest.mark.conformance("C-092")
def test_an_update_is_the_whole_order_with_everything_that_came(call: Called) -> None:
    sent = order(
        extension=[{"url": "https://ehr.example.org/x", "valueString": "kept"}],
        identifier=[{"system": "https://ehr.example.org/ids", "value": "7"}],
        unknownElement={"deep": [1, 2]},
    )
    cards = call(request("order-sign", sent)).json()["cards"]
    (changed,) = [
        action["resource"]
        for card in cards
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    differs = {name for name in sent | changed if sent.get(name) != changed.get(name)}
    assert differs <= {"medicationCodeableConcept", "dosageInstruction"}


@pytest.mark.conformance("C-093", "C-094")
def test_a_delete_names_the_order_and_holds_no_resource(actions: list[Json]) -> None:
    for action in actions:
        if action["type"] == "delete":
            assert REFERENCE.fullmatch(action["resourceId"])
            assert "resource" not in action


@pytest.mark.conformance("C-096")
def test_override_reasons_have_code_system_and_display(cards: list[Json]) -> None:
    reasons = [reason for card in cards for reason in card.get("overrideReasons", [])]
    assert reasons
    for reason in reasons:
        assert reason["code"]
        assert absolute(reason["system"])
        assert reason["display"]


@pytest.mark.conformance("C-097", "C-098", "C-099", "C-100", "C-101", "C-102")
def test_links_are_absolute_and_nothing_launches_by_itself(cards: list[Json]) -> None:
    for link in (link for card in cards for link in card["links"]):
        assert set(link) == {"label", "url", "type"}
        assert link["label"].strip()
        assert link["type"] == "absolute"
        assert absolute(link["url"])


@pytest.mark.conformance("C-105")
def test_extensions_are_objects(cards: list[Json]) -> None:
    assert all(isinstance(card["extension"], dict) for card in cards)


@pytest.mark.conformance("C-106")
def test_the_same_order_gets_the_same_advice_when_it_is_signed_as_when_it_was_selected(call: Called) -> None:
    selected, signed = (
        {card["extension"]["io.github.tolami"]["card"] for card in call(request(hook)).json()["cards"]}
        for hook in ORDERING[1:3]
    )
    assert selected == signed != set()


@pytest.mark.conformance("C-107")
def test_every_error_is_an_operation_outcome(call: Called) -> None:
    errors = [
        call(b"{", "order-sign"),
        call(request("order-sign"), "nowhere"),
        call(request("order-sign"), **{"Content-Type": "text/plain"}),
        call(having(request("order-sign"), bundle(order()), "context", "patientId")),
        call(request("order-sign") | {"prefetch": {}}),
    ]
    assert [answer.status_code for answer in errors] == [400, 404, 415, 422, 412]
    for answer in errors:
        body = json.loads(answer.content)
        assert body["resourceType"] == "OperationOutcome"
        assert all(issue["severity"] and issue["code"] for issue in body["issue"])

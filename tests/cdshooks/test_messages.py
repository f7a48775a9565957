"""Cards are sent under the names of the specification, and what has no value is left out."""

import json
from typing import Any

import msgspec

from service.cdshooks.messages import (
    Action,
    Card,
    Coding,
    Link,
    Response,
    Source,
    Suggestion,
)
from service.jsonio import encode

CARD_UUID, SUGGESTION_UUID = (f"00000000-0000-4000-8000-{number:012}" for number in (1, 2))


def card(**members: Any) -> Card:
    extension = {"org.example": {"card": "a"}}
    links = [Link("a", "https://example.org")]
    return Card(CARD_UUID, "Summary", "info", Source("Label"), "Detail", links, extension, **members)


def test_an_answer_without_cards_is_an_empty_list() -> None:
    assert encode(Response(cards=[])) == b'{"cards":[]}'


def test_members_without_a_value_are_left_out_of_a_card() -> None:
    (sent,) = json.loads(encode(Response(cards=[card()])))["cards"]
    assert sent.keys() == {"uuid", "summary", "indicator", "source", "detail", "links", "extension"}
    assert sent["source"] == {"label": "Label"}


def test_a_card_with_everything_is_sent_under_the_names_of_the_specification() -> None:
    action = Action("update", "Lower the dose", resource={"resourceType": "MedicationRequest"})
    full = card(
        suggestions=[Suggestion("10 mg", SUGGESTION_UUID, [action])],
        selectionBehavior="at-most-one",
        overrideReasons=[Coding("code", "http://example.org", "display")],
    )
    (sent,) = json.loads(encode(Response(cards=[full])))["cards"]
    assert sent["suggestions"][0]["actions"][0].keys() == {"type", "description", "resource"}
    assert (sent["selectionBehavior"], sent["overrideReasons"][0]["display"]) == ("at-most-one", "display")
    assert sent["links"] == [{"label": "a", "url": "https://example.org", "type": "absolute"}]
    assert msgspec.json.decode(encode(full), type=Card) == full

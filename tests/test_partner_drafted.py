"""A drug that matters beside the guidance's own is ordered: whether one of these is taken, or that it is not known."""

from collections.abc import Callable
from typing import Any

import pytest

from service.decide import Decision
from tests.calls import PAIR, RXNORM, Json, answered, draft, listed

Load = Callable[[str], Json]
Ask = Callable[[Any, Any], list[list[str]]]

TAKEN = {"text": "Amitriptylin 25 mg"}
OTHER = {"text": "Metformin 1000 mg"}


@pytest.fixture
def ask(fixture: Load, decision: Decision) -> Ask:
    """What each card says was not checked, when a drug is drafted and another one is on the list."""

    def reasons(drug: Any, entry: Any) -> list[list[str]]:
        request = fixture(PAIR)
        draft(request)["medicationCodeableConcept"] = drug if isinstance(drug, dict) else {"text": drug}
        listed(request)["medicationCodeableConcept"] = entry
        return [card["extension"]["io.github.tolami"].get("notChecked", []) for card in answered(request, decision)]

    return reasons


def test_a_name_that_may_be_a_partner_is_named_while_one_of_the_drugs_is_taken_and_else_not(ask: Ask) -> None:
    reasons = {
        "Moclobemde 150": "name-misspelt",
        "sertaline 50 mg": "name-misspelt",
        "linezlid": "name-misspelt",
        "Citalo 20": "name-misspelt",
        "セレギリン塩酸塩錠2.5mg": "script-unread",
        "吗氯贝胺片 150mg": "script-unread",
        "모클로베미드정": "script-unread",
        "House mixture, never together with sertraline": "words-unclear",
    }
    for drug, reason in reasons.items():
        assert any(reason in card for card in ask(drug, TAKEN)), drug
        assert ask(drug, OTHER) == [], drug


def test_an_order_in_words_that_name_no_drug_is_named_in_any_case(ask: Ask) -> None:
    for words in ("Antidepressivum nach Wahl", "see protocol", "SSRI"):
        assert ask(words, OTHER) == [["no-drug"]], words


def test_what_may_be_one_of_the_drugs_on_the_list_is_named_while_a_partner_is_ordered(ask: Ask) -> None:
    entries = {
        "name-misspelt": {"text": "Amitryptlin 25 mg"},
        "list-entry-unidentified": {"coding": [{"system": "urn:x", "code": "1"}]},
        "drug-read-in-part": {"text": "Ramipril 5 mg 1-0-0, " * 60 + "Amitriptylin 25 mg"},
    }
    for reason, entry in entries.items():
        assert ask("Sertralin 50 mg", entry) == [[reason]], reason
        assert ask("Amoxicillin 500 mg", entry) == [], "what has nothing to do with the guidance stays silent"
    assert ask("Sertralin 50 mg", {"text": "Sertaline 50 mg"}) == [], "whatever it is, it is none of the drugs"


def test_a_list_that_nobody_sent_is_missed_while_a_partner_is_ordered(fixture: Load, decision: Decision) -> None:
    request = fixture(PAIR)
    for key in ("medications", "statements"):
        request["prefetch"].pop(key, None)
    draft(request)["medicationCodeableConcept"] = {"text": "Moclobemid 150 mg"}
    (card,) = answered(request, decision)
    assert card["summary"] == "Not checked: the medication list"
    draft(request)["medicationCodeableConcept"] = {"text": "Amoxicillin 500 mg"}
    assert answered(request, decision) == []


def test_a_name_that_goes_on_beyond_what_is_read_is_named_unless_a_code_tells_the_drug(ask: Ask) -> None:
    plan = "Ramipril 5 mg 1-0-0, " * 60 + "Moclobemid 150 mg 1-0-1"
    coded = {"coding": [{"system": RXNORM, "code": "29046"}], "text": plan}
    for drug, entry, named in ((TAKEN, {"text": plan}, True), ({"text": plan}, OTHER, True), (TAKEN, coded, False)):
        assert any("drug-read-in-part" in card for card in ask(drug, entry)) is named, (drug, entry)

"""Of feedback is kept what was decided; what a client can write freely is left out or made harmless."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cdshooks.feedback import read_feedback
from service.records.kept import WORDS, StoredFeedback, identifier, kept_outcome, printable
from tests.feedback import ACCEPTED, MARKER, OVERRIDDEN, Json, entry, feedback

OURS, HL7 = "https://cds.example.org/fhir/CodeSystem/override-reasons", "http://terminology.hl7.org/CodeSystem/x"
REASONS = {OURS: frozenset({"will-monitor"}), HL7: frozenset({"benefit", "expert-contradicts"})}
RECEIVED = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def kept(content: Json, *, keep_comment: bool = False) -> StoredFeedback:
    (read,) = read_feedback(feedback(content)).feedback
    return kept_outcome(read, RECEIVED, REASONS, keep_comment=keep_comment)


def reasoned(**reason: Any) -> Json:
    return entry(overrideReason={"reason": {"code": "benefit", **reason}, "userComment": MARKER})


def test_an_acceptance_is_kept_with_its_suggestions() -> None:
    assert kept(ACCEPTED) == StoredFeedback(
        card=ACCEPTED["card"],
        outcome="accepted",
        at=datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        received=RECEIVED,
        suggestions=(ACCEPTED["acceptedSuggestions"][0]["id"],),
    )


def test_the_same_suggestion_twice_is_one() -> None:
    assert len(kept({**ACCEPTED, "acceptedSuggestions": [{"id": "a"}, {"id": "b"}, {"id": "a"}]}).suggestions) == 2


def test_a_reason_is_kept_by_code_and_system_without_the_words_of_its_display() -> None:
    stored = kept(reasoned(system=HL7, display=MARKER))
    assert (stored.reason, stored.system, stored.comment) == ("benefit", HL7, "")
    assert MARKER not in repr(stored)


@pytest.mark.parametrize("code", ["because Mrs Smith wants it", "Müller", "smith-1950-01-01", "will-monitor", "a\nb"])
def test_a_code_that_its_system_does_not_offer_is_not_kept(code: str) -> None:
    stored = kept(reasoned(code=code, system=HL7))
    assert (stored.reason, stored.system) == (WORDS, "")


@pytest.mark.parametrize("system", ["Mrs Smith", "https://ehr.example.org/patient/1", HL7.upper(), "\x1b[31m:x"])
def test_of_a_system_that_is_not_listed_neither_code_nor_system_is_kept(system: str) -> None:
    stored = kept(reasoned(code="benefit", system=system))
    assert (stored.reason, stored.system) == (WORDS, "")


def test_a_code_without_a_system_is_understood_when_a_card_offers_it() -> None:
    assert kept(reasoned(code="will-monitor")).reason == "will-monitor"
    assert kept(reasoned(code="smith-1950-01-01")).reason == WORDS


def test_a_comment_is_kept_only_where_that_was_chosen() -> None:
    assert kept(reasoned()).comment == ""
    assert kept(reasoned(), keep_comment=True).comment == MARKER


@given(text=st.text(st.characters() | st.characters(categories=["Cs"])))
def test_what_is_printable_reaches_any_terminal_and_database(text: str) -> None:
    clean = printable(text)
    assert clean.encode().decode() == clean
    assert "\x00" not in clean
    assert "\x1b" not in clean
    assert printable(clean) == clean


@pytest.mark.parametrize(
    "text", ["BC1E3AC1-C27D-44EC-B72C-2C2678629522", "urn:uuid:bc1e3ac1-c27d-44ec-b72c-2c2678629522"]
)
def test_a_uuid_is_the_same_in_every_spelling(text: str) -> None:
    assert identifier(text) == "bc1e3ac1-c27d-44ec-b72c-2c2678629522"


@given(text=st.text(min_size=1))
def test_whatever_names_a_card_is_kept_as_a_uuid_that_is_always_the_same(text: str) -> None:
    assert str(UUID(identifier(text))) == identifier(text) == identifier(identifier(text))


def test_text_in_place_of_a_uuid_cannot_be_read_from_what_is_kept() -> None:
    assert MARKER not in repr(kept({**ACCEPTED, "card": MARKER, "acceptedSuggestions": [{"id": MARKER}]}))


def test_the_fingerprint_is_the_same_for_the_same_said_later_and_another_for_anything_else() -> None:
    stored = kept(OVERRIDDEN)
    zone = timezone(timedelta(hours=5))
    same = [replace(stored, received=RECEIVED + timedelta(days=1)), replace(stored, at=stored.at.astimezone(zone))]
    assert {each.fingerprint for each in same} == {stored.fingerprint}
    others = [
        replace(stored, card=identifier("x")),
        replace(stored, outcome="accepted"),
        replace(stored, at=stored.at + timedelta(microseconds=1)),
        replace(stored, suggestions=(identifier("x"),)),
        replace(stored, reason="x"),
        replace(stored, system="x"),
        replace(stored, comment="x"),
    ]
    assert len({each.fingerprint for each in (stored, *others)}) == 1 + len(others)

"""Feedback is read in all its legal forms; what says nothing or breaks an invariant is named with its path."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.cdshooks.feedback import MOST_ENTRIES, AcceptedSuggestion, read_feedback
from service.errors import NotConformant, NotParsable
from tests.feedback import ACCEPTED, MARKER, OVERRIDDEN, entry, feedback

LEGAL = {
    "overridden without a reason": OVERRIDDEN,
    "accepted with a suggestion": ACCEPTED,
    "accepted with several": {**ACCEPTED, "acceptedSuggestions": [{"id": "a"}, {"id": "b", "extension": {}}]},
    "a reason without display": entry(overrideReason={"reason": {"code": "x", "system": "https://ehr.example.org"}}),
    "a reason without system": entry(overrideReason={"reason": {"code": "x"}}),
    "a comment alone": entry(overrideReason={"userComment": "A comment."}),
    "a reason and a comment": entry(overrideReason={"reason": {"code": "x", "display": "X"}, "userComment": "Both."}),
    "null for what is optional": entry(overrideReason=None, acceptedSuggestions=None),
    "null within the reason": entry(overrideReason={"reason": {"code": "x", "system": None}, "userComment": None}),
    "a member that nobody knows": entry(extension={"org.example": [1]}, other=None),
    "an empty list of suggestions for an override": entry(acceptedSuggestions=[]),
}


@pytest.mark.parametrize("content", LEGAL.values(), ids=LEGAL)
def test_every_legal_form_is_read(content: dict[str, Any]) -> None:
    (read,) = read_feedback(feedback(content)).feedback
    assert (read.card, read.outcome) == (content["card"], content["outcome"])


def test_several_entries_are_read_in_their_order() -> None:
    read = read_feedback(feedback(OVERRIDDEN, ACCEPTED, OVERRIDDEN)).feedback
    assert [each.outcome for each in read] == ["overridden", "accepted", "overridden"]
    assert read[1].acceptedSuggestions == [AcceptedSuggestion(ACCEPTED["acceptedSuggestions"][0]["id"])]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-12-11T00:00:00Z", datetime(2020, 12, 11, tzinfo=UTC)),
        ("1985-04-12T23:20:50.52Z", datetime(1985, 4, 12, 23, 20, 50, 520_000, tzinfo=UTC)),
        ("2026-11-23T02:53:58.378Z", datetime(2026, 11, 23, 2, 53, 58, 378_000, tzinfo=UTC)),
        ("2020-12-11T02:00:00+02:00", datetime(2020, 12, 11, tzinfo=UTC)),
        ("2020-12-11T00:00:00.123456789Z", datetime(2020, 12, 11, 0, 0, 0, 123_457, tzinfo=UTC)),
    ],
)
def test_the_time_of_an_outcome_is_read_with_and_without_fraction(text: str, moment: datetime) -> None:
    (read,) = read_feedback(feedback(entry(outcomeTimestamp=text))).feedback
    assert read.outcomeTimestamp == moment


WRONG: list[tuple[dict[str, Any], str]] = [
    (entry(card=...), "card"),
    (entry(card=None), "card"),
    (entry(card=""), "card"),
    (entry(card=5), "card"),
    (entry(outcome=...), "outcome"),
    (entry(outcome="ignored"), "outcome"),
    (entry(outcome=f"{MARKER} - at `$.x`"), "outcome"),
    (entry(outcome="Accepted"), "outcome"),
    (entry(outcomeTimestamp=...), "outcomeTimestamp"),
    (entry(outcomeTimestamp="2020-12-11"), "outcomeTimestamp"),
    (entry(outcomeTimestamp="2020-12-11T00:00:00"), "outcomeTimestamp"),
    (entry(outcomeTimestamp="yesterday"), "outcomeTimestamp"),
    (entry(outcomeTimestamp=1_607_644_800), "outcomeTimestamp"),
    (entry(outcomeTimestamp="0001-01-01T00:00:00+14:00"), ""),
    (entry(outcome="accepted"), ""),
    ({**ACCEPTED, "acceptedSuggestions": []}, ""),
    ({**ACCEPTED, "acceptedSuggestions": None}, ""),
    ({**ACCEPTED, "acceptedSuggestions": ["9623d7cf-a9ae-4a34-a544-99c7001d9a88"]}, "acceptedSuggestions[0]"),
    ({**ACCEPTED, "acceptedSuggestions": [{}]}, "acceptedSuggestions[0].id"),
    (entry(overrideReason={"reason": {"system": "https://ehr.example.org"}}), "overrideReason.reason.code"),
    (entry(overrideReason={"reason": MARKER}), "overrideReason.reason"),
]


@pytest.mark.parametrize(
    "empty",
    [
        {"overrideReason": None},
        {"overrideReason": {}},
        {"overrideReason": []},
        {"overrideReason": ""},
        {"overrideReason": {"reason": None}},
        {"overrideReason": {"reason": {}, "userComment": None}},
        {"overrideReason": {"reason": {"code": ""}, "userComment": "  "}},
        {"overrideReason": {"reason": {"code": None, "system": ""}}},
        {"overrideReason": {"reason": {"code": "", "system": "https://example.org/reasons"}}},
        {"overrideReason": {"userComment": ""}},
        {"overrideReason": {"reason": "", "userComment": ""}, "acceptedSuggestions": []},
        {"acceptedSuggestions": [None]},
        {"acceptedSuggestions": ""},
    ],
    ids=str,
)
def test_members_that_are_empty_count_as_absent_and_the_rest_of_the_batch_is_kept(empty: dict[str, Any]) -> None:
    said = {"reason": {"code": "x", "display": ""}, "userComment": "kept"}
    read = read_feedback(feedback(entry(**empty), entry(overrideReason=said), ACCEPTED)).feedback
    assert (read[0].overrideReason, read[0].acceptedSuggestions) in ((None, None), (None, []))
    assert read[1].overrideReason is not None
    assert (read[1].overrideReason.userComment, len(read)) == ("kept", 3)


@pytest.mark.parametrize(("content", "member"), WRONG, ids=str)
def test_an_entry_that_is_not_as_it_must_be_is_named_with_its_path(content: dict[str, Any], member: str) -> None:
    with pytest.raises(NotConformant) as raised:
        read_feedback(feedback(OVERRIDDEN, content))
    path = "$.feedback[1]" + (f".{member}" if member else "")
    assert raised.value.expression == path
    assert path in raised.value.message
    assert MARKER not in raised.value.message


@pytest.mark.parametrize("body", [b"{}", b'{"feedback": null}', b'{"feedback": {}}', b'{"feedback": []}'])
def test_a_body_without_entries_names_the_list(body: bytes) -> None:
    with pytest.raises(NotConformant) as raised:
        read_feedback(body)
    assert raised.value.expression == "$.feedback"


def test_a_call_holds_no_more_than_is_written_before_an_answer() -> None:
    assert len(read_feedback(feedback(*[OVERRIDDEN] * MOST_ENTRIES)).feedback) == MOST_ENTRIES
    many = {**ACCEPTED, "acceptedSuggestions": ACCEPTED["acceptedSuggestions"] * 101}
    for entries in ([OVERRIDDEN] * (MOST_ENTRIES + 1), [many]):
        with pytest.raises(NotConformant):
            read_feedback(feedback(*entries))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"feedback"', b'{"feedback": NaN}', b"\xff\xfe{}", b"[" * 9999]
)
def test_a_body_that_is_no_json_object_is_not_parsable(body: bytes) -> None:
    with pytest.raises(NotParsable):
        read_feedback(body)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ACCEPTED, "id", "code"]), inner),
    max_leaves=6,
)


@given(name=st.sampled_from([*ACCEPTED, "overrideReason"]), value=VALUES)
def test_whatever_stands_in_place_of_a_member_is_read_or_refused_with_its_path(name: str, value: Any) -> None:
    refused = ""
    try:
        read_feedback(feedback({**ACCEPTED, name: value}))
    except NotConformant as error:
        refused = error.expression
    assert not refused or refused.startswith("$.feedback[0]")

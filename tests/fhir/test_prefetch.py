"""Data, no data, a failure and silence are told apart; a failure is never taken for "no data" (conformance 4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from msgspec import Raw

from service.engine.library import Library
from service.fhir.prefetch import MOST_ENTRIES, Answer, Prefetch, State
from service.fhir.resources import Resource
from tests.fhir.samples import bundle, order, raw, statement

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}
MEDICATION = {"resourceType": "Medication", "id": "m1", "code": {"text": "Saroten"}}
NEXT = [
    {"relation": "self", "url": "https://fhir.example.org/a"},
    {"relation": "next", "url": "https://fhir.example.org/b"},
]


def state(value: Any, key: str = "medications") -> State:
    return Prefetch({key: raw(value)})[key].state


@pytest.mark.parametrize("given", [None, {}, {"patient": raw(None)}])
def test_a_key_that_was_not_sent_is_absent(given: dict[str, Raw] | None) -> None:
    answer = Prefetch(given)["medications"]
    assert (answer.state, answer.known, answer.resources) == (State.ABSENT, False, ())


@pytest.mark.parametrize("empty", [None, bundle(), {"resourceType": "Bundle", "type": "searchset", "total": 0}])
def test_null_and_a_bundle_without_entries_both_mean_that_there_is_nothing(empty: Any) -> None:
    answer = Prefetch({"medications": raw(empty)})["medications"]
    assert (answer.state, answer.known, answer.resources) == (State.GIVEN, True, ())


def test_white_space_around_null_changes_nothing() -> None:
    assert Prefetch({"medications": Raw(b" null\n")})["medications"].known


def test_a_bundle_gives_its_resources_in_order() -> None:
    answer = Prefetch({"medications": raw(bundle(order(id="a"), MEDICATION, order(id="b")))})["medications"]
    assert answer.state is State.GIVEN
    assert [resource["id"] for resource in answer.resources] == ["a", "m1", "b"]


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("patient", {"resourceType": "Patient", "id": "1"}),
        ("medications", order()),
        ("medications", {**order(), "resourceType": "MedicationOrder"}),
        ("statements", statement()),
        ("conditions", {"resourceType": "Condition"}),
        ("observations", {"resourceType": "Observation"}),
        ("somebodyElsesKey", {"resourceType": "Basic"}),
    ],
)
def test_a_single_resource_that_was_asked_for_is_data(key: str, resource: dict[str, Any]) -> None:
    answer = Prefetch({key: raw(resource)})[key]
    assert (answer.state, answer.resources) == (State.GIVEN, (resource,))


@pytest.mark.parametrize(
    ("key", "resource"),
    [
        ("medications", {"resourceType": "Patient", "id": "1"}),
        ("statements", {"resourceType": "Parameters"}),
        ("conditions", order()),
        ("patient", order()),
    ],
)
def test_a_single_resource_of_another_type_leaves_the_key_unsatisfied(key: str, resource: dict[str, Any]) -> None:
    assert not Prefetch({key: raw(resource)})[key].known


@pytest.mark.parametrize(
    "value", ["123", "", 5, True, [], [order(), 5], {}, {"response": {"status": "404"}, "resource": None}]
)
def test_what_is_neither_null_nor_a_resource_leaves_the_key_unsatisfied(value: Any) -> None:
    answer = Prefetch({"medications": raw(value)})["medications"]
    assert (answer.state, answer.known, answer.missing) == (State.UNREADABLE, False, True)


def test_a_list_of_resources_and_what_was_wrapped_before_1_0_are_read() -> None:
    for value in ([order()], [{"resource": order()}], {"response": {"status": "200 OK"}, "resource": order()}):
        answer = Prefetch({"medications": raw(value)})["medications"]
        assert (answer.state, answer.resources) == (State.GIVEN, (order(),)), value
    paged = {**bundle(order()), "link": [{"relation": "next", "url": "https://fhir.example.org/2"}]}
    assert Prefetch({"medications": raw({"resource": paged})})["medications"].state is State.PARTIAL


@pytest.mark.parametrize(
    "broken",
    [
        b'{"resourceType":"Bundle","id":"\xff"}',
        b'{"resourceType":"Bundle","total":1e99999999999999999999}',
        b'{"resourceType":"Bundle","total":' + b"1" * 5000 + b"}",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"resourceType":"Bundle"',
        b"",
    ],
    ids=["not UTF-8", "endless exponent", "endless number", "deep", "cut off", "empty"],
)
def test_what_turns_out_to_be_no_json_is_never_taken_for_no_data(broken: bytes) -> None:
    answer = Prefetch({"medications": Raw(broken)})["medications"]
    assert (answer.state, answer.known) == (State.UNREADABLE, False)


def test_an_error_in_place_of_data_is_unavailable() -> None:
    answer = Prefetch({"medications": raw(OUTCOME)})["medications"]
    assert (answer.state, answer.known, answer.resources) == (State.UNAVAILABLE, False, ())


def test_a_bundle_of_nothing_but_an_error_is_unavailable() -> None:
    assert state(bundle(OUTCOME)) is State.UNAVAILABLE


def test_an_error_among_the_entries_makes_the_rest_partial() -> None:
    answer = Prefetch({"medications": raw(bundle(order(), OUTCOME))})["medications"]
    assert (answer.state, answer.known, answer.resources) == (State.REFUSED, True, (order(),))


def test_a_page_with_a_next_one_is_partial() -> None:
    assert state(bundle(order(), link=NEXT)) is State.PARTIAL
    assert state(bundle(link=NEXT)) is State.PARTIAL


@pytest.mark.parametrize("broken", [5, "x", None, {"resource": 5}, {"resource": {"id": "no type"}}, {"resource": []}])
def test_an_entry_that_is_no_resource_makes_the_rest_damaged(broken: Any) -> None:
    answer = Prefetch({"medications": raw(bundle(entry=[{"resource": order()}, broken]))})["medications"]
    assert (answer.state, answer.known, answer.resources) == (State.DAMAGED, True, (order(),))


@pytest.mark.parametrize("empty", [{"fullUrl": "urn:x"}, {"resource": None}, {}, {"search": {"mode": "match"}}])
def test_an_entry_without_any_resource_is_counted_as_unread(empty: Any) -> None:
    answer = Prefetch({"medications": raw(bundle(entry=[empty, {"resource": order()}]))})["medications"]
    assert (answer.state, answer.lost) == (State.DAMAGED, 1)
    assert state(bundle(entry=[empty])) is State.UNREADABLE


@pytest.mark.parametrize(
    "link", [None, [], NEXT[:1], "next", [None, 5, {}, {"relation": ["next"]}], {"relation": "self"}]
)
def test_any_other_link_is_no_next_page(link: Any) -> None:
    assert state(bundle(order(), link=link)) is State.GIVEN


def test_one_link_that_is_no_list_is_read_as_one() -> None:
    assert state(bundle(order(), link=NEXT[1])) is State.PARTIAL


def test_medications_are_collected_from_every_key_by_their_reference() -> None:
    other = {"resourceType": "Medication", "id": "m2"}
    prefetch = Prefetch(
        {
            "medications": raw(bundle(order(), MEDICATION, {"resourceType": "Medication"})),
            "statements": raw(bundle(statement(), other)),
            "patient": raw(None),
            "broken": Raw(b"{"),
        }
    )
    assert prefetch.medications() == {"Medication/m1": MEDICATION, "Medication/m2": other}


def test_a_key_is_decoded_once_and_only_when_it_is_asked_for() -> None:
    prefetch = Prefetch({"medications": raw(bundle(order()))})
    assert prefetch["medications"] is prefetch["medications"]


@pytest.mark.parametrize(
    ("issues", "expected"),
    [
        ([{"severity": "information", "code": "informational"}], State.GIVEN),
        ([{"severity": "warning", "code": "incomplete"}], State.REFUSED),
        ([{"severity": "information"}, {"severity": "error"}], State.REFUSED),
        ([{}], State.REFUSED),
        ([], State.REFUSED),
        (None, State.REFUSED),
    ],
)
def test_an_outcome_in_a_list_that_only_informs_takes_nothing_from_it(issues: Any, expected: State) -> None:
    remark = {"resourceType": "OperationOutcome", "issue": issues}
    assert state(bundle(order(), remark)) is expected


def test_of_a_long_list_the_beginning_is_read_and_the_rest_not_forgotten() -> None:
    entries = [order(id=str(number)) for number in range(MOST_ENTRIES + 1)]
    full = Prefetch({"medications": raw(bundle(*entries[:-1]))})["medications"]
    assert (full.state, len(full.resources)) == (State.GIVEN, MOST_ENTRIES)
    cut = Prefetch({"medications": raw(bundle(*entries))})["medications"]
    assert (cut.state, cut.known, len(cut.resources)) == (State.CUT, True, MOST_ENTRIES)


def test_an_error_in_a_long_list_does_not_hide_that_it_is_long() -> None:
    entries = [order(id=str(number)) for number in range(MOST_ENTRIES + 1)]
    assert state(bundle(OUTCOME, *entries)) is State.CUT


def test_the_card_names_as_many_entries_as_are_read(library: Library) -> None:
    assert f" {MOST_ENTRIES} " in library.cards["not-checked"].reasons["too-many-entries"]["long"]


class Endless:
    """A FHIR server that has more of everything than is read."""

    def complete(self, wanted: Mapping[str, Answer]) -> Mapping[str, Answer]:
        many = tuple(order(id=str(number)) for number in range(MOST_ENTRIES + 1))
        return dict.fromkeys(wanted, Answer(State.PARTIAL, many, reason="fhir-limit"))

    def medications(self, targets: Sequence[str]) -> tuple[Mapping[str, Resource], Sequence[str]]:
        raise AssertionError(f"nobody asks for {targets}")


def test_a_fetched_list_is_cut_like_one_that_was_sent_and_keeps_its_reason() -> None:
    prefetch = Prefetch({}, Endless())
    prefetch.complete("medications")
    assert (prefetch["medications"].state, len(prefetch["medications"].resources)) == (State.CUT, MOST_ENTRIES)
    assert prefetch.failures == {"fhir-limit": ["medications"]}


def test_after_a_list_that_is_cut_no_page_is_fetched() -> None:
    entries = [order(id=str(number)) for number in range(MOST_ENTRIES + 1)]
    prefetch = Prefetch({"medications": raw(bundle(*entries, link=NEXT))}, Endless())
    prefetch.complete("medications")
    assert prefetch.failures == {}


def test_a_list_that_its_own_address_asks_for_somebody_else_is_not_used() -> None:
    for query, expected in (
        ("patient=q", State.OTHER),
        ("subject=Patient/q", State.OTHER),
        ("subject=https://fhir.example.org/Patient/q", State.OTHER),
        ("patient=p", State.GIVEN),
        ("patient=q,p&status=active", State.GIVEN),
        ("patient=p&status=completed", State.SHORT),
        ("patient.identifier=urn:x|7", State.GIVEN),
        ("patient:identifier=urn:x|7", State.GIVEN),
        ("_count=50", State.GIVEN),
    ):
        address = [{"relation": "self", "url": f"https://fhir.example.org/MedicationRequest?{query}"}]
        listed = raw({"resourceType": "Bundle", "type": "searchset", "total": 0, "link": address})
        answer = Prefetch({"medications": listed}, patient_id="p")["medications"]
        assert answer.state is expected, query
        assert answer.known is (expected is not State.OTHER)


def test_of_what_was_handed_out_a_completed_one_is_taken() -> None:
    address = [{"relation": "self", "url": "https://fhir.example.org/MedicationDispense?patient=p&status=completed"}]
    assert state({"resourceType": "Bundle", "link": address}) is State.GIVEN


@pytest.mark.parametrize(
    "url", ["", "http://[", "?patient", "//", "x" * 3000, "https://x.example/M?patient=%zz", 5, None]
)
def test_an_address_that_cannot_be_read_says_nothing(url: Any) -> None:
    assert state({"resourceType": "Bundle", "link": [{"relation": "self", "url": url}]}) is State.GIVEN


def test_what_was_redacted_is_not_the_whole_list() -> None:
    label = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "REDACTED"}]}
    for redacted in ({**bundle(order()), "meta": label}, bundle({**order(), "meta": label})):
        assert state(redacted) is State.SHORT
    other = {"security": [{"code": "N"}]}
    assert state({**bundle(order()), "meta": other}) is State.GIVEN


def test_an_empty_list_says_why_it_is_empty() -> None:
    for code, expected in (
        ("nilknown", State.GIVEN),
        ("withheld", State.UNAVAILABLE),
        ("notasked", State.UNAVAILABLE),
        ("", State.UNREADABLE),
    ):
        listed = {"resourceType": "List", "status": "current", "emptyReason": {"coding": [{"code": code}]}}
        assert state(listed) is state(bundle(listed)) is expected, code
    full = {"resourceType": "List", "entry": [{"item": {"reference": "MedicationRequest/1"}}]}
    assert state(full) is State.UNREADABLE, "references are not followed"

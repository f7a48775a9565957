"""JSON is read without changing a number, and hostile input is refused quietly."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.resources import as_resource, aslist, entries, reference, resource, text
from service.jsonio import decode, encode
from tests.fhir.samples import bundle, order

DEEP = 100_000


@pytest.mark.parametrize("number", ["1.50", "0.10", "150", "-0.0", "0.00", "12345678901234567890", "1.0", "25"])
def test_a_number_goes_back_as_it_was_written(number: str) -> None:
    assert encode(decode(f'{{"value":{number}}}'.encode())) == f'{{"value":{number}}}'.encode()


@pytest.mark.parametrize("number", ["1e400000", "1E-7", "2.50e3", "1e5"])
def test_a_number_with_an_exponent_keeps_its_digits_and_stays_json(number: str) -> None:
    written = encode(decode(number.encode()))
    assert Decimal(written.decode()).as_tuple() == Decimal(number).as_tuple()
    assert json.loads(written, parse_float=Decimal) == Decimal(number)


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b"[" * DEEP,
        b"1e99999999999999999999",
        b"-1e-99999999999999999999",
        b"1" * 10_000,
        b'"\xff"',
        b'"\\ud800"',
        b"NaN",
        b"Infinity",
        b"\xef\xbb\xbf{}",
        b"{'a': 1}",
        b"[1,]",
        b"01",
        b"",
    ],
    ids=lambda value: value[:12].decode(errors="replace"),
)
def test_what_is_no_json_or_beyond_reason_is_none_and_raises_nothing(hostile: bytes) -> None:
    assert decode(hostile) is None
    assert resource(hostile) is None


@pytest.mark.parametrize("value", [None, [], "Patient", 5, True, {}, {"resourceType": 5}, {"resourceType": None}])
def test_what_names_no_resource_type_is_no_resource(value: Any) -> None:
    assert as_resource(value) is None
    assert resource(encode(value)) is None


def test_a_resource_is_the_object_as_the_client_sent_it() -> None:
    sent = order(unknownElement={"a": [1, None]})
    assert as_resource(sent) is sent
    assert resource(json.dumps(sent).encode()) == sent


def test_a_bundle_gives_its_resources_in_order_whatever_else_it_holds() -> None:
    first, second = order(id="a"), order(id="b")
    mixed: dict[str, Any] = {
        "resourceType": "Bundle",
        "entry": [{"resource": first}, None, 5, "x", [], {}, {"resource": None}, {"resource": {"id": "c"}}, second],
    }
    assert list(entries(mixed)) == [first, second]


def test_a_single_entry_that_is_no_list_is_read_as_one() -> None:
    assert list(entries({"resourceType": "Bundle", "entry": {"resource": order()}})) == [order()]


@pytest.mark.parametrize("entry", [None, 5, "x", {}, []])
def test_a_bundle_without_usable_entries_is_empty(entry: Any) -> None:
    assert list(entries({"resourceType": "Bundle", "entry": entry})) == []
    assert list(entries({"resourceType": "Bundle"})) == []


def test_a_reference_is_type_and_id_and_empty_without_an_id() -> None:
    assert reference(order(id="rx-9")) == "MedicationRequest/rx-9"
    for identity in (None, "", 5, ["a"]):
        assert reference(order(id=identity)) == ""
    assert reference(bundle()) == ""


def test_one_value_counts_as_a_list_of_one() -> None:
    assert (aslist(None), aslist([]), aslist([1]), aslist({"a": 1}), aslist("x")) == ([], [], [1], [{"a": 1}], ["x"])


def test_only_a_string_is_text() -> None:
    assert (text("x"), text(None), text(5), text(["x"])) == ("x", "", "", "")


numbers = st.one_of(
    st.integers(-(2**63), 2**63),
    st.decimals(allow_nan=False, allow_infinity=False),
)
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=15,
)


@given(value=values)
def test_any_json_is_the_same_after_it_was_written_and_read(value: Any) -> None:
    assert decode(encode(value)) == value


@given(junk=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_without_raising(junk: bytes) -> None:
    found = decode(junk)
    assert found is None or encode(found)

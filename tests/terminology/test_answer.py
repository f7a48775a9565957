"""An answer of a terminology server is read strictly: what is not whole, or not SNOMED CT, is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.terminology.answer import NotUsable, one_line, read_page
from tests.terminology.fake_server import VERSION, entry, value_set


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_a_page_has_its_codes_total_and_version() -> None:
    page = read_page(body(value_set([entry("1001"), entry("1002")], 7)))
    assert [member.code for member in page.members] == ["1001", "1002"]
    assert page.members[0].display == "invented 1001"
    assert (page.entries, page.total, page.version) == (2, 7, VERSION)


def test_nested_codes_are_members_and_groups_and_retired_codes_are_not() -> None:
    nested = entry("1001", contains=[entry("1002", contains=[entry("1003")]), entry("1004", inactive=True)])
    group = {"abstract": True, "display": "a group", "contains": [entry("1005")]}
    page = read_page(body(value_set([nested, group])))
    assert [member.code for member in page.members] == ["1001", "1002", "1003", "1005"]
    assert page.entries == 6
    assert page.total is None


def test_the_version_is_that_of_snomed_whatever_else_is_stated() -> None:
    answer = value_set([], version="")
    answer["expansion"]["parameter"] = [
        {"name": "count", "valueInteger": 1000},
        {"name": "version", "valueUri": "http://loinc.org|2.80"},
        {"name": "used-codesystem", "valueUri": f"http://snomed.info/sct|{VERSION}"},
    ]
    assert read_page(body(answer)).version == VERSION
    assert read_page(body(value_set([], version=""))).version == ""


UNCLOSED = {"url": "http://hl7.org/fhir/StructureDefinition/valueset-unclosed", "valueBoolean": True}
COSTLY = {"url": "http://hl7.org/fhir/StructureDefinition/valueset-toocostly", "valueBoolean": True}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<html>Sign in</html>", "not JSON"),
        (body(value_set([entry("1001")]))[:-9], "not JSON"),
        (b"[" * 100_000, "not a ValueSet"),
        (b"\xff", "not JSON"),
        (b'{"resourceType": "ValueSet", "expansion": ' + b'{"contains": [' * 100_000, "not JSON"),
        (body([]), "not a ValueSet"),
        (body({"resourceType": "Patient"}), "Patient"),
        (body({"resourceType": "ValueSet"}), "`expansion`"),
        (body({"resourceType": "ValueSet", "expansion": {"contains": {}}}), "$.expansion.contains"),
        (body(value_set(["1001"])), "$.expansion.contains[0]"),  # type: ignore[list-item]
        (body(value_set([{"code": "1001"}])), "not a concept of SNOMED CT"),
        (body(value_set([entry("1001", system="http://loinc.org")])), "not a concept of SNOMED CT"),
        (body(value_set([entry("Drop table")])), "not a concept of SNOMED CT"),
        (body(value_set([entry("1" * 19)])), "not a concept of SNOMED CT"),
        (body(value_set([entry("١٢٣")])), "not a concept of SNOMED CT"),
        (body(value_set([{"system": "http://snomed.info/sct"}])), "not a concept of SNOMED CT"),
        (body(value_set([], total=-1)), "total"),
        (body(value_set([], total=True)), "total"),
        (body(value_set([], extension=[UNCLOSED])), "not complete"),
        (body(value_set([], extension=[COSTLY])), "not complete"),
        (body(value_set([], version="", parameter={})), "$.expansion.parameter"),
    ],
)
def test_an_answer_that_cannot_be_trusted_is_refused_with_the_reason(answer: bytes, reason: str) -> None:
    with pytest.raises(NotUsable) as refused:
        read_page(answer)
    assert reason in refused.value.reason
    assert refused.value.advice.endswith(".")


def test_an_expansion_that_says_it_is_closed_is_whole() -> None:
    assert read_page(body(value_set([entry("1001")], extension=[{**UNCLOSED, "valueBoolean": False}]))).entries == 1


def test_words_of_a_server_become_one_short_printable_line() -> None:
    assert one_line("one\n\x1b[31mtwo\x00  three") == "one [31mtwo three"
    assert len(one_line("word " * 1000)) == 200


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["system", "code", "contains", "url", "name", "valueUri"]), inner, max_size=4)
    ),
    max_leaves=12,
)
MEMBERS = ["contains", "total", "parameter", "extension", "display"]


@given(st.dictionaries(st.sampled_from(MEMBERS), ANYTHING))
def test_whatever_an_expansion_holds_it_is_read_or_refused(expansion: Any) -> None:
    try:
        page = read_page(body({"resourceType": "ValueSet", "expansion": expansion}))
    except NotUsable:
        return
    assert len(page.members) <= page.entries
    assert all(member.code.isdecimal() for member in page.members)

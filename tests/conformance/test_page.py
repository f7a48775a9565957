"""``docs/conformance.md`` lists every item, each with the tests that show it or the reason why there is none."""

import re

from tests.conformance.items import ITEMS, PAGE, ROW, marked, updated

NO_TEST = re.compile(r"(Not used|Deployment|Documentation): .{10,}\.")


def rows() -> dict[str, str]:
    """The last column by item."""
    found = [(match["item"], match["shown"]) for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
    assert len(found) == len(dict(found)), "an item is listed twice"
    return dict(found)


def test_every_item_of_the_checklist_is_listed_and_no_other() -> None:
    assert tuple(rows()) == ITEMS


def test_every_item_has_a_test_or_a_reason() -> None:
    tests = marked()
    for item, shown in rows().items():
        assert item in tests or NO_TEST.fullmatch(shown), f"{item} has neither a test nor a reason: {shown!r}"


def test_the_tests_that_are_named_are_those_that_carry_the_mark() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert updated(page) == page, "python -m tests.conformance.items brings it up to date"


def test_no_test_is_marked_with_an_item_that_there_is_not() -> None:
    assert set(marked()) <= set(ITEMS)

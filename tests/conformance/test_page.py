"""``docs/conformance.md`` lists every item once, and each has a test that carries its mark or a reason why not."""

from tests.conformance.items import ITEMS, PAGE, listed, marked

CHECKLIST, _, UNTESTED = PAGE.read_text(encoding="utf-8").partition("## Without a test")


def test_every_item_of_the_checklist_is_listed_once_and_no_other() -> None:
    assert sorted(listed(CHECKLIST)) == sorted(ITEMS)


def test_every_item_has_a_test_or_a_reason() -> None:
    assert sorted(marked() | set(listed(UNTESTED))) == sorted(ITEMS)


def test_no_item_has_both() -> None:
    assert marked() & set(listed(UNTESTED)) == set()

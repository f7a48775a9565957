"""The playground in a real browser: from a fixture to an accepted suggestion and an override."""

import re

from playwright.sync_api import Page, expect

WAITS = 30
"""Half seconds until counts are written at the latest."""

PAIR = "/playground?fixture=order-select/amitriptyline-25-mg-for-patient-on-tolperisone"


def test_a_suggestion_is_accepted_applied_and_asked_about_again(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_role("button", name=re.compile("10 mg")).first.click()
    expect(page.get_by_role("status").filter(has_text="Accepted and applied")).to_be_visible()
    expect(page.get_by_text("= 10 mg/day")).to_be_visible()


def test_an_override_is_sent_and_appears_in_the_insights(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_role("button", name="Override").first.click()
    expect(page.get_by_role("status").filter(has_text="Overridden")).to_be_visible()
    for _ in range(WAITS):
        page.goto("/insights")
        if re.search(r"1: 100 %", page.get_by_role("main").inner_text()):
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.get_by_role("main").inner_text())


def test_a_dropped_list_is_named_as_not_checked(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_label("medications").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="What was read")).to_contain_text("medications: dropped here")
    expect(page.get_by_role("region", name="What was read")).to_contain_text("not provided: medications")


def test_a_pasted_request_that_is_no_json_is_marked_where_it_breaks(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_text("The request:").click()
    page.get_by_label(re.compile("Request body")).fill('{"hook": "order-sign",\n  "context": nonsense}')
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name=re.compile("Error 400"))).to_be_visible()
    expect(page.locator("mark")).to_have_text('  "context": nonsense}')


def test_fixtures_are_found_by_their_words(page: Page) -> None:
    page.goto("/playground")
    page.get_by_label("Find a request").fill("rasagiline")
    page.locator("details[data-group]:not([hidden]) summary").first.click()
    page.get_by_role("link", name=re.compile("rasagiline")).first.click()
    expect(page.locator("article.card.is-critical")).to_be_visible()

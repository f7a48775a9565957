"""The playground in a real browser: from a fixture to an accepted suggestion and an override."""

import re
from contextlib import closing

from playwright.sync_api import Browser, Page, expect

from tests.serving import Served

WAITS = 30
"""Half seconds until counts are written at the latest."""

PAIR = "/playground?fixture=order-select/amitriptyline-25-mg-for-patient-on-tolperisone"


def test_a_suggestion_is_accepted_applied_and_asked_about_again(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_role("button", name=re.compile("10 mg")).first.click()
    note = page.get_by_role("status").filter(has_text="Accepted and applied")
    expect(note).to_be_visible()
    expect(note).to_be_in_viewport()
    expect(page.get_by_text("= 10 mg/day")).to_be_visible()


def test_an_override_with_the_keyboard_alone_appears_in_the_insights_and_its_sheet(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_label("Override because").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="Reason: Will monitor")).to_be_visible()
    for _ in range(WAITS):
        page.goto("/insights?days=7&client=playground&hook=order-select")
        if re.search(r"1 of 1: 100\s%", page.get_by_role("main").inner_text()):
            break
        page.wait_for_timeout(500)
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"1 of 1: 100\s%"))
    expect(page.get_by_label("Hook")).to_have_value("order-select")
    with page.expect_download() as sheet:
        page.get_by_role("link", name="Download as CSV").click()
    assert "tolperisone-with-amitriptyline" in sheet.value.path().read_text(encoding="utf-8")
    page.get_by_label("Hook").select_option("")
    page.get_by_label("Period").select_option("90")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("days=90&client=playground&hook=$"))


def test_a_dropped_list_is_named_as_not_checked(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_label("medications").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("region", name="What was read")).to_contain_text("medications: left out here")
    expect(page.get_by_role("region", name="What was read")).to_contain_text("The medication list: not sent")


def test_a_pasted_request_that_is_no_json_is_marked_where_it_breaks(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_text("The request as JSON").click()
    page.get_by_label("Request body").fill('{"hook": "order-sign",\n  "context": nonsense}')
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name=re.compile("Error 400"))).to_be_visible()
    expect(page.locator("mark")).to_have_text('  "context": nonsense}')


DROP = """(place) => {
    const files = new DataTransfer();
    files.items.add(new File(['{"hook": "order-sign", "hookInstance": "i", "context": {"userId": 5}}'], "call.json"));
    place.dispatchEvent(new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true}));
}"""


def test_a_file_dropped_on_the_page_is_shown_and_sent(page: Page) -> None:
    page.goto(PAIR)
    page.get_by_role("heading", name="Playground").evaluate(DROP)
    expect(page.get_by_label("Request body")).to_be_focused()
    expect(page.get_by_label("Request body")).to_have_value(re.compile("hookInstance"))
    page.get_by_role("button", name="Send").click()
    expect(page.locator("mark")).to_contain_text('"userId": 5')


def test_without_script_a_request_is_chosen_or_pasted_and_no_filter_is_shown(browser: Browser, served: Served) -> None:
    with closing(browser.new_context(base_url=served.url, java_script_enabled=False)) as context:
        page = context.new_page()
        page.goto(PAIR)
        expect(page.get_by_label("Find a request")).to_be_hidden()
        page.get_by_label("Request", exact=True).select_option("order-sign/amitriptyline-13-days-after-phenelzine")
        page.get_by_role("button", name="Send").click()
        expect(page.locator("article.card.is-critical")).to_contain_text("phenelzine")
        page.locator("summary", has_text="The request as JSON").click()
        page.get_by_label("Request body").fill("{}")
        page.get_by_role("button", name="Send").click()
        expect(page.get_by_role("heading", name=re.compile("Error 422"))).to_be_visible()


def test_fixtures_are_found_by_their_words(page: Page) -> None:
    page.goto("/playground")
    page.get_by_label("Find a request").fill("rasagiline")
    page.locator("details[data-group]:not([hidden]) summary").first.click()
    page.get_by_role("link", name=re.compile("rasagiline")).first.click()
    expect(page.locator("article.card.is-critical")).to_be_visible()

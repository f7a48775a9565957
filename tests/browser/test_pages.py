"""Every page in a real browser: readable in light and dark, on a phone and a desk, and for a screen reader."""

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.serving import Served

WRONG = "/playground?fixture=order-select/draft-orders-missing"
PAGES = ["/", "/playground", WRONG, "/guidance", "/guidance/other-options", "/insights", "/api", "/nothing-here"]


AXE = Axe()
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
"""What passed is not told: of a long page that would be megabytes."""
COLOURS = {**EVERYTHING, "runOnly": ["color-contrast"]}
"""All that dark on a desk and light on a phone may have of their own, once everything was looked at in the others."""
LOOKS: tuple[tuple[Literal["light", "dark"], int, dict[str, Any]], ...] = (
    ("light", 1280, EVERYTHING),
    ("dark", 1280, COLOURS),
    ("dark", 390, EVERYTHING),
    ("light", 390, COLOURS),
)


def is_readable(page: Page) -> None:
    """Fails where a screen reader stumbles or the page is wider than its window, in light, dark, on a phone or not."""
    for scheme, width, options in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found = AXE.run(page, options=options)
        assert found.violations_count == 0, f"{page.url}, {scheme}, {width}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} is {wide} pixels wider than {width}"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible_and_fits_its_width(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == (404 if path == "/nothing-here" else 200)
    if path == "/api":
        page.get_by_text("/cds-services/order-sign", exact=True).first.wait_for()
    is_readable(page)


def test_an_address_is_tried_out_in_the_api_page_under_any_name_of_this_machine(page: Page, served: Served) -> None:
    page.goto(f"{served.url.replace('127.0.0.1', 'localhost')}/api")
    page.locator(".opblock-summary-control").first.click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.locator(".live-responses-table .microlight").get_by_text('"patient-view"').first.wait_for()
    is_readable(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_api_page_is_as_light_or_dark_as_the_others(page: Page, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto("/api")
    page.locator(".opblock-summary-control").first.wait_for()
    for part in ("#viewer", ".opblock-summary-path"):
        colour = "backgroundColor" if part == "#viewer" else "color"
        shown = page.evaluate(f"getComputedStyle(document.querySelector('{part}')).{colour}")
        bright = sum(map(int, re.findall(r"\d+", shown)[:3])) > 3 * 128
        assert bright is ((scheme == "light") == (part == "#viewer")), (part, shown)


def test_the_guidance_is_narrowed_by_words_and_by_urgency(page: Page) -> None:
    page.goto("/guidance")
    everything = page.locator("[data-item]:visible").count()
    page.get_by_label("Find a card").fill("mao")
    assert 0 < page.locator("[data-item]:visible").count() < everything
    page.get_by_label("Find a card").fill("")
    page.get_by_label("Highest urgency").select_option("critical")
    assert 0 < page.locator("[data-item]:visible").count() < everything
    assert not page.get_by_role("heading", name="Monitoring").is_visible(), "a subject without a card is hidden"


def test_the_first_card_is_a_click_away_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "See a card":
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Playground").wait_for()
    assert page.locator("article.card").count() >= 1


FOCUSED = """() => {
    const focused = document.activeElement, look = getComputedStyle(focused), place = focused.getBoundingClientRect();
    return [focused.outerHTML.slice(0, 80), look.outlineStyle !== "none" && place.width > 0 && place.height > 0];
}"""


@pytest.mark.parametrize("path", ["/", "/playground", "/api", "/insights"])
def test_whatever_the_keyboard_reaches_is_seen_to_be_reached(page: Page, path: str) -> None:
    page.goto(path)
    if path == "/api":
        page.get_by_text("/cds-services/order-sign", exact=True).first.wait_for()
    reached = []
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert [element for element, seen in reached if not seen and not element.startswith("<body")] == []

"""Every page in a real browser: readable in light and dark, on a phone and a desk, and for a screen reader."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PAGES = ["/", "/playground", "/guidance", "/guidance/tolperisone-with-amitriptyline", "/insights", "/nothing-here"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_every_page_is_accessible_and_fits_its_width(page: Page, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    axe = Axe()
    for path in PAGES:
        with_error = path == "/nothing-here"
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == (404 if with_error else 200)
        found = axe.run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} is {wide} pixels wider than {width}"


def test_the_api_can_be_read_and_tried(page: Page) -> None:
    page.goto("/api")
    page.get_by_text("/cds-services/order-sign", exact=True).first.wait_for()


def test_the_guidance_is_narrowed_by_words_and_by_urgency(page: Page) -> None:
    page.goto("/guidance")
    everything = page.locator("[data-item]:visible").count()
    page.get_by_label("Find a card").fill("mao")
    assert 0 < page.locator("[data-item]:visible").count() < everything
    page.get_by_label("Find a card").fill("")
    page.get_by_label("Most urgent it can be").select_option("critical")
    assert 0 < page.locator("[data-item]:visible").count() < everything


def test_the_first_card_is_a_click_away_with_the_keyboard_alone(page: Page) -> None:
    page.goto("/")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "See a card":
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Playground").wait_for()
    assert page.locator("article.card").count() >= 1

"""The pages behind the cards: every one can be read in a browser, styled and hardened, and links where it says."""

import html
import re
from contextlib import closing
from fractions import Fraction
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from service.engine.finding import Threshold
from service.engine.library import Library
from service.web.pages import amount

HERE = "http://localhost"


@pytest.fixture(scope="module")
def pages(library: Library) -> list[str]:
    """The addresses of all pages of the guidance."""
    return ["/guidance", *(f"/guidance/{card}" for card in library.cards)]


class Page(HTMLParser):
    """What a page is made of: its elements, what they link to, and attributes that would run code or style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self.links += [value or "" for name, value in attrs if name == "href"]
        elif tag in ("link", "script", "img"):
            self.loaded += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]


def test_every_page_loads_only_from_here_and_is_hardened(client: FlaskClient, pages: list[str]) -> None:
    loaded = set()
    for path in [*pages, "/", "/playground", "/api"]:
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (200, "text/html"), path
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';"), path
        assert "script-src 'self';" in policy, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert answer.headers["Referrer-Policy"] == "no-referrer", path
        page = Page(answer.text)
        assert page.tags.isdisjoint({"iframe", "object", "style"}), path
        assert page.handlers == [], path
        assert "Not clinically reviewed" in answer.text, path
        loaded |= set(page.loaded)
    for address in loaded:
        with closing(client.get(address)) as part:
            assert part.status_code == 200, address


def test_every_link_leads_to_a_page_here_or_to_a_source(
    client: FlaskClient, library: Library, pages: list[str]
) -> None:
    sources = {source.url for source in library.sources.values()}
    linked = {(urljoin(f"{HERE}{path}", link), path) for path in pages for link in Page(client.get(path).text).links}
    addresses = {link.partition("#")[0]: path for link, path in linked if link not in sources}
    for address, path in addresses.items():
        assert client.get(address.removeprefix(HERE)).status_code == 200, f"{path} links {address}"


def test_a_cards_page_shows_its_statements_numbers_and_sources(client: FlaskClient, library: Library) -> None:
    for card, file in library.cards.items():
        text = client.get(f"/guidance/{card}").text
        shown = [file.title, file.rule, library.version, *(library.statements[key].says for key in file.statements)]
        shown += [amount(number) for number in file.thresholds.values()]
        shown += [library.sources[key].title for key in file.sources]
        for words in shown:
            assert str(escape(words)) in text, (card, words)


def test_a_cards_page_shows_the_card_as_the_service_answers_it_now(client: FlaskClient) -> None:
    text = client.get("/guidance/tolperisone-daily-dose").text
    assert 'class="card is-critical"' in text
    assert 'class="card is-warning"' in text
    assert "/playground?fixture=order-sign/tolperisone-600-mg-a-day" in text


def test_a_cards_page_shows_every_state_live_or_in_words(client: FlaskClient, library: Library) -> None:
    for file in library.cards.values():
        page = html.unescape(client.get(f"/guidance/{file.id}").text)
        for title, text in file.sections.items():
            if title.partition(" ")[0] != "summary":
                continue
            for line in text.splitlines():
                said = ".*".join(re.escape(part) for part in re.split(r"{{.*?}}", line))
                assert line.startswith("{%") or re.search(said, page), f"{file.id}: {title}"


def test_a_cards_page_says_since_when_it_is_there_and_what_has_changed(client: FlaskClient, library: Library) -> None:
    for file in library.cards.values():
        page = html.unescape(client.get(f"/guidance/{file.id}").text)
        assert file.history, file.id
        for day, change in file.history.items():
            assert day in page
            assert change in page
        assert "No clinician has reviewed this card." in page


def test_a_card_that_is_only_a_line_of_others_is_shown_there(client: FlaskClient) -> None:
    page = client.get("/guidance/tolperisone-food").text
    assert "a line of that card" in page
    assert 'class="card is-' in page


def test_the_home_page_shows_a_card_at_once(client: FlaskClient) -> None:
    page = client.get("/").text
    assert 'class="card is-warning"' in page
    assert "<button" not in page, "nothing can be pressed there"


def test_a_cards_page_says_what_raises_it_and_how_urgent_that_is_where(client: FlaskClient) -> None:
    text = client.get("/guidance/amitriptyline-and-the-heart").text
    assert '<tr><th scope="row">Long QT</th><td>critical</td></tr>' in text
    assert '<tr><th scope="row">Coronary heart disease</th><td>critical; US: warning</td></tr>' in text
    assert "US: warning for atrial fibrillation or bundle branch block or first degree av block" in text
    assert "{{" not in text


def test_the_list_names_every_card_and_every_statement(client: FlaskClient, library: Library) -> None:
    text = client.get("/guidance").text
    assert {f"/guidance/{card}" for card in library.cards} <= set(Page(text).links)
    for statement in library.statements.values():
        assert f'<th scope="row">{statement.key}</th>' in text
        assert str(escape(statement.not_carried)) in text


@pytest.mark.parametrize("path", ["/guidance/nobody-asks", "/guidance/..", "/guidance/rule-failed.md", "/nothing"])
def test_a_page_that_is_not_there_is_404_in_the_readers_form(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.get_json()["resourceType"] == "OperationOutcome"
    page = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert 'href="/"' in page.text


def test_the_icon_that_browsers_ask_for_unasked_is_there(client: FlaskClient) -> None:
    with closing(client.get("/favicon.ico")) as icon:
        assert (icon.status_code, icon.mimetype) == (200, "image/svg+xml")


def test_a_service_that_is_not_there_is_json_for_browsers_too(client: FlaskClient) -> None:
    answer = client.get("/cds-services/nobody", headers={"Accept": "text/html"})
    assert answer.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("path", ["/guidance", "/playground", "/api", "/guidance/tolperisone-food"])
def test_a_slash_at_the_end_leads_to_the_page(client: FlaskClient, path: str) -> None:
    assert client.get(f"{path}/").status_code == 200


def test_the_home_page_opens_the_sandbox_with_the_address_of_this_host(client: FlaskClient) -> None:
    text = client.get("/", headers={"Host": "cds.example.org:8443"}).text
    assert "serviceDiscoveryURL=http%3A%2F%2Fcds.example.org%3A8443%2Fcds-services&amp;hook=order-select" in text


def test_numbers_are_shown_with_their_units_in_words() -> None:
    assert amount(Threshold(Fraction(35), "d")) == "35 days"
    assert amount(Threshold(Fraction(1), "d")) == "1 day"
    assert amount(Threshold(Fraction(5, 2), "mg")) == "2.5 mg"


def test_the_page_says_what_each_number_stands_for_and_never_by_its_name(client: FlaskClient) -> None:
    page = client.get("/guidance/amitriptyline-with-maoi").get_data(as_text=True)
    assert "Shortest wait after an irreversible or type B MAO inhibitor before amitriptyline</th><td>14 days" in page
    assert "unknown_end" not in page


def test_every_way_of_reading_a_source_has_its_words(client: FlaskClient, library: Library) -> None:
    for card in library.cards.values():
        assert "<em>()</em>" not in client.get(f"/guidance/{card.id}").text, card.id

"""The pages behind the cards: every one can be read in a browser, without script, and links where it says."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from markupsafe import escape

from service.engine.library import Library
from service.engine.library import load as load_library
from service.web.pages import READ

LIBRARY = load_library()
CARDS = [*LIBRARY.cards, *LIBRARY.line_cards]
PAGES = ["/guidance", *(f"/guidance/{card}" for card in CARDS)]


class Page(HTMLParser):
    """What a page is made of: its elements, what they link to, and attributes that would run code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_plain_html_without_script_and_hardened(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    page = Page(answer.text)
    assert page.tags.isdisjoint({"script", "iframe", "object", "form", "link", "img"})
    assert page.handlers == []
    assert "Not clinically reviewed" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_every_link_leads_to_a_page_here_or_to_a_source(client: FlaskClient, library: Library, path: str) -> None:
    sources = {source.url for source in library.sources.values()}
    for link in Page(client.get(path).text).links:
        assert link in sources or urljoin(path, link) in PAGES


@pytest.mark.parametrize("card", CARDS)
def test_a_cards_page_shows_its_statements_numbers_and_sources(
    client: FlaskClient, library: Library, card: str
) -> None:
    text = client.get(f"/guidance/{card}").text
    file = library.cards.get(card) or library.line_cards[card]
    shown = [file.title, file.rule, library.version, *(library.statements[key].says for key in file.statements)]
    shown += [str(number) for number in file.thresholds.values()]
    shown += [library.sources[key].title for key in file.sources]
    for words in shown:
        assert str(escape(words)) in text, words


def test_the_list_names_every_card_and_every_statement(client: FlaskClient, library: Library) -> None:
    text = client.get("/guidance").text
    assert {f"guidance/{card}" for card in library.cards} <= set(Page(text).links)
    for statement in library.statements.values():
        assert f'<th scope="row">{statement.key}</th>' in text
        assert str(escape(statement.not_carried)) in text


@pytest.mark.parametrize("path", ["/guidance/nobody-asks", "/guidance/", "/guidance/..", "/guidance/rule-failed.md"])
def test_a_page_that_is_not_there_is_404(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.get_json()["resourceType"] == "OperationOutcome"


def test_every_way_of_reading_a_source_has_its_words(library: Library) -> None:
    assert {source.read for source in library.sources.values()} <= READ.keys()

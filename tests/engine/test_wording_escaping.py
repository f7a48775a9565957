"""Text from a request stays text on a card, whatever it holds."""

import re
import string
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from service.engine.wording import markdown, plain, shortened

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
JOINER = "\N{WORD JOINER}"
FRAGMENTS = (
    "<script>alert(1)</script>", "<b>", "<!--", "-->", "]]>", "<http://a.example>", "&lt;", "&#60;", "&",
    "[a](javascript:alert(1))", "![a](http://a.example/x.png)", "[a]: http://a.example", "[", "](", ")",
    "http://a.example", "https://a.example", "ftp://a.example", "www.a.example", "a@b.example", "a-@b.example",
    "mailto:a@b.example", "_http://a.example", "1http://a.example", "_www.a.example", "*www.a.example",
    "`", "```", "~~~", "**", "*", "_", "__", "~~", "|", "\\", "#", "\n# a", "\n\n", "\n- a", "\n1. a", "\n> a",
    "\n    a", "\n---\n", "\n===\n", "| a | b |\n|---|---|\n", "\t", "\r", "\x00", "\x0b", "\x1b[31m", "\u0085",
    "\u2028", "\u2029", "\u200b", "\u202e", "\u2066", "\ufeff", "\ue000", "\ud800", " ", "a", "25 mg",
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=8).map("".join)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
LINKED = re.compile(r"(?i)(https?|ftp|mailto|javascript|data):|www\.|[^\u2060]@")
"""What clients that link bare addresses look for."""


def structure(text: str) -> list[str]:
    """The kinds of everything in a Markdown text, runs of plain text aside."""
    tokens = [inline for token in PARSER.parse(text) for inline in (token, *(token.children or ()))]
    return [token.type for token in tokens if token.type not in ("text", "text_special")]


def shown(text: str) -> str:
    """The plain text of a Markdown text."""
    tokens = [inline for token in PARSER.parse(text) for inline in (token.children or ())]
    return "".join(token.content for token in tokens)


@settings(max_examples=250, deadline=None)
@given(HOSTILE)
def test_a_hostile_name_adds_nothing_but_text_to_a_sentence(label: str) -> None:
    assert structure(f"- Drug: {markdown(label)} (order).") == structure("- Drug: a (order).")


@settings(max_examples=250, deadline=None)
@given(HOSTILE.filter(lambda label: bool(markdown(label))))
def test_a_hostile_name_in_bold_stays_within_it(label: str) -> None:
    assert structure(f"- **{markdown(label)}** (order).") == structure("- **a** (order).")


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
def test_no_html_and_no_address_is_left_for_a_careless_client(label: str) -> None:
    written = markdown(label)
    assert not set(written) & set("<>")
    assert LINKED.search(shown(f"a {written}")) is None


@settings(max_examples=200, deadline=None)
@given(PRINTABLE)
def test_an_ordinary_name_is_shown_as_it_is(label: str) -> None:
    assert shown(f"a {markdown(label)} z").replace(JOINER, "").split() == ["a", *label.split(), "z"]
    assert plain(label).replace("‹", "<").replace("›", ">") == " ".join(label.split())


@settings(max_examples=250, deadline=None)
@given(HOSTILE)
def test_what_remains_is_one_line_of_visible_characters(label: str) -> None:
    for written in (plain(label), markdown(label)):
        line = written.replace(JOINER, "")
        assert line == " ".join(line.split())
        assert {unicodedata.category(character)[0] for character in line} <= set("LMNPSZ")
    assert not set(plain(label)) & set("<>")
    assert plain(plain(label)) == plain(label)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Amitriptyline 25 MG Oral Tablet", "Amitriptyline 25 MG Oral Tablet"),
        ("Tolperison-HCl 150 mg, Filmtabletten (N1)", "Tolperison-HCl 150 mg, Filmtabletten (N1)"),
        ("a_b", r"a\_b"),
        ("<i>", "&lt;i&gt;"),
        ("R&D", "R&amp;D"),
        ("http://a.example", f"http{JOINER}://a.example"),
        ("a\n\n# b", r"a \# b"),
    ],
)
def test_escaping_by_example(text: str, written: str) -> None:
    assert markdown(text) == written


@pytest.mark.parametrize("text", ["a \u200b b", "\u200b a", "a\x07b", "a\u202eb"])
def test_an_invisible_character_leaves_no_gap_at_an_edge(text: str) -> None:
    assert plain(text) in {"a b", "a", "ab"}


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.integers(2, 140))
def test_a_shortened_text_fits_and_shows_that_it_was_cut(text: str, limit: int) -> None:
    short = shortened(text, limit)
    assert len(short) <= limit
    assert short == text if len(text) <= limit else short.endswith("…")
    assert text.startswith(short.removesuffix("…")) or short == text


def test_a_text_is_cut_at_a_word_where_one_is_near() -> None:
    assert shortened("amitriptyline hydrochloride 25 mg", 30) == "amitriptyline hydrochloride…"
    assert shortened("a verylongnamewithoutanyspace", 20) == "a verylongnamewitho…"


@given(st.text(alphabet=string.printable))
@example("www.example.org")
@example("25 mg (1-0-1), 50 %")
def test_words_are_escaped_alike_whether_or_not_something_beside_them_needs_it(text: str) -> None:
    words = " ".join(text.split())
    assert markdown(f"{words} *") == f"{markdown(words)} \\*".lstrip()

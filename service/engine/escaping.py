"""Text from a request made harmless for a card: it stays text in Markdown and HTML, whatever it holds.

The reference client renders raw HTML inside ``detail``; other clients turn bare addresses into links.
"""

import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_\[\]#|~!])")
_HARMLESS = re.compile(r"[A-Za-z0-9,;()%/+-]+(?: [A-Za-z0-9,;()%/+-]+)*")
"""Words of characters that mean nothing in Markdown, HTML or an address. Most labels, doses and dates are such."""
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ANGLES = str.maketrans({"<": "‹", ">": "›"})
_ADDRESS = re.compile(r"(?i)(?:https?|ftp|mailto|javascript|data)(?=:)|www(?=\.)|(?=@)")
_WORD_JOINER = "\N{WORD JOINER}"
_ALIKE = str.maketrans({"\u2028": " ", "\u2029": " "})


def plain(text: str) -> str:
    """One line of text without control or direction characters; angle brackets become single quotes.

    For a card's summary, which is plain text, but which a careless client may still put into HTML.
    """
    return _one_line(text).translate(_ANGLES)


def markdown(text: str) -> str:
    """One line of text that GitHub Flavored Markdown shows as it is: no markup, no HTML, no automatic link."""
    if _HARMLESS.fullmatch(text):
        return text
    escaped = _MARKDOWN.sub(r"\\\1", _one_line(text)).translate(_HTML)
    return _ADDRESS.sub(lambda match: match[0] + _WORD_JOINER, escaped)


def _one_line(text: str) -> str:
    """White space folded; control, direction-changing and unassigned characters removed."""
    spaced = " ".join(text.translate(_ALIKE).split())
    if spaced.isprintable():
        return spaced
    kept = "".join(c for c in spaced if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"})
    return " ".join(kept.split())


def shortened(text: str, limit: int) -> str:
    """The text within ``limit`` characters, cut at a word where one is near, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: max(limit - 1, 1)]
    word = cut.rsplit(" ", 1)[0]
    return (word if len(word) > limit // 2 else cut).rstrip(" ,;:-") + "…"

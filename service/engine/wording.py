"""How facts are written on a card: short drug names, lists, amounts and dates; how long a card may be; its templates.

Text from a request is made harmless: it stays text in Markdown and HTML, whatever it holds. The reference client
renders raw HTML inside ``detail``; other clients turn bare addresses into links.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context

from service.dosing.amount import number, strengths_in_text
from service.engine.finding import Threshold
from service.engine.library import Library
from service.facts import MedicationOrder

SUMMARY_LIMIT = 90
"""Characters of a summary."""
DETAIL_LIMIT, LISTING_LIMIT = 60, 80
"""Words of a detail, and of one that lists at least two items."""
LINE_LIMIT = 20
"""Words of a line."""
MOST = (6, 4, 3, 2, 1)
"""How many items a list names before it says how many more there are; the next one where a text is too long."""
FORMS = ("short", "long")
"""The texts of a row of a card's table: for its summary and for its detail."""
_LABEL = 40
_MARKUP = re.compile(r"[*_`#>|-]")


_MARKDOWN = re.compile(r"([\\`*_\[\]#|~!])")
_HARMLESS = re.compile(r"[A-Za-z0-9,;()%/+-]+(?: [A-Za-z0-9,;()%/+-]+)*")
"""Words of characters that mean nothing in Markdown, HTML or an address. Most labels, doses and dates are such."""
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ANGLES = str.maketrans({"<": "‹", ">": "›"})
_ADDRESS = re.compile(r"(?i)(?:https?|ftp|mailto|javascript|data)(?=:)|www(?=\.)|(?=@)")
_WORD_JOINER = "\N{WORD JOINER}"
_ALIKE = str.maketrans({"\u2028": " ", "\u2029": " "})


def count(text: str) -> int:
    """The words of a Markdown text, its markup aside."""
    return len(_MARKUP.sub(" ", text).split())


def limit(detail: str) -> int:
    """How many words a detail may have."""
    return LISTING_LIMIT if detail.count("\n- ") >= 2 else DETAIL_LIMIT


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


def ingredient(order: MedicationOrder, titles: Mapping[str, str]) -> str:
    """What an order is for, by its ingredients; as the client calls it when they are not known."""
    drugs = order.drug.drugs if order.drug.combination else order.drug.drugs[:1]
    named = "/".join(titles.get(drug, drug).partition(" (")[0] for drug in drugs)
    return named or shortened(plain(order.label), _LABEL) or "an order without a drug name"


def drug(order: MedicationOrder, titles: Mapping[str, str]) -> str:
    """The short name of an order's drug: ingredient and strength, "amitriptyline 25 mg"."""
    name, own = ingredient(order, titles), order.drug.drugs[:1]
    stated = {(s.mg, s.per_ml) for s in order.drug.strengths if (s.drug,) == own}
    if not own or order.drug.combination:
        return name
    strengths = stated or {(mg, False) for mg in strengths_in_text(order.label)}
    if len(strengths) != 1:
        return name
    ((mg, per_ml),) = strengths
    return f"{name} {amount(mg)}{'/mL' if per_ml else ''}"


def amount(value: Threshold | Fraction | int) -> str:
    """An amount in mg: "2.5 mg"."""
    return f"{as_number(value.to('mg') if isinstance(value, Threshold) else value)} mg"


def as_number(value: Threshold | Fraction | int) -> str:
    """A number as a person writes it, without its unit."""
    return number(Fraction(value.value if isinstance(value, Threshold) else value))


def days(value: Threshold | Fraction | int) -> str:
    """A span in days: "14 days"."""
    written = as_number(value.to("d") if isinstance(value, Threshold) else value)
    return f"{written} day" if written == "1" else f"{written} days"


def day(value: date) -> str:
    """A date: "2 March 2026"."""
    return f"{value.day} {value:%B %Y}"


def joined(items: Sequence[str]) -> str:
    """Items as a person lists them: "a, b and c"."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def few(items: Iterable[str], most: int) -> list[str]:
    """The first items, each once; the last says how many more there are: "3 more"."""
    once = list(dict.fromkeys(items))
    return once if len(once) <= most + 1 else [*once[:most], f"{len(once) - most} more"]


def filters(titles: Mapping[str, str]) -> dict[str, Callable[..., Any]]:
    """The filters that templates know by name. ``titles`` are the names of drugs by their id."""

    def text(item: Any) -> str:
        return ingredient(item, titles) if isinstance(item, MedicationOrder) else str(item)

    @pass_context
    def first_few(context: Context, items: Iterable[Any]) -> list[str]:
        kept = [item if isinstance(item, str) else text(item) for item in items]
        return few(kept, context["most"])

    @pass_context
    def listed(context: Context, items: Iterable[Any]) -> str:
        return joined(few(map(text, items), context["most"]))

    return {
        "drug": lambda order: drug(order, titles),
        "ingredient": lambda order: ingredient(order, titles),
        "list": listed,
        "start": lambda text: f"{text[:1].upper()}{text[1:]}",
        "few": first_few,
        "mg": amount,
        "number": as_number,
        "days": days,
        "date": day,
    }


class Rendered(str):
    """Text whose values are escaped already."""


def texts_of(library: Library) -> dict[str, str]:
    """The texts of all templates by their names: sections of cards, texts of their tables' rows, shared lines."""
    cards = library.cards.values()
    sections = {f"{card.id}/{title}": text for card in cards for title, text in card.sections.items()}
    rows = {
        f"{card.id}/{reason}/{form}": text
        for card in cards
        for reason, forms in card.reasons.items()
        for form, text in forms.items()
        if form in FORMS
    }
    return {**sections, **rows, **library.lines}


def templates_of(library: Library, escape: Callable[[str], str]) -> Environment:
    """Templates of all cards and lines, every value that is printed going through ``escape``."""

    def finalize(value: Any) -> Any:
        if isinstance(value, Rendered):
            return value
        return escape(value if isinstance(value, str) else str(value))

    texts = texts_of(library)
    environment = Environment(
        # A template's name stands in tracebacks as its file's, so that an error can be located.
        loader=FunctionLoader(lambda name: (texts[name], name, None) if name in texts else None),
        undefined=StrictUndefined,
        cache_size=-1,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        autoescape=False,  # noqa: S701  (the output is Markdown or plain text; ``finalize`` escapes for those)
    )
    # The cards call none of Jinja's functions, and every template would copy them for every card it renders.
    environment.globals.clear()
    environment.filters |= filters(library.terminology.titles)
    return environment


def shortest(template: Template, values: Mapping[str, Any], length: Callable[[str], int], limit: int) -> str:
    """One line of text, its lists cut as little as makes it fit."""
    text = ""
    for most in MOST:
        text = " ".join(template.render({**values, "most": most}).split())
        if length(text) <= limit:
            break
    return text


def tidy(text: str) -> str:
    """Blank lines folded to one; list items without a gap between them."""
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines)

"""The templates of all cards, which escape every value from a request."""

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from service.engine import words
from service.engine.library import Library

FORMS = ("short", "long")
"""The texts of a row of a card's table: for its summary and for its detail."""


class Rendered(str):
    """Text whose values are escaped already."""


class _NamedTexts(DictLoader):
    """Templates whose names appear in tracebacks as file names, so that an error can be located."""

    def get_source(  # type: ignore[override]
        self, environment: Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool]]:
        """The text of a template, its name in place of a file's."""
        source, _, current = super().get_source(environment, template)
        return source, template, current


def templates_of(library: Library, escape: Callable[[str], str]) -> Environment:
    """Templates of all cards and lines, every value that is printed going through ``escape``."""

    def finalize(value: Any) -> Any:
        if isinstance(value, Rendered):
            return value
        return escape(value if isinstance(value, str) else str(value))

    texts = {f"{card.id}/{title}": text for card in library.cards.values() for title, text in card.sections.items()}
    texts |= {
        f"{card.id}/{reason}/{form}": text
        for card in library.cards.values()
        for reason, forms in card.reasons.items()
        for form, text in forms.items()
        if form in FORMS
    }
    environment = Environment(
        loader=_NamedTexts({**texts, **library.lines}),
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
    environment.filters |= words.filters(library.terminology.titles)
    return environment


def shortest(template: Template, values: Mapping[str, Any], length: Callable[[str], int], limit: int) -> str:
    """One line of text, its lists cut as little as makes it fit."""
    text = ""
    for most in words.MOST:
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

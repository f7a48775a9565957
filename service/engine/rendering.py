"""From a finding to a card: the words of its file, filled in, every value from the request made harmless."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined

from service.cdshooks.messages import EXTENSION, Action, Card, Coding, Link, Source, Suggestion
from service.chart import MedicationOrder, Unread
from service.dosing.numbers import number
from service.engine.escaping import markdown, plain, shortened
from service.engine.finding import Finding
from service.engine.library import CardFile, Library
from service.engine.ranking import FOLD
from service.engine.suggestions import Change, Offered, SuggestionContext, actions_for, change_for

NOT_CHECKED = "not-checked"
LOCAL = "http://127.0.0.1:8000"
SUMMARY_LIMIT = 139
"""CDS Hooks: fewer than 140 characters (C-071)."""

_SHORT_LABEL = 45
_LABEL_LIMITS = (90, 60, 45, 36, 28, 20, 14)


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders findings with one library. Holds the compiled templates; make one and keep it."""

    library: Library
    plain: Environment
    marked: Environment
    public_url: str

    @classmethod
    def of(cls, library: Library, public_url: str = LOCAL) -> "Renderer":
        """A renderer for a library; ``public_url`` is where clients find the pages behind the cards."""
        return cls(library, _environment(library, plain), _environment(library, markdown), public_url.rstrip("/"))

    def card(self, finding: Finding, asked: SuggestionContext, new_uuid: Callable[[], str]) -> Card:
        """The card of a finding. ``asked`` is what suggestions have to fit."""
        file = self.library.cards[finding.card]
        finding, change = self._change(finding, asked)
        finding, offered = self._offered(finding, asked)
        values = self._values(file, finding, change)
        values["offered"] = offered
        card = Card(
            uuid=new_uuid(),
            summary=self._summary(file, values),
            indicator=finding.indicator.word,
            source=self._source(file),
            detail=self._detail(file, values),
            links=self._links(file, finding),
            extension={EXTENSION: self._extension(file, finding)},
        )
        suggestions = [self._suggestion(file, values, change, new_uuid)] if change is not None else []
        suggestions += [Suggestion(offer.label, new_uuid(), list(offer.actions)) for offer in offered]
        if suggestions:
            card.suggestions = suggestions
            card.selectionBehavior = "at-most-one"
        if finding.indicator.word != "info" and file.override_reasons:
            card.overrideReasons = [
                Coding(code, self.library.override_system, self.library.override_reasons[code])
                for code in file.override_reasons
            ]
        return card

    def _change(self, finding: Finding, asked: SuggestionContext) -> tuple[Finding, Change | None]:
        """The change a finding proposes, worked out; or the finding with the reason why there is none."""
        if finding.proposal is None:
            return finding, None
        change = change_for(finding.proposal, asked, self.library)
        if isinstance(change, str):
            return replace(finding, withheld=(*finding.withheld, change), proposal=None), None
        return finding, change

    def _offered(self, finding: Finding, asked: SuggestionContext) -> tuple[Finding, list[Offered]]:
        """What a finding offers, worked out; what cannot be offered to this client adds its reason."""
        found = [actions_for(offer, asked, self.library) for offer in finding.offers]
        refused = tuple(dict.fromkeys(reason for reason in found if isinstance(reason, str)))
        offered = [offer for offer in found if isinstance(offer, Offered)]
        return replace(finding, withheld=(*finding.withheld, *refused)), offered

    def _values(self, file: CardFile, finding: Finding, change: Change | None) -> dict[str, Any]:
        values: dict[str, Any] = {
            **finding.facts,
            "orders": finding.orders,
            "lines": [_Rendered(line) for line in finding.lines],
            "thresholds": file.thresholds,
            "version": self.library.version,
            "withheld": [self.library.withheld[reason] for reason in finding.withheld],
            "product": change.product if change is not None else "",
        }
        if "failed" in finding.facts:
            values["failed_title"] = self.library.cards[finding.facts["failed"]].title
        if "folded" in finding.facts:
            values["titles"] = [self.library.cards[card].title for card in finding.facts["folded"]]
        if finding.unread:
            values |= self._unread(finding.unread)
        return values

    def sentence(self, gap: Unread, form: str = "long", *, marked: bool = True) -> str:
        """The sentence of the not-checked card for one gap, long or short, as Markdown or as plain text."""
        file = self.library.cards[NOT_CHECKED]
        environment = self.marked if marked else self.plain
        label = plain(gap.order.label if gap.order is not None else "") or "an order"
        return environment.get_template(f"{file.id}/{gap.reason}/{form}").render(
            label=shortened(label, _SHORT_LABEL) if form == "short" else label,
            element=gap.element,
            found=gap.found,
            list=file.lists.get(gap.element, gap.element),
            **file.thresholds,
        )

    def by_hand(self, suggestions: list[Suggestion]) -> str:
        """What suggestions would have done, as Markdown, for a client that cannot be told them."""
        return "\n".join([self.library.by_hand, *map(_in_words, suggestions)])

    def _unread(self, unread: tuple[Unread, ...]) -> dict[str, Any]:
        """The sentences for what could not be read: the first in short, all in full."""
        full = list(dict.fromkeys(map(self.sentence, unread)))
        return {
            "first": _Rendered(self.sentence(unread[0], "short", marked=False)),
            "more": str(len(full) - 1) if len(full) > 1 else "",
            "reasons": [_Rendered(text) for text in full],
        }

    def _summary(self, file: CardFile, values: Mapping[str, Any]) -> str:
        """The summary with drug names cut until it fits: what to do must not be cut away by a long name."""
        template = self.plain.get_template(f"{file.id}/summary")
        text = " ".join(template.render(values).split())
        for limit in _LABEL_LIMITS:
            if len(text) <= SUMMARY_LIMIT:
                return text
            text = " ".join(template.render(_with_short_labels(values, limit)).split())
        return shortened(text, SUMMARY_LIMIT)

    def _detail(self, file: CardFile, values: Mapping[str, Any]) -> str:
        """The detail; on a card that names folded others beside its own matter, their names at its end."""
        named = "titles" in values and file.id != FOLD
        names = [f"{file.id}/detail", *(["more"] if named else [])]
        return _tidy("\n".join(self.marked.get_template(name).render(values) for name in names))

    def _source(self, file: CardFile) -> Source:
        source = self.library.sources[file.sources[0]]
        return Source(source.label, source.url) if source.url else Source(source.label)

    def _links(self, file: CardFile, finding: Finding) -> list[Link]:
        named = [file, *(self.library.cards[card] for card in finding.facts.get("folded", ()))]
        pages = [Link(f"About this card: {one.title}", f"{self.public_url}/guidance/{one.id}") for one in named]
        return [*pages, *(Link(self.library.sources[key].link, self.library.sources[key].url) for key in file.links)]

    def _extension(self, file: CardFile, finding: Finding) -> dict[str, Any]:
        """What a program may want to know of a card; merged rules are listed, empty members left out."""
        lines = [self.library.line_cards[line] for line in finding.lines]
        rules = [file.rule, *finding.rules, *(line.rule for line in lines)]
        statements = sorted({*file.statements, *(s for line in lines for s in line.statements)})
        references = [order.reference for order in finding.orders if order.reference]
        return {
            "card": file.id,
            "rule": file.rule,
            **({"rules": rules} if len(rules) > 1 else {}),
            **({"statements": statements} if statements else {}),
            "guidance": self.library.version,
            **({"orders": references} if references else {}),
            **({"notChecked": sorted({gap.reason for gap in finding.unread})} if finding.unread else {}),
        }

    def _suggestion(
        self, file: CardFile, values: Mapping[str, Any], change: Change, new_uuid: Callable[[], str]
    ) -> Suggestion:
        label, description = (
            " ".join(self.plain.get_template(f"{file.id}/{section}").render(values).split())
            for section in ("suggestion", "action")
        )
        return Suggestion(label, new_uuid(), [Action("update", description, resource=change.order)])


def _in_words(suggestion: Suggestion) -> str:
    """A suggestion as a list item: its label, and each action with the order that it deletes."""
    said = [f"- **{markdown(suggestion.label)}:**"]
    for action in suggestion.actions:
        said.append(markdown(action.description))
        if action.resourceId:
            said.append(f"({markdown(action.resourceId)})")
    return " ".join(said)


class _Rendered(str):
    """Text whose values are escaped already."""


def _environment(library: Library, escape: Callable[[str], str]) -> Environment:
    """Templates of all cards and lines, every value that is printed going through ``escape``."""

    def finalize(value: Any) -> Any:
        if isinstance(value, _Rendered):
            return value
        return escape(value if isinstance(value, str) else str(value))

    templates = {f"{card.id}/{title}": text for card in library.cards.values() for title, text in card.sections.items()}
    templates |= {
        f"{card.id}/{reason}/{form}": text
        for card in library.cards.values()
        for reason, forms in card.reasons.items()
        for form, text in forms.items()
    }
    environment = Environment(
        loader=DictLoader({**templates, **library.lines}),
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        autoescape=False,  # noqa: S701  (the output is Markdown or plain text; ``finalize`` escapes for those)
    )
    # The cards call none of Jinja's functions, and every template would copy them for every card it renders.
    environment.globals.clear()
    environment.filters["number"] = _number
    environment.filters["sentence"] = "; ".join
    return environment


def _number(value: Fraction) -> str:
    return number(value)


def _with_short_labels(values: Mapping[str, Any], limit: int) -> dict[str, Any]:
    """The values with every order's label cut to a length, wherever an order stands."""

    def short(value: Any) -> Any:
        if isinstance(value, MedicationOrder):
            return replace(value, label=shortened(plain(value.label), limit))
        if isinstance(value, tuple):
            return tuple(short(item) for item in value)
        return value

    return {name: short(value) for name, value in values.items()}


def _tidy(text: str) -> str:
    """Blank lines folded to one; list items without a gap between them."""
    lines: list[str] = []
    for line in (raw.rstrip() for raw in text.strip().splitlines()):
        if line or (lines and lines[-1]):
            lines.append(line)
    return "\n".join(lines)

"""From a finding to a card: the words of its file, filled in, every value from the request made harmless."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from jinja2 import Environment
from msgspec import UNSET

from service.cdshooks.messages import EXTENSION, Action, Card, Coding, Link, Response, Source, Suggestion
from service.engine import wording
from service.engine.finding import Finding
from service.engine.library import OVERRIDE_REASONS, TOPICS, CardFile, Library
from service.engine.suggestions import Change, Offered, actions_for, change_for
from service.engine.wording import Rendered, markdown, plain, shortened, shortest, templates_of, tidy
from service.facts import Unread
from service.fhir.edit import ClientOrders

NOT_CHECKED = "not-checked"
LOCAL = "http://127.0.0.1:8000"
CODE_SYSTEMS = "/fhir/CodeSystem"
"""Where this service publishes its code systems, below its public address."""
SUMMARY_LIMIT = 139
"""CDS Hooks: fewer than 140 characters (C-071)."""

_MOST_WORDS = 2
"""Entries of a list that could not be read which are named; the others are counted."""
_FOUND = 40
"""Characters of what was found in an order and is repeated on the card."""


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders findings with one library. Holds the compiled templates; make one and keep it."""

    library: Library
    plain: Environment
    marked: Environment
    public_url: str
    signed: Mapping[str, date] = field(default_factory=dict)

    @classmethod
    def of(cls, library: Library, public_url: str = LOCAL, signed: Mapping[str, date] | None = None) -> "Renderer":
        """A renderer for a library; ``public_url`` is where clients find the pages behind the cards.

        ``signed`` are the cards that a clinician has signed off, each with the last day on which that stands.
        """
        environments = (templates_of(library, plain), templates_of(library, markdown))
        return cls(library, *environments, public_url.rstrip("/"), signed or {})

    def card(self, finding: Finding, orders: ClientOrders, new_uuid: Callable[[], str]) -> Card:
        """The card of a finding. ``orders`` are what suggestions change or have to fit."""
        card_id = new_uuid()
        parts = [self._part(one, orders, new_uuid) for one in finding.all]
        own = parts[0]
        source = self._source(own)
        card = Card(
            uuid=card_id,
            summary=self._summary(own),
            indicator=finding.indicator.word,
            source=source,
            detail=self._detail(parts, source),
            links=self._links(own.file, finding),
            extension={EXTENSION: self._extension(own.file, finding)},
        )
        suggestions = [suggestion for part in parts for suggestion in part.suggestions]
        if suggestions:
            card.suggestions = suggestions
            card.selectionBehavior = "at-most-one"
        if finding.indicator.word != "info" and own.file.override_reasons:
            card.overrideReasons = [self._override_reason(code) for code in own.file.override_reasons]
        return card

    def _part(self, finding: Finding, orders: ClientOrders, new_uuid: Callable[[], str]) -> "_Part":
        """What one of a card's findings says and offers."""
        file = self.library.cards[finding.card]
        finding, change = self._change(finding, orders)
        finding, offered = self._offered(finding, orders)
        values = self._values(file, finding, change)
        values["offered"] = offered
        suggestions = [self._suggestion(file, values, change, new_uuid)] if change is not None else []
        suggestions += [Suggestion(offer.label, new_uuid(), list(offer.actions)) for offer in offered]
        reviewed = date.min < orders.today <= self.signed.get(file.id, date.min)
        # The words of a state of its own say why; otherwise the first reason does, where there is room.
        reason = "" if suggestions or finding.state else next(iter(values["withheld"]), "")
        return _Part(file, finding.state, values, tuple(suggestions), reviewed, reason)

    def _override_reason(self, code: str) -> Coding:
        """A reason by its code: one of HL7's, or one of our own."""
        if code in self.library.override_reasons:
            return Coding(code, self.library.override_system, self.library.override_reasons[code])
        return self._own(OVERRIDE_REASONS, code)

    def _own(self, system: str, code: str) -> Coding:
        """A code of a code system that this service publishes."""
        display = self.library.code_systems[system].displays[code]
        return Coding(code, f"{self.public_url}{CODE_SYSTEMS}/{system}", display)

    def _change(self, finding: Finding, orders: ClientOrders) -> tuple[Finding, Change | None]:
        """The finding and the change it proposes; without a change, the finding carries the reason."""
        if finding.proposal is None:
            return finding, None
        change = change_for(finding.proposal, orders, self.library)
        if isinstance(change, str):
            return replace(finding, withheld=(*finding.withheld, change), proposal=None), None
        return finding, change

    def _offered(self, finding: Finding, orders: ClientOrders) -> tuple[Finding, list[Offered]]:
        """What a finding offers, worked out; what cannot be offered to this client adds its reason."""
        if not finding.offers:
            return finding, []
        found = [actions_for(offer, orders, self.library) for offer in finding.offers]
        refused = tuple(dict.fromkeys(reason for reason in found if isinstance(reason, str)))
        offered = [offer for offer in found if isinstance(offer, Offered)]
        return replace(finding, withheld=(*finding.withheld, *refused)), offered

    def _values(self, file: CardFile, finding: Finding, change: Change | None) -> dict[str, Any]:
        values: dict[str, Any] = {
            **finding.facts,
            "orders": finding.orders,
            "thresholds": file.thresholds,
            "most": wording.MOST[0],
            "withheld": [self.library.withheld[reason] for reason in finding.withheld],
            "product": change.product if change is not None else "",
        }
        if "failed" in finding.facts:
            values["failed_title"] = self.library.cards[finding.facts["failed"]].title
        values["titles"] = [self.library.cards[one.card].title for one in finding.all[1:]]
        if finding.unread:
            values |= self._unread(finding.unread)
        return values

    def sentence(self, gap: Unread, form: str = "long", *, elements: Sequence[str] = (), marked: bool = True) -> str:
        """The sentence of the not-checked card for one gap, long or short, as Markdown or as plain text.

        ``elements`` are the lists that it is about, if there are several.
        """
        file = self.library.cards[NOT_CHECKED]
        environment = self.marked if marked else self.plain
        label = wording.drug(gap.order, self.library.terminology.titles) if gap.order is not None else "an order"
        return environment.get_template(f"{file.id}/{gap.reason}/{form}").render(
            label=label,
            element=gap.element,
            found=shortened(plain(gap.found), _FOUND),
            words=[shortened(plain(word), _FOUND) for word in gap.words[:_MOST_WORDS]],
            others=max(len(gap.words) - _MOST_WORDS, 0),
            list=wording.joined([file.lists.get(element, element) for element in elements or (gap.element,)]),
            **file.thresholds,
        )

    def naming_quiet(self, cards: list[Card], quiet: Sequence[Finding]) -> Response:
        """The answer with what was kept quiet named: in its extension, and in a line of the last card."""
        if not quiet:
            return Response(cards)
        if cards:
            titles = "; ".join(self.library.cards[finding.card].title for finding in quiet)
            cards[-1].detail += f"\n\n{self.library.quiet} {markdown(titles)}."
        return Response(cards, {EXTENSION: {"quiet": [finding.card for finding in quiet]}})

    def by_hand(self, suggestions: list[Suggestion]) -> str:
        """The suggestions that a client cannot receive, in their own few words, as Markdown."""
        return "\n".join([self.library.by_hand, *(f"- {markdown(suggestion.label)}" for suggestion in suggestions)])

    def _unread(self, unread: tuple[Unread, ...]) -> dict[str, Any]:
        """The sentences for what could not be read, in short and in full; one for all lists that lack the same."""
        lists = self.library.cards[NOT_CHECKED].lists
        together: dict[Unread, list[str]] = {}
        for gap in unread:
            alike = replace(gap, element="") if gap.element in lists and not gap.found else gap
            together.setdefault(alike, []).append(gap.element)
        sentences = [self.sentence(gap, elements=list(dict.fromkeys(elements))) for gap, elements in together.items()]
        return {
            "gaps": list(dict.fromkeys(self.sentence(gap, "short", marked=False) for gap in unread)),
            "reasons": [Rendered(text) for text in dict.fromkeys(sentences)],
        }

    def _summary(self, part: "_Part") -> str:
        """The summary with its lists cut until it fits: what to do must not be cut away by a long list."""
        template = self.plain.get_template(part.template("summary"))
        return shortened(shortest(template, part.values, len, wording.SUMMARY_LIMIT), SUMMARY_LIMIT)

    def _detail(self, parts: Sequence["_Part"], source: Source) -> str:
        """What the card says, a line for each further finding, and that it is not reviewed; as short as it can be.

        Lists are cut first, and why no change is offered is said only where there is room. Then further findings are
        said by the summaries of their cards where these are shorter, then by their titles, those of this very card by
        their number.
        """
        own, *others = parts
        template = self.marked.get_template(own.template("detail"))
        lines = [self._line(part) for part in others]
        because = [markdown(f"{self.library.no_button} {own.no_change}.")] if own.no_change else []
        for reason in (*because, ""):
            for most in wording.MOST:
                words = f"{template.render({**own.values, 'most': most})}\n\n{reason}"
                text = self._whole(words, lines, parts, source)
                if wording.count(text) <= wording.limit(text):
                    return text
        return self._shortened(template.render({**own.values, "most": 1}), lines, parts, source)

    def _shortened(self, words: str, lines: list[str], parts: Sequence["_Part"], source: Source) -> str:
        """The detail with lines said more briefly, as many of them as it takes, the last ones first."""
        own, *others = parts
        lines = [
            line if part.file is own.file else min(line, self._in_short(part), key=wording.count)
            for line, part in zip(lines, others, strict=True)
        ]
        text, hidden = self._whole(words, lines, parts, source), 0
        for place, part in reversed(list(enumerate(others))):
            if wording.count(text) <= wording.limit(text):
                break
            if part.file is own.file:
                hidden += 1
                lines[place : place + min(hidden, 2)] = [self.library.more_on_page.format(number=hidden)]
            else:
                lines[place] = markdown(f"{part.file.title}.")
            text = self._whole(words, lines, parts, source)
        return text

    def _in_short(self, part: "_Part") -> str:
        """The summary of a finding as a line of another card."""
        return (
            f"{shortest(self.marked.get_template(part.template('summary')), part.values, len, wording.SUMMARY_LIMIT)}."
        )

    def _whole(self, words: str, lines: Sequence[str], parts: Sequence["_Part"], source: Source) -> str:
        """The whole detail; what has to be marked, such as "the article", is marked once."""
        listed = "\n".join(f"- {line}" for line in lines)
        last = "" if all(part.reviewed for part in parts) else self.library.not_reviewed
        text = tidy("\n\n".join(filter(None, (words, listed, last))))
        for word, mark in self.library.plan.marks.items():
            if mark not in source.label:
                text = re.sub(rf"\b{re.escape(word)}\b", rf"\g<0> ({mark})", text, count=1, flags=re.IGNORECASE)
        return text

    def _line(self, part: "_Part") -> str:
        """A finding in one line; where its card has no line, the card's title."""
        if part.file.section("line", part.state) not in part.file.sections:
            return markdown(f"{part.file.title}.")
        template = self.marked.get_template(part.template("line"))
        return shortest(template, part.values, wording.count, wording.LINE_LIMIT)

    def _source(self, part: "_Part") -> Source:
        source = self.library.sources[part.file.source_of(part.state)]
        topic = self._own(TOPICS, part.file.topic)
        return Source(source.label, source.url or UNSET, topic)

    def _links(self, file: CardFile, finding: Finding) -> list[Link]:
        named = dict.fromkeys([file.id, *(one.card for one in finding.all)])
        pages = [
            Link(f"About this card: {self.library.cards[card].title}", f"{self.public_url}/guidance/{card}")
            for card in named
        ]
        return [*pages, *(Link(self.library.sources[key].link, self.library.sources[key].url) for key in file.links)]

    def _extension(self, file: CardFile, finding: Finding) -> dict[str, Any]:
        """What a program may want to know of a card; merged rules are listed, empty members left out."""
        cards = [self.library.cards[one.card] for one in finding.all]
        rules = list(dict.fromkeys([*(card.rule for card in cards), *(r for one in finding.all for r in one.rules)]))
        statements = sorted({statement for card in cards for statement in card.statements})
        orders = dict.fromkeys(order for one in finding.all for order in one.orders)
        references = [order.reference for order in orders if order.reference]
        unread = sorted({gap.reason for one in finding.all for gap in one.unread})
        return {
            "card": file.id,
            "rule": file.rule,
            **({"rules": rules} if len(rules) > 1 else {}),
            **({"statements": statements} if statements else {}),
            "guidance": self.library.version,
            **({"orders": references} if references else {}),
            **({"notChecked": unread} if unread else {}),
        }

    def _suggestion(
        self, file: CardFile, values: Mapping[str, Any], change: Change, new_uuid: Callable[[], str]
    ) -> Suggestion:
        label, description = (
            " ".join(self.plain.get_template(f"{file.id}/{section}").render(values).split())
            for section in ("suggestion", "action")
        )
        return Suggestion(label, new_uuid(), [Action("update", description, resource=change.order)])


@dataclass(frozen=True, slots=True)
class _Part:
    """One finding of a card: its file and state, what its words mention, what it offers or why nothing, its review."""

    file: CardFile
    state: str
    values: Mapping[str, Any]
    suggestions: tuple[Suggestion, ...]
    reviewed: bool
    no_change: str

    def template(self, kind: str) -> str:
        """The name of the template that says this."""
        return f"{self.file.id}/{self.file.section(kind, self.state)}"

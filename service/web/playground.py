"""The playground: a request of one's own or one that ships, its cards as an EHR shows them, and what was read.

It calls the service's own decision with the choices of the page, so that what is seen is what an EHR gets. What is
pasted is answered and forgotten: it is in no log, record or link.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, get_args

from flask import Blueprint, Response, render_template, request

from service.cdshooks.messages import CONTEXTS, operation_outcome
from service.chart import Chart
from service.dates import DAYS
from service.decide import Decision, decide
from service.dosing.amount import NotComputed
from service.engine.rendering import Renderer
from service.errors import ServiceError
from service.facts import MedicationOrder, Unread
from service.fhir.resources import entries
from service.jsonio import encode
from service.trust.callers import Caller
from service.trust.clients import ANYBODY, PLAYGROUND, Client, Dialect, Jurisdiction
from service.web.calls import Keep, Observe
from service.web.ehr import Json, apply, called_for
from service.web.fixtures import Fixture, by_card, fixtures
from service.web.marked import Marked, marked
from service.web.pages import hardened

HOOKS = tuple(CONTEXTS)
DIALECTS: tuple[str, ...] = get_args(Dialect)
JURISDICTIONS: tuple[str, ...] = get_args(Jurisdiction)

MOST_KEYS = 100
"""Prefetch keys that the page shows."""

CALLER = Caller(ANYBODY.model_copy(update={"name": PLAYGROUND}))


@dataclass(frozen=True)
class Choice:
    """What the page asks for. ``text`` is the request as it is sent, changes of an accepted suggestion included."""

    fixture: str = ""
    text: str = ""
    hook: str = ""
    dialect: str = ""
    jurisdiction: str = ""
    day: date | None = None
    dropped: frozenset[str] = frozenset()

    @property
    def body(self) -> Json | None:
        """The request as an object, for the hook that was chosen; None when it is no JSON object."""
        try:
            body = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(body, dict):
            return None
        return called_for(body, self.hook) if self.hook and self.hook != body.get("hook") else body

    @property
    def client(self) -> Client:
        """The client for whom the answer is given."""
        return ANYBODY.model_copy(update={"dialect": self.dialect or None, "jurisdiction": self.jurisdiction or None})


@dataclass
class Shown:
    """An answer with what the page says about it."""

    status: int
    body: Json
    milliseconds: float
    chart: Chart | None = None
    marked: Marked | None = None


def playground(using: Decision, keep: Keep, observe: Observe) -> Blueprint:
    """The blueprint of the playground. Without a request to open with it opens with an empty box."""
    blueprint = Blueprint("playground", __name__, template_folder="templates")
    library = using.library
    first = library.plan.example
    shipped = partial(fixtures, library)

    def page(choice: Choice, notes: Sequence[str] = ()) -> str:
        body = choice.body
        prefetch = dict(islice(_prefetch(body).items(), MOST_KEYS))
        sent = choice.text if body is None else json.dumps(_without(body, choice.dropped), ensure_ascii=False)
        answer = _ask(sent.encode(), choice, body, using, observe) if choice.text else None
        text = choice.text if body is None else json.dumps(body, indent=2, ensure_ascii=False)
        groups = by_card(shipped())
        titles = {card: library.cards[card].title for card in groups if card in library.cards}
        return render_template(
            "playground.html",
            choice=choice,
            answer=answer,
            notes=notes,
            pretty=json.dumps(answer.body, indent=2, ensure_ascii=False) if answer else "",
            text=text,
            box=_digest(text),
            keys=sorted(prefetch),
            shipped=groupby(shipped().values(), attrgetter("hook")),
            groups=sorted(groups.items(), key=lambda group: (group[0] == "", titles.get(group[0], ""))),
            titles=titles,
            hooks=_hooks(using),
            dialects=DIALECTS,
            jurisdictions=JURISDICTIONS,
            no_dose=partial(_no_dose, using.renderer),
            not_checked=_not_checked(using.renderer, answer.chart if answer else None),
            lists=[(key, _state(value, dropped=key in choice.dropped)) for key, value in prefetch.items()],
        )

    @blueprint.get("/playground", strict_slashes=False)
    def show() -> str:
        asked = request.args.get("fixture", "")
        found = shipped()
        other = "; this is another" if first in found else ""
        gone = [f"No request that comes with the service is called {asked}{other}."]
        notes = gone if asked and asked not in found else []
        return page(_chosen(request.args, found, first), [*notes, *_refused_day(request.args)])

    @blueprint.post("/playground")
    def send() -> Response | str:
        form = request.form
        text = form.get("request", "").replace("\r\n", "\n")
        own = not form.get("fixture") or _digest(text) != form.get("box", "")
        choice = _chosen(form, shipped(), first, (text or " ") if own else "")
        if "accept" in form:
            return page(*_accepted(choice, form["accept"], keep))
        if "override" in form:
            return page(choice, [_overridden(form, keep)])
        return page(choice, _refused_day(form))

    blueprint.after_request(hardened)
    return blueprint


def _hooks(using: Decision) -> list[str]:
    """The hooks that the guideline answers."""
    return [hook for hook in HOOKS if hook in using.library.plan.services]


def _digest(text: str) -> str:
    """What tells whether the box still holds what was shown: without script nothing else does."""
    return sha256(text.encode(errors="replace")).hexdigest()


def _chosen(sent: Mapping[str, str], shipped: Mapping[str, Fixture], first: str, text: str = "") -> Choice:
    """The choices of a form or a link; what cannot be is left at its default, the request at the fixture ``first``."""

    def one_of(values: Sequence[str], name: str) -> str:
        return sent[name] if sent.get(name) in values else ""

    known = None if text else shipped.get(sent.get("fixture", "")) or shipped.get(first)
    return Choice(
        fixture=known.id if known else "",
        text=known.text if known else text,
        hook=one_of(HOOKS, "hook"),
        dialect=one_of(DIALECTS, "dialect"),
        jurisdiction=one_of(JURISDICTIONS, "jurisdiction"),
        day=_day(sent) or (known.day if known else None),
        dropped=frozenset(request.values.getlist("drop")),
    )


def _day(sent: Mapping[str, str]) -> date | None:
    """The day to answer for; None where none, or none that can be, is chosen."""
    try:
        day = date.fromisoformat(sent.get("day", ""))
    except ValueError:
        return None
    return day if DAYS[0] <= day <= DAYS[1] else None


def _refused_day(sent: Mapping[str, str]) -> list[str]:
    """What to say about a day that was chosen and cannot be answered for."""
    if not sent.get("day") or _day(sent) is not None:
        return []
    return [f"{sent['day'][:20]} is no day from {DAYS[0]} to {DAYS[1]}; the answer is for another."]


def _prefetch(body: Json | None) -> Json:
    prefetch = (body or {}).get("prefetch")
    return prefetch if isinstance(prefetch, dict) else {}


def _without(body: Json, dropped: frozenset[str]) -> Json:
    kept = {key: value for key, value in _prefetch(body).items() if key not in dropped}
    return {**body, "prefetch": kept} if dropped and _prefetch(body) else body


def _ask(sent: bytes, choice: Choice, body: Json | None, using: Decision, observe: Observe) -> Shown:
    """The answer of the service, errors included, with the chart that the rules looked at."""
    charts: list[Chart] = []
    hook, hooks = choice.hook or str((body or {}).get("hook", "")), _hooks(using)
    given = replace(using, today=lambda: choice.day or using.today(), fhir=None, seen=charts.append)
    started = time.perf_counter()
    try:
        answer = decide(sent, hook if hook in hooks else hooks[0], given, choice.client)
    except ServiceError as error:
        outcome = json.loads(operation_outcome(error.code, error.message, error.expression))
        return Shown(error.status, outcome, _since(started), marked=marked(choice.text, body, error.expression))
    milliseconds = _since(started)
    observe(answer, hook, CALLER, milliseconds, None)
    return Shown(200, json.loads(encode(answer)), milliseconds, charts[0] if charts else None)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _no_dose(renderer: Renderer, order: MedicationOrder) -> str:
    """Why the dose of an order was not computed."""
    dose = order.dose
    if not isinstance(dose, NotComputed):
        return ""
    return renderer.sentence(Unread(dose.reason, order, dose.element, dose.found, dose.conflict), marked=False)


def _not_checked(renderer: Renderer, chart: Chart | None) -> list[str]:
    """What could not be read, as the card says it in short."""
    gaps = chart.unread if chart is not None else ()
    sentences = (renderer.sentence(gap, marked=False).replace("**", "") for gap in gaps)
    return list(dict.fromkeys(f"{one[:1].upper()}{one[1:]}" for one in sentences))


def _state(value: Any, *, dropped: bool) -> str:
    """What was sent under a prefetch key, in words."""
    if dropped:
        return "left out here"
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        return f"{len(list(entries(value)))} sent"
    return "none on record" if value is None else "sent"


def _accepted(choice: Choice, which: str, keep: Keep) -> tuple[Choice, list[str]]:
    """The request with a suggestion's actions carried out, as an EHR would, and what to say about it."""
    card, suggestion = _pressed(request.form, which)
    body = choice.body
    if not suggestion or body is None:
        return choice, ["The suggestion is no longer part of this answer. Send the request again."]
    for action in suggestion.get("actions", ()):
        apply(action, body)
    entry = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion["uuid"]}]}
    note = _reported(entry, keep)
    changed = replace(choice, fixture="", hook="", text=json.dumps(body, indent=2, ensure_ascii=False))
    return changed, [f"Accepted and applied: {suggestion['label']}. {note}"]


def _overridden(form: Mapping[str, str], keep: Keep) -> str:
    card, _ = _pressed(form, form["override"])
    reasons = card.get("overrideReasons", [])
    chosen = form.get(f"reason-{form['override']}", "")
    if not card or (reasons and not (chosen.isdigit() and int(chosen) < len(reasons))):
        return "The card is no longer part of this answer. Send the request again."
    entry = {"card": card["uuid"], "outcome": "overridden"}
    if not reasons:
        return f"Dismissed: {card['summary']}. {_reported(entry, keep)}"
    entry["overrideReason"] = {"reason": reasons[int(chosen)]}
    because = reasons[int(chosen)].get("display", "")
    return f"Overridden: {card['summary']}. Reason: {because}. {_reported(entry, keep)}"


def _reported(entry: Json, keep: Keep) -> str:
    sent = {"feedback": [{**entry, "outcomeTimestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}"}]}
    try:
        keep(encode(sent))
    except ServiceError as error:
        return f"The feedback was not kept: {error.message}"
    return "The feedback was sent."


def _pressed(form: Mapping[str, str], which: str) -> tuple[Json, Json]:
    """The card and the suggestion of the answer in the form that a button names; empty ones when there are none."""
    numbers = [int(part) for part in which.split(".") if part.isdigit()]
    try:
        card = json.loads(form.get("answer", ""))["cards"][numbers[0]]
        suggestion = card["suggestions"][numbers[1]] if len(numbers) > 1 else {}
    except (ValueError, LookupError, TypeError):
        return {}, {}
    return (card, suggestion) if isinstance(card, dict) and isinstance(suggestion, dict) else ({}, {})

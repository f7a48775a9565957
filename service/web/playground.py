"""The playground: a request of one's own or one that ships, its cards as an EHR shows them, and what was read.

It calls the service's own decision with the choices of the page, so that what is seen is what an EHR gets. What is
pasted is answered and forgotten: it is in no log, record or link.
"""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, get_args
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request

from service.cdshooks.messages import CONTEXTS
from service.cdshooks.outcomes import operation_outcome
from service.chart import Chart
from service.decide import Decision, decide
from service.errors import ServiceError
from service.jsonio import encode
from service.trust.clients import ANYBODY, Client, Dialect, Jurisdiction
from service.trust.tokens import Caller
from service.web.feedback import Keep
from service.web.fixtures import by_card, fixtures
from service.web.invoke import Observe
from service.web.pages import FIRST, hardened

HOOKS = tuple(CONTEXTS)
DIALECTS: tuple[str, ...] = get_args(Dialect)
JURISDICTIONS: tuple[str, ...] = get_args(Jurisdiction)

Json = dict[str, Any]
CALLER = Caller(ANYBODY.model_copy(update={"name": "playground"}))


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
    def client(self) -> Client:
        """The client for whom the answer is given."""
        return ANYBODY.model_copy(update={"dialect": self.dialect or None, "jurisdiction": self.jurisdiction or None})

    @property
    def link(self) -> str:
        """The query that shows this again; empty for a request of one's own, which no link may hold."""
        if not self.fixture:
            return ""
        said = {"fixture": self.fixture, "dialect": self.dialect, "jurisdiction": self.jurisdiction}
        said |= {"hook": self.hook, "day": self.day.isoformat() if self.day else ""}
        return urlencode([(k, v) for k, v in said.items() if v] + [("drop", key) for key in sorted(self.dropped)])


@dataclass
class Shown:
    """An answer with what the page says about it."""

    status: int
    body: Json
    milliseconds: float
    chart: Chart | None = None
    marked: tuple[str, str, str] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def cards(self) -> list[Json]:
        """The cards, none for an error."""
        return list(self.body.get("cards", ()))


def playground(using: Decision, keep: Keep, observe: Observe) -> Blueprint:
    """The blueprint of the playground."""
    blueprint = Blueprint("playground", __name__, template_folder="templates")

    def page(choice: Choice, notes: Sequence[str] = ()) -> str:
        body = _request(choice)
        sent = choice.text if body is None else json.dumps(_without(body, choice.dropped), ensure_ascii=False)
        answer = _ask(sent.encode(), choice, body, using, observe)
        answer.notes += notes
        keys = sorted(body["prefetch"]) if body and isinstance(body.get("prefetch"), dict) else []
        groups = by_card(fixtures())
        titles = {card: using.library.cards[card].title for card in groups if card in using.library.cards}
        return render_template(
            "playground.html",
            choice=choice,
            answer=answer,
            pretty=json.dumps(answer.body, indent=2, ensure_ascii=False),
            text=choice.text if body is None else json.dumps(body, indent=2, ensure_ascii=False),
            keys=keys,
            groups=sorted(groups.items(), key=lambda group: (group[0] == "", titles.get(group[0], ""))),
            titles=titles,
            hooks=HOOKS,
            dialects=DIALECTS,
            jurisdictions=JURISDICTIONS,
            lists=_lists(body, choice.dropped),
        )

    @blueprint.get("/playground", strict_slashes=False)
    def show() -> str:
        return page(_chosen(request.args, text=""))

    @blueprint.post("/playground")
    def send() -> Response | str:
        form = request.form
        choice = _chosen(form, text=form.get("request", "") if form.get("from") != "fixture" else "")
        if "accept" in form:
            return page(*_accepted(choice, form["accept"], keep))
        if "override" in form:
            return page(choice, [_overridden(form, keep)])
        return page(choice)

    blueprint.after_request(hardened)
    return blueprint


def _chosen(sent: Mapping[str, str], text: str) -> Choice:
    """The choices of a form or a link; what cannot be is left at its default."""
    values = request.values
    fixture = sent.get("fixture", "")
    known = fixtures().get(fixture) or (None if text else fixtures().get(FIRST))
    if text:
        known = None
    day: date | None
    try:
        day = date.fromisoformat(sent.get("day", ""))
    except ValueError:
        day = known.day if known else None
    return Choice(
        fixture=known.id if known else "",
        text=known.text if known else text,
        hook=sent.get("hook", "") if sent.get("hook", "") in HOOKS else "",
        dialect=sent.get("dialect", "") if sent.get("dialect", "") in DIALECTS else "",
        jurisdiction=sent.get("jurisdiction", "") if sent.get("jurisdiction", "") in JURISDICTIONS else "",
        day=day,
        dropped=frozenset(values.getlist("drop")),
    )


def _request(choice: Choice) -> Json | None:
    """The request as an object, for the hook that was chosen; None when it is no JSON object."""
    try:
        body = json.loads(choice.text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    return called_for(body, choice.hook) if choice.hook and choice.hook != body.get("hook") else body


def called_for(body: Json, hook: str) -> Json:
    """The same orders in the context of another hook."""
    context = body.get("context")
    held = context if isinstance(context, dict) else {}
    orders = held.get("draftOrders") or held.get("medications") or {"resourceType": "Bundle", "entry": []}
    new = {key: held[key] for key in ("userId", "patientId", "encounterId") if key in held}
    if hook in ("order-select", "order-sign"):
        new["draftOrders"] = orders
    elif hook != "patient-view":
        new["medications"] = orders
    if hook == "order-select":
        resources = [entry.get("resource", {}) for entry in _entries(orders)]
        new["selections"] = [
            f"{r['resourceType']}/{r['id']}" for r in resources if r.get("id") and r.get("resourceType")
        ]
    return {**body, "hook": hook, "context": new}


def _entries(orders: Any) -> list[Json]:
    entries = orders.get("entry") if isinstance(orders, dict) else orders
    return [entry for entry in entries or () if isinstance(entry, dict)]


def _without(body: Json, dropped: frozenset[str]) -> Json:
    prefetch = body.get("prefetch")
    if not dropped or not isinstance(prefetch, dict):
        return body
    return {**body, "prefetch": {key: value for key, value in prefetch.items() if key not in dropped}}


def _ask(sent: bytes, choice: Choice, body: Json | None, using: Decision, observe: Observe) -> Shown:
    """The answer of the service, errors included, with the chart that the rules looked at."""
    charts: list[Chart] = []
    hook = choice.hook or str((body or {}).get("hook", ""))
    given = replace(using, today=lambda: choice.day or using.today(), fhir=None, seen=charts.append)
    started = time.perf_counter()
    try:
        answer = decide(sent, hook if hook in CONTEXTS else HOOKS[0], given, choice.client)
    except ServiceError as error:
        outcome = json.loads(operation_outcome(error.code, error.message, error.expression))
        return Shown(error.status, outcome, _since(started), marked=_marked(choice.text, body, error.expression))
    milliseconds = _since(started)
    observe(answer, hook, hook, CALLER, milliseconds, None)
    return Shown(200, json.loads(encode(answer)), milliseconds, charts[0] if charts else None)


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 1)


def _marked(text: str, body: Json | None, expression: str) -> tuple[str, str, str] | None:
    """The request around the line that an error is about: before it, the line, and what follows."""
    if body is None:
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            return _line(text, error.pos)
        except (ValueError, RecursionError):
            pass
        return None
    pretty = json.dumps(body, indent=2, ensure_ascii=False)
    steps = [step for part in expression.removeprefix("$.").split(".") for step in part.rstrip("]").split("[") if step]
    while steps:
        place = _place(body, steps)
        if place >= 0:
            return _line(pretty, place)
        steps.pop()
    return None


def _place(body: Json, steps: Sequence[str]) -> int:
    """Where the member at the end of the steps begins in the indented text; -1 when there is none."""
    mark = str(uuid.uuid4())
    copy = json.loads(json.dumps(body))
    holder: Any = copy
    for step in steps[:-1]:
        holder = _member(holder, step)
    last: Any = int(steps[-1]) if isinstance(holder, list) and steps[-1].isdigit() else steps[-1]
    if _member(holder, steps[-1]) is None:
        return -1
    holder[last] = mark
    return json.dumps(copy, indent=2, ensure_ascii=False).find(mark)


def _member(holder: Any, step: str) -> Any:
    if isinstance(holder, list):
        return holder[int(step)] if step.isdigit() and int(step) < len(holder) else None
    return holder.get(step) if isinstance(holder, dict) else None


def _line(text: str, position: int) -> tuple[str, str, str]:
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    end = len(text) if end < 0 else end
    return text[max(0, start - 600) : start], text[start:end] or " ", text[end : end + 600]


def _lists(body: Json | None, dropped: frozenset[str]) -> list[tuple[str, str]]:
    """What was sent under each prefetch key, in words."""
    prefetch = body.get("prefetch") if body else None
    found = []
    for key, value in prefetch.items() if isinstance(prefetch, dict) else ():
        if key in dropped:
            state = "dropped here"
        elif isinstance(value, dict) and value.get("resourceType") == "Bundle":
            entries = value.get("entry")
            state = f"{len(entries) if isinstance(entries, list) else 0} sent"
        elif value is None:
            state = "none on record"
        else:
            state = "sent"
        found.append((key, state))
    return found


def _accepted(choice: Choice, which: str, keep: Keep) -> tuple[Choice, list[str]]:
    """The request with a suggestion's actions carried out, as an EHR would, and what to say about it."""
    card, suggestion = _pressed(request.form, which)
    body = _request(choice)
    if not suggestion or body is None:
        return choice, ["The suggestion is not part of this answer any more. Send the request again."]
    for action in suggestion.get("actions", ()):
        apply(action, body)
    entry = {"card": card["uuid"], "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion["uuid"]}]}
    note = _reported(entry, keep)
    changed = replace(choice, fixture="", hook="", text=json.dumps(body, indent=2, ensure_ascii=False))
    return changed, [f"Accepted and applied: {suggestion['label']}. {note}"]


def apply(action: Json, body: Json) -> None:
    """Carries out one action of a suggestion on the orders of a request."""
    context = body.get("context", {})
    orders = context.get("draftOrders") or context.get("medications")
    entries = orders.setdefault("entry", []) if isinstance(orders, dict) else orders
    if not isinstance(entries, list):
        return
    resource = action.get("resource")
    named = resource if isinstance(resource, str) else action.get("resourceId") or ""
    if isinstance(resource, dict):
        named = f"{resource.get('resourceType')}/{resource.get('id')}"
    places = [n for n, entry in enumerate(entries) if _names(entry, named)]
    if action.get("type") == "create" and isinstance(resource, dict):
        entries.append({"resource": {"id": str(uuid.uuid4()), **resource}})
    elif action.get("type") == "update" and places:
        entries[places[0]] = {**entries[places[0]], "resource": resource}
    elif action.get("type") == "delete":
        for place in reversed(places):
            del entries[place]
        selections = context.get("selections")
        if isinstance(selections, list):
            context["selections"] = [pointer for pointer in selections if pointer != named]


def _names(entry: Any, reference: str) -> bool:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return isinstance(resource, dict) and f"{resource.get('resourceType')}/{resource.get('id')}" == reference


def _overridden(form: Mapping[str, str], keep: Keep) -> str:
    card, _ = _pressed(form, form["override"])
    reasons = card.get("overrideReasons", [])
    chosen = form.get(f"reason-{form['override']}", "")
    if not card or not chosen.isdigit() or int(chosen) >= len(reasons):
        return "The card is not part of this answer any more. Send the request again."
    entry = {"card": card["uuid"], "outcome": "overridden", "overrideReason": {"reason": reasons[int(chosen)]}}
    return f"Overridden: {card['summary']}. {_reported(entry, keep)}"


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

"""Replays hook requests from files and compares the answers with the expected ones beside them.

``name.json`` is a request, ``name.expected.json`` what it has to be answered, with identifiers and the guidance
version replaced by placeholders and the day it was recorded for.
"""

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from service.cdshooks.messages import CONTEXTS, operation_outcome, own_members
from service.cli.output import LINES, STANDARD_INPUT, Refused, content_of, documents, guideline, named
from service.dates import local_day
from service.decide import Decision, decide
from service.engine.library import Library
from service.engine.rendering import CODE_SYSTEMS, Renderer
from service.engine.review import valid_until
from service.errors import ServiceError
from service.fhir.resources import aslist
from service.jsonio import encode
from service.trust.clients import ANYBODY, Dialect, Jurisdiction
from service.web.fixtures import EXPECTED

OK = 200
GUIDANCE = "<guidance version>"
PUBLIC_URL = "<public url>"
TIMEOUT = 10.0
"""Seconds that a running service may take for an answer."""


class Answer(msgspec.Struct, frozen=True):
    """An answer, whatever its status, as JSON."""

    status: int
    body: dict[str, Any]

    @property
    def cards(self) -> list[dict[str, Any]]:
        """The cards, none for an error."""
        cards = self.body.get("cards")
        return [card for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []


class Recorded(Answer, frozen=True):
    """An answer that was recorded as the expected one, and the day that it is for."""

    today: date


@dataclass(frozen=True, slots=True)
class Request:
    """A request: its raw body, the hook it names, and the recorded answer if there is one.

    ``path`` is its file, with the line where that holds several. Only a file of its own is ``recordable``.
    """

    path: Path
    body: bytes
    hook: str
    expected: Recorded | None = None
    recordable: bool = True

    @property
    def expected_path(self) -> Path:
        """Where the recorded answer is or would be."""
        return self.path.with_name(self.path.name.removesuffix(".json") + EXPECTED)

    @property
    def day(self) -> date:
        """The day to answer for: that of the recorded answer, else today."""
        return self.expected.today if self.expected is not None else local_day()


def find(paths: list[Path]) -> Iterator[Path]:
    """The request files that the paths name: files as they are, folders searched through in order."""
    for path in paths:
        if path.is_dir():
            found = sorted(
                p for p in path.rglob("*.*json") if not p.name.endswith(EXPECTED) and p.suffix in (".json", LINES)
            )
            yield from (p for p in found if _looks_like_request(p))
        elif not path.name.endswith(EXPECTED):  # "name*.json" in a shell names the expected answers, too
            yield path


def _looks_like_request(path: Path) -> bool:
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError, OSError):
        return True  # said to be broken when it is read
    return isinstance(value, dict) and "hook" in value


def read_all(path: Path) -> Iterator[Request | Refused]:
    """The requests of a file or of standard input: one, or one per line; for each that is not a request, the reason."""
    try:
        found = documents(path)
    except Refused as why:
        yield why
        return
    if not found:
        yield Refused(f"{named(path)}: the file is empty, so it holds no hook request.")
    alone = path != STANDARD_INPUT and path.suffix != LINES
    for place, body in found:
        try:
            yield _request(Path(place), body, alone=alone)
        except Refused as why:
            yield why


def read(path: Path) -> Request:
    """The one request of a file, with its recorded answer. Raises Refused with what is wrong and where."""
    (request,) = read_all(path)
    if isinstance(request, Refused):
        raise request
    return request


def _request(path: Path, body: bytes, *, alone: bool) -> Request:
    """A request, with the answer recorded beside it where it has a file of its own."""
    value = _json(path, body)
    hook = value.get("hook") if isinstance(value, dict) else None
    if not isinstance(hook, str):
        raise Refused(f"{path}: not a hook request: it has no member 'hook'. Replay needs the whole request body.")
    request = Request(path, body, hook, recordable=alone)
    if not (alone and request.expected_path.exists()):
        return request
    try:
        recorded = msgspec.json.decode(content_of(request.expected_path), type=Recorded)
    except (msgspec.DecodeError, RecursionError):
        raise Refused(
            f"{request.expected_path}: not a recorded answer ('today', 'status', 'body'). Remove it."
        ) from None
    return replace(request, expected=recorded)


def _json(path: Path, body: bytes) -> Any:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        raise Refused(f"{path}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: not JSON: the file is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise Refused(f"{path}: too large a number, or too deeply nested") from None


class InProcess:
    """Answers requests in this process, on a given day, with counted identifiers, to a client of one dialect.

    Without a jurisdiction it is the one of a service without settings.
    """

    def __init__(
        self,
        library: Library,
        dialect: Dialect | None = None,
        jurisdiction: Jurisdiction | None = None,
        failed: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self.guideline = guideline(library)
        self.renderer = Renderer.of(library, signed=valid_until(self.guideline))
        self._failed = failed
        self._client = ANYBODY.model_copy(update={"dialect": dialect, "jurisdiction": jurisdiction})

    def answer(self, request: Request, today: date) -> Answer:
        """The answer of the service, errors included."""
        numbers = count(1)
        using = Decision(
            self.guideline,
            self.renderer,
            lambda: today,
            lambda: f"00000000-0000-4000-8000-{next(numbers):012}",
            failed=self._failed,
        )
        hook = request.hook
        if hook not in CONTEXTS:
            outcome = operation_outcome("not-found", f"There is no service for the hook '{hook}'.")
            return Answer(404, json.loads(outcome))
        try:
            return Answer(OK, json.loads(encode(decide(request.body, hook, using, self._client))))
        except ServiceError as error:
            outcome = operation_outcome(error.code, error.message, error.expression)
            return Answer(error.status, json.loads(outcome))


class OverHttp:
    """Answers requests by calling a running service, which uses its own clock.

    The address may be that of the service, of its discovery or of one of its services.
    """

    def __init__(self, url: str) -> None:
        import requests

        self._base = url.partition("/cds-services")[0].rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False

    def answer(self, request: Request, today: date) -> Answer:  # noqa: ARG002  (the service has its own clock)
        """The answer of the running service. Raises Refused when there is none."""
        import requests

        url = f"{self._base}/cds-services/{request.hook}"
        try:
            response = self._session.post(
                url,
                data=request.body,
                headers={"Content-Type": "application/json"},
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            body = response.json()
        except requests.JSONDecodeError:
            raise Refused(f"{url} answered {response.status_code} with something that is not JSON") from None
        except requests.RequestException as error:
            reason = type(error).__name__
            raise Refused(f"{url} could not be reached ({reason}). Is the service running there?") from None
        return Answer(response.status_code, body if isinstance(body, dict) else {})


def normalised(answer: Answer) -> Answer:
    """The answer with identifiers numbered, guidance version and own address replaced: what may be compared."""
    text = json.dumps(answer.body)
    for version in sorted({str(own_members(card).get("guidance", "")) for card in answer.cards} - {""}):
        text = text.replace(version, GUIDANCE)
    shown = Answer(answer.status, json.loads(text))
    numbers = count(1)
    for card in shown.cards:
        for link in aslist(card.get("links")):
            page = link.get("url") if isinstance(link, dict) else None
            if isinstance(page, str) and "/guidance/" in page and own_members(card):
                link["url"] = PUBLIC_URL + page[page.index("/guidance/") :]
        source = card.get("source")
        for coding in (source.get("topic") if isinstance(source, dict) else None, *aslist(card.get("overrideReasons"))):
            system = coding.get("system") if isinstance(coding, dict) else None
            if isinstance(system, str) and CODE_SYSTEMS in system and own_members(card):
                coding["system"] = PUBLIC_URL + system[system.index(CODE_SYSTEMS) :]
        for holder in (card, *aslist(card.get("suggestions"))):
            if isinstance(holder, dict):
                holder["uuid"] = f"<uuid {next(numbers)}>"
    return shown


def difference(request: Request, answer: Answer) -> list[str]:
    """Lines of a unified diff between the expected and the given answer; none when they agree."""
    if request.expected is None:
        return []
    expected, given = Answer(request.expected.status, request.expected.body), normalised(answer)
    if expected == given:
        return []
    return list(difflib.unified_diff(_readable(expected), _readable(given), "expected", "given", lineterm="", n=2))


def record(request: Request, answer: Answer, today: date) -> None:
    """Writes the answer as the expected one."""
    given = normalised(answer)
    content = {"today": today.isoformat(), "status": given.status, "body": given.body}
    request.expected_path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _readable(answer: Answer) -> list[str]:
    """The answer as lines, the Markdown of each card line by line."""
    body = dict(answer.body)
    if isinstance(body.get("cards"), list):
        body["cards"] = [
            {**card, "detail": str(card.get("detail", "")).splitlines()} if isinstance(card, dict) else card
            for card in body["cards"]
        ]
    return json.dumps({"status": answer.status, "body": body}, indent=1, ensure_ascii=False).splitlines()

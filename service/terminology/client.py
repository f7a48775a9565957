"""Asks a FHIR terminology server to expand (``GET ValueSet/$expand``), page by page, within bounds.

Only SNOMED CT identifiers of our own value sets are sent, never anything about a patient.
"""

import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import msgspec
import requests

from service.http import Fault, NotAnswered, get, new_session
from service.terminology.answer import Member, NotUsable, Page, one_line, read_page
from service.terminology.query import Query

PAGE = 1000
"""Codes asked for at once."""

MOST_CODES = 20_000
MOST_PAGES = 200
MOST_BYTES = 8 * 1024 * 1024
"""Bounds of one set and, in bytes, of one page; what is larger is refused."""

PATIENCE = 10.0
"""Seconds that one page may take at most, when more are left."""


class NoAnswer(NotUsable):
    """The server does not answer, or not in time: there is no use in asking for the next set."""


class Expansion(msgspec.Struct, frozen=True):
    """The members of one of our value sets, and the moment at which the server was asked for them.

    ``version`` is the edition and version of SNOMED CT, empty when the server does not say.
    """

    members: tuple[Member, ...]
    version: str
    on: datetime


def open_session(server: str) -> requests.Session:
    """A session for the server. The environment says proxies and authorities, but for addresses of this machine."""
    return new_session(None, 1, environment=urlsplit(server).scheme == "https")


@dataclass(frozen=True, slots=True)
class TerminologyServer:
    """A FHIR terminology server by its base URL."""

    base: str
    session: requests.Session = field(repr=False)

    def expand(self, query: Query, on: datetime, until: float) -> Expansion:
        """The whole expansion of a query, asked for on a date and before a moment (``time.monotonic``).

        Raises NotUsable (NoAnswer when it is not worth asking further). An empty expansion says that the server's
        edition lacks the concepts.
        """
        members: dict[str, Member] = {}
        first: Page | None = None
        entries = 0
        for _ in range(MOST_PAGES):
            page = read_page(self._get(query, entries, until))
            first = first or page
            if (page.total, page.version) != (first.total, first.version):
                raise NotUsable("The expansion changed between two pages.", "Try again later.")
            if max(page.total or 0, entries + page.entries) > MOST_CODES:
                break
            new = [member for member in page.members if member.code not in members]
            if page.members and not new:
                raise NotUsable("The server repeats a page.", "It must support `offset` in $expand.")
            members.update((member.code, member) for member in new)
            entries += page.entries
            if _complete(page, entries):
                if members and members.keys().isdisjoint(query.concepts):
                    raise NotUsable("None of the concepts asked for is in the answer.", "The server must support ECL.")
                return Expansion(tuple(members.values()), page.version, on)
        raise NotUsable(
            f"The expansion has more than {MOST_CODES} codes, or more than {MOST_PAGES} pages.",
            "Check that the server supports ECL, and `count` in $expand.",
        )

    def _get(self, query: Query, offset: int, until: float) -> bytes:
        now = time.monotonic()
        if now >= until:
            raise NoAnswer(
                "The time for all expansions is up.",
                "Raise TOLAMI_TERMINOLOGY_DEADLINE. What was answered is kept; the next start goes on from there.",
            )
        parameters = urlencode({"url": query.url, "offset": str(offset), "count": str(PAGE)})
        address = f"{self.base.rstrip('/')}/ValueSet/$expand?{parameters}"
        accept = {"Accept": "application/fhir+json"}
        by = min(until, now + PATIENCE)
        try:
            answer = get(self.session, address, accept, until=by, most_bytes=MOST_BYTES, bodies=range(600))
        except NotAnswered as none:
            kind = NotUsable if none.fault in _OF_ONE_PAGE else NoAnswer
            raise kind(f"The server {none.fault}.", _ADVICE[none.fault]) from None
        _check_status(answer.status, answer.body)
        return answer.body


_ADVICE = {
    Fault.TIMEOUT: "Check that it is up, and its load.",
    Fault.CERTIFICATE: "Add its authority: REQUESTS_CA_BUNDLE.",
    Fault.UNREACHABLE: "Check the address and that it is up.",
    Fault.TOO_LARGE: "It must support `count` in $expand.",
    Fault.BROKE_OFF: "Check that it is up, and the proxy in between.",
    Fault.COMPRESSED: "Turn compression off for this client.",
}
_OF_ONE_PAGE = frozenset({Fault.TOO_LARGE, Fault.COMPRESSED})
_ADVICE_BY_STATUS = (
    (range(300, 400), "Set TOLAMI_TERMINOLOGY_SERVER to the final address; redirects are not followed."),
    ((401, 403), "It must answer calls of this machine without a login."),
    ((429, 502, 503, 504), "Try again when it is less busy."),
)
"""For statuses that the next set would be answered with, too."""


def _check_status(status: int, body: bytes) -> None:
    if status == requests.codes.ok:
        return
    reason = f"The server answered with status {status}{_outcome(body)}."
    for statuses, advice in _ADVICE_BY_STATUS:
        if status in statuses:
            raise NoAnswer(reason, advice)
    raise NotUsable(reason, "Check that the address is the FHIR base, that SNOMED CT is loaded, and ECL supported.")


def _outcome(body: bytes) -> str:
    """What an OperationOutcome says, in brackets; empty for any other body."""
    try:
        outcome = json.loads(body)
        issue = outcome["issue"][0]
        words = issue.get("diagnostics") or issue.get("details", {}).get("text") or issue.get("code")
    except (ValueError, RecursionError, TypeError, KeyError, IndexError, AttributeError):
        return ""
    return f" ({one_line(words)})" if words else ""


def _complete(page: Page, entries: int) -> bool:
    """True when nothing is left to ask for. Raises NotUsable when pages end before the total is reached."""
    if page.total is None:
        return not page.entries
    if entries > page.total or (not page.entries and entries < page.total):
        raise NotUsable(
            f"The expansion has {entries} entries and says that it has {page.total}.",
            "Report it to whoever runs the terminology server.",
        )
    return entries == page.total

"""One FHIR server with the token of one call: which addresses of it may be read, and the reading of lists page by page.

CDS Hooks 2.0.1 "FHIR Resource Access". The addresses come from requests, so nobody is believed: an address must lie
within what the trust file allows for the client and within ``fhirServer``, or the token is not sent there.
"""

import re
from collections import ChainMap
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urljoin, urlsplit

import requests

from service.fhir.bundles import COMPANIONS
from service.fhir.fetch_errors import Failure, Unfetched
from service.fhir.prefetch import WORSE, Answer, State, answer_in, beginning
from service.fhir.resources import Resource, reference, resource, text
from service.http import Allowance, Fault, NotAnswered, get
from service.trust.clients import Client, lies_within

MOST_BYTES = 4 * 1024 * 1024
"""Bytes read of one answer."""

MOST_OF_A_CALL = 2 * MOST_BYTES
"""Bytes read in one call: a server with many long pages must not take the memory of the process."""

MOST_PAGES = 10
"""Pages of one list that are read, the first one included."""

_READ = {"patient": "Patient"}
"""Keys that are the reading of one resource; the others are searches."""

_ID = re.compile(r"[A-Za-z0-9._~:=+@-]{1,255}")
"""Ids that may be part of an address: FHIR's and those of real servers, without characters special in a URL."""

_PATIENT = "{{context.patientId}}"


def usable_id(identity: str) -> bool:
    """True for an id that can be part of an address without changing its meaning."""
    return _ID.fullmatch(identity) is not None and identity not in {".", ".."}


@dataclass(frozen=True, slots=True)
class FhirServer:
    """The server at ``base``, called for a client; without a token when that is empty.

    ``loopback`` allows plain http to this machine.
    """

    base: str
    token: str = field(repr=False)
    client: Client
    loopback: bool
    session: requests.Session = field(repr=False)
    allowance: Allowance = field(default_factory=lambda: Allowance(MOST_OF_A_CALL), repr=False)

    @property
    def allowed(self) -> bool:
        """True when the server may be called for the client at all."""
        return not set("?#") & set(self.base) and self.may_read(self.base)

    @property
    def host(self) -> str:
        """Host and port."""
        return urlsplit(self.base).netloc

    def may_read(self, url: str) -> bool:
        """True when the token may be sent to this address: below the server, and allowed for the client."""
        return lies_within(url, self.base) and self.client.may_fetch(url, loopback=self.loopback)

    def query(self, template: str, patient_id: str) -> str:
        """The address of a prefetch template for a patient."""
        relative = quote(template, safe="/?&=,:{}").replace(_PATIENT, quote(patient_id, safe=""))
        return f"{self.base.rstrip('/')}/{relative}"

    def medication(self, target: str) -> str:
        """The address of the Medication that a reference names; empty unless it is one of this server."""
        root = f"{self.base.rstrip('/')}/"
        kind, _, rest = target.removeprefix(root).partition("/")
        identity = rest.partition("/_history/")[0]
        return f"{root}Medication/{quote(identity, safe='')}" if kind == "Medication" and usable_id(identity) else ""

    def next_page(self, link: str, page: str) -> str:
        """The address of a ``next`` link, which may be relative to its page. Raises Unfetched."""
        try:
            url = urljoin(page, link)
        except ValueError:
            url = ""
        if not self.may_read(url):
            raise Unfetched(Failure.NEXT_ELSEWHERE)
        return url

    def read(self, url: str, until: float) -> Resource:
        """The resource at an address, all of it before a moment (``time.monotonic``). Raises Unfetched."""
        if not self.may_read(url):
            raise Unfetched(Failure.NOT_ALLOWED)
        found = resource(self._body(url, until))
        if found is None:
            raise Unfetched(Failure.UNREADABLE)
        return found

    def _body(self, url: str, until: float) -> bytes:
        headers = {"Accept": "application/fhir+json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            answer = get(
                self.session, url, headers, until=until, most_bytes=MOST_BYTES, allowance=self.allowance, kept=True
            )
        except NotAnswered as none:
            raise Unfetched(_FAILURES[none.fault]) from None
        if answer.status != requests.codes.ok:
            raise Unfetched(Failure.of_status(answer.status))
        return answer.body


_FAILURES = {
    Fault.TIMEOUT: Failure.TIMEOUT,
    Fault.CERTIFICATE: Failure.CERTIFICATE,
    Fault.UNREACHABLE: Failure.UNREACHABLE,
    Fault.TOO_LARGE: Failure.LIMIT,
    Fault.BROKE_OFF: Failure.UNREADABLE,
    Fault.COMPRESSED: Failure.UNREADABLE,
}


def first_page(key: str, address: str, server: FhirServer, until: float) -> Answer:
    """What the server has for a key: one resource, or the first page of a search. Raises Unfetched."""
    found = server.read(address, until)
    answer = answer_in(key, found)
    one = _READ.get(key)
    if found["resourceType"] != (one or "Bundle") or not answer.known or (one and not text(found.get("id"))):
        raise Unfetched(Failure.UNREADABLE)
    return answer


def following_pages(key: str, first: Answer, address: str, server: FhirServer, until: float) -> Answer:
    """The list with all its pages; PARTIAL when one of them could not be had, with the reason.

    ``address`` is where the first page came from. A resource that a server repeats on a later page counts once; the
    same id with other content is another resource.
    """
    first = beginning(first)
    if not first.next:
        return first
    state = first.state if first.begun else _own(first)
    read, resources, link, pages = [first], list(first.resources), first.next, 1
    seen = {reference(found): found for found in resources}
    while link:
        try:
            if pages == MOST_PAGES:
                raise Unfetched(Failure.LIMIT)
            address = server.next_page(link, address)
            page = first_page(key, address, server, until)
        except Unfetched as unfetched:
            return replace(_joined(read, resources), state=State.PARTIAL, reason=unfetched.failure)
        new = [found for found in page.resources if not reference(found) or seen.get(reference(found)) != found]
        counted = [found for found in new if found["resourceType"] not in COMPANIONS]
        read.append(replace(page, matches=min(page.matches, len(counted))))
        resources += new
        seen |= {reference(found): found for found in new}
        state, link, pages = max(state, _own(page), key=WORSE.index), page.next, pages + 1
    whole = _joined(read, resources)
    short = state is State.GIVEN and whole.announced > whole.matches
    return replace(whole, state=State.SHORT if short else state)


def _joined(pages: list[Answer], resources: list[Resource]) -> Answer:
    return Answer(
        State.GIVEN,
        tuple(resources),
        matches=sum(page.matches for page in pages),
        announced=max(page.announced for page in pages),
        lost=sum(page.lost for page in pages),
        medications=ChainMap(*(dict(page.medications) for page in pages)),
    )


def _own(page: Answer) -> State:
    """The state of a page apart from the others, which are counted together."""
    return State.GIVEN if page.state is State.SHORT or (page.next and page.state is State.PARTIAL) else page.state

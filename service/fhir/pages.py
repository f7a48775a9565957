"""The pages of a searchset, read one after another from the client's FHIR server and put together."""

from collections import ChainMap
from dataclasses import replace
from typing import Protocol

from service.fhir.bundles import COMPANIONS
from service.fhir.fetch_errors import Failure, Unfetched
from service.fhir.prefetch import WORSE, Answer, State, answer_in, beginning
from service.fhir.resources import Resource, reference, text

MOST_PAGES = 10
"""Pages of one list that are read, the first one included."""

_READ = {"patient": "Patient"}
"""Keys that are the reading of one resource; the others are searches."""


class Server(Protocol):
    """What is needed of a FHIR server here."""

    def read(self, url: str, until: float) -> Resource:
        """The resource at an address, before a moment. Raises Unfetched."""

    def next_page(self, link: str, page: str) -> str:
        """The address of a link on a page. Raises Unfetched when it leads elsewhere."""


def first_page(key: str, address: str, server: Server, until: float) -> Answer:
    """What the server has for a key: one resource, or the first page of a search. Raises Unfetched."""
    found = server.read(address, until)
    answer = answer_in(key, found)
    one = _READ.get(key)
    if found["resourceType"] != (one or "Bundle") or not answer.known or (one and not text(found.get("id"))):
        raise Unfetched(Failure.UNREADABLE)
    return answer


def following_pages(key: str, first: Answer, address: str, server: Server, until: float) -> Answer:
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

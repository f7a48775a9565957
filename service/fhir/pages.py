"""The pages of a searchset, read one after another from the client's FHIR server and put together."""

from dataclasses import replace
from typing import Protocol

from service.fhir.fetch_errors import Failure, Unfetched
from service.fhir.prefetch import Answer, State, answer_in
from service.fhir.resources import Resource, reference

MOST_PAGES = 10
"""Pages of one list that are read, the first one included."""

_WORSE = (State.GIVEN, State.DAMAGED, State.PARTIAL)

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
    if found["resourceType"] != _READ.get(key, "Bundle") or not answer.known:
        raise Unfetched(Failure.UNREADABLE)
    return answer


def following_pages(key: str, first: Answer, address: str, server: Server, until: float) -> Answer:
    """The list with all its pages; PARTIAL with the reason when one of them could not be had.

    ``address`` is where the first page came from. A resource that a server repeats on a later page counts once.
    """
    resources, state, link, pages = list(first.resources), _own(first), first.next, 1
    seen = {reference(found) for found in resources}
    while link:
        try:
            if pages == MOST_PAGES:
                raise Unfetched(Failure.LIMIT)
            address = server.next_page(link, address)
            page = first_page(key, address, server, until)
        except Unfetched as unfetched:
            return Answer(State.PARTIAL, tuple(resources), reason=unfetched.failure)
        new = [found for found in page.resources if not reference(found) or reference(found) not in seen]
        resources += new
        seen |= {reference(found) for found in new}
        state, link, pages = max(state, _own(page), key=_WORSE.index), page.next, pages + 1
    return replace(first, state=state, resources=tuple(resources), next="")


def _own(page: Answer) -> State:
    """The state of a page apart from the one after it, which is read next."""
    return State.GIVEN if page.next and page.state is State.PARTIAL else page.state

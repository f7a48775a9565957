"""Lists whose server misuses ``next``: reading ends within bounds, says what is missing, and tells nobody the token."""

import json
import resource as process
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from service.cdshooks.services import prefetch_templates
from service.decide import Decision
from service.engine.library import Library
from service.fhir.access import FhirAccess
from service.fhir.client import MOST_OF_A_CALL, MOST_PAGES
from service.fhir.fetch_errors import Failure
from service.fhir.prefetch import Prefetch, State
from tests.calls import PAIR, Json, answered, by_id
from tests.fhir.ehr import LONG, TOKEN, Behaviour, Ehr, Handler, serving
from tests.fhir.samples import bundle, order
from tests.fhir.samples import raw as raw_json
from tests.fhir.test_access import accessing, call
from tests.test_decide_fhir import Fixture, on_server

OTHER = "the address of another server"
"""Stands in a link for a server that must never be called."""


@dataclass(frozen=True)
class Misuse:
    """Links of the first page and what comes of it: state and reason of the list, and requests for it at most."""

    links: list[Json]
    state: State = State.PARTIAL
    reason: str = Failure.NEXT_ELSEWHERE
    requests: int = 1


def following(url: object, relation: str = "next") -> list[Json]:
    return [{"relation": relation, "url": url}]


MISUSES = {
    "another host": Misuse(following(f"{OTHER}/MedicationRequest?page=2")),
    "another name of the host": Misuse(following("http://localhost:PORT/fhir/MedicationRequest?page=2")),
    "another host without a scheme": Misuse(following("//127.0.0.2:PORT/fhir?page=2")),
    "another port": Misuse(following("http://127.0.0.1:1/fhir?page=2")),
    "https": Misuse(following("https://127.0.0.1:PORT/fhir?page=2")),
    "a file": Misuse(following("file:///etc/passwd")),
    "a script": Misuse(following("javascript:alert(1)")),
    "a name and a password": Misuse(following("http://me:secret@127.0.0.1:PORT/fhir?page=2")),
    "a host as a name": Misuse(following("http://127.0.0.1:PORT@evil.example/fhir?page=2")),
    "a path above the base": Misuse(following("../../admin?page=2")),
    "a path beside the base": Misuse(following("http://127.0.0.1:PORT/fhir-of-others?page=2")),
    "a hidden path": Misuse(following("http://127.0.0.1:PORT/fhir/..%2f..%2fadmin")),
    "a broken address": Misuse(following("http://[127.0.0.1/fhir?page=2")),
    "an address of a megabyte": Misuse(following("//" + "a" * 2**20)),
    "no address": Misuse([{"relation": "next"}], reason=""),
    "null": Misuse(following(None), reason=""),
    "a number": Misuse(following(5), reason=""),
    "two that differ": Misuse([*following("?page=2"), *following("?page=3")], reason=""),
    "two, one elsewhere": Misuse([*following("?page=2"), *following(f"{OTHER}?page=2")], reason=""),
    "two alike": Misuse([*following("?page=2"), *following("?page=2")], State.GIVEN, "", 2),
    "another case": Misuse(following("?page=2", "Next"), State.GIVEN, "", 2),
    "blanks": Misuse(following("?page=2", " NEXT "), State.GIVEN, "", 2),
    "a fragment": Misuse(following("?page=2#page=9"), State.GIVEN, "", 2),
    "relative": Misuse(following("MedicationRequest?page=2"), State.GIVEN, "", 2),
    "a page before the first": Misuse(following("?page=2", "previous"), reason=""),
    "a page before the first, called prev": Misuse(following("?page=2", "Prev"), reason=""),
    "pages before and after": Misuse([*following("?page=2"), *following("?page=0", "previous")], reason="", requests=2),
    "itself before": Misuse([*following("?page=1", "self"), *following("?page=1", "previous")], State.GIVEN, ""),
    "the first page again": Misuse(following("?page=1"), reason=Failure.LIMIT, requests=MOST_PAGES),
}


def at(value: Any, ehr: Ehr, other: Ehr) -> Any:
    """The links with the addresses of the running servers."""
    port = ehr.url.rpartition(":")[2].partition("/")[0]
    return json.loads(json.dumps(value).replace(OTHER, other.url).replace("PORT", port))


def two_pages(links: Any) -> Behaviour:
    """A first page with these links, and a second one without a next page, which names the one before it."""

    def answer(to: Handler) -> None:
        later = "page=2" in to.path
        page = bundle(order(id="b" if later else "a"), link=following("?page=1", "previous") if later else links)
        to.send(200, json.dumps(page).encode())

    return answer


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with serving() as ehr:
        yield ehr


@pytest.fixture
def other() -> Iterator[Ehr]:
    """A server that must not be called."""
    with serving() as other:
        yield other
        assert other.asked == []


@pytest.fixture
def fetched(ehr: Ehr) -> Iterator[Callable[[Json | None], Prefetch]]:
    """The medication list of the server, begun with a page that was sent, if any."""
    with closing(accessing()) as access:

        def fetch(sent: Json | None) -> Prefetch:
            prefetch = Prefetch({"medications": raw_json(sent)} if sent else None, call(access, ehr.url))
            prefetch.complete("medications")
            return prefetch

        yield fetch


@pytest.mark.conformance("L-18")
@pytest.mark.parametrize("sent", [False, True], ids=["fetched", "sent"])
@pytest.mark.parametrize("misuse", MISUSES.values(), ids=MISUSES)
def test_a_link_that_is_misused_leaves_a_list_that_is_not_whole_and_no_token_elsewhere(
    ehr: Ehr, other: Ehr, fetched: Callable[[Json | None], Prefetch], misuse: Misuse, *, sent: bool
) -> None:
    links = at(misuse.links, ehr, other)
    ehr.answers["MedicationRequest"] = ehr.answers[""] = two_pages(links)
    prefetch = fetched(bundle(order(id="a"), link=links) if sent else None)
    found = prefetch["medications"]
    assert (found.state, found.reason) == (misuse.state, misuse.reason)
    assert found.resources[0]["id"] == "a"
    assert len(ehr.asked) <= misuse.requests - sent or misuse.reason == Failure.LIMIT
    assert len(ehr.asked) <= MOST_PAGES
    assert {asked.headers["Authorization"] for asked in ehr.asked} <= {f"Bearer {TOKEN}"}
    assert all(asked.path.startswith("/fhir") for asked in ehr.asked)


@pytest.mark.parametrize("name", [name for name, misuse in MISUSES.items() if misuse.state is State.PARTIAL])
def test_the_card_says_that_the_list_is_not_whole(
    name: str, ehr: Ehr, other: Ehr, fixture: Fixture, decision: Decision, library: Library
) -> None:
    request = fixture(PAIR)
    list_of = request["prefetch"]["medications"]
    request = on_server(request, ehr)
    links = at(MISUSES[name].links, ehr, other)

    def answer(to: Handler) -> None:
        to.send(200, json.dumps({**list_of, "link": [] if "page=2" in to.path else links}).encode())

    ehr.answers["MedicationRequest"] = ehr.answers[""] = answer
    with closing(FhirAccess(prefetch_templates(library.terminology.loinc), LONG, loopback=True)) as access:
        cards = by_id(answered(request, replace(decision, fhir=access)))
    told = cards["not-checked"]["extension"]["io.github.tolami"]["notChecked"]
    assert {"only-first-page", "only-some-pages"} & set(told)


def growing(to: Handler) -> None:
    """Every page links to itself with twice the query."""
    query = to.path.partition("?")[2]
    to.send(200, json.dumps(bundle(order(id="a"), link=following(f"?{query}&{query}"))).encode())


def thousands(to: Handler) -> None:
    number = int(to.path.partition("page=")[2] or 1)
    more = following(f"?page={number + 1}") if number < 10_000 else []
    to.send(200, json.dumps(bundle(order(id=str(number)), link=more)).encode())


def empty(to: Handler) -> None:
    """Pages without an entry, for ever."""
    number = int(to.path.partition("page=")[2] or 1)
    to.send(200, json.dumps({**bundle(), "link": following(f"?page={number + 1}")}).encode())


@pytest.mark.parametrize("endless", [growing, thousands, empty])
def test_pages_without_end_are_left_after_some_and_said(
    endless: Behaviour, ehr: Ehr, fetched: Callable[[Json | None], Prefetch]
) -> None:
    ehr.answers["MedicationRequest"] = endless
    found = fetched(None)["medications"]
    assert (found.state, found.reason) == (State.PARTIAL, Failure.LIMIT)
    assert len(ehr.asked) == MOST_PAGES


def test_an_empty_page_in_between_hides_nothing(ehr: Ehr, fetched: Callable[[Json | None], Prefetch]) -> None:
    def answer(to: Handler) -> None:
        number = int(to.path.partition("page=")[2] or 1)
        page = bundle(*([order(id=str(number))] if number != 2 else []))
        to.send(200, json.dumps({**page, "link": following(f"?page={number + 1}") if number < 4 else []}).encode())

    ehr.answers["MedicationRequest"] = answer
    found = fetched(None)["medications"]
    assert (found.state, [each["id"] for each in found.resources]) == (State.GIVEN, ["1", "3", "4"])


def test_a_bomb_on_a_later_page_is_not_unpacked(ehr: Ehr, fetched: Callable[[Json | None], Prefetch]) -> None:
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join([*(packer.compress(b" " * 2**20) for _ in range(150)), packer.flush()])

    def answer(to: Handler) -> None:
        if "page=2" in to.path:
            to.send(200, bomb, Content_Encoding="gzip")
        else:
            to.send(200, json.dumps(bundle(order(id="a"), link=following("?page=2"))).encode())

    ehr.answers["MedicationRequest"] = answer
    before = process.getrusage(process.RUSAGE_SELF).ru_maxrss
    found = fetched(None)["medications"]
    assert process.getrusage(process.RUSAGE_SELF).ru_maxrss - before < 100 * 1024, "KiB"
    assert (found.state, found.reason) == (State.PARTIAL, Failure.UNREADABLE)


def test_all_pages_of_a_call_together_have_a_bound(ehr: Ehr, fetched: Callable[[Json | None], Prefetch]) -> None:
    share = 6

    def answer(to: Handler) -> None:
        number = int(to.path.partition("page=")[2] or 1)
        long = order(id=str(number), note=[{"text": "x" * (MOST_OF_A_CALL // share)}])
        to.send(200, json.dumps(bundle(long, link=following(f"?page={number + 1}"))).encode())

    ehr.answers["MedicationRequest"] = answer
    found = fetched(None)["medications"]
    assert (found.state, found.reason) == (State.PARTIAL, Failure.LIMIT)
    assert (len(found.resources), len(ehr.asked)) == (share - 1, share)


def test_a_bundle_inside_with_a_next_page_leaves_the_list_partial(
    ehr: Ehr, fetched: Callable[[Json | None], Prefetch]
) -> None:
    inside = bundle(order(id="b"), link=following("?page=9"))

    def answer(to: Handler) -> None:
        links = [] if "page=2" in to.path else following("?page=2")
        to.send(200, json.dumps(bundle(order(id="a"), inside, link=links)).encode())

    ehr.answers["MedicationRequest"] = answer
    found = fetched(None)["medications"]
    assert (found.state, len(ehr.asked)) == (State.PARTIAL, 1)

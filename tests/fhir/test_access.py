"""What prefetch lacks is fetched side by side, within one deadline and within bounds, and only for its own call."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from service.cdshooks.messages import FhirAuthorization, HookRequest
from service.cdshooks.services import prefetch_templates
from service.fhir.access import FETCHES, MOST_MEDICATIONS, FhirAccess, FhirCall
from service.fhir.bundles import referred_to
from service.fhir.client import MOST_PAGES
from service.fhir.fetch_errors import Failure
from service.fhir.prefetch import ABSENT, Answer, Prefetch, State
from service.trust.clients import ANYBODY, Client
from tests.fhir.ehr import LONG, TOKEN, TYPES, Ehr, endless, hang, pages, raw, resource, serving, status
from tests.fhir.samples import bundle, order
from tests.fhir.samples import raw as raw_json

PATIENT = {"resourceType": "Patient", "id": "1"}
KEYS = tuple(TYPES)
Opening = Callable[..., FhirCall]


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with serving() as ehr:
        ehr.serve({"patient": PATIENT, **dict.fromkeys(KEYS[1:])})
        yield ehr


def accessing(deadline: float = LONG, **options: Any) -> FhirAccess:
    return FhirAccess(prefetch_templates(["1-8", "2-6"]), deadline, loopback=True, **options)


@pytest.fixture
def access() -> Iterator[FhirAccess]:
    with closing(accessing()) as access:
        yield access


def call(access: FhirAccess, base: str, patient: str = "1", client: Client = ANYBODY, **given: Any) -> FhirCall:
    authorization = FhirAuthorization(access_token=TOKEN, **given)
    request = HookRequest("order-sign", "x", raw_json({}), fhirServer=base, fhirAuthorization=authorization)
    opened = access.opened(request, patient, client)
    assert opened is not None
    return opened


@pytest.mark.conformance("C-055", "C-060")
def test_all_missing_keys_are_asked_for_as_discovery_says_each_with_the_token(ehr: Ehr, access: FhirAccess) -> None:
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete(*KEYS)
    assert {asked.path for asked in ehr.asked} == {
        "/fhir/Patient/1",
        "/fhir/MedicationRequest?patient=1",
        "/fhir/MedicationStatement?patient=1",
        "/fhir/Condition?patient=1",
        "/fhir/AllergyIntolerance?patient=1",
        "/fhir/Observation?patient=1&code=http://loinc.org%7C1-8,http://loinc.org%7C2-6",
    }
    assert {asked.headers["Authorization"] for asked in ehr.asked} == {f"Bearer {TOKEN}"}
    assert (prefetch["patient"].state, prefetch["patient"].resources) == (State.GIVEN, (PATIENT,))
    assert {prefetch[key].state for key in KEYS} == {State.GIVEN}
    assert prefetch.failures == {}


@pytest.mark.conformance("C-056", "C-057", "C-058", "L-33")
@pytest.mark.parametrize(
    ("value", "asked"),
    [
        (..., True),
        ("123", True),
        (5, True),
        ([], True),
        ({}, True),
        ({"resource": None}, True),
        ({"resource": bundle()}, False),
        (PATIENT, True),
        (None, False),
        (bundle(), False),
        (bundle(order()), False),
        ({"resourceType": "OperationOutcome"}, False),
        (bundle({"resourceType": "OperationOutcome"}), False),
    ],
    ids=str,
)
def test_only_what_was_not_provided_is_asked_for(ehr: Ehr, access: FhirAccess, value: Any, asked: bool) -> None:
    given = {} if value is ... else {"medications": raw_json(value)}
    prefetch = Prefetch(given, call(access, ehr.url))
    prefetch.complete("medications")
    prefetch.complete("medications")
    assert ehr.kinds == (["MedicationRequest"] if asked else [])


def test_nothing_is_asked_for_before_it_is_needed(ehr: Ehr, access: FhirAccess) -> None:
    prefetch = Prefetch(None, call(access, ehr.url))
    assert prefetch["medications"] is ABSENT
    assert prefetch.medications() == {}
    assert ehr.asked == []


def test_missing_keys_are_fetched_side_by_side(ehr: Ehr, access: FhirAccess) -> None:
    together = threading.Barrier(len(KEYS))

    def meet(to: Any) -> None:
        together.wait(LONG)
        to.send(200, b'{"resourceType": "Bundle"}')

    ehr.all(meet)
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete(*KEYS)
    assert not together.broken, "every request had to wait for all the others"
    assert prefetch["medications"].state is State.GIVEN


@pytest.mark.conformance("C-061")
def test_one_deadline_holds_for_all_keys_and_rounds(ehr: Ehr) -> None:
    ehr.all(hang)
    with closing(accessing(0.5)) as access:
        prefetch = Prefetch(None, call(access, ehr.url))
        started = time.monotonic()
        prefetch.complete("medications", "statements")
        prefetch.complete(*KEYS)
        prefetch.resolve(["Medication/m1"])
        assert time.monotonic() - started < LONG
        assert {prefetch[key].reason for key in KEYS} == {Failure.TIMEOUT}
        assert list(prefetch.failures) == [Failure.TIMEOUT]
        assert set(ehr.kinds) <= {"MedicationRequest", "MedicationStatement"}, "when the time is up, nothing is asked"
        ehr.stop.set()


def test_a_server_that_hangs_for_one_key_costs_that_key_only(ehr: Ehr) -> None:
    ehr.answers["Condition"] = hang
    with closing(accessing(3)) as access:
        prefetch = Prefetch(None, call(access, ehr.url))
        prefetch.complete(*KEYS)
        assert prefetch["conditions"] == Answer(State.UNAVAILABLE, reason=Failure.TIMEOUT)
        assert {prefetch[key].state for key in KEYS if key != "conditions"} == {State.GIVEN}
        ehr.stop.set()


def test_when_too_many_fetches_are_under_way_a_call_does_not_wait_beyond_its_deadline(ehr: Ehr) -> None:
    released = threading.Event()
    with closing(accessing(0.5)) as access:
        others = [access.submit(lambda: released.wait(LONG)) for _ in range(FETCHES)]
        try:
            prefetch = Prefetch(None, call(access, ehr.url))
            prefetch.complete("conditions")
            assert prefetch["conditions"] == Answer(State.UNAVAILABLE, reason=Failure.BUSY)
        finally:
            released.set()
        assert all(other.result(LONG) for other in others)
        access.submit(lambda: None).result(LONG)
        assert ehr.asked == [], "what was given up is not asked for later"


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (status(401), Failure.TOKEN_REFUSED),
        (status(403), Failure.FORBIDDEN),
        (status(404), Failure.NOT_FOUND),
        (status(500, b"<h1>no</h1>"), Failure.BROKEN),
        (raw(b"<html></html>", "text/html"), Failure.UNREADABLE),
        (resource({"resourceType": "OperationOutcome"}), Failure.UNREADABLE),
        (resource(bundle({"resourceType": "OperationOutcome"})), Failure.UNREADABLE),
        (resource({"resourceType": "Condition", "id": "c"}), Failure.UNREADABLE),
        (resource({"resourceType": "Parameters"}), Failure.UNREADABLE),
    ],
    ids=lambda value: str(value) if isinstance(value, Failure) else "",
)
def test_what_failed_is_unavailable_with_its_reason(
    ehr: Ehr, access: FhirAccess, behaviour: Any, reason: Failure
) -> None:
    ehr.answers["Condition"] = behaviour
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("conditions")
    assert prefetch["conditions"] == Answer(State.UNAVAILABLE, reason=reason)
    assert prefetch.failure("conditions") == reason


def test_a_bundle_is_no_patient(ehr: Ehr, access: FhirAccess) -> None:
    ehr.answers["Patient"] = resource(bundle(PATIENT))
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("patient")
    assert prefetch["patient"].reason == Failure.UNREADABLE


def ids(answer: Answer) -> list[str]:
    return [found["id"] for found in answer.resources]


def test_the_pages_after_a_first_one_are_read_whether_it_was_sent_or_fetched(ehr: Ehr, access: FhirAccess) -> None:
    first, second = bundle(order(id="a")), bundle(order(id="b"), order(id="a"))
    for link in ("?page={}", f"{ehr.url}?page={{}}", f"{ehr.url}/MedicationRequest?patient=1&page={{}}"):
        ehr.answers["MedicationRequest"] = ehr.answers[""] = pages(first, second, bundle(order(id="c")), link=link)
        for given in ({}, {"medications": raw_json({**first, "link": [{"relation": "next", "url": link.format(2)}]})}):
            prefetch = Prefetch(given, call(access, ehr.url))
            prefetch.complete("medications")
            assert (prefetch["medications"].state, ids(prefetch["medications"])) == (State.GIVEN, ["a", "b", "c"])
    assert {asked.headers["Authorization"] for asked in ehr.asked} == {f"Bearer {TOKEN}"}


@pytest.mark.conformance("L-18")
def test_a_next_page_on_another_server_is_not_followed_and_the_list_partial(ehr: Ehr, access: FhirAccess) -> None:
    with serving() as other:
        other.all(resource(bundle(order(id="b"))))
        ehr.answers["MedicationRequest"] = pages(bundle(order(id="a")), bundle(), link=f"{other.url}?page={{}}")
        sent = bundle(order(id="a"), link=[{"relation": "next", "url": f"{other.url}?page=2"}])
        for given in ({}, {"medications": raw_json(sent)}):
            prefetch = Prefetch(given, call(access, ehr.url))
            prefetch.complete("medications")
            found = prefetch["medications"]
            assert (found.state, ids(found), found.reason) == (State.PARTIAL, ["a"], Failure.NEXT_ELSEWHERE)
        assert other.asked == []


@pytest.mark.conformance("L-18")
def test_pages_without_end_are_left_after_some(ehr: Ehr, access: FhirAccess) -> None:
    ehr.answers["MedicationRequest"] = endless(bundle(order(id="a"), order(id=None)))
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("medications")
    found = prefetch["medications"]
    assert (found.state, found.reason) == (State.PARTIAL, Failure.LIMIT)
    assert len(ehr.asked) == MOST_PAGES
    assert [r.get("id") for r in found.resources] == ["a", *[None] * MOST_PAGES]


def test_the_same_id_with_other_content_on_a_later_page_is_kept_and_one_that_is_repeated_is_not(
    ehr: Ehr, access: FhirAccess
) -> None:
    other = order(id="a", status="stopped")
    ehr.answers["MedicationRequest"] = pages(bundle(order(id="a")), bundle(order(id="a"), other, total=2))
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("medications")
    assert (prefetch["medications"].state, prefetch["medications"].resources) == (State.GIVEN, (order(id="a"), other))


def test_pages_that_hold_less_than_they_announce_are_not_the_whole_list(ehr: Ehr, access: FhirAccess) -> None:
    ehr.answers["MedicationRequest"] = pages(bundle(order(id="a"), total=3), bundle(order(id="b"), total=3))
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("medications")
    answer = prefetch["medications"]
    assert (answer.state, answer.matches, answer.announced) == (State.SHORT, 2, 3)


def test_a_patient_without_an_id_is_not_taken_from_a_server(ehr: Ehr, access: FhirAccess) -> None:
    ehr.answers["Patient"] = resource({"resourceType": "Patient", "birthDate": "1961"})
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("patient")
    assert (prefetch["patient"].known, prefetch["patient"].reason) == (False, Failure.UNREADABLE)


@pytest.mark.parametrize(
    ("second", "state", "reason"),
    [
        (status(500), State.PARTIAL, Failure.BROKEN),
        (status(403), State.PARTIAL, Failure.FORBIDDEN),
        (resource({"resourceType": "OperationOutcome"}), State.PARTIAL, Failure.UNREADABLE),
        (resource(bundle(order(id="b"), {"resourceType": "OperationOutcome"})), State.REFUSED, ""),
        (resource(bundle(order(id="b"), entry=[{"resource": order(id="b")}, None])), State.DAMAGED, ""),
        (resource(bundle(entry=[{"resource": 5}])), State.PARTIAL, Failure.UNREADABLE),
    ],
    ids=["500", "403", "an error", "an error among the entries", "damaged", "nothing but damage"],
)
def test_a_later_page_that_fails_leaves_the_first_ones(
    ehr: Ehr, access: FhirAccess, second: Any, state: State, reason: str
) -> None:
    ehr.answers["MedicationRequest"] = pages(bundle(order(id="a")), bundle(), link=f"{ehr.url}/Condition?page={{}}")
    ehr.answers["Condition"] = second
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("medications")
    found = prefetch["medications"]
    assert (found.state, found.reason, ids(found)[0], found.known) == (state, reason, "a", True)


def test_a_first_page_without_access_stays_what_it_is() -> None:
    sent = bundle(order(), link=[{"relation": "next", "url": "https://a.example/r4?page=2"}])
    prefetch = Prefetch({"medications": raw_json(sent)})
    prefetch.complete("medications")
    assert (prefetch["medications"].state, prefetch["medications"].reason) == (State.PARTIAL, "")


def medication(identity: str) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": identity, "code": {"text": "Saroten"}}


def test_medications_are_fetched_by_their_references_each_once(ehr: Ehr, access: FhirAccess) -> None:
    ehr.answers["Medication"] = resource(medication("m1"))
    prefetch = Prefetch(None, call(access, ehr.url))
    targets = ["Medication/m1", "Medication/m1", f"{ehr.url}/Medication/m1/_history/3"]
    assert prefetch.resolve(targets)
    assert not prefetch.resolve(targets)
    assert [asked.path for asked in ehr.asked] == ["/fhir/Medication/m1"] * 2
    for target in targets:
        assert referred_to(target, prefetch.medications_for(target)) == medication("m1")


def test_what_was_fetched_for_one_reference_is_not_taken_for_the_same_id_elsewhere(
    ehr: Ehr, access: FhirAccess
) -> None:
    ehr.answers["Medication"] = resource(medication("m1"))
    prefetch = Prefetch(None, call(access, ehr.url))
    elsewhere = "https://other.example/r4/Medication/m1"
    assert prefetch.resolve(["Medication/m1", elsewhere])
    assert prefetch.medications_for(elsewhere) == {}
    assert len(ehr.asked) == 1


def test_an_id_with_a_colon_is_found_too(ehr: Ehr, access: FhirAccess) -> None:
    ehr.answers["Medication"] = resource(medication("oid:1.2"))
    assert Prefetch(None, call(access, ehr.url)).resolve(["Medication/oid:1.2"])
    assert ehr.asked[0].path == "/fhir/Medication/oid%3A1.2"


@pytest.mark.parametrize("value", [medication("m2"), {"resourceType": "Substance", "id": "m1"}, PATIENT])
def test_what_is_not_the_medication_asked_for_is_none(ehr: Ehr, access: FhirAccess, value: Any) -> None:
    ehr.answers["Medication"] = resource(value)
    prefetch = Prefetch(None, call(access, ehr.url))
    assert not prefetch.resolve(["Medication/m1"])
    assert list(prefetch.failures) == [Failure.UNREADABLE]


def test_only_so_many_medications_are_fetched_for_one_call(ehr: Ehr, access: FhirAccess) -> None:
    ehr.answers["Medication"] = status(404)
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.resolve(f"Medication/{number}" for number in range(MOST_MEDICATIONS - 1))
    assert list(prefetch.failures) == [Failure.NOT_FOUND]
    prefetch.resolve(["Medication/x", "Medication/y"])
    assert len(ehr.asked) == MOST_MEDICATIONS
    assert prefetch.failures == {Failure.NOT_FOUND: ["Medication"], Failure.LIMIT: ["Medication"]}


SEVEN = Client(name="A", fhir_servers=("https://fhir.example.org/r4",))


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"client": SEVEN}, Failure.NOT_ALLOWED),
        ({"client": Client(name="A")}, Failure.NOT_ALLOWED),
        ({"patient": ".."}, Failure.ODD_ID),
        ({"patient": "1,2"}, Failure.ODD_ID),
        ({"patient": "1/../2"}, Failure.ODD_ID),
    ],
    ids=str,
)
def test_a_call_that_may_fetch_nothing_sends_nothing_and_says_why(
    ehr: Ehr, access: FhirAccess, given: Any, reason: Failure
) -> None:
    first = bundle(order(), link=[{"relation": "next", "url": "?page=2"}])
    prefetch = Prefetch({"medications": raw_json(first)}, call(access, ehr.url, **given))
    prefetch.complete(*KEYS)
    prefetch.resolve(["Medication/m1"])
    assert ehr.asked == []
    assert prefetch["patient"] == Answer(State.UNAVAILABLE, reason=reason)
    assert (prefetch["medications"].state, prefetch["medications"].reason) == (State.PARTIAL, reason)
    assert list(prefetch.failures) == [reason]


def test_a_token_for_another_patient_is_not_used_to_find_nothing(ehr: Ehr, access: FhirAccess) -> None:
    request = {"access_token": TOKEN, "patient": "2"}
    opened = access.opened(_request(ehr.url, request), "1", ANYBODY)
    prefetch = Prefetch(None, opened)
    prefetch.complete("conditions")
    assert (prefetch.failures, ehr.asked) == ({Failure.OTHER_PATIENT: ["conditions"]}, [])
    for same in ("1", "Patient/1", "", None, 5, ...):
        given = {"access_token": TOKEN} if same is ... else {"access_token": TOKEN, "patient": same}
        prefetch = Prefetch(None, access.opened(_request(ehr.url, given), "1", ANYBODY))
        prefetch.complete("conditions")
        assert prefetch.failures == {}


def _request(base: str | None, authorization: Any) -> HookRequest:
    given = FhirAuthorization(**authorization) if authorization is not None else None
    return HookRequest("order-sign", "x", raw_json({}), fhirServer=base, fhirAuthorization=given)


def test_without_server_or_token_there_is_no_source(access: FhirAccess) -> None:
    for request in (_request(None, None), _request("http://127.0.0.1", None), _request("", {"access_token": "x"})):
        assert access.opened(request, "1", ANYBODY) is None


@pytest.mark.conformance("C-061")
def test_each_call_uses_its_own_token_only(ehr: Ehr, access: FhirAccess) -> None:
    for token in ("first", "second"):
        prefetch = Prefetch(None, access.opened(_request(ehr.url, {"access_token": token}), "1", ANYBODY))
        prefetch.complete("conditions")
    assert [asked.headers["Authorization"] for asked in ehr.asked] == ["Bearer first", "Bearer second"]


def test_a_round_is_logged_and_told_with_keys_outcomes_and_times_only(ehr: Ehr, logged: list[Any]) -> None:
    told: list[tuple[str, str, float]] = []
    ehr.answers["Condition"] = status(403)
    with closing(accessing(observers=[lambda key, outcome, seconds: told.append((key, outcome, seconds))])) as access:
        prefetch = Prefetch(None, call(access, ehr.url, patient="ilona-varga"))
        prefetch.complete("patient", "conditions", "allergies")
        prefetch.resolve(["Medication/m1"])
    outcomes = {("patient", "given"), ("conditions", "fhir-403"), ("allergies", "given"), ("Medication", "fhir-404")}
    assert {(key, outcome) for key, outcome, _ in told} == outcomes
    assert all(0 <= seconds < LONG for *_, seconds in told)
    first, second = logged
    assert (first["event"], second["event"]) == ("fetched", "fetched")
    assert {(key["key"], key["outcome"]) for line in logged for key in line["keys"]} == outcomes
    for secret in (TOKEN, "ilona-varga", ehr.url, "m1"):
        assert secret not in str(logged)


def _fetch_in_child(access: FhirAccess, base: str, found: Any) -> None:
    prefetch = Prefetch(None, call(access, base))
    prefetch.complete("patient")
    found.put(prefetch["patient"].state.value)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_process_forked_from_one_that_has_fetched_fetches_by_itself(ehr: Ehr, access: FhirAccess) -> None:
    prefetch = Prefetch(None, call(access, ehr.url))
    prefetch.complete("patient")
    context = multiprocessing.get_context("fork")
    found = context.Queue()
    child = context.Process(target=_fetch_in_child, args=(access, ehr.url, found))
    child.start()
    try:
        assert found.get(timeout=LONG) == State.GIVEN.value
        child.join(LONG)
    finally:
        if child.is_alive():
            child.kill()
    assert ehr.kinds == ["Patient", "Patient"]


def test_loading_starts_no_thread_and_opens_no_connection(ehr: Ehr) -> None:
    before = threading.active_count()
    with closing(accessing()) as access:
        Prefetch(None, call(access, ehr.url))
        assert threading.active_count() == before
    assert ehr.asked == []

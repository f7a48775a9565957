"""A call whose data is on the client's FHIR server is answered like one that brings it along."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from service.app import create_app
from service.cdshooks.services import prefetch_templates
from service.decide import Decision, decide
from service.engine.library import Library
from service.errors import MissingData, NotConformant
from service.fhir.access import FhirAccess
from service.fhir.fetch_errors import Failure
from service.jsonio import encode
from service.settings import Settings
from service.trust.clients import Client
from tests.calls import CRITICAL, NEW_START, PAIR, Json, answered, by_id, draft, without
from tests.conftest import FIXTURES, ROOT, TODAY
from tests.fhir.ehr import LONG, TOKEN, TYPES, Ehr, endless, hang, pages, raw, resource, serving, status

Fixture = Callable[[str], dict[str, Any]]
PAIR_CARD = "tolperisone-with-amitriptyline"
LISTS = tuple(TYPES)[1:]
SERTRALINE = {"coding": [{"system": "http://www.whocc.no/atc", "code": "N06AB06"}], "text": "Sertraline 50 mg"}
REDIRECT = status(302, Location="http://127.0.0.1:9/fhir")


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with serving() as ehr:
        yield ehr


@pytest.fixture
def using(decision: Decision, library: Library) -> Iterator[Decision]:
    with closing(FhirAccess(prefetch_templates(library.terminology.loinc), LONG, loopback=True)) as access:
        yield replace(decision, fhir=access)


@pytest.fixture
def hasty(using: Decision) -> Iterator[Decision]:
    """The same with little time, for servers that do not answer."""
    assert using.fhir is not None
    with closing(FhirAccess(using.fhir.templates, 0.5, loopback=True)) as access:
        yield replace(using, fhir=access)


def on_server(request: Json, ehr: Ehr, *keys: str) -> Json:
    """The request with these keys, by default all, on the FHIR server instead of in prefetch."""
    prefetch = request.pop("prefetch")
    moved = keys or tuple(prefetch)
    ehr.serve({key: prefetch[key] for key in moved})
    kept = {key: value for key, value in prefetch.items() if key not in moved}
    return {**with_access(request, ehr), **({"prefetch": kept} if kept else {})}


def with_access(request: Json, ehr: Ehr) -> Json:
    authorization = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/Observation.read user/*.rs",
        "subject": "tolami",
    }
    return {**request, "fhirServer": ehr.url, "fhirAuthorization": authorization}


def complete(path: Path) -> bool:
    """True for a request with all lists, but for the one whose drug nobody has: the server's answer to it is told."""
    return "unresolvable" not in path.stem and set(json.loads(path.read_bytes()).get("prefetch", {})) == set(TYPES)


REQUESTS = sorted(p for p in FIXTURES.glob("requests/*/*.json") if not p.name.endswith(".expected.json"))
SELECTION = [path for path in REQUESTS if complete(path)][::6]


@pytest.mark.conformance("C-063")
@pytest.mark.parametrize("path", SELECTION, ids=lambda path: path.stem)
def test_the_same_data_gives_the_same_cards_from_prefetch_and_from_the_server(
    path: Path, using: Decision, ehr: Ehr
) -> None:
    def cards(request: Json) -> list[Json]:
        numbers = count()
        return answered(request, replace(using, new_uuid=lambda: str(next(numbers))))

    request = json.loads(path.read_bytes())
    assert cards(request) == cards(on_server(json.loads(path.read_bytes()), ehr))


def test_the_selection_reaches_cards_and_every_way_in() -> None:
    assert {path.parent.name for path in SELECTION} >= {"order-select", "order-sign", "patient-view"}
    expected = [json.loads(p.with_name(f"{p.stem}.expected.json").read_bytes())["body"]["cards"] for p in SELECTION]
    assert sum(map(bool, expected)) > 10


@pytest.mark.conformance("C-055")
@pytest.mark.parametrize("key", TYPES)
def test_a_single_missing_key_is_fetched_and_nothing_else(
    fixture: Fixture, using: Decision, ehr: Ehr, key: str
) -> None:
    whole = by_id(answered(fixture(PAIR), using))
    cards = by_id(answered(on_server(fixture(PAIR), ehr, key), using))
    assert cards.keys() == whole.keys()
    assert ehr.kinds == [TYPES[key]]


@pytest.mark.conformance("C-054")
def test_with_everything_in_prefetch_nothing_is_asked_for(fixture: Fixture, using: Decision, ehr: Ehr) -> None:
    assert PAIR_CARD in by_id(answered(with_access(fixture(PAIR), ehr), using))
    assert ehr.asked == []


def test_for_an_order_of_another_drug_nothing_is_asked_for(fixture: Fixture, using: Decision, ehr: Ehr) -> None:
    request = on_server(fixture("requests/order-select/amoxicillin"), ehr)
    assert answered(request, using) == []
    named = {"reference": "Medication/m1", "display": "Amoxicillin 500 mg"}
    draft(request).pop("medicationCodeableConcept")
    draft(request)["medicationReference"] = named
    assert answered(request, using) == []
    assert ehr.asked == []


@pytest.mark.conformance("C-059")
def test_a_server_without_a_token_is_left_alone(fixture: Fixture, using: Decision, ehr: Ehr) -> None:
    for authorization in (..., None):
        request = on_server(fixture(PAIR), ehr)
        request["fhirAuthorization"] = authorization
        with pytest.raises(MissingData):
            answered(without(request, "fhirAuthorization") if authorization is ... else request, using)
    assert ehr.asked == []


def test_an_open_server_is_read_without_a_token_for_the_client_that_says_so(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    told = answered(fixture(PAIR), using)
    request = without(on_server(fixture(PAIR), ehr), "fhirAuthorization")
    client = Client(name="Sandbox", fhir_servers=(ehr.url,), open=True)
    answer = decide(json.dumps(request).encode(), request["hook"], using, client)
    assert by_id(json.loads(encode(answer))["cards"]).keys() == by_id(told).keys()
    assert ehr.asked
    assert not any("authorization" in {name.lower() for name in asked.headers} for asked in ehr.asked)


def test_an_open_client_gets_no_server_but_its_own(fixture: Fixture, using: Decision, ehr: Ehr) -> None:
    request = without(on_server(fixture(PAIR), ehr), "fhirAuthorization")
    client = Client(name="Sandbox", fhir_servers=("https://fhir.example.org/r4",), open=True)
    with pytest.raises(MissingData, match=r"may be called|not among"):
        decide(json.dumps(request).encode(), request["hook"], using, client)
    assert ehr.asked == []


@pytest.mark.conformance("L-07")
def test_a_token_without_a_server_is_refused(fixture: Fixture, using: Decision, ehr: Ehr) -> None:
    for server in (..., None, ""):
        request = with_access(fixture(PAIR), ehr) | {"fhirServer": server}
        with pytest.raises(NotConformant) as refused:
            answered(without(request, "fhirServer") if server is ... else request, using)
        assert refused.value.expression == "$.fhirServer"


@pytest.mark.conformance("L-06")
def test_a_null_for_the_token_or_the_server_is_as_good_as_none(fixture: Fixture, using: Decision) -> None:
    request = fixture(PAIR) | {"fhirServer": None, "fhirAuthorization": None}
    assert PAIR_CARD in by_id(answered(request, using))


SCOPES = (
    "patient/Patient.read patient/Observation.read",
    "user/*.read",
    "patient/Patient.rs patient/Observation.rs?category=laboratory",
    "launch openid",
    ...,
)


@pytest.mark.conformance("C-065", "C-066")
@pytest.mark.parametrize("scope", SCOPES)
def test_scopes_of_every_release_are_taken_and_no_patient_is_asked_for_beside_them(
    fixture: Fixture, using: Decision, ehr: Ehr, scope: Any
) -> None:
    request = on_server(fixture(PAIR), ehr)
    request["fhirAuthorization"]["scope"] = scope
    sent = without(request, "fhirAuthorization", "scope") if scope is ... else request
    assert PAIR_CARD in by_id(answered(sent, using))
    assert ehr.kinds == sorted(TYPES.values())


FAILING = {
    "401": (status(401), Failure.TOKEN_REFUSED),
    "403": (status(403), Failure.FORBIDDEN),
    "404": (status(404), Failure.NOT_FOUND),
    "422": (status(422), Failure.REFUSED),
    "500": (status(500), Failure.BROKEN),
    "HTML": (raw(b"<html></html>", "text/html"), Failure.UNREADABLE),
    "truncated": (raw(b'{"resourceType": "Bun'), Failure.UNREADABLE),
    "an error": (resource({"resourceType": "OperationOutcome", "issue": []}), Failure.UNREADABLE),
    "redirect": (REDIRECT, Failure.REDIRECT),
}


@pytest.mark.conformance("C-053")
@pytest.mark.parametrize(("behaviour", "failure"), FAILING.values(), ids=FAILING)
def test_without_the_patient_a_failing_server_is_a_412_that_says_why(
    fixture: Fixture, using: Decision, ehr: Ehr, behaviour: Any, failure: Failure
) -> None:
    request = on_server(fixture(PAIR), ehr)
    ehr.all(behaviour)
    with pytest.raises(MissingData) as missing:
        answered(request, using)
    assert missing.value.expression == "prefetch.patient"
    assert failure.advice in missing.value.message
    for secret in (TOKEN, ehr.url, "ilona-varga"):
        assert secret not in missing.value.message


@pytest.mark.conformance("L-17")
@pytest.mark.parametrize(("behaviour", "failure"), FAILING.values(), ids=FAILING)
def test_lists_that_could_not_be_fetched_are_named_on_a_card_with_the_reason_once(
    fixture: Fixture, using: Decision, ehr: Ehr, behaviour: Any, failure: Failure
) -> None:
    request = on_server(fixture(PAIR), ehr, *LISTS)
    ehr.all(behaviour)
    card = by_id(answered(request, using))["not-checked"]
    assert card["extension"]["io.github.tolami"]["notChecked"] == sorted({failure.value, "not-fetched"})
    lists = using.library.cards["not-checked"].lists
    assert all(lists[key] in card["detail"].lower() for key in LISTS)
    assert card["detail"].count("not sent, and could not be fetched") == 1
    assert card["detail"].count(using.library.cards["not-checked"].reasons[failure]["long"]) == 1


def test_a_server_that_hangs_costs_the_lists_or_the_answer_but_never_the_deadline(
    fixture: Fixture, hasty: Decision, ehr: Ehr
) -> None:
    request = on_server(fixture(PAIR), ehr, *LISTS)
    ehr.all(hang)
    cards = by_id(answered(request, hasty))
    assert Failure.TIMEOUT in cards["not-checked"]["extension"]["io.github.tolami"]["notChecked"]
    with pytest.raises(MissingData, match="did not answer in time"):
        answered(without(request, "prefetch"), hasty)
    ehr.stop.set()


def test_a_critical_card_needs_no_list_to_be_given(fixture: Fixture, using: Decision, ehr: Ehr) -> None:
    request = on_server(fixture(CRITICAL), ehr, *LISTS)
    ehr.all(status(500))
    assert answered(request, using)[0]["indicator"] == "critical"


@pytest.mark.conformance("C-064")
def test_a_partner_on_a_later_page_is_found(fixture: Fixture, using: Decision, ehr: Ehr) -> None:
    request = on_server(fixture(PAIR), ehr)
    listed = fixture(PAIR)["prefetch"]["medications"]
    empty = {"resourceType": "Bundle", "type": "searchset"}
    ehr.answers["MedicationRequest"] = pages(empty, empty, listed)
    cards = by_id(answered(request, using))
    assert PAIR_CARD in cards
    assert "not-checked" not in cards


@pytest.mark.conformance("L-17")
def test_a_list_that_was_not_read_to_its_end_is_said_to_be_incomplete_and_offers_no_change(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    request = on_server(fixture(NEW_START), ehr)
    assert any("suggestions" in card for card in answered(request, using))
    ehr.answers["MedicationRequest"] = endless({"resourceType": "Bundle"})
    cards = answered(request, using)
    codes = by_id(cards)["not-checked"]["extension"]["io.github.tolami"]["notChecked"]
    assert codes == sorted([Failure.LIMIT, "only-some-pages"])
    assert not any("suggestions" in card for card in cards)


def test_a_server_that_is_not_allowed_for_the_client_is_named_as_the_reason_and_not_called(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    request = on_server(fixture(PAIR), ehr, *LISTS)
    elsewhere = Client(name="A", fhir_servers=("https://fhir.example.org/r4",))
    answer = encode(decide(json.dumps(request).encode(), "order-select", using, elsewhere))
    card = by_id(json.loads(answer)["cards"])["not-checked"]
    assert card["extension"]["io.github.tolami"]["notChecked"] == sorted([Failure.NOT_ALLOWED, "not-fetched"])
    assert ehr.asked == []


def test_an_interacting_drug_has_the_lists_fetched_and_the_rest_only_if_one_of_the_drugs_is_there(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    request = on_server(fixture("requests/order-sign/linezolid-for-patient-on-amitriptyline"), ehr)
    cards = answered(request, using)
    assert cards[0]["indicator"] == "critical"
    assert ehr.kinds == sorted(TYPES.values())
    ehr.asked.clear()
    ehr.answers["MedicationRequest"] = resource({"resourceType": "Bundle"})
    assert answered(request, using) == []
    assert ehr.kinds == ["MedicationRequest", "MedicationStatement"]


def test_silence_about_an_interacting_drug_is_not_kept_when_the_list_could_not_be_fetched(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    request = on_server(fixture("requests/order-sign/linezolid-for-patient-on-amitriptyline"), ehr)
    ehr.answers["MedicationRequest"] = status(500)
    card = by_id(answered(request, using))["not-checked"]
    assert card["extension"]["io.github.tolami"]["notChecked"] == sorted([Failure.BROKEN, "not-fetched"])
    (card,) = answered(without(request, "fhirAuthorization"), using)
    assert card["summary"] == "Not checked: the medication list"


def by_reference(request: Json, **pointer: str) -> Json:
    """The request with its draft's drug only by reference, and that drug as a Medication."""
    order = draft(request)
    concept = order.pop("medicationCodeableConcept")
    order["medicationReference"] = {"reference": "Medication/m1", **pointer}
    return {"resourceType": "Medication", "id": "m1", "code": concept}


@pytest.mark.conformance("L-31")
@pytest.mark.parametrize("pointer", [{}, {"display": "Amitriptyline"}], ids=["no words", "named"])
def test_a_draft_by_reference_is_looked_up_on_the_server(
    fixture: Fixture, using: Decision, ehr: Ehr, pointer: dict[str, str]
) -> None:
    request = on_server(fixture(PAIR), ehr)
    ehr.answers["Medication"] = resource(by_reference(request, **pointer))
    cards = by_id(answered(request, using))
    assert PAIR_CARD in cards
    assert "not-checked" not in cards, "the strength is known from the Medication"
    assert ehr.kinds.count("Medication") == 1


def test_a_draft_by_reference_that_is_not_there_is_not_checked_and_says_why(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    request = on_server(fixture(PAIR), ehr)
    by_reference(request)
    card = by_id(answered(request, using))["not-checked"]
    codes = card["extension"]["io.github.tolami"]["notChecked"]
    assert codes == sorted([Failure.NOT_FOUND, "reference-unresolved"])
    assert ehr.kinds == ["Medication"]


def test_an_entry_of_the_list_by_reference_is_looked_up_on_the_server(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    request = fixture(PAIR)
    order = request["prefetch"]["medications"]["entry"][0]["resource"]
    medication = {"resourceType": "Medication", "id": "m9", "code": order.pop("medicationCodeableConcept")}
    order["medicationReference"] = {"reference": "Medication/m9"}
    ehr.answers["Medication"] = resource(medication)
    cards = by_id(answered(with_access(request, ehr), using))
    assert PAIR_CARD in cards
    assert ehr.kinds == ["Medication"]


def test_an_opened_chart_is_read_from_the_server_as_far_as_it_concerns_the_guidance(
    fixture: Fixture, using: Decision, ehr: Ehr
) -> None:
    request = on_server(fixture("requests/patient-view/pair-already-taken"), ehr)
    assert PAIR_CARD in by_id(answered(request, using))
    ehr.asked.clear()
    ehr.answers["MedicationRequest"] = ehr.answers["MedicationStatement"] = resource({"resourceType": "Bundle"})
    assert answered(request, using) == []
    assert ehr.kinds == ["MedicationRequest", "MedicationStatement"]
    ehr.answers["MedicationRequest"] = status(503)
    assert Failure.BROKEN in str(by_id(answered(request, using))["not-checked"])


def test_every_failure_has_its_words_its_advice_and_a_row_in_the_documentation(library: Library) -> None:
    page = (ROOT / "docs/fhir-access.md").read_text(encoding="utf-8")
    for failure in Failure:
        assert failure.value in library.cards["not-checked"].reasons
        assert f"| `{failure.value}` |" in page
        assert failure.advice


@pytest.fixture
def web(library: Library) -> Iterator[FlaskClient]:
    app = create_app(Settings(fhir_deadline=LONG), library, lambda: TODAY)
    with closing(app.extensions["decision"].fhir):
        yield app.test_client()


@pytest.mark.conformance("C-061", "C-062")
def test_the_token_is_used_during_its_call_and_appears_nowhere(
    fixture: Fixture, web: FlaskClient, ehr: Ehr, logged: list[Any]
) -> None:
    request = on_server(fixture(PAIR), ehr)
    answer = web.post("/cds-services/order-select", json=request)
    assert PAIR_CARD in by_id(answer.get_json()["cards"])
    asked = len(ehr.asked)
    assert asked == len(TYPES)
    again = web.post("/cds-services/order-select", json=without(request, "fhirAuthorization"))
    assert again.status_code == 412
    assert len(ehr.asked) == asked, "a token is of its own call only"
    for text in (answer.text, again.text, str(logged)):
        assert TOKEN not in text
    for secret in (ehr.url, "ilona-varga"):
        assert secret not in str(logged)
    assert [line["event"] for line in logged] == ["fetched", "request", "request"]


@pytest.mark.parametrize("token", [None, "", "two words", "with\nline", "é", 5, {}])
def test_a_token_that_cannot_be_sent_is_refused_without_repeating_it(
    fixture: Fixture, web: FlaskClient, ehr: Ehr, token: Any
) -> None:
    request = on_server(fixture(PAIR), ehr) | {"fhirAuthorization": {"access_token": token}}
    answer = web.post("/cds-services/order-select", json=request)
    assert answer.status_code == 422
    assert answer.get_json()["issue"][0]["expression"] == ["fhirAuthorization.access_token"]
    assert "words" not in answer.text
    assert ehr.asked == []

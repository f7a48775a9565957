"""A FHIR server is read to the end of the time and no further, and the token goes nowhere else."""

import gzip
import logging
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from service.fhir.client import MOST_BYTES, FhirServer, usable_id
from service.fhir.fetch_errors import Failure, Unfetched
from service.fhir.resources import Resource
from service.http import new_session
from service.trust.clients import ANYBODY, Client
from tests.fhir.ehr import (
    DRIPPING,
    HOST,
    LONG,
    TOKEN,
    Behaviour,
    Ehr,
    cut_off,
    drip,
    hang,
    hang_up,
    raw,
    resource,
    serving,
    status,
)

PATIENT = {"resourceType": "Patient", "id": "1"}
SHORT = 0.5
"""Seconds given to servers that do not answer."""


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with new_session(None, 4) as session:
        yield session


@pytest.fixture
def ehr() -> Iterator[Ehr]:
    with serving() as ehr:
        yield ehr


def server(ehr: Ehr, session: requests.Session, client: Client = ANYBODY) -> FhirServer:
    return FhirServer(ehr.url, TOKEN, client, True, session)


def read(ehr: Ehr, session: requests.Session, seconds: float = LONG) -> Resource:
    return server(ehr, session).read(f"{ehr.url}/Patient/1", time.monotonic() + seconds)


def failure(ehr: Ehr, session: requests.Session, seconds: float = LONG) -> Failure:
    with pytest.raises(Unfetched) as unfetched:
        read(ehr, session, seconds)
    return unfetched.value.failure


def test_a_resource_is_read_with_the_token_and_asked_for_as_fhir(ehr: Ehr, session: requests.Session) -> None:
    ehr.answers["Patient"] = resource(PATIENT)
    assert read(ehr, session) == PATIENT
    (asked,) = ehr.asked
    assert asked.path == "/fhir/Patient/1"
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["Accept"] == "application/fhir+json"
    assert asked.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "text/html", "application/octet-stream"])
def test_fhir_under_another_name_is_read(ehr: Ehr, session: requests.Session, kind: str) -> None:
    ehr.answers["Patient"] = resource(PATIENT, kind)
    assert read(ehr, session) == PATIENT


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (401, Failure.TOKEN_REFUSED),
        (403, Failure.FORBIDDEN),
        (404, Failure.NOT_FOUND),
        (410, Failure.NOT_FOUND),
        (400, Failure.REFUSED),
        (429, Failure.REFUSED),
        (500, Failure.BROKEN),
        (503, Failure.BROKEN),
        (202, Failure.UNREADABLE),
        (304, Failure.REDIRECT),
    ],
)
def test_a_status_is_told_as_what_it_means(ehr: Ehr, session: requests.Session, code: int, expected: Failure) -> None:
    ehr.answers["Patient"] = status(code, b"" if code == 304 else b"<p>no</p>")
    assert failure(ehr, session) is expected
    assert len(ehr.asked) == 1


UNREADABLE: dict[str, Behaviour] = {
    "HTML": raw(b"<html><body>Log in</body></html>", "text/html"),
    "truncated JSON": raw(b'{"resourceType": "Patient", "id": '),
    "cut off": cut_off,
    "nothing": raw(b""),
    "null": raw(b"null"),
    "a list": raw(b"[]"),
    "no type": raw(b"{}"),
    "not UTF-8": raw(b'{"resourceType": "Patient", "id": "\xff"}'),
    "deep": raw(b"[" * 100_000),
    "compressed": raw(gzip.compress(b'{"resourceType": "Patient"}'), Content_Encoding="gzip"),
}


@pytest.mark.parametrize("behaviour", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_resource_is_unreadable(ehr: Ehr, session: requests.Session, behaviour: Behaviour) -> None:
    ehr.answers["Patient"] = behaviour
    assert failure(ehr, session) is Failure.UNREADABLE


def test_a_compressed_answer_is_never_unpacked(ehr: Ehr, session: requests.Session) -> None:
    ehr.answers["Patient"] = raw(gzip.compress(b" " * 30_000_000, 1), Content_Encoding="gzip")
    assert failure(ehr, session) is Failure.UNREADABLE


def test_an_answer_beyond_the_bound_is_not_read_to_its_end(ehr: Ehr, session: requests.Session) -> None:
    ehr.answers["Patient"] = raw(b" " * (MOST_BYTES - 60) + b'{"resourceType": "Patient"}')
    assert read(ehr, session) == {"resourceType": "Patient"}
    ehr.answers["Patient"] = drip(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", b" " * 1_000_000)
    assert failure(ehr, session) is Failure.LIMIT
    assert ehr.left_alone()


@pytest.mark.parametrize("behaviour", [hang, *DRIPPING.values()], ids=["never", *DRIPPING])
def test_a_server_that_does_not_answer_in_time_is_left(
    ehr: Ehr, session: requests.Session, behaviour: Behaviour
) -> None:
    ehr.answers["Patient"] = behaviour
    started = time.monotonic()
    assert failure(ehr, session, SHORT) is Failure.TIMEOUT
    assert time.monotonic() - started < LONG
    session.close()
    assert behaviour is hang or ehr.left_alone()


def test_no_time_left_means_no_request(ehr: Ehr, session: requests.Session) -> None:
    assert failure(ehr, session, 0) is Failure.TIMEOUT
    assert ehr.asked == []


def test_a_redirect_is_not_followed_and_its_body_not_read(ehr: Ehr, session: requests.Session) -> None:
    with serving() as other:
        ehr.answers["Patient"] = drip(f"HTTP/1.1 302 Found\r\nLocation: {other.url}/Patient/1\r\n\r\n".encode())
        assert failure(ehr, session) is Failure.REDIRECT
        assert other.asked == []
    assert ehr.left_alone()


def test_a_cookie_is_not_kept(ehr: Ehr, session: requests.Session) -> None:
    ehr.answers["Patient"] = raw(b'{"resourceType": "Patient"}', Set_Cookie="session=somebody; Path=/")
    for _ in range(2):
        read(ehr, session)
    assert ["Cookie" in asked.headers for asked in ehr.asked] == [False, False]


def test_a_kept_connection_that_was_closed_meanwhile_is_replaced(ehr: Ehr, session: requests.Session) -> None:
    ehr.answers["Patient"] = hang_up
    assert failure(ehr, session) is Failure.UNREACHABLE
    assert len(ehr.asked) == 2, "asked once more on a new connection, and no more"


def test_a_server_that_is_not_there_is_unreachable(ehr: Ehr, session: requests.Session) -> None:
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        base = f"http://{HOST}:{probe.getsockname()[1]}"
    nowhere = FhirServer(base, TOKEN, ANYBODY, True, session)
    with pytest.raises(Unfetched) as unfetched:
        nowhere.read(f"{base}/Patient/1", time.monotonic() + LONG)
    assert unfetched.value.failure is Failure.UNREACHABLE


def test_no_proxy_and_no_password_of_the_environment_is_used(
    ehr: Ehr, session: requests.Session, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://{HOST}:9")
    monkeypatch.setenv("NO_PROXY", "")
    ehr.answers["Patient"] = resource(PATIENT)
    assert read(ehr, session) == PATIENT
    assert ehr.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_headers_that_cannot_be_parsed_bring_no_address_into_the_log(
    ehr: Ehr, session: requests.Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ehr.answers["Patient"] = drip(b"HTTP/1.1 200 OK\r\nbad header\r\nX: y\r\n\r\n{}")
    failure(ehr, session, SHORT)
    assert "Patient/1" not in caplog.text


def test_an_address_outside_what_is_allowed_gets_no_request(ehr: Ehr, session: requests.Session) -> None:
    with serving() as other:
        ehr.all(resource(PATIENT))
        other.all(resource(PATIENT))
        only = Client(name="A", fhir_servers=(f"{ehr.url}/inner",))
        for url in (f"{other.url}/Patient/1", f"{ehr.url}/../Patient/1", "file:///etc/passwd", ""):
            with pytest.raises(Unfetched) as unfetched:
                server(ehr, session).read(url, time.monotonic() + LONG)
            assert unfetched.value.failure is Failure.NOT_ALLOWED
        with pytest.raises(Unfetched):
            server(ehr, session, only).read(f"{ehr.url}/Patient/1", time.monotonic() + LONG)
        assert ehr.asked == other.asked == []


@pytest.mark.conformance("L-08")
@pytest.mark.parametrize(
    ("base", "allowed"),
    [
        ("http://127.0.0.1:8080/fhir", True),
        ("http://[::1]:8080/fhir/", True),
        ("http://127.0.0.1:8080/fhir?x=", False),
        ("http://127.0.0.1:8080/fhir#", False),
        ("http://10.0.0.1/fhir", False),
        ("http://me@127.0.0.1/fhir", False),
        ("fhir", False),
    ],
)
def test_only_a_plain_address_that_is_allowed_is_a_server(session: requests.Session, base: str, allowed: bool) -> None:
    assert FhirServer(base, TOKEN, ANYBODY, True, session).allowed is allowed
    assert not FhirServer(base, TOKEN, ANYBODY, False, session).allowed, "plain http needs the setting"


def test_the_token_does_not_show(session: requests.Session) -> None:
    assert TOKEN not in repr(FhirServer("http://127.0.0.1", TOKEN, ANYBODY, True, session))


@pytest.fixture
def plain(session: requests.Session) -> FhirServer:
    return FhirServer(
        "https://a.example/r4/", TOKEN, Client(name="A", fhir_servers=("https://a.example/r4",)), True, session
    )


def test_a_query_is_the_template_with_the_patient_in_it(plain: FhirServer) -> None:
    assert plain.query("Patient/{{context.patientId}}", "a=b") == "https://a.example/r4/Patient/a%3Db"
    template = "Observation?patient={{context.patientId}}&code=http://loinc.org|1-8,http://loinc.org|2-6"
    assert plain.query(template, "1") == (
        "https://a.example/r4/Observation?patient=1&code=http://loinc.org%7C1-8,http://loinc.org%7C2-6"
    )


@given(st.text(max_size=20))
def test_whatever_a_patient_is_called_the_address_stays_the_one_of_the_query(identity: str) -> None:
    server = FhirServer("https://a.example/r4", TOKEN, ANYBODY, True, requests.Session())
    url = server.query("Condition?patient={{context.patientId}}", identity)
    start = "https://a.example/r4/Condition?patient="
    assert url.startswith(start)
    assert not set(url.removeprefix(start)) & set("/?&#=|, \\")


@pytest.mark.parametrize("identity", ["1", "a-b.c", "urn:oid:1.2", "A_B", "x" * 255])
def test_ids_that_occur_may_be_asked_for(identity: str) -> None:
    assert usable_id(identity)


@pytest.mark.parametrize(
    "identity", ["", ".", "..", "1,2", "a/b", "a\\b", "1|2", "%2e", "1&x=y", "1#", "1?", "a b", "1\n", "é", "x" * 256]
)
def test_ids_that_mean_more_than_one_patient_or_another_place_may_not(identity: str) -> None:
    assert not usable_id(identity)


@pytest.mark.parametrize("target", ["Medication/m1", "Medication/m1/_history/2", "https://a.example/r4/Medication/m1"])
def test_a_reference_to_a_medication_of_the_server_leads_there(plain: FhirServer, target: str) -> None:
    assert plain.medication(target) == "https://a.example/r4/Medication/m1"


@pytest.mark.parametrize(
    "target",
    [
        "Medication/..",
        "Medication/a/b",
        "Medication/",
        "Patient/1",
        "../Medication/m1",
        "https://b.example/r4/Medication/m1",
        "https://a.example/Medication/m1",
        "urn:uuid:1",
        "m1",
        "",
    ],
)
def test_a_reference_to_anywhere_else_leads_nowhere(plain: FhirServer, target: str) -> None:
    assert plain.medication(target) == ""


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://a.example/r4?page=2", "https://a.example/r4?page=2"),
        ("https://a.example:443/r4/Condition?page=2", "https://a.example:443/r4/Condition?page=2"),
        ("?page=2", "https://a.example/r4/Condition?page=2"),
        ("Condition?page=2", "https://a.example/r4/Condition?page=2"),
    ],
)
def test_a_next_page_of_the_server_is_followed(plain: FhirServer, link: str, expected: str) -> None:
    assert plain.next_page(link, "https://a.example/r4/Condition?patient=1") == expected


@pytest.mark.conformance("L-18")
@pytest.mark.parametrize(
    "link",
    [
        "https://b.example/r4?page=2",
        "http://a.example/r4?page=2",
        "https://a.example:8443/r4?page=2",
        "https://a.example/r5?page=2",
        "//b.example/r4",
        "/admin",
        "https://a.example/r4/..%2fadmin",
        "https://a.example/r4\\..\\admin",
        "https://[a.example/r4",
        "javascript:1",
    ],
)
def test_a_next_page_elsewhere_is_refused(plain: FhirServer, link: str) -> None:
    with pytest.raises(Unfetched) as unfetched:
        plain.next_page(link, "https://a.example/r4/Condition?patient=1")
    assert unfetched.value.failure is Failure.NEXT_ELSEWHERE


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1 that nobody but itself has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made up")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[Ehr]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(context) as ehr:
        ehr.answers["Patient"] = resource(PATIENT)
        yield ehr


def test_a_certificate_that_nobody_trusts_is_refused(secure: Ehr, session: requests.Session) -> None:
    assert failure(secure, session) is Failure.CERTIFICATE
    assert secure.asked == []


def test_a_certificate_of_an_authority_that_the_settings_name_is_trusted(secure: Ehr, certificate: Path) -> None:
    with new_session(certificate, 4) as session:
        assert read(secure, session) == PATIENT
        assert read(secure, session) == PATIENT


def test_the_environment_cannot_make_a_certificate_trusted(
    secure: Ehr, session: requests.Session, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    assert failure(secure, session) is Failure.CERTIFICATE


def test_time_is_kept_over_tls_too(secure: Ehr, certificate: Path) -> None:
    for behaviour in (hang, DRIPPING["in one header"], DRIPPING["in the body"]):
        secure.answers["Patient"] = behaviour
        with new_session(certificate, 4) as session:
            assert failure(secure, session, SHORT) is Failure.TIMEOUT


def test_a_server_that_never_shakes_hands_is_left_without_having_seen_the_token(session: requests.Session) -> None:
    with closing(socket.socket()) as silent:
        silent.bind((HOST, 0))
        silent.listen()
        base = f"https://{HOST}:{silent.getsockname()[1]}"
        with pytest.raises(Unfetched) as unfetched:
            FhirServer(base, TOKEN, ANYBODY, True, session).read(f"{base}/Patient/1", time.monotonic() + SHORT)
        assert unfetched.value.failure is Failure.TIMEOUT

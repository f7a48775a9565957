"""The trust file says who may call and what is allowed for each client; a fault is named with its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.trust.clients import ANYBODY, Client, Clients, FaultyTrustFile, clients_of, lies_within

EHR = Client(name="Example EHR", fhir_servers=("https://fhir.example.org/r4", "http://127.0.0.1:8080/fhir"))


def trust(folder: Path, text: str) -> Path:
    file = folder / "trust.toml"
    file.write_text(text, encoding="utf-8")
    return file


def fault(folder: Path, text: str) -> str:
    with pytest.raises(FaultyTrustFile) as refused:
        clients_of(trust(folder, text))
    return str(refused.value)


def test_a_client_is_found_by_its_issuer_and_its_key_file_beside_the_trust_file(tmp_path: Path) -> None:
    clients = clients_of(
        trust(tmp_path, '[[client]]\nname = "A"\nissuer = "https://a.example"\njwks_file = "keys/a.json"\n')
    )
    found = clients.of_issuer("https://a.example")
    assert found is not None
    assert (found.name, found.jwks_file) == ("A", tmp_path / "keys/a.json")
    assert clients.of_issuer("https://a.example/") is None
    assert clients.of_issuer("") is None


def test_calls_without_a_token_have_the_entry_without_issuer() -> None:
    assert Clients().without_token.name == ANYBODY.name
    open_mode = Clients([Client(name="Sandbox", dialect="1.0", jurisdiction="uk")]).without_token
    assert (open_mode.name, open_mode.dialect, open_mode.jurisdiction) == ("Sandbox", "1.0", "uk")
    assert open_mode.may_fetch("http://127.0.0.1:8080/fhir/Patient/1", loopback=True)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "there is no [[client]]"),
        ("client = 3", "there is no [[client]]"),
        ('[[clients]]\nname = "A"', "clients: no such key"),
        ('[[client]]\nname = " "', "client 1 ( ): name: must not be empty"),
        ('[[client]]\nissuer = "x"', "client 1: name: Field required"),
        ('[[client]]\nname = "A"\ncolour = "red"', "client 1 (A): colour: Extra inputs are not permitted"),
        ('[[client]]\nname = "A"\ndialect = "4.0"', "client 1 (A): dialect: Input should be '1.0', '2.0' or '3.0'"),
        ('[[client]]\nname = "A"\njku = ["http://a.example/k"]', "jku: http://a.example/k must begin with https"),
        ('[[client]]\nname = "A"\nfhir_servers = ["ftp://a.example"]', "must be an https URL"),
        ('[[client]]\nname = "A"\nissuer = "https://a.example"\nopen = true', "open: there are no fhir_servers"),
        ('[[client]]\nname = "A"\n[[client]]\nname = "B"', "issuer (none) is listed 2 times"),
        ('[[client]]\nname = "A"\n[[client]]\nname = "A"\nissuer = "b"', "name A is listed 2 times"),
        ('[[client]]\nname = "playground"', "client 1 (playground): name: playground is what the playground is called"),
        ('[[client]]\nname = "A"\nfhir_servers = ["https://a.example/r4?x=1"]', "must be a base URL"),
        ('[[client]]\nname = "A"\nfhir_servers = ["https://a.example:99999/r4"]', "must be an https URL"),
        ('[[client]]\nname = "A"\nfhir_servers = "https://a.example/r4"', "fhir_servers: must be a list"),
        ("[[client]", "is not valid TOML"),
        ("x = " + "[" * 5000, "is not valid TOML"),
    ],
)
def test_a_fault_names_the_entry_and_the_reason(tmp_path: Path, text: str, named: str) -> None:
    assert named in fault(tmp_path, text)


def test_a_password_in_an_address_is_not_repeated(tmp_path: Path) -> None:
    for key in ("jku", "fhir_servers"):
        named = fault(tmp_path, f'[[client]]\nname = "A"\n{key} = ["https://user:secret@a.example/r4"]')
        assert "an address must be an https URL" in named
        assert "secret" not in named


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    text = '[[client]]\nname = "A"\ndialect = "9"\n[[client]]\nname = "B"\njurisdiction = "mars"\n'
    assert len(fault(tmp_path, text).splitlines()) == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaultyTrustFile, match=r"nowhere\.toml cannot be read"):
        clients_of(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    "url",
    [
        "https://fhir.example.org/r4",
        "https://fhir.example.org/r4/Patient/1",
        "https://fhir.example.org:443/r4/Observation?patient=1",
        "HTTPS://FHIR.EXAMPLE.ORG/r4/Patient/1",
        "http://127.0.0.1:8080/fhir/Patient/1",
    ],
)
def test_addresses_below_a_listed_server_may_be_fetched(url: str) -> None:
    assert EHR.may_fetch(url, loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://fhir.example.org/r4b/Patient/1",
        "https://fhir.example.org/r4/../admin",
        "https://fhir.example.org/r4/%2e%2e/admin",
        "https://fhir.example.org/r4/.%2E/admin",
        "https://fhir.example.org/r4\\..\\admin",
        "https://fhir.example.org/r4/..%2Fadmin",
        "https://fhir.example.org/r4/..%5cadmin",
        "https://fhir.example.org/r4/..;/admin",
        "https://fhir.example.org/r4/..;x=1/admin",
        "https://fhir.example.org/r4/%2e%2e%3b/admin",
        "https://fhir.example.org/r4/%252e%252e/admin",
        "https://fhir.example.org:0/r4",
        "https://fhir.example.org.evil.example/r4/Patient/1",
        "https://fhir.example.org@evil.example/r4/Patient/1",
        "https://fhir.example.org:8443/r4/Patient/1",
        "https://fhir.example.org:no/r4",
        "http://fhir.example.org/r4/Patient/1",
        "http://127.0.0.1:8081/fhir/Patient/1",
        "http://169.254.169.254/fhir",
        "file:///etc/passwd",
        "//fhir.example.org/r4",
        "https://[fhir.example.org/r4",
        "https://fhir.example.org/r4 x",
        "",
    ],
)
def test_every_other_address_is_not(url: str) -> None:
    assert not EHR.may_fetch(url, loopback=True)


@pytest.mark.conformance("L-08")
def test_plain_http_to_this_machine_needs_the_setting() -> None:
    assert not EHR.may_fetch("http://127.0.0.1:8080/fhir/Patient/1", loopback=False)


def test_open_mode_reaches_this_machine_on_any_port_and_nothing_else() -> None:
    for url in ("http://127.0.0.1:9/fhir/Patient/1", "http://localhost:8080/baseR4", "https://[::1]:8443/fhir"):
        assert ANYBODY.may_fetch(url, loopback=True), url
    for url in ("http://127.0.0.2:9/fhir", "http://localhost.evil.example/", "http://10.0.0.1/fhir"):
        assert not ANYBODY.may_fetch(url, loopback=True), url


def test_one_address_lies_within_another_of_the_same_origin_only() -> None:
    base = "http://127.0.0.1"
    assert lies_within("http://127.0.0.1:80/fhir", base)
    for url in ("http://127.0.0.1:8080/fhir", "https://127.0.0.1/fhir", "http://localhost/fhir", "fhir", ""):
        assert not lies_within(url, base), url
    assert lies_within("https://a.example/r4?page=2", "https://a.example/r4/")
    assert not lies_within("https://a.example/r4b", "https://a.example/r4/")
    assert not lies_within("https://a.example/r4/../x", "https://a.example/r4/../x")


@given(st.text())
def test_no_text_whatever_breaks_the_comparison(url: str) -> None:
    assert EHR.may_fetch(url, loopback=True) in (True, False)

"""Pinned keys go first, then those at the client's addresses; what would keep a client from calling is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.trust.clients import Client, Clients, FaultyTrustFile
from service.trust.keyring import Keyring, open_keyring
from service.trust.keys import PublicKey
from service.trust.remote import KeysUnavailable, RemoteKeys
from tests.trust.ehr import ISSUER, KeyServer, ec, key_set, sends, serving_keys

NOBODY = "http://127.0.0.1:1/jwks.json"


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with serving_keys(sends(key_set(ec("remote"), ec("both")))) as running:
        yield running


def client(folder: Path | None, *jku: str, content: bytes = b"") -> Client:
    file = folder / "keys.json" if folder else None
    if file is not None:
        file.write_bytes(content or key_set(ec("pinned"), ec("both")))
    return Client(name="EHR", issuer=ISSUER, jwks_file=file, jku=jku)


def opened(*clients: Client, loopback: bool = True) -> Keyring:
    return open_keyring(Clients(clients), RemoteKeys(lambda: 1000.0), ("ES384",), loopback=loopback)


def faults(*clients: Client, loopback: bool = True) -> str:
    with pytest.raises(FaultyTrustFile) as refused:
        opened(*clients, loopback=loopback)
    return str(refused.value)


def kid(key: PublicKey | None) -> str | None:
    return key.kid if key else None


def test_a_pinned_key_is_found_without_asking_anybody(tmp_path: Path, server: KeyServer) -> None:
    ehr = client(tmp_path, server.url)
    ring = opened(ehr)
    assert (kid(ring.key(ehr, "pinned", None)), kid(ring.key(ehr, "both", server.url))) == ("pinned", "both")
    assert server.asked == 0


def test_another_key_is_looked_for_at_the_address_that_the_token_names(tmp_path: Path, server: KeyServer) -> None:
    ehr = client(tmp_path, NOBODY, server.url)
    ring = opened(ehr)
    assert kid(ring.key(ehr, "remote", server.url)) == "remote"
    with pytest.raises(KeysUnavailable):
        ring.key(ehr, "remote", NOBODY)


def test_without_an_address_in_the_token_all_of_the_client_are_looked_at(server: KeyServer) -> None:
    ehr = client(None, NOBODY, server.url)
    ring = opened(ehr)
    assert kid(ring.key(ehr, "remote", None)) == "remote"
    with pytest.raises(KeysUnavailable):
        ring.key(ehr, "unknown", None)


def test_a_key_that_nobody_has_is_none(tmp_path: Path, server: KeyServer) -> None:
    ehr = client(tmp_path, server.url)
    assert opened(ehr).key(ehr, "unknown", None) is None


def test_the_keys_of_another_client_are_not_looked_at(tmp_path: Path) -> None:
    ehr = client(tmp_path)
    other = Client(name="other", issuer="https://other.example.org", jku=("https://other.example.org/keys",))
    assert opened(ehr, other).key(other.model_copy(update={"jku": ()}), "pinned", None) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>", "is not a JWK Set"),
        (b'{"keys": []}', "holds no usable key: it is empty"),
        (key_set(ec("a").as_dict(private=True)), "holds no usable key: key 1 (a): it comes with its private part"),
    ],
)
def test_a_file_without_usable_keys_is_named_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    said = faults(client(tmp_path, content=content))
    assert said.startswith(f"client EHR: jwks_file: {tmp_path / 'keys.json'} ")
    assert reason in said


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = Client(name="EHR", issuer=ISSUER, jwks_file=tmp_path / "nowhere.json")
    assert "nowhere.json cannot be read: No such file" in faults(missing)


def test_a_file_of_keys_whose_algorithms_are_not_allowed_is_a_fault_unless_there_is_an_address(tmp_path: Path) -> None:
    content = key_set(ec("a", "P-256"))
    assert "none of its keys is for ES384" in faults(client(tmp_path, content=content))
    assert opened(client(tmp_path, NOBODY, content=content))


@pytest.mark.conformance("L-08", "L-24")
def test_clients_that_could_not_call_are_all_named(server: KeyServer) -> None:
    said = faults(
        client(None), Client(name="B", jku=(server.url,)), client(None, server.url), loopback=False
    ).splitlines()
    assert [line.removesuffix(" which TOLAMI_ALLOW_HTTP_LOOPBACK=true allows for this machine") for line in said] == [
        "client EHR: neither jwks_file nor jku: none of its tokens could be checked",
        "client B: it has keys, but no issuer by which its tokens are recognised",
        f"client EHR: jku {server.url} is plain http,",
    ]


def test_somebody_must_be_able_to_call() -> None:
    assert faults() == faults(Client(name="open")) == "no client has an issuer, so nobody could call"


def test_an_address_without_a_key_set_keeps_no_pinned_key_from_being_used(tmp_path: Path) -> None:
    with serving_keys(sends(b"<html>")) as broken:
        ehr = client(tmp_path, broken.url)
        ring = opened(ehr)
        assert ring.key(ehr, "pinned", broken.url) is not None
        with pytest.raises(KeysUnavailable):
            ring.key(ehr, "remote", broken.url)

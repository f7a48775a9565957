"""Only public, asymmetric, strong keys of a set are used; each of the others is passed over with its reason."""

import base64
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import SIGNATURES
from service.trust.keys import ALGORITHMS, MOST_KEYS, NotAKeySet, algorithms_of, described, read_key_set
from tests.trust.ehr import ec, key_set, rsa

IG_EXAMPLE = {
    # HL7/cds-hooks, input/pagecontent/index.md, "JSON Web Key Set (public key)"
    "kty": "EC",
    "use": "sig",
    "crv": "P-384",
    "kid": "example-kid",
    "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
    "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
    "alg": "ES384",
}
SANDBOX = {
    # cds-hooks/sandbox, build/.well-known/jwks.json
    "kty": "EC",
    "crv": "P-384",
    "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
    "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
    "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
}


def public(**changes: Any) -> dict[str, Any]:
    members = ec().as_dict(private=False) | changes
    return {name: value for name, value in members.items() if value is not ...}


def of_bits(bits: int) -> dict[str, Any]:
    """An RSA key of so many bits as far as anybody can tell without using it."""
    modulus = ((1 << bits - 1) | 1).to_bytes((bits + 7) // 8, "big")
    return {"kty": "RSA", "kid": "r", "e": "AQAB", "n": base64.urlsafe_b64encode(modulus).rstrip(b"=").decode()}


def test_keys_of_both_types_are_found_by_their_kid() -> None:
    keys = read_key_set(key_set(ec("a"), rsa("b"))).keys
    assert {kid: described(key) for kid, key in keys.items()} == {"a": "EC P-384", "b": "RSA 2048 bits"}
    assert not any(key.is_private for key in keys.values())


def test_a_key_is_used_with_its_own_algorithm_or_with_those_of_its_type() -> None:
    keys = read_key_set(
        key_set(ec("a"), ec("b", "P-256"), rsa("c"), rsa("c").as_dict(private=False, kid="d", alg="PS256"))
    )
    used = {kid: algorithms_of(key) for kid, key in keys.keys.items()}
    assert (used["a"], used["b"], used["d"]) == (("ES384",), ("ES256",), ("PS256",))
    assert set(used["c"]) == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def test_the_algorithms_that_can_be_set_are_those_that_can_be_checked() -> None:
    assert set(SIGNATURES) == set(ALGORITHMS)
    assert not any(name == "none" or name.startswith("HS") for name in ALGORITHMS)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"kty": "oct", "kid": "s", "k": "c2VjcmV0"}, "only keys of the types EC and RSA"),
        ({"kty": "OKP", "kid": "o", "crv": "Ed25519", "x": "AA"}, "only keys of the types EC and RSA"),
        ({"kid": "n"}, "only keys of the types EC and RSA"),
        (public(kid=...), "no kid"),
        (public(kid=""), "no kid"),
        (public(kid=7), "no kid"),
        (public(kid="a\nb"), "no kid"),
        (public(use="enc"), "not for signatures"),
        (public(key_ops=["sign"]), "lacks verify"),
        (public(key_ops="verify"), "lacks verify"),
        (public(alg="HS256"), "its algorithm is not one of"),
        (public(alg="none"), "its algorithm is not one of"),
        (public(alg="ES256"), "does not fit its curve"),
        (public(alg="RS384"), "does not fit its curve"),
        (public(crv="secp256k1"), "its curve is not one of"),
        (public(crv=["P-384"]), "its curve is not one of"),
        (public(crv={}), "its curve is not one of"),
        (public(alg=[]), "its algorithm is not one of"),
        (public(x="AAAA"), "not those of an EC key"),
        (public(x="ü"), "not those of an EC key"),
        (public(y=...), "not those of an EC key"),
        (public(d="AAAA"), "private part"),
        (ec().as_dict(private=True), "private part"),
        (of_bits(1024), "2048 to 8192 bits"),
        (of_bits(2047), "2048 to 8192 bits"),
        (of_bits(8200), "2048 to 8192 bits"),
        (of_bits(100_000), "2048 to 8192 bits"),
        (of_bits(2048) | {"e": "Ag"}, "not those of an RSA key"),
        (of_bits(2048) | {"alg": "ES384"}, "does not fit an RSA key"),
        (of_bits(2048) | {"n": "!"}, "not those of an RSA key"),
        (of_bits(2048) | {"n": None}, "2048 to 8192 bits"),
        (IG_EXAMPLE, "the example of the CDS Hooks specification"),
        (IG_EXAMPLE | {"kid": "ours"}, "the example of the CDS Hooks specification"),
        (public(kid="example-kid"), "Choose one of your own"),
        (SANDBOX, "the CDS Hooks Sandbox"),
    ],
)  # fmt: skip
def test_a_key_that_proves_nothing_is_passed_over(entry: dict[str, Any], reason: str) -> None:
    found = read_key_set(key_set(entry, ec("good")))
    assert list(found.keys) == ["good"]
    assert len(found.passed_over) == 1
    assert reason in found.passed_over[0]


def test_a_kid_that_several_keys_have_names_none_of_them() -> None:
    found = read_key_set(key_set(ec("a"), ec("a"), ec("b")))
    assert list(found.keys) == ["b"]
    assert found.passed_over == ("kid a: several keys have it, so it names none of them",)


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"{}", b'{"keys": {}}', b'{"keys": [1]}', b'{"keys": null}', b"[" * 5000, b"\xff"],
)
def test_what_is_no_key_set_is_called_that(content: bytes) -> None:
    with pytest.raises(NotAKeySet, match="is not a JWK Set"):
        read_key_set(content)


def test_a_set_of_too_many_keys_is_not_read() -> None:
    with pytest.raises(NotAKeySet, match=f"at most {MOST_KEYS}"):
        read_key_set(key_set(*[{}] * (MOST_KEYS + 1)))


def test_a_set_without_keys_is_one() -> None:
    assert read_key_set(b'{"keys": []}').keys == {}


VALUES = (
    st.none() | st.integers() | st.text(max_size=5) | st.sampled_from(["EC", "RSA", "P-384", "AQAB", "sig", "ES384"])
)
MEMBERS = st.sampled_from(["kty", "kid", "use", "alg", "key_ops", "crv", "x", "y", "n", "e", "x5c", "x5u", "x5t"])


@given(st.lists(st.dictionaries(MEMBERS, VALUES | st.lists(VALUES, max_size=2)), max_size=3))
def test_whatever_a_set_holds_its_good_key_is_found(entries: list[dict[str, Any]]) -> None:
    assert "good key" in read_key_set(key_set(*entries, ec("good key"))).keys


@given(st.binary(max_size=80))
def test_any_bytes_are_a_key_set_or_not(content: bytes) -> None:
    with suppress(NotAKeySet):
        assert read_key_set(content).keys == {}

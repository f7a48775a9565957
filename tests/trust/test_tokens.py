"""A token is taken when it is right in every respect, and refused with a reason of its own otherwise."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey

from service.trust.callers import Caller, Reason, Refused
from service.trust.clients import Client, Clients
from service.trust.keys import ALGORITHMS, PublicKey, read_key_set
from service.trust.remote import KeysUnavailable
from service.trust.tokens import LONGEST_JTI, LONGEST_LIFETIME, LONGEST_TOKEN, TokenCheck
from service.trust.used_tokens import SeenInMemory
from tests.trust.ehr import ISSUER, NOW, Ehr, b64, ec, key_set, rsa

URL = "https://cds.example.org/cds-services/order-select"
JKU = "https://ehr.example.org/jwks.json"
EHR = Ehr()
RSA_EHR = Ehr(rsa(), "RS384")
CLIENT = Client(name="EHR", issuer=ISSUER, jku=(JKU,))
HOSPITAL = Client(name="Hospital", issuer="https://hospital.example.org", tenants=("ward-7", "ward-8"))
AT = int(NOW.timestamp())
LEEWAY = 60
KEYS = read_key_set(key_set(EHR.key, RSA_EHR.key)).keys


class Lookup:
    """Knows the keys, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []

    def __call__(self, client: Client, kid: str, jku: str | None) -> PublicKey | None:
        self.asked.append((client.name, kid, jku))
        return KEYS.get(kid)


def check(**changes: Any) -> TokenCheck:
    whole = TokenCheck(
        Clients([CLIENT, HOSPITAL]), Lookup(), SeenInMemory(lambda: NOW), lambda: NOW, LEEWAY, ("ES384", "RS384")
    )
    return replace(whole, **changes)


def accepted(token: str, audiences: Sequence[str] = (URL,), **changes: Any) -> Caller:
    return check(**changes).caller([f"Bearer {token}"], audiences)


def refused(token: str, audiences: Sequence[str] = (URL,), **changes: Any) -> Refused:
    with pytest.raises(Refused) as reason:
        accepted(token, audiences, **changes)
    return reason.value


@pytest.mark.parametrize("ehr", [EHR, RSA_EHR], ids=["ES384", "RS384"])
def test_both_recommended_algorithms_are_taken(ehr: Ehr) -> None:
    assert accepted(ehr.token(URL)) == Caller(CLIENT, "")


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "PS384", "PS512"])
def test_another_algorithm_is_taken_only_when_it_is_allowed(algorithm: str) -> None:
    token = replace(RSA_EHR, alg=algorithm).token(URL)
    assert refused(token).reason is Reason.ALGORITHM
    assert accepted(token, algorithms=(algorithm,)).client is CLIENT


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(scheme: str) -> None:
    assert check().caller([f"{scheme} {EHR.token(URL)}"], [URL]).client is CLIENT


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ([], Reason.MISSING),
        ([""], Reason.NOT_BEARER),
        (["Basic dXNlcjpwYXNzd29yZA=="], Reason.NOT_BEARER),
        (["{token}"], Reason.NOT_BEARER),
        (["Bearer {token}", "Bearer {token}"], Reason.NOT_BEARER),
        (["Bearer {token},Bearer {token}"], Reason.NOT_BEARER),
        (["Bearer {token}, Basic dXNlcg=="], Reason.NOT_BEARER),
        (["Bearer"], Reason.MALFORMED),
        (["Bearer "], Reason.MALFORMED),
        (["Bearer {token} {token}"], Reason.MALFORMED),
        (["Bearer {token}."], Reason.MALFORMED),
        (["Bearer {token}="], Reason.SIGNATURE),
        (["Bearer ü"], Reason.MALFORMED),
        (["Bearer " + "a" * (LONGEST_TOKEN + 1)], Reason.TOO_LONG),
    ],
)
def test_exactly_one_bearer_token_is_wanted(headers: list[str], reason: Reason) -> None:
    token = EHR.token(URL)
    with pytest.raises(Refused) as said:
        check().caller([header.replace("{token}", token) for header in headers], [URL])
    assert said.value.reason is reason


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_an_unsigned_token_is_refused(algorithm: str, signature: str) -> None:
    token = f"{b64(EHR.header(alg=algorithm))}.{b64(EHR.claims(URL))}.{signature}"
    assert refused(token).reason is Reason.ALGORITHM
    assert refused(token, algorithms=ALGORITHMS).reason is Reason.ALGORITHM


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_symmetric_algorithm_is_refused_even_with_the_public_key_as_secret(algorithm: str) -> None:
    for ehr in (EHR, RSA_EHR):
        signed = f"{b64(ehr.header(alg=algorithm))}.{b64(ehr.claims(URL))}"
        for secret in (ehr.key.as_pem(), ehr.key.as_der(), key_set(ehr.key), b""):
            mac = hmac.new(secret, signed.encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
            assert refused(f"{signed}.{b64(mac)}").reason is Reason.ALGORITHM
            assert refused(f"{signed}.{b64(mac)}", algorithms=ALGORITHMS).reason is Reason.ALGORITHM


def test_a_key_is_used_with_its_own_algorithm_only() -> None:
    crossed = f"{b64(EHR.header(kid='rsa'))}.{b64(EHR.claims(URL))}.AAAA"
    assert refused(crossed).reason is Reason.KEY_UNFIT
    smaller = Ehr(ECKey.generate_key("P-256", {"kid": "ec"}), "ES256").token(URL)
    assert refused(smaller, algorithms=ALGORITHMS).reason is Reason.KEY_UNFIT


def test_a_token_of_another_key_is_refused_though_it_names_a_good_one() -> None:
    forged = Ehr(ec("ec")).token(URL)
    assert refused(forged).reason is Reason.SIGNATURE


@pytest.mark.parametrize("part", [0, 1])
def test_a_token_that_was_changed_after_signing_is_refused(part: int) -> None:
    parts = EHR.token(URL).split(".")
    changed = EHR.header(extra="more") if part == 0 else EHR.claims(URL, extra="more")
    parts[part] = b64(changed)
    assert refused(".".join(parts)).reason is Reason.SIGNATURE


def test_a_key_that_comes_with_the_token_is_never_used() -> None:
    attacker = Ehr(ec("ec"))
    members = attacker.key.as_dict(private=False)
    for header in ({"jwk": members}, {"x5c": ["AAAA"]}, {"x5u": "https://evil.example.org/cert"}):
        assert refused(attacker.token(URL, header)).reason is Reason.SIGNATURE


def test_a_key_that_nobody_has_is_refused() -> None:
    said = refused(EHR.token(URL, {"kid": "unknown"}))
    assert (said.reason, said.facts) == (Reason.KEY_UNKNOWN, {"client": "EHR", "kid": "unknown"})


def test_keys_that_cannot_be_had_are_a_refusal() -> None:
    def unavailable(client: Client, kid: str, jku: str | None) -> PublicKey | None:
        raise KeysUnavailable

    assert refused(EHR.token(URL), key=unavailable).reason is Reason.KEYS_UNAVAILABLE


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"alg": ...}, Reason.MALFORMED),
        ({"alg": 5}, Reason.ALGORITHM),
        ({"alg": ["ES384"]}, Reason.ALGORITHM),
        ({"typ": ...}, Reason.TYPE),
        ({"typ": "at+jwt"}, Reason.TYPE),
        ({"typ": None}, Reason.TYPE),
        ({"kid": ...}, Reason.NO_KID),
        ({"kid": ""}, Reason.NO_KID),
        ({"kid": 1}, Reason.NO_KID),
        ({"crit": []}, Reason.CRITICAL),
        ({"crit": ["exp"]}, Reason.CRITICAL),
        ({"crit": ["b64"], "b64": True}, Reason.CRITICAL),
        ({"crit": ["b64"], "b64": False}, Reason.MALFORMED),
        ({"b64": False}, Reason.MALFORMED),
        ({"jku": 5}, Reason.MALFORMED),
        ({"x": "x" * 5000}, Reason.MALFORMED),
    ],
)
def test_a_header_that_lacks_or_asks_for_too_much_is_refused(header: dict[str, Any], reason: Reason) -> None:
    assert refused(f"{b64(EHR.header(**header))}.{b64(EHR.claims(URL))}.AAAA").reason is reason


def test_a_header_with_more_members_than_are_known_is_taken() -> None:
    assert accepted(EHR.token(URL, {"typ": "jwt", "cty": "x", "org.example.more": [1]})).client is CLIENT


@pytest.mark.parametrize(
    "issuer", [..., "", None, 5, "https://evil.example.org", f"{ISSUER}/", ISSUER.upper(), [ISSUER]]
)
def test_an_issuer_that_is_not_listed_is_refused_before_any_key_is_looked_for(issuer: Any) -> None:
    lookup = Lookup()
    assert refused(EHR.token(URL, iss=issuer), key=lookup).reason is Reason.ISSUER
    assert lookup.asked == []


def test_the_issuer_that_stands_for_calls_without_a_token_has_no_tokens() -> None:
    clients = Clients([Client(name="open"), CLIENT])
    assert refused(EHR.token(URL, iss=""), clients=clients).reason is Reason.ISSUER


def test_an_issuer_is_logged_only_when_it_looks_like_one() -> None:
    assert refused(EHR.token(URL, iss="https://evil.example.org")).facts == {"issuer": "https://evil.example.org"}
    for odd in ("Ilona Szabó, born 1970", "a\nb", "x" * 300, 5):
        assert refused(EHR.token(URL, iss=odd)).facts == {"issuer": "(not shown)"}


@pytest.mark.parametrize(
    "jku",
    ["https://evil.example.org/jwks.json", f"{JKU}/", f"{JKU}?x", JKU.upper(), "http://ehr.example.org/jwks.json",
     "file:///etc/passwd", "", "https://ehr.example.org@evil.example.org/jwks.json"],
)  # fmt: skip
def test_an_address_of_keys_that_is_not_listed_is_refused_and_never_asked(jku: str) -> None:
    lookup = Lookup()
    token = f"{b64(EHR.header(jku=jku))}.{b64(EHR.claims(URL))}.AAAA"
    assert refused(token, key=lookup).reason is Reason.JKU
    assert lookup.asked == []


def test_a_listed_address_of_keys_is_handed_on() -> None:
    lookup = Lookup()
    assert accepted(EHR.token(URL, {"jku": JKU}), key=lookup).client is CLIENT
    assert accepted(EHR.token(URL), key=lookup).client is CLIENT
    assert lookup.asked == [("EHR", "ec", JKU), ("EHR", "ec", None)]


@pytest.mark.parametrize("aud", [URL, [URL], ["https://other.example.org", URL]])
def test_the_audience_may_be_a_text_or_a_list(aud: Any) -> None:
    assert accepted(EHR.token(URL, aud=aud)).client is CLIENT


@pytest.mark.parametrize(
    "aud",
    ["https://cds.example.org", "https://cds.example.org/cds-services", f"{URL}x", f"{URL}?x=1", URL.upper(),
     URL.replace("https", "http"), [f"{URL}/x"], {"url": URL}, 5, [URL, 5]],
)  # fmt: skip
def test_a_token_for_another_address_is_refused(aud: Any) -> None:
    assert refused(EHR.token(URL, aud=aud)).reason is Reason.AUDIENCE


@pytest.mark.parametrize("claim", ["aud", "exp", "iat", "jti"])
@pytest.mark.parametrize("value", [..., None])
def test_a_claim_that_is_missing_is_named(claim: str, value: Any) -> None:
    said = refused(EHR.token(URL, **{claim: value}))
    assert (said.reason, said.facts["claim"]) == (Reason.CLAIM, claim)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"exp": AT - LEEWAY}, Reason.EXPIRED),
        ({"exp": AT - 10_000, "iat": AT - 10_300}, Reason.EXPIRED),
        ({"exp": "soon"}, Reason.CLAIM),
        ({"exp": str(AT + 300)}, Reason.CLAIM),
        ({"exp": True}, Reason.CLAIM),
        ({"exp": [AT + 300]}, Reason.CLAIM),
        ({"iat": AT + LEEWAY + 1}, Reason.NOT_YET),
        ({"iat": "now"}, Reason.NOT_YET),
        ({"nbf": AT + LEEWAY + 1}, Reason.NOT_YET),
        ({"nbf": "now"}, Reason.NOT_YET),
        ({"exp": AT + LONGEST_LIFETIME.seconds + 1}, Reason.LIFETIME),
        ({"exp": 9_000_000_000_000_000_000}, Reason.LIFETIME),
        ({"exp": 1e300}, Reason.LIFETIME),
        ({"iat": -1e300}, Reason.LIFETIME),
        ({"jti": ""}, Reason.CLAIM),
        ({"jti": 5}, Reason.CLAIM),
        ({"jti": "a\nb"}, Reason.CLAIM),
        ({"jti": "x" * (LONGEST_JTI + 1)}, Reason.CLAIM),
    ],
)
def test_a_claim_out_of_bounds_is_refused(changes: dict[str, Any], reason: Reason) -> None:
    assert refused(EHR.token(URL, **changes)).reason is reason


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": AT - LEEWAY + 1},
        {"exp": AT + LONGEST_LIFETIME.seconds},
        {"exp": AT + 300.5},
        {"iat": AT + LEEWAY},
        {"nbf": AT + LEEWAY},
        {"nbf": AT - 300, "sub": "the EHR", "org.example.more": {"any": [None]}},
    ],
)
def test_clocks_may_differ_a_little_and_more_claims_may_be_there(changes: dict[str, Any]) -> None:
    assert accepted(EHR.token(URL, **changes)).client is CLIENT


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"5", b'"x"', b"{", b'{"exp": NaN}', b'{"exp": 1e400}', b'{"a":' * 900 + b"1" + b"}" * 900, b"\xff",
     b'{"exp": ' + b"9" * 4000 + b"}"],
)  # fmt: skip
def test_signed_content_that_is_no_set_of_claims_is_refused(payload: bytes) -> None:
    said = refused(EHR.signed(EHR.header(), payload))
    assert said.reason in (Reason.MALFORMED, Reason.ISSUER)


@pytest.mark.parametrize("header", [b"5", b"[]", b'["alg"]', b'"alg"', b"null", b"{", b"\xff", b"[" * 2000, b""])
def test_a_header_that_is_no_object_is_refused(header: bytes) -> None:
    assert refused(f"{b64(header)}.{b64(EHR.claims(URL))}.AAAA").reason is Reason.MALFORMED


def test_a_tenant_is_wanted_where_the_client_has_tenants() -> None:
    ehr = replace(EHR, issuer=HOSPITAL.issuer)
    assert accepted(ehr.token(URL, tenant="ward-8")) == Caller(HOSPITAL, "ward-8")
    for tenant in (..., "", "ward-9", "WARD-7", None, ["ward-7"]):
        assert refused(ehr.token(URL, tenant=tenant)).reason is Reason.TENANT


def test_a_tenant_is_not_kept_where_the_client_has_none() -> None:
    assert accepted(EHR.token(URL, tenant="whatever is written here")) == Caller(CLIENT, "")


def test_a_token_is_good_once() -> None:
    door, token = check(), EHR.token(URL)
    assert door.caller([f"Bearer {token}"], [URL]).client is CLIENT
    with pytest.raises(Refused) as said:
        door.caller([f"Bearer {token}"], [URL])
    assert said.value.reason is Reason.REPLAYED
    assert said.value.facts.keys() == {"client", "jti"}


def test_the_same_name_in_another_token_is_a_replay_too() -> None:
    door = check()
    first, second = (EHR.token(URL, jti="1", exp=AT + seconds) for seconds in (100, 200))
    assert door.caller([f"Bearer {first}"], [URL])
    with pytest.raises(Refused, match="replayed"):
        door.caller([f"Bearer {second}"], [URL])


def test_a_refused_token_does_not_use_up_its_name() -> None:
    door = check()
    for bad in (Ehr(ec("ec")).token(URL, jti="1"), EHR.token(f"{URL}/x", jti="1")):
        with pytest.raises(Refused):
            door.caller([f"Bearer {bad}"], [URL])
    assert door.caller([f"Bearer {EHR.token(URL, jti='1')}"], [URL]).client is CLIENT


def test_a_token_may_be_used_again_where_that_is_not_checked() -> None:
    door, token = check(seen=None), EHR.token(URL)
    assert [door.caller([f"Bearer {token}"], [URL]).client for _ in range(2)] == [CLIENT, CLIENT]


class Noting:
    """A store that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, datetime]] = []

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        self.asked.append((issuer, jti, expires))
        return True


def test_a_token_is_remembered_as_long_as_it_could_be_used() -> None:
    store = Noting()
    accepted(EHR.token(URL, jti="1", exp=AT + 300), seen=store)
    assert store.asked == [(ISSUER, "1", NOW + timedelta(seconds=300 + LEEWAY))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
HEADER_NAMES = st.sampled_from(["alg", "typ", "kid", "jku", "crit", "b64", "jwk", "x5u", "x5c", "cty", "zip"])
CLAIM_NAMES = st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "jti", "tenant", "sub"])


@given(st.dictionaries(HEADER_NAMES, JSON, min_size=1, max_size=3), st.dictionaries(CLAIM_NAMES, JSON, max_size=3))
def test_whatever_stands_in_an_unsigned_token_it_is_refused(header: dict[str, Any], claims: dict[str, Any]) -> None:
    token = f"{b64(EHR.header(**header))}.{b64(EHR.claims(URL, **claims))}.AAAA"
    assert refused(token).reason in Reason


@given(st.dictionaries(CLAIM_NAMES, JSON, min_size=1, max_size=3))
def test_whatever_claims_are_signed_the_check_comes_to_an_end(claims: dict[str, Any]) -> None:
    token = EHR.signed(EHR.header(), json.dumps(EHR.claims(URL) | claims).encode())
    with suppress(Refused):
        assert accepted(token).client is CLIENT


@given(st.text(max_size=60))
def test_any_text_is_refused(text: str) -> None:
    for header in (text, f"Bearer {text}", f"Bearer {text}.{text}.{text}"):
        with pytest.raises(Refused):
            check().caller([header], [URL])

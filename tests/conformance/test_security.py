"""Who may call, on a served process that asks for tokens (C-108, C-118 … C-136, L-08, L-20 … L-24)."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from tests.conformance.calls import Json, request, without
from tests.serving import Served, serving, session

ISSUER = "https://ehr.example.org"
JKU = "https://ehr.example.org/jwks.json"
HEADERS = {"Content-Type": "application/json"}
TRUST = f"""
[[client]]
name = "Example EHR"
issuer = "{ISSUER}"
jwks_file = "keys.json"
jku = ["{JKU}"]

[[client]]
name = "Ward system"
issuer = "https://ward.example.org"
jwks_file = "keys.json"
tenants = ["ward-7"]
"""
Post = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def ec() -> ECKey:
    return ECKey.generate_key("P-384", {"kid": "ec-1", "use": "sig"}, private=True)


@pytest.fixture(scope="module")
def rsa() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "rsa-1", "use": "sig"}, private=True)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, ec: ECKey, rsa: RSAKey) -> Iterator[Served]:
    """The service with two clients, both pinned to the same keys."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "trust.toml").write_text(TRUST, encoding="utf-8")
    keys = {"keys": [key.as_dict(private=False) for key in (ec, rsa)]}
    (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    settings = {
        "TOLAMI_AUTH": "required",
        "TOLAMI_TRUST_FILE": "trust.toml",
        "TOLAMI_PUBLIC_URL": "https://cds.example.org",
        "TOLAMI_LOG_FORMAT": "json",
    }
    with serving(folder, settings=settings) as served:
        yield served


def claims(path: str = "/order-sign", **changes: Any) -> Json:
    """What a token says."""
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": f"https://cds.example.org/cds-services{path}",
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
    } | changes


def signed(key: ECKey | RSAKey, said: Json, **header: Any) -> str:
    """A token; a header of None is left out."""
    algorithm = "ES384" if isinstance(key, ECKey) else "RS384"
    full = {"alg": algorithm, "typ": "JWT", "kid": key.kid} | header
    sent = {name: value for name, value in full.items() if value is not None}
    return jws.serialize_compact(sent, json.dumps(said), key, algorithms=[full["alg"]])


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def post(guarded: Served) -> Iterator[Post]:
    """Calls order-sign with a token, or whatever the path says."""
    with session() as client:

        def call(token: str | None, path: str = "/order-sign", body: Any = None) -> requests.Response:
            sent = body if isinstance(body, bytes) else json.dumps(body or request("order-sign")).encode()
            headers = HEADERS | ({} if token is None else {"Authorization": f"Bearer {token}"})
            url = f"{guarded.url}/cds-services{path}"
            if not path:
                return client.get(url, headers=headers, timeout=20)
            return client.post(url, data=sent, headers=headers, timeout=20)

        yield call


@pytest.mark.conformance("C-118", "C-119", "C-126", "L-23")
def test_discovery_services_and_feedback_all_ask_for_a_token(post: Post, ec: ECKey) -> None:
    feedback = {
        "feedback": [{"card": str(uuid.uuid4()), "outcome": "overridden", "outcomeTimestamp": "2026-11-23T10:05:31Z"}]
    }
    for path, body in (("", None), ("/order-sign", None), ("/order-sign/feedback", feedback)):
        assert post(None, path, body).status_code == 401
        assert post(signed(ec, claims(path)), path, body).status_code == 200
    assert post(signed(ec, claims("/order-sign")), "/order-sign/feedback", feedback).status_code == 200
    assert post(signed(ec, claims("/order-sign/")), "/order-sign").status_code == 200


@pytest.mark.conformance("C-122")
def test_both_recommended_algorithms_are_taken(post: Post, ec: ECKey, rsa: RSAKey) -> None:
    assert post(signed(ec, claims())).status_code == 200
    assert post(signed(rsa, claims())).status_code == 200


@pytest.mark.conformance("C-128", "C-133")
def test_an_audience_may_be_a_list_and_more_may_be_claimed(post: Post, ec: ECKey) -> None:
    address = claims()["aud"]
    assert post(signed(ec, claims(aud=[address, "https://elsewhere.example"]))).status_code == 200
    assert post(signed(ec, claims(sub="ehr", nbf=int(time.time()) - 10, purpose="x"))).status_code == 200


def faults(ec: ECKey) -> dict[str, str]:
    """Tokens that must be refused, by what is wrong with them."""
    now = int(time.time())
    stranger = ECKey.generate_key("P-384", {"kid": "ec-1"}, private=True)
    unsigned = f"{part({'alg': 'none', 'typ': 'JWT', 'kid': ec.kid})}.{part(claims())}."
    mixed = f"{part({'alg': 'HS384', 'typ': 'JWT', 'kid': ec.kid})}.{part(claims())}"
    secret = json.dumps(ec.as_dict(private=False)).encode()
    mac = base64.urlsafe_b64encode(hmac.new(secret, mixed.encode(), hashlib.sha384).digest()).rstrip(b"=").decode()
    head, _, tail = signed(ec, claims()).split(".")
    return {
        "no token": "",
        "no JWT": "nonsense",
        "alg none": unsigned,
        "HMAC with the public key": f"{mixed}.{mac}",
        "payload exchanged": f"{head}.{part(claims())}.{tail}",
        "another's key": signed(stranger, claims()),
        "unknown kid": signed(ec, claims(), kid="ec-2"),
        "unlisted issuer": signed(ec, claims(iss="https://evil.example")),
        "unlisted jku": signed(ec, claims(), jku="https://evil.example/jwks.json"),
        "audience of another service": signed(ec, claims("/order-select")),
        "audience of the base": signed(ec, claims("")),
        "expired": signed(ec, claims(exp=now - 120, iat=now - 400)),
        "issued in the future": signed(ec, claims(iat=now + 600, exp=now + 900)),
        "not yet valid": signed(ec, claims(nbf=now + 600)),
        "no kid": signed(ec, claims(), kid=None),
        "no typ": signed(ec, claims(), typ=None),
        "unlisted tenant": signed(ec, claims(iss="https://ward.example.org", tenant="ward-8")),
        "no tenant where they are used": signed(ec, claims(iss="https://ward.example.org")),
        **{f"no {claim}": signed(ec, without(claims(), claim)) for claim in ("iss", "aud", "exp", "iat", "jti")},
    }


@pytest.mark.conformance(
    "C-108", "C-120", "C-121", "C-123", "C-124", "C-125", "C-127", "C-129", "C-130", "C-131", "L-20"
)
def test_every_refusal_is_the_same_401_byte_for_byte(post: Post, ec: ECKey) -> None:
    answers = {fault: post(token) for fault, token in faults(ec).items()}
    assert {fault: answer.status_code for fault, answer in answers.items() if answer.status_code != 401} == {}
    assert len({answer.content for answer in answers.values()}) == 1
    assert {answer.headers["WWW-Authenticate"] for answer in answers.values()} == {"Bearer"}
    assert next(iter(answers.values())).json()["resourceType"] == "OperationOutcome"


@pytest.mark.conformance("C-131")
def test_a_listed_tenant_is_let_in(post: Post, ec: ECKey) -> None:
    assert post(signed(ec, claims(iss="https://ward.example.org", tenant="ward-7"))).status_code == 200


@pytest.mark.conformance("L-21")
def test_clocks_may_differ_by_less_than_a_minute(post: Post, ec: ECKey) -> None:
    now = int(time.time())
    assert post(signed(ec, claims(exp=now - 20, iat=now - 300))).status_code == 200
    assert post(signed(ec, claims(iat=now + 20))).status_code == 200


@pytest.mark.conformance("C-132", "L-22")
def test_a_token_is_taken_once_by_whichever_worker_it_reaches(post: Post, ec: ECKey) -> None:
    token = signed(ec, claims())
    assert [post(token).status_code for _ in range(6)] == [200, 401, 401, 401, 401, 401]


@pytest.mark.conformance("C-134")
def test_the_token_is_looked_at_before_the_body(post: Post) -> None:
    assert post("nonsense", body=b"{not JSON").status_code == 401


@pytest.mark.conformance("C-136", "C-062")
def test_the_log_gives_the_reason_and_no_token(post: Post, guarded: Served, ec: ECKey) -> None:
    token = signed(ec, claims(exp=int(time.time()) - 600))
    assert post(token).status_code == 401
    good = signed(ec, claims())
    assert post(good).status_code == 200
    logged = guarded.logged()
    for secret in (*token.split(".")[1:], *good.split(".")[1:]):
        assert secret not in logged
    assert "expired" in logged


@pytest.mark.conformance("C-138", "L-28")
def test_a_refusal_can_be_read_by_a_browser_and_the_preflight_needs_no_token(guarded: Served) -> None:
    origin = {"Origin": "https://ehr.example.org"}
    with session() as client:
        url = f"{guarded.url}/cds-services/order-sign"
        refused = client.post(url, json={}, headers=origin, timeout=20)
        preflight = client.options(
            url,
            headers=origin
            | {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"},
            timeout=20,
        )
    assert (refused.status_code, preflight.status_code) == (401, 200)
    assert refused.headers["Access-Control-Allow-Origin"] in ("*", origin["Origin"])

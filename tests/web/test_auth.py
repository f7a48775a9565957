"""With ``auth = required`` nobody learns or gets anything without a token, and every refusal is the same."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service.app import create_app
from service.engine.library import Library
from service.settings import Settings, SettingsError
from service.trust.callers import Caller, Reason
from service.trust.clients import ANYBODY, Clients, FaultyTrustFile
from service.trust.tokens import TokenCheck
from service.web.auth import WITHOUT_TOKEN, audiences, guard
from service.web.errors import register_errors
from tests.calls import CRITICAL, SAMPLE, by_id
from tests.conftest import FIXTURES, TODAY
from tests.trust.ehr import ISSUER, NOW, Ehr, KeyServer, b64, ec, key_set, rsa, sends, serving_keys

BASE = "https://cds.example.org/tolami"
DISCOVERY = f"{BASE}/cds-services"
SELECT = f"{DISCOVERY}/order-select"
EHR = Ehr(ec("pinned"))
RSA_EHR = Ehr(rsa(), "RS384")
HOSPITAL = "https://hospital.example.org"


@dataclass
class Door:
    """An application that requires tokens, and what is at hand to knock."""

    app: Flask
    keys: KeyServer

    def post(self, token: str | None, path: str = "/cds-services/order-select", **request: Any) -> Any:
        whole = {"data": SAMPLE.read_bytes(), "content_type": "application/json", "headers": headers(token), **request}
        return self.app.test_client().post(path, **whole)

    def get(self, token: str | None, path: str = "/cds-services") -> Any:
        return self.app.test_client().get(path, headers=headers(token))


def headers(token: str | None) -> dict[str, str]:
    # With an id of its own a request is answered under that; otherwise answers would differ by it.
    origin = {"Origin": "https://ehr.example.org", "X-Request-ID": "0af7651916cd43dd8448eb211c80319c"}
    return origin | ({"Authorization": f"Bearer {token}"} if token is not None else {})


def trust_file(folder: Path, keys: KeyServer) -> Path:
    (folder / "pinned.json").write_bytes(key_set(EHR.key, RSA_EHR.key))
    file = folder / "trust.toml"
    file.write_text(
        f'[[client]]\nname = "EHR"\nissuer = "{ISSUER}"\njwks_file = "pinned.json"\njku = ["{keys.url}"]\n'
        f'[[client]]\nname = "Hospital"\nissuer = "{HOSPITAL}"\njwks_file = "pinned.json"\ntenants = ["ward-7"]\n'
        'jurisdiction = "other"\n[[client]]\nname = "open"\n',
        encoding="utf-8",
    )
    return file


def required(**changes: Any) -> Settings:
    whole = {"auth": "required", "public_url": BASE, "allow_http_loopback": True, **changes}
    return Settings(**whole)


@pytest.fixture(scope="module")
def module_keys() -> Iterator[KeyServer]:
    with serving_keys(sends(key_set(ec("remote")))) as running:
        yield running


@pytest.fixture(scope="module")
def door(module_keys: KeyServer, library: Library, tmp_path_factory: pytest.TempPathFactory) -> Door:
    file = trust_file(tmp_path_factory.mktemp("trust"), module_keys)
    return Door(create_app(required(trust_file=file), library, lambda: TODAY, now=lambda: NOW), module_keys)


def unsigned(alg: str) -> str:
    return f"{b64(EHR.header(alg=alg))}.{b64(EHR.claims(SELECT))}."


REFUSED: list[tuple[str, str | None]] = [
    ("missing", None),
    ("malformed", ""),
    ("malformed", "no.jwt.at-all"),
    ("algorithm", unsigned("none")),
    ("algorithm", unsigned("HS256")),
    ("algorithm", unsigned("ES256")),
    ("type", EHR.token(SELECT, {"typ": ...})),
    ("critical", f"{b64(EHR.header(crit=['exp']))}.{b64(EHR.claims(SELECT))}.AAAA"),
    ("no-kid", EHR.token(SELECT, {"kid": ...})),
    ("issuer", EHR.token(SELECT, iss="https://evil.example.org")),
    ("jku", EHR.token(SELECT, {"jku": "https://evil.example.org/jwks.json"})),
    ("key-unknown", EHR.token(SELECT, {"kid": "unknown"})),
    ("key-unfit", f"{b64(EHR.header(alg='RS384'))}.{b64(EHR.claims(SELECT))}.AAAA"),
    ("signature", Ehr(ec("pinned")).token(SELECT)),
    ("claim", EHR.token(SELECT, jti=...)),
    ("audience", EHR.token(DISCOVERY)),
    ("audience", EHR.token(f"{DISCOVERY}/order-sign")),
    ("audience", EHR.token("http://localhost/cds-services/order-select")),
    ("expired", EHR.token(SELECT, exp=int(NOW.timestamp()) - 61)),
    ("not-yet", EHR.token(SELECT, iat=int(NOW.timestamp()) + 61)),
    ("lifetime", EHR.token(SELECT, exp=int(NOW.timestamp()) + 86_400)),
    ("tenant", EHR.token(SELECT, iss=HOSPITAL, tenant="ward-8")),
]


def test_a_listed_client_gets_its_cards(door: Door, logged: list[Any]) -> None:
    for ehr in (EHR, RSA_EHR):
        answer = door.post(ehr.token(SELECT))
        assert answer.status_code == 200
        assert answer.get_json()["cards"]
    assert [line["client"] for line in logged if line["event"] == "request"] == ["EHR", "EHR"]


def test_a_listed_client_discovers_the_services_and_finds_nothing_elsewhere(door: Door) -> None:
    assert len(door.get(EHR.token(DISCOVERY)).get_json()["services"]) == 5
    assert door.post(EHR.token(f"{DISCOVERY}/nothing"), "/cds-services/nothing").status_code == 404
    assert door.get(EHR.token(SELECT), "/cds-services/order-select").status_code == 405


@pytest.mark.parametrize(("reason", "token"), REFUSED, ids=[f"{n}-{reason}" for n, (reason, _) in enumerate(REFUSED)])
def test_every_refusal_is_the_same_answer_and_only_the_log_knows_why(
    reason: str, token: str | None, door: Door, logged: list[Any]
) -> None:
    answer, plain = door.post(token), door.post(None)
    assert (answer.status_code, answer.data, list(answer.headers)) == (401, plain.data, list(plain.headers))
    first, _ = (line for line in logged if line["event"] == "token refused")
    assert (first["reason"], first["address"]) == (reason, "/cds-services/<service_id>")


def test_a_refusal_says_how_to_call_and_nothing_about_the_token(door: Door) -> None:
    answer = door.post(EHR.token(DISCOVERY))
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://ehr.example.org")
    (issue,) = answer.get_json()["issue"]
    assert (answer.get_json()["resourceType"], issue["severity"], issue["code"]) == (
        "OperationOutcome",
        "error",
        "login",
    )
    assert "Authorization: Bearer" in issue["diagnostics"]


def test_a_token_sent_twice_in_one_call_is_refused(door: Door) -> None:
    token = EHR.token(SELECT)
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert door.post(None, headers=twice).status_code == 401
    assert door.post(token).status_code == 200


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"", 400), (b"[]", 400), (b"{}", 422), (b" " * (4 * 1024 * 1024 + 1), 413)]
)
def test_the_token_is_checked_before_anything_of_the_body(door: Door, body: bytes, status: int) -> None:
    plain = door.post(None).data
    for bad in (None, "no.jwt.at-all"):
        answer = door.post(bad, data=body)
        assert (answer.status_code, answer.data) == (401, plain)
    assert door.post(EHR.token(SELECT), data=body).status_code == status


def test_a_body_is_not_even_read_without_a_token(door: Door) -> None:
    class Unread:
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

        readline = readlines = __iter__ = read

    environ = {"wsgi.input": Unread(), "CONTENT_LENGTH": "10", "CONTENT_TYPE": "application/json"}
    assert door.app.test_client().post("/cds-services/order-select", environ_overrides=environ).status_code == 401


NOWHERE = (
    "/cds-services/nothing", "/cds-services/", "/nowhere", "//cds-services", "//insights", "/guidance/../cds-services",
    "/cds-services/order-sign/x", "/cds-services/nothing/feedback", "/Guidance",
)  # fmt: skip


def test_without_a_token_nobody_learns_which_addresses_exist(door: Door) -> None:
    client, plain = door.app.test_client(), door.post(None).data
    for path in NOWHERE:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
            # Given as it arrives: the test client would take "//guidance" for a host.
            answer = client.open("/", method=method, environ_overrides={"PATH_INFO": path})
            assert (answer.status_code, answer.data) == (401, plain), path
    assert client.head("/cds-services").status_code == 401
    assert client.post("/cds-services/order-select", content_type="text/plain").status_code == 401


def test_every_address_needs_a_token_but_for_those_that_are_listed(door: Door) -> None:
    client, rules = door.app.test_client(), list(door.app.url_map.iter_rules())
    assert {"/cds-services", "/cds-services/<service_id>", "/guidance/<card_id>"} <= {rule.rule for rule in rules}
    for rule in rules:
        path = rule.rule.replace("<card_id>", "dry-mouth").replace("<service_id>", "order-sign")
        path = re.sub(r"<any\('([^']+)'.*\):\w+>", r"\1", path)
        listed = any(path == open_ or path.startswith(f"{open_}/") for open_ in WITHOUT_TOKEN)
        for method in (rule.methods or set()) - {"OPTIONS"}:
            status = client.open(path, method=method, buffered=True).status_code
            assert (status != 401) is listed, f"{method} {rule.rule}: {status}"


def test_the_pages_are_open(door: Door) -> None:
    assert door.get(None, "/guidance").status_code == 200
    assert door.get("rubbish", "/guidance").status_code == 200


def test_the_code_systems_that_cards_name_are_read_without_a_token(door: Door) -> None:
    answer = door.post(EHR.token(SELECT))
    for card in answer.json["cards"]:
        codings = [card["source"]["topic"], *card.get("overrideReasons", ())]
        own = {coding["system"] for coding in codings if "/fhir/" in coding["system"]}
        assert own
        for system in own:
            read = door.get(None, system[system.index("/fhir/") :])
            assert (read.status_code, read.get_json(force=True)["url"]) == (200, system)


def test_the_home_page_links_to_nothing_of_its_own_that_needs_a_token(door: Door) -> None:
    links = set(re.findall(r'href="/tolami(/(?!static)[^"#?]*)', door.get(None, "/").text))
    assert "/guidance" in links, "below the path at which clients know this service"
    assert {link for link in links if door.get(None, link).status_code == 401} <= {"/cds-services"}


def test_a_reader_without_a_token_is_told_so_on_a_page_and_not_sent_to_the_sandbox(door: Door) -> None:
    reader = door.app.test_client()
    page = reader.get("/insights", headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (401, "text/html")
    assert "WWW-Authenticate" in page.headers
    home = reader.get("/").text
    assert "sandbox.cds-hooks.org" not in home, "its key is public, so that it would be refused"
    assert "calls need a token" in home


def test_a_browser_may_ask_first_without_a_token(door: Door) -> None:
    asked = {
        "Origin": "https://ehr.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for path in ("/cds-services", "/cds-services/order-select"):
        answer = door.app.test_client().options(path, headers=asked)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] in ("*", "https://ehr.example.org")
        assert "authorization" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_a_token_is_good_for_one_call(door: Door, logged: list[Any]) -> None:
    token = EHR.token(SELECT)
    assert [door.post(token).status_code for _ in range(3)] == [200, 401, 401]
    refusals = [line for line in logged if line["event"] == "token refused"]
    assert [line["reason"] for line in refusals] == ["replayed", "replayed"]


def test_a_token_may_be_used_again_where_the_setting_says_so(
    module_keys: KeyServer, library: Library, tmp_path: Path
) -> None:
    file = trust_file(tmp_path, module_keys)
    app = create_app(required(trust_file=file, jwt_replay_check=False), library, now=lambda: NOW)
    token = EHR.token(DISCOVERY)
    assert [Door(app, module_keys).get(token).status_code for _ in range(2)] == [200, 200]


@pytest.mark.conformance("C-125", "C-135", "L-24")
def test_keys_rotate_without_a_restart_and_an_address_that_is_not_listed_is_never_asked(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.trust.remote.RETRY_AFTER", 0.0)
    first, second = Ehr(ec("first")), Ehr(ec("second"))
    with serving_keys(sends(key_set(first.key))) as keys, serving_keys(sends(key_set(second.key))) as evil:
        app = create_app(required(trust_file=trust_file(tmp_path, keys)), library, now=lambda: NOW)
        door = Door(app, keys)
        assert door.get(second.token(DISCOVERY, {"jku": evil.url})).status_code == 401
        assert (keys.asked, evil.asked) == (0, 0)
        assert door.get(first.token(DISCOVERY, {"jku": keys.url})).status_code == 200
        assert door.get(second.token(DISCOVERY, {"jku": keys.url})).status_code == 401
        keys.answering = sends(key_set(second.key))
        assert door.get(second.token(DISCOVERY, {"jku": keys.url})).status_code == 200
        assert door.get(first.token(DISCOVERY, {"jku": keys.url})).status_code == 401
        assert evil.asked == 0


def test_the_caller_is_in_the_record_of_a_call_and_its_jurisdiction_in_the_answer(
    door: Door, logged: list[Any]
) -> None:
    body, path = (FIXTURES / f"{CRITICAL}.json").read_bytes(), "/cds-services/order-sign"
    sign = f"{DISCOVERY}/order-sign"
    european = door.post(EHR.token(sign), path, data=body).get_json()["cards"]
    elsewhere = door.post(EHR.token(sign, iss=HOSPITAL, tenant="ward-7"), path, data=body).get_json()["cards"]
    assert [line["client"] for line in logged if line["event"] == "request"] == ["EHR", "Hospital"]
    cards = (by_id(european)["tolperisone-indication"], by_id(elsewhere)["tolperisone-indication"])
    assert [card["indicator"] for card in cards] == ["warning", "info"]


def test_neither_a_token_nor_what_it_holds_is_logged(door: Door, logged: list[Any]) -> None:
    tokens = [token for _, token in REFUSED]
    tokens += [EHR.token(SELECT, sub="Ilona Szabó", tenant="secret-tenant", more="secret-claim")]
    tokens += [EHR.token(SELECT, {"kid": "Ilona Szabó"}), EHR.token(SELECT, iss="Ilona Szabó")]
    for token in tokens:
        door.post(token)
    written = json.dumps(logged, ensure_ascii=False, default=str)
    assert written.count("token refused") == len(tokens) - 1
    for part in (part for token in tokens if token for part in token.split(".") if len(part) > 8):
        assert part not in written
    for secret in ("Ilona", "secret-tenant", "secret-claim"):
        assert secret not in written


def test_every_refusal_is_told_to_observers() -> None:
    told: list[Reason] = []
    app = Flask("test")
    tokens = TokenCheck(Clients(), lambda *_: None, None, lambda: NOW, 60, ("ES384",))
    guard(app, Caller(ANYBODY), tokens, BASE, told.append)
    register_errors(app)
    for token in (None, EHR.token(SELECT)):
        assert app.test_client().get("/x", headers=headers(token)).status_code == 401
    assert told == [Reason.MISSING, Reason.ISSUER]


def test_in_open_mode_a_token_is_not_looked_at(client: FlaskClient) -> None:
    for token in ("rubbish", EHR.token(SELECT), Ehr(now=NOW).token(SELECT)):
        sent = {"data": SAMPLE.read_bytes(), "content_type": "application/json", "headers": headers(token)}
        answer = client.post("/cds-services/order-select", **sent)
        assert answer.status_code == 200


@pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
def test_the_audience_is_the_public_address_with_or_without_a_slash_at_the_end(base: str) -> None:
    assert audiences(base, "/cds-services/order-select") == [SELECT, f"{SELECT}/"]
    assert DISCOVERY in audiences(base, "/cds-services/")


def test_for_feedback_the_service_itself_is_an_audience_too() -> None:
    service = f"{BASE}/cds-services/order-sign"
    both = audiences(BASE, "/cds-services/order-sign/feedback")
    assert both == [f"{service}/feedback", f"{service}/feedback/", service, f"{service}/"]
    assert audiences(BASE, "/cds-services/feedback")[0] == f"{BASE}/cds-services/feedback"
    assert len(audiences(BASE, "/cds-services/feedback")) == 2


@pytest.mark.parametrize("public_url", ["", "http://cds.example.org"])
def test_tokens_need_an_https_address_to_name(
    public_url: str, module_keys: KeyServer, library: Library, tmp_path: Path
) -> None:
    settings = required(trust_file=trust_file(tmp_path, module_keys), public_url=public_url)
    with pytest.raises(SettingsError, match="TOLAMI_PUBLIC_URL must be the https address"):
        create_app(settings, library)


def test_tokens_need_a_trust_file_and_somebody_in_it(library: Library, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TOLAMI_TRUST_FILE must name the clients"):
        create_app(required(), library)
    file = tmp_path / "trust.toml"
    file.write_text('[[client]]\nname = "open"\n', encoding="utf-8")
    with pytest.raises(FaultyTrustFile, match="nobody could call"):
        create_app(required(trust_file=file), library)

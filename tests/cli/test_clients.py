"""``tolami clients check`` says of every client what it may do, and names what would keep it from calling."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.trust.ehr import ec, key_set, sends, serving_keys

Run = Callable[..., Result]

TRUST = """
[[client]]
name = "Example EHR"
issuer = "https://ehr.example.org"
jwks_file = "keys.json"
tenants = ["ward-7", "ward-8"]
fhir_servers = ["https://fhir.example.org/r4"]
dialect = "2.0"
jurisdiction = "uk"

[[client]]
name = "Sandbox"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A good trust file with its keys."""
    (tmp_path / "keys.json").write_bytes(key_set(ec("first"), ec("small", "P-256"), {"kty": "oct", "kid": "shared"}))
    path = tmp_path / "trust.toml"
    path.write_text(TRUST, encoding="utf-8")
    return path


def words(result: Any) -> str:
    """What was printed, without the lines of the tables."""
    return " ".join(result.output.replace("│", " ").split())


def test_every_client_is_told_with_all_that_it_may(run: Run, file: Path) -> None:
    result = run("clients", "check", file)
    assert result.exit_code == 0
    said = words(result)
    for part in (
        "issuer https://ehr.example.org",
        "first EC P-384 ES384",
        "small EC P-256 not usable: ES256 is not among TOLAMI_JWT_ALGORITHMS",
        "passed over: key 3 (shared): only keys of the types EC and RSA are used",
        "tenants ward-7 ward-8",
        "a token of its own that names the tenant ward-7 or ward-8",
        "FHIR servers https://fhir.example.org/r4",
        "dialect 2.0",
        "jurisdiction uk",
        "issuer none: calls without a token",
        "call everything with TOLAMI_AUTH=open, and nothing with TOLAMI_AUTH=required",
        "http://127.0.0.1",
        "eu (that of the service)",
        "2 clients, no faults.",
        "TOLAMI_AUTH is open",
    ):
        assert part in said, part


def test_the_file_of_the_settings_is_the_default(run: Run, file: Path) -> None:
    result = run("clients", "check", TOLAMI_TRUST_FILE=str(file))
    assert (result.exit_code, "2 clients, no faults." in result.output) == (0, True)
    missing = run("clients", "check")
    assert (missing.exit_code, missing.output.partition("?")[0]) == (2, "Which file")


def test_a_file_for_the_open_mode_is_no_fault_until_tokens_are_required(run: Run, file: Path) -> None:
    file.write_text('[[client]]\nname = "Sandbox"\n', encoding="utf-8")
    assert run("clients", "check", file).exit_code == 0
    result = run("clients", "check", file, TOLAMI_AUTH="required")
    assert (result.exit_code, "so nobody could call" in result.output) == (1, True)


def test_a_faulty_file_is_named(run: Run, file: Path) -> None:
    file.write_text('[[client]]\nname = "A"\ndialect = "9"\n', encoding="utf-8")
    result = run("clients", "check", file)
    assert result.exit_code == 1
    assert f"{file}: client 1 (A): dialect" in result.output


def test_a_client_that_could_not_call_is_named_after_its_table(run: Run, file: Path) -> None:
    file.with_name("keys.json").write_text("<html>", encoding="utf-8")
    result = run("clients", "check", file)
    assert result.exit_code == 1
    assert "client Example EHR: jwks_file: " in result.output
    assert "is not a JWK Set" in result.output
    assert "dialect" in result.output


def test_a_policy_that_is_not_there_is_a_fault(run: Run, file: Path) -> None:
    file.write_text('[[client]]\nname = "A"\npolicy = "nowhere.toml"\n', encoding="utf-8")
    result = run("clients", "check", str(file))
    assert result.exit_code == 1
    assert f"client A: policy: there is no file {file.parent / 'nowhere.toml'}" in words(result)


def test_key_sets_are_fetched_only_when_asked_for(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "trust.toml"
    with serving_keys(sends(key_set(ec("remote")))) as keys:
        path.write_text(f'[[client]]\nname = "A"\nissuer = "a"\njku = ["{keys.url}"]\n', encoding="utf-8")
        assert "fetched when needed" in words(run("clients", "check", path))
        assert keys.asked == 0
        fetched = run("clients", "check", path, "--fetch")
        assert (fetched.exit_code, "remote EC P-384 ES384" in words(fetched)) == (0, True)
        keys.answering = sends(b"", 503)
        failed = run("clients", "check", path, "--fetch")
        assert failed.exit_code == 1
        assert f"client A: jku {keys.url}: it answered with status 503" in failed.output


def test_what_a_file_says_is_shown_as_it_is(run: Run, file: Path) -> None:
    file.write_text(TRUST.replace("Example EHR", "[red]A[/]"), encoding="utf-8")
    assert "[red]A[/]" in run("clients", "check", file).output


def test_check_reads_the_trust_file_and_its_keys(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)  # where there are no fixtures to render
    settings = {"TOLAMI_TRUST_FILE": str(file), "TOLAMI_AUTH": "required", "TOLAMI_PUBLIC_URL": "https://a.example"}
    assert run("check", **settings).exit_code == 0
    file.with_name("keys.json").unlink()
    result = run("check", **settings)
    assert (result.exit_code, "settings: client Example EHR: jwks_file: " in result.output) == (1, True)
    assert run("check", TOLAMI_AUTH="required").exit_code == 1

"""Settings come from the environment, then from a file; a wrong one is named with the reason and stops the start."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import PREFIX, Settings, SettingsError, load_settings
from tests.trust.ehr import self_signed


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the settings of whoever runs the tests away."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty settings file that TOLAMI_CONFIG names."""
    path = tmp_path / "tolami.toml"
    path.write_text("", encoding="utf-8")
    monkeypatch.setenv("TOLAMI_CONFIG", str(path))
    return path


def refusal() -> str:
    with pytest.raises(SettingsError) as refused:
        load_settings()
    return str(refused.value)


def test_without_any_setting_the_defaults_hold() -> None:
    assert load_settings() == Settings()
    assert (Settings().public_url, Settings().log_level, Settings().log_format) == ("", "info", "")
    assert Settings().max_body_bytes == 4 * 1024 * 1024


def test_every_setting_is_described_and_can_be_set_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(field.description for field in Settings.model_fields.values())
    for name, value in Settings().model_dump().items():
        monkeypatch.setenv(f"TOLAMI_{name.upper()}", "" if value is None else str(value))
    assert load_settings() == Settings()


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLAMI_PUBLIC_URL", "https://cds.example.org/tolami")
    monkeypatch.setenv("TOLAMI_LOG_LEVEL", "debug")
    monkeypatch.setenv("TOLAMI_MAX_BODY_BYTES", "2048")
    read = load_settings()
    assert (read.public_url, read.log_level, read.max_body_bytes) == ("https://cds.example.org/tolami", "debug", 2048)


def test_the_file_is_read_and_the_environment_goes_before_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text('log_level = "error"\nlog_format = "json"\nmax_body_bytes = 4096\n', encoding="utf-8")
    monkeypatch.setenv("TOLAMI_LOG_LEVEL", "warning")
    read = load_settings()
    assert (read.log_level, read.log_format, read.max_body_bytes) == ("warning", "json", 4096)


def test_an_empty_file_changes_nothing(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == ""
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("LOG_LEVEL", "loud", "Input should be 'debug', 'info', 'warning' or 'error'"),
        ("LOG_LEVEL", "INFO", "Input should be"),
        ("LOG_FORMAT", "xml", "Input should be 'console', 'json' or ''"),
        ("MAX_BODY_BYTES", "many", "Input should be a valid integer"),
        ("MAX_BODY_BYTES", "1023", "greater than or equal to 1024"),
        ("PUBLIC_URL", "cds.example.org", "must be an http or https URL"),
        ("PUBLIC_URL", "ftp://cds.example.org", "must be an http or https URL"),
        ("PUBLIC_URL", "https://", "must be an http or https URL"),
        ("PUBLIC_URL", "https://cds.example.org/?a=1", "must be an http or https URL"),
        ("PUBLIC_URL", "https://cds.example.org/<script>", "must be an http or https URL"),
        ("PUBLIC_URL", "https://cds.example.org\\tolami", "must be an http or https URL"),
        ("DATABASE_URL", "sqlite:///file::memory:?uri=true", "must be sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "postgresql://127.0.0.1:99999/tolami", "PostgreSQL has no such port or option"),
        (
            "DATABASE_URL",
            "postgresql://127.0.0.1/tolami?ssl=foo",
            "PostgreSQL has no such port or option",
        ),
        ("DATABASE_URL", "nonsense", "must be sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "sqlite://", "must be sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "mysql://127.0.0.1/tolami", "must be sqlite:///FILE or postgresql://"),
        ("DATABASE_URL", "postgresql://127.0.0.1:port/tolami", "must be sqlite:///FILE or postgresql://"),
    ],
)
def test_a_wrong_value_in_the_environment_is_named_with_the_reason(
    name: str, value: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"TOLAMI_{name}", value)
    said = refusal()
    assert said.startswith(f"TOLAMI_{name}: ")
    assert reason in said


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLAMI_LOG_LEVEL", "loud")
    monkeypatch.setenv("TOLAMI_MAX_BODY_BYTES", "0")
    assert refusal().count("TOLAMI_") == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('log_level = "loud"', "TOLAMI_LOG_LEVEL: Input should be"),
        ("max_body_bytes = [1]", "TOLAMI_MAX_BODY_BYTES: Input should be a valid integer"),
        ("colour = 'blue'", "colour in "),
        ("[log]\nlevel = 'info'", "no such setting; docs/settings.md lists them"),
        ("log_level = loud", "TOLAMI_CONFIG: "),
        ("log_level", "is not valid TOML: "),
        ("x = " + "[" * 5000, "is not valid TOML: "),
    ],
)
def test_a_wrong_file_is_named_with_the_reason(content: str, said: str, file: Path) -> None:
    file.write_text(content, encoding="utf-8")
    assert said in refusal()


def test_a_file_that_is_no_text_is_not_valid_toml(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    assert f"TOLAMI_CONFIG: {file} is not valid TOML" in refusal()


def test_an_empty_variable_is_the_same_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOG_LEVEL", "MAX_BODY_BYTES", "CONFIG"):
        monkeypatch.setenv(f"TOLAMI_{name}", "")
    assert load_settings() == Settings()


@pytest.mark.parametrize("place", ["missing.toml", "."])
def test_a_file_that_is_not_there_is_named(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLAMI_CONFIG", str(tmp_path / place))
    assert refusal().startswith(f"TOLAMI_CONFIG: {tmp_path / place} cannot be read: ")


def test_a_setting_that_does_not_exist_is_named_before_a_typing_error_can_do_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOLAMI_LOGLEVEL", "debug")
    monkeypatch.setenv("TOLAMI_AUHT", "required")
    assert refusal() == "TOLAMI_AUHT, TOLAMI_LOGLEVEL: no such setting; docs/settings.md lists them"


def test_variables_of_other_programs_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_LEVEL", "loud")
    assert load_settings() == Settings()


def test_settings_do_not_change_once_they_are_read() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().log_level = "error"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        ("http://tx.example.org/fhir", "must begin with https"),
        ("https://user:secret@tx.example.org/fhir", "must not contain a user name or password"),
        ("ftp://tx.example.org", "must be an http or https URL"),
        ("https://tx.example.org/fhir?x=1", "must be an http or https URL"),
    ],
)
def test_a_terminology_server_is_asked_over_https_and_without_a_login(
    server: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLAMI_TERMINOLOGY_SERVER", server)
    said = refusal()
    assert "TOLAMI_TERMINOLOGY_SERVER" in said
    assert reason in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://user:secret@cds.example.org", "must not contain a user name or password"),
        ("https://secret@cds.example.org", "must not contain a user name or password"),
        ("https://cds.example.org:99999", "must be an http or https URL"),
        ("https://cds.example.org:port", "must be an http or https URL"),
        ("https://[::1", "must be an http or https URL"),
        ("https://cds example.org", "must be an http or https URL"),
        ("https://cds.example.org/\n", "must be an http or https URL"),
    ],
)
def test_the_public_address_can_be_a_link_on_a_card(url: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLAMI_PUBLIC_URL", url)
    said = refusal()
    assert said.startswith(f"TOLAMI_PUBLIC_URL: {reason}")
    assert "secret" not in said


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost", "[::1]:8080"])
def test_a_terminology_server_on_this_machine_may_be_asked_by_plain_http(host: str) -> None:
    assert Settings(terminology_server=f"http://{host}/fhir").terminology_server == f"http://{host}/fhir"


@pytest.mark.parametrize("kind", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_database_may_be_away_at_the_start(kind: str) -> None:
    url = f"{kind}://tolami:a%2Fb@127.0.0.1:1/tolami?sslmode=verify-full"
    assert Settings(database_url=url).database_url == url


@pytest.mark.parametrize("setting", ["TOLAMI_JWKS_CA_FILE", "TOLAMI_FHIR_CA_FILE"])
def test_authorities_are_looked_at_before_the_start(
    setting: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    self_signed(tmp_path)
    monkeypatch.setenv(setting, str(tmp_path / "ca.pem"))
    assert tmp_path / "ca.pem" in load_settings().model_dump().values()
    (tmp_path / "ca.pem").write_text("nothing", encoding="utf-8")
    assert f"{setting}: must be a PEM file of certificates" in refusal()
    monkeypatch.setenv(setting, str(tmp_path / "nowhere.pem"))
    assert setting in refusal()

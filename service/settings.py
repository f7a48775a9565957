"""Settings, from the environment (``TOLAMI_…``) and from the TOML file that ``TOLAMI_CONFIG`` names.

A wrong value prevents startup, with the setting's name and the reason. The table is in ``docs/settings.md``.
"""

import os
import re
import ssl
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import Field, FilePath, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

if TYPE_CHECKING:
    from sqlalchemy import URL

PREFIX = "TOLAMI_"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that are this machine."""

SIGNATURES = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
"""The algorithms that may be chosen: asymmetric all of them. ``none`` and HMAC cannot be."""

POSTGRESQL = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_ADDRESS = re.compile(r"[\w.~:/?#\[\]@!$&'()*+,;=%-]*", re.ASCII)
DATABASE_WANTED = "must be sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME, special characters as %XX"


class SettingsError(Exception):
    """A setting has a value that cannot be used; the message names it and says why."""


class Settings(BaseSettings):
    """What a deployment may choose."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    public_url: str = Field("", description="Base URL as clients know this service.")
    auth: Literal["open", "required"] = Field(
        "open", description="Whether a call needs a token: open is for this machine only."
    )
    trust_file: Path | None = Field(None, description="The clients, what each may do and what it speaks (TOML).")
    allow_http_loopback: bool | None = Field(
        None, description="Plain http to this machine for FHIR servers and keys; by default only when auth is open."
    )
    jwt_algorithms: str = Field(
        "ES384,RS384", description="Signature algorithms that a token may have, separated by commas."
    )
    jwks_ca_file: FilePath | None = Field(
        None, description="Certificate authorities (PEM) for key addresses, instead of public ones."
    )
    jwt_leeway: int = Field(60, ge=0, le=600, description="Seconds by which clocks may differ when a token is checked.")
    jwt_replay_check: bool = Field(True, description="Refuse a token that was used before.")
    fhir_deadline: float = Field(
        4.0, gt=0, le=30, description="Seconds for everything that is fetched from a client's FHIR server in one call."
    )
    fhir_ca_file: FilePath | None = Field(
        None, description="Certificate authorities (PEM) for FHIR servers, instead of public ones."
    )
    database_url: str = Field(
        "sqlite:///tolami.db", description="Where exchanges, feedback and used tokens are kept (SQLAlchemy URL)."
    )
    spill_file: Path = Field(
        Path("tolami-waiting.jsonl"), description="Where answered calls wait while the database cannot be written."
    )
    keep_comments: bool = Field(False, description="Keep what clinicians write as a comment in feedback.")
    quiet_days: int = Field(
        30, ge=0, le=366, description="Days for which a card stays quiet that the same clinician answered; 0 is never."
    )
    terminology_server: str = Field(
        "", description="FHIR terminology server that expands the value sets once at startup."
    )
    terminology_cache: Path = Field(
        Path("tolami-terminology"), description="Folder in which the expansions of the terminology server are kept."
    )
    terminology_max_age: int = Field(
        7, ge=0, le=366, description="Days for which kept expansions are used without asking the terminology server."
    )
    terminology_deadline: float = Field(
        60.0, gt=0, le=600, description="Seconds that startup waits for all expansions together."
    )
    log_format: Literal["console", "json", ""] = Field(
        "", description="Log lines for people or for programs; by default console on a terminal, else json."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level that is logged.")
    jurisdiction: Literal["eu", "uk", "us", "ch", "other"] = Field(
        "eu", description="Whose labels and indications advice follows where they differ."
    )
    demo: bool = Field(
        False, description="Serve synthetic patients as a FHIR server below /demo/fhir; `tolami demo` sets it."
    )
    policy: FilePath | None = Field(
        None, description="A hospital's own policy: cards off, urgency, numbers within bounds; each with an end."
    )
    open_pages: bool = Field(
        False, description="Show the playground and the insights to anybody, even if calls need a token."
    )
    max_body_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, description="Largest request body accepted, in bytes; larger ones get 413."
    )

    @property
    def http_loopback(self) -> bool:
        """Whether plain http to this machine is allowed."""
        return self.auth == "open" if self.allow_http_loopback is None else self.allow_http_loopback

    @property
    def token_algorithms(self) -> tuple[str, ...]:
        """The signature algorithms that a token may have, each once."""
        return tuple(dict.fromkeys(name.strip() for name in self.jwt_algorithms.split(",")))

    @field_validator("jwks_ca_file", "fhir_ca_file")
    @classmethod
    def _has_certificates(cls, value: Path | None) -> Path | None:
        if value is not None:
            try:
                ssl.create_default_context(cafile=value)
            except OSError:
                raise ValueError("must be a PEM file of certificates") from None
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: str) -> str:
        if value == cls.model_fields["database_url"].default:
            return value
        # Here, because it takes a while and the default needs no look.
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            address = make_url(value)
        except (ArgumentError, ValueError):
            raise ValueError(DATABASE_WANTED) from None
        in_memory = (address.database or ":memory:").startswith(
            (":memory:", "file:")
        )  # each process would have its own
        if (address.drivername != "sqlite" or in_memory) and address.drivername not in POSTGRESQL:
            raise ValueError(DATABASE_WANTED)
        if address.drivername in POSTGRESQL and not _known_to_libpq(address):
            raise ValueError(f"{DATABASE_WANTED}; PostgreSQL has no such port or option")
        return value

    @field_validator("jwt_algorithms")
    @classmethod
    def _are_signatures(cls, value: str) -> str:
        if not {name.strip() for name in value.split(",")} <= set(SIGNATURES):
            raise ValueError(f"must be some of {', '.join(SIGNATURES)}, separated by commas")
        return value

    @field_validator("public_url", "terminology_server")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        parts = _parts(value)
        usable = parts is not None and parts.scheme in {"http", "https"} and parts.hostname
        if value and (parts is None or not usable or parts.query or parts.fragment):
            raise ValueError("must be an http or https URL, such as https://cds.example.org")
        if parts is not None and (parts.username is not None or parts.password is not None):
            raise ValueError("must not contain a user name or password: it is logged, and cards link to it")
        return value

    @field_validator("terminology_server")
    @classmethod
    def _is_asked_safely(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise ValueError("must begin with https; plain http is for this machine only")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (pydantic's signature)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (pydantic's signature)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment first, then the file."""
        file = os.environ.get(f"{PREFIX}CONFIG")
        sources = (init_settings, env_settings)
        return (*sources, TomlConfigSettingsSource(settings_cls, Path(file))) if file else sources


def load_settings() -> Settings:
    """The settings of this process. Raises SettingsError."""
    file = os.environ.get(f"{PREFIX}CONFIG")
    in_environment = (name for name in os.environ if name.startswith(PREFIX) and name != f"{PREFIX}CONFIG")
    unknown = [name for name in in_environment if name.removeprefix(PREFIX).lower() not in Settings.model_fields]
    if file:
        unknown += [f"{name} in {file}" for name in _keys_of(Path(file)) if name not in Settings.model_fields]
    if unknown:
        raise SettingsError(f"{', '.join(sorted(unknown))}: no such setting; docs/settings.md lists them")
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(
            f"{PREFIX}{''.join(map(str, e['loc'][:1])).upper()}: {e['msg'].removeprefix('Value error, ')}"
            for e in error.errors(include_input=False)
        )
        raise SettingsError(problems) from None


def _keys_of(file: Path) -> list[str]:
    try:
        return list(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"{PREFIX}CONFIG: {file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{PREFIX}CONFIG: {file} is not valid TOML: {error}") from None


def _known_to_libpq(address: "URL") -> bool:
    """False when the address of a PostgreSQL has a port that cannot be, or an option that does not exist."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import make_conninfo

    try:
        make_conninfo(**{name: str(value) for name, value in address.query.items()})
    except ProgrammingError:
        return False
    return address.port is None or 0 < address.port < 2**16


def _parts(url: str) -> SplitResult | None:
    """The parts of an address; None when it is none, such as one with a blank or a port that cannot be (RFC 3986)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if _ADDRESS.fullmatch(url) else None

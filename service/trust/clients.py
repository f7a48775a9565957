"""The trust file: which clients may call, and what is allowed and known for each of them.

The format is fixed (``docs/trust.md``). It is read in full at startup; a fault prevents it and is named with its place.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

Dialect = Literal["1.0", "2.0", "3.0"]
Jurisdiction = Literal["eu", "uk", "us", "ch", "other"]

PLAYGROUND = "playground"
"""The client under whose name the playground asks. Nobody is treated there, so it counts only where it is chosen."""

_PORTS = {"http": 80, "https": 443}


class FaultyTrustFile(Exception):
    """The trust file cannot be used as it is; the message lists every fault."""


def is_loopback(host: str) -> bool:
    """True for a host name or address that leads to this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _address(url: str) -> SplitResult | None:
    """The parts of a URL that may be called at all; None when it could be read in two ways."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    odd = "\\" in url or "@" in parts.netloc or "%" in parts.netloc or any(c.isspace() or ord(c) < 32 for c in url)
    path = parts.path.lower()
    # Servers on Tomcat leave out what follows a semicolon: "..;" is ".." to them.
    dots = any(segment.partition(";")[0].replace("%2e", ".") in {".", ".."} for segment in path.split("/"))
    hidden = any(code in path for code in ("%2f", "%5c", "%3b", "%25"))  # what only the server sees, or decodes twice
    return None if parts.scheme not in _PORTS or not parts.hostname or odd or dots or hidden else parts


class Client(BaseModel):
    """One client. An empty issuer stands for calls without a token, which only the open mode takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    issuer: str = ""
    jwks_file: Path | None = None
    """Keys pinned in a file; a relative path starts at the folder of the trust file."""
    jku: tuple[str, ...] = ()
    """Addresses of key sets that may be fetched: compared whole, never followed otherwise."""
    tenants: tuple[str, ...] = ()
    """The tenants that may call; empty where the client does not use them."""
    fhir_servers: tuple[str, ...] = ()
    """Base URLs of the FHIR servers that may be called for this client; nothing outside them is."""
    open: bool = False
    """True when these servers answer without a token: they are read for calls that bring no ``fhirAuthorization``."""
    dialect: Dialect | None = None
    """The release of CDS Hooks that the client speaks; None: only what all of them accept is sent."""
    jurisdiction: Jurisdiction | None = None
    """Whose labels advice goes by for this client; None: those of the service."""
    policy: Path | None = None
    """The hospital's own policy on cards; a relative path starts at the folder of the trust file."""

    @field_validator("name")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must not be empty: logs and reports call the client by it")
        if value == PLAYGROUND:
            raise ValueError(f"{value} is what the playground is called; choose another name")
        return value

    @model_validator(mode="after")
    def _open_servers_named(self) -> "Client":
        if self.open and self.issuer and not self.fhir_servers:
            raise ValueError("open: there are no fhir_servers that could be read without a token")
        return self

    @field_validator("jku", "fhir_servers")
    @classmethod
    def _addresses(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            parts = _address(value)
            shown = "an address" if "@" in value else value  # there may be a password before it
            if parts is None or parts.fragment:
                raise ValueError(f"{shown} must be an https URL, such as https://ehr.example.org/path")
            if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
                raise ValueError(f"{shown} must begin with https: only addresses of this machine may be plain http")
        return values

    @field_validator("fhir_servers")
    @classmethod
    def _bases(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if "?" in value:
                raise ValueError(
                    f"{value} must be a base URL: what is fetched lies below it, so nothing may follow a ?"
                )
        return values

    def may_fetch(self, url: str, *, loopback: bool) -> bool:
        """True when this URL lies within one of the client's FHIR servers: same origin, same path or below.

        ``loopback`` allows plain http to this machine (setting ``allow_http_loopback``).
        """
        asked = _address(url)
        if asked is None or (asked.scheme == "http" and not (loopback and is_loopback(asked.hostname or ""))):
            return False
        return any(_within(asked, urlsplit(base), any_port=base in LOOPBACK_SERVERS) for base in self.fhir_servers)


LOOPBACK_SERVERS = tuple(f"{scheme}://{host}" for scheme in _PORTS for host in ("127.0.0.1", "localhost", "[::1]"))
"""The FHIR servers of the open mode, on any port."""

ANYBODY = Client(name="anybody", fhir_servers=LOOPBACK_SERVERS)
"""Who calls in open mode when the trust file does not say more about calls without a token."""


class Clients:
    """The clients of the trust file."""

    def __init__(self, clients: Iterable[Client] = ()) -> None:
        self.all = tuple(clients)
        self._by_issuer = {client.issuer: client for client in self.all}

    def of_issuer(self, issuer: str) -> Client | None:
        """The client whose tokens name this issuer."""
        return self._by_issuer.get(issuer) if issuer else None

    @property
    def without_token(self) -> Client:
        """Who calls in open mode. An entry without ``fhir_servers`` keeps this machine's addresses."""
        client = self._by_issuer.get("", ANYBODY)
        return client if client.fhir_servers else client.model_copy(update={"fhir_servers": LOOPBACK_SERVERS})


def clients_of(file: Path | None) -> Clients:
    """The clients of a trust file; none without one. Raises FaultyTrustFile with every fault that was found."""
    if file is None:
        return Clients()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FaultyTrustFile(f"{file.absolute()} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise FaultyTrustFile(f"{file} is not valid TOML: {error}") from None
    faults = [f"{name}: no such key; the file is a list of [[client]]" for name in content if name != "client"]
    entries = content.get("client", [])
    if not isinstance(entries, list) or not entries:
        faults.append("there is no [[client]]")
        entries = []
    clients = []
    for number, entry in enumerate(entries, 1):
        try:
            clients.append(_client(entry, file.parent))
        except ValidationError as error:
            faults += [f"client {number}{_named(entry)}: {_fault(dict(e))}" for e in error.errors(include_input=False)]
    faults += _doubles(clients)
    if faults:
        raise FaultyTrustFile("\n".join(f"{file}: {fault}" for fault in faults))
    return Clients(clients)


def _client(entry: Any, folder: Path) -> Client:
    client = Client.model_validate(entry)
    files = {"jwks_file": client.jwks_file, "policy": client.policy}
    return client.model_copy(update={name: folder / path for name, path in files.items() if path is not None})


def _named(entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return f" ({name})" if isinstance(name, str) and name else ""


def _fault(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"])
    wanted = 'must be a list, such as ["…"]' if error["type"] == "tuple_type" else error["msg"]
    return f"{where}: {wanted.removeprefix('Value error, ')}"


def _doubles(clients: list[Client]) -> list[str]:
    names, issuers = Counter(client.name for client in clients), Counter(client.issuer for client in clients)
    return [
        f"{what} {value or '(none)'} is listed {number} times"
        for what, counted in (("name", names), ("issuer", issuers))
        for value, number in sorted(counted.items())
        if number > 1
    ]


def lies_within(url: str, base: str) -> bool:
    """True when the URL is the base or below it: same scheme, host, port and path. False when either is ambiguous."""
    asked, root = _address(url), _address(base)
    return asked is not None and root is not None and _within(asked, root, any_port=False)


def _within(asked: SplitResult, base: SplitResult, *, any_port: bool) -> bool:
    same_port = any_port or _port(asked) == _port(base)
    same_origin = asked.scheme == base.scheme and asked.hostname == base.hostname and same_port
    root = base.path.rstrip("/")
    return same_origin and (asked.path == root or asked.path.startswith(f"{root}/"))


def _port(address: SplitResult) -> int:
    return _PORTS[address.scheme] if address.port is None else address.port

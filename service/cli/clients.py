"""``tolami clients``: the trust file, checked and described in words."""

from collections.abc import Iterator
from pathlib import Path

import click

from service.cli.output import Faulty, Refused, example, print_table
from service.settings import Settings, SettingsError, load_settings
from service.trust.clients import Client, FaultyTrustFile, clients_of
from service.trust.keyring import NOBODY, faults_of, pinned_keys
from service.trust.keys import KeySet, NotAKeySet, algorithms_of, described, read_key_set
from service.trust.remote import NotFetched
from service.trust.remote import fetch as fetched

NOTHING = "none: nothing is fetched for it"


@click.group(
    help="Check the clients of the trust file, which docs/trust.md describes.",
    epilog=example("tolami clients check trust.toml"),
)
def clients() -> None: ...


@clients.command(
    help="""Check the trust file and say what each client may do.

    FILE is the trust file; without it, the one that TOLAMI_TRUST_FILE names. Key files are read. The exit code is
    1 if one of the clients could not call where tokens are required.
    """,
    epilog=example(
        "TOLAMI_TRUST_FILE=trust.toml tolami clients check\n"
        "tolami clients check trust.toml\n"
        "tolami clients check trust.toml --fetch      asks for the key sets at their addresses, too"
    ),
)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--fetch", is_flag=True, help="Fetch the key sets whose addresses (jku) the file lists.")
def check(file: Path | None, fetch: bool) -> None:
    try:
        settings = load_settings()
        chosen = file or settings.trust_file
        if chosen is None:
            raise Refused("Which file? tolami clients check FILE, or set TOLAMI_TRUST_FILE.")
        listed = clients_of(chosen)
    except (SettingsError, FaultyTrustFile) as error:
        raise Faulty(str(error)) from None
    faults = faults_of(listed, settings.token_algorithms, loopback=settings.http_loopback)
    if settings.auth == "open" and not any(client.issuer for client in listed.all):
        faults.remove(NOBODY)
    for client in listed.all:
        keys, unfetched = _keys(client, settings, fetch=fetch)
        _show(client if client.issuer else listed.without_token, settings, keys)
        faults += [f"client {client.name}: {fault}" for fault in unfetched]
    if faults:
        raise Faulty("\n".join(faults))
    click.echo(f"{chosen}: {len(listed.all)} {'client' if len(listed.all) == 1 else 'clients'}, no faults.")
    if settings.auth == "open":
        click.echo("TOLAMI_AUTH is open: tokens are ignored, and every caller is the client without an issuer.")


def _show(client: Client, settings: Settings, keys: list[str]) -> None:
    """Prints all that is known of one client."""
    rows = (
        ("issuer", [client.issuer or "none: calls without a token"]),
        ("keys", keys),
        ("tenants", client.tenants or ["not used"]),
        ("may", [_permission(client)]),
        ("FHIR servers", [*client.fhir_servers, *(["read without a token, too"] if client.open else [])] or [NOTHING]),
        ("dialect", [client.dialect or "what all releases accept"]),
        ("jurisdiction", [client.jurisdiction or f"{settings.jurisdiction} (that of the service)"]),
    )
    print_table("", ("client", client.name), ((name, "\n".join(lines)) for name, lines in rows))


def _permission(client: Client) -> str:
    if not client.issuer:
        return "call everything with TOLAMI_AUTH=open, and nothing with TOLAMI_AUTH=required"
    as_tenant = f" that names the tenant {' or '.join(client.tenants)}" if client.tenants else ""
    return f"call discovery, every service and feedback with a token of its own{as_tenant}"


def _keys(client: Client, settings: Settings, *, fetch: bool) -> tuple[list[str], list[str]]:
    """The keys of a client in lines, and what kept a set from being fetched."""
    lines: list[str] = []
    faults = []
    try:
        pinned = pinned_keys(client)
    except NotAKeySet:
        pinned = None  # reported among the faults of the client
    if pinned is not None:
        lines += [f"in {client.jwks_file}:", *_key_lines(pinned, settings.token_algorithms)]
    for address in client.jku:
        if not fetch:
            lines.append(f"at {address}, fetched when needed")
            continue
        lines.append(f"at {address}:")
        try:
            keys = read_key_set(fetched(address, settings.jwks_ca_file))
            lines += _key_lines(keys, settings.token_algorithms)
        except (NotFetched, NotAKeySet) as fault:
            faults.append(f"jku {address}: {fault}")
    return lines or ["none"], faults


def _key_lines(keys: KeySet, allowed: tuple[str, ...]) -> Iterator[str]:
    for kid, key in keys.keys.items():
        usable = [name for name in algorithms_of(key) if name in allowed]
        usage = " ".join(usable) or f"not usable: {' '.join(algorithms_of(key))} is not among TOLAMI_JWT_ALGORITHMS"
        yield f"  {kid}  {described(key)}  {usage}"
    yield from (f"  passed over: {sentence}" for sentence in keys.passed_over)

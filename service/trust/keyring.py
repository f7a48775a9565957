"""The keys of all clients: pinned in files that are read at startup, and fetched from listed addresses."""

from collections.abc import Collection, Iterator, Mapping
from urllib.parse import urlsplit

from service.trust.clients import Client, Clients, FaultyTrustFile
from service.trust.keys import KeySet, NotAKeySet, PublicKey, algorithms_of, read_key_set
from service.trust.remote import KeysUnavailable, RemoteKeys

NOBODY = "no client has an issuer, so nobody could call"
"""The fault of a trust file for the open mode where tokens are required."""


class Keyring:
    """Finds the key that a token names."""

    def __init__(self, pinned: Mapping[str, KeySet], remote: RemoteKeys) -> None:
        self._pinned = pinned
        self._remote = remote

    def key(self, client: Client, kid: str, jku: str | None) -> PublicKey | None:
        """The client's key of this name; None when the client has none.

        A pinned key goes first. Then the set that the token names, which must be one of the client's, is looked
        at; without a name, all of the client's are (both were agreed on beforehand: C-126). Raises
        KeysUnavailable when a set that may hold the key is unavailable.
        """
        pinned = self._pinned.get(client.issuer)
        if pinned is not None and kid in pinned.keys:
            return pinned.keys[kid]
        unavailable: KeysUnavailable | None = None
        for address in client.jku if jku is None else (jku,):
            try:
                key = self._remote.key(address, kid)
            except KeysUnavailable as error:
                unavailable = error
            else:
                if key is not None:
                    return key
        if unavailable is not None:
            raise unavailable
        return None


def pinned_keys(client: Client) -> KeySet | None:
    """The keys in the client's file; None when it names no file.

    Raises NotAKeySet with the file when it cannot be read, is no JWK Set, or holds no usable key.
    """
    file = client.jwks_file
    if file is None:
        return None
    try:
        keys = read_key_set(file.read_bytes())
    except OSError as error:
        raise NotAKeySet(f"{file} cannot be read: {error.strerror}") from None
    except NotAKeySet as fault:
        raise NotAKeySet(f"{file} {fault}") from None
    if not keys.keys:
        raise NotAKeySet(f"{file} holds no usable key: {'; '.join(keys.passed_over) or 'it is empty'}")
    return keys


def faults_of(clients: Clients, algorithms: Collection[str], *, loopback: bool) -> list[str]:
    """What keeps clients from calling, each fault with the client's name.

    ``algorithms`` are those that tokens may have; ``loopback`` allows plain http to this machine.
    """
    faults = [
        f"client {c.name}: {fault}" for c in clients.all for fault in _faults_of(c, algorithms, loopback=loopback)
    ]
    return faults if any(client.issuer for client in clients.all) else [*faults, NOBODY]


def _faults_of(client: Client, algorithms: Collection[str], *, loopback: bool) -> Iterator[str]:
    if client.policy is not None and not client.policy.is_file():
        yield f"policy: there is no file {client.policy}"
    if not client.issuer:
        if client.jwks_file or client.jku:
            yield "it has keys, but no issuer by which its tokens are recognised"
        return
    if client.jwks_file is None and not client.jku:
        yield "neither jwks_file nor jku: none of its tokens could be checked"
    for address in client.jku:
        if urlsplit(address).scheme == "http" and not loopback:
            yield f"jku {address} is plain http, which TOLAMI_ALLOW_HTTP_LOOPBACK=true allows for this machine"
    try:
        pinned = pinned_keys(client)
    except NotAKeySet as fault:
        yield f"jwks_file: {fault}"
        return
    named = {algorithm for key in (pinned.keys.values() if pinned else ()) for algorithm in algorithms_of(key)}
    if pinned is not None and not client.jku and named.isdisjoint(algorithms):
        yield f"jwks_file: none of its keys is for {' or '.join(algorithms)} (TOLAMI_JWT_ALGORITHMS)"


def open_keyring(clients: Clients, remote: RemoteKeys, algorithms: Collection[str], *, loopback: bool) -> Keyring:
    """The keys of all clients, those in files read.

    Raises FaultyTrustFile with every fault: when nobody could call, when a client could not, when a file is faulty.
    """
    if faults := faults_of(clients, algorithms, loopback=loopback):
        raise FaultyTrustFile("\n".join(faults))
    pinned = {client.issuer: keys for client in clients.all if (keys := pinned_keys(client)) is not None}
    return Keyring(pinned, remote)

"""What a Bundle holds, what it declares missing, and which entries cannot be read.

No entry is skipped: it is a resource, or it is counted as refused or unread.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from msgspec import Raw

from service.fhir.resources import Resource, as_resource, aslist, reference, text
from service.jsonio import decode, is_null

MOST_NESTED = 200
"""Bundles inside a Bundle that are opened."""

UNREADABLE = {"unreadable": True}
"""Replaces a value that cannot be read. No FHIR element has such a member, so it is never taken for one."""

SUBSETTED, REDACTED = "SUBSETTED", "REDACTED"
"""Codes of HL7's v3-ObservationValue, of a tag and of a security label; sent with and without the system."""
_MOST_ANNOUNCED = 10**9
_LONGEST_LINK = 2000
_REMARKS = frozenset({"search", "response"})
"""Members of an entry that say more of it; without them a resource of a wanted kind is what was asked for."""
COMPANIONS = frozenset(
    {"Medication", "Patient", "Practitioner", "PractitionerRole", "Organization", "Encounter", "Location"}
    | {"RelatedPerson", "CareTeam", "Device", "Provenance", "Coverage", "EpisodeOfCare", "HealthcareService"}
)
"""What servers include beside the resources that were asked for; not counted, and not missed when left out."""


class Entry(NamedTuple):
    """One resource of a Bundle with its ``fullUrl``, empty when there is none.

    ``whole`` is false when a member of it could not be read.
    """

    resource: Resource
    url: str = ""
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Contents:
    """A Bundle and all Bundles inside it, read.

    ``matches`` are the entries that count as found, ``announced`` how many there are by ``total``. ``refused`` are
    errors in an entry's place, ``unread`` entries that hold no resource of a wanted kind. ``more`` says that a page
    follows, ``next`` is its link, empty unless there is exactly one; ``begun`` says that a page came before, ``subset``
    that a Bundle or a resource calls itself a part only.
    """

    entries: tuple[Entry, ...] = ()
    matches: int = 0
    announced: int = 0
    refused: int = 0
    unread: int = 0
    more: bool = False
    next: str = ""
    begun: bool = False
    subset: bool = False


def contents(bundle: Resource, wanted: frozenset[str] | None = None) -> Contents:
    """What a Bundle holds. ``wanted`` are the types that were asked for; without it every type is."""
    found: list[Entry] = []
    announced = matches = refused = unread = opened = 0
    following: list[str] = []
    subset = is_subset(bundle)
    waiting = [bundle]
    while waiting:
        here = waiting.pop(0)
        opened += 1
        here_matches = 0
        holds_bundles = False
        following += _links(here, "next")
        for entry in aslist(here.get("entry")):
            resource, url = _held(entry)
            subset = subset or (resource is not None and is_subset(resource))
            if resource is not None and wanted and resource["resourceType"] in wanted and _REMARKS.isdisjoint(entry):
                found.append(Entry(resource, url))
                here_matches += 1
                continue
            if resource is None or resource["resourceType"] == "OperationOutcome" or _failed(entry):
                remark = resource is not None and _is_remark(resource)
                is_error = not remark and (resource is not None or _failed(entry))
                refused += is_error
                unread += not remark and not is_error
            elif resource["resourceType"] == "Bundle":
                holds_bundles = True
                if opened + len(waiting) < MOST_NESTED:
                    waiting.append(resource)
                else:
                    unread += 1
            elif wanted is None or resource["resourceType"] in wanted:
                found.append(Entry(resource, url))
                here_matches += _mode(entry) != "include"
            elif resource["resourceType"] in COMPANIONS or _mode(entry) in ("include", "outcome"):
                found.append(Entry(resource, url))
            else:
                unread += 1
        announced += here_matches if holds_bundles else max(_total(here), here_matches)
        matches += here_matches
    announced = max(announced, _total(bundle))
    # Of several nobody can say which one leads to the rest, and one of a Bundle inside to a part of it.
    following_one = following[0] if len(set(following)) == 1 and _links(bundle, "next") else ""
    before = {*_links(bundle, "previous"), *_links(bundle, "prev")}
    begun = not before <= set(_links(bundle, "self"))
    return Contents(tuple(found), matches, announced, refused, unread, bool(following), following_one, begun, subset)


def medications_of(entries: tuple[Entry, ...]) -> dict[str, Resource]:
    """The Medications among entries by every name that a reference may use: "Medication/id" and ``fullUrl``."""
    found: dict[str, Resource] = {}
    for entry in entries:
        if entry.resource["resourceType"] == "Medication":
            for name in filter(None, (unversioned(entry.url), reference(entry.resource))):
                found.setdefault(name, entry.resource)
    return found


def referred_to(target: str, resources: Mapping[str, Resource], type_: str = "Medication") -> Resource | None:
    """The resource of a type that a reference names: relative, absolute, with a version, ``urn:uuid`` or a bare id.

    Whatever server it is on and whichever version is meant: "Medication/id" names it within one request.
    """
    name = unversioned(target)
    exact = resources.get(name)
    if exact is not None or not name:
        return exact
    return resources.get("/".join(name.split("/")[-2:]) if "/" in name else f"{type_}/{name.rpartition(':')[2]}")


def unversioned(pointer: str) -> str:
    """A reference without the version of the resource and a slash at its end; a ``urn:uuid`` in small letters."""
    name = pointer.strip().split("/_history")[0].rstrip("/")
    return name.lower() if name[:9].lower() == "urn:uuid:" else name


def decoded(raw: Raw | bytes) -> Resource | None:
    """The resource in these bytes. What cannot be read costs the entry or the member that holds it, not the rest.

    An entry or a member of a Bundle that cannot be read becomes an entry of None, so that it is counted; a member of
    another resource becomes ``UNREADABLE``, which says that something stood there.
    """
    whole = decode(raw)
    if whole is not None:
        return as_resource(whole)
    members = members_of(raw)
    if members is None:
        return None
    read: Resource = {name: _member(member) for name, member in members.items()}
    if read.get("resourceType") == "Bundle":
        lost = [name for name, member in read.items() if member is UNREADABLE and name != "entry"]
        read["entry"] = [*_entries(members.get("entry")), *(None for _ in lost)]
    return as_resource(read)


def decoded_entry(raw: Raw) -> tuple[Any, bool]:
    """The entry of a Bundle in these bytes, and whether all of it could be read."""
    entry = decode(raw)
    if entry is not None or is_null(raw):
        return entry, True
    members = members_of(raw) or {}
    if "resource" not in members:
        return decoded(raw), False
    return {"resource": decoded(members["resource"]), "fullUrl": _member(members.get("fullUrl", Raw(b"null")))}, False


def members_of(raw: Raw | bytes) -> dict[str, Raw] | None:
    """The members of the JSON object in these bytes, none of them decoded; None when it is no object."""
    try:
        return msgspec.json.decode(raw, type=dict[str, Raw])
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None


def _member(raw: Raw) -> Any:
    value = decode(raw)
    return UNREADABLE if value is None and not is_null(raw) else value


def _entries(raw: Raw | None) -> list[Any]:
    if raw is None:
        return []
    try:
        return [decode(entry) for entry in msgspec.json.decode(raw, type=list[Raw])]
    except (msgspec.DecodeError, RecursionError, ValueError):
        return [None]


def _held(entry: Any) -> tuple[Resource | None, str]:
    """The resource of an entry and its address. An entry may be the resource itself, as some clients send."""
    if not isinstance(entry, dict):
        return None, ""
    inner = entry.get("resource")
    found = as_resource(inner) if inner is not None else as_resource(entry)
    return found, text(entry.get("fullUrl"))


def _failed(entry: Any) -> bool:
    """True when the entry of a batch says that asking for it failed."""
    response = entry.get("response") if isinstance(entry, dict) else None
    return isinstance(response, dict) and str(response.get("status", "")).strip()[:1] in ("4", "5")


def _mode(entry: Any) -> str:
    search = entry.get("search")
    return text(search.get("mode")) if isinstance(search, dict) else ""


def _total(bundle: Resource) -> int:
    given = bundle.get("total")
    if isinstance(given, str) and given.isdecimal() and len(given) < len(str(_MOST_ANNOUNCED)):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | Decimal) or not given > 0:
        return 0
    return int(min(given, _MOST_ANNOUNCED))


def _is_remark(resource: Resource) -> bool:
    """True for an OperationOutcome that only informs, as some servers put one into every list."""
    issues = [issue for issue in aslist(resource.get("issue")) if isinstance(issue, dict)]
    return bool(issues) and all(text(issue.get("severity")) == "information" for issue in issues)


def is_subset(resource: Resource) -> bool:
    """True for the tag, or the security label, by which a server says that elements or entries were left out."""
    meta = resource.get("meta")
    if not isinstance(meta, dict):
        return False
    tags = [tag for tag in (*aslist(meta.get("tag")), *aslist(meta.get("security"))) if isinstance(tag, dict)]
    return any(tag.get("code") in (SUBSETTED, REDACTED) for tag in tags)


def asked_for(bundle: Resource) -> Mapping[str, frozenset[str]]:
    """What the bundle's own address asked for: the values of each parameter, and under "" the types of resources.

    A chain or an identifier names no id and is left out.
    """
    found: dict[str, set[str]] = {}
    for link in _links(bundle, "self"):
        if len(link) > _LONGEST_LINK:
            continue
        path, _, query = link.partition("?")
        found.setdefault("", set()).add(path.rpartition("/")[2])
        for name, value in parse_qsl(query.partition("#")[0]):
            if name.isalpha() and "|" not in value:
                found.setdefault(name, set()).update(value.split(","))
    return {name: frozenset(values) for name, values in found.items()}


def _links(bundle: Resource, relation: str) -> list[str]:
    """The addresses under a relation, written in any case; empty where a link has none that can be read."""
    if "link" not in bundle:
        return []
    links = [link for link in aslist(bundle["link"]) if isinstance(link, dict)]
    return [text(link.get("url")) for link in links if text(link.get("relation")).strip().casefold() == relation]

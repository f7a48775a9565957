"""What a prefetch key holds, as the specification means it: data, no data, unavailable, or not provided.

CDS Hooks "Prefetch Template": null means the client asked and there is nothing; an absent key means the
client did not ask; an OperationOutcome means it asked and failed, and must never be taken for "no data".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from msgspec import Raw

from service.fhir.resources import Resource, as_resource, aslist, damaged, entries, reference, text
from service.fhir.versions import ORDER_TYPES, STATEMENT_TYPES
from service.jsonio import decode, is_null


class State(StrEnum):
    """How much a prefetch key tells."""

    GIVEN = "given"
    PARTIAL = "partial"
    DAMAGED = "damaged"
    CUT = "cut"
    UNAVAILABLE = "unavailable"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Answer:
    """The resources of one prefetch key and how far they can be relied on to be all there are.

    ``next`` is the link to the page after these. ``reason`` says why fetching failed where it was tried
    (``service.fhir.fetch_errors``).
    """

    state: State
    resources: tuple[Resource, ...] = ()
    next: str = ""
    reason: str = ""

    @property
    def known(self) -> bool:
        """True when the client answered, be it with "no data"."""
        return self.state in (State.GIVEN, State.PARTIAL, State.DAMAGED, State.CUT)


ABSENT = Answer(State.ABSENT)

MOST_ENTRIES = 1000
"""Entries of one key that are read. Reading costs up to a millisecond each; what is left out is said on a card."""


_TYPES = {
    "patient": frozenset({"Patient"}),
    "medications": ORDER_TYPES | STATEMENT_TYPES,
    "statements": ORDER_TYPES | STATEMENT_TYPES,
    "conditions": frozenset({"Condition"}),
    "observations": frozenset({"Observation"}),
    "allergies": frozenset({"AllergyIntolerance"}),
}
"""What a single resource under a key must be. Anything else leaves the key unsatisfied (L-33)."""


class Source(Protocol):
    """Where data comes from that the client did not send: its FHIR server."""

    def complete(self, wanted: Mapping[str, Answer]) -> Mapping[str, Answer]:
        """The answers for these keys: all of what was absent, and what follows a first page."""

    def medications(self, targets: Sequence[str]) -> tuple[Mapping[str, Resource], Sequence[str]]:
        """Medications by the reference that names them, and why others could not be had."""


class Prefetch:
    """The prefetch of one request, decoded key by key and only when asked for.

    With a source, what is missing is fetched, and only when ``complete`` or ``resolve`` says that it is needed.
    """

    def __init__(self, raw: Mapping[str, Raw] | None, source: Source | None = None) -> None:
        self._raw = raw or {}
        self._source = source
        self._answers: dict[str, Answer] = {}
        self._medications: dict[str, Resource] | None = None
        self._completed: set[str] = set()
        self._resolved: dict[str, Resource | None] = {}
        self._unresolved_for: list[str] = []

    def __getitem__(self, key: str) -> Answer:
        if key not in self._answers:
            self._answers[key] = _within(answer_of(key, self._raw[key])) if key in self._raw else ABSENT
        return self._answers[key]

    def complete(self, *keys: str) -> None:
        """Fetches what was not provided under these keys, and the pages after a first one; each key once."""
        new = [key for key in keys if key not in self._completed]
        if self._source is None or not new:
            return
        self._completed.update(new)
        wanted = {key: self[key] for key in new if self[key].state is State.ABSENT or self[key].next}
        if wanted:
            self._answers |= {key: _within(answer) for key, answer in self._source.complete(wanted).items()}
            self._medications = None

    def resolve(self, targets: Iterable[str]) -> bool:
        """Fetches the Medications that references name and that were not provided; true when one was found."""
        new = [target for target in dict.fromkeys(targets) if target not in self._resolved]
        if self._source is None or not new:
            return False
        found, reasons = self._source.medications(new)
        self._resolved |= {target: found.get(target) for target in new}
        self._unresolved_for += reasons
        return bool(found)

    def failure(self, key: str) -> str:
        """Why a key could not be fetched, or not in full; empty when it was not tried or worked."""
        return self._answers.get(key, ABSENT).reason

    @property
    def failures(self) -> dict[str, list[str]]:
        """Why anything could not be fetched, with the keys that each reason is about."""
        found = [(answer.reason, key) for key, answer in self._answers.items() if answer.reason]
        found += [(reason, "Medication") for reason in self._unresolved_for]
        return {reason: [k for r, k in dict.fromkeys(found) if r == reason] for reason in dict(found)}

    def medications(self) -> dict[str, Resource]:
        """Medication resources of all keys by "Medication/id", for references that may lead anywhere."""
        if self._medications is None:
            keys = dict.fromkeys((*self._raw, *self._answers))
            found = (resource for key in keys for resource in self[key].resources)
            self._medications = {reference(r): r for r in found if r["resourceType"] == "Medication" and reference(r)}
        return self._medications

    def medications_for(self, target: str) -> dict[str, Resource]:
        """The same with the one fetched for this very reference: elsewhere its id may mean another drug."""
        fetched = self._resolved.get(target)
        return self.medications() if fetched is None else {**self.medications(), reference(fetched): fetched}


def _within(answer: Answer) -> Answer:
    """The answer, cut to as many entries as are read. What comes after those is not fetched either."""
    if len(answer.resources) <= MOST_ENTRIES:
        return answer
    return Answer(State.CUT, answer.resources[:MOST_ENTRIES], reason=answer.reason)


def answer_of(key: str, raw: Raw) -> Answer:
    """What the client sent under a key."""
    if is_null(raw):
        return Answer(State.GIVEN)
    resource = as_resource(decode(raw))
    return ABSENT if resource is None else answer_in(key, resource)


def answer_in(key: str, resource: Resource) -> Answer:
    """What a resource that came for a key says."""
    if resource["resourceType"] == "OperationOutcome":
        return Answer(State.UNAVAILABLE)
    if resource["resourceType"] != "Bundle":
        asked_for = resource["resourceType"] in _TYPES.get(key, (resource["resourceType"],))
        return Answer(State.GIVEN, (resource,)) if asked_for else ABSENT
    found = tuple(entry for entry in entries(resource) if not _is_remark(entry))
    kept = tuple(r for r in found if r["resourceType"] != "OperationOutcome")
    if len(kept) < len(found):
        return Answer(State.PARTIAL if kept else State.UNAVAILABLE, kept)
    more, link = _next_page(resource)
    if damaged(resource):
        return Answer(State.DAMAGED, kept, link)
    return Answer(State.PARTIAL if more else State.GIVEN, kept, link)


def _is_remark(resource: Resource) -> bool:
    """True for an OperationOutcome that only informs, as some servers put one into every list."""
    if resource["resourceType"] != "OperationOutcome":
        return False
    issues = [issue for issue in aslist(resource.get("issue")) if isinstance(issue, dict)]
    return bool(issues) and all(text(issue.get("severity")) == "information" for issue in issues)


def _next_page(bundle: Resource) -> tuple[bool, str]:
    """Whether there is a page after this one, and its link; empty when the link itself is missing."""
    links = [link for link in aslist(bundle.get("link")) if isinstance(link, dict)]
    following = [link for link in links if text(link.get("relation")) == "next"]
    return bool(following), next((text(link.get("url")) for link in following), "")

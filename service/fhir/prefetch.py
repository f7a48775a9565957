"""What a prefetch key holds, as the specification means it: data, no data, unavailable, or not provided.

CDS Hooks "Prefetch Template": null means the client asked and there is nothing; an absent key means the
client did not ask; an OperationOutcome means it asked and failed, and must never be taken for "no data".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from msgspec import Raw

from service.fhir.as_r4 import singled
from service.fhir.bundles import Contents, Entry, asked_for, contents, decoded, is_subset, medications_of, unversioned
from service.fhir.concepts import status_codes
from service.fhir.members import list_of
from service.fhir.resources import Resource, as_resource, one
from service.fhir.versions import DRUG_TYPES, TAKEN_TYPES
from service.jsonio import decode, is_null


class State(StrEnum):
    """What is known of a prefetch key."""

    GIVEN = "given"
    SHORT = "short"
    DAMAGED = "damaged"
    REFUSED = "refused"
    PARTIAL = "partial"
    CUT = "cut"
    UNAVAILABLE = "unavailable"
    OTHER = "other"
    UNREADABLE = "unreadable"
    ABSENT = "absent"


WORSE = (State.GIVEN, State.SHORT, State.DAMAGED, State.REFUSED, State.PARTIAL)
"""What an answer of several pages may be, the worst last."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The resources of one prefetch key and how far they can be relied on to be all there are.

    ``next`` is the link to the page after these; ``begun`` says that there is one before them. ``reason`` says why
    fetching failed where it was tried (``service.fhir.fetch_errors``). ``matches`` of the resources count among the
    ``announced`` ones, ``lost`` entries could not be read. ``patients`` are the ids for which the list was asked for,
    empty when it does not say. ``medications`` are those among the resources by each name
    that a reference may use.
    """

    state: State
    resources: tuple[Resource, ...] = ()
    next: str = ""
    begun: bool = False
    reason: str = ""
    matches: int = 0
    announced: int = 0
    lost: int = 0
    patients: frozenset[str] = frozenset()
    medications: Mapping[str, Resource] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """True when the client answered, be it with "no data"."""
        return self.state in WORSE or self.state is State.CUT

    @property
    def missing(self) -> bool:
        """True when nothing came under the key that can be read and is this patient's, and no error in its place."""
        return self.state in (State.ABSENT, State.UNREADABLE, State.OTHER)


ABSENT = Answer(State.ABSENT)

MOST_ENTRIES = 1000
"""Entries of one key that are read. Reading costs up to a millisecond each; what is left out is said on a card."""


_TYPES = {
    "patient": frozenset({"Patient"}),
    "medications": DRUG_TYPES,
    "statements": DRUG_TYPES,
    "conditions": frozenset({"Condition"}),
    "observations": frozenset({"Observation"}),
    "allergies": frozenset({"AllergyIntolerance"}),
}
"""What a single resource under a key must be. Anything else leaves the key unsatisfied (L-33)."""


EMPTY_BUT_PERHAPS = frozenset({"notasked", "withheld", "unavailable", "notstarted", "closed"})
"""Codes of FHIR's list-empty-reason by which a list is empty although there may be something."""
NOW = frozenset({"active", "on-hold", "intended", "recorded", "in-progress"})
"""Statuses of what is taken now, of which a list of drugs has at least one asked for."""


class Source(Protocol):
    """Where missing data comes from: the client's FHIR server."""

    def complete(self, wanted: Mapping[str, Answer]) -> Mapping[str, Answer]:
        """The answers for these keys: all of what was absent, and what follows a first page."""

    def medications(self, targets: Sequence[str]) -> tuple[Mapping[str, Resource], Sequence[str]]:
        """Medications by the reference that names them, and why others could not be had."""


class Prefetch:
    """The prefetch of one request, decoded key by key and only when asked for.

    With a source, what is missing is fetched, and only when ``complete`` or ``resolve`` says that it is needed.
    ``beside`` are Medications that stand elsewhere in the message, by each name that a reference may use.
    ``no_token`` says that a FHIR server was named without the authorization to read it.
    """

    def __init__(
        self,
        raw: Mapping[str, Raw] | None,
        source: Source | None = None,
        beside: dict[str, Resource] | None = None,
        *,
        patient_id: str = "",
        no_token: bool = False,
    ) -> None:
        self._raw = raw or {}
        self._source = source
        self._beside = beside or {}
        self._patient_id = patient_id
        self.no_token = no_token
        self._answers: dict[str, Answer] = {}
        self._medications: Mapping[str, Resource] | None = None
        self._completed: set[str] = set()
        self._resolved: dict[str, Resource | None] = {}
        self._unresolved_for: list[str] = []

    def __getitem__(self, key: str) -> Answer:
        if key not in self._answers:
            self._answers[key] = _within(self._sent(key)) if key in self._raw else ABSENT
        return self._answers[key]

    def _sent(self, key: str) -> Answer:
        answer = answer_of(key, self._raw[key])
        own = not self._patient_id or not answer.patients or self._patient_id in answer.patients
        return answer if own else Answer(State.OTHER)

    def complete(self, *keys: str) -> None:
        """Fetches what was not provided under these keys, and the pages after a first one; each key once."""
        new = [key for key in keys if key not in self._completed]
        if self._source is None or not new:
            return
        self._completed.update(new)
        wanted = {key: self[key] for key in new if self[key].missing or self[key].next}
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

    def medications(self) -> Mapping[str, Resource]:
        """Medication resources of the whole message by each name that a reference may use."""
        if self._medications is None:
            keys = dict.fromkeys((*self._raw, *self._answers))
            found: dict[str, Resource] = {}
            for key in reversed(keys):  # what comes first counts
                found.update(self[key].medications)
            self._medications = {**found, **self._beside}
        return self._medications

    def medications_for(self, target: str) -> Mapping[str, Resource]:
        """The same with the one fetched for this very reference: elsewhere its id may mean another drug.

        Prefetch is not decoded for a reference to a Medication beside it.
        """
        if unversioned(target) in self._beside:
            return self._beside
        fetched = self._resolved.get(target)
        return self.medications() if fetched is None else {**self.medications(), unversioned(target): fetched}


def _within(answer: Answer) -> Answer:
    """The answer, cut to as many entries as are read. What comes after those is not fetched either."""
    if len(answer.resources) <= MOST_ENTRIES:
        return answer
    return replace(answer, state=State.CUT, resources=answer.resources[:MOST_ENTRIES], next="")


def answer_of(key: str, raw: Raw) -> Answer:
    """What the client sent under a key."""
    if is_null(raw):
        return Answer(State.GIVEN)
    resource = list_of(raw) or decoded(raw) or _unwrapped(raw)
    return Answer(State.UNREADABLE) if resource is None else beginning(answer_in(key, resource))


def _unwrapped(raw: Raw) -> Resource | None:
    """A list of resources, or {response, resource} as it was before 1.0, as a Bundle; None for anything else."""
    value = decode(raw)
    listed = value if isinstance(value, list) else [value]
    held = [item.get("resource", item) if isinstance(item, dict) else None for item in listed]
    return {"resourceType": "Bundle", "entry": held} if held and all(map(as_resource, held)) else None


def beginning(first: Answer) -> Answer:
    """The first page of a list; PARTIAL when it is not in fact the first."""
    return replace(first, state=State.PARTIAL) if first.begun and first.state in WORSE else first


def answer_in(key: str, resource: Resource) -> Answer:
    """The answer in a resource that came for a key."""
    kind, wanted = resource["resourceType"], _TYPES.get(key)
    if kind == "OperationOutcome":
        return Answer(State.UNAVAILABLE)
    if kind == "Bundle":
        entry = one(resource.get("entry"))
        held = as_resource(entry.get("resource")) if isinstance(entry, dict) else None
        if held is not None and held["resourceType"] == "List":
            return answer_in(key, held)
        return _of_bundle(contents(resource, wanted), _asked_for(key, resource))
    if kind == "List" and not resource.get("entry"):
        return _of_empty_list(resource)
    medications = medications_of((Entry(resource),))
    if wanted is not None and kind not in wanted:
        return Answer(State.UNREADABLE, medications=medications)
    state = State.SHORT if is_subset(resource) else State.GIVEN
    return Answer(state, (singled(resource),), matches=1, announced=1, medications=medications)


def _of_empty_list(listed: Resource) -> Answer:
    """What a List without entries says: that there is nothing, or why it does not say."""
    why = status_codes(listed.get("emptyReason"))
    if "nilknown" in why:
        return Answer(State.GIVEN)
    return Answer(State.UNAVAILABLE if why & EMPTY_BUT_PERHAPS else State.UNREADABLE)


def _asked_for(key: str, bundle: Resource) -> Answer:
    """What a list says that it was asked for: whose it is, and whether without what the patient takes now."""
    asked = asked_for(bundle)
    patients = asked.get("patient", frozenset()) | asked.get("subject", frozenset())
    ids = frozenset(unversioned(name).rpartition("/")[2] for name in patients)
    of_lists = _TYPES.get(key) == DRUG_TYPES and asked.get("", frozenset()).isdisjoint(TAKEN_TYPES)
    ended_only = of_lists and "status" in asked and asked["status"].isdisjoint(NOW)
    return Answer(State.SHORT if ended_only else State.GIVEN, patients=ids)


def _of_bundle(found: Contents, asked: Answer) -> Answer:
    state = asked.state
    if found.refused:
        state = State.REFUSED if found.matches else State.UNAVAILABLE
    elif found.unread:
        state = State.DAMAGED if found.matches else State.UNREADABLE
    elif found.more:
        state = State.PARTIAL
    elif found.subset or found.announced > found.matches:
        state = State.SHORT
    return Answer(
        state,
        tuple(singled(entry.resource) for entry in found.entries),
        next=found.next,
        begun=found.begun,
        matches=found.matches,
        announced=found.announced,
        lost=found.unread + found.refused,
        patients=asked.patients,
        medications=medications_of(found.entries),
    )

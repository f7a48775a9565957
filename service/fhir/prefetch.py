"""What a prefetch key holds, as the specification means it: data, no data, unavailable, or not provided.

CDS Hooks "Prefetch Template": null means the client asked and there is nothing; an absent key means the
client did not ask; an OperationOutcome means it asked and failed, and must never be taken for "no data".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Raw

from service.fhir.resources import Resource, as_resource, aslist, damaged, decode, entries, is_null, reference, text
from service.fhir.versions import ORDER_TYPES, STATEMENT_TYPES


class State(StrEnum):
    """How much a prefetch key tells."""

    GIVEN = "given"
    PARTIAL = "partial"
    DAMAGED = "damaged"
    UNAVAILABLE = "unavailable"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Answer:
    """The resources of one prefetch key and how far they can be relied on to be all there are."""

    state: State
    resources: tuple[Resource, ...] = ()

    @property
    def known(self) -> bool:
        """True when the client answered, be it with "no data"."""
        return self.state in (State.GIVEN, State.PARTIAL, State.DAMAGED)


ABSENT = Answer(State.ABSENT)


_TYPES = {
    "patient": frozenset({"Patient"}),
    "medications": ORDER_TYPES | STATEMENT_TYPES,
    "statements": ORDER_TYPES | STATEMENT_TYPES,
    "conditions": frozenset({"Condition"}),
    "observations": frozenset({"Observation"}),
    "allergies": frozenset({"AllergyIntolerance"}),
}
"""What a single resource under a key must be. Anything else leaves the key unsatisfied (L-33)."""


class Prefetch:
    """The prefetch of one request, decoded key by key and only when asked for."""

    def __init__(self, raw: Mapping[str, Raw] | None) -> None:
        self._raw = raw or {}
        self._answers: dict[str, Answer] = {}
        self._medications: dict[str, Resource] | None = None

    def __getitem__(self, key: str) -> Answer:
        if key not in self._answers:
            self._answers[key] = _answer(key, self._raw[key]) if key in self._raw else ABSENT
        return self._answers[key]

    def medications(self) -> dict[str, Resource]:
        """Medication resources of all keys by "Medication/id", for references that may lead anywhere."""
        if self._medications is None:
            found = (resource for key in self._raw for resource in self[key].resources)
            self._medications = {reference(r): r for r in found if r["resourceType"] == "Medication" and reference(r)}
        return self._medications


def _answer(key: str, raw: Raw) -> Answer:
    if is_null(raw):
        return Answer(State.GIVEN)
    resource = as_resource(decode(raw))
    if resource is None:
        return ABSENT
    if resource["resourceType"] == "OperationOutcome":
        return Answer(State.UNAVAILABLE)
    if resource["resourceType"] != "Bundle":
        asked_for = resource["resourceType"] in _TYPES.get(key, (resource["resourceType"],))
        return Answer(State.GIVEN, (resource,)) if asked_for else ABSENT
    found = tuple(entries(resource))
    kept = tuple(r for r in found if r["resourceType"] != "OperationOutcome")
    if len(kept) < len(found):
        return Answer(State.PARTIAL if kept else State.UNAVAILABLE, kept)
    if damaged(resource):
        return Answer(State.DAMAGED, kept)
    return Answer(State.PARTIAL if _has_next_page(resource) else State.GIVEN, kept)


def _has_next_page(bundle: Resource) -> bool:
    return any(isinstance(link, dict) and text(link.get("relation")) == "next" for link in aslist(bundle.get("link")))

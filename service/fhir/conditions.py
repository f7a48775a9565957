"""Conditions of the patient, told apart by their codes; only those that the guidance knows are read."""

from collections.abc import Iterable

from service.chart import Condition
from service.dates import Span, event
from service.fhir.recognise import codings_of
from service.fhir.resources import Resource, text
from service.terminology.recognise import Terminology

ACTIVE = frozenset({"active", "recurrence", "relapse"})
OVER = frozenset({"inactive", "remission", "resolved"})
NOT_TRUE = frozenset({"refuted", "entered-in-error"})


def conditions(resources: Iterable[Resource], terminology: Terminology) -> tuple[Condition, ...]:
    """Conditions that the terminology knows; refuted ones and errors count for nothing (terminology.md, 5)."""
    found = []
    for resource in resources:
        code = resource.get("code")
        if resource["resourceType"] != "Condition" or not isinstance(code, dict):
            continue
        coded = codings_of(code)
        sets = terminology.concepts(coded)
        if not sets or _status(resource.get("verificationStatus")) & NOT_TRUE:
            continue
        clinical = _status(resource.get("clinicalStatus"))
        label = text(code.get("text")) or next((c.display for c in coded if c.display), f"code {coded[0].code}")
        # A status that says neither, such as R5's "unknown", rules nothing out.
        active = bool(clinical & ACTIVE) or not (clinical & OVER or _ended(resource))
        onset, recorded = _onset(resource), _recorded(resource)
        found.append(Condition(sets, label, active, onset or recorded, onset is None and recorded is not None))
    return tuple(found)


def _ended(resource: Resource) -> bool:
    """True with an abatement[x] of any type; false is DSTU2's and STU3's "not over"."""
    return any(k.startswith("abatement") and v not in (None, False) for k, v in resource.items())


def _onset(resource: Resource) -> Span | None:
    """When the condition began, as far as the record says."""
    period = resource.get("onsetPeriod")
    given = (resource.get("onsetDateTime"), period.get("start") if isinstance(period, dict) else None)
    return next((found for value in given if (found := event(text(value))) is not None), None)


def _recorded(resource: Resource) -> Span | None:
    """When the condition was recorded (``recordedDate`` from R4, before that under other names)."""
    return event(text(resource.get("recordedDate") or resource.get("assertedDate") or resource.get("dateRecorded")))


def _status(value: object) -> frozenset[str]:
    """The codes of a status: a plain code up to STU3, a CodeableConcept from R4; without a code a text that is one."""
    if isinstance(value, str):
        return frozenset({value})
    if not isinstance(value, dict):
        return frozenset()
    codes = frozenset(coding.code.lower() for coding in codings_of(value))
    return codes or frozenset({text(value.get("text")).strip().lower()}) & (ACTIVE | OVER | NOT_TRUE)

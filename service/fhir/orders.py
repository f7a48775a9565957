"""An order or a statement about a drug, read into the chart's words (rules X1 to X3)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.medicationstatement import MedicationStatement

from service.clinical.chart import MedicationOrder, Role, Unread
from service.clinical.dosing import daily_dose
from service.clinical.terminology import Terminology
from service.fhir.dosages import as_day, codings, dosages, end_of_bounds
from service.fhir.identity import Identity
from service.fhir.resources import Resource, reference
from service.fhir.tolerant import read
from service.fhir.versions import ORDER_TYPES, order_as_r4, statement_as_r4

TAKEN = frozenset({"active", "on-hold"})
STATEMENT_TAKEN = frozenset({"active", "on-hold", "intended", "recorded"})
ENDED = frozenset({"stopped", "completed", "ended"})
IGNORED = frozenset({"cancelled", "entered-in-error", "draft", "unknown", "not-taken"})
STOPPING = frozenset({"stopped", "cancelled"})
NOT_A_PRESCRIPTION = frozenset({"proposal", "option"})

_REQUIRED_ORDER = {"status": "unknown", "intent": "order"}
_REQUIRED_STATEMENT = {"status": "unknown"}


def draft_order(
    resource: Resource, identity: Identity, terminology: Terminology, *, focus: bool, subjects: Sequence[str]
) -> tuple[MedicationOrder | None, list[Unread]]:
    """An order being written. ``subjects`` are the drugs whose dose matters.

    Entered-in-error counts for nothing, ever; doNotPerform, stopped and cancelled mark a stop (X3). An order
    on order-sign may have any status, so the status does not decide that it is a draft.
    """
    found = read(MedicationRequest, order_as_r4(resource), _REQUIRED_ORDER)
    if found is None:
        order = MedicationOrder(reference(resource), identity.label, identity.recognition, Role.DRAFT, focus=focus)
        return order, [Unread("order-unreadable", order)]
    request = found.value
    if request.status == "entered-in-error":
        return None, []
    order = MedicationOrder(
        reference=reference(resource),
        label=identity.label,
        drug=identity.recognition,
        role=Role.DRAFT,
        status=request.status or "",
        focus=focus,
        on_hold=request.status == "on-hold",
        stops=bool(request.doNotPerform) or request.status in STOPPING,
        continues_earlier=request.priorPrescription is not None,
        dosages=dosages(request.dosageInstruction, found.dropped, "dosageInstruction"),
        authored=as_day(request.authoredOn),
        reasons=terminology.concepts(c for reason in request.reasonCode or () for c in codings(reason)),
        reason_given=bool(request.reasonCode),
    )
    order = _with_dose(order, identity, subjects)
    return order, [Unread("element-unreadable", order, path) for path in found.dropped]


def listed_order(
    resource: Resource, identity: Identity, today: date, subjects: Sequence[str]
) -> tuple[MedicationOrder | None, list[Unread]]:
    """An order or statement of the patient's list: taken now, taken before, or None when it counts for nothing."""
    if resource["resourceType"] in ORDER_TYPES:
        return _listed_request(resource, identity, subjects)
    return _listed_statement(resource, identity, today, subjects)


def _listed_request(
    resource: Resource, identity: Identity, subjects: Sequence[str]
) -> tuple[MedicationOrder | None, list[Unread]]:
    found = read(MedicationRequest, order_as_r4(resource), _REQUIRED_ORDER)
    order = MedicationOrder(reference(resource), identity.label, identity.recognition, Role.CURRENT)
    if found is None:
        return None, [Unread("order-unreadable", order)]
    request = found.value
    if request.doNotPerform or request.intent in NOT_A_PRESCRIPTION:
        return None, []
    role, unread = _role(request.status or "", TAKEN, order)
    if role is None:
        return None, unread
    dispense = request.dispenseRequest
    valid_until = dispense.validityPeriod.end if dispense is not None and dispense.validityPeriod else None
    order = replace(
        order,
        role=role,
        status=request.status or "",
        on_hold=request.status == "on-hold",
        dosages=dosages(request.dosageInstruction, found.dropped, "dosageInstruction"),
        authored=as_day(request.authoredOn),
        last_taken=_latest(end_of_bounds(request.dosageInstruction), as_day(valid_until)),
    )
    return _with_dose(order, identity, subjects), unread


def _listed_statement(
    resource: Resource, identity: Identity, today: date, subjects: Sequence[str]
) -> tuple[MedicationOrder | None, list[Unread]]:
    found = read(MedicationStatement, statement_as_r4(resource), _REQUIRED_STATEMENT)
    order = MedicationOrder(reference(resource), identity.label, identity.recognition, Role.CURRENT)
    if found is None:
        return None, [Unread("order-unreadable", order)]
    statement = found.value
    role, unread = _role(statement.status or "", STATEMENT_TAKEN, order)
    if role is None:
        return None, unread
    period = statement.effectivePeriod
    ended = as_day(period.end) if period is not None else None
    if role is Role.CURRENT and statement.status == "recorded" and ended is not None and ended < today:
        role = Role.PAST
    started = period.start if period is not None else statement.effectiveDateTime
    order = replace(
        order,
        role=role,
        status=statement.status or "",
        on_hold=statement.status == "on-hold",
        dosages=dosages(statement.dosage, found.dropped, "dosage"),
        authored=as_day(started) or as_day(statement.dateAsserted),
        last_taken=ended,
    )
    return _with_dose(order, identity, subjects), unread


def _role(status: str, taken: frozenset[str], order: MedicationOrder) -> tuple[Role | None, list[Unread]]:
    """What a status says about the drug being taken (X1, X2); a status FHIR does not know is said so."""
    if status in taken:
        return Role.CURRENT, []
    if status in ENDED:
        return Role.PAST, []
    if status in IGNORED:
        return None, []
    return None, [Unread("status-unknown", order, "status")]


def _with_dose(order: MedicationOrder, identity: Identity, subjects: Sequence[str]) -> MedicationOrder:
    """The order with the dose of the first drug that matters; none where codes and words disagree (X7)."""
    drug = next((d for d in subjects if identity.recognition.names(d)), None)
    if drug is None or any(identity.recognition.disputes(d) for d in subjects):
        return order
    dose = daily_dose(order.dosages, identity.recognition, drug, identity.label, identity.strengths)
    return replace(order, dose=dose)


def _latest(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)

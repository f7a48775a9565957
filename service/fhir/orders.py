"""An order or a statement about a drug, read into the chart's words (rules X1 to X3)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from typing import Any

from fhir.resources.R4B.medicationrequest import MedicationRequest

from service.caching import cached
from service.dates import event
from service.dosing.amount import NotComputed, Product
from service.dosing.compute import daily_dose
from service.dosing.dosage import Dosage
from service.facts import MedicationOrder, Role, Unread
from service.fhir.as_r4 import based_on, ended_on, planned_end, read_order, read_statement
from service.fhir.concepts import Room
from service.fhir.dosages import ORDER_LIST, STATEMENT_LIST, as_day, brief, codings, instructions
from service.fhir.order_words import Ended, ending_of
from service.fhir.periods import dated_statement, given_until, supplied_until
from service.fhir.reasons import NOT_LISTED, Listed, Reasons, reasons_of
from service.fhir.recognise import Identity
from service.fhir.resources import Resource, reference
from service.fhir.tolerant import Read
from service.fhir.versions import ORDER_TYPES, TAKEN_TYPES, dosage_instructions
from service.terminology.endings import Ending
from service.terminology.recognise import Terminology

TAKEN = frozenset({"active", "on-hold"})
STATEMENT_TAKEN = frozenset({"active", "on-hold", "intended", "recorded"})
ENDED = frozenset({"stopped", "completed", "ended"})
IGNORED = frozenset({"cancelled", "entered-in-error", "draft", "not-taken"})
STOPPING = frozenset({"stopped", "cancelled", "ended"})
WHY_STOPPED = ("stopped-because-of-harm", "stopped-because-not-tolerated", "stopped-for-another-reason")
"""Sets whose words are looked for in the reason of an order that ends treatment."""
NOT_A_PRESCRIPTION = frozenset({"proposal", "option"})

MOST_INSTRUCTIONS = 50
"""Dosage instructions of one order that are read."""

MOST_INSTRUCTIONS_A_CALL = 500

VALUES = 50
"""JSON values of an order that cost as much to read as one plain instruction, which has about thirty."""

LONG = ("dispenseRequest", "priorPrescription")
WHY = ("reasonCode", "reasonCodeableConcept", "reason", "statusReason", "reasonEnded")
"""Members of an order that can be long, besides its instructions; reasons are counted by their letters."""


@dataclass(slots=True)
class DoseContext:
    """What a dose needs besides the order: the drugs whose dose matters, and the body weight in kg, if asked for.

    ``left`` is how many more dosage instructions are read for this call: each costs up to a millisecond. ``room`` is
    for the letters of reasons, ``listed`` the problems to which these may refer. ``grace`` is for how many days what
    was handed out or given counts as taken beyond its end; None for ever.
    """

    subjects: tuple[str, ...]
    weight: Callable[[], Fraction | None]
    room: Room = field(default_factory=Room)
    left: int = MOST_INSTRUCTIONS_A_CALL
    grace: int | None = None
    listed: Listed = NOT_LISTED

    def within(self, resource: Resource) -> tuple[Resource, int]:
        """The resource to read, and its number of dosage instructions if they exceed the limit; then none is read.

        One of many values counts as several, and so does what else of an order can be long.
        """
        count = sum(1 + values(dosage) // VALUES for dosage in dosage_instructions(resource))
        count += values([resource.get(name) for name in LONG]) // VALUES
        if count > MOST_INSTRUCTIONS or count > self.left:
            return _without(resource, ORDER_LIST, STATEMENT_LIST, *LONG), count
        self.left -= count
        return resource, 0


def values(value: Any) -> int:
    """How many values JSON holds, objects and lists included; what is beyond every limit is not counted further."""
    count, waiting = 0, [value]
    while waiting and count < VALUES * (MOST_INSTRUCTIONS + 1):
        here = waiting.pop()
        count += 1
        if isinstance(here, dict | list):
            waiting += here.values() if isinstance(here, dict) else here
    return count


def draft_order(
    resource: Resource, identity: Identity, terminology: Terminology, doses: DoseContext, *, focus: bool
) -> tuple[MedicationOrder | None, list[Unread]]:
    """An order being written.

    Entered-in-error counts for nothing, ever; doNotPerform, stopped and cancelled mark a stop (X3), as do words that
    say nothing else. An order on order-sign may have any status, so the status does not decide that it is a draft.
    """
    resource, uncounted = doses.within(resource)
    ended = ending_of(resource, identity.recognition.drugs, terminology, doses.room)
    why = reasons_of(resource, terminology, doses.room, doses.listed)
    read_as = _bare(resource) if why.held else _without(_bare(resource), *WHY)
    found = read_order(read_as)
    given = instructions(resource)
    if found is None or given is None:
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
        stops=_stops(request, ended),
        # As sent: a link to an earlier prescription that cannot be read still says that there was one.
        continues_earlier=bool(resource.get("priorPrescription")),
        based_on=based_on(resource),
        dosages=given.dosages,
        authored=as_day(request.authoredOn),
        reasons=_reasons(request, why, identity, terminology, ended),
        reason_given=bool(request.reasonCode) or not why.held,
        reason_unread=bool(why.unread) or why.more,
        stop_reason_given=request.statusReason is not None or not why.held,
        classes=terminology.classes(identity.recognition.drugs),
        noted=why.noted,
    )
    order = _with_dose(order, resource, identity, doses, uncounted)
    paths = sorted((*found.dropped, *given.dropped), key=_member, reverse=True)
    dropped = [Unread("element-unreadable", order, path) for path in paths]
    too_many = [Unread("order-read-in-part", order, "reasonCode")] if why.more else []
    if ended is not None and not (request.doNotPerform or request.status in STOPPING):
        too_many.append(ended.gap(order, given.dosages))
    if why.unread and not order.stops and not set(doses.subjects).isdisjoint(identity.recognition.drugs):
        too_many.append(Unread("reason-unread", order, "reasonCode", found=why.unread))
    return order, [*dropped, *too_many, *_cut(order, identity)]


def listed_order(
    resource: Resource, identity: Identity, terminology: Terminology, today: date, doses: DoseContext
) -> tuple[MedicationOrder | None, list[Unread]]:
    """An order or statement of the patient's list: taken now, taken before, or None when it counts for nothing.

    One that only its words call ended or on hold counts as taken, and is named.
    """
    resource, uncounted = doses.within(resource)
    ended = ending_of(resource, identity.recognition.drugs, terminology, doses.room)
    ordered = resource["resourceType"] in ORDER_TYPES
    classes = terminology.classes(identity.recognition.drugs)
    order = MedicationOrder(reference(resource), identity.label, identity.recognition, Role.CURRENT, classes=classes)
    found: Read[Any] | None = (
        read_order(_without(_bare(resource), *WHY)) if ordered else read_statement(_bare(resource))
    )
    given = instructions(resource)
    if found is None or given is None:
        return None, [Unread("order-unreadable", order)]
    sent, status = found.value, found.value.status or ""
    if ordered and (sent.doNotPerform or sent.intent in NOT_A_PRESCRIPTION):
        return None, []
    # X1, X2: what the status says about the drug being taken.
    role = Role.CURRENT if status in (TAKEN if ordered else STATEMENT_TAKEN) else Role.PAST if status in ENDED else None
    if role is None:
        return None, [] if status in IGNORED else [Unread("status-unknown", order, "status")]
    order = replace(order, role=role, status=status, dosages=given.dosages)
    if ordered:
        order = _dated_order(order, sent, resource, today)
    else:
        order = dated_statement(order, sent, today, doses.grace if resource["resourceType"] in TAKEN_TYPES else None)
    order = _with_dose(order, resource, identity, doses, uncounted)
    too_many = [Unread("too-many-dosages", order, "dosageInstruction", str(uncounted))] if uncounted else []
    if order.role is Role.CURRENT and resource.get("modifierExtension"):
        too_many.append(Unread("element-unreadable", order, "modifierExtension"))
    if order.role is Role.CURRENT and order.status != "on-hold" and ended is not None and ended.ends:
        too_many.append(ended.gap(order))
    return order, [*too_many, *_cut(order, identity)]


def _stops(request: MedicationRequest, ended: Ended | None = None) -> bool:
    by_words = ended is not None and ended.ending is Ending.STOP
    return by_words or bool(request.doNotPerform) or request.status in STOPPING


def _cut(order: MedicationOrder, identity: Identity) -> list[Unread]:
    """What of the drug's names and codes was longer than is read."""
    return [Unread("drug-read-in-part", order, what) for what in identity.cut]


def _dated_order(
    order: MedicationOrder, request: MedicationRequest, resource: Resource, today: date
) -> MedicationOrder:
    """An order of the list with what it follows and the days between which it is taken."""
    dispense, given = request.dispenseRequest, order.dosages
    ended = event(ended_on(resource)) if order.role is Role.PAST else None
    planned = event(planned_end(resource))
    planned_until = planned.latest if planned is not None else None
    valid_until = as_day(dispense.validityPeriod.end) if dispense is not None and dispense.validityPeriod else None
    authored = as_day(request.authoredOn)
    until = _latest(valid_until, planned_until, supplied_until(dispense, authored), given_until(given, authored))
    return replace(
        order,
        authored=authored,
        based_on=based_on(resource),
        continues_earlier=request.priorPrescription is not None,
        instance=request.intent == "instance-order",
        last_taken=ended.latest if ended is not None else _latest(*(d.end for d in given), valid_until, planned_until),
        period_ended=until if order.role is Role.CURRENT and until is not None and until < today else None,
    )


def read_dosages(resource: Resource) -> tuple[Dosage, ...]:
    """The dosage instructions of an order or a statement, whatever its status."""
    given = instructions(resource)
    element = ORDER_LIST if resource["resourceType"] in ORDER_TYPES else STATEMENT_LIST
    return given.dosages if given is not None else (Dosage(unreadable=(element,), element=element),)


def _bare(resource: Resource) -> Resource:
    """The resource without its dosage instructions, which are read by themselves."""
    return _without(resource, ORDER_LIST, STATEMENT_LIST)


def _without(resource: Resource, *names: str) -> Resource:
    return {name: value for name, value in resource.items() if name not in names}


def _member(path: str) -> str:
    """The member of the resource in which a path begins."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _with_dose(
    order: MedicationOrder, resource: Resource, identity: Identity, doses: DoseContext, uncounted: int
) -> MedicationOrder:
    """The order with the dose of the first drug that matters; none where codes and words disagree (X7)."""
    drug = next((d for d in doses.subjects if identity.recognition.names(d)), None)
    if drug is None or any(identity.recognition.disputes(d) for d in doses.subjects):
        return order
    if uncounted:
        return replace(order, dose=NotComputed("too-many-dosages", "dosageInstruction", str(uncounted)))
    weight = doses.weight() if any(_by_weight(dosage) for dosage in order.dosages) else None
    product = Product(drug, identity.recognition, identity.label, identity.strengths, weight)
    # What somebody weighs is nobody's to keep.
    dose = _known_dose if weight is None and brief(resource) else daily_dose
    return replace(order, dose=dose(order.dosages, product))


_known_dose = cached(daily_dose, lambda _, product: sum(len(claim.evidence) for claim in product.recognised.claims))


def _why(request: MedicationRequest) -> list[Any]:
    """The reasons of an order, and for one that ends treatment why it ends (R20)."""
    given = list(request.reasonCode or ())
    return [*given, request.statusReason] if request.statusReason is not None else given


def _reasons(
    request: MedicationRequest, reasons: Reasons, identity: Identity, terminology: Terminology, ended: Ended | None
) -> frozenset[str]:
    """The condition sets of an order's reasons, and for one that ends treatment of why it ends, from codes or words.

    Why treatment ends may name another drug, which takes its place: then its classes count, too.
    """
    why = _why(request)
    coded = terminology.concepts(coding for reason in why for coding in codings(reason))
    coded |= reasons.sets
    if request.statusReason is None and not _stops(request, ended):
        return coded.difference(WHY_STOPPED)
    words = [words for reason in why for words in (reason.text, *(coding.display for coding in codings(reason)))]
    named = frozenset[str]().union(*(terminology.drugs_in_text(text) for text in words if text))
    others = terminology.classes(named.difference(identity.recognition.drugs))
    ending = (*words, *reasons.notes, ended.words if ended is not None else "")
    return coded | others | terminology.concepts_in_words(filter(None, ending), WHY_STOPPED)


def _by_weight(dosage: Dosage) -> bool:
    units = (f"{quantity.unit}{quantity.code}" for quantity in (dosage.low, dosage.high) if quantity is not None)
    return any("/kg" in unit.lower() for unit in units)


def _latest(*days: date | None) -> date | None:
    return max((day for day in days if day is not None), default=None)

"""From a hook call to the chart that the rules look at. Every list is read once."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import chain

from service.chart import Chart
from service.errors import NotConformant
from service.facts import MedicationOrder, Patient, Unread, body_weight
from service.fhir.allergies import allergy_list
from service.fhir.as_r4 import status_of
from service.fhir.concepts import Room
from service.fhir.conditions import problem_list
from service.fhir.edit import ClientOrders
from service.fhir.findings import findings
from service.fhir.gaps import (
    ALLERGIES,
    CONDITIONS,
    LISTS,
    MEDICATIONS,
    NOT_WHOLE,
    OBSERVATIONS,
    PATIENT,
    STATEMENTS,
    TOO_MANY_KNOWN,
    among_measurements,
    drugs_not_told,
    failures,
    gap,
    incomplete,
    may_be_one_of,
    missing,
    not_understood,
    usable,
)
from service.fhir.observations import Observed, computed_rate, observed
from service.fhir.orders import IGNORED, TAKEN, DoseContext, draft_order, listed_order
from service.fhir.patients import about_patient, required_patient
from service.fhir.prefetch import Prefetch, State
from service.fhir.reasons import Listed
from service.fhir.recognise import DEPENDING, Identity
from service.fhir.resources import Resource
from service.fhir.session import (
    Draft,
    Orders,
    Session,
    concerns,
    drafts,
    identified_once,
    known,
    selected,
    unidentified,
)
from service.fhir.versions import DRUG_TYPES, version_of
from service.terminology.recognise import Terminology

MOST_DRAFTS = 100
"""Drafts for drugs of the guidance that one call may hold; they are compared with each other, each with each."""

MOST_KNOWN = 250
"""Entries of the medication lists that are read further, because the guidance knows their drug."""


@dataclass
class ChartReader:
    """Reads the chart of one call.

    ``subjects`` are the drugs that the guideline is about. ``numbers`` say for how many days a body weight counts
    (Q6) and how kidney function is computed from creatinine; without the latter it is not.
    """

    session: Session
    held: Orders
    prefetch: Prefetch
    terminology: Terminology
    subjects: tuple[str, ...]
    today: date
    numbers: Mapping[str, Fraction]
    jurisdiction: str = "eu"
    _lists: dict[str, tuple[list[Resource], list[Unread]]] = field(default_factory=dict, init=False)
    _room: Room = field(default_factory=Room, init=False)

    @cached_property
    def drafts(self) -> list[Draft]:
        """The medication orders of the session, each with its drug."""
        return drafts(self.session, self.held.entries, self.prefetch, self.terminology)

    @property
    def client_orders(self) -> ClientOrders:
        """The drafts as the client wrote them; one that could be read only in part cannot be given back whole.

        The FHIR version of the call is that of the first order that tells its own, else of the lists, else R4.
        """
        times = Counter(draft.reference for draft in self.drafts)
        own = {d.reference: d.resource for d in self.drafts if d.reference and d.whole and times[d.reference] == 1}
        lists = (self.prefetch[key].resources for key in LISTS)
        version = version_of(chain((draft.resource for draft in self.drafts), chain.from_iterable(lists)))
        return ClientOrders(own, self.session.patient_id, self.today, version)

    def read(self) -> Chart | None:
        """The chart; None when nothing of the call concerns the guidance.

        Raises MissingData when the patient is needed and not provided, NotConformant when none of the selections is
        among the drafts, or there are more drafts than can be checked against each other in time.
        """
        if not self.session.ordering:
            return self.whole() if self._worth_opening() else None
        chosen = self.session.selections is None or any(selected(self.session, entry) for entry in self.held.entries)
        if not (chosen or self.held.unread):
            raise NotConformant(
                "None of context.selections is among context.draftOrders. Send each selection as 'Type/id' of an"
                " order in the bundle.",
                "$.context.selections",
            )
        if self._concerned():
            return self.whole()
        gaps = [*self.held.unread, *self._unsettled()]
        return Chart(self.today, self.session.hook, Patient(), unread=tuple(gaps)) if gaps else None

    def whole(self) -> Chart:
        """Everything the rules may know about this call, whether it concerns the guidance or not."""
        ordered = [draft for draft in self.drafts if self._known(draft.identity)]
        if len(ordered) > MOST_DRAFTS:
            raise NotConformant(
                f"The context holds more than {MOST_DRAFTS} orders for drugs of this guidance, and none was checked."
                " Send them in several calls.",
                "$.context",
            )
        self.prefetch.complete(PATIENT, *LISTS)
        who = required_patient(self.prefetch, self.session.patient_id, self.today)
        found: list[MedicationOrder] = []
        unread: list[Unread] = list(self.held.unread)
        for draft in (draft for draft in ordered if draft.own):
            order, gaps = draft_order(draft.resource, draft.identity, self.terminology, self._doses, focus=draft.focus)
            found += [order] if order is not None else []
            unread += gaps if draft.focus else []
        unread += unidentified(self.drafts, self.subjects, taken=self._taken)
        in_list, gaps = self.listed
        problems = problem_list(self._own(CONDITIONS), self.terminology, self._room)
        allergies = allergy_list(chain(self._own(ALLERGIES), self._own(CONDITIONS)), self.terminology, self._room)
        unread += [*gaps, *missing(self.prefetch), *chain.from_iterable(self._usable(key)[1] for key in LISTS)]
        unread += not_understood(problems, allergies)
        unread += self._observed.unread
        named = frozenset[str]().union(*(condition.sets for condition in problems.known))
        unread += among_measurements(findings(self._about_patient, self.terminology, self._room, named))
        measured = self._observed.measurements
        computed, alone = computed_rate(measured, who, self.numbers)
        unread += [Unread("creatinine-alone")] if alone else []
        cut = {gap.element for gap in unread if gap.reason in NOT_WHOLE}
        vars(self).pop("_doses", None)  # it leads back here, and what goes round in a circle waits for the collector
        return Chart(
            today=self.today,
            hook=self.session.hook,
            patient=who,
            orders=(*found, *in_list),
            conditions=problems.known,
            allergies=allergies.known,
            measurements=(*measured, *([computed] if computed is not None else [])),
            jurisdiction=self.jurisdiction,
            patient_id=self.session.patient_id,
            conditions_known=self.prefetch[CONDITIONS].known,
            history_known=self.prefetch[MEDICATIONS].state is State.GIVEN and not cut & {MEDICATIONS, STATEMENTS},
            unread=tuple(dict.fromkeys(unread)),
            subjects=self.subjects,
            incomplete=incomplete(self.prefetch) | cut,
            ordering=self.session.ordering,
            refill=self.session.refill,
            ids=self.terminology.ids,
        )

    @cached_property
    def listed(self) -> tuple[list[MedicationOrder], list[Unread]]:
        """The patient's orders and statements about the drugs, and what of the lists could not be used.

        Lists that were not provided are fetched where the client's FHIR server may be read.
        """
        self.prefetch.complete(MEDICATIONS, STATEMENTS)
        listed = chain(self._own(MEDICATIONS), self._own(STATEMENTS))
        entries = [resource for resource in listed if resource["resourceType"] in DRUG_TYPES]
        pairs = identified_once(entries, self.prefetch, self.terminology)
        unsure = [identity for resource, identity in pairs if identity.problem and status_of(resource) not in IGNORED]
        unread = list(drugs_not_told(unsure))
        concerned = [(resource, identity) for resource, identity in pairs if self._known(identity)]
        if len(concerned) > MOST_KNOWN:
            # What is taken now matters most.
            concerned.sort(key=lambda pair: status_of(pair[0]) not in TAKEN)
            unread.append(Unread(TOO_MANY_KNOWN, element=MEDICATIONS, found=str(len(concerned) - MOST_KNOWN)))
        found: list[MedicationOrder] = []
        for resource, identity in concerned[:MOST_KNOWN]:
            order, gaps = listed_order(resource, identity, self.terminology, self.today, self._doses)
            found += [order] if order is not None else []
            unread += gaps
        return found, unread

    @cached_property
    def _doses(self) -> DoseContext:
        """What doses need of this call. The weight is looked for only when a dose is ordered by weight (Q6)."""
        listed, grace = Listed(lambda: self._own(CONDITIONS)), self.numbers.get("supply_grace")
        days = int(grace) if grace is not None else None
        return DoseContext(self.subjects, self._weight, self._room, listed=listed, grace=days)

    @cached_property
    def _about_patient(self) -> list[Resource]:
        """The observations that are about the patient and nobody else."""
        return [res for res in self._own(OBSERVATIONS) if about_patient(res, self.session.patient_id)]

    @cached_property
    def _observed(self) -> Observed:
        return observed(self._about_patient, self.terminology, self._room, self.today)

    def _weight(self) -> Fraction | None:
        return body_weight(self._observed.measurements, self.today, int(self.numbers["weight_age"]))

    def _own(self, key: str) -> list[Resource]:
        """The resources of a list that count."""
        return self._usable(key)[0]

    def _usable(self, key: str) -> tuple[list[Resource], list[Unread]]:
        if key not in self._lists:
            self.prefetch.complete(key)
            self._lists[key] = usable(self.session, key, self.prefetch[key].resources)
        return self._lists[key]

    def _known(self, identity: Identity) -> bool:
        return known(identity.recognition, self.subjects, self.terminology)

    def _concerned(self) -> bool:
        """True when an order in question is for one of the drugs, or for one that matters beside them.

        A drug of an interaction class concerns the guidance only when one of the drugs is drafted or on the list,
        so the lists are read for it and for nothing else.
        """
        focus = [draft.identity for draft in self.drafts if draft.focus and draft.own]
        if any(concerns(identity.recognition, self.subjects) for identity in focus):
            return True
        if not any(self._known(identity) or identity.problem in DEPENDING for identity in focus):
            return False
        drafted = any(concerns(d.identity.recognition, self.subjects) for d in self.drafts if d.own)
        return drafted or self._taken

    @property
    def _taken(self) -> bool:
        """True when one of the drugs is on the list."""
        return any(concerns(order.drug, self.subjects) for order in self.listed[0])

    @property
    def _perhaps_taken(self) -> list[Unread]:
        """What of the list could not be read and may be one of the drugs."""
        return [gap for gap in self.listed[1] if may_be_one_of(self.subjects, gap)]

    @property
    def _no_list(self) -> bool:
        """True when nothing was sent of what the patient takes."""
        return not (self.prefetch[MEDICATIONS].known or self.prefetch[STATEMENTS].known)

    def _worth_opening(self) -> bool:
        """True when a chart that is only opened has one of the drugs on the list, or its list is not known whole."""
        if self._taken or self.prefetch.failure(MEDICATIONS):
            return True
        not_whole = not incomplete(self.prefetch).isdisjoint((MEDICATIONS, STATEMENTS))
        return bool(self._no_list or not_whole or self._perhaps_taken)

    def _unsettled(self) -> list[Unread]:
        """Why it is not certain that no order concerns the guidance: an unrecognised drug, an incomplete list.

        A list is looked at only for a draft that matters beside the drugs. One of statements is not missed beside the
        other.
        """
        looked_at = "listed" in self.__dict__
        perhaps = self._perhaps_taken if looked_at else []
        gaps = [*unidentified(self.drafts, self.subjects, taken=bool(perhaps)), *perhaps]
        short = incomplete(self.prefetch) if looked_at else frozenset()  # decodes the lists, so not for any order
        for key in (MEDICATIONS, STATEMENTS):
            lacking = key in short or (looked_at and key == MEDICATIONS and self._no_list)
            if self.prefetch.failure(key) or lacking:
                gaps.append(gap(key, self.prefetch[key]))
        return gaps + failures(self.prefetch) if gaps else []

"""One function, request in, answer out, that calls the rooms in order.

The web, ``tolami replay``, the benchmarks and the tests all enter here. Nothing here reads a clock, makes a
random number or opens a connection; those are handed in, so that an answer can be compared byte for byte.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING

from service.cdshooks.dialects import in_dialect
from service.cdshooks.messages import (
    Card,
    Context,
    HookRequest,
    MedicationPrescribeContext,
    MedicationRefillContext,
    OrderSelectContext,
    OrderSignContext,
    Response,
)
from service.cdshooks.reading import read_context, read_request
from service.chart import Chart
from service.engine.editions import Editions
from service.engine.evaluate import evaluate
from service.engine.finding import Finding, Indicator
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.plan import FOLD, capped
from service.engine.quiet import Once, contents, kept_quiet
from service.engine.rendering import Renderer
from service.engine.unchecked import rule_failed, service_failed
from service.errors import NotConformant, ServiceError, place_of
from service.fhir.chart_reader import ChartReader
from service.fhir.edit import ClientOrders
from service.fhir.fetch_errors import lacks_authorization
from service.fhir.patients import patient_id
from service.fhir.prefetch import Prefetch, Source
from service.fhir.session import Session, orders, selection
from service.trust.clients import ANYBODY, Client

if TYPE_CHECKING:
    from service.fhir.access import FhirAccess


@dataclass(frozen=True)
class Decision:
    """What ``decide`` needs besides the request: the guideline, its renderer, the day and an id generator.

    ``fhir`` reads what the client did not send from its FHIR server; without it nothing is fetched. ``seen`` is
    called with the chart that the rules look at, ``failed`` with an error and the card whose rule or words it broke, or
    the card that says that the whole call failed. ``editions`` make the guideline of a client whose hospital has a
    policy; without them all get the same.
    """

    guideline: Guideline
    renderer: Renderer
    today: Callable[[], date]
    new_uuid: Callable[[], str]
    jurisdiction: str = "eu"
    fhir: "FhirAccess | None" = None
    seen: Callable[[Chart], None] | None = None
    editions: Editions | None = None
    failed: Callable[[str, Exception], None] | None = None
    _known: "dict[tuple[str, str], tuple[date, Decision]]" = field(default_factory=dict, init=False, compare=False)

    def for_client(self, client: Client) -> "Decision":
        """The decision under the policy of the client's hospital, for the jurisdiction that the client names.

        Made once for each client of the trust file and day.
        """
        today, who = self.today(), (client.name, client.jurisdiction or self.jurisdiction)
        made_on, using = self._known.get(who, (None, self))
        if made_on != today:
            guideline, renderer = (
                self.editions.of(client.name, today) if self.editions is not None else (self.guideline, self.renderer)
            )
            using = replace(self, guideline=guideline, renderer=renderer, jurisdiction=who[1])
            self._known[who] = (today, using)
        return using

    @cached_property
    def numbers(self) -> dict[str, Fraction]:
        """The numbers by which the chart is read: those of the not-checked card."""
        thresholds = self.library.cards["not-checked"].thresholds
        return {name: number.value for name, number in thresholds.items()}

    @property
    def library(self) -> Library:
        """The words, numbers and codes of the guideline."""
        return self.guideline.library

    @property
    def subjects(self) -> tuple[str, ...]:
        """The drugs that the guideline is about."""
        return self.library.plan.subjects


def decide(body: bytes, hook: str, using: Decision, client: Client = ANYBODY, once: Once | None = None) -> Response:
    """The cards for a call of a hook by a client, in the dialect that it speaks.

    With ``once``, cards that the same clinician has answered stay quiet; it records which.

    Raises a ServiceError when there is nothing to answer with: the request is not JSON or not conformant, or
    the patient is missing for an order that concerns the guidance.
    """
    request = read_request(body)
    context = read_context(request, hook)
    session = session_of(request, context)
    try:
        using = using.for_client(client)
        source = using.fhir.opened(request, session.patient_id, client) if using.fhir is not None else None
        reader = _reader(request, session, source, using, no_token=lacks_authorization(request, client))
        chart = reader.read()
        if chart is None:
            return Response(cards=[])
        if using.seen is not None:
            using.seen(chart)
        answer = _answer(chart, reader.client_orders, using, context.userId, once)
        return in_dialect(answer, client.dialect, using.renderer.by_hand)
    except ServiceError:
        raise
    except Exception as error:
        # Clients show an error as "all clear". A card that says the opposite is the only honest answer.
        _failed(using, "service-failed", error, "service failed")
        failed = using.renderer.card(service_failed(), ClientOrders({}), using.new_uuid)
        return in_dialect(Response(cards=[failed]), client.dialect, using.renderer.by_hand)


def _log(event: str, error: Exception, **facts: str) -> None:
    """A line about a failure, with its type only: a message may repeat what the request held."""
    import structlog  # a tenth of what a command takes that has nothing to log

    structlog.get_logger().error(event, error=type(error).__name__, place=place_of(error), **facts)


def session_of(request: HookRequest, context: Context) -> Session:
    """The context of any hook in one form.

    Raises NotConformant when ``patientId`` is no id, in whatever form a reference to the patient may have.
    """
    identity = patient_id(context.patientId)
    if identity is None:
        raise NotConformant(
            "context.patientId is not the id of a patient. Send the id alone or as 'Patient/id'.", "$.context.patientId"
        )
    match context:
        case OrderSelectContext():
            raw, selections = context.draftOrders.entry, frozenset(map(selection, context.selections))
            return Session(request.hook, identity, tuple(raw or ()), selections)
        case OrderSignContext():
            return Session(request.hook, identity, tuple(context.draftOrders.entry or ()))
        case MedicationPrescribeContext():
            return Session(request.hook, identity, tuple(context.entries))
        case MedicationRefillContext():
            return Session(request.hook, identity, tuple(context.medications.entry or ()), refill=True)
        case _:
            return Session(request.hook, identity, ordering=False)


def _reader(
    request: HookRequest, session: Session, source: Source | None, using: Decision, *, no_token: bool
) -> ChartReader:
    held = orders(session)
    return ChartReader(
        session,
        held,
        Prefetch(request.prefetch, source, held.medications, patient_id=session.patient_id, no_token=no_token),
        using.library.terminology,
        using.subjects,
        using.today(),
        using.numbers,
        using.jurisdiction,
    )


def _answer(chart: Chart, orders: ClientOrders, using: Decision, user: str | None, once: Once | None) -> Response:
    library = using.library
    findings = evaluate(chart, using.guideline, partial(_failed, using))
    if once is None or not user:
        return Response([card for finding in capped(findings, library.plan) for card in _cards(finding, orders, using)])
    texts = contents(findings, library.bands)
    known = once.look_up(user, orders.patient_id, texts) if texts else {}
    findings, quiet = kept_quiet(findings, texts, {card for card, (_, answered) in known.items() if answered})
    cards = []
    for finding in capped(findings, library.plan):
        shown = _cards(finding, orders, using)
        if finding.indicator is not Indicator.CRITICAL and len(shown) == 1:
            once.digests[shown[0].uuid] = tuple(known[one.card][0] for one in finding.all if one.card in known)
        cards += shown
    once.quiet = tuple((finding.card, finding.indicator.word) for finding in quiet)
    return using.renderer.naming_quiet(cards, quiet)


def _cards(finding: Finding, orders: ClientOrders, using: Decision) -> list[Card]:
    """The card of a finding; when it cannot be rendered, those of its parts, and one that says so."""
    try:
        return [using.renderer.card(finding, orders, using.new_uuid)]
    except Exception as error:
        if len(finding.all) > 1:  # whichever of them failed, the others keep what they say
            apart = [replace(one, merged=(), folded=()) for one in finding.all if one.card != FOLD]
            return [card for one in apart for card in _cards(one, orders, using)]
        _failed(using, finding.card, error)
        return [using.renderer.card(rule_failed(finding.card), ClientOrders({}), using.new_uuid)]


def _failed(using: Decision, card: str, error: Exception, event: str = "rule failed") -> None:
    if using.failed is not None:
        using.failed(card, error)
    else:
        _log(event, error, card=card, guidance=using.library.version)

"""CDS Hooks messages as typed structs: what a request must hold and what an answer looks like.

Specification: CDS Hooks 2.0.1, "Calling a CDS Service" and "CDS Service Response"; hook contexts from the
HL7 hook library. FHIR inside a request stays raw until somebody needs it. Members that the specification
does not name are tolerated everywhere. What a message is stands in its published schema, too; ``__doc__`` is therefore
assigned, for a docstring would be lost where they are left out (PYTHONOPTIMIZE=2).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from service.jsonio import encode

Indicator = Literal["info", "warning", "critical"]

NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]
Uuid = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Url = Annotated[str, msgspec.Meta(pattern=r"^https?://\S+$", description="Absolute URL.")]
Summary = Annotated[
    str, msgspec.Meta(min_length=1, max_length=139, description="One sentence of plain text, under 140 characters.")
]
Markdown = Annotated[str, msgspec.Meta(min_length=1, description="GitHub Flavored Markdown.")]
Listed = msgspec.Meta(min_length=1)
"""A member that is left out rather than empty."""

EXTENSION = "io.github.tolami"
"""The key of our own members in a card's ``extension``."""


class OrderBundle(msgspec.Struct):
    __doc__ = (
        "A bundle of orders, each raw. ``type`` and ``fullUrl`` are not asked for: the reference client omits them."
    )

    entry: list[Raw] | None = None
    resourceType: str | None = None

    def __post_init__(self) -> None:
        """Refuses a single order in the bundle's place, which would otherwise be passed over in silence."""
        if self.resourceType not in (None, "Bundle"):
            raise ValueError("Expected a Bundle of orders")


class PatientViewContext(msgspec.Struct):
    __doc__ = "Context of patient-view."

    userId: str
    patientId: NonEmpty
    encounterId: str | None = None


class OrderSelectContext(msgspec.Struct):
    __doc__ = "Context of order-select: guidance is about the selected orders, the others are context."

    userId: str
    patientId: NonEmpty
    selections: list[str]
    draftOrders: OrderBundle
    encounterId: str | None = None


class OrderSignContext(msgspec.Struct):
    __doc__ = "Context of order-sign."

    userId: str
    patientId: NonEmpty
    draftOrders: OrderBundle
    encounterId: str | None = None


class MedicationPrescribeContext(msgspec.Struct):
    __doc__ = """Context of medication-prescribe (deprecated): DSTU2 MedicationOrder or STU3 and R4 MedicationRequest.

    Drafts of the specification before March 2018 had an array of resources where later ones have a Bundle.
    """

    userId: str
    patientId: NonEmpty
    medications: OrderBundle | list[Raw]
    encounterId: str | None = None

    @property
    def entries(self) -> list[Raw]:
        """The drafts as entries of a Bundle. What stands in the array must be an order, so it is taken for one."""
        if isinstance(self.medications, OrderBundle):
            return self.medications.entry or []
        return [Raw(b'{"resource":' + bytes(resource) + b"}") for resource in self.medications]


class MedicationRefillContext(msgspec.Struct):
    __doc__ = "Context of medication-refill; the user is optional because a refill may have no requester."

    patientId: NonEmpty
    medications: OrderBundle
    userId: str | None = None
    encounterId: str | None = None


Context = (
    PatientViewContext | OrderSelectContext | OrderSignContext | MedicationPrescribeContext | MedicationRefillContext
)

CONTEXTS: dict[str, type[Context]] = {
    "patient-view": PatientViewContext,
    "order-select": OrderSelectContext,
    "order-sign": OrderSignContext,
    "medication-prescribe": MedicationPrescribeContext,
    "medication-refill": MedicationRefillContext,
}


BearerToken = Annotated[str, msgspec.Meta(min_length=1, pattern=r"^[!-~]+$")]
"""Visible ASCII: anything else could not be sent in a header."""


class FhirAuthorization(msgspec.Struct):
    __doc__ = """What the client gives for reading its FHIR server (CDS Hooks "Passing the Access Token").

    Only the token is asked for; what is not used may have any type. ``patient`` is the only patient that the token
    is for, if there is one. The token is never shown, not even when a request is printed.
    """

    access_token: BearerToken
    token_type: Any = None
    expires_in: Any = None
    scope: Any = None
    subject: Any = None
    patient: Any = None

    def __repr__(self) -> str:
        return "FhirAuthorization(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for what prints with ``rich``."""
        return []


class HookRequest(msgspec.Struct):
    __doc__ = "The envelope of every call. ``context`` and each prefetch value stay raw."

    hook: str
    hookInstance: str
    context: Raw
    prefetch: dict[str, Raw] | None = None
    fhirServer: str | None = None
    fhirAuthorization: FhirAuthorization | None = None
    user: Any = None
    """Where drafts of the specification before version 1.0 had what is ``context.userId`` now."""


class Coding(msgspec.Struct):
    __doc__ = "A code that a service gives; ``display`` is required for override reasons (cds-resp-4) and always sent."

    code: NonEmpty
    system: NonEmpty
    display: NonEmpty


class Source(msgspec.Struct, omit_defaults=True):
    __doc__ = "Where the guidance of a card comes from."

    label: NonEmpty
    url: Url | UnsetType = UNSET
    topic: Coding | UnsetType = UNSET


class Link(msgspec.Struct):
    __doc__ = "A link a clinician may open."

    label: NonEmpty
    url: Url
    type: Literal["absolute", "smart"] = "absolute"


class Action(msgspec.Struct, omit_defaults=True):
    __doc__ = """One change a suggestion makes. ``resource`` is the whole resource, not only the changed fields.

    A delete names its order in ``resourceId``; for clients of CDS Hooks 1.0 in ``resource``, as a string.
    """

    type: Literal["create", "update", "delete"]
    description: NonEmpty
    resource: dict[str, Any] | str | UnsetType = UNSET
    resourceId: str | UnsetType = UNSET


class Suggestion(msgspec.Struct):
    __doc__ = "A suggestion, accepted with one press; its actions go together."

    label: NonEmpty
    uuid: Uuid
    actions: Annotated[list[Action], Listed]


class Card(msgspec.Struct, omit_defaults=True):
    __doc__ = 'One card. Empty lists and missing values are left out of the JSON (IG "Null and empty JSON elements").'

    uuid: Uuid
    summary: Summary
    indicator: Indicator
    source: Source
    detail: Markdown
    links: Annotated[list[Link], Listed]
    extension: Annotated[dict[str, Any], Listed]
    suggestions: Annotated[list[Suggestion], Listed] | UnsetType = UNSET
    selectionBehavior: Literal["at-most-one", "any"] | UnsetType = UNSET
    overrideReasons: Annotated[list[Coding], Listed] | UnsetType = UNSET


class Response(msgspec.Struct, omit_defaults=True):
    __doc__ = "The answer to a hook call; ``cards`` may be empty. ``extension`` names cards that were kept quiet."

    cards: list[Card]
    extension: Annotated[dict[str, Any], Listed] | UnsetType = UNSET


def own_members(card: Mapping[str, Any]) -> dict[str, Any]:
    """What this service says of a card in its extension; empty for a card of any other."""
    extension = card.get("extension")
    own = extension.get(EXTENSION) if isinstance(extension, dict) else None
    return own if isinstance(own, dict) else {}


class Issue(msgspec.Struct, omit_defaults=True):
    __doc__ = "What went wrong and what to do about it. ``expression`` is the path of the member it is about."

    severity: Literal["error"]
    code: NonEmpty
    diagnostics: NonEmpty
    expression: Annotated[list[NonEmpty], Listed] | UnsetType = UNSET


class OperationOutcome(msgspec.Struct):
    __doc__ = "The FHIR resource that an error is answered with. It repeats no value of the request."

    resourceType: Literal["OperationOutcome"]
    issue: Annotated[list[Issue], Listed]


def operation_outcome(code: str, message: str, expression: str = "") -> bytes:
    """The outcome of one error as JSON (CDS Hooks 3.0, "Returning OperationOutcome").

    ``code`` is a FHIR issue type, ``expression`` a path such as ``$.context``.
    """
    path = [expression.removeprefix("$.") or "$"] if expression else UNSET
    return encode(OperationOutcome("OperationOutcome", [Issue("error", code, message, path)]))

"""The body of every error: an OperationOutcome of one issue (CDS Hooks 3.0, "Returning OperationOutcome")."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from service.cdshooks.messages import Listed, NonEmpty
from service.jsonio import encode


class Issue(msgspec.Struct, omit_defaults=True):
    """What went wrong and what to do about it. ``expression`` is the path of the member it is about."""

    severity: Literal["error"]
    code: NonEmpty
    diagnostics: NonEmpty
    expression: Annotated[list[NonEmpty], Listed] | UnsetType = UNSET


class OperationOutcome(msgspec.Struct):
    """The FHIR resource that an error is answered with. It repeats no value of the request."""

    resourceType: Literal["OperationOutcome"]
    issue: Annotated[list[Issue], Listed]


def operation_outcome(code: str, message: str, expression: str = "") -> bytes:
    """The outcome of one error as JSON. ``code`` is a FHIR issue type, ``expression`` a path such as ``$.context``."""
    path = [expression.removeprefix("$.") or "$"] if expression else UNSET
    return encode(OperationOutcome("OperationOutcome", [Issue("error", code, message, path)]))

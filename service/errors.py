"""Everything that can go wrong with a call, as one tree. Each error says what to do about it.

    ServiceError
    ├── NotParsable          400  the body is not JSON
    ├── NotConformant        422  valid JSON that is not a CDS Hooks request for this service
    └── MissingData          412  data without which nothing can be said was not given

What HTTP itself refuses (404, 405, 413, 415) is werkzeug's own and is answered in ``service.web.errors``.

A message names members and prefetch keys, never their values: no patient data in an error.
"""

from typing import ClassVar


class ServiceError(Exception):
    """A call that cannot be answered with cards. ``code`` is an OperationOutcome issue type (FHIR R4)."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"

    def __init__(self, message: str, expression: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression


class NotParsable(ServiceError):
    """The body is not JSON (conformance L-01)."""

    status = 400
    code = "structure"


class NotConformant(ServiceError):
    """The body is JSON, but a required member is missing, of the wrong type, or of another hook (L-02, L-03)."""

    status = 422
    code = "invalid"


class MissingData(ServiceError):
    """Required data was neither in prefetch nor obtainable (C-052, C-053)."""

    status = 412
    code = "incomplete"

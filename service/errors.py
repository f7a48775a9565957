"""Everything that can go wrong with a call, as one tree. Each error says what to do about it.

    ServiceError
    ├── NotParsable          400  the body is not JSON
    ├── NotTrusted           401  the call does not prove that a listed client sends it
    ├── NotConformant        422  valid JSON that is not a CDS Hooks request for this service
    ├── MissingData          412  data without which nothing can be said was not given
    └── NotKept              503  feedback could not be written

What HTTP itself refuses (404, 405, 413, 415) is werkzeug's own and is answered in ``service.web.errors``.

A message names members and prefetch keys, never their values: no patient data in an error. Of an error that nobody
foresaw the log has its type and its place.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar


class ServiceError(Exception):
    """A call that cannot be answered with cards.

    ``code`` is an OperationOutcome issue type (FHIR R4), ``meaning`` what the API's description says of the status.
    """

    status: ClassVar[int] = 500
    meaning: ClassVar[str]
    code: ClassVar[str] = "exception"
    headers: ClassVar[Mapping[str, str]] = {}
    """What the HTTP answer has to carry besides the body."""

    def __init__(self, message: str, expression: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.expression = expression


class NotParsable(ServiceError):
    """Conformance L-01."""

    status = 400
    meaning = "The body is not JSON."
    code = "structure"


class NotTrusted(ServiceError):
    """One message for every reason, which is for the log only (L-20)."""

    status = 401
    meaning = "The token is missing or not accepted. Every such answer is the same: the reason is for the log only."
    code = "login"
    headers: ClassVar[Mapping[str, str]] = {"WWW-Authenticate": "Bearer"}

    def __init__(self) -> None:
        super().__init__(
            "The call was not accepted. Send a fresh token: Authorization: Bearer, with a JWT as CDS Hooks describes"
            " it. The log of this service has the reason."
        )


class NotConformant(ServiceError):
    """Conformance L-02, L-03."""

    status = 422
    meaning = "The body is JSON, but a required member is missing, of the wrong type, or of another hook."
    code = "invalid"


class MissingData(ServiceError):
    """Conformance C-052, C-053."""

    status = 412
    meaning = "Required data was neither in prefetch nor obtainable."
    code = "incomplete"


class NotKept(ServiceError):
    """Raised before anything is acknowledged."""

    status = 503
    meaning = "What was sent could not be written to the database, so it is not acknowledged."
    code = "transient"
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "30"}


def place_of(error: BaseException) -> str:
    """File and line where an error arose: enough to find it, nothing of what the request held."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace is not None else ""

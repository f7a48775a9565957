"""Why something could not be had from a client's FHIR server, as codes, and what an integrator does about it.

The codes are keys of the card ``not-checked``, which has the words for people who prescribe.
"""

from enum import StrEnum

from service.cdshooks.messages import HookRequest
from service.trust.clients import Client


class Failure(StrEnum):
    """Why a fetch gave nothing, or not all of it."""

    NOT_ALLOWED = "fhir-not-allowed"
    ODD_ID = "fhir-odd-id"
    OTHER_PATIENT = "fhir-other-patient"
    TOKEN_REFUSED = "fhir-401"  # noqa: S105  (a reason, no secret)
    FORBIDDEN = "fhir-403"
    NOT_FOUND = "fhir-404"
    REFUSED = "fhir-4xx"
    BROKEN = "fhir-5xx"
    REDIRECT = "fhir-redirect"
    CERTIFICATE = "fhir-certificate"
    UNREACHABLE = "fhir-unreachable"
    TIMEOUT = "fhir-timeout"
    BUSY = "fhir-busy"
    RESTING = "fhir-resting"
    UNREADABLE = "fhir-unreadable"
    LIMIT = "fhir-limit"
    NEXT_ELSEWHERE = "fhir-next-elsewhere"

    @property
    def advice(self) -> str:
        """What happened and what to do, to complete "could not be fetched: …"."""
        return _ADVICE[self]

    @classmethod
    def of_status(cls, status: int) -> "Failure":
        """The failure that an HTTP status other than 200 means."""
        named = {401: cls.TOKEN_REFUSED, 403: cls.FORBIDDEN, 404: cls.NOT_FOUND, 410: cls.NOT_FOUND}
        by_class = {3: cls.REDIRECT, 4: cls.REFUSED, 5: cls.BROKEN}
        return named.get(status) or by_class.get(status // 100, cls.UNREADABLE)


_ADVICE = {
    Failure.NOT_ALLOWED: "fhirServer is not a server that may be called for this client; list it in the trust file",
    Failure.ODD_ID: "context.patientId has characters that no FHIR id has; send the id alone",
    Failure.OTHER_PATIENT: "fhirAuthorization.patient is another patient than context.patientId",
    Failure.TOKEN_REFUSED: "the FHIR server refused the access token (401); send one that is valid for this call",
    Failure.FORBIDDEN: "the access token does not allow it (403); grant this service the scope",
    Failure.NOT_FOUND: "the FHIR server does not have it (404)",
    Failure.REFUSED: "the FHIR server refused the request (another 4xx)",
    Failure.BROKEN: "the FHIR server failed (5xx)",
    Failure.REDIRECT: "the FHIR server redirected (3xx), which is not followed; send its final address as fhirServer",
    Failure.CERTIFICATE: "the certificate of the FHIR server is not trusted; see TOLAMI_FHIR_CA_FILE",
    Failure.UNREACHABLE: "the FHIR server could not be reached",
    Failure.TIMEOUT: "the FHIR server did not answer in time; see TOLAMI_FHIR_DEADLINE",
    Failure.BUSY: "this service was busy with other fetches",
    Failure.RESTING: "the FHIR server failed several times in a row and is left alone for some seconds",
    Failure.UNREADABLE: "the FHIR server's answer is not the FHIR JSON that was asked for",
    Failure.LIMIT: "the FHIR server's answer is larger than this service reads",
    Failure.NEXT_ELSEWHERE: "the next page is outside the FHIR server",
}


class Unfetched(Exception):
    """A fetch gave nothing that can be used."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


def lacks_authorization(request: HookRequest, client: Client) -> bool:
    """True when a FHIR server is named that is not read, because the call brings no authorization for it."""
    return bool(request.fhirServer) and request.fhirAuthorization is None and not client.open

"""The patient of the request: age and whether alive (rules X8 and X9)."""

import re
from collections.abc import Iterable
from datetime import date
from functools import partial

from fhir.resources.R4B.patient import Patient as FhirPatient

from service.dates import Span, birth_date
from service.errors import MissingData
from service.facts import Patient
from service.fhir.bundles import unversioned
from service.fhir.fetch_errors import Failure
from service.fhir.prefetch import Prefetch, State
from service.fhir.resources import Resource, aslist, one, text
from service.fhir.tolerant import read

OLDEST = 130
"""A birth date that makes somebody older than this many years is a typing error, and the age is unknown."""

GENDERS = frozenset({"male", "female"})
"""The only ones that a number of the guidance depends on (R17)."""

_PERSONS = re.compile(r"(?:^|/)(?:patient|relatedperson|person|group|practitioner(?:role)?)/", re.IGNORECASE)
_NO_ID = re.compile(r"[\s?#|\\]")
"""Characters that no id has, however lenient the server."""


def patient(resource: Resource, today: date) -> Patient | None:
    """The patient, None when the resource cannot be read as one.

    A death is read from the client's own members: a death date that cannot be read, or that stands beside
    ``deceasedBoolean``, is still a death.
    """
    stated = resource.get("birthDate") is not None
    birth = birth_date(resource.get("birthDate"))
    found = read(FhirPatient, {"resourceType": resource["resourceType"], "birthDate": _written(birth)})
    if found is None:
        return None
    deceased = resource.get("deceasedBoolean") in (True, "true") or resource.get("deceasedDateTime") is not None
    gender = text(resource.get("gender")).lower()
    known = gender if gender in GENDERS else ""
    return Patient(birth if _plausible(birth, today) else None, deceased, known, birth_stated=stated)


def _written(birth: Span | None) -> str | None:
    return birth.latest.isoformat() if birth is not None else None


def _plausible(birth: Span | None, today: date) -> bool:
    return birth is not None and birth.earliest <= today and today.year - birth.latest.year <= OLDEST


def patient_id(given: str) -> str | None:
    """The id of a patient, sent as one, as "Patient/id", as an address or with a version; None when it is no id."""
    name = unversioned(given).removeprefix("urn:uuid:")
    kind, _, identity = name.rpartition("/")
    if (kind or "/" in given) and kind.rpartition("/")[2] != "Patient":
        return None
    return identity if identity and _NO_ID.search(identity) is None else None


NO_PATIENT = frozenset(
    {"group", "device", "location", "relatedperson", "practitioner", "practitionerrole", "organization", "specimen"}
    | {"medication", "substance", "nutritionproduct", "biologicallyderivedproduct"}
)
"""Types of subjects that are not this patient, in small letters. Others, as "Person", cannot be compared."""


def about_patient(resource: Resource, identity: str) -> bool:
    """True unless an observation is about somebody else than the patient in whose record it stands.

    ``focus`` tells of a fetus or a parent; in words alone it is about another one, too. What it is about may also be a
    problem, a treatment, a specimen or a device of the patient.
    """
    pointers = [text(item.get("reference")) for item in aslist(resource.get("focus")) if isinstance(item, dict)]
    return all(to and (same_patient([to], identity) or not _PERSONS.search(to)) for to in pointers)


def same_patient(references: Iterable[str], identity: str) -> bool:
    """True unless one of the references names another patient, or what is no patient.

    A reference without a type or one that cannot be compared (urn:, contained, display only) is accepted.
    """
    return all(map(partial(_same, identity), references))


def _same(identity: str, reference: str) -> bool:
    if reference == f"Patient/{identity}" or reference.startswith(("#", "urn:")):
        return True
    kind, _, named = unversioned(reference).rpartition("/")
    type_ = kind.rpartition("/")[2].lower()
    if type_ not in ("", "patient"):
        return type_ not in NO_PATIENT
    return named == identity


def required_patient(prefetch: Prefetch, patient_id: str, today: date) -> Patient:
    """The patient of the call.

    Raises MissingData when prefetch does not hold the patient that the context names: with nobody to check
    for, nothing can be said.
    """
    for resource in prefetch["patient"].resources:
        if resource["resourceType"] != "Patient":
            continue
        if one(resource.get("id")) not in (None, "", patient_id):
            raise MissingData(
                "prefetch.patient is another patient than context.patientId. Send the patient of the context.",
                "prefetch.patient",
            )
        found = patient(resource, today)
        if found is not None:
            return found
    failure = prefetch.failure("patient")
    fetched = f" It could not be fetched either: {Failure(failure).advice}." if failure else ""
    if prefetch.no_token:
        fetched = " Nothing was fetched: fhirServer came without fhirAuthorization."
    sent = prefetch["patient"].state is State.UNREADABLE
    problem = "what was received cannot be read as a Patient" if sent else "was not provided"
    raise MissingData(
        f"The patient is needed and {problem}.{fetched} Send prefetch.patient as discovery describes it"
        " (Patient/{{context.patientId}}).",
        "prefetch.patient",
    )

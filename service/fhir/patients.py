"""The patient of the request: age and whether alive (rules X8 and X9)."""

from datetime import date

from fhir.resources.R4B.patient import Patient as FhirPatient

from service.chart import Patient
from service.dates import Span, span
from service.fhir.resources import Resource, text
from service.fhir.tolerant import read

OLDEST = 130
"""A birth date that makes somebody older than this many years is a typing error, and the age is unknown."""

GENDERS = frozenset({"male", "female"})
"""The only ones that a number of the guidance depends on (R17)."""

_MEMBERS = ("resourceType", "birthDate")


def patient(resource: Resource, today: date) -> Patient | None:
    """The patient, None when the resource cannot be read as one.

    A death is told from the client's own members: a death date that cannot be read, or that stands beside
    ``deceasedBoolean``, is still a death.
    """
    found = read(FhirPatient, {key: resource[key] for key in _MEMBERS if resource.get(key) is not None})
    if found is None:
        return None
    birth = span(str(found.value.birthDate)) if found.value.birthDate is not None else None
    deceased = resource.get("deceasedBoolean") in (True, "true") or resource.get("deceasedDateTime") is not None
    gender = text(resource.get("gender"))
    known = gender if gender in GENDERS else ""
    return Patient(birth=birth if _plausible(birth, today) else None, deceased=deceased, gender=known)


def _plausible(birth: Span | None, today: date) -> bool:
    return birth is not None and birth.earliest <= today and today.year - birth.latest.year <= OLDEST


def same_patient(reference: str, patient_id: str) -> bool:
    """True unless the reference names another patient.

    A reference without a type or one that cannot be compared (urn:, contained, display only) is accepted.
    """
    if not reference or reference == f"Patient/{patient_id}" or reference.startswith(("#", "urn:")):
        return True
    kind, _, identity = reference.split("/_history")[0].rstrip("/").rpartition("/")
    if kind and kind.rpartition("/")[2] != "Patient":
        return True
    return identity == patient_id

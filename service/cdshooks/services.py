"""The services that discovery publishes: one for each hook, each with an id of its own.

Clients key cards by the service's URL, so the ids are distinct (conformance L-29). Prefetch templates stay
within the restricted query subset of the specification (C-032) and use root context fields only (C-029).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import msgspec

from service.cdshooks.messages import NonEmpty

SPECIFICATION = "2.0.1"
"""The CDS Hooks release whose rules the answers follow (discovery ``version``, C-017)."""

USAGE = (
    "Needs prefetch.patient; without it an order that concerns the guidance is answered 412. The other keys"
    " may be left out; what then cannot be checked is named on a card. Content not clinically reviewed."
)

_LOINC = "http://loinc.org|"


class Service(msgspec.Struct, frozen=True):
    __doc__ = "One entry of discovery."

    hook: NonEmpty
    id: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z-]*$", description="The last segment of the service's URL.")]
    title: NonEmpty
    description: NonEmpty
    prefetch: Annotated[dict[str, NonEmpty], msgspec.Meta(min_length=1)]
    usageRequirements: NonEmpty = USAGE
    version: Annotated[
        str, msgspec.Meta(pattern=r"^\d+\.\d+\.\d+$", description="The release of CDS Hooks that answers follow.")
    ] = SPECIFICATION


class Discovery(msgspec.Struct):
    __doc__ = "What ``GET /cds-services`` answers."

    services: Sequence[Service]


def services(texts: Mapping[str, Mapping[str, str]], observation_codes: Sequence[str]) -> tuple[Service, ...]:
    """All services. ``texts`` are their titles and descriptions by hook, ``observation_codes`` the LOINC codes used."""
    prefetch = prefetch_templates(observation_codes)
    return tuple(Service(hook, hook, text["title"], text["description"], prefetch) for hook, text in texts.items())


def prefetch_templates(observation_codes: Iterable[str]) -> dict[str, str]:
    """The prefetch of every service.

    Medications are asked for without a status: stopped ones matter for wash-outs and new starts.
    """
    of_patient = "patient={{context.patientId}}"
    codes = ",".join(_LOINC + code for code in observation_codes)
    return {
        "patient": "Patient/{{context.patientId}}",
        "medications": f"MedicationRequest?{of_patient}",
        "statements": f"MedicationStatement?{of_patient}",
        "conditions": f"Condition?{of_patient}",
        "allergies": f"AllergyIntolerance?{of_patient}",
        "observations": f"Observation?{of_patient}&code={codes}",
    }

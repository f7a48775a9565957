"""Whether the FHIR files of the cards folder are valid FHIR R4, as ``fhir.resources`` has it."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from service.engine.loading import FOLDER
from service.files import Fault, Seen

KINDS = {"CodeSystem", "MedicationRequest", "ServiceRequest", "ValueSet"}
FOLDERS = ("terminology/*/*.json", "orders/*.json", "codesystems/*.json")


def fhir_faults(folder: Path) -> list[Fault]:
    """Files that are not valid FHIR R4, each with the elements at fault. Files that were valid are remembered."""
    paths = [path for pattern in FOLDERS for path in sorted(folder.glob(pattern))]
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    seen = Seen(folder, sha256(b"\0".join(files.values())).hexdigest(), "fhir") if folder == FOLDER else None
    if seen:
        return []
    faults = [fault for name, content in files.items() for fault in _faults(name, content)]
    if seen is not None and not faults:
        seen.remember()
    return faults


def _faults(name: str, content: bytes) -> Iterator[Fault]:
    from fhir.resources.R4B import get_fhir_model_class  # slow to import, and only for what is new
    from pydantic import ValidationError

    value = json.loads(content)
    kind = value.get("resourceType")
    if kind not in KINDS:
        yield Fault(name, 0, "not a resource of a kind that belongs here")
        return
    try:
        get_fhir_model_class(kind).model_validate(value)
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(map(str, problem["loc"]))
            yield Fault(name, 0, f"not valid FHIR: {place}: {problem['msg']}")

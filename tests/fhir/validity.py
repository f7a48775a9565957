"""Whether a resource is valid in a FHIR version: by ``fhir.resources``, for DSTU2 by its published structure."""

from importlib import import_module
from typing import Any

from pydantic import BaseModel, ValidationError

from tests.fhir import dstu2_structure

_PACKAGES = {"STU3": "fhir.resources.STU3", "R4": "fhir.resources.R4B", "R5": "fhir.resources"}


def faults(version: str, resource: dict[str, Any]) -> list[str]:
    """Why a resource is not valid in a version; empty when it is."""
    if version == "DSTU2":
        return dstu2_structure.faults(resource)
    kind: str = resource["resourceType"]
    try:
        model: type[BaseModel] = getattr(import_module(f"{_PACKAGES[version]}.{kind.lower()}"), kind)
        model.model_validate(resource)
    except ModuleNotFoundError:
        return [f"{kind} is no type of {version}"]
    except ValidationError as error:
        return [".".join(map(str, problem["loc"])) for problem in error.errors()]
    return []

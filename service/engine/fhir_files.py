"""Whether the FHIR files of the cards folder are valid FHIR R4, as ``fhir.resources`` has it.

A code list is first read by a type that allows less than FHIR: what it reads is valid, in a fiftieth of the time.
Whatever else it may be is for the models, which also say what is wrong.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from fhir.resources.R4B import get_fhir_model_class
from msgspec import UNSET, UnsetType
from pydantic import ValidationError

from service.files import Fault

KINDS = {"CodeSystem", "MedicationRequest", "ServiceRequest", "ValueSet"}
FOLDERS = ("terminology/*/*.json", "orders/*.json", "codesystems/*.json")

Text = Annotated[str, msgspec.Meta(pattern=r"^\S")]
Code = Annotated[str, msgspec.Meta(pattern=r"^[^\s]+( [^\s]+)*\Z")]
Uri = Annotated[str, msgspec.Meta(pattern=r"^\S+\Z")]
_DAY = r"(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31"
Day = Annotated[str, msgspec.Meta(pattern=rf"^20[0-9]{{2}}-({_DAY})\Z")]


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing but what is named."""


class _Quantity(_Strict):
    value: int | float
    unit: Text
    system: Uri
    code: Code


class _Extension(_Strict):
    url: Uri
    valueString: Text | UnsetType = UNSET
    valueCode: Code | UnsetType = UNSET
    valueBoolean: bool | UnsetType = UNSET
    valueQuantity: _Quantity | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuses an extension without a value or with several."""
        values = (self.valueString, self.valueCode, self.valueBoolean, self.valueQuantity)
        if sum(value is not UNSET for value in values) != 1:
            raise ValueError("not one value")


Extensions = Annotated[list[_Extension], msgspec.Meta(min_length=1)] | UnsetType


class _Concept(_Strict):
    code: Code
    display: Text
    extension: Extensions = UNSET


class _Filter(_Strict):
    property: Code
    op: Literal["is-a"]
    value: Text


class _Include(_Strict):
    system: Uri | UnsetType = UNSET
    concept: Annotated[list[_Concept], msgspec.Meta(min_length=1)] | UnsetType = UNSET
    filter: Annotated[list[_Filter], msgspec.Meta(min_length=1)] | UnsetType = UNSET
    valueSet: Annotated[list[Uri], msgspec.Meta(min_length=1)] | UnsetType = UNSET
    extension: Extensions = UNSET


class _Compose(_Strict):
    include: Annotated[list[_Include], msgspec.Meta(min_length=1)]


class CodeList(_Strict):
    """A ValueSet of the members that code lists have here."""

    resourceType: Literal["ValueSet"]
    id: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{1,64}\Z")]
    url: Uri
    name: Text
    title: Text
    status: Literal["draft", "active", "retired"]
    date: Day
    description: Text
    purpose: Text
    compose: _Compose
    extension: Extensions = UNSET


_CODE_LIST = msgspec.json.Decoder(CodeList)


def fhir_faults(folder: Path) -> Iterable[Fault]:
    """Files that are not valid FHIR R4, each with the elements at fault."""
    for path in (path for pattern in FOLDERS for path in sorted(folder.glob(pattern))):
        content = path.read_bytes()
        if is_code_list(content):
            continue
        name, value = path.relative_to(folder).as_posix(), json.loads(content)
        kind = value.get("resourceType")
        if kind not in KINDS:
            yield Fault(name, 0, "not a resource of a kind that belongs here")
            continue
        try:
            get_fhir_model_class(kind).model_validate(value)
        except ValidationError as error:
            for problem in error.errors():
                place = ".".join(map(str, problem["loc"]))
                yield Fault(name, 0, f"not valid FHIR: {place}: {problem['msg']}")


def is_code_list(content: bytes) -> bool:
    """True for a code list that holds only what every FHIR server takes; False says nothing yet."""
    try:
        _CODE_LIST.decode(content)
    except msgspec.MsgspecError:
        return False
    return True

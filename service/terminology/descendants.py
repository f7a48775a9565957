"""Which concepts of a ValueSet are meant with their descendants: its ``compose.include`` with a ``filter``."""

from collections.abc import Mapping
from typing import Any

from service.files import Fault
from service.terminology.query import OPERATORS, SNOMED, Root


def roots(value_set: Mapping[str, Any], name: str, faults: list[Fault]) -> list[Root]:
    """The concepts that the filters name, each of which the same ValueSet must list with its provenance."""
    includes = value_set["compose"]["include"]
    listed = {c["code"] for i in includes if i["system"] == SNOMED for c in i.get("concept", ())}
    found = []
    for include in includes:
        if "filter" not in include:
            continue
        reason = _unsuitable(include, listed)
        if reason:
            faults.append(Fault(name, 0, f"filter: {reason}"))
        else:
            (only,) = include["filter"]
            found.append(Root(only["value"], only["op"]))
    return found


def _unsuitable(include: Mapping[str, Any], listed: set[str]) -> str:
    """Why a filter cannot be used; empty when it can."""
    filters = include["filter"]
    if include["system"] != SNOMED or "concept" in include or len(filters) != 1:
        return f"an include with a filter is one of {SNOMED}, with one filter and without concepts"
    if filters[0]["property"] != "concept" or filters[0]["op"] not in OPERATORS:
        return f"the property is 'concept' and the operator one of {', '.join(OPERATORS)}"
    if filters[0]["value"] not in listed:
        return f"{filters[0]['value']} is not listed in this ValueSet; list it with its provenance"
    return ""

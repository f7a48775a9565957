"""What the quick type reads as a code list is valid FHIR for the models too; both read every list that ships."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from fhir.resources.R4B.valueset import ValueSet
from pydantic import ValidationError

from service.engine.fhir_files import is_code_list
from service.engine.loading import FOLDER

Json = Any
LISTS = sorted((FOLDER / "terminology").glob("*/*.json"))
WHOLE = json.loads((FOLDER / "terminology/drugs/amitriptyline.json").read_bytes())
CLASS = json.loads((FOLDER / "terminology/classes/ssri.json").read_bytes())
BROKEN: list[Json] = ["", " ", "\n", " x", "x ", "a\tb", "x\n", None, [], {}, [[]], [{}], 5, 0.5, True, "2026-13-01"]


def reads(value: Json) -> bool:
    """True when the models take it."""
    try:
        ValueSet.model_validate(value)
    except (ValidationError, KeyError, TypeError, ValueError):
        return False
    return True


def places(value: Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The first two places of every kind in a value."""
    for key, held in value.items() if isinstance(value, dict) else enumerate(value[:2]):
        yield (*path, key)
        if isinstance(held, dict | list):
            yield from places(held, (*path, key))


def changed(value: Json, path: tuple[Any, ...], put: Json) -> Json:
    """The value with another one at a place, or without it."""
    copy = deepcopy(value)
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    if put is Ellipsis:
        del holder[path[-1]]
    else:
        holder[path[-1]] = put
    return copy


def test_every_list_that_ships_is_read_at_once() -> None:
    assert len(LISTS) > 100
    assert all(is_code_list(path.read_bytes()) for path in LISTS)


@pytest.mark.parametrize("list_", [WHOLE, CLASS], ids=["codes", "class"])
@pytest.mark.parametrize("put", [..., *BROKEN], ids=repr)
def test_nothing_is_read_at_once_that_the_models_refuse(list_: Json, put: Json) -> None:
    short = {**list_, "compose": {"include": list_["compose"]["include"][:2]}}
    for include in short["compose"]["include"]:
        include["concept"] = include.get("concept", [])[:2] or [{"code": "x", "display": "X"}]
    wrong = [
        path
        for path in places(short)
        if is_code_list(json.dumps(changed(short, path, put)).encode()) and not reads(changed(short, path, put))
    ]
    assert wrong == []


def test_an_unknown_member_and_a_second_value_are_not_read_at_once() -> None:
    two = {"url": "https://x.eu", "valueString": "a", "valueCode": "b"}
    for more in ({"colour": "red"}, {"extension": [two]}, {"extension": [{"url": "https://x.eu"}]}):
        assert not is_code_list(json.dumps({**CLASS, **more}).encode())


@pytest.mark.parametrize(
    ("day", "at_once"),
    [("2026-11-29", True), ("2026-10-31", True), ("2026-11-31", False), ("2026-02-30", False), ("2026-01-32", False)],
)
def test_every_day_of_a_month_is_read_at_once(day: str, at_once: bool) -> None:
    assert is_code_list(json.dumps({**CLASS, "date": day}).encode()) is at_once

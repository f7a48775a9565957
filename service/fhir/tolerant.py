"""Reading with fhir.resources without being stopped by one bad element.

Real clients send invalid FHIR. Where a model refuses an element, the element is left out, its path is kept,
and the rest is read. Path and reason matter to whoever sent it; the value is never repeated.
"""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from service.fhir.resources import Resource, copied

Model = TypeVar("Model", bound=BaseModel)

MOST_ELEMENTS_DROPPED = 20
"""A resource with more bad elements than this is not read at all."""


@dataclass(frozen=True, slots=True)
class Read(Generic[Model]):
    """What a model made of a resource, and the paths of the elements it refused."""

    value: Model
    dropped: tuple[str, ...] = ()


def read(model: type[Model], resource: Resource, required: Resource | None = None) -> Read[Model] | None:
    """The resource as a model, without the elements the model refuses; None when nothing can be read.

    ``required`` are neutral values put in place of required elements that were refused. The models raise
    more than ValidationError on hostile input (KeyError, TypeError, RecursionError): that input is None.
    """
    remaining = resource
    dropped: list[str] = []
    for _ in range(MOST_ELEMENTS_DROPPED):
        try:
            return Read(model.model_validate(remaining), tuple(dict.fromkeys(dropped)))
        except ValidationError as error:
            try:
                remaining = copied(remaining) if not dropped else remaining
            except RecursionError:
                return None
            if not _drop(remaining, error, dropped):
                return None
            remaining = {**(required or {}), **remaining}
        except (KeyError, TypeError, ValueError, RecursionError, OverflowError, ArithmeticError):
            return None
    return None


def _drop(resource: Resource, error: ValidationError, dropped: list[str]) -> bool:
    """Removes the deepest element that each error points at; False when there is none to remove.

    Words of blanks alone count as absent and are not named: many systems write them for a member without a value. In a
    list they stand for something that was left out, and are.
    """
    paths = {_existing(resource, problem["loc"]) for problem in error.errors(include_input=False)}
    removed = False
    # The last index of a list first, so that the others keep their places; children before their parents.
    for path in sorted(filter(None, paths), key=_sort_key, reverse=True):
        *parents, last = path
        holder: Any = resource
        for step in parents:
            holder = holder[step]
        value = holder[last]
        if not (isinstance(last, str) and isinstance(value, str) and not value.strip()):
            dropped.append(_written(path))
        del holder[last]
        removed = True
    return removed


def _sort_key(path: tuple[int | str, ...]) -> list[tuple[int, str]]:
    return [(step, "") if isinstance(step, int) else (0, step) for step in path]


def _existing(resource: Resource, loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The longest start of an error's location that exists in the resource."""
    path: list[int | str] = []
    here: Any = resource
    for step in loc:
        in_list = isinstance(here, list) and isinstance(step, int) and 0 <= step < len(here)
        if not in_list and not (isinstance(here, dict) and step in here):
            break
        path.append(step)
        here = here[step]
    return tuple(path)


def _written(path: tuple[int | str, ...]) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).lstrip(".")

"""JSON that no client should send, for whatever has to stand it."""

from collections.abc import Iterator
from copy import copy
from typing import Any

from hypothesis import strategies as st

from service.fhir.resources import Resource
from tests.fhir.samples import order


def nested(levels: int) -> dict[str, Any]:
    """An extension within extensions; the models give up below some hundred levels."""
    extension: dict[str, Any] = {"url": "http://example.org/deep", "valueInteger": 1}
    for _ in range(levels):
        extension = {"url": "http://example.org/deep", "extension": [extension]}
    return extension


def places(value: Any, path: tuple[int | str, ...] = ()) -> Iterator[tuple[int | str, ...]]:
    """Paths of all elements inside a resource."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in members:
        yield (*path, step)
        yield from places(inner, (*path, step))


def replaced(resource: Resource, path: tuple[int | str, ...], value: Any) -> Resource:
    """The resource with another value at a path; what is not on the way there is shared."""
    changed = copy(resource)
    holder: Any = changed
    for step in path[:-1]:
        holder[step] = copy(holder[step])
        holder = holder[step]
    holder[path[-1]] = value
    return changed


PLACES = sorted(places(order()), key=str)
"""Where an order holds anything."""

junk: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.decimals(allow_nan=False), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(["resourceType", "value", "coding"]), st.text(max_size=6)), inner),
    ),
    max_leaves=6,
)
"""Any JSON, with the member names that code looks for."""

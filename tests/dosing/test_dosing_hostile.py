"""Whatever JSON stands in an order: reading it raises nothing, and a dose that comes of it is a possible one."""

from copy import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.dosing.amount import NotComputed
from service.dosing.dosage import DailyDose
from service.terminology.recognise import Terminology
from tests.dosing.dose_examples import PARTS
from tests.dosing.dose_orders import Json
from tests.dosing.dose_reading import dose_of

ORDERS = [one.order for part in PARTS.values() for one in part]
NAMES = ["value", "unit", "code", "system", "coding", "text", "repeat", "frequency", "period", "low", "high", "start"]

hostile: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, False, "", " ", "NaN", "1", "-1", 0, -1, 10**18, 10**19, 2**31, 0.1, -0.5, Decimal("1e400000"),
        Decimal("-1e-400000"), Decimal("1e-30"), [], {}, [None], [{}], [[]], "d", "mg", "2026-02-30", "1-0-1", "\x00",
        "#med-1", "25 mg daily", [[[[[]]]]], {"resourceType": "Bundle"}, {"extension": [{"url": "x"}]},
    ]
)  # fmt: skip
any_json = st.recursive(
    st.one_of(
        hostile, st.integers(-(10**20), 10**20), st.decimals(allow_nan=False, allow_infinity=False), st.text(max_size=8)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)),
    max_leaves=6,
)


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a resource."""
    found = [here] if here else []
    if isinstance(value, dict):
        for name, item in value.items():
            found += paths(item, (*here, name))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            found += paths(item, (*here, number))
    return found


def changed(order: Json, path: tuple[Any, ...], value: Any) -> Json:
    """The order with something else in one place; what is not on the way there is shared."""
    changed_order = copy(order)
    holder: Any = changed_order
    for step in path[:-1]:
        holder[step] = copy(holder[step])
        holder = holder[step]
    holder[path[-1]] = value
    return changed_order


@st.composite
def spoilt_orders(draw: st.DrawFn) -> Json:
    """An order of the examples with arbitrary JSON in one or two places."""
    order = draw(st.sampled_from(ORDERS))
    for _ in range(draw(st.integers(1, 2))):
        places = [path for path in paths(order) if path != ("resourceType",)]
        order = changed(order, draw(st.sampled_from(places)), draw(any_json))
    return order


def is_possible(dose: DailyDose | NotComputed) -> bool:
    """A dose within its own bounds, or a reason and a place."""
    if isinstance(dose, NotComputed):
        return bool(dose.reason) and bool(dose.element)
    return 0 <= dose.low <= dose.high <= dose.dosing_day and 0 < dose.single <= dose.dosing_day


@settings(max_examples=500, deadline=None)
@given(order=spoilt_orders())
def test_arbitrary_json_in_place_of_any_element_never_raises(terminology: Terminology, order: Json) -> None:
    assert is_possible(dose_of(order, terminology))


@pytest.mark.parametrize("value", [None, True, 0, -1, "", "x", [], {}, [None], [[]], 10**19, Decimal("1e400000")])
def test_one_hostile_value_in_every_place_of_an_order_never_raises(value: Any, terminology: Terminology) -> None:
    for order in ORDERS[::20]:
        for path in paths(order):
            if path != ("resourceType",):
                assert is_possible(dose_of(changed(order, path, value), terminology))


@settings(max_examples=150, deadline=None)
@given(spoilt=any_json, beside=st.lists(any_json.filter(lambda value: isinstance(value, dict)), max_size=2))
def test_a_medication_or_a_weight_of_arbitrary_json_never_raises(
    terminology: Terminology, spoilt: Any, beside: list[Json]
) -> None:
    order = {
        "resourceType": "MedicationRequest",
        "contained": [{"resourceType": "Medication", "id": "med-1", "code": spoilt, "ingredient": spoilt}],
        "medicationReference": {"reference": "#med-1"},
        "dosageInstruction": [{"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}]}],
    }
    weights = [{"resourceType": "Observation", "status": "final", **one} for one in beside]
    weights += [{**one, "resourceType": "Observation"} for one in beside]
    assert is_possible(dose_of(order, terminology, weights))

"""An id that a rule asks for and the terminology lacks is named: the rule would keep silent for ever."""

from copy import copy
from dataclasses import replace

import pytest

from service.engine.asked import unknown_ids
from service.engine.library import Library
from service.guidance.registry import RULES


def test_the_terminology_has_every_id_that_the_rules_ask_for(library: Library) -> None:
    assert list(unknown_ids(library, RULES)) == []


@pytest.mark.parametrize(
    ("id_", "kind", "module"),
    [
        ("maoi-irreversible", "classes", "maoi"),
        ("delirium-with-amitriptyline", "classes", "safety"),
        ("major-depressive-disorder", "conditions", "amitriptyline"),
        ("qtc-bazett", "observations", "heart"),
        ("tramadol", "drugs", "interactions"),
    ],
)
def test_an_id_that_the_terminology_has_no_more_is_named_where_a_rule_asks_for_it(
    library: Library, id_: str, kind: str, module: str
) -> None:
    terminology = copy(library.terminology)
    terminology.sets = [set_ for set_ in terminology.sets if set_.id != id_]
    found = list(unknown_ids(replace(library, terminology=terminology), RULES))
    assert all(fault.line and f"'{id_}', which is not in terminology/{kind}" in fault.reason for fault in found)
    assert f"guidance/{module}.py" in {fault.file for fault in found}

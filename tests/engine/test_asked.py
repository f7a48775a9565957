"""An id that a rule asks for and the terminology lacks is named or refused: the rule would keep silent for ever."""

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import pytest

from service.chart import Chart
from service.engine.asked import unknown_ids
from service.engine.evaluate import evaluate
from service.engine.finding import Finding, Indicator, Thresholds
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.guidance.registry import RULES
from tests.guidance.charts import AMITRIPTYLINE, chart, draft


def test_the_terminology_has_every_id_that_the_rules_ask_for(library: Library) -> None:
    assert list(unknown_ids(library, RULES)) == []


def test_the_subjects_are_the_drugs_that_rules_ask_for(library: Library) -> None:
    found = unknown_ids(replace(library, plan=replace(library.plan, subjects=("tolperisone", "baclofen"))), RULES)
    *missing, idle = (fault.reason for fault in found)
    assert idle == "subjects: no rule asks for 'baclofen'"
    assert missing
    assert all("asks for 'amitriptyline', which is not among the subjects" in reason for reason in missing)


@pytest.mark.parametrize(
    ("id_", "kind", "module"),
    [
        ("maoi-irreversible", "classes", "maoi"),
        ("major-depressive-disorder", "conditions", "amitriptyline"),
        ("qtc-bazett", "observations", "heart"),
        ("tramadol", "drugs", "interactions"),
        ("duloxetine", "drugs", "alternatives"),
        ("suicidal-ideation", "conditions", "replacing"),
        ("old-myocardial-infarction", "*", "heart"),
        ("maoi-antibiotic", "*", "maoi"),
        ("stopped-for-another-reason", "*", "stopping"),
    ],
)
def test_an_id_that_the_terminology_has_no_more_is_named_where_a_rule_asks_for_it(
    library: Library, id_: str, kind: str, module: str
) -> None:
    terminology = copy(library.terminology)
    terminology.ids = {kind: ids - {id_} for kind, ids in terminology.ids.items()}
    found = list(unknown_ids(replace(library, terminology=terminology), RULES))
    assert all(fault.line and f"'{id_}', which is not in terminology/" in fault.reason for fault in found)
    assert {f"guidance/{module}.py", kind} <= {part for f in found for part in (f.file, f.reason.rpartition("/")[2])}


def test_a_class_that_the_table_of_a_card_names_and_the_terminology_lacks_is_named(library: Library) -> None:
    terminology, missing = copy(library.terminology), "delirium-with-amitriptyline"
    terminology.ids = {kind: ids - {missing} for kind, ids in terminology.ids.items()}
    (fault,) = unknown_ids(replace(library, terminology=terminology), RULES)
    assert fault.file == "safety/amitriptyline-and-other-conditions.md"
    assert fault.reason == f"reasons: 'disulfiram' asks for '{missing}', which is not in terminology/classes"


def test_an_id_that_is_worked_out_and_that_the_terminology_lacks_is_refused_when_it_is_asked_for(
    library: Library,
) -> None:
    given = replace(chart(draft(AMITRIPTYLINE)), ids=library.terminology.ids)
    questions: dict[str, Callable[[str], object]] = {
        "drugs": given.drafts,
        "classes": given.of_class,
        "conditions": given.has,
        "observations": given.measured,
    }
    for kind, ask in questions.items():
        for id_ in sorted(library.terminology.ids[kind])[:3]:
            ask(id_)
            with pytest.raises(LookupError, match=f"there is no {id_}x in terminology/{kind}"):
                ask(f"{id_}x")


def test_a_rule_that_asks_for_what_is_not_there_costs_its_own_advice_and_says_so(library: Library) -> None:
    def pain_score(chart: Chart, thresholds: Thresholds) -> Finding | None:
        return Finding("pain-score", Indicator.INFO) if chart.has(f"{'chronic'}-pian") else None

    failed: list[str] = []
    given = replace(chart(draft(AMITRIPTYLINE)), ids=library.terminology.ids)
    found = evaluate(given, Guideline(library, (pain_score,)), lambda card, error: failed.append(f"{card}: {error}"))
    assert [finding.card for finding in found] == ["rule-failed"]
    assert failed == ["pain-score: there is no chronic-pian in terminology/conditions"]

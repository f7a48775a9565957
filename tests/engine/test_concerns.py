"""A card's table says which conditions raise what, and how urgent that is where."""

from dataclasses import replace
from pathlib import Path

from service.chart import Chart
from service.engine.concerns import CardNumbers, Concern, beside, concerns_of, point, recorded
from service.engine.finding import Indicator
from service.engine.loading import load
from service.facts import Condition, Patient
from tests.conftest import TODAY
from tests.engine.folder import changed, copied
from tests.guidance.charts import current, draft

ROWS = {
    "flutter": Concern(frozenset({"flutter"}), {"": Indicator.CRITICAL, "us": Indicator.WARNING}),
    "rhythm": Concern(
        frozenset({"arrhythmia", "flutter"}),
        {"": Indicator.CRITICAL},
        unless=frozenset({"flutter"}),
        milder={"us": frozenset({"fibrillation"})},
    ),
    "bleeding": Concern(frozenset({"bleeding"}), {"": Indicator.WARNING}, ever=frozenset({""})),
    "value": Concern(frozenset(), {"": Indicator.INFO}),
}
TABLE = CardNumbers({}, ROWS)


def condition(*sets: str, active: bool = True) -> Condition:
    return Condition(frozenset(sets), f"called {sets[0]}", active)


def charted(*conditions: Condition, jurisdiction: str = "eu") -> Chart:
    return Chart(TODAY, "order-sign", Patient(), conditions=conditions, jurisdiction=jurisdiction)


def test_every_active_condition_raises_each_row_that_names_it_in_the_order_of_the_rows() -> None:
    chart = charted(condition("arrhythmia"), condition("flutter"), condition("gout"))
    assert [(p.kind, p.name) for p in recorded(chart, TABLE)] == [
        ("flutter", "called flutter"),
        ("rhythm", "called arrhythmia"),
    ]
    assert [p.kind for p in recorded(chart, TABLE, "rhythm")] == ["rhythm"]


def test_a_condition_that_is_also_of_an_excluded_set_does_not_raise_the_row() -> None:
    assert [p.kind for p in recorded(charted(condition("arrhythmia", "flutter")), TABLE)] == ["flutter"]


def test_a_past_condition_counts_only_where_the_row_counts_it_for_ever() -> None:
    past = charted(condition("flutter", active=False), condition("bleeding", active=False))
    assert [p.kind for p in recorded(past, TABLE)] == ["bleeding"]
    of_one = {"bleeding": replace(ROWS["bleeding"], ever=frozenset({"us"}), unless=frozenset({"flutter"}))}
    both = charted(condition("flutter", "bleeding", active=False))
    assert [p.kind for p in recorded(both, CardNumbers({}, of_one))] == []
    assert [p.kind for p in recorded(replace(both, jurisdiction="us"), CardNumbers({}, of_one))] == ["bleeding"]


def test_a_milder_kind_is_a_warning_in_its_jurisdiction_only() -> None:
    chart = charted(condition("arrhythmia", "fibrillation"))
    assert [p.indicator for p in recorded(chart, TABLE)] == [Indicator.CRITICAL]
    assert [p.indicator for p in recorded(replace(chart, jurisdiction="us"), TABLE)] == [Indicator.WARNING]


def test_urgency_is_that_of_the_jurisdiction_or_of_all_others() -> None:
    chart = charted(condition("flutter"))
    assert [p.indicator for p in recorded(chart, TABLE)] == [Indicator.CRITICAL]
    assert [p.indicator for p in recorded(replace(chart, jurisdiction="us"), TABLE)] == [Indicator.WARNING]


def test_what_a_rule_finds_by_itself_is_as_urgent_as_its_row_says() -> None:
    found = point("value", charted(), TABLE, name="QTc", day=TODAY)
    assert (found.kind, found.indicator, found.name, found.day) == ("value", Indicator.INFO, "QTc", TODAY)


def test_a_card_without_a_table_has_no_rows() -> None:
    assert concerns_of({}) == {}
    assert concerns_of(TABLE) == ROWS


def test_a_row_with_classes_is_raised_by_each_of_their_drugs_that_is_put_beside_the_drug() -> None:
    rows = {"sedating": Concern(frozenset(), {"": Indicator.WARNING}, classes=("sedative",)), **ROWS}
    sedative, other = (
        replace(current(name), classes=frozenset({class_})) for name, class_ in (("a", "sedative"), ("b", "other"))
    )
    chart = replace(charted(), orders=(draft("drug"), sedative, other))
    found = list(beside(chart, CardNumbers({}, rows), "drug"))
    assert [(p.kind, p.indicator, p.order) for p in found] == [("sedating", Indicator.WARNING, sedative)]
    assert list(beside(replace(chart, ordering=False), CardNumbers({}, rows), "drug")) == []


def test_the_table_stands_in_the_front_matter(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    row = "reasons: {together: {conditions: [heart-block], urgency: {us: info, '': critical}}}\n"
    changed(folder, "unchecked/rule-failed.md", "rule: R28\n", f"rule: R28\n{row}")
    (concern,) = concerns_of(load(folder).cards["rule-failed"].thresholds).values()
    assert concern.conditions == {"heart-block"}
    assert [concern.indicator(place) for place in ("us", "uk")] == [Indicator.INFO, Indicator.CRITICAL]

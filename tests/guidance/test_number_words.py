"""The words of each number of a card say what the rule does with it: on which side something happens, and the unit."""

import re
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from service.chart import Chart
from service.dates import Span
from service.decide import Decision, decide
from service.engine.concerns import CardNumbers, concerns_of
from service.engine.evaluate import card_of
from service.engine.finding import Finding, Rule, Threshold
from service.engine.library import Library
from service.errors import ServiceError
from service.facts import Condition, Measurement, MedicationOrder
from service.guidance.registry import RULES
from service.web.fixtures import Fixture, fixtures
from tests.conftest import ROOT
from tests.guidance.charts import AMITRIPTYLINE, TODAY, TOLPERISONE, chart, days_ago, dose, draft, past

UPPER = re.compile(r"\b(?:from which|below|shortest|lowest)\b", re.IGNORECASE)
"""The number belongs to what lies above it: something happens from it on, or below it."""
LOWER = re.compile(r"\b(?:above|up to which|longer ago than|oldest|longest|highest)\b", re.IGNORECASE)
"""The number belongs to what lies below it: something happens above it, or up to it."""

PARTS = 20
"""Parts of a unit: every number in the fixtures is a multiple of two of them, so the odd ones lie between."""
MOST = 2_000
"""Above every number of the cards and of the fixtures."""

UNCOUNTED = re.compile(
    r"^(?:Number of|(?:Lowest|Highest) value of a score|CKD-EPI 2021, (?:scale|exponent|factor|umol))"
)
"""How the words of a number that has no unit begin."""
STEPS_OF_A_TAPER = {"rung_1", "rung_2", "rung_3", "tablet"}
"""Moving one of them moves the others, and without the first there is no taper."""


@pytest.fixture(scope="module")
def charts(decision: Decision) -> dict[str, Chart]:
    """What the rules see of every fixture."""
    seen: dict[str, Chart] = {}

    def look(fixture: Fixture) -> None:
        given = replace(decision, today=lambda: fixture.day or TODAY, seen=lambda c: seen.update({fixture.id: c}))
        with suppress(ServiceError):
            decide(fixture.text.encode(), fixture.hook, given)

    for each in fixtures(decision.library).values():
        look(each)
    kidneys = seen["order-sign/amitriptyline-in-postherpetic-neuralgia-with-clearance-of-22"]
    failing = tuple(replace(m, value=Fraction(10)) if m.unit == "mL/min" else m for m in kidneys.measurements)
    seen["failing kidneys"] = replace(kidneys, measurements=failing)
    attack = Condition(frozenset({"recent-myocardial-infarction"}), "I21", onset=Span(days_ago(AGO), days_ago(AGO)))
    stopped = seen["order-sign/amitriptyline-75-mg-stopped"]
    seen["a stop after a heart attack"] = replace(stopped, conditions=(*stopped.conditions, attack))
    seen |= {" ".join(key): days for key, days in DAYS.items()}
    for inhibitor in ("fluoxetine", "terbinafine"):
        after_it = after(inhibitor, "cyp2d6-inhibitor-strong", draft(AMITRIPTYLINE))
        seen[f"the pair after {inhibitor}"] = replace(after_it, orders=(*after_it.orders, draft(TOLPERISONE)))
    return seen | {
        f"{kind} {unit}": measured(kind, value, unit, name)
        for kind, value, unit, name in (
            ("qtc-fridericia", "455", "ms", AMITRIPTYLINE),
            ("potassium", "3", "meq/L", AMITRIPTYLINE),
            ("magnesium", "500", "umol/L", AMITRIPTYLINE),
            ("magnesium", "1", "meq/L", AMITRIPTYLINE),
            ("egfr-ckd-epi-2021", "45", "mL/min", TOLPERISONE),
        )
    }


def outcome(rule: Rule, chart: Chart, numbers: CardNumbers) -> Any:
    """What a finding says, apart from the numbers themselves."""

    def said(finding: Finding) -> Any:
        facts = {
            name: repr(finding.facts.get(name)) for name in ("age", "band", "against", "open", "not_offered", "new")
        }
        offers = [offer.template for offer in finding.offers]
        return finding.indicator, finding.state, facts, offers, finding.withheld, [said(one) for one in finding.merged]

    finding = rule(chart, numbers)
    return finding and said(finding)


def moved(numbers: CardNumbers, name: str, value: Fraction) -> CardNumbers:
    """The numbers of a card with another value of one."""
    return CardNumbers({**numbers, name: replace(numbers[name], value=value)}, concerns_of(numbers))


def side(rule: Rule, chart: Chart, numbers: CardNumbers, name: str) -> str:
    """The side to which the number itself belongs, seen where moving it changes what is said; "" where nothing does."""

    def at(parts: int) -> Any:
        return outcome(rule, chart, moved(numbers, name, Fraction(parts, PARTS)))

    low, high = 0, MOST * PARTS
    first = at(low)
    if first == at(high):
        return ""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if at(middle) == first else (low, middle)
    return "upper" if high % 2 else "lower"


def said(words: str) -> set[str]:
    """The sides that words name."""
    return {side for side, pattern in (("upper", UPPER), ("lower", LOWER)) if pattern.search(words)}


@pytest.mark.parametrize("rule", RULES, ids=card_of)
def test_words_name_the_side_on_which_something_happens(rule: Rule, charts: dict[str, Chart], library: Library) -> None:
    card = card_of(rule)
    numbers = library.cards[card].thresholds
    assert isinstance(numbers, CardNumbers)
    for name in numbers.keys() - STEPS_OF_A_TAPER:
        if numbers[name].unit == "d":  # Rules count whole days, so a number between two of them tells nothing.
            continue
        found = next(filter(None, (side(rule, chart, numbers, name) for chart in charts.values())), "")
        words = library.number_words[card][name]
        assert not found or said(words) == {found}, f"{card} {name}: {words}"


AGO = 9
"""Days between today and what the charts below hold."""


def measured(kind: str, value: str, unit: str, name: str = AMITRIPTYLINE) -> Chart:
    """A drug being ordered, and something measured lately."""
    measurement = Measurement(kind, days_ago(AGO), Fraction(value), unit)
    return replace(chart(draft(name)), measurements=(measurement,))


def after(drug: str, class_: str, ordered: MedicationOrder) -> Chart:
    """A drug being ordered after another one ended."""
    return chart(ordered, replace(past(drug, taken=days_ago(AGO)), classes=frozenset({class_})))


PHENELZINE = replace(draft("phenelzine"), classes=frozenset({"maoi-irreversible"}))
DAYS = {
    ("amitriptyline-with-maoi", "irreversible"): after("phenelzine", "maoi-irreversible", draft(AMITRIPTYLINE)),
    ("amitriptyline-with-maoi", "reversible"): after("moclobemide", "maoi-reversible", draft(AMITRIPTYLINE)),
    ("amitriptyline-with-maoi", "amitriptyline"): after(AMITRIPTYLINE, "tca", PHENELZINE),
    ("amitriptyline-start-dose", "look_back"): after(AMITRIPTYLINE, "tca", draft(AMITRIPTYLINE, dose("50"))),
    ("cyp-inhibitor-with-amitriptyline", "fluoxetine_lingers"): after(
        "fluoxetine", "cyp2d6-inhibitor-strong", draft(AMITRIPTYLINE)
    ),
    ("cyp-inhibitor-with-amitriptyline", "terbinafine_lingers"): after(
        "terbinafine", "cyp2d6-inhibitor-strong", draft(AMITRIPTYLINE)
    ),
    ("amitriptyline-and-the-heart", "qtc_age"): measured("qtc-fridericia", "480", "ms"),
    ("amitriptyline-and-the-heart", "electrolytes_age"): measured("potassium", "3000", "umol/L"),
    ("tolperisone-contraindications", "value_age"): measured("egfr-ckd-epi-2021", "20", "mL/min", TOLPERISONE),
}


@pytest.mark.parametrize(("card", "name"), DAYS)
def test_words_name_the_side_of_a_number_of_days(card: str, name: str, library: Library) -> None:
    rule = next(rule for rule in RULES if card_of(rule) == card)
    numbers = library.cards[card].thresholds
    assert isinstance(numbers, CardNumbers)
    below, at, above = (
        outcome(rule, DAYS[card, name], moved(numbers, name, Fraction(days))) for days in (AGO - 1, AGO, AGO + 1)
    )
    assert (below == at) != (at == above)
    assert said(library.number_words[card][name]) == {"upper" if below == at else "lower"}


def test_a_number_has_its_unit_unless_its_words_say_what_is_counted(library: Library) -> None:
    for card in library.cards.values():
        for name, number in card.thresholds.items():
            counted = UNCOUNTED.match(library.number_words[card.id][name]) is not None
            assert bool(number.unit) is not counted, f"{card.id} {name}"


def test_no_card_has_a_number_that_neither_its_rule_nor_its_words_use(
    charts: dict[str, Chart], library: Library
) -> None:
    for card in library.cards.values():
        rules = [rule for rule in RULES if card_of(rule) == card.id]
        used = Used(card.thresholds, concerns_of(card.thresholds))
        for rule, seen in product(rules, charts.values()):
            rule(seen, used)
        texts = " ".join([*card.sections.values(), *(str(reason) for reason in card.reasons.values())])
        for include in re.findall(r'include "([a-z-]+)"', texts):
            texts += (ROOT / f"cards/lines/{include}.md").read_text(encoding="utf-8")
        in_words = set(re.findall(r"thresholds\.([a-z_0-9]+)", texts)) | set(re.findall(r"\b([a-z_]+) \|", texts))
        unused = card.thresholds.keys() - used.names - in_words
        by_reading = {name for name in unused if name.startswith("ckd_epi_")} | {"supply_grace"}
        assert unused - by_reading == set(), card.id


class Used(CardNumbers):
    """Numbers that remember which of them a rule has asked for."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> Threshold:
        self.names.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)

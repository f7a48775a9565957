"""R04, R05, R10, R12 and R13: drugs beside amitriptyline or tolperisone; and R04 merged into R01."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date

import pytest

from service.cdshooks.messages import EXTENSION
from service.chart import Chart
from service.engine.evaluate import card_of
from service.engine.finding import Finding, Indicator, Rule, Threshold
from service.engine.library import Library
from service.engine.quiet import contents
from service.engine.rendering import Renderer
from service.facts import Condition, MedicationOrder, Patient
from service.fhir.edit import ClientOrders
from service.guidance.interactions import (
    PERPHENAZINE,
    anticholinergic_with_amitriptyline,
    cyp_inhibitor_with_amitriptyline,
    sedating_drugs_with_amitriptyline,
    serotonergic_with_amitriptyline,
    tolperisone_with_cyp2d6_drug,
)
from service.guidance.tolperisone import tolperisone_with_amitriptyline
from tests.guidance import charts
from tests.guidance.charts import AMITRIPTYLINE, TODAY, TOLPERISONE, born, chart, days_ago, drug

INFO, WARNING = Indicator.INFO, Indicator.WARNING
RULES = (
    cyp_inhibitor_with_amitriptyline,
    serotonergic_with_amitriptyline,
    sedating_drugs_with_amitriptyline,
    anticholinergic_with_amitriptyline,
    tolperisone_with_cyp2d6_drug,
)
Apply = Callable[[Rule, Chart], Finding | None]
Classed = Callable[..., MedicationOrder]


@pytest.fixture
def apply(library: Library) -> Apply:
    """Applies a rule with the numbers of its card."""
    return lambda rule, given: rule(given, library.thresholds[card_of(rule)])


@pytest.fixture
def found(apply: Apply) -> Callable[[Rule, Chart], Finding]:
    def apply_and_expect(rule: Rule, given: Chart) -> Finding:
        finding = apply(rule, given)
        assert finding is not None
        assert finding.card == card_of(rule)
        assert finding.proposal is None
        return finding

    return apply_and_expect


Found = Callable[[Rule, Chart], Finding]


@pytest.fixture
def classed(library: Library) -> Classed:
    """An order with the classes that the terminology gives its drugs."""

    def with_classes(order: MedicationOrder) -> MedicationOrder:
        return replace(order, classes=library.terminology.classes(order.drug.drugs))

    return with_classes


@pytest.fixture
def draft(classed: Classed) -> Classed:
    return lambda name: classed(charts.draft(name))


@pytest.fixture
def current(classed: Classed) -> Classed:
    return lambda name: classed(charts.current(name))


@pytest.fixture
def past(classed: Classed) -> Classed:
    return lambda name, taken=None, authored=None: classed(charts.past(name, taken=taken, authored=authored))


def product(order: MedicationOrder, *drugs: str) -> MedicationOrder:
    """The order as one for a product of several drugs."""
    return replace(order, drug=replace(order.drug, drugs=tuple(sorted(drugs)), combination=True))


def members(library: Library, class_: str, names: Iterable[str]) -> set[str]:
    terminology = library.terminology
    return {name for name in names if class_ in terminology.classes([name])}


PARTNERS: dict[Rule, str] = {
    cyp_inhibitor_with_amitriptyline: (
        "fluoxetine paroxetine bupropion quinidine terbinafine duloxetine cinacalcet mirabegron"
        " fluvoxamine fluconazole ticlopidine"
    ),
    serotonergic_with_amitriptyline: (
        "sertraline venlafaxine vortioxetine vilazodone trazodone mirtazapine tramadol tapentadol meperidine fentanyl"
        " methadone sumatriptan dextromethorphan buspirone lithium st-johns-wort"
    ),
    anticholinergic_with_amitriptyline: "oxybutynin diphenhydramine paroxetine olanzapine clozapine nortriptyline",
    sedating_drugs_with_amitriptyline: (
        "diazepam zopiclone tramadol oxycodone codeine gabapentin pregabalin quetiapine hydroxyzine baclofen eperisone"
    ),
}
EACH = [(rule, name) for rule, names in PARTNERS.items() for name in names.split()]


@pytest.mark.parametrize(("rule", "name"), EACH, ids=lambda value: getattr(value, "__name__", value))
def test_amitriptyline_joins_a_partner(rule: Rule, name: str, found: Found, draft: Classed, current: Classed) -> None:
    finding = found(rule, chart(draft(AMITRIPTYLINE), current(name)))
    assert finding.indicator is WARNING
    assert finding.orders == (draft(AMITRIPTYLINE), current(name))


@pytest.mark.parametrize(("rule", "name"), EACH, ids=lambda value: getattr(value, "__name__", value))
def test_a_partner_joins_amitriptyline(rule: Rule, name: str, found: Found, draft: Classed, current: Classed) -> None:
    finding = found(rule, chart(current(AMITRIPTYLINE), draft(name)))
    assert finding.indicator is WARNING
    assert finding.orders == (draft(name), current(AMITRIPTYLINE))


def silent_cases(draft: Classed, current: Classed, rule: Rule) -> dict[str, Chart]:
    name = PARTNERS[rule].split()[0]
    unselected = [replace(draft(AMITRIPTYLINE), focus=False), replace(draft(name), focus=False)]
    topical = replace(current(name), drug=drug(name, topical=True))
    return {
        "amitriptyline alone": chart(draft(AMITRIPTYLINE)),
        "amitriptyline twice": chart(draft(AMITRIPTYLINE), current(AMITRIPTYLINE)),
        "the partner alone": chart(draft(name)),
        "both were there before": chart(current(AMITRIPTYLINE), current(name), draft("ondansetron")),
        "the chart is only opened": replace(chart(current(AMITRIPTYLINE), current(name)), ordering=False),
        "both are drafted but neither is selected": chart(*unselected, hook="order-select"),
        "the partner is for the skin": chart(draft(AMITRIPTYLINE), topical),
        "the draft stops amitriptyline": chart(replace(draft(AMITRIPTYLINE), stops=True), current(name)),
        "the draft stops the partner": chart(replace(draft(name), stops=True), current(AMITRIPTYLINE)),
        "a drug without the effect": chart(draft(AMITRIPTYLINE), current("ondansetron")),
        "an MAOI": chart(draft(AMITRIPTYLINE), current("phenelzine"), current("linezolid"), current("selegiline")),
    }


@pytest.mark.parametrize("rule", PARTNERS, ids=card_of)
def test_nothing_is_said_where_the_session_creates_no_risk(
    rule: Rule, apply: Apply, draft: Classed, current: Classed
) -> None:
    for case, given in silent_cases(draft, current, rule).items():
        assert apply(rule, given) is None, case


@pytest.mark.parametrize("rule", PARTNERS, ids=card_of)
def test_a_selected_order_counts_with_one_that_is_not_selected(rule: Rule, found: Found, draft: Classed) -> None:
    name = PARTNERS[rule].split()[0]
    context = replace(draft(name), focus=False)
    finding = found(rule, chart(context, draft(AMITRIPTYLINE), hook="order-select"))
    assert finding.orders == (draft(AMITRIPTYLINE), context)


@pytest.mark.parametrize("rule", PARTNERS, ids=card_of)
def test_every_partner_is_named_on_one_card_and_each_drug_once(
    rule: Rule, found: Found, draft: Classed, current: Classed
) -> None:
    first, second = PARTNERS[rule].split()[:2]
    finding = found(rule, chart(draft(AMITRIPTYLINE), current(first), draft(first), current(second)))
    assert set(finding.orders) == {draft(AMITRIPTYLINE), draft(first), current(first), current(second)}
    named = finding.facts.get("partners") or finding.facts["inhibitors"]
    assert named == (draft(first), current(second))


def test_no_mao_inhibitor_is_in_a_class_of_these_rules(library: Library) -> None:
    first = ("phenelzine", "tranylcypromine", "isocarboxazid", "selegiline", "rasagiline", "safinamide")
    inhibitors = (*first, "moclobemide", "linezolid", "methylene-blue", "tedizolid")
    for class_ in ("serotonergic", "cns-depressant", "anticholinergic-strong", "cns-active"):
        assert members(library, class_, inhibitors) == set()


# R04: what has ended and still acts


@pytest.mark.parametrize(("name", "days"), [("fluoxetine", 35), ("terbinafine", 90)])
@pytest.mark.parametrize(("more", "acts"), [(-1, True), (0, True), (1, False)])
def test_fluoxetine_acts_35_days_and_terbinafine_90_after_the_last_dose(
    name: str, days: int, more: int, *, acts: bool, apply: Apply, draft: Classed, past: Classed
) -> None:
    ended = past(name, taken=days_ago(days + more), authored=days_ago(400))
    finding = apply(cyp_inhibitor_with_amitriptyline, chart(draft(AMITRIPTYLINE), ended))
    assert (finding is not None) is acts
    if finding is not None:
        assert (finding.indicator, finding.facts["lingering"], finding.facts["unsure"]) == (WARNING, (ended,), ())


@pytest.mark.parametrize("name", ["paroxetine", "bupropion", "duloxetine", "fluvoxamine", "fluconazole"])
def test_other_inhibitors_count_only_while_they_are_taken(
    name: str, apply: Apply, draft: Classed, past: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), past(name, taken=days_ago(1)), past(name))
    assert apply(cyp_inhibitor_with_amitriptyline, given) is None


def test_on_the_next_day_an_answered_card_about_an_inhibitor_still_says_the_same(
    library: Library, found: Found, draft: Classed, current: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), current("paroxetine"))
    days = (given, replace(given, today=days_ago(-1)))
    today, tomorrow = (contents([found(cyp_inhibitor_with_amitriptyline, day)], library.bands) for day in days)
    assert today == tomorrow


@pytest.mark.parametrize("authored", [None, days_ago(36), days_ago(2000)])
def test_an_end_that_is_not_recorded_is_said_and_is_only_information(
    authored: date | None, found: Found, draft: Classed, past: Classed
) -> None:
    ended = past("fluoxetine", authored=authored)
    finding = found(cyp_inhibitor_with_amitriptyline, chart(draft(AMITRIPTYLINE), ended))
    assert (finding.indicator, finding.facts["unsure"]) == (INFO, (ended,))


def test_a_course_ordered_within_the_span_surely_still_acts(found: Found, draft: Classed, past: Classed) -> None:
    ended = past("fluoxetine", authored=days_ago(35))
    finding = found(cyp_inhibitor_with_amitriptyline, chart(draft(AMITRIPTYLINE), ended))
    assert (finding.indicator, finding.facts["lingering"]) == (WARNING, (ended,))


def test_of_several_courses_the_last_one_decides(found: Found, draft: Classed, past: Classed) -> None:
    late, old = past("fluoxetine", taken=days_ago(20)), past("fluoxetine", taken=days_ago(300))
    unknown = [past("fluoxetine", authored=days_ago(days)) for days in (500, 100)]
    finding = found(cyp_inhibitor_with_amitriptyline, chart(draft(AMITRIPTYLINE), old, late, *unknown))
    assert finding.facts["inhibitors"] == (late,)
    finding = found(cyp_inhibitor_with_amitriptyline, chart(draft(AMITRIPTYLINE), old, *unknown))
    assert finding.facts["inhibitors"] == (unknown[1],)


def test_what_is_taken_now_is_not_also_named_as_ended(
    found: Found, draft: Classed, current: Classed, past: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), current("fluoxetine"), past("fluoxetine", taken=days_ago(3)))
    finding = found(cyp_inhibitor_with_amitriptyline, given)
    assert finding.facts["inhibitors"] == (current("fluoxetine"),)


def test_an_ended_course_alone_makes_no_card_when_nothing_is_ordered(
    apply: Apply, draft: Classed, current: Classed, past: Classed
) -> None:
    given = chart(draft("ondansetron"), current(AMITRIPTYLINE), past("fluoxetine", taken=days_ago(3)))
    assert apply(cyp_inhibitor_with_amitriptyline, given) is None


# R04 merged into R01


@pytest.mark.parametrize("joins", [AMITRIPTYLINE, TOLPERISONE, "paroxetine"])
def test_the_pair_with_a_strong_inhibitor_is_one_card_of_both_rules(
    joins: str, apply: Apply, found: Found, draft: Classed, current: Classed
) -> None:
    drugs = (AMITRIPTYLINE, TOLPERISONE, "paroxetine")
    given = chart(draft(joins), *(current(name) for name in drugs if name != joins))
    assert apply(cyp_inhibitor_with_amitriptyline, given) is None
    finding = found(tolperisone_with_amitriptyline, given)
    assert (finding.indicator, finding.rules) == (WARNING, ("R04",))
    assert set(finding.orders) == set(given.orders)
    assert [order.label for order in finding.facts["inhibitors"]] == ["paroxetine"]


def test_a_merged_card_names_its_rules(library: Library, found: Found, draft: Classed, current: Classed) -> None:
    pair = chart(draft(AMITRIPTYLINE), current(TOLPERISONE))
    merged = chart(draft(AMITRIPTYLINE), current(TOLPERISONE), current("paroxetine"))
    rules = [
        Renderer.of(library)
        .card(found(tolperisone_with_amitriptyline, given), ClientOrders({}), str)
        .extension[EXTENSION]
        for given in (pair, merged)
    ]
    assert "rules" not in rules[0]
    assert rules[1]["rules"] == ["R01", "R04"]


def test_a_merged_card_names_every_inhibitor(found: Found, apply: Apply, draft: Classed, current: Classed) -> None:
    given = chart(draft(AMITRIPTYLINE), current(TOLPERISONE), current("paroxetine"), current("fluconazole"))
    finding = found(tolperisone_with_amitriptyline, given)
    assert finding.facts["inhibitors"] == (current("paroxetine"), current("fluconazole"))
    assert apply(cyp_inhibitor_with_amitriptyline, given) is None


@pytest.mark.parametrize("name", ["duloxetine", "fluconazole"])
def test_a_weaker_inhibitor_keeps_a_card_of_its_own(name: str, found: Found, draft: Classed, current: Classed) -> None:
    given = chart(draft(AMITRIPTYLINE), current(TOLPERISONE), current(name))
    finding = found(tolperisone_with_amitriptyline, given)
    assert (finding.rules, finding.facts["inhibitors"]) == ((), ())
    found(cyp_inhibitor_with_amitriptyline, given)


def test_a_continued_pair_is_a_warning_again_only_when_an_inhibitor_surely_acts(
    found: Found, draft: Classed, current: Classed, past: Classed
) -> None:
    renewed = replace(draft(AMITRIPTYLINE), continues_earlier=True)
    pair = (renewed, current(TOLPERISONE))
    expected = {(): INFO, (past("fluoxetine"),): INFO, (past("fluoxetine", taken=days_ago(35)),): WARNING}
    for others, indicator in expected.items():
        assert found(tolperisone_with_amitriptyline, chart(*pair, *others)).indicator is indicator


def test_an_opened_chart_names_the_inhibitor_on_the_card_of_the_pair(found: Found, current: Classed) -> None:
    taken = chart(current(AMITRIPTYLINE), current(TOLPERISONE), current("paroxetine"), hook="patient-view")
    finding = found(tolperisone_with_amitriptyline, replace(taken, ordering=False))
    assert (finding.rules, finding.state, finding.indicator) == (("R04",), "with-inhibitor", INFO)


def test_an_inhibitor_ordered_without_the_pair_is_not_the_card_of_the_pair(
    apply: Apply, draft: Classed, current: Classed
) -> None:
    assert apply(tolperisone_with_amitriptyline, chart(draft("paroxetine"), current(TOLPERISONE))) is None
    given = chart(draft("fluconazole"), current(AMITRIPTYLINE), current(TOLPERISONE))
    assert apply(tolperisone_with_amitriptyline, given) is None
    assert apply(cyp_inhibitor_with_amitriptyline, given) is not None


def test_both_cards_about_inhibitors_have_the_same_spans(library: Library) -> None:
    cards = [card_of(rule) for rule in (cyp_inhibitor_with_amitriptyline, tolperisone_with_amitriptyline)]
    for name in ("fluoxetine", "terbinafine"):
        assert len({library.thresholds[card][f"{name}_lingers"] for card in cards}) == 1


# R05


SUBSTRATES = (
    "tolterodine",
    "venlafaxine",
    "atomoxetine",
    "desipramine",
    "dextromethorphan",
    "metoprolol",
    "nebivolol",
    "perphenazine",
)


@pytest.mark.parametrize("name", SUBSTRATES)
def test_tolperisone_with_a_drug_that_its_label_lists_is_information(
    name: str, found: Found, draft: Classed, current: Classed
) -> None:
    for given in (chart(draft(TOLPERISONE), current(name)), chart(draft(name), current(TOLPERISONE))):
        assert found(tolperisone_with_cyp2d6_drug, given).indicator is INFO


def test_tolperisone_with_thioridazine_is_a_warning_and_names_it_first(
    found: Found, draft: Classed, current: Classed
) -> None:
    finding = found(
        tolperisone_with_cyp2d6_drug, chart(draft(TOLPERISONE), draft("metoprolol"), current("thioridazine"))
    )
    assert finding.indicator is WARNING
    assert finding.facts["partners"] == (current("thioridazine"), draft("metoprolol"))


@pytest.mark.parametrize("name", [AMITRIPTYLINE, "paroxetine", "sotalol"])
def test_tolperisone_with_another_drug_is_not_its_card(
    name: str, apply: Apply, draft: Classed, current: Classed
) -> None:
    assert apply(tolperisone_with_cyp2d6_drug, chart(draft(TOLPERISONE), current(name))) is None


@pytest.mark.parametrize("name", ["cimetidine", "valproate"])
def test_what_raises_levels_in_another_way_is_told_by_name(
    name: str, found: Found, draft: Classed, current: Classed
) -> None:
    finding = found(cyp_inhibitor_with_amitriptyline, chart(draft(AMITRIPTYLINE), current(name)))
    state = "valproate" if name == "valproate" else "now"  # the US label speaks of inhibitors of CYP2D6
    assert (finding.indicator, finding.state, finding.facts[name]) == (WARNING, state, True)


def test_the_drug_of_a_combination_with_amitriptyline_counts(found: Found, classed: Classed, draft: Classed) -> None:
    both = classed(product(charts.current(AMITRIPTYLINE), AMITRIPTYLINE, PERPHENAZINE))
    assert found(tolperisone_with_cyp2d6_drug, chart(draft(TOLPERISONE), both)).indicator is INFO


def test_substrates_that_were_there_before_are_left_alone(apply: Apply, draft: Classed, current: Classed) -> None:
    given = chart(draft(AMITRIPTYLINE), current(TOLPERISONE), current("metoprolol"))
    assert apply(tolperisone_with_cyp2d6_drug, given) is None


# R10


@pytest.mark.parametrize(
    ("names", "state", "lowering"),
    [
        (("sertraline",), "", ()),
        (("tramadol",), "seizures", ("tramadol",)),
        (("sertraline", "bupropion"), "seizures", ("bupropion",)),
    ],
)
def test_tramadol_and_bupropion_add_seizures(
    names: tuple[str, ...], state: str, lowering: tuple[str, ...], found: Found, draft: Classed, current: Classed
) -> None:
    finding = found(serotonergic_with_amitriptyline, chart(draft(AMITRIPTYLINE), *map(current, names)))
    assert (finding.state, finding.facts["lowering"]) == (state, tuple(map(current, lowering)))


def test_bupropion_is_not_serotonergic_and_its_seizures_stand_on_the_card_about_inhibitors(
    apply: Apply, found: Found, draft: Classed, current: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), current("bupropion"))
    assert apply(serotonergic_with_amitriptyline, given) is None
    assert found(cyp_inhibitor_with_amitriptyline, given).facts["strong"] == [current("bupropion")]


def test_a_seizure_or_an_earlier_serotonin_syndrome_is_taken_from_the_problem_list(
    found: Found, draft: Classed, current: Classed
) -> None:
    problems = (Condition(frozenset({"epilepsy"}), "epilepsy"), Condition(frozenset({"serotonin-syndrome"}), "s"))
    given = chart(draft(AMITRIPTYLINE), current("tramadol"))
    for conditions, epilepsy, state in (((), False, "seizures"), (problems, True, "again")):
        finding = found(serotonergic_with_amitriptyline, replace(given, conditions=conditions))
        assert (finding.facts["epilepsy"], finding.state) == (epilepsy, state)


# Combinations with amitriptyline in one product (Q8)


@pytest.mark.parametrize(
    ("partner", "rules"),
    [
        (PERPHENAZINE, {anticholinergic_with_amitriptyline}),
        ("chlordiazepoxide", {sedating_drugs_with_amitriptyline}),
    ],
)
def test_a_product_of_two_drugs_raises_the_cards_of_the_other_drug(
    partner: str, rules: set[Rule], apply: Apply, classed: Classed
) -> None:
    order = classed(product(charts.draft(AMITRIPTYLINE), AMITRIPTYLINE, partner))
    assert {rule for rule in RULES if apply(rule, chart(order))} == rules
    assert {rule for rule in RULES if (finding := apply(rule, chart(order))) and finding.orders == (order,)} == rules


# Ages, R12 and R13


AGES = [
    (born(date(1961, 11, 23)), True),
    (born(date(1961, 11, 24)), False),
    (born(date(1961, 1, 1), date(1961, 12, 31)), False),
    (born(date(1960, 1, 1), date(1960, 12, 31)), True),
    (born(date(1962, 1, 1), date(1962, 12, 31)), False),
    (Patient(), False),
]


@pytest.mark.parametrize(("patient", "older"), AGES)
def test_beers_is_quoted_from_65_on_and_only_when_that_is_certain(
    patient: Patient, *, older: bool, found: Found, draft: Classed, current: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), current("oxybutynin"), patient=patient)
    finding = found(anticholinergic_with_amitriptyline, given)
    assert (finding.indicator, finding.state) == (WARNING, "older" if older else "")
    given = chart(draft(AMITRIPTYLINE), current("zopiclone"), current("pregabalin"), patient=patient)
    finding = found(sedating_drugs_with_amitriptyline, given)
    assert (finding.indicator, finding.state) == (WARNING, "many" if older else "")


SIXTY_FIVE = born(date(1961, 11, 23))


@pytest.mark.parametrize(
    ("names", "count"),
    [
        (("zopiclone",), 2),
        (("zopiclone", "diphenhydramine"), 2),
        (("zopiclone", "sertraline"), 3),
        (("zopiclone", TOLPERISONE), 3),
        (("zopiclone", "carbamazepine"), 3),
        (("zopiclone", "lamotrigine", "risperidone"), 4),
        (("zopiclone", "pregabalin", "oxycodone"), 4),
    ],
)
def test_cns_active_drugs_are_counted_as_beers_groups_them(
    names: tuple[str, ...], count: int, found: Found, draft: Classed, current: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), *map(current, names), patient=SIXTY_FIVE)
    finding = found(sedating_drugs_with_amitriptyline, given)
    assert (finding.facts["count"], finding.state.startswith("many")) == (count, count >= 3)


def test_the_same_drug_twice_counts_once_and_a_product_with_amitriptyline_as_two(
    found: Found, classed: Classed, draft: Classed, current: Classed
) -> None:
    both = classed(product(charts.draft(AMITRIPTYLINE), AMITRIPTYLINE, "chlordiazepoxide"))
    twice = chart(both, draft("zopiclone"), current("zopiclone"), current("chlordiazepoxide"), patient=SIXTY_FIVE)
    assert found(sedating_drugs_with_amitriptyline, twice).facts["count"] == 3


def test_three_cns_active_drugs_without_a_sedative_matter_only_from_65_on(
    apply: Apply, found: Found, draft: Classed, current: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), current("sertraline"), current("haloperidol"))
    assert apply(sedating_drugs_with_amitriptyline, given) is None
    finding = found(sedating_drugs_with_amitriptyline, replace(given, patient=SIXTY_FIVE))
    assert finding.facts["partners"] == (current("sertraline"), current("haloperidol"))


def test_the_pair_alone_is_no_card_about_sedating_drugs(apply: Apply, draft: Classed, current: Classed) -> None:
    given = chart(draft(TOLPERISONE), current(AMITRIPTYLINE), patient=SIXTY_FIVE)
    assert apply(sedating_drugs_with_amitriptyline, given) is None


def test_tolperisone_that_completes_the_pair_is_reason_enough(found: Found, draft: Classed, current: Classed) -> None:
    given = chart(draft(TOLPERISONE), current(AMITRIPTYLINE), current("zopiclone"))
    finding = found(sedating_drugs_with_amitriptyline, given)
    assert finding.orders == (draft(TOLPERISONE), current(AMITRIPTYLINE), current("zopiclone"))
    assert (finding.facts["pair"], finding.facts["partners"]) == (True, (current("zopiclone"),))


def test_tolperisone_with_a_sedative_but_without_amitriptyline_is_not_its_card(
    apply: Apply, draft: Classed, current: Classed
) -> None:
    assert apply(sedating_drugs_with_amitriptyline, chart(draft(TOLPERISONE), current("diazepam"))) is None


@pytest.mark.parametrize(("name", "opioid"), [("oxycodone", True), ("codeine", True), ("diazepam", False)])
def test_breathing_is_watched_with_opioids(
    name: str, *, opioid: bool, found: Found, draft: Classed, current: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), current(name))
    assert found(sedating_drugs_with_amitriptyline, given).state == ("opioid" if opioid else "")
    many = chart(draft(AMITRIPTYLINE), current(name), current("sertraline"), patient=SIXTY_FIVE)
    assert found(sedating_drugs_with_amitriptyline, many).state == ("many-with-opioid" if opioid else "many")


def test_the_numbers_come_from_the_card(library: Library, draft: Classed, current: Classed) -> None:
    numbers = dict(library.thresholds[card_of(sedating_drugs_with_amitriptyline)])
    numbers["many"] = Threshold(numbers["many"].value + 1, "")
    given = chart(draft(AMITRIPTYLINE), current("zopiclone"), current("sertraline"), patient=SIXTY_FIVE)
    finding = sedating_drugs_with_amitriptyline(given, numbers)
    assert finding is not None
    assert finding.state == ""


# Every card can be written


def test_every_card_is_written_for_one_and_for_many_partners_under_the_limit(
    library: Library, apply: Apply, draft: Classed, current: Classed, past: Classed
) -> None:
    long = "with a very long brand name that no summary has room for, prolonged-release film-coated tablets"
    names = (
        "fluoxetine",
        "paroxetine",
        "tramadol",
        "oxycodone",
        "oxybutynin",
        "bupropion",
        "thioridazine",
        "metoprolol",
    )
    many = [replace(current(name), label=f"{name} {long}") for name in names]
    one = [current("paroxetine"), current("codeine"), current("metoprolol")]
    ended = [past("terbinafine", taken=days_ago(5)), past("fluoxetine", authored=TODAY)]
    ahead = [past("terbinafine", taken=days_ago(-5)), past("fluoxetine")]
    for partners in (one, many, ended, ahead):
        for drugs in ([AMITRIPTYLINE], [TOLPERISONE], [AMITRIPTYLINE, TOLPERISONE]):
            for patient in (SIXTY_FIVE, Patient(), born(date(1961, 1, 1), date(1961, 12, 31))):
                given = chart(*map(draft, drugs), *partners, patient=patient)
                for rule in (tolperisone_with_amitriptyline, *RULES):
                    finding = apply(rule, given)
                    if finding is not None:
                        card = Renderer.of(library).card(finding, ClientOrders({}), str)
                        assert len(card.summary) < 140
                        assert not card.summary.endswith("…"), card.summary


@pytest.mark.parametrize("rule", [serotonergic_with_amitriptyline, anticholinergic_with_amitriptyline])
def test_amitriptyline_that_the_session_ends_counts_no_more(
    rule: Rule, apply: Apply, draft: Classed, current: Classed
) -> None:
    taken, replacing = current(AMITRIPTYLINE), draft("paroxetine")
    ending = replace(draft(AMITRIPTYLINE), stops=True)
    assert apply(rule, chart(taken, replacing)) is not None
    assert apply(rule, chart(taken, ending, replacing)) is None


def test_an_inhibitor_of_cyp2c19_alone_is_not_told_with_what_the_label_says_of_cyp2d6(
    found: Found, draft: Classed, current: Classed
) -> None:
    given = chart(draft(AMITRIPTYLINE), current("fluconazole"))
    assert found(cyp_inhibitor_with_amitriptyline, given).state == "cyp2c19"
    both = chart(draft(AMITRIPTYLINE), current("fluconazole"), current("paroxetine"))
    assert found(cyp_inhibitor_with_amitriptyline, both).state == "now"

"""Drugs taken beside amitriptyline or tolperisone that change their effect (R04, R05, R10, R12, R13).

One card a rule, with every partner drug in it. A rule speaks when the session creates the risk: an order in
focus is for the drug itself or for a partner. It then names all partners, those taken before included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from operator import attrgetter

from service.chart import Chart
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import MedicationOrder
from service.guidance.duplicates import nearest_first, remaining
from service.guidance.ids import AMITRIPTYLINE, SENSITIVE, STRONG_INHIBITOR, TOLPERISONE

MODERATE, CYP2C19 = "cyp2d6-inhibitor-moderate", "cyp2c19-inhibitor-strong"
OTHERWISE = "raises-tca-level"
INHIBITORS = (STRONG_INHIBITOR, MODERATE, CYP2C19, OTHERWISE)
PERPHENAZINE = "perphenazine"
"""The one strongly anticholinergic drug that is sold in one product with amitriptyline (Q8)."""

DEPRESSANTS = ("cns-depressant", "muscle-relaxant")
CNS_ACTIVE = "cns-active"
OPIOIDS = frozenset({"opioid-strong", "opioid-weak"})


@dataclass(frozen=True, slots=True)
class Inhibitors:
    """Orders of drugs that slow the breakdown of amitriptyline (R04).

    ``now`` are taken or being ordered, ``lingering`` have ended but still act, ``unsure`` have ended on a day
    that is not recorded.
    """

    now: tuple[MedicationOrder, ...] = ()
    lingering: tuple[MedicationOrder, ...] = ()
    unsure: tuple[MedicationOrder, ...] = ()

    @property
    def all(self) -> tuple[MedicationOrder, ...]:
        """Every order, the certain ones first."""
        return (*self.now, *self.lingering, *self.unsure)

    @property
    def certain(self) -> bool:
        """True when at least one of them surely acts."""
        return bool(self.now or self.lingering)

    @property
    def strong(self) -> bool:
        """True when one of them inhibits CYP2D6 strongly, so that a pair has one merged card."""
        return any(STRONG_INHIBITOR in order.classes for order in self.all)


def _lasting(drug: str, thresholds: Thresholds) -> Fraction:
    """For how many days after the last dose an inhibitor still acts."""
    return thresholds["fluoxetine_lingers" if drug == "fluoxetine" else "terbinafine_lingers"].to("d")


def inhibitors(chart: Chart, thresholds: Thresholds) -> Inhibitors:
    """R04: what slows the breakdown of amitriptyline; fluoxetine and oral terbinafine also for weeks after the stop."""
    lingering: list[MedicationOrder] = []
    unsure: list[MedicationOrder] = []
    for drug in ("fluoxetine", "terbinafine"):
        courses = [] if chart.taken_or_drafted(drug) else chart.past(drug)
        if not courses:
            continue
        last = max(courses, key=attrgetter("last_known"))
        if last.last_known >= chart.days_ago(_lasting(drug, thresholds)):
            lingering.append(last)
        elif ended := [course for course in courses if course.last_taken is None]:
            unsure.append(max(ended, key=attrgetter("last_known")))
    return Inhibitors(nearest_first(chart.of_class(*INHIBITORS)), tuple(lingering), tuple(unsure))


@states("now", "cyp2c19", "valproate", "ended", "unsure")
def cyp_inhibitor_with_amitriptyline(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R04: amitriptyline with an inhibitor of CYP2D6 or CYP2C19; quieter when it may have ended long ago.

    The pair with a strong CYP2D6 inhibitor is one merged card, that of R01; this rule is silent then.
    """
    found = inhibitors(chart, thresholds)
    if found.strong and chart.taken_or_drafted(TOLPERISONE):
        return None
    orders = _together(chart, AMITRIPTYLINE, found.all)
    if not orders:
        return None
    return Finding(
        card="cyp-inhibitor-with-amitriptyline",
        indicator=Indicator.WARNING if found.certain else Indicator.INFO,
        orders=orders,
        state=_state(found),
        facts=_named_by_effect(found),
    )


def _state(found: Inhibitors) -> str:
    """Which of the card's sentences holds: what the label says of inhibitors of CYP2D6 it says of no others."""
    if not found.now:
        return "ended" if found.lingering else "unsure"
    if any(order.classes & {STRONG_INHIBITOR, MODERATE} or order.drug.names("cimetidine") for order in found.all):
        return "now"
    return "cyp2c19" if any(CYP2C19 in order.classes for order in found.now) else "valproate"


def _named_by_effect(found: Inhibitors) -> dict[str, object]:
    """The inhibitors by what they inhibit, and by when they were taken."""
    every = _one_each(found.all)
    drugs = {drug for order in every for drug in order.drug.drugs}
    return {
        "inhibitors": every,
        "strong": [order for order in every if STRONG_INHIBITOR in order.classes],
        "moderate": [order for order in every if MODERATE in order.classes],
        "cyp2c19": [order for order in every if CYP2C19 in order.classes and STRONG_INHIBITOR not in order.classes],
        "lingering": found.lingering,
        "unsure": found.unsure,
        **{drug: drug in drugs for drug in ("cimetidine", "valproate")},
    }


@states("thioridazine", "named")
def tolperisone_with_cyp2d6_drug(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R05: tolperisone with a drug whose level it may raise; a warning for thioridazine. Amitriptyline is R01."""
    partners = chart.of_class(SENSITIVE)
    orders = _together(chart, TOLPERISONE, partners)
    if not orders:
        return None
    thioridazine = [order for order in partners if order.drug.names("thioridazine")]
    return Finding(
        card="tolperisone-with-cyp2d6-drug",
        indicator=Indicator.WARNING if thioridazine else Indicator.INFO,
        orders=orders,
        state="thioridazine" if thioridazine else "named",
        facts={
            "partners": _one_each([*nearest_first(thioridazine), *nearest_first(partners)]),
            "heart_and_pressure": _any(partners, "metoprolol", "nebivolol", "venlafaxine", "atomoxetine"),
            "anticholinergic": _any(partners, "tolterodine", "desipramine", PERPHENAZINE),
        },
    )


@states("", "seizures", "again")
def serotonergic_with_amitriptyline(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R10: amitriptyline with another serotonergic drug. MAOIs are R03 and are not of the class."""
    partners = chart.of_class("serotonergic", but=AMITRIPTYLINE)
    orders = _together(chart, AMITRIPTYLINE, partners)
    if not orders:
        return None
    lowering = [*(o for o in partners if o.drug.names("tramadol")), *chart.of_class("lowers-seizure-threshold")]
    again = chart.has("serotonin-syndrome")
    return Finding(
        card="serotonergic-with-amitriptyline",
        indicator=Indicator.WARNING,
        orders=orders,
        state="again" if again else "seizures" if lowering else "",
        facts={
            "partners": _one_each(nearest_first(partners)),
            "lowering": _one_each(lowering),
            "epilepsy": chart.has("epilepsy"),
        },
    )


@states("", "older")
def anticholinergic_with_amitriptyline(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R12: amitriptyline with another strongly anticholinergic drug, also in one product with it."""
    partners = [
        order
        for order in chart.of_class("anticholinergic-strong")
        if not order.drug.names(AMITRIPTYLINE) or order.drug.names(PERPHENAZINE)
    ]
    orders = _together(chart, AMITRIPTYLINE, partners)
    if not orders:
        return None
    return Finding(
        card="anticholinergic-with-amitriptyline",
        indicator=Indicator.WARNING,
        orders=orders,
        state="older" if chart.at_least(thresholds["older"].to("a")) else "",
        facts={"partners": _one_each(nearest_first(partners))},
    )


@states("", "opioid", "many", "many-with-opioid")
def sedating_drugs_with_amitriptyline(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R13: amitriptyline, or the pair, with drugs that depress the brain; from an age on also their number.

    Tolperisone is no partner of its own (R01), but an order for it may complete the combination, and it counts
    as one CNS-active drug.
    """
    depressants = chart.of_class(*DEPRESSANTS, but=TOLPERISONE)
    active = chart.of_class(CNS_ACTIVE)
    count = _distinct(active)
    many = chart.at_least(thresholds["older"].to("a")) and count >= thresholds["many"].to("")
    partners = [*depressants, *(order for order in active if many and order not in depressants)]
    partners = [order for order in partners if order.drug.drugs != (AMITRIPTYLINE,)]
    pair = chart.taken_or_drafted(TOLPERISONE)
    orders = _together(chart, AMITRIPTYLINE, [*partners, *pair]) if partners else ()
    if not orders:
        return None
    opioid = any(order.classes & OPIOIDS for order in partners)
    states_by = {(False, False): "", (False, True): "opioid", (True, False): "many", (True, True): "many-with-opioid"}
    return Finding(
        card="sedating-drugs-with-amitriptyline",
        indicator=Indicator.WARNING,
        orders=orders,
        state=states_by[many, opioid],
        facts={
            # An opioid is named first: with it breathing is at stake.
            "partners": _one_each(sorted(nearest_first(partners), key=lambda order: not order.classes & OPIOIDS)),
            "pair": bool(pair),
            "count": count,
        },
    )


def _together(chart: Chart, drug: str, partners: Iterable[MedicationOrder]) -> tuple[MedicationOrder, ...]:
    """The orders of a drug and of its partners, those in focus first; none unless one of them is in focus.

    An order of the drug that this session ends does not count (X3).
    """
    drugs, others = remaining(chart, drug), list(partners)
    orders = nearest_first(dict.fromkeys([*drugs, *others]))
    return orders if drugs and others and any(order.focus for order in orders) else ()


def _one_each(orders: Iterable[MedicationOrder]) -> tuple[MedicationOrder, ...]:
    """One order for each partner, the first; of a product with amitriptyline only what comes beside it."""
    first: dict[tuple[str, ...], MedicationOrder] = {}
    for order in orders:
        beside = tuple(drug for drug in order.drug.drugs if drug != AMITRIPTYLINE) or order.drug.drugs
        first.setdefault(beside, replace(order, drug=replace(order.drug, drugs=beside)))
    return tuple(first.values())


def _any(orders: Iterable[MedicationOrder], *drugs: str) -> bool:
    return any(order.drug.names(drug) for order in orders for drug in drugs)


def _distinct(orders: Sequence[MedicationOrder]) -> int:
    """How many drugs these are. A product counts once, one with amitriptyline as two."""
    others = {tuple(drug for drug in order.drug.drugs if drug != AMITRIPTYLINE) for order in orders} - {()}
    return len(others) + any(AMITRIPTYLINE in order.drug.drugs for order in orders)

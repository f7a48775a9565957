"""Stopping amitriptyline, or cutting its dose by more than half (R20)."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from math import ceil

from service.chart import Chart, MedicationOrder, Role
from service.dosing.dosage import DailyDose
from service.engine.finding import Finding, Indicator, Rule, Thresholds, states
from service.guidance.drugs import AMITRIPTYLINE
from service.guidance.duplicates import TRICYCLIC, duplicates, gives_nothing, remaining
from service.guidance.tapering import RUNGS, next_step
from service.guidance.titration import dose_on, taken

ZERO = Fraction(0)
HARM, NOT_TOLERATED, OTHER_REASON = (
    "stopped-because-of-harm",
    "stopped-because-not-tolerated",
    "stopped-for-another-reason",
)
REASONS_TO_HURRY = frozenset({HARM, "serotonin-syndrome", "pregnancy", "allergy-to-amitriptyline"})
"""Reasons of an order for which a fast stop is right, whatever else is on record."""

CONTRAINDICATED = (
    "cardiac-arrhythmia",
    "heart-block",
    "long-qt",
    "brugada-syndrome",
    "serotonin-syndrome",
    "hepatic-failure",
    "delirium",
    "paralytic-ileus",
    "acute-angle-closure",
    "acute-urinary-retention",
    "allergy-to-amitriptyline",
)
"""Conditions that forbid amitriptyline, however long they are known."""
CORONARY = "ischaemic-heart-disease"
"""Forbids it, too, except on the US label."""
INFARCTIONS = frozenset({"recent-myocardial-infarction", "acute-myocardial-infarction"})
RECENT = frozenset(
    {
        HARM,
        *INFARCTIONS,
        *CONTRAINDICATED,
        "heart-failure",
        "stroke",
        "hepatic-impairment",
        "epilepsy",
        "bipolar-disorder",
        "angle-closure-glaucoma",
        "urinary-retention",
    }
)
"""Conditions that explain a stop when they began lately, also when they are over."""
INHIBITORS = ("maoi-irreversible", "maoi-reversible", "maoi-b", "maoi-antibiotic")
CISAPRIDE = "contraindicated-with-amitriptyline-us"
QTC = frozenset({"qtc-bazett", "qtc-fridericia", "qtc-method-unspecified"})


@states("harm", "unread", "cut", "small", "stop")
def amitriptyline_stopping(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R20: amitriptyline that was taken for weeks ends at once, or falls below half.

    Above the lowest rung a warning. An info ("stop now") when the reason of the stop or something on record
    explains it, and when its reason is not understood. Silent when another tricyclic takes its place, beside an MAO
    inhibitor of the session (its card says what to do), and while another order of the session carries on with at
    least half, or with the next rung of the example taper.
    """
    stops = chart.stops(AMITRIPTYLINE)
    drafts = [order for order in chart.drafts(AMITRIPTYLINE) if order.focus]
    if not (stops or drafts) or _another_in_place(chart):
        return None
    after = _after(chart)
    before = _before(chart, stops)
    if after is None or not _abrupt(before, after, thresholds):
        return None
    known, days = _taken_for(chart, stops, thresholds)
    if known and (days is None or days < thresholds["use"].value):
        return None
    state = _state(chart, stops, before, after, thresholds)
    minor = chart.under_age(thresholds["adult"].value)
    path = () if before is None or minor else taper(before, thresholds)
    harm = state == "harm"
    offers, withheld = ((), ()) if harm else next_step(chart, stops, before, path, thresholds)
    if not known:
        offers, withheld = (), (*withheld, "time-unknown")
    orders = [*stops, *drafts]
    listed = [order for order in taken(chart) if order.reference not in {o.reference for o in orders}]
    return Finding(
        card="amitriptyline-stopping",
        indicator=Indicator.WARNING if state in ("cut", "stop") else Indicator.INFO,
        orders=(*orders, *listed),
        state=state,
        facts={
            "order": orders[0],
            "before": before,
            "after": after,
            "days": days if known else None,
            "next_step": path[0] if path else None,
        },
        offers=offers,
        withheld=withheld if path and not harm else (),
    )


def _state(
    chart: Chart, stops: Sequence[MedicationOrder], before: Fraction | None, after: Fraction, thresholds: Thresholds
) -> str:
    """Which of the card's sentences holds."""
    if _explained(chart, stops, thresholds):
        return "harm"
    if before is not None and before <= thresholds["rung_4"].value:
        return "small"
    reasons = frozenset(reason for order in stops for reason in order.reasons)
    if any(order.stop_reason_given for order in stops) and not reasons & {NOT_TOLERATED, OTHER_REASON}:
        return "unread"
    return "cut" if after > 0 else "stop"


def _another_in_place(chart: Chart) -> bool:
    """True when this session orders another tricyclic, or a drug beside which amitriptyline must not be taken.

    So it is when the reason of the stop names another tricyclic.
    """
    if any(TRICYCLIC in order.reasons for order in chart.stops(AMITRIPTYLINE)):
        return True
    ordered = [o for o in chart.of_class(TRICYCLIC, *INHIBITORS, roles=(Role.DRAFT,)) if o.focus]
    return any(not order.drug.names(AMITRIPTYLINE) for order in ordered)


def taper(dose: Fraction, thresholds: Thresholds) -> tuple[Fraction, ...]:
    """The doses of the example taper below a dose, down to the last before the stop.

    Above the highest rung each step is half, in whole tablets upwards, and at least that rung.
    """
    rungs = [thresholds[name].value for name in RUNGS]
    path: list[Fraction] = []
    while dose > rungs[0]:
        dose = max(rungs[0], ceil(dose / 2 / thresholds["tablet"].value) * thresholds["tablet"].value)
        path.append(dose)
    return (*path, *(rung for rung in rungs if rung < dose))


def _after(chart: Chart) -> Fraction | None:
    """The mg a day at the start of what the session leaves; zero when nothing, None when a dose is not computed."""
    drafts = list(chart.drafts(AMITRIPTYLINE))
    together = duplicates(chart)
    left = drafts or [order for order in remaining(chart, AMITRIPTYLINE) if not order.is_draft]
    doses = [_first(order) for order in left]
    both = [_first(order) for order in together]
    if None in doses or None in both:
        return None
    known = [dose for dose in doses if dose is not None]
    return max(sum((dose for dose in both if dose is not None), ZERO), *known, ZERO)


def _first(order: MedicationOrder) -> Fraction | None:
    """The mg a day at the start of an order, zero when it says zero, None when nothing is computed."""
    if isinstance(order.dose, DailyDose):
        return order.dose.first.high
    return ZERO if gives_nothing(order) else None


def _before(chart: Chart, stops: Sequence[MedicationOrder]) -> Fraction | None:
    """The mg a day taken until now: of the list, else of the order that is stopped; None when not computed."""
    listed = [
        dose_on(order, order.dose, chart.today)[0].high for order in taken(chart) if isinstance(order.dose, DailyDose)
    ]
    stopped = [order.dose.high for order in stops if isinstance(order.dose, DailyDose)]
    return max(listed or stopped, default=None)


def _abrupt(before: Fraction | None, after: Fraction, thresholds: Thresholds) -> bool:
    """True for a stop, and for a cut below half that is not the next step of the example either."""
    if after == 0:
        return True
    if before is None:
        return False
    step = next(iter(taper(before, thresholds)), ZERO)
    return after * 2 < before and after < step


def _taken_for(chart: Chart, stops: Sequence[MedicationOrder], thresholds: Thresholds) -> tuple[bool, int | None]:
    """Whether the record tells how long amitriptyline was taken without a break, and the days (None: not at all)."""
    listed = taken(chart) or list(chart.past(AMITRIPTYLINE))
    if not listed and all(order.authored is None for order in stops):
        return chart.history_known, None
    treatment = chart.taken_since(AMITRIPTYLINE, int(thresholds["gap"].value))
    if treatment is None:
        return False, None
    days = (chart.today - treatment.since).days
    return treatment.certain or days >= thresholds["use"].value, days


def _explained(chart: Chart, stops: Sequence[MedicationOrder], thresholds: Thresholds) -> bool:
    """True when the reason of the stop, or something on record, makes a fast stop right."""
    reasons = frozenset(reason for order in stops for reason in order.reasons)
    return (
        bool(reasons & (REASONS_TO_HURRY | RECENT))
        or AMITRIPTYLINE in chart.allergies
        or chart.has(*CONTRAINDICATED)
        or (chart.jurisdiction != "us" and chart.has(CORONARY))
        or bool(chart.of_class(*INHIBITORS, CISAPRIDE))
        or any(True for _ in _lately(chart, thresholds))
        or _qtc_long(chart, thresholds)
    )


def _lately(chart: Chart, thresholds: Thresholds) -> Iterator[str]:
    """Conditions that began lately, an infarction within the time for which amitriptyline is forbidden after it."""
    for condition in chart.conditions:
        span = thresholds["infarction" if condition.sets & INFARCTIONS else "recent"].value
        since = chart.today - timedelta(days=int(span))
        if condition.sets & RECENT and condition.onset is not None and condition.onset.latest >= since:
            yield condition.label


def _qtc_long(chart: Chart, thresholds: Thresholds) -> bool:
    """True when a corrected QT interval of lately is at or above the critical one."""
    since = chart.today - timedelta(days=int(thresholds["recent"].value))
    found = [m for m in chart.measurements if m.kind in QTC and m.unit == "ms" and since <= m.taken <= chart.today]
    limit = thresholds["qtc"].value
    return any(m.value is not None and m.value >= limit and not m.comparator.startswith("<") for m in found)


RULES: tuple[Rule, ...] = (amitriptyline_stopping,)

"""Steps of amitriptyline's dose, inside an order and from the list to the draft (R08)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise

from service.chart import Chart
from service.dates import later
from service.dosing.dosage import DailyDose
from service.engine.finding import Finding, Indicator, Thresholds, states
from service.facts import MedicationOrder
from service.guidance.amitriptyline import purpose
from service.guidance.duplicates import before
from service.guidance.ids import AMITRIPTYLINE


@dataclass(frozen=True, slots=True)
class Step:
    """A rise of the dose: mg on a dosing day before and after, and how long the dose before was taken.

    ``follows`` is another draft of the session of which the order is the next step.
    """

    order: MedicationOrder
    before: Fraction
    after: Fraction
    days: Fraction | None
    inside: bool
    follows: MedicationOrder | None = None

    @property
    def rise(self) -> Fraction:
        """The mg added."""
        return self.after - self.before


@states("too-large", "too-soon", "within-label", "length", "depression")
def amitriptyline_titration(chart: Chart, thresholds: Thresholds) -> Finding | None:
    """R08: steps above the article's pace; above the label's a warning, unless it is for depression.

    Steps inside one order and the step from the order on the list to the draft. A step inside an order whose
    length is not stated is said, because nothing tells its pace.
    """
    if chart.under_age(thresholds["adult"].to("a")):
        return None
    steps = [
        (indicator, step)
        for order in chart.selected(AMITRIPTYLINE)
        if isinstance(order.dose, DailyDose)
        for step in _steps(chart, order, order.dose)
        if (indicator := _pace(step, thresholds)) is not None
    ]
    if not steps:
        return None
    urgent, step = max(steps, key=lambda entry: (entry[0], entry[1].rise))
    depression = purpose(chart, [step.order]) == "depression"
    return Finding(
        card="amitriptyline-titration",
        indicator=Indicator.INFO if depression else urgent,
        orders=(step.order, *([step.follows] if step.follows else () if step.inside else chart.current(AMITRIPTYLINE))),
        state="depression" if depression else _state(step, thresholds),
        facts={
            "before": step.before,
            "after": step.after,
            "rise": step.rise,
            "days": step.days,
            "inside": step.inside,
        },
    )


def _state(step: Step, thresholds: Thresholds) -> str:
    """Which of the card's sentences holds for a step that is not for depression."""
    if step.rise > thresholds["label_step"].to("mg"):
        return "too-large"
    if step.days is not None and step.days < thresholds["label_interval"].to("d"):
        return "too-soon"
    above = step.days is not None or step.rise > thresholds["article_step"].to("mg")
    return "within-label" if above else "length"


def _steps(chart: Chart, order: MedicationOrder, dose: DailyDose) -> Iterator[Step]:
    """The rises that a draft brings: from the draft that it follows or from what is taken now, and inside the order.

    A draft that comes on top of what is taken (R27) rises by even more.
    """
    now = _now(chart)
    earlier = _follows(chart, order)
    if earlier is not None:
        yield earlier
    elif now is not None:
        yield Step(order, now[0], dose.first.dosing_day, now[1], inside=False)
    for one, next_one in pairwise(dose.steps):
        yield Step(order, one.dosing_day, next_one.dosing_day, one.days, inside=True)


def _follows(chart: Chart, order: MedicationOrder) -> Step | None:
    """The rise from the last of the session's drafts that end before this one begins; None without any."""
    drafted = [draft for draft in chart.drafts(AMITRIPTYLINE) if before(draft, order)]
    last = max(drafted, key=lambda draft: draft.began or date.min, default=None)
    if last is None or last.computed is None or order.computed is None:
        return None
    step = last.computed.steps[-1] if last.computed.steps else last.computed
    days = step.days
    if not last.computed.steps and last.began is not None and order.began is not None:
        days = Fraction((order.began - last.began).days)
    return Step(order, step.dosing_day, order.computed.first.dosing_day, days, inside=True, follows=last)


def _pace(step: Step, thresholds: Thresholds) -> Indicator | None:
    """How urgent the pace of a rise is; None within the article's. 10 mg a week is also 5 mg in half a week."""
    article, interval = thresholds["article_step"].to("mg"), thresholds["article_interval"].to("d")
    if step.rise <= 0:
        return None
    soon = step.days is not None and step.days < thresholds["label_interval"].to("d")
    if step.rise > article or (step.days is not None and step.rise * interval > article * step.days):
        urgent = soon or step.rise > thresholds["label_step"].to("mg")
        return Indicator.WARNING if urgent else Indicator.INFO
    return Indicator.INFO if step.days is None and step.inside else None


def _now(chart: Chart) -> tuple[Fraction, Fraction | None] | None:
    """The most that is taken now on a dosing day, and for how many days at least; None when no dose is known.

    An order of today corrects rather than follows; for it, and for a renewal, nothing tells how long.
    """
    taken = list(reached(chart, chart.current(AMITRIPTYLINE)))
    if not taken:
        return None
    day = max(dose.dosing_day for _, dose, _ in taken)
    same = [(order, since) for order, dose, since in taken if dose.dosing_day == day]
    since = min((since for _, since in same if since is not None), default=None)
    if since is None or since >= chart.today or any(order.continues_earlier for order, _ in same):
        return day, None
    return day, Fraction((chart.today - since).days)


def reached(
    chart: Chart, orders: Iterable[MedicationOrder]
) -> Iterator[tuple[MedicationOrder, DailyDose, date | None]]:
    """Orders whose dose is known, each with the step that it has reached and the first day of that."""
    for order in orders:
        if isinstance(order.dose, DailyDose):
            yield (order, *_step_on(order, order.dose, chart.today))


def _step_on(order: MedicationOrder, dose: DailyDose, today: date) -> tuple[DailyDose, date | None]:
    """The step that an order has reached, and its first day; the last one when nothing tells."""
    began = order.began
    for step in dose.steps[:-1]:
        if began is None or step.days is None:
            return dose.steps[-1], None
        ends = later(began, int(step.days))
        if today < ends:
            return step, began
        began = ends
    return (dose.steps[-1] if dose.steps else dose), began

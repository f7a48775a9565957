"""How every order in a file is read, to explain why a card says what it says (``tolami dose``)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path

import click

from service.cli.output import (
    Refused,
    as_json,
    day_option,
    documents,
    example,
    library,
    named,
    print_json,
    standard_output,
)
from service.dosing.amount import NotComputed, Product, number
from service.dosing.compute import daily_dose
from service.dosing.dosage import DailyDose
from service.engine.library import Library
from service.facts import MedicationOrder, Role, Unread, body_weight
from service.fhir.observations import observed
from service.fhir.orders import read_dosages
from service.fhir.recognise import identify
from service.fhir.resources import Resource, as_resource, entries, reference
from service.fhir.versions import ORDER_TYPES, STATEMENT_TYPES
from service.jsonio import decode


@dataclass(frozen=True, slots=True)
class OrderReading:
    """How one order was read. ``dose`` is the working, or the sentence why there is none (``computed`` false)."""

    reference: str
    status: str
    label: str
    drug: str
    evidence: str
    dose: str
    details: tuple[str, ...]
    computed: bool


def readings(path: Path, library: Library, today: date) -> Iterator[tuple[str, OrderReading]]:
    """The reading of every order in a file, with its place: resources, bundles or whole hook requests.

    Raises Refused.
    """
    for place, body in documents(path) or [(named(path), b"")]:
        yield from ((place, each) for each in _readings(place, decode(body), library, today))


def _readings(place: str, value: object, library: Library, today: date) -> list[OrderReading]:
    if value is None:
        raise Refused(f"{place}: not JSON")
    resources = list(_resources(value))
    orders = [r for r in resources if r["resourceType"] in ORDER_TYPES | STATEMENT_TYPES]
    if not orders:
        raise Refused(
            f"{place}: no orders. Expected a MedicationRequest, MedicationOrder or MedicationStatement, a Bundle of"
            " them, or a hook request."
        )
    weight_days = int(library.cards["not-checked"].thresholds["weight_age"].value)
    measured = observed(resources, library.terminology).measurements
    weight = body_weight(measured, today, weight_days)
    medications = {reference(r): r for r in resources if r["resourceType"] == "Medication"}
    return [reading(order, medications, weight, library) for order in orders]


def _resources(value: object) -> Iterator[Resource]:
    """Every resource in a file: the file itself, entries of bundles, context and prefetch of a hook request."""
    if not isinstance(value, dict):
        return
    resource = as_resource(value)
    if resource is not None:
        yield resource
        if resource["resourceType"] == "Bundle":
            yield from entries(resource)
        return
    for part in ("context", "prefetch"):
        held = value.get(part)
        for item in held.values() if isinstance(held, dict) else ():
            yield from _resources(item)


def reading(
    order: Resource, medications: dict[str, Resource], weight: Fraction | None, library: Library
) -> OrderReading:
    """How an order is read, with the Medication resources that it may name and the patient's weight in kg."""
    terminology, subjects = library.terminology, library.plan.subjects
    identity = identify(order, medications, terminology)
    recognised = identity.recognition
    drug = next((d for d in subjects if recognised.names(d)), next(iter(recognised.drugs), ""))
    product = Product(drug, recognised, identity.label, identity.strengths, weight)
    dose = daily_dose(read_dosages(order), product)
    shown = MedicationOrder(reference(order), identity.label, recognised, Role.DRAFT)
    disputed = any(recognised.disputes(d) for d in subjects)
    return OrderReading(
        reference=shown.reference or order["resourceType"],
        status=str(order.get("status", "")),
        label=identity.label or "no drug named",
        drug=", ".join(recognised.drugs) + (" (for the skin)" if recognised.topical else ""),
        evidence="codes and words disagree" if disputed else recognised.evidence or identity.problem,
        dose=dose.working if isinstance(dose, DailyDose) else _why_not(dose, shown, library),
        details=_details(dose) if isinstance(dose, DailyDose) else (),
        computed=isinstance(dose, DailyDose),
    )


def _why_not(dose: NotComputed, order: MedicationOrder, library: Library) -> str:
    from service.engine.rendering import Renderer  # a fifth of the command, and seldom needed

    gap = Unread(dose.reason, order, dose.element, dose.found, dose.conflict)
    return Renderer.of(library).sentence(gap, marked=False).replace("**", "")


def _details(dose: DailyDose) -> tuple[str, ...]:
    """What rules look at besides the daily dose."""
    facts = [f"largest single dose {_mg(dose.single)}", f"most on a dosing day {_mg(dose.dosing_day)}"]
    facts += [f"step {n}: {step.working}" for n, step in enumerate(dose.steps, 1)]
    facts += ["added up: the order does not say whether its instructions follow each other"] if dose.together else []
    return tuple(facts)


def _mg(value: Fraction) -> str:
    return f"{number(value)} mg"


@click.command(
    help="""Show how every order in a file is read: drug, dose, working, or why not.

    FILES are a MedicationRequest, MedicationOrder or MedicationStatement, a Bundle, or a whole hook request; - is
    standard input. A file NAME.ndjson, and standard input, may hold one of them on each line.
    """,
    epilog=example(
        "tolami dose my-request.json\n"
        "curl -s https://fhir.example.org/r4/MedicationRequest/1 | tolami dose - --format json"
    ),
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@day_option("The day to read for; by default today.")
@as_json
def dose(files: tuple[Path, ...], today: date, form: str) -> None:
    from service.cli.display import dose_lines

    cards, console = library(), standard_output()
    found = []
    for file in files:
        for place, reading in readings(file, cards, today):
            found.append({"file": place, **asdict(reading)})
            for line in dose_lines(reading) if form == "table" else ():
                console.print(line, soft_wrap=True)
    if form == "json":
        print_json(found)

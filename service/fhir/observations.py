"""Measurements of the patient that decisions rest on, in one unit for each kind."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from service.dates import event, later
from service.dosing.amount import number
from service.dosing.filtration import NUMBERS, egfr
from service.facts import EGFR_COMPUTED, Measurement, Patient, Unread
from service.fhir.concepts import ALL, Room, concept_of, status_codes
from service.fhir.gaps import OBSERVATIONS, TOO_MANY_KNOWN, WHY
from service.fhir.genes import METABOLISM, PHENOTYPE, Genes
from service.fhir.measurement_units import in_units, plausible, unit_of
from service.fhir.observed_values import (
    QUANTITY,
    coded_answer,
    given_values,
    measured_value,
    per_surface,
    shown_value,
    unit_in,
)
from service.fhir.prefetch import State
from service.fhir.resources import Resource, aslist, exact, one, text
from service.terminology.folding import plain
from service.terminology.recognise import Terminology

VALID = frozenset({"final", "amended", "corrected"})
WITHDRAWN = frozenset({"entered-in-error", "cancelled"})
CREATININE = "serum-creatinine"
GLOMERULAR = ("egfr-", "creatinine-clearance-")
UNIT, IMPLAUSIBLE = "measurement-unit", "measurement-implausible"
HELD_BACK = frozenset({"masked", "as-text", "not-permitted"})
"""Reasons for which a value is absent that there is; the others say that nothing was measured."""
UNCORRECTED, CORRECTED = "qt-uncorrected", "qtc-"
MOST_VALUES = 5000
"""Values of one call that are read, components of panels included."""

PANEL = "bp-panel"

STATUS = "-status"
"""How kinds end that are answered with yes or no."""

PREGNANCY = f"pregnancy{STATUS}"
YES_OR_NO = {True: "yes", False: "no"}
"""A boolean answer, as the word that a questionnaire would give."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Valid observations of the kinds that the terminology knows, components of panels included.

    ``unread`` are values of such kinds that could not be used, each kind once for each reason: not final, without a
    time that can be read, in words or in a unit that are not read, missing, or a QT that nobody corrected for the heart
    rate; and how many observations do not say what was observed.
    """

    measurements: tuple[Measurement, ...] = ()
    unread: tuple[Unread, ...] = ()


def observed(
    resources: Iterable[Resource], terminology: Terminology, room: Room | None = None, today: date = date.max
) -> Observed:
    """The observations of a list. A coded answer beyond the letters allowed for one call is not read.

    Where the patient is, the day after today may have begun; a later one cannot be when something was measured.
    """
    room = room or Room()
    found: list[Measurement] = []
    unread: dict[tuple[str, str], Unread] = {}
    uncorrected: dict[date, str] = {}
    valid = [r for r in resources if r["resourceType"] == "Observation" and status_of(r) not in WITHDRAWN]
    too_many = sum(1 + len(aslist(resource.get("component"))) for resource in valid) - MOST_VALUES
    if too_many > 0:
        unread[OBSERVATIONS, TOO_MANY_KNOWN] = Unread(TOO_MANY_KNOWN, element=OBSERVATIONS, found=str(too_many))
    if nameless := sum(_nameless(resource, terminology) for resource in valid):
        unread[OBSERVATIONS, ""] = Unread(WHY[State.DAMAGED], element=OBSERVATIONS, found=str(nameless))
    genes = Genes(valid, terminology)
    for resource, parts in parts_within(valid, MOST_VALUES):
        status = status_of(resource)
        for part in parts:
            for kind, given in _values(part, resource, terminology, genes) if isinstance(part, dict) else ():
                day = _day(resource, today)
                value, unit = measured_value(given, kind)
                odd = value is not None and not plausible(kind, value)
                value = None if odd else value
                shown = shown_value(given, part)
                answer, sets, heard = _answered(part, kind, terminology, room, today)
                missing = not shown and _lacks_value(part, kind)
                reason = _unusable(status, day, given, value, kind, heard) if shown or missing else ""
                reason = IMPLAUSIBLE if odd else reason
                reason = "gene-unnamed" if kind == METABOLISM and not reason and answer else reason
                if reason:
                    said = unit_in(given) if reason == UNIT else shown
                    title = terminology.concept_sets[kind].title
                    unread.setdefault((kind, reason), Unread(reason, element=title, found=said))
                elif day is not None and kind == UNCORRECTED:
                    uncorrected[day] = shown
                if day is not None and status in VALID and (value is not None or (answer and heard)):
                    comparator = text(given.get("comparator")) if isinstance(given, dict) else ""
                    found.append(Measurement(kind, day, value, unit, answer, sets, comparator, per_surface(given)))
    corrected = max((m.taken for m in found if m.kind.startswith(CORRECTED)), default=date.min)
    if uncorrected and max(uncorrected) > corrected:
        unread["qt", UNCORRECTED] = Unread(UNCORRECTED, found=uncorrected[max(uncorrected)])
    return Observed(tuple(found), tuple(unread.values()))


def parts_within(resources: Iterable[Resource], room: int) -> Iterator[tuple[Resource, list[Any]]]:
    """Each resource with itself and its components, as many of them as there is room for."""
    for resource in resources:
        parts = [resource, *aslist(resource.get("component"))][: max(room, 0)]
        room -= len(parts)
        yield resource, parts


def _answered(
    part: Resource, kind: str, terminology: Terminology, room: Room, today: date
) -> tuple[str, frozenset[str], bool]:
    """An answer in words, the sets that it affirms, and whether it was understood; unknown is no answer.

    A day for the answer of a pregnancy is that of its delivery: one to come affirms it.
    """
    due = event(text(part.get("valueDateTime"))) if kind == PREGNANCY else None
    if due is not None:
        awaited = due.latest >= today
        return (YES_OR_NO[True], frozenset({kind.removesuffix(STATUS)}), True) if awaited else ("", frozenset(), True)
    coded = concept_of(part.get("valueCodeableConcept"), ALL)
    answer = (coded_answer(coded) or text(part.get("valueString")) or _yes_or_no(part))[:ALL]
    if kind.endswith(PHENOTYPE):
        answer = _activity(part, answer)
    if not answer:
        return "", frozenset(), True
    if not room.holds(coded.size + len(answer)):
        return answer, frozenset(), False
    meaning = terminology.words.answer(answer)
    if kind.endswith(STATUS) and meaning == "unknown":
        return "", frozenset(), True
    if kind.endswith(PHENOTYPE):
        type_ = terminology.words.metaboliser("; ".join((*(coding.code for coding in coded.codings), answer)))
        return answer, frozenset({type_} if type_ else ()), True
    saying = terminology.problem(coded.codings, (answer,))
    if not kind.endswith(STATUS):
        return answer, saying.present, True
    sets = saying.present | ({kind.removesuffix(STATUS)} if meaning == "yes" else set())
    return answer, sets, bool(meaning or sets or (saying.understood and not saying.suspected))


def _activity(part: Resource, answer: str) -> str:
    """The answer about an enzyme; a bare number is of its activity if the words of what was measured say "score"."""
    given = one(part.get("valueQuantity", part.get("valueInteger")))
    score = exact(given.get("value") if isinstance(given, dict) else answer if given is None else given)
    if score is None:
        return answer
    named = any("score" in plain(words) for words in concept_of(part.get("code")).words)
    return f"activity score {number(score)}" if named else number(score)


def status_of(resource: Resource) -> str:
    """The status of an observation in small letters."""
    return text(one(resource.get("status"))).strip().lower()


def _yes_or_no(part: Resource) -> str:
    given = part.get("valueBoolean")
    return YES_OR_NO[given] if isinstance(given, bool) else ""


def _nameless(resource: Resource, terminology: Terminology) -> bool:
    """True when nobody can say what was observed: neither words nor a code of a system that is known."""
    concept = concept_of(resource.get("code"))
    return not any(map(str.strip, concept.words)) and not any(map(terminology.can_judge, concept.codings))


def _lacks_value(part: Resource, kind: str) -> bool:
    """True when a measurement has no value, and does not say that nothing was measured."""
    absent = status_codes(part.get("dataAbsentReason"))
    panel = kind == PANEL or "component" in part or "hasMember" in part
    return not panel and not (kind.endswith(STATUS) or absent - HELD_BACK)


def _kinds(part: Resource, panel: Resource, terminology: Terminology, genes: Genes) -> frozenset[str]:
    """What was measured, by its codes; by its words when no code is known; else as words of the value say.

    "Systolic" of a panel is what the words of both are. The most particular counts: a pressure standing is no other.
    """
    concept = concept_of(part.get("code"))
    words = tuple(dict.fromkeys(concept.words))
    of_panel = () if part is panel else tuple(concept_of(panel.get("code")).words)
    coded = terminology.concepts(concept.codings) & terminology.ids["observations"]
    found = coded or terminology.words.measured(words)
    if of_panel and not coded:
        found |= terminology.words.measured(tuple(f"{outer} {inner}" for outer in of_panel for inner in words))
    said = text(part.get("valueString"))[:ALL]
    if not found and any(unit_of(match[3]) for match in QUANTITY.finditer(said)):
        found = frozenset(filter(in_units, terminology.words.measured((said,))))
    if not found or METABOLISM in found:
        found = genes.kinds(part, panel, effect=bool(found))
    return frozenset(kind for kind in found if not any(other.startswith(f"{kind}-") for other in found))


def _values(part: Resource, panel: Resource, terminology: Terminology, genes: Genes) -> Iterator[tuple[str, Any]]:
    """Each kind of measurement with its value."""
    for kind in sorted(_kinds(part, panel, terminology, genes)):
        yield from given_values(part, kind)


def _unusable(status: str, day: date | None, given: Any, value: Fraction | None, kind: str, heard: bool) -> str:
    """Why a value cannot be used, empty when it can. ``heard`` says that an answer in words was understood."""
    if status not in VALID:
        return "measurement-not-final"
    if day is None:
        return "measurement-undated"
    if given is not None and value is None:
        readable = exact(given.get("value") if isinstance(given, dict) else given) is not None
        return UNIT if readable else "measurement-in-words"
    return "measurement-in-words" if given is None and (in_units(kind) or not heard) else ""


def _day(resource: Resource, today: date) -> date | None:
    """When it was measured: of a period its end, of a date known to the month or year its first day."""
    period = resource.get("effectivePeriod")
    of_period = (period.get("end"), period.get("start")) if isinstance(period, dict) else ()
    given = (resource.get("effectiveDateTime"), resource.get("effectiveInstant"), *of_period)
    day = next((found.earliest for value in given if (found := event(text(value))) is not None), None)
    return None if day is None or day > later(today, 1) else min(day, today)


def computed_rate(
    measured: Sequence[Measurement], who: Patient, numbers: Mapping[str, Fraction]
) -> tuple[Measurement | None, bool]:
    """The filtration rate of the latest creatinine, where none is as new and it can be computed.

    True beside it where there is only a creatinine, and nothing can be computed from it.
    """
    latest, given = _newest(measured, CREATININE), _newest(measured, GLOMERULAR)
    if latest is None:
        return None, False
    alone = None, given is None
    if not numbers.keys() >= NUMBERS.keys() or (given is not None and given.taken >= latest.taken):
        return alone
    age = who.age(latest.taken)
    if latest.value is None or latest.comparator or age is None or age.at_least < 0:
        return alone
    value = egfr(latest.value, latest.unit, age.at_most, who.gender, numbers)
    if value is None:
        return alone
    return Measurement(EGFR_COMPUTED, latest.taken, value, "mL/min", indexed=True, computed=True), False


def _newest(measured: Sequence[Measurement], kinds: str | tuple[str, ...]) -> Measurement | None:
    """The newest value of the kinds that begin so."""
    return max((m for m in measured if m.kind.startswith(kinds)), key=lambda m: m.taken, default=None)

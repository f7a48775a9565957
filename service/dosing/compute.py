"""The daily dose of an order in mg, exact, with its working; or why it cannot be computed (rules Q1 to Q6, Q8).

Nothing is guessed: an unknown unit, strength or frequency gives ``NotComputed`` with the element and what stood
there. Structured data decides; words only fill what it leaves out, and where the two disagree there is no dose.
No exception leaves this module for any ``Dosage``.

Doses are intervals. An as-needed order is its worst case.
"""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from service.dosing.amount import Amount, NotComputed, Product, amount, number
from service.dosing.beside import unheard
from service.dosing.dosage import DailyDose, Dosage, Timing, combined
from service.dosing.freetext import directions
from service.dosing.structured import amounts, as_needed_dose, refused, structured_dose
from service.dosing.timing import IMPLAUSIBLE, rate

GAPS = frozenset({"dose-missing", "frequency-missing", "daily-maximum-not-stated"})
"""What words may fill: parts that the data leaves out."""

LEFT = frozenset(
    {"frequency-missing", "daily-maximum-not-stated", "text-conflict", IMPLAUSIBLE}
    | {"strength-unknown", "strength-conflict", "concentration-unknown"}
)
"""What is reported when the words were understood but give no dose."""

MAXIMUM_ONLY = "dose-maximum-only"


def daily_dose(dosages: Sequence[Dosage], product: Product) -> DailyDose | NotComputed:
    """The daily dose of the product's drug; for a combination product the drug's own part (Q8).

    Instructions to take nothing, as in the scheme 1-0-1 sent as three, count as nothing beside others.
    """
    if not dosages:
        return NotComputed("dose-missing", "dosageInstruction")
    taken = [dosage for dosage in dosages if not _nothing(dosage)] or list(dosages)
    doses: list[DailyDose] = []
    for dosage in taken:
        dose = _instruction(dosage, product)
        if isinstance(dose, NotComputed):
            whole = _whole_in_words(taken, product) if dose.reason == "text-conflict" and len(taken) > 1 else None
            return whole or dose
        doses.append(dose)
    dose = combined(taken, doses)
    words = unheard(taken, doses, product)
    return replace(dose, unheard=words) if words else dose


def _whole_in_words(dosages: Sequence[Dosage], product: Product) -> DailyDose | None:
    """The dose of the data, where the words of one part say that of the whole, as in Swiss split dosing."""
    silent = [replace(dosage, text="") for dosage in dosages]
    found = [structured_dose(dosage, product) for dosage in silent]
    doses = [dose for dose in found if isinstance(dose, DailyDose)]
    if len(doses) < len(found) or any(dosage.unreadable for dosage in dosages):
        return None
    whole = combined(silent, doses)
    for dosage, dose in zip(dosages, doses, strict=True):
        said = directions(dosage.text) if dosage.text else None
        worded = _filled(_with_words(dosage, said), said, product) if said is not None else whole
        if not isinstance(worded, DailyDose) or worded.high not in (whole.high, dose.high):
            return None
    return whole


def _nothing(dosage: Dosage) -> bool:
    if dosage.unreadable or dosage.high is None:
        return False
    return dosage.high.value == 0 and all(high is not None and high.value == 0 for _, high in dosage.others)


def _instruction(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose of one instruction; none where the words of another of its members say another one."""
    dose = _from_data_and_words(dosage, product)
    if isinstance(dose, NotComputed):
        return dose
    others = (_agreeing(dosage, dose, words, product) for words in filter(None, map(directions, dosage.beside)))
    return next((other for other in others if isinstance(other, NotComputed)), dose)


def _from_data_and_words(dosage: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose of one instruction from its data; from its words only what the data leaves out."""
    if dosage.unreadable:
        return NotComputed("element-unreadable", dosage.unreadable[0], dosage.found)
    said = directions(dosage.text) if dosage.text else None
    dose = structured_dose(dosage, product)
    if said is None:
        return _not_understood(dosage, dose)
    if isinstance(dose, DailyDose):
        return _agreeing(dosage, dose, said, product)
    if dose.reason not in GAPS:
        return dose
    worded = _filled(dosage, said, product)
    if isinstance(worded, DailyDose):
        return _agreeing(dosage, worded, said, product)
    if worded.reason in LEFT:
        return worded
    if worded.reason != "dose-missing":
        return _not_understood(dosage, dose)
    return NotComputed(MAXIMUM_ONLY, dosage.words_element, dosage.text) if said.maxima else dose


def _not_understood(dosage: Dosage, dose: DailyDose | NotComputed) -> DailyDose | NotComputed:
    """The dose of the data; where it lacks something, the reason mentions the words that do not supply it."""
    if dosage.text and isinstance(dose, NotComputed) and dose.reason in ("dose-missing", "frequency-missing"):
        return NotComputed("dose-in-words", dosage.words_element, dosage.text)
    if dosage.maxima and isinstance(dose, NotComputed) and dose.reason == "dose-missing":
        return NotComputed(MAXIMUM_ONLY, f"{dosage.element}.maxDosePerPeriod")
    return dose


def _filled(dosage: Dosage, said: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose with what the words add to the data."""
    completed = _limited(dosage, said)
    if said.slots:
        dose = _scheme(completed, said, product)
    else:
        if said.timing is not None and _silent(dosage.timing):
            count = dosage.timing.count if dosage.timing is not None else None
            completed = replace(completed, timing=replace(said.timing, count=count))
        if dosage.high is None:
            completed = replace(completed, low=said.low, high=said.high, others=said.others or dosage.others)
        dose = structured_dose(completed, product)
    if isinstance(dose, NotComputed) and dose.reason == "doses-differ":
        return NotComputed("text-conflict", dosage.words_element, dose.found, conflict=True)
    return _read_from_text(dose) if isinstance(dose, DailyDose) else dose


def _agreeing(dosage: Dosage, dose: DailyDose, said: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose, "as needed" and limited where the words add that; none where they say another dose.

    What is taken regularly has to be the same without the maximum of the data, too: that hides no third tablet.
    """
    completed = _limited(dosage, said)
    structured = dose if completed is dosage else structured_dose(completed, product)
    added = structured if isinstance(structured, DailyDose) else dose
    spoken = _with_words(completed, said)
    worded = _filled(spoken, said, product)
    if isinstance(worded, DailyDose):
        unlimited = _filled(replace(spoken, maxima=()), said, product) if spoken.maxima else worded
        theirs = unlimited if isinstance(unlimited, DailyDose) else worded
        capped = bool(spoken.maxima) and not completed.as_needed and not _same(theirs, added, a_day=said.a_day)
        regular = structured_dose(replace(dosage, maxima=()), product) if capped else theirs
        apart = not _same(worded, added, a_day=said.a_day)
        if apart or (isinstance(regular, DailyDose) and not _same(theirs, regular, a_day=said.a_day)):
            alone = structured_dose(dosage, product)
            found = _told_apart(alone if isinstance(alone, DailyDose) else added, theirs)
            return NotComputed("text-conflict", dosage.words_element, found, conflict=True)
    return dose if added == dose else _read_from_text(added)


def _same(one: DailyDose, other: DailyDose, *, a_day: bool) -> bool:
    """True for doses that are alike; where words only say what a day comes to, nobody knows the single one."""
    return one.high == other.high and (a_day or one.single == other.single)


def _told_apart(data: DailyDose, words: DailyDose) -> str:
    """What data and words say: mg a day, and where that is the same, mg at once; shorter than what a card cuts off."""
    of_data, of_words = (f"{number(dose.high)} mg/day" for dose in (data, words))
    if of_data == of_words:
        return f"{of_data} as {number(data.single)} / {number(words.single)} mg at once"
    return f"{of_data} / {of_words}"


def _silent(timing: Timing | None) -> bool:
    """True when a timing says nothing of how often: only bounds or a count."""
    return timing is None or timing == Timing(count=timing.count)


def _limited(dosage: Dosage, said: Dosage) -> Dosage:
    """The instruction as needed, and at most so much a day, where the words say so and the data does not."""
    maxima, needed = dosage.maxima or said.maxima, dosage.as_needed or said.as_needed
    same = maxima == dosage.maxima and needed == dosage.as_needed
    return dosage if same else replace(dosage, as_needed=needed, maxima=maxima)


def _with_words(dosage: Dosage, said: Dosage) -> Dosage:
    """The instruction with every part that the words mention taken out, to be filled from the words."""
    timing = dosage.timing
    if said.timing is not None or said.slots:
        timing = Timing(count=timing.count) if timing is not None else None
    if said.high is not None:
        dosage = replace(dosage, low=None, high=None, others=())
    return replace(dosage, timing=timing, maxima=() if said.maxima else dosage.maxima)


def _read_from_text(dose: DailyDose) -> DailyDose:
    return replace(dose, from_text=True, working=f"{dose.working} (read from text)")


def _scheme(dosage: Dosage, said: Dosage, product: Product) -> DailyDose | NotComputed:
    """The dose of "1-0-1": the counts of a day, each of one amount. What the data says must be the same."""
    found = amounts(said, product)
    if isinstance(found, NotComputed):
        return found
    _, one = found
    largest = Amount(one.mg * max(said.slots), f"{number(max(said.slots))} × {one.words}")
    differing = _unlike_scheme(dosage, len(said.slots), largest, product)
    if differing is not None:
        return differing
    total = one.mg * sum(said.slots)
    counts = " + ".join(map(number, said.slots))
    dose = DailyDose(
        low=total,
        high=total,
        single=largest.mg,
        dosing_day=total,
        times=Fraction(len(said.slots)),
        working=f"({counts}) × {one.words} = {number(total)} mg/day",
        days=dosage.days,
    )
    return as_needed_dose(dosage, dose, largest, product) if dosage.as_needed else dose


def _unlike_scheme(dosage: Dosage, times: int, largest: Amount, product: Product) -> NotComputed | None:
    """Why data beside a scheme does not go with it: another number of times, another amount; None when it does."""
    stated = None if _silent(dosage.timing) else rate(dosage.timing)
    if isinstance(stated, NotComputed):
        return refused(stated, dosage)
    given = amount(dosage.high, product) if dosage.high is not None else largest
    if stated is not None and not stated.low <= times <= stated.high:
        found = f"{stated.words} / {times} a day"
    elif isinstance(given, Amount) and given.mg != largest.mg:
        found = f"{given.words} / {largest.words}"
    else:
        return None
    return NotComputed("text-conflict", dosage.words_element, found, conflict=True)

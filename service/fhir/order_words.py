"""The words of an order, or of an entry of the list: which give its dose, and whether its drug is not taken at all.

"STOP", "Absetzen" and "on hold" stand in instructions, in notes and in R5's words for all instructions, and no code
says the same.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from service.dosing.dosage import Dosage
from service.dosing.freetext import directions, frequency
from service.dosing.timing import rate_of_code
from service.facts import WORDS_BESIDE, WORDS_MAY_END, MedicationOrder, Unread
from service.fhir.as_r4 import MOST_REASONS
from service.fhir.concepts import Room, concept_of, words_in
from service.fhir.reasons import notes_of
from service.fhir.resources import Resource, aslist, one
from service.fhir.versions import RENDERED, dosage_instructions, names, rendered
from service.terminology.endings import Ending
from service.terminology.recognise import Terminology

BESIDE = names("Dosage", "additionalInstruction")
"""Members for words beside the dose."""
_WORDED = ("text", RENDERED, "patientInstruction")
OF_TIMING = "timing.code"
NOTE = "note"
"""What it says is about somebody, and kept in no cache."""
_LETTERS_EACH = 8
"""Such words are read in many languages: they count several times among the letters of a call."""
SHOWN = 80
"""Letters of them that are shown."""


class Ended(NamedTuple):
    """What the words say, the member that holds them, and the words."""

    ending: Ending
    member: str
    words: str

    @property
    def ends(self) -> bool:
        """True when the drug is not taken, or perhaps; else its dose changes later."""
        return self.ending is not Ending.CHANGE

    def gap(self, order: MedicationOrder, dosages: Iterable[Dosage] = ()) -> Unread:
        """What its words say of the order. One that is read as a stop and states a dose contradicts itself."""
        if not self.ends:
            return Unread(WORDS_BESIDE, order, found=self.words)
        if not order.stops:
            return Unread(WORDS_MAY_END, order, self.member, self.words)
        dosed = any(dosage.high is not None or dosage.timing is not None for dosage in dosages)
        return Unread("words-end", order, self.member, self.words, conflict=dosed)


def ending_of(order: Resource, drugs: tuple[str, ...], terminology: Terminology, room: Room) -> Ended | None:
    """What words beside the order say of its drugs being taken; None when nothing.

    Of several instructions one that ends may be the last step, so it ends the drug only perhaps. So may what there
    is no room to read.
    """

    def read(texts: Iterator[tuple[str, str]]) -> Ended | None:
        each = ((member, text, _read(member, text, drugs, terminology, room)) for member, text in texts)
        found = [Ended(ending, member, text.strip()[:SHOWN]) for member, text, ending in each if ending]
        return _one(found) if found else None

    given = dosage_instructions(order)
    of_whole, of_each = read(_beside_all(order)), [read(words_of(instruction)) for instruction in given]
    found = [one for one in of_each if one is not None]
    if not found or (of_whole is not None and of_whole.ends):
        return of_whole
    ended = _one(found)
    several = len(found) < len(given) and ended.ends
    return ended._replace(ending=Ending.PERHAPS) if several else ended


def _one(found: Sequence[Ended]) -> Ended:
    """What several texts say together: an end before a change, and perhaps where they differ."""
    ends = [ended for ended in found if ended.ends] or found
    differ = len({ended.ending for ended in ends}) > 1
    return ends[0]._replace(ending=Ending.PERHAPS) if differ else ends[0]


def words_of(instruction: Any) -> Iterator[tuple[str, str]]:
    """The words of one instruction, each with its member."""
    if not isinstance(instruction, dict):
        return
    for name in _WORDED:
        if instruction.get(name):
            yield name, words_in(instruction[name])
    timing = one(instruction.get("timing"))
    code = timing.get("code") if isinstance(timing, dict) else timing
    if code:
        yield from ((OF_TIMING, words) for words in concept_of(code).texts)
    for name in BESIDE:
        if instruction.get(name):
            yield BESIDE[0], ". ".join(filter(None, _additional(instruction, name)))


def _additional(instruction: Resource, name: str) -> Iterator[str]:
    return (concept_of(item).label for item in aslist(instruction.get(name)))


def _beside_all(order: Resource) -> Iterator[tuple[str, str]]:
    if words := rendered(order):
        yield RENDERED, words
    yield from ((NOTE, note) for note in islice(notes_of(order), MOST_REASONS))


def _read(member: str, text: str, drugs: tuple[str, ...], terminology: Terminology, room: Room) -> Ending | None:
    kept = member != NOTE
    if not kept and not room.holds(len(text)):
        return Ending.PERHAPS
    if not terminology.mentions_ending(text, kept=kept):
        return None
    if not room.holds(_LETTERS_EACH * len(text)):
        return Ending.PERHAPS
    ending = terminology.ending(text, drugs, kept=kept)
    return None if ending is Ending.CHANGE and kept and directions(text) is not None else ending


def written(words: str, raw: Any) -> tuple[str, str, tuple[str, ...]]:
    """The text of an instruction, its member, and the words of the others.

    That is ``text``, else R5's words, the patient's or the additional instructions, or those of the timing. Of these
    whatever gives directions counts, all of it together; "take with food" is not wanted then.
    """
    beside = [(member, other) for member, other in words_of(raw) if member != "text" and other.strip()]
    beside = [(member, other) for member, other in beside if member != OF_TIMING or rate_of_code(other) is None]
    if words.strip():
        return words, "text", tuple(dict.fromkeys(other for _, other in beside))
    if isinstance(raw, dict):
        beside = [(member, other) for member, other in beside if member != BESIDE[0]]
        beside += [(BESIDE[0], other) for name in BESIDE for other in _additional(raw, name) if other.strip()]
    understood = [(member, words) for member, words in beside if directions(words) is not None]
    chosen = understood or beside or [("text", words)]
    return ", ".join(words for _, words in chosen), chosen[0][0], ()


def gives_dose(words: str) -> bool:
    """True for directions that say how much, and not only how often."""
    return frequency(words) is None and directions(words) is not None

"""A hook request for a synthetic patient, made from words: what ``tolami new fixture`` writes."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

from service.cli.doses import reading
from service.cli.output import Refused
from service.cli.synthetic import LISTED_FOR, SOMEBODY, condition, hook_request, order
from service.dosing.amount import number, strengths_in_text
from service.engine.library import Library
from service.fhir.gaps import CONDITIONS, MEDICATIONS, OBSERVATIONS
from service.fhir.resources import Resource
from service.terminology.codes import DrugCode

DRAFTS = "drafts"
_PERSON = re.compile(r"(\d{1,3})/(female|male|other|unknown)")
_MEASURED = re.compile(r"([a-z0-9-]+)\s+(?:([0-9]+(?:\.[0-9]+)?)\s*(\S*)|(\S.*))")
_OLDEST = 130


def request_of(
    hook: str, name: str, patient: str, words: Mapping[str, Sequence[str]], library: Library, today: date
) -> Resource:
    """The request of this name. ``words`` are those of ``DRAFTS`` and of each list by its prefetch key.

    Raises Refused with what to write instead.
    """
    viewed = hook == "patient-view"
    if viewed == bool(words[DRAFTS]):
        raise Refused(
            "patient-view has no orders being written: leave --draft out."
            if viewed
            else f"{hook} is about orders being written: name one with --draft."
        )
    author = _Author(library, today)
    made: dict[str, Callable[[str, int], Resource]] = {
        DRAFTS: lambda text, n: author.order(text, f"draft-{n}", "draft", today),
        MEDICATIONS: lambda text, n: author.order(text, f"listed-{n}", "active", today - LISTED_FOR),
        CONDITIONS: author.condition,
        OBSERVATIONS: author.observation,
    }
    found = {key: [make(text, n) for n, text in enumerate(words[key], 1)] for key, make in made.items()}
    instance = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{hook}/{name}"))
    return hook_request(hook, instance, author.patient(patient), found.pop(DRAFTS), found)


@dataclass(frozen=True, slots=True)
class _Author:
    """Writes resources from words, with the codes of the terminology, as of a day."""

    library: Library
    today: date

    def patient(self, words: str) -> Resource:
        person = _PERSON.fullmatch(words.strip())
        if person is None or int(person[1]) > _OLDEST:
            raise Refused(f"--patient {words}: write age and sex, such as 72/female (or male, other, unknown).")
        born = date(self.today.year - int(person[1]), self.today.month, 1).isoformat()
        return {"resourceType": "Patient", "id": SOMEBODY, "gender": person[2], "birthDate": born}

    def order(self, words: str, id_: str, status: str, written: date) -> Resource:
        """An order of "DRUG: DIRECTIONS". The drug's words stay the label; its code is the terminology's."""
        label, _, directions = (part.strip() for part in words.partition(":"))
        code = self._code(label)
        concept = {"coding": [{"system": code.system.uri, "code": code.code, "display": code.display}], "text": label}
        made = order(id_, status, written, concept, {"text": directions} if directions else None)
        if directions and not (read := reading(made, {}, None, self.library)).computed:
            raise Refused(
                f"'{words}' gives no daily dose. {read.dose[:1].upper()}{read.dose[1:]}\nWrite the strength beside the"
                " drug, and dose and frequency such as '1 tablet at bedtime', '25 mg twice a day' or '1-0-1'"
                " (docs/doses.md), or leave the directions out."
            )
        return made

    def _code(self, label: str) -> DrugCode:
        """The code of the product that a label names: of its strength where there is one, else of the drug."""
        terminology = self.library.terminology
        drugs = sorted(terminology.drugs_in_text(label))
        if len(drugs) > 1:
            raise Refused(
                f"'{label}' names several drugs ({', '.join(drugs)}). Name one, and its directions after ':'."
            )
        if not drugs:
            near = get_close_matches(label.partition(" ")[0].lower(), self.library.terminology.titles, 3, 0.7)
            meant = f" Did you mean {' or '.join(near)}?" if near else ""
            raise Refused(
                f"'{label}' is not a drug of cards/terminology/drugs.{meant} Write 'DRUG: DIRECTIONS',"
                f" such as '{self._product()}: 1 tablet at bedtime'."
            )
        known = [code for code in terminology.codes_of(drugs[0]) if code.form != "topical" and not code.combination]
        strengths = set(strengths_in_text(label))
        fits = [code for code in known if code.strength in strengths] or [c for c in known if c.strength is None]
        return min(fits or known, key=lambda code: code.system.rank)

    def _product(self) -> str:
        """A tablet of the guideline's first drug, to name as an example."""
        terminology, drug = self.library.terminology, self.library.plan.subjects[0]
        strengths = [code.strength for code in terminology.codes_of(drug) if code.strength and not code.combination]
        strength = f" {number(min(strengths))} mg" if strengths else ""
        return f"{terminology.titles[drug]}{strength} tablet"

    def condition(self, words: str, number: int) -> Resource:
        """A problem: a value set of conditions, SYSTEM|CODE, or words as a clinician writes them."""
        terminology, named = self.library.terminology, self.library.terminology.ids[CONDITIONS]
        system, _, code = words.rpartition("|")
        if words in named:
            chosen = terminology.concept_sets[words]
            system, code = min(chosen.codes or chosen.prefixes)
            return condition(number, {"coding": [{"system": system, "code": code}], "text": chosen.title})
        if system and code and terminology.systems.of(system) is not None:
            return condition(number, {"coding": [{"system": system, "code": code}]})
        if "|" in words or re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", words):
            near = get_close_matches(words, named, 3, 0.5)
            raise Refused(
                f"--condition {words}: no such set in cards/terminology/conditions, nor SYSTEM|CODE with a system of"
                f" cards/terminology/systems.yaml. Near: {', '.join(near) or 'none'}."
            )
        return condition(number, {"text": words})

    def observation(self, words: str, number: int) -> Resource:
        """A measurement: a value set of observations with a value and its UCUM unit, or with words."""
        named = self.library.terminology.ids[OBSERVATIONS]
        parts = _MEASURED.fullmatch(words.strip())
        if parts is None or parts[1] not in named:
            near = get_close_matches(words.partition(" ")[0], named, 3, 0.4)
            raise Refused(
                f"--observation '{words}': write a set of cards/terminology/observations, value and unit, such as"
                f" 'SET 480 ms'. Near: {', '.join(near) or ', '.join(sorted(named))}."
            )
        system, code = min(self.library.terminology.concept_sets[parts[1]].codes)
        value: Resource = {"valueCodeableConcept": {"text": parts[4]}}
        if parts[2]:
            unit = {"unit": parts[3], "system": "http://unitsofmeasure.org", "code": parts[3]} if parts[3] else {}
            value = {"valueQuantity": {"value": float(parts[2]), **unit}}
        return {
            "resourceType": "Observation",
            "id": f"observation-{number}",
            "status": "final",
            "code": {"coding": [{"system": system, "code": code}]},
            "subject": {"reference": f"Patient/{SOMEBODY}"},
            "effectiveDateTime": self.today.isoformat(),
            **value,
        }

"""A library whose terminology knows the descendants that a terminology server named.

An expansion adds codes that our lists do not know. What the lists say of a code was reviewed with them and stands.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from service.engine.library import Library
from service.terminology.codes import DrugCode
from service.terminology.expand import Found
from service.terminology.query import SNOMED, Query
from service.terminology.recognise import Coding, Terminology

DRUGS = "drugs"
RELEASE = re.compile(r"/version/(\d{8})$")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A code that two sets claim which contradict each other, such as two drugs; it stays unknown, or as listed."""

    code: str
    claimed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expanded:
    """The library with the expansion in force, how many codes each set gained, and which codes were refused.

    ``release`` is the date of the SNOMED CT release, empty when it was not said or is not one.
    """

    library: Library
    added: Mapping[str, int]
    refused: tuple[Refusal, ...] = ()
    release: str = ""


def expanded(library: Library, answers: Sequence[Found]) -> Expanded:
    """The library with the codes of the answers. Its version names them: other codes, another version."""
    terminology = library.terminology
    claims, names = _claims(answers)
    refused = tuple(
        Refusal(code, tuple(sorted({query.id for query in by} | _known_as(code, terminology))))
        for code, by in sorted(claims.items())
        if _contradictory(code, by, terminology)
    )
    left_out = {refusal.code for refusal in refused}
    new = {c: by for c, by in claims.items() if c not in left_out and not _known_as(c, terminology)}
    release = _release(answers)
    if not new:
        return Expanded(library, {}, refused, release)
    members: dict[str, set[tuple[str, str]]] = {}
    drug_codes = []
    system = next(system for system in terminology.systems.known if system.uri == SNOMED)
    for code, by in sorted(new.items()):
        for query in by:
            if query.kind == DRUGS:
                drug_codes.append(DrugCode(query.id, system, code, names[code]))
            else:
                members.setdefault(query.id, set()).add((SNOMED, code))
    grown = terminology.extended(drug_codes, {id_: frozenset(pairs) for id_, pairs in members.items()})
    pairs = sorted((query.id, code) for code, by in new.items() for query in by)
    name = "-".join(("snomed", *filter(None, [release]), _digest(pairs)))
    served = replace(library, version=f"{library.version}.{name}", terminology=grown)
    return Expanded(served, Counter(id_ for id_, _ in pairs), refused, release)


def _claims(answers: Iterable[Found]) -> tuple[dict[str, list[Query]], dict[str, str]]:
    """Which sets claim each code, and what the server calls it."""
    claims: dict[str, list[Query]] = {}
    names: dict[str, str] = {}
    for found in answers:
        for member in found.answer.members if found.answer is not None else ():
            claims.setdefault(member.code, []).append(found.query)
            names.setdefault(member.code, member.display)
    return claims, names


def _contradictory(code: str, by: Iterable[Query], terminology: Terminology) -> bool:
    """True when a code is to mean two drugs, or a drug and a condition; conditions may share a code."""
    coding = Coding(SNOMED, code)
    drugs = {query.id for query in by if query.kind == DRUGS} | {c.drug for c in terminology.drug_codes(coding)}
    others = any(query.kind != DRUGS for query in by) or bool(terminology.concepts([coding]))
    return len(drugs) + others > 1 and bool(drugs)


def _known_as(code: str, terminology: Terminology) -> set[str]:
    """The sets of our lists that hold a code."""
    coding = Coding(SNOMED, code)
    return {c.drug for c in terminology.drug_codes(coding)} | terminology.concepts([coding])


def _release(answers: Iterable[Found]) -> str:
    """The release date that all answers name; empty when they differ or one names none."""
    versions = {found.answer.version for found in answers if found.answer is not None}
    match = RELEASE.search(versions.pop()) if len(versions) == 1 else None
    return match[1] if match else ""


def _digest(pairs: Iterable[tuple[str, str]]) -> str:
    """Eight hexadecimal digits over the codes that were added."""
    return hashlib.sha256("\n".join(f"{id_} {code}" for id_, code in pairs).encode()).hexdigest()[:8]

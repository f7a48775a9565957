"""Whether a clinician's sign-off of a card is valid: until it expires or anything that was reviewed changes."""

import ast
import hashlib
import inspect
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from functools import cache
from types import ModuleType

import yaml

from service.engine.evaluate import card_of
from service.engine.finding import Rule
from service.engine.guideline import Guideline

_NOT_REVIEWED = ("file", "review", "history", "examples")
_REVIEW = re.compile(r"^review:.*(?:\n[ \t]+.*)*$", re.MULTILINE)


def digest(guideline: Guideline, card_id: str) -> str:
    """A digest of what a reviewer of a card looks at.

    That is its file without examples and history, the lines that it includes, its sources, the statements that it
    carries, what its numbers stand for, the sentences that all cards share, the code of its rule, and where that
    offers orders, these. Value sets, which grow with every release of a terminology, are not part of it.
    """
    library = guideline.library
    card = library.cards[card_id]
    rule = next((rule for rule in guideline.rules if card_of(rule) == card_id), None)
    code = sorted(map(inspect.getsource, modules_of(rule))) if rule is not None else []
    offers = any("Offer(" in module or "Proposal(" in module for module in code)
    reviewed = (
        {member.name: getattr(card, member.name) for member in fields(card) if member.name not in _NOT_REVIEWED},
        {name: text for name, text in library.lines.items() if any(name in words for words in card.sections.values())},
        [library.sources[key] for key in card.sources],
        [library.statements[key] for key in card.statements],
        library.number_words.get(card_id),
        [library.withheld, library.by_hand, library.quiet, library.not_reviewed, library.no_button],
        code,
        [library.offers, library.orders] if offers else [],
    )
    return hashlib.sha256(json.dumps(reviewed, sort_keys=True, default=str).encode()).hexdigest()[:16]


def modules_of(rule: Rule) -> Iterator[ModuleType]:
    """The rule's module and the modules of the same room that it rests on."""
    room = rule.__module__.rpartition(".")[0]
    left, seen = [rule.__module__], set[str]()
    while left:
        name = left.pop()
        module = sys.modules.get(name)
        if name in seen or not isinstance(module, ModuleType):
            continue
        seen.add(name)
        yield module
        left += [imported for imported in _imports(module) if imported.startswith(f"{room}.")]


@cache
def _imports(module: ModuleType) -> list[str]:
    """The modules from which a module imports."""
    return [node.module for node in ast.walk(parsed(module)) if isinstance(node, ast.ImportFrom) and node.module]


@cache
def parsed(module: ModuleType) -> ast.Module:
    """The source of a module as a tree."""
    return ast.parse(inspect.getsource(module))


def open_reason(guideline: Guideline, card_id: str, today: date) -> str:
    """Why a card counts as not reviewed; empty while a sign-off stands. Only a signed card costs a digest."""
    review = guideline.library.cards[card_id].review
    if review["status"] != "reviewed":
        return "not reviewed"
    if review["digest"] != digest(guideline, card_id):
        return f"changed since {review['by']} reviewed it on {review['on']}"
    if today > date.fromisoformat(review["until"]):
        return f"the review by {review['by']} ended on {review['until']}"
    return ""


def valid_until(guideline: Guideline) -> dict[str, date]:
    """The cards whose sign-off is of what they are now, with the last day on which it stands."""
    return {
        card.id: date.fromisoformat(card.review["until"])
        for card in guideline.library.cards.values()
        if not open_reason(guideline, card.id, date.min)
    }


def signed(text: str, by: str, role: str, on: date, until: date, digest: str) -> str:
    """The text of a card's file with a sign-off in its front matter, in place of its previous review status."""
    head, rest = text[4:].split("\n---\n", 1)
    review = {"status": "reviewed", "by": by, "role": role, "on": on, "until": until, "digest": digest}
    entry = yaml.safe_dump({"review": review}, default_flow_style=None, allow_unicode=True, sort_keys=False).rstrip()
    return f"---\n{_REVIEW.sub(lambda _: entry, head, count=1)}\n---\n{rest}"

"""The folder of cards as the service uses it: cards, sources, terminology, order templates, and their version."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from service.engine.finding import Threshold, Thresholds
from service.engine.plan import Plan
from service.terminology.recognise import Terminology

TOPICS, OVERRIDE_REASONS = "card-topics", "override-reasons"
"""The code systems that a guideline publishes."""

DELETING = DELETE_DRAFT, REPLACED_DRAFT = "delete-draft", "replaced-draft"
"""The offers that need no template: to delete a draft, alone or for another order in its place."""


@dataclass(frozen=True, slots=True)
class Source:
    """A source that cards cite: ``label`` names it as a card's source, ``link`` where it can be opened.

    ``url`` is empty when there is nothing to open. ``read`` says how far its text was seen.
    """

    key: str
    title: str
    label: str
    link: str
    kind: str
    url: str
    read: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the article: what it says, the verdict on it and why; why no card carries it, if none does."""

    key: str
    says: str
    verdict: str
    because: str
    not_carried: str = ""


@dataclass(frozen=True, slots=True)
class CardFile:
    """One card as written: its front matter and its sections, not yet rendered.

    ``says`` is by state the source that says the instruction. ``bounds`` are the least and the most that a policy
    may choose for a threshold, ``examples`` fixtures by whether they raise the card,
    ``history`` what has changed in it by day.
    """

    id: str
    file: str
    title: str
    rule: str
    verdict: str
    sources: tuple[str, ...]
    says: Mapping[str, str]
    topic: str
    thresholds: Thresholds
    bounds: Mapping[str, tuple[Threshold, Threshold]]
    review: Mapping[str, str]
    sections: Mapping[str, str]
    statements: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    override_reasons: tuple[str, ...] = ()
    examples: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    severity: Mapping[str, str] = field(default_factory=dict)
    raised_when: str = ""
    history: Mapping[str, str] = field(default_factory=dict)

    def section(self, kind: str, state: str) -> str:
        """The name of the section that says this in a state: its own, or the plain one."""
        own = f"{kind} {state}"
        return own if own in self.sections else kind

    def source_of(self, state: str) -> str:
        """The key of the source that says the instruction in a state."""
        return self.says.get(state) or self.says[""]


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A published code system of this guideline: its FHIR resource, and what each code is called."""

    resource: Mapping[str, Any]
    displays: Mapping[str, str]


@dataclass(frozen=True)
class Library:
    """Everything that is said and why. ``version`` names the guidance exactly, content included.

    ``lines`` are pieces of text that several sections of cards include, by name. ``number_words`` say for each card
    what its numbers stand for. ``sample`` is the file of the request that pages and descriptions show and that warms
    the service up, ``fixtures`` the folder of the requests and patients of the pages; None where there is none.
    """

    version: str
    cards: Mapping[str, CardFile]
    lines: Mapping[str, str]
    sources: Mapping[str, Source]
    statements: Mapping[str, Statement]
    plan: Plan
    number_words: Mapping[str, Mapping[str, str]]
    code_systems: Mapping[str, CodeSystem]
    override_system: str
    override_reasons: Mapping[str, str]
    withheld: Mapping[str, str]
    by_hand: str
    quiet: str
    not_reviewed: str
    more_on_page: str
    no_button: str
    orders: Mapping[str, dict[str, Any]]
    offers: Mapping[str, Mapping[str, Any]]
    terminology: Terminology
    sample: Path | None = None
    fixtures: Path | None = None

    @property
    def patients(self) -> Path | None:
        """The folder of the synthetic patients; None where there is none."""
        folder = self.fixtures and self.fixtures / "demo"
        return folder if folder and folder.is_dir() else None

    @cached_property
    def sample_request(self) -> dict[str, Any] | None:
        """The request in ``sample``."""
        return None if self.sample is None else dict(json.loads(self.sample.read_text(encoding="utf-8")))

    @cached_property
    def thresholds(self) -> dict[str, Thresholds]:
        """The numbers of every card by its id, as the rules want them."""
        return {card.id: card.thresholds for card in self.cards.values()}

    @cached_property
    def bands(self) -> dict[str, list[Fraction]]:
        """The numbers of every card in their order: within one band nothing changes for a rule."""
        return {id_: sorted({number.value for number in own.values()}) for id_, own in self.thresholds.items()}

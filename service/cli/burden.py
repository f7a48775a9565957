"""``tolami burden``: how many cards a prescriber sees, counted over the orders of a synthetic population."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import Progress

from service.cdshooks.messages import EXTENSION, Card
from service.cli.output import Faulty, as_rows, day_option, example, guideline, print_rows, print_table
from service.cli.synthetic import population
from service.decide import Decision, decide
from service.engine.guideline import Guideline
from service.engine.library import Library
from service.engine.policy import read_policy
from service.engine.rendering import LOCAL, Renderer
from service.engine.wording import count as words_of
from service.files import FaultyLibrary
from service.records.report import Rate

ANY = "any card"
"""The row of all cards together: orders with at least one, and the words of an answer."""


@dataclass
class Burden:
    """What orders were answered with, by the id of the card.

    How often it was shown, how often as critical and in how many words altogether; how often it was said as a line of
    another one, or kept quiet.
    """

    orders: int = 0
    shown: Counter[str] = field(default_factory=Counter)
    critical: Counter[str] = field(default_factory=Counter)
    words: Counter[str] = field(default_factory=Counter)
    merged: Counter[str] = field(default_factory=Counter)
    quiet: Counter[str] = field(default_factory=Counter)

    def add(self, cards: Sequence[Card]) -> None:
        """Counts the answer to one more order."""
        self.orders += 1
        pages = f"{LOCAL}/guidance/"
        for card in cards:
            own = card.extension[EXTENSION]
            self._show(own["card"], [card], words_of(card.detail))
            self.merged.update([link.url.removeprefix(pages) for link in card.links if link.url.startswith(pages)][1:])
            self.quiet.update(own.get("quiet", ()))
        if cards:
            self._show(ANY, cards, sum(words_of(card.detail) for card in cards))

    def _show(self, name: str, cards: Sequence[Card], words: int) -> None:
        self.shown[name] += 1
        self.critical[name] += any(card.indicator == "critical" for card in cards)
        self.words[name] += words

    def rows(self, policy: str) -> list[dict[str, Any]]:
        """A row for each card, the most frequent first, all together at the top; shares are per 100 orders."""
        found, cards = [], {*self.shown, *self.merged, *self.quiet}
        for card in sorted(cards, key=lambda card: (card != ANY, -self.shown[card], card)):
            shown = self.shown[card]
            low, high = Rate(shown, self.orders).interval or (0.0, 0.0)
            found.append(
                {
                    "policy": policy,
                    "card": card,
                    "per_100_orders": round(100 * shown / self.orders, 1),
                    "from": round(100 * low, 1),
                    "to": round(100 * high, 1),
                    "critical": self.critical[card],
                    "words": round(self.words[card] / shown) if shown else 0,
                    "merged": self.merged[card],
                    "quiet": self.quiet[card],
                }
            )
        return found


@click.command(
    help="""Count the cards that the orders of a synthetic population raise.

    Shows how often each card appears, how long it is, and how often it is merged or stays quiet.

    The population (cards/population.yaml) is invented, not measured: the figures compare one version
    of the guidance with another and say nothing about any hospital.
    """,
    epilog=example("tolami burden --size 500\ntolami burden --policy st-example.toml --format csv > burden.csv"),
)
@click.option("--size", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="Number of orders.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same orders.")
@click.option("--policy", type=click.Path(path_type=Path), help="A hospital's policy, to compare with having none.")
@day_option("The day to answer for; by default today.")
@as_rows
def burden(size: int, seed: int, policy: Path | None, today: date, form: str) -> None:
    plain = guideline()
    guidelines = {"none": plain}
    if policy is not None:
        guidelines[policy.stem] = plain.under(_in_force(policy, plain.library, today))
    rows = []
    try:
        for name, chosen in guidelines.items():
            rows += _burden(chosen, size, seed, today, name).rows(name)
    except FaultyLibrary as faulty:
        raise Faulty(f"The population cannot be used:\n{faulty}") from None
    if form != "table":
        print_rows(form, rows, list(rows[0]) if rows else [])
    else:
        headings = ("policy", "card", "per 100 orders", "95 % interval", "critical", "words", "merged", "quiet")
        spans = ({**row, "from": f"{row['from']} to {row['to']}"} for row in rows)
        cells = ([cell for name, cell in span.items() if name != "to"] for span in spans)
        print_table(f"{size} orders of a synthetic population", headings, cells)


def _in_force(file: Path, library: Library, day: date) -> Any:
    """The changes of a policy on a day; the command ends with the faults of a policy that cannot be used."""
    try:
        return tuple(change for change in read_policy(file, library) if change.in_force(day))
    except FaultyLibrary as faulty:
        raise Faulty(f"The policy cannot be used:\n{faulty}") from None


def _burden(guideline: Guideline, size: int, seed: int, day: date, name: str) -> Burden:
    """Answers the orders one by one under a progress bar."""
    numbers, found = count(1), Burden()
    using = Decision(guideline, Renderer.of(guideline.library), lambda: day, lambda: str(next(numbers)))
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for body in progress.track(population(size, seed, day), total=size, description=f"Orders, policy {name}"):
            found.add(decide(body, "order-sign", using).cards)
    return found

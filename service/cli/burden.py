"""``tolami burden``: how many cards a prescriber sees, counted over the orders of a synthetic population."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from service.cli.output import day_option, example, form_option, guideline, print_csv, print_json, print_table, stop

if TYPE_CHECKING:
    from service.cdshooks.messages import Card
    from service.engine.guideline import Guideline
    from service.engine.library import Library

ANY = "any card"
"""The row of all cards together: orders with at least one, and the words of an answer."""


@dataclass
class Count:
    """How often a card was shown, was said as a line of another one, or kept quiet, and its words where shown."""

    shown: int = 0
    critical: int = 0
    lines: int = 0
    quiet: int = 0
    words: list[int] = field(default_factory=list)


@dataclass
class Burden:
    """What a number of orders were answered with, by the id of the card."""

    orders: int = 0
    cards: int = 0
    counts: dict[str, Count] = field(default_factory=dict)

    def add(self, cards: Iterable["Card"]) -> None:
        """Counts the answer to one more order."""
        from service.cdshooks.messages import EXTENSION
        from service.engine.rendering import LOCAL
        from service.engine.words import count as words_of

        self.orders += 1
        whole, answered = 0, list(cards)
        for card in answered:
            own = card.extension[EXTENSION]
            length = words_of(card.detail)
            whole += length
            self.cards += 1
            shown = self._count(own["card"])
            shown.shown += 1
            shown.critical += card.indicator == "critical"
            shown.words.append(length)
            own_pages = f"{LOCAL}/guidance/"
            pages = [link.url.removeprefix(own_pages) for link in card.links if link.url.startswith(own_pages)]
            for line in pages[1:]:
                self._count(line).lines += 1
            for quiet in own.get("quiet", ()):
                self._count(quiet).quiet += 1
        if whole:
            total = self._count(ANY)
            total.shown += 1
            total.critical += any(card.indicator == "critical" for card in answered)
            total.words.append(whole)

    def _count(self, card: str) -> Count:
        return self.counts.setdefault(card, Count())

    def rows(self, policy: str) -> list[dict[str, Any]]:
        """A row for each card, the most frequent first, all together at the top; shares are per 100 orders."""
        from service.records.rate import Rate

        found = []
        for card, one in sorted(self.counts.items(), key=lambda entry: (entry[0] != ANY, -entry[1].shown, entry[0])):
            low, high = Rate(one.shown, self.orders).interval or (0.0, 0.0)
            found.append(
                {
                    "policy": policy,
                    "card": card,
                    "per_100_orders": round(100 * one.shown / self.orders, 1),
                    "from": round(100 * low, 1),
                    "to": round(100 * high, 1),
                    "critical": one.critical,
                    "words": round(sum(one.words) / len(one.words)) if one.words else 0,
                    "merged": one.lines,
                    "quiet": one.quiet,
                }
            )
        return found


@example("tolami burden --size 500\ntolami burden --policy st-example.toml --format csv > burden.csv")
@click.command(short_help="Count the cards that synthetic orders raise.")
@click.option("--size", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="Orders.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same orders.")
@click.option("--policy", type=click.Path(path_type=Path), help="A hospital's policy, to compare with none.")
@day_option("The day to answer for; by default today.")
@form_option("csv", "json")
def burden(size: int, seed: int, policy: Path | None, today: date, form: str) -> None:
    """Count the cards that the orders of a synthetic population raise.

    Shows how often each card appears, how long it is, and how often it is merged or stays quiet.

    The population (cards/population.yaml) is invented, not measured: the figures compare one guidance with another
    and say nothing about a hospital.
    """
    plain = guideline()
    guidelines = {"none": plain}
    if policy is not None:
        guidelines[policy.stem] = plain.under(_in_force(policy, plain.library, today))
    rows = []
    for name, chosen in guidelines.items():
        rows += _burden(chosen, size, seed, today, name).rows(name)
    if form == "json":
        print_json(rows)
    elif form == "csv":
        print_csv(rows, list(rows[0]) if rows else [])
    else:
        headings = ("policy", "card", "per 100 orders", "95 % interval", "critical", "words", "merged", "quiet")
        spans = ({**row, "from": f"{row['from']} to {row.pop('to')}"} for row in rows)
        print_table(f"{size} orders of a synthetic population", headings, (span.values() for span in spans))


def _in_force(file: Path, library: "Library", day: date) -> Any:
    """The changes of a policy on a day; the command ends with the faults of a policy that cannot be used."""
    from service.engine.policy import read_policy
    from service.files import FaultyLibrary

    try:
        return tuple(change for change in read_policy(file, library) if change.in_force(day))
    except FaultyLibrary as faulty:
        stop(f"The policy cannot be used:\n{faulty}", 1)


def _burden(guideline: "Guideline", size: int, seed: int, day: date, name: str) -> Burden:
    """Answers the orders one by one under a progress bar."""
    from rich.console import Console
    from rich.progress import Progress

    from service.cli.population import orders, read_population
    from service.decide import Decision, decide
    from service.engine.rendering import Renderer

    numbers, found = count(1), Burden()
    using = Decision(guideline, Renderer.of(guideline.library), lambda: day, lambda: str(next(numbers)))
    bodies = orders(read_population(), size, seed, day)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for body in progress.track(bodies, total=size, description=f"Orders, policy {name}"):
            found.add(decide(body, "order-sign", using).cards)
    return found

"""What the numbers of the cards stand for: the words of ``cards/numbers.yaml``, shown on the cards' pages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.files import Fault

if TYPE_CHECKING:
    from service.engine.library import Library

FILE = "numbers.yaml"


@dataclass(frozen=True, slots=True)
class NumberWords:
    """Words by the name of a number: those of a card, and those that hold on every card."""

    own: Mapping[str, Mapping[str, str]]
    shared: Mapping[str, str]

    def of(self, card: str, number: str) -> str:
        """What a number of a card stands for. Raises KeyError when there are no words for it."""
        return self.own.get(card, {}).get(number) or self.shared[number]


def wordless_numbers(library: "Library") -> Iterator[Fault]:
    """Numbers without words, and words without a number."""
    words = library.numbers
    for card in library.cards.values():
        for number in card.thresholds:
            if number not in words.own.get(card.id, {}) and number not in words.shared:
                yield Fault(card.file, 0, f"thresholds.{number}: {FILE} does not say what it stands for")
    known = {card.id: card.thresholds for card in library.cards.values()}
    for id_, own in words.own.items():
        for number in own:
            if number not in known.get(id_, {}):
                yield Fault(FILE, 0, f"cards.{id_}.{number}: there is no such number")
    for number in words.shared:
        if not any(number in thresholds for thresholds in known.values()):
            yield Fault(FILE, 0, f"all.{number}: no card has such a number")

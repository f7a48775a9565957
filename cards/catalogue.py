"""The guidance as a whole: which card carries which statement, for the pages and for docs/guidance.md."""

from collections.abc import Iterator
from dataclasses import dataclass

from cards.library import CardFile, Library, Statement
from service.guidance.engine import RULES, card_of

RAISED_BY_THE_ENGINE = {
    "patient-deceased": "The record says that the patient has died; nothing clinical is said then.",
    "rule-failed": "One rule or card broke; its advice is missing.",
    "service-failed": "The service broke on a request as a whole.",
    "more-advice": "There is more advice than one answer should hold; the less urgent is named here.",
}
"""Cards that no rule raises, by their ids, and when they are raised, in words."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A statement of the article and the cards that carry it."""

    statement: Statement
    cards: tuple[CardFile, ...]


def when(card: CardFile) -> str:
    """When a card is raised, in words: the first sentence of its rule's description, without the rule's number."""
    if card.id in RAISED_BY_THE_ENGINE:
        return RAISED_BY_THE_ENGINE[card.id]
    rule = next((rule for rule in RULES if card_of(rule) == card.id), None)
    words = " ".join((rule.__doc__ or "").split("\n\n")[0].split()) if rule is not None else ""
    said = words.partition(": ")[2] or words
    return said[:1].upper() + said[1:]


def statements(library: Library) -> Iterator[Carried]:
    """Every statement with the cards (and shared lines) that carry it, in the article's order."""
    files = (*library.cards.values(), *library.line_cards.values())
    for statement in library.statements.values():
        yield Carried(statement, tuple(file for file in files if statement.key in file.statements))


def in_order(library: Library) -> list[CardFile]:
    """The cards in the order of the rules, those of the engine last."""
    order = {card_of(rule): n for n, rule in enumerate(RULES)}
    return sorted(library.cards.values(), key=lambda card: (order.get(card.id, len(order)), card.id))


def markdown(library: Library) -> str:
    """Two tables, of cards and of statements, as docs/guidance.md holds them."""
    lines = [
        "| Card | Rule | Raised when | Statements | Verdict | Sources |",
        "|---|---|---|---|---|---|",
    ]
    for card in (*in_order(library), *library.line_cards.values()):
        words = when(card) or "A line on other cards."
        told = ", ".join(card.statements) or "none"
        cells = (f"`{card.id}`", card.rule, words, told, card.verdict, ", ".join(card.sources))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += ["", "| Statement | The article says | Verdict | Why | Card |", "|---|---|---|---|---|"]
    for carried in statements(library):
        one = carried.statement
        by = ", ".join(f"`{card.id}`" for card in carried.cards) or f"none: {one.not_carried}"
        if carried.cards and one.not_carried:
            by = f"{by}. {one.not_carried}"
        lines.append(f"| {one.key} | {one.says} | {one.verdict} | {one.because} | {by} |")
    return "\n".join(lines) + "\n"

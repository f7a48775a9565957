"""The guidance as a whole: which card carries which statement, for the pages and for docs/guidance.md."""

from collections.abc import Iterator

from service.engine.library import CardFile, Library, Statement

RAISED_BY_THE_ENGINE = frozenset({"patient-deceased", "rule-failed", "service-failed", "more-advice"})
"""Cards that no rule raises."""


def statements(library: Library) -> Iterator[tuple[Statement, list[CardFile]]]:
    """Every statement with the cards that carry it, in the article's order."""
    for statement in library.statements.values():
        yield statement, [card for card in library.cards.values() if statement.key in card.statements]


def in_order(library: Library) -> list[CardFile]:
    """The cards as the guideline ranks them, those of the engine last."""
    ranking = library.plan.ranking
    return sorted(library.cards.values(), key=lambda card: (card.id in RAISED_BY_THE_ENGINE, ranking[card.id]))


def catalogue(library: Library) -> list[dict[str, object]]:
    """Every card with when it is raised, for programs."""
    return [
        {
            "card": card.id,
            "rule": card.rule,
            "title": card.title,
            "raised_when": card.raised_when,
            "statements": list(card.statements),
            "verdict": card.verdict,
            "sources": list(card.sources),
        }
        for card in in_order(library)
    ]


def markdown(library: Library) -> str:
    """The table of docs/guidance.md: every card with a link to its file."""
    rows = [(card.rule, f"[{card.id}](../cards/{card.file})", card.verdict) for card in in_order(library)]
    lines = (" | ".join(row) for row in [("Rule", "Card", "Verdict"), ("---",) * 3, *rows])
    return "".join(f"| {line} |\n" for line in lines)

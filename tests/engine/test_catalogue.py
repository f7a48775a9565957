"""The catalogue says of every card when it is raised, and of every statement where it is carried or why not."""

from service.engine.catalogue import RAISED_BY_THE_ENGINE, in_order, markdown, statements
from service.engine.library import Library


def test_every_card_says_when_it_is_raised_in_a_sentence_without_its_number(library: Library) -> None:
    for card in library.cards.values():
        words = card.raised_when
        assert words[0].isupper(), card.id
        assert words.endswith("."), card.id
        assert not words.startswith(card.rule), card.id


def test_cards_stand_as_the_guideline_ranks_them_and_those_of_the_engine_last(library: Library) -> None:
    ids = [card.id for card in in_order(library)]
    ranked = [card for card in library.plan.ranking if card not in RAISED_BY_THE_ENGINE and "/" not in card]
    assert ids[: len(ranked)] == ranked
    assert set(ids[len(ranked) :]) == RAISED_BY_THE_ENGINE


def test_every_statement_is_carried_or_says_why_not(library: Library) -> None:
    told = list(statements(library))
    assert [statement for statement, _ in told] == list(library.statements.values())
    for statement, cards in told:
        assert cards or statement.not_carried, statement.key
        assert all(statement.key in card.statements for card in cards)


def test_the_table_has_a_row_for_each_card_and_no_broken_cell(library: Library) -> None:
    rows = markdown(library).rstrip("\n").splitlines()
    assert len(rows) == len(library.cards) + 2
    assert {row.replace("\\|", "").count("|") for row in rows} == {rows[0].count("|")}

"""What is kept for the next call: bounded, and nothing long."""

from service.caching import LONGEST, MOST, cached


def test_a_word_is_looked_up_once() -> None:
    asked: list[str] = []

    def upper(word: str) -> str:
        asked.append(word)
        return word.upper()

    look = cached(upper)
    assert [look("gel"), look("gel"), look("tablet")] == ["GEL", "GEL", "TABLET"]
    assert asked == ["gel", "tablet"]


def test_long_words_are_not_kept() -> None:
    asked: list[str] = []
    look = cached(asked.append)
    for word in ("a" * LONGEST, "b" * (LONGEST + 1)) * 2:
        look(word)
    assert [word[0] for word in asked] == ["a", "b", "b"]


def test_so_many_are_kept_and_no_more() -> None:
    asked: list[str] = []
    look = cached(asked.append)
    for n in (*range(MOST + 1), 0):
        look(str(n))
    assert len(asked) == MOST + 2

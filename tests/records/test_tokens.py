"""A token is good once: for one thread, one process, one machine; and its name is not kept."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from service.records import DatabaseUnavailable
from service.records.database import Database
from service.records.purge import purge, remove_expired
from service.records.tables import seen_tokens
from service.records.tokens import SeenTokens
from tests.records.kept import NOW

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def tokens(database: Database) -> SeenTokens:
    assert database.available()
    return SeenTokens(database)


def test_the_first_use_is_told_from_every_later_one(tokens: SeenTokens) -> None:
    assert tokens.first_use("https://ehr.example.org", "1", LATER)
    assert not tokens.first_use("https://ehr.example.org", "1", LATER)
    assert not tokens.first_use("https://ehr.example.org", "1", LATER + timedelta(hours=1))


def test_another_issuer_may_use_the_same_number(tokens: SeenTokens) -> None:
    pairs = [("a", "b"), ("a", "bc"), ("ab", "c"), ("b", "a"), ("", "ab"), ("ab", ""), ("\ud800", "\x00")]
    assert all(tokens.first_use(issuer, jti, LATER) for issuer, jti in pairs)
    assert not any(tokens.first_use(issuer, jti, LATER) for issuer, jti in pairs)


def test_of_many_at_once_one_is_the_first(url: str, database: Database) -> None:
    assert database.available()
    found: list[bool] = []
    barrier = threading.Barrier(6)

    def use() -> None:
        own = Database(url)
        assert own.available()
        barrier.wait()
        found.append(SeenTokens(own).first_use("issuer", "jti", LATER))
        own.close()

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [False] * 5 + [True]


def test_what_is_kept_names_neither_issuer_nor_token(tokens: SeenTokens, database: Database) -> None:
    tokens.first_use("https://ehr.example.org", "a-token-id", LATER)
    with database.reading() as connection:
        (row,) = connection.execute(select(seen_tokens)).all()
    assert "ehr.example.org" not in str(row)
    assert "a-token-id" not in str(row)
    assert row.expires == LATER


def test_expired_tokens_are_removed_after_a_while_and_not_before(tokens: SeenTokens, database: Database) -> None:
    assert tokens.first_use("issuer", "1", LATER)
    for remove in (remove_expired(database, LATER + timedelta(minutes=9)), purge(database, NOW, LATER).tokens):
        assert remove == 0, "clocks differ: it is remembered somewhat longer"
    assert not tokens.first_use("issuer", "1", LATER)
    assert remove_expired(database, LATER + timedelta(minutes=11)) == 1
    assert tokens.first_use("issuer", "1", LATER + timedelta(hours=1)), "the expired one is gone"


def test_without_a_database_nobody_is_told_that_a_token_is_new() -> None:
    tokens = SeenTokens(Database("sqlite:////nowhere/tolami.db"))
    with pytest.raises(DatabaseUnavailable):
        tokens.first_use("issuer", "jti", LATER)

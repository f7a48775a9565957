"""A token is remembered until it expires, for its issuer alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from service.trust.used_tokens import PURGE_AFTER, SeenEverywhere, SeenInMemory
from tests.trust.ehr import ISSUER, NOW

SOON = NOW + timedelta(minutes=5)


def test_a_token_is_new_once() -> None:
    seen = SeenInMemory(lambda: NOW)
    assert [seen.first_use(ISSUER, "a", SOON) for _ in range(3)] == [True, False, False]


def test_another_issuer_may_use_the_same_name() -> None:
    seen = SeenInMemory(lambda: NOW)
    assert seen.first_use(ISSUER, "a", SOON)
    assert seen.first_use("https://other.example.org", "a", SOON)
    assert seen.first_use(ISSUER, "b", SOON)


def test_what_has_expired_is_forgotten() -> None:
    now = NOW
    seen = SeenInMemory(lambda: now)
    assert seen.first_use(ISSUER, "a", SOON)
    assert seen.first_use(ISSUER, "long", NOW + timedelta(hours=1))
    now = SOON + PURGE_AFTER
    assert seen.first_use(ISSUER, "b", now + timedelta(minutes=5))
    assert len(seen._expiries) == 2
    assert not seen.first_use(ISSUER, "long", NOW + timedelta(hours=1))


def test_of_many_at_the_same_time_one_is_the_first() -> None:
    seen = SeenInMemory(lambda: NOW)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: seen.first_use(ISSUER, "a", SOON), range(200))) == 1


class Shared(SeenInMemory):
    """A store of several processes that breaks on request."""

    broken = False

    def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
        if self.broken:
            raise ConnectionError("password in here")
        return super().first_use(issuer, jti, expires)


def process(shared: Shared) -> SeenEverywhere:
    return SeenEverywhere(shared, SeenInMemory(lambda: NOW))


def test_what_one_process_has_seen_the_other_knows() -> None:
    shared = Shared(lambda: NOW)
    one, other = process(shared), process(shared)
    assert one.first_use(ISSUER, "a", SOON)
    assert not other.first_use(ISSUER, "a", SOON)
    assert not one.first_use(ISSUER, "a", SOON)


def test_while_the_store_is_away_each_process_knows_what_it_has_seen_and_the_log_says_so_once(
    logged: list[Any],
) -> None:
    shared = Shared(lambda: NOW)
    one = process(shared)
    assert one.first_use(ISSUER, "before", SOON)
    shared.broken = True
    assert [one.first_use(ISSUER, jti, SOON) for jti in ("before", "new", "new")] == [False, True, False]
    shared.broken = False
    assert not one.first_use(ISSUER, "new", SOON), "although the store has never heard of it"
    assert one.first_use(ISSUER, "later", SOON)
    assert [line["event"] for line in logged] == [
        "used tokens known to this process only",
        "used tokens known to all processes again",
    ]
    assert "password" not in str(logged)


def test_a_copy_that_overtakes_the_first_call_is_refused_and_the_first_call_is_not() -> None:
    class Slow(Shared):
        copy: bool | None = None

        def first_use(self, issuer: str, jti: str, expires: datetime) -> bool:
            if self.copy is None:
                self.copy = True
                self.copy = one.first_use(issuer, jti, expires)
            return super().first_use(issuer, jti, expires)

    shared = Slow(lambda: NOW)
    one = process(shared)
    assert one.first_use(ISSUER, "a", SOON)
    assert shared.copy is False

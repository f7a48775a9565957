"""A token is remembered until it expires, for its issuer alone."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from service.trust.replay import PURGE_AFTER, SeenInMemory
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

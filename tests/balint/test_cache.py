"""The shared cache with a real Redis that stops, hangs and comes back."""

import os
import signal
import threading
import time

import pytest
from django.conf import settings as ours
from django.core.cache import caches
from django.db import connection, transaction

from balint import cache as shared
from balint.embedded import Valkey
from members.models import CacheEntry
from tests.world import PASSWORD, as_owner, make_member


@pytest.fixture
def redis(tmp_path):
    with Valkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
def cache(db, redis, settings):
    """The site's cache, on a Redis of its own that the test may stop."""
    settings.CACHES = {"default": ours.CACHES["default"] | {"LOCATION": redis.url()}}
    yield caches["default"]
    caches["default"].clear()
    shared.OUTAGES.clear()


def soon_tried_again(cache) -> None:
    """As if some seconds had passed since Redis was asked in vain."""
    cache._outage.until = 0.0


def rows() -> list[str]:
    with as_owner():
        return sorted(CacheEntry.objects.values_list("value", flat=True))


def test_what_is_set_is_read_changed_and_gone_with_redis_and_without(cache, redis):
    for stop in (False, True):
        if stop:
            redis.stop()
        assert cache.get("a") is None
        cache.set("a", [1.5, 2])
        assert cache.get("a") == [1.5, 2]
        assert not cache.add("a", "other")
        assert cache.touch("a", 60)
        assert cache.delete("a")
        assert not cache.delete("a")
        assert not cache.touch("a", 60)
        assert cache.add("a", "first")
        assert cache.get("a", "nothing") == "first"
        cache.clear()
        assert cache.get("a", "nothing") == "nothing"


def test_nothing_is_forgotten_when_redis_stops(cache, redis):
    cache.set("limit", [1.0])
    assert cache.add("mark", "y", 60)
    redis.stop()
    assert cache.get("limit") == [1.0]
    assert not cache.add("mark", "y", 60)


def test_what_redis_held_before_an_outage_does_not_come_back(cache, redis, tmp_path):
    cache.set("limit", [1.0])
    os.kill(redis.process.pid, signal.SIGSTOP)
    cache.set("limit", [2.0, 1.0])
    os.kill(redis.process.pid, signal.SIGCONT)
    soon_tried_again(cache)
    assert cache.get("limit") == [2.0, 1.0]
    cache.set("limit", [3.0, 2.0, 1.0])
    assert cache.get("limit") == [3.0, 2.0, 1.0]


def test_a_redis_that_hangs_costs_a_second_once_and_then_nothing(cache, redis):
    os.kill(redis.process.pid, signal.SIGSTOP)
    began = time.monotonic()
    cache.get("a")
    assert cache._outage.lasts
    first = time.monotonic() - began
    asked = [cache.get("a") for _ in range(20)]
    rest = time.monotonic() - began - first
    os.kill(redis.process.pid, signal.SIGCONT)
    assert asked == [None] * 20
    assert rest < first


def test_redis_is_used_again_when_it_answers(cache, redis):
    redis.stop()
    cache.set("a", 1)
    redis.start()
    cache.set("a", 2)
    assert cache._outage.behind
    soon_tried_again(cache)
    cache.set("a", 3)
    assert not cache._outage.behind
    assert cache._redis.get(cache.make_key("a"), None) == 3


def test_what_has_expired_is_not_there_with_redis_and_without(cache, redis):
    redis.stop()
    cache.set("a", 1, timeout=0)
    assert cache.get("a") is None
    assert cache.add("a", 2, timeout=0)
    assert cache.add("a", 3, timeout=60)
    cache.set("for-ever", 4, timeout=None)
    assert cache.get("for-ever") == 4
    assert not cache.add("for-ever", 5, timeout=None)


@pytest.mark.parametrize("stopped", [False, True])
def test_of_many_who_come_at_once_one_adds(cache, redis, stopped):
    if stopped:
        redis.stop()
    added: list[bool] = []
    together = threading.Barrier(8)

    def add() -> None:
        mine = type(cache)(cache_address, ours.CACHES["default"])
        together.wait()
        added.append(mine.add("mark", "y", 60))

    cache_address = cache._redis._servers[0]
    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [False] * 7 + [True]


def test_a_request_taken_back_takes_no_limit_back(cache, redis):
    redis.stop()
    with transaction.atomic():
        cache.set("limit", [1.0])
        transaction.set_rollback(True)
    assert cache.get("limit") == [1.0]


def test_connections_of_the_copy_outlive_a_restart_of_the_database(cache):
    cache.set("a", 1)
    for idle in shared.COPY._idle:
        idle.close()
    assert cache.get("a") == 1


def test_the_table_names_no_address_and_is_not_logged(cache):
    cache.set("allauth:rl:ip:203.0.113.9", [1.0])
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("select * from members_cacheentry")
        assert "203.0.113.9" not in str(cursor.fetchall())
        cursor.execute("select relpersistence from pg_class where relname = 'members_cacheentry'")
        assert cursor.fetchone()[0] == "u"


def test_only_data_is_taken_and_nothing_is_unpickled(cache):
    with pytest.raises(TypeError):
        cache.set("a", object())
    cache._redis.get_client(write=True).set(cache.make_key("b"), b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ValueError, match="Expecting value"):
        cache.get("b")


def test_what_expired_is_cleared_now_and_then(cache):
    cache.set("old", 1, timeout=0)
    for _ in range(shared.CLEARED_EVERY):
        cache.set("new", 2)
    assert rows() == ["2"]


def test_wrong_passwords_are_limited_across_a_redis_that_stops_and_comes_back(cache, redis, client):
    member = make_member("Dr Dana Green")

    def guess(word: str):
        return client.post("/accounts/login/", {"login": member.email, "password": word})

    for number in range(3):
        assert "not correct" in guess(f"guess {number}").content.decode()
    redis.stop()
    for number in range(2):
        assert "not correct" in guess(f"guess {number}").content.decode()
    assert "Too many" in guess("guess 6").content.decode()
    redis.start()
    soon_tried_again(cache)
    answer = guess(PASSWORD)
    assert answer.status_code == 200
    assert "Too many" in answer.content.decode()

"""The shared cache: Redis, with PostgreSQL behind it, so that no limit is forgotten with Redis.

What it holds is rate limits and marks of used codes. Every write goes to both; a read asks Redis
and, if Redis has nothing or does not answer, PostgreSQL. After an outage what Redis still holds is
older than the copy, and goes. `add` is atomic in both, and in PostgreSQL whoever comes first wins.

The copy has connections of its own, outside the request's transaction: a limit must count although
the request is taken back, and its lock must not be held until somebody else's request ends.
Values are JSON: a pickle from a store is a program from a store.
"""

import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.redis import RedisCacheClient
from django.db import connections
from django.utils.crypto import salted_hmac
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

TRIED_AGAIN_AFTER: Final = timedelta(seconds=5)
MOST_IDLE: Final = 4
CLEARED_EVERY: Final = 200
MISSING: Final = object()

GET = """
select value from members_cacheentry
where id = %s and (expires_at is null or expires_at > clock_timestamp())
"""
SET = """
insert into members_cacheentry as held (id, value, expires_at)
values (%s, %s, clock_timestamp() + make_interval(secs => %s))
on conflict (id) do update set value = excluded.value, expires_at = excluded.expires_at
"""
ADD = f"{SET} where held.expires_at <= clock_timestamp() returning 1"
TOUCH = """
update members_cacheentry set expires_at = clock_timestamp() + make_interval(secs => %s)
where id = %s and (expires_at is null or expires_at > clock_timestamp()) returning 1
"""
DELETE = "delete from members_cacheentry where id = %s returning 1"
CLEAR = "delete from members_cacheentry"
CLEAR_EXPIRED = "delete from members_cacheentry where expires_at <= clock_timestamp()"


class Json:
    """What stands in Redis is data, whoever wrote it."""

    def dumps(self, value: Any) -> bytes:
        return json.dumps(value).encode()

    def loads(self, data: bytes) -> Any:
        return json.loads(data)


class Copy:
    """The table behind Redis, reached by a few connections of its own, each in autocommit."""

    def __init__(self) -> None:
        self._idle: list[psycopg.Connection[Any]] = []
        self._of: Any = None
        self._statements = itertools.count(1)

    def first(self, statement: str, *parameters: Any) -> Any:
        """The first row's only column, or MISSING."""
        row = self._run(statement, parameters)
        if next(self._statements) % CLEARED_EVERY == 0:
            self._run(CLEAR_EXPIRED, ())
        return MISSING if row is None else row[0]

    def _run(self, statement: str, parameters: tuple[Any, ...]) -> Any:
        while True:
            connection, fresh = self._connection()
            try:
                cursor = connection.execute(statement, parameters, prepare=False)
                row = cursor.fetchone() if cursor.description else None
            except psycopg.OperationalError:
                connection.close()
                # One that lay idle may have lost its server since; a new one has not.
                if fresh:
                    raise
            else:
                self._put_back(connection)
                return row

    def _connection(self) -> tuple[psycopg.Connection[Any], bool]:
        where = connections["default"].settings_dict
        now_of = (os.getpid(), where["HOST"], where["PORT"], where["NAME"], where["USER"])
        if self._of != now_of:
            # A fork must not speak on its parent's connections, nor close them.
            if self._of is not None and self._of[0] == os.getpid():
                for connection in self._idle:
                    connection.close()
            self._of, self._idle = now_of, []
        try:
            return self._idle.pop(), False
        except IndexError:
            parameters = connections["default"].get_connection_params()
            parameters.pop("cursor_factory", None)
            return psycopg.connect(**parameters, autocommit=True), True

    def _put_back(self, connection: psycopg.Connection[Any]) -> None:
        if len(self._idle) < MOST_IDLE:
            self._idle.append(connection)
        else:
            connection.close()


@dataclass
class Outage:
    """Whether Redis is away, as this process knows it; shared by its threads."""

    until: float = 0.0
    behind: bool = False

    @property
    def lasts(self) -> bool:
        return time.monotonic() < self.until

    def begin(self) -> None:
        self.until = time.monotonic() + TRIED_AGAIN_AFTER.total_seconds()
        self.behind = True


COPY: Final = Copy()
OUTAGES: Final[dict[str, Outage]] = {}


class SharedCache(BaseCache):
    """Django's cache, for `CACHES`; LOCATION is the address of Redis."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        options = {"socket_timeout": 1, "socket_connect_timeout": 1} | params.get("OPTIONS", {})
        # Not asked again at once: a page waits for one second at most, and then for none.
        retry = Retry(NoBackoff(), 0)
        how: dict[str, Any] = {"serializer": Json, "retry": retry} | options
        self._redis = RedisCacheClient([server], **how)
        self._outage = OUTAGES.setdefault(server, Outage())

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        key = self.make_and_validate_key(key, version)
        found = self._ask(lambda: self._redis.get(key, MISSING))
        if found is MISSING:
            held = COPY.first(GET, _row(key))
            found = held if held is MISSING else json.loads(held)
        return default if found is MISSING else found

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        key, seconds = self.make_and_validate_key(key, version), self._seconds(timeout)
        self._ask(lambda: self._redis.set(key, value, seconds))
        COPY.first(SET, _row(key), json.dumps(value), seconds)

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        key, seconds = self.make_and_validate_key(key, version), self._seconds(timeout)
        if self._ask(lambda: self._redis.add(key, value, seconds)) is False:
            return False
        return COPY.first(ADD, _row(key), json.dumps(value), seconds) is not MISSING

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        key, seconds = self.make_and_validate_key(key, version), self._seconds(timeout)
        # None means for ever here too, whatever the types say.
        self._ask(lambda: self._redis.touch(key, cast(int, seconds)))
        return COPY.first(TOUCH, seconds, _row(key)) is not MISSING

    def delete(self, key: str, version: int | None = None) -> bool:
        key = self.make_and_validate_key(key, version)
        gone = self._ask(lambda: self._redis.delete(key))
        return COPY.first(DELETE, _row(key)) is not MISSING or gone is True

    def clear(self) -> None:
        """Everything of ours; Redis holds what is not the cache's as well."""
        self._ask(self._clear_redis)
        COPY.first(CLEAR)

    def _seconds(self, timeout: Any) -> int | None:
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.default_timeout
        return None if timeout is None else max(0, int(timeout))

    def _ask(self, question: Callable[[], Any]) -> Any:
        """Redis's answer, or MISSING while it is away; afterwards it begins without old answers."""
        if self._outage.lasts:
            return MISSING
        try:
            if self._outage.behind:
                self._clear_redis()
                self._outage.behind = False
            return question()
        except (RedisError, OSError):
            self._outage.begin()
            return MISSING

    def _clear_redis(self) -> None:
        client = self._redis.get_client(write=True)
        for key in client.scan_iter(match=f"{self.key_prefix}:*", count=1000):
            client.delete(key)


def _row(key: str) -> UUID:
    # Keys name addresses of people's machines; the table does not.
    return UUID(bytes=salted_hmac("balint.cache", key, algorithm="sha256").digest()[:16])

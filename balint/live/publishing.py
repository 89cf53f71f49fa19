"""What a transaction moved goes to every process, once it is committed.

Triggers move a room's version on and say so by a notice (`sessions/migrations/0014_live.py`): so
whichever page, command or task changed a row, nobody can forget to tell. Redis may be away: then
`balint.live.watching` finds it out.
"""

import contextlib
import time
from functools import cache, partial
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import transaction
from django.db.backends.signals import connection_created
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

CHANNEL: Final = "balint.live"
# The class of our own notices, so that no other is taken for one.
OURS: Final = "BL001"
# While Redis is away a page waits for it once, and then not for this many seconds.
LEFT_ALONE: Final = 1.0
_away: dict[str, float] = {}


def listen() -> None:
    """Hear the notices of every connection to the database."""
    connection_created.connect(_watch, dispatch_uid=__name__)


def _watch(sender: Any, connection: Any, **more: Any) -> None:
    """One from the pool comes here each time it is taken out."""
    raw: psycopg.Connection[Any] = connection.connection
    with contextlib.suppress(ValueError):
        raw.remove_notice_handler(_noticed)
    raw.add_notice_handler(_noticed)


def _noticed(notice: psycopg.errors.Diagnostic) -> None:
    if notice.sqlstate == OURS and notice.message_primary:
        transaction.on_commit(partial(publish, notice.message_primary), robust=True)


def publish(message: str) -> None:
    """Tell every web process; while Redis is away nobody, and nobody waits."""
    url = settings.REDIS_URL
    if time.monotonic() < _away.get(url, 0):
        return
    try:
        _client(url).publish(CHANNEL, message)
    except (RedisError, OSError):
        _away[url] = time.monotonic() + LEFT_ALONE


@cache
def _client(url: str) -> Redis:
    # Once more at once: a connection that lay idle may have lost its server since.
    retry = Retry(NoBackoff(), 1)
    return Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=retry)

"""One subscription of a process: what the others committed."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from balint.live.publishing import CHANNEL

TRIED_AGAIN_AFTER: Final = 0.3
# A connection that nobody closed may be dead all the same.
ASKED_WHETHER_ALIVE_EVERY: Final = 10


async def run(hear: Callable[[str], None], subscribed: Callable[[], None]) -> None:
    """Hand on every message, for ever; `subscribed` says that until now some may have been lost."""
    while True:
        with contextlib.suppress(RedisError, OSError):
            await _listen(hear, subscribed)
        await asyncio.sleep(TRIED_AGAIN_AFTER)


async def _listen(hear: Callable[[str], None], subscribed: Callable[[], None]) -> None:
    client = Redis.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        socket_connect_timeout=1,
        health_check_interval=ASKED_WHETHER_ALIVE_EVERY,
        # Whether a message was lost is ours to know.
        retry=Retry(NoBackoff(), 0),
    )
    async with client, client.pubsub() as channel:
        await channel.subscribe(CHANNEL)
        while True:
            message: dict[str, Any] | None = await channel.get_message(
                timeout=ASKED_WHETHER_ALIVE_EVERY
            )
            if message and message["type"] == "subscribe":
                subscribed()
            elif message and message["type"] == "message":
                hear(message["data"])

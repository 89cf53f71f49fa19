"""Every few seconds one question of a process to the database, for all its streams at once.

Where a process holds thousands, they are asked for in parts, spread over the same few seconds, so
that no change waits behind the answer for everybody.

It finds what a lost message would have said and who may listen no longer, and keeps in the room
those of whom there was a sign of life. While the database is away streams stay as they are.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from django.db import DatabaseError, connection
from psycopg_pool import PoolTimeout

from balint.live.hub import Hub
from members.identity import acting_as

EVERY: Final = 5.0
AT_ONCE: Final = 250
REPEATED: Final = 0.25
log = logging.getLogger(__name__)

# A room, a person, a sign-in, and whether there was a sign of life.
Asked = tuple[str, str, str, bool]
Answer = tuple[str, int, list[str]]


class Watch:
    """The question in a thread of its own, so that it never waits for a page nor a page for it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.thread = ThreadPoolExecutor(1, thread_name_prefix="live-watch")
        self.soon = asyncio.Event()

    async def run(self) -> None:
        """Ask, for ever; at once when messages may have been lost."""
        hurried = False
        while True:
            parts = self._parts()
            for part in parts:
                await self.look(part)
                if not hurried:
                    await self._wait(EVERY / len(parts))
            if not parts or hurried:
                await self._wait(EVERY)
            hurried = self.soon.is_set()
            self.soon.clear()

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.soon.wait(), seconds)

    async def look(self, asked: Sequence[Asked]) -> None:
        """Ask once, and tell and end streams by the answer."""
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self.thread, _asked_alone, asked)
        except (DatabaseError, PoolTimeout):
            log.warning("Streams could not be checked; they are again in a few seconds.")
            self._put_back(asked)
            return
        for room, version, gone in answers:
            self.hub.moved(room, version)
            if gone:
                self.hub.gone(room, gone)

    def _parts(self) -> list[list[Asked]]:
        """Everybody, room by room, in parts of about the same size."""
        asked = sorted(self._everybody())
        size = len(asked) // max(1, round(len(asked) / AT_ONCE)) + 1
        return [asked[place : place + size] for place in range(0, len(asked), size)]

    def _everybody(self) -> list[Asked]:
        listeners = self.hub.seated()
        alive, self.hub.alive = self.hub.alive, set()
        known = {(one.room, one.person, one.key) for one in listeners} | alive
        return [(*who, who in alive) for who in known]

    def _put_back(self, asked: Iterable[Asked]) -> None:
        self.hub.alive |= {(room, person, key) for room, person, key, here in asked if here}


async def repeat(hub: Hub) -> None:
    """Little by little, so that no change waits behind a crowd of repetitions."""
    while True:
        await asyncio.sleep(REPEATED)
        hub.repeat()


def ask(asked: Sequence[Asked]) -> list[Answer]:
    """Of each room its version, and the sign-ins that may listen to it no longer."""
    columns = [_array(column) for column in zip(*asked, strict=True)]
    with acting_as(None), connection.cursor() as cursor:
        cursor.execute(
            "select room::text, version, gone from public.balint_live("
            "%s::uuid[], %s::uuid[], %s::text[], %s::boolean[])",
            columns,
        )
        return cursor.fetchall()


def _asked_alone(asked: Sequence[Asked]) -> list[Answer]:
    """In a thread that nobody tidies up after: the connection goes back to the pool."""
    try:
        return ask(asked)
    finally:
        connection.close()


def _array(values: Iterable[object]) -> str:
    """As PostgreSQL writes it; none of these holds a sign that would need quoting."""
    return "{" + ",".join(map(str, values)) + "}"

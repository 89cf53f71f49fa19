"""The ASGI application under /live/: a page lets somebody in, and then the answer does not end.

The page `live` is asked as any other page is, through the whole of Django: so a stream begins for
whom the pages begin, and every refusal, redirect and header is theirs. Its threads are its own.
"""

import asyncio
import contextlib
import re
import signal
from typing import Any, Final
from urllib.parse import parse_qs

from a2wsgi.asgi_typing import ASGIApp, Receive, Send
from django.conf import settings
from django.http.cookie import parse_cookie

from balint.live import subscription
from balint.live.hub import Hub, Listener
from balint.live.watching import Watch, repeat
from sessions.live import ADMIT, is_here

PREFIX: Final = "/live/"
PATH: Final = re.compile(r"/live/([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})")
# Fewer than granian takes in at once, so that pages always find a place.
MOST: Final = 16_000
MOST_WAITING: Final = 4_000
# What belongs to one answer alone.
OF_ONE_ANSWER: Final = {b"content-length", b"content-type", b"set-cookie", b"vary"}

Headers = list[tuple[bytes, bytes]]


class Streams:
    """All streams of this process; `pages` asks Django, in threads that no page waits for."""

    def __init__(self, pages: ASGIApp) -> None:
        self.pages = pages
        self.hub = Hub()
        self.waiting = 0
        self.ending = False
        # What every answer of ours bears, as learnt from the first.
        self.headers: Headers = []
        self.tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """With the process: the subscription, the question every few seconds, the repetitions."""
        watch = Watch(self.hub)
        lasting = (
            subscription.run(self.hub.hear, watch.soon.set),
            watch.run(),
            repeat(self.hub),
        )
        # Kept: asyncio drops a task that nobody refers to.
        self.tasks = [asyncio.create_task(one) for one in lasting]
        self._end_when_told()

    def _end_when_told(self) -> None:
        """The server waits for every answer to end before it says that the process stops.

        Its own handlers hang on the loop and are called as well; these come first.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(ValueError):  # Not in the main thread.
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(self.end))

    def end(self) -> None:
        """Every stream ends, so that nothing waits for it, and none begins."""
        self.ending = True
        self.hub.end(self.hub.seated())

    def stop(self) -> None:
        """With the process."""
        self.end()
        for task in self.tasks:
            task.cancel()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        found = PATH.fullmatch(scope["path"])
        if found is None or scope["method"] != "GET":
            await self.pages(scope, receive, send)
        elif scope["query_string"]:
            await self._sign_of_life(found[1], scope, receive, send)
        else:
            await self._stream(found[1], scope, receive, send)

    async def _sign_of_life(self, room: str, scope: Any, receive: Receive, send: Send) -> None:
        """From a browser that listens; any other is answered by the page."""
        here = parse_qs(scope["query_string"].decode("latin1")).get("here", [""])[0]
        key, person = sign_in_of(scope), here.partition(".")[0]
        known = bool(key) and is_here(here, key=key, room=room)
        if known:
            self.hub.alive.add((room, person, key))
        if known and self.headers:
            await _answer(send, 204, self.headers)
        else:
            await self.pages(scope, receive, send)

    async def _stream(self, room: str, scope: Any, receive: Receive, send: Send) -> None:
        full = len(self.hub) >= MOST or self.waiting >= MOST_WAITING
        if self.headers and (full or self.ending):
            await _answer(send, 503, self.headers)
            return
        listener = self.hub.expect(room)
        try:
            began = await self._begun(listener, scope, receive)
            if not listener.person:
                for message in began:
                    await send(message)
            elif not self.ending and self.hub.seat(listener):
                self._learn(began[0])
                await self._go_on(listener, began, receive, send)
            else:
                await _answer(send, 429, self.headers)
        finally:
            self.hub.leave(listener)

    async def _begun(self, listener: Listener, scope: Any, receive: Receive) -> list[Any]:
        """What the page answered; whether it let the listener in, the listener knows."""
        began: list[Any] = []
        scope = {**scope, ADMIT: listener.admit}

        async def keep(message: Any) -> None:
            began.append(message)

        self.waiting += 1
        try:
            await self.pages(scope, receive, keep)
        finally:
            self.waiting -= 1
        return began

    def _learn(self, start: Any) -> None:
        if not self.headers:
            self.headers = [pair for pair in start["headers"] if pair[0] not in OF_ONE_ANSWER]

    async def _go_on(
        self, listener: Listener, began: list[Any], receive: Receive, send: Send
    ) -> None:
        """The page's answer, and from then on each version as it comes."""
        left = asyncio.create_task(_leaves(receive))
        left.add_done_callback(lambda _: listener.end())
        try:
            start: Any = began[0]
            start = {**start, "headers": _without_length(start["headers"])}
            await send(start)
            await _part(send, b"".join(body.get("body", b"") for body in began[1:]))
            while await listener.news():
                await _part(send, b"data: %d\n\n" % listener.heard)
                self.hub.sent(listener)
            if not left.done():
                await _part(send, b"", more=False)
        finally:
            left.cancel()


async def _leaves(receive: Receive) -> None:
    """Until the browser goes away. granian's receive() is awaitable, but no coroutine."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _part(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def _answer(send: Send, status: int, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await _part(send, b"", more=False)


def _without_length(headers: Headers) -> Headers:
    return [pair for pair in headers if pair[0] != b"content-length"]


def sign_in_of(scope: Any) -> str:
    """The cookie of the sign-in, or nothing."""
    cookies = [value for name, value in scope["headers"] if name == b"cookie"]
    found = parse_cookie(b"; ".join(cookies).decode("latin1"))
    return found.get(settings.SESSION_COOKIE_NAME, "")

"""One port for everything: pages in threads, twice as fast as Django's own ASGI handler."""

from typing import Any, Final, cast

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import ASGIApp, Receive, Scope, Send
from a2wsgi.wsgi_typing import WSGIApp

# First, for it sets Django up.
from balint.wsgi import application as wsgi_application

# isort: split
from balint.live.streams import PREFIX, Streams

# Each has a connection to the database while it works: `DATABASE_POOL` is their sum, and one.
PAGE_THREADS: Final = 10
STREAM_THREADS: Final = 3


class Pages:
    """A WSGI application, one request to a thread."""

    def __init__(self, app: WSGIApp, threads: int = PAGE_THREADS) -> None:
        self.bridge = WSGIMiddleware(app, workers=threads)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The server's receive() is awaitable but no coroutine, and the bridge needs one.
        async def received() -> Any:
            return await receive()

        await self.bridge(_without_ambiguous_headers(scope), received, send)


django = cast(WSGIApp, wsgi_application)
streams: Final = Streams(Pages(django, STREAM_THREADS))
# The first prefix that fits answers.
ROUTES: Final[tuple[tuple[str, ASGIApp], ...]] = ((PREFIX, streams), ("", Pages(django)))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """The whole site, as ASGI."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000, "reason": ""})
    else:
        app = next(app for prefix, app in ROUTES if scope["path"].startswith(prefix))
        await app(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    streams.start()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    streams.stop()
    await send({"type": "lifespan.shutdown.complete"})


def _without_ambiguous_headers(scope: Any) -> Any:
    """In WSGI `X_Real_Ip` and `X-Real-Ip` are one name, and only a proxy may set the second."""
    headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
    return {**scope, "headers": headers}

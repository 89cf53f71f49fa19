import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from a2wsgi.wsgi_typing import Environ, StartResponse

from balint.asgi import Pages, application


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answers with what arrived: the body, and every header."""
    headers = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"body": body, "headers": headers}).encode()]


def messages(*events: dict[str, Any]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """What the server hands out: awaitable, but no coroutine."""
    waiting = iter(events)

    def receive() -> Awaitable[dict[str, Any]]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(next(waiting))
        return future

    return receive


def talk(app: Any, scope: dict[str, Any], *events: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(app(scope, messages(*events), send))
    return sent


def request(*headers: tuple[bytes, bytes]) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"content-length", b"11"), *headers],
    }


def test_a_body_in_two_parts_arrives_whole_though_receive_is_no_coroutine() -> None:
    sent = talk(
        Pages(echo),
        request(),
        {"type": "http.request", "body": b"answer=", "more_body": True},
        {"type": "http.request", "body": b"late"},
    )
    assert sent[0]["status"] == 200
    assert json.loads(sent[1]["body"])["body"] == "answer=late"


def test_a_header_that_could_pass_for_the_proxys_is_dropped() -> None:
    sent = talk(
        Pages(echo),
        request((b"x-forwarded-for", b"10.0.0.1"), (b"x_forwarded_for", b"6.6.6.6")),
        {"type": "http.request", "body": b"answer=late"},
    )
    assert json.loads(sent[1]["body"])["headers"] == {"HTTP_X_FORWARDED_FOR": "10.0.0.1"}


def test_the_site_says_that_it_started_and_stopped() -> None:
    sent = talk(
        application,
        {"type": "lifespan"},
        {"type": "lifespan.startup"},
        {"type": "lifespan.shutdown"},
    )
    assert [message["type"] for message in sent] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]


def test_a_web_socket_is_refused() -> None:
    sent = talk(application, {"type": "websocket", "path": "/"})
    assert [message["type"] for message in sent] == ["websocket.close"]

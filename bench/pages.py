"""Pages and feeds over HTTP, each in turn with its bare limit."""

import http.client
import json
import time
from collections.abc import Iterator
from typing import Any

from bench.figures import beside_bare
from bench.servers import Servers

WARM, REQUESTS = 20, 200
# On a busy machine fewer requests, so that the whole stays under three minutes.
SECONDS, AT_LEAST = 6.0, 40


def figures(servers: Servers) -> Iterator[dict[str, Any]]:
    """One figure a page; the rows stand already."""
    servers.python("-m", "bench.record", login="app")
    pages = json.loads((servers.folder / "pages.json").read_text())
    with (
        servers.web("balint.asgi:application") as ours,
        servers.web("bench.bare:application") as bare,
    ):
        for page in pages:
            yield _measured(
                page,
                http.client.HTTPConnection("127.0.0.1", ours, timeout=10),
                http.client.HTTPConnection("127.0.0.1", bare, timeout=10),
            )


def _measured(
    page: dict[str, Any], ours: http.client.HTTPConnection, bare: http.client.HTTPConnection
) -> dict[str, Any]:
    """One request to each in turn, over one connection each."""
    for _ in range(WARM):
        _seconds(ours, page)
        _seconds(bare, page)
    until = time.monotonic() + SECONDS
    pairs: list[tuple[float, float]] = []
    while len(pairs) < REQUESTS and (len(pairs) < AT_LEAST or time.monotonic() < until):
        pairs.append((_seconds(ours, page), _seconds(bare, page)))
    ours.close()
    bare.close()
    here, limit = zip(*pairs, strict=True)
    figure = beside_bare(page["name"], here, limit)
    return figure | {"queries": len(page["sql"]), "bytes": page["bytes"]}


def _seconds(connection: http.client.HTTPConnection, page: dict[str, Any]) -> float:
    begun = time.perf_counter()
    connection.request("GET", page["path"], headers=page["headers"])
    answer = connection.getresponse()
    body = answer.read()
    seconds = time.perf_counter() - begun
    if (answer.status, len(body)) != (page["status"], page["bytes"]):
        raise SystemExit(f"{page['name']} answered {answer.status} with {len(body)} bytes.")
    return seconds

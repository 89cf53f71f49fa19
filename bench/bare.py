"""The bare limit of a page: its SQL through Django's connection, and a string of the same size.

The same server, bridge, threads and pool as the product; no middleware, form, object or template.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import django
from a2wsgi.wsgi_typing import Environ, StartResponse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "balint.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402

from balint.asgi import Pages  # noqa: E402

PAGES = json.loads(Path(os.environ["BENCH_PAGES"]).read_text())
BY_KEY = {(page["path"], page["status"]): page for page in PAGES}


def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The page of this path: 304 if the asker says what it holds."""
    if environ["PATH_INFO"] == "/healthz":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]
    status = 304 if "HTTP_IF_NONE_MATCH" in environ else 200
    page = BY_KEY[environ["PATH_INFO"], status]
    with transaction.atomic(), connection.cursor() as cursor:
        for sql in page["sql"]:
            cursor.execute(sql)
            if cursor.description:
                cursor.fetchall()
    connection.close()  # Back to the pool.
    body = b"x" * page["bytes"]
    start_response(f"{status} -", [("Content-Length", str(len(body)))])
    return [body] if body else []


_pages = Pages(answer)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """As balint.asgi, for pages alone."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await _pages(scope, receive, send)

"""Figures of the site itself, on 300 groups of ten in a database of their own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from bench import pages, servers
from bench.start import free_port


class Bin:
    """A mail server's handler that takes everything and keeps nothing."""

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        return "250 taken"


def figures() -> Iterator[dict[str, Any]]:
    """Seeding, pages, planning, letters; every process is stopped at the end."""
    with mail_server() as port, servers.running(port) as site:
        begun = time.monotonic()
        seeded = site.lines("bench.seed", login="owner")[0]
        seconds = round(time.monotonic() - begun, 1)
        yield {"name": "seeded", "seconds": seconds, **seeded}
        yield from pages.figures(site)
        yield from site.lines("bench.planning", login="app")
        yield from site.lines("bench.letters", login="worker")


@contextmanager
def mail_server() -> Iterator[int]:
    """The port of a mail server on loopback, in a thread of this otherwise waiting process."""
    port = free_port()
    controller = Controller(Bin(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()

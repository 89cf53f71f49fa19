"""A real mail server on loopback that keeps what it takes, and misbehaves when told to."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.smtp import SMTP

logging.getLogger("mail.log").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Delivered:
    """One mail the server took, and whom it was for."""

    to: str
    message: EmailMessage

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])


class MailServer:
    """`script` says what becomes of the next mails, one word each; without a word they are taken.

    451, 550: the mail is answered so. no-rcpt, no-sender: 550 to its recipient or sender.
    drop: taken, then the connection breaks without an answer. hang: taken, and never answered.
    slow: an answer after `delay` seconds to every step. hold: taken, then nothing moves until
    `release()`; `held` says when. hold-rcpt: the same before the mail is handed over. An empty
    word: taken. `on_mail` is called with every mail, before the answer.
    """

    def __init__(self) -> None:
        self.mails: list[Delivered] = []
        self.script: list[str] = []
        self.connections = 0
        self.delay = 0.0
        self.on_mail: Callable[[], None] = lambda: None
        self.held = threading.Event()
        self.released = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self.released.set()
        self._stopping.set()
        self._thread.join()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.test", loop=loop), sock=self._socket
        )
        while not self._stopping.is_set():
            await asyncio.sleep(0.01)
        server.close()
        # Open connections: cancelled, and given a moment to close.
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await asyncio.sleep(0.01)

    @property
    def recipients(self) -> list[str]:
        return sorted(mail.to for mail in self.mails)

    def release(self) -> None:
        self.held.clear()
        self.released.set()

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.delay)
        if self._next_is("no-sender"):
            return "550 5.7.1 Not from you"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        await asyncio.sleep(self.delay)
        if self._next_is("no-rcpt"):
            return f"550 5.1.1 <{address}> is nobody here"
        if self._next_is("hold-rcpt"):
            await self._hold()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await asyncio.sleep(self.delay)
        word = self.script.pop(0) if self.script else ""
        if word.isdigit():
            return f"{word} 4.3.0 As told to"
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        self.on_mail()
        self.mails.append(Delivered(envelope.rcpt_tos[0], parsed))
        if word == "drop":
            server.transport.abort()
        elif word == "hang":
            await asyncio.sleep(60)
        elif word == "hold":
            await self._hold()
        return "250 OK"

    async def _hold(self) -> None:
        self.released.clear()
        self.held.set()
        while not self.released.is_set():
            await asyncio.sleep(0.01)

    def _next_is(self, word: str) -> bool:
        if self.script[:1] != [word]:
            return False
        self.script.pop(0)
        return True


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

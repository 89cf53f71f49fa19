"""A real mail server on loopback that keeps every byte, and fails as mail servers do."""

import asyncio
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cached_property
from typing import Any

from tests.smtp import MailServer

NOBODY = "nobody-"  # Refused for good.
GREY = "grey-"  # Refused for now, until the meeting has long begun.
HANGS = 4.0  # seconds: longer than a lease


@dataclass
class Taken:
    """A mail as it arrived whole; what the server then did instead of answering, if anything."""

    at: float
    to: str
    raw: bytes
    word: str

    @cached_property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        return str(self.message["Message-ID"])

    @cached_property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


class PostOffice(MailServer):
    """`odds` are the chances of each misfortune per mail; `grey` says until when an address waits.

    451, 550-here: answered so. cut: the connection breaks before the mail is whole. drop: taken,
    then it breaks. hang: taken, and no answer for longer than a lease. `away`: nobody is served.
    """

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Taken] = []
        self.odds: dict[str, float] = {}
        self.grey: dict[str, float] = {}
        self.away = False
        self.answers: Counter[str] = Counter()
        self._chance = random.Random(4)
        self._guard = threading.Lock()

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        if self.away:
            self.answers["away"] += 1
            server.transport.abort()
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith(NOBODY):
            self.answers["550"] += 1
            return "550 5.1.1 Nobody of that name"
        if time.time() < self.grey.get(address, 0):
            self.answers["450"] += 1
            return "450 4.2.0 Greylisted, come again later"
        if self._strikes("cut"):
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self._strikes("451"):
            return "451 4.3.0 Not now"
        word = next((word for word in ("drop", "hang") if self._strikes(word)), "")
        with self._guard:
            self.taken.append(Taken(time.time(), envelope.rcpt_tos[0], envelope.content, word))
        if word == "drop":
            server.transport.abort()
        elif word == "hang":
            await asyncio.sleep(HANGS)
        return "250 OK"

    def _strikes(self, misfortune: str) -> bool:
        odds = self.odds.get(misfortune, 0.0)
        struck = odds > 0 and self._chance.random() < odds
        self.answers[misfortune] += struck
        return struck

"""The line to the mail server: one connection for a batch, and what became of each mail.

Over SMTP no exchange outlasts the lease of its letter, however slow the server answers, so no
second worker can be sending the same letter meanwhile.
"""

import contextlib
import math
import smtplib
import time
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import smtp

DJANGO_SMTP = "django.core.mail.backends.smtp.EmailBackend"
SHORTEST_WAIT = 0.01  # seconds; none at all would turn waiting off


class Fate(Enum):
    """What a failure means for the letter."""

    TRY_AGAIN = auto()
    GIVE_UP = auto()
    # The mail was handed over and no answer came: nobody knows.
    UNKNOWN = auto()


class NotSent(Exception):
    """Why a mail did not go, as a short code that never holds an address or a server's words."""

    def __init__(self, code: str, fate: Fate) -> None:
        self.code, self.fate = code, fate
        super().__init__(code)


class WatchedSMTP(smtplib.SMTP):
    """Knows whether the mail was handed over, and keeps a deadline over all its exchanges."""

    deadline = math.inf
    handed_over = False

    def getreply(self) -> tuple[int, bytes]:
        if self.sock is not None:
            left = min(settings.EMAIL_TIMEOUT, self.deadline - time.monotonic())
            self.sock.settimeout(max(SHORTEST_WAIT, left))
        return super().getreply()

    def data(self, msg: Any) -> tuple[int, bytes]:
        # Half an exchange before the deadline it is too late to begin: nothing arrives after it.
        if self.deadline - time.monotonic() < settings.EMAIL_TIMEOUT / 2:
            self.close()
            raise smtplib.SMTPServerDisconnected("too late")
        self.handed_over = True
        answer = super().data(msg)
        self.handed_over = False
        return answer


class WatchedSMTPOverTLS(WatchedSMTP, smtplib.SMTP_SSL):
    pass


class WatchedBackend(smtp.EmailBackend):
    """Django's own, with our client in it."""

    @property
    def connection_class(self) -> Any:
        return WatchedSMTPOverTLS if self.use_ssl else WatchedSMTP


class Line:
    """A connection of whatever backend is set, opened when needed and again after it broke."""

    def __init__(self) -> None:
        is_smtp = settings.EMAIL_BACKEND == DJANGO_SMTP
        self.backend: Any = WatchedBackend() if is_smtp else get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> None:
        """Connect unless connected; raises NotSent."""
        try:
            self.backend.open()
        except smtplib.SMTPResponseException as error:
            # Whatever the server says before it hears of a recipient is about us, not about them.
            raise NotSent(str(error.smtp_code), Fate.TRY_AGAIN) from None
        except OSError as error:
            raise NotSent(_reason(error, "no connection"), Fate.TRY_AGAIN) from None

    def send(self, mail: EmailMessage, seconds: float) -> None:
        """Hand over one mail within so many seconds; raises NotSent."""
        client = self._client()
        if client:
            client.deadline, client.handed_over = time.monotonic() + seconds, False
        try:
            self.backend.send_messages([mail])
        except (OSError, ValueError) as error:
            if client is None or client.sock is None:
                self.close()
            raise _judged(error, handed_over=bool(client and client.handed_over)) from None

    def close(self) -> None:
        """Say goodbye; a server that does not answer to that is let go."""
        if client := self._client():
            client.deadline = time.monotonic() + settings.EMAIL_TIMEOUT
        with contextlib.suppress(OSError):
            self.backend.close()

    def _client(self) -> WatchedSMTP | None:
        client = getattr(self.backend, "connection", None)
        return client if isinstance(client, WatchedSMTP) else None


def _judged(error: Exception, *, handed_over: bool) -> NotSent:
    """Every error of smtplib is an OSError, so the order matters."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=answers):
            return _by_code(next(iter(answers.values()))[0])
        case smtplib.SMTPSenderRefused(smtp_code=code):
            return NotSent(str(code), Fate.TRY_AGAIN)
        case smtplib.SMTPResponseException(smtp_code=code):
            return _by_code(code)
        case smtplib.SMTPNotSupportedError() | ValueError():
            return NotSent("cannot be addressed", Fate.GIVE_UP)
    if handed_over:
        return NotSent("no answer", Fate.UNKNOWN)
    return NotSent(_reason(error, "dropped"), Fate.TRY_AGAIN)


def _by_code(code: int) -> NotSent:
    return NotSent(str(code), Fate.GIVE_UP if 500 <= code < 600 else Fate.TRY_AGAIN)


def _reason(error: Exception, otherwise: str) -> str:
    return "time-out" if isinstance(error, TimeoutError) else otherwise

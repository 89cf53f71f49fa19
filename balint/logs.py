"""Logs hold no address that opens something, and no words of an error: where, not what.

Calendar programs try methods we refuse, and every refusal is logged with its path: tokens in paths
are blotted out. An error's own words may hold what somebody typed or a page had just opened.
"""

import logging
import re
import traceback
from collections.abc import Iterator
from smtplib import SMTPException
from types import TracebackType
from typing import TypeAlias

from django.core.exceptions import ImproperlyConfigured
from django.db.utils import OperationalError

OPENING = re.compile(
    r"(/calendar/(?!\d+/|agenda/)|/invitations/|/answer/|/unsubscribe/|/confirm-email/"
    r"|/password/reset/key/)[^/\s]+(?=/)"
)


# Their words are about machines, files and settings, and whoever runs the site needs them.
OF_THE_MACHINE = (OSError, ImportError, MemoryError, OperationalError, ImproperlyConfigured)
Failure: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


class DiscreetFormatter(logging.Formatter):
    """The usual line, with what stands for a token replaced, and tracebacks without the words."""

    def formatException(self, ei: Failure) -> str:  # noqa: N802
        """Which error came of which, of what kind and where."""
        return "" if ei[1] is None else "\n".join(_told(ei[1]))

    def format(self, record: logging.LogRecord) -> str:
        return OPENING.sub(r"\1…", super().format(record))


def _is_of_the_machine(error: BaseException) -> bool:
    # What a mail server says is an OSError to Python, and names whom it was about.
    return isinstance(error, OF_THE_MACHINE) and not isinstance(error, SMTPException)


def _told(error: BaseException) -> Iterator[str]:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _told(cause)
        yield "and then:"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    yield f"{kind}: {error}" if _is_of_the_machine(error) else kind
    for one in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield "among them:"
        yield from _told(one)

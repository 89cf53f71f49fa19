"""Logs hold no address that opens something: tokens in paths are blotted out.

Calendar programs try methods we refuse, and every refusal is logged with its path.
"""

import logging
import re

OPENING = re.compile(
    r"(/calendar/(?!\d+/|agenda/)|/invitations/|/confirm-email/|/password/reset/key/)[^/\s]+(?=/)"
)


class DiscreetFormatter(logging.Formatter):
    """The usual line, traceback and all, with what stands for a token replaced."""

    def format(self, record: logging.LogRecord) -> str:
        return OPENING.sub(r"\1…", super().format(record))

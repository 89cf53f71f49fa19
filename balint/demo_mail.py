"""The demo's mail: a folder instead of a server, so that a newcomer sees letters arrive."""

import mailbox
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage as ParsedMessage
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend


class MaildirBackend(BaseEmailBackend):
    """Puts every mail into the Maildir that EMAIL_URL names (maildir:///folder)."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        box = _box()
        for message in email_messages:
            box.add(message.message().as_bytes())
        return len(email_messages)


@dataclass(frozen=True)
class Mail:
    """A mail that arrived; `text` is its plain form."""

    key: str
    to: str
    subject: str
    arrived_at: datetime
    text: str


def newest(limit: int = 200) -> list[Mail]:
    """What arrived, the newest first."""
    box = _box()
    mails = [_read(box, key) for key in box.keys()]  # noqa: SIM118  A mailbox iterates over mails.
    return sorted(mails, key=lambda mail: (mail.arrived_at, mail.key), reverse=True)[:limit]


def read(key: str) -> Mail | None:
    """One mail; None if there is none of that key."""
    box = _box()
    return _read(box, key) if key in box else None


def _box() -> "mailbox.Maildir":
    # The reader of mail addresses drops the first slash of a path.
    folder = Path("/", getattr(settings, "EMAIL_FILE_PATH", ""))
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    return mailbox.Maildir(folder, factory=None)


def _read(box: "mailbox.Maildir", key: str) -> Mail:
    parsed = message_from_bytes(box.get_bytes(key), policy=policy.default)
    assert isinstance(parsed, ParsedMessage)  # noqa: S101
    body = parsed.get_body(("plain",))
    return Mail(
        key=key,
        to=str(parsed["To"]),
        subject=str(parsed["Subject"]),
        arrived_at=datetime.fromtimestamp(box.get_message(key).get_date(), UTC),
        text=body.get_content() if body else "",
    )

"""A mail server, letters of a kind of our own, and a database where transactions really end."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import dj_database_url
import pytest
from django.db import connections
from django.utils import timezone

from members.letters import kinds, outbox
from members.letters.kinds import LetterKind, Message
from members.models import Letter
from tests import servers
from tests.smtp import MailServer
from tests.world import as_owner, make_member


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    """A mail server of our own, with time-outs and leases as short as a test is."""
    settings.EMAIL_TIMEOUT, settings.LETTER_LEASE_SECONDS = 0.4, 4
    with MailServer() as server:
        use(server, settings)
        yield server


def use(server: MailServer, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port


def write(letter: Letter) -> Message:
    return Message("A note", "A note.\n", "<p>A note.</p>")


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch) -> LetterKind:
    """A kind that is always wanted."""
    kind = LetterKind("note", lambda letter: True, write)
    monkeypatch.setitem(kinds._KINDS, "note", kind)
    return kind


def make_letter(**fields: Any) -> Letter:
    """A letter due since a minute, planned as the owner."""
    values: dict[str, Any] = {
        "kind": "note",
        "about": uuid4(),
        "version": 0,
        "group_id": None,
        "send_after": timezone.now() - timedelta(minutes=1),
    } | fields
    if "recipient" not in values and "address" not in values:
        values["recipient"] = make_member()
    letter = outbox.letter(**values)
    with as_owner():
        assert outbox.plan([letter]) == 1
    return letter


def look(letter: Letter) -> Letter:
    """The letter as it stands now."""
    with as_owner():
        return Letter.objects.get(pk=letter.pk)


def change(letter: Letter, **fields: Any) -> None:
    with as_owner():
        Letter.objects.filter(pk=letter.pk).update(**fields)


@pytest.fixture
def own_database(django_db_setup: None, django_db_blocker: Any, worker_id: str) -> Iterator[str]:
    """A clone that this test alone writes to, for what must really be committed."""
    name = servers.clone(f"letters_{worker_id}")
    default = connections["default"]
    before = dict(default.settings_dict)
    with django_db_blocker.unblock():
        default.close()
        default.settings_dict.update(dj_database_url.parse(servers.url("balint_test", name)))
        yield name
        default.close()
        default.settings_dict.update(before)
    servers.drop(name)


def wait_until(condition: Callable[[], bool], seconds: float = 15.0) -> None:
    """Ask until it is so; fails when it never becomes so."""
    from balint.embedded.processes import wait_for

    assert wait_for(condition, seconds=seconds, every=0.05)

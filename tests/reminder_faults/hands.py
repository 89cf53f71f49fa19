"""What leaders and members do meanwhile, each in a process of its own that may be killed too.

One process, told what to do line by line, forks for each deed; so a kill at any moment costs
milliseconds, and nothing of one deed lives on in the next.
"""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self
from uuid import UUID

NOT_COMMITTED, COMMITTED = "plan: not committed", "plan: done"
KILLED = -9


class CouldNot(Exception):
    """An error stopped it; it stands on the hands' standard error."""


class Hands:
    """The process, from outside."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.reminder_faults.hands"],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *args: object) -> None:
        self.process.communicate()

    def do(self, deed: str, **more: Any) -> int:
        """0 if it was done, -9 if it was killed; raises when it could not be done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps({"deed": deed, **more}), file=self.process.stdin, flush=True)
        ended = int(self.process.stdout.readline())
        if ended not in {0, KILLED}:
            raise CouldNot(f"{deed} ended with {ended}.")
        return ended


def move(session: str, by: str, starts_at: str, die: str = "") -> None:
    """A leader moves a meeting."""
    from sessions.models import Session
    from sessions.planning import one_date

    def verb(person: Any, at: datetime) -> None:
        found = Session.objects.get(pk=session)
        one_date.move(found, starts_at=datetime.fromisoformat(starts_at), by=person, at=at)

    _as_person(by, verb, die)


def cancel(session: str, by: str, die: str = "") -> None:
    """A leader cancels a meeting."""
    from sessions.models import Session
    from sessions.planning import one_date

    def verb(person: Any, at: datetime) -> None:
        one_date.cancel(Session.objects.get(pk=session), by=person, at=at)

    _as_person(by, verb, die)


def leave(group: str, by: str, die: str = "") -> None:
    """A member leaves the group at once."""
    from groups import leaving
    from groups.models import Group

    def verb(person: Any, at: datetime) -> None:
        leaving.leave(Group.objects.get(pk=group), by=person, at=at)

    _as_person(by, verb, die)


def excuse(session: str, by: str, die: str = "") -> None:
    """A member cannot come."""
    from sessions import answers
    from sessions.models import Session

    def verb(person: Any, at: datetime) -> None:
        answers.cannot_come(Session.objects.get(pk=session), by=person, at=at)

    _as_person(by, verb, die)


def dispatch(host: str, port: int, lease: float, timeout: float) -> None:
    """What is due is sent, by a worker that may die at any place for which there is an order."""
    from django.conf import settings

    from members.letters import engine
    from tests.reminder_faults import points

    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.LETTER_LEASE_SECONDS, settings.EMAIL_TIMEOUT = lease, timeout
    points.install()
    engine.dispatch()


def _as_person(by: str, verb: Callable[[Any, datetime], None], die: str) -> None:
    """As a request does it: one transaction in the person's name, then an answer."""
    from django.utils import timezone

    from members.identity import acting_as
    from members.models import Member
    from tests.reminder_faults.points import kill

    with acting_as(Member(pk=UUID(by)), "balint_app"):
        verb(Member.objects.get(pk=by), timezone.now())
        if die == NOT_COMMITTED:
            kill("child")
    if die == COMMITTED:
        kill("child")


DEEDS: dict[str, Callable[..., None]] = {
    "move": move,
    "cancel": cancel,
    "leave": leave,
    "excuse": excuse,
    "dispatch": dispatch,
}


def _obey(deed: str, database: str = "", folder: str = "", **more: Any) -> int:
    if folder:
        os.environ["BALINT_FAULTS"] = folder
    try:
        if database:
            import dj_database_url
            from django.db import connections

            connections["default"].settings_dict.update(dj_database_url.parse(database))
        DEEDS[deed](**more)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _warm_up() -> None:
    """What every child would load for itself again is loaded before the first is born."""
    from django.template.loader import get_template
    from django.urls import get_resolver

    from groups import leaving
    from sessions import answers
    from sessions.planning import one_date
    from tests.reminder_faults import points

    assert all((leaving, answers, one_date, points, get_resolver().url_patterns))
    for name in ("letter.html", "invitation.txt", "reminder.txt"):
        get_template(f"letters/{name}")


def main() -> None:
    """A child for each line; its end is the answer."""
    import django

    django.setup()
    _warm_up()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_obey(**json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

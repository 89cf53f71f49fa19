"""A change taken back before anybody heard of it costs nobody a reminder, and is no news."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.models import Letter, Member
from sessions import planning, reminders
from sessions.models import Session
from tests.sessions.meetings import cannot_come, make_session
from tests.sessions.round import Round, emails, make_round, planned, recipients, send, text_of
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours() -> Round:
    made = make_round()
    with as_owner():
        Member.objects.update(quiet_from="00:00", quiet_until="00:00")
    return made


@pytest.fixture
def soon(ours: Round) -> Session:
    """Begins in 23½ hours: the reminder of the day before is due, and the worker is behind."""
    session = make_session(ours.group, timezone.now() + timedelta(hours=23, minutes=30))
    with as_owner():
        reminders.sync(session, at=timezone.now() - timedelta(days=20))
        # That of a week before has gone.
        Letter.objects.filter(kind="reminder-7").update(state="sent")
    return session


def known(session: Session) -> Session:
    return Session.objects.select_related("group", "series").get(pk=session.pk)


def test_who_lost_a_reminder_to_a_change_that_was_undone_gets_it_after_all(ours, soon):
    cannot_come(soon, ours.members[0])
    with as_member(ours.leader):
        planning.move(known(soon), place="Garden", by=ours.leader, at=timezone.now())
        planning.undo(known(soon), by=ours.leader, at=timezone.now())
    mails = send()
    assert recipients(mails) == emails([p for p in ours.reminded if p != ours.members[0]])
    assert "Garden" not in text_of(mails[0])
    assert send() == []
    assert list(planned(soon, state="sent")) == ["reminder-1", "reminder-7"]


def test_what_came_due_between_a_change_and_its_undoing_goes_too(ours, soon):
    now = timezone.now()
    with as_owner():
        Letter.objects.filter(kind="reminder-1").update(send_after=now - timedelta(seconds=5))
    with as_member(ours.leader):
        planning.move(known(soon), place="Garden", by=ours.leader, at=now - timedelta(seconds=15))
        planning.undo(known(soon), by=ours.leader, at=now)
    assert recipients(send()) == emails(ours.reminded)

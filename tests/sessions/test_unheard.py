"""A change taken back before anybody heard of it costs nobody a reminder, and is no news."""

from datetime import timedelta

import pytest
from django.utils import timezone

from members.models import Letter, Member
from sessions import planning, reminders
from sessions.models import Session
from tests.sessions.meetings import cannot_come, in_days, make_session
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


def test_cancelled_and_put_back_before_any_letter_went_is_no_news(ours):
    session = in_days(ours.group, 20)
    with as_owner():
        reminders.sync(session, at=timezone.now() - timedelta(days=1))
    with as_member(ours.leader):
        planning.cancel(known(session), by=ours.leader, at=timezone.now())
        planning.restore(known(session), by=ours.leader, at=timezone.now())
    assert send() == []
    assert set(planned(session)) == {"reminder-1", "reminder-7"}


def test_put_back_whoever_had_read_of_the_cancellation_hears_of_it_and_nobody_else(ours):
    session = in_days(ours.group, 20)
    with as_member(ours.leader):
        planning.cancel(known(session), by=ours.leader, at=timezone.now())
    with as_owner():
        read = Letter.objects.filter(kind="cancelled", recipient=ours.members[0])
        read.update(state="sent", attempts=1)
    with as_member(ours.leader):
        planning.restore(known(session), by=ours.leader, at=timezone.now())
    (mail,) = send()
    assert mail["To"] == ours.members[0].email
    assert "after all" in mail["Subject"]


def test_moved_cancelled_and_put_back_unread_is_told_as_the_move_it_is(ours):
    session = in_days(ours.group, 20)
    with as_member(ours.leader):
        planning.move(known(session), place="Garden", by=ours.leader, at=timezone.now())
        planning.cancel(known(session), by=ours.leader, at=timezone.now())
        planning.restore(known(session), by=ours.leader, at=timezone.now())
    subjects = {mail["Subject"] for mail in send()}
    assert subjects == {"Valley has moved a meeting"}

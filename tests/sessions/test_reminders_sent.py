"""From a plan to the mails: the exact values, and what changes between planning and sending."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.models import Leave, Membership, Preference
from members.models import Letter
from sessions import answers, reminders
from sessions.models import Session
from sessions.phases import Phase
from sessions.planning import cancel, move, restore
from tests.sessions.meetings import make_session
from tests.sessions.round import (
    emails,
    let_days_pass,
    make_round,
    make_series,
    meeting,
    planned,
    recipients,
    send,
    sync,
    text_of,
)
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db

# The first reminder is due since some hours, the second in five days.
SOON = timedelta(days=6, hours=8)
LONG_BEFORE = timedelta(days=60)


@pytest.fixture
def ours():
    return make_round()


@pytest.fixture
def session(ours):
    """Planned two months ago by the leader; its first reminder is due."""
    starts_at = (timezone.now() + SOON).replace(microsecond=0)
    session = meeting(ours.group, starts_at)
    sync(session, at=starts_at - LONG_BEFORE, by=ours.leader)
    return session


def fresh(session):
    with as_owner():
        return Session.objects.get(pk=session.pk)


def change(verb, session, by, **fields):
    now_stands = fresh(session)
    with as_member(by):
        return verb(now_stands, by=by, at=timezone.now(), **fields)


def kinds():
    with as_owner():
        states = Letter.objects.values_list("kind", "state")
        return {(kind, state) for kind, state in states}


def test_nine_mails_a_reminder_and_run_again_none(ours, session):
    assert recipients(send()) == emails(ours.reminded)
    assert send() == []
    let_days_pass(6)
    assert recipients(send()) == emails(ours.reminded)
    assert send() == []


def test_moved_after_the_first_mail_one_notice_each_and_the_second_mail_names_the_new_date(
    ours, session
):
    assert len(send()) == 9
    moved = change(move, session, ours.leader, starts_at=session.starts_at + timedelta(hours=2))
    notices = send()
    assert recipients(notices) == emails([*ours.reminded, ours.opted_out])
    assert {str(notice["Subject"]) for notice in notices} == {"Valley has moved a meeting"}
    assert send() == []
    let_days_pass(6)
    reminders = send()
    assert recipients(reminders) == emails(ours.reminded)
    local = fresh(moved).starts_at.astimezone(moved.zone)
    day = f"{local:%A} {local.day} {local:%B}"
    assert all(f"on {day}, {local:%H:%M}–" in text_of(mail) for mail in reminders)


def test_after_an_outage_only_the_newest_reminder_goes_and_nothing_after_the_start(ours, session):
    let_days_pass(6)
    assert len(send()) == 9
    assert kinds() == {("reminder-7", "expired"), ("reminder-1", "sent")}


def test_an_outage_past_the_start_sends_nothing(ours, session):
    let_days_pass(7)
    assert send() == []
    assert kinds() == {("reminder-7", "expired"), ("reminder-1", "expired")}


def test_whoever_left_went_on_leave_or_opted_out_since_planning_gets_no_reminder(ours, session):
    gone, away, silent = ours.members[:3]
    with as_owner():
        Membership.objects.filter(member=gone).update(ended_at=timezone.now())
        Leave.objects.create(
            group=ours.group, member=away, starts_at=session.starts_at - timedelta(hours=1)
        )
        Preference.objects.create(group=ours.group, member=silent, reminders=False)
    left = [member for member in ours.reminded if member not in (gone, away, silent)]
    assert recipients(send()) == emails(left)


def test_whoever_left_since_gets_no_notice_either(ours, session):
    send()
    change(move, session, ours.leader, minutes=60)
    gone = ours.members[0]
    with as_owner():
        Membership.objects.filter(member=gone).update(ended_at=timezone.now())
    told = [member for member in ours.reminded if member != gone]
    assert recipients(send()) == emails([*told, ours.opted_out])


def test_a_session_moved_or_cancelled_without_word_to_the_letters_sends_no_old_reminder(
    ours, session
):
    with as_owner():
        Session.objects.filter(pk=session.pk).update(sequence=1)
    assert send() == []
    with as_owner():
        Letter.objects.update(state="pending")
        Session.objects.filter(pk=session.pk).update(sequence=0, phase=Phase.CANCELLED)
    assert send() == []


def test_who_says_no_is_not_reminded_and_is_again_after_taking_it_back(ours, session):
    member = ours.members[0]
    change(answers.cannot_come, session, member, reason="a wedding")
    others = [person for person in ours.reminded if person != member]
    assert recipients(send()) == emails(others)
    change(answers.can_come, session, member)
    # The first lies behind; the second is planned for all nine.
    assert planned(session) == {"reminder-1": emails(ours.reminded)}


def test_who_cannot_come_still_hears_of_a_cancellation(ours, session):
    send()
    change(answers.cannot_come, session, ours.members[0])
    change(cancel, session, ours.leader, reason="The room is flooded.")
    assert recipients(send()) == emails([*ours.reminded, ours.opted_out])
    let_days_pass(6)
    assert send() == []


def test_put_back_it_is_told_and_reminded_of(ours, session):
    send()
    change(cancel, session, ours.leader, reason="")
    send()
    change(restore, session, ours.leader)
    told = send()
    assert recipients(told) == emails([*ours.reminded, ours.opted_out])
    assert {mail["Subject"].split(" after ")[1] for mail in told} == {"all"}
    let_days_pass(6)
    assert recipients(send()) == emails(ours.reminded)


def test_a_group_of_two_weeks_rhythm_is_reminded_the_day_before_only(ours):
    starts_at = timezone.now() + SOON
    session = meeting(ours.group, starts_at, "week:2:3")
    sync(session, at=starts_at - LONG_BEFORE, by=ours.leader)
    assert send() == []
    let_days_pass(6)
    assert recipients(send()) == emails(ours.reminded)


def test_a_year_planned_late_sends_no_mail_about_what_has_passed(ours):
    series, now = make_series(ours.group), timezone.now()
    year = [
        make_session(ours.group, now + timedelta(days=28 * n, hours=12), series=series)
        for n in range(-6, 6)
    ]
    with as_member(ours.leader):
        reminders.sync_many(year, at=now)
    assert send() == []
    assert kinds() == {("reminder-7", "pending"), ("reminder-1", "pending")}

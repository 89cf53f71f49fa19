"""The worker's check of what is missing or stale, and what planning costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from members.models import Letter, Member
from sessions import reminders
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.meetings import make_session
from tests.sessions.round import (
    AT,
    BOTH,
    LONG_AGO,
    START,
    alone,
    each,
    emails,
    local,
    make_round,
    make_series,
    meeting,
    moments,
    planned,
    sync,
)
from tests.world import as_member, as_owner, join, make_member

pytestmark = pytest.mark.django_db


def test_the_worker_plans_what_is_missing_once_and_only_what_lies_ahead():
    ours = make_round()
    session = meeting(ours.group, START)
    ten_days_before, five_days_before = (START - timedelta(days=days) for days in (10, 5))
    with as_member(None, "balint_worker"):
        assert reminders.reconcile(at=ten_days_before) == 18
        assert reminders.reconcile(at=ten_days_before) == 0
    assert planned(session) == each(BOTH, emails(ours.reminded))
    with as_owner():
        Letter.objects.all().delete()
    with as_member(None, "balint_worker"):
        assert reminders.reconcile(at=five_days_before) == 9


def test_the_worker_begins_with_a_newcomer_on_the_first_day():
    group, _member = alone()
    first_day = START - timedelta(days=8)
    newcomer = make_member()
    join(group, newcomer, since=first_day)
    meeting(group, START)
    with as_member(None, "balint_worker"):
        reminders.reconcile(at=first_day - timedelta(minutes=1))
    with as_owner():
        assert not Letter.objects.filter(recipient=newcomer).exists()
        # The database goes by its own clock, which must have come to that day too.
        newcomer.memberships.update(starts_at=LONG_AGO)
    with as_member(None, "balint_worker"):
        assert reminders.reconcile(at=first_day) == 2


def test_who_moves_to_another_zone_is_reminded_by_the_quiet_hours_there():
    group, member = alone()
    session = meeting(group, START)
    sync(session)
    with as_owner():
        Member.objects.filter(pk=member.pk).update(time_zone="Australia/Sydney")
    with as_member(None, "balint_worker"):
        assert reminders.reconcile(at=START - timedelta(days=10)) == 0
    seven_in_sydney = {
        "reminder-7": local("Australia/Sydney", 2027, 2, 12, 7),
        "reminder-1": local("Australia/Sydney", 2027, 2, 18, 7),
    }
    assert moments(session, member) == seven_in_sydney
    # What is due already stays due.
    with as_owner():
        Member.objects.filter(pk=member.pk).update(time_zone="Europe/London")
    with as_member(None, "balint_worker"):
        reminders.reconcile(at=START - timedelta(days=1))
    assert moments(session, member) == seven_in_sydney


def test_the_worker_takes_back_letters_of_what_moved_on_without_them():
    group, _ = alone()
    gone, off, moved = (meeting(group, START + timedelta(days=n), "week:4:3") for n in range(3))
    for session in (gone, off, moved):
        sync(session)
    with as_owner():
        Session.objects.filter(pk=gone.pk).delete()
        Session.objects.filter(pk=off.pk).update(phase=Phase.CANCELLED)
        Session.objects.filter(pk=moved.pk).update(sequence=1)
    with as_member(None, "balint_worker"):
        assert reminders.reconcile(at=START - timedelta(days=10)) == 2
    with as_owner():
        letters = Letter.objects.values_list("about_id", "about_version", "state").distinct()
        assert set(letters) == {
            (gone.pk, 0, "cancelled"),
            (off.pk, 0, "cancelled"),
            (moved.pk, 0, "cancelled"),
            (moved.pk, 1, "pending"),
        }


def queries(work, *args, at=AT):
    with CaptureQueriesContext(connection) as captured:
        work(*args, at=at)
    return len(captured)


def year(group, count):
    series = make_series(group)
    return [
        make_session(
            group,
            START + timedelta(days=28 * n),
            series=series,
            sequence=1,
            updated_at=AT,
        )
        for n in range(count)
    ]


def test_a_year_takes_as_many_queries_as_one_date():
    counts = []
    for size in (1, 13):
        ours = make_round()
        sessions = year(ours.group, size)
        with as_member(ours.leader):
            counts.append(queries(reminders.sync_many, sessions))
    assert counts[0] == counts[1]


def test_a_person_takes_as_many_queries_in_a_full_year_as_before_one_date():
    counts = []
    for size in (1, 13):
        ours = make_round()
        reminders_of = year(ours.group, size)
        sync(reminders_of[0])
        with as_member(ours.leader):
            counts.append(queries(reminders.sync_person, ours.group, ours.members[0]))
    assert counts[0] == counts[1]


def test_the_worker_takes_as_many_queries_for_ten_groups_as_for_one():
    counts = []
    for size in (1, 10):
        for _ in range(size):
            group, _member = alone()
            meeting(group, START)
        with as_member(None, "balint_worker"):
            counts.append(queries(reminders.reconcile, at=START - timedelta(days=10)))
    assert counts[0] == counts[1]

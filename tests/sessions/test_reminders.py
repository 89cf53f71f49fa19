"""Who is reminded, and when; planned in the transaction that makes the session."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups.cadence import instant
from groups.models import Leave
from members.models import Letter, Member
from sessions import reminded
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
    meeting,
    moments,
    planned,
    sync,
)
from tests.world import as_owner, join, make_member, utc

pytestmark = pytest.mark.django_db


def test_two_leaders_and_seven_of_nine_members_are_reminded_seven_days_and_one_before():
    ours = make_round()
    session = meeting(ours.group, START)
    sync(session, by=ours.leader)
    assert planned(session) == each(BOTH, emails(ours.reminded))


def test_planning_again_changes_nothing():
    ours = make_round()
    session = meeting(ours.group, START)
    for _ in range(2):
        sync(session, by=ours.leader)
    with as_owner():
        assert Letter.objects.count() == 18


def test_who_has_not_agreed_yet_whose_account_is_closed_and_who_left_before_is_not_reminded():
    ours = make_round()
    session = meeting(ours.group, START)
    newcomer, closed, leaving, former = (make_member() for _ in range(4))
    join(ours.group, newcomer, since=LONG_AGO, agreed=False)
    join(ours.group, closed, since=LONG_AGO)
    join(ours.group, leaving, since=LONG_AGO, until=START)
    join(ours.group, former, since=LONG_AGO, until=utc(2021, 1, 1))
    with as_owner():
        Member.objects.filter(pk=closed.pk).update(is_active=False)
    sync(session, by=ours.leader)
    assert planned(session) == each(BOTH, emails(ours.reminded))


def test_who_belongs_until_just_after_the_start_is_reminded():
    group, _ = alone()
    leaving = make_member()
    join(group, leaving, since=LONG_AGO, until=START + timedelta(minutes=1))
    session = meeting(group, START)
    sync(session)
    assert leaving.email in planned(session)["reminder-1"]


def test_a_place_that_begins_later_is_reminded_from_its_first_day_on():
    group, member = alone()
    newcomer = make_member()
    join(group, newcomer, since=AT + timedelta(days=10))
    session = meeting(group, START)
    sync(session)
    assert planned(session) == each(BOTH, [member.email])


def test_a_member_who_becomes_a_leader_in_between_is_reminded_without_a_gap():
    group, _ = alone()
    member, change = make_member(), AT + timedelta(days=10)
    join(group, member, since=LONG_AGO, until=change)
    join(group, member, "leader", since=change)
    session = meeting(group, START)
    sync(session)
    assert planned(session)["reminder-7"].count(member.email) == 1


def test_a_leave_counts_at_the_start_of_the_session():
    group, member = alone()
    session = meeting(group, START)
    with as_owner():
        leave = Leave.objects.create(group=group, member=member, starts_at=AT, ended_at=START)
    sync(session)
    assert planned(session) == each(BOTH, [member.email])
    with as_owner():
        Leave.objects.filter(pk=leave.pk).update(ended_at=START + timedelta(minutes=1))
    sync(session)
    assert planned(session) == {}


def test_only_settled_sessions_that_lie_ahead_make_letters():
    group, _ = alone()
    unsettled = meeting(group, START, settled_at=None)
    past = meeting(group, AT - timedelta(days=1), rule="week:1:3")
    cancelled = meeting(group, START, rule="week:2:3", phase=Phase.CANCELLED)
    for session in (unsettled, past, cancelled):
        sync(session)
    with as_owner():
        assert Letter.objects.count() == 0


@pytest.mark.parametrize(
    ("rule", "kinds"),
    [
        ("month:1:3:3", BOTH),
        ("week:3:3", BOTH),
        ("week:4:3", BOTH),
        ("month:2:0:-1", BOTH),
        ("week:2:3", ("reminder-1",)),
        ("week:1:3", ("reminder-1",)),
    ],
)
def test_rhythms_of_three_weeks_or_longer_remind_twice_and_shorter_ones_the_day_before(rule, kinds):
    group, _ = alone()
    session = meeting(group, START, rule)
    sync(session)
    assert tuple(planned(session)) == kinds


def test_a_session_without_a_series_reminds_twice():
    group, _ = alone()
    session = make_session(group, START)
    sync(session)
    assert tuple(planned(session)) == BOTH


def test_reminders_go_at_the_sessions_wall_time_and_end_with_its_start():
    group, member = alone("Asia/Jerusalem")
    session = meeting(group, instant(date(2027, 2, 18), time(19, 30), "Asia/Jerusalem"))
    sync(session)
    assert moments(session, member) == {
        "reminder-7": local("Asia/Jerusalem", 2027, 2, 11, 19, 30),
        "reminder-1": local("Asia/Jerusalem", 2027, 2, 17, 19, 30),
    }
    with as_owner():
        assert {letter.send_before for letter in Letter.objects.all()} == {session.starts_at}


@pytest.mark.parametrize(
    ("starts_on", "day_before"),
    [
        # London's clocks go forward on 28 March 2027 and back on 31 October.
        (date(2027, 3, 28), utc(2027, 3, 27, 19)),
        (date(2027, 10, 31), utc(2027, 10, 30, 18)),
    ],
)
def test_the_wall_time_stays_over_a_clock_change(starts_on, day_before):
    group, member = alone("Europe/London")
    session = meeting(group, instant(starts_on, time(19), "Europe/London"))
    sync(session)
    assert moments(session, member)["reminder-1"] == day_before


def test_quiet_hours_are_the_recipients_own_and_the_reminder_goes_at_their_end():
    # 19:30 in London is 06:30 in Sydney the next day.
    group, member = alone("Europe/London", person_zone="Australia/Sydney")
    session = meeting(group, START)
    sync(session)
    assert moments(session, member) == {
        "reminder-7": local("Australia/Sydney", 2027, 2, 12, 7),
        "reminder-1": local("Australia/Sydney", 2027, 2, 18, 7),
    }


@pytest.mark.parametrize(("hour", "minute", "goes"), [(21, 59, (17, 21, 59)), (22, 0, (18, 7, 0))])
def test_quiet_hours_begin_at_ten(hour, minute, goes):
    group, member = alone()
    session = meeting(group, instant(date(2027, 2, 18), time(hour, minute), "Europe/London"))
    sync(session)
    assert moments(session, member)["reminder-1"] == utc(2027, 2, *goes)


ZONES = st.sampled_from(
    ["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"]
)


@given(
    starts_at=st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),
    zone=ZONES,
    person_zone=ZONES,
)
def test_no_reminder_goes_after_the_start_or_in_the_recipients_quiet_hours(
    starts_at, zone, person_zone
):
    session = Session(starts_at=starts_at, time_zone=zone)
    person = reminded.Person(Member(time_zone=person_zone), uuid4(), (), wants_reminders=True)
    found = dict(reminded.moments(session, person, (7, 1)))
    assert tuple(sorted(found)) == BOTH
    for moment in found.values():
        assert moment < starts_at
        assert time(7) <= moment.astimezone(ZoneInfo(person_zone)).time() < time(22)


def test_a_late_plan_makes_only_what_still_lies_ahead():
    group, member = alone()
    session = meeting(group, START)
    sync(session, at=START - timedelta(days=7))
    assert planned(session) == {"reminder-1": [member.email]}
    later = meeting(group, START + timedelta(days=28))
    sync(later, at=later.starts_at - timedelta(hours=20))
    assert planned(later) == {}

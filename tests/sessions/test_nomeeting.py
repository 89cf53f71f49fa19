"""Leaders hear once, in the second half of a month, that their group has no meeting in the next."""

from datetime import date, time

import pytest
from django.utils import timezone

from groups.cadence import instant
from groups.models import Group, Membership
from members.letters.compose import page
from members.models import Letter, Member
from sessions import nomeeting, upkeep
from sessions.models import Series
from tests.sessions.meetings import make_session, on_wall
from tests.sessions.round import LONG_AGO, emails, make_round, make_series, send, text_of
from tests.world import as_member, as_owner, utc

pytestmark = pytest.mark.django_db

TODAY = utc(2027, 3, 20, 12)


@pytest.fixture
def ours():
    """It met in March, and has no date in April."""
    made = make_round()
    make_series(made.group)
    on_wall(made.group, date(2027, 3, 18))
    return made


def plan(at=TODAY) -> int:
    with as_member(None, "balint_worker"):
        return nomeeting.plan(at=at)


def letters() -> list[Letter]:
    with as_owner():
        return list(Letter.objects.filter(kind=nomeeting.KIND).select_related("recipient"))


def test_both_leaders_are_told_once(ours):
    assert [plan(), plan(), plan(utc(2027, 3, 30))] == [2, 0, 0]
    assert sorted(letter.recipient.email for letter in letters()) == emails(
        [ours.leader, ours.second_leader]
    )
    assert {letter.send_before for letter in letters()} == {
        instant(date(2027, 4, 1), time(0), "Europe/London")
    }


@pytest.mark.parametrize("on", [date(2027, 4, 1), date(2027, 4, 30)])
def test_nobody_is_told_of_a_month_with_a_meeting(ours, on):
    on_wall(ours.group, on)
    assert plan() == 0


@pytest.mark.parametrize("fields", [{"phase": "cancelled"}, {"settled_at": None}])
def test_a_cancelled_or_proposed_date_is_no_meeting(ours, fields):
    on_wall(ours.group, date(2027, 4, 15), **fields)
    assert plan() == 2


def test_the_first_half_of_a_month_is_early(ours):
    assert plan(utc(2027, 3, 14, 12)) == 0


@pytest.mark.parametrize(
    ("at", "zone", "coming"),
    [
        (utc(2027, 1, 31, 12), "Europe/London", (date(2027, 2, 1), date(2027, 2, 28))),
        (utc(2028, 1, 29, 12), "Europe/London", (date(2028, 2, 1), date(2028, 2, 29))),
        (utc(2027, 12, 31, 12), "Europe/London", (date(2028, 1, 1), date(2028, 1, 31))),
        # The last evening of March is the first of April already where the group lives.
        (utc(2027, 3, 31, 12), "Pacific/Kiritimati", (date(2027, 5, 1), date(2027, 5, 31))),
        (utc(2027, 4, 1, 9), "Pacific/Pago_Pago", (date(2027, 4, 1), date(2027, 4, 30))),
    ],
)
def test_the_coming_month_is_counted_on_the_groups_own_calendar(at, zone, coming):
    assert nomeeting._month(Group(time_zone=zone), at) == coming


def test_a_meeting_on_the_last_evening_of_a_month_is_in_that_month(ours):
    with as_owner():
        Group.objects.update(time_zone="America/New_York")
    ours.group.refresh_from_db()
    on_wall(ours.group, date(2027, 4, 30), time(21))
    assert plan() == 0
    assert plan(utc(2027, 4, 20, 12)) == 2


def test_a_slower_rhythm_is_meant_so(ours):
    make_series(ours.group, "month:3:3:3")
    with as_owner():
        Series.objects.filter(rule="month:3:3:3").update(planned_at=utc(2026, 1, 1))
    assert plan() == 0


def test_nobody_is_told_of_a_group_without_dates_ever_or_without_leaders(ours):
    make_round(name="New")
    with as_owner():
        Membership.objects.filter(group=ours.group, role="leader").update(ended_at=LONG_AGO)
    assert plan() == 0


def test_word_waits_for_the_end_of_quiet_hours(ours):
    with as_owner():
        Member.objects.filter(pk=ours.leader.pk).update(quiet_from=time(8), quiet_until=time(18))
    plan()
    waits = {letter.recipient.pk: letter.send_after for letter in letters()}
    assert waits[ours.leader.pk] == utc(2027, 3, 20, 18)
    assert waits[ours.second_leader.pk] == TODAY


def now_in_the_second_half(ours):
    """A letter for the coming month of today, whatever today is."""
    with as_owner():
        nomeeting.outbox.plan(nomeeting._letters(ours.group, timezone.now()))
        Letter.objects.update(send_after=timezone.now())


def test_the_letter_says_the_month_and_where_the_year_stands(ours):
    now_in_the_second_half(ours)
    mails = send()
    assert len(mails) == 2
    first, _last = nomeeting._month(ours.group, timezone.now())
    assert mails[0]["Subject"] == f"Valley has no meeting in {first:%B}"
    assert page("schedule", ours.group.pk) in text_of(mails[0])
    assert send() == []


def test_planned_meanwhile_nothing_goes(ours):
    now_in_the_second_half(ours)
    first, _last = nomeeting._month(ours.group, timezone.now())
    make_session(ours.group, instant(first, time(19, 30), "Europe/London"))
    assert send() == []


def test_who_leads_no_more_hears_nothing(ours):
    now_in_the_second_half(ours)
    with as_owner():
        Membership.objects.filter(member=ours.leader).update(ended_at=timezone.now())
    assert [mail["To"] for mail in send()] == [ours.second_leader.email]


def test_the_upkeep_does_it():
    assert upkeep.STEPS["empty months told"] is upkeep.tell_of_empty_months

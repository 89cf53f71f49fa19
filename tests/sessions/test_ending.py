"""The dates of a group that ends, and of one that does not end after all: one letter each time."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from groups.models import GroupEnd
from members.models import Letter, Member
from sessions import ending
from tests.sessions.round import Round, make_round, recipients, send, text_of
from tests.sessions.test_planning_letters import dates, plan
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours(db: None) -> Round:
    ours = make_round()
    with as_owner():
        Member.objects.update(quiet_from="00:00", quiet_until="00:00")
    plan(ours)
    send()
    return ours


def end_of(ours: Round, ends_at: datetime) -> GroupEnd:
    """An end as it stands once it is confirmed; the dates ask nothing else of it."""
    return GroupEnd(group=ours.group, ends_at=ends_at, confirmed_at=timezone.now())


def test_of_all_dates_that_go_with_a_group_there_is_one_letter(ours: Round):
    end = end_of(ours, timezone.now() + timedelta(hours=1))
    with as_member(ours.leader):
        gone = ending.cancel_dates(ours.group, end, by=ours.leader, at=timezone.now())
    mails = send()
    assert gone == 5
    assert recipients(mails) == sorted(set(recipients(mails)))
    assert ours.members[0].email in recipients(mails)
    assert "At present no date is settled." in text_of(mails[0])


def test_what_comes_back_with_the_group_is_one_letter_too(ours: Round):
    end = end_of(ours, timezone.now() + timedelta(hours=1))
    with as_member(ours.leader):
        assert end.confirmed_at
        ending.cancel_dates(ours.group, end, by=ours.leader, at=end.confirmed_at)
    send()
    with as_member(ours.leader):
        assert ending.restore_dates(ours.group, end, by=ours.leader, at=timezone.now()) == 5
    mails = send()
    assert recipients(mails) == sorted(set(recipients(mails)))
    assert text_of(mails[0]).count(" – changed\n") == 5
    assert {session.phase for session in dates(ours)} == {"planned"}


def test_whose_place_ends_in_the_night_reads_of_the_end_before(ours: Round):
    night = (timezone.now() + timedelta(days=1)).replace(hour=23, minute=30)
    with as_owner():
        Member.objects.update(quiet_from="22:00", quiet_until="07:00")
        ours.group.memberships.update(ended_at=night + timedelta(minutes=30))
    end = end_of(ours, night + timedelta(minutes=30))
    with as_member(ours.leader):
        ending.cancel_dates(ours.group, end, by=ours.leader, at=night)
    with as_owner():
        waiting = Letter.objects.filter(kind="dates", state="pending")
        assert set(waiting.values_list("send_after", flat=True)) == {night}

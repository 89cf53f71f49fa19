"""When reminders come, as groups and people choose: days before, and hours in which none comes."""

from datetime import time, timedelta

import pytest

from groups import frames
from groups.models import Group, Preference
from members.models import Member
from sessions import answers
from tests.sessions.meetings import in_days
from tests.sessions.round import (
    AT,
    START,
    alone,
    emails,
    make_round,
    meeting,
    moments,
    planned,
    sync,
)
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db


def wish(group, member, **fields) -> None:
    with as_owner():
        Preference.objects.update_or_create(group=group, member=member, defaults=fields)


@pytest.fixture
def ours():
    return make_round()


@pytest.fixture
def session(ours):
    return meeting(ours.group, START)


def test_a_group_chooses_its_days_and_a_person_others(ours, session):
    with as_owner():
        Group.objects.filter(pk=ours.group.pk).update(reminder_days=[3])
    wish(ours.group, ours.members[0], reminder_days=[14, 2])
    sync(session)
    others = [member for member in ours.reminded if member != ours.members[0]]
    assert planned(session) == {
        "reminder-3": emails(others),
        "reminder-14": emails([ours.members[0]]),
        "reminder-2": emails([ours.members[0]]),
    }


def test_leaders_choosing_other_days_plan_all_of_them_anew_at_once(ours, session):
    sync(session)
    entrance = {"join_link": "", "door": ""}
    with as_member(ours.leader):
        frames.edit_inside(ours.group, by=ours.leader, at=AT, entrance=entrance, reminder_days=[2])
    assert planned(session) == {"reminder-2": emails(ours.reminded)}


def test_a_wish_saved_on_the_page_plans_the_own_reminders_anew(ours, client_of):
    session = in_days(ours.group, 30)
    sync(session, at=session.updated_at)
    member, prefix = ours.members[0], str(ours.group.pk)
    page = client_of(member)
    answer = page.post(
        "/settings/groups/",
        {f"{prefix}-reminders": "on", f"{prefix}-reminder_days": ["2", "14"]},
    )
    assert answer.status_code == 302
    assert set(moments(session, member)) == {"reminder-14", "reminder-2"}
    assert set(moments(session, ours.members[1])) == {"reminder-7", "reminder-1"}
    assert page.post("/settings/groups/", {f"{prefix}-reminders": "on"}).status_code == 302
    assert set(moments(session, member)) == {"reminder-7", "reminder-1"}


def test_who_cannot_come_gets_none_on_the_own_days_either(ours, session):
    wish(ours.group, ours.members[0], reminder_days=[14])
    sync(session)
    with as_member(ours.members[0]):
        answers.cannot_come(session, by=ours.members[0], at=AT)
    assert planned(session, state="cancelled") == {"reminder-14": emails([ours.members[0]])}


@pytest.mark.parametrize(
    ("quiet", "at"),
    [
        ((time(22), time(7)), time(19, 30)),
        ((time(19), time(8)), time(8)),
        ((time(12), time(20, 15)), time(20, 15)),
        ((time(19, 30), time(19, 30)), time(19, 30)),
    ],
)
def test_reminders_wait_until_the_own_quiet_hours_are_over(quiet, at):
    group, member = alone()
    with as_owner():
        Member.objects.filter(pk=member.pk).update(quiet_from=quiet[0], quiet_until=quiet[1])
    session = meeting(group, START)
    sync(session)
    days = 0 if at == time(8) else 1
    day = (START - timedelta(days=days)).date()
    found = moments(session, member)["reminder-1"]
    assert (found.date(), found.time()) == (day, at)


def test_quiet_hours_are_chosen_on_the_own_page_and_stay_when_left_out(client_of):
    _group, member = alone()
    page = client_of(member)
    fields = {"name": "Dr A Bell", "time_zone": "Europe/London", "language": "en", "phone": ""}
    chosen = fields | {"quiet_from": "20:00", "quiet_until": "08:30"}
    for sent in (chosen, fields):
        assert page.post("/settings/", sent).status_code == 302
        with as_owner():
            assert Member.objects.get(pk=member.pk).quiet == (time(20), time(8, 30))
    assert 'value="08:30"' in page.get("/settings/").content.decode()

"""The pages of one date: moved, cancelled, put back, added."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from groups.models import Group
from members.models import Letter
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.desk import Clock, plan, schedule, sessions, text, value_of
from tests.sessions.meetings import on_wall
from tests.sessions.rhythm import (
    LIBRARY,
    NOVEMBER,
    day,
)
from tests.world import Circle, as_owner, make_circle, utc


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def circle(clock: Clock, db: None) -> Circle:
    return make_circle()


@pytest.fixture
def leader(circle: Circle, client_of: Any) -> Client:
    return client_of(circle.leader)


def test_a_cancelled_date_below_can_be_put_back(circle: Circle, leader: Client):
    session = plan(circle)[0]
    leader.post(reverse("session_cancel", args=[session.pk]), {"reason": "Snow.", "seen": "0"})
    assert sessions(circle)[0].phase == Phase.CANCELLED
    restore = reverse("session_restore", args=[session.pk])
    assert restore in leader.get(schedule(circle)).content.decode()
    page = leader.post(restore, follow=True)
    unread = "The meeting takes place. Nobody had been told that it was cancelled."
    assert unread in text(page)
    assert sessions(circle)[0].phase == Phase.PLANNED


def test_put_back_once_its_cancelling_was_read_everyone_is_told(circle: Circle, leader: Client):
    session = plan(circle)[0]
    leader.post(reverse("session_cancel", args=[session.pk]), {"reason": "", "seen": "0"})
    with as_owner():
        Letter.objects.filter(kind="cancelled").update(state="sent", attempts=1)
    page = leader.post(reverse("session_restore", args=[session.pk]), follow=True)
    assert "The meeting takes place. Everyone in the group is told by mail." in text(page)


def test_the_page_of_cancelling_says_who_will_be_told(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.get(reverse("session_cancel", args=[session.pk]))
    assert "Everyone in the group is told by mail, with the next date." in text(page)
    assert "Stays in the group and is in no mail." in text(page)
    assert "Thursday 21 January 2027, 19:30–21:00, Jerusalem time" in text(page)


def test_cancelling_says_that_it_is_this_meeting_and_leaves_all_others(
    circle: Circle, leader: Client
):
    planned = plan(circle)
    cancel = reverse("session_cancel", args=[planned[3].pk])
    assert "Cancel this meeting?" in text(leader.get(cancel))
    leader.post(cancel, {"reason": "", "seen": "0"})
    assert [s.pk for s in sessions(circle) if s.cancelled] == [planned[3].pk]
    assert {s.sequence for s in sessions(circle) if not s.cancelled} == {0}


def moved(session: Session, **changes: str) -> dict[str, str]:
    values = {
        "on": day(session).isoformat(),
        "starts_at": "19:30",
        "minutes": "90",
        "place": LIBRARY,
        "setting": "in_person",
        "reason": "",
        "seen": str(session.sequence),
    }
    return values | changes


def test_a_meeting_is_moved_with_a_reason(circle: Circle, leader: Client):
    session = plan(circle)[0]
    edit = reverse("session_edit", args=[session.pk])
    page = leader.post(edit, moved(session, on="2027-01-28", reason="Snow."), follow=True)
    assert "The change is saved. Everyone in the group is told by mail." in text(page)
    assert day(sessions(circle)[0]) == date(2027, 1, 28)
    assert "Snow." not in text(page)


def test_saving_a_meeting_untouched_says_so_and_tells_nobody(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.post(reverse("session_edit", args=[session.pk]), moved(session), follow=True)
    assert "Nothing has changed." in text(page)
    assert sessions(circle)[0].sequence == 0


def test_a_meeting_that_is_changed_keeps_its_zone_though_its_group_has_another_by_now(
    circle: Circle, leader: Client
):
    session = plan(circle)[0]
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(time_zone="America/New_York")
    edit = reverse("session_edit", args=[session.pk])
    assert "19:30–21:00, Jerusalem time" in text(leader.get(edit))
    leader.post(edit, moved(session, starts_at="20:00"))
    changed = sessions(circle)[0]
    assert changed.time_zone == "Asia/Jerusalem"
    assert changed.starts_at == session.starts_at + timedelta(minutes=30)


def test_an_untouched_time_keeps_the_second_pass_of_a_doubled_hour(circle: Circle, leader: Client):
    second_pass = utc(2027, 10, 30, 23, 30)
    session = on_wall(circle.group, date(2027, 10, 31), settled_at=NOVEMBER)
    with as_owner():
        Session.objects.filter(pk=session.pk).update(starts_at=second_pass)
    typed = moved(session, on="2027-10-31", starts_at="01:30", minutes="60", seen="0")
    leader.post(reverse("session_edit", args=[session.pk]), typed)
    changed = sessions(circle)[0]
    assert (changed.starts_at, changed.minutes) == (second_pass, 60)


def test_a_stale_form_of_a_meeting_undoes_nothing_and_can_be_sent_again(
    circle: Circle, leader: Client
):
    session = plan(circle)[0]
    edit = reverse("session_edit", args=[session.pk])
    leader.post(edit, moved(session, starts_at="20:00"))
    page = leader.post(edit, moved(session, place="Garden"))
    assert page.status_code == 409
    assert "These dates have been changed meanwhile." in text(page)
    assert "20:00–21:30" in text(page)
    assert 'value="Garden"' in page.content.decode()
    assert value_of(page, "seen") == "1"
    assert sessions(circle)[0].place == LIBRARY


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"on": "2026-10-01"}, "That time has passed. Choose one that lies ahead."),
        (
            {"on": "2027-02-18"},
            "The group already meets on Thursday 18 February 2027, 19:30–21:00, Jerusalem time. "
            "Choose another time.",
        ),
    ],
)
def test_a_refused_move_keeps_what_was_typed(
    circle: Circle, leader: Client, changes: dict[str, str], sentence: str
):
    session = plan(circle)[0]
    edit = reverse("session_edit", args=[session.pk])
    page = leader.post(edit, moved(session, reason="Snow.", **changes))
    assert page.status_code == 409
    assert sentence in text(page)
    assert "Snow." in page.content.decode()
    assert f'value="{changes["on"]}"' in page.content.decode()


def test_a_length_that_cannot_be_is_answered_beside_its_field(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.post(reverse("session_edit", args=[session.pk]), moved(session, minutes="5"))
    assert page.status_code == 200
    assert "A meeting lasts between 15 minutes and 12 hours." in text(page)


@pytest.mark.parametrize(
    ("name", "phase", "sentence"),
    [
        ("session_edit", Phase.CANCELLED, "This meeting is cancelled. Put it back"),
        ("session_edit", Phase.CLOSED, "This meeting is over; its date stays as it was."),
        ("session_edit", Phase.STORY, "The group is meeting. Close the meeting before"),
        ("session_cancel", Phase.CANCELLED, "This meeting is cancelled already."),
        ("session_cancel", Phase.CLOSED, "This meeting is over; its date stays as it was."),
        ("session_cancel", Phase.STORY, "The group is meeting. Close the meeting before"),
    ],
)
def test_what_cannot_be_done_now_says_so_at_the_door(
    circle: Circle, leader: Client, name: str, phase: Phase, sentence: str
):
    session = plan(circle)[0]
    with as_owner():
        Session.objects.filter(pk=session.pk).update(phase=phase)
    page = leader.get(reverse(name, args=[session.pk]))
    assert page.status_code == 409
    assert sentence in text(page)


def test_putting_back_what_takes_place_is_409_with_its_sentence(circle: Circle, leader: Client):
    session = plan(circle)[0]
    page = leader.post(reverse("session_restore", args=[session.pk]))
    assert page.status_code == 409
    assert "This meeting is not cancelled; it takes place." in text(page)


def extra(**changes: str) -> dict[str, str]:
    values = {"on": "2027-01-23", "starts_at": "10:00", "minutes": "360", "place": "Monastery"}
    return values | {"setting": "in_person"} | changes


def test_an_extra_date_is_added(circle: Circle, leader: Client):
    plan(circle)
    page = leader.post(reverse("session_new", args=[circle.group.pk]), extra(), follow=True)
    assert "The date is saved." in text(page)
    assert "extra date Monastery" in text(page)
    added = sessions(circle)[1]
    assert (added.series_id, added.starts_at) == (None, utc(2027, 1, 23, 8))


def test_an_extra_date_in_the_past_is_asked_about_first(circle: Circle, leader: Client):
    new = reverse("session_new", args=[circle.group.pk])
    assert "past_known" not in leader.get(new).content.decode()
    page = leader.post(new, extra(on="2026-10-03"))
    assert "I know that this date has passed" in text(page)
    assert "Tick this box to put it down, or choose a date that lies ahead." in text(page)
    assert sessions(circle) == []
    assert leader.post(new, extra(on="2026-10-03", past_known="on")).status_code == 302


def test_an_extra_date_sent_twice_is_there_once(circle: Circle, leader: Client):
    new = reverse("session_new", args=[circle.group.pk])
    leader.post(new, extra())
    page = leader.post(new, extra())
    assert page.status_code == 409
    assert "The group already meets on Saturday 23 January 2027" in text(page)
    assert len(sessions(circle)) == 1

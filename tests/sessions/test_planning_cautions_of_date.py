"""Warnings about one date, added or moved: shown before anything is saved, never refusing."""

from datetime import date, time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from sessions.models import Session
from sessions.phases import Phase
from sessions.planning.cautions import cautions_of_date
from sessions.planning.draft import Fate, Line
from tests.sessions.desk import Clock, sessions, text, value_of
from tests.sessions.meetings import on_wall
from tests.sessions.rhythm import LIBRARY, NOVEMBER, day
from tests.world import Circle, as_member, as_owner, join, make_circle, make_group, utc

# The Israeli clocks change on Friday 26 March 2027, the British two days later.
FRIDAY = date(2027, 3, 26)
# Independence Day; the day before is free of anything.
HOLIDAY, FREE = "2027-05-12", "2027-05-06"
NAMED = "public holiday: Independence Day"
BEFORE = "Nothing is saved yet. Worth knowing about this date:"


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


@pytest.fixture
def april(circle: Circle) -> Session:
    return on_wall(circle.group, date(2027, 4, 15), place=LIBRARY, settled_at=NOVEMBER)


def said(circle: Circle, line: Line, at: Any = NOVEMBER) -> list[str]:
    with as_member(circle.leader):
        return [note.text for note in cautions_of_date(line, circle.group, circle.leader, at)]


def new(circle: Circle, on: date, at: time = time(19, 30)) -> Line:
    unsaved = on_wall(circle.group, on, at)
    with as_owner():
        unsaved.delete()
    return Line(Fate.NEW, unsaved.starts_at, 90, circle.group.time_zone)


def test_a_date_at_another_hour_than_the_meeting_before_is_said(circle: Circle):
    words = "from 26 March it is 16:30 for those in London"
    assert said(circle, new(circle, FRIDAY)) == []
    on_wall(circle.group, date(2027, 3, 25), phase=Phase.CANCELLED)
    assert said(circle, new(circle, FRIDAY)) == []
    on_wall(circle.group, date(2027, 3, 18))
    assert said(circle, new(circle, FRIDAY)) == [words]
    on_wall(circle.group, FRIDAY, time(12))
    assert said(circle, new(circle, FRIDAY)) == []


def test_another_group_is_told_to_the_leader_whose_it_is_alone(circle: Circle):
    other = make_group(name="Coast group")
    join(other, circle.leader, "leader")
    on_wall(other, date(2027, 5, 6), time(20))
    line = new(circle, date(2027, 5, 6))
    assert said(circle, line) == ["Coast group meets then too: 20:00–21:30, Jerusalem time"]
    with as_member(circle.second_leader):
        assert cautions_of_date(line, circle.group, circle.second_leader, NOVEMBER) == []


def test_of_a_date_that_has_passed_nothing_is_said(circle: Circle):
    holiday = new(circle, date(2027, 5, 12))
    assert said(circle, holiday) == [NAMED]
    assert said(circle, holiday, at=utc(2027, 6, 1)) == []


def test_of_a_moved_meeting_only_what_is_new_is_said(circle: Circle):
    there = on_wall(circle.group, date(2027, 5, 12))
    later = {"starts_at": utc(2027, 5, 12, 17)}
    assert said(circle, Line.of_session(Fate.BY_HAND, there)) == []
    assert said(circle, Line.of_session(Fate.BY_HAND, there, changes=later)) == []
    free = on_wall(circle.group, date(2027, 5, 6))
    assert said(circle, Line.of_session(Fate.BY_HAND, free, changes=later)) == [NAMED]


def moved(session: Session, **changes: str) -> dict[str, str]:
    values = {"on": day(session).isoformat(), "starts_at": "19:30", "minutes": "90"}
    rest = {"place": LIBRARY, "setting": "in_person", "reason": "", "seen": "0"}
    return values | rest | changes


def test_a_meeting_moved_to_a_holiday_is_asked_about_once(
    circle: Circle, leader: Client, april: Session
):
    edit = reverse("session_edit", args=[april.pk])
    typed = moved(april, on=HOLIDAY, reason="Snow.")
    page = leader.post(edit, typed)
    assert page.status_code == 200
    assert f"{BEFORE} P{NAMED[1:]}" in text(page)
    assert "Move it all the same" in text(page)
    assert "Snow." in page.content.decode()
    assert f'value="{HOLIDAY}"' in page.content.decode()
    assert sessions(circle)[0].sequence == 0
    leader.post(edit, typed | {"heard": value_of(page, "heard")})
    assert day(sessions(circle)[0]) == date(2027, 5, 12)


def test_a_meeting_moved_to_a_day_of_which_nothing_is_to_be_said_moves_at_once(
    circle: Circle, leader: Client, april: Session
):
    edit = reverse("session_edit", args=[april.pk])
    assert "Move it all the same" not in text(leader.get(edit))
    assert leader.post(edit, moved(april, on=FREE)).status_code == 302
    assert day(sessions(circle)[0]) == date(2027, 5, 6)


def test_what_was_heard_of_one_date_is_not_heard_of_another(
    circle: Circle, leader: Client, april: Session
):
    edit = reverse("session_edit", args=[april.pk])
    heard = value_of(leader.post(edit, moved(april, on=HOLIDAY)), "heard")
    page = leader.post(edit, moved(april, on="2027-04-22", heard=heard))
    assert "public holiday" in text(page).casefold()
    assert sessions(circle)[0].sequence == 0


def test_a_place_is_changed_without_a_word_about_the_day(circle: Circle, leader: Client):
    there = on_wall(circle.group, date(2027, 5, 12), place=LIBRARY, settled_at=NOVEMBER)
    page = leader.post(reverse("session_edit", args=[there.pk]), moved(there, place="Garden"))
    assert page.status_code == 302


def test_a_new_date_on_a_holiday_is_asked_about_once(circle: Circle, leader: Client):
    address = reverse("session_new", args=[circle.group.pk]) + "?propose=yes"
    typed = {"on": HOLIDAY, "starts_at": "10:00", "minutes": "60", "setting": "online"}
    page = leader.post(address, typed)
    assert f"{BEFORE} P{NAMED[1:]}" in text(page)
    assert "Add it all the same" in text(page)
    assert sessions(circle) == []
    assert leader.post(address, typed | {"heard": value_of(page, "heard")}).status_code == 302
    assert len(sessions(circle)) == 1

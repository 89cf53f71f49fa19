"""Warnings beside the dates of a plan: holidays, other clocks, other groups."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.urls import reverse

from groups.cadence import Break, Rule, Unit
from groups.models import Group
from sessions.models import Session
from sessions.planning import Plan, draft
from sessions.planning.cautions import cautions, clashes, holidays, other_clocks
from sessions.planning.draft import Line
from tests.sessions.desk import AMERICAN, text
from tests.sessions.meetings import on_wall
from tests.sessions.rhythm import NOVEMBER, Led, american, cadence, make_led
from tests.world import as_member, as_owner, join, make_group, make_member, utc

EVERY_THURSDAY = Rule(Unit.WEEK, 1, weekday=3)


def lines(planned: Any) -> list[Line]:
    return draft(Plan(planned), setting="in_person", at=NOVEMBER).meetings


def said(found: Any) -> list[tuple[str, str]]:
    return [(starts_at.date().isoformat(), note.text) for starts_at, note in found]


def test_a_public_holiday_is_named_beside_its_date():
    weekly = cadence(EVERY_THURSDAY, zone="America/New_York")
    assert said(holidays(lines(weekly))) == [
        ("2027-11-12", "public holiday: Veterans Day"),
        ("2027-11-26", "public holiday: Thanksgiving Day"),
    ]


def test_from_the_day_the_clocks_differ_it_is_said_for_those_elsewhere():
    found = said(other_clocks(lines(american()), {"Europe/London"}))
    # New York changed on 14 March, London on the 28th: five hours from then on, as always.
    assert found == [
        ("2027-04-27", "from 28 March it is 00:00 for those in London"),
    ]


def test_two_weeks_at_another_hour_are_said_at_both_ends():
    weekly = cadence(EVERY_THURSDAY, zone="America/New_York", last_on=date(2027, 5, 1))
    assert said(other_clocks(lines(weekly), {"Europe/London"})) == [
        ("2027-03-18", "from 14 March it is 23:30 for those in London"),
        ("2027-04-01", "from 28 March it is 00:30 for those in London"),
    ]


def test_clocks_that_change_together_are_no_news():
    paris = cadence(zone="Europe/Paris")
    assert said(other_clocks(lines(paris), {"Europe/London", "Europe/Berlin"})) == []


def test_a_change_between_two_meetings_that_is_over_again_is_not_said():
    apart = american(
        first_on=date(2027, 2, 1), breaks=(Break(date(2027, 3, 1), date(2027, 3, 31), ""),)
    )
    assert said(other_clocks(lines(apart), {"Europe/London"})) == []


def test_cities_with_the_same_change_are_named_together():
    found = said(other_clocks(lines(american()), {"Europe/London", "Europe/Dublin"}))
    assert found == [("2027-04-27", "from 28 March it is 00:00 for those in Dublin, London")]


@pytest.fixture
def led(db: None) -> Led:
    return make_led(time_zone="America/New_York")


def seen(led: Led, planned: Any) -> list[str]:
    drafted = led.draft(planned)
    with as_member(led.leader):
        found = cautions(drafted, led.group, led.leader, NOVEMBER)
    return [note.text for _, notes in sorted(found.items()) for note in notes]


def test_another_group_of_the_leader_at_that_hour_is_named(led: Led):
    other = make_group(name="Harbour group", time_zone="America/New_York")
    join(other, led.leader, since=utc(2020, 1, 1))
    on_wall(other, date(2027, 4, 27), time(18, 30))
    on_wall(other, date(2027, 5, 25), time(20))
    on_wall(other, date(2027, 6, 22), time(19), phase="cancelled")
    assert seen(led, american()) == ["Harbour group meets then too: 18:30–20:00, New York time"]


def test_where_a_co_leader_sits_on_other_evenings_is_not_said(led: Led):
    other, second = make_group(time_zone="America/New_York"), make_member()
    join(led.group, second, "leader", since=utc(2020, 1, 1))
    join(other, second, "leader", since=utc(2020, 1, 1))
    on_wall(other, date(2027, 4, 27), time(19))
    assert seen(led, american()) == []


def test_the_zones_are_those_of_people_now_in_the_group(led: Led):
    join(led.group, make_member(time_zone="Europe/London"), since=utc(2020, 1, 1))
    gone = make_member(time_zone="Asia/Tokyo")
    join(led.group, gone, since=utc(2020, 1, 1), until=utc(2021, 1, 1))
    join(led.group, make_member(time_zone="UTC"), since=utc(2020, 1, 1))
    assert seen(led, american()) == ["from 28 March it is 00:00 for those in London"]


def test_what_has_passed_or_is_cancelled_is_not_warned_of(led: Led):
    led.plan(american(first_on=date(2027, 5, 1)))
    with as_owner():
        led.group.sessions.update(phase="cancelled", overrides={"cancelled": True})
    other = make_group(name="Harbour group", time_zone="America/New_York")
    join(other, led.leader, since=utc(2020, 1, 1))
    on_wall(other, date(2027, 5, 25), time(19))
    assert seen(led, american()) == []


@pytest.mark.parametrize(
    ("hour", "minutes", "told"), [(18, 60, 0), (18, 75, 1), (19, 15, 1), (20, 60, 0)]
)
def test_a_clash_is_an_overlap_and_not_a_touch(hour: int, minutes: int, told: int):
    june = lines(american())[3]
    session = Session(
        group=Group(name="Harbour group"),
        starts_at=june.starts_at + timedelta(hours=hour - 19),
        minutes=minutes,
        time_zone="America/New_York",
    )
    assert len(list(clashes([june], [session]))) == told


def test_the_preview_says_what_is_worth_knowing_and_refuses_nothing(
    led: Led, client_of: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOVEMBER)
    page = client_of(led.leader).get(
        reverse("schedule", args=[led.group.pk]),
        AMERICAN | {"rule": "week:1:3", "first_on": "2027-11-11", "last_on": "2027-11-30"},
    )
    assert "public holiday: Thanksgiving Day" in text(page)
    assert "Save these 3 dates" in text(page)

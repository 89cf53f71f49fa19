"""What the page of planning begins with."""

from datetime import date, time
from typing import Any

import pytest

from groups.cadence import Break
from sessions import planning
from tests.sessions.rhythm import (
    FOURTH_TUESDAY,
    LIBRARY,
    NOVEMBER,
    SUMMER,
    THIRD_THURSDAY,
    Led,
    american,
    cadence,
    make_led,
)
from tests.world import utc

IN_2026: dict[str, Any] = {"first_on": date(2026, 1, 1), "last_on": date(2026, 12, 31)}


@pytest.fixture
def led(db: None) -> Led:
    return make_led(place=LIBRARY, time_zone="America/New_York")


def span(led: Led, *at: int) -> tuple[date, date]:
    return planning.next_rule(led.group, utc(*at)).span


def test_an_empty_group_is_offered_its_frame(led: Led):
    offered = planning.next_rule(led.group, utc(2027, 2, 1, 12))
    assert offered == planning.Plan(
        cadence(
            THIRD_THURSDAY,
            starts_at=time(19, 30),
            minutes=90,
            zone="America/New_York",
            first_on=date(2027, 2, 2),
            last_on=date(2027, 12, 31),
        ),
        LIBRARY,
    )


def test_tomorrow_is_tomorrow_on_the_group_s_wall(led: Led):
    assert span(led, 2027, 2, 1, 2)[0] == date(2027, 2, 1)
    assert span(led, 2027, 2, 1, 6)[0] == date(2027, 2, 2)


@pytest.mark.parametrize(
    ("at", "last"),
    [((2026, 9, 29, 12), date(2026, 12, 31)), ((2026, 9, 30, 12), date(2027, 12, 31))],
)
def test_a_first_plan_from_october_on_takes_the_next_year_along(
    led: Led, at: tuple[int, ...], last: date
):
    assert span(led, *at)[1] == last


def test_the_rhythm_in_use_is_offered_as_it_was_saved(led: Led):
    led.plan(cadence(breaks=(SUMMER,)), "Garden")
    for at in (NOVEMBER, utc(2027, 6, 1, 12), utc(2027, 9, 30, 12)):
        offered = planning.next_rule(led.group, at)
        assert offered == planning.Plan(cadence(breaks=(SUMMER,)), "Garden")


def test_in_october_the_next_year_is_offered_by_the_same_rhythm_and_breaks(led: Led):
    led.plan(cadence(breaks=(SUMMER,)), "Garden")
    offered = planning.next_rule(led.group, utc(2027, 10, 1, 12))
    summer = Break(date(2028, 7, 15), date(2028, 8, 31), "summer")
    next_year = cadence(first_on=date(2028, 1, 1), last_on=date(2028, 12, 31), breaks=(summer,))
    assert offered == planning.Plan(next_year, "Garden")


def test_once_the_next_year_is_planned_it_is_the_one_offered(led: Led):
    led.plan(cadence(**IN_2026), at=utc(2026, 1, 1))
    led.plan(american())
    assert planning.next_rule(led.group, NOVEMBER).cadence == american()


def test_a_rhythm_that_has_ended_is_taken_up_again_from_tomorrow(led: Led):
    led.plan(american(), "Clinic")
    offered = planning.next_rule(led.group, utc(2028, 2, 1, 12))
    assert (offered.cadence.rule, offered.place) == (FOURTH_TUESDAY, "Clinic")
    assert offered.span == (date(2028, 2, 2), date(2029, 2, 1))


def test_after_a_rhythm_that_ends_within_a_year_the_next_day_begins(led: Led):
    series = led.plan(cadence(last_on=date(2027, 6, 30)))
    offered = planning.following(led.group, series, date(2027, 5, 1))
    assert offered.span == (date(2027, 7, 1), date(2028, 6, 30))


def test_breaks_come_again_where_they_touch_the_next_twelve_months(led: Led):
    winter = Break(date(2026, 12, 20), date(2027, 1, 6), "winter")
    leap_day = Break(date(2028, 2, 29), date(2028, 2, 29), "leap day")
    series = led.plan(
        cadence(
            first_on=date(2026, 9, 1), last_on=date(2028, 6, 30), breaks=(winter, SUMMER, leap_day)
        ),
        at=utc(2026, 8, 1),
    )
    offered = planning.following(led.group, series, date(2028, 5, 1)).cadence
    assert (offered.first_on, offered.last_on) == (date(2028, 7, 1), date(2029, 6, 30))
    assert offered.breaks == (
        Break(date(2028, 7, 15), date(2028, 8, 31), "summer"),
        Break(date(2028, 12, 20), date(2029, 1, 6), "winter"),
        Break(date(2029, 2, 28), date(2029, 2, 28), "leap day"),
    )

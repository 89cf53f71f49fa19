"""A year planned again: what follows the rule, what stays as a hand put it, what goes."""

from datetime import date, time, timedelta
from typing import Any

import pytest

from groups.cadence import Rule, Unit, next_morning
from groups.models import Group, Setting
from members.models import Letter, LetterState
from sessions.letters import CANCELLED
from sessions.models import Change, Series, Session
from sessions.phases import Phase
from sessions.planning import Fate
from sessions.planning.letters import DATES
from tests.sessions.meetings import cannot_come
from tests.sessions.rhythm import (
    AMERICAN_SERIES,
    FOURTH_TUESDAY,
    NOVEMBER,
    SUMMER,
    Led,
    american,
    cadence,
    day,
    make_led,
)
from tests.world import as_owner, make_member, utc

JUNE = utc(2027, 6, 1, 12)
FIRST_THURSDAY = Rule(Unit.MONTH, 1, weekday=3, nth=1)
EVERY_WEEK = Rule(Unit.WEEK, 1, weekday=3)


@pytest.fixture
def led(db: None) -> Led:
    return make_led()


def letters(state: str = LetterState.PENDING) -> list[str]:
    with as_owner():
        return sorted(Letter.objects.filter(state=state).values_list("kind", flat=True))


def changes(led: Led) -> list[str]:
    with as_owner():
        rows = Change.objects.filter(group=led.group).order_by("session__starts_at", "at")
        return list(rows.values_list("kind", flat=True))


def as_stored() -> list[Any]:
    """Every row planning may write, to compare before and after."""
    with as_owner():
        models: list[Any] = [Series, Session, Change, Letter]
        return [row for model in models for row in model.objects.order_by("pk").values()]


def test_a_new_hour_keeps_id_and_uid_and_counts_up_once(led: Led):
    led.plan(cadence())
    before = {s.pk: (s.uid, s.sequence) for s in led.sessions}
    led.plan(cadence(starts_at=time(20)), at=NOVEMBER + timedelta(days=1))
    assert {s.pk: (s.uid, s.sequence - 1) for s in led.sessions} == before
    assert {s.starts_at.astimezone(s.zone).time() for s in led.sessions} == {time(20)}
    assert all(s.runs_until == next_morning(s.ends_at, s.time_zone) for s in led.sessions)
    assert changes(led) == ["moved"] * 12


def test_another_place_is_the_same_kind_of_news(led: Led):
    led.plan(cadence())
    led.plan(cadence(), "Town hall")
    assert {(s.place, s.sequence) for s in led.sessions} == {("Town hall", 1)}


def test_a_group_that_goes_online_takes_its_untouched_dates_along(led: Led):
    led.plan(cadence())
    with as_owner():
        Group.objects.filter(pk=led.group.pk).update(setting=Setting.ONLINE)
    led.group.refresh_from_db()
    led.plan(cadence())
    assert {(s.setting, s.sequence) for s in led.sessions} == {(Setting.ONLINE, 1)}


def test_another_day_of_the_month_moves_each_meeting_within_its_month(led: Led):
    led.plan(cadence())
    before = [s.pk for s in led.sessions]
    led.plan(cadence(FOURTH_TUESDAY))
    assert [s.pk for s in led.sessions] == before
    assert all(s.runs_until == next_morning(s.ends_at, s.time_zone) for s in led.sessions)
    assert led.days[:2] == [date(2027, 1, 26), date(2027, 2, 23)]


def test_an_hour_that_is_the_same_instant_by_another_name_is_no_news(led: Led):
    led.plan(cadence(zone="Europe/Berlin"))
    led.plan(cadence(zone="Europe/Paris"))
    assert {(s.time_zone, s.sequence) for s in led.sessions} == {("Europe/Paris", 0)}
    assert changes(led) == []


def test_a_group_that_moves_to_another_zone_takes_each_of_its_dates_along(led: Led):
    led.plan(cadence())
    before = [(s.pk, s.uid, day(s)) for s in led.sessions]
    led.plan(cadence(zone="America/New_York"))
    assert [(s.pk, s.uid, day(s)) for s in led.sessions] == before
    assert {(s.time_zone, s.starts_at.astimezone(s.zone).time()) for s in led.sessions} == {
        ("America/New_York", time(19, 30))
    }
    assert {s.sequence for s in led.sessions} == {1}


def test_the_first_meeting_stays_90_minutes_when_the_rule_is_edited(led: Led):
    led.plan(american())
    first = led.move(led.on(3, 23), minutes=90)
    assert first.overrides == {"minutes": 90}
    led.plan(american(starts_at=time(18)))
    assert led.days == AMERICAN_SERIES
    assert [s.minutes for s in led.sessions] == [90] + [60] * 7
    assert led.sessions[0].starts_at == utc(2027, 3, 23, 22)


def test_a_moved_date_stays_where_the_hand_put_it(led: Led):
    led.plan(american())
    to = utc(2027, 3, 24, 23)
    led.move(led.on(3, 23), starts_at=to)
    led.plan(american(starts_at=time(18), minutes=75))
    session = led.on(3, 24)
    assert (session.starts_at, session.minutes) == (to, 75)


def test_a_moved_date_keeps_the_clock_it_was_moved_on(led: Led):
    led.plan(american())
    led.move(led.on(3, 23), starts_at=utc(2027, 3, 24, 23))
    led.plan(american(zone="Europe/London"))
    assert [s.time_zone for s in led.sessions] == ["America/New_York"] + ["Europe/London"] * 7
    assert day(led.sessions[0]) == date(2027, 3, 24)


def test_a_hand_s_place_and_way_of_meeting_stay(led: Led):
    led.plan(american())
    led.move(led.on(3, 23), place="Garden", setting=Setting.MIXED)
    led.plan(american(starts_at=time(18)), "Town hall")
    session = led.on(3, 23)
    assert (session.place, session.setting) == ("Garden", Setting.MIXED)
    assert session.starts_at == utc(2027, 3, 23, 22)


def test_a_date_cancelled_by_hand_stays_cancelled_and_untouched(led: Led):
    led.plan(american())
    cancelled = led.cancel(led.on(4, 27))
    led.plan(american(starts_at=time(18)))
    session = led.on(4, 27)
    assert (session.phase, session.sequence) == (Phase.CANCELLED, cancelled.sequence)
    assert session.starts_at == cancelled.starts_at


def test_dates_the_rule_no_longer_has_are_cancelled_and_everyone_hears_in_one_letter(led: Led):
    led.plan(cadence())
    led.plan(cadence(breaks=(SUMMER,)), at=NOVEMBER + timedelta(days=1))
    gone = [s for s in led.sessions if s.cancelled]
    assert [day(s) for s in gone] == [date(2027, 7, 15), date(2027, 8, 19)]
    assert {(s.sequence, str(s.overrides)) for s in gone} == {(1, "{}")}
    assert changes(led) == ["cancelled", "cancelled"]
    assert (letters().count(CANCELLED), letters().count(DATES)) == (0, 1)
    assert letters(LetterState.CANCELLED).count(DATES) == 1


def test_a_date_that_comes_back_into_the_rule_is_the_same_one_put_back(led: Led):
    led.plan(cadence())
    july = led.on(7, 15)
    led.plan(cadence(breaks=(SUMMER,)), at=NOVEMBER + timedelta(days=1))
    led.plan(cadence(), at=NOVEMBER + timedelta(days=2))
    again = led.on(7, 15)
    assert (again.pk, again.uid, again.phase, again.sequence) == (
        july.pk,
        july.uid,
        Phase.PLANNED,
        2,
    )
    assert changes(led)[:2] == ["cancelled", "restored"]
    assert len(led.sessions) == 12


def test_a_date_nobody_knew_of_leaves_no_trace(led: Led):
    led.plan(cadence())
    july = led.on(7, 15)
    with as_owner():
        Session.objects.filter(pk=july.pk).update(settled_at=None)
    led.plan(cadence(breaks=(SUMMER,)))
    assert [day(s) for s in led.sessions if s.cancelled] == [date(2027, 8, 19)]
    assert len(led.sessions) == 11


def test_a_date_that_was_answered_before_it_was_settled_is_cancelled(led: Led):
    led.plan(cadence())
    july = led.on(7, 15)
    with as_owner():
        Session.objects.filter(pk=july.pk).update(settled_at=None)
    cannot_come(july, make_member())
    led.plan(cadence(breaks=(SUMMER,)))
    assert led.on(7, 15).cancelled


def test_a_moved_date_stays_when_its_period_leaves_the_rule(led: Led):
    led.plan(cadence())
    led.move(led.on(7, 15), starts_at=utc(2027, 7, 8, 16, 30))
    led.plan(cadence(breaks=(SUMMER,)))
    assert date(2027, 7, 8) in led.days


def test_a_date_put_back_outside_the_rule_stays(led: Led):
    led.plan(cadence())
    july = led.on(7, 15)
    led.plan(cadence(breaks=(SUMMER,)))
    restored = led.restore(july)
    assert restored.overrides == {"cancelled": False}
    led.plan(cadence(starts_at=time(20), breaks=(SUMMER,)))
    assert date(2027, 7, 15) in led.days


def test_a_shorter_year_cancels_what_comes_after_it(led: Led):
    led.plan(cadence())
    led.plan(cadence(last_on=date(2027, 6, 30)))
    assert len(led.days) == 6


def test_what_has_passed_is_open_or_closed_is_never_touched(led: Led):
    led.plan(cadence())
    january, june = led.on(1, 21), led.on(6, 17)
    with as_owner():
        Session.objects.filter(pk=january.pk).update(phase=Phase.CLOSED)
        Session.objects.filter(pk=june.pk).update(phase=Phase.STORY)
    before = [s for s in led.sessions if day(s) <= date(2027, 6, 17)]
    rows = [vars(s) | {"_state": None} for s in before]
    led.plan(cadence(FOURTH_TUESDAY, starts_at=time(18)), "Town hall", at=JUNE)
    after = [vars(s) | {"_state": None} for s in led.sessions if day(s) <= date(2027, 6, 17)]
    assert after == rows
    assert led.on(7, 27).place == "Town hall"


def test_a_meeting_stays_where_it_is_when_its_new_date_has_passed(led: Led):
    led.plan(cadence())
    at = utc(2027, 2, 10, 12)
    drafted = led.draft(cadence(FIRST_THURSDAY), at=at)
    assert [line.fate for line in drafted.lines][:3] == [Fate.PAST, Fate.STAYS, Fate.FOLLOWS]
    led.plan(cadence(FIRST_THURSDAY), at=at)
    assert led.days[:3] == [date(2027, 1, 21), date(2027, 2, 18), date(2027, 3, 4)]


def test_a_period_that_was_held_is_not_held_twice(led: Led):
    led.plan(cadence(FIRST_THURSDAY))
    led.plan(cadence(), at=utc(2027, 2, 10, 12))
    february = [on for on in led.days if on.month == 2]
    assert february == [date(2027, 2, 4)]


def test_what_a_plan_covered_is_history_and_gets_no_new_dates(led: Led):
    led.plan(cadence())
    led.plan(cadence(EVERY_WEEK), at=JUNE)
    past = [on for on in led.days if on < JUNE.date()]
    assert past == [date(2027, m, d) for m, d in [(1, 21), (2, 18), (3, 18), (4, 15), (5, 20)]]
    assert led.days[5:8] == [date(2027, 6, 3), date(2027, 6, 10), date(2027, 6, 17)]


def test_an_earlier_first_date_adds_the_dates_before(led: Led):
    led.plan(cadence(first_on=date(2027, 4, 1)), at=JUNE)
    drafted = led.draft(cadence(), at=JUNE)
    assert [line.on for line in drafted.new_in_the_past] == [
        date(2027, 1, 21),
        date(2027, 2, 18),
        date(2027, 3, 18),
    ]


def test_from_months_to_weeks_the_meetings_of_the_same_day_stay_the_same(led: Led):
    led.plan(cadence())
    before = {day(s): s.pk for s in led.sessions}
    led.plan(cadence(EVERY_WEEK))
    after = {day(s): s.pk for s in led.sessions}
    assert before.items() <= after.items()
    assert (len(after), changes(led)) == (52, [])


def test_from_weeks_to_months_one_meeting_of_each_month_stays(led: Led):
    led.plan(cadence(EVERY_WEEK))
    before = {day(s): s.pk for s in led.sessions}
    led.plan(cadence())
    stay = {day(s): s.pk for s in led.sessions if not s.cancelled}
    assert len(stay) == 12
    assert stay.items() <= before.items()
    assert {s.period for s in led.sessions if not s.cancelled} == {
        date(2027, month, 1) for month in range(1, 13)
    }
    assert len(led.sessions) == 52


def test_there_and_back_between_weeks_and_months_repeats_nothing(led: Led):
    led.plan(cadence(EVERY_WEEK))
    led.plan(cadence())
    led.plan(cadence(EVERY_WEEK))
    assert len(led.days) == len(set(led.days)) == 52
    before = as_stored()
    led.plan(cadence(EVERY_WEEK))
    assert as_stored() == before

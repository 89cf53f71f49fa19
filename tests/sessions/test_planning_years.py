"""A year planned: what is made, what is refused, and what it costs."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from groups.cadence import Cadence, Rule, Unit, instant, next_morning
from groups.models import Setting
from members.models import Letter, LetterState
from sessions import planning
from sessions.models import Change, Series, Session
from sessions.phases import Phase
from sessions.planning import Fate
from sessions.planning.refusals import (
    ChangedMeanwhile,
    NoDateIsLeft,
    NotYoursToPlan,
    OverlapsAnotherRhythm,
)
from tests.sessions.meetings import make_session
from tests.sessions.rhythm import (
    AMERICAN_SERIES,
    LIBRARY,
    LONG_AGO,
    NOVEMBER,
    SUMMER,
    Led,
    american,
    cadence,
    make_led,
)
from tests.world import as_member, as_owner, join, make_member, utc

EVERY_WEEK = Rule(Unit.WEEK, 1, weekday=3)


@pytest.fixture
def led(db: None) -> Led:
    return make_led()


def letters(state: str = LetterState.PENDING) -> list[str]:
    with as_owner():
        return sorted(Letter.objects.filter(state=state).values_list("kind", flat=True))


def as_stored() -> list[Any]:
    """Every row planning may write, to compare before and after."""
    with as_owner():
        models: list[Any] = [Series, Session, Change, Letter]
        return [row for model in models for row in model.objects.order_by("pk").values()]


def test_the_american_series_of_2027(led: Led):
    led.plan(american())
    assert led.days == AMERICAN_SERIES
    assert [s.starts_at for s in led.sessions][:2] == [utc(2027, 3, 23, 23), utc(2027, 4, 27, 23)]


def test_the_third_thursday_of_2027_without_the_summer(led: Led):
    drafted = led.draft(cadence(breaks=(SUMMER,)))
    assert len(drafted.meetings) == 10
    assert str(drafted.longest_gap()) == "13 weeks without a meeting: 17 June to 16 September"
    led.plan(cadence(breaks=(SUMMER,)))
    assert len(led.days) == 10


def test_a_new_session_is_settled_planned_and_runs_until_the_next_morning(led: Led):
    series = led.plan(cadence())
    session = led.on(1, 21)
    starts_at = instant(date(2027, 1, 21), time(19, 30), "Asia/Jerusalem")
    assert (session.series_id, session.period) == (series.pk, date(2027, 1, 1))
    assert (session.starts_at, session.minutes, session.place) == (starts_at, 90, LIBRARY)
    assert (session.phase, session.sequence, session.overrides) == (Phase.PLANNED, 0, {})
    assert (session.settled_at, session.updated_at) == (NOVEMBER, NOVEMBER)
    assert session.runs_until == next_morning(session.ends_at, "Asia/Jerusalem")


def test_sessions_meet_in_the_way_the_group_does(db: None):
    led = make_led(setting=Setting.ONLINE)
    led.plan(cadence())
    assert {session.setting for session in led.sessions} == {Setting.ONLINE}


def test_the_series_holds_what_was_said(led: Led):
    series = led.plan(cadence(breaks=(SUMMER,)))
    assert planning.plan_of(series) == planning.Plan(cadence(breaks=(SUMMER,)), LIBRARY)
    assert (series.planned_by, series.planned_at) == (led.leader, NOVEMBER)
    assert (series.proposed_at, series.settled_at) == (None, NOVEMBER)


def test_only_who_plans_may(led: Led):
    member = make_member()
    join(led.group, member, since=LONG_AGO)
    with as_member(member), pytest.raises(NotYoursToPlan):
        planning.plan_year(led.group, cadence(), LIBRARY, by=member, at=NOVEMBER)
    assert led.sessions == []


def test_planning_again_with_nothing_changed_writes_nothing(led: Led):
    led.plan(cadence(breaks=(SUMMER,)))
    before = as_stored()
    with CaptureQueriesContext(connection) as queries:
        led.plan(cadence(breaks=(SUMMER,)), at=NOVEMBER + timedelta(days=1))
    written = [q["sql"] for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
    assert written == []
    assert as_stored() == before


def test_dates_in_the_past_are_planned_and_make_no_mail(led: Led):
    at = utc(2027, 12, 30, 12)
    assert len(led.draft(cadence(), at=at).new_in_the_past) == 12
    led.plan(cadence(), at=at)
    assert len(led.days) == 12
    assert letters() == []


def test_a_year_that_does_not_overlap_is_a_series_of_its_own(led: Led):
    first = led.plan(cadence())
    second = led.plan(cadence(first_on=date(2028, 1, 1), last_on=date(2028, 12, 31)))
    assert first.pk != second.pk
    assert (first.sessions.count(), second.sessions.count()) == (12, 12)


def test_a_span_that_overlaps_is_the_same_series(led: Led):
    first = led.plan(cadence())
    again = led.plan(cadence(first_on=date(2027, 2, 1), last_on=date(2028, 1, 31)))
    assert again.pk == first.pk
    assert (led.days[0], led.days[-1]) == (date(2027, 2, 18), date(2028, 1, 20))


def test_a_span_over_two_rhythms_is_refused(led: Led):
    led.plan(cadence())
    led.plan(cadence(first_on=date(2028, 1, 1), last_on=date(2028, 12, 31)))
    with pytest.raises(OverlapsAnotherRhythm) as refused:
        led.plan(cadence(first_on=date(2027, 11, 1), last_on=date(2028, 12, 31)))
    assert str(refused.value) == (
        "From 1 January 2027 to 31 December 2027 the group already has a rhythm of its own. "
        "Choose a first and a last date outside it."
    )


def test_a_rhythm_without_a_date_is_refused(led: Led):
    with pytest.raises(NoDateIsLeft) as refused:
        led.plan(cadence(last_on=date(2027, 1, 10)))
    assert str(refused.value) == (
        "Between these two dates the rhythm has no meeting. "
        "Look at the breaks, and at the first and the last date."
    )


def test_a_day_the_group_meets_anyway_is_not_planned_twice(led: Led):
    make_session(led.group, utc(2027, 3, 18, 7), settled_at=NOVEMBER)
    drafted = led.draft(cadence())
    assert [line.on for line in drafted.of(Fate.TAKEN)] == [date(2027, 3, 18)]
    led.plan(cadence())
    assert led.days.count(date(2027, 3, 18)) == 1


def test_a_cancelled_extra_date_takes_no_day(led: Led):
    make_session(led.group, utc(2027, 3, 18, 7), settled_at=NOVEMBER, phase=Phase.CANCELLED)
    assert led.draft(cadence()).of(Fate.TAKEN) == []


def test_another_group_s_dates_are_its_own(led: Led):
    other = make_led()
    other.plan(cadence())
    led.plan(cadence())
    assert (len(led.sessions), len(other.sessions)) == (12, 12)


def test_who_saves_what_another_leader_has_changed_is_told_so(led: Led):
    with as_member(led.leader):
        seen = planning.state_of(led.group)
    led.plan(cadence())
    with as_member(led.leader), pytest.raises(ChangedMeanwhile):
        planning.plan_year(led.group, cadence(), "Garden", by=led.leader, at=NOVEMBER, seen=seen)
    assert {s.place for s in led.sessions} == {LIBRARY}


def test_the_state_seen_is_the_state_saved(led: Led):
    led.plan(cadence())
    with as_member(led.leader):
        seen = planning.state_of(led.group)
        planning.plan_year(led.group, cadence(), "Garden", by=led.leader, at=NOVEMBER, seen=seen)
    assert {s.place for s in led.sessions} == {"Garden"}


def queries(led: Led, planned: Cadence, place: str = LIBRARY) -> int:
    with CaptureQueriesContext(connection) as captured:
        led.plan(planned, place)
    return len(captured)


def test_ten_dates_and_fifty_two_take_the_same_number_of_queries(db: None):
    ten, fifty_two = make_led(), make_led()
    monthly, weekly = cadence(breaks=(SUMMER,)), cadence(EVERY_WEEK)
    make_led().plan(monthly)  # What goes on record first makes the record's key.
    new = (queries(ten, monthly), queries(fifty_two, weekly))
    again = (queries(ten, monthly), queries(fifty_two, weekly))
    moved = (queries(ten, monthly, "Garden"), queries(fifty_two, weekly, "Garden"))
    assert (len(ten.sessions), len(fifty_two.sessions)) == (10, 52)
    assert [one - other for one, other in (new, again, moved)] == [0, 0, 0]

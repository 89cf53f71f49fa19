"""This and following, and the end of a rhythm: what stays, what changes, who is told."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from groups.cadence import Rule, Unit
from members.models import Letter, LetterState
from sessions import planning
from sessions.models import Series, Session
from sessions.phases import Phase
from sessions.planning import Fate, Plan, refusals
from sessions.planning import letters as of_dates
from sessions.reminders import REMINDER_KINDS
from tests.sessions.rhythm import (
    FOURTH_TUESDAY,
    LIBRARY,
    LONG_AGO,
    NOVEMBER,
    Led,
    american,
    cadence,
    day,
    make_led,
)
from tests.world import as_member, as_owner, join, make_member, utc

EVERY_SECOND_THURSDAY = Rule(Unit.WEEK, 2, weekday=3)
EVERY_THURSDAY = Rule(Unit.WEEK, 1, weekday=3)


@pytest.fixture
def led(db: None) -> Led:
    led = make_led()
    led.plan(cadence(), at=NOVEMBER - timedelta(days=1))
    with as_owner():
        Letter.objects.filter(kind=of_dates.DATES).update(state=LetterState.SENT)
    return led


def wished(session: Session, rule: Rule | None = None, **changes: Any) -> Plan:
    """The plan the page offers from this date on, with what the leaders change in it."""
    plan = planning.plan_from(session, rule)
    rule = rule or plan.cadence.rule
    return Plan(replace(plan.cadence, rule=rule, **changes), plan.place)


def follow(
    led: Led, session: Session, rule: Rule | None = None, at: Any = NOVEMBER, **changes: Any
) -> Series:
    with as_member(led.leader):
        plan = wished(session, rule, **changes)
        return planning.plan_following(session, plan.cadence, plan.place, by=led.leader, at=at)


def drafted(
    led: Led, session: Session, rule: Rule | None = None, at: Any = NOVEMBER, **changes: Any
) -> planning.Draft:
    with as_member(led.leader):
        return planning.draft_following(session, wished(session, rule, **changes), at=at)


def end(led: Led, on: date, at: Any = NOVEMBER) -> Series:
    with as_owner():
        series = Series.objects.select_related("group").get(group=led.group)
    with as_member(led.leader):
        return planning.end_series(series, on, by=led.leader, at=at)


def letters(**fields: Any) -> list[str]:
    with as_owner():
        waiting = Letter.objects.filter(state=LetterState.PENDING, **fields)
        found = waiting.exclude(kind__in=REMINDER_KINDS)
        return sorted(found.values_list("kind", flat=True))


def spans(led: Led) -> list[tuple[date, date]]:
    with as_owner():
        rows = Series.objects.filter(group=led.group).order_by("first_on")
        return list(rows.values_list("first_on", "last_on"))


def test_this_and_following_is_a_series_of_its_own_and_the_old_one_ends_there(led: Led):
    before = [(s.pk, s.uid, s.period) for s in led.sessions]
    series = follow(led, led.on(6, 17), starts_at=time(18))
    assert spans(led) == [
        (date(2027, 1, 1), date(2027, 5, 31)),
        (date(2027, 6, 1), date(2027, 12, 31)),
    ]
    assert [(s.pk, s.uid, s.period) for s in led.sessions] == before
    assert [s.series_id == series.pk for s in led.sessions] == [False] * 5 + [True] * 7
    hours = [s.starts_at.astimezone(s.zone).time() for s in led.sessions]
    assert hours == [time(19, 30)] * 5 + [time(18)] * 7
    assert [s.sequence for s in led.sessions] == [0] * 5 + [1] * 7


def test_another_weekday_may_lie_before_the_date_it_begins_with(led: Led):
    follow(led, led.on(6, 17), Rule(Unit.MONTH, 1, weekday=1, nth=1))
    assert led.days[4:6] == [date(2027, 5, 20), date(2027, 6, 1)]
    assert len(led.days) == 12


def test_what_a_hand_changed_later_on_stays_as_it_is(led: Led):
    led.move(led.on(9, 16), starts_at=utc(2027, 9, 22, 16), place="Garden")
    led.cancel(led.on(10, 21))
    led.move(led.on(3, 18), minutes=60)
    follow(led, led.on(6, 17), FOURTH_TUESDAY)
    assert led.days[4:] == [
        date(2027, 5, 20),
        date(2027, 6, 22),
        date(2027, 7, 27),
        date(2027, 8, 24),
        date(2027, 9, 22),
        date(2027, 11, 23),
        date(2027, 12, 28),
    ]
    september = led.on(9, 22)
    assert (september.place, september.starts_at) == ("Garden", utc(2027, 9, 22, 16))
    assert led.on(3, 18).minutes == 60


def test_the_american_series_keeps_its_long_first_meeting(led: Led):
    other = make_led(time_zone="America/New_York")
    other.plan(american())
    other.move(other.on(3, 23), minutes=90)
    follow(other, other.on(4, 27), starts_at=time(18), minutes=75)
    assert [s.minutes for s in other.sessions] == [90] + [75] * 7


def test_from_months_to_weeks_it_begins_with_the_date_itself(led: Led):
    series = follow(led, led.on(6, 17), EVERY_SECOND_THURSDAY)
    assert series.first_on == date(2027, 6, 17)
    assert spans(led)[0] == (date(2027, 1, 1), date(2027, 6, 16))
    assert led.days[4:8] == [
        date(2027, 5, 20),
        date(2027, 6, 17),
        date(2027, 7, 1),
        date(2027, 7, 15),
    ]
    assert len({s.period for s in led.sessions if not s.cancelled}) == len(led.days)


def test_from_weeks_to_months_the_dates_it_has_no_more_are_cancelled(led: Led):
    weekly = make_led()
    weekly.plan(cadence(EVERY_THURSDAY, last_on=date(2027, 4, 30)))
    follow(weekly, weekly.on(3, 18), Rule(Unit.MONTH, 1, weekday=3, nth=3))
    assert weekly.days[-3:] == [date(2027, 3, 11), date(2027, 3, 18), date(2027, 4, 15)]


def test_every_other_week_counts_from_the_week_of_the_date(led: Led):
    weekly = make_led()
    weekly.plan(cadence(EVERY_THURSDAY, last_on=date(2027, 2, 28)))
    follow(weekly, weekly.on(2, 4), Rule(Unit.WEEK, 2, weekday=0))
    assert weekly.days[-3:] == [date(2027, 1, 28), date(2027, 2, 1), date(2027, 2, 15)]


def test_reminders_of_dates_that_stay_go_by_the_new_rhythm(led: Led):
    weekly = make_led()
    weekly.plan(cadence(Rule(Unit.WEEK, 4, weekday=3), last_on=date(2027, 6, 30)))
    february = weekly.on(2, 4)
    with as_owner():
        known = Letter.objects.filter(about_id=february.pk, state=LetterState.PENDING)
        assert {letter.kind for letter in known} == {"reminder-1", "reminder-7"}
    follow(weekly, february, EVERY_THURSDAY)
    with as_owner():
        assert Session.objects.get(pk=february.pk).sequence == 0
        assert {letter.kind for letter in known.all()} == {"reminder-1"}


def test_what_was_held_stays_with_the_old_series(led: Led):
    at = utc(2027, 6, 1, 12)
    series = follow(led, led.on(6, 17), at=at, starts_at=time(18))
    held = [s for s in led.sessions if s.starts_at < at]
    assert {s.series_id for s in held}.isdisjoint({series.pk})
    assert [s.sequence for s in held] == [0] * 5


def test_a_date_brought_forward_and_held_is_not_planned_a_second_time(led: Led):
    led.move(led.on(7, 15), starts_at=utc(2027, 5, 27, 16))
    at = utc(2027, 6, 1, 12)
    follow(led, led.on(6, 17), at=at, starts_at=time(18))
    assert date(2027, 7, 15) not in led.days
    assert date(2027, 5, 27) in led.days


def test_several_changes_are_one_letter_and_one_change_is_one_notice(led: Led):
    join(led.group, make_member(), since=LONG_AGO)
    series = follow(led, led.on(6, 17), starts_at=time(18))
    assert letters(about_id=series.pk) == [of_dates.DATES] * 2
    assert letters() == [of_dates.DATES] * 2
    follow(led, led.on(12, 16), starts_at=time(17))
    assert letters().count("moved") == 2


def test_the_draft_says_what_saving_does(led: Led):
    led.move(led.on(9, 16), starts_at=utc(2027, 9, 22, 16))
    found = drafted(led, led.on(6, 17), FOURTH_TUESDAY)
    assert found.lines[0].on == date(2027, 6, 22)
    assert [line.fate for line in found.lines].count(Fate.BY_HAND) == 1
    follow(led, led.on(6, 17), FOURTH_TUESDAY)
    assert [line.on for line in found.meetings] == led.days[5:]


def test_from_the_first_date_on_it_is_the_whole_series(led: Led):
    follow(led, led.on(1, 21), starts_at=time(18))
    assert spans(led) == [(date(2027, 1, 1), date(2027, 12, 31))]
    assert {s.starts_at.astimezone(s.zone).time() for s in led.sessions} == {time(18)}


def test_it_may_go_on_longer_or_end_earlier(led: Led):
    follow(led, led.on(6, 17), last_on=date(2028, 3, 31))
    assert len(led.days) == 15
    follow(led, led.on(11, 18), last_on=date(2027, 12, 31))
    assert led.days[-1] == date(2027, 12, 16)
    assert len(spans(led)) == 3


def test_saving_it_untouched_tells_nobody(led: Led):
    follow(led, led.on(6, 17))
    assert {s.sequence for s in led.sessions} == {0}
    assert letters() == []


def test_proposed_dates_stay_proposed(db: None):
    led = make_led()
    with as_member(led.leader):
        planning.plan_year(led.group, cadence(), LIBRARY, by=led.leader, at=NOVEMBER, propose=True)
    series = follow(led, led.on(6, 17), FOURTH_TUESDAY)
    assert series.settled_at is None
    assert series.proposed_at == NOVEMBER
    assert {s.settled_at for s in led.sessions} == {None}


def extra(led: Led) -> Session:
    with as_member(led.leader):
        return planning.add_date(
            led.group,
            starts_at=utc(2027, 1, 23, 8),
            minutes=60,
            zone="Asia/Jerusalem",
            place="",
            setting="in_person",
            by=led.leader,
            at=NOVEMBER,
        )


def test_nothing_follows_an_extra_date(led: Led):
    with pytest.raises(refusals.StandsAlone):
        planning.plan_from(extra(led))


def test_it_does_not_run_into_the_next_rhythm(led: Led):
    led.plan(cadence(first_on=date(2028, 1, 1), last_on=date(2028, 12, 31)))
    with pytest.raises(refusals.OverlapsAnotherRhythm):
        follow(led, led.on(6, 17), last_on=date(2028, 3, 31))


def test_a_plan_without_a_date_is_refused(led: Led):
    with pytest.raises(refusals.NoDateIsLeft):
        drafted(led, led.on(6, 17), FOURTH_TUESDAY, last_on=date(2027, 6, 2))


def test_a_stale_page_changes_nothing(led: Led):
    session, plan = led.on(6, 17), planning.plan_from(led.on(6, 17))
    with as_member(led.leader):
        seen = planning.state_of(led.group)
    led.move(led.on(2, 18), minutes=60)
    with as_member(led.leader), pytest.raises(refusals.ChangedMeanwhile):
        planning.plan_following(session, plan.cadence, "", by=led.leader, at=NOVEMBER, seen=seen)


def test_only_leaders_plan_what_follows_or_end_it(led: Led):
    member = make_member()
    join(led.group, member, since=LONG_AGO)
    session = led.on(6, 17)
    plan = planning.plan_from(session)
    assert session.series
    with as_member(member), pytest.raises(refusals.NotYoursToPlan):
        planning.plan_following(session, plan.cadence, "", by=member, at=NOVEMBER)
    with as_member(member), pytest.raises(refusals.NotYoursToPlan):
        planning.end_series(session.series, date(2027, 6, 17), by=member, at=NOVEMBER)


def test_the_end_of_a_rhythm_cancels_what_comes_after_it(led: Led):
    join(led.group, make_member(), since=LONG_AGO)
    led.move(led.on(9, 16), starts_at=utc(2027, 9, 22, 16))
    led.move(led.on(7, 15), starts_at=utc(2027, 6, 10, 16))
    series = end(led, date(2027, 6, 17))
    assert led.days == [
        date(2027, 1, 21),
        date(2027, 2, 18),
        date(2027, 3, 18),
        date(2027, 4, 15),
        date(2027, 5, 20),
        date(2027, 6, 10),
        date(2027, 6, 17),
    ]
    assert spans(led) == [(date(2027, 1, 1), date(2027, 6, 17))]
    assert letters(about_id=series.pk) == [of_dates.DATES] * 2


def test_one_date_that_goes_has_its_own_notice(led: Led):
    end(led, date(2027, 12, 1))
    assert letters() == ["cancelled"]


def test_dates_beside_the_rhythm_stay_when_it_ends(led: Led):
    beside = extra(led)
    end(led, date(2027, 1, 2))
    assert led.days == [day(beside)]


def test_what_ended_takes_place_again_when_the_rhythm_is_planned_on(led: Led):
    end(led, date(2027, 6, 17))
    led.plan(cadence())
    assert len(led.days) == 12
    assert {s.phase for s in led.sessions} == {Phase.PLANNED}


@pytest.mark.parametrize(
    ("on", "refusal"),
    [
        (date(2026, 11, 1), refusals.LastDayHasPassed),
        (date(2027, 12, 31), refusals.EndsAnyway),
    ],
)
def test_an_end_that_cannot_be_is_refused(led: Led, on: date, refusal: type[Exception]):
    with pytest.raises(refusal):
        end(led, on)


def test_a_rhythm_that_has_not_begun_can_end_before_it_does(led: Led):
    end(led, date(2026, 11, 30))
    assert led.days == []
    assert spans(led) == [(date(2027, 1, 1), date(2027, 1, 1))]

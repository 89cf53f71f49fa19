"""Planned, moved and planned again: hands and history stay, and nothing is done twice."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groups.cadence import LAST, Break, Cadence, Rule, Unit
from sessions.models import Session
from sessions.phases import Phase
from sessions.planning import draft
from sessions.planning.refusals import AlreadyMeetsThen, NoDateIsLeft
from tests.sessions.rhythm import NOVEMBER, Led, cadence, make_led
from tests.world import utc

FIELDS = ("starts_at", "minutes", "place", "setting")

rules = st.one_of(
    st.builds(
        Rule,
        st.just(Unit.MONTH),
        st.integers(1, 3),
        st.integers(0, 6),
        st.sampled_from([1, 2, 3, 4, LAST]),
    ),
    st.builds(Rule, st.just(Unit.WEEK), st.integers(1, 5), st.integers(0, 6)),
)
pauses = st.lists(
    st.builds(
        lambda on, days: Break(on, on + timedelta(days=days)),
        st.dates(date(2027, 1, 1), date(2027, 12, 1)),
        st.integers(0, 60),
    ),
    max_size=2,
).map(tuple)
cadences = st.builds(
    cadence,
    rules,
    starts_at=st.sampled_from([time(8), time(2, 30), time(19, 30)]),
    minutes=st.sampled_from([60, 90]),
    zone=st.sampled_from(["Asia/Jerusalem", "America/New_York", "UTC"]),
    first_on=st.dates(date(2027, 1, 1), date(2027, 3, 1)),
    last_on=st.dates(date(2027, 10, 1), date(2028, 2, 1)),
    breaks=pauses,
)
hands = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["move", "shorten", "place", "cancel"])),
    max_size=4,
)
moments = st.datetimes(datetime(2026, 11, 3), datetime(2027, 12, 1)).map(
    lambda naive: utc(*naive.timetuple()[:5])
)


def by_hand(led: Led, index: int, what: str) -> None:
    """Something a leader does to one of the dates, if it can be done."""
    ahead = [session for session in led.sessions if not session.cancelled]
    if not ahead:
        return
    session = ahead[index % len(ahead)]
    try:
        if what == "cancel":
            led.cancel(session)
        elif what == "move":
            led.move(session, starts_at=session.starts_at + timedelta(days=1, hours=3))
        elif what == "shorten":
            led.move(session, minutes=45)
        else:
            led.move(session, place="Garden")
    except AlreadyMeetsThen:
        pass


def row(session: Session) -> dict[str, Any]:
    return {f.attname: getattr(session, f.attname) for f in session._meta.concrete_fields}


def is_fixed(session: Session, at: datetime) -> bool:
    return session.starts_at <= at


@pytest.mark.django_db
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=cadences, done=hands, second=cadences, at=moments)
def test_hands_and_history_stay_and_nothing_is_done_twice(
    first: Cadence, done: list[tuple[int, str]], second: Cadence, at: datetime
):
    led = make_led()
    led.plan(first)
    for index, what in done:
        by_hand(led, index, what)
    before = {session.pk: session for session in led.sessions}
    try:
        led.plan(second, at=at)
    except NoDateIsLeft:
        return
    after = {session.pk: session for session in led.sessions}
    assert before.keys() <= after.keys()
    for pk, session in before.items():
        left = {"period"}
        if is_fixed(session, at):
            assert {k: v for k, v in row(after[pk]).items() if k not in left} == {
                k: v for k, v in row(session).items() if k not in left
            }
        for name in FIELDS:
            if name in session.overrides:
                assert getattr(after[pk], name) == getattr(session, name)
        if session.overrides.get("cancelled"):
            assert after[pk].cancelled
        assert after[pk].uid == session.uid
        assert after[pk].sequence >= session.sequence
    again = [row(session) for session in led.sessions]
    led.plan(second, at=at + timedelta(minutes=1))
    assert [row(session) for session in led.sessions] == again


@pytest.mark.django_db
@settings(max_examples=40, deadline=None)
@given(first=cadences, second=cadences)
def test_untouched_dates_ahead_stand_exactly_where_the_rule_says(first: Cadence, second: Cadence):
    led = make_led()
    led.plan(first)
    expected = draft(led.draft(second).plan, setting=led.group.setting, at=NOVEMBER).meetings
    led.plan(second)
    planned = [session for session in led.sessions if session.phase == Phase.PLANNED]
    assert [(s.starts_at, s.minutes, s.time_zone) for s in planned] == [
        (line.starts_at, line.minutes, line.zone) for line in expected
    ]

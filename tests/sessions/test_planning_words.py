"""The year ahead in words."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from groups.cadence import Break, Rule, Unit
from groups.models import Setting
from sessions.planning import words
from tests.sessions.meetings import make_session
from tests.sessions.rhythm import NOVEMBER, SUMMER, Led, cadence, make_led
from tests.world import utc

HERE = "Asia/Jerusalem"
FIRST_THURSDAY = Rule(Unit.MONTH, 1, weekday=3, nth=1)


@pytest.fixture
def led(db: None) -> Led:
    return make_led()


def notes(led: Led, on: date, at: datetime = NOVEMBER, **drafted: Any) -> list[str]:
    draft = led.draft(cadence(**drafted), at=at)
    rows = [row for row in words.rows(draft, HERE) if row.on == on]
    assert len(rows) == 1
    return [note.text for note in rows[0].notes]


def test_an_ordinary_date_needs_no_note(led: Led):
    row = words.rows(led.draft(cadence()), HERE)[0]
    assert (row.day, row.times, row.yours) == ("Thu 21 Jan 2027", "19:30–21:00", "")
    assert (row.notes, row.aside, row.out) == ((), "", False)


def test_who_lives_elsewhere_reads_the_own_time_too(led: Led):
    row = words.rows(led.draft(cadence()), "Europe/London")[0]
    assert row.yours == "17:30–19:00, London time"


def test_a_date_in_a_break_is_struck_through_with_its_name(led: Led):
    rows = words.rows(led.draft(cadence(breaks=(SUMMER,))), HERE)
    out = [(row.day, row.times, row.aside, row.notes) for row in rows if row.out]
    assert out == [
        ("Thu 15 Jul 2027", "", "summer break", ()),
        ("Thu 19 Aug 2027", "", "summer break", ()),
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [("summer", "summer break"), ("", "break"), ("half-term break", "half-term break")],
)
def test_a_break_is_called_as_people_call_it(name: str, said: str):
    assert words.break_words(Break(date(2027, 7, 15), date(2027, 8, 31), name)) == said


def test_the_clocks_and_a_long_gap_are_said_beside_the_date_that_follows(led: Led):
    assert notes(led, date(2027, 4, 15)) == ["the clocks have changed: still 19:30 here"]
    assert notes(led, date(2027, 9, 16), breaks=(SUMMER,)) == [
        "13 weeks without a meeting before it"
    ]


def test_what_a_hand_changed_says_that_it_stays(led: Led):
    led.plan(cadence())
    led.move(led.on(2, 18), starts_at=utc(2027, 2, 24, 17), minutes=60)
    led.move(led.on(3, 18), minutes=60)
    led.move(led.on(4, 15), place="Garden", setting=Setting.ONLINE)
    assert notes(led, date(2027, 2, 24)) == ["stays as you moved it: 24 Feb 19:00–20:00"]
    assert notes(led, date(2027, 3, 18)) == ["stays 60 minutes long"]
    assert notes(led, date(2027, 4, 15))[:2] == ["stays at: Garden", "stays online"]


def test_what_saving_changes_says_what_it_was(led: Led):
    led.plan(cadence())
    led.cancel(led.on(3, 18))
    later: dict[str, Any] = {"starts_at": time(20)}
    assert notes(led, date(2027, 1, 21), **later) == ["was 21 Jan 19:30–21:00"]
    assert notes(led, date(2027, 3, 18), **later) == ["cancelled"]
    assert notes(led, date(2027, 7, 15), breaks=(SUMMER,)) == ["will be cancelled"]


def test_a_date_that_comes_back_says_so(led: Led):
    led.plan(cadence())
    led.plan(cadence(breaks=(SUMMER,)))
    assert notes(led, date(2027, 7, 15)) == ["takes place again"]


def test_a_new_place_is_said(led: Led):
    led.plan(cadence(), "Garden")
    assert notes(led, date(2027, 1, 21)) == ["the place changes"]


def test_what_was_put_back_outside_the_rhythm_says_so(led: Led):
    led.plan(cadence())
    july = led.on(7, 15)
    led.plan(cadence(breaks=(SUMMER,)))
    led.restore(july)
    assert notes(led, date(2027, 7, 15), breaks=(SUMMER,)) == ["stays: you put it back"]


def test_past_dates_say_so(led: Led):
    assert notes(led, date(2027, 1, 21), at=utc(2027, 2, 1)) == ["has passed: makes no mail"]
    led.plan(cadence())
    assert notes(led, date(2027, 1, 21), at=utc(2027, 2, 1)) == ["has passed"]


def test_a_meeting_whose_new_date_has_passed_says_why_it_stays(led: Led):
    led.plan(cadence())
    draft = led.draft(cadence(FIRST_THURSDAY), at=utc(2027, 2, 10, 12))
    row = words.rows(draft, HERE)[1]
    assert (row.day, [note.text for note in row.notes]) == (
        "Thu 18 Feb 2027",
        ["stays: 4 February has passed"],
    )


def test_a_day_taken_says_so(led: Led):
    make_session(led.group, utc(2027, 3, 18, 7), settled_at=NOVEMBER)
    row = next(r for r in words.rows(led.draft(cadence()), HERE) if r.on == date(2027, 3, 18))
    assert (row.aside, row.out) == ("the group meets that day already", False)


def test_the_summary_has_the_count_the_rule_and_the_longest_gap(led: Led):
    assert words.summary(led.draft(cadence(breaks=(SUMMER,)))) == (
        "10 dates: every month on the third Thursday, 19:30–21:00, Jerusalem time. "
        "13 weeks without a meeting: 17 June to 16 September."
    )
    assert words.summary(led.draft(cadence())).endswith(" Never more than 5 weeks apart.")
    assert words.summary(led.draft(cadence(last_on=date(2027, 1, 31)))) == (
        "1 date: every month on the third Thursday, 19:30–21:00, Jerusalem time."
    )


def test_the_button_says_the_true_number():
    assert [words.save_label(n) for n in (1, 10)] == ["Save this date", "Save these 10 dates"]
    assert words.past_label(1) == "I know that 1 of these dates has passed"
    assert words.past_label(3) == "I know that 3 of these dates have passed"


def test_what_saving_sets_off_is_said_beside_the_button(led: Led):
    calm = "Everyone sees the dates in the calendar at once, and is reminded by mail before each."
    proposed = "Proposed, nothing is settled yet:"
    assert words.consequence(led.draft(cadence())).startswith(proposed)
    led.plan(cadence())
    assert words.consequence(led.draft(cadence())) == calm
    changed = led.draft(cadence(starts_at=time(20), breaks=(SUMMER,)))
    assert words.consequence(changed) == (
        "10 meetings change. 2 meetings are cancelled. Everyone in the group is told by mail."
    )
    assert words.saved(changed) == (
        "10 dates are saved. Everyone in the group is told of the changes by mail."
    )


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2027, 1, 1), date(2027, 12, 31), "2027"),
        (date(2026, 11, 3), date(2027, 12, 31), "2026 and 2027"),
        (date(2026, 9, 1), date(2027, 6, 30), "September 2026 to June 2027"),
    ],
)
def test_a_span_is_called_by_its_year_where_it_can_be(first: date, last: date, said: str):
    assert words.span_words(first, last) == said


def test_planned_dates_know_what_a_hand_did(led: Led):
    led.plan(cadence())
    led.move(led.on(2, 18), starts_at=utc(2027, 2, 24, 17))
    led.move(led.on(3, 18), minutes=60)
    led.cancel(led.on(4, 15))
    make_session(led.group, utc(2027, 5, 1, 8))
    rows = words.planned(led.sessions[:5], HERE, utc(2027, 2, 1))
    assert [row.by_hand for row in rows] == [False, True, False, False, True]
    assert [row.passed for row in rows] == [True, False, False, False, False]
    assert rows[0].session.starts_at - utc(2027, 1, 21) < timedelta(days=1)

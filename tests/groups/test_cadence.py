"""When a group meets: exact dates of real groups, and what holds in every zone and year."""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from groups.cadence import (
    LAST,
    Break,
    Cadence,
    CadenceCannotBe,
    Gap,
    Rule,
    RuleCannotBe,
    Unit,
    gaps,
    held,
    instant,
    long_gaps,
    longest_gap,
    rule_choices,
    wall_time_days_before,
    words,
)

MONDAY, TUESDAY, WEDNESDAY, THURSDAY = range(4)
THIRD_THURSDAY = Rule(Unit.MONTH, 1, THURSDAY, 3)
SUMMER = Break(date(2027, 7, 15), date(2027, 8, 31), "summer")


def cadence(rule: Rule, year: int, zone: str = "UTC", **change: Any) -> Cadence:
    plan = Cadence(rule, time(19, 30), 90, zone, date(year, 1, 1), date(year, 12, 31))
    return replace(plan, **change)


def held_days(plan: Cadence) -> list[date]:
    return [occurrence.on for occurrence in held(plan.occurrences())]


# Real series and the values agreed for them


def test_the_fourth_tuesday_from_march_to_october_2026():
    plan = cadence(
        Rule(Unit.MONTH, 1, TUESDAY, 4),
        2026,
        first_on=date(2026, 3, 1),
        last_on=date(2026, 10, 31),
    )
    assert held_days(plan) == [
        date(2026, 3, 24),
        date(2026, 4, 28),
        date(2026, 5, 26),
        date(2026, 6, 23),
        date(2026, 7, 28),
        date(2026, 8, 25),
        date(2026, 9, 22),
        date(2026, 10, 27),
    ]


def test_the_fourth_tuesday_from_march_to_october_2027():
    plan = cadence(
        Rule(Unit.MONTH, 1, TUESDAY, 4),
        2027,
        "America/New_York",
        starts_at=time(19),
        first_on=date(2027, 3, 1),
        last_on=date(2027, 10, 31),
    )
    assert [(on.month, on.day) for on in held_days(plan)] == [
        (3, 23),
        (4, 27),
        (5, 25),
        (6, 22),
        (7, 27),
        (8, 24),
        (9, 28),
        (10, 26),
    ]
    assert {o.starts_at.astimezone(ZoneInfo(plan.zone)).time() for o in plan.occurrences()} == {
        time(19)
    }


def test_last_thursday_gives_twelve_dates_in_2026():
    assert [
        (on.month, on.day) for on in held_days(cadence(Rule(Unit.MONTH, 1, THURSDAY, LAST), 2026))
    ] == [
        (1, 29),
        (2, 26),
        (3, 26),
        (4, 30),
        (5, 28),
        (6, 25),
        (7, 30),
        (8, 27),
        (9, 24),
        (10, 29),
        (11, 26),
        (12, 31),
    ]


def test_third_thursdays_of_2027_without_the_summer_are_ten_with_a_gap_of_13_weeks():
    plan = cadence(THIRD_THURSDAY, 2027, "Asia/Jerusalem", breaks=(SUMMER,))
    occurrences = plan.occurrences()
    assert len(held(occurrences)) == 10
    assert [o.on for o in occurrences if o.left_out == SUMMER] == [
        date(2027, 7, 15),
        date(2027, 8, 19),
    ]
    gap = longest_gap(occurrences)
    assert gap == Gap(date(2027, 6, 17), date(2027, 9, 16))
    assert str(gap) == "13 weeks without a meeting: 17 June to 16 September"
    assert gap.before_words == "13 weeks without a meeting before it"
    assert long_gaps(occurrences, THIRD_THURSDAY) == (gap,)


def test_every_three_weeks_two_blocked_weeks_leave_the_others_unmoved():
    rule = Rule(Unit.WEEK, 3, TUESDAY)
    blocked = Break(date(2027, 3, 29), date(2027, 4, 11), "Easter")
    free, with_break = cadence(rule, 2027), cadence(rule, 2027, breaks=(blocked,))
    assert [on for on in held_days(free) if on in blocked] == [date(2027, 3, 30)]
    assert held_days(with_break) == [on for on in held_days(free) if on not in blocked]


def test_a_fifth_thursday_is_refused_with_the_words_that_say_why():
    with pytest.raises(RuleCannotBe) as refusal:
        Rule(Unit.MONTH, 1, THURSDAY, 5)
    assert str(refusal.value) == (
        "Not every month has a fifth Thursday. Choose the fourth or the last."
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ((Unit.MONTH, 0, 3, 3), "A group meets every 1 to 12 months."),
        ((Unit.MONTH, 13, 3, 3), "A group meets every 1 to 12 months."),
        ((Unit.WEEK, 53, 3, None), "A group meets every 1 to 52 weeks."),
        ((Unit.WEEK, 2, 7, None), "Choose a day of the week."),
        ((Unit.WEEK, 2, 3, 1), "A rhythm of weeks names the day of the week only."),
        ((Unit.MONTH, 1, 3, None), "Choose the first, second, third, fourth or last of the month."),
        ((Unit.MONTH, 1, 3, 0), "Choose the first, second, third, fourth or last of the month."),
    ],
)
def test_a_rule_that_cannot_be_says_what_to_choose(fields: tuple, sentence: str):
    with pytest.raises(RuleCannotBe) as refusal:
        Rule(*fields)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    "code", ["", "month", "month:1:3", "week:1:3:2", "year:1:3:3", "month:1:7:3", "month:x:3:3"]
)
def test_a_value_no_select_has_is_no_rule(code: str):
    with pytest.raises(RuleCannotBe) as refusal:
        Rule.from_code(code)
    assert str(refusal.value) == "Choose a rhythm from the list."


def test_the_select_offers_months_and_weeks_by_weekday():
    choices = rule_choices()
    assert [label for label, _ in choices] == [
        "Monday",
        "Tuesday",
        "Wednesday",
        "Thursday",
        "Friday",
        "Saturday",
        "Sunday",
    ]
    assert choices[THURSDAY][1] == [
        ("month:1:3:1", "Every month, on the first Thursday"),
        ("month:1:3:2", "Every month, on the second Thursday"),
        ("month:1:3:3", "Every month, on the third Thursday"),
        ("month:1:3:4", "Every month, on the fourth Thursday"),
        ("month:1:3:-1", "Every month, on the last Thursday"),
        ("week:1:3", "Every week, on Thursday"),
        ("week:2:3", "Every 2 weeks, on Thursday"),
        ("week:3:3", "Every 3 weeks, on Thursday"),
        ("week:4:3", "Every 4 weeks, on Thursday"),
    ]


def test_a_rarer_rule_in_use_stays_choosable():
    rare = Rule(Unit.MONTH, 2, THURSDAY, 3)
    assert rule_choices(rare)[THURSDAY][1][-1] == (
        "month:2:3:3",
        "Every two months, on the third Thursday",
    )
    assert rule_choices(THIRD_THURSDAY) == rule_choices()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (THIRD_THURSDAY, "every month on the third Thursday, 19:30–21:00, Jerusalem time"),
        (
            Rule(Unit.MONTH, 2, MONDAY, LAST),
            "every two months on the last Monday, 19:30–21:00, Jerusalem time",
        ),
        (
            Rule(Unit.MONTH, 4, MONDAY, 1),
            "every 4 months on the first Monday, 19:30–21:00, Jerusalem time",
        ),
        (Rule(Unit.WEEK, 1, TUESDAY), "every week on Tuesday, 19:30–21:00, Jerusalem time"),
        (Rule(Unit.WEEK, 3, TUESDAY), "every 3 weeks on Tuesday, 19:30–21:00, Jerusalem time"),
    ],
)
def test_a_rule_in_words(rule: Rule, sentence: str):
    assert words(rule, time(19, 30), 90, "Asia/Jerusalem") == sentence


def test_every_n_months_and_weeks_count_from_the_first_date_that_fits():
    late: dict[str, Any] = {"first_on": date(2027, 1, 22), "last_on": date(2027, 7, 31)}
    assert held_days(cadence(Rule(Unit.MONTH, 2, THURSDAY, 3), 2027, **late)) == [
        date(2027, 2, 18),
        date(2027, 4, 15),
        date(2027, 6, 17),
    ]
    assert held_days(cadence(Rule(Unit.WEEK, 8, THURSDAY), 2027, **late)) == [
        date(2027, 1, 28),
        date(2027, 3, 25),
        date(2027, 5, 20),
        date(2027, 7, 15),
    ]


def test_an_occurrence_is_known_by_its_month_or_by_the_monday_of_its_week():
    (january, *_) = cadence(THIRD_THURSDAY, 2027).occurrences()
    assert (january.on, january.period) == (date(2027, 1, 21), date(2027, 1, 1))
    (first, *_) = cadence(Rule(Unit.WEEK, 3, THURSDAY), 2027).occurrences()
    assert (first.on, first.period) == (date(2027, 1, 7), date(2027, 1, 4))


@pytest.mark.parametrize(
    ("rule", "fewest_days", "most_weeks"),
    [
        (THIRD_THURSDAY, 28, 5),
        (Rule(Unit.MONTH, 2, THURSDAY, 3), 56, 9),
        (Rule(Unit.MONTH, 3, THURSDAY, 3), 84, 14),
        (Rule(Unit.WEEK, 3, THURSDAY), 21, 3),
    ],
)
def test_how_close_and_how_far_apart_a_rule_sets_meetings(
    rule: Rule, fewest_days: int, most_weeks: int
):
    assert (rule.gap_days, rule.usual_weeks) == (fewest_days, most_weeks)


def test_both_ends_of_a_plan_and_of_a_break_belong_to_it():
    weekly = Rule(Unit.WEEK, 1, MONDAY)
    ends: dict[str, Any] = {"first_on": date(2027, 1, 4), "last_on": date(2027, 1, 25)}
    pause = Break(date(2027, 1, 11), date(2027, 1, 18))
    assert held_days(cadence(weekly, 2027, breaks=(pause,), **ends)) == [
        date(2027, 1, 4),
        date(2027, 1, 25),
    ]


def test_a_leap_day_is_a_date_like_any_other():
    plan = cadence(Rule(Unit.MONTH, 1, TUESDAY, LAST), 2028)
    assert date(2028, 2, 29) in held_days(plan)
    assert wall_time_days_before(
        instant(date(2028, 3, 1), time(19), "Europe/Athens"), "Europe/Athens", 1
    ) == instant(date(2028, 2, 29), time(19), "Europe/Athens")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"zone": "Asia/Atlantis"}, "Choose a time zone from the list."),
        ({"minutes": 14}, "A meeting lasts between 15 minutes and 12 hours."),
        ({"minutes": 721}, "A meeting lasts between 15 minutes and 12 hours."),
        ({"last_on": date(2026, 12, 31)}, "The last date lies before the first."),
        ({"last_on": date(9999, 12, 31)}, "Look at the year of the first and the last date."),
        ({"last_on": date(2038, 1, 1)}, "Plan ten years at most."),
    ],
)
def test_a_cadence_that_cannot_be_says_why(change: dict[str, Any], sentence: str):
    with pytest.raises(CadenceCannotBe) as refusal:
        replace(cadence(THIRD_THURSDAY, 2027), **change)
    assert str(refusal.value) == sentence


# Clock changes


def test_clock_changes_are_marked_on_the_first_meeting_held_after_them():
    plan = cadence(THIRD_THURSDAY, 2027, "Asia/Jerusalem")
    changed = [occurrence for occurrence in plan.occurrences() if occurrence.clocks_changed]
    assert [occurrence.on for occurrence in changed] == [date(2027, 4, 15), date(2027, 11, 18)]
    assert plan.clock_words(changed[0]) == "the clocks have changed: still 19:30 here"
    assert plan.clock_words(plan.occurrences()[0]) == ""


def test_a_clock_change_inside_a_break_is_marked_after_the_break():
    april = Break(date(2027, 4, 1), date(2027, 4, 30))
    plan = cadence(THIRD_THURSDAY, 2027, "Asia/Jerusalem", breaks=(april,))
    assert [o.on for o in plan.occurrences() if o.clocks_changed] == [
        date(2027, 5, 20),
        date(2027, 11, 18),
    ]


def test_a_meeting_over_a_clock_change_lasts_its_real_minutes():
    plan = cadence(
        Rule(Unit.WEEK, 1, 5),
        2027,
        "America/New_York",
        starts_at=time(23, 30),
        minutes=240,
        first_on=date(2027, 3, 13),
        last_on=date(2027, 3, 13),
    )
    (night,) = plan.occurrences()
    assert night.ends_at - night.starts_at == timedelta(hours=4)
    assert night.ends_at.astimezone(ZoneInfo("America/New_York")).time() == time(4, 30)


def test_gaps_need_two_meetings_and_say_the_years_over_new_year():
    assert (
        longest_gap(cadence(THIRD_THURSDAY, 2027, last_on=date(2027, 1, 31)).occurrences()) is None
    )
    assert gaps(()) == ()
    assert str(Gap(date(2026, 12, 17), date(2027, 1, 21))) == (
        "5 weeks without a meeting: 17 December 2026 to 21 January 2027"
    )
    assert str(Gap(date(2027, 6, 3), date(2027, 6, 10))) == (
        "1 week without a meeting: 3 June to 10 June"
    )

"""From wall clocks to instants: skipped and doubled hours, reminders, quiet hours, midnights."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from groups.cadence import (
    Rule,
    Unit,
    after_quiet_hours,
    instant,
    next_midnight,
    next_morning,
    offsets_for,
    wall_time_days_before,
)


def test_new_york_evenings_are_the_same_or_the_next_day_in_london():
    london = ZoneInfo("Europe/London")
    march = instant(date(2026, 3, 24), time(19), "America/New_York").astimezone(london)
    april = instant(date(2026, 4, 28), time(19), "America/New_York").astimezone(london)
    assert march.replace(tzinfo=None) == datetime(2026, 3, 24, 23, 0)
    assert april.replace(tzinfo=None) == datetime(2026, 4, 29, 0, 0)


def test_london_evenings_in_utc_before_and_after_its_clocks_change():
    assert instant(date(2026, 3, 24), time(19), "Europe/London") == datetime(
        2026, 3, 24, 19, tzinfo=UTC
    )
    assert instant(date(2026, 4, 28), time(19), "Europe/London") == datetime(
        2026, 4, 28, 18, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("on", "at", "zone", "expected"),
    [
        # Skipped: 02:00 to 03:00 does not exist, so 02:30 is 03:30 summer time.
        (date(2027, 3, 14), time(2, 30), "America/New_York", "2027-03-14T07:30Z"),
        (date(2027, 3, 28), time(2, 30), "Europe/Berlin", "2027-03-28T01:30Z"),
        # Doubled: the first 01:30 of New York, the first 02:30 of Berlin, both in summer time.
        (date(2027, 11, 7), time(1, 30), "America/New_York", "2027-11-07T05:30Z"),
        (date(2027, 10, 31), time(2, 30), "Europe/Berlin", "2027-10-31T00:30Z"),
        # Half an hour: 02:15 is skipped and is 02:45; 01:45 comes twice.
        (date(2027, 10, 3), time(2, 15), "Australia/Lord_Howe", "2027-10-02T15:45Z"),
        (date(2027, 4, 4), time(1, 45), "Australia/Lord_Howe", "2027-04-03T14:45Z"),
        # Either side of both changes.
        (date(2027, 3, 13), time(19), "America/New_York", "2027-03-14T00:00Z"),
        (date(2027, 3, 14), time(19), "America/New_York", "2027-03-14T23:00Z"),
        (date(2027, 11, 6), time(19), "America/New_York", "2027-11-06T23:00Z"),
        (date(2027, 11, 7), time(19), "America/New_York", "2027-11-08T00:00Z"),
    ],
)
def test_a_skipped_hour_moves_forward_and_a_doubled_one_is_the_first(
    on: date, at: time, zone: str, expected: str
):
    moment = instant(on, at, zone)
    assert moment == datetime.fromisoformat(expected)
    assert moment.tzinfo is UTC


def test_the_second_pass_of_a_doubled_hour_cannot_be_asked_for():
    on, at = date(2027, 11, 7), time(1, 30)
    assert instant(on, at.replace(fold=1), "America/New_York") == instant(
        on, at, "America/New_York"
    )


# Moments around a meeting


def test_a_reminder_goes_at_the_same_wall_time_across_a_clock_change():
    meeting = instant(date(2027, 3, 18), time(19), "America/New_York")
    before = wall_time_days_before(meeting, "America/New_York", 7)
    assert before == datetime(2027, 3, 12, 0, 0, tzinfo=UTC)
    assert meeting - before == timedelta(days=7, hours=-1)


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2027-06-17T21:59", "2027-06-17T21:59"),
        ("2027-06-17T22:00", "2027-06-18T07:00"),
        ("2027-06-17T23:59", "2027-06-18T07:00"),
        ("2027-06-18T00:00", "2027-06-18T07:00"),
        ("2027-06-18T06:59", "2027-06-18T07:00"),
        ("2027-06-18T07:00", "2027-06-18T07:00"),
    ],
)
def test_quiet_hours_end_at_seven_where_the_recipient_lives(local: str, expected: str):
    athens = ZoneInfo("Europe/Athens")
    moment = datetime.fromisoformat(local).replace(tzinfo=athens)
    assert after_quiet_hours(moment, "Europe/Athens") == datetime.fromisoformat(expected).replace(
        tzinfo=athens
    )


def test_quiet_hours_may_lie_within_a_day_or_be_none():
    noon = datetime(2027, 6, 17, 12, tzinfo=UTC)
    assert after_quiet_hours(noon, "UTC", (time(11), time(14))) == noon + timedelta(hours=2)
    assert after_quiet_hours(noon, "UTC", (time(14), time(11))) == noon
    assert after_quiet_hours(noon, "UTC", (time(12), time(12))) == noon


def test_quiet_hours_ending_in_a_doubled_hour_never_send_back_in_time():
    second_pass = datetime(2027, 11, 7, 6, 10, tzinfo=UTC)
    assert after_quiet_hours(second_pass, "America/New_York", (time(22), time(1, 30))) == (
        second_pass
    )


@pytest.mark.parametrize(
    ("rule", "offsets"),
    [
        (Rule(Unit.MONTH, 1, 3, 3), (7, 1)),
        (Rule(Unit.WEEK, 3, 1), (7, 1)),
        (Rule(Unit.WEEK, 2, 1), (1,)),
        (Rule(Unit.WEEK, 1, 1), (1,)),
    ],
)
def test_reminders_follow_the_rhythm(rule: Rule, offsets: tuple[int, ...]):
    assert offsets_for(rule.gap_days) == offsets


@pytest.mark.parametrize(
    ("planned_end", "zone", "expected"),
    [
        ("2027-06-17T18:00Z", "Asia/Jerusalem", "2027-06-18T03:00Z"),
        # Ends after midnight: the next morning is the one after that night's date.
        ("2027-06-17T21:30Z", "Asia/Jerusalem", "2027-06-19T03:00Z"),
        ("2027-03-14T00:30Z", "America/New_York", "2027-03-14T10:00Z"),
    ],
)
def test_a_meeting_runs_until_six_on_the_day_after_its_planned_end(
    planned_end: str, zone: str, expected: str
):
    assert next_morning(datetime.fromisoformat(planned_end), zone) == datetime.fromisoformat(
        expected
    )


def test_a_last_day_ends_at_the_next_midnight_of_the_zone_even_where_midnight_is_skipped():
    assert next_midnight(date(2027, 6, 17), "Asia/Jerusalem") == datetime(
        2027, 6, 17, 21, tzinfo=UTC
    )
    # Beirut skips from 00:00 to 01:00 on 28 March 2027: the 27th still ends at 24:00.
    assert next_midnight(date(2027, 3, 27), "Asia/Beirut") == datetime(2027, 3, 27, 22, tzinfo=UTC)

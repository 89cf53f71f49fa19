"""Zones and dates as people say them, on the group's clock and on the viewer's."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groups import zones
from groups.cadence import instant
from groups.zones import Clock, When, city, is_zone, same_wall_clock, when_words, zone_choices

ZONES = sorted(name for name in available_timezones() if is_zone(name))


def all_values(current: str = "") -> list[str]:
    values: list[str] = []
    for label, inside in zone_choices(current):
        values += [label] if isinstance(inside, str) else [value for value, _ in inside]
    return values


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Asia/Jerusalem", "Jerusalem time"),
        ("America/New_York", "New York time"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time"),
        ("America/St_Johns", "St John’s time"),
        ("UTC", "UTC"),
        ("Etc/UTC", "UTC"),
        ("GMT", "UTC"),
        ("Etc/GMT+5", "UTC−5"),
        ("Etc/GMT-14", "UTC+14"),
        ("US/Eastern", "Eastern time"),
    ],
)
def test_a_zone_is_called_by_its_city(zone: str, words: str):
    assert city(zone) == words


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Europe/London", True),
        ("Asia/Calcutta", True),
        ("UTC", True),
        ("Europe/Atlantis", False),
        ("", False),
        ("europe/london", False),
        ("../etc/passwd", False),
        ("localtime", False),
        ("Factory", False),
    ],
)
def test_only_names_of_places_are_zones(name: str, known: bool):
    assert is_zone(name) is known


def test_the_select_has_each_city_once_by_region_with_utc_last():
    choices = zone_choices()
    assert [label for label, _ in choices] == [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian Ocean",
        "Pacific",
        "UTC",
    ]
    values = all_values()
    assert len(values) == len(set(values))
    assert all(is_zone(value) for value in values)
    assert {"Asia/Jerusalem", "Europe/Kyiv", "Asia/Kolkata"} < set(values)
    assert not {"Asia/Calcutta", "Europe/Kiev", "Asia/Tel_Aviv"} & set(values)


def test_cities_are_sorted_and_named_city_first():
    europe = dict(zone_choices())["Europe"]
    assert [label for _, label in europe] == sorted(label for _, label in europe)
    assert ("Europe/London", "London") in europe
    assert ("America/Kentucky/Louisville", "Louisville, Kentucky") in dict(zone_choices())[
        "America"
    ]


@pytest.mark.parametrize("current", ["Asia/Calcutta", "US/Eastern", "Etc/GMT+5", "Etc/UTC"])
def test_an_older_name_in_use_stays_choosable(current: str):
    assert all_values(current).count(current) == 1
    assert len(zone_choices(current)) <= len(zone_choices()) + 1


def test_a_name_that_is_no_zone_is_never_offered():
    assert all_values("Europe/Atlantis") == all_values()


def test_two_zones_show_the_same_only_while_their_clocks_agree():
    spring = datetime(2027, 3, 24, 12, tzinfo=UTC)
    summer = datetime(2027, 6, 24, 12, tzinfo=UTC)
    assert same_wall_clock("Europe/Paris", "Europe/Berlin", summer)
    assert same_wall_clock("Europe/London", "UTC", spring)
    assert not same_wall_clock("Europe/London", "UTC", summer)


def test_a_meeting_on_the_groups_clock_alone():
    starts_at = instant(date(2026, 12, 17), time(19, 30), "Asia/Jerusalem")
    when = when_words(starts_at, 90, "Asia/Jerusalem", "Asia/Jerusalem", date(2026, 12, 1))
    assert when == When(
        on=date(2026, 12, 17),
        day="Thursday 17 December",
        short_day="Thu 17 Dec",
        from_="19:30",
        to="21:00",
        zone="Jerusalem time",
        yours=None,
    )
    assert str(when) == "Thursday 17 December, 19:30–21:00, Jerusalem time"
    assert when.times == "19:30–21:00, Jerusalem time"
    assert when.yours_words == ""


def test_a_new_york_evening_is_another_day_in_london_and_says_so():
    starts_at = instant(date(2026, 4, 28), time(19), "America/New_York")
    when = when_words(starts_at, 90, "America/New_York", "Europe/London", date(2026, 4, 1))
    assert when.day == "Tuesday 28 April"
    assert when.yours == Clock(
        on=date(2026, 4, 29),
        day="Wednesday 29 April",
        short_day="Wed 29 Apr",
        from_="00:00",
        to="01:30",
        zone="London time",
    )
    assert when.yours_words == "Wednesday 29 April, 00:00–01:30, London time"


def test_while_new_york_is_ahead_in_march_it_is_the_same_day_in_london():
    starts_at = instant(date(2026, 3, 24), time(19), "America/New_York")
    when = when_words(starts_at, 90, "America/New_York", "Europe/London", date(2026, 3, 1))
    assert when.yours_words == "23:00–00:30, London time"


def test_the_viewers_clock_is_left_out_at_instants_at_which_it_agrees():
    march = instant(date(2026, 3, 24), time(19), "Europe/London")
    april = instant(date(2026, 4, 28), time(19), "Europe/London")
    assert when_words(march, 90, "Europe/London", "UTC").yours is None
    assert when_words(april, 90, "Europe/London", "UTC").yours_words == "18:00–19:30, UTC"


def test_the_viewers_clock_is_shown_if_only_the_end_differs():
    starts_at = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)
    when = when_words(starts_at, 60, "UTC", "Europe/London")
    assert when.yours_words == "00:30–02:30, London time"


def test_the_year_is_said_when_it_is_not_todays_or_today_is_not_known():
    starts_at = instant(date(2027, 1, 21), time(19, 30), "Asia/Jerusalem")
    for today in (date(2026, 12, 31), None):
        when = when_words(starts_at, 90, "Asia/Jerusalem", today=today)
        assert when.day == "Thursday 21 January 2027"
        assert when.short_day == "Thu 21 Jan 2027"


def test_dates_inside_a_sentence():
    assert zones.date_words(date(2027, 6, 17)) == "17 June"
    assert zones.date_words(date(2027, 6, 17), with_year=True) == "17 June 2027"


@given(
    starts_at=st.builds(
        instant, st.dates(date(1990, 1, 1), date(2099, 12, 31)), st.times(), st.just("UTC")
    ),
    zone=st.sampled_from(ZONES),
    viewer=st.sampled_from(ZONES),
)
@settings(max_examples=300, deadline=None)
def test_what_is_said_is_what_the_clocks_show(starts_at: datetime, zone: str, viewer: str):
    when = when_words(starts_at, 90, zone, viewer)
    local = starts_at.astimezone(ZoneInfo(zone))
    theirs = starts_at.astimezone(ZoneInfo(viewer))
    assert (when.on, when.from_) == (local.date(), f"{local:%H:%M}")
    shown = when.yours or when
    assert (shown.on, shown.from_) == (theirs.date(), f"{theirs:%H:%M}")

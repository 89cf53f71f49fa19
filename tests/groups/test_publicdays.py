"""Public holidays by the country of a time zone."""

from datetime import date

import pytest
from django.utils.translation import override

from groups.publicdays import country_of, public_day
from groups.zones import UTC_NAMES, zone_choices


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Asia/Jerusalem", "IL"),
        ("America/New_York", "US"),
        ("Europe/Stockholm", "SE"),
        ("Asia/Calcutta", "IN"),
        ("Israel", "IL"),
        ("Etc/GMT+5", ""),
        ("Nowhere/City", ""),
    ],
)
def test_a_zone_lies_in_a_country(zone: str, country: str):
    assert country_of(zone) == country


def test_every_zone_one_may_choose_lies_somewhere_but_utc():
    offered = {
        value for _, choices in zone_choices() if isinstance(choices, list) for value, _ in choices
    }
    assert len(offered) > 400
    assert {zone for zone in offered if not country_of(zone)} == set()
    assert {country_of(zone) for zone in UTC_NAMES} == {""}


@pytest.mark.parametrize(
    ("on", "zone", "name"),
    [
        (date(2027, 10, 16), "Asia/Jerusalem", "Sukkot"),
        (date(2027, 10, 17), "Asia/Jerusalem", ""),
        (date(2027, 11, 25), "US/Eastern", "Thanksgiving Day"),
        (date(2027, 11, 25), "Europe/London", ""),
        (date(2027, 10, 16), "UTC", ""),
    ],
)
def test_a_day_is_a_holiday_in_its_own_country(on: date, zone: str, name: str):
    assert public_day(on, zone) == name


def test_it_is_named_in_the_language_of_the_reader():
    with override("de-at"):
        assert public_day(date(2027, 10, 3), "Europe/Berlin") == "Tag der Deutschen Einheit"


def test_a_language_the_country_does_not_have_gets_the_english_name():
    with override("fi"):
        assert public_day(date(2027, 10, 3), "Europe/Berlin") == "German Unity Day"

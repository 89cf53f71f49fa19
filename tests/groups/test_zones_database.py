"""The database keeps clocks of its own; it must not find a meeting on another day than we do."""

from datetime import date, time

import pytest
from django.db import connection

from groups.cadence import instant
from tests.groups.test_zones import all_values

# Every season, and each change of the clocks on either half of the earth between them.
DAYS = [date(year, month, 17) for year in range(2026, 2031) for month in (1, 3, 4, 7, 10, 11)]
COUNTED = """
select zone, on_day from unnest(%s::text[], %s::timestamptz[], %s::date[])
  as meeting(zone, starts_at, on_day)
where (starts_at at time zone zone)::date <> on_day
"""


@pytest.mark.parametrize("at", [time(1, 30), time(12), time(22, 29)])
def test_the_database_knows_every_zone_and_counts_the_same_days(db: None, at: time):
    meetings = [(zone, instant(on, at, zone), on) for zone in all_values() for on in DAYS]
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, [list(column) for column in zip(*meetings, strict=True)])
        assert cursor.fetchall() == []

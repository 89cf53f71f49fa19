"""What our calendar files say is the same instant to every reader: all zones, over ten years."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groups.cadence import LAST, Cadence, Rule, Unit, held, instant
from groups.models import Group
from groups.zones import UTC_NAMES, is_zone
from sessions import ics
from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.files import instants, values

# Old names too, and those that are only a number: people and files still have them.
ZONES = sorted(name for name in available_timezones() if is_zone(name))
BEGINS, ENDS = datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC)
PARTS = 4
HOUR = timedelta(hours=1)
UNSAVED = Group(name="Valley group", alias="Valley")


def meeting(zone: str, starts_at: datetime, minutes: int = 90) -> Session:
    return Session(
        group=UNSAVED,
        starts_at=starts_at.replace(second=0, microsecond=0),
        minutes=minutes,
        time_zone=zone,
        phase=Phase.PLANNED,
        updated_at=BEGINS,
    )


def come_back(sessions: Iterable[Session]) -> bool:
    """Whether both readers find every start and end where we put it."""
    sessions = sorted(sessions, key=lambda session: session.starts_at)
    spans = [(session.starts_at, session.ends_at) for session in sessions]
    return instants(ics.published(sessions)) == spans


@cache
def changes(zone: str) -> tuple[tuple[datetime, datetime], ...]:
    return tuple(ics.changes(ZoneInfo(zone), BEGINS, ENDS))


@cache
def clocks() -> list[str]:
    """One zone for each way the clocks go in these ten years: the others only have other names."""
    by_clock = defaultdict(list)
    for zone in ZONES:
        told = tuple((after.astimezone(UTC), after.utcoffset()) for _, after in changes(zone))
        by_clock[BEGINS.astimezone(ZoneInfo(zone)).utcoffset(), told].append(zone)
    return [min(zones, key=lambda zone: zone in UTC_NAMES) for zones in by_clock.values()]


def sampled(zone: str, count: int) -> list[datetime]:
    """Moments of the ten years that are the zone's own, and the same in every run."""
    seconds = int((ENDS - BEGINS).total_seconds())
    digests = [hashlib.sha256(f"{zone} {n}".encode()).digest() for n in range(count)]
    return [BEGINS + timedelta(seconds=int.from_bytes(one) % seconds) for one in digests]


@pytest.mark.parametrize("part", range(PARTS))
def test_every_zone_of_the_database_comes_back_as_it_went_out(part):
    wrong = [
        zone
        for zone in ZONES[part::PARTS]
        if not come_back(meeting(zone, at) for at in sampled(zone, 2))
    ]
    assert wrong == []


@pytest.mark.parametrize("part", range(PARTS))
def test_meetings_before_in_and_after_every_change_of_the_clocks_come_back(part):
    wrong = [
        zone
        for zone in clocks()[part::PARTS]
        if not come_back(
            meeting(zone, after.astimezone(UTC) + beside, 75)
            for _before, after in changes(zone)
            # It changes before, while and after they meet, and in the hour that comes twice.
            for beside in (-24 * HOUR, -HOUR / 2, HOUR / 2)
        )
    ]
    assert wrong == []


def test_the_zones_are_all_there_and_their_clocks_go_in_many_ways():
    assert len(ZONES) > 590
    assert {"UTC", "EST5EDT", "Etc/GMT+5", "Asia/Calcutta", "America/Argentina/Ushuaia"} <= set(
        ZONES
    )
    assert 60 < len(clocks()) < 150
    halves = {
        (after.replace(tzinfo=None) - before.replace(tzinfo=None)) - timedelta(seconds=1)
        for before, after in changes("Australia/Lord_Howe")
    }
    assert halves == {HOUR / 2, -HOUR / 2}


def test_a_monthly_evening_stays_on_the_wall_clock_of_its_zone_in_the_file_too():
    for zone in clocks():
        cadence = Cadence(
            rule=Rule(Unit.MONTH, 5, weekday=5, nth=LAST),
            starts_at=time(19, 30),
            minutes=90,
            zone=zone,
            first_on=date(2026, 1, 1),
            last_on=date(2035, 12, 31),
        )
        evenings = [meeting(zone, one.starts_at) for one in held(cadence.occurrences())]
        starts = values(ics.published(evenings), "DTSTART")[-len(evenings) :]
        assert {start[8:] for start in starts} == {"T193000"}, zone


def test_a_meeting_on_a_leap_day_stays_on_it():
    days = [date(2028, 2, 29), date(2032, 2, 29), date(2032, 12, 31)]
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago", "Europe/Berlin"):
        assert come_back(meeting(zone, instant(on, time(23, 30), zone)) for on in days)


@settings(max_examples=100, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    starts_at=st.datetimes(datetime(2026, 1, 1), datetime(2036, 12, 31)),
    minutes=st.integers(15, 720),
)
def test_any_zone_moment_and_length_comes_back(zone, starts_at, minutes):
    assert come_back([meeting(zone, starts_at.replace(tzinfo=UTC), minutes)])


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    which=st.integers(0, 50),
    beside=st.timedeltas(timedelta(hours=-13), timedelta(hours=3)),
    minutes=st.integers(15, 720),
)
def test_any_meeting_round_a_change_of_the_clocks_comes_back_too(zone, which, beside, minutes):
    known = [after.astimezone(UTC) for _before, after in changes(zone)] or [BEGINS]
    assert come_back([meeting(zone, known[which % len(known)] + beside, minutes)])

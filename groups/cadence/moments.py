"""From wall clocks to instants and back; instants are returned in UTC, as by Django's models."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# No reminder between these, on the recipient's wall clock, unless the recipient chose others.
QUIET = (time(22), time(7))

# How many days before a meeting somebody may wish to be reminded.
REMINDER_DAYS = (14, 7, 3, 2, 1)

# Until then a meeting of the evening before still counts as running.
MORNING = time(6)


def instant(on: date, at: time, zone: str) -> datetime:
    """When a clock in `zone` shows this; a skipped hour moves forward, a doubled one is the first.

    fold=0 says both: before a gap it keeps the old offset, which lands as far after the gap as the
    clock jumped; in a doubled hour it is the first pass. The answer is in UTC because Python adds
    to, subtracts and compares two datetimes of one zone by their wall clocks, an hour wrong over a
    clock change.
    """
    return datetime.combine(on, at.replace(fold=0), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def wall_time_days_before(starts_at: datetime, zone: str, days: int) -> datetime:
    """The instant the group's wall clock shows the meeting's time so many calendar days earlier."""
    local = starts_at.astimezone(ZoneInfo(zone))
    return instant(local.date() - timedelta(days=days), local.time(), zone)


def after_quiet_hours(moment: datetime, zone: str, quiet: tuple[time, time] = QUIET) -> datetime:
    """The moment itself, or the end of the recipient's quiet hours it falls in; never earlier."""
    local = moment.astimezone(ZoneInfo(zone))
    begins, ends = quiet
    if not _within(local.time(), begins, ends):
        return moment.astimezone(UTC)
    days = 1 if local.time() >= ends else 0
    # In a doubled hour the first pass of their end may already lie behind.
    return max(moment.astimezone(UTC), instant(local.date() + timedelta(days=days), ends, zone))


def offsets_for(gap_days: int) -> tuple[int, ...]:
    """Days before a meeting on which to remind, by the days between meetings."""
    return (7, 1) if gap_days >= 21 else (1,)


def next_morning(planned_end: datetime, zone: str) -> datetime:
    """06:00 on the day after the planned end: until then the meeting's circle is fixed."""
    local = planned_end.astimezone(ZoneInfo(zone))
    return instant(local.date() + timedelta(days=1), MORNING, zone)


def next_midnight(on: date, zone: str) -> datetime:
    """The instant that ends this local date: what “last day” is stored as."""
    return instant(on + timedelta(days=1), time.min, zone)


def last_day(ended_at: datetime, zone: str) -> date:
    """The last local date before this exclusive instant: `next_midnight` read back."""
    return (ended_at.astimezone(UTC) - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()


def _within(at: time, begins: time, ends: time) -> bool:
    if begins <= ends:
        return begins <= at < ends
    return at >= begins or at < ends

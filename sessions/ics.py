"""Dates as calendar files: feeds, files to keep, and what letters carry. RFC 5545, 5546 and 7986.

One VEVENT for each session, under an identity that never changes; every line comes from rows, never
from the clock. Alias, time and place, and nothing else: this is read outside.
"""

from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import lru_cache
from importlib.metadata import version
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import (
    Calendar,
    Event,
    Timezone,
    TimezoneDaylight,
    TimezoneStandard,
    vCalAddress,
    vDuration,
)

from groups.zones import UTC_NAMES
from sessions import places
from sessions.models import Session

PRODUCT = "-//Balint//Balint//EN"
REFRESH = timedelta(hours=6)
NO_TALKS: Mapping[UUID, int] = MappingProxyType({})

# Whatever else decides the bytes: another of these, and calendars fetch anew.
RENDERED_BY = (3, version("icalendar"), version("tzdata"))


def published(
    sessions: list[Session], name: str = "", talks: Mapping[UUID, int] = NO_TALKS
) -> bytes:
    """The dates to look at, in a calendar of that name or of their group's; they ask nothing.

    `talks` are minutes of the leaders' own talk after a session, in a leader's own calendar alone.
    """
    name = name or name_of(sessions)
    calendar = _calendar("PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    return _filled(calendar, sessions, talks).to_ical()


def invitation(session: Session, to: str) -> bytes:
    """The session for one person's calendar: an invitation or update of the entry, or its end.

    Calendars know the entry by the UID and its age by the SEQUENCE of the feed. Nobody else is
    named in it, and no answer is asked for: that is given on the page.
    """
    calendar = _filled(_calendar(method_for(session)), [session])
    (event,) = calendar.walk("VEVENT")
    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = session.group.name_outside
    event.add("organizer", organizer)
    event.add("attendee", vCalAddress(f"mailto:{to}"), parameters={"RSVP": "FALSE"})
    return calendar.to_ical()


def method_for(session: Session) -> str:
    """What a letter's file tells a calendar to do."""
    return "CANCEL" if session.cancelled else "REQUEST"


def name_of(sessions: Iterable[Session]) -> str:
    """The alias of their group; a name of its own where they are of several."""
    names = {session.group_id: session.group.name_outside for session in sessions}
    return next(iter(names.values())) if len(names) == 1 else _("Your groups")


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _filled(
    calendar: Calendar, sessions: list[Session], talks: Mapping[UUID, int] = NO_TALKS
) -> Calendar:
    entries = [(session, _summary(session)) for session in sessions]
    entries += [_talk(session, talks[session.pk]) for session in sessions if session.pk in talks]
    for timezone in _timezones(session for session, _summary in entries):
        calendar.add_component(timezone)
    for session, summary in entries:
        calendar.add_component(_event(session, summary))
    return calendar


def _talk(session: Session, minutes: int) -> tuple[Session, str]:
    """What follows the session for its leaders, as an entry of its own; never saved."""
    after = copy(session)
    after.uid, after.starts_at, after.minutes = f"{session.uid}-talk", session.ends_at, minutes
    return after, _("%(name)s: leaders’ talk") % {"name": session.group.name_outside}


def _event(session: Session, summary: str) -> Event:
    event = Event()
    event.add("uid", f"session-{session.uid}@{settings.MAIL_DOMAIN}")
    event.add("sequence", session.sequence)
    event.add("dtstamp", session.updated_at.astimezone(UTC))
    event.add("last-modified", session.updated_at.astimezone(UTC))
    for name, moment in zip(("dtstart", "dtend"), _span(session), strict=True):
        _add_moment(event, name, moment, session.time_zone)
    event.add("summary", summary)
    event.add("status", "CANCELLED" if session.cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    if place := places.place(session):
        event.add("location", place)
    return event


def _add_moment(event: Event, name: str, moment: datetime, zone: str) -> None:
    if moment.tzinfo is UTC:
        event.add(name, moment)
    else:
        # With the zone by its own name: left to itself the library writes Abidjan as UTC.
        event.add(name, moment.replace(tzinfo=None), parameters={"TZID": zone})


def _summary(session: Session) -> str:
    name = session.group.name_outside
    # Calendars differ in what they show of STATUS, some nothing at all.
    return _("Cancelled: %(name)s") % {"name": name} if session.cancelled else name


def _span(session: Session) -> tuple[datetime, datetime]:
    """Start and end on the session's wall clock; in UTC where that clock shows one of them twice.

    A doubled local time means its first pass, but not every reader holds to it.
    """
    span = session.starts_at, session.ends_at
    local = tuple(moment.astimezone(session.zone) for moment in span)
    if session.time_zone in UTC_NAMES or any(_shown_twice(moment) for moment in local):
        return span[0].astimezone(UTC), span[1].astimezone(UTC)
    return local[0], local[1]


def _shown_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _timezones(sessions: Iterable[Session]) -> list[Timezone]:
    """The zones in use, each from the year of its first session to that of its last."""
    years: dict[str, list[int]] = {}
    for session in sessions:
        starts_at, ends_at = _span(session)
        if starts_at.tzinfo is not UTC:
            years.setdefault(session.time_zone, []).extend((starts_at.year, ends_at.year))
    return [_timezone(zone, min(those), max(those)) for zone, those in sorted(years.items())]


@lru_cache(maxsize=500)
def _timezone(zone: str, first: int, last: int) -> Timezone:
    """A zone from one year to another, an observance for every change of its clocks.

    Each stands alone because readers differ over lists of dates: one keeps the first of an RDATE.
    """
    begins, ends = (datetime(year, 1, 1, tzinfo=UTC) for year in (first, last + 1))
    begins -= timedelta(days=1)
    timezone = Timezone()
    timezone.add("tzid", zone)
    before = begins.astimezone(ZoneInfo(zone))
    timezone.add_component(_observance(before, before))
    for change in changes(ZoneInfo(zone), begins, ends + timedelta(days=1)):
        timezone.add_component(_observance(*change))
    return timezone


def _observance(before: datetime, after: datetime) -> TimezoneStandard | TimezoneDaylight:
    """The clocks from `after` on; its onset is told, as RFC 5545 wants it, on the clock before."""
    observance = TimezoneDaylight() if after.dst() else TimezoneStandard()
    onset = after.astimezone(UTC).replace(tzinfo=None) + (before.utcoffset() or timedelta())
    observance.add("dtstart", onset)
    observance.add("tzname", after.tzname())
    observance.add("tzoffsetfrom", before.utcoffset())
    observance.add("tzoffsetto", after.utcoffset())
    return observance


def changes(
    zone: ZoneInfo, begins: datetime, ends: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The last second before and the first after each change of the clocks, on those clocks."""
    before = begins
    while before < ends:
        # No place sets its clocks forth and back within a week.
        after = before + timedelta(days=7)
        if _offset(zone, before) != _offset(zone, after):
            yield _narrowed(zone, before, after)
        before = after


def _narrowed(zone: ZoneInfo, before: datetime, after: datetime) -> tuple[datetime, datetime]:
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return before.astimezone(zone), after.astimezone(zone)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()

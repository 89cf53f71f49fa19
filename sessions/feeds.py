"""A person's dates for their own calendar: alias, time and place, and nothing else leaves the site.

The address holds a token of which only a hash is kept. Every line of a file comes from rows, never
from the clock, so the same dates are the same bytes and a poll that finds nothing new costs one
query. Conventions: RFC 5545 and 7986; one VEVENT for each session, cancelled ones kept.
"""

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.metadata import version
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import JSONObject
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard, vDuration

from groups.models import Acceptance, Membership, during
from groups.zones import UTC_NAMES
from members.models import Member
from sessions.models import CalendarFeed, Session

PRODUCT = "-//Balint//Balint//EN"
PAST = timedelta(days=60)
REFRESH = timedelta(hours=6)

# Whatever else decides the bytes: another of these, and calendars fetch anew.
RENDERED_BY = (1, version("icalendar"), version("tzdata"))


@dataclass(frozen=True)
class Known:
    """Whose feed a token opens, and the state of all that is in it."""

    member: Member
    etag: str


def make(member: Member, *, at: datetime) -> str:
    """A new token for the person's feed, told once; an earlier one is void from now on."""
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(
        member=member, defaults={"token_hash": _hash(token), "made_at": at}
    )
    return token


def find(token: str, *, at: datetime) -> Known | None:
    """The person and the state of their dates, in one query and with nothing rendered.

    None for a token that is unknown or void, and for an account that is closed.
    """
    stamps = _window(Session.objects.filter(_belongs(OuterRef("member"), at)), at)
    feed = (
        CalendarFeed.objects.filter(token_hash=_hash(token), member__is_active=True)
        .select_related("member")
        .annotate(stamps=ArraySubquery(stamps.values(stamp=JSONObject(**STAMP))))
        .first()
    )
    return Known(feed.member, _etag(feed.member, feed.stamps)) if feed else None


def render(member: Member, *, at: datetime) -> bytes:
    """The whole feed, in the person's language; the caller has become that person."""
    rows = _window(Session.objects.filter(_belongs(member, at)), at)
    sessions = list(rows.select_related("group"))
    return _calendar(sessions, _name(sessions)).to_ical()


def render_one(session: Session) -> bytes:
    """A file with this session alone; the caller saw to it that the person may see it."""
    return _calendar([session], session.group.name_outside).to_ical()


# What a feed shows of a session and its group; `updated_at` is its DTSTAMP.
STAMP = {
    name: F(name)
    for name in (
        "uid",
        "sequence",
        "updated_at",
        "starts_at",
        "minutes",
        "time_zone",
        "place",
        "phase",
        "group_id",
        "group__alias",
    )
}


def _belongs(member: Member | OuterRef, at: datetime) -> Q:
    """Sessions of groups the person is in now, on leave or not, and agreed to at least once.

    A new version of the agreement empties nobody's calendar.
    """
    # The person of the feed is one query further out from here.
    person = OuterRef(member) if isinstance(member, OuterRef) else member
    inside = Membership.objects.filter(during(at), group=OuterRef("group"), member=person)
    agreed = Acceptance.objects.filter(group=OuterRef("group"), member=person)
    return Q(Exists(inside), Exists(agreed))


def _window(sessions: QuerySet[Session], at: datetime) -> QuerySet[Session]:
    """Settled, from 60 days back: a feed's size does not grow with a group's age."""
    return sessions.filter(settled_at__isnull=False, starts_at__gt=at - PAST).order_by(
        "starts_at", "pk"
    )


def _etag(member: Member, stamps: list[dict[str, object]]) -> str:
    state = repr((RENDERED_BY, settings.MAIL_DOMAIN, member.language, stamps))
    return f'"{hashlib.sha256(state.encode()).hexdigest()[:32]}"'


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _name(sessions: Iterable[Session]) -> str:
    names = {session.group_id: session.group.name_outside for session in sessions}
    return next(iter(names.values())) if len(names) == 1 else _("Your groups")


def _calendar(sessions: list[Session], name: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for timezone in _timezones(sessions):
        calendar.add_component(timezone)
    for session in sessions:
        calendar.add_component(_event(session))
    return calendar


def _event(session: Session) -> Event:
    event = Event()
    event.add("uid", f"session-{session.uid}@{settings.MAIL_DOMAIN}")
    event.add("sequence", session.sequence)
    event.add("dtstamp", session.updated_at.astimezone(UTC))
    event.add("last-modified", session.updated_at.astimezone(UTC))
    starts_at, ends_at = _span(session)
    event.add("dtstart", starts_at)
    event.add("dtend", ends_at)
    event.add("summary", _summary(session))
    event.add("status", "CANCELLED" if session.cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    if session.place:
        event.add("location", session.place)
    return event


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
    for change in _changes(ZoneInfo(zone), begins, ends + timedelta(days=1)):
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


def _changes(
    zone: ZoneInfo, begins: datetime, ends: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """The last second before and the first after each change of the clocks, on those clocks."""
    before = begins
    while before < ends:
        after = before + timedelta(days=1)
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

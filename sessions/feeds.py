"""A person's dates for their own calendar: alias, time and place, and nothing else leaves the site.

The address holds a token of which only a hash is kept. A feed says what stands in rows, never the
clock, so the same dates are the same bytes, and a poll that finds nothing new costs one query.
Cancelled dates are kept.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import JSONObject

from groups.models import Acceptance, Membership, MembershipRole, during
from members.models import Member
from sessions import ics
from sessions.models import CalendarFeed, Session
from sessions.phases import Phase

PAST = timedelta(days=60)


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
    member = OuterRef("member")
    stamps, talk = _window(Session.objects.filter(_belongs(member, at)), at), _talk(member, at)
    feed = (
        CalendarFeed.objects.filter(token_hash=_hash(token), member__is_active=True)
        .select_related("member")
        .annotate(stamps=ArraySubquery(stamps.values(stamp=JSONObject(**STAMP, talk=talk))))
        .first()
    )
    return Known(feed.member, _etag(feed.member, feed.stamps)) if feed else None


def render(member: Member, *, at: datetime) -> bytes:
    """The whole feed, in the person's language; the caller has become that person."""
    rows = _window(Session.objects.filter(_belongs(member, at)), at).annotate(
        talk=_talk(member, at)
    )
    sessions = list(rows.select_related("group"))
    talks = {session.pk: session.talk for session in sessions if session.talk}
    return ics.published([*sessions], talks=talks)


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


def _talk(member: Member | OuterRef, at: datetime) -> Case:
    """Minutes of the leaders' own talk after a session, for who led when it began and leads now."""
    person = OuterRef(member) if isinstance(member, OuterRef) else member
    led = Membership.objects.filter(
        during(at),
        role=MembershipRole.LEADER,
        group=OuterRef("group"),
        member=person,
        starts_at__lte=OuterRef("starts_at"),
    )
    takes_place = ~Q(phase=Phase.CANCELLED)
    return Case(When(takes_place & Q(Exists(led)), then=F("group__talk_minutes")), default=0)


def _window(sessions: QuerySet[Session], at: datetime) -> QuerySet[Session]:
    """Settled, from 60 days back: a feed's size does not grow with a group's age."""
    return sessions.filter(settled_at__isnull=False, starts_at__gt=at - PAST).order_by(
        "starts_at", "pk"
    )


def _etag(member: Member, stamps: list[dict[str, object]]) -> str:
    state = repr((ics.RENDERED_BY, settings.MAIL_DOMAIN, member.language, stamps))
    return f'"{hashlib.sha256(state.encode()).hexdigest()[:32]}"'


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

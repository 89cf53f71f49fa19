"""What lists of groups say of their dates: how many this year, how many held, and which is next.

Read under the office's database role as well: the frame and nothing of what happened inside.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from groups import agreements
from groups.cadence import instant
from groups.models import Group
from groups.zones import date_words, when_words
from sessions.models import Session
from sessions.phases import Phase

# A new version of the agreement keeps this far away from any meeting.
AWAY_FROM_MEETINGS = timedelta(days=1)
# No zone is further from UTC, so a local year lies within it of the same year in UTC.
FURTHEST = timedelta(hours=15)
DAYS_TO_OFFER = 60


@dataclass
class Year:
    """A group's present calendar year in its own zone."""

    group: Group
    at: datetime
    planned: int = 0
    held: int = 0
    next: Session | None = None

    @property
    def next_day(self) -> str:
        """“17 December”, with the year if it is another; empty without a date."""
        if self.next is None:
            return ""
        on = self.next.starts_at.astimezone(self.next.zone).date()
        return date_words(on, with_year=on.year != self._year)

    @property
    def words(self) -> str:
        """“10 meetings planned, 9 held. Next: 17 December.”"""
        meetings = ngettext("%(count)d meeting planned", "%(count)d meetings planned", self.planned)
        counted = meetings % {"count": self.planned}
        said = _("%(meetings)s, %(held)d held.") % {"meetings": counted, "held": self.held}
        following = (
            _("Next: %(day)s.") % {"day": self.next_day} if self.next else _("No date ahead.")
        )
        return f"{said} {following}"

    @property
    def _year(self) -> int:
        return self.at.astimezone(self.group.zone).year

    def add(self, session: Session) -> None:
        """Count a settled session that is not cancelled; they come in order."""
        if session.starts_at.astimezone(self.group.zone).year == self._year:
            self.planned += 1
            self.held += session.phase == Phase.CLOSED
        lies_ahead = session.phase != Phase.CLOSED and session.ends_at > self.at
        if self.next is None and lies_ahead:
            self.next = session


def years(groups: Iterable[Group], at: datetime) -> dict[UUID, Year]:
    """Each group's year and next date. One query."""
    found = {group.pk: Year(group, at) for group in groups}
    begins = datetime.combine(date((at - FURTHEST).year, 1, 1), time.min, UTC) - FURTHEST
    for session in _settled().filter(group__in=list(found), starts_at__gte=begins):
        found[session.group_id].add(session)
    return found


def next_session(group: Group, at: datetime) -> Session | None:
    """The next settled date that takes place, or the one that runs."""
    return years([group], at)[group.pk].next


def places_kept(group: Group) -> set[UUID]:
    """Whose place is kept at present, for admins of the group's programme: no reason, no date."""
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_places_kept(%s)", [group.pk])
        return set(cursor.fetchone()[0])


def keep_versions_from_meetings() -> None:
    """Let the agreement ask this part, which knows the dates, when a version may begin."""
    if too_close not in agreements.objections:
        agreements.objections.append(too_close)


def too_close(group: Group, moment: datetime) -> str | None:
    """Why a new version of the agreement may not begin then: which meeting is within a day."""
    for session in _around(group, moment, moment):
        if _is_close(session, moment):
            when = when_words(
                session.starts_at, session.minutes, session.time_zone, today=_day(moment)
            )
            return _("The group meets on %(when)s.") % {"when": when}
    return None


def first_free_day(group: Group, at: datetime) -> date:
    """The first day to come whose beginning is at least a day away from any meeting."""
    today = at.astimezone(group.zone).date()
    days = [today + timedelta(days=number) for number in range(1, DAYS_TO_OFFER)]
    begins = {day: instant(day, time.min, group.time_zone) for day in days}
    meetings = list(_around(group, begins[days[0]], begins[days[-1]]))
    free = (day for day in days if not any(_is_close(row, begins[day]) for row in meetings))
    return next(free, days[-1])


def _settled() -> QuerySet[Session]:
    return (
        Session.objects.filter(settled_at__isnull=False)
        .exclude(phase=Phase.CANCELLED)
        .order_by("starts_at", "pk")
    )


def _around(group: Group, first: datetime, last: datetime) -> Iterable[Session]:
    # No session lasts longer than half a day.
    return _settled().filter(
        group=group,
        starts_at__gt=first - 2 * AWAY_FROM_MEETINGS,
        starts_at__lt=last + AWAY_FROM_MEETINGS,
    )


def _is_close(session: Session, moment: datetime) -> bool:
    return session.starts_at - AWAY_FROM_MEETINGS < moment < session.ends_at + AWAY_FROM_MEETINGS


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()

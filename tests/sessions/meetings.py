"""Seeding sessions for the tests of calendars, feeds, answers and the first page."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from groups.cadence import instant, next_morning
from groups.models import Group, MembershipRole
from members.models import Member
from sessions.models import Answer, Change, Session
from sessions.phases import Phase
from tests.world import as_owner, join, make_group, make_member


def make_session(group: Group, starts_at: datetime, **fields: Any) -> Session:
    """A settled session in the group's zone, as the owner."""
    values: dict[str, Any] = {
        "minutes": 90,
        "time_zone": group.time_zone,
        "place": "Kfar Vitkin clinic, library",
        "phase": Phase.PLANNED,
        "settled_at": starts_at - timedelta(days=60),
        "updated_at": starts_at - timedelta(days=60),
    } | fields
    ends_at = starts_at + timedelta(minutes=values["minutes"])
    values.setdefault("runs_until", next_morning(ends_at, values["time_zone"]))
    with as_owner():
        return Session.objects.create(group=group, starts_at=starts_at, **values)


def on_wall(group: Group, on: date, at: time = time(19, 30), **fields: Any) -> Session:
    """A session on the group's own wall clock."""
    return make_session(group, instant(on, at, group.time_zone), **fields)


def in_days(group: Group, days: int, at: time = time(19, 30), **fields: Any) -> Session:
    """A session so many calendar days from today."""
    today = timezone.now().astimezone(ZoneInfo(group.time_zone)).date()
    return on_wall(group, today + timedelta(days=days), at, **fields)


def change(session: Session, kind: str, reason: str, by: Member | None = None) -> Change:
    """What a leader did to a date, and why, as the owner."""
    made = Change(session=session, group_id=session.group_id, kind=kind, by=by, at=timezone.now())
    with as_owner():
        made.reason = reason
        made.save()
    return made


def cannot_come(session: Session, member: Member, reason: str = "") -> Answer:
    """An answer for the session's present day, as the owner."""
    made = Answer(
        session=session,
        group_id=session.group_id,
        member=member,
        on=session.starts_at.astimezone(session.zone).date(),
        answered_at=timezone.now(),
    )
    with as_owner():
        made.reason = reason
        made.save()
    return made


def groups_of(member: Member, count: int, **fields: Any) -> list[Group]:
    """So many groups with the person in each, and a leader."""
    leader = make_member()
    made = [make_group(name=f"Group {number}", **fields) for number in range(count)]
    for group in made:
        join(group, member)
        join(group, leader, MembershipRole.LEADER)
    return made

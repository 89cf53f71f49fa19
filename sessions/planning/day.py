"""An intensive day: several meetings planned in one go, each with a leader of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from groups.models import Group
from groups.policy import leaders
from members.models import Member
from sessions.models import Session
from sessions.planning.one_date import add_date, check_movable, locked
from sessions.planning.refusals import LedByALeader, NoMeetings


@dataclass(frozen=True)
class OfDay:
    """One meeting of the day; without a leader of its own, all lead it as always."""

    starts_at: datetime
    minutes: int
    led_by: UUID | None = None


@transaction.atomic
def plan_day(
    group: Group,
    meetings: Sequence[OfDay],
    *,
    zone: str,
    place: str,
    setting: str,
    by: Member,
    at: datetime,
) -> list[Session]:
    """All of them or none, settled at once. Raises Refused."""
    if not meetings:
        raise NoMeetings
    leading = {person.pk for person in leaders(group, at)}
    day, made = uuid4(), []
    for meeting in meetings:
        _check_leads(meeting.led_by, leading)
        session = add_date(
            group,
            starts_at=meeting.starts_at,
            minutes=meeting.minutes,
            zone=zone,
            place=place,
            setting=setting,
            by=by,
            at=at,
        )
        session.day, session.led_by_id = day, meeting.led_by
        session.save(update_fields=["day", "led_by"])
        made.append(session)
    return made


@transaction.atomic
def name_leader(session: Session, *, led_by: UUID | None, by: Member, at: datetime) -> bool:
    """Another leads it, or all as always; whether anything changed. Nobody is told by mail."""
    session = locked(session, by=by, at=at)
    if session.led_by_id == led_by:
        return False
    check_movable(session, at)
    _check_leads(led_by, {person.pk for person in leaders(session.group, at)})
    session.led_by_id = led_by
    session.save(update_fields=["led_by"])
    return True


def _check_leads(person: UUID | None, leading: set[UUID]) -> None:
    if person is not None and person not in leading:
        raise LedByALeader

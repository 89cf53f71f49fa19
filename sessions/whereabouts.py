"""Who is where in an online meeting, whom its leaders wait for, and the way into its call."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from groups.models import Entrance
from members.models import Member
from sessions import afterwards, conduct, notices, visible
from sessions.models import RoomPresence, Session
from sessions.phases import Phase


@dataclass(frozen=True)
class Whereabouts:
    """`lost` have not left, and have been silent for a minute; `came` is everyone who came in."""

    here: frozenset[UUID]
    lost: frozenset[UUID]
    came: frozenset[UUID]


def of(session: Session, at: datetime) -> Whereabouts:
    """One query; in person nobody is anywhere."""
    rows = RoomPresence.objects.filter(session=session)
    found = list(rows.values_list("member", "seen_at", "left_at"))
    inside = {pk: seen_at for pk, seen_at, left_at in found if left_at is None}
    here = frozenset(pk for pk, seen_at in inside.items() if at - seen_at < conduct.HERE_FOR)
    return Whereabouts(here, frozenset(inside) - here, frozenset(pk for pk, *_times in found))


def not_here_yet(session: Session, came: frozenset[UUID]) -> set[UUID]:
    """Who is expected and has not come in; for leaders. Who leads alone waits for no other."""
    lead = notices.lead_of(session)
    leaders = {seat.member_id for seat in conduct.seats(session) if seat.leads}
    stay_away = leaders - {lead.leader_id} if lead is not None and lead.alone else set()
    return afterwards.expected(session) - came - stay_away


def join_link(session: Session, by: Member, at: datetime) -> str:
    """The link of the call: for the circle from 15 minutes before, for leaders always; else empty.

    Never for a session in person, over or cancelled.
    """
    over = session.phase in {Phase.CLOSED, Phase.CANCELLED} or at >= session.runs_until
    if over or not session.online or session.settled_at is None:
        return ""
    inside = visible.rooms(by, at) | visible.conducted(by, at)
    if not inside.filter(pk=session.pk).exists():
        return ""
    entrance = Entrance.objects.filter(group=session.group_id).first()
    return entrance.join_link if entrance else ""

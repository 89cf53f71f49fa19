"""Somebody's part in a running meeting ends before the morning: a step that all its leaders take.

While a meeting runs its circle is fixed, whatever becomes of memberships. Only its leaders can end
somebody's part in it, each in a row of their own; any of them takes it back. A leader who does not
come that evening is not waited for.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from groups.circle import called
from members.models import Member
from members.refusals import Refused
from sessions import conduct, visible
from sessions.functions import ask
from sessions.models import Session


class LeadersStay(Refused):
    sentence = _("Choose a member of this meeting’s circle. Leaders are not shown out.")


class TellsIt(Refused):
    sentence = _("%(name)s is telling a case. Let the telling end first.")


class StaysIn(Refused):
    sentence = _("That has been taken back already.")


@dataclass(frozen=True)
class Showing:
    """Whose part is to end, said by `by`; in force once all leaders have said so."""

    person: UUID
    by: frozenset[UUID]
    in_force: bool


def of(session: Session, leader: Member, at: datetime) -> list[Showing]:
    """What the leaders of a running meeting have said of members; for those leaders; one query."""
    rows = list(visible.shown_out(leader, at).filter(session=session).order_by("pk"))
    people = dict.fromkeys(row.member_id for row in rows)
    return [
        Showing(
            person,
            by=frozenset(row.leader_id for row in rows if row.member_id == person),
            in_force=any(row.in_force for row in rows if row.member_id == person),
        )
        for person in people
    ]


@transaction.atomic
def show_out(session: Session, *, person: UUID, seen: int, by: Member, at: datetime) -> Session:
    """Say that this person's part ends now; it does once all leaders of the meeting say so."""
    session = _open(session, seen, by, at)
    members = {seat.member_id: seat for seat in conduct.seats(session) if not seat.leads}
    if person not in members:
        raise LeadersStay
    if ask("select balint_show_out(%s, %s)", session.pk, person) is None:
        raise TellsIt(name=called(members[person].member.name))
    return conduct.moved_on(session)


@transaction.atomic
def take_back(session: Session, *, person: UUID, seen: int, by: Member, at: datetime) -> Session:
    """Whatever was said of this person is not so; they may come back in."""
    session = _open(session, seen, by, at)
    if not ask("select balint_stays_in(%s, %s)", session.pk, person):
        raise StaysIn
    return conduct.moved_on(session)


def _open(session: Session, seen: int, by: Member, at: datetime) -> Session:
    session = conduct.held(session, by=by, at=at, seen=seen)
    if not session.is_open or at >= session.runs_until:
        raise conduct.NotFromHere
    return session

"""Stepping out of a case: who knows the patient is not present for it, and does not come back in.

They step out themselves, or a leader says so; a leader lets them in again, another one than they.
When the group goes on, their page opens the room again by itself.
"""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from groups.circle import called
from groups.joining import NotYours
from groups.models import Membership
from members.models import Member
from members.refusals import Refused
from sessions import cases, conduct, visible
from sessions.models import Session
from sessions.phases import WITH_CASE


class TellsIt(Refused):
    sentence = _("%(name)s is telling this case.")


class LeadsOn(Refused):
    sentence = _("%(name)s leads alone here. Another leader would have to come in first.")


class NotOut(Refused):
    sentence = _("Another leader lets you back in.")


@transaction.atomic
def step_out(session: Session, *, person: UUID, seen: int, by: Member, at: datetime) -> Session:
    """Out of the case being worked on, and out of the room until the group goes on."""
    session = _with_case(session, by, at, seen)
    seats = {seat.member_id: seat for seat in conduct.seats(session)}
    if person != by.pk and not conduct.may_conduct(session, by, at):
        raise NotYours
    if person not in seats:
        raise conduct.NotInTheRoom(name=_("This person"))
    name = called(seats[person].member.name)
    if seats[person].leads and not _leaders_beside(session, seats, person, at):
        raise LeadsOn(name=name)
    if not cases.step_out(session, person):
        raise TellsIt(name=name)
    return conduct.moved_on(session)


@transaction.atomic
def let_back_in(session: Session, *, person: UUID, seen: int, by: Member, at: datetime) -> Session:
    """Stepped out by mistake: their page opens the room again, and they hear the case."""
    session = _with_case(conduct.held(session, by=by, at=at), by, at, seen)
    if not cases.let_back_in(session, person):
        raise NotOut if person == by.pk else conduct.SessionMovedOn
    return conduct.moved_on(session)


def _with_case(session: Session, by: Member, at: datetime, seen: int) -> Session:
    session = conduct.locked(session)
    if not visible.rooms(by, at).filter(pk=session.pk).exists():
        raise NotYours
    if seen != session.step:
        raise conduct.SessionMovedOn
    if session.phase not in WITH_CASE or not session.online:
        raise conduct.NotFromHere
    return session


def _leaders_beside(
    session: Session, seats: dict[UUID, Membership], person: UUID, at: datetime
) -> bool:
    here = conduct.in_room(session, at) - {person}
    return any(seat.leads and pk in here for pk, seat in seats.items())

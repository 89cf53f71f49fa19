"""Who leads tonight, where it is not as always: one leader alone, or a substitute for one meeting.

The group is told by mail before it begins, and the pages say it. A substitute is named by those who
lead, agrees to what the group agreed to, and from then until the next morning sees what it takes to
lead that evening: nothing written, no reason, no number, no other date, and no case of before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from groups.agreements import NothingToAgreeTo, TextHasChanged, in_force
from groups.models import Group
from groups.policy import current, leaders
from members import audit
from members.letters import outbox
from members.models import Letter, Member
from members.refusals import Refused
from sessions import conduct, notices, reminders, standing_in
from sessions.answers import day_of
from sessions.before import known_as
from sessions.models import EveningLead, Session
from sessions.phases import Phase
from sessions.tonight_letters import (
    AS_ALWAYS,
    ONE_LEADER,
    STANDING_IN,
    STANDING_IN_OVER,
    SUBSTITUTE,
    TO_SUBSTITUTE,
)

# What is told to those who had one of these letters.
TAKEN_BACK = {AS_ALWAYS: (ONE_LEADER, SUBSTITUTE), STANDING_IN_OVER: TO_SUBSTITUTE}


class NotYoursToLead(Refused):
    sentence = _("This is not yours to do.")


class NotTonight(Refused):
    sentence = _(
        "This page is for the day of a meeting and the day before. "
        "Until then, a meeting is moved or cancelled on its own page."
    )


class EveningIsOver(Refused):
    sentence = _("This meeting is over.")


class HasBegun(Refused):
    sentence = _("The meeting has begun, so nobody would hear of it in time.")


class DoesNotTakePlace(Refused):
    sentence = _("This meeting is cancelled. Nobody leads it.")


class NoLeaderOfTheGroup(Refused):
    sentence = _("Choose one of the group’s leaders.")


class LeadsAnyway(Refused):
    sentence = _("This group has one leader. Name a substitute, or cancel the meeting.")


class BelongsToTheGroup(Refused):
    sentence = _("This person belongs to the group. Somebody from outside stands in.")


class ChangedMeanwhile(Refused):
    sentence = _(
        "Who leads was changed in the meantime. Look at it as it is now, then say it again."
    )


@dataclass(frozen=True)
class Evening:
    """What somebody who stands in sees of the evening they lead."""

    lead: EveningLead
    people: Sequence[str]
    away: Sequence[str]
    door: str
    join_link: str


def check_open(session: Session, at: datetime) -> None:
    """Raises unless emergencies are of the moment."""
    if at >= session.ends_at:
        raise EveningIsOver
    if not notices.is_tonight(session, at):
        raise NotTonight


def of(session: Session) -> EveningLead | None:
    """Who leads it, where it is not as always."""
    return notices.lead_of(session)


@transaction.atomic
def leads_alone(
    session: Session, *, leader: UUID, by: Member, at: datetime, seen: str | None = None
) -> EveningLead:
    """One of two leads alone; everyone is told. Raises Refused."""
    session = _still_ahead(session, by, at)
    here = {person.pk: person for person in leaders(session.group, at)}
    if leader not in here:
        raise NoLeaderOfTheGroup
    if len(here) < 2:
        raise LeadsAnyway
    _lead, told = _take_away(session, seen)
    lead = EveningLead(kind=EveningLead.ALONE, leader=here[leader])
    return _said(lead, session, told, by, at)


@transaction.atomic
def stands_in(
    session: Session,
    *,
    name: str,
    address: str,
    instead_of: UUID | None = None,
    by: Member,
    at: datetime,
    seen: str | None = None,
) -> EveningLead:
    """Somebody leads this once, for one leader or for all; the group and they are told.

    Whether the address has an account is said to nobody. Raises Refused.
    """
    session = _still_ahead(session, by, at)
    if current(session.group, at).filter(member__email__iexact=address).exists():
        raise BelongsToTheGroup
    here = {person.pk: person for person in leaders(session.group, at)}
    if instead_of is not None and instead_of not in here:
        raise NoLeaderOfTheGroup
    account = Member.objects.filter(email__iexact=address, is_active=True).first()
    _lead, told = _take_away(session, seen)
    lead = EveningLead(
        kind=EveningLead.SUBSTITUTE,
        leader=here.get(instead_of) if instead_of else None,
        name=name.strip(),
        address=address.lower(),
        member=account,
    )
    return _said(lead, session, told, by, at)


@transaction.atomic
def as_always(session: Session, *, by: Member, at: datetime, seen: str | None = None) -> None:
    """Taken back: what is not sent yet is not sent, and who was told otherwise is told so.

    A substitute sees nothing any more.
    """
    session = _still_ahead(session, by, at)
    lead, told = _take_away(session, seen)
    outbox.plan(_taken_back(session, told, AS_ALWAYS, at))
    outbox.plan(_taken_back(session, told, STANDING_IN_OVER, at))
    if lead:
        audit.note(audit.WITHDRAWN, audit.Thing.LEADER, group=session.group_id)


def asked(session: Session, member: Member, at: datetime) -> EveningLead | None:
    """The evening `member` is asked to lead, until the next morning; None for everybody else."""
    if session.cancelled or at >= session.runs_until or session.settled_at is None:
        return None
    lead = notices.lead_of(session)
    return lead if lead is not None and lead.member_id == member.pk else None


@transaction.atomic
def agree(session: Session, *, version: int, by: Member, at: datetime) -> None:
    """The substitute agrees to the version in force, the one that was read."""
    lead = EveningLead.objects.select_for_update().filter(session=session, member=by).first()
    text = in_force(session.group, at)
    if lead is None or lead.agreed_at or text is None:
        raise NothingToAgreeTo
    if version != text.version:
        raise TextHasChanged
    lead.agreed_at = at
    lead.save(update_fields=["agreed_at"])
    audit.note(audit.ACCEPTED, audit.Thing.LEADER, group=session.group_id)


def evening(lead: EveningLead, session: Session) -> Evening:
    """Who sits there, who does not, and how to get in: asked of the database by the substitute."""
    names = known_as(conduct.seats(session))
    with connection.cursor() as cursor:
        cursor.execute("select * from public.balint_for_substitute(%s)", [session.pk])
        door, link, away = cursor.fetchone() or ("", "", [])
    audit.note(audit.READ, audit.Thing.ENTRANCE, group=session.group_id, about=session.group_id)
    return Evening(
        lead,
        people=[name for pk, name in names.items() if pk not in away],
        away=[name for pk, name in names.items() if pk in away],
        door=door or "",
        join_link=(link or "") if session.online else "",
    )


def _still_ahead(session: Session, by: Member, at: datetime) -> Session:
    """The session as it stands, its group held as planning holds it, if `by` conducts it."""
    if not conduct.may_conduct(session, by, at):
        raise NotYoursToLead
    group = Group.objects.select_for_update(no_key=True).get(pk=session.group_id)
    session = Session.objects.get(pk=session.pk)
    session.group = group
    check_open(session, at)
    if session.cancelled:
        raise DoesNotTakePlace
    if session.phase != Phase.PLANNED or session.began_at <= at:
        raise HasBegun
    return session


def _take_away(session: Session, seen: str | None) -> tuple[EveningLead | None, list[Letter]]:
    """What was said before goes, with its letters that still wait; it, and those that had gone."""
    lead = notices.lead_of(session)
    if seen is not None and seen != (str(lead.pk) if lead else ""):
        raise ChangedMeanwhile
    gone = Letter.objects.filter(about_id=lead.pk, state__in=standing_in.HEARD) if lead else ()
    told = list(gone)
    outbox.cancel(about=session.pk, kinds=TAKEN_BACK)
    for row in EveningLead.objects.filter(session=session):
        outbox.cancel(about=row.pk)
        row.delete()
    return lead, told


def _taken_back(
    session: Session, told: Sequence[Letter], kind: str, at: datetime
) -> Iterator[Letter]:
    """Word to each of those who had been told, the group or the substitute, that it is not so."""
    earlier = Letter.objects.filter(about_id=session.pk, kind=kind)
    number = (earlier.aggregate(last=Max("about_version"))["last"] or 0) + 1
    to = {(one.recipient_id, one.address) for one in told if one.kind in TAKEN_BACK[kind]}
    people = Member.objects.in_bulk([member for member, _address in to if member])
    for member, address in to:
        yield outbox.letter(
            kind,
            about=session.pk,
            version=number,
            group_id=session.group_id,
            recipient=people[member] if member else None,
            address=address,
            send_after=at,
            send_before=session.starts_at,
        )


def _said(
    lead: EveningLead, session: Session, told: Sequence[Letter], by: Member, at: datetime
) -> EveningLead:
    lead.session, lead.group_id, lead.on = session, session.group_id, day_of(session)
    lead.by, lead.at = by, at
    lead.save(force_insert=True)
    audit.note(audit.CHANGED, audit.Thing.LEADER, group=session.group_id)
    outbox.plan(_letters(lead, session, at))
    # Asked again, or for another leader, nobody is told that they are not asked.
    same = (lead.member_id, lead.address if lead.member_id is None else "")
    others = [one for one in told if (one.recipient_id, one.address) != same]
    outbox.plan(_taken_back(session, others, STANDING_IN_OVER, at))
    return lead


def _letters(lead: EveningLead, session: Session, at: datetime) -> list[Letter]:
    """One to everyone whom the evening concerns, and one to the substitute."""
    letter = partial(
        outbox.letter,
        about=lead.pk,
        version=0,
        group_id=session.group_id,
        send_after=at,
        send_before=session.starts_at,
    )
    kind = ONE_LEADER if lead.alone else SUBSTITUTE
    told = [letter(kind, recipient=person) for person in reminders.concerned(session, at=at)]
    if not lead.alone:
        told.append(standing_in.letter(STANDING_IN, lead, session, at))
    return told

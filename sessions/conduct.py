"""The session in its room: each step is one call with the state it saw, by a leader of its circle.

Nothing here is ever needed: a session nobody opened is put down afterwards just as well. A late
tap, a double click or a replay is told that the session has moved on, and changes nothing.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from groups.circle import called
from groups.joining import NotYours
from groups.models import Group, Membership, MembershipRole
from groups.policy import current
from groups.zones import city, day_words, time_words
from members.models import Member
from members.refusals import Refused
from sessions import cases, observing, visible
from sessions.models import RoomPresence, Session, Step
from sessions.phases import (
    RUNNING,
    SECOND_CASE,
    WITH_CASE,
    Phase,
    Switches,
    may_follow,
    presenter_listens,
)

LEADERS_OPEN_BEFORE = timedelta(hours=2)
# Screens ask every few seconds; who has not asked for a minute is not in the room.
HERE_FOR = timedelta(seconds=60)
SEEN_EVERY = timedelta(seconds=20)


class SessionMovedOn(Refused):
    sentence = _("The session has moved on.")


class PresenterIsListening(Refused):
    sentence = _("You are sitting back and owe nothing. The leaders will ask you back in.")


class NotFromHere(Refused):
    sentence = _("This step is not possible from here.")


class NothingToUndo(Refused):
    sentence = _("There is no step to take back.")


class SessionIsCancelled(Refused):
    sentence = _("This meeting does not take place.")


class NotBegun(Refused):
    sentence = _("The meeting has not begun.")


class SessionIsOver(Refused):
    sentence = _("The meeting is over.")


class NotOpenYet(Refused):
    sentence = _("The room opens on %(day)s at %(time)s, %(zone)s.")


class CircleIsFixed(Refused):
    sentence = _("The group is meeting, and its circle stays as it began until tomorrow morning.")


class PartIsOver(Refused):
    sentence = _("The leaders have ended your part in this meeting. All else is as it was.")


class NotInTheRoom(Refused):
    sentence = _("%(name)s is not in the room.")


class LeadsAlone(Refused):
    sentence = _("%(name)s leads alone and could not be asked back in.")


def switches_of(group: Group) -> Switches:
    """What this group's school does."""
    return Switches(
        questions=group.asks_questions,
        sitting_back=group.sits_back,
        follow_up_words=group.follow_up_words,
        call_words=group.call_words,
    )


def check_begun(session: Session, at: datetime) -> None:
    """Raises unless the session has begun and takes place."""
    if session.cancelled:
        raise SessionIsCancelled
    if at < session.began_at:
        raise NotBegun


def is_meeting(session: Session, at: datetime) -> bool:
    """“The group is meeting”: open, or in person between start and planned end."""
    if session.is_open:
        return at < session.runs_until
    in_person = not session.online and session.phase == Phase.PLANNED
    return in_person and session.starts_at <= at < session.ends_at


def may_conduct(session: Session, member: Member, at: datetime) -> bool:
    """Whether `member` leads this session: of its circle once it runs, of its group before."""
    return visible.conducted(member, at).filter(pk=session.pk).exists()


def check_circles(sessions: QuerySet[Session], by: Member, at: datetime) -> None:
    """Raises CircleIsFixed if one of these runs and `by` is no leader of its circle."""
    own = visible.circle(by, at, MembershipRole.LEADER).values("pk")
    running = sessions.filter(pk__in=visible.running(at).values("pk"))
    if running.exclude(pk__in=own).exists():
        raise CircleIsFixed


def seats(session: Session) -> list[Membership]:
    """The circle as it was when the session began, in the same order for everyone."""
    return list(current(session.group, session.began_at))


# Steps


@transaction.atomic
def open_session(session: Session, *, by: Member, at: datetime) -> Session:
    """Planned becomes arriving; the group's earlier open session is closed. Open stays as it is."""
    session = held(session, by=by, at=at)
    if session.is_open:
        return session
    return _move(session, to=Phase.ARRIVING, by=by, at=at)


@transaction.atomic
def move(
    session: Session,
    *,
    to: Phase,
    seen: int,
    by: Member,
    at: datetime,
    presenter: UUID | None = None,
) -> Session:
    """Any step forward or back, a skip, the end; `presenter` may be named at the story's start.

    Raises SessionMovedOn unless `seen` is the step the session stands at.
    """
    session = held(session, by=by, at=at, seen=seen)
    return _move(session, to=to, by=by, at=at, presenter=presenter)


def _move(
    session: Session, *, to: Phase, by: Member, at: datetime, presenter: UUID | None = None
) -> Session:
    before = Phase(session.phase)
    _check_step(session, to, at)
    if before is Phase.PLANNED:
        _close_earlier(session, by=by, at=at)
        session.opened_at = at
    else:
        _arrive(session, by, at)
    naming = presenter if to is Phase.STORY else None
    ended = cases.end_telling(session) if naming or ends_telling(before, to) else None
    began = _begin_telling(session, naming, at) if naming else None
    return _take(session, to, by=by, at=at, began=began, ended=ended)


def ends_telling(before: Phase, to: Phase) -> bool:
    """Whether a step leaves the case behind: out of its phases, or from its end to a second one."""
    return to not in WITH_CASE or (before is Phase.RETURN and to in SECOND_CASE)


def _check_step(session: Session, to: Phase, at: datetime) -> None:
    before = Phase(session.phase)
    if before is Phase.CANCELLED:
        raise SessionIsCancelled
    if before is Phase.CLOSED or at >= session.runs_until:
        raise SessionIsOver
    opens_at = session.starts_at - LEADERS_OPEN_BEFORE
    if before is Phase.PLANNED and at < opens_at:
        raise NotOpenYet(**_moment(opens_at, session))
    possible = may_follow(before, switches_of(session.group))
    if to not in possible or (before is Phase.PLANNED and to not in RUNNING):
        raise NotFromHere


@transaction.atomic
def undo(session: Session, *, seen: int, by: Member, at: datetime) -> Session:
    """Take the last step back, and with it the case it began or ended; again for the one before."""
    session = held(session, by=by, at=at, seen=seen)
    last = last_step(session)
    if last is None or not session.is_open:
        raise NothingToUndo
    if last.began_case is not None:
        cases.take_back_telling(session)
    if last.ended_case is not None:
        cases.tell_again(session, last.ended_case)
    session.phase = last.came_from
    session.step += 1
    session.save(update_fields=["phase", "step"])
    last.delete()
    if last.ended_case is not None:
        cases.leave_out(session)
    return session


def last_step(session: Session) -> Step | None:
    """The step that can be taken back; the opening cannot."""
    taken = Step.objects.filter(session=session, came_from__in=RUNNING)
    return taken.order_by("-number").first()


@transaction.atomic
def name_presenter(
    session: Session, *, presenter: UUID | None, seen: int, by: Member, at: datetime
) -> Session:
    """Put right who tells the case: named late, another instead, or nobody, who has left.

    The case of somebody named by mistake never was; that of one who left stays.
    """
    session = held(session, by=by, at=at, seen=seen)
    if session.phase not in WITH_CASE or at >= session.runs_until:
        raise NotFromHere
    _arrive(session, by, at)
    began = ended = None
    if presenter is None:
        ended = cases.end_telling(session)
    else:
        cases.take_back_telling(session)
        began = _begin_telling(session, presenter, at)
    return _take(session, Phase(session.phase), by=by, at=at, began=began, ended=ended)


def _begin_telling(session: Session, presenter: UUID, at: datetime) -> int | None:
    here = in_room(session, at)
    sitting = {seat.member_id: seat for seat in seats(session)}
    if presenter not in sitting or presenter not in here:
        name = called(sitting[presenter].member.name) if presenter in sitting else _("This person")
        raise NotInTheRoom(name=name)
    observing.check_sits_inside(session, sitting[presenter].member)
    leaders = {pk for pk, seat in sitting.items() if seat.leads and pk in here}
    if leaders == {presenter} and session.group.sits_back:
        raise LeadsAlone(name=called(sitting[presenter].member.name))
    return cases.put_down(session, presenter=presenter, present=here, told_now=True)


def finish(session: Session, *, by: Member, at: datetime) -> None:
    """Close a session whose row is locked, from wherever it stands; a case told is told."""
    if session.phase != Phase.CLOSED:
        ended = cases.end_telling(session)
        _take(session, Phase.CLOSED, by=by, at=at, ended=ended)


def _take(
    session: Session,
    to: Phase,
    *,
    by: Member,
    at: datetime,
    began: int | None = None,
    ended: int | None = None,
) -> Session:
    came_from, session.phase, session.step = session.phase, to.value, session.step + 1
    if to is Phase.CLOSED:
        session.closed_at = at
    session.save(update_fields=["phase", "step", "opened_at", "closed_at"])
    if at < session.runs_until:
        Step.objects.create(
            session=session,
            group_id=session.group_id,
            number=session.step,
            phase=to.value,
            came_from=came_from,
            began_case=began,
            ended_case=ended,
            by=by,
            at=at,
        )
    if began is not None:
        cases.leave_out(session)
    return session


def moved_on(session: Session) -> Session:
    """Every screen looks again, and a tap that was made before is late."""
    session.step += 1
    session.save(update_fields=["step"])
    return session


def _close_earlier(session: Session, *, by: Member, at: datetime) -> None:
    others = Session.objects.select_for_update(no_key=True).filter(group=session.group_id)
    for other in others.filter(phase__in=RUNNING).exclude(pk=session.pk):
        finish(other, by=by, at=at)


def locked(session: Session) -> Session:
    """The session as it stands, its row held until the end of the transaction."""
    held = Session.objects.select_for_update(of=("self",), no_key=True)
    return held.select_related("group").get(pk=session.pk)


def held(session: Session, *, by: Member, at: datetime, seen: int | None = None) -> Session:
    """For one of its leaders; the group first: two who open two sessions wait for each other."""
    Group.objects.select_for_update(no_key=True).get(pk=session.group_id)
    session = locked(session)
    if not may_conduct(session, by, at):
        raise NotYours
    if seen is not None and seen != session.step:
        raise SessionMovedOn
    return session


# The room


def in_room(session: Session, at: datetime) -> set[UUID]:
    """Who is in the room of an online session: entered, not left, and asked within a minute."""
    here = RoomPresence.objects.filter(session=session, left_at=None, seen_at__gt=at - HERE_FOR)
    return set(here.values_list("member", flat=True))


@transaction.atomic
def enter_room(session: Session, *, by: Member, at: datetime) -> None:
    """Come into the room, from 15 minutes before the start; who comes late hears the case told.

    The session's row is held, so that a story that begins this instant knows of the person.
    """
    session = locked(session)
    if session.phase == Phase.CLOSED or not visible.rooms(by, at).filter(pk=session.pk).exists():
        raise closed_room(session, by, at)
    _arrive(session, by, at)


def _arrive(session: Session, by: Member, at: datetime) -> None:
    if not session.online:
        return
    if by.pk in cases.out_of_it(session):
        leave_room(session, by=by, at=at)
        return
    here = RoomPresence.objects.filter(session=session, member=by)
    if not here.update(seen_at=at, left_at=None):
        RoomPresence.objects.create(
            session=session, group_id=session.group_id, member=by, entered_at=at, seen_at=at
        )
    if session.phase in WITH_CASE:
        cases.enter_case_being_told(session)


def closed_room(session: Session, by: Member, at: datetime) -> Refused:
    """Why the room is closed to somebody who belongs to the group."""
    if session.cancelled:
        return SessionIsCancelled()
    if session.phase == Phase.CLOSED or at >= session.runs_until:
        return SessionIsOver()
    if visible.shown_out(by, at).filter(session=session, member=by).exists():
        return PartIsOver()
    if session.is_open or session.starts_at <= at:
        return CircleIsFixed()
    return NotOpenYet(**_moment(session.starts_at - visible.ROOM_OPENS_BEFORE, session))


def _moment(moment: datetime, session: Session) -> dict[str, str]:
    local = moment.astimezone(session.zone)
    return {
        "day": day_words(local.date()),
        "time": time_words(local),
        "zone": city(session.time_zone),
    }


def still_here(session: Session, *, by: Member, at: datetime) -> bool:
    """A screen asks: is its person in the room, after a minute away again, or waiting outside?"""
    own = RoomPresence.objects.filter(session=session, member=by, left_at=None).first()
    if own is None:
        return by.pk in cases.out_of_it(session)
    if at - own.seen_at >= HERE_FOR:
        enter_room(session, by=by, at=at)
    elif at - own.seen_at >= SEEN_EVERY:
        RoomPresence.objects.filter(pk=own.pk).update(seen_at=at)
    return True


def leave_room(session: Session, *, by: Member, at: datetime) -> None:
    """Go out; who heard the story so far stays present for it until a leader says otherwise."""
    RoomPresence.objects.filter(session=session, member=by, left_at=None).update(left_at=at)


def sits_back(session: Session, member: Member, at: datetime) -> bool:
    """Whether `member` told the case and now listens, owing nothing and asked nothing (S1)."""
    if not presenter_listens(Phase(session.phase), switches_of(session.group)):
        return False
    told = visible.told_by(member, at).filter(session=session, being_told=True)
    return at < session.runs_until and told.exists()

"""One date: moved, cancelled, put back, undone, or added beside the rhythm."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import ExpressionWrapper, F, Q
from django.db.models.fields import DateTimeField
from django.views.decorators.debug import sensitive_variables

from groups import zones
from groups.cadence import next_morning
from groups.models import Group
from groups.policy import Action, may
from members import audit
from members.models import Letter, Member
from sessions import conduct, reminders
from sessions.letters import NOTICES
from sessions.models import Change, Session
from sessions.phases import RUNNING, Phase
from sessions.planning.draft import as_ruled
from sessions.planning.plans import plan_of
from sessions.planning.refusals import (
    AlreadyMeetsThen,
    CancelledAlready,
    ChangedMeanwhile,
    MeetingHasBegun,
    MeetingIsCancelled,
    MeetingIsOpen,
    MeetingIsOver,
    NotCancelled,
    NothingToUndo,
    NotYoursToPlan,
    TimeHasPassed,
)

# After a day a change is how things are; it is changed again, not undone.
UNDO_FOR = timedelta(days=1)
PUT_BACK = ("minutes", "place", "setting", "phase", "overrides")


@sensitive_variables("reason")
@transaction.atomic
def move(
    session: Session,
    *,
    starts_at: datetime | None = None,
    minutes: int | None = None,
    place: str | None = None,
    setting: str | None = None,
    reason: str = "",
    seen: int | None = None,
    by: Member,
    at: datetime,
) -> Session:
    """Change when, how long or where; everyone is told, answers to another day lapse.

    What is None stays. `reason` is for the group's page, never for a mail; `seen` is the sequence
    the leader saw. A change of nothing writes nothing. Raises Refused.
    """
    session = locked(session, by=by, at=at, seen=seen)
    check_movable(session, at)
    before = _as_it_is(session)
    wanted = {"starts_at": starts_at, "minutes": minutes, "place": place, "setting": setting}
    changes = {
        name: value
        for name, value in wanted.items()
        if value is not None and value != getattr(session, name)
    }
    if not changes:
        return session
    for name, value in changes.items():
        setattr(session, name, value)
    if session.starts_at <= at:
        raise TimeHasPassed
    _check_free(session)
    session.overrides = _with_overrides(session, changes)
    session.runs_until = next_morning(session.ends_at, session.time_zone)
    return _heard(session, "moved", reason, before, by=by, at=at)


@sensitive_variables("reason")
@transaction.atomic
def cancel(
    session: Session, *, reason: str = "", seen: int | None = None, by: Member, at: datetime
) -> Session:
    """It does not take place; everyone is told, with the next date. Raises Refused."""
    session = locked(session, by=by, at=at, seen=seen)
    check_cancellable(session, at)
    conduct.check_circles(Session.objects.filter(pk=session.pk), by, at)
    before = _as_it_is(session)
    take_out(session)
    return _heard(session, "cancelled", reason, before, by=by, at=at)


@transaction.atomic
def restore(session: Session, *, by: Member, at: datetime) -> Session:
    """It takes place after all; everyone is told. Raises Refused."""
    session = locked(session, by=by, at=at)
    put_back(session, at)
    return _heard(session, "restored", "", by=by, at=at)


@transaction.atomic
def undo(session: Session, *, seen: int | None = None, by: Member, at: datetime) -> Session:
    """Put back what the last move or cancelling took away; who heard of it is told. Raises Refused.

    Whoever's letter had not gone yet hears nothing: for them nothing has happened.
    """
    session = locked(session, by=by, at=at, seen=seen)
    before = undoable([session], at).get(session.pk)
    if before is None:
        raise NothingToUndo
    for name in PUT_BACK:
        setattr(session, name, before[name])
    session.starts_at = datetime.fromisoformat(before["starts_at"])
    if not session.cancelled:
        _check_free(session)
    session.runs_until = next_morning(session.ends_at, session.time_zone)
    return _heard(session, "undone", "", by=by, at=at)


def undoable(sessions: Collection[Session], at: datetime) -> dict[UUID, dict[str, Any]]:
    """What each of these can go back to: as it was before its last change, of the last day.

    Not once its rhythm was planned anew: as it was, it would belong to no plan there is.
    """
    rows = Change.objects.filter(session__in=sessions, at__gt=at - UNDO_FOR, before__isnull=False)
    rows = rows.exclude(session__series__planned_at__gt=F("at"))
    known = {session.pk: session for session in sessions}
    return {
        row.session_id: row.before
        for row in rows
        if row.before and _can_go_back(known[row.session_id], row.before, at)
    }


@transaction.atomic
def add_date(
    group: Group,
    *,
    starts_at: datetime,
    minutes: int,
    zone: str,
    place: str,
    setting: str,
    by: Member,
    at: datetime,
    propose: bool = False,
) -> Session:
    """A meeting beside the rhythm: everyone is told; a past one makes no mail. Raises Refused.

    It is settled at once, or with `propose` beside the dates that are proposed.
    """
    _check_may_plan(group, by, at)
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    session = Session(
        group=group,
        starts_at=starts_at,
        minutes=minutes,
        time_zone=zone,
        place=place,
        setting=setting,
        settled_at=None if propose and starts_at > at else at,
        phase=Phase.PLANNED,
        updated_at=at,
    )
    _check_free(session)
    session.runs_until = next_morning(session.ends_at, zone)
    session.save()
    audit.note(audit.PLANNED, audit.Thing.DATES, group=group.pk)
    reminders.sync(session, at=at)
    reminders.announce(session, at=at)
    return session


def check_movable(session: Session, at: datetime) -> None:
    """Raises the reason why this date can no longer be changed."""
    if session.phase in RUNNING:
        raise MeetingIsOpen
    if session.phase == Phase.CLOSED or session.runs_until <= at:
        raise MeetingIsOver
    if session.cancelled:
        raise MeetingIsCancelled
    if session.starts_at <= at:
        raise MeetingHasBegun


def check_cancellable(session: Session, at: datetime) -> None:
    """Raises the reason why it cannot be cancelled; until next morning it can, if never opened."""
    if session.cancelled:
        raise CancelledAlready
    if session.phase in RUNNING:
        raise MeetingIsOpen
    if session.phase == Phase.CLOSED or session.runs_until <= at:
        raise MeetingIsOver


def check_restorable(session: Session, at: datetime) -> None:
    """Raises the reason why it cannot be put back."""
    if not session.cancelled:
        raise NotCancelled
    if session.starts_at <= at:
        raise TimeHasPassed


def take_out(session: Session) -> None:
    """Cancelled by a hand, so that no rhythm brings it back; not saved."""
    session.phase = Phase.CANCELLED
    session.overrides = session.overrides | {"cancelled": True}


def put_back(session: Session, at: datetime) -> None:
    """It takes place again; not saved. Raises the reason why it cannot."""
    check_restorable(session, at)
    _check_free(session)
    session.phase = Phase.PLANNED
    session.overrides = {k: v for k, v in session.overrides.items() if k != "cancelled"}
    if session.series_id and _as_ruled(session) is None:
        # No longer in the rhythm: planning again would cancel it once more.
        session.overrides["cancelled"] = False


def is_told(session: Session) -> bool:
    """Whether anybody is told of the change that made this date what it is."""
    letters = Letter.objects.filter(about_id=session.pk, about_version=session.sequence)
    return letters.filter(kind__in=NOTICES).exists()


def _can_go_back(session: Session, before: Mapping[str, Any], at: datetime) -> bool:
    """Whether nothing has come after that change, and both times still lie ahead."""
    if before["sequence"] != session.sequence - 1:
        return False
    waits = session.cancelled or (session.phase == Phase.PLANNED and session.starts_at > at)
    return waits and datetime.fromisoformat(before["starts_at"]) > at


def _as_it_is(session: Session) -> dict[str, Any]:
    """What a change may take away, to be undone."""
    kept = {name: getattr(session, name) for name in (*PUT_BACK, "sequence")}
    return kept | {"starts_at": session.starts_at.isoformat()}


def _check_may_plan(group: Group, by: Member, at: datetime) -> None:
    if not may(by, Action.PLAN, group, at):
        raise NotYoursToPlan


def locked(session: Session, *, by: Member, at: datetime, seen: int | None = None) -> Session:
    """The session as it is now, held to the end; its group first, as planning a year does."""
    _check_may_plan(session.group, by, at)
    group = Group.objects.select_for_update(no_key=True).get(pk=session.group_id)
    session = Session.objects.select_for_update(no_key=True).get(pk=session.pk)
    session.group = group
    if seen is not None and seen != session.sequence:
        raise ChangedMeanwhile
    return session


def _check_free(session: Session) -> None:
    """A group meets once at a time; this also stops a form that was sent twice."""
    others = Session.objects.filter(group=session.group_id).exclude(pk=session.pk)
    length = F("minutes") * timedelta(minutes=1)
    ends_at = ExpressionWrapper(F("starts_at") + length, output_field=DateTimeField())
    other = (
        others.exclude(phase=Phase.CANCELLED)
        .alias(until=ends_at)
        .filter(Q(starts_at__lt=session.ends_at), until__gt=session.starts_at)
        .first()
    )
    if other is not None:
        when = zones.when_words(other.starts_at, other.minutes, other.time_zone)
        raise AlreadyMeetsThen(day=when.day, times=when.times)


def _with_overrides(session: Session, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What a hand changed; a field put back to what the rule says follows the rule again."""
    ruled = _as_ruled(session) or {}
    overrides = dict(session.overrides)
    for name, value in changes.items():
        if name in ruled and ruled[name] == value:
            overrides.pop(name, None)
        else:
            overrides[name] = value.isoformat() if isinstance(value, datetime) else value
    return overrides


def _as_ruled(session: Session) -> dict[str, Any] | None:
    """The fields its series gives it; None if the rule has no such date."""
    if session.series is None or session.period is None:
        return None
    plan = plan_of(session.series)
    for occurrence in plan.cadence.occurrences():
        if occurrence.period == session.period and not occurrence.left_out:
            return as_ruled(occurrence, plan, session.group.setting)
    return None


@sensitive_variables("reason")
def _heard(
    session: Session,
    kind: str,
    reason: str,
    before: dict[str, Any] | None = None,
    *,
    by: Member,
    at: datetime,
) -> Session:
    """Save a change members hear of, with its reason sealed, and let the letters follow.

    Of a proposed date nobody hears before it is settled, so there is nothing to give a reason for;
    settled by being put back, it is new.
    """
    session.sequence += 1
    session.updated_at = at
    if session.settled_at is None:
        session.settled_at = settled_with(session, at)
        session.save()
        audit.note(audit.Verb(kind), audit.Thing.DATES, group=session.group_id)
        reminders.sync(session, at=at)
        reminders.announce(session, at=at)
        return session
    session.save()
    change = Change(session=session, group_id=session.group_id, kind=kind, by=by, at=at)
    change.reason, change.before = reason, before
    change.save()
    verb = audit.TAKEN_BACK if kind == "undone" else audit.Verb(kind)
    audit.note(verb, audit.Thing.DATES, group=session.group_id)
    reminders.sync(session, at=at)
    return session


def settled_with(session: Session, at: datetime) -> datetime | None:
    """A dropped date put back stands at once if the others of its rhythm do by now."""
    series = session.series
    stands = series is not None and series.settled_at is not None and not session.cancelled
    return at if stands else None

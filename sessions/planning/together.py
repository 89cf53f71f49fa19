"""Several dates of a group cancelled or put back at once: of them all there is one letter."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from groups.models import Group
from groups.policy import Action, may
from members import audit
from members.models import Member
from members.refusals import Refused
from sessions import conduct, reminders
from sessions.models import Change, Series, Session
from sessions.planning import letters
from sessions.planning.one_date import check_cancellable, put_back, settled_with, take_out
from sessions.planning.refusals import NotYoursToPlan

SAVED = ["phase", "overrides", "sequence", "settled_at", "updated_at"]


@transaction.atomic
def cancel_all(
    group: Group, sessions: Collection[Session], *, by: Member, at: datetime
) -> list[Session]:
    """They do not take place; which those are. Raises Refused."""
    group, held = _held_still(group, sessions, by=by, at=at)
    for session in held:
        check_cancellable(session, at)
    conduct.check_circles(Session.objects.filter(pk__in=[s.pk for s in held]), by, at)
    for session in held:
        take_out(session)
    return _heard(group, held, "cancelled", by=by, at=at)


@transaction.atomic
def restore_all(
    group: Group, sessions: Collection[Session], *, by: Member, at: datetime
) -> list[Session]:
    """They take place after all, but where another meeting has taken their time; which do."""
    group, held = _held_still(group, sessions, by=by, at=at)
    back = [session for session in held if _is_put_back(session, at)]
    return _heard(group, back, "restored", by=by, at=at)


def _held_still(
    group: Group, sessions: Collection[Session], *, by: Member, at: datetime
) -> tuple[Group, list[Session]]:
    if not may(by, Action.PLAN, group, at):
        raise NotYoursToPlan
    group = Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    rows = Session.objects.filter(pk__in=[session.pk for session in sessions], group=group)
    held = list(rows.select_for_update(no_key=True).order_by("starts_at", "pk"))
    for session in held:
        session.group = group
    return group, held


def _is_put_back(session: Session, at: datetime) -> bool:
    try:
        put_back(session, at)
    except Refused:
        return False
    return True


def _heard(
    group: Group, sessions: list[Session], kind: str, *, by: Member, at: datetime
) -> list[Session]:
    known = [session for session in sessions if session.settled_at]
    for session in sessions:
        session.sequence += 1
        session.updated_at = at
        session.settled_at = session.settled_at or settled_with(session, at)
    Session.objects.bulk_update(sessions, SAVED)
    Change.objects.bulk_create(
        Change(session=session, group=group, kind=kind, by=by, at=at) for session in known
    )
    if sessions:
        audit.note(audit.Verb(kind), audit.Thing.DATES, group=group.pk)
        _tell(group, sessions, at)
    return sessions


def _tell(group: Group, sessions: list[Session], at: datetime) -> None:
    """One letter if there are several and a rhythm it can be about; else a notice of each."""
    ahead = [session for session in sessions if session.settled_at and session.starts_at > at]
    series = _last_settled(group) if len(ahead) > 1 else None
    reminders.sync_many(sessions, at=at, told=series is None)
    if series is not None:
        letters.tell_anew(series, ahead, at=at)


def _last_settled(group: Group) -> Series | None:
    found = Series.objects.filter(group=group, settled_at__isnull=False)
    return found.order_by("-first_on").first()

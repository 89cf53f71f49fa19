"""The dates of a group that ends: those after its last day are cancelled, or come back with it."""

from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from groups.models import Group, GroupEnd
from groups.policy import Action, may
from members.models import Member
from members.refusals import Refused
from sessions import planning
from sessions.models import Change, Session
from sessions.phases import Phase


def cancel_dates(group: Group, end: GroupEnd, *, by: Member, at: datetime) -> int:
    """Cancel what lies after the last day, each with its notice; how many. Raises Refused.

    Where `by` may not plan, as a leader who has not agreed to a new version, the dates go with the
    group on its last day: the end that was confirmed does not wait for that.
    """
    if not may(by, Action.PLAN, group, at):
        return 0
    ahead = _after(group, end).exclude(phase=Phase.CANCELLED)
    for session in ahead:
        planning.cancel(session, by=by, at=at)
    return len(ahead)


def restore_dates(group: Group, end: GroupEnd, *, by: Member, at: datetime) -> int:
    """Put back what the end cancelled and nobody touched since; how many."""
    last = Change.objects.filter(session=OuterRef("pk")).order_by("-at")
    taken = _after(group, end).filter(phase=Phase.CANCELLED)
    return sum(
        _restored(session, by=by, at=at)
        for session in taken.annotate(last_changed_at=Subquery(last.values("at")[:1])).filter(
            last_changed_at=end.confirmed_at
        )
    )


def _after(group: Group, end: GroupEnd) -> QuerySet[Session]:
    ahead = Session.objects.filter(group=group, starts_at__gte=end.ends_at)
    return ahead.select_related("group").order_by("starts_at", "pk")


def _restored(session: Session, *, by: Member, at: datetime) -> bool:
    """Not where another meeting has taken its time meanwhile."""
    try:
        planning.restore(session, by=by, at=at)
    except Refused:
        return False
    return True

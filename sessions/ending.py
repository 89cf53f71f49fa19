"""The dates of a group that ends: those after its last day are cancelled, or come back with it."""

from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from groups.models import Group, GroupEnd
from groups.policy import Action, may
from members.models import Member
from sessions import planning
from sessions.models import Change, Session
from sessions.phases import Phase


def cancel_dates(group: Group, end: GroupEnd, *, by: Member, at: datetime) -> int:
    """Cancel what lies after the last day, in one letter; how many. Raises Refused.

    Where `by` may not plan, as a leader who has not agreed to a new version, the dates go with the
    group on its last day: the end that was confirmed does not wait for that.
    """
    if not may(by, Action.PLAN, group, at):
        return 0
    ahead = _after(group, end).exclude(phase=Phase.CANCELLED)
    return len(planning.cancel_all(group, ahead, by=by, at=at))


def restore_dates(group: Group, end: GroupEnd, *, by: Member, at: datetime) -> int:
    """Put back what the end cancelled and nobody touched since; how many."""
    last = Change.objects.filter(session=OuterRef("pk")).order_by("-at")
    taken = _after(group, end).filter(phase=Phase.CANCELLED)
    untouched = taken.annotate(last_changed_at=Subquery(last.values("at")[:1])).filter(
        last_changed_at=end.confirmed_at
    )
    return len(planning.restore_all(group, untouched, by=by, at=at))


def _after(group: Group, end: GroupEnd) -> QuerySet[Session]:
    ahead = Session.objects.filter(group=group, starts_at__gte=end.ends_at)
    return ahead.select_related("group").order_by("starts_at", "pk")

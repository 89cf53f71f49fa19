"""Who sits outside the circle of an evening and observes: they have no part in its cases."""

from uuid import UUID

from django.utils.translation import gettext_lazy as _

from groups.circle import called
from members.models import Member
from members.refusals import Refused
from sessions.models import Observer, Session


class Observes(Refused):
    sentence = _("%(name)s sits outside and observes.")


def of(session: Session) -> frozenset[UUID]:
    """Those who observe, where the group does so."""
    if not session.group.has_observers:
        return frozenset()
    return frozenset(Observer.objects.filter(session=session).values_list("member", flat=True))


def check_sits_inside(session: Session, member: Member) -> None:
    """Raises Observes: a case is told from inside the circle."""
    if member.pk in of(session):
        raise Observes(name=called(member.name))

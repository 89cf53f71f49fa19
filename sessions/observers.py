"""Before a meeting, or while it runs, its leaders say who sits outside the circle and observes."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from groups.circle import FEWEST, called
from groups.models import Membership
from members.models import Member
from members.refusals import Refused
from sessions import cases, conduct, observing, strip
from sessions.models import Observer, Session


class TooFewInside(Refused):
    sentence = _("At least two sit in the circle.")


class TellsACase(Refused):
    sentence = _("%(name)s is telling a case.")


def may_observe(session: Session) -> list[Membership]:
    """Members, in the order of the circle; who leads sits inside."""
    return [seat for seat in conduct.seats(session) if not seat.leads]


@transaction.atomic
def choose(
    session: Session, people: Collection[UUID], *, seen: int, by: Member, at: datetime
) -> Session:
    """These observe and nobody else. Raises SessionMovedOn unless `seen` is its step; Refused."""
    session = conduct.held(session, by=by, at=at, seen=seen)
    check_takes_place(session, at)
    seats = {seat.member_id: seat.member for seat in may_observe(session)}
    chosen = {pk for pk in people if pk in seats}
    if len(conduct.seats(session)) - len(chosen) < FEWEST:
        raise TooFewInside
    telling = cases.being_told(session, by, at)
    if telling is not None and telling.presenter_id in chosen:
        raise TellsACase(name=called(telling.presenter.name))
    before = observing.of(session)
    if chosen == before:
        return session
    Observer.objects.filter(session=session, member__in=before - chosen).delete()
    Observer.objects.bulk_create(
        Observer(session=session, group_id=session.group_id, member_id=pk)
        for pk in sorted(chosen - before)
    )
    return session


def check_takes_place(session: Session, at: datetime) -> None:
    """Raises where there is nothing left to observe."""
    if session.cancelled:
        raise conduct.SessionIsCancelled
    if strip.is_over(session, at):
        raise conduct.SessionIsOver

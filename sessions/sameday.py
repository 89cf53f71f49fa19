"""One reminder for somebody whose groups meet on the same day: the first to go names the others.

So it does for the meetings of an intensive day, which were planned in one go.

What it names is noted on their letters in the transaction of the last look. Such a letter is
dropped only once the other was sent; until then it goes by itself, so none is ever lost.
"""

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet, Subquery

from members.models import Letter, LetterState, Member
from sessions.models import Session


def was_said(letter: Letter) -> bool:
    """Whether a mail that was sent has said what this one would say."""
    if letter.went_with is None:
        return False
    return Letter.objects.filter(pk=letter.went_with, state=LetterState.SENT).exists()


def waiting_with(letter: Letter) -> list[Letter]:
    """The person's reminders of the same sort in other groups, which nobody else is sending now."""
    # What is leased together with this one is sent after it, by this worker.
    ours = Letter.objects.filter(pk=letter.pk).values("lease_token")
    free = Q(state=LetterState.PENDING) | Q(
        state=LetterState.LEASED, lease_token=Subquery(ours), lease_token__isnull=False
    )
    others = Letter.objects.filter(free, recipient=letter.recipient_id, kind=letter.kind)
    # What another is just taking or changing is left to it.
    elsewhere = ~Q(group_id=letter.group_id) | Q(about_id__in=_planned_with(letter))
    held = others.filter(elsewhere).exclude(pk=letter.pk).select_for_update(skip_locked=True)
    return list(held.select_related(None).order_by("send_after", "pk"))


def _planned_with(letter: Letter) -> QuerySet[Session, Any]:
    """The meetings of the same intensive day."""
    its_day = Session.objects.filter(pk=letter.about_id, day__isnull=False).values("day")
    return Session.objects.filter(day__in=its_day).values("pk")


def note(letter: Letter, named: Collection[UUID]) -> None:
    """These go with it, and none that an earlier try may have named."""
    if letter.attempts > 1:
        before = Letter.objects.filter(recipient=letter.recipient_id, went_with=letter.pk)
        before.exclude(pk__in=named).update(went_with=None)
    if named:
        Letter.objects.filter(pk__in=named).update(went_with=letter.pk)


def day_for(session: Session, person: Member) -> date:
    """The date of a session on the person's own calendar."""
    return session.starts_at.astimezone(ZoneInfo(person.time_zone)).date()

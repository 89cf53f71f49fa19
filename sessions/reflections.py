"""A private reflection waits unasked: about a meeting that was held, for its author alone.

Nobody is prompted for one, and nobody learns that there is one. It stays until its author deletes
it, also when they have left the group.
"""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from groups.joining import NotYours
from members.models import Member
from members.refusals import Refused
from sessions import conduct, strip, visible
from sessions.models import Reflection, Session
from sessions.writing import NothingWritten, fitting

TEXT = Reflection.text.columns


class NotOverYet(Refused):
    sentence = _("This meeting is not over yet.")


def of(member: Member) -> QuerySet[Reflection]:
    """One's own, by the date of the meeting, the newest first; no text comes with them."""
    own = visible.reflections(member).select_related("session__group").defer(*TEXT)
    return own.order_by(Coalesce("session__starts_at", "written_at").desc(), "pk")


def about(session: Session, member: Member) -> Reflection | None:
    """What `member` wrote about this session, if anything."""
    return visible.reflections(member).filter(session=session).first()


def is_held(session: Session, at: datetime) -> bool:
    """Whether it took place and is over."""
    return not session.cancelled and strip.is_over(session, at)


def check_held(session: Session, at: datetime) -> None:
    """Raises unless the session took place and is over."""
    if session.cancelled:
        raise conduct.SessionIsCancelled
    if not is_held(session, at):
        raise NotOverYet


@sensitive_variables("text")
@transaction.atomic
def write(session: Session, *, text: str, by: Member, at: datetime) -> Reflection:
    """Write one about a session of the own group, or change the one there is.

    Raises NotYours, NotOverYet, TooLong or NothingWritten.
    """
    if not visible.entered(by, at).filter(pk=session.pk).exists():
        raise NotYours
    check_held(session, at)
    text = _written(text)
    new = Reflection(session=session, member=by, written_at=at, changed_at=at)
    # A second click at the same moment finds the first one's row.
    Reflection.objects.bulk_create([new], ignore_conflicts=True)
    return _change(about(session, by) or new, text, at)


@sensitive_variables("text")
@transaction.atomic
def rewrite(reflection: Reflection, *, text: str, by: Member, at: datetime) -> Reflection:
    """Change one's own, wherever one stands now; raises NotYours, TooLong or NothingWritten."""
    if reflection.member_id != by.pk:
        raise NotYours
    return _change(reflection, _written(text), at)


@transaction.atomic
def delete(reflection: Reflection, *, by: Member) -> None:
    """Gone at once, for good; raises NotYours."""
    if reflection.member_id != by.pk:
        raise NotYours
    visible.reflections(by).filter(pk=reflection.pk).delete()


@sensitive_variables("text")
def _written(text: str) -> str:
    text = fitting(text)
    if not text:
        raise NothingWritten
    return text


@sensitive_variables("text")
def _change(reflection: Reflection, text: str, at: datetime) -> Reflection:
    kept = Reflection.objects.select_for_update().get(pk=reflection.pk)
    kept.text, kept.changed_at = text, at
    kept.save(update_fields=[*TEXT, "changed_at"])
    return kept

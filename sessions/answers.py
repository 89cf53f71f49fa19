"""“I can't come”: an answer belongs to a session and a day, and nobody is counted.

Moved to another day it lapses; a change of hour or place keeps it. The reason is optional, sealed,
and for the person and the leaders alone.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from groups.policy import Action, may
from members import audit
from members.models import Member
from members.refusals import Refused
from sessions import notices, reminders, visible
from sessions.models import Answer, Session
from sessions.phases import Phase


class NotExpected(Refused):
    sentence = _("This meeting does not expect you, so there is nothing to say.")


class DoesNotTakePlace(Refused):
    sentence = _("This meeting is cancelled. Nobody is expected.")


class HasBegun(Refused):
    sentence = _(
        "The meeting has begun, so this can no longer be said here. Ring one of the leaders."
    )


@sensitive_variables("reason")
@transaction.atomic
def cannot_come(session: Session, *, by: Member, at: datetime, reason: str = "") -> Answer:
    """Say that one cannot come on the session's present day; said again, the new reason counts.

    The person's reminders of this session stop with it; notices of a change still come.
    """
    session = _still_open(session, by, at)
    answer = _of(session, by) or Answer(session=session, group_id=session.group_id, member=by)
    answer.on, answer.answered_at, answer.reason = day_of(session), at, reason.strip()
    answer.save()
    notices.saw(session, by, at=at)
    reminders.stop_for(session, by, at=at)
    return answer


@transaction.atomic
def can_come(session: Session, *, by: Member, at: datetime) -> None:
    """Take it back: nothing of the answer stays, and what lies ahead is reminded of again."""
    session = _still_open(session, by, at)
    notices.saw(session, by, at=at)
    answer = _of(session, by)
    if answer is not None:
        answer.delete()
        reminders.resume_for(session, by, at=at)


def day_of(session: Session) -> date:
    """The session's date on its own wall clock: what an answer is bound to."""
    return session.starts_at.astimezone(session.zone).date()


def own(session: Session, member: Member) -> Answer | None:
    """The person's answer, unless the session was moved to another day since."""
    answer = _of(session, member)
    return answer if answer is not None and answer.on == day_of(session) else None


def declined(sessions: Iterable[Session], member: Member) -> set[UUID]:
    """Those of the sessions that `member` cannot come to. One query."""
    days = {session.pk: day_of(session) for session in sessions}
    answers = Answer.objects.filter(member=member, session__in=days).values_list("session", "on")
    return {session for session, on in answers if days[session] == on}


def away(session: Session) -> set[UUID]:
    """The ids of those who cannot come, as far as the database lets the asker know: the leaders."""
    answers = Answer.objects.filter(session=session, on=day_of(session))
    return set(answers.values_list("member", flat=True))


def shown_to_all(session: Session) -> set[UUID]:
    """The ids of those who cannot come, to those inside a group that shows it."""
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_who_cannot_come(%s)", [session.pk])
        return set(cursor.fetchone()[0])


def with_reasons(session: Session, *, to: Member, at: datetime) -> list[Answer]:
    """Who cannot come and why, for the leaders of the session's group; for others their own."""
    answers = visible.answers(to, at).filter(session=session, on=day_of(session))
    found = list(answers.select_related("member").order_by("member__name", "pk"))
    for one in found:
        if one.reason:
            of = one.member_id
            audit.note(audit.READ, audit.Thing.REASON, group=one.group_id, about=one.pk, of=of)
    return found


def _of(session: Session, member: Member) -> Answer | None:
    return Answer.objects.filter(session=session, member=member).first()


def _still_open(session: Session, by: Member, at: datetime) -> Session:
    """The session as it stands, locked: a move, a cancellation or a second click waits."""
    locked = Session.objects.select_for_update(of=("self",), no_key=True)
    session = locked.select_related("group").get(pk=session.pk)
    if session.settled_at is None or not may(by, Action.ANSWER, session.group, at):
        raise NotExpected
    if session.cancelled:
        raise DoesNotTakePlace
    if session.phase != Phase.PLANNED or session.began_at <= at:
        raise HasBegun
    return session

"""“What is kept about you”: each thing we hold of a person, and until when.

For former members too: of a case they told only the date, and “forget now” beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.views.decorators.debug import sensitive_variables

from groups.joining import NotYours
from groups.models import Acceptance, Leave, LeavingReason, Membership
from members.envelope import CannotOpen
from members.letters.health import WAITING
from members.models import Letter, LetterState, Member, Phone
from sessions import cases, reflections, visible, words
from sessions.models import (
    Answer,
    Attendance,
    CasePresence,
    CasePresentation,
    LeadersNote,
    Reflection,
)

# product.md §3: days after the session, the leave; years.
ANSWERS_DAYS = timedelta(days=30)
LEAVES_DAYS = timedelta(days=90)
ATTENDANCE_YEARS = 10


@dataclass(frozen=True)
class Kept:
    """What is kept about one person; lists are in the order of time, the newest first."""

    told: Sequence[CasePresentation]
    present_for: int
    attendances: Sequence[Attendance]
    answers: Sequence[Answer]
    leaves: Sequence[Leave]
    leaving_reasons: Sequence[LeavingReason]
    memberships: Sequence[Membership]
    acceptances: Sequence[Acceptance]
    reflections: Sequence[Reflection]
    words: Sequence[LeadersNote]
    letters_waiting: int
    letters_sent: int
    phone: str


def about(member: Member, at: datetime) -> Kept:
    """Everything kept about `member`; a constant number of queries."""
    letters = Letter.objects.filter(recipient=member)
    phone = Phone.objects.filter(member=member).first()
    return Kept(
        told=list(told(member, at)),
        present_for=CasePresence.objects.filter(member=member).count(),
        attendances=list(_of_sessions(Attendance.objects.filter(member=member))),
        answers=list(_of_sessions(Answer.objects.filter(member=member))),
        leaves=_newest(Leave.objects.filter(member=member), "-starts_at"),
        leaving_reasons=list(leaving_reasons(member)),
        memberships=_newest(Membership.objects.filter(member=member), "-starts_at"),
        acceptances=_newest(
            Acceptance.objects.filter(member=member).select_related("agreement"), "-accepted_at"
        ),
        reflections=list(reflections.of(member)),
        words=list(words.of(member, at).defer(*words.TEXT)),
        letters_waiting=letters.filter(state__in=WAITING).count(),
        letters_sent=letters.filter(state=LetterState.SENT).count(),
        phone=phone.number if phone else "",
    )


def told(member: Member, at: datetime) -> QuerySet[CasePresentation]:
    """Own cases not yet forgotten: the dates alone, no title comes with them."""
    own = visible.told_by(member, at).select_related("session")
    return own.defer(*cases.TITLE).order_by("-session__starts_at", "order")


def leaving_reasons(member: Member) -> QuerySet[LeavingReason]:
    """What one wrote oneself; what leaders write of somebody's going they alone read."""
    own = LeavingReason.objects.filter(member=member, ending__asked_by=member)
    return own.select_related("group")


@sensitive_variables()
def opened(row: Model, name: str) -> str | None:
    """A sealed text; None if it does not open, so that the rest stays in reach of its person."""
    try:
        return str(getattr(row, name))
    except CannotOpen:
        return None


def attendance_until(row: Attendance) -> date:
    """The day until which an attendance is kept: ten years later."""
    on = row.session.starts_at.astimezone(row.session.zone).date()
    try:
        return on.replace(year=on.year + ATTENDANCE_YEARS)
    except ValueError:  # 29 February
        return on.replace(year=on.year + ATTENDANCE_YEARS, day=28)


def last_day(row: Leave | Membership) -> date:
    """The last day of a leave or membership that has an end; ends are exclusive instants."""
    ended_at = row.ended_at or row.starts_at
    return (ended_at - timedelta(microseconds=1)).astimezone(row.group.zone).date()


def answer_until(answer: Answer) -> date:
    """The day on which an answer and its reason are forgotten."""
    return (answer.session.starts_at + ANSWERS_DAYS).astimezone(answer.session.zone).date()


def leave_until(leave: Leave) -> date | None:
    """The day on which a leave's reason is forgotten; not before it has ended."""
    if leave.ended_at is None:
        return None
    return (leave.ended_at + LEAVES_DAYS).astimezone(leave.group.zone).date()


def _of_sessions(rows: QuerySet) -> QuerySet:
    return rows.select_related("session", "group").order_by("-session__starts_at")


def _newest(rows: QuerySet, order: str) -> list:
    return list(rows.select_related("group").order_by(order, "pk"))


# Forgetting now: a reason alone. That one was away stays as long as it must, without it.


@transaction.atomic
def forget_answers_reason(answer: Answer, *, by: Member) -> None:
    """Only the reason goes, also for who has left the group; not coming stays."""
    _check_own(answer, by)
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_forget_my_reason(%s)", [answer.pk])


@transaction.atomic
def forget_leaves_reason(leave: Leave, *, by: Member) -> None:
    """Only the reason of a time away goes; the dates stay."""
    _check_own(leave, by)
    leave.reason = ""
    leave.save(update_fields=Leave.reason.columns)


@transaction.atomic
def forget_leaving_reason(reason: LeavingReason, *, by: Member) -> None:
    """Why one left, in one's own words, is gone for the leaders too."""
    _check_own(reason, by)
    leaving_reasons(by).filter(pk=reason.pk).delete()


@transaction.atomic
def forget_phone(*, by: Member) -> None:
    """The own number; no leader sees it any more."""
    Phone.objects.filter(member=by).delete()


def _check_own(row: Answer | Leave | LeavingReason, by: Member) -> None:
    if row.member_id != by.pk:
        raise NotYours

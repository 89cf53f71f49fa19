"""Days as “What is kept about you” says them: on the group's own calendar."""

from datetime import date

from django import template
from django.utils.translation import gettext as _

from groups.models import Leave, LeavingReason, Membership
from groups.zones import date_words
from sessions import kept
from sessions.models import Answer, Attendance, Session

register = template.Library()


@register.filter
def local_day(session: Session) -> date:
    """The session's date where it took place."""
    return session.starts_at.astimezone(session.zone).date()


@register.filter
def attendance_until(row: Attendance) -> date:
    """The day until which an attendance is kept."""
    return kept.attendance_until(row)


@register.filter
def answer_until(answer: Answer) -> date:
    """The day on which an answer is forgotten."""
    return kept.answer_until(answer)


@register.filter
def leave_until(leave: Leave) -> date | None:
    """The day on which the reason of a leave is forgotten, once it has ended."""
    return kept.leave_until(leave)


@register.filter
def reason_of(row: Answer | Leave) -> str:
    """The reason in quotes; nothing without one; words in its place if it does not open."""
    return _quoted(kept.opened(row, "reason"))


@register.filter
def text_of(row: LeavingReason) -> str:
    """The same for what somebody wrote on leaving."""
    return _quoted(kept.opened(row, "text"))


def _quoted(text: str | None) -> str:
    if text is None:
        return _("(cannot be opened)")
    return f"“{text}”" if text else ""


@register.filter
def span(row: Leave | Membership) -> str:
    """“since 3 May 2026”, “from 3 May 2026 to 2 June 2026”."""
    starts = date_words(row.starts_at.astimezone(row.group.zone).date(), with_year=True)
    if row.ended_at is None:
        return _("since %(start)s") % {"start": starts}
    ends = date_words(kept.last_day(row), with_year=True)
    return _("from %(start)s to %(end)s") % {"start": starts, "end": ends}

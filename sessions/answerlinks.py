"""The address in a letter under which its reader says that they cannot come; read by `bymail`."""

from members import links
from members.letters.compose import page
from members.models import Member
from sessions.models import Session

PURPOSE = "answer"


def url(session: Session, member: Member) -> str:
    """The address a letter holds, absolute."""
    return page("answer_by_mail", token(session, member))


def token(session: Session, member: Member) -> str:
    """Bound to the session's present day: moved to another, the address of before is dead."""
    on = session.starts_at.astimezone(session.zone).date()
    return links.make(PURPOSE, [session.pk, member.pk], on)

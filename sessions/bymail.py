"""“I can't come” from a letter, without signing in: coming or not, and nothing else.

The address is bound to person, session and day. It dies when the session begins or moves to
another day, is cancelled, or no longer expects the person; it knows no reason and says no answer.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from groups.policy import Action, may
from members import links
from members.models import Member
from sessions import answers
from sessions.answerlinks import PURPOSE
from sessions.models import Session
from sessions.phases import Phase


@dataclass(frozen=True)
class Asked:
    """Who is asked about which session."""

    session: Session
    member: Member

    @property
    def key(self) -> str:
        """What a limit counts by."""
        return f"{self.session.pk} {self.member.pk}"


def read(text: str, *, at: datetime) -> Asked | None:
    """Whom and what a token is about, if it is ours and that day's session still lies ahead."""
    link = links.read(text)
    if link is None or len(link.ids) != 2:
        return None
    session = _ahead(at).filter(pk=link.ids[0]).select_related("group").first()
    if session is None or session.began_at <= at:
        return None
    if not link.holds(PURPOSE, answers.day_of(session)):
        return None
    member = Member.objects.filter(pk=link.ids[1], is_active=True).first()
    return Asked(session, member) if member else None


def expects(asked: Asked, *, at: datetime) -> bool:
    """Whether the person may answer; asked in their own name, since leaves are private."""
    return may(asked.member, Action.ANSWER, asked.session.group, at)


def say(asked: Asked, *, coming: bool, at: datetime) -> None:
    """Coming or not coming; a reason that was given on the page stays with a “no” said again."""
    if coming:
        answers.can_come(asked.session, by=asked.member, at=at)
    elif answers.own(asked.session, asked.member) is None:
        answers.cannot_come(asked.session, by=asked.member, at=at)


def _ahead(at: datetime) -> QuerySet[Session]:
    return Session.objects.filter(settled_at__isnull=False, starts_at__gt=at, phase=Phase.PLANNED)

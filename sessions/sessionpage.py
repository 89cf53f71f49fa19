"""One session's page: what its viewer may know of it, and what they may do from here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from groups.models import Membership
from groups.policy import GRANTS, Action, Role, current
from members.models import Member
from sessions import (
    answers,
    cases,
    conduct,
    dates,
    notices,
    planning,
    reflections,
    visible,
    whereabouts,
)
from sessions.dates import Entry, Viewer
from sessions.firstpage import names_in_words
from sessions.models import Answer, CasePresentation, Session


@dataclass(frozen=True)
class SessionPage:
    """Empty where the viewer may not know: for the office, and for who is on leave."""

    entry: Entry
    inside: bool
    leads: bool
    leaders: str = ""
    meeting: bool = False
    join_link: str = ""
    answers: Sequence[Answer] = ()
    missing: Sequence[str] = ()
    cases: Sequence[CasePresentation] = ()
    # Quiet ways to what one may write for oneself, once it was held; nobody is asked.
    reflects: bool = False
    led: bool = False
    can_undo: bool = False

    @property
    def tonight(self) -> bool:
        """Whether its leaders may need what is for emergencies."""
        return notices.is_tonight(self.session, self.entry.viewer.at)

    @property
    def before_the_door(self) -> bool:
        """The call may be entered, so that what it needs is said."""
        opens_at = self.session.starts_at - visible.ROOM_OPENS_BEFORE
        return bool(self.join_link) and opens_at <= self.entry.viewer.at

    @property
    def session(self) -> Session:
        return self.entry.session

    @property
    def keeps_time(self) -> bool:
        """Whether a member may print the card, to keep time; leaders have it among their ways."""
        wanted = self.inside and not self.leads and self.session.group.keeps_time
        return wanted and self.entry.takes_place and not self.entry.over


def of(session: Session, member: Member, roles: frozenset[Role], *, at: datetime) -> SessionPage:
    """The page of a session its viewer may see, from what they are to its group."""
    entry = dates.entries(Viewer(member, at, {session.group_id: roles}), [session])[0]
    inside = may_enter(session, member, roles, at=at)
    leads = any(Action.SEE_ANSWERS in GRANTS[role] for role in roles)
    if not inside:
        return SessionPage(entry, inside, leads)
    people = list(current(session.group, at))
    return SessionPage(
        entry,
        inside,
        leads,
        leaders=names_in_words(_leading(session, people)),
        meeting=conduct.is_meeting(session, at),
        join_link=whereabouts.join_link(session, by=member, at=at),
        answers=answers.with_reasons(session, to=member, at=at) if leads and not entry.over else (),
        missing=[] if leads or entry.over else _missing(session, people),
        cases=cases.of_session(session, member, at),
        reflects=reflections.is_held(session, at),
        led=leads and not entry.ahead and conduct.may_conduct(session, member, at),
        can_undo=leads and bool(entry.changes and planning.undoable([session], at)),
    )


def may_enter(session: Session, member: Member, roles: frozenset[Role], *, at: datetime) -> bool:
    """Whether the person may know its inside: by what they are, or as of when it began.

    The circle of a running session is asked for only then: its question is a long one.
    """
    if any(Action.ENTER in GRANTS[role] for role in roles):
        return True
    running = session.began_at <= at < session.runs_until
    return running and visible.circle(member, at).filter(pk=session.pk).exists()


def _leading(session: Session, people: Sequence[Membership]) -> list[str]:
    """Who leads this one: all leaders, or of an intensive day the one who is named."""
    leading = [row.member for row in people if row.leads]
    named = [member for member in leading if member.pk == session.led_by_id]
    return [member.first_name for member in named or leading]


def _missing(session: Session, people: Sequence[Membership]) -> list[str]:
    """Who cannot come, by name, where the group shows it to everyone inside."""
    if not session.group.shows_absences:
        return []
    away = answers.shown_to_all(session)
    return [row.member.first_name for row in people if row.member_id in away]

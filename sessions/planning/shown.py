"""The letter a plan would send, for the leaders to read before it goes: as the one that is sent."""

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from groups.models import Group
from members.letters.kinds import Message
from members.models import Member
from sessions.models import Session
from sessions.phases import Phase
from sessions.planning import letters
from sessions.planning.draft import Draft, Fate, Line, as_ruled


@dataclass(frozen=True)
class Shown:
    """A letter as a page shows it."""

    subject: str
    paragraphs: list[str]

    @classmethod
    def of(cls, message: Message) -> "Shown":
        """As `message` would be read."""
        return cls(message.subject, message.text.strip().split("\n\n"))


def letter(drafted: Draft, group: Group, person: Member, *, at: datetime) -> Shown | None:
    """The one letter with all dates that saving this sends; None where it sends another or none."""
    newly = drafted.proposable and not drafted.proposes
    if drafted.proposes or not (newly or drafted.several):
        return None
    after = {session.pk: session for session in letters.known(group, at)}
    after |= {session.pk: session for session in _as_saved(drafted, group, at)}
    ahead = [session for session in after.values() if session.starts_at > at and session.settled_at]
    ahead.sort(key=lambda session: session.starts_at)
    return Shown.of(letters.preview_of(ahead, group, person, at=at)) if ahead else None


def _as_saved(drafted: Draft, group: Group, at: datetime) -> Iterator[Session]:
    for line in drafted.lines:
        if line.session:
            yield _changed(line, copy(line.session), at) if line.changes else line.session
        elif line.fate is Fate.NEW and line.occurrence:
            ruled = as_ruled(line.occurrence, drafted.plan, group.setting)
            made = Session(group=group, phase=Phase.PLANNED, settled_at=at, updated_at=at)
            for name, value in ruled.items():
                setattr(made, name, value)
            yield made


def _changed(line: Line, session: Session, at: datetime) -> Session:
    session.sequence += line.is_told
    for name, value in line.changes.items():
        setattr(session, name, value)
    session.updated_at = at
    return session

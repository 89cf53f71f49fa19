"""“A word for yourselves”: what a leader notes after an evening, alone or for both leaders.

For those who led when the session began and lead still: a hand-over closes it. Ninety days after
the writing it is forgotten, however often it was changed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables

from groups.joining import NotYours
from members import audit
from members.models import Member
from members.refusals import Refused
from sessions import conduct, visible
from sessions.models import LeadersNote, Session
from sessions.writing import fitting

KEPT = timedelta(days=90)
TEXT = LeadersNote.text.columns


@dataclass(frozen=True)
class Word:
    """What was typed; an empty text is no word."""

    text: str = field(repr=False)
    shared: bool = False


def own(session: Session, member: Member, at: datetime) -> LeadersNote | None:
    """What `member` noted after this session, if they may still see it."""
    return visible.words(member, at).filter(session=session, author=member).first()


def of(member: Member, at: datetime) -> QuerySet[LeadersNote]:
    """All of one's own that one may still see, the newest first."""
    mine = visible.words(member, at).filter(author=member).select_related("session", "group")
    return mine.order_by("-session__starts_at", "pk")


def waits(session: Session, member: Member, at: datetime) -> bool:
    """Whether there is one that `member` may read; no text comes with the answer."""
    return visible.words(member, at).filter(session=session).exists()


def of_the_other(session: Session, member: Member, at: datetime) -> list[LeadersNote]:
    """What the other leaders share of this session; that it was read is put on record."""
    rows = visible.words(member, at).filter(session=session).exclude(author=member)
    found = list(rows.select_related("author").order_by("written_at", "pk"))
    for row in found:
        audit.note(
            audit.READ,
            audit.Thing.LEADERS_NOTE,
            group=row.group_id,
            about=row.pk,
            of=row.author_id,
        )
    return found


@sensitive_variables("word")
@transaction.atomic
def keep(session: Session, word: Word, *, by: Member, at: datetime) -> None:
    """Write one's own or change it; an empty text takes it away.

    Raises NotYours, SessionIsCancelled, NotBegun or TooLong.
    """
    if not conduct.may_conduct(session, by, at):
        raise NotYours
    conduct.check_begun(session, at)
    text = fitting(word.text)
    if text:
        _write(session, text, word.shared, by, at)
    else:
        visible.words(by, at).filter(session=session, author=by).delete()


@sensitive_variables("text")
def _write(session: Session, text: str, shared: bool, by: Member, at: datetime) -> None:
    mine = LeadersNote.objects.filter(session=session, author=by)
    if not mine.exists():
        # A second click at the same moment finds the first one's row.
        LeadersNote.objects.bulk_create([_new(session, by, at)], ignore_conflicts=True)
    kept = mine.select_for_update().first()
    if kept is None:
        # The old one's day has come, and it is not cleared away yet.
        raise Refused
    if (kept.text, kept.shared) != (text, shared):
        kept.text, kept.shared = text, shared
        kept.save(update_fields=[*TEXT, "shared"])


def _new(session: Session, by: Member, at: datetime) -> LeadersNote:
    return LeadersNote(
        session=session,
        group_id=session.group_id,
        author=by,
        written_at=at,
        forget_on=at.astimezone(session.zone).date() + KEPT,
    )

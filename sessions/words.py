"""“A word for yourselves”: what a leader notes after an evening, alone or for both leaders.

For those who led when the session began and lead still: a hand-over closes it. Ninety days after
the writing it is forgotten, however often it was changed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
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


class WordChangedMeanwhile(Refused):
    sentence = _(
        "Your word has been changed meanwhile, on another page or device. "
        "Look at it as it is now, then save again."
    )


@dataclass(frozen=True)
class Word:
    """What was typed; an empty text is no word.

    `seen` is the state (`state_of`) the page showed; None where nobody looked.
    """

    text: str = field(repr=False)
    shared: bool = False
    seen: str | None = None


def state_of(row: LeadersNote | None) -> str:
    """A word that changes whenever the text does; empty where there is none."""
    return f"{row.pk}.{row.text_version}" if row else ""  # type: ignore[attr-defined]


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
    """Write one's own or change it; an empty text takes away what its page showed.

    Raises NotYours, SessionIsCancelled, NotBegun, TooLong or WordChangedMeanwhile.
    """
    if not conduct.may_conduct(session, by, at):
        raise NotYours
    conduct.check_begun(session, at)
    text = fitting(word.text)
    if text:
        _write(session, text, word, by, at)
    elif word.seen != "":
        _take_away(session, word, by, at)


@sensitive_variables("text", "word")
def _write(session: Session, text: str, word: Word, by: Member, at: datetime) -> None:
    mine = LeadersNote.objects.filter(session=session, author=by)
    new = _new(session, by, at)
    if not mine.exists():
        # A second click at the same moment finds the first one's row.
        LeadersNote.objects.bulk_create([new], ignore_conflicts=True)
    kept = mine.select_for_update().first()
    if kept is None:
        # The old one's day has come, and it is not cleared away yet.
        raise Refused
    if (kept.text, kept.shared) != (text, word.shared):
        _check_seen(None if kept.pk == new.pk else kept, word)
        kept.text, kept.shared = text, word.shared
        kept.save(update_fields=[*TEXT, "shared"])


@sensitive_variables("word")
def _take_away(session: Session, word: Word, by: Member, at: datetime) -> None:
    """What is gone already is gone; what was changed meanwhile stays."""
    own_now = visible.words(by, at).filter(session=session, author=by)
    kept = own_now.select_for_update(of=("self",)).first()
    if kept is not None:
        _check_seen(kept, word)
        kept.delete()


@sensitive_variables("word")
def _check_seen(row: LeadersNote | None, word: Word) -> None:
    if word.seen is not None and word.seen != state_of(row):
        raise WordChangedMeanwhile


def _new(session: Session, by: Member, at: datetime) -> LeadersNote:
    return LeadersNote(
        session=session,
        group_id=session.group_id,
        author=by,
        written_at=at,
        forget_on=at.astimezone(session.zone).date() + KEPT,
    )

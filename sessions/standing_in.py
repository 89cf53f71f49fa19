"""Word to whoever stands in that the evening they are to lead has changed, or is off.

They belong to no group, so no notice reaches them. What they have not read yet is not told as a
change: a question that still waits says the evening as it stands when it goes.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import QuerySet

from members.letters import outbox
from members.letters.health import WAITING
from members.models import Letter, LetterState
from sessions import news, reminded
from sessions.models import Change, EveningLead, Session
from sessions.tonight_letters import STANDING_IN, STANDING_IN_CHANGED, TO_SUBSTITUTE

HEARD = (LetterState.SENT, LetterState.LEASED, LetterState.UNCERTAIN)


def letter(kind: str, lead: EveningLead, session: Session, at: datetime) -> Letter:
    """One to the substitute, by account or under the bare address; not saved yet."""
    return outbox.letter(
        kind,
        about=lead.pk,
        version=session.sequence,
        group_id=session.group_id,
        recipient=lead.member,
        address="" if lead.member else lead.address,
        send_after=at,
        send_before=session.starts_at,
    )


def tell(sessions: Collection[Session], *, at: datetime) -> None:
    """Plan what the substitutes of these, just changed, have to hear."""
    if not reminded.readable(EveningLead):
        return
    by_id = {session.pk: session for session in sessions}
    leads = EveningLead.objects.filter(session__in=by_id, kind=EveningLead.SUBSTITUTE)
    for lead in leads.select_related("member"):
        outbox.plan(_letters(lead, by_id[lead.session_id], at))


def is_unreached(lead: EveningLead) -> bool:
    """Whether the last letter to the substitute could not be delivered."""
    last = _to_substitute(lead).filter(state__in=[LetterState.SENT, LetterState.FAILED])
    newest = last.order_by("-about_version", "-planned_at").values_list("state", flat=True).first()
    return newest == LetterState.FAILED


def _letters(lead: EveningLead, session: Session, at: datetime) -> Iterator[Letter]:
    told = list(_to_substitute(lead))
    if session.sequence <= max((one.about_version for one in told), default=-1):
        return
    outbox.cancel(about=lead.pk, kinds=[STANDING_IN_CHANGED], versions_below=session.sequence)
    asked = {one.state for one in told if one.kind == STANDING_IN}
    if asked & set(HEARD):
        if not _knows_no_other(lead, session):
            yield letter(STANDING_IN_CHANGED, lead, session, at)
    elif not asked & set(WAITING):
        # Taken back as the meeting was off, say; if it is not wanted now it does not go.
        yield letter(STANDING_IN, lead, session, at)


def _knows_no_other(lead: EveningLead, session: Session) -> bool:
    """Whether what was taken back had not been read, and what stands again had."""
    last = Change.objects.filter(session=session).order_by("-at").first()
    if last is None or last.kind not in news.BACK:
        return False
    unsent = _to_substitute(lead).filter(state=LetterState.CANCELLED, attempts=0)
    unread = set(unsent.values_list("about_version", flat=True))
    return session.sequence - 1 in unread and session.sequence - 2 not in unread


def _to_substitute(lead: EveningLead) -> QuerySet[Letter]:
    return Letter.objects.filter(about_id=lead.pk, kind__in=TO_SUBSTITUTE)

"""News at short notice: what changed for tonight, and whom it has reached.

Tonight begins with the day before a session and ends with it. Whether somebody has seen a change is
kept for that time alone, and only where there was one: no other opening of a page is noted.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from uuid import UUID

from django.utils.translation import gettext as _

from groups.cadence import instant
from members.models import Member
from sessions.models import Change, EveningLead, NoticeSeen, Session

DAY = timedelta(days=1)


def opens_at(session: Session) -> datetime:
    """The midnight, on the session's own clock, that begins the day before it."""
    on = session.starts_at.astimezone(session.zone).date()
    return instant(on - DAY, time.min, session.time_zone)


def is_tonight(session: Session, at: datetime) -> bool:
    """Whether emergencies are of the moment: from the day before until its planned end."""
    return opens_at(session) <= at < session.ends_at


def lead_of(session: Session) -> EveningLead | None:
    """Who leads it, where it is not as always; moved to another day, what was said lapses."""
    on = session.starts_at.astimezone(session.zone).date()
    found = EveningLead.objects.filter(session=session, on=on).select_related("leader", "by")
    return found.first()


def leads(sessions: Iterable[Session], at: datetime) -> dict[UUID, EveningLead]:
    """Who leads those of the sessions that are tonight, where it is not as always.

    One query, and none where nothing is near.
    """
    near = {
        session.pk: session.starts_at.astimezone(session.zone).date()
        for session in sessions
        if is_tonight(session, at)
    }
    if not near:
        return {}
    found = EveningLead.objects.filter(session__in=near).select_related("leader")
    return {lead.session_id: lead for lead in found if lead.on == near[lead.session_id]}


def lead_words(lead: EveningLead) -> str:
    """“Ruth leads alone.”, “Dr Lena Fox stands in for Erik.”: for those inside."""
    leader = lead.leader.first_name if lead.leader else ""
    if lead.alone:
        return _("%(leader)s leads alone.") % {"leader": leader}
    if not leader:
        return _("%(name)s leads this time, as a substitute.") % {"name": lead.name}
    return _("%(name)s stands in for %(leader)s.") % {"name": lead.name, "leader": leader}


def last_at(session: Session) -> datetime | None:
    """When something last changed at short notice; None if nothing did."""
    since = opens_at(session)
    changes = Change.objects.filter(session=session, at__gte=since).values_list("at", flat=True)
    lead = lead_of(session)
    return max([*changes, *([lead.at] if lead else [])], default=None)


def saw(session: Session, member: Member, *, at: datetime) -> bool:
    """Note that the news has reached `member`, who is inside; whether there is any news."""
    last = last_at(session) if is_tonight(session, at) else None
    if last is not None:
        saw_all({session: last}, member, at=at)
    return last is not None


def saw_all(news: Mapping[Session, datetime], member: Member, *, at: datetime) -> None:
    """Note that these news, each changed last at its instant, have reached `member`.

    One query, and another where some of them are new.
    """
    rows = NoticeSeen.objects.filter(session__in=news, member=member)
    seen = dict(rows.values_list("session", "seen_at")) if news else {}
    new = [
        session
        for session, last in news.items()
        if session.pk not in seen or seen[session.pk] < last
    ]
    if new:
        _put_down(new, member, at)


def seen_by(session: Session) -> set[UUID]:
    """Whom the last news has reached, for those who conduct the session."""
    last = last_at(session)
    rows = NoticeSeen.objects.filter(session=session, seen_at__gte=last) if last else ()
    return {row.member_id for row in rows}


def _put_down(sessions: Iterable[Session], member: Member, at: datetime) -> None:
    NoticeSeen.objects.bulk_create(
        [
            NoticeSeen(session=session, group_id=session.group_id, member=member, seen_at=at)
            for session in sessions
        ],
        update_conflicts=True,
        unique_fields=["session", "member"],
        update_fields=["seen_at"],
    )

"""“Few are coming”: the leaders are told, once for each meeting and day; nothing is cancelled.

Of meetings of the next two weeks, to leaders who are not away. No number and no name: the worker
knows that few come, and not who or how many do not.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from groups.cadence import after_quiet_hours
from groups.models import Membership, MembershipRole, during
from members.letters import outbox
from members.letters.compose import message, page
from members.letters.kinds import LetterKind, Message, register
from members.models import Letter
from sessions.answers import day_of
from sessions.letters import IsNotAway, words_of
from sessions.models import Session

KIND = "few-coming"


def register_kind() -> None:
    """Tell the engine what this letter is."""
    register(LetterKind(KIND, _is_wanted, _compose))


def plan() -> int:
    """The worker's step: word to the leaders of meetings to which few come by now."""
    sessions = Session.objects.filter(pk__in=_sessions()).select_related("group")
    return outbox.plan(letter for session in sessions for letter in _letters(session))


def _sessions() -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_sessions_with_few()")
        return list(cursor.fetchone()[0])


def _leads(group: UUID, at: datetime) -> QuerySet[Membership]:
    """Who leads and is not away; the worker may ask that and reads no leave."""
    leads = Membership.objects.filter(
        during(at), group=group, role=MembershipRole.LEADER, member__is_active=True
    )
    return leads.annotate(here=IsNotAway(F("member"), F("group"))).filter(here=True)


def _letters(session: Session) -> Iterator[Letter]:
    at = timezone.now()
    for row in _leads(session.group_id, at).select_related("member"):
        waits = after_quiet_hours(at, row.member.time_zone, row.member.quiet)
        yield outbox.letter(
            KIND,
            about=session.pk,
            version=day_of(session).toordinal(),
            group_id=session.group_id,
            recipient=row.member,
            # Better at night than after the start.
            send_after=waits if waits < session.starts_at else at,
            send_before=session.starts_at,
        )


def _is_wanted(letter: Letter) -> bool:
    """Still that day's, still few, and the reader still leads."""
    session = Session.objects.filter(pk=letter.about_id).first()
    if session is None or day_of(session).toordinal() != letter.about_version:
        return False
    leads = _leads(session.group_id, timezone.now()).filter(member=letter.recipient)
    return leads.exists() and session.pk in _sessions()


def _compose(letter: Letter) -> Message:
    session = Session.objects.select_related("group").get(pk=letter.about_id)
    words = words_of(session, letter) | {
        "link": page("session", session.pk),
        "signature": [_("Balint")],
    }
    return message(_("%(group)s: few are coming on %(weekday)s") % words, "few_coming", words)

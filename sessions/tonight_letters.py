"""Letters of an evening led otherwise: one leader alone, a substitute, and to the substitute.

To the group three sentences, signed by its leaders, with no name but those who lead. The substitute
is told when and where, and by whom; who sits there stands on a page that wants their agreement.
"""

from typing import Any

from django.db.models import Exists, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from groups import zones
from groups.letters import signature
from members.letters.compose import message, page
from members.letters.kinds import LetterKind, Message, register
from members.models import Letter
from sessions import outside
from sessions.letters import inside, words_of
from sessions.models import EveningLead
from sessions.phases import Phase

ONE_LEADER, SUBSTITUTE = "one-leader", "substitute"
STANDING_IN, STANDING_IN_CHANGED = "standing-in", "standing-in-changed"
TO_SUBSTITUTE = (STANDING_IN, STANDING_IN_CHANGED)


def register_kinds() -> None:
    """Tell the engine what these letters are."""
    for name in (ONE_LEADER, SUBSTITUTE):
        register(LetterKind(name, _news_is_wanted, _news))
    register(LetterKind(STANDING_IN, lambda letter: _stands(letter).exists(), _standing_in))
    register(LetterKind(STANDING_IN_CHANGED, _change_is_wanted, _changed))


def _stands(letter: Letter) -> QuerySet[EveningLead]:
    """What the letter is about, as long as it holds and lies ahead."""
    found = EveningLead.objects.filter(
        pk=letter.about_id,
        session__phase=Phase.PLANNED,
        session__settled_at__isnull=False,
        session__starts_at__gt=Now(),
    )
    holding = [lead.pk for lead in found.select_related("session") if _is_that_day(lead)]
    return EveningLead.objects.filter(pk__in=holding)


def _is_that_day(lead: EveningLead) -> bool:
    """Moved to another day, what was said lapses."""
    session = lead.session
    return bool(session.starts_at.astimezone(session.zone).date() == lead.on)


def _news_is_wanted(letter: Letter) -> bool:
    return _stands(letter).filter(Q(Exists(inside(letter)))).exists()


def _news(letter: Letter) -> Message:
    lead = _lead(letter)
    words = words_of(lead.session, letter) | {"link": page("session", lead.session_id)}
    words |= {"who": lead.name, "leader": str(lead.leader or "")}
    if letter.kind == ONE_LEADER:
        subject = _("%(group)s on %(day)s: one leader")
        return message(subject % words, "one_leader", words)
    subject = _("%(group)s on %(day)s: a substitute leads")
    return message(subject % words, "substitute", words)


def _change_is_wanted(letter: Letter) -> bool:
    """It is still the last change of an evening ahead, and they are still the ones who lead."""
    found = EveningLead.objects.filter(
        pk=letter.about_id,
        session__sequence=letter.about_version,
        session__settled_at__isnull=False,
        session__starts_at__gt=Now(),
    )
    return found.exists()


def _standing_in(letter: Letter) -> Message:
    lead = _lead(letter)
    words = _to_substitute(lead, letter)
    subject = _("You are asked to lead once, on %(day)s")
    return message(subject % {"day": words["when"].day}, "standing_in", words)


def _changed(letter: Letter) -> Message:
    lead = _lead(letter)
    words = _to_substitute(lead, letter)
    off, lapsed = lead.session.cancelled, not _is_that_day(lead)
    words |= {"off": off, "lapsed": lapsed}
    if off or lapsed:
        words |= {"link": "", "place": ""}
    subject = _("The meeting you were asked to lead has changed")
    return message(subject, "standing_in_changed", words)


def _to_substitute(lead: EveningLead, letter: Letter) -> dict[str, Any]:
    session, person = lead.session, letter.recipient
    when = zones.when_words(
        session.starts_at,
        session.minutes,
        session.time_zone,
        person.time_zone if person else "",
        timezone.localdate(timezone=session.zone),
    )
    return {
        "name": person.first_name if person else lead.name,
        "group": session.group.name_outside,
        "when": when,
        "yours": when.yours_words,
        "place": outside.place(session),
        # Who has no account is rung up by the leaders.
        "link": page("standing_in", session.pk) if person else "",
        "signature": signature(session.group, timezone.now()),
    }


def _lead(letter: Letter) -> EveningLead:
    return EveningLead.objects.select_related("session__group", "leader").get(pk=letter.about_id)

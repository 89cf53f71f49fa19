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
from sessions import notices, places
from sessions.letters import inside, words_of
from sessions.models import EveningLead, Session
from sessions.phases import Phase

ONE_LEADER, SUBSTITUTE, AS_ALWAYS = "one-leader", "substitute", "as-always"
STANDING_IN, STANDING_IN_CHANGED = "standing-in", "standing-in-changed"
STANDING_IN_OVER = "standing-in-over"
TO_SUBSTITUTE = (STANDING_IN, STANDING_IN_CHANGED)


def register_kinds() -> None:
    """Tell the engine what these letters are."""
    for name in (ONE_LEADER, SUBSTITUTE):
        register(LetterKind(name, _news_is_wanted, _news))
    register(LetterKind(STANDING_IN, lambda letter: _stands(letter).exists(), _standing_in))
    register(LetterKind(STANDING_IN_CHANGED, _change_is_wanted, _changed))
    # What was said is gone, so these two are about the session.
    register(LetterKind(AS_ALWAYS, _is_led_as_always, _as_always))
    register(LetterKind(STANDING_IN_OVER, _is_not_asked, _over))


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


def _is_led_as_always(letter: Letter) -> bool:
    session = _ahead(letter).filter(Exists(inside(letter)), phase=Phase.PLANNED).first()
    return session is not None and notices.lead_of(session) is None


def _as_always(letter: Letter) -> Message:
    session = _ahead(letter).select_related("group").get()
    words = words_of(session, letter) | {"link": page("session", session.pk)}
    return message(_("%(group)s on %(day)s: led as always") % words, "as_always", words)


def _is_not_asked(letter: Letter) -> bool:
    """The meeting lies ahead, whatever became of it, and nobody has asked them again."""
    session = _ahead(letter).first()
    lead = notices.lead_of(session) if session else None
    asked = lead and (lead.member_id, "" if lead.member_id else lead.address)
    return session is not None and asked != (letter.recipient_id, letter.address)


def _over(letter: Letter) -> Message:
    session = _ahead(letter).select_related("group").get()
    words = _outside(session, letter, letter.address)
    subject = _("You are no longer asked to lead on %(day)s") % {"day": words["when"].day}
    return message(subject, "standing_in_over", words)


def _ahead(letter: Letter) -> QuerySet[Session]:
    return Session.objects.filter(pk=letter.about_id, settled_at__isnull=False, starts_at__gt=Now())


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
    return _outside(lead.session, letter, lead.name)


def _outside(session: Session, letter: Letter, name: str) -> dict[str, Any]:
    """What a letter may say to somebody outside the group, called `name` without an account."""
    person = letter.recipient
    when = zones.when_words(
        session.starts_at,
        session.minutes,
        session.time_zone,
        person.time_zone if person else "",
        timezone.localdate(timezone=session.zone),
    )
    return {
        "name": person.first_name if person else name,
        "group": session.group.name_outside,
        "when": when,
        "yours": when.yours_words,
        "place": places.place(session),
        # Who has no account is rung up by the leaders.
        "link": page("standing_in", session.pk) if person else "",
        "signature": signature(session.group, timezone.now()),
    }


def _lead(letter: Letter) -> EveningLead:
    return EveningLead.objects.select_related("session__group", "leader").get(pk=letter.about_id)

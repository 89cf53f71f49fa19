"""Letters about a session: reminders, and word that it was moved, cancelled or put back.

Three sentences, signed by the leaders. Never a name but the recipient's and theirs, who comes or
how many, a reason, the link of the call, the code of the door, or anything of a case.
"""

from dataclasses import replace
from typing import Any

from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from groups import optout, zones
from groups.cadence import REMINDER_DAYS
from groups.letters import signature
from groups.models import Acceptance, Membership, Preference, Setting
from groups.policy import agreement_in_force
from members.letters.compose import message, page
from members.letters.kinds import CalendarFile, LetterKind, Message, register
from members.models import Letter, Member
from sessions import answerlinks, ics, places, sameday
from sessions.models import Session
from sessions.phases import Phase

# By the days before the session they go out.
REMINDERS = {days: f"reminder-{days}" for days in REMINDER_DAYS}
A_WEEK_AHEAD = frozenset(name for days, name in REMINDERS.items() if days >= 7)
MOVED, CANCELLED, RESTORED, ADDED = "moved", "cancelled", "restored", "added"
NOTICES = frozenset({MOVED, CANCELLED, RESTORED, ADDED})


class MayRemind(Func):
    """`balint_may_remind(person, session)`: belongs, agreed once, not on leave at its start."""

    function = "public.balint_may_remind"
    output_field = models.BooleanField()


class IsNotAway(Func):
    """`balint_is_not_away(person, group)`: not on leave at the moment."""

    function = "public.balint_is_not_away"
    output_field = models.BooleanField()


def register_kinds() -> None:
    """Tell the engine what this app's letters are."""
    for name in REMINDERS.values():
        register(LetterKind(name, _reminder_is_wanted, _reminder, family="reminder"))
    for name in NOTICES:
        register(LetterKind(name, _notice_is_wanted, _notice))


def upcoming(letter: Letter) -> models.QuerySet[Session]:
    """The session a letter is about, if it still lies ahead and stands as the letter knows it."""
    return Session.objects.filter(
        pk=letter.about_id,
        sequence=letter.about_version,
        settled_at__isnull=False,
        starts_at__gt=Now(),
    )


def _reminder_is_wanted(letter: Letter) -> bool:
    """Unless another letter of that day has said it: one mail is enough."""
    return _is_reminded(letter) and not sameday.was_said(letter)


def _is_reminded(letter: Letter) -> bool:
    """The worker reads neither answers nor leaves: an answer has cancelled the letter by now."""
    wants_none = Preference.objects.filter(
        group=OuterRef("group"), member=letter.recipient, reminders=False
    )
    return (
        upcoming(letter)
        .filter(~Exists(wants_none), phase=Phase.PLANNED)
        .annotate(may=MayRemind(Value(letter.recipient_id), F("pk")))
        .filter(may=True)
        .exists()
    )


def inside(letter: Letter) -> models.QuerySet[Membership]:
    """The recipient's place in the group at the moment, if there is one."""
    return Membership.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=Now()),
        group=letter.group_id,
        member=letter.recipient,
        starts_at__lte=Now(),
    )


def _notice_is_wanted(letter: Letter) -> bool:
    """Everyone still in the group hears of a change, those who want no reminders too."""
    cancelled = Q(phase=Phase.CANCELLED)
    stands = cancelled if letter.kind == CANCELLED else ~cancelled
    return upcoming(letter).filter(stands, Exists(inside(letter))).exists()


def _reminder(letter: Letter) -> Message:
    session = _session(letter)
    others = _of_the_same_day(session, letter)
    words = words_of(session, letter)
    words["others"] = [words_of(other, letter) for other in others]
    words["signature"] = _signed_by([words, *words["others"]])
    groups = list(dict.fromkeys([session.group, *(other.group for other in others)]))
    said = replace(
        message(_subject(words, letter, one_group=len(groups) == 1), "reminder", words),
        unsubscribe=optout.url(_recipient(letter), groups),
    )
    return _with_entry(said, session, letter)


def _of_the_same_day(session: Session, letter: Letter) -> list[Session]:
    """The other sessions of the recipient's day, said in this letter instead of in their own."""
    person, named = _recipient(letter), {}
    for other in sameday.waiting_with(letter):
        of_other = upcoming(other).select_related("group").first()
        same = of_other and sameday.day_for(of_other, person) == sameday.day_for(session, person)
        if of_other and same and _is_reminded(other):
            named[other.pk] = of_other
    sameday.note(letter, list(named))
    return sorted(named.values(), key=lambda other: other.starts_at)


def _subject(words: dict[str, Any], letter: Letter, *, one_group: bool) -> str:
    day = words["day"] if letter.kind in A_WEEK_AHEAD else words["weekday"]
    names = list(dict.fromkeys(said["group"] for said in (words, *words["others"])))
    if one_group:
        return _("%(group)s meets on %(day)s") % {"group": names[0], "day": day}
    if len(names) == 1:
        return _("Your groups meet on %(day)s") % {"day": day}
    return _("%(groups)s meet on %(day)s") % {"groups": " · ".join(names), "day": day}


def _signed_by(said: list[dict[str, Any]]) -> list[str]:
    """Each leader of any of the groups, once."""
    return list(dict.fromkeys(name for words in said for name in words["signature"]))


def _notice(letter: Letter) -> Message:
    session = _session(letter)
    words = words_of(session, letter)
    subjects = {
        MOVED: _("%(group)s has moved a meeting"),
        CANCELLED: _("%(group)s does not meet on %(day)s"),
        RESTORED: _("%(group)s meets on %(day)s after all"),
        ADDED: _("A new date: %(group)s meets on %(day)s"),
    }
    if letter.kind == CANCELLED:
        words |= _next_date(session, letter)
    return _with_entry(message(subjects[letter.kind] % words, letter.kind, words), session, letter)


def _with_entry(said: Message, session: Session, letter: Letter) -> Message:
    """With the meeting for the recipient's calendar, as it is now; calendars apply it once."""
    content = ics.invitation(session, _recipient(letter).email)
    return replace(said, calendar=CalendarFile(ics.method_for(session), content))


def _session(letter: Letter) -> Session:
    return Session.objects.select_related("group").get(pk=letter.about_id)


def _recipient(letter: Letter) -> Member:
    assert letter.recipient is not None  # noqa: S101  These letters go to members only.
    return letter.recipient


def words_of(session: Session, letter: Letter) -> dict[str, Any]:
    """What a letter about a session may say to somebody inside."""
    person = _recipient(letter)
    when = _when(session, person)
    answers = _may_answer(session, person)
    return {
        "name": person.first_name,
        "group": session.group.name_outside,
        "when": _both_clocks(when),
        "day": when.day,
        "weekday": date_format(when.on, pgettext("day of the week, as in Thursday", "l")),
        "place": place_words(session),
        "answers": answers,
        "entry": person.calendar_mail,
        "link": answerlinks.url(session, person) if answers else page("group", session.group_id),
        "signature": signature(session.group, timezone.now()),
    }


def _may_answer(session: Session, person: Member) -> bool:
    """Whether they are let in to answer: agreed to the text in force, and here, now and then."""
    newest = agreement_in_force(session.group, timezone.now()).values("pk")[:1]
    asked = Session.objects.annotate(
        expected=MayRemind(Value(person.pk), F("pk")),
        here=IsNotAway(Value(person.pk), F("group")),
        agreed=Exists(Acceptance.objects.filter(member=person, agreement__in=newest)),
    )
    return asked.filter(pk=session.pk, expected=True, here=True, agreed=True).exists()


def _when(session: Session, person: Member) -> zones.When:
    today = timezone.localdate(timezone=session.zone)
    return zones.when_words(
        session.starts_at, session.minutes, session.time_zone, person.time_zone, today
    )


def _both_clocks(when: zones.When) -> str:
    """“Thursday 17 December, 19:30–21:00, Jerusalem time (for you 17:30–19:00, London time)”."""
    if when.yours is None:
        return str(when)
    return _("%(when)s (for you %(yours)s)") % {"when": when, "yours": when.yours_words}


def place_words(session: Session) -> str:
    """The place as the leaders wrote it, and whether there is a call."""
    place = places.place(session)
    if session.setting == Setting.ONLINE:
        return place or _("online")
    if session.setting == Setting.MIXED:
        return _("%(place)s, and online") % {"place": place} if place else ""
    return place


def _next_date(session: Session, letter: Letter) -> dict[str, Any]:
    """After a cancellation always the next date, and the page with all of them."""
    following = (
        Session.objects.filter(
            group=session.group,
            settled_at__isnull=False,
            phase=Phase.PLANNED,
            starts_at__gt=max(session.starts_at, timezone.now()),
        )
        .order_by("starts_at")
        .first()
    )
    when = _both_clocks(_when(following, _recipient(letter))) if following else ""
    return {"next": when, "link": page("group", session.group_id)}

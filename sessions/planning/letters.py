"""The letters about a group's dates as a whole: which can you not, and these are the dates.

One for each person, whatever the number of dates. As every letter it says no name but the
recipient's and the leaders', no reason, and nothing of who comes.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from groups import zones
from groups.cadence import after_quiet_hours
from groups.letters import signature
from groups.models import Group
from members.letters import outbox
from members.letters.compose import message, page
from members.letters.health import WAITING
from members.letters.kinds import CalendarFile, LetterKind, Message, register
from members.models import Letter, LetterState, Member
from sessions import ics, reminded, reminders
from sessions.letters import NOTICES, MayRemind, inside, place_words
from sessions.models import Series, Session
from sessions.phases import Phase
from sessions.reminded import Person

PROPOSED, DATES = "dates-proposed", "dates"
# A change has the time its request began, its letters the time they were planned.
A_REQUEST = timedelta(minutes=1)


def register_kinds() -> None:
    """Tell the engine what these letters are."""
    register(LetterKind(PROPOSED, _is_asked, _asking))
    register(LetterKind(DATES, _is_told, _telling))


def settled(group: Group, at: datetime) -> QuerySet[Session]:
    """The dates that lie ahead and stand, in order."""
    return known(group, at).filter(phase=Phase.PLANNED).order_by("starts_at", "pk")


def known(group: Group, at: datetime) -> QuerySet[Session]:
    """The dates that lie ahead and were settled, whether they stand or not."""
    return Session.objects.filter(group=group, starts_at__gt=at, settled_at__isnull=False)


def proposed(group: Group, at: datetime) -> QuerySet[Session]:
    """The dates that lie ahead and are not settled yet, in order; a dropped one is none."""
    ahead = Session.objects.filter(group=group, starts_at__gt=at, phase=Phase.PLANNED)
    return ahead.filter(settled_at=None).order_by("starts_at", "pk")


def ask(series: Series, sessions: Sequence[Session], *, at: datetime) -> None:
    """Plan the question which of these dates somebody cannot; one letter a person."""
    _plan(PROPOSED, series, _ahead(sessions, at), _expected(series, sessions, at), None, at)


def tell(series: Series, sessions: Sequence[Session], *, at: datetime) -> None:
    """Plan the letter with all dates, for whoever is expected on one of these; one a person."""
    outbox.cancel(about=series.pk, kinds={PROPOSED})
    _plan(DATES, series, _ahead(sessions, at), _expected(series, sessions, at), None, at)


def tell_anew(
    series: Series, sessions: Sequence[Session], *, first: datetime | None = None, at: datetime
) -> None:
    """Plan it where several of these have changed, for whoever would have a notice of one.

    `first` is when the first that changes begins, or would have begun; else that of them all.
    """
    series.planned_at, series.revision = at, series.revision + 1
    series.save(update_fields=["planned_at", "revision"])
    ahead = _ahead(sessions, at)
    _plan(DATES, series, ahead, reminders.concerned_by(ahead, at=at), first, at)


def preview(group: Group, person: Member, *, at: datetime) -> Message:
    """The letter as it will go once what is proposed is settled."""
    coming = [*settled(group, at), *proposed(group, at)]
    return preview_of(sorted(coming, key=lambda session: session.starts_at), group, person, at=at)


def preview_of(
    sessions: Sequence[Session], group: Group, person: Member, *, at: datetime
) -> Message:
    """The letter as it will go once these are the dates that lie ahead; in order."""
    off = [session for session in sessions if session.cancelled]
    dates = [session for session in sessions if not session.cancelled]
    return _dates_letter(group, person, dates, off, since=at, at=at)


def _ahead(sessions: Sequence[Session], at: datetime) -> list[Session]:
    return [session for session in sessions if session.starts_at > at]


def _expected(series: Series, sessions: Sequence[Session], at: datetime) -> list[Member]:
    ahead = _ahead(sessions, at)
    people = {person.member.pk: person.member for person in reminded.people({series.group_id}, at)}
    allowed = reminded.allowed((session.pk, pk) for session in ahead for pk in people)
    return [people[pk] for pk in {pk for _session, pk in allowed}]


def _plan(
    kind: str,
    series: Series,
    ahead: Sequence[Session],
    people: Iterable[Member],
    first: datetime | None,
    at: datetime,
) -> None:
    """For these people, and those whose older letter has not gone."""
    unsent = _taken_back(kind, series)
    starts = [session.starts_at for session in ahead]
    soonest = first or min(starts, default=None)
    named = {person.pk for person in people}
    everyone = reminded.people({series.group_id}, at)
    outbox.plan(
        outbox.letter(
            kind,
            about=series.pk,
            version=series.revision,
            group_id=series.group_id,
            recipient=person.member,
            send_after=min([_moment(person, soonest, at), *(old.send_after for old in older)]),
            send_before=max([*starts, *(old.send_before for old in older if old.send_before)]),
        )
        for person in everyone
        if (older := unsent[person.member.pk]) or person.member.pk in named
    )


def _taken_back(kind: str, series: Series) -> dict[UUID | None, list[Letter]]:
    """The waiting ones of the group that the new letter stands for, by recipient."""
    older = Letter.objects.filter(group_id=series.group_id, kind=kind, state__in=WAITING)
    older = older.exclude(about_id=series.pk, about_version=series.revision)
    found: dict[UUID | None, list[Letter]] = defaultdict(list)
    for letter in older:
        found[letter.recipient_id].append(letter)
    older.update(state=LetterState.CANCELLED)
    return found


def _moment(person: Person, soonest: datetime | None, at: datetime) -> datetime:
    """After the person's quiet hours; at once if one of the dates would have begun by then.

    Or if by then they have left, as everyone does with a group that ends.
    """
    morning = after_quiet_hours(at, person.member.time_zone, person.member.quiet)
    waits = person.belongs(morning) and not (soonest and soonest <= morning)
    return morning if waits else at


def _is_asked(letter: Letter) -> bool:
    """The newest question about these dates, and its recipient is still expected on one of them."""
    series = _current(letter)
    if series is None:
        return False
    dates = proposed(series.group, timezone.now())
    expected = dates.annotate(may=MayRemind(Value(letter.recipient_id), F("pk")))
    return expected.filter(may=True).exists()


def _is_told(letter: Letter) -> bool:
    """The newest about these dates, and its recipient is still inside: as for a notice of one."""
    return _current(letter) is not None and inside(letter).exists()


def _current(letter: Letter) -> Series | None:
    series = Series.objects.filter(pk=letter.about_id, revision=letter.about_version)
    return series.select_related("group").first()


def _asking(letter: Letter) -> Message:
    series, person = _about(letter)
    group = series.group
    words = {
        "name": person.first_name,
        "group": group.name_outside,
        "dates": [_line(session, person) for session in _to_ask(letter, series)],
        "link": page("dates_answer", group.pk),
        "signature": signature(group, timezone.now()),
    }
    subject = _("%(group)s: which dates can you not?")
    return message(subject % {"group": group.name_outside}, "dates_proposed", words)


def _to_ask(letter: Letter, series: Series) -> QuerySet[Session]:
    """What is proposed, but for other rhythms of which the recipient was asked as they stand."""
    went = Letter.objects.filter(
        kind=PROPOSED,
        recipient=letter.recipient,
        state=LetterState.SENT,
        about_id=OuterRef("series"),
        about_version=OuterRef("series__revision"),
    )
    dates = proposed(series.group, timezone.now())
    return dates.exclude(~Q(series=series) & Exists(went))


def _telling(letter: Letter) -> Message:
    series, person = _about(letter)
    group, at = series.group, timezone.now()
    dates = list(settled(group, at).select_related("group"))
    off = known(group, at).filter(phase=Phase.CANCELLED).select_related("group")
    gone = list(off.order_by("starts_at", "pk"))
    since = _since(letter, series)
    own = _come_alone(letter, [*dates, *gone], since)
    said = _dates_letter(group, person, dates, gone, since=since, at=at, alone=own)
    # An invitation is for one meeting alone; a file to open holds them all.
    return replace(said, calendar=CalendarFile("PUBLISH", ics.published([*dates, *gone])))


def _since(letter: Letter, series: Series) -> datetime:
    """From when on what changed is news to the recipient, of whom older letters were taken back."""
    written = max(filter(None, [series.planned_at, series.settled_at]))
    earlier = Letter.objects.filter(
        kind=DATES, group_id=letter.group_id, recipient=letter.recipient
    ).exclude(pk=letter.pk)
    went = earlier.filter(state=LetterState.SENT).aggregate(last=Max("planned_at"))["last"]
    unsent = earlier.filter(planned_at__gt=went) if went else earlier
    first = unsent.aggregate(first=Min("planned_at"))["first"]
    if first is None:
        return written
    return min(written, max(filter(None, [went, first - A_REQUEST])))


def _come_alone(letter: Letter, sessions: Sequence[Session], since: datetime) -> bool:
    """Whether a mail of its own puts right what the recipient's calendar says of one of these."""
    versions = {session.pk: session.sequence for session in sessions if session.updated_at >= since}
    notices = Letter.objects.filter(
        recipient=letter.recipient, about_id__in=versions, kind__in=NOTICES
    ).exclude(state=LetterState.CANCELLED)
    rows = notices.values_list("about_id", "about_version")
    return any(versions[about] == version for about, version in rows)


def _dates_letter(
    group: Group,
    person: Member,
    dates: Sequence[Session],
    off: Sequence[Session],
    *,
    since: datetime,
    at: datetime,
    alone: bool = False,
) -> Message:
    """With what is new and what changed marked, unless all of it is new."""
    gone = [session for session in off if _has_changed(session, since)]
    changed = bool(gone) or any(_has_changed(session, since) for session in dates)
    marked = since if changed or not all(_is_new(session, since) for session in dates) else None
    places = {place_words(session) for session in dates}
    words: dict[str, Any] = {
        "name": person.first_name,
        "group": group.name_outside,
        "dates": [_line(one, person, marked, with_place=len(places) > 1) for one in dates],
        "place": places.pop() if len(places) == 1 else "",
        "gone": [_line(session, person) for session in gone],
        "off": [_line(session, person) for session in off if session not in gone],
        "changed": changed,
        "alone": alone,
        "link": page("group", group.pk),
        "signature": signature(group, at),
    }
    subject = _("%(group)s: some dates have changed") if changed else _("%(group)s: the dates")
    return message(subject % {"group": group.name_outside}, "dates", words)


def _is_new(session: Session, since: datetime) -> bool:
    return session.settled_at is None or session.settled_at >= since


def _has_changed(session: Session, since: datetime) -> bool:
    """Whether a date that was known then has changed since."""
    changed = bool(session.sequence) and session.updated_at >= since
    return changed and not _is_new(session, since)


def _line(
    session: Session, person: Member, since: datetime | None = None, *, with_place: bool = False
) -> str:
    """A date with its zone, and on the recipient's clock where that differs; marked if it is news.

    With its place where the dates of a letter have not all the same.
    """
    when = zones.when_words(session.starts_at, session.minutes, session.time_zone, person.time_zone)
    yours = {"when": when, "yours": when.yours_words}
    line = _("%(when)s (for you %(yours)s)") % yours if when.yours else str(when)
    if with_place and (place := place_words(session)):
        line = _("%(date)s, %(place)s") % {"date": line, "place": place}
    if since and _is_new(session, since):
        return _("%(date)s – new") % {"date": line}
    if since and _has_changed(session, since):
        return _("%(date)s – changed") % {"date": line}
    return line


def _about(letter: Letter) -> tuple[Series, Member]:
    assert letter.recipient is not None  # noqa: S101  These letters go to members only.
    return Series.objects.select_related("group").get(pk=letter.about_id), letter.recipient

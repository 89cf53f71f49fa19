"""Which letters a session needs, planned in the transaction of whatever changed it.

Reminders go out at the session's wall time so many calendar days earlier, after the recipient's
quiet hours, and only while that still lies ahead. A change plans them anew for the session's new
`sequence` and tells everyone at once. A cancelled reminder of the present sequence stands for a
“can't come”: whoever may not read answers puts no other in its place.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from groups.models import Group
from members.letters import outbox
from members.letters.health import WAITING
from members.models import Letter, LetterState, Member
from sessions import heard, news, reminded, standing_in, unheard
from sessions.letters import ADDED, MOVED, NOTICES, REMINDERS
from sessions.models import Session
from sessions.phases import Phase
from sessions.reminded import Pair, Person

REMINDER_KINDS = frozenset(REMINDERS.values())
# How far ahead the worker looks for what is missing: the longest offset and a week of outage.
HORIZON = timedelta(days=max(REMINDERS) + 7)
CHUNK = 200

Key = tuple[UUID, int, UUID | None, str]  # session, sequence, recipient, kind


def sync(session: Session, *, at: datetime) -> None:
    """Plan, renew or take back all letters of a session that was made, settled or changed."""
    sync_many([session], at=at)


def sync_many(sessions: Iterable[Session], *, at: datetime, told: bool = True) -> None:
    """The same for a year; the number of queries does not depend on the number of sessions.

    Without `told` one letter says of all dates what changed: a notice of its own goes only to
    those whose calendar has an entry of the date, by an earlier mail.
    """
    sessions = list(sessions)
    if not sessions:
        return
    _cancel_stale(Letter.objects.filter(about_id__in=[session.pk for session in sessions]), at)
    ahead = [session for session in sessions if session.settled_at and session.starts_at > at]
    if ahead:
        standing_in.tell(ahead, at=at)
        everyone = reminded.people({session.group_id for session in ahead}, at)
        _tell_of_changes(ahead, everyone, at, only=None if told else heard.holders(ahead, everyone))
        _renew([s for s in ahead if s.phase == Phase.PLANNED], everyone, at)


def sync_person(group: Group, member: Member, *, at: datetime) -> None:
    """A person's reminders in a group, after joining, leaving, leave, agreement or a preference."""
    sessions = list(_open_sessions(at).filter(group=group))
    _renew(sessions, _alone(member, {group.pk}, at), at, only=member)


def sync_group(group: Group, *, at: datetime) -> None:
    """Everybody's reminders in a group that has chosen other days for them."""
    sessions = list(_open_sessions(at).filter(group=group))
    _renew(sessions, reminded.people({group.pk}, at), at)


def stop_for(session: Session, member: Member, *, at: datetime) -> None:
    """No reminders of this session for someone who cannot come; notices of a change still go."""
    outbox.cancel(about=session.pk, recipient=member, kinds=REMINDER_KINDS)
    outbox.plan(
        _reminder(session, member, kind, moment, LetterState.CANCELLED)
        for person in _alone(member, {session.group_id}, at)
        for kind, moment in reminded.moments(session, person, _offsets(session))
        if moment > at
    )


def resume_for(session: Session, member: Member, *, at: datetime) -> None:
    """The answer is taken back: what of the reminders still lies ahead is planned again."""
    Letter.objects.filter(
        about_id=session.pk,
        about_version=session.sequence,
        recipient=member,
        kind__in=REMINDER_KINDS,
        state=LetterState.CANCELLED,
        send_after__gt=at,
    ).delete()
    if _open_sessions(at).filter(pk=session.pk).exists():
        person = _alone(member, {session.group_id}, at)
        _renew([session], person, at, only=member, answered=set())


def announce(session: Session, *, at: datetime) -> None:
    """Word of a date that is new, where no letter says it of all dates."""
    if not session.settled_at or session.cancelled or session.starts_at <= at:
        return
    outbox.plan(
        outbox.letter(
            ADDED,
            about=session.pk,
            version=session.sequence,
            group_id=session.group_id,
            recipient=member,
            send_after=at,
            send_before=session.starts_at,
        )
        for member in concerned(session, at=at)
    )


def concerned(session: Session, *, at: datetime) -> list[Member]:
    """Whom news of this session concerns: who is active now, or will be when it starts."""
    return concerned_by([session], at=at)


def concerned_by(sessions: Collection[Session], *, at: datetime) -> list[Member]:
    """Whom news of any of these concerns; in as many queries for one as for many."""
    groups = {session.group_id for session in sessions}
    everyone, away = reminded.people(groups, at), reminded.away(groups, at)
    return [
        person.member
        for person in everyone
        if any(
            person.group == session.group_id and _concerns(session, person, away, at)
            for session in sessions
        )
    ]


def reconcile(*, at: datetime) -> int:
    """The worker's check: takes back what is stale, plans what is missing; how many it planned.

    It heals what a fault or a restored backup left, begins with newcomers on their first day, and
    keeps to the quiet hours of people who moved to another zone.
    """
    _cancel_stale(Letter.objects.filter(send_after__lte=at + HORIZON), at)
    near = list(_open_sessions(at).filter(starts_at__lte=at + HORIZON).order_by("starts_at", "pk"))
    chunks = (near[start : start + CHUNK] for start in range(0, len(near), CHUNK))
    return sum(_fill_in(chunk, at) for chunk in chunks)


def _open_sessions(at: datetime) -> QuerySet[Session]:
    return Session.objects.filter(settled_at__isnull=False, starts_at__gt=at, phase=Phase.PLANNED)


def _alone(member: Member, groups: Collection[UUID], at: datetime) -> list[Person]:
    return [person for person in reminded.people(groups, at) if person.member.pk == member.pk]


def _offsets(session: Session) -> tuple[int, ...]:
    return reminded.offsets([session])[session.pk]


def _cancel_stale(letters: QuerySet[Letter], at: datetime) -> None:
    """Take back waiting letters about a session that has moved on, is off, over or gone."""
    as_known = Session.objects.filter(
        pk=OuterRef("about_id"),
        sequence=OuterRef("about_version"),
        settled_at__isnull=False,
        starts_at__gt=at,
    )
    reminders = Q(kind__in=REMINDER_KINDS) & ~Exists(as_known.filter(phase=Phase.PLANNED))
    notices = Q(kind__in=NOTICES) & ~Exists(as_known)
    stale = letters.filter(reminders | notices, state__in=WAITING)
    # One that is just being leased is looked at again before it goes, so nobody waits for it here.
    free = stale.select_for_update(skip_locked=True)
    Letter.objects.filter(pk__in=free.values("pk")).update(state=LetterState.CANCELLED)


def _renew(
    sessions: Sequence[Session],
    everyone: Iterable[Person],
    at: datetime,
    *,
    only: Member | None = None,
    answered: set[Pair] | None = None,
) -> None:
    """Make the reminders of these sessions what they should be, for all or for one person."""
    if not sessions:
        return
    answered = reminded.cannot_come(sessions) if answered is None else answered
    wanted = list(_wanted(sessions, everyone, answered))
    _take_back(sessions, {_key(letter) for letter in wanted}, answered, only)
    outbox.plan(letter for letter in wanted if letter.send_after > at)


def _wanted(
    sessions: Sequence[Session], everyone: Iterable[Person], answered: set[Pair]
) -> Iterator[Letter]:
    """The reminders there should be; of somebody who cannot come, cancelled from the start."""
    offsets = reminded.offsets(sessions)
    pairs = list(reminded.pairs(sessions, everyone))
    allowed = reminded.allowed((session.pk, person.member.pk) for session, person in pairs)
    for session, person in pairs:
        pair = (session.pk, person.member.pk)
        if pair in allowed:
            state = LetterState.CANCELLED if pair in answered else LetterState.PENDING
            for kind, moment in reminded.moments(session, person, offsets[session.pk]):
                yield _reminder(session, person.member, kind, moment, state)


def _take_back(
    sessions: Sequence[Session],
    wanted: Collection[Key],
    answered: set[Pair],
    only: Member | None,
) -> None:
    """Remove waiting reminders of those who left, are away or want none; they may be planned again.

    One that was tried already, or whose recipient cannot come, stays as cancelled.
    """
    waiting = Letter.objects.filter(
        about_id__in=[session.pk for session in sessions],
        kind__in=REMINDER_KINDS,
        state__in=WAITING,
    )
    if only is not None:
        waiting = waiting.filter(recipient=only)
    removed: list[UUID] = []
    cancelled: list[UUID] = []
    for letter in waiting:
        if (letter.about_id, letter.recipient_id) in answered:
            cancelled.append(letter.pk)
        elif _key(letter) not in wanted:
            (cancelled if letter.attempts else removed).append(letter.pk)
    if cancelled:
        Letter.objects.filter(pk__in=cancelled).update(state=LetterState.CANCELLED)
    if removed:
        Letter.objects.filter(pk__in=removed).delete()


def _fill_in(sessions: Sequence[Session], at: datetime) -> int:
    """Plan reminders that nobody planned; all of a chunk in a handful of queries."""
    everyone = reminded.people({session.group_id for session in sessions}, at)
    offsets, known = reminded.offsets(sessions), _known(sessions)
    missing: list[tuple[Pair, Letter]] = []
    shifted: list[Letter] = []
    for session, person in reminded.pairs(sessions, everyone):
        pair = (session.pk, person.member.pk)
        for kind, moment in reminded.moments(session, person, offsets[session.pk]):
            letter = known.get((session.pk, session.sequence, person.member.pk, kind))
            if letter is None and moment > at:
                missing.append((pair, _reminder(session, person.member, kind, moment)))
            elif letter is not None and letter.send_after != moment > at:
                letter.send_after = moment
                shifted.append(letter)
    Letter.objects.bulk_update(shifted, ["send_after"])
    allowed = reminded.allowed({pair for pair, _ in missing})
    return outbox.plan(letter for pair, letter in missing if pair in allowed)


def _known(sessions: Sequence[Session]) -> dict[Key, Letter]:
    """Every reminder that was ever planned, whatever became of it."""
    letters = Letter.objects.filter(
        about_id__in=[session.pk for session in sessions], kind__in=REMINDER_KINDS
    )
    return {_key(letter): letter for letter in letters}


def _key(letter: Letter) -> Key:
    return (letter.about_id, letter.about_version, letter.recipient_id, letter.kind)


def _reminder(
    session: Session,
    member: Member,
    kind: str,
    moment: datetime,
    state: LetterState = LetterState.PENDING,
) -> Letter:
    return outbox.letter(
        kind,
        about=session.pk,
        version=session.sequence,
        group_id=session.group_id,
        recipient=member,
        send_after=moment,
        send_before=session.starts_at,
        state=state,
    )


def _tell_of_changes(
    sessions: Sequence[Session],
    everyone: Sequence[Person],
    at: datetime,
    *,
    only: set[Pair] | None = None,
) -> None:
    """Word of what just changed, to all who are active, also those who want or need no reminder."""
    changed = [s for s in sessions if s.sequence and s.updated_at > at - news.LASTS]
    if not changed:
        return
    told, last = news.told(changed), news.last_changes(changed)
    kinds = news.kinds(changed, told, last)
    back = {s for s in changed if last.get(s.pk) in news.BACK}
    unread = unheard.notices(back)
    as_before = unheard.know_no_other(back, unread)
    _remind_again(back, everyone, as_before, at)
    unsaid = [session for session in changed if news.is_news(session, told[session.pk], at)]
    away = reminded.away({session.group_id for session in unsaid}, at)
    unknown = heard.nothing_of(unsaid)
    outbox.plan(
        outbox.letter(
            ADDED
            if _pair(session, person) in unknown
            # Who has not read that it was off is not told that it is on again.
            else MOVED
            if (*_pair(session, person), session.sequence - 1) in unread
            else kinds[session.pk],
            about=session.pk,
            version=session.sequence,
            group_id=session.group_id,
            recipient=person.member,
            send_after=at,
            send_before=session.starts_at,
        )
        for session in unsaid
        for person in everyone
        if person.group == session.group_id
        and _pair(session, person) not in as_before
        and not (session.cancelled and _pair(session, person) in unknown)
        and (only is None or _pair(session, person) in only)
        and _concerns(session, person, away, at)
    )


def _pair(session: Session, person: Person) -> Pair:
    return (session.pk, person.member.pk)


def _remind_again(
    back: Collection[Session], everyone: Sequence[Person], who: set[Pair], at: datetime
) -> None:
    """Plan anew what was due, and taken back with a change that is taken back itself."""
    due = unheard.due_again(back, who, at)
    outbox.plan(
        _reminder(session, person.member, due[session.pk, person.member.pk], at)
        for session, person in reminded.pairs(back, everyone)
        if (session.pk, person.member.pk) in due and session.phase == Phase.PLANNED
    )


def _concerns(
    session: Session,
    person: Person,
    away: dict[Pair, list[tuple[datetime, datetime | None]]],
    at: datetime,
) -> bool:
    """Whether the person is active now, or will be when the session starts."""
    leaves = away.get((person.group, person.member.pk), [])
    if not reminded.within(leaves, at):
        return True
    return person.belongs(session.starts_at) and not reminded.within(leaves, session.starts_at)

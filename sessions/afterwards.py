"""“Afterwards, one minute”: who was there, one case or two. The only thing an evening ever asks.

Both leaders are equal: either puts down or puts right what he may see, until the next meeting
begins. A leader not present for a case may put it down, not read it back, nor undo it by saving.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from groups.joining import NotYours
from groups.models import Acceptance, Setting
from members import audit
from members.models import Member
from members.refusals import Refused
from sessions import before, cases, conduct, visible, words
from sessions.cases import TITLE
from sessions.models import Attendance, CasePresence, CasePresentation, RoomPresence, Session
from sessions.words import Word


class TooLate(Refused):
    sentence = _("The next meeting has begun. What was put down for this one stays as it is.")


class NotOfTheCircle(Refused):
    sentence = _("Choose somebody who belonged to the group that day.")


class PresenterWasThere(Refused):
    sentence = _("%(name)s told a case, so put %(name)s down as there too.")


@dataclass(frozen=True)
class CaseEntry:
    """A case as it is put down; `case` is the one it puts right, if it stands there already."""

    presenter: UUID
    present: frozenset[UUID]
    follow_up: bool = False
    case: UUID | None = None


def check_open(session: Session, at: datetime) -> None:
    """From the start, or the opening if earlier, until the next meeting's start; else Refused.

    The meetings of an intensive day leave time until that of another day.
    """
    conduct.check_begun(session, at)
    later = before.neighbours(session, "starts_at")
    following = (later.exclude(day=session.day) if session.day else later).first()
    if following is not None and following.began_at <= at:
        raise TooLate


def still_kept(session: Session, at: datetime) -> bool:
    """Whether a case of this session would not be forgotten before it is put down."""
    return cases.forget_on(session) > at.date()


def there(session: Session, member: Member, at: datetime) -> set[UUID]:
    """Who was there, as put down; before that, online, who was in the room, else all expected."""
    down = visible.attendances(member, at).filter(session=session)
    stated = dict(down.values_list("member", "present"))
    if session.put_down_at and stated:
        return {pk for pk, present in stated.items() if present}
    if session.setting == Setting.ONLINE:
        entered = RoomPresence.objects.filter(session=session).values_list("member", flat=True)
        if entered:
            return set(entered)
    return expected(session)


def expected(session: Session) -> set[UUID]:
    """Everyone of the circle but who is away, and who has not agreed yet; for leaders."""
    agreed = set(Acceptance.objects.filter(group=session.group_id).values_list("member", flat=True))
    sitting = {seat.member_id for seat in conduct.seats(session)}
    return (sitting & agreed) - before.away(session)


@transaction.atomic
def put_down(
    session: Session,
    *,
    present: set[UUID],
    cases: Sequence[CaseEntry],
    seen: int,
    by: Member,
    at: datetime,
    word: Word | None = None,
) -> Session:
    """Write down who was there and what was told, and close the session if it is not.

    With `word`, the leader's own word for later is kept too.

    Cases the leader may not see stay as they are. Raises SessionMovedOn if somebody was quicker.
    """
    session = conduct.locked(session)
    if not conduct.may_conduct(session, by, at):
        raise NotYours
    if seen != session.step:
        raise conduct.SessionMovedOn
    check_open(session, at)
    sitting = {seat.member_id: str(seat.member) for seat in conduct.seats(session)}
    _check_presenters(cases, present, sitting)
    conduct.finish(session, by=by, at=at)
    _put_down_attendance(session, present, sitting, by, at)
    _put_down_cases(session, cases, by, at)
    session.put_down_at = at
    session.step += 1
    session.save(update_fields=["put_down_at", "step"])
    if word is not None:
        words.keep(session, word, by=by, at=at)
    return session


def _check_presenters(
    entries: Sequence[CaseEntry], present: set[UUID], sitting: dict[UUID, str]
) -> None:
    for entry in entries:
        if entry.presenter not in sitting:
            raise NotOfTheCircle
        if entry.presenter not in present:
            raise PresenterWasThere(name=sitting[entry.presenter])


def _put_down_attendance(
    session: Session, present: set[UUID], sitting: dict[UUID, str], by: Member, at: datetime
) -> None:
    stated = {row.member_id: row for row in Attendance.objects.filter(session=session)}
    new = [
        Attendance(
            session=session,
            group_id=session.group_id,
            member_id=pk,
            present=pk in present,
            put_down_by=by,
            put_down_at=at,
        )
        for pk in sitting
        if pk not in stated
    ]
    Attendance.objects.bulk_create(new)
    wrong = [row for row in stated.values() if row.present != (row.member_id in present)]
    for row in wrong:
        row.present, row.put_down_by, row.put_down_at = not row.present, by, at
        row.save(update_fields=["present", "put_down_by", "put_down_at"])
    for verb, rows in ((audit.PUT_DOWN, new), (audit.PUT_RIGHT, wrong)):
        if rows:
            audit.note(verb, audit.Thing.ATTENDANCE, group=session.group_id)


def _put_down_cases(
    session: Session, entries: Sequence[CaseEntry], by: Member, at: datetime
) -> None:
    stand = {case.pk: case for case in cases.of_session(session, by, at)}
    for entry in entries:
        found = _standing(entry, stand, entries)
        if found is not None:
            _put_right(stand.pop(found.pk), entry)
        elif entry.case is None:
            # A case typed before and forgotten meanwhile is not brought back.
            cases.put_down(
                session,
                presenter=entry.presenter,
                present=entry.present,
                follow_up=entry.follow_up,
            )
            _record(audit.PUT_DOWN, session.group_id, of={entry.presenter})
    for case in stand.values():
        cases.take_back(case)
        _record(audit.TAKEN_BACK, case.group_id, of={case.presenter_id})


def _record(verb: audit.Verb, group: UUID, *, of: set[UUID]) -> None:
    """Put on record, unless it is the leader's own case: that must not outlive it."""
    if audit.actor.get() not in of:
        audit.note(verb, audit.Thing.CASE, group=group)


def _standing(
    entry: CaseEntry, stand: dict[UUID, CasePresentation], entries: Sequence[CaseEntry]
) -> CasePresentation | None:
    """The case an entry puts right: the one it names, or one by the same presenter nobody names."""
    if entry.case is not None:
        return stand.get(entry.case)
    named = {other.case for other in entries}
    free = [case for pk, case in stand.items() if pk not in named]
    return next((case for case in free if case.presenter_id == entry.presenter), None)


def _put_right(case: CasePresentation, entry: CaseEntry) -> None:
    """Correct what leaders know of a case; a title goes with the presenter who gave it."""
    stood = (case.presenter_id, case.follow_up)
    if case.presenter_id != entry.presenter:
        case.presenter_id, case.title, case.follows = entry.presenter, "", None
    if not entry.follow_up:
        case.follows = None
    case.follow_up = entry.follow_up
    case.save(update_fields=["presenter", "follow_up", "follows", *TITLE])
    other_presences = _put_right_presences(case, set(entry.present) | {entry.presenter})
    if other_presences or stood != (entry.presenter, entry.follow_up):
        _record(audit.PUT_RIGHT, case.group_id, of={stood[0], entry.presenter})


def _put_right_presences(case: CasePresentation, wanted: set[UUID]) -> bool:
    were = cases.present_for(case)
    CasePresence.objects.bulk_create(
        CasePresence(case=case, group_id=case.group_id, member_id=pk) for pk in wanted - were
    )
    # Last, since a leader who takes himself out sees nothing more of it.
    CasePresence.objects.filter(case=case, member__in=were - wanted).delete()
    return were != wanted

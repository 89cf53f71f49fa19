"""Dates proposed to the group: its members mark which they cannot, then its leaders settle them.

What somebody cannot is an answer without a reason, as for any date, and stays when it is settled.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from groups import zones
from groups.models import Acceptance, Group, Leave, Membership, during
from groups.policy import Action, current, may
from members import audit
from members.models import Member
from sessions import answers, reminders, visible
from sessions.models import Answer, DatesReply, Series, Session
from sessions.phases import Phase
from sessions.planning import letters
from sessions.planning.plans import last_series
from sessions.planning.refusals import (
    ChangedMeanwhile,
    NothingIsProposed,
    NotYoursToMark,
    NotYoursToPlan,
    ProposedDatesHaveChanged,
)
from sessions.planning.years import state_of

dates = letters.proposed


@dataclass(frozen=True)
class Standing:
    """A proposed date as leaders see it: who cannot, and whether some looked before it changed."""

    session: Session
    when: zones.When
    cannot: Sequence[str]
    changed_since: bool


def series_of(group: Group) -> list[Series]:
    """What is proposed and not settled, the year that comes first at the front."""
    found = Series.objects.filter(group=group, proposed_at__isnull=False, settled_at=None)
    return list(found.order_by("first_on", "pk"))


def dropped(group: Group, at: datetime) -> list[Session]:
    """What was proposed beside them and is so no more; it can be put back."""
    ahead = Session.objects.filter(group=group, starts_at__gt=at, phase=Phase.CANCELLED)
    open_still = Q(series=None) | Q(series__settled_at=None)
    return list(ahead.filter(open_still, settled_at=None).order_by("starts_at", "pk"))


def as_shown(sessions: Iterable[Session]) -> str:
    """A word that changes when a date comes, goes or is moved to another day."""
    days = sorted(f"{session.pk} {answers.day_of(session)}" for session in sessions)
    return _digest(days)


def as_marked(group: Group, to: Member, at: datetime) -> str:
    """A word that changes with the group's dates and whenever anybody marks them, for leaders."""
    marks = visible.answers(to, at).filter(session__in=dates(group, at))
    replies = visible.replies(to, at).filter(group=group)
    said = [
        *sorted(map(str, marks.values_list("session", "member", "on"))),
        *sorted(map(str, replies.values_list("series", "member", "replied_at"))),
    ]
    return _digest([state_of(group), *said])


def marked(sessions: Collection[Session], member: Member) -> set[UUID]:
    """Those of the dates this person has said they cannot come to."""
    return answers.declined(sessions, member)


def replied_at(group: Group, member: Member) -> datetime | None:
    """When this person looked, if at all that is proposed now; None if anything is new to them."""
    asked = series_of(group)
    rows = DatesReply.objects.filter(series__in=asked, member=member)
    fresh = [row.replied_at for row in rows if _is_fresh(row, asked)]
    return min(fresh) if fresh and len(fresh) == len(asked) else None


@transaction.atomic
def reply(group: Group, cannot: Collection[UUID], *, seen: str, by: Member, at: datetime) -> None:
    """Say which proposed dates one cannot: all others one can. Said again, the new word counts.

    `seen` is `as_shown` of the dates somebody saw. Raises Refused.
    """
    if not may(by, Action.ANSWER, group, at):
        raise NotYoursToMark
    # Held in one order: leaders who settle, and a second click, wait.
    shown = list(dates(group, at).select_for_update(of=("self",), no_key=True))
    if not shown:
        raise NothingIsProposed
    if seen != as_shown(shown):
        raise ProposedDatesHaveChanged
    _mark(shown, set(cannot), by, at)
    DatesReply.objects.bulk_create(
        [
            DatesReply(series=series, group=group, member=by, replied_at=at)
            for series in series_of(group)
        ],
        update_conflicts=True,
        unique_fields=["series", "member"],
        update_fields=["replied_at"],
    )


@transaction.atomic
def settle(group: Group, *, seen: str | None = None, by: Member, at: datetime) -> list[Session]:
    """What is proposed stands from now on: reminders are planned, and everyone gets one letter.

    `seen` is `as_marked` as the leader saw it. Raises Refused.
    """
    if not may(by, Action.PLAN, group, at):
        raise NotYoursToPlan
    group = Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    # Who is just marking them has done so before the leader looks, or is told that they stand.
    sessions = list(dates(group, at).select_for_update(of=("self",), no_key=True))
    if seen is not None and seen != as_marked(group, by, at):
        raise ChangedMeanwhile
    if not sessions:
        raise NothingIsProposed
    for session in sessions:
        session.settled_at = session.updated_at = at
    Session.objects.bulk_update(sessions, ["settled_at", "updated_at"])
    series = _settled(series_of(group), group, at)
    reminders.sync_many(sessions, at=at)
    if series is not None:
        letters.tell(series, sessions, at=at)
    else:
        for session in sessions:
            reminders.announce(session, at=at)
    audit.note(audit.PLANNED, audit.Thing.DATES, group=group.pk)
    return sessions


def standings(group: Group, to: Member, at: datetime) -> list[Standing]:
    """The sum, for leaders: each proposed date with the names of those who cannot."""
    proposed = list(dates(group, at))
    names = {row.member_id: row.member.first_name for row in current(group, at)}
    rows = visible.answers(to, at).filter(session__in=proposed)
    said = {(row.session_id, row.member_id, row.on) for row in rows}
    looked = [row.replied_at for row in visible.replies(to, at).filter(series__in=series_of(group))]
    return [
        Standing(
            session,
            zones.when_words(session.starts_at, session.minutes, session.time_zone, to.time_zone),
            [n for pk, n in names.items() if (session.pk, pk, answers.day_of(session)) in said],
            any(seen < session.updated_at for seen in looked),
        )
        for session in proposed
    ]


def not_answered(group: Group, to: Member, at: datetime) -> list[str]:
    """Who was asked and has not looked since the dates were last proposed; for leaders."""
    asked = series_of(group)
    looked: dict[UUID, set[UUID]] = {}
    for row in visible.replies(to, at).filter(series__in=asked):
        if _is_fresh(row, asked):
            looked.setdefault(row.member_id, set()).add(row.series_id)
    proposers = {series.planned_by_id for series in asked}
    return [
        row.member.first_name
        for row in _asked(group, at)
        if row.member_id not in proposers and len(looked.get(row.member_id, ())) < len(asked)
    ]


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _asked(group: Group, at: datetime) -> list[Membership]:
    """Those inside who agreed at least once and are not away; leaders may read who is."""
    agreed = Acceptance.objects.filter(group=group).values("member")
    away = Leave.objects.filter(during(at), group=group).values("member")
    return list(current(group, at).filter(member__in=agreed).exclude(member__in=away))


def _is_fresh(row: DatesReply, asked: Iterable[Series]) -> bool:
    """Whether somebody looked after the dates had been proposed as they are."""
    since = {series.pk: series.proposed_at for series in asked}.get(row.series_id)
    return since is not None and row.replied_at >= since


def _mark(shown: Sequence[Session], cannot: Collection[UUID], by: Member, at: datetime) -> None:
    """Answers become what was ticked; one of the same day stays as it was."""
    known = {row.session_id: row for row in Answer.objects.filter(member=by, session__in=shown)}
    gone = [row.pk for pk, row in known.items() if pk not in cannot]
    Answer.objects.filter(pk__in=gone).delete()
    for session in shown:
        if session.pk in cannot:
            answer = known.get(session.pk) or Answer(
                session=session, group_id=session.group_id, member=by
            )
            if answer.on != answers.day_of(session):
                answer.on, answer.answered_at = answers.day_of(session), at
                answer.save()


def _settled(asked: Sequence[Series], group: Group, at: datetime) -> Series | None:
    """The rhythms settled with their dates; the one the letter is about, if there is any."""
    for series in asked:
        series.settled_at = at
        series.revision += 1
        series.save(update_fields=["settled_at", "revision"])
    DatesReply.objects.filter(series__in=asked).delete()
    if asked:
        return asked[-1]
    # Extra dates alone, added to a proposal that is settled by now.
    last = last_series(group)
    if last is not None:
        last.planned_at, last.revision = at, last.revision + 1
        last.save(update_fields=["planned_at", "revision"])
    return last

"""Who is reminded of a session, and when: what `reminders.py` plans letters from."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, Subquery

from groups.cadence import Rule, after_quiet_hours, offsets_for, wall_time_days_before
from groups.models import Leave, Membership, Preference
from members.models import Member
from sessions.letters import REMINDERS
from sessions.models import Answer, Session

# A session without a series is reminded of like one of a slow rhythm.
NO_RHYTHM = 28

Pair = tuple[UUID, UUID]  # session, member
Moment = tuple[str, datetime]  # kind of letter, when it may go


@dataclass(frozen=True)
class Person:
    """Someone in a group at the moment, with the spans of all memberships, and their wishes.

    `days` are those before a meeting on which they want a reminder; none are the group's.
    """

    member: Member
    group: UUID
    spans: tuple[tuple[datetime, datetime | None], ...]
    wants_reminders: bool
    days: tuple[int, ...] = ()

    def belongs(self, at: datetime) -> bool:
        return within(self.spans, at)


def people(groups: Collection[UUID], at: datetime) -> list[Person]:
    """Everyone inside the groups at `at`, whatever their role; one query."""
    wishes = Preference.objects.filter(group=OuterRef("group"), member=OuterRef("member"))
    rows = (
        Membership.objects.filter(
            Q(ended_at=None) | Q(ended_at__gt=at), group__in=groups, member__is_active=True
        )
        .annotate(
            silent=Exists(wishes.filter(reminders=False)),
            days=Subquery(wishes.values("reminder_days")[:1]),
        )
        .select_related("member")
    )
    # A new role is a new row, so one person may have several.
    found: dict[Pair, list[Membership]] = {}
    for row in rows:
        found.setdefault((row.group_id, row.member_id), []).append(row)
    everyone = [_person(group, rows) for (group, _), rows in found.items()]
    return [person for person in everyone if person.belongs(at)]


def _person(group: UUID, rows: Sequence[Membership]) -> Person:
    spans = tuple((row.starts_at, row.ended_at) for row in rows)
    silent = bool(getattr(rows[0], "silent"))  # noqa: B009  An annotation, unknown to the type.
    days = getattr(rows[0], "days") or ()  # noqa: B009
    return Person(rows[0].member, group, spans, not silent, tuple(days))


def pairs(
    sessions: Iterable[Session], everyone: Iterable[Person]
) -> Iterator[tuple[Session, Person]]:
    """Each session with those who belong to its group when it starts and want reminders."""
    by_group: dict[UUID, list[Person]] = {}
    for person in everyone:
        if person.wants_reminders:
            by_group.setdefault(person.group, []).append(person)
    for session in sessions:
        for person in by_group.get(session.group_id, []):
            if person.belongs(session.starts_at):
                yield session, person


def offsets(sessions: Sequence[Session]) -> dict[UUID, tuple[int, ...]]:
    """For each session the days before it on which to remind: as its group chose, or by the rhythm.

    One query.
    """
    rows = Session.objects.filter(pk__in=[session.pk for session in sessions]).values_list(
        "pk", "group__reminder_days", "series__rule"
    )
    return {pk: tuple(days) if days else _by_rhythm(rule) for pk, days, rule in rows}


def _by_rhythm(rule: str | None) -> tuple[int, ...]:
    return offsets_for(Rule.from_code(rule).gap_days if rule else NO_RHYTHM)


def moments(session: Session, person: Person, days_before: Iterable[int]) -> Iterator[Moment]:
    """When each reminder may go: after the person's quiet hours, and before the session starts.

    `days_before` are those of the session, for who has chosen no others.
    """
    member = person.member
    for days in person.days or days_before:
        wall = wall_time_days_before(session.starts_at, session.time_zone, days)
        moment = after_quiet_hours(wall, member.time_zone, member.quiet)
        if moment < session.starts_at:
            yield REMINDERS[days], moment


def allowed(asked: Iterable[Pair]) -> set[Pair]:
    """Those who may be reminded: the database looks at leaves, so that the asker need not."""
    asked = list(asked)
    if not asked:
        return set()
    sql = """
        select asked.session, asked.person
        from unnest(%s::uuid[], %s::uuid[]) as asked (session, person)
        where public.balint_may_remind(asked.person, asked.session)
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, [[session for session, _ in asked], [person for _, person in asked]])
        return {(session, person) for session, person in cursor.fetchall()}


def cannot_come(sessions: Iterable[Session]) -> set[Pair]:
    """Answers that hold for the sessions' present days, as far as the asker may read them."""
    days = {session.pk: session.starts_at.astimezone(session.zone).date() for session in sessions}
    if not readable(Answer):
        return set()
    rows = Answer.objects.filter(session__in=days).values_list("session", "member", "on")
    return {(session, member) for session, member, on in rows if days[session] == on}


def away(
    groups: Collection[UUID], at: datetime
) -> dict[Pair, list[tuple[datetime, datetime | None]]]:
    """Leaves that are not over at `at`, by group and member, as far as the asker may read them."""
    found: dict[Pair, list[tuple[datetime, datetime | None]]] = {}
    if readable(Leave):
        rows = Leave.objects.filter(Q(ended_at=None) | Q(ended_at__gt=at), group__in=groups)
        for group, member, start, end in rows.values_list(
            "group", "member", "starts_at", "ended_at"
        ):
            found.setdefault((group, member), []).append((start, end))
    return found


def readable(model: type[Model]) -> bool:
    """Whether the present database role may read the table at all; the office's may not."""
    with connection.cursor() as cursor:
        cursor.execute("select has_table_privilege(%s, 'select')", [model._meta.db_table])
        return bool(cursor.fetchone()[0])


def within(spans: Iterable[tuple[datetime, datetime | None]], at: datetime) -> bool:
    return any(start <= at and (end is None or end > at) for start, end in spans)

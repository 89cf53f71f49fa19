"""Three hundred groups of ten, each with a year back and a year ahead; run as the owner."""

import itertools
import json
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

import django
from django.db import connection
from django.utils import timezone

GROUPS, PEOPLE, LEADERS, PROGRAMMES = 300, 10, 2, 10
LETTERS = 300
YEAR = timedelta(days=365)
MINUTE = timedelta(minutes=1)
ZONES = ("Asia/Jerusalem", "Europe/London", "America/New_York", "Europe/Berlin")


def seed(at: datetime) -> None:
    """All of it, in one transaction."""
    from members.identity import acting_as

    with acting_as(None):
        groups = _groups(at)
        people = _people(groups, at)
        _admin(groups[0].programme, at)
        sessions = _sessions(groups, at)
        _attendances(sessions, people, at)
        _letters(sessions, people, at)
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    print(json.dumps({"groups": len(groups), "sessions": len(sessions)}))


def _groups(at: datetime) -> list[Any]:
    from groups.models import Agreement, Entrance, Group, Programme

    programmes = [Programme(name=f"Programme {number}") for number in range(PROGRAMMES)]
    groups = [
        Group(
            programme=programmes[number % PROGRAMMES],
            name=f"Group {number}",
            alias=f"Group {number}",
            time_zone=ZONES[number % len(ZONES)],
            place="The clinic, library",
        )
        for number in range(GROUPS)
    ]
    Programme.objects.bulk_create(programmes)
    Group.objects.bulk_create(groups)
    Entrance.objects.bulk_create(Entrance(group=group, door="code 4471#") for group in groups)
    Agreement.objects.bulk_create(
        Agreement(group=group, version=1, text="What is said stays.", in_force_at=at - 2 * YEAR)
        for group in groups
    )
    return groups


def _people(groups: list[Any], at: datetime) -> dict[Any, list[Any]]:
    """The circle of each group, leaders first."""
    from groups.models import Acceptance, Agreement, Membership
    from members.models import Member

    circles = {
        group.pk: [
            Member(
                email=f"person{number}.{place}@bench.example",
                name=f"Dr Person{place} Of{number}",
                time_zone=group.time_zone,
                password="!",  # noqa: S106  Nobody signs in with one.
            )
            for place in range(PEOPLE)
        ]
        for number, group in enumerate(groups)
    }
    everyone = list(itertools.chain.from_iterable(circles.values()))
    Member.objects.bulk_create(everyone, batch_size=1000)
    agreements = {one.group_id: one for one in Agreement.objects.all()}
    Membership.objects.bulk_create(
        (
            Membership(
                group_id=group,
                member=member,
                role="leader" if place < LEADERS else "member",
                starts_at=at - 2 * YEAR,
            )
            for group, circle in circles.items()
            for place, member in enumerate(circle)
        ),
        batch_size=1000,
    )
    Acceptance.objects.bulk_create(
        (
            Acceptance(
                agreement=agreements[group],
                group_id=group,
                member=member,
                accepted_at=at - 2 * YEAR,
            )
            for group, circle in circles.items()
            for member in circle
        ),
        batch_size=1000,
    )
    return circles


def _admin(programme: Any, at: datetime) -> None:
    from groups.models import ProgrammeAdmin
    from members.models import Member

    admin = Member.objects.create(email="admin@bench.example", name="Noa Levi", password="!")  # noqa: S106
    ProgrammeAdmin.objects.create(programme=programme, member=admin, starts_at=at - YEAR)


def _sessions(groups: Iterable[Any], at: datetime) -> list[Any]:
    from groups.cadence import Cadence, Rule, next_morning
    from sessions.models import Session
    from sessions.phases import Phase

    made = []
    for number, group in enumerate(groups):
        today = at.astimezone(group.zone).date()
        rule = Rule.from_code(f"month:1:{number % 5}:{number % 4 + 1}")
        cadence = Cadence(rule, time(19, 30), 90, group.time_zone, today - YEAR, today + YEAR)
        for occurrence in cadence.occurrences():
            over = occurrence.ends_at < at
            made.append(
                Session(
                    group=group,
                    starts_at=occurrence.starts_at,
                    minutes=90,
                    time_zone=group.time_zone,
                    place=group.place,
                    phase=Phase.CLOSED if over else Phase.PLANNED,
                    settled_at=at - 2 * YEAR,
                    closed_at=occurrence.ends_at if over else None,
                    put_down_at=occurrence.ends_at if over else None,
                    runs_until=next_morning(occurrence.ends_at, group.time_zone),
                    updated_at=at - 2 * YEAR,
                )
            )
    return Session.objects.bulk_create(made, batch_size=1000)


def _attendances(sessions: Iterable[Any], people: dict[Any, list[Any]], at: datetime) -> None:
    from sessions.models import Attendance

    Attendance.objects.bulk_create(
        (
            Attendance(
                session=session,
                group_id=session.group_id,
                member=member,
                present=place % PEOPLE != 7,
                put_down_by=people[session.group_id][0],
                put_down_at=session.ends_at,
            )
            for session in sessions
            if session.starts_at < at
            for place, member in enumerate(people[session.group_id])
        ),
        batch_size=2000,
    )


def _letters(sessions: Iterable[Any], people: dict[Any, list[Any]], at: datetime) -> None:
    """Reminders that are due now, of each group's next session."""
    from members.letters import outbox

    following: dict[Any, Any] = {}
    for session in sessions:
        if session.starts_at > at + timedelta(hours=1):
            following.setdefault(session.group_id, session)
    pairs = ((one, member) for group, one in following.items() for member in people[group])
    outbox.plan(
        outbox.letter(
            "reminder-1",
            about=session.pk,
            version=session.sequence,
            group_id=session.group_id,
            recipient=member,
            send_after=at - MINUTE,
            send_before=session.starts_at,
        )
        for session, member in itertools.islice(pairs, LETTERS)
    )


if __name__ == "__main__":
    django.setup()
    seed(timezone.now())

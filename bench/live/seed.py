"""A thousand rooms that are open now, with a leader and ten members each; run as the owner.

Everybody is signed in and in the room: what a browser would hold is written to a file.
"""

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
from django.utils import timezone

YEAR = timedelta(days=365)
MEMBERS = 10


def seed(rooms: int, at: datetime) -> None:
    """All of it, in one transaction; prints nothing."""
    from members.identity import acting_as

    with acting_as(None):
        groups = _groups(rooms, at)
        circles = _circles(groups, at)
        sessions = _sessions(groups, at)
        _presences(sessions, circles, at)
        cookies = _sign_ins([one for circle in circles for one in circle[1:]], at)
    held = [
        {
            "room": str(session.pk),
            "leader": str(circle[0].pk),
            "cookies": [cookies[one.pk] for one in circle[1:]],
        }
        for session, circle in zip(sessions, circles, strict=True)
    ]
    Path(os.environ["BENCH_ROOMS"]).write_text(json.dumps(held))


def _groups(rooms: int, at: datetime) -> list[Any]:
    from groups.models import Agreement, Group, Programme

    programme = Programme.objects.create(name="Programme")
    groups = [
        Group(programme=programme, name=f"Group {number}", time_zone="UTC", setting="online")
        for number in range(rooms)
    ]
    Group.objects.bulk_create(groups)
    Agreement.objects.bulk_create(
        Agreement(group=group, version=1, text="What is said stays.", in_force_at=at - 2 * YEAR)
        for group in groups
    )
    return groups


def _circles(groups: list[Any], at: datetime) -> list[list[Any]]:
    """Of each group its people, the leader first."""
    from groups.models import Acceptance, Agreement, Membership
    from members.models import Member

    circles = [
        [
            Member(email=f"p{number}.{place}@bench.example", name=f"Dr P{place} Of{number}")
            for place in range(MEMBERS + 1)
        ]
        for number in range(len(groups))
    ]
    for circle in circles:
        for member in circle:
            member.password = "!"  # noqa: S105  Nobody signs in with one.
    Member.objects.bulk_create((one for circle in circles for one in circle), batch_size=1000)
    seats = [
        (group, one, place)
        for group, circle in zip(groups, circles, strict=True)
        for place, one in enumerate(circle)
    ]
    Membership.objects.bulk_create(
        (
            Membership(
                group=group,
                member=one,
                role="member" if place else "leader",
                starts_at=at - YEAR,
            )
            for group, one, place in seats
        ),
        batch_size=1000,
    )
    agreements = {one.group_id: one for one in Agreement.objects.all()}
    Acceptance.objects.bulk_create(
        (
            Acceptance(
                agreement=agreements[group.pk], group=group, member=one, accepted_at=at - YEAR
            )
            for group, one, place in seats
        ),
        batch_size=1000,
    )
    return circles


def _sessions(groups: list[Any], at: datetime) -> list[Any]:
    from sessions.models import Session

    begun = at - timedelta(minutes=20)
    return Session.objects.bulk_create(
        (
            Session(
                group=group,
                starts_at=begun,
                opened_at=begun,
                minutes=90,
                time_zone="UTC",
                setting="online",
                phase="arriving",
                step=1,
                settled_at=at - YEAR,
                runs_until=at + timedelta(hours=10),
                updated_at=at,
            )
            for group in groups
        ),
        batch_size=1000,
    )


def _presences(sessions: list[Any], circles: list[list[Any]], at: datetime) -> None:
    from sessions.models import RoomPresence

    RoomPresence.objects.bulk_create(
        (
            RoomPresence(
                session=session, group_id=session.group_id, member=one, entered_at=at, seen_at=at
            )
            for session, circle in zip(sessions, circles, strict=True)
            for one in circle
        ),
        batch_size=1000,
    )


def _sign_ins(people: list[Any], at: datetime) -> dict[Any, str]:
    """A row of its own for each, as signing in makes one; by person the cookie."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session as SignIn
    from django.utils.crypto import get_random_string

    from members import sitting

    store, now = SessionStore(), int(at.timestamp())
    cookies = {
        one.pk: get_random_string(32, "abcdefghijklmnopqrstuvwxyz0123456789") for one in people
    }
    SignIn.objects.bulk_create(
        (
            SignIn(
                session_key=cookies[one.pk],
                expire_date=at + timedelta(days=1),
                session_data=store.encode(
                    {
                        SESSION_KEY: str(one.pk),
                        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
                        HASH_SESSION_KEY: one.get_session_auth_hash(),
                        sitting.BEGAN: now,
                        sitting.SEEN: now,
                    }
                ),
            )
            for one in people
        ),
        batch_size=1000,
    )
    return cookies


if __name__ == "__main__":
    django.setup()
    seed(int(sys.argv[1]), timezone.now())

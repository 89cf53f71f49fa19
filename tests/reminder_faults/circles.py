"""Groups whose reminders fall due within the run, planned by the planner itself.

A reminder goes out so many days before its meeting at the same wall time: meetings a day and a
week ahead, a little later on the clock than now, are reminded of while we look. In a few groups
the meeting itself begins within the run; the time of their letters ends there.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.reminder_faults.post_office import GREY, NOBODY

DAY = timedelta(days=1)
YEAR = timedelta(days=365)
# Every how manieth address is refused for good.
NOBODY_EVERY = 97


FAULTS: dict[str, str] = {
    "two_beats": "F12 two beats",
    "kill_redis": "F13 Redis killed",
    "crash_postgres": "F14 PostgreSQL restarted immediately",
    "flush_redis": "F13 Redis flushed",
    "loop_without_beat": "F11 no beat and no Redis, the command alone",
    "no_connection": "F15 no connection left",
    "no_mail_server": "the mail server away",
    "fill_redis": "F13 Redis full",
    "slow_redis": "F13 Redis slow",
    "crash_postgres_again": "F14 PostgreSQL restarted immediately, again",
}


@dataclass
class Size:
    """How much of everything."""

    groups: int
    people: int
    kills: int
    workers: int
    spread: float  # seconds over which the reminders fall due
    soon: int  # groups whose meeting begins within the run
    soon_in: int  # seconds until the first of them
    grey_every: int  # how manieth of their members is not served until it is too late
    chance: float = 0.15  # that whoever passes a place ordered to die there does so
    orders: int = 2  # at a time
    faults: dict[str, str] = field(default_factory=lambda: dict(FAULTS))


SMALL_FAULTS = ("two_beats", "kill_redis", "crash_postgres", "flush_redis", "loop_without_beat")
WHOLE = Size(
    groups=300, people=20, kills=300, workers=3, spread=200, soon=10, soon_in=240, grey_every=3
)
SMALL = Size(
    groups=10,
    people=8,
    kills=12,
    workers=2,
    spread=5,
    soon=2,
    soon_in=9,
    grey_every=1,
    chance=0.5,
    faults={name: FAULTS[name] for name in SMALL_FAULTS},
)


@dataclass
class Meeting:
    """A session as its group knows it: its history, and who is in the group."""

    pk: UUID
    circle: "Circle"
    starts_at: datetime
    planned_at: datetime  # When its present letters were surely planned.
    sequence: int = 0
    news: str = ""
    starts: dict[int, datetime] = field(default_factory=dict)  # Of each sequence.
    over: dict[int, datetime] = field(default_factory=dict)  # Since when it no longer holds.
    excused: dict[UUID, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.starts[0] = self.starts_at

    def changed(self, news: str, done: datetime, starts_at: datetime) -> None:
        """A leader moved or cancelled it; `done` is when that was surely committed."""
        self.over[self.sequence] = done
        self.sequence += 1
        self.starts[self.sequence] = self.starts_at = starts_at
        self.planned_at, self.news = done, news

    def standing(self, at: datetime) -> int:
        """The sequence that surely held by then."""
        return sum(end <= at for end in self.over.values())

    def reminders(self, until: datetime) -> Iterator[tuple[str, datetime]]:
        """Those that fall due between its planning and `until`; none of a cancelled one."""
        if self.news != "cancelled":
            for kind, days in (("reminder-7", 7), ("reminder-1", 1)):
                # No zone here changes its clocks.
                moment = self.starts_at - days * DAY
                if self.planned_at < moment <= until:
                    yield kind, moment


@dataclass
class Circle:
    """A group and its people, leaders first."""

    pk: UUID
    people: dict[UUID, str]
    meetings: list[Meeting] = field(default_factory=list)
    left: dict[UUID, datetime] = field(default_factory=dict)

    @property
    def leader(self) -> UUID:
        return next(iter(self.people))


def noon_zone(at: datetime) -> str:
    """Where it is about noon now: nobody there has quiet hours during the run."""
    offset = 12 - at.hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def seed(size: Size, at: datetime) -> list[Circle]:
    """All groups, their people, and their meetings with letters planned; as the owner."""
    from tests.world import as_owner

    luck = random.Random(size.groups)
    with as_owner():
        circles = _circles(size, at)
        _plan([_meeting(circle, at, luck, size) for circle in circles for _ in range(2)], at)
        # Counted from now: with many groups the planning takes a while.
        now = datetime.now(UTC)
        soon = [
            _soon_meeting(circle, now, size.soon_in + number * 3)
            for number, circle in enumerate(circles[: size.soon])
        ]
        _plan(soon, at - 2 * DAY)
    return circles


def grey(circles: list[Circle]) -> Iterator[tuple[str, datetime]]:
    """The addresses that are served only after their meeting began, and since when."""
    for circle in circles:
        if len(circle.meetings) > 2:
            for address in circle.people.values():
                if address.startswith(GREY):
                    yield address, circle.meetings[2].starts_at + timedelta(seconds=2)


def _circles(size: Size, at: datetime) -> list[Circle]:
    from django.contrib.auth.hashers import make_password

    from groups.models import Acceptance, Agreement, Group, Membership, Programme
    from members.models import Member

    zone, programme = noon_zone(at), Programme.objects.create(name="North programme")
    groups = [
        Group(programme=programme, name=f"Group {n}", alias=f"Group {n}", time_zone=zone)
        for n in range(size.groups)
    ]
    Group.objects.bulk_create(groups)
    password = make_password(None)
    everyone: list[tuple[Any, list[Any]]] = []
    for number, group in enumerate(groups):
        people = []
        for place in range(size.people):
            count = number * size.people + place
            grey = number < size.soon and place % size.grey_every == size.grey_every - 1
            prefix = GREY if grey else NOBODY if count % NOBODY_EVERY == 50 else ""
            address = f"{prefix}person{count}@example.org"
            name = f"Dr Person{place} Of{number}"
            people.append(Member(email=address, name=name, time_zone=zone, password=password))
        everyone.append((group, people))
    Member.objects.bulk_create([one for _, people in everyone for one in people], batch_size=1000)
    agreements = [
        Agreement(group=group, version=1, text="It stays.", in_force_at=at - 2 * YEAR)
        for group in groups
    ]
    Agreement.objects.bulk_create(agreements)
    Membership.objects.bulk_create(
        Membership(
            group=group,
            member=one,
            role="leader" if place < 2 else "member",
            starts_at=at - YEAR,
        )
        for group, people in everyone
        for place, one in enumerate(people)
    )
    Acceptance.objects.bulk_create(
        Acceptance(agreement=agreement, group=group, member=one, accepted_at=at - YEAR)
        for agreement, (group, people) in zip(agreements, everyone, strict=True)
        for one in people
    )
    return [Circle(group.pk, {one.pk: one.email for one in people}) for group, people in everyone]


def _meeting(circle: Circle, at: datetime, luck: random.Random, size: Size) -> Any:
    """A day ahead, then a week; four of ten in one minute, the others all along the run."""
    days = 7 if circle.meetings else 1
    minute = min(60.0, size.spread / 3)
    in_one_minute = luck.random() < 0.4
    offset = (
        size.spread / 2 + luck.random() * minute if in_one_minute else luck.random() * size.spread
    )
    starts_at = at + days * DAY + timedelta(seconds=round(offset) + 8)
    return _session(circle, starts_at, at)


def _soon_meeting(circle: Circle, at: datetime, seconds: float) -> Any:
    return _session(circle, at + timedelta(seconds=seconds), at - 2 * DAY)


def _session(circle: Circle, starts_at: datetime, planned_at: datetime) -> Any:
    from groups.cadence import next_morning
    from groups.models import Group
    from sessions.models import Session
    from sessions.phases import Phase

    group = Group.objects.get(pk=circle.pk)
    session = Session(
        group=group,
        starts_at=starts_at,
        minutes=90,
        time_zone=group.time_zone,
        place="The clinic, library",
        phase=Phase.PLANNED,
        settled_at=planned_at - YEAR,
        updated_at=planned_at - YEAR,
        runs_until=next_morning(starts_at + timedelta(minutes=90), group.time_zone),
    )
    circle.meetings.append(Meeting(session.pk, circle, starts_at, planned_at))
    return session


def _plan(sessions: list[Any], at: datetime) -> None:
    from sessions import reminders
    from sessions.models import Session

    Session.objects.bulk_create(sessions, batch_size=500)
    for start in range(0, len(sessions), 100):
        reminders.sync_many(sessions[start : start + 100], at=at)

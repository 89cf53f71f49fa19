"""A group with one leader and a plan for 2027, seen from November 2026, whatever today is."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from groups.cadence import Break, Cadence, Rule, Unit
from groups.models import Agreement, Group
from members.models import Member
from sessions import planning
from sessions.models import Series, Session
from tests.world import as_member, as_owner, join, make_group, make_member, utc

LONG_AGO = utc(2020, 1, 1)
NOVEMBER = utc(2026, 11, 2, 12)
THIRD_THURSDAY = Rule(Unit.MONTH, 1, weekday=3, nth=3)
FOURTH_TUESDAY = Rule(Unit.MONTH, 1, weekday=1, nth=4)
SUMMER = Break(date(2027, 7, 15), date(2027, 8, 31), "summer")
LIBRARY = "Kfar Vitkin clinic, library"
AMERICAN_SERIES = [
    date(2027, 3, 23),
    date(2027, 4, 27),
    date(2027, 5, 25),
    date(2027, 6, 22),
    date(2027, 7, 27),
    date(2027, 8, 24),
    date(2027, 9, 28),
    date(2027, 10, 26),
]


@dataclass
class Led:
    """A group, and its leader who plans."""

    group: Group
    leader: Member

    def plan(self, cadence: Cadence, place: str = LIBRARY, at: datetime = NOVEMBER) -> Series:
        with as_member(self.leader):
            return planning.plan_year(self.group, cadence, place, by=self.leader, at=at)

    def draft(
        self, cadence: Cadence, place: str = LIBRARY, at: datetime = NOVEMBER
    ) -> planning.Draft:
        with as_member(self.leader):
            return planning.draft_year(self.group, planning.Plan(cadence, place), at=at)

    def move(self, session: Session, at: datetime = NOVEMBER, **changes: Any) -> Session:
        with as_member(self.leader):
            return planning.move(session, by=self.leader, at=at, **changes)

    def cancel(self, session: Session, reason: str = "", at: datetime = NOVEMBER) -> Session:
        with as_member(self.leader):
            return planning.cancel(session, reason=reason, by=self.leader, at=at)

    def restore(self, session: Session, at: datetime = NOVEMBER) -> Session:
        with as_member(self.leader):
            return planning.restore(session, by=self.leader, at=at)

    @property
    def sessions(self) -> list[Session]:
        with as_owner():
            return list(Session.objects.filter(group=self.group).order_by("starts_at"))

    @property
    def days(self) -> list[date]:
        """The dates on which the group meets."""
        return [day(session) for session in self.sessions if not session.cancelled]

    def on(self, month: int, of: int) -> Session:
        """The session of that date of 2027."""
        return next(session for session in self.sessions if day(session) == date(2027, month, of))


def make_led(**fields: Any) -> Led:
    """A group that has had its leader and its agreement since 2020."""
    group, leader = make_group(**fields), make_member("Dr Ruth Marks")
    with as_owner():
        Agreement.objects.filter(group=group).update(in_force_at=LONG_AGO)
    join(group, leader, "leader", since=LONG_AGO)
    return Led(group, leader)


def cadence(rule: Rule = THIRD_THURSDAY, **changes: Any) -> Cadence:
    """2027, 19:30 for 90 minutes in Jerusalem, unless told otherwise."""
    values: dict[str, Any] = {
        "starts_at": time(19, 30),
        "minutes": 90,
        "zone": "Asia/Jerusalem",
        "first_on": date(2027, 1, 1),
        "last_on": date(2027, 12, 31),
    }
    return Cadence(rule, **(values | changes))


def american(**changes: Any) -> Cadence:
    """The 4th Tuesday, March to October, 19:00 in New York for an hour."""
    values: dict[str, Any] = {
        "starts_at": time(19),
        "minutes": 60,
        "zone": "America/New_York",
        "first_on": date(2027, 3, 1),
        "last_on": date(2027, 10, 31),
    }
    return cadence(FOURTH_TUESDAY, **(values | changes))


def day(session: Session) -> date:
    return session.starts_at.astimezone(session.zone).date()

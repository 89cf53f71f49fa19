"""Seeding: one owner-side helper, and the people round one circle."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from groups.models import (
    Acceptance,
    Agreement,
    Group,
    Leave,
    Membership,
    Programme,
    ProgrammeAdmin,
)
from members.identity import become
from members.models import Member

PASSWORD = "a long and quiet word"
_numbers = count(1)


@contextmanager
def as_owner() -> Iterator[None]:
    """Seed and look as the owner of the tables; afterwards nobody is signed in again."""
    with transaction.atomic():
        become(None, "balint_owner")
        yield
        become(None, "balint_app")


@contextmanager
def as_member(member: Member | None, role: Any = "balint_app") -> Iterator[None]:
    """Domain calls as `member`, under the web's role; afterwards nobody is signed in again."""
    with transaction.atomic():
        become(member, role)
        yield
        become(None, "balint_app")


def make_member(name: str = "", **fields: Any) -> Member:
    """A person with a verified address, as the owner."""
    number = next(_numbers)
    name = name or f"Person {number}"
    fields.setdefault("email", f"{name.split()[-1].lower()}{number}@example.org")
    with as_owner():
        member = Member(name=name, **fields)
        member.set_password(PASSWORD)
        member.save()
        EmailAddress.objects.create(user=member, email=member.email, verified=True, primary=True)
    return member


def make_group(programme: Programme | None = None, **fields: Any) -> Group:
    """A group with its first agreement in force for two years."""
    with as_owner():
        programme = programme or Programme.objects.create(name="North programme")
        values = {"name": "Valley group", "alias": "Valley", "time_zone": "Asia/Jerusalem"}
        group = Group.objects.create(programme=programme, **(values | fields))
        Agreement.objects.create(
            group=group, version=1, text="What is said here stays here.", in_force_at=years_ago(2)
        )
    return group


def years_ago(years: float) -> datetime:
    return timezone.now() - timedelta(days=365 * years)


def join(
    group: Group,
    member: Member,
    role: str = "member",
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agreed: bool = True,
) -> Membership:
    """Put a person into a group, agreed unless told otherwise, as the owner."""
    with as_owner():
        membership = Membership.objects.create(
            group=group, member=member, role=role, starts_at=since or years_ago(1), ended_at=until
        )
        if agreed:
            newest = Agreement.objects.filter(group=group).latest("version")
            Acceptance.objects.get_or_create(
                agreement=newest,
                member=member,
                defaults={"group": group, "accepted_at": membership.starts_at},
            )
    return membership


@dataclass
class Circle:
    """One group and everyone round it; names are those a reader can tell apart."""

    programme: Programme
    group: Group
    leader: Member
    second_leader: Member
    presenter: Member
    member: Member
    absent: Member
    newcomer: Member
    on_leave: Member
    former: Member
    admin: Member
    outsider: Member
    superuser: Member
    other_group: Group

    @property
    def inside(self) -> list[Member]:
        return [self.leader, self.second_leader, self.presenter, self.member, self.absent]


def make_circle() -> Circle:
    """Build the circle; everybody has been there for a year but the newcomer."""
    with as_owner():
        programme = Programme.objects.create(name="North programme")
    group, other = make_group(programme), make_group(programme, name="Harbour group")
    people = {
        "leader": make_member("Dr Ruth Marks", time_zone="Asia/Jerusalem"),
        "second_leader": make_member("Dr Erik Krantz", time_zone="Asia/Jerusalem"),
        "presenter": make_member("Dr Amit Nader", time_zone="Asia/Jerusalem"),
        "member": make_member("Dr Dana Green", time_zone="Asia/Jerusalem"),
        "absent": make_member("Dr Owen Wells", time_zone="Europe/London"),
        "newcomer": make_member("Dr Nina Neu"),
        "on_leave": make_member("Dr Hanna Lind"),
        "former": make_member("Dr Fritz Alt"),
        "admin": make_member("Noa Levi"),
        "outsider": make_member("Dr Olga Fern"),
        "superuser": make_member("Root Root", is_superuser=True),
    }
    join(group, people["leader"], "leader")
    join(group, people["second_leader"], "leader")
    for name in ("presenter", "member", "absent", "on_leave"):
        join(group, people[name])
    join(group, people["newcomer"], since=timezone.now() - timedelta(days=1), agreed=False)
    join(group, people["former"], until=years_ago(0.5))
    join(other, people["outsider"])
    with as_owner():
        ProgrammeAdmin.objects.create(
            programme=programme, member=people["admin"], starts_at=years_ago(1)
        )
        Leave.objects.create(group=group, member=people["on_leave"], starts_at=years_ago(0.1))
    return Circle(programme=programme, group=group, other_group=other, **people)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)

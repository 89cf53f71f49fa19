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


def new_member(name: str = "", **fields: Any) -> Member:
    """A person who is not in the database yet."""
    number = next(_numbers)
    name = name or f"Person {number}"
    fields.setdefault("email", f"{name.split()[-1].lower()}{number}@example.org")
    member = Member(name=name, **fields)
    member.set_password(PASSWORD)
    return member


def put_in(*people: Member) -> None:
    """Persons with verified addresses, as the owner."""
    addresses = [
        EmailAddress(user=one, email=one.email, verified=True, primary=True) for one in people
    ]
    with as_owner():
        Member.objects.bulk_create(people)
        EmailAddress.objects.bulk_create(addresses)


def make_member(name: str = "", **fields: Any) -> Member:
    """A person with a verified address, as the owner."""
    member = new_member(name, **fields)
    put_in(member)
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
    zone = {"time_zone": "Asia/Jerusalem"}
    people = {
        "leader": new_member("Dr Ruth Marks", **zone),
        "second_leader": new_member("Dr Erik Krantz", **zone),
        "presenter": new_member("Dr Amit Nader", **zone),
        "member": new_member("Dr Dana Green", **zone),
        "absent": new_member("Dr Owen Wells", time_zone="Europe/London"),
        "newcomer": new_member("Dr Nina Neu"),
        "on_leave": new_member("Dr Hanna Lind"),
        "former": new_member("Dr Fritz Alt"),
        "admin": new_member("Noa Levi"),
        "outsider": new_member("Dr Olga Fern"),
        "superuser": new_member("Root Root", is_superuser=True),
    }
    with as_owner():
        programme = Programme.objects.create(name="North programme")
    group, other = make_group(programme), make_group(programme, name="Harbour group")
    put_in(*people.values())
    with as_owner():
        _seat(group, other, people)
        ProgrammeAdmin.objects.create(
            programme=programme, member=people["admin"], starts_at=years_ago(1)
        )
        Leave.objects.create(group=group, member=people["on_leave"], starts_at=years_ago(0.1))
    return Circle(programme=programme, group=group, other_group=other, **people)


def _seat(group: Group, other: Group, people: dict[str, Member]) -> None:
    """Those who belong to a group; all but the newcomer agreed as they came."""
    since: dict[str, Any] = {"newcomer": timezone.now() - timedelta(days=1)}
    seats = [
        Membership(
            group=other if name == "outsider" else group,
            member=member,
            role="leader" if name in {"leader", "second_leader"} else "member",
            starts_at=since.get(name) or years_ago(1),
            ended_at=years_ago(0.5) if name == "former" else None,
        )
        for name, member in people.items()
        if name not in {"admin", "superuser"}
    ]
    Membership.objects.bulk_create(seats)
    agreements = {one.group_id: one for one in Agreement.objects.filter(group__in=[group, other])}
    Acceptance.objects.bulk_create(
        Acceptance(
            agreement=agreements[seat.group_id],
            group_id=seat.group_id,
            member_id=seat.member_id,
            accepted_at=seat.starts_at,
        )
        for seat in seats
        if seat.member_id != people["newcomer"].pk
    )


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)

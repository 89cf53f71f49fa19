"""Two groups with everything in them, and everybody who might want to look into the first.

Group A is the circle of `tests.world`, furnished by `tests.balint.installation`. Group B, of the
same programme, holds the same with other words; a third group belongs to another programme.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.conf import settings
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone

from groups import invitations
from groups.evening_models import EveningTemplate
from groups.models import Group, Membership, Programme, ProgrammeAdmin, Proposal
from members.envelope import SealedText
from members.identity import become
from members.kinds import Kind
from members.models import Member
from sessions import answerlinks
from sessions.models import CasePresence, CasePresentation, RoomPresence, Session
from tests.balint.installation import Installation, install
from tests.world import Circle, as_owner, join, make_circle, make_group, make_member, years_ago

DAY = timedelta(days=1)


@dataclass
class World:
    """What stands, who looks, and what each of them may put into the places of an address."""

    a: Installation
    b: Installation
    elsewhere: Group
    evening_elsewhere: EveningTemplate
    due: CasePresentation
    people: dict[str, Any]
    clients: dict[str, Client] = field(default_factory=dict)
    dead_tokens: list[str] = field(default_factory=list)

    @cached_property
    def of_a(self) -> dict[str, Sequence[Any]]:
        """For each place of an address what there is of group A, dead tokens among it."""
        known = self._known(self.a)
        known["invitations"] = [*known["invitations"], *self.dead_tokens]
        known["calendar"] = [self.a.feed, "no-such-token", self.a.feed[:-1]]
        tokens = [
            answerlinks.token(session, self.a.circle.member)
            for session in (self.a.planned, self.a.running, self.a.cancelled)
        ]
        known["answer"] = [*tokens, "no.token"]
        known["unsubscribe"] = [*known["unsubscribe"], "no.token"]
        known["cases"] = [*known["cases"], self.due.pk]
        return known

    @cached_property
    def of_b(self) -> dict[str, Sequence[Any]]:
        """The same of group B; what belongs to its programme, of another programme."""
        return self._known(self.b) | {"evenings": [self.evening_elsewhere.pk]}

    def _known(self, here: Installation) -> dict[str, Sequence[Any]]:
        away = Membership.objects.get(group=here.circle.group, member=here.circle.on_leave)
        known = dict(here.known)
        known["roster"] = [*known["roster"], away.pk]
        return known


# What each place may hold, in the order of `known`: the words of the policy's file.
STATES = {
    "sessions": ["running", "held", "planned", "cancelled"],
    # A stream begins at its session.
    "live": ["running", "held", "planned", "cancelled"],
    "cases": ["told", "telling", "due"],
    "proposals": ["open", "invited"],
    "roster": ["here", "away"],
    "invitations": ["valid", "superseded", "expired"],
    "calendar": ["mine", "wrong", "cut"],
    "unsubscribe": ["theirs", "foreign"],
    "answer": ["theirs", "begun", "off", "wrong"],
}
NOT_SIGNED_IN = {"anonymous", "expired_invitee", "deactivated", "feed_holder"}


def make_world() -> World:
    """Seed both groups and everybody; to be called inside a transaction that is taken back."""
    circle = make_circle()
    a = install(circle)
    b = install(_circle_of_b(circle))
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(cap=15, alias="Tuesday circle")
        Session.objects.filter(pk__in=[a.planned.pk, b.planned.pk]).update(setting="online")
        _say_other_words(b)
        # However long the run takes, they were there a moment ago.
        RoomPresence.objects.update(seen_at=timezone.now() + timedelta(hours=1))
    elsewhere = _elsewhere()
    world = World(a, b, elsewhere, _evening_of(elsewhere), _due(a), _people(a, b))
    world.dead_tokens = _dead_tokens(circle)
    with as_owner():
        # Present for the case that was told, and gone since.
        CasePresence.objects.create(
            case=a.told, group=circle.group, member=world.people["former_leader"]
        )
    for name, member in world.people.items():
        world.clients[name] = _client(name, member, a.feed)
    with as_owner():
        Member.objects.filter(pk=world.people["deactivated"].pk).update(is_active=False)
    return world


def _circle_of_b(of_a: Circle) -> Circle:
    """Group B's own people, by the same names of roles; its member is the outsider of A."""
    group = of_a.other_group
    with as_owner():
        Group.objects.filter(pk=group.pk).update(alias="Thursday circle")
        group.refresh_from_db()
    names = {
        "leader": "Dr Ines Vogel",
        "second_leader": "Dr Paul Berg",
        "presenter": "Dr Sara Quist",
        "absent": "Dr Tom Yates",
        "newcomer": "Dr Una Frost",
        "on_leave": "Dr Vera Holm",
        "former": "Dr Will Eder",
    }
    people = {role: make_member(name) for role, name in names.items()}
    for role in ("leader", "second_leader"):
        join(group, people[role], "leader")
    for role in ("presenter", "absent", "on_leave"):
        join(group, people[role])
    join(group, people["newcomer"], since=timezone.now() - DAY, agreed=False)
    join(group, people["former"], until=years_ago(0.5))
    with as_owner():
        group.leaves.create(member=people["on_leave"], starts_at=years_ago(0.1))
    return Circle(
        programme=of_a.programme,
        group=group,
        other_group=of_a.group,
        member=of_a.outsider,
        admin=of_a.admin,
        outsider=of_a.member,
        superuser=of_a.superuser,
        **people,
    )


def other_words(text: str) -> str:
    """What stands in B where A has `text`: the same, and nothing of it."""
    return f"https://call.example/{uuid4().hex}" if text.startswith("https:") else text[::-1]


def _say_other_words(b: Installation) -> None:
    for proposal in (b.proposal, b.invited):
        proposal.name = other_words(proposal.name)
        proposal.save()
    for model in apps.get_models():
        if getattr(model, "balint_kind", None) != Kind.CONTENT:
            continue
        for row in _rows_of(b, model):
            changed = False
            for name in texts_of(model):
                text = getattr(row, name)
                if text and isinstance(text, str):
                    setattr(row, name, other_words(text))
                    changed = True
            if changed:
                row.save()


def texts_of(model: type) -> list[str]:
    """The fields in which somebody's own words stand, sealed or not."""
    sealed = [name for name, value in vars(model).items() if isinstance(value, SealedText)]
    return [*sealed, *({"join_link", "door", "number"} & set(vars(model)))]


def _rows_of(b: Installation, model: Any) -> Any:
    names = {one.name for one in model._meta.get_fields()}
    if "group" in names:
        return model.objects.filter(group=b.circle.group)
    if "session" in names:
        return model.objects.filter(session__group=b.circle.group)
    own = [b.circle.leader, *b.circle.inside[1:]]
    return model.objects.filter(member__in=own)


DUE = "The painted shutters"


def _due(a: Installation) -> CasePresentation:
    """A case told long ago, whose day has come, before the night that forgets it."""
    circle = a.circle
    with as_owner():
        case = CasePresentation(
            session=a.held,
            group=circle.group,
            order=2,
            presenter=circle.presenter,
            forget_on=date.today(),
        )
        case.title = DUE
        case.save(force_insert=True)
        for member in (circle.presenter, circle.leader, circle.member):
            CasePresence.objects.create(case=case, group=circle.group, member=member)
    return case


def _elsewhere() -> Group:
    with as_owner():
        programme = Programme.objects.create(name="South programme")
    return make_group(programme, name="Quarry group", alias="Monday circle")


def _evening_of(elsewhere: Group) -> EveningTemplate:
    with as_owner():
        return elsewhere.programme.evenings.create(
            key="theirs", name="Their evening", minutes={"story": 10, "group_work": 80}
        )


def _people(a: Installation, b: Installation) -> dict[str, Any]:
    group, other, now = a.circle.group, b.circle.group, timezone.now()
    people: dict[str, Any] = dict(a.personas)
    people |= dict.fromkeys(NOT_SIGNED_IN)
    people |= {"leader_b": b.circle.leader}
    came_and_went: dict[str, list[tuple[Group, str, dict[str, Any]]]] = {
        "new_leader": [(group, "leader", {"since": now - 2 * DAY})],
        "new_member": [(group, "member", {"since": now - 2 * DAY})],
        "former_leader": [(group, "leader", {"until": now - 5 * DAY})],
        "returning": [
            (group, "member", {"until": now - 100 * DAY}),
            (group, "member", {"since": now - 10 * DAY}),
        ],
        "member_of_both": [(group, "member", {}), (other, "member", {})],
        "admin_in_b": [(other, "member", {})],
        "admin_elsewhere": [],
        "deactivated": [(group, "member", {})],
        "just_left": [(group, "member", {"until": now - timedelta(minutes=10)})],
        "late_member": [(group, "member", {"since": now - timedelta(minutes=10)})],
        "no_group": [],
    }
    for number, (name, places) in enumerate(came_and_went.items()):
        people[name] = person = make_member(f"Dr Extra Number{'abcdefghijkl'[number]}")
        for place, role, times in places:
            join(place, person, role, **times)
    for name, programme in (
        ("admin_in_b", a.circle.programme),
        ("admin_elsewhere", _programme_elsewhere()),
    ):
        with as_owner():
            ProgrammeAdmin.objects.create(
                programme=programme, member=people[name], starts_at=years_ago(1)
            )
    return people


def _programme_elsewhere() -> Programme:
    return Programme.objects.get(name="South programme")


def _dead_tokens(circle: Circle) -> list[str]:
    """Of an invitation sent again since, and of one that has run out."""
    now = timezone.now()
    tokens = []
    with as_owner():
        for name, fields, later in (
            ("again", {"expires_at": now + 9 * DAY}, {"sends": 2}),
            ("late", {"expires_at": now - DAY}, {}),
        ):
            sent = Proposal.objects.create(
                programme=circle.programme,
                group=circle.group,
                role="member",
                address=f"{name}@example.org",
                proposed_by=circle.admin,
                proposed_as="admin",
                proposed_at=now - 40 * DAY,
                consented_at=now - 40 * DAY,
                sends=1,
                **fields,
            )
            tokens.append(invitations.token(sent))
            Proposal.objects.filter(pk=sent.pk).update(**later)
    return tokens


def _client(name: str, member: Member | None, token: str) -> Client:
    """A browser signed in a moment ago; the holder of a feed's token shows it everywhere."""
    shown = {"Authorization": f"Bearer {token}"} if name == "feed_holder" else None
    client = Client(raise_request_exception=False, headers=shown)
    if member is not None:
        become(None, "balint_app")
        client.force_login(member)
        session = client.session
        # However long the run takes, it was a moment ago.
        session["sitting_began"] = session["sitting_seen"] = int(_later())
        session["account_authentication_methods_user"] = str(member.pk)
        session["account_authentication_methods"] = [
            {
                "method": "password",
                "at": _later(),
                "email": member.email,
                "reauthenticated": True,
            }
        ]
        session.save()
    return client


def _later() -> float:
    return (timezone.now() + timedelta(hours=1)).timestamp()


# A database to do it in


@contextmanager
def taken_back() -> Iterator[None]:
    """A transaction in which everything is seeded and asked, and of which nothing stays."""
    with transaction.atomic():
        become(None, "balint_app")
        yield
        transaction.set_rollback(True)


@contextmanager
def own_database(name: str) -> Iterator[None]:
    """The suite's own database where a test runs; else a clone of the template for this run."""
    if connection.in_atomic_block:
        yield
        return
    import dj_database_url

    from tests import servers

    ready()
    connections["default"].close()
    fresh = dj_database_url.parse(servers.url("balint_test", servers.clone(name)))
    connections["default"].settings_dict.update(fresh)
    try:
        yield
    finally:
        connections["default"].close()
        servers.drop(name)


def ready() -> None:
    """The settings of a process of the proofs, from what the servers left in the environment."""
    settings.BALINT_KEY_FILE = f"{os.environ['BALINT_TEST_FOLDER']}/keys.json"
    settings.CACHES["default"]["LOCATION"] = os.environ["BALINT_TEST_REDIS"]

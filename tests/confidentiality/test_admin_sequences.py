"""T1, T3, T4: whatever an admin does in a row, with a friend's account or alone, nothing opens.

Sequences of real posts; after each, no content by SQL under an identity of theirs, and no page with
a text of the group. `BALINT_SEQUENCES=3` runs every sequence of up to three of all the actions.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from html import unescape
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import get_commands
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from groups import invitations
from groups.models import Membership, Programme, ProgrammeAdmin, Proposal
from members.identity import become
from members.kinds import Kind
from members.models import Member
from tests.balint import installation
from tests.balint.addresses import addresses
from tests.balint.installation import Installation, install
from tests.world import as_member, as_owner, make_member, years_ago

LENGTH = int(os.environ.get("BALINT_SEQUENCES", "2"))
TEXTS = [getattr(installation, name) for name in ("TITLE", "AWAY", "ON_LEAVE", "LEAVING", "DOOR")]
TEXT_FIELDS = (".title", ".reason", ".text", ".door", ".join_link", ".number")
TEXTS += [installation.CANCELLED, installation.LINK, installation.PHONE]
FRAME = {"setting": "in_person", "place": "Elsewhere", "time_zone": "UTC", "cap": 12, "contact": ""}


@dataclass
class Office:
    """The installation, an admin, a friend whose account the admin has, and another's admin."""

    there: Installation
    friend: Member
    foreign: Member
    clients: dict[str, Client] = field(default_factory=dict)

    @cached_property
    def people(self) -> dict[str, Member]:
        return {"admin": self.there.circle.admin, "friend": self.friend, "foreign": self.foreign}

    def post(self, who: str, path: str, data: dict[str, Any] | None = None) -> int:
        become(None, "balint_app")
        return int(self.clients[who].post(path, data or {}).status_code)

    def get(self, who: str, path: str) -> str:
        become(None, "balint_app")
        return unescape(self.clients[who].get(path).content.decode())

    @property
    def group(self) -> str:
        return f"/groups/{self.there.circle.group.pk}/"

    @property
    def office(self) -> str:
        return f"/programmes/{self.there.circle.programme.pk}{self.group}"

    def newest(self, person: Member) -> Proposal | None:
        with as_owner():
            return Proposal.objects.filter(address=person.email).order_by("proposed_at").last()

    def membership(self, name: str) -> str:
        with as_owner():
            circle = self.there.circle
            held = Membership.objects.get(group=circle.group, member=getattr(circle, name))
        return str(held.pk)


@pytest.fixture
def office(circle, client_of):
    there = install(circle)
    friend, foreign = make_member("Dr Friend"), make_member("Other Office")
    with as_owner():
        elsewhere = Programme.objects.create(name="South programme")
        ProgrammeAdmin.objects.create(programme=elsewhere, member=foreign, starts_at=years_ago(1))
    office = Office(there, friend, foreign)
    office.clients = {name: client_of(person) for name, person in office.people.items()}
    return office


Act = Callable[[Office], object]


def propose(actor: str, whom: str, role: str) -> Act:
    def act(office: Office) -> object:
        data = {"address": office.people[whom].email, "name": "Somebody", "role": role}
        return office.post(actor, f"{office.office}propose/", data)

    return act


def of_newest(actor: str, whom: str, verb: str, **data: str) -> Act:
    """Something done to the latest proposal of `whom`, if there is one."""

    def act(office: Office) -> object:
        proposal = office.newest(office.people[whom])
        return proposal and office.post(actor, f"/proposals/{proposal.pk}/{verb}/", data)

    return act


def accept(whom: str) -> Act:
    def act(office: Office) -> object:
        proposal = office.newest(office.people[whom])
        return proposal and office.post(whom, f"/invitations/{invitations.token(proposal)}/")

    return act


def ask_end(actor: str, name: str) -> Act:
    def act(office: Office) -> object:
        last_on = timezone.localdate() + timedelta(days=3)
        data = {"membership": office.membership(name), "last_on": last_on.isoformat()}
        return office.post(actor, office.office, data)

    return act


def act_on(path: str, **data: Any) -> Callable[[str], Act]:
    """A post to one of the group's own or the office's addresses."""
    return lambda actor: lambda office: office.post(actor, path.format(office=office), data)


ON_THE_GROUP = {
    "frame": act_on("{office.office}edit/", name="Valley", **FRAME),
    "inside": act_on("{office.group}edit/", name="Valley", keeps_cases_days=365, **FRAME),
    "leaders": act_on("{office.group}propose/", address="x@example.org", role="leader"),
    "agree": act_on("{office.group}agreement/", version=1),
    "text": act_on("{office.group}agreement/edit/", text="Open", begins_on="2030-01-01"),
    "leave": act_on("{office.group}leave/", do="leave", **{"leave-when": "now"}),
    "yes to an end": act_on("/endings/{office.there.ending.pk}/yes/"),
    "no end": act_on("/endings/{office.there.ending.pk}/withdraw/"),
    "yes": act_on("/proposals/{office.there.proposal.pk}/answer/", answer="yes"),
    "send again": act_on("/proposals/{office.there.invited.pk}/resend/"),
    "open the room": act_on("/sessions/{office.there.planned.pk}/room/open/", seen=0),
    "cancel": act_on("/sessions/{office.there.planned.pk}/cancel/", seen=0),
    "title": act_on("/cases/{office.there.told.pk}/title/", title="x"),
    "forget": act_on("/cases/{office.there.told.pk}/forget/"),
}
NEW_GROUP = {"name": "Ours", "setting": "in_person", "place": "", "time_zone": "UTC"}
ACTIONS: dict[str, Act] = {
    **{f"admin: {name}": make("admin") for name, make in ON_THE_GROUP.items()},
    "admin: new group": lambda office: office.post(
        "admin", f"/programmes/{office.there.circle.programme.pk}/groups/new/", NEW_GROUP
    ),
    "admin: propose himself": propose("admin", "admin", "member"),
    "admin: propose himself as leader": propose("admin", "admin", "leader"),
    "admin: say yes to himself": of_newest("admin", "admin", "answer", answer="yes"),
    "admin: send himself again": of_newest("admin", "admin", "resend"),
    "admin: accept": accept("admin"),
    "admin: propose a friend": propose("admin", "friend", "member"),
    "admin: propose a friend as leader": propose("admin", "friend", "leader"),
    "friend: say yes to himself": of_newest("friend", "friend", "answer", answer="yes"),
    "friend: accept": accept("friend"),
    "friend: agree": ON_THE_GROUP["agree"]("friend"),
    "admin: ask for the leader's end": ask_end("admin", "leader"),
    "admin: ask for a member's end": ask_end("admin", "presenter"),
}
FOREIGN: dict[str, Act] = {
    **{name: make("foreign") for name, make in ON_THE_GROUP.items()},
    "propose himself": propose("foreign", "foreign", "leader"),
    "accept": accept("foreign"),
    "ask for an end": ask_end("foreign", "leader"),
}
# What changes who belongs: in the suite every sequence goes on with one of these.
MOVES = (
    "admin: propose himself as leader",
    "admin: say yes to himself",
    "admin: accept",
    "admin: propose a friend as leader",
    "friend: accept",
)
Steps = tuple[dict[str, Act], ...]
PAGES = (
    *("{office.group}", "{office.group}roster/", "{office.office}", "/settings/kept/"),
    *("/sessions/{office.there.held.pk}/", "/cases/{office.there.told.pk}/"),
)


def content() -> Iterator[str]:
    for model in apps.get_models():
        if getattr(model, "balint_kind", None) == Kind.CONTENT:
            yield model._meta.db_table


def rows_for(person: Member) -> int:
    """Content rows of others the person could read by SQL; nobody here has any of their own."""
    counts = " + ".join(f"(select count(*) from {table})" for table in content())  # noqa: S608
    with as_member(person), connection.cursor() as cursor:
        cursor.execute(f"select {counts}")
        return int(cursor.fetchone()[0])


def nothing_opened(office: Office, actors: tuple[str, ...], done: tuple[str, ...]) -> None:
    for who in actors:
        assert rows_for(office.people[who]) == 0, done
        if LENGTH > 2 or len(done) == 1:
            for path in PAGES:
                page = office.get(who, path.format(office=office))
                assert [text for text in TEXTS if text in page] == [], (done, who, path)


def walk(office: Office, actors: tuple[str, ...], steps: Steps, *done: str) -> int:
    """Every sequence that goes on from here, each taken back; their number."""
    count = 0
    for name, act in steps[0].items() if steps else ():
        with transaction.atomic():
            act(office)
            become(None, "balint_app")
            nothing_opened(office, actors, (*done, name))
            count += 1 + walk(office, actors, steps[1:], *done, name)
            transaction.set_rollback(True)
    return count


def number_of(steps: Steps) -> int:
    return len(steps[0]) * (1 + number_of(steps[1:])) if steps else 0


def test_no_sequence_of_an_admin_and_a_friend_opens_anything(office):
    further = ACTIONS if LENGTH > 2 else {name: ACTIONS[name] for name in MOVES}
    steps = (ACTIONS, *(further,) * (LENGTH - 1))
    assert walk(office, ("admin", "friend"), steps) == number_of(steps)


def test_no_sequence_of_another_programmes_admin_opens_anything(office):
    steps = (FOREIGN,) * (LENGTH - 1)
    assert walk(office, ("foreign",), steps) == number_of(steps)


def test_the_actions_are_real_some_of_them_do_what_they_say(office):
    done = {name: act(office) for name, act in ACTIONS.items() if name.startswith("admin: ")}
    changed = {name for name, status in done.items() if status == 302}
    assert changed >= {"admin: frame", "admin: new group", "admin: propose himself"}
    assert changed >= {"admin: propose a friend", "admin: ask for the leader's end"}


# T4: with every approval missing, by itself.


@pytest.mark.parametrize("missing", ["leader", "second_leader"])
def test_a_third_persons_lead_waits_for_each_leader_there_is(office, missing):
    circle = office.there.circle
    stays = "second_leader" if missing == "leader" else "leader"
    with as_owner():
        Membership.objects.filter(member=getattr(circle, stays)).update(ended_at=years_ago(0.01))
    propose("admin", "friend", "leader")(office)
    accept("friend")(office)
    with as_owner():
        assert not Membership.objects.filter(member=office.friend).exists()
        assert Proposal.objects.get(address=office.friend.email).consented_at is None


# T3: no other door.


def test_there_is_no_admin_site_and_no_signing_in_as_somebody_else():
    assert not apps.is_installed("django.contrib.admin")
    paths = {one.pattern for one in addresses()}
    words = ("admin", "hijack", "impersonat", "loginas", "su/")
    assert [path for path in paths if any(path.startswith(word) for word in words)] == []


@pytest.mark.parametrize("role", ["balint_roster", "balint_worker"])
def test_the_offices_and_the_workers_roles_have_no_right_on_any_content(db, role):
    for table in content():
        for right in ("select", "insert", "update", "delete", "truncate", "references"):
            with connection.cursor() as cursor:
                cursor.execute("select has_table_privilege(%s, %s, %s)", [role, table, right])
                assert cursor.fetchone()[0] is False, (table, right)


# What each of our commands says, so that a new one has to answer for itself.
COMMANDS = {
    "audit": "kinds of things and times, for a complaint; never a text",
    "demo": "starts a demonstration with people of its own",
    "dispatch_letters": "a number of letters",
    "forget": "how many rows were forgotten",
    "found": "the address an invitation was sent to",
    "keys": "epochs of keys; never a key or a text",
    "roles": "SQL for the server",
    "signins": "a number of sign-ins ended",
}


def test_every_command_of_ours_is_known_and_none_prints_content():
    apps_of_ours = {"balint", "members", "groups", "sessions"}
    ours = {name for name, app in get_commands().items() if str(app) in apps_of_ours}
    assert ours <= set(COMMANDS)
    for name in ours:
        source = Path(
            str(import_module(f"{get_commands()[name]}.management.commands.{name}").__file__)
        )
        said = [line for line in source.read_text().splitlines() if "write(" in line]
        assert [one for one in said if any(word in one for word in TEXT_FIELDS)] == []

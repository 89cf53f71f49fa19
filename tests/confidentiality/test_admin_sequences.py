"""T1, T3, T4: whatever an admin does in a row, with a friend's account or alone, nothing opens.

Every sequence of real posts up to a length; after each, no content by SQL under anybody's identity
of theirs, and no page with a text of the group. `BALINT_SEQUENCES=3` runs the long ones.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from html import unescape
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin as django_admin
from django.core.management import get_commands
from django.db import connection, transaction
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from groups import invitations
from groups.models import Membership, Programme, ProgrammeAdmin, Proposal
from members.identity import become
from members.kinds import Kind
from members.models import Member
from tests.balint import installation
from tests.balint.installation import Installation, install
from tests.world import as_member, as_owner, make_member, years_ago

LENGTH = int(os.environ.get("BALINT_SEQUENCES", "2"))
TEXTS = [getattr(installation, name) for name in ("TITLE", "AWAY", "ON_LEAVE", "LEAVING", "DOOR")]
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
PAGES = ("{office.group}", "{office.group}roster/", "{office.office}")
MORE_PAGES = (
    *(
        "{office.group}edit/",
        "{office.group}agreement/",
        "{office.group}schedule/",
        "/",
        "/groups/",
    ),
    *("/sessions/{office.there.held.pk}/", "/cases/{office.there.told.pk}/", "/calendar/agenda/"),
    *("/sessions/{office.there.running.pk}/room/", "/settings/kept/"),
)


def content() -> Iterator[str]:
    for model in apps.get_models():
        if getattr(model, "balint_kind", None) == Kind.CONTENT:
            yield model._meta.db_table


def rows_for(person: Member) -> int:
    """Content rows of others the person could read by SQL; nobody here has any of their own."""
    counts = " + ".join(f"(select count(*) from {table})" for table in content())
    with as_member(person), connection.cursor() as cursor:
        cursor.execute(f"select {counts}")
        return int(cursor.fetchone()[0])


def nothing_opened(office: Office, actors: tuple[str, ...], done: tuple[str, ...]) -> None:
    for who in actors:
        assert rows_for(office.people[who]) == 0, done
        for path in PAGES + (MORE_PAGES if LENGTH > 2 or len(done) < 2 else ()):
            page = office.get(who, path.format(office=office))
            assert [text for text in TEXTS if text in page] == [], (done, who, path)


def walk(
    office: Office, actions: dict[str, Act], actors: tuple[str, ...], length: int, *done: str
) -> int:
    """Every sequence that goes on from here, each taken back; their number."""
    count = 0
    for name, act in actions.items():
        with transaction.atomic():
            act(office)
            become(None, "balint_app")
            nothing_opened(office, actors, (*done, name))
            count += 1
            if length > 1:
                count += walk(office, actions, actors, length - 1, *done, name)
            transaction.set_rollback(True)
    return count


def number_of(actions: dict[str, Act], length: int) -> int:
    return sum(len(actions) ** steps for steps in range(1, length + 1))


@pytest.mark.parametrize("begins", ACTIONS)
def test_no_sequence_of_an_admin_and_a_friend_opens_anything(office, begins):
    with transaction.atomic():
        ACTIONS[begins](office)
        become(None, "balint_app")
        nothing_opened(office, ("admin", "friend"), (begins,))
        walked = walk(office, ACTIONS, ("admin", "friend"), LENGTH - 1, begins)
        transaction.set_rollback(True)
    assert walked == number_of(ACTIONS, LENGTH - 1)


def test_no_sequence_of_another_programmes_admin_changes_or_opens_anything(office):
    walked = walk(office, FOREIGN, ("foreign",), LENGTH - 1)
    assert walked == number_of(FOREIGN, LENGTH - 1)


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
    assert django_admin.site._registry == {}
    names = {str(one.pattern) for one in get_resolver().url_patterns}
    assert [
        name for name in names if "admin" in name or "hijack" in name or "imperson" in name
    ] == []


@pytest.mark.parametrize("role", ["balint_roster", "balint_worker"])
def test_the_offices_and_the_workers_roles_have_no_right_on_any_content(db, role):
    for table in content():
        for right in ("select", "insert", "update", "delete", "truncate", "references"):
            with connection.cursor() as cursor:
                cursor.execute("select has_table_privilege(%s, %s, %s)", [role, table, right])
                assert cursor.fetchone()[0] is False, (table, right)


def test_every_command_of_ours_is_known_and_none_of_them_prints_content():
    ours = {
        name
        for name, app in get_commands().items()
        if app in {"balint", "members", "sessions", "groups"}
    }
    assert ours <= {
        "demo",
        "found",
        "roles",
        "keys",
        "dispatch_letters",
        "forget",
        "record",
        "upkeep",
    }

"""The frame's guards alone: SQL under the web's roles, and nothing of the application between."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from groups.models import (
    Acceptance,
    Agreement,
    Consent,
    Ending,
    Group,
    Leave,
    Membership,
    Preference,
    Programme,
    ProgrammeAdmin,
    Proposal,
)
from sessions.models import Series, Session
from tests.world import Circle, as_member, as_owner, join, make_group, make_member, years_ago

NOW = timezone.now()
LATER = NOW + timedelta(days=30)
APP, ROSTER = "balint_app", "balint_roster"


def insert(model, **fields):
    model.objects.bulk_create([model(id=uuid4(), **fields)])


def change(model, row, **fields):
    assert model.objects.filter(pk=row.pk).update(**fields) == 1


def remove(row):
    assert type(row).objects.filter(pk=row.pk)._raw_delete("default") == 1


class Ground:
    """The circle, a group of another programme, and what waits for an answer."""

    def __init__(self, circle: Circle) -> None:
        self.circle, self.group, self.programme = circle, circle.group, circle.programme
        self.friend = make_member("Dr Friend", email="friend@example.org")
        with as_owner():
            self.elsewhere = Programme.objects.create(name="South programme")
        self.foreign = make_group(self.elsewhere, name="Foreign group")
        self.empty = make_group(self.programme, name="New group")
        self.leaderless = make_group(self.programme, name="Leaderless group")
        for one in (circle.member, circle.absent, circle.former):
            join(self.leaderless, one)
        with as_owner():
            Leave.objects.create(
                group=self.leaderless, member=circle.absent, starts_at=years_ago(0.1)
            )
            self.waiting = self.proposal(self.group, "member", circle.admin, "admin")
            self.second = self.proposal(self.leaderless, "leader", circle.admin, "admin")
            self.invited = self.proposal(
                self.group, "member", circle.leader, "leader", consented_at=NOW, sends=1
            )
            self.own = self.proposal(
                self.empty,
                "leader",
                circle.admin,
                "admin",
                address=circle.admin.email,
                consented_at=NOW,
            )
            self.by_command = Proposal.objects.create(
                programme=self.elsewhere,
                role="admin",
                address=self.friend.email,
                proposed_as="command",
                proposed_at=NOW,
                consented_at=NOW,
                expires_at=LATER,
                sends=1,
            )
            self.farewell = self.ending("absent", circle.leader, "leader")
            self.asked = self.ending("presenter", circle.admin, "admin")
            self.settled = self.ending("member", circle.leader, "leader", confirmed_at=NOW)
            Membership.objects.filter(pk=self.settled.membership_id).update(ended_at=LATER)
            Consent.objects.create(
                group=self.group, ending=self.farewell, member=circle.leader, yes=True, given_at=NOW
            )
            self.session = Session.objects.create(
                group=self.group,
                starts_at=LATER,
                minutes=90,
                time_zone="UTC",
                phase="planned",
                runs_until=LATER + timedelta(hours=12),
                updated_at=NOW,
            )

    def proposal(self, group, role, by, side, **fields):
        values = {"address": self.friend.email, "expires_at": LATER}
        return Proposal.objects.create(
            programme_id=group.programme_id,
            group=group,
            role=role,
            proposed_by=by,
            proposed_as=side,
            proposed_at=NOW,
            **(values | fields),
        )

    def ending(self, who, by, side, **fields):
        membership = Membership.objects.get(group=self.group, member=getattr(self.circle, who))
        return Ending.objects.create(
            group=self.group,
            membership=membership,
            asked_by=by,
            asked_as=side,
            asked_at=NOW,
            ends_at=LATER,
            **fields,
        )

    def of(self, who, group=None):
        with as_owner():
            member = getattr(self.circle, who)
            return Membership.objects.get(group=group or self.group, member=member)

    def agreement(self, group=None):
        with as_owner():
            return Agreement.objects.get(group=group or self.group)


@pytest.fixture
def ground(circle):
    return Ground(circle)


def place(group, member, role="member", **more):
    return lambda g: insert(
        Membership,
        group=getattr(g, group),
        member=getattr(g.circle, member, None) or g.friend,
        role=role,
        **({"starts_at": timezone.now()} | more),
    )


def proposed(group, side, **more):
    def attack(g):
        row = {
            "group": getattr(g, group),
            "programme_id": getattr(g, group).programme_id,
            "role": "member",
            "address": "new@example.org",
            "proposed_as": side,
            "proposed_at": NOW,
        }
        more_now = {name: one(g) if callable(one) else one for name, one in more.items()}
        insert(Proposal, **(row | more_now))

    return attack


def said(what, who, yes=True):
    def attack(g):
        row = getattr(g, what)
        about = {"ending" if isinstance(row, Ending) else "proposal": row}
        member = getattr(g.circle, who)
        insert(Consent, group=row.group, member=member, yes=yes, given_at=NOW, **about)

    return attack


def update(what, **fields):
    def attack(g):
        row = getattr(g, what)
        now = {name: one(g) if callable(one) else one for name, one in fields.items()}
        change(type(row), row, **now)

    return attack


def asked_end(who, side, by, **more):
    return lambda g: insert(
        Ending,
        group=g.group,
        membership=g.of(who),
        asked_by=getattr(g.circle, by),
        asked_as=side,
        asked_at=NOW,
        ends_at=LATER,
        **more,
    )


def ended(who, at=None):
    return lambda g: change(Membership, g.of(who), ended_at=at or NOW)


def me(name):
    return lambda g: getattr(g.circle, name)


ACCEPT = {"accepted_at": lambda g: timezone.now()}
ATTACKS = {
    # Putting in: nobody without an accepted, consented proposal of their very own.
    "an admin puts himself in": ("admin", APP, place("group", "admin")),
    "an admin puts himself in from the office": ("admin", ROSTER, place("group", "admin")),
    "an admin makes himself leader": ("admin", APP, place("group", "admin", "leader")),
    "an admin puts a friend in": ("admin", APP, place("group", "friend")),
    "a leader puts a friend in": ("leader", APP, place("group", "friend")),
    "a leader puts in who was invited": ("leader", APP, place("group", "friend")),
    "a member of another group comes in": ("outsider", APP, place("group", "outsider")),
    "a former member comes back by himself": ("former", APP, place("group", "former")),
    "a member is a leader all at once": (
        "member",
        APP,
        lambda g: change(Membership, g.of("member"), role="leader"),
    ),
    "who accepted comes in as of last year": (
        "friend",
        APP,
        lambda g: (
            change(Proposal, g.invited, accepted_at=timezone.now(), accepted_by=g.friend),
            place("group", "friend", starts_at=years_ago(1))(g),
        ),
    ),
    "one invitation opens two places": (
        "friend",
        APP,
        lambda g: (
            change(Proposal, g.invited, accepted_at=timezone.now(), accepted_by=g.friend),
            place("group", "friend")(g),
            place("group", "friend")(g),
        ),
    ),
    "an invitation as a member makes a leader": (
        "friend",
        APP,
        lambda g: (
            change(Proposal, g.invited, accepted_at=timezone.now(), accepted_by=g.friend),
            place("group", "friend", "leader")(g),
        ),
    ),
    # Accepting: in one's own name, what was said yes to, by others.
    "an admin accepts for a friend": (
        "admin",
        APP,
        update("invited", accepted_by=lambda g: g.friend, **ACCEPT),
    ),
    "an admin accepts another's invitation": (
        "admin",
        APP,
        update("invited", accepted_by=me("admin"), **ACCEPT),
    ),
    "a friend accepts what nobody said yes to": (
        "friend",
        APP,
        update("waiting", consented_at=NOW, accepted_by=lambda g: g.friend, **ACCEPT),
    ),
    "an admin accepts his own proposal": (
        "admin",
        APP,
        update("own", accepted_by=me("admin"), **ACCEPT),
    ),
    "a friend accepted yesterday": (
        "friend",
        APP,
        update("invited", accepted_by=lambda g: g.friend, accepted_at=NOW - timedelta(days=1)),
    ),
    # Saying yes: in one's own name, when asked, and never to one's own.
    "an admin says yes to his proposal": ("admin", APP, said("waiting", "admin")),
    "an admin says yes for the leader": ("admin", APP, said("waiting", "leader")),
    "an admin says yes from the office": ("admin", ROSTER, said("waiting", "admin")),
    "a member says yes for the leader": ("member", APP, said("waiting", "leader")),
    "a member says yes where leaders are asked": ("member", APP, said("waiting", "member")),
    "a newcomer says yes": ("newcomer", APP, said("waiting", "newcomer")),
    "an outsider says yes": ("outsider", APP, said("waiting", "outsider")),
    "who is away says yes": ("absent", APP, said("second", "absent")),
    "a yes is set without anybody's": ("admin", APP, update("waiting", consented_at=NOW)),
    "a yes is set from the office": ("admin", ROSTER, update("waiting", consented_at=NOW)),
    "a yes is set with one of two missing": ("admin", ROSTER, update("second", consented_at=NOW)),
    "a no is said by who was not asked": ("admin", APP, update("waiting", refused_at=NOW)),
    "a member withdraws a proposal": ("member", APP, update("waiting", withdrawn_at=NOW)),
    "the office withdraws the leaders'": ("admin", ROSTER, update("invited", withdrawn_at=NOW)),
    "the office sends the leaders' again": ("admin", ROSTER, update("invited", sends=2)),
    # Proposing: by one's side, in one's own name, and without a yes in it.
    "an admin proposes as a leader": (
        "admin",
        APP,
        proposed("group", "leader", proposed_by=me("admin")),
    ),
    "an admin proposes in the leader's name": (
        "admin",
        APP,
        proposed("group", "admin", proposed_by=me("leader")),
    ),
    "an admin proposes as the command": (
        "admin",
        ROSTER,
        proposed("group", "command", proposed_by=me("admin")),
    ),
    "an admin brings the yes along": (
        "admin",
        ROSTER,
        proposed("group", "admin", proposed_by=me("admin"), consented_at=NOW),
    ),
    "an admin proposes in another programme": (
        "admin",
        ROSTER,
        proposed("foreign", "admin", proposed_by=me("admin")),
    ),
    "an admin says another group is of his programme": (
        "admin",
        ROSTER,
        proposed(
            "foreign",
            "admin",
            proposed_by=me("admin"),
            programme_id=lambda g: g.programme.pk,
        ),
    ),
    "a member proposes": ("member", APP, proposed("group", "leader", proposed_by=me("member"))),
    # Programmes.
    "a member looks after a programme": (
        "member",
        APP,
        lambda g: insert(
            ProgrammeAdmin, programme=g.programme, member=g.circle.member, starts_at=NOW
        ),
    ),
    "an admin makes a friend one": (
        "admin",
        APP,
        lambda g: insert(ProgrammeAdmin, programme=g.programme, member=g.friend, starts_at=NOW),
    ),
    "an admin looks after another programme too": (
        "admin",
        APP,
        lambda g: insert(
            ProgrammeAdmin, programme=g.elsewhere, member=g.circle.admin, starts_at=NOW
        ),
    ),
    "a superuser looks after a programme": (
        "superuser",
        APP,
        lambda g: insert(
            ProgrammeAdmin, programme=g.programme, member=g.circle.superuser, starts_at=NOW
        ),
    ),
    "an admin proposes himself for another programme": (
        "admin",
        ROSTER,
        lambda g: insert(
            Proposal,
            programme=g.elsewhere,
            role="admin",
            address="x@example.org",
            proposed_by=g.circle.admin,
            proposed_as="admin",
            proposed_at=NOW,
        ),
    ),
    "an admin makes a group elsewhere": (
        "admin",
        ROSTER,
        lambda g: insert(Group, programme=g.elsewhere, name="Mine"),
    ),
    "an admin changes a group elsewhere": ("admin", ROSTER, update("foreign", name="Mine")),
    "an admin changes how a group works": ("admin", ROSTER, update("group", sits_back=False)),
    "an admin changes how long cases stay": ("admin", APP, update("group", keeps_cases_days=365)),
    "a leader keeps cases longer": ("leader", APP, update("group", keeps_cases_days=365)),
    "a member renames the group": ("member", APP, update("group", name="Mine")),
    # Ends.
    "an admin ends a membership": ("admin", APP, ended("member")),
    "a member ends another's": ("presenter", APP, ended("absent")),
    "one of two leaders ends one alone": ("leader", APP, ended("absent")),
    "one of two leaders settles it alone": ("leader", APP, update("farewell", confirmed_at=NOW)),
    "a leader settles the office's wish alone": ("leader", APP, update("asked", confirmed_at=NOW)),
    "the office settles its own wish": ("admin", ROSTER, update("asked", confirmed_at=NOW)),
    "an admin says yes to his wish": ("admin", APP, said("asked", "admin")),
    "a leader says the other's yes": ("leader", APP, said("farewell", "second_leader")),
    "a leader asks in the person's name": (
        "leader",
        APP,
        asked_end("second_leader", "person", "second_leader"),
    ),
    "a member asks for another's end": ("member", APP, asked_end("presenter", "leader", "member")),
    "an admin asks as a leader": ("admin", APP, asked_end("second_leader", "leader", "admin")),
    "an end comes settled": (
        "leader",
        APP,
        asked_end("second_leader", "leader", "leader", confirmed_at=NOW),
    ),
    "a leader puts the other one on leave": (
        "leader",
        APP,
        lambda g: insert(Leave, group=g.group, member=g.circle.second_leader, starts_at=NOW),
    ),
    "somebody stays beyond what was settled": (
        "member",
        APP,
        lambda g: (
            change(Ending, g.settled, withdrawn_at=timezone.now()),
            Membership.objects.filter(member=g.circle.member, group=g.group).update(ended_at=None),
        ),
    ),
    "a former member lengthens the past": ("former", APP, ended("former", LATER)),
    "a former member takes the end away": (
        "former",
        APP,
        lambda g: change(Membership, g.of("former"), ended_at=None),
    ),
    # The agreement.
    "a leader agrees for a newcomer": (
        "leader",
        APP,
        lambda g: insert(
            Acceptance,
            agreement=g.agreement(),
            group=g.group,
            member=g.circle.newcomer,
            accepted_at=timezone.now(),
        ),
    ),
    "a newcomer agreed last week": (
        "newcomer",
        APP,
        lambda g: insert(
            Acceptance,
            agreement=g.agreement(),
            group=g.group,
            member=g.circle.newcomer,
            accepted_at=NOW - timedelta(days=7),
        ),
    ),
    "an outsider agrees": (
        "outsider",
        APP,
        lambda g: insert(
            Acceptance,
            agreement=g.agreement(),
            group=g.group,
            member=g.circle.outsider,
            accepted_at=timezone.now(),
        ),
    ),
    "an admin writes the group's text": (
        "admin",
        ROSTER,
        lambda g: insert(
            Agreement,
            group=g.group,
            version=2,
            text="x",
            in_force_at=LATER,
            written_by=g.circle.admin,
        ),
    ),
    "a leader changes what was agreed to": (
        "leader",
        APP,
        lambda g: change(Agreement, g.agreement(), text="x"),
    ),
    "a leader takes away the text in force": ("leader", APP, lambda g: remove(g.agreement())),
    "a leader writes one in force since yesterday": (
        "leader",
        APP,
        lambda g: insert(
            Agreement,
            group=g.group,
            version=2,
            text="x",
            in_force_at=NOW - timedelta(days=1),
            written_by=g.circle.leader,
        ),
    ),
    # Wishes and dates.
    "a leader wishes for a member": (
        "leader",
        APP,
        lambda g: insert(Preference, group=g.group, member=g.circle.member, shares_phone=True),
    ),
    "a member moves a meeting": ("member", APP, update("session", minutes=15)),
    "an admin moves a meeting": ("admin", APP, update("session", minutes=15)),
    "an outsider removes a meeting": ("outsider", APP, lambda g: remove(g.session)),
    "a member plans a year": (
        "member",
        APP,
        lambda g: insert(
            Series,
            group=g.group,
            rule="month:1:3:3",
            starts_at="19:30",
            minutes=90,
            time_zone="UTC",
            first_on=NOW.date(),
            last_on=LATER.date(),
        ),
    ),
}


def frame_of(ground):
    with as_owner():
        return {
            model: sorted(map(str, model.objects.values_list()))
            for model in (
                *(Acceptance, Agreement, Consent, Ending, Group, Leave, Membership, Preference),
                *(ProgrammeAdmin, Proposal, Session, Series),
            )
        }


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_database_refuses_alone(ground, attack):
    who, role, attempt = ATTACKS[attack]
    person = ground.friend if who == "friend" else getattr(ground.circle, who)
    before = frame_of(ground)
    refused = "row-level security|permission denied"
    with (
        pytest.raises(ProgrammingError, match=refused),
        transaction.atomic(),
        as_member(person, role),
    ):
        attempt(ground)
    assert frame_of(ground) == before


def test_an_admin_who_belongs_to_a_group_is_not_its_office(ground):
    join(ground.group, ground.circle.admin)
    attempts = (
        proposed("group", "admin", proposed_by=me("admin")),
        asked_end("second_leader", "admin", "admin"),
        update("group", place="Elsewhere"),
        update("waiting", withdrawn_at=NOW),
    )
    for attempt in attempts:
        for role in (APP, ROSTER):
            with (
                pytest.raises(ProgrammingError, match="row-level security"),
                transaction.atomic(),
                as_member(ground.circle.admin, role),
            ):
                attempt(ground)


def test_what_is_right_goes_by_sql_as_well(ground):
    circle = ground.circle
    with as_member(circle.leader):
        said("waiting", "leader")(ground)
        update("waiting", consented_at=NOW)(ground)
    with as_member(circle.second_leader):
        said("farewell", "second_leader")(ground)
        update("farewell", confirmed_at=NOW)(ground)
        ended("absent", LATER)(ground)
    with as_member(ground.friend):
        update("invited", accepted_by=lambda g: g.friend, **ACCEPT)(ground)
        place("group", "friend")(ground)
    with as_member(circle.admin, ROSTER):
        update("group", place="Elsewhere")(ground)


def test_a_leaderless_groups_leader_needs_the_yes_of_everyone_active_and_of_nobody_away(ground):
    circle = ground.circle
    for who in ("member", "former"):
        with as_member(circle.admin, ROSTER), pytest.raises(ProgrammingError), transaction.atomic():
            update("second", consented_at=NOW)(ground)
        with as_member(getattr(circle, who)):
            said("second", who)(ground)
    with as_member(circle.former):
        update("second", consented_at=NOW)(ground)


def test_a_programmes_admin_accepts_the_commands_invitation_alone(ground):
    with as_member(ground.friend):
        update("by_command", accepted_by=lambda g: g.friend, **ACCEPT)(ground)
        insert(
            ProgrammeAdmin,
            programme=ground.elsewhere,
            member=ground.friend,
            starts_at=timezone.now(),
        )
    with as_member(ground.friend, ROSTER):
        insert(Group, programme=ground.elsewhere, name="Ours")

"""A person has the account deleted: nothing of theirs is left, and nothing else goes."""

# ruff: noqa: S608 - names of tables and columns come from the database itself

from datetime import date, timedelta
from uuid import UUID

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session as HttpSession
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from groups.models import (
    Agreement,
    Consent,
    Ending,
    GroupEnd,
    LeavingReason,
    Membership,
    Preference,
    ProgrammeAdmin,
    Proposal,
)
from members.letters import engine
from members.models import DataKey, Letter, Member, Phone, Tombstone
from sessions import erasure, upkeep
from sessions.models import (
    Attendance,
    CaseCount,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    EveningLead,
    LeadersNote,
    NoticeSeen,
    Observer,
    Reflection,
    RoomPresence,
    Series,
    Session,
    ShownOut,
    Step,
    SteppedOut,
)
from tests.balint.inside import furnish
from tests.balint.installation import install
from tests.world import as_member, as_owner, join, make_circle, make_member

pytestmark = pytest.mark.django_db
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ERASE = "/settings/erase/"


def now():
    return timezone.now()


def erase(member):
    with as_member(member):
        erasure.erase(member, at=now())


def columns_of_persons():
    """Every column of any table that points at a person, as the database has it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.conrelid::regclass::text, a.attname from pg_constraint c "
            "join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey) "
            "where c.contype = 'f' and c.confrelid = 'members_member'::regclass order by 1, 2"
        )
        return cursor.fetchall()


def columns_of_models():
    return sorted(
        (model._meta.db_table, field.column)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if field.remote_field and field.remote_field.model is Member
    )


def found(value):
    """Every (table, column) in which a value stands, as text, in the whole database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'public' order by 1, 2"
        )
        places = set()
        for table, column in cursor.fetchall():
            cursor.execute(
                f'select exists (select from "{table}" where "{column}"::text ilike %s)',
                [f"%{value}%"],
            )
            if cursor.fetchone()[0]:
                places.add((table, column))
    return places


def contents():
    """How many rows each table has, but for keys (below) and the record (its own tests)."""
    with as_owner():
        return {
            model._meta.label: model._default_manager.count()
            for model in apps.get_models(include_auto_created=True)
            if not model.__name__.startswith(("Audit", "DataKey"))
        }


def fill(circle, person):
    """A row of every table that knows a person, of `person`'s; each column filled."""
    with as_owner():
        other = circle.leader
        group, programme = circle.group, circle.programme
        past = Session.objects.create(
            group=group,
            starts_at=now() - 20 * DAY,
            minutes=90,
            time_zone="UTC",
            phase="closed",
            settled_at=now() - 60 * DAY,
            runs_until=now() - 19 * DAY,
            updated_at=now(),
        )
        here = {"session": past, "group": group}
        Phone.objects.create(member=person, number="+1 212 555 0100")
        ProgrammeAdmin.objects.create(programme=programme, member=person, starts_at=now())
        membership = Membership.objects.get(group=group, member=person)
        ending = Ending.objects.create(
            group=group,
            membership=membership,
            asked_by=person,
            asked_as="person",
            asked_at=now(),
            ends_at=now() + DAY,
        )
        reason = LeavingReason(
            group=group, member=person, ending=ending, forget_on=date.today() + DAY
        )
        reason.text = "Moves away"
        reason.save(force_insert=True)
        Consent.objects.create(group=group, ending=ending, member=other, yes=True, given_at=now())
        others = Ending.objects.create(
            group=group,
            membership=Membership.objects.get(group=group, member=circle.newcomer),
            asked_by=person,
            asked_as="leader",
            asked_at=now(),
            ends_at=now() + DAY,
        )
        Consent.objects.create(group=group, ending=others, member=person, yes=True, given_at=now())
        GroupEnd.objects.create(
            group=group, asked_by=person, asked_at=now(), ends_at=now() + DAY, withdrawn_at=now()
        )
        GroupEnd.objects.create(
            group=group,
            asked_by=other,
            asked_at=now(),
            ends_at=now() + DAY,
            confirmed_by=person,
            confirmed_at=now(),
            withdrawn_at=now(),
        )
        for fields in ({"accepted_by": person}, {"proposed_by": person}):
            Proposal.objects.create(
                programme=programme,
                group=group,
                role="member",
                name="Somebody",
                address=person.email.upper() if "accepted_by" in fields else "x@example.org",
                proposed_as="leader",
                proposed_at=now(),
                **fields,
            )
        Agreement.objects.filter(group=group).update(written_by=person)
        Preference.objects.create(group=group, member=person, reminders=False)
        leave = group.leaves.create(member=person, starts_at=now())
        leave.reason = "A rest"
        leave.save()
        series = Series.objects.create(
            group=group,
            rule="week:1:3",
            starts_at="19:00",
            minutes=90,
            time_zone="UTC",
            first_on=date.today(),
            last_on=date.today(),
            planned_by=person,
            planned_at=now(),
        )
        DatesReply.objects.create(series=series, group=group, member=person, replied_at=now())
        NoticeSeen.objects.create(**here, member=person, seen_at=now())
        EveningLead.objects.create(
            **here,
            kind="substitute",
            leader=person,
            name="Dr Else Where",
            address="else@example.org",
            member=person,
            on=past.starts_at.date(),
            by=person,
            at=now(),
        )
        Change.objects.create(**here, kind="moved", by=person, at=now())
        for member, by in ((person, other), (circle.member, person)):
            Attendance.objects.create(
                **here, member=member, present=True, put_down_by=by, put_down_at=now()
            )
        past.answers.create(group=group, member=person, on=past.starts_at.date(), answered_at=now())
        for order, presenter in enumerate((person, circle.member), 1):
            case = CasePresentation(
                **here,
                order=order,
                presenter=presenter,
                follow_up=order == 2,
                follows=CasePresentation.objects.filter(presenter=person).first(),
                forget_on=date.today() + 60 * DAY,
            )
            case.title = f"Title {order}"
            case.save(force_insert=True)
            for who in (person, circle.member):
                CasePresence.objects.create(case=case, group=group, member=who)
        Step.objects.create(**here, number=1, phase="story", came_from="call", by=person, at=now())
        RoomPresence.objects.create(**here, member=person, entered_at=now(), seen_at=now())
        SteppedOut.objects.create(**here, member=person, telling=1)
        ShownOut.objects.create(**here, member=person, leader=circle.leader)
        ShownOut.objects.create(**here, member=circle.member, leader=person)
        Observer.objects.create(**here, member=person)
        past.led_by = person
        past.save(update_fields=["led_by"])
        reflection = Reflection(session=past, member=person, written_at=now(), changed_at=now())
        reflection.text = "What I carry home"
        reflection.save(force_insert=True)
        word = LeadersNote(
            **here, author=person, written_at=now(), forget_on=date.today() + 60 * DAY
        )
        word.text = "For us two"
        word.save(force_insert=True)
        letter = {"send_after": now(), "message_id": "<x@y>", "kind": "reminder-1"}
        for about in (past.pk, group.pk):
            Letter.objects.create(
                **letter,
                about_id=about,
                **({"recipient": person} if about == past.pk else {"address": person.email}),
            )
        Authenticator.objects.create(user=person, type="recovery_codes", data={"seed": "x"})
        UserSession.objects.create(
            user=person, ip="127.0.0.1", session_key=person.pk.hex, user_agent="x"
        )
        HttpSession.objects.create(
            session_key=person.pk.hex, session_data="x", expire_date=now() + DAY
        )
        EmailConfirmation.objects.create(
            email_address=EmailAddress.objects.get(user=person),
            key=circle.group.pk.hex,
            created=now(),
        )
        with connection.cursor() as cursor:
            cursor.execute(
                "insert into balint_sessions_calendarfeed (id, member_id, token_hash, made_at) "
                "values (gen_random_uuid(), %s, %s, now())",
                [person.pk, circle.group.pk.hex],
            )
            cursor.execute(
                "insert into auth_group (name) values (%s) returning id", [circle.group.pk.hex]
            )
            (number,) = cursor.fetchone()
            cursor.execute(
                "insert into members_member_groups (member_id, group_id) values (%s, %s)",
                [person.pk, number],
            )
            cursor.execute(
                "insert into members_member_user_permissions (member_id, permission_id) "
                "select %s, id from auth_permission limit 1",
                [person.pk],
            )


@pytest.fixture
def filled(circle):
    """The second leader is in every table there is; another leads beside them."""
    fill(circle, circle.second_leader)
    return circle


def where_the_person_stands(person):
    with as_owner(), connection.cursor() as cursor:
        standing = set()
        for table, column in columns_of_persons():
            cursor.execute(
                f'select exists (select from {table} where "{column}" = %s)', [person.pk]
            )
            if cursor.fetchone()[0]:
                standing.add((table, column))
    return standing


def test_the_person_of_the_tests_stands_in_every_table_that_knows_persons(filled):
    assert columns_of_persons() == columns_of_models()
    assert where_the_person_stands(filled.second_leader) == set(columns_of_persons())


def test_no_table_is_left_that_points_at_the_person(filled):
    erase(filled.second_leader)
    assert where_the_person_stands(filled.second_leader) == set()


def test_the_id_is_left_in_the_record_and_the_tombstone_alone(filled):
    person = filled.second_leader
    with as_owner():
        assert len(found(person.pk)) > 20
    erase(person)
    with as_owner():
        assert found(person.pk) == {
            ("members_auditevent", "actor"),
            ("members_tombstone", "subject"),
        }


def test_the_address_and_the_name_are_left_nowhere_but_on_the_one_last_letter(filled):
    person = filled.second_leader
    erase(person)
    with as_owner():
        assert found(person.email) == {("members_letter", "address")}
        assert found(person.name) == set()
        assert Letter.objects.get(address=person.email).kind == "account-deleted"


def test_what_belongs_to_others_stays_and_loses_the_name(filled):
    before = contents()
    erase(filled.second_leader)
    gone = {label: before[label] - count for label, count in contents().items()}
    lost = {label: number for label, number in gone.items() if number}
    assert lost == {
        "account.EmailAddress": 1,
        "account.EmailConfirmation": 1,
        "mfa.Authenticator": 1,
        "usersessions.UserSession": 1,
        "sessions.Session": 1,
        "members.Member": 1,
        "members.Member_groups": 1,
        "members.Member_user_permissions": 1,
        "members.Phone": 1,
        # Two of theirs went, one says so.
        "members.Letter": 1,
        "members.Tombstone": -4,
        "groups.Membership": 1,
        "groups.ProgrammeAdmin": 1,
        "groups.Preference": 1,
        "groups.Leave": 1,
        "groups.Acceptance": 1,
        "groups.Ending": 1,
        "groups.LeavingReason": 1,
        "groups.Consent": 2,
        "groups.Proposal": 1,
        "balint_sessions.CalendarFeed": 1,
        "balint_sessions.Answer": 1,
        "balint_sessions.DatesReply": 1,
        "balint_sessions.EveningLead": 1,
        "balint_sessions.NoticeSeen": 1,
        "balint_sessions.Attendance": 1,
        "balint_sessions.CasePresentation": 1,
        "balint_sessions.CasePresence": 3,
        "balint_sessions.CaseCount": -1,
        "balint_sessions.RoomPresence": 1,
        "balint_sessions.SteppedOut": 1,
        "balint_sessions.ShownOut": 2,
        "balint_sessions.Observer": 1,
        "balint_sessions.Reflection": 1,
        "balint_sessions.LeadersNote": 1,
    }


def test_own_cases_are_counted_for_the_group_and_anothers_follow_up_lets_go(filled):
    erase(filled.second_leader)
    with as_owner():
        assert [(row.group, row.cases) for row in CaseCount.objects.all()] == [(filled.group, 1)]
        left = CasePresentation.objects.get()
        assert (left.presenter, left.follow_up, left.follows) == (filled.member, True, None)
        assert [row.member for row in left.presences.all()] == [filled.member]


def test_the_private_key_goes_and_those_of_others_stay(filled):
    with as_member(filled.member):
        reflection = Reflection(
            session=Session.objects.first(),
            member=filled.member,
            written_at=now(),
            changed_at=now(),
        )
        reflection.text = "Mine"
    erase(filled.second_leader)
    with as_owner():
        private = DataKey.objects.filter(key_class="private")
        assert {key.scope for key in private} == {filled.member.pk}


def test_each_thing_erased_leaves_a_tombstone(filled):
    person = filled.second_leader
    with as_owner():
        told = CasePresentation.objects.get(presenter=person)
        expected = {
            ("case", told.pk),
            ("reflection", Reflection.objects.get().pk),
            ("note", LeadersNote.objects.get().pk),
            ("person", person.pk),
        }
    erase(person)
    with as_owner():
        assert set(Tombstone.objects.values_list("kind", "subject")) == expected


def invited(circle, address, **fields):
    """Somebody proposed under this address, with a yes and a letter that waits."""
    with as_owner():
        proposal = Proposal.objects.create(
            programme=circle.programme,
            group=circle.group,
            role="member",
            name="Bob",
            address=address,
            proposed_as="leader",
            proposed_at=now(),
            **fields,
        )
        Consent.objects.create(
            group=circle.group, proposal=proposal, member=circle.leader, yes=True, given_at=now()
        )
        Letter.objects.create(
            kind="invitation",
            about_id=proposal.pk,
            address=address,
            send_after=now(),
            message_id="<x@y>",
        )
    return proposal


def left_of(proposal):
    with as_owner():
        return (
            Proposal.objects.filter(pk=proposal.pk).count(),
            Consent.objects.filter(proposal=proposal).count(),
            Letter.objects.filter(about_id=proposal.pk).count(),
        )


def test_an_address_somebody_typed_and_never_confirmed_takes_nothing_of_anothers(circle):
    proposal = invited(circle, "bob@example.org")
    with as_owner():
        EmailAddress.objects.create(user=circle.member, email="bob@example.org", verified=False)
    erase(circle.member)
    assert left_of(proposal) == (1, 1, 1)


def test_what_waits_under_a_confirmed_address_goes(circle):
    proposal = invited(circle, "Dana@example.org")
    with as_owner():
        EmailAddress.objects.create(user=circle.member, email="dana@example.org", verified=True)
    erase(circle.member)
    assert left_of(proposal) == (0, 0, 0)


def test_a_proposal_that_another_accepted_is_the_others_whatever_its_address(circle):
    accepted = {"consented_at": now(), "accepted_at": now(), "accepted_by": circle.newcomer}
    proposal = invited(circle, circle.member.email, **accepted)
    erase(circle.member)
    with as_owner():
        assert Proposal.objects.get(pk=proposal.pk).accepted_by == circle.newcomer


# Who may not, at present


def test_the_only_leader_of_a_group_with_members_stays(circle):
    erase(circle.second_leader)
    with pytest.raises(erasure.OnlyLeader, match="only leader of Valley group"):
        erase(circle.leader)
    with pytest.raises(DatabaseError, match="only leader"), as_member(circle.leader):
        ask_database()
    with as_owner():
        assert Member.objects.filter(pk=circle.leader.pk).exists()


def test_the_only_leader_of_a_group_where_nobody_else_is_left_may_go(circle):
    erase(circle.second_leader)
    with as_owner():
        Membership.objects.filter(group=circle.group).exclude(member=circle.leader).update(
            ended_at=now() - timedelta(seconds=1)
        )
    erase(circle.leader)
    with as_owner():
        assert not Member.objects.filter(pk=circle.leader.pk).exists()


def test_while_a_meeting_runs_its_circle_stays(circle):
    inside = furnish(circle)
    with pytest.raises(erasure.MeetingRuns, match="tomorrow morning"):
        erase(inside.member)
    with pytest.raises(DatabaseError, match="keeps its circle"), as_member(inside.member):
        ask_database()
    with as_owner():
        Session.objects.filter(pk=inside.tonight.pk).update(runs_until=now() - HOUR)
    erase(inside.member)


def ask_database():
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select public.balint_erase_me()")
        return cursor.fetchone()[0]


def test_the_database_erases_whoever_asks_and_nobody_for_nobody(circle):
    with as_member(None):
        assert ask_database() is False
    with as_member(circle.outsider):
        assert ask_database() is True
    with as_owner():
        assert not Member.objects.filter(pk=circle.outsider.pk).exists()
        assert Member.objects.filter(pk=circle.member.pk).exists()


@pytest.mark.parametrize("role", ["balint_app", "balint_roster", "balint_worker"])
def test_nobody_who_serves_may_erase_somebody_by_name(circle, role):
    refused = pytest.raises(DatabaseError, match="permission denied")
    with refused, as_member(circle.admin, role), connection.cursor() as cursor:
        cursor.execute("select public.balint_erase_person(%s)", [circle.member.pk])


@pytest.mark.parametrize(
    "who", ["presenter", "member", "absent", "newcomer", "on_leave", "former", "admin", "superuser"]
)
def test_everyone_may_go(circle, who):
    """Whatever the installation holds about each of them."""
    install(circle)
    with as_owner():
        Session.objects.update(runs_until=now() - HOUR)
    person = getattr(circle, who)
    erase(person)
    assert where_the_person_stands(person) == set()


def test_the_others_go_on_as_before(circle, client_of):
    install(circle)
    with as_owner():
        Session.objects.update(runs_until=now() - HOUR)
    erase(circle.presenter)
    leader = client_of(circle.leader)
    for address in ("/", f"/groups/{circle.group.pk}/", f"/groups/{circle.group.pk}/roster/"):
        answer = leader.get(address)
        assert (answer.status_code, "Amit" in answer.text) == (200, False)


# The page and the letter


def test_the_page_says_what_goes_and_asks_for_the_address(circle, client_of):
    page = client_of(circle.member).get(ERASE).text
    for words in ("Gone at once", "What stays", "30 days", "Delete my account"):
        assert words in page


def test_the_only_admin_of_a_programme_reads_so_and_may_go(circle, client_of):
    sentence = "You are the only admin of North programme."
    assert sentence in client_of(circle.admin).get(ERASE).text
    assert sentence not in client_of(circle.member).get(ERASE).text
    with as_owner():
        ProgrammeAdmin.objects.create(
            programme=circle.programme, member=circle.outsider, starts_at=now() - DAY
        )
    assert sentence not in client_of(circle.admin).get(ERASE).text
    erase(circle.admin)


def test_another_address_deletes_nothing(circle, client_of):
    answer = client_of(circle.member).post(ERASE, {"email": circle.leader.email})
    assert "This is not the address of your account." in answer.text
    with as_owner():
        assert Member.objects.filter(pk=circle.member.pk).exists()


def test_with_the_own_address_the_account_is_gone_and_the_browser_signed_out(circle, client_of):
    here, elsewhere = client_of(circle.member), client_of(circle.member)
    answer = here.post(ERASE, {"email": circle.member.email.upper()})
    assert (answer.status_code, "Your account is deleted." in answer.text) == (200, True)
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    with as_owner():
        assert not Member.objects.filter(pk=circle.member.pk).exists()
    for browser in (here, elsewhere):
        assert browser.get("/groups/").status_code == 302


def test_the_only_leader_reads_why_not_and_finds_no_button(circle, client_of):
    erase(circle.second_leader)
    leader = client_of(circle.leader)
    page = leader.get(ERASE)
    assert (page.status_code, "Delete my account" in page.text) == (200, False)
    assert "You are the only leader of Valley group" in page.text
    assert leader.post(ERASE, {"email": circle.leader.email}).status_code == 409


def test_who_signed_in_long_ago_confirms_first(circle, client_of, settings):
    settings.ACCOUNT_REAUTHENTICATION_TIMEOUT = 0
    answer = client_of(circle.member).post(ERASE, {"email": circle.member.email})
    assert answer.status_code == 302
    with as_owner():
        assert Member.objects.filter(pk=circle.member.pk).exists()


def test_one_letter_goes_to_the_old_address_and_then_the_address_goes_too(circle, mailoutbox):
    erase(circle.member)
    with as_owner():
        engine.dispatch()
    [mail] = [mail for mail in mailoutbox if mail.to == [circle.member.email]]
    assert mail.subject == "Your account is deleted"
    assert circle.member.first_name not in mail.body
    assert "30 days" in mail.body
    with as_owner():
        upkeep.run()
        assert found(circle.member.email) == set()


def test_one_who_comes_again_is_somebody_else(circle):
    address = circle.member.email
    erase(circle.member)
    again = make_member("Dr Dana Green", email=address)
    join(circle.group, again)
    assert isinstance(again.pk, UUID)
    with as_member(again):
        assert not CasePresence.objects.exists()


def test_another_circle_is_not_touched(circle):
    other = make_circle()
    fill(other, other.second_leader)
    standing = where_the_person_stands(other.second_leader)
    erase(circle.second_leader)
    assert where_the_person_stands(other.second_leader) == standing

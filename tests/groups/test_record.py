"""The record of a group: two people open it, for a day, and each reads what is theirs to read."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from groups import policy, record
from groups.models import RecordOpening
from groups.recordwords import SENTENCES
from members import audit
from members.audit.things import SITE
from members.identity import acting_as
from tests.world import as_member, as_owner

HOUR = timedelta(hours=1)
INSIDE = ("read", "case")
FRAME = ("planned", "dates")


def now():
    return timezone.now()


@pytest.fixture
def happened(circle):
    """Somebody read a case, somebody planned dates."""
    with acting_as(circle.member):
        audit.note(audit.READ, audit.Thing.CASE, group=circle.group.pk, about=circle.group.pk)
    with acting_as(circle.leader):
        audit.note(audit.PLANNED, audit.Thing.DATES, group=circle.group.pk)
    return circle


def events(who, circle, role="balint_app"):
    with as_member(who, role), connection.cursor() as cursor:
        cursor.execute("select verb, thing from balint_record(%s, null, 100)", [circle.group.pk])
        return [event for event in cursor.fetchall() if event[1] != "record"]


def opening(circle):
    with as_owner():
        return RecordOpening.objects.filter(withdrawn_at=None).latest("asked_at")


def ask(circle, who, **more):
    with as_member(who, "balint_roster" if more else "balint_app"):
        record.ask(circle.group, by=who, at=now(), **more)


def confirm(circle, who, **more):
    found = opening(circle)
    with as_member(who, "balint_roster" if more else "balint_app"):
        record.confirm(found, by=who, at=now(), **more)


def opened(circle, asks="leader", confirms="second_leader"):
    for step, name in ((ask, asks), (confirm, confirms)):
        who = getattr(circle, name)
        step(circle, who, **({"office": True} if name == "admin" else {}))


# Who reads what


EVERYBODY = (
    *("leader", "second_leader", "presenter", "member", "absent", "newcomer", "on_leave"),
    *("former", "admin", "outsider", "superuser"),
)


def readers(circle):
    seen = {name: set(events(getattr(circle, name), circle)) for name in EVERYBODY}
    seen["admin"] |= set(events(circle.admin, circle, "balint_roster"))
    return {name: found for name, found in seen.items() if found}


def test_without_an_opening_the_office_reads_of_the_frame_and_nobody_else_anything(happened):
    assert readers(happened) == {"admin": {FRAME}}


def test_an_asking_alone_opens_nothing(happened):
    ask(happened, happened.leader)
    assert readers(happened) == {"admin": {FRAME}}


def test_the_two_leaders_of_an_opening_read_what_happened_inside(happened):
    opened(happened)
    both = {INSIDE, FRAME}
    assert readers(happened) == {"leader": both, "second_leader": both, "admin": {FRAME}}


@pytest.mark.parametrize("order", [("leader", "admin"), ("admin", "leader")])
def test_of_a_leader_and_an_admin_only_the_leader_reads_what_happened_inside(happened, order):
    opened(happened, *order)
    assert readers(happened) == {"leader": {INSIDE, FRAME}, "admin": {FRAME}}


def test_after_a_day_it_is_closed(happened):
    opened(happened)
    with as_owner():
        RecordOpening.objects.update(
            asked_at=now() - 26 * HOUR, confirmed_at=now() - 25 * HOUR, until=now() - HOUR
        )
    assert readers(happened) == {"admin": {FRAME}}
    with as_member(happened.leader):
        assert record.standing(happened.group, now()) is None
        assert not record.is_open(happened.group, now())


def test_closed_before_its_day_is_over_it_is_closed(happened):
    opened(happened)
    found = opening(happened)
    with as_member(happened.second_leader):
        record.close(found, by=happened.second_leader, at=now())
    assert readers(happened) == {"admin": {FRAME}}


def test_who_leads_no_longer_reads_no_longer(happened):
    opened(happened)
    with as_owner():
        happened.group.memberships.filter(member=happened.leader).update(ended_at=now() - HOUR)
    assert set(readers(happened)) == {"second_leader", "admin"}


def test_no_record_of_another_group_is_read_by_an_opening(happened):
    opened(happened)
    with acting_as(happened.outsider):
        audit.note(audit.READ, audit.Thing.CASE, group=happened.other_group.pk)
    with as_member(happened.leader), connection.cursor() as cursor:
        cursor.execute("select * from balint_record(%s, null, 9)", [happened.other_group.pk])
        assert cursor.fetchall() == []


def test_openings_are_on_record_themselves(happened):
    opened(happened)
    with as_member(happened.leader):
        page = record.read(happened.group, to=happened.leader, at=now())
    assert [(line.who, line.what) for line in page.lines] == [
        ("Dr Erik Krantz", "confirmed the opening of the record"),
        ("Dr Ruth Marks", "asked to open the record"),
        ("Dr Ruth Marks", "planned dates"),
        ("Dr Dana Green", "read a case"),
    ]
    with as_member(happened.leader):
        page = record.read(happened.group, to=happened.leader, at=now())
    assert page.lines[0].what == "read the record"


# Who opens


@pytest.mark.parametrize("who", ["member", "on_leave", "former", "outsider", "superuser"])
def test_nobody_else_asks(circle, who):
    with pytest.raises(record.NotYours):
        ask(circle, getattr(circle, who))


def test_nobody_confirms_their_own_asking(circle):
    ask(circle, circle.leader)
    with pytest.raises(record.NobodyAlone):
        confirm(circle, circle.leader)


def test_one_of_the_two_leads(circle):
    with as_owner():
        circle.programme.admins.create(member=circle.superuser, starts_at=now() - HOUR)
    ask(circle, circle.admin, office=True)
    with pytest.raises(record.OneOfYouLeads):
        confirm(circle, circle.superuser, office=True)


def test_it_is_asked_for_once(circle):
    ask(circle, circle.leader)
    with pytest.raises(record.AskedAlready):
        ask(circle, circle.second_leader)


def test_what_is_settled_is_not_settled_again(circle):
    opened(circle)
    with pytest.raises(record.AskingIsSettled):
        confirm(circle, circle.second_leader)


@pytest.mark.parametrize("who", [name for name in EVERYBODY if "leader" not in name])
def test_the_database_lets_nobody_else_ask(circle, who):
    with pytest.raises(ProgrammingError, match="row-level security"):
        call(getattr(circle, who) if who != "admin" else circle.member, "ask_for", circle.group.pk)


def call(who, name, pk, role="balint_app"):
    with as_member(who, role), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"select balint_{name}_record(%s)", [pk])


def test_the_database_lets_nobody_confirm_alone_and_no_two_without_a_leader(circle):
    call(circle.leader, "ask_for", circle.group.pk)
    for who in (circle.leader, circle.member, circle.outsider):
        with pytest.raises(ProgrammingError, match="row-level security"):
            call(who, "confirm", opening(circle).pk)
    call(circle.leader, "close", opening(circle).pk)
    call(circle.admin, "ask_for", circle.group.pk, "balint_roster")
    with as_owner():
        circle.programme.admins.create(member=circle.superuser, starts_at=now() - HOUR)
    with pytest.raises(ProgrammingError, match="row-level security"):
        call(circle.superuser, "confirm", opening(circle).pk, "balint_roster")
    call(circle.leader, "confirm", opening(circle).pk)


@pytest.mark.parametrize("role", ["balint_app", "balint_roster"])
def test_openings_are_written_by_nobodys_hand(circle, role):
    ask(circle, circle.leader)
    attempts = (
        lambda: RecordOpening.objects.create(
            group=circle.group, asked_by=circle.leader.pk, asked_at=now()
        ),
        lambda: RecordOpening.objects.update(until=now() + 99 * HOUR),
        lambda: RecordOpening.objects.all()._raw_delete("default"),
    )
    for attempt in attempts:
        with pytest.raises(ProgrammingError, match="permission denied"):
            with as_member(circle.leader, role), transaction.atomic():
                attempt()


# Pages


def url(circle):
    return f"/groups/{circle.group.pk}/record/"


def office_url(circle):
    return f"/programmes/{circle.programme.pk}/groups/{circle.group.pk}/record/"


def test_the_leaders_page_is_the_leaders(circle, client_of):
    found = {name: client_of(getattr(circle, name)).get(url(circle)) for name in EVERYBODY}
    assert {name: answer.status_code for name, answer in found.items()} == {
        **dict.fromkeys(EVERYBODY, 404),
        "leader": 200,
        "second_leader": 200,
        "newcomer": 302,
    }


def test_the_offices_page_is_the_offices(circle, client_of):
    found = {
        name: client_of(getattr(circle, name)).get(office_url(circle)).status_code
        for name in EVERYBODY
    }
    assert found == {**dict.fromkeys(EVERYBODY, 404), "admin": 200}


def said(do, circle):
    """What the page as it stands posts."""
    return {"do": do, "opening": opening(circle).pk}


def test_a_yes_to_another_asking_than_was_read_is_asked_again(circle, client_of):
    ask(circle, circle.leader)
    read = said("yes", circle)
    call(circle.leader, "close", opening(circle).pk)
    ask(circle, circle.second_leader)
    for posted in (read, {"do": "yes"}, said("close", circle) | {"do": ""}):
        answer = client_of(circle.leader).post(url(circle), posted)
        assert answer.status_code == 409, posted
        assert "This has been settled in the meantime." in answer.content.decode()
    assert client_of(circle.admin).post(office_url(circle), read).status_code == 409
    assert opening(circle).confirmed_at is None


def test_two_leaders_open_it_on_its_page_and_the_group_is_told(happened, client_of):
    circle = happened
    group_page = f"/groups/{circle.group.pk}/"
    told = "is open to two people at present"
    one, other = client_of(circle.leader), client_of(circle.second_leader)
    assert one.post(url(circle), {"do": "ask"}).status_code == 302
    assert "read a case" not in one.get(url(circle)).content.decode()
    assert told not in client_of(circle.member).get(group_page).content.decode()
    assert "Dr Ruth Marks asks" in other.get(url(circle)).content.decode()
    assert other.post(url(circle), said("yes", circle)).status_code == 302
    for client in (one, other):
        assert "read a case" in client.get(url(circle)).content.decode()
    assert told in client_of(circle.member).get(group_page).content.decode()
    assert told not in client_of(circle.admin).get(group_page).content.decode()
    assert one.post(url(circle), said("close", circle)).status_code == 302
    assert "read a case" not in one.get(url(circle)).content.decode()


def test_alone_one_is_told_why_not(circle, client_of):
    client = client_of(circle.leader)
    client.post(url(circle), {"do": "ask"})
    answer = client.post(url(circle), said("yes", circle))
    assert answer.status_code == 409
    assert "Nobody opens a record alone." in answer.content.decode()


def test_the_office_reads_of_the_frame_and_of_whom_its_list_shows(happened, client_of):
    circle = happened
    opened(circle, "admin", "leader")
    with acting_as(circle.former):
        audit.note(audit.WITHDRAWN, audit.Thing.ENDING, group=circle.group.pk)
    text = client_of(circle.admin).get(office_url(circle)).content.decode()
    assert "planned dates" in text
    assert "Dr Ruth Marks" in text
    assert "somebody who is not in the group" in text
    assert "Dr Fritz Alt" not in text
    assert "read a case" not in text
    assert "Dr Dana Green" not in text


def test_it_is_read_page_by_page(circle, client_of):
    with acting_as(circle.leader):
        for _ in range(record.PAGE + 5):
            audit.note(audit.PLANNED, audit.Thing.DATES, group=circle.group.pk)
    client = client_of(circle.admin)
    first = client.get(office_url(circle)).content.decode()
    assert first.count("planned dates") == record.PAGE
    assert 'href="?before=6"' in first
    rest = client.get(office_url(circle) + "?before=6").content.decode()
    assert rest.count("planned dates") == 5
    for odd in ("x", "-1", "٣", "9" * 40):
        assert client.get(office_url(circle) + f"?before={odd}").status_code == 200


def test_the_office_cannot_count_what_happened_inside(circle, client_of):
    for _ in range(3):
        with acting_as(circle.leader):
            audit.note(audit.PLANNED, audit.Thing.DATES, group=circle.group.pk)
            for _ in range(4):
                audit.note(audit.CHANGED, audit.Thing.ENTRANCE, group=circle.group.pk)
    with as_member(circle.admin, "balint_roster"), connection.cursor() as cursor:
        for before, places in ((None, [3, 2, 1]), (3, [2, 1]), (1, [])):
            cursor.execute("select number from balint_record(%s, %s, 9)", [circle.group.pk, before])
            assert [place for (place,) in cursor.fetchall()] == places
    older = client_of(circle.admin).get(office_url(circle) + "?before=3").content.decode()
    assert older.count("planned dates") == 2


# Words


def test_who_is_a_leader_or_of_the_office_may_open():
    granting = {role for role, actions in policy.GRANTS.items() if "open the record" in actions}
    assert granting == {policy.Role.LEADER, policy.Role.ADMIN}


def test_every_thing_of_a_group_has_words():
    assert {thing for _, thing in SENTENCES} == set(audit.Thing) - SITE

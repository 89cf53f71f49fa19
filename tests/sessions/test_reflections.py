"""A private reflection: its author's alone, also after leaving, until they delete it."""

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groups.joining import NotYours
from groups.models import Membership
from sessions import conduct, reflections
from sessions.models import Reflection, Session
from sessions.phases import Phase
from sessions.reflections import NotOverYet
from sessions.writing import LONGEST, NothingWritten, TooLong
from tests.sessions.evening import fresh, make_session, soon, tell
from tests.world import as_member, as_owner

INK = "I kept thinking of the waiting room."


@pytest.fixture
def held(circle):
    """An evening of yesterday, closed."""
    session = make_session(
        circle, begins=-60 * 20, setting="in_person", phase=Phase.CLOSED, runs_until=soon(-60)
    )
    return fresh(session)


def writes(session, by, text):
    with as_member(by):
        return reflections.write(session, text=text, by=by, at=timezone.now())


def stand():
    with as_owner():
        return {(row.member.first_name, row.text) for row in Reflection.objects.all()}


def leaves(person):
    with as_owner():
        Membership.objects.filter(member=person).update(ended_at=soon(-2))


def about(session):
    return reverse("reflection", args=[session.pk])


# Whose it is


def test_it_is_its_authors_alone_and_no_leader_sees_it(circle, held):
    writes(held, circle.member, INK)
    for person in (*circle.inside, circle.former, circle.admin, circle.superuser):
        with as_member(person):
            found = [row.text for row in Reflection.objects.all()]
            assert found == ([INK] if person == circle.member else [])


def test_there_is_one_of_each_for_each_meeting_and_it_may_be_changed(circle, held):
    writes(held, circle.member, INK)
    writes(held, circle.member, "Later I slept.")
    writes(held, circle.leader, "Mine.")
    assert stand() == {("Dana", "Later I slept."), ("Ruth", "Mine.")}
    only_one = pytest.raises(IntegrityError, match="one_reflection_per_member_and_session")
    now = timezone.now()
    with as_owner(), only_one, transaction.atomic():
        Reflection.objects.create(
            session=held, member=circle.member, written_at=now, changed_at=now
        )


def test_who_left_keeps_changes_and_deletes_it_and_writes_no_new_one(circle, held, client_of):
    mine = writes(held, circle.member, INK)
    leaves(circle.member)
    client = client_of(circle.member)
    edit = reverse("reflection_edit", args=[mine.pk])
    assert INK in client.get(edit).content.decode()
    assert client.get(about(held)).status_code == 404
    assert client.post(about(held), {"text": "x"}).status_code == 404
    assert client.post(edit, {"text": "Changed."}).status_code == 302
    assert stand() == {("Dana", "Changed.")}
    client.post(reverse("reflection_delete", args=[mine.pk]))
    assert stand() == set()


def test_when_its_meeting_is_removed_it_stays(circle, held, client_of):
    mine = writes(held, circle.member, INK)
    with as_owner():
        Session.objects.filter(pk=held.pk)._raw_delete("default")
    assert stand() == {("Dana", INK)}
    client = client_of(circle.member)
    for name, places in (("reflections", []), ("reflection_edit", [mine.pk])):
        assert client.get(reverse(name, args=places)).status_code == 200
    assert "written on" in client.get(reverse("reflections")).content.decode()
    assert (
        "A group that is no more"
        in client.get(reverse("reflection_edit", args=[mine.pk])).content.decode()
    )


# When


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"begins": 5}, NotOverYet),
        ({"phase": Phase.GROUP_WORK}, NotOverYet),
        ({"phase": Phase.CANCELLED}, conduct.SessionIsCancelled),
        ({"setting": "in_person"}, NotOverYet),
    ],
    ids=["ahead", "running", "cancelled", "in person, not ended"],
)
def test_it_waits_until_the_meeting_was_held(circle, client_of, fields, refusal):
    session = make_session(circle, **fields)
    with as_member(circle.member), pytest.raises(refusal):
        reflections.write(fresh(session), text=INK, by=circle.member, at=timezone.now())
    assert client_of(circle.member).get(about(session)).status_code == 409
    page = client_of(circle.member).get(reverse("session", args=[session.pk]))
    assert about(session) not in page.content.decode()
    assert stand() == set()


def test_only_about_meetings_of_ones_own_groups(circle, held):
    for person in (circle.outsider, circle.former, circle.admin, circle.newcomer):
        with as_member(person), pytest.raises(NotYours):
            reflections.write(held, text=INK, by=person, at=timezone.now())


def test_a_quiet_link_waits_on_the_meetings_page_and_asks_nothing(circle, client_of, held):
    page = client_of(circle.member).get(reverse("session", args=[held.pk])).content.decode()
    assert page.count(about(held)) == 1
    assert "how was it" not in page.lower()
    admins = client_of(circle.admin).get(reverse("session", args=[held.pk])).content.decode()
    assert about(held) not in admins


def test_no_screen_of_the_room_leads_to_it(circle, client_of):
    case = tell(circle, phase=Phase.GROUP_WORK)
    for person in (circle.presenter, circle.member, circle.leader):
        for name in ("room", "room_now"):
            page = client_of(person).get(reverse(name, args=[case.session_id])).content.decode()
            assert "reflection" not in page


# Its pages


def test_it_is_written_from_the_meetings_page(circle, client_of, held):
    client = client_of(circle.member)
    answer = client.post(about(held), {"text": f"  {INK}\r\nAnd home. "})
    assert (answer.status_code, answer.url) == (302, reverse("session", args=[held.pk]))
    assert stand() == {("Dana", f"{INK}\nAnd home.")}
    assert INK in client.get(about(held)).content.decode()


def test_a_name_in_it_asks_back_once(circle, client_of, held):
    client = client_of(circle.member)
    page = client.post(about(held), {"text": "Amit Nader was quiet."}).content.decode()
    assert "This looks like a name" in page
    assert stand() == set()
    digest = re.search(r'name="text-as-it-is" value="([^"]*)"', page)[1]
    client.post(about(held), {"text": "Amit Nader was quiet.", "text-as-it-is": digest})
    assert stand() == {("Dana", "Amit Nader was quiet.")}


def test_who_left_learns_by_no_check_who_is_in_the_group(circle, held, client_of):
    mine = writes(held, circle.member, INK)
    page = reverse("reflection_edit", args=[mine.pk])
    inside = client_of(circle.member).post(page, {"text": "Today Amit said little."})
    assert "This looks like a name" in inside.content.decode()
    leaves(circle.member)
    assert (
        client_of(circle.member).post(page, {"text": "Today Amit said little."}).status_code == 302
    )


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        ("x" * (LONGEST + 1), 409, "4,001 characters"),
        ("   ", 200, "There is nothing written yet."),
    ],
    ids=["too long", "empty"],
)
def test_what_is_refused_stays_on_the_page_with_a_sentence(
    circle, client_of, held, text, status, sentence
):
    client = client_of(circle.member)
    answer = client.post(about(held), {"text": text})
    assert answer.status_code == status
    assert text.strip() in answer.content.decode()
    assert sentence in answer.content.decode()
    assert stand() == set()
    mine = writes(held, circle.member, INK)
    assert (
        client.post(reverse("reflection_edit", args=[mine.pk]), {"text": text}).status_code
        == status
    )
    with as_member(circle.member), pytest.raises((TooLong, NothingWritten)):
        reflections.rewrite(mine, text=text, by=circle.member, at=timezone.now())
    assert stand() == {("Dana", INK)}


def test_the_list_has_ones_own_by_the_date_of_the_meeting_and_no_text(circle, client_of, held):
    older = make_session(circle, begins=-60 * 24 * 30, phase=Phase.CLOSED, runs_until=soon(-9000))
    for session in (held, older):
        writes(fresh(session), circle.member, INK)
    writes(held, circle.leader, "The leader's.")
    page = client_of(circle.member).get(reverse("reflections")).content.decode()
    days = re.findall(r'<time datetime="([^"]*)"', page)
    assert days == [
        session.starts_at.astimezone(session.zone).date().isoformat() for session in (held, older)
    ]
    assert page.count("Valley group") == 2
    assert INK not in page


def test_deleting_asks_once_and_then_it_is_gone(circle, client_of, held):
    mine = writes(held, circle.member, INK)
    client, page = client_of(circle.member), reverse("reflection_delete", args=[mine.pk])
    assert client.get(page).status_code == 200
    assert stand() == {("Dana", INK)}
    assert client.post(page).url == reverse("reflections")
    assert stand() == set()
    assert client.post(page).status_code == 404


def test_anothers_is_not_there_for_anybody(circle, client_of, held):
    mine = writes(held, circle.member, INK)
    for person in (circle.leader, circle.presenter, circle.admin, circle.superuser):
        for name in ("reflection_edit", "reflection_delete"):
            page = reverse(name, args=[mine.pk])
            assert client_of(person).get(page).status_code == 404
            assert client_of(person).post(page, {"text": "x"}).status_code == 404
        with as_member(person), pytest.raises(NotYours):
            reflections.rewrite(mine, text="x", by=person, at=timezone.now())
        with as_member(person), pytest.raises(NotYours):
            reflections.delete(mine, by=person)
    assert stand() == {("Dana", INK)}


def queries_of(client, page):
    with CaptureQueriesContext(connection) as asked:
        client.get(page)
    return len(asked)


def test_the_list_asks_as_often_for_many(circle, client_of, held):
    client, page = client_of(circle.member), reverse("reflections")
    writes(held, circle.member, INK)
    client.get(page)
    few = queries_of(client, page)
    for days in range(2, 9):
        older = make_session(
            circle, begins=-60 * 24 * days, phase=Phase.CLOSED, runs_until=soon(-90)
        )
        writes(fresh(older), circle.member, INK)
    assert queries_of(client, page) == few

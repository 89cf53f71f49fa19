"""A room's version, who may hear of it, and signs of life: what the database says of streams."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as SignIn
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from balint.live.watching import ask
from groups.models import Agreement
from members.identity import become
from sessions import cases, conduct, live, rooms, visible
from sessions.models import EveningLead, RoomPresence, RoomVersion, Session
from sessions.phases import Phase
from tests.sessions.evening import (
    at_phase,
    enter,
    fresh,
    make_session,
    move,
    put_down,
    tell,
    titled,
)
from tests.world import Circle, as_member, as_owner, join, make_member

PERSONAS = (
    *("leader", "second_leader", "presenter", "member", "absent", "newcomer", "on_leave"),
    *("former", "admin", "outsider", "superuser"),
)


def version(session: Session) -> int:
    with as_owner():
        found = RoomVersion.objects.filter(pk=session.pk).first()
        return found.version if found else 0


def as_in_another_transaction() -> None:
    """A test is one transaction, in which a room moves once."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('balint.rooms_moved', '', true)")


@pytest.fixture
def moved():
    """How often the room of a session moved since it was asked last, each time in its own right."""
    seen: dict[Any, int] = {}

    def since(session: Session) -> int:
        as_in_another_transaction()
        before, seen[session.pk] = seen.get(session.pk, 0), version(session)
        return seen[session.pk] - before

    return since


# What moves a room


def test_whoever_comes_and_goes_moves_the_room_and_who_only_is_there_does_not(circle, moved):
    session = at_phase(circle, Phase.CALL)
    moved(session)
    enter(session, circle.member)
    assert moved(session) == 1
    enter(session, circle.member, at=timezone.now() + timedelta(seconds=30))
    assert moved(session) == 0
    enter(session, circle.member, at=timezone.now() + timedelta(seconds=100))
    assert moved(session) == 1
    with as_member(circle.member):
        conduct.leave_room(session, by=circle.member, at=timezone.now())
    assert moved(session) == 1


def test_every_step_of_an_evening_moves_it_once(circle, moved):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter, circle.member)
    moved(session)
    move(session, Phase.STORY, circle.leader, presenter=circle.presenter)
    assert moved(session) == 1
    step = fresh(session).step
    with as_member(circle.leader):
        conduct.undo(session, seen=step, by=circle.leader, at=timezone.now())
    assert moved(session) == 1
    move(session, Phase.CLOSED, circle.leader)
    assert moved(session) == 1


def test_so_does_forgetting_the_case_and_leading_alone_but_no_title(circle, moved):
    case = tell(circle, phase=Phase.GROUP_WORK)
    moved(case.session)
    titled(case, "A letter")
    assert moved(case.session) == 0
    with as_member(circle.presenter):
        cases.forget(case, by=circle.presenter, at=timezone.now())
    assert moved(case.session) == 1
    with as_owner():
        EveningLead.objects.create(
            session=case.session,
            group=circle.group,
            kind="alone",
            leader=circle.leader,
            by=circle.leader,
            on=timezone.now().date(),
            at=timezone.now(),
        )
    assert moved(case.session) == 1


def test_what_is_put_down_afterwards_moves_it_and_dates_of_another_day_do_not(circle, moved):
    session = make_session(circle, phase=Phase.CLOSED)
    put_down(session, circle.leader, [circle.leader])
    assert moved(session) == 1
    later = make_session(circle, begins=60 * 24 * 7)
    with as_owner():
        Session.objects.filter(pk=later.pk).update(minutes=60)
    assert moved(later) == 0


# Of an evening, and shown on no screen of its room.
NOT_SHOWN = {"attendance", "change", "leadersnote", "noticeseen", "reflection", "step"}


def test_no_table_that_a_room_shows_is_without_its_trigger(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "select replace(c.relname, 'balint_sessions_', ''), exists ("
            "  select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'moves_the_room')"
            " from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where c.relkind = 'r' and c.relname like 'balint\\_sessions\\_%'"
            " and a.attname in ('session_id', 'case_id')"
        )
        found = dict(cursor.fetchall())
    assert {name for name, moves in found.items() if not moves} == NOT_SHOWN


def test_the_next_morning_no_version_is_left(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.member)
    with as_owner():
        Session.objects.filter(pk=session.pk).update(runs_until=timezone.now())
    with as_member(None, "balint_worker"), connection.cursor() as cursor:
        cursor.execute("select public.balint_forget_room_versions()")
    assert version(session) > 0
    with as_owner():
        Session.objects.filter(pk=session.pk).update(
            runs_until=timezone.now() - timedelta(minutes=11)
        )
    with as_member(None, "balint_worker"), connection.cursor() as cursor:
        cursor.execute("select public.balint_forget_room_versions()")
    assert version(session) == 0


def test_a_date_that_is_dropped_takes_its_version_along(circle):
    session = make_session(circle, begins=10)
    enter(session, circle.member)
    assert version(session) == 1
    with as_owner():
        session.delete()
    assert version(session) == 0


# Who may hear


def signed_in(client_of: Any, *people: Any) -> dict[Any, str]:
    return {person: client_of(person).cookies["sessionid"].value for person in people}


def gone(session: Session, keys: dict[Any, str], *, here: bool = False) -> set[Any]:
    """Of these people with their sign-ins, who may not listen to this room."""
    become(None, "balint_app")
    asked = [(str(session.pk), str(person.pk), key, here) for person, key in keys.items()]
    (answer,) = ask(asked)
    assert answer[:2] == (str(session.pk), version(session))
    return {person for person, key in keys.items() if key in answer[2]}


@pytest.fixture
def everybody(circle: Circle, client_of: Any) -> dict[Any, str]:
    late = make_member("Dr Late Comer")
    join(circle.group, late, since=timezone.now() - timedelta(minutes=5))
    left = make_member("Dr Just Left")
    join(circle.group, left, until=timezone.now() - timedelta(minutes=5))
    return signed_in(client_of, late, left, *(getattr(circle, name) for name in PERSONAS))


@pytest.mark.parametrize(
    "fields",
    [
        {"begins": -20},
        {"begins": -20, "phase": Phase.CALL},
        {"begins": 10},
        {"begins": 10, "phase": Phase.CALL},
        {"begins": 20},
        {"begins": -20, "phase": Phase.CLOSED},
        {"begins": -20, "phase": Phase.CANCELLED},
        {"begins": 10, "phase": Phase.CANCELLED},
        {"begins": -20, "settled_at": None},
        {"begins": -60 * 13},
    ],
    ids=str,
)
def test_the_question_of_every_few_seconds_lets_hear_whom_the_page_lets_in(
    circle, everybody, fields
):
    session = make_session(circle, **fields)
    now = timezone.now()
    let_in = set()
    for person in everybody:
        with as_member(person):
            if visible.rooms(person, now).filter(pk=session.pk).exists():
                let_in.add(person)
    assert set(everybody) - gone(session, everybody) == let_in
    assert bool(let_in) == (fields in ({"begins": -20}, {"begins": 10})) or "phase" in fields


def test_a_new_agreement_of_today_ends_nobodys_listening(circle, everybody):
    session = at_phase(circle, Phase.CALL)
    before = gone(session, everybody)
    with as_owner():
        Agreement.objects.create(
            group=circle.group, version=2, text="New.", in_force_at=timezone.now()
        )
    assert gone(session, everybody) == before
    assert circle.member not in before


def test_whoever_is_signed_out_or_closed_hears_nothing_more(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    keys = signed_in(client_of, circle.member, circle.leader, circle.presenter)
    assert gone(session, keys) == set()
    with as_owner():
        SignIn.objects.filter(session_key=keys[circle.member]).delete()
        circle.leader.is_active = False
        circle.leader.save()
    assert gone(session, keys) == {circle.member, circle.leader}


# Signs of life


def seen(session: Session, person: Any, ago: float) -> None:
    with as_owner():
        RoomPresence.objects.filter(session=session, member=person).update(
            seen_at=timezone.now() - timedelta(seconds=ago)
        )


def seconds_since(session: Session, person: Any) -> float:
    with as_owner():
        row = RoomPresence.objects.get(session=session, member=person)
    return (timezone.now() - row.seen_at).total_seconds()


def test_a_sign_of_life_keeps_somebody_in_the_room_who_is_in_it(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    people = [circle.member, circle.leader, circle.presenter]
    enter(session, *people)
    keys = signed_in(client_of, *people)
    with as_member(circle.presenter):
        conduct.leave_room(session, by=circle.presenter, at=timezone.now())
    for person, ago in zip(people, (40, 70, 40), strict=True):
        seen(session, person, ago)
    gone(session, keys)
    assert seconds_since(session, circle.member) > 39
    gone(session, keys, here=True)
    # Who was away for a minute comes in by the page, which has more to do.
    assert [round(seconds_since(session, person), -1) for person in people] == [0, 70, 40]


def test_a_minute_of_silence_moves_the_room_once(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.member, circle.leader)
    keys = signed_in(client_of, circle.leader)
    before = version(session)
    seen(session, circle.member, 50)
    with as_owner():
        RoomVersion.objects.update(moved_at=timezone.now() - timedelta(seconds=40))
    gone(session, keys)
    assert version(session) == before
    seen(session, circle.member, 65)
    gone(session, keys)
    gone(session, keys)
    assert version(session) == before + 1


# The page


def get(client: Any, session: Session) -> Any:
    return client.get(reverse("live", args=[session.pk]))


def test_a_stream_begins_with_a_token_and_the_version_and_no_content(circle, client_of):
    case = tell(circle, phase=Phase.GROUP_WORK)
    for person in (circle.presenter, circle.member, circle.leader):
        browser = client_of(person)
        answer = get(browser, case.session)
        key = browser.cookies["sessionid"].value
        token = live.here_token(key=key, room=str(case.session.pk), person=str(person.pk))
        said = answer.content.decode().splitlines()
        assert answer["Content-Type"] == "text/event-stream"
        assert said[0].startswith("retry: ")
        assert said[1:] == [
            "event: here",
            f"data: {token}",
            "",
            f"data: {version(case.session)}",
            "",
        ]
        assert live.is_here(token, key=key, room=str(case.session.pk))
        assert not live.is_here(token, key="another", room=str(case.session.pk))
        assert not live.is_here(token.replace("-", "_"), key=key, room=str(case.session.pk))


@pytest.mark.parametrize("who", PERSONAS)
def test_it_begins_for_those_the_room_is_open_to(circle, client_of, who):
    session = at_phase(circle, Phase.CALL)
    nothing = reverse("live", args=["00000000-0000-4000-8000-000000000000"])
    browser = client_of(getattr(circle, who))
    answer = get(browser, session)
    if who in {"leader", "second_leader", "presenter", "member", "absent"}:
        assert answer.status_code == 200
    elif who == "newcomer":
        assert answer.url == f"/groups/{circle.group.pk}/agreement/"
    else:
        none = browser.get(nothing)
        assert (answer.status_code, answer.content) == (404, none.content)
        assert dict(answer.headers) == dict(none.headers)


def test_it_begins_neither_in_person_nor_when_it_is_over_nor_too_early(circle, client_of):
    browser = client_of(circle.member)
    assert get(browser, make_session(circle, setting="in_person")).status_code == 204
    assert get(browser, make_session(circle, phase=Phase.CLOSED)).status_code == 204
    early = get(browser, make_session(circle, begins=30))
    assert early.status_code == 409
    assert "The room opens on" in early.content.decode()


def test_a_page_knows_the_version_it_shows(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader)
    text = client_of(circle.leader).get(reverse("room", args=[session.pk])).content.decode()
    assert f'data-version="{version(session)}"' in text
    assert f'data-live="{reverse("live", args=[session.pk])}"' in text


def test_listening_is_no_sign_of_anybody_and_no_idle_limit_ends_it(circle, client_of, rf, settings):
    session = at_phase(circle, Phase.CALL)
    path = reverse("live", args=[session.pk])
    assert rooms.is_asked_by_itself(rf.get(path), timezone.now())
    assert not rooms.is_asked_by_itself(rf.get(f"/sessions/{session.pk}/room/"), timezone.now())
    browser = client_of(circle.member)
    idle = browser.session
    idle["sitting_seen"] = idle["sitting_began"] = int(time.time()) - 13 * 60 * 60
    idle.save()
    assert get(browser, session).status_code == 200
    assert browser.session["sitting_seen"] == idle["sitting_seen"]

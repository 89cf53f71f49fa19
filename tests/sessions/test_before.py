"""“Before you open the door”: who to think of, and the card for the knee."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.models import Ending, Entrance, Leave, Preference
from members.models import Phone
from sessions import before, conduct
from sessions.models import Answer
from tests.sessions.evening import make_session, soon
from tests.world import as_member, as_owner, join, make_member

pytestmark = pytest.mark.reads_context

DAY = 60 * 24


def look(circle, session, who="leader"):
    person = getattr(circle, who)
    with as_member(person):
        return before.of(session, to=person, at=timezone.now())


def answer(session, member, *, days=0):
    with as_owner():
        Answer.objects.create(
            session=session,
            group=session.group,
            member=member,
            on=session.starts_at.astimezone(session.zone).date() + timedelta(days=days),
            answered_at=soon(-60),
        )


def ends(circle, member, ends_at, *, confirmed=True):
    with as_owner():
        Ending.objects.create(
            group=circle.group,
            membership=circle.group.memberships.get(member=member),
            asked_by=member,
            asked_as="person",
            asked_at=soon(-DAY),
            ends_at=ends_at,
            confirmed_at=soon(-DAY) if confirmed else None,
        )


def test_away_are_those_who_said_so_for_that_day_and_those_on_leave(circle):
    session = make_session(circle, begins=60)
    answer(session, circle.absent)
    answer(session, circle.member, days=-7)
    assert look(circle, session).away == ["Owen", "Hanna"]


def test_back_is_whose_leave_ended_since_the_last_meeting(circle):
    session = make_session(circle, begins=60)
    with as_owner():
        Leave.objects.update(starts_at=soon(-100 * DAY), ended_at=soon(-9 * DAY))
    assert look(circle, session).back == [], "there was no meeting before"
    make_session(circle, begins=-28 * DAY, phase="closed")
    assert look(circle, session).back == ["Hanna, after three months"]
    make_session(circle, begins=-7 * DAY, phase="closed")
    assert look(circle, session).back == []


def test_a_short_leave_is_said_in_weeks(circle):
    session = make_session(circle, begins=60)
    make_session(circle, begins=-28 * DAY, phase="closed")
    with as_owner():
        Leave.objects.update(starts_at=soon(-20 * DAY), ended_at=soon(-6 * DAY))
    assert look(circle, session).back == ["Hanna, after two weeks"]


def test_new_is_whose_first_meeting_it_is(circle):
    session = make_session(circle, begins=60)
    assert look(circle, session).new == []
    make_session(circle, begins=-28 * DAY, phase="closed")
    join(circle.group, make_member("Dr Lea Late"), since=soon(-10 * DAY))
    with as_owner():
        was = circle.group.memberships.get(member=circle.member)
        was.ended_at = soon(-5 * DAY)
        was.save()
    join(circle.group, circle.member, "leader", since=soon(-5 * DAY))
    assert look(circle, session).new == ["Lea", "Nina"]


def test_a_farewell_is_said_at_the_last_meeting_and_the_last_but_one(circle):
    session = make_session(circle, begins=60)
    make_session(circle, begins=28 * DAY)
    make_session(circle, begins=56 * DAY)
    make_session(circle, begins=20 * DAY, phase="cancelled")
    ends(circle, circle.member, soon(10 * DAY))
    ends(circle, circle.absent, soon(40 * DAY))
    ends(circle, circle.presenter, soon(70 * DAY))
    ends(circle, circle.second_leader, soon(10 * DAY), confirmed=False)
    assert look(circle, session).farewells == ["Dana’s last meeting", "Owen’s last meeting but one"]


def test_numbers_are_those_shared_with_this_group(circle):
    session = make_session(circle, begins=60)
    with as_owner():
        for person in (circle.member, circle.presenter, circle.leader):
            Phone.objects.create(member=person, number="+44 20 7946 0018")
        for person in (circle.member, circle.leader):
            Preference.objects.create(group=circle.group, member=person, shares_phone=True)
        Preference.objects.create(
            group=circle.other_group, member=circle.presenter, shares_phone=True
        )
    assert look(circle, session).phones == [("Dana", "+44 20 7946 0018")]


def test_two_of_one_name_are_called_by_the_whole(circle):
    join(circle.group, make_member("Dr Dana Blue"), since=soon(-DAY * 300))
    with as_member(circle.leader):
        names = before.known_as(conduct.seats(make_session(circle, begins=60)))
    assert {"Dr Dana Blue", "Dr Dana Green", "Amit"} <= set(names.values())


def test_the_page_says_it_all_to_leaders(circle, client_of):
    session = make_session(circle, begins=60, setting="in_person", place="Library")
    answer(session, circle.absent)
    with as_owner():
        Entrance.objects.create(group=circle.group, door="code 4471#")
    text = client_of(circle.leader).get(reverse("before", args=[session.pk])).content.decode()
    for words in ("Owen", "code 4471#", "Library", "Jerusalem time", "Before you open the door"):
        assert words in text
    assert reverse("session_cancel", args=[session.pk]) in text
    assert reverse("card", args=[session.pk]) in text
    assert reverse("room_open", args=[session.pk]) not in text


def test_online_it_opens_the_room(circle, client_of):
    session = make_session(circle, begins=60)
    text = client_of(circle.leader).get(reverse("before", args=[session.pk])).content.decode()
    assert f'action="{reverse("room_open", args=[session.pk])}"' in text


def test_the_page_asks_as_often_for_a_large_circle(
    circle, client_of, django_assert_max_num_queries
):
    session = make_session(circle, begins=60)
    make_session(circle, begins=-28 * DAY, phase="closed")
    client = client_of(circle.leader)
    counts = []
    for _round in range(2):
        with django_assert_max_num_queries(40) as asked:
            client.get(reverse("before", args=[session.pk]))
        counts.append(len(asked))
        for _number in range(4):
            person = make_member()
            join(circle.group, person, since=soon(-DAY * 9))
            answer(session, person)
            ends(circle, person, soon(DAY))
    assert counts[0] == counts[1]


def test_the_card_has_phases_times_and_the_two_questions_and_no_name(circle, client_of):
    with as_owner():
        circle.leader.time_zone = "America/New_York"
        circle.leader.save()
    session = make_session(circle, begins=60)
    text = client_of(circle.leader).get(reverse("card", args=[session.pk])).content.decode()
    card = text[text.index('<section class="card print-card">') : text.index("</section>")]
    start = session.starts_at.astimezone(session.zone)
    assert f"{start:%H:%M}–" in card
    assert f"–{start + timedelta(minutes=90):%H:%M}" in card
    for words in (
        "The story",
        "The group’s work",
        "Who has a follow-up report?",
        "Who has a case?",
    ):
        assert words in card
    for person in (*circle.inside, circle.on_leave):
        assert person.first_name not in card
    assert circle.group.name not in card


def test_the_card_follows_the_groups_switches_and_minutes(circle, client_of):
    with as_owner():
        circle.group.asks_questions = circle.group.sits_back = False
        circle.group.minutes = {"story": 15, "group_work": 30}
        circle.group.save()
    session = make_session(circle, begins=60)
    answer_ = client_of(circle.leader).get(reverse("card", args=[session.pk]))
    names = [str(name) for _times, name in answer_.context["lines"]]
    assert "Questions of fact" not in names
    assert "Coming back in" not in names
    starts = session.starts_at.astimezone(session.zone) + timedelta(minutes=5 + 5 + 3)
    ends = starts + timedelta(minutes=15)
    assert (f"{starts:%H:%M}–{ends:%H:%M}", "The story") in [
        (times, str(name)) for times, name in answer_.context["lines"]
    ]


def test_everything_is_as_of_the_meeting_not_of_today(circle):
    session = make_session(circle, begins=30 * DAY)
    with as_owner():
        Leave.objects.update(ended_at=timezone.now() + timedelta(days=10))
    assert look(circle, session).away == []

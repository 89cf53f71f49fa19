"""Fishbowl: some of the group sit outside this time; they are seen there and tell no case."""

import pytest
from django.urls import reverse
from django.utils import timezone

from sessions import conduct, observers, observing, upkeep
from sessions.models import Observer, Session
from sessions.phases import Phase
from tests.sessions.evening import at_phase, enter, fresh, make_session, move, soon
from tests.world import as_member, as_owner

pytestmark = pytest.mark.reads_context


@pytest.fixture(autouse=True)
def fishbowl(circle):
    with as_owner():
        circle.group.has_observers = True
        circle.group.save()


def choose(circle, session: Session, *people, by=None, seen: int | None = None) -> Session:
    by, session = by or circle.leader, fresh(session)
    with as_member(by):
        return observers.choose(
            session,
            [person.pk for person in people],
            seen=session.step if seen is None else seen,
            by=by,
            at=timezone.now(),
        )


def outside(session: Session) -> set:
    session = fresh(session)
    with as_owner():
        return set(observing.of(session))


def page_of(circle, client_of, session: Session, who: str = "leader"):
    return client_of(getattr(circle, who)).get(reverse("observers", args=[session.pk]))


def test_the_leaders_say_who_observes_and_say_it_anew(circle):
    session = make_session(circle, begins=60)
    choose(circle, session, circle.member, circle.absent)
    assert outside(session) == {circle.member.pk, circle.absent.pk}
    choose(circle, session, circle.presenter, by=circle.second_leader)
    assert outside(session) == {circle.presenter.pk}
    choose(circle, session)
    assert outside(session) == set()


def test_the_page_shows_who_observes_and_saves(circle, client_of):
    session = make_session(circle, begins=60)
    choose(circle, session, circle.member)
    url = reverse("observers", args=[session.pk])
    form = page_of(circle, client_of, session).context["form"]
    assert form["outside"].value() == [str(circle.member.pk)]
    leaders = {str(circle.leader.pk), str(circle.second_leader.pk)}
    assert leaders.isdisjoint(value for value, _name in form.fields["outside"].choices)
    client = client_of(circle.leader)
    client.post(url, {"seen": session.step, "outside": [circle.absent.pk]})
    assert outside(session) == {circle.absent.pk}
    before = client.get(reverse("before", args=[session.pk]))
    assert before.context["before"].observers == [circle.absent.first_name]


@pytest.mark.parametrize(
    ("who", "status"),
    [("member", 404), ("newcomer", 302), ("on_leave", 404), ("admin", 404), ("outsider", 404)],
)
def test_it_is_the_leaders_page(circle, client_of, who, status):
    session = make_session(circle, begins=60)
    assert page_of(circle, client_of, session, who).status_code == status


def test_there_is_no_such_page_where_nobody_observes(circle, client_of):
    with as_owner():
        circle.group.has_observers = False
        circle.group.save()
    session = make_session(circle, begins=60)
    assert page_of(circle, client_of, session).status_code == 404


def test_whoever_observes_is_drawn_outside_for_everyone_and_cannot_be_named(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    choose(circle, session, circle.member)
    enter(session, circle.leader, circle.presenter, circle.member)
    for who in (circle.leader, circle.presenter, circle.member):
        answer = client_of(who).get(reverse("room", args=[session.pk]))
        look = answer.context["look"]
        assert [chair.name for chair in look.chairs if chair.observes] == [str(circle.member)]
        assert "1 observes from outside" in answer.content.decode()
    named = [pk for pk, _name in look.may_tell]
    assert str(circle.member.pk) not in named
    assert str(circle.presenter.pk) in named
    with pytest.raises(observing.Observes, match="sits outside"):
        move(session, Phase.STORY, circle.leader, presenter=circle.member)


def test_every_screen_hears_that_somebody_sits_outside(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.member)
    room = reverse("room", args=[session.pk])
    before = client_of(circle.member).get(room).context["look"].mark
    choose(circle, session, circle.absent)
    assert client_of(circle.member).get(room).context["look"].people_mark != before.split(".")[0]


def test_two_sit_in_the_circle_and_who_tells_among_them(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter)
    move(session, Phase.STORY, circle.leader, presenter=circle.presenter)
    with pytest.raises(observers.TellsACase):
        choose(circle, session, circle.presenter)
    with as_owner():
        circle.group.memberships.filter(member=circle.leader).update(role="member")
        circle.group.memberships.exclude(
            member__in=[circle.leader, circle.second_leader, circle.absent]
        ).delete()
    session = make_session(circle, begins=60)
    with pytest.raises(observers.TooFewInside):
        choose(circle, session, circle.leader, circle.absent, by=circle.second_leader)


def test_a_late_save_is_told_that_the_session_has_moved_on(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    data = {"seen": 0, "outside": [circle.member.pk]}
    answer = client_of(circle.leader).post(reverse("observers", args=[session.pk]), data)
    assert answer.status_code == 409
    assert "The session has moved on." in answer.content.decode()
    assert outside(session) == set()


@pytest.mark.parametrize(
    ("phase", "why"),
    [(Phase.CLOSED, conduct.SessionIsOver), (Phase.CANCELLED, conduct.SessionIsCancelled)],
)
def test_nobody_is_named_once_it_is_over_or_off(circle, phase, why):
    with pytest.raises(why):
        choose(circle, make_session(circle, phase=phase), circle.member)


def test_the_next_morning_nobody_knows_who_observed(circle):
    session, running = make_session(circle, begins=60), make_session(circle, begins=-300)
    for one in (session, running):
        choose(circle, one, circle.member)
    with as_owner():
        Session.objects.filter(pk=running.pk).update(runs_until=soon(-1))
    done = upkeep.run({"observers": upkeep.STEPS["observers forgotten"]})
    assert done == {"observers": 1}
    with as_owner():
        assert Observer.objects.get().session == session

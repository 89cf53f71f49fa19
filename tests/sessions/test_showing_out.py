"""Somebody's part in a running meeting ends, when all its leaders say so and not before."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.joining import NotYours
from groups.models import Membership
from sessions import conduct, live, showing_out, upkeep, visible
from sessions.answers import day_of
from sessions.models import (
    Answer,
    CasePresentation,
    EveningLead,
    RoomPresence,
    Session,
    ShownOut,
)
from sessions.phases import RUNNING, Phase
from tests.sessions.evening import at_phase, enter, fresh, move
from tests.sessions.test_room import address, ask, page, post, shown
from tests.world import as_member, as_owner


@pytest.fixture
def evening(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.second_leader, circle.presenter, circle.member)
    return session


def say(verb, session, by, person, seen=None):
    session = fresh(session)
    with as_member(by):
        return verb(
            session,
            person=person.pk,
            seen=session.step if seen is None else seen,
            by=by,
            at=timezone.now(),
        )


def show_out(session, by, person, **more):
    return say(showing_out.show_out, session, by, person, **more)


def take_back(session, by, person, **more):
    return say(showing_out.take_back, session, by, person, **more)


def in_circle(session, person):
    """By the pages' own rule and by the database's: the two agree."""
    with as_member(person):
        ruled = visible.circle(person, timezone.now()).filter(pk=session.pk).exists()
        assert ruled == (live.version(session) is not None)
        assert ruled == visible.rooms(person, timezone.now()).filter(pk=session.pk).exists()
    return ruled


def test_one_leader_of_two_ends_nothing_and_both_together_do(circle, evening):
    show_out(evening, circle.leader, circle.member)
    assert in_circle(evening, circle.member)
    show_out(evening, circle.second_leader, circle.member)
    assert not in_circle(evening, circle.member)
    assert in_circle(evening, circle.presenter)
    with as_owner():
        own = RoomPresence.objects.get(session=evening, member=circle.member)
    assert own.left_at is not None
    with pytest.raises(conduct.PartIsOver):
        enter(evening, circle.member)


def test_saying_it_twice_is_saying_it_once(circle, evening):
    for _ in range(2):
        show_out(evening, circle.leader, circle.member)
    assert in_circle(evening, circle.member)
    with as_owner():
        assert ShownOut.objects.count() == 1


@pytest.mark.parametrize("by", ["leader", "second_leader"])
def test_either_leader_takes_it_back_and_the_person_may_come_in_again(circle, evening, by):
    for leader in (circle.leader, circle.second_leader):
        show_out(evening, leader, circle.member)
    take_back(evening, getattr(circle, by), circle.member)
    assert in_circle(evening, circle.member)
    enter(evening, circle.member)
    with pytest.raises(showing_out.StaysIn):
        take_back(evening, circle.leader, circle.member)


def test_who_had_said_not_to_come_or_does_not_lead_tonight_is_not_waited_for(circle, evening):
    with as_owner():
        RoomPresence.objects.filter(member=circle.second_leader).delete()
        Answer.objects.create(
            session=evening,
            group=circle.group,
            member=circle.second_leader,
            on=day_of(evening),
            answered_at=timezone.now(),
        )
    show_out(evening, circle.leader, circle.member)
    assert not in_circle(evening, circle.member)
    with as_owner():
        ShownOut.objects.all().delete()
        Answer.objects.all().delete()
        EveningLead.objects.create(
            session=evening,
            group=circle.group,
            kind=EveningLead.ALONE,
            leader=circle.leader,
            on=day_of(evening),
            at=timezone.now(),
        )
    show_out(evening, circle.leader, circle.presenter)
    assert not in_circle(evening, circle.presenter)


def test_what_was_said_of_another_day_has_lapsed(circle, evening):
    with as_owner():
        RoomPresence.objects.filter(member=circle.second_leader).delete()
        said = {"session": evening, "group": circle.group, "on": day_of(evening)}
        said["on"] -= timedelta(days=7)
        Answer.objects.create(**said, member=circle.second_leader, answered_at=timezone.now())
        EveningLead.objects.create(
            **said, kind=EveningLead.ALONE, leader=circle.leader, at=timezone.now()
        )
    show_out(evening, circle.leader, circle.member)
    assert in_circle(evening, circle.member)


def test_a_leader_who_is_late_is_waited_for(circle, evening):
    with as_owner():
        RoomPresence.objects.filter(member=circle.second_leader).delete()
    show_out(evening, circle.leader, circle.member)
    assert in_circle(evening, circle.member)


def test_it_holds_where_the_membership_ended_while_the_group_meets(circle, evening):
    with as_owner():
        own = Membership.objects.filter(group=circle.group, member=circle.member)
        own.update(ended_at=timezone.now())
    assert in_circle(evening, circle.member)
    for leader in (circle.leader, circle.second_leader):
        show_out(evening, leader, circle.member)
    assert not in_circle(evening, circle.member)


@pytest.mark.parametrize("who", ["second_leader", "outsider", "former", "admin"])
def test_members_of_the_circle_alone_are_shown_out(circle, evening, who):
    with pytest.raises(showing_out.LeadersStay):
        show_out(evening, circle.leader, getattr(circle, who))


@pytest.mark.parametrize("by", ["member", "presenter", "newcomer", "former", "admin", "outsider"])
def test_leaders_of_the_circle_alone_say_it(circle, evening, by):
    for verb in (showing_out.show_out, showing_out.take_back):
        with pytest.raises(NotYours):
            say(verb, evening, getattr(circle, by), circle.member)


def test_the_cases_of_the_meeting_are_closed_to_them_until_the_morning(circle, evening, client_of):
    move(evening, Phase.STORY, circle.leader, presenter=circle.presenter)
    move(evening, Phase.CLOSING, circle.leader)
    with as_owner():
        case = CasePresentation.objects.get(session=evening)

    def sees(person):
        with as_member(person):
            ruled = visible.cases(person, timezone.now()).filter(pk=case.pk).exists()
            assert ruled == CasePresentation.objects.filter(pk=case.pk).exists()
            return ruled

    assert sees(circle.member)
    for leader in (circle.leader, circle.second_leader):
        show_out(evening, leader, circle.member)
    assert not sees(circle.member)
    assert sees(circle.presenter)
    with as_owner():
        Session.objects.filter(pk=evening.pk).update(runs_until=timezone.now() - timedelta(hours=1))
    upkeep.run({"showings": upkeep.STEPS["showings out forgotten"]})
    assert sees(circle.member)


def test_who_tells_a_case_is_not_shown_out(circle, evening):
    move(evening, Phase.STORY, circle.leader, presenter=circle.presenter)
    with pytest.raises(showing_out.TellsIt, match="Amit is telling a case"):
        show_out(evening, circle.leader, circle.presenter)


@pytest.mark.parametrize("phase", sorted(set(Phase) - RUNNING - {Phase.CANCELLED}))
def test_only_while_the_group_meets(circle, phase):
    session = at_phase(circle, phase)
    with pytest.raises(conduct.NotFromHere):
        show_out(session, circle.leader, circle.member)


def test_a_tap_on_an_older_state_is_late(circle, evening):
    with pytest.raises(conduct.SessionMovedOn):
        show_out(evening, circle.leader, circle.member, seen=fresh(evening).step - 1)
    with as_owner():
        assert not ShownOut.objects.exists()


def test_members_know_nothing_of_it_until_it_is_their_own_part(circle, evening):
    def known(person):
        with as_member(person):
            seen = visible.shown_out(person, timezone.now()).count()
            assert seen == ShownOut.objects.count()
            return seen

    show_out(evening, circle.leader, circle.member)
    assert [known(circle.member), known(circle.presenter)] == [0, 0]
    assert [known(circle.leader), known(circle.second_leader)] == [1, 1]
    show_out(evening, circle.second_leader, circle.member)
    assert [known(circle.member), known(circle.presenter)] == [2, 0]


# On the screen


def test_from_one_strip_to_the_other_and_the_room_is_closed(circle, evening, client_of):
    leader, second = client_of(circle.leader), client_of(circle.second_leader)
    member = client_of(circle.member)
    saw = shown(member, evening)
    assert "End somebody’s part in this meeting" in page(leader, evening)
    assert "End somebody’s part in this meeting" not in page(member, evening)
    post(leader, "room_show_out", evening, person=str(circle.member.pk))
    assert "Ruth: Dana’s part in this meeting ends?" in page(second, evening)
    assert "part in this meeting ends?" not in page(leader, evening)
    asked = page(second, evening, "room_show_out")
    assert "Dana: said by Ruth, not yet by all." in asked
    assert "Say so too" in asked
    assert "Say so too" not in page(leader, evening, "room_show_out")
    assert ask(member, evening, **saw).status_code == 200
    post(second, "room_show_out", evening, person=str(circle.member.pk))
    assert "HX-Redirect" in ask(member, evening, **saw).headers
    answer = member.get(address("room", evening))
    assert answer.status_code == 409
    assert "The leaders have ended your part in this meeting." in answer.content.decode()
    assert member.get(address("live", evening)).status_code == 409
    assert "Dana’s part in this meeting has ended." in page(leader, evening, "room_show_out")
    post(leader, "room_stays", evening, person=str(circle.member.pk))
    assert member.get(address("room", evening)).status_code == 200


def test_nobody_in_particular_is_refused_with_a_sentence(circle, evening, client_of):
    answer = post(client_of(circle.leader), "room_show_out", evening)
    assert answer.status_code == 409
    assert 'role="alert"' in answer.content.decode()

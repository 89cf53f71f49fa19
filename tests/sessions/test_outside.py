"""Stepping out of a case: not present for it, not back in by the door, back when it is over."""

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.joining import NotYours
from sessions import cases, conduct, outside
from sessions.models import CasePresence, RoomPresence, SteppedOut
from sessions.phases import RUNNING, WITH_CASE, Phase
from tests.sessions.evening import at_phase, enter, fresh, move, tell
from tests.sessions.test_conduct import name, open_session, present, told, undo
from tests.sessions.test_room import address, ask, page, post, shown
from tests.world import as_member, as_owner


def step_out(session, by, person=None, seen=None):
    session = fresh(session)
    with as_member(by):
        return outside.step_out(
            session,
            person=(person or by).pk,
            seen=session.step if seen is None else seen,
            by=by,
            at=timezone.now(),
        )


def let_in(session, by, person):
    session = fresh(session)
    with as_member(by):
        return outside.let_back_in(
            session, person=person.pk, seen=session.step, by=by, at=timezone.now()
        )


def out(session, who):
    session = fresh(session)
    with as_member(who):
        return cases.out_of_it(session)


def in_room(session):
    with as_owner():
        rows = RoomPresence.objects.filter(session=session, left_at=None)
        return {row.member for row in rows.select_related("member")}


@pytest.fixture
def evening(circle):
    """A session opened, with everyone in its room but the one who said no."""
    session = open_session(at_phase(circle, Phase.PLANNED), circle.leader)
    enter(session, circle.leader, circle.second_leader, circle.presenter, circle.member)
    return session


def begin(session, circle, presenter=None, phase=Phase.STORY):
    move(session, Phase.STORY, circle.leader, presenter=presenter or circle.presenter)
    if phase is not Phase.STORY:
        move(session, phase, circle.leader)


@pytest.mark.parametrize("phase", sorted(WITH_CASE))
@pytest.mark.parametrize("by", ["member", "leader"])
def test_who_steps_out_is_not_present_for_the_case_nor_in_the_room(circle, evening, phase, by):
    begin(evening, circle, phase=phase)
    step = fresh(evening).step
    moved = step_out(evening, getattr(circle, by), circle.member)
    assert moved.step == step + 1
    assert circle.member not in present(evening)
    assert circle.member not in in_room(evening)
    assert told(evening) == [(1, "Amit", True)]


@pytest.mark.parametrize("phase", sorted(RUNNING - WITH_CASE))
def test_there_is_nothing_to_step_out_of_without_a_case(circle, phase):
    session = at_phase(circle, phase)
    enter(session, circle.leader, circle.member)
    with pytest.raises(conduct.NotFromHere):
        step_out(session, circle.member)
    assert out(session, circle.leader) == frozenset()


def test_they_do_not_come_back_into_it_by_the_door(circle, evening):
    begin(evening, circle)
    step_out(evening, circle.member)
    enter(evening, circle.member)
    now = fresh(evening)
    with as_member(circle.member):
        assert conduct.still_here(now, by=circle.member, at=timezone.now())
        RoomPresence.objects.filter(member=circle.member).update(left_at=None)
        cases.enter_case_being_told(evening)
    assert circle.member not in present(evening)


def test_nor_when_another_tells_instead_is_named_late_or_nobody_tells_any_more(circle, evening):
    begin(evening, circle)
    step_out(evening, circle.member)
    name(evening, circle.leader, circle.second_leader)
    assert circle.member not in present(evening)
    name(evening, circle.second_leader, None)
    assert out(evening, circle.member) == {circle.member.pk}


def test_nor_when_the_story_is_taken_back_and_begun_again(circle, evening):
    begin(evening, circle)
    step_out(evening, circle.member)
    undo(evening, circle.leader)
    enter(evening, circle.member)
    assert circle.member in in_room(evening)
    begin(evening, circle)
    assert circle.member not in present(evening)
    assert out(evening, circle.leader) == {circle.member.pk}


def test_a_mistaken_end_taken_back_keeps_them_out(circle, evening):
    begin(evening, circle, phase=Phase.GROUP_WORK)
    step_out(evening, circle.member)
    move(evening, Phase.CLOSING, circle.leader)
    enter(evening, circle.member)
    undo(evening, circle.leader)
    assert out(evening, circle.member) == {circle.member.pk}
    assert circle.member not in present(evening)


def test_who_stepped_out_while_nobody_told_is_not_present_when_that_is_taken_back(circle, evening):
    begin(evening, circle)
    name(evening, circle.leader, None)
    step_out(evening, circle.member)
    undo(evening, circle.leader)
    assert told(evening) == [(1, "Amit", True)]
    assert circle.member not in present(evening)


@pytest.mark.parametrize("way", [Phase.CLOSING, Phase.CALL, Phase.STORY])
def test_when_the_group_goes_on_they_are_back_in_and_hear_the_next_case(circle, evening, way):
    begin(evening, circle, phase=Phase.RETURN)
    step_out(evening, circle.member)
    move(evening, way, circle.leader, presenter=circle.second_leader)
    assert out(evening, circle.member) == frozenset()
    enter(evening, circle.member)
    assert circle.member in in_room(evening)
    assert circle.member not in present(evening, 1)
    if way is Phase.STORY:
        assert circle.member in present(evening, 2)


def test_a_case_nobody_is_named_for_is_stepped_out_of_as_well(circle, evening):
    move(evening, Phase.STORY, circle.leader)
    step_out(evening, circle.member)
    enter(evening, circle.member)
    name(evening, circle.leader, circle.presenter)
    assert circle.member not in present(evening)


def test_a_leader_lets_somebody_back_in_whose_tap_was_a_mistake(circle, evening):
    begin(evening, circle)
    step_out(evening, circle.member)
    let_in(evening, circle.second_leader, circle.member)
    enter(evening, circle.member)
    assert circle.member in present(evening)
    with pytest.raises(conduct.SessionMovedOn):
        let_in(evening, circle.second_leader, circle.member)


def test_nobody_lets_themselves_in(circle, evening):
    begin(evening, circle)
    step_out(evening, circle.second_leader)
    with pytest.raises(outside.NotOut):
        let_in(evening, circle.second_leader, circle.second_leader)
    step_out(evening, circle.member)
    with pytest.raises(NotYours):
        let_in(evening, circle.member, circle.member)
    assert out(evening, circle.leader) == {circle.member.pk, circle.second_leader.pk}
    let_in(evening, circle.leader, circle.second_leader)


def test_who_tells_does_not_step_out_and_who_stepped_out_may_tell_after_all(circle, evening):
    begin(evening, circle)
    with pytest.raises(outside.TellsIt, match="Amit is telling this case"):
        step_out(evening, circle.presenter)
    step_out(evening, circle.member)
    undo(evening, circle.leader)
    enter(evening, circle.member)
    begin(evening, circle, presenter=circle.member)
    assert circle.member in present(evening)
    assert out(evening, circle.member) == frozenset()


def test_the_only_leader_in_the_room_does_not_step_out(circle):
    session = tell(circle).session
    with pytest.raises(outside.LeadsOn, match="Ruth leads alone here"):
        step_out(session, circle.leader)
    enter(session, circle.second_leader)
    step_out(session, circle.leader)
    assert circle.leader not in present(session)


@pytest.mark.parametrize("who", ["member", "presenter", "absent"])
def test_members_say_it_of_themselves_alone(circle, evening, who):
    begin(evening, circle)
    other = circle.second_leader if who != "member" else circle.presenter
    with pytest.raises(NotYours):
        step_out(evening, getattr(circle, who), other)


@pytest.mark.parametrize("who", ["newcomer", "on_leave", "former", "admin", "outsider"])
def test_nobody_outside_steps_out_or_is_stepped_out(circle, evening, who):
    begin(evening, circle)
    with pytest.raises(NotYours):
        step_out(evening, getattr(circle, who))
    if who != "newcomer" and who != "on_leave":
        with pytest.raises(conduct.NotInTheRoom):
            step_out(evening, circle.leader, getattr(circle, who))
    with as_owner():
        assert not SteppedOut.objects.exists()


def test_a_tap_on_an_older_state_is_late(circle, evening):
    begin(evening, circle)
    with pytest.raises(conduct.SessionMovedOn):
        step_out(evening, circle.member, seen=fresh(evening).step - 1)
    assert circle.member in present(evening)


def test_leaders_know_who_is_out_and_members_only_of_themselves(circle, evening):
    begin(evening, circle)
    step_out(evening, circle.member)
    known = {who: len(out(evening, getattr(circle, who))) for who in ("leader", "member")}
    assert known == {"leader": 1, "member": 1}
    assert out(evening, circle.presenter) == out(evening, circle.absent) == frozenset()


# On the screen


def test_from_the_strip_to_the_quiet_page_and_back_when_the_group_goes_on(
    circle, evening, client_of
):
    client = client_of(circle.member)
    assert address("room_out", evening) not in page(client, evening)
    begin(evening, circle)
    assert f'href="{address("room_out", evening)}"' in page(client, evening)
    assert "Step out of this case?" in page(client, evening, "room_out")
    assert post(client, "room_out", evening).url == address("room", evening)
    text = page(client, evening)
    assert "You have stepped out of this case." in text
    assert "Amit" not in text
    assert "<svg" not in text
    saw = shown(client, evening)
    assert saw["screen"] == "outside"
    assert ask(client, evening, **saw).status_code == 204
    move(evening, Phase.GROUP_WORK, circle.leader)
    answer = ask(client, evening, **saw).content.decode()
    assert answer.count("hx-swap-oob") == 1
    assert "Amit" not in answer
    move(evening, Phase.CLOSING, circle.leader)
    assert ask(client, evening, **saw).headers["HX-Refresh"] == "true"
    assert "Closing. A few words on the meeting." in page(client, evening)
    assert circle.member in in_room(evening)


def test_a_leader_says_it_and_the_screen_of_the_other_goes_quiet(circle, evening, client_of):
    begin(evening, circle)
    member, leader = client_of(circle.member), client_of(circle.leader)
    saw = shown(member, evening)
    text = page(leader, evening)
    assert "Somebody knows the patient" in text
    assert "let Dana back in" not in text
    post(leader, "room_out", evening, person=str(circle.member.pk))
    assert ask(member, evening, **saw).headers["HX-Refresh"] == "true"
    assert "You have stepped out of this case." in page(member, evening)
    text = page(leader, evening)
    assert "let Dana back in" in text
    assert "Dana is away" in text
    post(leader, "room_in", evening, person=str(circle.member.pk))
    assert ask(member, evening, screen="outside").headers["HX-Refresh"] == "true"
    assert "The story. Amit is telling it." in page(member, evening)
    assert circle.member in present(evening)


@pytest.mark.parametrize("who", ["presenter", "member", "leader"])
def test_the_page_that_asks_once_is_for_who_may_step_out(circle, evening, client_of, who):
    begin(evening, circle, phase=Phase.GROUP_WORK)
    answer = client_of(getattr(circle, who)).get(address("room_out", evening))
    assert answer.status_code == (302 if who == "presenter" else 200)


def test_in_no_list_of_cases_the_case_stands_for_who_stepped_out(circle, evening, client_of):
    begin(evening, circle)
    step_out(evening, circle.member)
    with as_owner():
        case = CasePresence.objects.filter(case__session=evening).first().case
    assert client_of(circle.presenter).get(reverse("case", args=[case.pk])).status_code == 200
    assert client_of(circle.member).get(reverse("case", args=[case.pk])).status_code == 404

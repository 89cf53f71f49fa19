"""Steps of a session: any, forward or back, none required; each with the state it saw."""

from datetime import timedelta

import pytest
from django.utils import timezone

from groups.joining import NotYours
from members.refusals import Refused
from sessions import cases, conduct
from sessions.models import CasePresence, CasePresentation, RoomPresence, Session, Step
from sessions.phases import ORDER, RUNNING, Phase
from tests.sessions.evening import at_phase, enter, fresh, listens, make_session, move, soon, tell
from tests.world import as_member, as_owner, join, make_member

MEMBERS = ["presenter", "member", "absent"]
NOT_INSIDE = ["newcomer", "on_leave", "former", "admin", "outsider", "superuser"]


def open_session(session, by, at=None):
    with as_member(by):
        return conduct.open_session(session, by=by, at=at or timezone.now())


def undo(session, by, seen=None):
    session = fresh(session)
    seen = session.step if seen is None else seen
    with as_member(by):
        return conduct.undo(session, seen=seen, by=by, at=timezone.now())


def name(session, by, presenter):
    session = fresh(session)
    with as_member(by):
        return conduct.name_presenter(
            session,
            presenter=presenter.pk if presenter else None,
            seen=session.step,
            by=by,
            at=timezone.now(),
        )


def told(session):
    with as_owner():
        rows = CasePresentation.objects.filter(session=session).order_by("order")
        return [(row.order, row.presenter.first_name, row.being_told) for row in rows]


def present(session, order=1):
    with as_owner():
        rows = CasePresence.objects.filter(case__session=session, case__order=order)
        return {row.member for row in rows.select_related("member")}


def test_opening_begins_with_arriving_and_writes_a_step(circle):
    session = open_session(make_session(circle), circle.leader)
    assert (session.phase, session.step) == (Phase.ARRIVING, 1)
    with as_owner():
        step = Step.objects.get(session=session)
        assert (step.number, step.phase, step.came_from) == (1, "arriving", "planned")
        assert step.by == circle.leader


def test_opening_an_open_session_again_changes_nothing(circle):
    session = open_session(make_session(circle), circle.leader)
    again = open_session(session, circle.second_leader)
    assert (again.phase, again.step) == (Phase.ARRIVING, 1)


def test_opening_one_closes_the_groups_earlier_open_one(circle):
    earlier = tell(circle).session
    later = make_session(circle, begins=-1)
    open_session(later, circle.second_leader)
    assert fresh(earlier).phase == Phase.CLOSED
    assert fresh(earlier).closed_at is not None
    assert told(earlier) == [(1, "Amit", False)]


def test_a_session_opens_two_hours_before_its_start_and_not_earlier(circle):
    early = make_session(circle, begins=121)
    with pytest.raises(conduct.NotOpenYet, match="The room opens on .* at .*, Jerusalem time"):
        open_session(early, circle.leader)
    assert open_session(make_session(circle, begins=119), circle.leader).is_open


@pytest.mark.parametrize(
    ("phase", "refusal"),
    [(Phase.CANCELLED, conduct.SessionIsCancelled), (Phase.CLOSED, conduct.SessionIsOver)],
)
def test_what_is_over_or_cancelled_does_not_open(circle, phase, refusal):
    with pytest.raises(refusal):
        open_session(make_session(circle, phase=phase), circle.leader)


def test_nothing_moves_from_the_next_morning_on(circle):
    session = at_phase(circle, Phase.STORY)
    with as_member(circle.leader), pytest.raises(conduct.SessionIsOver):
        conduct.move(session, to=Phase.CLOSING, seen=1, by=circle.leader, at=session.runs_until)


@pytest.mark.parametrize("before", sorted(RUNNING))
def test_a_leader_may_take_any_step_of_the_table_forward_or_back(circle, before):
    session = at_phase(circle, before)
    for number, to in enumerate([*sorted(RUNNING - {before}), Phase.CLOSED], start=2):
        moved = move(session, to, circle.second_leader)
        assert (moved.phase, moved.step) == (to, number)
        with as_owner():
            Session.objects.filter(pk=session.pk).update(phase=before)
    with pytest.raises(conduct.NotFromHere):
        move(session, before, circle.leader)


@pytest.mark.parametrize("to", [Phase.PLANNED, Phase.CANCELLED])
def test_no_step_leads_out_of_a_running_session_but_its_end(circle, to):
    with pytest.raises(conduct.NotFromHere):
        move(at_phase(circle, Phase.CALL), to, circle.leader)


def test_phases_the_group_does_not_use_are_no_steps(circle):
    with as_owner():
        circle.group.asks_questions = circle.group.sits_back = False
        circle.group.save()
    session = at_phase(circle, Phase.STORY)
    for unused in (Phase.QUESTIONS, Phase.RETURN):
        with pytest.raises(conduct.NotFromHere):
            move(session, unused, circle.leader)
    assert move(session, Phase.GROUP_WORK, circle.leader).phase == Phase.GROUP_WORK


def test_of_two_leaders_who_saw_the_same_state_one_moves_it(circle):
    session = at_phase(circle, Phase.CALL)
    move(session, Phase.STORY, circle.leader, seen=1)
    with pytest.raises(conduct.SessionMovedOn, match=r"The session has moved on\."):
        move(session, Phase.STORY, circle.second_leader, seen=1)
    assert (fresh(session).phase, fresh(session).step) == (Phase.STORY, 2)


def test_every_refusal_is_a_sentence():
    refusals = [
        kind
        for kind in vars(conduct).values()
        if isinstance(kind, type) and issubclass(kind, Refused) and kind is not Refused
    ]
    sentences = [str(kind.sentence) for kind in refusals]
    assert len(set(sentences)) == len(refusals) >= 10
    assert all(sentence[0] in "TY%N" and sentence.endswith(".") for sentence in sentences)


def test_only_leaders_of_the_circle_move_it(circle):
    session = at_phase(circle, Phase.CALL)
    for who in (*MEMBERS, *NOT_INSIDE):
        with pytest.raises(NotYours):
            move(session, Phase.STORY, getattr(circle, who))
    assert fresh(session).step == 1


def test_while_it_runs_its_leaders_are_those_it_began_with(circle):
    session = at_phase(circle, Phase.CALL)
    new = make_member("Dr Lea Late")
    join(circle.group, new, "leader", since=timezone.now() - timedelta(minutes=1))
    with as_owner():
        circle.group.memberships.filter(member=circle.leader).update(ended_at=timezone.now())
    with pytest.raises(NotYours):
        move(session, Phase.STORY, new)
    assert move(session, Phase.STORY, circle.leader).phase == Phase.STORY


# Telling


def test_the_story_may_begin_without_a_name(circle):
    session = at_phase(circle, Phase.CALL)
    move(session, Phase.STORY, circle.leader)
    assert told(session) == []


def test_naming_the_presenter_makes_a_case_for_everyone_in_the_room(circle):
    case = tell(circle)
    assert told(case.session) == [(1, "Amit", True)]
    assert present(case.session) == {circle.leader, circle.presenter, circle.member}
    local = case.session.starts_at.astimezone(case.session.zone).date()
    assert case.forget_on == local + timedelta(days=120)


def test_a_case_is_forgotten_after_the_groups_own_days(circle):
    with as_owner():
        circle.group.keeps_cases_days = 30
        circle.group.save()
    case = tell(circle)
    local = case.session.starts_at.astimezone(case.session.zone).date()
    assert case.forget_on == local + timedelta(days=30)


def test_who_left_or_lost_the_connection_for_a_minute_is_not_present(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter, circle.member, circle.absent)
    with as_member(circle.member):
        conduct.leave_room(session, by=circle.member, at=timezone.now())
    with as_owner():
        silent = RoomPresence.objects.filter(session=session, member=circle.absent)
        silent.update(seen_at=soon(-2))
    move(session, Phase.STORY, circle.leader, presenter=circle.presenter)
    assert present(session) == {circle.leader, circle.presenter}


@pytest.mark.parametrize("phase", [Phase.STORY, Phase.QUESTIONS, Phase.GROUP_WORK, Phase.RETURN])
def test_a_latecomer_is_present_for_the_case_being_told(circle, phase):
    case = tell(circle, phase=phase)
    enter(case.session, circle.absent)
    assert circle.absent in present(case.session)


@pytest.mark.parametrize("phase", [Phase.CLOSING, Phase.CALL])
def test_who_comes_after_it_was_told_is_not(circle, phase):
    case = tell(circle, phase=phase)
    enter(case.session, circle.absent)
    assert circle.absent not in present(case.session)


def test_a_screen_that_was_silent_for_a_minute_comes_in_again(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter)
    enter(session, circle.member)
    with as_owner():
        RoomPresence.objects.filter(member=circle.member).update(seen_at=soon(-2))
    move(session, Phase.STORY, circle.leader, presenter=circle.presenter)
    assert circle.member not in present(session)
    now = fresh(session)
    with as_member(circle.member):
        assert conduct.still_here(now, by=circle.member, at=timezone.now())
    assert circle.member in present(session)


def test_seen_is_written_at_most_every_20_seconds(circle):
    session = at_phase(circle, Phase.CALL)
    now = timezone.now()
    enter(session, circle.member, at=now)
    for seconds, written in ((19, 0), (20, 20), (39, 20), (41, 41)):
        with as_member(circle.member):
            conduct.still_here(session, by=circle.member, at=now + timedelta(seconds=seconds))
        with as_owner():
            row = RoomPresence.objects.get(session=session)
            assert row.seen_at - now == timedelta(seconds=written)


@pytest.mark.parametrize("who", ["absent", "outsider", "former"])
def test_nobody_tells_who_is_not_in_the_room(circle, who):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.member)
    with pytest.raises(conduct.NotInTheRoom):
        move(session, Phase.STORY, circle.leader, presenter=getattr(circle, who))
    assert fresh(session).phase == Phase.CALL


def test_a_leader_alone_does_not_tell_since_nobody_could_ask_him_back(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.member)
    with pytest.raises(conduct.LeadsAlone, match="Ruth leads alone"):
        move(session, Phase.STORY, circle.leader, presenter=circle.leader)
    enter(session, circle.second_leader)
    move(session, Phase.STORY, circle.second_leader, presenter=circle.leader)
    assert told(session) == [(1, "Ruth", True)]


def test_leaving_the_case_behind_ends_its_telling(circle):
    for to in (Phase.CLOSING, Phase.CLOSED, Phase.CALL, Phase.ARRIVING):
        assert conduct.ends_telling(Phase.GROUP_WORK, to)
    assert conduct.ends_telling(Phase.RETURN, Phase.STORY)
    assert not conduct.ends_telling(Phase.QUESTIONS, Phase.STORY)
    assert not conduct.ends_telling(Phase.GROUP_WORK, Phase.QUESTIONS)


def test_a_second_case_follows_the_first(circle):
    session = tell(circle, phase=Phase.RETURN).session
    move(session, Phase.STORY, circle.leader, presenter=circle.member)
    assert told(session) == [(1, "Amit", False), (2, "Dana", True)]


def test_another_tells_instead_and_the_first_never_did(circle):
    session = tell(circle).session
    name(session, circle.leader, circle.member)
    assert told(session) == [(1, "Dana", True)]
    assert fresh(session).phase == Phase.STORY


def test_who_tells_may_be_named_late(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter)
    move(session, Phase.GROUP_WORK, circle.leader)
    name(session, circle.leader, circle.presenter)
    assert told(session) == [(1, "Amit", True)]


def test_nobody_is_named_where_nobody_tells(circle):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.presenter)
    with pytest.raises(conduct.NotFromHere):
        name(session, circle.leader, circle.presenter)


def test_a_presenter_who_left_sits_back_no_more_and_told_it_all_the_same(circle):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    assert listens(session, circle.presenter)
    name(session, circle.leader, None)
    assert told(session) == [(1, "Amit", False)]
    assert not listens(session, circle.presenter)


@pytest.mark.parametrize("sits_back", [True, False])
def test_the_presenter_listens_in_the_groups_work_where_the_group_does_so(circle, sits_back):
    with as_owner():
        circle.group.sits_back = sits_back
        circle.group.save()
    session = tell(circle).session
    for phase in ORDER:
        with as_owner():
            Session.objects.filter(pk=session.pk).update(phase=phase)
        expected = phase is Phase.GROUP_WORK and sits_back
        assert listens(session, circle.presenter) == expected, phase


# Taking back


def test_undo_goes_back_step_by_step(circle):
    session = open_session(make_session(circle), circle.leader)
    for to in (Phase.FOLLOW_UP, Phase.CALL, Phase.CLOSING):
        move(session, to, circle.leader)
    seen = [undo(session, circle.second_leader).phase for _ in range(3)]
    assert seen == [Phase.CALL, Phase.FOLLOW_UP, Phase.ARRIVING]
    assert fresh(session).step == 7
    with pytest.raises(conduct.NothingToUndo):
        undo(session, circle.leader)


def test_an_undo_late_by_one_changes_nothing(circle):
    session = open_session(make_session(circle), circle.leader)
    move(session, Phase.CALL, circle.leader)
    undo(session, circle.leader, seen=2)
    with pytest.raises(conduct.SessionMovedOn):
        undo(session, circle.second_leader, seen=2)
    assert fresh(session).phase == Phase.ARRIVING


def test_undoing_the_storys_beginning_takes_its_case_back(circle):
    session = tell(circle).session
    undo(session, circle.second_leader)
    assert told(session) == []
    assert present(session) == set()


@pytest.mark.parametrize("mistaken", [Phase.CLOSING, Phase.CALL])
def test_undoing_a_mistaken_end_lets_the_presenter_sit_back_again(circle, mistaken):
    session = tell(circle, phase=Phase.GROUP_WORK).session
    move(session, mistaken, circle.leader)
    assert told(session) == [(1, "Amit", False)]
    undo(session, circle.leader)
    assert told(session) == [(1, "Amit", True)]
    assert listens(session, circle.presenter)


def test_undoing_a_second_case_takes_up_the_first(circle):
    session = tell(circle, phase=Phase.RETURN).session
    move(session, Phase.STORY, circle.leader, presenter=circle.member)
    undo(session, circle.leader)
    assert told(session) == [(1, "Amit", True)]


def test_undo_brings_no_forgotten_case_back(circle):
    case = tell(circle, phase=Phase.GROUP_WORK)
    session = case.session
    move(session, Phase.CLOSING, circle.leader)
    with as_member(circle.presenter):
        cases.forget(case, by=circle.presenter, at=timezone.now())
    undo(session, circle.leader)
    assert told(session) == []


# The room


def test_the_room_is_open_from_15_minutes_before_the_start(circle):
    enter(make_session(circle, begins=14), circle.member)
    early = make_session(circle, begins=16)
    with as_member(circle.member), pytest.raises(conduct.NotOpenYet):
        conduct.enter_room(early, by=circle.member, at=timezone.now())


@pytest.mark.parametrize("begins", [-20, 10])
def test_the_room_is_closed_to_all_others(circle, begins):
    session = make_session(circle, begins=begins)
    for who in NOT_INSIDE:
        person = getattr(circle, who)
        with as_member(person), pytest.raises(Refused):
            conduct.enter_room(session, by=person, at=timezone.now())


def test_whoever_joins_while_it_runs_waits_till_the_morning(circle):
    session = make_session(circle)
    new = make_member("Dr Lea Late")
    join(circle.group, new, since=timezone.now() - timedelta(minutes=1))
    with as_member(new), pytest.raises(conduct.CircleIsFixed):
        conduct.enter_room(session, by=new, at=timezone.now())


def test_whoever_leaves_the_group_while_it_runs_stays_till_the_morning(circle):
    session = at_phase(circle, Phase.CALL)
    with as_owner():
        circle.group.memberships.filter(member=circle.member).update(ended_at=timezone.now())
    enter(session, circle.member)
    with as_member(circle.member), pytest.raises(Refused):
        conduct.enter_room(session, by=circle.member, at=session.runs_until)


def test_the_group_is_meeting_while_open_or_in_person_by_the_clock(circle):
    now = timezone.now()
    in_person = make_session(circle, setting="in_person")
    assert conduct.is_meeting(in_person, now)
    assert not conduct.is_meeting(in_person, in_person.starts_at - timedelta(seconds=1))
    assert not conduct.is_meeting(in_person, in_person.ends_at)
    online = make_session(circle)
    assert not conduct.is_meeting(online, now)
    opened = open_session(online, circle.leader)
    assert conduct.is_meeting(opened, opened.ends_at)
    assert not conduct.is_meeting(opened, opened.runs_until)

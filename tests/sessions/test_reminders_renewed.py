"""What a change of the session or of a person does to the letters that wait."""

from datetime import timedelta

import pytest

from groups import signals
from groups.models import Leave, Preference
from members.models import Letter
from sessions import reminders
from sessions.phases import Phase
from tests.sessions.meetings import cannot_come
from tests.sessions.round import (
    AT,
    BOTH,
    LONG_AGO,
    START,
    alone,
    change_session,
    each,
    emails,
    make_admin,
    make_round,
    meeting,
    moments,
    planned,
    sync,
)
from tests.world import as_member, as_owner, join, make_group, make_member, utc

pytestmark = pytest.mark.django_db


def test_a_move_takes_back_the_old_reminders_and_plans_new_ones_for_the_new_date():
    ours = make_round()
    session = meeting(ours.group, START)
    sync(session)
    change_session(session, "moved", AT, starts_at=START + timedelta(days=2))
    everyone = emails([*ours.reminded, ours.opted_out])
    assert planned(session) == each(BOTH, emails(ours.reminded)) | {"moved": everyone}
    assert planned(session, state="cancelled") == each(BOTH, emails(ours.reminded))
    assert moments(session, ours.leader) == {
        "moved": AT,
        "reminder-7": utc(2027, 2, 13, 19, 30),
        "reminder-1": utc(2027, 2, 19, 19, 30),
    }


def test_a_second_move_takes_back_the_first_notice_while_it_waits():
    group, _member = alone()
    session = meeting(group, START)
    for days in (1, 2):
        change_session(session, "moved", AT, starts_at=START + timedelta(days=days))
    with as_owner():
        notices = Letter.objects.filter(kind="moved").values_list("about_version", "state")
        assert sorted(notices) == [(1, "cancelled"), (2, "pending")]


def test_word_of_a_change_goes_at_once_in_the_middle_of_the_night_too():
    group, member = alone()
    session = meeting(group, START)
    night = utc(2027, 2, 17, 3)
    change_session(session, "moved", night, starts_at=START + timedelta(hours=1))
    assert moments(session, member)["moved"] == night


def test_a_cancelled_session_has_no_reminders_and_everyone_is_told_once():
    ours = make_round()
    session = meeting(ours.group, START)
    sync(session)
    change_session(session, "cancelled", AT, phase=Phase.CANCELLED)
    sync(session)
    everyone = emails([*ours.reminded, ours.opted_out])
    assert planned(session) == {"cancelled": everyone}


def test_a_session_put_back_is_told_and_reminded_of_again():
    group, member = alone()
    session = meeting(group, START)
    change_session(session, "cancelled", AT, phase=Phase.CANCELLED)
    with as_owner():
        Letter.objects.filter(kind="cancelled").update(state="sent")
    change_session(session, "restored", AT + timedelta(hours=1), phase=Phase.PLANNED)
    assert planned(session) == each((*BOTH, "restored"), [member.email])
    # A later change of the hour is a move again.
    change_session(session, "moved", AT + timedelta(hours=2), minutes=60)
    assert planned(session) == each(("moved", *BOTH), [member.email])


def test_put_back_long_after_its_cancelling_was_forgotten_is_still_put_back():
    group, member = alone()
    session = meeting(group, START)
    change_session(session, "cancelled", AT - timedelta(days=40), phase=Phase.CANCELLED)
    with as_owner():
        Letter.objects.all().delete()
    change_session(session, "restored", AT, phase=Phase.PLANNED)
    assert planned(session)["restored"] == [member.email]


def test_planning_again_long_after_a_change_tells_nobody_a_second_time():
    group, member = alone()
    session = meeting(group, START)
    change_session(session, "moved", AT - timedelta(days=40), minutes=60)
    with as_owner():
        Letter.objects.filter(kind="moved").delete()
    late = make_member()
    join(group, late, since=LONG_AGO)
    sync(session)
    assert planned(session) == each(BOTH, emails([member, late]))


def test_a_session_settled_after_it_was_changed_in_the_draft_is_no_change_to_anybody():
    group, member = alone()
    session = meeting(group, START, settled_at=AT, sequence=3, updated_at=AT)
    sync(session)
    assert planned(session) == each(BOTH, [member.email])


def test_everyone_active_now_or_at_the_start_hears_of_a_change_whether_they_come_or_not():
    group, member = alone()
    back, away, leaving = (make_member() for _ in range(3))
    for person in (back, away):
        join(group, person, since=LONG_AGO)
    # Would have come on the old date.
    join(group, leaving, since=LONG_AGO, until=START + timedelta(hours=1))
    with as_owner():
        leave = {"group": group, "starts_at": LONG_AGO}
        Leave.objects.create(member=back, ended_at=START, **leave)
        Leave.objects.create(member=away, ended_at=START + timedelta(days=9), **leave)
    session = meeting(group, START)
    cannot_come(session, member)
    change_session(session, "moved", AT, starts_at=START + timedelta(hours=3))
    assert planned(session, kind="moved") == {"moved": emails([member, back, leaving])}


def test_a_move_to_another_hour_keeps_an_answer_and_to_another_day_lets_it_lapse():
    group, member = alone()
    session = meeting(group, START)
    cannot_come(session, member)
    sync(session)
    assert planned(session) == {}
    change_session(session, "moved", AT, starts_at=START + timedelta(hours=1))
    assert planned(session) == {"moved": [member.email]}
    change_session(session, "moved", AT, starts_at=START + timedelta(days=1))
    assert planned(session) == each(("moved", *BOTH), [member.email])


def test_an_answer_stops_that_persons_reminders_and_nothing_puts_others_in_their_place():
    group, member = alone()
    other = make_member()
    join(group, other, since=LONG_AGO)
    session = meeting(group, START)
    sync(session)
    cannot_come(session, member)
    with as_member(member):
        reminders.stop_for(session, member, at=AT)
    for who, role in ((None, "balint_worker"), (make_admin(group), "balint_roster")):
        with as_member(who, role):
            reminders.reconcile(at=START - timedelta(days=10))
            reminders.sync_many([session], at=AT)
            reminders.sync_person(group, member, at=AT)
    assert planned(session) == each(BOTH, [other.email])


def test_an_answer_given_before_anything_was_planned_holds_too():
    group, member = alone()
    session = meeting(group, START)
    cannot_come(session, member)
    with as_member(member):
        reminders.stop_for(session, member, at=AT)
    with as_member(None, "balint_worker"):
        reminders.reconcile(at=START - timedelta(days=10))
    assert planned(session) == {}


def test_an_answer_taken_back_plans_what_still_lies_ahead():
    group, member = alone()
    session = meeting(group, START)
    sync(session)
    with as_member(member):
        reminders.stop_for(session, member, at=AT)
        reminders.resume_for(session, member, at=AT)
    assert planned(session) == each(BOTH, [member.email])
    after_the_first = START - timedelta(days=3)
    with as_member(member):
        reminders.stop_for(session, member, at=after_the_first)
        reminders.resume_for(session, member, at=after_the_first)
    assert planned(session) == {"reminder-1": [member.email]}


def test_taking_an_answer_back_reminds_nobody_who_wants_no_reminders():
    ours = make_round()
    session = meeting(ours.group, START)
    sync(session)
    with as_member(ours.opted_out):
        reminders.stop_for(session, ours.opted_out, at=AT)
        reminders.resume_for(session, ours.opted_out, at=AT)
    assert planned(session) == each(BOTH, emails(ours.reminded))


@pytest.fixture
def two():
    """A group of a leader and a member, a session, and a way to announce something."""
    group, leader = make_group(time_zone="Europe/London"), make_member()
    join(group, leader, "leader", since=LONG_AGO)
    member = make_member()
    session = meeting(group, START)
    sync(session)

    def announce(signal, by=leader, at=AT, role="balint_app"):
        with as_member(by, role):
            signal.send(None, group=group, member=member, at=at)
        return planned(session)

    return group, leader, member, session, announce


def test_a_late_joiner_is_reminded_of_what_lies_ahead_once_agreed(two):
    group, leader, member, _session, announce = two
    join(group, member, since=LONG_AGO, agreed=False)
    alone = each(BOTH, [leader.email])
    assert announce(signals.membership_started) == alone
    with as_owner():
        member.acceptances.create(agreement=group.agreements.get(), group=group, accepted_at=AT)
    three_days_before = START - timedelta(days=3)
    assert announce(signals.agreement_accepted, by=member, at=three_days_before) == alone | {
        "reminder-1": emails([leader, member])
    }


def test_leave_and_return_take_back_and_plan_again_whoever_announces_them(two):
    group, leader, member, _session, announce = two
    join(group, member, since=LONG_AGO)
    both = each(BOTH, emails([leader, member]))
    assert announce(signals.membership_started) == both
    with as_owner():
        leave = Leave.objects.create(group=group, member=member, starts_at=LONG_AGO)
    assert announce(signals.leave_changed) == each(BOTH, [leader.email])
    with as_owner():
        leave.delete()
    assert announce(signals.leave_changed, by=member) == both


def test_an_ending_stops_reminders_of_later_sessions_only_and_taken_back_plans_them_again(two):
    group, leader, member, _session, announce = two
    membership = join(group, member, since=LONG_AGO)
    earlier = meeting(group, START - timedelta(days=28))
    sync(earlier)
    announce(signals.membership_started)
    with as_owner():
        membership.ended_at = START - timedelta(days=1)
        membership.save()
    assert announce(signals.membership_ended) == each(BOTH, [leader.email])
    assert planned(earlier) == each(BOTH, emails([leader, member]))
    with as_owner():
        membership.ended_at = None
        membership.save()
    office = make_admin(group)
    again = announce(signals.membership_ended, by=office, role="balint_roster")
    assert again == each(BOTH, emails([leader, member]))


def test_opting_out_and_in_again_takes_back_and_plans_again(two):
    group, leader, member, _session, announce = two
    join(group, member, since=LONG_AGO)
    announce(signals.membership_started)
    with as_owner():
        wish = Preference.objects.create(group=group, member=member, reminders=False)
    assert announce(signals.preference_changed, by=member) == each(BOTH, [leader.email])
    with as_owner():
        Preference.objects.filter(pk=wish.pk).update(reminders=True)
    both = each(BOTH, emails([leader, member]))
    assert announce(signals.preference_changed, by=member) == both


def test_whatever_a_person_changes_an_answer_stands(two):
    group, leader, member, session, announce = two
    join(group, member, since=LONG_AGO)
    cannot_come(session, member)
    with as_member(member):
        reminders.stop_for(session, member, at=AT)
    alone = each(BOTH, [leader.email])
    office = make_admin(group)
    for by, role in [(member, "balint_app"), (leader, "balint_app"), (office, "balint_roster")]:
        assert announce(signals.preference_changed, by=by, role=role) == alone

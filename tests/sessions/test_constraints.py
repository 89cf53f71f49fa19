"""Every named constraint of this app, tripped through the database."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from sessions.models import (
    Answer,
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
from tests.constraints import named, tripped

NOW = timezone.now()
DAY = date(2027, 3, 23)


def series(c, **fields):
    given = {"group": c.group, "rule": "month:1:1:4", "starts_at": "19:00", "minutes": 90}
    given |= {"time_zone": "UTC", "first_on": DAY, "last_on": DAY, "planned_at": NOW}
    return Series(**(given | fields))


def session(c, **fields):
    given = {"group": c.group, "starts_at": NOW, "minutes": 90, "time_zone": "UTC"}
    given |= {"phase": "planned", "runs_until": NOW + timedelta(hours=9), "updated_at": NOW}
    return Session(**(given | fields))


def saved(row):
    row.save(force_insert=True)
    return row


def twice(model, c, **fields):
    here = {"group": c.group, "session": saved(session(c))} | fields
    return [model(**here), model(**here)]


def elsewhere(model, c, **fields):
    return model(group=c.other_group, session=saved(session(c)), **fields)


def case(c, **fields):
    given = {"group": c.group, "order": 1, "presenter": c.presenter, "forget_on": DAY}
    return CasePresentation(**(given | fields))


def case_of_new_session(c, **fields):
    return case(c, session=saved(session(c)), **fields)


def two_being_told(c):
    here = saved(session(c))
    return [case(c, session=here, order=order, being_told=True) for order in (1, 2)]


def presence(c, count, **fields):
    told = saved(case_of_new_session(c))
    given = {"group": c.group, "case": told, "member": c.member} | fields
    return [CasePresence(**given) for _time in range(count)]


def same_period(c):
    made = saved(series(c))
    return [session(c, series=made, period=DAY), session(c, series=made, period=DAY)]


ANSWER = {"on": DAY, "answered_at": NOW}
STATED = {"present": True, "put_down_at": NOW}
STEP = {"number": 1, "phase": "call", "came_from": "follow_up", "at": NOW}
SEEN = {"entered_at": NOW, "seen_at": NOW}
WRITTEN = {"written_at": NOW, "changed_at": NOW}
WORD = {"written_at": NOW, "forget_on": DAY}


def two_reflections(c):
    here = {"session": saved(session(c)), "member": c.member} | WRITTEN
    return [Reflection(**here), Reflection(**here)]


def reply(c, **fields):
    given = {"group": c.group, "member": c.member, "replied_at": NOW, "series": saved(series(c))}
    return DatesReply(**(given | fields))


def two_replies(c):
    here = saved(series(c))
    return [reply(c, series=here), reply(c, series=here)]


def evening_lead(c, **fields):
    given = {"group": c.group, "kind": "alone", "leader": c.leader, "on": DAY, "at": NOW}
    return EveningLead(**({"session": saved(session(c))} | given | fields))


TRIPS = {
    "series_ends_after_it_starts": lambda c: series(c, last_on=DAY - timedelta(days=1)),
    "one_open_session_per_group": lambda c: [session(c, phase="call"), session(c, phase="story")],
    "one_session_per_series_and_period": same_period,
    "session_phase_is_known": lambda c: session(c, phase="lunch"),
    "session_lasts_15_minutes_to_12_hours": lambda c: session(c, minutes=14),
    "session_in_its_series_group": lambda c: session(
        c, series=saved(series(c)), group=c.other_group
    ),
    "one_answer_per_member_and_session": lambda c: twice(Answer, c, member=c.member, **ANSWER),
    "answer_in_its_sessions_group": lambda c: elsewhere(Answer, c, member=c.member, **ANSWER),
    "one_attendance_per_member_and_session": lambda c: twice(
        Attendance, c, member=c.member, **STATED
    ),
    "attendance_in_its_sessions_group": lambda c: elsewhere(
        Attendance, c, member=c.member, **STATED
    ),
    "change_in_its_sessions_group": lambda c: elsewhere(Change, c, kind="moved", at=NOW),
    "one_step_per_number": lambda c: twice(Step, c, **STEP),
    "step_in_its_sessions_group": lambda c: elsewhere(Step, c, **STEP),
    "one_room_presence_per_member_and_session": lambda c: twice(
        RoomPresence, c, member=c.member, **SEEN
    ),
    "one_observer_per_member_and_session": lambda c: twice(Observer, c, member=c.member),
    "balint_sessions_observer_in_its_sessions_group": lambda c: elsewhere(
        Observer, c, member=c.member
    ),
    "one_stepping_out_per_telling": lambda c: twice(SteppedOut, c, member=c.member, telling=1),
    "balint_sessions_steppedout_in_its_sessions_group": lambda c: elsewhere(
        SteppedOut, c, member=c.member, telling=1
    ),
    "one_showing_out_per_leader_member_and_session": lambda c: twice(
        ShownOut, c, member=c.member, leader=c.leader
    ),
    "balint_sessions_shownout_in_its_sessions_group": lambda c: elsewhere(
        ShownOut, c, member=c.member, leader=c.leader
    ),
    "roompresence_in_its_sessions_group": lambda c: elsewhere(
        RoomPresence, c, member=c.member, **SEEN
    ),
    "one_case_per_place": lambda c: twice(
        CasePresentation, c, order=1, presenter=c.presenter, forget_on=DAY
    ),
    "one_case_being_told_per_session": two_being_told,
    "casepresentation_in_its_sessions_group": lambda c: elsewhere(
        CasePresentation, c, order=1, presenter=c.presenter, forget_on=DAY
    ),
    "only_a_follow_up_follows": lambda c: case_of_new_session(
        c, follows=saved(case_of_new_session(c))
    ),
    "follow_up_in_the_same_group": lambda c: case(
        c,
        session=saved(session(c, group=c.other_group)),
        group=c.other_group,
        follow_up=True,
        follows=saved(case_of_new_session(c)),
    ),
    "one_presence_per_case_and_member": lambda c: presence(c, 2),
    "presence_in_its_cases_group": lambda c: presence(c, 1, group=c.other_group),
    "one_reflection_per_member_and_session": two_reflections,
    "one_word_per_leader_and_session": lambda c: twice(LeadersNote, c, author=c.leader, **WORD),
    "word_in_its_sessions_group": lambda c: elsewhere(LeadersNote, c, author=c.leader, **WORD),
    "one_reply_per_member_and_series": two_replies,
    "reply_in_its_series_group": lambda c: reply(c, group=c.other_group),
    "a_substitute_has_a_name_and_who_leads_alone_is_a_leader": lambda c: evening_lead(
        c, leader=None
    ),
    "only_an_account_agrees": lambda c: evening_lead(c, agreed_at=NOW),
    "balint_sessions_eveninglead_in_its_sessions_group": lambda c: evening_lead(
        c, group=c.other_group
    ),
    "one_seen_notice_per_member_and_session": lambda c: twice(
        NoticeSeen, c, member=c.member, seen_at=NOW
    ),
    "balint_sessions_noticeseen_in_its_sessions_group": lambda c: elsewhere(
        NoticeSeen, c, member=c.member, seen_at=NOW
    ),
    "one_count_per_group_and_year": lambda c: [
        CaseCount(group=c.group, year=2027) for _time in range(2)
    ],
}


@pytest.mark.parametrize("name", TRIPS)
def test_the_database_refuses_what_breaks(circle, name):
    assert tripped(lambda: TRIPS[name](circle)) == name


def test_every_constraint_is_tripped(db):
    assert named("balint_sessions") == set(TRIPS)

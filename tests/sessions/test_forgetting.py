"""Every class of what is kept goes on its day and not before, by functions that only count."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session as HttpSession
from django.db import DatabaseError, connection
from django.utils import timezone

from groups.models import (
    Ending,
    Entrance,
    GroupEnd,
    Leave,
    LeavingReason,
    Membership,
    Proposal,
    RecordOpening,
)
from members.models import CacheEntry, DataKey, Letter, Member
from sessions import upkeep
from sessions.models import (
    Answer,
    Attendance,
    CaseCount,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    LeadersNote,
    Reflection,
    RoomPresence,
    Session,
    ShownOut,
    Step,
    SteppedOut,
)
from tests.balint.installation import install
from tests.sessions.meetings import cannot_come, change, make_session
from tests.world import as_member, as_owner, join, make_circle, make_member

pytestmark = pytest.mark.django_db
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def now():
    return timezone.now()


def run():
    with as_owner():
        return upkeep.run()


def left(model, *fields, **which):
    with as_owner():
        rows = model.objects.filter(**which)
        return set(rows.values_list(*(fields or ["pk"]), flat=len(fields or "1") == 1))


def held(circle, ago, **fields):
    """A session that began so long ago."""
    values = {"phase": "closed", "runs_until": now() - ago + HOUR} | fields
    return make_session(circle.group, now() - ago, **values)


def around(age, make):
    """One just older than `age`, which must go, and one just younger, which must stay."""
    return make(age + HOUR), make(age - HOUR)


# Cases


def make_case(circle, order, forget_on, follows=None):
    with as_owner():
        session = Session.objects.filter(group=circle.group).first()
        case = CasePresentation(
            session=session,
            group=circle.group,
            order=order,
            presenter=circle.presenter,
            follow_up=bool(follows),
            follows=follows,
            forget_on=forget_on,
        )
        case.title = "A title"
        case.save(force_insert=True)
        for member in (circle.presenter, circle.member):
            CasePresence.objects.create(case=case, group=circle.group, member=member)
    return case


def test_a_case_goes_on_its_day_with_title_presence_and_link_and_one_is_counted(circle):
    held(circle, 10 * DAY)
    due = make_case(circle, 1, date.today())
    later = make_case(circle, 2, date.today() + DAY, follows=due)
    run()
    assert left(CasePresentation) == {later.pk}
    assert left(CasePresence, "case") == {later.pk}
    assert left(CasePresentation, "follows") == {None}
    assert left(CaseCount, "group", "cases") == {(circle.group.pk, 1)}
    assert {field.name for field in CaseCount._meta.fields} == {"id", "group", "year", "cases"}


# Words


def test_answers_and_reasons_of_absence_go_thirty_days_after_the_meeting(circle):
    old, young = around(30 * DAY, lambda ago: held(circle, ago))
    for session in (old, young):
        cannot_come(session, circle.absent, "A funeral")
        change(session, "moved", "The house is closed", circle.leader)
    run()
    assert left(Answer, "session") == left(Change, "session") == {young.pk}


def make_leave(circle, member, ended_ago):
    with as_owner():
        leave = Leave(
            group=circle.group,
            member=member,
            starts_at=now() - 200 * DAY,
            ended_at=now() - ended_ago if ended_ago else None,
        )
        leave.reason = "A long illness"
        leave.save(force_insert=True)
    return leave


def with_a_reason():
    return left(Leave, reason_sealed__isnull=False)


def test_the_reason_of_a_leave_goes_ninety_days_after_it_ended_and_the_leave_stays(circle):
    old, young = around(90 * DAY, lambda ago: make_leave(circle, circle.member, ago))
    lasting = make_leave(circle, circle.absent, None)
    run()
    assert with_a_reason() == {young.pk, lasting.pk}
    assert old.pk in left(Leave)


def test_who_left_while_away_is_not_away_for_ever(circle):
    left_long_ago, left_lately = circle.member, circle.absent
    make_leave(circle, left_long_ago, None)
    lately = make_leave(circle, left_lately, None)
    with as_owner():
        for member, ago in ((left_long_ago, 91), (left_lately, 89)):
            Membership.objects.filter(member=member).update(ended_at=now() - ago * DAY)
    run()
    assert with_a_reason() == {lately.pk}


def test_the_reason_of_a_leaving_goes_ninety_days_after_it_on_its_own_day(circle):
    kept = {}
    for member, forget_on in ((circle.member, date.today()), (circle.absent, date.today() + DAY)):
        with as_owner():
            ending = Ending.objects.create(
                group=circle.group,
                membership=Membership.objects.get(group=circle.group, member=member),
                asked_by=member,
                asked_as="person",
                asked_at=now(),
                ends_at=now(),
            )
            reason = LeavingReason(
                group=circle.group, member=member, ending=ending, forget_on=forget_on
            )
            reason.text = "Moves away"
            reason.save(force_insert=True)
            kept[forget_on] = reason.pk
    run()
    assert left(LeavingReason) == {kept[date.today() + DAY]}


def test_a_word_for_yourselves_goes_on_its_day(circle):
    pks = {}
    for number, forget_on in enumerate((date.today(), date.today() + DAY)):
        session = held(circle, (80 + number) * DAY)
        with as_owner():
            word = LeadersNote(
                session=session,
                group=circle.group,
                author=circle.leader,
                written_at=now() - 90 * DAY,
                forget_on=forget_on,
            )
            word.text = "For us two"
            word.save(force_insert=True)
            pks[forget_on] = word.pk
    run()
    assert left(LeadersNote) == {pks[date.today() + DAY]}


def test_a_reflection_stays_until_its_author_deletes_it(circle):
    session = held(circle, 4000 * DAY)
    with as_owner():
        reflection = Reflection(
            session=session, member=circle.member, written_at=now(), changed_at=now()
        )
        reflection.text = "Mine"
        reflection.save(force_insert=True)
        Reflection.objects.update(written_at=now() - 4000 * DAY)
    run()
    assert left(Reflection) == {reflection.pk}


# Attendance and the evening


def ten_years_ago():
    today = now()
    return today.replace(year=today.year - 10, day=min(today.day, 28))


def test_attendance_stays_ten_years_and_the_number_of_meetings_held_stays(circle):
    rows = {}
    for name, starts_at in (
        ("old", ten_years_ago() - DAY),
        ("young", ten_years_ago() + 4 * DAY),
    ):
        session = make_session(circle.group, starts_at, phase="closed")
        with as_owner():
            rows[name] = Attendance.objects.create(
                session=session,
                group=circle.group,
                member=circle.member,
                present=True,
                put_down_at=starts_at,
            )
    assert run()["attendance forgotten"] == 1
    assert left(Attendance) == {rows["young"].pk}
    with as_owner():
        assert Session.objects.filter(phase="closed").count() == 2


def test_steps_and_rooms_go_the_next_morning(circle):
    over = held(circle, DAY, runs_until=now() - HOUR)
    running = make_session(circle.group, now() - HOUR, phase="story", runs_until=now() + HOUR)
    for session in (over, running):
        with as_owner():
            Step.objects.create(
                session=session,
                group=circle.group,
                number=1,
                phase="story",
                came_from="call",
                at=now(),
            )
            RoomPresence.objects.create(
                session=session,
                group=circle.group,
                member=circle.member,
                entered_at=now(),
                seen_at=now(),
            )
            SteppedOut.objects.create(
                session=session, group=circle.group, member=circle.member, telling=1
            )
            ShownOut.objects.create(
                session=session, group=circle.group, member=circle.member, leader=circle.leader
            )
    run()
    for model in (Step, RoomPresence, SteppedOut, ShownOut):
        assert left(model, "session") == {running.pk}, model


def closed(circle, **fields):
    """An evening of three days ago: opened at ten past, closed at nine."""
    session = held(circle, 3 * DAY, runs_until=now() - HOUR)
    times = {"opened_at": session.starts_at + 10 * MINUTE, "closed_at": session.ends_at}
    with as_owner():
        Session.objects.filter(pk=session.pk).update(**(times | fields))
    return session


def times_of(session):
    with as_owner():
        session.refresh_from_db()
    return session.opened_at, session.closed_at


def test_when_it_was_opened_and_closed_goes_the_next_morning(circle):
    session = closed(circle)
    running = closed(circle, runs_until=now() + HOUR)
    kept = times_of(running)
    run()
    assert times_of(session) == (None, None)
    assert times_of(running) == kept


def test_one_left_open_closes_itself_and_bears_the_morning_alone(circle):
    open_still = closed(circle, phase="group_work", closed_at=None)
    never_opened = closed(circle, phase="planned", opened_at=None, closed_at=None)
    assert run()["sessions closed"] == 2
    assert times_of(open_still) == (None, open_still.runs_until)
    assert open_still.closed_itself
    assert times_of(never_opened) == (None, None)
    assert not never_opened.closed_itself
    assert run()["sessions closed"] == 0
    assert times_of(open_still) == (None, open_still.runs_until)


def test_an_early_opening_stays_where_somebody_came_between_it_and_the_start(circle):
    plain, sat = closed(circle), closed(circle)
    early = sat.starts_at - HOUR
    with as_owner():
        Session.objects.filter(pk__in=(plain.pk, sat.pk)).update(opened_at=early)
    run()
    assert times_of(plain)[0] is None
    join(circle.group, make_member("Dr Lea Late"), "leader", since=early + 10 * MINUTE)
    with as_owner():
        Session.objects.filter(pk=sat.pk).update(opened_at=early)
    run()
    assert times_of(sat)[0] == early


# Signing in


def test_a_device_is_remembered_180_days_and_an_http_session_until_it_runs_out(circle):
    with as_owner():
        for name, seen in (("old", 181), ("young", 179)):
            UserSession.objects.create(
                user=circle.member,
                ip="127.0.0.1",
                session_key=name,
                user_agent="x",
                last_seen_at=now() - seen * DAY,
            )
        for name, ahead in (("gone", -HOUR), ("lives", HOUR)):
            HttpSession.objects.create(
                session_key=name, session_data="x", expire_date=now() + ahead
            )
            CacheEntry.objects.create(value=name, expires_at=now() + ahead)
    assert run()["sign-ins forgotten"] == 3
    assert left(UserSession, "session_key") == {"young"}
    assert left(HttpSession, "session_key") == {"lives"}
    assert left(CacheEntry, "value") == {"lives"}


# A group that ends


@pytest.fixture
def ended(circle):
    """Its day was yesterday; of everything there is something."""
    install(circle)
    with as_owner():
        Session.objects.update(runs_until=now() - HOUR)
        return GroupEnd.objects.create(
            group=circle.group,
            asked_by=circle.leader,
            asked_at=now() - 9 * DAY,
            ends_at=now() - HOUR,
            confirmed_by=circle.second_leader,
            confirmed_at=now() - 8 * DAY,
        )


CONTENT_OF_GROUPS = [
    Answer,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    Entrance,
    LeadersNote,
    Leave,
    LeavingReason,
    RoomPresence,
    Step,
]


def test_after_its_day_everything_a_group_held_is_gone(circle, ended):
    for model in CONTENT_OF_GROUPS:
        assert left(model, group=circle.group), model
    assert run()["groups ended"] == 1
    for model in CONTENT_OF_GROUPS:
        assert not left(model, group=circle.group), model
    assert not left(DataKey, scope=circle.group.pk)
    assert left(CaseCount, "cases") == {2}


def test_everyones_own_hours_and_reflections_and_the_frame_stay(circle, ended):
    kept = {model: left(model) for model in (Attendance, Reflection, Membership, Member)}
    assert all(kept.values())
    run()
    assert {model: left(model) for model in kept} == kept
    with as_member(circle.member):
        [own] = Reflection.objects.all()
        assert (own.member, own.text != "") == (circle.member, True)


def test_who_came_after_the_yes_belongs_no_longer_and_nobody_is_let_in(circle, ended):
    run()
    running = left(Membership, group=circle.group, ended_at=None)
    assert running == set()
    assert not left(Proposal, group=circle.group, withdrawn_at=None, refused_at=None)
    assert not left(Session, group=circle.group, phase="planned", starts_at__gt=now())


def test_it_is_done_once(circle, ended):
    run()
    with as_owner():
        end = GroupEnd.objects.get()
        assert end.forgotten_at is not None
    assert run()["groups ended"] == 0


@pytest.mark.parametrize(
    "but",
    [
        {"confirmed_at": None, "confirmed_by": None},
        {"withdrawn_at": timezone.now()},
        {"ends_at": timezone.now() + HOUR},
    ],
    ids=["not confirmed", "taken back", "not yet"],
)
def test_a_group_whose_end_does_not_stand_keeps_everything(circle, ended, but):
    with as_owner():
        GroupEnd.objects.update(**but)
    cases = left(CasePresentation)
    assert run()["groups ended"] == 0
    assert left(CasePresentation) == cases


def test_the_last_meeting_keeps_its_circle_until_the_next_morning(circle, ended):
    with as_owner():
        session = Session.objects.filter(phase="closed").first()
        Session.objects.filter(pk=session.pk).update(
            starts_at=now() - 3 * HOUR, runs_until=now() + 3 * HOUR
        )
    assert run()["groups ended"] == 0
    assert left(CasePresentation)
    with as_owner():
        Session.objects.filter(pk=session.pk).update(runs_until=now() - HOUR)
    assert run()["groups ended"] == 1


def test_another_group_is_not_touched(circle, ended):
    other = make_circle()
    install(other)
    before = {model: left(model, group=other.group) for model in CONTENT_OF_GROUPS[:1]}
    cases = left(CasePresentation, group=other.group)
    run()
    assert {model: left(model, group=other.group) for model in before} == before
    assert left(CasePresentation, group=other.group) == cases
    assert left(DataKey, scope=other.group.pk)


# By whom


FUNCTIONS = [
    "balint_close_overdue",
    "balint_forget_cases_due",
    "balint_forget_words_due",
    "balint_end_groups_due",
    "balint_forget_attendance_due",
    "balint_forget_sign_ins_due",
    "balint_forget_events_due",
    "balint_prune_tombstones",
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_job_is_told_a_number_and_pages_are_refused(circle, function):
    with as_member(None, "balint_worker"), connection.cursor() as cursor:
        cursor.execute(f"select public.{function}()")
        assert isinstance(cursor.fetchone()[0], int)
    for role in ("balint_app", "balint_roster"):
        refused = pytest.raises(DatabaseError, match="permission denied")
        with refused, as_member(circle.leader, role), connection.cursor() as cursor:
            cursor.execute(f"select public.{function}()")


def test_the_last_letter_to_somebody_who_is_gone_does_not_keep_the_address(db):
    def letter(state, **more):
        with as_owner():
            return Letter.objects.create(
                kind="account-deleted",
                about_id=uuid4(),
                address=f"{state}@example.org",
                send_after=now(),
                send_before=now() + 2 * DAY,
                state=state,
                message_id="<x@y>",
                **more,
            )

    for state in ("sent", "failed", "expired", "cancelled"):
        letter(state)
    for state in ("pending", "uncertain"):
        letter(state)
    letter("leased", lease_token=uuid4(), lease_until=now() + HOUR)
    assert run()["letters removed"] == 4
    assert left(Letter, "state") == {"pending", "uncertain", "leased"}


def test_who_asked_for_a_groups_record_is_forgotten_after_two_years(circle):
    def opening(age):
        with as_owner():
            return RecordOpening.objects.create(
                group=circle.group,
                asked_by=circle.leader.pk,
                asked_at=now() - age,
                withdrawn_at=now() - age,
            )

    _old, young = opening(732 * DAY), opening(729 * DAY)
    assert run()["openings forgotten"] == 1
    assert left(RecordOpening) == {young.pk}

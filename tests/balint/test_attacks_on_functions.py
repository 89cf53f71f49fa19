"""Functions that look across row-level security: what they answer, and to whom."""

from datetime import timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from groups.models import Leave, LeavingReason, Membership, Preference
from sessions.models import (
    CasePresence,
    CasePresentation,
    RoomPresence,
    Session,
    ShownOut,
)
from tests.balint.attacks import EVERYBODY, LEADERS, ask, rights_of, those_for_whom
from tests.balint.inside import ago
from tests.world import as_member, as_owner

NOW = timezone.now()


def put_down_case(inside, who, session, presenter, present, *, told_now=False):
    return ask(
        who,
        "public.balint_put_down_case(%s, %s, %s, false, %s, %s::uuid[])",
        uuid4(),
        session.pk,
        presenter.pk,
        told_now,
        [person.pk for person in present],
    )


def cases_of(session):
    with as_owner():
        return CasePresentation.objects.filter(session=session).count()


def put_down_by(inside, session):
    before = cases_of(session)

    def attempt(me):
        put_down_case(inside, me, session, inside.absent, [inside.member])
        return cases_of(session) > before

    return those_for_whom(inside, attempt)


def test_a_case_is_put_down_by_leaders_of_the_time_alone(inside):
    assert put_down_by(inside, inside.past) == {"leader", "second_leader"}
    assert put_down_by(inside, inside.tonight) == {"leader", "second_leader", "new_leader"}


def test_a_leader_who_was_absent_learns_nothing_by_putting_the_same_case_down_again(inside):
    before = cases_of(inside.past)
    said = put_down_case(
        inside, inside.second_leader, inside.past, inside.presenter, [inside.second_leader]
    )
    assert (said, cases_of(inside.past)) == (None, before)
    assert rights_of(inside.second_leader, inside.rows["case"]) == ""


def test_nobody_is_put_down_as_present_who_came_to_the_group_later(inside):
    put_down_case(
        inside, inside.leader, inside.past, inside.member, [inside.latecomer, inside.outsider]
    )
    with as_owner():
        present = CasePresence.objects.filter(case__presenter=inside.member)
        assert [row.member for row in present] == [inside.member]


def end_the_evening(inside):
    with as_owner():
        CasePresentation.objects.filter(session=inside.tonight).update(being_told=False)
        Session.objects.filter(pk=inside.tonight.pk).update(phase="closed")


def test_a_leader_at_home_does_not_take_up_a_telling_that_is_over_to_enter_it(inside):
    case, me = inside.rows["case_tonight"], inside.second_leader
    end_the_evening(inside)
    assert ask(me, "public.balint_tell_again(%s, %s)", inside.tonight.pk, case.order) is None
    assert ask(me, "public.balint_enter_case_being_told(%s)", inside.tonight.pk) == 0
    assert rights_of(me, case) == ""


def test_a_case_being_told_is_entered_from_within_the_room_alone(inside):
    asked = "public.balint_enter_case_being_told(%s)"
    assert those_for_whom(inside, lambda me: ask(me, asked, inside.tonight.pk)) == {"member"}


def test_who_went_out_and_who_meets_in_person_does_not_enter_by_asking(inside):
    with as_owner():
        RoomPresence.objects.filter(member=inside.member).update(left_at=NOW)
    asked = "public.balint_enter_case_being_told(%s)"
    assert ask(inside.member, asked, inside.tonight.pk) == 0
    with as_owner():
        RoomPresence.objects.filter(member=inside.member).update(left_at=None)
        Session.objects.filter(pk=inside.tonight.pk).update(setting="in_person")
    assert ask(inside.member, asked, inside.tonight.pk) == 0


def test_who_stepped_out_of_a_case_enters_it_no_more_and_lets_nobody_in(inside):
    case = inside.rows["case_tonight"]
    asked = "public.balint_step_out(%s, %s)"
    may = those_for_whom(inside, lambda me: ask(me, asked, inside.tonight.pk, inside.member.pk))
    assert may == {"leader", "second_leader", "new_leader", "member"}
    assert ask(inside.leader, asked, inside.tonight.pk, inside.presenter.pk) == 0
    assert ask(inside.member, asked, inside.tonight.pk, inside.member.pk) == 1
    with as_owner():
        RoomPresence.objects.filter(member=inside.member).update(left_at=None)
    ask(inside.member, "public.balint_enter_case_being_told(%s)", inside.tonight.pk)
    assert rights_of(inside.member, case) == ""
    back = "public.balint_let_back_in(%s, %s)"
    may = those_for_whom(inside, lambda me: ask(me, back, inside.tonight.pk, inside.member.pk))
    assert may == {"leader", "second_leader", "new_leader"}


def test_a_part_in_the_meeting_ends_by_all_who_lead_it_and_is_given_back_by_one(inside):
    with as_owner():
        ShownOut.objects.all().delete()
    out = "public.balint_show_out(%s, %s)"

    def says(me):
        return ask(me, out, inside.tonight.pk, inside.member.pk) is not None

    leaders = {"leader", "second_leader", "new_leader"}
    assert those_for_whom(inside, says) == leaders
    left = [ask(inside.people[who], out, inside.tonight.pk, inside.member.pk) for who in leaders]
    assert left == [2, 1, 0]
    inside_it = "public.balint_rooms_open_to_me()"
    assert inside.tonight.pk not in ask(inside.member, inside_it)
    assert inside.tonight.pk in ask(inside.presenter, inside_it)
    back = "public.balint_stays_in(%s, %s)"
    may = those_for_whom(inside, lambda me: ask(me, back, inside.tonight.pk, inside.member.pk))
    assert may == leaders
    assert ask(inside.second_leader, back, inside.tonight.pk, inside.member.pk) == 3
    assert inside.tonight.pk in ask(inside.member, inside_it)


def test_nobody_is_shown_out_who_tells_leads_or_does_not_sit_there(inside):
    asked = "public.balint_show_out(%s, %s)"
    for person in (inside.presenter, inside.second_leader, inside.outsider):
        assert ask(inside.leader, asked, inside.tonight.pk, person.pk) is None
    assert ask(inside.leader, asked, inside.past.pk, inside.member.pk) is None


def removed_by(inside, function, name):
    """Who can have a case removed by a function: it says so, and the case is gone."""
    case = inside.rows[name]

    def attempt(me):
        said = ask(me, f"public.{function}(%s)", case.pk)
        with as_owner():
            gone = not CasePresentation.objects.filter(pk=case.pk).exists()
        assert bool(said) == gone
        return gone

    return those_for_whom(inside, attempt)


def test_a_case_is_forgotten_by_its_presenter_alone_a_former_one_too(inside):
    assert removed_by(inside, "balint_forget_case", "case") == {"presenter"}
    assert removed_by(inside, "balint_forget_case", "case_of_former") == {"former_presenter"}


def test_a_case_is_taken_back_by_a_leader_who_was_there_alone(inside):
    assert removed_by(inside, "balint_take_back_case", "case") == {"leader"}


def test_whether_somebody_is_away_is_told_to_them_the_leaders_and_the_office_alone(inside):
    with as_owner():
        ahead = Session.objects.create(
            group=inside.circle.group,
            starts_at=NOW + timedelta(days=5),
            minutes=90,
            time_zone="UTC",
            phase="planned",
            settled_at=NOW,
            runs_until=NOW + timedelta(days=6),
            updated_at=NOW,
        )
    asked = "public.balint_may_remind(%s, %s)"
    answers = {who: ask(inside.people[who], asked, inside.absent.pk, ahead.pk) for who in EVERYBODY}
    told = {who for who, answer in answers.items() if answer}
    assert told == {*LEADERS.split(), "absent", "admin"}
    assert ask(None, asked, inside.absent.pk, ahead.pk, role="balint_worker")
    assert not ask(None, asked, inside.on_leave.pk, ahead.pk, role="balint_worker")


def test_who_did_not_come_last_time_is_told_to_no_member_even_where_absences_are_shown(inside):
    with as_owner():
        inside.circle.group.shows_absences = True
        inside.circle.group.save()
    assert ask(inside.member, "public.balint_who_cannot_come(%s)", inside.past.pk) == []


def test_the_office_learns_of_no_kept_place_in_a_group_the_admin_belongs_to(inside):
    asked = "public.balint_places_kept(%s)"
    assert ask(inside.admin, asked, inside.circle.group.pk) == [inside.on_leave.pk]
    with as_owner():
        Membership.objects.create(
            group=inside.circle.group, member=inside.admin, role="member", starts_at=ago(days=1)
        )
    assert ask(inside.admin, asked, inside.circle.group.pk) == []


def test_a_reason_goes_with_an_ending_taken_back_by_somebody_who_may_not_see_it(inside):
    with as_member(inside.absent):
        inside.rows["leaders_reason"].ending.__class__.objects.filter(
            membership__member=inside.absent
        ).update(withdrawn_at=timezone.now())
    with as_owner():
        assert not LeavingReason.objects.filter(member=inside.absent).exists()


# Who may execute which function; a new one must be put here, with its callers.
CALLERS = {
    "balint_ask_for_record": "app roster",
    "balint_audit_append": "app roster worker",
    "balint_audit_head": "app roster worker",
    "balint_audit_heads": "worker",
    "balint_audit_key": "app roster worker",
    "balint_cases_i_know": "app",
    "balint_cases_i_may_put_right": "app",
    "balint_cases_i_was_present_for": "app",
    "balint_close_overdue": "worker",
    "balint_close_record": "app roster",
    "balint_confirm_record": "app roster",
    "balint_end_groups_due": "worker",
    "balint_end_telling": "app",
    "balint_enter_case_being_told": "app",
    "balint_erase_me": "app",
    "balint_erase_person": "",
    "balint_forget_attendance_due": "worker",
    "balint_forget_case": "app",
    "balint_forget_case_again": "",
    "balint_forget_cases_due": "worker",
    "balint_forget_events_due": "worker",
    "balint_forget_group": "",
    "balint_forget_leaving_reason": "",
    "balint_forget_my_reason": "app",
    "balint_forget_observers": "worker",
    "balint_forget_replies_due": "worker",
    "balint_forget_shown_out": "worker",
    "balint_forget_openings_due": "worker",
    "balint_forget_sign_ins_due": "worker",
    "balint_forget_room_versions": "worker",
    "balint_forget_tonight": "worker",
    "balint_forget_words_due": "worker",
    "balint_for_substitute": "app",
    "balint_group_end_carries": "",
    "balint_groups_i_am_in": "app",
    "balint_groups_i_lead": "app",
    "balint_groups_i_lead_alone": "app",
    "balint_groups_i_sit_with": "app",
    "balint_is_not_away": "worker",
    "balint_leads_alone": "app roster",
    "balint_leave_out": "app",
    "balint_let_back_in": "app",
    "balint_live": "app",
    "balint_make_audit_key": "app roster worker",
    "balint_may_remind": "app roster worker",
    "balint_out_of_case": "app",
    "balint_people_who_share_with_me": "app",
    "balint_places_kept": "app roster",
    "balint_prune_tombstones": "worker",
    "balint_put_down_case": "app",
    "balint_record": "app roster",
    "balint_record_hat": "app roster",
    "balint_room_moved": "",
    "balint_room_version": "app",
    "balint_rooms_open_to_me": "app",
    "balint_sessions_i_am_in": "app",
    "balint_sessions_i_conduct": "app",
    "balint_sessions_i_run": "app",
    "balint_show_out": "app",
    "balint_stays_in": "app",
    "balint_step_out": "app",
    "balint_take_back_case": "app",
    "balint_take_back_telling": "app",
    "balint_tell_again": "app",
    "balint_tombstone": "",
    "balint_tombstones_copied": "worker",
    "balint_tombstones_to_copy": "worker",
    "balint_sessions_with_few": "worker",
    "balint_who_cannot_come": "app",
    "balint_yes_is_missing": "app roster",
}


# What the caller keeps in tables of their own is looked at last, or a type of theirs comes first.
OWN_ACCOUNT = import_module("members.migrations.0006_own_account")
SAFE = '{"search_path=pg_catalog, pg_temp"}'


def test_every_function_looks_for_names_in_the_catalogue_first_and_in_temporary_tables_last(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "select proname, proconfig::text from pg_proc "
            "where pronamespace = 'public'::regnamespace"
        )
        found = dict(cursor.fetchall())
    assert {name for name, config in found.items() if config != SAFE} == set()
    assert {"balint_me", "balint_stays", "balint_guard_membership"} < set(found)


def test_an_installation_from_before_looks_there_last_as_well(db):
    before = "alter function public.{} set search_path = pg_catalog"
    names = ("balint_me()", "balint_groups_i_lead()")
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(before.format(names[0]))
        cursor.execute(f"set local role balint_reader; {before.format(names[1])}; reset role")
        cursor.execute("set local role balint_owner")
        cursor.execute(OWN_ACCOUNT.OF_ONE_OWNER)
        cursor.execute("set local role balint_reader")
        cursor.execute(OWN_ACCOUNT.OF_ONE_OWNER)
        cursor.execute(
            "select proconfig::text from pg_proc where oid = any(%s::regprocedure[])", [list(names)]
        )
        assert cursor.fetchall() == [(SAFE,), (SAFE,)]


@pytest.mark.parametrize("role", ["app", "roster", "worker", "reader", "backup"])
def test_nobody_but_the_owner_has_temporary_tables(db, role):
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "select has_database_privilege(%s, current_database(), 'temporary')",
            [f"balint_{role}"],
        )
        assert cursor.fetchone() == (False,)


def test_no_type_is_made_that_would_be_found_before_the_catalogues(db):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("create domain pg_temp.text as varchar")


def test_functions_that_look_across_are_the_readers_and_named_callers_alone(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "select proname, pg_get_userbyid(proowner), proconfig::text, oid::regprocedure::text "
            "from pg_proc where prosecdef and pronamespace = 'public'::regnamespace"
        )
        functions = cursor.fetchall()
        callers = {}
        for name, owner, config, signature in functions:
            assert (owner, config) == ("balint_reader", SAFE), name
            cursor.execute(
                "select string_agg(who, ' ' order by who) "
                "from unnest(array['app', 'roster', 'worker', 'backup']) who "
                "where has_function_privilege('balint_' || who, %s, 'execute')",
                [signature],
            )
            callers[name] = cursor.fetchone()[0] or ""
    assert callers == CALLERS


def test_a_table_seen_through_an_identity_that_is_no_uuid_shows_an_error_and_no_row(inside):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config('app.member_id', 'leader', true)")
        with pytest.raises(DatabaseError), transaction.atomic():
            Leave.objects.count()


def test_preferences_do_not_lend_a_number_to_leaders_of_other_groups(inside):
    with as_owner():
        Preference.objects.create(
            group=inside.circle.other_group, member=inside.member, shares_phone=True
        )
    assert rights_of(inside.leader_elsewhere, inside.rows["phone"]) == ""

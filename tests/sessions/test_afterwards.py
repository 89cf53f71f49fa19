"""“Afterwards, one minute”: by either leader, any day until the next meeting."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from groups.joining import NotYours
from groups.models import Leave
from sessions import afterwards, cases, conduct
from sessions.models import Answer, Attendance, CasePresence, CasePresentation, Session, Step
from sessions.phases import Phase
from tests.sessions.evening import (
    at_phase,
    enter,
    entry,
    fresh,
    make_session,
    move,
    put_down,
    soon,
    tell,
    titled,
)
from tests.world import as_member, as_owner, join, make_member, years_ago

pytestmark = pytest.mark.reads_context


def yesterday(circle, **fields):
    """An evening in person that nobody tapped, closed the morning after by the upkeep."""
    session = make_session(
        circle, begins=-60 * 20, setting="in_person", runs_until=soon(-60), **fields
    )
    with as_owner():
        Session.objects.filter(pk=session.pk).update(phase="closed", closed_at=soon(-60))
    return fresh(session)


def post(client, session, there, *cases, seen=None, more=None):
    """What the page posts: `cases` are dicts of presenter, and perhaps follow_up, out, case."""
    data = {"seen": fresh(session).step if seen is None else seen}
    data["there"] = [str(person.pk) for person in there]
    for number in range(max(2, len(cases))):
        given = cases[number] if number < len(cases) else {}
        presenter = given.get("presenter")
        data[f"case{number}-presenter"] = str(presenter.pk) if presenter else ""
        data[f"case{number}-follow_up"] = "yes" if given.get("follow_up") else ""
        data[f"case{number}-out"] = [str(person.pk) for person in given.get("out", ())]
        data[f"case{number}-case"] = str(given.get("case", ""))
    return client.post(reverse("afterwards", args=[session.pk]), data | (more or {}))


def see(client, session):
    return client.get(reverse("afterwards", args=[session.pk]))


def was_there(session):
    with as_owner():
        rows = Attendance.objects.filter(session=session, present=True).select_related("member")
        return {row.member for row in rows}


def told(session):
    with as_owner():
        rows = CasePresentation.objects.filter(session=session).order_by("order")
        return [
            (
                row.order,
                row.presenter.first_name,
                row.follow_up,
                {p.member for p in CasePresence.objects.filter(case=row).select_related("member")},
            )
            for row in rows.select_related("presenter")
        ]


def ticked(page):
    text = page.content.decode()
    return set(re.findall(r'name="there" value="([^"]*)" checked', text))


def ids(*people):
    return {str(person.pk) for person in people}


# One minute


def test_an_evening_in_person_without_one_tap_is_put_down_next_day(circle, client_of):
    session = yesterday(circle)
    everyone = {circle.leader, circle.second_leader, circle.presenter, circle.member, circle.absent}
    client = client_of(circle.leader)
    page = see(client, session)
    assert ticked(page) == ids(*everyone)
    there = everyone - {circle.absent}
    answer = post(client, session, there, {"presenter": circle.presenter})
    assert answer.status_code == 302
    assert was_there(session) == there
    assert told(session) == [(1, "Amit", False, there)]
    session = fresh(session)
    assert session.phase == Phase.CLOSED
    assert session.put_down_at is not None
    with as_owner():
        assert not Step.objects.exists()


def test_an_evening_nobody_opened_is_closed_by_putting_it_down(circle):
    session = make_session(circle, setting="in_person")
    put_down(session, circle.leader, circle.inside)
    session = fresh(session)
    assert (session.phase, session.opened_at) == (Phase.CLOSED, None)
    assert session.closed_at is not None


def test_an_open_one_is_closed_and_what_was_told_in_the_room_stands(circle, client_of):
    case = tell(circle, phase=Phase.GROUP_WORK)
    page = see(client_of(circle.leader), case.session)
    assert ticked(page) == ids(circle.leader, circle.presenter, circle.member)
    there = [circle.leader, circle.presenter, circle.member]
    post(
        client_of(circle.leader),
        case.session,
        there,
        {"presenter": circle.presenter, "case": case.pk},
    )
    assert told(case.session) == [(1, "Amit", False, set(there))]
    with as_owner():
        assert CasePresentation.objects.get().pk == case.pk
        assert not CasePresentation.objects.get().being_told
    assert fresh(case.session).phase == Phase.CLOSED


def test_expected_are_all_but_who_is_away_and_who_has_not_agreed(circle, client_of):
    session = make_session(circle, setting="in_person")
    with as_owner():
        Answer.objects.create(
            session=session,
            group=circle.group,
            member=circle.absent,
            on=session.starts_at.astimezone(session.zone).date(),
            answered_at=soon(-60),
        )
    page = see(client_of(circle.leader), session)
    assert ticked(page) == ids(circle.leader, circle.second_leader, circle.presenter, circle.member)
    words = " ".join(page.content.decode().split())
    assert "All but Owen, Hanna and Nina." in words


def test_two_cases_a_follow_up_and_somebody_out_for_one(circle, client_of):
    session = yesterday(circle)
    there = [circle.leader, circle.presenter, circle.member, circle.absent]
    post(
        client_of(circle.leader),
        session,
        there,
        {"presenter": circle.presenter, "out": [circle.absent]},
        {"presenter": circle.member, "follow_up": True},
    )
    assert told(session) == [
        (1, "Amit", False, {circle.leader, circle.presenter, circle.member}),
        (2, "Dana", True, set(there)),
    ]


def test_whoever_told_a_case_was_there(circle, client_of):
    session = yesterday(circle)
    answer = post(
        client_of(circle.leader), session, [circle.leader], {"presenter": circle.presenter}
    )
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "Dr Amit Nader told a case" in text
    assert ticked(answer) == ids(circle.leader)
    assert f'<option value="{circle.presenter.pk}" selected>' in text
    assert was_there(session) == set()


@pytest.mark.parametrize("field", ["there", "presenter", "out"])
def test_nobody_of_another_group_is_put_down(circle, client_of, field):
    session = yesterday(circle)
    there = [circle.leader, circle.presenter]
    case = {"presenter": circle.presenter}
    if field == "there":
        there = [*there, circle.outsider]
    elif field == "presenter":
        case = {"presenter": circle.outsider}
    else:
        case["out"] = [circle.outsider]
    assert post(client_of(circle.leader), session, there, case).status_code == 200
    assert was_there(session) == set()
    assert told(session) == []


# Both leaders


def test_the_second_leader_sees_what_the_first_put_down_and_puts_it_right(circle, client_of):
    session = yesterday(circle)
    both = [circle.leader, circle.second_leader, circle.presenter, circle.member]
    post(client_of(circle.leader), session, both, {"presenter": circle.presenter})
    page = see(client_of(circle.second_leader), session)
    assert ticked(page) == ids(*both)
    case = page.context["forms"].stand[0]
    post(
        client_of(circle.second_leader),
        session,
        [*both, circle.absent],
        {"presenter": circle.presenter, "follow_up": True, "out": [circle.member], "case": case.pk},
    )
    assert was_there(session) == {*both, circle.absent}
    assert told(session) == [
        (1, "Amit", True, {circle.leader, circle.second_leader, circle.presenter, circle.absent})
    ]
    with as_owner():
        assert Attendance.objects.filter(session=session).count() == 7
        assert Attendance.objects.get(member=circle.absent).put_down_by == circle.second_leader
        assert Attendance.objects.get(member=circle.member).put_down_by == circle.leader


def test_of_two_who_saw_the_same_page_the_second_is_told_and_what_was_typed_stays(
    circle, client_of
):
    session = yesterday(circle)
    both = [circle.leader, circle.second_leader, circle.presenter]
    post(client_of(circle.leader), session, both, {"presenter": circle.presenter}, seen=0)
    late = post(
        client_of(circle.second_leader),
        session,
        [*both, circle.member],
        {"presenter": circle.member},
        seen=0,
    )
    assert late.status_code == 409
    text = late.content.decode()
    assert "The session has moved on." in text
    assert f'<option value="{circle.member.pk}" selected>' in text
    assert ticked(late) == ids(*both, circle.member)
    assert was_there(session) == set(both)
    assert f'name="seen" value="{fresh(session).step}"' in text


def test_the_same_presenter_typed_anew_puts_the_same_case_right(circle):
    session = yesterday(circle)
    both = [circle.leader, circle.second_leader, circle.presenter]
    put_down(session, circle.leader, both, entry(circle.presenter, *both))
    with as_owner():
        first = CasePresentation.objects.get().pk
    put_down(session, circle.second_leader, both, entry(circle.presenter, *both, follow_up=True))
    with as_owner():
        assert CasePresentation.objects.get().pk == first
        assert CasePresentation.objects.get().follow_up


def test_a_case_that_was_none_is_taken_back(circle):
    session = yesterday(circle)
    both = [circle.leader, circle.second_leader, circle.presenter]
    put_down(session, circle.leader, both, entry(circle.presenter, *both))
    put_down(session, circle.second_leader, both)
    assert told(session) == []


def test_another_presenters_name_takes_the_title_away(circle):
    session = yesterday(circle)
    both = [circle.leader, circle.presenter, circle.member]
    put_down(session, circle.leader, both, entry(circle.presenter, *both))
    with as_owner():
        case = CasePresentation.objects.select_related("session__group", "presenter").get()
    titled(case, "A letter")
    put_down(session, circle.leader, both, entry(circle.member, *both, case=case.pk))
    with as_owner():
        case = CasePresentation.objects.get()
        assert (case.presenter, case.title) == (circle.member, "")


def test_what_the_presenter_had_forgotten_is_not_put_down_again(circle):
    case = tell(circle, phase=Phase.CLOSING)
    there = [circle.leader, circle.presenter, circle.member]
    put_down(case.session, circle.leader, there, entry(circle.presenter, *there, case=case.pk))
    with as_member(circle.presenter):
        cases.forget(case, by=circle.presenter, at=timezone.now())
    put_down(case.session, circle.leader, there, entry(circle.presenter, *there, case=case.pk))
    assert told(case.session) == []


# A leader who was not present


def test_an_absent_leader_puts_a_case_down_and_does_not_read_it_back(circle, client_of):
    session = yesterday(circle)
    there = [circle.leader, circle.presenter, circle.member]
    client = client_of(circle.second_leader)
    post(client, session, there, {"presenter": circle.presenter})
    assert told(session) == [(1, "Amit", False, set(there))]
    page = see(client, session)
    assert ticked(page) == ids(*there)
    assert page.context["forms"].stand == []
    text = page.content.decode()
    assert "is shown only to those who were present for it" in text
    assert " selected>" not in text.replace('<option value="" selected>', "")
    with as_owner():
        case = CasePresentation.objects.get()
    assert client.get(reverse("case", args=[case.pk])).status_code == 404
    with as_member(circle.second_leader):
        assert CasePresentation.objects.count() == 0
        assert CasePresence.objects.count() == 0


def test_saving_again_he_neither_doubles_nor_destroys_it(circle, client_of):
    session = yesterday(circle)
    there = [circle.leader, circle.presenter, circle.member]
    client = client_of(circle.second_leader)
    post(client, session, there, {"presenter": circle.presenter})
    for again in ([], [{"presenter": circle.presenter}]):
        post(client, session, [*there, circle.absent], *again)
        assert told(session) == [(1, "Amit", False, set(there))]
    post(client, session, there, {"presenter": circle.member})
    assert [row[:2] for row in told(session)] == [(1, "Amit"), (2, "Dana")]


def test_he_sees_the_same_whether_or_not_a_case_stands(circle, client_of):
    client = client_of(circle.second_leader)
    there = [circle.leader, circle.presenter]
    seen = []
    for case in ([entry(circle.presenter, *there)], []):
        session = yesterday(circle)
        put_down(session, circle.leader, there, *case)
        text = see(client, session).content.decode()
        seen.append(re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|[0-9a-f-]{36}', "", text))
        with as_owner():
            Session.objects.filter(pk=session.pk).delete()
    assert seen[0] == seen[1]


def test_a_leader_who_stepped_out_takes_nobodys_case_back(circle):
    session = yesterday(circle)
    there = [circle.leader, circle.second_leader, circle.presenter, circle.member]
    put_down(
        session,
        circle.leader,
        there,
        entry(circle.presenter, circle.leader, circle.member),
        entry(circle.member, *there),
    )
    with as_member(circle.second_leader):
        seen = list(CasePresentation.objects.values_list("order", flat=True))
    assert seen == [2]
    put_down(session, circle.second_leader, there)
    assert [row[:2] for row in told(session)] == [(1, "Amit")]


def test_a_leader_may_take_himself_out(circle):
    session = yesterday(circle)
    there = [circle.leader, circle.presenter, circle.member]
    put_down(session, circle.leader, there, entry(circle.presenter, *there))
    with as_owner():
        case = CasePresentation.objects.get()
    put_down(
        session,
        circle.leader,
        there,
        entry(circle.presenter, circle.presenter, circle.member, case=case.pk),
    )
    assert told(session) == [(1, "Amit", False, {circle.presenter, circle.member})]


# When, and by whom


def test_from_the_start_until_the_next_meetings_start(circle, client_of):
    client = client_of(circle.leader)
    past = yesterday(circle)
    following = make_session(circle, begins=5)
    assert see(client, following).status_code == 409
    assert see(client, past).status_code == 200
    with as_owner():
        Session.objects.filter(pk=following.pk).update(starts_at=soon(-1))
    assert see(client, past).status_code == 409
    assert see(client, following).status_code == 200


@pytest.mark.parametrize(
    ("fields", "status"),
    [({}, 409), ({"phase": "cancelled"}, 200), ({"settled_at": None}, 200)],
)
def test_a_cancelled_or_unsettled_next_one_ends_nothing(circle, client_of, fields, status):
    past = yesterday(circle)
    make_session(circle, begins=-5, **fields)
    assert see(client_of(circle.leader), past).status_code == status


def test_a_cancelled_one_has_nothing_to_put_down(circle, client_of):
    session = make_session(circle, phase="cancelled")
    assert see(client_of(circle.leader), session).status_code == 409


def test_nothing_is_put_down_too_late_or_too_early_past_the_page(circle):
    long_ago = make_session(circle, begins=-60 * 24 * 30)
    make_session(circle, begins=-60 * 24)
    for session, refusal in (
        (make_session(circle, begins=5), conduct.NotBegun),
        (long_ago, afterwards.TooLate),
    ):
        with pytest.raises(refusal):
            put_down(session, circle.leader, circle.inside)


def test_cases_that_would_be_forgotten_already_are_not_asked_for(circle, client_of):
    with as_owner():
        circle.group.keeps_cases_days = 7
        circle.group.save()
    session = make_session(circle, begins=-60 * 24 * 9, phase="closed")
    page = see(client_of(circle.leader), session)
    assert "Cases of this meeting are forgotten already." in page.content.decode()
    put_down(session, circle.leader, circle.inside, entry(circle.presenter, *circle.inside))
    assert told(session) == []
    assert was_there(session) == set(circle.inside)


def test_nobody_else_puts_down(circle):
    session = make_session(circle)
    for who in ("member", "newcomer", "on_leave", "former", "admin", "outsider", "superuser"):
        with pytest.raises(NotYours):
            put_down(session, getattr(circle, who), circle.inside)
    assert was_there(session) == set()


def test_a_new_leader_puts_down_nothing_from_before_his_time(circle, client_of):
    session = yesterday(circle)
    new = make_member("Dr Lea Late")
    join(circle.group, new, "leader", since=soon(-10))
    assert see(client_of(new), session).status_code == 404
    with pytest.raises(NotYours):
        put_down(session, new, circle.inside)


def test_a_leader_whose_time_ended_during_the_meeting_puts_it_down_till_the_morning(circle):
    session = at_phase(circle, Phase.CLOSING)
    put_down(session, circle.second_leader, [circle.leader])
    with as_owner():
        circle.group.memberships.filter(member=circle.leader).update(ended_at=timezone.now())
    put_down(session, circle.leader, [circle.leader, circle.member])
    assert was_there(session) == {circle.leader, circle.member}


def test_attendance_is_seen_by_the_person_and_the_leaders_of_that_time(circle):
    session = yesterday(circle)
    put_down(session, circle.leader, circle.inside)
    new = make_member("Dr Lea Late")
    join(circle.group, new, "leader", since=soon(-10))
    people = {
        "leader": 7,
        "second_leader": 7,
        "member": 1,
        "absent": 1,
        "newcomer": 0,
        "on_leave": 1,
        "former": 0,
        "admin": 0,
        "outsider": 0,
        "superuser": 0,
    }
    seen = {}
    for who in people:
        with as_member(getattr(circle, who)):
            seen[who] = Attendance.objects.filter(session=session).count()
    newcomer = Attendance.objects.none()
    with as_owner():
        newcomer = Attendance.objects.filter(session=session, member=circle.newcomer)
        people["newcomer"] = newcomer.count()
    assert seen == people
    with as_member(new):
        assert Attendance.objects.count() == 0


def test_a_double_click_puts_down_once(circle):
    session = yesterday(circle)
    put_down(session, circle.leader, circle.inside, seen=0)
    with pytest.raises(conduct.SessionMovedOn):
        put_down(session, circle.leader, circle.inside, seen=0)


def test_somebody_who_left_on_leave_since_is_still_in_the_circle_of_that_evening(circle, client_of):
    session = yesterday(circle)
    with as_owner():
        Leave.objects.create(group=circle.group, member=circle.member, starts_at=soon(-30))
        circle.group.memberships.filter(member=circle.absent).update(ended_at=soon(-30))
    page = see(client_of(circle.leader), session)
    assert ids(circle.member, circle.absent) <= ticked(page)


def test_the_page_asks_as_often_for_a_large_circle(
    circle, client_of, django_assert_max_num_queries
):
    session = yesterday(circle)
    client = client_of(circle.leader)
    counts = []
    for _round in range(2):
        with django_assert_max_num_queries(40) as asked:
            see(client, session)
        counts.append(len(asked))
        for _number in range(5):
            join(circle.group, make_member(), since=years_ago(0.5))
    assert counts[0] == counts[1]


def test_those_in_the_room_online_are_ticked_until_it_is_wiped(circle, client_of):
    session = at_phase(circle, Phase.CALL)
    enter(session, circle.leader, circle.member)
    with as_member(circle.member):
        conduct.leave_room(session, by=circle.member, at=timezone.now())
    move(session, Phase.CLOSED, circle.leader)
    page = see(client_of(circle.leader), session)
    assert ticked(page) == ids(circle.leader, circle.member)


def test_online_the_presence_from_the_room_is_filled_in(circle, client_of):
    case = tell(circle, circle.presenter, circle.member, circle.absent, phase=Phase.CLOSING)
    with as_owner():
        CasePresence.objects.filter(case=case, member=circle.absent).delete()
    page = see(client_of(circle.leader), case.session)
    form = page.context["forms"].cases[0]
    assert form.initial["out"] == [str(circle.absent.pk)]
    assert form.initial["presenter"] == str(circle.presenter.pk)
    assert case.forget_on - case.session.starts_at.date() <= timedelta(days=121)

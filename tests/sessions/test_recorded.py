"""What goes on record of cases, reasons, attendance and the frame; and what never does."""

from datetime import timedelta

from django.utils import timezone

from groups import agreements, frames, joining, leaving, record
from groups.models import Membership
from members.audit.things import FRAME, Thing
from members.models import AuditEvent, Member
from sessions import cases
from sessions.phases import Phase
from sessions.planning import one_date
from tests.sessions.evening import enter, entry, make_session, move, put_down
from tests.sessions.meetings import cannot_come, in_days
from tests.world import as_member, as_owner

DAY = timedelta(days=1)


def now():
    return timezone.now()


def recorded(circle):
    """By whom, what, and to which kind of thing, in order."""
    names = {one.pk: name for name, one in vars(circle).items() if isinstance(one, Member)}
    with as_owner():
        found = AuditEvent.objects.filter(chain=circle.group.pk).order_by("number")
        assert all(one.frame == (Thing(one.thing) in FRAME) for one in found)
        return [(names.get(one.actor) if one.actor else None, one.verb, one.thing) for one in found]


def held(circle):
    return make_session(circle, begins=-90)


# Cases and attendance


def test_the_page_afterwards_says_who_put_down_what_and_not_whose(circle):
    session = held(circle)
    people = [circle.leader, circle.presenter, circle.member]
    put_down(session, circle.leader, people, entry(circle.presenter, *people))
    assert recorded(circle) == [
        ("leader", "put down", "attendance"),
        ("leader", "put down", "case"),
    ]


def test_saved_again_as_it_stands_nothing_is_put_right(circle):
    session = held(circle)
    people = [circle.leader, circle.presenter, circle.member]
    for _ in range(2):
        put_down(session, circle.leader, people, entry(circle.presenter, *people))
    # To see what stands there is to read it.
    assert recorded(circle)[2:] == [("leader", "read", "case")]


def test_put_right_and_taken_back(circle):
    session = held(circle)
    people = [circle.leader, circle.presenter, circle.member]
    put_down(session, circle.leader, people, entry(circle.presenter, *people))
    put_down(session, circle.leader, people, entry(circle.presenter, *people, follow_up=True))
    put_down(session, circle.leader, people[:2])
    assert recorded(circle)[2:] == [
        ("leader", "read", "case"),
        ("leader", "put right", "case"),
        ("leader", "put right", "attendance"),
        ("leader", "taken back", "case"),
    ]


def test_a_leaders_own_case_is_not_on_record_when_they_put_it_down_themselves(circle):
    session = held(circle)
    people = [circle.leader, circle.member]
    put_down(session, circle.leader, people, entry(circle.leader, *people))
    put_down(session, circle.leader, people, entry(circle.leader, *people, follow_up=True))
    put_down(session, circle.leader, people)
    assert recorded(circle) == [("leader", "put down", "attendance")]


def test_others_read_a_case_on_the_page_of_its_meeting_and_on_its_own(circle, client_of):
    session = held(circle)
    people = [circle.leader, circle.presenter, circle.member]
    put_down(session, circle.leader, people, entry(circle.presenter, *people))
    with as_owner():
        case = session.cases.get()
    for who in (circle.presenter, circle.member, circle.absent):
        for path in (f"/sessions/{session.pk}/", f"/cases/{case.pk}/", f"/cases/{case.pk}/"):
            client_of(who).get(path)
    assert recorded(circle)[2:] == [("member", "read", "case")]


def test_what_a_presenter_does_with_the_own_case_is_not_on_record(circle):
    session = held(circle)
    people = [circle.leader, circle.presenter]
    put_down(session, circle.leader, people, entry(circle.presenter, *people))
    with as_member(circle.presenter):
        case = session.cases.get()
        cases.describe(case, title="The drawer", by=circle.presenter, at=now())
        cases.forget(case, by=circle.presenter, at=now())
    assert len(recorded(circle)) == 2


def test_of_a_meeting_itself_nothing_is_on_record(circle, client_of):
    session = make_session(circle, begins=-5, setting="online")
    enter(session, circle.leader, circle.presenter, circle.member)
    for phase in (Phase.ARRIVING, Phase.CALL):
        session = move(session, phase, circle.leader)
    session = move(session, Phase.STORY, circle.leader, presenter=circle.presenter)
    for who in (circle.leader, circle.presenter, circle.member):
        assert client_of(who).get(f"/sessions/{session.pk}/room/").status_code == 200
        client_of(who).get(f"/sessions/{session.pk}/")
    with as_owner():
        assert session.cases.filter(being_told=True).exists()
    assert recorded(circle) == []


# Reasons


def test_a_reason_is_read_by_the_leaders_and_by_nobody_else(circle, client_of):
    session = in_days(circle.group, 7)
    cannot_come(session, circle.member, "A funeral")
    cannot_come(session, circle.absent)
    for who in (circle.leader, circle.member, circle.leader, circle.second_leader):
        assert client_of(who).get(f"/sessions/{session.pk}/").status_code == 200
    read = [event for event in recorded(circle) if event[2] == "reason"]
    assert read == [("leader", "read", "reason"), ("second_leader", "read", "reason")]


def test_ones_own_time_away_is_not_on_record_and_that_set_by_leaders_is(circle):
    today = now().date()
    for member, by in ((circle.member, circle.member), (circle.absent, circle.leader)):
        with as_member(by):
            given = {"starts_on": today, "until_on": None, "reason": "A child"}
            leaving.go_on_leave(circle.group, member, **given, by=by, at=now())
    assert recorded(circle) == [("leader", "changed", "leave")]


def test_reasons_on_the_page_of_members_are_read_once_a_day(circle, client_of):
    with as_member(circle.member):
        given = {"starts_on": now().date(), "until_on": None, "reason": "A child"}
        leaving.go_on_leave(circle.group, circle.member, **given, by=circle.member, at=now())
    with as_member(circle.leader):
        place = Membership.objects.get(group=circle.group, member=circle.absent)
        given = {"last_on": None, "reason": "Not seen"}
        leaving.end_membership(place, by=circle.leader, at=now(), **given)
    for who in (circle.second_leader, circle.leader, circle.second_leader):
        client_of(who).get(f"/groups/{circle.group.pk}/roster/")
    read = [event for event in recorded(circle) if event[2] == "reason"]
    # A leader's own words are not read by being seen again.
    second = ("second_leader", "read", "reason")
    assert read == [second, second, ("leader", "read", "reason")]


# The frame


def test_proposals_and_how_they_went(circle):
    with as_member(circle.admin, "balint_roster"):
        given = {"address": "new@example.org", "role": "member"}
        one = joining.propose(circle.group, by=circle.admin, at=now(), **given)
        given["address"] = "other@example.org"
        other = joining.propose(circle.group, by=circle.admin, at=now(), **given)
    with as_member(circle.leader):
        joining.answer(one, yes=True, by=circle.leader, at=now())
        joining.answer(other, yes=False, by=circle.leader, at=now())
    with as_member(circle.admin, "balint_roster"):
        joining.withdraw(one, by=circle.admin, at=now(), office=True)
    assert recorded(circle) == [
        ("admin", "made", "proposal"),
        ("admin", "made", "proposal"),
        ("leader", "agreed", "consent"),
        ("leader", "refused", "consent"),
        ("admin", "withdrawn", "proposal"),
    ]


def test_whose_yes_or_no_it_was_is_the_groups_inside(circle):
    given = {"role": "member", "by": circle.admin}
    with as_member(circle.admin, "balint_roster"):
        one = joining.propose(circle.group, address="new@example.org", at=now(), **given)
        other = joining.propose(circle.group, address="other@example.org", at=now(), **given)
    with as_member(circle.leader):
        joining.answer(one, yes=True, by=circle.leader, at=now())
        joining.answer(other, yes=False, by=circle.leader, at=now())
    with as_member(circle.admin, "balint_roster"):
        page = record.read(circle.group, to=circle.admin, at=now(), office=True)
        settled = joining.waiting(circle.group, member=circle.admin, at=now(), office=True)
    assert [line.what for line in page.lines] == ["proposed somebody", "proposed somebody"]
    assert [one.proposal.consented_at is None for one in settled] == [False]


def test_coming_in_and_going(circle):
    address = circle.outsider.email
    with as_member(circle.leader):
        given = {"address": address, "role": "member"}
        proposal = joining.propose(circle.group, by=circle.leader, at=now(), **given)
    with as_member(circle.outsider):
        joining.accept(proposal, by=circle.outsider, at=now())
        leaving.leave(circle.group, by=circle.outsider, at=now())
    assert recorded(circle) == [
        ("leader", "made", "proposal"),
        ("outsider", "accepted", "proposal"),
        ("outsider", "started", "membership"),
        ("outsider", "ended", "membership"),
    ]


def test_two_leaders_settle_a_farewell(circle):
    with as_member(circle.leader):
        place = Membership.objects.get(group=circle.group, member=circle.absent)
        asked = leaving.end_membership(place, by=circle.leader, at=now(), last_on=None)
    with as_member(circle.second_leader):
        leaving.confirm_ending(asked, by=circle.second_leader, at=now())
    assert recorded(circle) == [
        ("leader", "asked", "ending"),
        ("second_leader", "agreed", "ending"),
        ("second_leader", "ended", "membership"),
    ]


def test_dates(circle):
    session = in_days(circle.group, 30)
    with as_member(circle.leader):
        starts_at = session.starts_at + DAY
        one_date.move(session, starts_at=starts_at, by=circle.leader, at=now())
        one_date.cancel(session, by=circle.leader, at=now())
        one_date.restore(session, by=circle.leader, at=now())
    assert recorded(circle) == [
        ("leader", "moved", "dates"),
        ("leader", "cancelled", "dates"),
        ("leader", "restored", "dates"),
    ]


def test_how_a_group_is_set_up_and_only_if_it_changed(circle):
    def edit(**inside):
        with as_member(circle.leader):
            frames.edit_frame(circle.group, by=circle.leader, at=now(), name=inside.pop("name"))
            entrance = {"door": inside.pop("door"), "join_link": ""}
            frames.edit_inside(
                circle.group, by=circle.leader, at=now(), entrance=entrance, **inside
            )

    edit(name="Valley group", door="", keeps_cases_days=120)
    edit(name="Hill group", door="4471#", keeps_cases_days=60)
    edit(name="Hill group", door="4471#", keeps_cases_days=60)
    assert recorded(circle)[-3:] == [
        ("leader", "changed", "frame"),
        ("leader", "changed", "entrance"),
        ("leader", "changed", "keeping"),
    ]


def test_a_new_agreement_and_none(circle):
    with as_member(circle.leader):
        given = {"text": "New words.", "in_force_at": now() + 40 * DAY}
        agreements.write_version(circle.group, by=circle.leader, at=now(), **given)
        agreements.take_back_version(circle.group, by=circle.leader, at=now())
    assert recorded(circle) == [
        ("leader", "changed", "agreement"),
        ("leader", "withdrawn", "agreement"),
    ]

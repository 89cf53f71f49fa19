"""A group's end: asked by one, confirmed by another, taken back until its day."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from groups import ending, leaving
from groups.cadence import last_day, next_midnight
from groups.models import Agreement, Ending, GroupEnd, Leave, Membership, MembershipRole
from members.models import AuditEvent, Letter
from members.refusals import Refused
from sessions import planning
from sessions.models import Change, Session
from tests.sessions.meetings import make_session
from tests.world import as_member, as_owner, join, make_circle, make_member

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
ALREADY = "row-level security: a group's end is asked by one and confirmed by another"


def now():
    return timezone.now()


def in_days(days, group):
    return last_day(now() + days * DAY, group.time_zone)


def ask(circle, by, days=30):
    with as_member(by):
        return ending.ask(circle.group, by=by, at=now(), last_on=in_days(days, circle.group))


def confirm(end, by):
    with as_member(by):
        return ending.confirm(end, by=by, at=now())


def confirm_as_office(end, by):
    with as_member(by, "balint_roster"):
        return ending.confirm(end, by=by, at=now(), office=True)


def withdraw(end, by):
    with as_member(by):
        return ending.withdraw(end, by=by, at=now())


def ends(group):
    """When each membership that still ran ends, by whose it is."""
    with as_owner():
        rows = Membership.objects.filter(group=group).select_related("member")
        return {row.member.name: row.ended_at for row in rows}


def lead_alone(circle, *, away=False):
    """The second leader goes, or is away."""
    with as_owner():
        if away:
            Leave.objects.create(
                group=circle.group, member=circle.second_leader, starts_at=now() - DAY
            )
        else:
            Membership.objects.filter(group=circle.group, member=circle.second_leader).update(
                ended_at=now() - DAY
            )


def phases(group):
    with as_owner():
        rows = Session.objects.filter(group=group).order_by("starts_at")
        return [row.phase for row in rows]


def make_dates(circle, *days):
    return [make_session(circle.group, now() + day * DAY, settled_at=now() - DAY) for day in days]


def test_asking_changes_nothing_yet(circle):
    make_dates(circle, 10, 40)
    before = ends(circle.group)
    end = ask(circle, circle.leader)
    assert end.ends_at == next_midnight(in_days(30, circle.group), circle.group.time_zone)
    assert ends(circle.group) == before
    assert phases(circle.group) == ["planned", "planned"]


def test_with_the_other_leaders_yes_everyone_has_a_last_day_and_earlier_ones_stay(circle):
    with as_owner():
        Membership.objects.filter(member=circle.member).update(ended_at=now() + 5 * DAY)
        Membership.objects.filter(member=circle.absent).update(ended_at=now() + 50 * DAY)
    before = ends(circle.group)
    end = confirm(ask(circle, circle.leader), circle.second_leader)
    earlier = {circle.former.name, circle.member.name}
    assert ends(circle.group) == {
        name: was if name in earlier else end.ends_at for name, was in before.items()
    }


def test_dates_after_the_last_day_are_cancelled_and_everyone_hears_of_it(circle):
    _, second = make_dates(circle, 10, 40)
    confirm(ask(circle, circle.leader), circle.second_leader)
    assert phases(circle.group) == ["planned", "cancelled"]
    with as_owner():
        assert list(Change.objects.values_list("session", "by")) == [
            (second.pk, circle.second_leader.pk)
        ]
        told = Letter.objects.filter(kind="cancelled", about_id=second.pk)
        people = {letter.recipient_id for letter in told.exclude(state="cancelled")}
    assert circle.member.pk in people
    assert circle.former.pk not in people


def test_a_meeting_on_the_last_day_takes_place(circle):
    end = ask(circle, circle.leader)
    with as_owner():
        make_session(circle.group, end.ends_at - timedelta(hours=5), settled_at=now())
        make_session(circle.group, end.ends_at, settled_at=now())
    confirm(end, circle.second_leader)
    assert phases(circle.group) == ["planned", "cancelled"]


def test_nobody_confirms_their_own(circle):
    end = ask(circle, circle.leader)
    with pytest.raises(leaving.OwnWish):
        confirm(end, circle.leader)


@pytest.mark.parametrize("who", ["member", "newcomer", "on_leave", "former", "outsider"])
def test_nobody_but_a_leader_asks_confirms_or_takes_back(circle, who):
    person = getattr(circle, who)
    with pytest.raises(leaving.NotYours):
        ask(circle, person)
    end = ask(circle, circle.leader)
    for step in (confirm, withdraw):
        with pytest.raises(leaving.NotYours):
            step(end, person)
    with pytest.raises(Refused):
        confirm_as_office(end, person)


def test_the_office_confirms_only_where_one_leads_alone(circle):
    end = ask(circle, circle.leader)
    with pytest.raises(ending.AnotherLeads):
        confirm_as_office(end, circle.admin)
    assert ending.standing(circle.group).confirmed_at is None


@pytest.mark.parametrize("away", [False, True], ids=["went", "is away"])
def test_where_one_leads_alone_the_office_confirms_and_the_dates_follow(circle, away):
    make_dates(circle, 10, 40)
    lead_alone(circle, away=away)
    end = confirm_as_office(ask(circle, circle.leader), circle.admin)
    assert (end.confirmed_by, ends(circle.group)[circle.member.name]) == (
        circle.admin,
        end.ends_at,
    )
    assert phases(circle.group) == ["planned", "cancelled"]
    with as_owner():
        assert [change.by for change in Change.objects.all()] == [circle.leader]


def test_the_office_confirms_though_the_asker_has_not_agreed_to_a_new_version(circle):
    make_dates(circle, 10, 40)
    lead_alone(circle)
    end = ask(circle, circle.leader)
    with as_owner():
        Agreement.objects.create(group=circle.group, version=2, text="New.", in_force_at=now())
    assert confirm_as_office(end, circle.admin).confirmed_at
    assert phases(circle.group) == ["planned", "planned"]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("select balint_forget_group(%s, %s)", [circle.group.pk, end.ends_at])
    assert phases(circle.group) == ["planned", "cancelled"]


def test_the_record_says_that_the_office_cancelled_the_dates_after_its_yes(circle):
    lead_alone(circle)
    make_dates(circle, 40)
    confirm_as_office(ask(circle, circle.leader), circle.admin)
    with as_owner():
        found = AuditEvent.objects.filter(chain=circle.group.pk, verb="cancelled", thing="dates")
        assert list(found.values_list("actor", flat=True)) == [circle.admin.pk]


def test_an_admin_who_belongs_to_the_group_does_not_confirm(circle):
    lead_alone(circle)
    join(circle.group, circle.admin)
    end = ask(circle, circle.leader)
    with pytest.raises(leaving.NotYours):
        confirm_as_office(end, circle.admin)


def test_who_has_asked_and_leads_no_longer_is_not_confirmed_by_the_office(circle):
    end = ask(circle, circle.leader)
    with as_owner():
        Membership.objects.filter(group=circle.group, role=MembershipRole.LEADER).update(
            ended_at=now()
        )
    with pytest.raises(ending.AnotherLeads):
        confirm_as_office(end, circle.admin)


def test_a_second_wish_a_day_past_and_a_second_yes_are_refused_with_a_sentence(circle):
    with pytest.raises(leaving.LastDayIsPast):
        ask(circle, circle.leader, days=-1)
    end = ask(circle, circle.leader)
    with pytest.raises(ending.EndStands):
        ask(circle, circle.second_leader)
    confirm(end, circle.second_leader)
    with pytest.raises(ending.EndIsSettled):
        confirm(end, circle.second_leader)


def test_a_last_day_that_passed_while_the_yes_was_missing_is_asked_for_anew(circle):
    end = ask(circle, circle.leader)
    with pytest.raises(leaving.LastDayIsPast), as_member(circle.second_leader):
        ending.confirm(end, by=circle.second_leader, at=end.ends_at)


def test_taken_back_everything_is_as_it_was(circle):
    make_dates(circle, 10, 40, 50)
    with as_member(circle.leader):
        session = Session.objects.get(starts_at__gt=now() + 45 * DAY)
        planning.cancel(session, by=circle.leader, at=now())
    leaves = ask_to_leave(circle)
    before = ends(circle.group)
    end = confirm(ask(circle, circle.leader), circle.second_leader)
    assert phases(circle.group) == ["planned", "cancelled", "cancelled"]
    withdraw(end, circle.leader)
    assert ends(circle.group) == before
    assert before[circle.member.name] == leaves.ends_at
    assert phases(circle.group) == ["planned", "planned", "cancelled"]
    assert ending.standing(circle.group) is None


def ask_to_leave(circle):
    """A member goes by their own wish, later than the group's last day."""
    with as_member(circle.member):
        return leaving.leave(
            circle.group, by=circle.member, at=now(), last_on=in_days(60, circle.group)
        )


def test_who_goes_by_the_own_wish_meanwhile_goes_no_later_than_the_group(circle):
    end = confirm(ask(circle, circle.leader), circle.second_leader)
    own = ask_to_leave(circle)
    assert ends(circle.group)[circle.member.name] == end.ends_at
    with as_member(circle.member):
        leaving.withdraw_ending(own, by=circle.member, at=now())
    assert ends(circle.group)[circle.member.name] == end.ends_at


def came_after_the_yes(circle):
    """The group's end is set, and a member who came in since has none of their own."""
    end = confirm(ask(circle, circle.leader), circle.second_leader)
    with as_owner():
        Membership.objects.filter(group=circle.group, member=circle.member).update(ended_at=None)
    return end


def test_who_came_after_the_yes_and_goes_later_than_the_group_goes_with_it(circle):
    end = came_after_the_yes(circle)
    own = ask_to_leave(circle)
    assert ends(circle.group)[circle.member.name] == end.ends_at
    with as_member(circle.member):
        leaving.withdraw_ending(own, by=circle.member, at=now())
    assert ends(circle.group)[circle.member.name] == end.ends_at


def test_who_takes_back_an_earlier_day_stays_until_the_groups(circle):
    end = came_after_the_yes(circle)
    with as_member(circle.member):
        early = in_days(10, circle.group)
        own = leaving.leave(circle.group, by=circle.member, at=now(), last_on=early)
    assert ends(circle.group)[circle.member.name] == own.ends_at < end.ends_at
    with as_member(circle.member):
        leaving.withdraw_ending(own, by=circle.member, at=now())
    assert ends(circle.group)[circle.member.name] == end.ends_at


def test_the_database_lets_nobody_stay_past_the_groups_end_by_taking_back(circle):
    came_after_the_yes(circle)
    with as_member(circle.member):
        early = in_days(10, circle.group)
        own = leaving.leave(circle.group, by=circle.member, at=now(), last_on=early)
    with as_member(circle.member):
        Ending.objects.filter(pk=own.pk).update(withdrawn_at=now())
    with pytest.raises(DatabaseError, match="row-level security"), as_member(circle.member):
        Membership.objects.filter(pk=own.membership_id).update(ended_at=None)


def test_a_no_takes_it_back_too_and_it_may_be_asked_again(circle):
    end = withdraw(ask(circle, circle.leader), circle.second_leader)
    assert end.confirmed_at is None
    assert ask(circle, circle.second_leader).asked_by == circle.second_leader


def test_after_its_day_it_is_not_taken_back(circle):
    end = confirm(ask(circle, circle.leader), circle.second_leader)
    with as_owner():
        # The leaders lead on, so that nothing but the day stands in the way.
        Membership.objects.filter(group=circle.group).update(ended_at=None)
    with pytest.raises(ending.EndIsSettled), as_member(circle.leader):
        ending.withdraw(end, by=circle.leader, at=end.ends_at)


# The database alone


def attempt(who, change, role="balint_app"):
    with as_member(who, role), transaction.atomic():
        change()


@pytest.mark.parametrize("who", ["member", "admin", "outsider"])
def test_the_database_lets_nobody_but_a_leader_ask(circle, who):
    person = getattr(circle, who)
    with pytest.raises(DatabaseError, match=ALREADY):
        attempt(
            person,
            lambda: GroupEnd.objects.create(
                group=circle.group, asked_by=person, asked_at=now(), ends_at=now() + DAY
            ),
        )


def test_the_database_lets_nobody_ask_in_anothers_name_or_with_a_yes_in_it(circle):
    values = {"group": circle.group, "asked_at": now(), "ends_at": now() + DAY}
    for more in (
        {"asked_by": circle.second_leader},
        {"asked_by": circle.leader, "confirmed_at": now(), "confirmed_by": circle.second_leader},
        {"asked_by": circle.leader, "ends_at": now() - DAY},
    ):
        with pytest.raises(DatabaseError, match=ALREADY):
            attempt(circle.leader, lambda more=more: GroupEnd.objects.create(**(values | more)))


@pytest.mark.parametrize(
    ("who", "role"),
    [
        ("leader", "balint_app"),
        ("member", "balint_app"),
        ("admin", "balint_roster"),
        ("outsider", "balint_app"),
    ],
)
def test_the_database_takes_no_yes_from_them(circle, who, role):
    end, person = ask(circle, circle.leader), getattr(circle, who)
    with pytest.raises(DatabaseError, match=ALREADY):
        attempt(
            person,
            lambda: GroupEnd.objects.filter(pk=end.pk).update(
                confirmed_by=person, confirmed_at=now()
            ),
            role,
        )


def test_the_database_moves_no_last_day_and_forgets_nothing_for_a_page(circle):
    end = confirm(ask(circle, circle.leader), circle.second_leader)
    with pytest.raises(DatabaseError, match="row-level security"):
        attempt(
            circle.leader,
            lambda: GroupEnd.objects.filter(pk=end.pk).update(ends_at=now() + 90 * DAY),
        )
    with pytest.raises(DatabaseError, match=ALREADY):
        attempt(
            circle.leader, lambda: GroupEnd.objects.filter(pk=end.pk).update(forgotten_at=now())
        )


def test_only_one_end_stands_at_a_time_and_nobody_is_both(circle):
    ask(circle, circle.leader)
    values = {"group": circle.group, "asked_at": now(), "ends_at": now() + DAY}
    with pytest.raises(IntegrityError, match="one_open_end_per_group"), as_owner():
        GroupEnd.objects.create(**values)
    who = circle.leader
    both = {"asked_by": who, "confirmed_by": who, "confirmed_at": now(), "withdrawn_at": now()}
    name = "nobody_confirms_their_own_end_of_a_group"
    with pytest.raises(IntegrityError, match=name), as_owner():
        GroupEnd.objects.create(**values, **both)
    with pytest.raises(IntegrityError, match="only_a_confirmed_end_forgets"), as_owner():
        GroupEnd.objects.create(**values, forgotten_at=now())


def test_that_a_leader_is_away_is_told_to_leaders_and_the_office_alone(circle):
    lead_alone(circle, away=True)
    said = {}
    for who in ("leader", "second_leader", "member", "former", "admin", "outsider"):
        person = getattr(circle, who)
        with as_member(person):
            said[who] = ending.leads_alone(circle.group, circle.leader.pk)
    assert {who for who, alone in said.items() if alone} == {"leader", "second_leader", "admin"}


# The pages


def office(circle):
    return f"/programmes/{circle.programme.pk}/groups/{circle.group.pk}/end/"


def page(circle):
    return f"/groups/{circle.group.pk}/end/"


def said(do, circle):
    """What the page as it stands posts."""
    with as_owner():
        return {"do": do, "end": ending.standing(circle.group).pk}


@pytest.mark.parametrize("do", ["yes", "back"])
def test_a_yes_or_no_to_another_day_than_was_read_is_asked_again(circle, client_of, do):
    ask(circle, circle.leader)
    read = said(do, circle)
    with as_owner():
        GroupEnd.objects.update(withdrawn_at=now())
    ask(circle, circle.leader, days=90)
    answer = client_of(circle.second_leader).post(page(circle), read)
    assert answer.status_code == 409
    assert "This has been settled in the meantime." in answer.text
    lead_alone(circle)
    assert client_of(circle.admin).post(office(circle), read).status_code == 409
    with as_owner():
        assert ending.standing(circle.group).confirmed_at is None


def test_the_leaders_page_asks_says_yes_and_takes_back(circle, client_of):
    leader, other = client_of(circle.leader), client_of(circle.second_leader)
    day = in_days(30, circle.group)
    assert leader.post(page(circle), {"do": "ask", "last_on": day}).status_code == 302
    assert "The other leader is asked." in leader.get(page(circle)).text
    asked = other.get(page(circle)).text
    assert "Dr Ruth Marks asks that the group ends on" in asked
    assert leader.post(page(circle), said("yes", circle)).status_code == 409
    assert other.post(page(circle), said("yes", circle)).status_code == 302
    assert "The group ends on" in leader.get(page(circle)).text
    assert leader.post(page(circle), said("back", circle)).status_code == 302
    assert "Ask for this last day" in leader.get(page(circle)).text


def test_a_refusal_keeps_the_day_that_was_typed(circle, client_of):
    answer = client_of(circle.leader).post(page(circle), {"do": "ask", "last_on": "2026-01-02"})
    assert answer.status_code == 409
    assert 'value="2026-01-02"' in answer.text
    assert "The last day lies in the past." in answer.text


@pytest.mark.parametrize("who", ["member", "on_leave", "former", "admin", "outsider", "superuser"])
def test_the_leaders_page_is_there_for_nobody_else(circle, client_of, who):
    ask(circle, circle.leader)
    assert client_of(getattr(circle, who)).get(page(circle)).status_code == 404
    assert client_of(getattr(circle, who)).post(page(circle), {"do": "yes"}).status_code == 404


def test_the_office_sees_the_date_and_says_yes_where_one_leads_alone(circle, client_of):
    lead_alone(circle)
    end = ask(circle, circle.leader)
    admin = client_of(circle.admin)
    asked = admin.get(office(circle)).text
    assert ending.day_of(end, now()) in asked
    assert circle.leader.name not in asked
    assert admin.post(office(circle), said("yes", circle)).status_code == 302
    assert "The group ends on" in admin.get(office(circle)).text


def test_the_office_is_told_that_the_other_leader_is_asked(circle, client_of):
    ask(circle, circle.leader)
    admin = client_of(circle.admin)
    assert "The other leader is asked." in admin.get(office(circle)).text
    assert admin.post(office(circle), said("yes", circle)).status_code == 409


@pytest.mark.parametrize("who", ["leader", "member", "outsider", "superuser"])
def test_the_offices_page_is_there_for_nobody_else(circle, client_of, who):
    assert client_of(getattr(circle, who)).get(office(circle)).status_code == 404


def test_an_admin_of_another_programme_finds_nothing(circle, client_of):
    other = make_circle()
    ask(other, other.leader)
    mixed = f"/programmes/{circle.programme.pk}/groups/{other.group.pk}/end/"
    assert client_of(circle.admin).get(office(other)).status_code == 404
    assert client_of(circle.admin).get(mixed).status_code == 404


@pytest.mark.parametrize("who", ["leader", "member", "on_leave"])
def test_everyone_inside_reads_the_last_day_on_the_groups_page(circle, client_of, who):
    end = ask(circle, circle.leader)
    address = f"/groups/{circle.group.pk}/"
    sentence = f"The group ends on {ending.day_of(end, now())}."
    assert sentence not in client_of(circle.member).get(address).text
    confirm(end, circle.second_leader)
    assert sentence in client_of(getattr(circle, who)).get(address).text


def test_a_newcomer_after_the_yes_is_not_counted_out_before_the_end(circle):
    confirm(ask(circle, circle.leader), circle.second_leader)
    late = make_member("Dr Late Comer")
    join(circle.group, late)
    assert ends(circle.group)[late.name] is None


def test_a_group_that_has_ended_is_no_group_the_office_looks_after(circle, client_of):
    programme = f"/programmes/{circle.programme.pk}/"
    end = confirm(ask(circle, circle.leader), circle.second_leader)
    admin = client_of(circle.admin)
    assert "has ended" not in admin.get(programme).text
    with as_owner():
        GroupEnd.objects.filter(pk=end.pk).update(ends_at=now() - DAY)
        Membership.objects.filter(group=circle.group).update(ended_at=now() - DAY)
    assert "has ended" in admin.get(programme).text
    listed = f"/programmes/{circle.programme.pk}/groups/{circle.group.pk}/"
    assert listed not in client_of(circle.admin).get("/").text

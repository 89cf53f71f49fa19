"""The office: many groups' lists and dates, and not a word from inside one."""

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groups import joining
from groups.models import (
    Ending,
    Entrance,
    Group,
    Leave,
    Membership,
    Programme,
    ProgrammeAdmin,
    Proposal,
)
from members.models import Member
from sessions import office
from sessions.models import Attendance, CasePresentation
from sessions.phases import Phase
from tests.groups.test_leaving import ask, confirm, day, end, ended_at, go_away, leave
from tests.sessions import evening
from tests.sessions.meetings import cannot_come, change, in_days, make_session
from tests.world import as_member, as_owner, join, make_group, make_member, utc, years_ago

pytestmark = pytest.mark.reads_context

REASON = "Her mother is ill"
SECRETS = ["4471#", "https://meet.example.org/valley", "The room smells of paint", "The angry man"]
PAGES = ["", "groups/new/", "groups/{group}/", "groups/{group}/edit/", "groups/{group}/propose/"]
EVERYBODY = {
    "admin": 200,
    "leader": 404,
    "second_leader": 404,
    "member": 404,
    "newcomer": 404,
    "on_leave": 404,
    "former": 404,
    "outsider": 404,
    "superuser": 404,
}


def url(circle, page: str = "", group: Group | None = None) -> str:
    filled = page.format(group=(group or circle.group).pk)
    return f"/programmes/{circle.programme.pk}/{filled}"


def group_url(circle, rest: str = "", group: Group | None = None) -> str:
    return url(circle, "groups/{group}/" + rest, group)


def read(circle, client_of, page: str = "groups/{group}/") -> str:
    answer = client_of(circle.admin).get(url(circle, page))
    assert answer.status_code == 200
    return answer.content.decode()


def rows(html: str) -> list[str]:
    """The rows of the page's list as plain text."""
    body = html.split("<tbody>")[1].split("</tbody>")[0]
    plain = [re.sub(r"<[^>]+>", " ", row) for row in body.split("</tr>")[:-1]]
    return [re.sub(r"\s+", " ", row).strip() for row in plain]


def make_admin(programme: Programme, name: str = "Other Admin") -> Member:
    admin = make_member(name)
    with as_owner():
        ProgrammeAdmin.objects.create(programme=programme, member=admin, starts_at=years_ago(1))
    return admin


def propose(circle, by: str = "admin", **more) -> Proposal:
    given = {"address": "new@example.org", "name": "Dr New", "role": "member"} | more
    role = "balint_roster" if by == "admin" else "balint_app"
    with as_member(getattr(circle, by), role):
        return joining.propose(circle.group, by=getattr(circle, by), at=timezone.now(), **given)


# Who opens what


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("who", "status"), EVERYBODY.items(), ids=EVERYBODY)
def test_the_office_is_the_admins(circle, client_of, who, status, page):
    client = client_of(getattr(circle, who))
    answer = client.get(url(circle, page))
    assert answer.status_code == status
    if status == 404:
        nothing = client.get(f"/programmes/{circle.leader.pk}/{page.format(group=circle.admin.pk)}")
        assert (nothing.status_code, nothing.content) == (404, answer.content)


@pytest.mark.parametrize("page", PAGES)
def test_another_programmes_admin_gets_the_404_of_nothing(circle, client_of, page):
    with as_owner():
        other = Programme.objects.create(name="South programme")
    client = client_of(make_admin(other))
    assert client.get(url(circle, page)).status_code == 404
    client = client_of(circle.admin)
    assert client.get(f"/programmes/{other.pk}/").status_code == 404


@pytest.mark.parametrize("page", PAGES[2:])
def test_a_group_of_another_programme_is_not_under_this_ones_address(circle, client_of, page):
    elsewhere = make_group()
    with as_owner():
        ProgrammeAdmin.objects.create(
            programme=elsewhere.programme, member=circle.admin, starts_at=years_ago(1)
        )
    client = client_of(circle.admin)
    assert client.get(url(circle, page, elsewhere)).status_code == 404
    own = f"/programmes/{elsewhere.programme_id}/{page.format(group=elsewhere.pk)}"
    assert client.get(own).status_code == 200


@pytest.mark.parametrize("page", PAGES[2:])
def test_an_admin_does_not_look_after_a_group_he_belongs_to(circle, client_of, page):
    join(circle.group, circle.admin)
    client = client_of(circle.admin)
    assert client.get(url(circle, page)).status_code == 404
    html = client.get(url(circle)).content.decode()
    assert group_url(circle) not in html
    assert "You belong to" in html


def test_who_was_an_admin_is_none(circle, client_of):
    with as_owner():
        ProgrammeAdmin.objects.update(ended_at=years_ago(0.1))
    assert client_of(circle.admin).get(url(circle)).status_code == 404


# One group's list


def test_the_group_list_says_who_is_in_the_group_and_which_place_is_kept(circle, client_of):
    with as_owner():
        Membership.objects.filter(group=circle.group).update(starts_at=utc(2019, 1, 7))
        Membership.objects.filter(member=circle.newcomer).update(starts_at=utc(2018, 1, 7))
        circle.leader.profession = "psychiatrist"
        circle.leader.save()
    leave(circle, "presenter", last_on=date(2099, 1, 21), reason=REASON)
    html = read(circle, client_of)
    assert rows(html) == [
        "Dr Erik Krantz leader since 2019",
        "Dr Ruth Marks psychiatrist leader since 2019",
        "Dr Nina Neu member since 2018",
        "Dr Amit Nader member until 21 January 2099 free from January 2099",
        "Dr Dana Green member since 2019",
        "Dr Hanna Lind member since 2019 place kept",
        "Dr Owen Wells member since 2019",
    ]
    assert '<span class="pill">5 members, room for 5</span>' in html
    assert '<span class="pill">2 leaders</span>' in html
    assert "Who came, who presented and what was said stay in the group." in html
    assert html.count("button primary") == 1


def test_what_the_leaders_still_weigh_is_not_shown_until_it_is_settled(circle, client_of):
    ending = end(circle, "presenter", last_on=date(2099, 1, 21), reason=REASON)
    html = read(circle, client_of)
    assert "2099" not in html
    confirm(circle, ending, "second_leader")
    html = read(circle, client_of)
    assert "free from January 2099" in html
    assert REASON not in html


def test_the_year_counts_planned_and_held_and_names_the_next(circle, client_of):
    this_year = timezone.now().astimezone(ZoneInfo(circle.group.time_zone)).year
    for month in (1, 2, 3):
        make_session(circle.group, utc(this_year, month, 5, 17), phase=Phase.CLOSED)
    make_session(circle.group, utc(this_year, 4, 5, 17), phase=Phase.CANCELLED)
    make_session(circle.group, utc(this_year, 5, 5, 17), phase=Phase.CLOSED, settled_at=None)
    make_session(circle.group, utc(this_year - 1, 5, 5, 17), phase=Phase.CLOSED)
    make_session(circle.group, utc(2098, 12, 17, 17))
    html = read(circle, client_of)
    assert "3 meetings planned, 3 held. Next: 17 December 2098." in html


def test_the_year_is_the_groups_own(db):
    group = make_group(time_zone="Pacific/Auckland")
    make_session(group, utc(2025, 12, 31, 12), phase=Phase.CLOSED)
    make_session(group, utc(2026, 12, 31, 12), phase=Phase.PLANNED)
    at = utc(2026, 6, 1)
    year = office.years([group], at)[group.pk]
    assert (year.planned, year.held, year.next_day) == (1, 1, "1 January 2027")


def test_the_next_date_is_the_one_that_runs_until_it_ends(db):
    group = make_group()
    first, second = (make_session(group, utc(2026, 11, on, 17)) for on in (5, 26))
    assert office.next_session(group, utc(2026, 11, 5, 18)) == first
    assert office.next_session(group, utc(2026, 11, 5, 18, 30)) == second
    assert office.next_session(group, utc(2026, 11, 27)) is None


# Not a word from inside


def test_nothing_from_inside_is_on_any_page_of_the_office(circle, client_of):
    with as_owner():
        Entrance.objects.create(group=circle.group, door=SECRETS[0], join_link=SECRETS[1])
        Leave.objects.filter(member=circle.on_leave).update(ended_at=utc(2099, 3, 7))
        kept = Leave.objects.get(member=circle.on_leave)
        kept.reason = REASON
        kept.save()
    session = evening.make_session(circle)
    cannot_come(in_days(circle.group, 12), circle.absent, REASON)
    change(session, "moved", SECRETS[2], by=circle.leader)
    evening_case(circle, session)
    with as_owner():
        Attendance.objects.create(
            session=session,
            group=circle.group,
            member=circle.absent,
            present=False,
            put_down_by=circle.leader,
            put_down_at=timezone.now(),
        )
    go_away(circle, "member", "member", first=5)
    leave(circle, "presenter", last_on=day(30), reason=REASON)
    end(circle, "absent", reason=REASON)
    ask(circle, "newcomer")
    propose(circle)
    pages = [read(circle, client_of, page).encode() for page in PAGES]
    for secret in [REASON, *SECRETS, "2099", "away", "on leave", "absen", "presented by"]:
        assert [page for page in pages if secret.encode() in page] == [], secret


def evening_case(circle, session) -> None:
    """A case told tonight, with a title."""
    with as_owner():
        case = CasePresentation(
            session=session,
            group=circle.group,
            order=1,
            presenter=circle.presenter,
            forget_on=day(100),
        )
        case.title = SECRETS[3]
        case.save()


def test_a_leave_to_come_is_nothing_the_office_learns(circle, client_of):
    go_away(circle, "member", "member", first=5)
    assert read(circle, client_of).count("place kept") == 1


# Proposing


def test_the_office_proposes_and_reads_that_the_leaders_have_not_answered(circle, client_of):
    client = client_of(circle.admin)
    data = {"address": "new@example.org", "name": "Dr New", "role": "member"}
    answer = client.post(group_url(circle, "propose/"), data)
    assert answer.headers["Location"] == group_url(circle)
    html = client.get(group_url(circle)).content.decode()
    today = timezone.now().astimezone(ZoneInfo(circle.group.time_zone))
    assert f"One person, on {today:%-d %B}. The leaders have not answered yet." in html
    assert "needs your yes" not in html
    with as_owner():
        assert Proposal.objects.get().proposed_as == "admin"


def test_in_an_empty_group_the_first_leader_is_invited_at_once(circle, client_of):
    client = client_of(circle.admin)
    made = client.post(
        url(circle, "groups/new/"),
        {"name": "New group", "setting": "online", "place": "", "time_zone": "Europe/London"},
    )
    with as_owner():
        group = Group.objects.get(name="New group")
    assert made.headers["Location"] == group_url(circle, "", group)
    client = client_of(circle.admin)
    page = client.get(group_url(circle, "propose/", group))
    assert page.context["form"]["role"].value() == "leader"
    data = {"address": "leader@example.org", "name": "", "role": "leader"}
    client.post(group_url(circle, "propose/", group), data)
    html = client.get(group_url(circle, "", group)).content.decode()
    assert "Nobody yet." in html
    assert "invited, has not answered yet" in html
    with as_owner():
        assert Proposal.objects.get().consented_at is not None
        assert group.agreements.count() == 1


def test_a_refused_proposal_keeps_what_was_typed(circle, client_of):
    client = client_of(circle.admin)
    data = {"address": circle.member.email, "name": "Typed with care", "role": "member"}
    answer = client.post(group_url(circle, "propose/"), data)
    assert answer.status_code == 409
    assert "This person is in the group already." in answer.content.decode()
    assert "Typed with care" in answer.content.decode()


@pytest.mark.parametrize("what", ["resend", "withdraw"])
def test_the_office_sends_again_and_withdraws_its_own(circle, client_of, what):
    proposal = propose(circle)
    with as_member(circle.leader):
        joining.answer(proposal, yes=True, by=circle.leader, at=timezone.now())
    assert f"/proposals/{proposal.pk}/{what}/" in read(circle, client_of)
    client = client_of(circle.admin)
    answer = client.post(f"/proposals/{proposal.pk}/{what}/", follow=True)
    assert answer.redirect_chain[-1][0] == group_url(circle)
    with as_owner():
        proposal.refresh_from_db()
    assert (proposal.sends, proposal.withdrawn_at is None) == {
        "resend": (2, True),
        "withdraw": (1, False),
    }[what]


def test_a_leaders_invitation_is_shown_and_not_the_offices_to_withdraw(circle, client_of):
    proposal = propose(circle, by="leader")
    html = read(circle, client_of)
    assert "Dr New" in html
    assert f"/proposals/{proposal.pk}/" not in html
    assert client_of(circle.admin).post(f"/proposals/{proposal.pk}/withdraw/").status_code == 409


# Asking for a farewell


def test_the_office_asks_with_a_date_and_takes_it_back(circle, client_of):
    client = client_of(circle.admin)
    page = client.get(group_url(circle))
    who = Membership.objects.get(group=circle.group, member=circle.presenter)
    assert (who.pk, "Dr Amit Nader") in [
        (choice.value, label) for choice, label in page.context["form"].fields["membership"].choices
    ]
    answer = client.post(group_url(circle), {"membership": who.pk, "last_on": date(2099, 1, 21)})
    assert answer.headers["Location"] == group_url(circle)
    html = client.get(group_url(circle)).content.decode()
    assert "asked for 21 January 2099; the leaders have not answered yet" in html
    assert "free from" not in html
    ending = Ending.objects.get()
    assert ending.asked_as == "admin"
    back = client_of(circle.admin).post(f"/endings/{ending.pk}/withdraw/", follow=True)
    assert back.redirect_chain[-1][0] == group_url(circle)
    assert "2099" not in back.content.decode()


@pytest.mark.parametrize(
    ("last_on", "status", "sentence"),
    [
        (date(2020, 1, 1), 409, "The last day lies in the past."),
        ("", 200, "This field is required."),
    ],
)
def test_a_refused_wish_stays_on_the_page(circle, client_of, last_on, status, sentence):
    who = Membership.objects.get(group=circle.group, member=circle.presenter)
    data = {"membership": who.pk, "last_on": last_on}
    answer = client_of(circle.admin).post(group_url(circle), data)
    assert answer.status_code == status
    assert sentence in answer.content.decode()
    assert '<details class="more" open>' in answer.content.decode()


def test_somebody_of_another_group_is_no_choice(circle, client_of):
    other = Membership.objects.get(group=circle.other_group)
    data = {"membership": other.pk, "last_on": date(2099, 1, 21)}
    answer = client_of(circle.admin).post(group_url(circle), data)
    assert "Select a valid choice." in answer.content.decode()
    with as_owner():
        assert not Ending.objects.exists()


def test_the_office_does_not_touch_what_leaders_wish(circle, client_of):
    ending = end(circle, "presenter")
    client = client_of(circle.admin)
    assert client.post(f"/endings/{ending.pk}/withdraw/").status_code == 404
    assert client.post(f"/endings/{ending.pk}/yes/").status_code == 404
    assert ended_at(circle, "presenter") is None


# The frame, and new groups


def test_the_office_edits_the_frame(circle, client_of):
    client = client_of(circle.admin)
    data = {
        "name": "Hill group",
        "setting": "mixed",
        "place": "Room 9",
        "time_zone": "Europe/London",
        "cap": 9,
        "contact": "",
    }
    answer = client.post(group_url(circle, "edit/"), data)
    assert answer.headers["Location"] == group_url(circle)
    with as_owner():
        group = Group.objects.get(pk=circle.group.pk)
    assert (group.name, group.place, group.cap) == ("Hill group", "Room 9", 9)
    refused = client_of(circle.admin).post(group_url(circle, "edit/"), data | {"cap": 3})
    assert refused.status_code == 409
    assert "5 places are taken" in refused.content.decode()


def test_a_new_group_needs_a_name_and_starts_in_the_admins_zone(circle, client_of):
    client = client_of(circle.admin)
    page = client.get(url(circle, "groups/new/"))
    assert page.context["form"]["time_zone"].value() == circle.admin.time_zone
    answer = client.post(url(circle, "groups/new/"), {"name": "", "setting": "online"})
    assert answer.status_code == 200
    assert "This field is required." in answer.content.decode()


# The programme


def test_the_programme_lists_its_groups_and_what_each_lacks(circle, client_of):
    in_days(circle.group, 12)
    propose(circle)
    on = timezone.now().astimezone(ZoneInfo(circle.group.time_zone)) + timedelta(days=12)
    html = read(circle, client_of, "")
    harbour, valley = rows(html)
    assert harbour == "Harbour group 1 member, room for 9 0 no leader no dates"
    assert valley.startswith("Valley group Dr Ruth Marks, Dr Erik Krantz 5 members, room for 5")
    assert f" {on:%-d %B}" in valley
    assert valley.endswith("0 1 proposal unanswered 1 has not agreed yet")
    assert '<span class="pill">2 groups</span>' in html


def test_the_programme_names_its_admins_and_invitations_not_answered(circle, client_of):
    with as_owner():
        proposal = joining.found(
            programme_name="x", address="next@example.org", at=timezone.now() - timedelta(days=40)
        )
        Proposal.objects.filter(pk=proposal.pk).update(programme=circle.programme)
    html = read(circle, client_of, "")
    assert "<li>Noa Levi</li>" in html
    assert "next@example.org" in html
    assert "the invitation ran out" in html
    client = client_of(circle.admin)
    again = client.post(f"/proposals/{proposal.pk}/resend/")
    assert again.headers["Location"] == url(circle)
    assert "invited, has not answered yet" in read(circle, client_of, "")


def test_an_empty_programme_says_what_to_do(circle, client_of):
    with as_owner():
        other = Programme.objects.create(name="South programme")
    answer = client_of(make_admin(other)).get(f"/programmes/{other.pk}/")
    assert "No groups yet." in answer.content.decode()


# Cost


def queries(client, address: str) -> int:
    with CaptureQueriesContext(connection) as counted:
        assert client.get(address).status_code == 200
    return len(counted)


def test_the_programme_costs_the_same_for_two_groups_and_for_thirty(circle, client_of):
    client = client_of(circle.admin)
    queries(client, url(circle))
    few = queries(client, url(circle))
    for number in range(30):
        group = make_group(circle.programme, name=f"Group {number}")
        join(group, circle.leader, "leader")
        join(group, circle.member, agreed=False)
        in_days(group, 10 + number)
    assert queries(client_of(circle.admin), url(circle)) == few


def test_the_group_list_costs_the_same_for_seven_people_and_for_thirty(circle, client_of):
    leave(circle, "presenter", last_on=day(30))
    ask(circle, "member")
    propose(circle)
    client = client_of(circle.admin)
    queries(client, group_url(circle))
    few = queries(client, group_url(circle))
    for number in range(30):
        person = make_member()
        membership = join(circle.group, person)
        with as_owner():
            Ending.objects.create(
                group=circle.group,
                membership=membership,
                asked_as="admin",
                asked_at=timezone.now(),
                ends_at=timezone.now() + timedelta(days=number + 1),
            )
        in_days(circle.group, 10 + number)
    assert queries(client_of(circle.admin), group_url(circle)) == few

"""`/` by person: one address, and what that person needs to see first."""

import re
from datetime import date, time, timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from groups.models import (
    Consent,
    Ending,
    Group,
    Leave,
    Membership,
    ProgrammeAdmin,
    Proposal,
)
from sessions import firstpage
from sessions.models import CasePresentation, Session
from sessions.phases import Phase
from tests.sessions.meetings import (
    cannot_come,
    change,
    groups_of,
    in_days,
    make_session,
    on_wall,
)
from tests.world import as_member, as_owner, join, make_group, make_member, years_ago


def text_of(client, path: str = "/") -> str:
    """The page's words, in one line."""
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"csrfmiddlewaretoken. value=.\w+", "", " ".join(answer.content.decode().split()))


@pytest.fixture
def see(client_of):
    """The first page of somebody, as text."""
    return lambda person: text_of(client_of(person))


# Nobody signed in


def test_the_door_says_what_a_balint_group_is_and_leads_to_signing_in(client, db):
    page = text_of(client)
    assert "A Balint group is a circle of clinicians" in page
    assert "What to expect as a member" in page
    assert page.count('href="/accounts/login/"') == 2
    assert "What is said there stays there." in text_of(client)


def test_the_door_leads_to_a_longer_text(client, db):
    assert 'href="/about/"' in text_of(client)
    assert "Michael Balint" in text_of(client, "/about/")


# A member


def test_a_member_sees_the_next_meeting(circle, see):
    now = timezone.now()
    year = now.year + 1
    on_wall(circle.group, date(year, 6, 17))
    on_wall(circle.group, date(year + 1, 1, 21))
    page = see(circle.member)
    assert "Valley group</a> · <a href" in page
    assert ">next meeting</a>" in page
    day = f"{date(year, 6, 17):%A} 17 June {year}, <span"
    assert day in page
    assert "19:30–21:00</span>" in page
    assert "Kfar Vitkin clinic, library · Jerusalem time" in page
    assert "We expect you." in page
    assert f"Led by Ruth and Erik · the meeting after that: 21 January {year + 1}" in page


def test_the_month_shown_is_that_of_the_next_meeting(circle, see):
    year = timezone.now().year + 1
    session = on_wall(circle.group, date(year, 6, 17))
    page = see(circle.member)
    assert f"<h2>June {year}</h2>" in page
    assert page.count(f'class="entry" href="/sessions/{session.pk}/"') == 1
    assert f'href="/calendar/{year}/5/#turn"' in page
    assert f'href="/calendar/{year}/7/#turn"' in page


def test_the_circle_shows_everyone_alike(circle, see):
    session = in_days(circle.group, 3)
    before = see(circle.member)
    cannot_come(session, circle.absent, "A cold")
    after = see(circle.member)
    ring = before.split("<svg")[-1].split("</svg>")[0]
    assert ring == after.split("<svg")[-1].split("</svg>")[0]
    assert ring.count('class="initials') == 7
    assert ring.count('class="initials leader"') == 2
    assert "away" not in ring


def test_the_viewers_own_time_stands_beside_it_where_it_differs(circle, see):
    on_wall(circle.group, date(timezone.now().year + 1, 6, 17))
    assert "for you 17:30–19:00, London time" in see(circle.absent)
    assert "for you" not in see(circle.member)


def test_only_the_person_sees_that_they_cannot_come(circle, see):
    session = in_days(circle.group, 3)
    cannot_come(session, circle.absent)
    assert "You cannot come. The leaders know." in see(circle.absent)
    for person in (circle.member, circle.leader):
        assert "We expect you." in see(person)


def test_a_cancelled_date_stands_below_the_next_one_with_its_reason(circle, see):
    off = in_days(circle.group, 3, phase=Phase.CANCELLED)
    change(off, "cancelled", "Ruth is ill", circle.leader)
    standing = in_days(circle.group, 30)
    page = see(circle.member)
    assert f'<a href="/sessions/{standing.pk}/">next meeting</a>' in page
    assert page.count("Ruth is ill") == 1
    assert "Ruth is ill" not in see(circle.on_leave)


def test_yesterdays_meeting_is_not_the_next(circle, see):
    in_days(circle.group, -1)
    assert "No date yet" in see(circle.member)


def test_while_the_group_meets_in_person_there_is_nothing_to_press(circle, see):
    session = make_session(circle.group, timezone.now() - timedelta(minutes=20))
    page = see(circle.member)
    assert "The group is meeting." in page
    assert "We expect you." not in page
    assert f"/sessions/{session.pk}/room/" not in page


def test_while_it_meets_online_the_room_is_one_press_away(circle, see):
    session = make_session(
        circle.group,
        timezone.now() - timedelta(minutes=20),
        setting="online",
        phase=Phase.CALL,
        opened_at=timezone.now() - timedelta(minutes=25),
    )
    page = see(circle.member)
    assert "The group is meeting." in page
    assert page.count(f'href="/sessions/{session.pk}/room/"') == 1


def test_of_several_groups_the_soonest_comes_first(circle, see):
    later, sooner = groups_of(circle.member, 2)
    in_days(circle.group, 20)
    in_days(later, 30)
    in_days(sooner, 10)
    page = see(circle.member)
    assert f"{sooner.name}</a> · <a href" in page
    others = page.split("Your other groups")[1].split("</ul>")[0]
    assert others.index("Valley group") < others.index(later.name)
    assert sooner.name not in others


def test_somebody_on_leave_sees_the_dates_and_is_not_expected(circle, see):
    session = in_days(circle.group, 3)
    page = see(circle.on_leave)
    assert str(session.pk) in page
    assert "You are away from this group for a while." in page
    for inside in (
        "We expect you.",
        f"/sessions/{session.pk}/answer/",
        "Led by",
        '<svg class="circle"',
    ):
        assert inside not in page


def test_the_calendar_card_says_the_outside_name_alone(circle, see):
    in_days(circle.group, 3)
    assert "Outside, it only ever says “Valley”, a time and a place." in see(circle.member)
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(alias="")
    assert "Outside, it only ever says “Your group”" in see(circle.member)


# What is kept, in one true sentence


def tell(session: Session, presenter, forget_on: date) -> CasePresentation:
    with as_owner():
        order = CasePresentation.objects.filter(session=session).count() + 1
        return CasePresentation.objects.create(
            session=session, group_id=session.group_id, order=order,
            presenter=presenter, forget_on=forget_on,
        )  # fmt: skip


def kept(person) -> str:
    with as_member(person):
        return firstpage.kept_words(person, timezone.now())


def test_who_told_no_case_reads_that(circle):
    session = in_days(circle.group, -30)
    tell(session, circle.presenter, timezone.now().date() + timedelta(days=90))
    assert kept(circle.member) == "Your groups and dates. No case of yours."


def test_one_case_is_said_with_its_month_and_the_day_it_is_forgotten(circle):
    session = on_wall(circle.group, date(2025, 11, 20))
    tell(session, circle.presenter, date(2099, 3, 19))
    assert kept(circle.presenter) == (
        "Your groups and dates; one case you told in November 2025, forgotten on 19 March 2099."
    )


def test_what_is_near_is_said_without_its_year(circle):
    told, forgotten = (timezone.now().date() + timedelta(days=days) for days in (-20, 100))
    tell(on_wall(circle.group, told), circle.presenter, forgotten)
    assert kept(circle.presenter) == (
        f"Your groups and dates; one case you told in {told:%B}, "
        f"forgotten on {forgotten.day} {forgotten:%B}."
    )


def test_several_cases_are_counted_and_forgotten_ones_are_not(circle):
    session = on_wall(circle.group, date(2025, 11, 20))
    for forget_on in (date(2098, 1, 1), date(2099, 3, 19), timezone.now().date()):
        tell(session, circle.presenter, forget_on)
    assert kept(circle.presenter) == (
        "Your groups and dates; 2 cases you told, the last forgotten on 19 March 2099."
    )


# A leader


def needs(page: str) -> str:
    """The block of what needs the person; empty without one."""
    return page.partition("What needs you")[2].partition("</section>")[0]


def settle(circle) -> None:
    """A year with a meeting in every month, so that nothing of dates is needed."""
    for days in range(20, 120, 14):
        in_days(circle.group, days)


def test_a_leader_sees_the_same_card_and_nothing_more_when_nothing_waits(circle, see):
    settle(circle)
    page = see(circle.leader)
    assert "We expect you." in page
    assert needs(page) == ""


def test_tonight_the_leaders_are_led_to_before_you_open_the_door(circle, see):
    settle(circle)
    session = in_days(circle.group, 0, time(23, 59), minutes=15)
    words = needs(see(circle.leader))
    assert f'href="/sessions/{session.pk}/before/"' in words
    assert "Before you open the door" in words
    assert needs(see(circle.member)) == ""


def test_a_meeting_not_put_down_waits_for_its_leaders(circle, see):
    settle(circle)
    in_days(circle.group, -29)
    session = in_days(circle.group, -1)
    words = needs(see(circle.leader))
    assert words.count("afterwards") == 1
    assert f'href="/sessions/{session.pk}/afterwards/"' in words
    assert needs(see(circle.presenter)) == ""


def test_one_left_open_that_closed_itself_says_so_to_its_leaders(circle, see):
    settle(circle)
    session = in_days(circle.group, -1, phase=Phase.CLOSED)
    said = "It was left open and closed itself in the morning."
    assert said not in needs(see(circle.leader))
    with as_owner():
        Session.objects.filter(pk=session.pk).update(closed_at=F("runs_until"))
    for leader in (circle.leader, circle.second_leader):
        assert said in needs(see(leader))
    assert needs(see(circle.member)) == ""


@pytest.mark.parametrize(
    "fields",
    [{"put_down_at": timezone.now()}, {"phase": Phase.CANCELLED}, {"settled_at": None}],
    ids=["put down", "cancelled", "never settled"],
)
def test_what_is_put_down_or_did_not_take_place_waits_for_nobody(circle, see, fields):
    settle(circle)
    in_days(circle.group, -1, **fields)
    assert needs(see(circle.leader)) == ""


def test_after_a_month_nobody_is_asked_any_more(circle, see):
    settle(circle)
    in_days(circle.group, -31)
    assert needs(see(circle.leader)) == ""


def test_a_new_leader_is_not_asked_about_the_time_before(circle, see):
    settle(circle)
    in_days(circle.group, -3)
    with as_owner():
        Membership.objects.filter(member=circle.second_leader).update(
            starts_at=timezone.now() - timedelta(days=2)
        )
    assert needs(see(circle.second_leader)) == ""
    assert "afterwards" in needs(see(circle.leader))


def test_a_coming_month_without_a_meeting_is_told(circle, see):
    words = needs(see(circle.leader))
    assert "Valley group has no meeting in" in words
    assert f'href="/groups/{circle.group.pk}/schedule/"' in words


def propose(group: Group, by, role: str = "member", **fields) -> Proposal:
    with as_owner():
        return Proposal.objects.create(
            programme_id=group.programme_id, group=group, role=role, name="Dr Eva Stein",
            address="eva@example.org", proposed_by=by, proposed_as="admin",
            proposed_at=timezone.now(), **fields,
        )  # fmt: skip


def test_a_proposal_waits_for_both_leaders_until_each_has_answered(circle, see):
    settle(circle)
    proposal = propose(circle.group, circle.admin, "leader")
    sentence = "Dr Eva Stein is proposed as a leader of Valley group. Your yes is needed."
    assert sentence in needs(see(circle.leader))
    assert f'href="/groups/{circle.group.pk}/roster/"' in needs(see(circle.leader))
    with as_owner():
        Consent.objects.create(
            group=circle.group, proposal=proposal, member=circle.leader,
            yes=True, given_at=timezone.now(),
        )  # fmt: skip
    assert needs(see(circle.leader)) == ""
    assert sentence in needs(see(circle.second_leader))


def test_a_proposal_answered_or_ones_own_waits_no_more(circle, see):
    settle(circle)
    propose(circle.group, circle.admin, consented_at=timezone.now())
    propose(circle.group, circle.leader)
    propose(circle.group, circle.admin, refused_at=timezone.now())
    propose(circle.other_group, circle.admin)
    assert needs(see(circle.leader)) == ""


def test_in_a_leaderless_group_every_active_member_is_asked_about_a_leader(circle, see):
    with as_owner():
        Membership.objects.filter(group=circle.group, role="leader").update(ended_at=timezone.now())
    propose(circle.group, circle.admin, "leader")
    propose(circle.group, circle.admin, "member", expires_at=None)
    for person in (circle.member, circle.presenter, circle.absent):
        assert needs(see(person)).count("Dr Eva Stein") == 1
    for person in (circle.on_leave, circle.newcomer, circle.outsider):
        assert "Eva Stein" not in see(person)


def test_members_are_not_asked_about_a_leader_while_somebody_leads(circle, see):
    propose(circle.group, circle.admin, "leader")
    assert needs(see(circle.member)) == ""


def test_an_ending_that_needs_a_yes_is_told_to_the_leader_who_has_not_said_it(circle, see):
    settle(circle)
    with as_owner():
        Ending.objects.create(
            group=circle.group,
            membership=Membership.objects.get(group=circle.group, member=circle.absent),
            asked_by=circle.admin,
            asked_as="admin",
            asked_at=timezone.now(),
            ends_at=timezone.now() + timedelta(days=30),
        )
    assert "It is asked that Dr Owen Wells leaves Valley group." in needs(see(circle.leader))
    assert "Owen" not in needs(see(circle.member))


# Someone new, someone with no group


def test_someone_new_sees_the_one_thing_to_do_next(circle, see):
    with as_owner():
        Group.objects.filter(pk=circle.group.pk).update(contact="Ruth, 03 555 0199")
    first, second = in_days(circle.group, 3), in_days(circle.group, 33)
    page = see(circle.newcomer)
    assert page.count("primary") == 1
    assert f'class="button primary" href="/groups/{circle.group.pk}/agreement/"' in page
    assert "one thing to do next" in page
    assert "Ruth, 03 555 0199" in page
    assert "Kfar Vitkin clinic, library" in page
    assert "Jerusalem time" in page
    for hidden in ("Amit", "Dana", "Owen", str(second.pk), str(first.pk), "We expect you."):
        assert hidden not in page


def test_who_is_new_in_one_group_and_at_home_in_another_sees_both(circle, see):
    in_days(circle.group, 3)
    second = make_group(name="Harbour two")
    join(second, circle.member, agreed=False)
    page = see(circle.member)
    assert f'href="/groups/{second.pk}/agreement/"' in page
    assert "We expect you." in page
    assert page.count("<h1>") == 1


@pytest.mark.parametrize("persona", ["former", "superuser"])
def test_somebody_in_no_group_reads_a_kind_sentence(circle, see, persona):
    in_days(circle.group, 3)
    page = see(getattr(circle, persona))
    assert "You are in no group at the moment" in page
    assert "Valley" not in page


# The office


def test_the_office_sees_which_groups_lack_what(circle, see):
    page = see(circle.admin)
    assert "What needs the office" in page
    rows = {row.split("</b>")[0]: row for row in page.split("<b>")[1:]}
    assert set(rows) == {"Harbour group", "Valley group"}
    assert "no leader yet · no dates ahead</span>" in rows["Harbour group"]
    assert "<br>no dates ahead</span>" in rows["Valley group"]
    path = f"/programmes/{circle.programme.pk}/groups/{circle.group.pk}/"
    assert f'href="{path}"' in rows["Valley group"]


def test_the_office_is_told_of_leaders_agreements_and_unanswered_proposals(circle, see):
    in_days(circle.group, 3)
    with as_owner():
        bare = Group.objects.create(programme=circle.programme, name="Bare group")
    propose(circle.group, circle.admin)
    page = see(circle.admin)
    rows = {row.split("</b>")[0]: row for row in page.split("<b>")[1:]}
    assert set(rows) == {"Bare group", "Harbour group", "Valley group"}
    assert "no leader yet · no dates ahead · no agreement" in rows["Bare group"]
    assert "<br>a proposal unanswered since" in rows["Valley group"]
    assert str(bare.pk) in rows["Bare group"]


def test_a_cancelled_date_is_no_date_for_the_office(circle, see):
    in_days(circle.group, 3, phase=Phase.CANCELLED)
    assert "no dates ahead" in see(circle.admin)


def test_an_office_with_nothing_to_do_reads_that(circle, see):
    join(circle.other_group, make_member(), "leader")
    for group in (circle.group, circle.other_group):
        in_days(group, 3)
    page = see(circle.admin)
    assert "Nothing waits." in page
    assert f'href="/programmes/{circle.programme.pk}/"' in page


def test_the_offices_page_says_nothing_of_what_happens_inside(circle, see):
    session = in_days(circle.group, 3)
    before = see(circle.admin)
    cannot_come(session, circle.absent, "A cold")
    tell(session, circle.presenter, date(2099, 3, 19))
    with as_owner():
        Leave.objects.create(group=circle.group, member=circle.member, starts_at=years_ago(0.01))
    assert see(circle.admin) == before


def test_an_admin_in_a_group_wears_two_hats(circle, see):
    with as_owner():
        ProgrammeAdmin.objects.create(
            programme=circle.programme, member=circle.outsider, starts_at=years_ago(1)
        )
    page = see(circle.outsider)
    hats = page.split('class="hats"')[1].split("</nav>")[0]
    assert f'href="/programmes/{circle.programme.pk}/"' in hats
    assert "in my groups" in hats
    assert "No date yet" in page


def test_an_admin_who_belongs_to_a_group_has_no_office_in_it(circle, see):
    admin = make_member("Dr Ada Blum")
    with as_owner():
        ProgrammeAdmin.objects.create(
            programme=circle.programme, member=admin, starts_at=years_ago(1)
        )
    assert "Valley group" in see(admin)
    join(circle.group, admin)
    assert "What needs the office" not in see(admin)

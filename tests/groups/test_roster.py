"""The page of members: everything for the leaders, names for the members, nothing for others."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from groups import joining, roster
from groups.models import Ending, Leave, Membership, Proposal
from tests.groups.test_leaving import ask, confirm, day, end, ended_at, go_away, leave
from tests.world import as_member, as_owner, join, make_group, make_member, utc, years_ago

REASON = "Her mother is ill"


def url(circle, rest: str = "") -> str:
    return f"/groups/{circle.group.pk}/roster/{rest}"


def person_url(circle, name: str, what: str) -> str:
    with as_owner():
        pk = Membership.objects.get(group=circle.group, member=getattr(circle, name)).pk
    return url(circle, f"{pk}/{what}/")


def read(circle, client_of, who: str = "leader") -> str:
    answer = client_of(getattr(circle, who)).get(url(circle))
    assert answer.status_code == 200
    return answer.content.decode()


def propose(circle, *, role: str = "member", office: bool = True, address="new@example.org"):
    by = circle.admin if office else circle.leader
    with as_member(by, "balint_roster" if office else "balint_app"):
        return joining.propose(
            circle.group, address=address, role=role, name="Dr New", by=by, at=timezone.now()
        )


def leaderless(circle) -> None:
    with as_owner():
        Membership.objects.filter(role="leader").update(ended_at=years_ago(0.01))


# Who sees what


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("leader", 200),
        ("second_leader", 200),
        ("member", 200),
        ("newcomer", 302),
        ("on_leave", 404),
        ("former", 404),
        ("admin", 302),
        ("outsider", 404),
        ("superuser", 404),
    ],
)
def test_who_opens_it(circle, client_of, who, status):
    client = client_of(getattr(circle, who))
    answer = client.get(url(circle))
    assert answer.status_code == status
    if status == 404:
        nothing = client.get(f"/groups/{circle.leader.pk}/roster/")
        assert (nothing.status_code, nothing.content) == (404, answer.content)


def test_a_newcomer_is_led_to_the_agreement_and_an_admin_to_the_office(circle, client_of):
    led = client_of(circle.newcomer).get(url(circle)).headers["Location"]
    assert led == f"/groups/{circle.group.pk}/agreement/"
    led = client_of(circle.admin).get(url(circle)).headers["Location"]
    assert led == f"/programmes/{circle.programme.pk}/groups/{circle.group.pk}/"


def test_leaders_see_who_is_away_who_goes_and_who_has_not_agreed(circle, client_of):
    go_away(circle, "absent", "absent", back=None)
    leave(circle, "presenter", last_on=date(2099, 1, 21), reason=REASON)
    html = read(circle, client_of)
    for text in ("5 members, room for 5", "farewell 21 January 2099", "has not agreed yet", REASON):
        assert text in html
    assert html.count('<span class="pill">away</span>') == 2


def test_members_see_names_and_professions_and_nothing_else(circle, client_of):
    with as_owner():
        circle.presenter.profession = "palliative care"
        circle.presenter.save()
        kept = Leave.objects.get(member=circle.on_leave)
        kept.reason = REASON
        kept.save()
    leave(circle, "presenter", last_on=day(30), reason=REASON)
    end(circle, "absent")
    propose(circle)
    html = read(circle, client_of, "member")
    for name in ("Dr Ruth Marks", "Dr Amit Nader", "Dr Hanna Lind", "Dr Nina Neu"):
        assert name in html
    assert "palliative care" in html
    for secret in (REASON, "away", "farewell", "agreed yet", "room for", "Dr New", "Propose"):
        assert secret not in html.replace("Going away, or leaving", "")


def test_an_ordinary_member_of_a_led_group_sees_no_proposal_of_a_leader(circle, client_of):
    with as_owner():
        Membership.objects.filter(member=circle.second_leader).update(ended_at=years_ago(0.01))
    proposal = propose(circle, role="leader")
    assert "Dr New" not in read(circle, client_of, "member")
    answer = client_of(circle.member).post(f"/proposals/{proposal.pk}/answer/", {"answer": "no"})
    assert answer.status_code == 404


def test_in_a_leaderless_group_every_member_is_asked_about_a_leader(circle, client_of):
    leaderless(circle)
    proposal = propose(circle, role="leader")
    member_only = propose(circle, address="other@example.org")
    for name in ("presenter", "member", "absent"):
        html = read(circle, client_of, name)
        assert "needs your yes" in html
        assert str(member_only.pk) not in html
        said = client_of(getattr(circle, name)).post(
            f"/proposals/{proposal.pk}/answer/", {"answer": "yes"}
        )
        assert said.status_code == 302
    with as_owner():
        assert Proposal.objects.get(pk=proposal.pk).consented_at is not None


def test_leaders_answer_a_proposal_on_the_page(circle, client_of):
    proposal = propose(circle)
    assert "needs your yes" in read(circle, client_of)
    client = client_of(circle.second_leader)
    client.post(f"/proposals/{proposal.pk}/answer/", {"answer": "yes"})
    html = client.get(url(circle)).content.decode()
    assert "invited, has not answered yet" in html
    assert "5 members, room for 4" in html


# Away and farewell, from a person's disclosure


def test_a_leader_keeps_somebodys_place_and_takes_them_back(circle, client_of):
    client = client_of(circle.leader)
    data = {"starts_on": day(0), "until_on": date(2099, 3, 1), "reason": REASON}
    assert client.post(person_url(circle, "member", "away"), data).status_code == 302
    html = read(circle, client_of)
    assert "away until March 2099" in html
    assert "Dana is back" in html
    assert REASON in html
    client = client_of(circle.second_leader)
    assert client.post(person_url(circle, "member", "back")).status_code == 302
    with as_owner():
        away = Leave.objects.filter(member=circle.member, ended_at__lte=timezone.now())
        assert away.count() == 1


def test_the_other_leader_finds_the_wish_and_says_yes(circle, client_of):
    data = {"last_on": day(30), "reason": REASON}
    client_of(circle.leader).post(person_url(circle, "presenter", "farewell"), data)
    assert "waits for a yes" in read(circle, client_of, "leader")
    html = read(circle, client_of, "second_leader")
    assert "needs your yes" in html
    assert REASON in html
    with as_owner():
        ending = Ending.objects.get()
    client = client_of(circle.second_leader)
    assert client.post(f"/endings/{ending.pk}/yes/").status_code == 302
    assert ended_at(circle, "presenter") is not None
    assert client.post(f"/endings/{ending.pk}/yes/").status_code == 409


@pytest.mark.parametrize(
    ("what", "data", "status", "sentence"),
    [
        ("away", {"starts_on": ""}, 200, "This field is required."),
        ("away", {"starts_on": "tomorrow"}, 200, "Enter a valid date."),
        ("away", {"starts_on": day(5), "until_on": day(4)}, 409, "The day of return must come"),
        ("farewell", {"last_on": day(-3)}, 409, "The last day lies in the past."),
    ],
)
def test_a_refusal_keeps_the_page_and_what_was_typed(
    circle, client_of, what, data, status, sentence
):
    client = client_of(circle.leader)
    answer = client.post(person_url(circle, "member", what), data | {"reason": REASON})
    html = answer.content.decode()
    assert answer.status_code == status
    assert sentence in html
    assert REASON in html
    assert html.count('<details class="more" open>') == 1


@pytest.mark.parametrize("what", ["away", "farewell", "back"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("member", 404),
        ("newcomer", 302),
        ("on_leave", 404),
        ("former", 404),
        ("admin", 404),
        ("outsider", 404),
        ("superuser", 404),
    ],
)
def test_nobody_else_posts_there(circle, client_of, who, status, what):
    data = {"starts_on": day(0), "last_on": day(30)}
    address = person_url(circle, "presenter", what)
    assert client_of(getattr(circle, who)).post(address, data).status_code == status
    with as_owner():
        assert not Ending.objects.exists()
        assert not Leave.objects.filter(member=circle.presenter).exists()


def test_a_membership_of_another_group_is_no_page_of_this_one(circle, client_of):
    with as_owner():
        other = Membership.objects.get(group=circle.other_group)
    client = client_of(circle.leader)
    assert client.post(url(circle, f"{other.pk}/farewell/"), {"last_on": day(3)}).status_code == 404


@pytest.mark.parametrize(
    ("who", "yes", "no"),
    [
        ("second_leader", 302, 302),
        ("leader", 409, 302),
        ("member", 404, 404),
        ("presenter", 404, 404),
        ("newcomer", 404, 404),
        ("on_leave", 404, 404),
        ("former", 404, 404),
        ("admin", 404, 404),
        ("outsider", 404, 404),
        ("superuser", 404, 404),
    ],
)
def test_whose_yes_and_no_to_a_leaders_wish_are_heard(circle, client_of, who, yes, no):
    ending = end(circle, "presenter")
    client = client_of(getattr(circle, who))
    assert client.post(f"/endings/{ending.pk}/yes/").status_code == yes
    other = end(circle, "absent")
    assert client.post(f"/endings/{other.pk}/withdraw/").status_code == no
    assert client_of(circle.leader).get(f"/endings/{ending.pk}/yes/").status_code == 405


def test_the_person_cannot_undo_what_the_leaders_wish(circle, client_of):
    ending = end(circle, "presenter")
    client = client_of(circle.presenter)
    assert client.post(f"/endings/{ending.pk}/withdraw/").status_code == 409


# One's own leaving


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("leader", 200),
        ("member", 200),
        ("newcomer", 200),
        ("on_leave", 200),
        ("former", 404),
        ("admin", 404),
        ("outsider", 404),
        ("superuser", 404),
    ],
)
def test_everyone_inside_has_a_page_to_leave_by(circle, client_of, who, status):
    client = client_of(getattr(circle, who))
    assert client.get(f"/groups/{circle.group.pk}/leave/").status_code == status


def test_leaving_after_a_last_day_and_staying_after_all(circle, client_of):
    address, client = f"/groups/{circle.group.pk}/leave/", client_of(circle.member)
    data = {"do": "leave", "leave-when": "later", "leave-last_on": date(2099, 1, 21)}
    answer = client.post(address, data | {"leave-reason": REASON})
    assert answer.headers["Location"] == address
    html = client.get(address).content.decode()
    assert "Your last day in the group is 21 January 2099." in html
    assert "I stay after all" in html
    with as_owner():
        ending = Ending.objects.get()
    client = client_of(circle.member)
    back = client.post(f"/endings/{ending.pk}/withdraw/")
    assert back.headers["Location"] == address
    assert ended_at(circle, "member") is None


def test_leaving_at_once_leads_to_the_first_page(circle, client_of):
    address, client = f"/groups/{circle.group.pk}/leave/", client_of(circle.member)
    answer = client.post(address, {"do": "leave", "leave-when": "now"})
    assert answer.headers["Location"] == "/"
    assert client.get(address).status_code == 404


def test_a_last_day_is_asked_for_and_a_past_one_refused(circle, client_of):
    address, client = f"/groups/{circle.group.pk}/leave/", client_of(circle.member)
    data = {"do": "leave", "leave-when": "later", "leave-reason": REASON}
    missing = client.post(address, data)
    assert missing.status_code == 200
    assert "Choose your last day." in missing.content.decode()
    past = client.post(address, data | {"leave-last_on": day(-3)})
    assert past.status_code == 409
    assert REASON in past.content.decode()
    assert ended_at(circle, "member") is None


def test_ones_own_time_away_and_return(circle, client_of):
    address, client = f"/groups/{circle.group.pk}/leave/", client_of(circle.member)
    data = {"do": "away", "away-starts_on": day(0), "away-until_on": date(2099, 3, 5)}
    assert client.post(address, data).headers["Location"] == address
    html = client.get(address).content.decode()
    assert "You are away at present." in html
    assert "You come back on 5 March 2099." in html
    assert client.post(address, {"do": "back"}).headers["Location"] == address
    assert client.post(address, {"do": "back"}).status_code == 409


def test_the_person_does_not_read_the_leaders_reason_for_a_farewell(circle, client_of):
    confirm(circle, end(circle, "member", reason=REASON), "second_leader")
    html = client_of(circle.member).get(f"/groups/{circle.group.pk}/leave/").content.decode()
    assert "Your last day in the group is" in html
    assert REASON not in html
    assert "I stay after all" not in html


# Words


@pytest.mark.parametrize(
    ("starts", "ended", "at", "pill"),
    [
        (utc(2026, 1, 1), utc(2026, 2, 28, 22), utc(2026, 1, 9), "away until March"),
        (utc(2026, 1, 1), utc(2026, 3, 16, 22), utc(2026, 1, 9), "away until 17 March"),
        (utc(2026, 1, 1), utc(2028, 2, 29, 22), utc(2026, 1, 9), "away until March 2028"),
        (utc(2026, 1, 1), None, utc(2026, 1, 9), "away"),
        (utc(2026, 4, 5, 21), None, utc(2026, 1, 9), "away from 6 April"),
    ],
)
def test_a_time_away_in_words(db, starts, ended, at, pill):
    membership = Membership(group=make_group(), role="member", starts_at=utc(2024, 1, 1))
    away = Leave(group=membership.group, starts_at=starts, ended_at=ended)
    assert roster.Person(membership, at, True, away, None).pills == [pill]


@pytest.mark.parametrize(
    ("came", "words"),
    [
        (utc(2024, 12, 31, 20), "since 2024"),
        (utc(2024, 12, 31, 23), "since Jan 2025"),
        (utc(2026, 2, 3), "since Feb 2026"),
    ],
)
def test_since_when_in_words(db, came, words):
    membership = Membership(group=make_group(), starts_at=came)
    assert roster.since_words(membership, utc(2026, 11, 2)) == words


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        (utc(2027, 1, 21, 22), "free from January"),
        (utc(2026, 12, 31, 22), "free from January"),
        (utc(2028, 1, 21, 22), "free from January 2028"),
    ],
)
def test_a_place_that_becomes_free_in_words(db, ends, words):
    ending = Ending(group=make_group(), ends_at=ends)
    assert roster.free_words(ending, utc(2026, 11, 2)) == words


@pytest.mark.parametrize(
    ("members", "newcomers", "words"),
    [(7, 0, "7 members, room for 3"), (1, 1, "1 member, room for 8"), (9, 1, "9 members, no room")],
)
def test_the_room_in_words(db, members, newcomers, words):
    company = roster.Company(make_group(), members=members, newcomers=newcomers)
    assert company.words == words


def test_a_full_group_says_when_it_has_a_place(circle):
    with as_owner():
        circle.group.cap = 5
        circle.group.save()
    leave(circle, "member", last_on=date(2099, 1, 21))
    now = timezone.now()
    with as_member(circle.leader):
        endings = roster.endings(circle.group, to=circle.leader, at=now)
        company = roster.companies([circle.group], now)[circle.group.pk]
        assert company.words_with(endings, now) == "5 members, a place from January 2099"


def test_the_list_counts_what_joining_counts(circle):
    propose(circle, office=False)
    propose(circle, address="second@example.org")
    now = timezone.now()
    with as_member(circle.leader):
        company = roster.companies([circle.group], now)[circle.group.pk]
        assert company.room == joining.room(circle.group, now) == 4
    assert (company.unanswered, company.not_agreed) == (1, 1)


# Cost


def test_the_page_costs_the_same_for_one_person_and_for_thirty(circle, client_of):
    def queries(client) -> int:
        with CaptureQueriesContext(connection) as counted:
            assert client.get(url(circle)).status_code == 200
        return len(counted)

    leave(circle, "presenter", last_on=day(30), reason=REASON)
    go_away(circle, "absent", "absent")
    ask(circle, "member")
    propose(circle)
    client = client_of(circle.leader)
    queries(client)
    few = queries(client)
    for _number in range(30):
        person = make_member()
        join(circle.group, person)
        with as_owner():
            away = Leave(group=circle.group, member=person, starts_at=years_ago(0.1))
            away.reason = REASON
            away.save()
    for number in range(10):
        with as_owner():
            Proposal.objects.create(
                programme=circle.programme,
                group=circle.group,
                role="member",
                address=f"n{number}@example.org",
                proposed_by=circle.admin,
                proposed_as="admin",
                proposed_at=timezone.now(),
            )
    client = client_of(circle.leader)
    queries(client)
    assert queries(client) == few

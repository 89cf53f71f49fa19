"""Leaving for a time or for good: who asks, who says yes, and what a running meeting keeps."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from groups import joining, leaving
from groups.cadence import instant, next_midnight
from groups.models import Consent, Ending, Leave, LeavingReason, Membership
from groups.policy import Role, roles_of
from groups.signals import leave_changed, membership_ended
from sessions import visible
from tests.sessions.evening import make_session
from tests.world import as_member, as_owner, join, make_member, years_ago

REASON = "We spoke about it in the spring"
OUTSIDE = ["former", "outsider", "superuser"]


def day(days: int):
    """A date so many days from today, on the wall of the circle's zone."""
    return timezone.localdate(timezone=ZoneInfo("Asia/Jerusalem")) + timedelta(days=days)


def membership_of(circle, name: str) -> Membership:
    with as_owner():
        held = Membership.objects.select_related("group", "member").order_by("-starts_at")
        return held.filter(group=circle.group, member=getattr(circle, name))[0]


def end(circle, name: str, by: str = "leader", *, last_on=None, reason=REASON) -> Ending:
    membership, leader = membership_of(circle, name), getattr(circle, by)
    with as_member(leader):
        return leaving.end_membership(
            membership, by=leader, at=timezone.now(), last_on=last_on or day(30), reason=reason
        )


def ask(circle, name: str, by: str = "admin", *, last_on=None) -> Ending:
    membership, admin = membership_of(circle, name), getattr(circle, by)
    with as_member(admin, "balint_roster"):
        return leaving.ask_ending(
            membership, by=admin, at=timezone.now(), last_on=last_on or day(30)
        )


def confirm(circle, ending: Ending, by: str, *, at: datetime | None = None) -> Ending:
    with as_member(getattr(circle, by)):
        return leaving.confirm_ending(ending, by=getattr(circle, by), at=at or timezone.now())


def withdraw(circle, ending: Ending, by: str) -> None:
    with as_member(getattr(circle, by)):
        leaving.withdraw_ending(ending, by=getattr(circle, by), at=timezone.now())


def leave(circle, name: str, **more) -> Ending:
    person = getattr(circle, name)
    with as_member(person):
        return leaving.leave(circle.group, by=person, at=timezone.now(), **more)


def go_away(circle, name: str, by: str, *, first=0, back=60, at=None) -> Leave:
    with as_member(getattr(circle, by)):
        return leaving.go_on_leave(
            circle.group,
            getattr(circle, name),
            starts_on=day(first),
            until_on=day(back) if back is not None else None,
            by=getattr(circle, by),
            at=at or timezone.now(),
            reason=REASON,
        )


def one_leader(circle) -> None:
    with as_owner():
        Membership.objects.filter(member=circle.second_leader).update(ended_at=years_ago(0.01))


def ended_at(circle, name: str) -> datetime | None:
    return membership_of(circle, name).ended_at


# A person's own leaving


@pytest.mark.parametrize("who", ["member", "leader", "newcomer", "on_leave"])
def test_leaving_is_ones_own_and_needs_nobodys_yes(circle, who):
    ending = leave(circle, who, last_on=day(10))
    assert ending.confirmed_at is not None
    assert ended_at(circle, who) == next_midnight(day(10), circle.group.time_zone)


def test_leaving_at_once_ends_the_membership_now(circle):
    before = timezone.now()
    leave(circle, "member")
    ended = ended_at(circle, "member")
    assert ended is not None
    assert before <= ended <= timezone.now()
    with as_member(circle.member):
        assert roles_of(circle.member, circle.group, timezone.now()) == frozenset()


@pytest.mark.parametrize("who", [*OUTSIDE, "admin"])
def test_who_is_not_inside_cannot_leave(circle, who):
    with pytest.raises(leaving.NotInTheGroup):
        leave(circle, who)


def test_a_last_day_in_the_past_is_refused(circle):
    with pytest.raises(leaving.LastDayIsPast):
        leave(circle, "member", last_on=day(-2))
    assert ended_at(circle, "member") is None


def test_an_own_last_day_may_be_set_anew(circle):
    leave(circle, "member", last_on=day(10))
    leave(circle, "member", last_on=day(20))
    assert ended_at(circle, "member") == next_midnight(day(20), circle.group.time_zone)


def test_an_own_leaving_replaces_what_others_only_asked(circle):
    asked = ask(circle, "member")
    leave(circle, "member", last_on=day(40))
    with as_owner():
        asked.refresh_from_db()
    assert asked.withdrawn_at is not None
    assert ended_at(circle, "member") == next_midnight(day(40), circle.group.time_zone)


def test_what_the_leaders_settled_one_can_only_bring_forward(circle):
    confirm(circle, end(circle, "member", last_on=day(30)), "second_leader")
    with pytest.raises(leaving.EndingStands):
        leave(circle, "member", last_on=day(31))
    leave(circle, "member", last_on=day(5))
    assert ended_at(circle, "member") == next_midnight(day(5), circle.group.time_zone)


def test_taking_the_own_leaving_back_leaves_no_reason_behind(circle):
    ending = leave(circle, "member", last_on=day(10), reason=REASON)
    with as_owner():
        assert LeavingReason.objects.get().text == REASON
    withdraw(circle, ending, "member")
    assert ended_at(circle, "member") is None
    with as_owner():
        assert LeavingReason.objects.count() == 0


# Two leaders, one word


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("leader", leaving.EndingIsSettled),
        ("member", leaving.NotYours),
        ("presenter", leaving.NotYours),
        ("newcomer", leaving.NotYours),
        ("on_leave", leaving.NotYours),
        ("admin", leaving.NotYours),
        ("former", leaving.NotYours),
        ("outsider", leaving.NotYours),
        ("superuser", leaving.NotYours),
    ],
)
def test_only_the_other_leader_confirms_what_a_leader_asked(circle, who, refusal):
    ending = end(circle, "presenter")
    assert (ending.confirmed_at, ended_at(circle, "presenter")) == (None, None)
    with pytest.raises(refusal):
        confirm(circle, ending, who)
    assert ended_at(circle, "presenter") is None
    confirm(circle, ending, "second_leader")
    assert ended_at(circle, "presenter") == next_midnight(day(30), circle.group.time_zone)


@pytest.mark.parametrize("who", ["presenter", "member", "newcomer", "on_leave", "admin", *OUTSIDE])
def test_nobody_but_a_leader_ends_a_membership(circle, who):
    with pytest.raises(leaving.NotYours):
        end(circle, "absent", who)


def test_one_leader_alone_settles_it_at_once(circle):
    one_leader(circle)
    assert end(circle, "presenter").confirmed_at is not None
    assert ended_at(circle, "presenter") == next_midnight(day(30), circle.group.time_zone)


def test_a_leader_on_leave_is_not_waited_for(circle):
    with as_owner():
        Leave.objects.create(
            group=circle.group, member=circle.second_leader, starts_at=years_ago(0.1)
        )
    assert end(circle, "presenter").confirmed_at is not None


def test_a_leader_goes_only_with_that_leaders_own_yes(circle):
    with as_owner():
        Leave.objects.create(
            group=circle.group, member=circle.second_leader, starts_at=years_ago(0.1)
        )
    assert end(circle, "second_leader").confirmed_at is None
    assert ended_at(circle, "second_leader") is None


def test_a_leader_leaves_by_the_own_page_not_by_the_leaders(circle):
    with pytest.raises(leaving.LeaveByYourself):
        end(circle, "leader")


def test_who_said_yes_settles_it_when_the_other_leader_has_left(circle):
    ending = end(circle, "presenter")
    one_leader(circle)
    assert confirm(circle, ending, "leader").confirmed_at is not None
    with as_owner():
        assert Consent.objects.filter(ending=ending).count() == 1


def test_a_date_that_passed_while_a_yes_was_missing_means_now(circle):
    ending = end(circle, "presenter", last_on=day(1))
    later = timezone.now() + timedelta(days=9)
    confirm(circle, ending, "second_leader", at=later)
    assert ended_at(circle, "presenter") == later
    with as_owner():
        assert LeavingReason.objects.get().forget_on == (later + timedelta(days=90)).date()


def test_a_second_ending_is_refused_while_one_stands(circle):
    end(circle, "presenter")
    with pytest.raises(leaving.EndingStands):
        end(circle, "presenter", "second_leader")


# The office asks


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("admin", leaving.NotYours),
        ("member", leaving.NotYours),
        ("presenter", leaving.NotYours),
        ("newcomer", leaving.NotYours),
        ("on_leave", leaving.NotYours),
        ("former", leaving.NotYours),
        ("outsider", leaving.NotYours),
        ("superuser", leaving.NotYours),
    ],
)
def test_what_the_office_asks_both_leaders_confirm_and_nobody_else(circle, who, refusal):
    ending = ask(circle, "presenter")
    with pytest.raises(refusal):
        confirm(circle, ending, who)
    assert confirm(circle, ending, "leader").confirmed_at is None
    assert confirm(circle, ending, "second_leader").confirmed_at is not None


def test_an_admin_does_not_confirm_the_own_wish_even_as_a_leader_later(circle):
    ending = ask(circle, "presenter")
    one_leader(circle)
    join(circle.group, circle.admin, "leader")
    with pytest.raises(leaving.OwnWish):
        confirm(circle, ending, "admin")


@pytest.mark.parametrize("who", ["outsider", "superuser"])
def test_only_the_office_asks(circle, who):
    with pytest.raises(leaving.NotYours):
        ask(circle, "presenter", who)


def test_an_admin_in_the_group_does_not_ask_for_endings_in_it(circle):
    join(circle.group, circle.admin)
    with pytest.raises(leaving.NotYours):
        ask(circle, "presenter")


# Taking it back


MAY_TAKE_BACK = {
    "own": {"member"},
    "leaders": {"leader", "second_leader"},
    "office": {"admin", "leader", "second_leader"},
}
EVERYBODY = [
    "leader",
    "second_leader",
    "member",
    "presenter",
    "newcomer",
    "on_leave",
    "admin",
    *OUTSIDE,
]


@pytest.mark.parametrize("kind", MAY_TAKE_BACK)
@pytest.mark.parametrize("who", EVERYBODY)
def test_who_takes_back_what(circle, kind, who):
    make = {
        "own": lambda: leave(circle, "member", last_on=day(10)),
        "leaders": lambda: end(circle, "member"),
        "office": lambda: ask(circle, "member"),
    }
    ending = make[kind]()
    if who in MAY_TAKE_BACK[kind]:
        withdraw(circle, ending, who)
        assert ended_at(circle, "member") is None
    else:
        with pytest.raises(leaving.NotYours):
            withdraw(circle, ending, who)


def test_once_settled_the_office_no_longer_takes_it_back(circle):
    ending = ask(circle, "member")
    confirm(circle, ending, "leader")
    confirm(circle, ending, "second_leader")
    with pytest.raises(leaving.NotYours):
        withdraw(circle, ending, "admin")
    withdraw(circle, ending, "leader")
    assert ended_at(circle, "member") is None


def test_a_farewell_that_was_cannot_be_taken_back(circle):
    ending = leave(circle, "member")
    with pytest.raises(leaving.EndingIsSettled):
        withdraw(circle, ending, "member")


def test_a_wish_whose_day_passed_unanswered_can_be_taken_back(circle):
    ending = end(circle, "presenter", last_on=day(1))
    with as_member(circle.leader):
        later = timezone.now() + timedelta(days=9)
        leaving.withdraw_ending(ending, by=circle.leader, at=later)
    assert end(circle, "presenter").pk != ending.pk


# Time away


def test_a_time_away_lasts_from_midnight_to_midnight_of_the_group(circle):
    away = go_away(circle, "member", "member", first=3, back=60)
    zone = circle.group.time_zone
    assert away.starts_at == instant(day(3), datetime.min.time(), zone)
    assert away.ended_at == instant(day(60), datetime.min.time(), zone)


def test_a_time_away_from_today_begins_now(circle):
    now = timezone.now()
    assert go_away(circle, "member", "leader", at=now).starts_at == now
    with as_member(circle.member):
        later = now + timedelta(seconds=1)
        assert roles_of(circle.member, circle.group, later) == {Role.AWAY}


@pytest.mark.parametrize("by", ["leader", "second_leader", "member"])
def test_the_person_and_the_leaders_set_and_end_it(circle, by):
    go_away(circle, "member", by)
    with as_member(getattr(circle, by)):
        leaving.come_back(circle.group, circle.member, by=getattr(circle, by), at=timezone.now())
    with as_member(circle.member):
        later = timezone.now() + timedelta(seconds=1)
        assert roles_of(circle.member, circle.group, later) == {Role.MEMBER}


@pytest.mark.parametrize("by", ["presenter", "newcomer", "on_leave", "admin", *OUTSIDE])
def test_nobody_else_sets_or_ends_it(circle, by):
    with pytest.raises(leaving.NotYours):
        go_away(circle, "member", by)
    with pytest.raises(leaving.NotYours), as_member(getattr(circle, by)):
        leaving.come_back(circle.group, circle.member, by=getattr(circle, by), at=timezone.now())


def test_one_time_away_at_a_time(circle):
    go_away(circle, "member", "member", first=20)
    with pytest.raises(leaving.AwayAlready):
        go_away(circle, "member", "leader", first=2)


def test_the_return_comes_after_the_first_day(circle):
    with pytest.raises(leaving.ComesBackBeforeLeaving):
        go_away(circle, "member", "member", first=10, back=10)


def test_who_is_not_away_cannot_come_back(circle):
    with pytest.raises(leaving.NotAway), as_member(circle.member):
        leaving.come_back(circle.group, circle.member, by=circle.member, at=timezone.now())


def test_a_time_away_that_has_not_begun_never_was(circle):
    go_away(circle, "member", "member", first=20)
    with as_member(circle.member):
        leaving.come_back(circle.group, circle.member, by=circle.member, at=timezone.now())
    with as_owner():
        assert not Leave.objects.filter(member=circle.member).exists()


def test_who_comes_into_the_group_again_is_not_away(circle):
    with as_owner():
        Leave.objects.create(group=circle.group, member=circle.former, starts_at=years_ago(0.7))
    with as_member(circle.leader):
        proposal = joining.propose(
            circle.group,
            address=circle.former.email,
            role="member",
            by=circle.leader,
            at=timezone.now(),
        )
    with as_member(circle.former):
        joining.accept(proposal, by=circle.former, at=timezone.now())
        later = timezone.now() + timedelta(seconds=1)
        assert roles_of(circle.former, circle.group, later) == {Role.MEMBER}


# Who learns of it


def test_reasons_are_read_by_the_person_and_the_leaders(circle):
    leave(circle, "member", last_on=day(10), reason=REASON)
    go_away(circle, "absent", "absent")
    read = {}
    for name in ("leader", "member", "absent", "presenter", "newcomer", "admin", *OUTSIDE):
        with as_member(getattr(circle, name)):
            leaves = Leave.objects.exclude(reason_sealed=None)
            rows = [row.text for row in LeavingReason.objects.all()]
            read[name] = (rows, [row.reason for row in leaves])
    nothing: tuple[list[str], list[str]] = ([], [])
    assert read == {
        "leader": ([REASON], [REASON]),
        "member": ([REASON], []),
        "absent": ([], [REASON]),
        "presenter": nothing,
        "newcomer": nothing,
        "admin": nothing,
        "former": nothing,
        "outsider": nothing,
        "superuser": nothing,
    }


def test_every_change_is_announced_with_the_person(circle):
    heard = []

    def ended(sender, *, group, member, at, **more):
        heard.append(("ended", group, member))

    def away(sender, *, group, member, at, **more):
        heard.append(("away", group, member))

    membership_ended.connect(ended)
    leave_changed.connect(away)
    try:
        ending = leave(circle, "member", last_on=day(10))
        withdraw(circle, ending, "member")
        go_away(circle, "absent", "leader")
    finally:
        membership_ended.disconnect(ended)
        leave_changed.disconnect(away)
    assert heard == [
        ("ended", circle.group, circle.member),
        ("ended", circle.group, circle.member),
        ("away", circle.group, circle.absent),
    ]


# While a meeting runs its circle is fixed


def test_a_running_meeting_keeps_who_leaves_who_goes_away_and_who_is_taken_out(circle):
    session = make_session(circle)
    leave(circle, "member")
    go_away(circle, "absent", "leader")
    confirm(circle, end(circle, "presenter", last_on=day(0)), "second_leader")
    later = timezone.now() + timedelta(seconds=1)
    for name in ("member", "absent", "presenter", "leader"):
        with as_owner():
            assert list(visible.circle(getattr(circle, name), later)) == [session]


def test_who_comes_while_a_meeting_runs_is_not_in_its_circle(circle):
    make_session(circle)
    person = make_member("Dr Late")
    join(circle.group, person, since=timezone.now())
    with as_owner():
        assert list(visible.circle(person, timezone.now() + timedelta(seconds=1))) == []

"""Few are coming: the leaders hear it once, and no letter says who or how many."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from groups.models import Leave
from members.models import Letter, Member
from sessions import few, upkeep
from sessions.models import Answer, Session
from tests.sessions.meetings import cannot_come, in_days
from tests.sessions.round import emails, make_round, recipients, send, text_of
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    """Nine members, one of them away: eight are expected."""
    made = make_round()
    with as_owner():
        Member.objects.update(quiet_from="00:00", quiet_until="00:00")
    return made


@pytest.fixture
def session(ours) -> Session:
    return in_days(ours.group, 10)


def say_no(ours, session, count) -> None:
    for member in ours.members[:count]:
        cannot_come(session, member, "a funeral")


def plan() -> int:
    with as_member(None, "balint_worker"):
        return few.plan()


def test_both_leaders_are_told_once_when_three_are_left(ours, session):
    say_no(ours, session, 4)
    assert plan() == 0
    cannot_come(session, ours.members[4])
    assert [plan(), plan()] == [2, 0]
    mails = send()
    assert recipients(mails) == emails([ours.leader, ours.second_leader])
    cannot_come(session, ours.members[5])
    assert [plan(), len(send())] == [0, 0]


def test_the_letter_says_neither_who_nor_how_many_nor_why(ours, session):
    say_no(ours, session, 5)
    plan()
    mail = send()[0]
    said = f"{mail['Subject']} {text_of(mail)}"
    assert mail["Subject"].startswith("Valley: few are coming on ")
    assert f"http://testserver/sessions/{session.pk}/" in said
    for hidden in ("Amit", "Bela", "funeral", " 3 ", " 5 ", "three", "five"):
        assert hidden not in said


def test_come_after_all_meanwhile_nothing_goes(ours, session):
    say_no(ours, session, 5)
    plan()
    with as_owner():
        Answer.objects.filter(member=ours.members[0]).delete()
    assert send() == []


def test_answers_of_another_day_do_not_count(ours, session):
    say_no(ours, session, 6)
    with as_owner():
        Session.objects.filter(pk=session.pk).update(
            starts_at=session.starts_at + timedelta(days=1)
        )
    assert plan() == 0


def test_nobody_is_told_of_a_small_group_in_which_nobody_said_no(ours, session):
    with as_owner():
        ours.group.memberships.filter(member__in=ours.members[:6]).update(ended_at=timezone.now())
    assert plan() == 0
    cannot_come(session, ours.members[6])
    assert plan() == 2


def test_no_page_can_ask(ours):
    with pytest.raises(DatabaseError), transaction.atomic(), as_member(ours.members[0]):
        few._sessions()
    with as_owner():
        assert not Letter.objects.exists()


def test_a_no_to_a_whole_year_is_told_only_of_what_comes_soon(ours):
    with as_owner():
        ours.group.memberships.filter(member__in=ours.members[4:]).update(ended_at=timezone.now())
    for days in (5, 15, 35, 65):
        cannot_come(in_days(ours.group, days), ours.members[0])
    assert plan() == 2
    assert recipients(send()) == emails([ours.leader, ours.second_leader])


def test_only_those_expected_make_it_few(ours, session):
    gone = ours.members[3:8]
    with as_owner():
        ours.group.memberships.filter(member__in=gone).update(ended_at=timezone.now())
    for person in (ours.leader, ours.second_leader, ours.on_leave, gone[0]):
        cannot_come(session, person)
    assert plan() == 0
    cannot_come(session, ours.members[0])
    assert plan() == 2


def test_a_leader_who_is_away_is_left_alone(ours, session):
    with as_owner():
        Leave.objects.create(
            group=ours.group,
            member=ours.second_leader,
            starts_at=timezone.now() - timedelta(days=1),
        )
    say_no(ours, session, 5)
    assert plan() == 1
    assert recipients(send()) == [ours.leader.email]


def test_told_once_though_the_letter_is_older_than_letters_are_kept(ours, session):
    say_no(ours, session, 5)
    assert [plan(), len(send())] == [2, 2]
    with as_owner():
        Letter.objects.update(accepted_at=timezone.now() - timedelta(days=31))
    with as_member(None, "balint_worker"):
        upkeep.remove_old_letters()
    assert plan() == 0

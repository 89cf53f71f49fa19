"""Whoever stands in hears when the evening changes or is off; and the leaders if they cannot."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from members.models import Letter
from sessions import leading, planning
from sessions.models import Session
from tests.sessions.meetings import make_session
from tests.sessions.round import make_round, recipients, send, text_of
from tests.world import as_member, as_owner

pytestmark = pytest.mark.django_db

FOX = "lena.fox@example.org"


@pytest.fixture
def ours():
    return make_round()


@pytest.fixture
def evening(ours):
    """In three hours; Dr Fox, who has no account, is asked to lead it."""
    begins = timezone.now() + timedelta(hours=3)
    session = make_session(ours.group, begins, place="Library")
    with as_member(ours.leader):
        leading.stands_in(
            known(session), name="Dr Lena Fox", address=FOX, by=ours.leader, at=timezone.now()
        )
    return session


def known(session):
    return Session.objects.select_related("group", "series").get(pk=session.pk)


def does(verb, ours, session, **more):
    with as_member(ours.leader):
        return verb(known(session), by=ours.leader, at=timezone.now(), **more)


def to_fox():
    return [mail for mail in send() if str(mail["To"]) == FOX]


def test_the_substitute_hears_that_the_meeting_is_off(ours, evening):
    assert len(to_fox()) == 1
    does(planning.cancel, ours, evening, reason="A funeral.")
    (mail,) = to_fox()
    assert "Valley does not meet on" in text_of(mail)
    assert "you are no longer asked" in text_of(mail)
    assert "funeral" not in text_of(mail)


def test_the_substitute_hears_where_it_is_now(ours, evening):
    to_fox()
    does(planning.move, ours, evening, place="Garden house")
    (mail,) = to_fox()
    assert "Place: Garden house" in text_of(mail)
    assert to_fox() == []


def test_moved_to_another_day_the_substitute_is_no_longer_asked(ours, evening):
    to_fox()
    does(planning.move, ours, evening, starts_at=evening.starts_at + timedelta(days=8))
    (mail,) = to_fox()
    assert "has moved its meeting to another day" in text_of(mail)
    assert "you are no longer asked" in text_of(mail)


def test_a_change_before_the_question_went_is_in_the_question(ours, evening):
    does(planning.move, ours, evening, place="Garden house")
    (mail,) = to_fox()
    assert mail["Subject"].startswith("You are asked to lead once")
    assert "Place: Garden house" in text_of(mail)


def test_cancelled_and_put_back_unread_is_no_news_to_the_substitute(ours, evening):
    to_fox()
    does(planning.cancel, ours, evening)
    does(planning.restore, ours, evening)
    assert to_fox() == []


def test_put_back_the_substitute_hears_that_it_is_on_again(ours, evening):
    to_fox()
    does(planning.cancel, ours, evening)
    to_fox()
    does(planning.restore, ours, evening)
    (mail,) = to_fox()
    assert "now meets on" in text_of(mail)


def test_asked_for_a_meeting_that_was_off_and_is_on_again_they_are_asked(ours, evening):
    does(planning.cancel, ours, evening)
    assert to_fox() == []
    does(planning.restore, ours, evening)
    (mail,) = to_fox()
    assert mail["Subject"].startswith("You are asked to lead once")


def test_a_letter_to_the_substitute_that_came_back_is_said_to_the_leaders(ours, evening, client_of):
    page = reverse("tonight", args=[evening.pk])
    assert "We could not reach" not in client_of(ours.leader).get(page).content.decode()
    with as_owner():
        Letter.objects.filter(kind="standing-in").update(state="failed")
    assert "We could not reach Dr Lena Fox" in client_of(ours.leader).get(page).content.decode()


def alone(ours, session):
    does(leading.leads_alone, ours, session, leader=ours.leader.pk)


@pytest.fixture
def soon(ours):
    return make_session(ours.group, timezone.now() + timedelta(hours=3), place="Library")


def test_led_as_always_after_all_is_told_to_whoever_was_told_otherwise(ours, soon):
    alone(ours, soon)
    told = recipients(send())
    for _again in range(2):
        does(leading.as_always, ours, soon)
        mails = send()
        assert recipients(mails) == told
        assert {mail["Subject"].endswith(": led as always") for mail in mails} == {True}
        assert "It is led as always, after all." in text_of(mails[0])
        alone(ours, soon)
        assert recipients(send()) == told


def test_led_as_always_before_anybody_was_told_is_no_news(ours, soon):
    alone(ours, soon)
    does(leading.as_always, ours, soon)
    assert send() == []


def test_led_otherwise_once_more_nobody_reads_that_it_is_as_always(ours, soon):
    alone(ours, soon)
    send()
    does(leading.as_always, ours, soon)
    alone(ours, soon)
    assert {mail["Subject"].endswith(": one leader") for mail in send()} == {True}


def test_who_is_no_longer_asked_to_lead_hears_it(ours, evening):
    to_fox()
    does(leading.as_always, ours, evening)
    (mail,) = to_fox()
    assert "You are no longer asked to lead Valley on" in text_of(mail)


def test_asked_again_in_another_leaders_place_nobody_is_told_off(ours, evening):
    to_fox()
    second = ours.second_leader.pk
    does(leading.stands_in, ours, evening, name="Dr L. Fox", address=FOX, instead_of=second)
    (mail,) = to_fox()
    assert mail["Subject"].startswith("You are asked to lead once")
    does(leading.stands_in, ours, evening, name="Dr Adam Hill", address="hill@example.org")
    (mail,) = to_fox()
    assert mail["Subject"].startswith("You are no longer asked")

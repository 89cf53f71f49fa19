"""What was typed stays on the page, also where the meeting itself has changed meanwhile."""

import pytest
from django.urls import reverse

from sessions.models import LeadersNote, Reflection, Session
from sessions.phases import Phase
from tests.sessions.evening import fresh, make_session, soon
from tests.sessions.test_afterwards import post as post_afterwards
from tests.world import as_owner

TYPED = "It went quiet after the letter."


@pytest.fixture
def held(circle):
    session = make_session(
        circle, begins=-60 * 20, setting="in_person", phase=Phase.CLOSED, runs_until=soon(-60)
    )
    return fresh(session)


def cancelled(session):
    with as_owner():
        Session.objects.filter(pk=session.pk).update(phase=Phase.CANCELLED)


def stays(answer, sentence):
    page = answer.content.decode()
    assert answer.status_code == 409
    assert TYPED in page
    assert sentence in page
    with as_owner():
        assert not Reflection.objects.exists()
        assert not LeadersNote.objects.exists()


def test_a_reflection_on_a_meeting_that_turns_out_cancelled(circle, client_of, held):
    cancelled(held)
    address = reverse("reflection", args=[held.pk])
    answer = client_of(circle.leader).post(address, {"text": TYPED})
    stays(answer, "This meeting does not take place.")


def test_a_word_on_a_meeting_that_turns_out_cancelled(circle, client_of, held):
    cancelled(held)
    address = reverse("leaders_note", args=[held.pk])
    answer = client_of(circle.leader).post(address, {"word-text": TYPED})
    stays(answer, "This meeting does not take place.")


def test_afterwards_when_the_next_meeting_has_begun(circle, client_of, held):
    make_session(circle, begins=-5, setting="in_person")
    more = {"word-text": TYPED}
    answer = post_afterwards(client_of(circle.leader), held, [circle.leader], more=more)
    stays(answer, "The next meeting has begun.")

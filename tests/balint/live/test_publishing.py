"""What a transaction moved is told to all, once it is committed: and by whoever moved it."""

import time

import pytest
from django.db import transaction
from django.test import Client
from redis import Redis

from balint.live import publishing
from balint.live.hub import Listener
from sessions.phases import Phase
from tests.sessions.evening import enter, make_session, move
from tests.sessions.test_live import as_in_another_transaction
from tests.world import PASSWORD, as_owner


@pytest.fixture
def heard(settings):
    """Every message until now, as another process hears them."""
    redis = Redis.from_url(settings.REDIS_URL, decode_responses=True)
    channel = redis.pubsub()
    channel.subscribe(publishing.CHANNEL)
    channel.get_message(timeout=2)

    def messages(mark: str) -> list[str]:
        publishing.publish(f"end {mark}")
        found = []
        while (message := channel.get_message(timeout=2)) and message["data"] != f"end {mark}":
            found.append(message["data"])
        return [one for one in found if mark in one]

    yield messages
    channel.close()
    redis.close()


def test_a_step_is_told_once_when_it_is_committed(
    circle, heard, django_capture_on_commit_callbacks
):
    session = make_session(circle)
    mark = str(session.pk)
    as_in_another_transaction()
    with django_capture_on_commit_callbacks(execute=True):
        move(session, Phase.ARRIVING, circle.leader)
        assert heard(mark) == []
    assert heard(mark) == [f"room {mark} 2"]


def test_what_was_taken_back_is_never_told(circle, heard, django_capture_on_commit_callbacks):
    session = make_session(circle)
    as_in_another_transaction()
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        enter(session, circle.member)
        transaction.set_rollback(True)
    assert heard(str(session.pk)) == []


def test_signing_out_is_told_by_a_hash(circle, heard, django_capture_on_commit_callbacks):
    browser = Client()
    browser.post("/accounts/login/", {"login": circle.member.email, "password": PASSWORD})
    listener = Listener("")
    listener.key = browser.cookies["sessionid"].value
    with django_capture_on_commit_callbacks(execute=True):
        browser.post("/accounts/logout/")
    assert heard(listener.signed_in_by) == [f"signin {listener.signed_in_by}"]
    assert heard(listener.key) == []


@pytest.mark.parametrize("change", [{"password": "another"}, {"is_active": False}])
def test_a_new_password_and_a_closed_account_are_told(
    circle, heard, change, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True), as_owner():
        circle.member.name = "Another"
        circle.member.save()
        for name, value in change.items():
            setattr(circle.member, name, value)
        circle.member.save()
    assert heard(str(circle.member.pk)) == [f"person {circle.member.pk}"]


def test_without_redis_nobody_waits_for_long(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    begun = time.monotonic()
    for _ in range(50):
        publishing.publish("room x 1")
    assert time.monotonic() - begun < 1

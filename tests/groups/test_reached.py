"""A letter that was refused for good: the leaders read so, without an address."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from members.letters import health, outbox
from members.models import Heartbeat, Letter
from tests.world import as_owner

pytestmark = pytest.mark.django_db
SAID = "we could not reach this person"


def letter(group, member, state, days=0) -> None:
    made = outbox.letter(
        "reminder-1",
        about=uuid4(),
        version=0,
        group_id=group.pk,
        recipient=member,
        send_after=timezone.now() - timedelta(days=days),
    )
    with as_owner():
        outbox.plan([made])
        Letter.objects.filter(pk=made.pk).update(state=state, last_error="550")


def list_of(client, group) -> str:
    return client.get(f"/groups/{group.pk}/roster/").content.decode()


def test_leaders_read_that_a_person_could_not_be_reached_and_nobody_else_does(circle, client_of):
    letter(circle.group, circle.member, "failed")
    page = list_of(client_of(circle.leader), circle.group)
    assert page.count(SAID) == 1
    assert circle.member.email not in page
    assert "550" not in page
    assert SAID not in list_of(client_of(circle.member), circle.group)


@pytest.mark.parametrize("later", ["sent", "failed"])
def test_the_last_letter_counts(circle, later):
    letter(circle.group, circle.member, "failed", days=2)
    letter(circle.group, circle.member, later)
    letter(circle.group, circle.absent, "expired")
    letter(circle.other_group, circle.presenter, "failed")
    with as_owner():
        found = health.unreached(circle.group.pk)
    assert found == ({circle.member.pk} if later == "failed" else set())


def seen(ago) -> None:
    with as_owner():
        Heartbeat.objects.create(name=health.WORKER, beat_at=timezone.now() - ago)


def test_leaders_read_how_far_letters_are_behind_and_members_do_not(circle, client_of):
    seen(timedelta(seconds=20))
    letter(circle.group, circle.member, "pending", days=0.25)
    assert "Letters are 6 hours behind." in client_of(circle.leader).get("/").content.decode()
    assert "behind" not in client_of(circle.member).get("/").content.decode()


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(minutes=1), False),
        (timedelta(minutes=30), True),
    ],
)
def test_leaders_read_when_the_worker_is_silent(circle, client_of, ago, said):
    seen(ago)
    page = client_of(circle.leader).get("/").content.decode()
    assert ("Nothing was heard of the worker" in page) == said


def test_leaders_read_when_there_never_was_a_worker(circle, client_of):
    page = client_of(circle.leader).get("/").content.decode()
    assert "the worker was never started" in page

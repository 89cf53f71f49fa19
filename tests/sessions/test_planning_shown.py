"""Before it is saved, the leaders read the one letter that goes to everyone: the one that goes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from members.letters.kinds import kind_of
from members.models import Letter
from sessions.planning import letters
from tests.sessions.desk import THIRD_THURSDAY, Clock, plan, schedule, sessions, text, value_of
from tests.world import Circle, as_member, as_owner, make_circle

TITLE = "The letter that goes to everyone"


@pytest.fixture
def circle(monkeypatch: pytest.MonkeyPatch, db: None) -> Circle:
    monkeypatch.setattr("django.utils.timezone.now", Clock())
    return make_circle()


@pytest.fixture
def leader(circle: Circle, client_of: Any) -> Client:
    return client_of(circle.leader)


def sent_to_the_leader(circle: Circle) -> str:
    """What the worker composes now, in one line."""
    with as_owner():
        letter = Letter.objects.get(kind=letters.DATES, recipient=circle.leader, state="pending")
    kind = kind_of(letter)
    assert kind
    with as_member(None, "balint_worker"), translation.override("en"):
        said = kind.compose(letter)
    return " ".join(f"{said.subject} {said.text}".split())


def test_the_letter_of_a_year_settled_at_once_is_read_before(circle: Circle, leader: Client):
    page = leader.get(schedule(circle), THIRD_THURSDAY)
    assert TITLE in text(page)
    leader.post(schedule(circle), THIRD_THURSDAY | {"seen": value_of(page, "seen")})
    assert sent_to_the_leader(circle) in text(page)


def test_the_letter_of_several_changes_is_read_before(circle: Circle, leader: Client):
    plan(circle)
    went(circle)
    wished = THIRD_THURSDAY | {"starts_at": "20:00", "place": "Garden house"}
    page = leader.get(schedule(circle), wished)
    leader.post(schedule(circle), wished | {"seen": value_of(page, "seen")})
    said = sent_to_the_leader(circle)
    assert "Garden house" in said
    assert said in text(page)


def test_the_letter_of_a_rhythm_that_ends_is_read_before(circle: Circle, leader: Client):
    plan(circle)
    went(circle)
    address, last = reverse("series_end", args=[circle.group.pk]), {"last_on": "2027-05-31"}
    page = leader.get(address, last)
    leader.post(address, last | {"seen": value_of(page, "seen")})
    assert sent_to_the_leader(circle) in text(page)


def test_the_letter_of_this_and_following_is_read_before(circle: Circle, leader: Client):
    session = plan(circle)[4]
    went(circle)
    address = reverse("session_following", args=[session.pk])
    wished = {name: THIRD_THURSDAY[name] for name in THIRD_THURSDAY if name != "first_on"}
    page = leader.get(address, wished | {"starts_at": "18:00"})
    leader.post(address, wished | {"starts_at": "18:00", "seen": value_of(page, "seen")})
    assert sent_to_the_leader(circle) in text(page)


def test_where_one_date_changes_or_none_there_is_no_letter_with_all(circle: Circle, leader: Client):
    plan(circle)
    assert TITLE not in text(leader.get(schedule(circle), THIRD_THURSDAY))
    one = f"{THIRD_THURSDAY['breaks']}\n{sessions(circle)[1].starts_at:%d %b}"
    assert TITLE not in text(leader.get(schedule(circle), THIRD_THURSDAY | {"breaks": one}))


def went(circle: Circle) -> None:
    """The first letter with all dates has gone."""
    with as_owner():
        Letter.objects.filter(kind=letters.DATES).update(state="sent")

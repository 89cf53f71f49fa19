"""Who reaches the pages of planning: every persona at every address."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from sessions.models import Session
from sessions.phases import Phase
from tests.sessions.meetings import in_days
from tests.world import Circle, as_owner

PLACE = "Kfar Vitkin clinic, library"
INSIDE = ["presenter", "member", "absent", "on_leave"]
OUTSIDE = ["former", "admin", "outsider", "superuser"]
LEADERS = ["leader", "second_leader"]
# Address, method, and what a leader gets; the reading of the year is tried on its own.
ROUTES = [
    ("schedule", "post", 200),
    ("session_new", "get", 200),
    ("session_new", "post", 200),
    ("session_edit", "get", 200),
    ("session_edit", "post", 200),
    ("session_cancel", "get", 200),
    ("session_cancel", "post", 200),
    ("session_restore", "post", 409),
]


@pytest.fixture
def session(circle: Circle) -> Session:
    return in_days(circle.group, 20, place=PLACE)


def address(name: str, circle: Circle, session: Session) -> str:
    of_group = name in {"schedule", "session_new"}
    return reverse(name, args=[circle.group.pk if of_group else session.pk])


def absent(name: str) -> str:
    return reverse(name, args=[uuid4()])


def ask(client: Client, method: str, url: str) -> Any:
    return getattr(client, method)(url, {} if method == "get" else {"reason": "x"})


def masked(response: Any) -> bytes:
    """A page without what differs every time: the form's token."""
    return re.sub(rb'value="\w{64}"', b"", response.content)


@pytest.mark.parametrize(("name", "method", "status"), ROUTES)
@pytest.mark.parametrize("who", LEADERS)
def test_a_leader_plans(
    circle: Circle, session: Session, client_of: Any, who: str, name: str, method: str, status: int
):
    client = client_of(getattr(circle, who))
    assert ask(client, method, address(name, circle, session)).status_code == status


@pytest.mark.parametrize(("name", "method", "status"), ROUTES)
@pytest.mark.parametrize("who", INSIDE + OUTSIDE)
def test_everybody_else_gets_the_404_of_nothing(
    circle: Circle, session: Session, client_of: Any, who: str, name: str, method: str, status: int
):
    client = client_of(getattr(circle, who))
    refused = ask(client, method, address(name, circle, session))
    nothing = ask(client, method, absent(name))
    assert (refused.status_code, nothing.status_code) == (404, 404)
    assert masked(refused) == masked(nothing)
    assert refused.headers.keys() == nothing.headers.keys()
    assert stored(session) == (Phase.PLANNED, 0)


@pytest.mark.parametrize(("name", "method", "status"), ROUTES)
def test_a_newcomer_reads_the_agreement_first(
    circle: Circle, session: Session, client_of: Any, name: str, method: str, status: int
):
    client = client_of(circle.newcomer)
    answer = ask(client, method, address(name, circle, session))
    assert answer.status_code == 302
    assert answer.url == reverse("agreement", args=[circle.group.pk])


@pytest.mark.parametrize("name", sorted({route[0] for route in ROUTES}))
def test_nobody_signed_in_is_sent_to_sign_in_whether_it_exists_or_not(
    circle: Circle, session: Session, client_of: Any, name: str
):
    for url in (address(name, circle, session), absent(name)):
        answer = client_of().get(url)
        assert (answer.status_code, answer.url) == (302, f"/accounts/login/?next={quoted(url)}")


def quoted(url: str) -> str:
    return url.replace("/", "%2F")


def stored(session: Session) -> tuple[str, int]:
    with as_owner():
        session.refresh_from_db()
    return session.phase, session.sequence


@pytest.mark.parametrize("who", INSIDE)
def test_who_is_inside_or_on_leave_reads_the_year(
    circle: Circle, session: Session, client_of: Any, who: str
):
    page = client_of(getattr(circle, who)).get(address("schedule", circle, session))
    html = page.content.decode()
    assert page.status_code == 200
    assert f'datetime="{session.starts_at.astimezone(session.zone):%Y-%m-%d}"' in html
    assert PLACE in html
    main = html[html.index("<main") :]
    assert "<form" not in main
    for name in ("session_edit", "session_cancel", "session_restore", "session_new"):
        assert address(name, circle, session) not in html


@pytest.mark.parametrize("who", OUTSIDE)
def test_who_is_outside_reads_no_year(circle: Circle, session: Session, client_of: Any, who: str):
    client = client_of(getattr(circle, who))
    refused = client.get(address("schedule", circle, session))
    nothing = client.get(absent("schedule"))
    assert (refused.status_code, nothing.status_code) == (404, 404)
    assert masked(refused) == masked(nothing)


def test_a_newcomer_reads_the_agreement_before_the_year(
    circle: Circle, session: Session, client_of: Any
):
    answer = client_of(circle.newcomer).get(address("schedule", circle, session))
    assert (answer.status_code, answer.url) == (302, reverse("agreement", args=[circle.group.pk]))


def test_a_date_that_is_not_settled_is_the_leaders_alone(circle: Circle, client_of: Any):
    session = in_days(circle.group, 20, settled_at=None, place="Secret garden")
    url = address("schedule", circle, session)
    assert "Secret garden" not in client_of(circle.member).get(url).content.decode()
    assert "Secret garden" in client_of(circle.leader).get(url).content.decode()
    edit = address("session_edit", circle, session)
    assert client_of(circle.member).get(edit).status_code == 404
    assert client_of(circle.leader).get(edit).status_code == 200


def test_a_reason_stands_on_no_page_of_planning(circle: Circle, session: Session, client_of: Any):
    leader = client_of(circle.leader)
    cancel = address("session_cancel", circle, session)
    leader.post(cancel, {"reason": "Flood in the hospital.", "seen": "0"})
    assert stored(session) == (Phase.CANCELLED, 1)
    for who in (circle.leader, circle.member):
        page = client_of(who).get(address("schedule", circle, session))
        assert "hospital" not in page.content.decode()


def test_putting_back_is_never_a_link(circle: Circle, session: Session, client_of: Any):
    url = address("session_restore", circle, session)
    for who in (circle.leader, circle.outsider):
        assert client_of(who).get(url).status_code == 405
        assert client_of(who).get(absent("session_restore")).status_code == 405


def test_the_title_of_every_page_is_neutral(circle: Circle, session: Session, client_of: Any):
    client = client_of(circle.leader)
    for name, method, status in ROUTES:
        if method == "get" and status == 200:
            page = client.get(address(name, circle, session)).content.decode()
            assert "<title>Balint</title>" in page

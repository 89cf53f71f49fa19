"""The headers of every sort of answer: nothing is stored, shared or framed, nothing inline runs."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from balint.headers import PERMISSIONS
from members.models import Member
from tests.balint.addresses import ADDRESSES, Nothing
from tests.balint.installation import Installation, install
from tests.world import PASSWORD, Circle

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
ALWAYS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
    "X-Robots-Tag": "noindex",
}


def policy(answer: Any) -> dict[str, str]:
    parts = [part.strip() for part in answer["Content-Security-Policy"].split(";")]
    return {name: sources for name, _, sources in (part.partition(" ") for part in parts if part)}


def shown(answer: Any) -> dict[str, str | None]:
    headers = {name: answer.get(name) for name in ALWAYS}
    if "no-store" in str(headers["Cache-Control"]).split(", "):
        headers["Cache-Control"] = "no-store"  # allauth says the same in more words.
    return headers


@pytest.fixture
def everything(circle: Circle) -> Installation:
    return install(circle)


@pytest.fixture
def leader(circle: Circle, client_of: Any) -> Client:
    client: Client = client_of(circle.leader, enforce_csrf_checks=True)
    client.raise_request_exception = False
    return client


ANSWERS: dict[str, tuple[int, Callable[[Client, Installation], Any]]] = {
    "a page": (200, lambda client, _: client.get("/")),
    "a page of the office": (404, lambda client, _: client.get("/programmes/")),
    "a redirect": (301, lambda client, _: client.get("/calendar")),
    "nothing there": (404, lambda client, _: client.get("/nothing/")),
    "a wrong method": (
        405,
        lambda client, there: client.get(f"/sessions/{there.running.pk}/room/open/"),
    ),
    "a form from elsewhere": (403, lambda client, _: client.post("/settings/calendar/")),
    "not just now": (
        409,
        lambda client, there: client.get(f"/sessions/{there.cancelled.pk}/room/"),
    ),
    "another name": (400, lambda client, _: client.get("/", headers={"Host": "evil.example"})),
    "broken": (500, lambda client, _: client.get("/broken/")),
    "alive": (200, lambda client, _: client.get("/healthz")),
    "ready": (200, lambda client, _: client.get("/readyz")),
    "a fragment": (
        200,
        lambda client, there: client.get(
            f"/groups/{there.circle.group.pk}/schedule/", headers={"HX-Request": "true"}
        ),
    ),
    "one meeting for a calendar": (
        200,
        lambda client, there: client.get(f"/sessions/{there.planned.pk}/balint.ics"),
    ),
    "an invitation": (
        200,
        lambda client, there: client.get(f"/invitations/{there.known['invitations'][0]}/"),
    ),
    "no such feed": (404, lambda client, _: client.get("/calendar/nobody/balint.ics")),
}


@pytest.mark.urls("tests.balint.broken_urls")
@pytest.mark.parametrize("sort", ANSWERS)
def test_every_sort_of_answer_says_the_same(
    leader: Client, everything: Installation, sort: str
) -> None:
    status, ask = ANSWERS[sort]
    answer = ask(leader, everything)
    assert answer.status_code == status
    assert shown(answer) == ALWAYS
    assert policy(answer) == POLICY


def test_so_does_every_address(leader: Client, everything: Installation) -> None:
    for address in ADDRESSES:
        answer = leader.get(address.path(everything.known))
        if address.name != "feed":
            assert (shown(answer), policy(answer)) == (ALWAYS, POLICY), address


def test_so_does_every_address_to_nobody(client: Client, db: None) -> None:
    for address in ADDRESSES:
        answer = client.get(address.path(Nothing()))
        assert (shown(answer), policy(answer)) == (ALWAYS, POLICY), address


@pytest.mark.urls("tests.balint.broken_urls")
def test_a_broken_page_says_nothing_of_what_broke(leader: Client) -> None:
    assert "umbrellas" not in leader.get("/broken/").content.decode()


def test_a_feed_may_be_kept_by_the_calendar_that_asked_and_by_nobody_between(
    client: Client, everything: Installation
) -> None:
    path = f"/calendar/{everything.feed}/balint.ics"
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    for answer in (first, again):
        assert shown(answer) == ALWAYS | {"Cache-Control": "private, no-cache"}
        assert "Set-Cookie" not in answer.headers
        assert answer.cookies == {}


def test_static_files_bear_the_same_but_may_be_kept(client: Client, db: None) -> None:
    answer = client.get("/static/balint.css")
    kept = "max-age=60, public"
    assert shown(answer) == ALWAYS | {"Cache-Control": kept}
    assert policy(answer) == POLICY
    assert "Access-Control-Allow-Origin" not in answer
    assert answer["Content-Type"] == 'text/css; charset="utf-8"'
    answer.close()


TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)


def test_no_title_and_no_address_says_anything_of_anybody(
    leader: Client, everything: Installation, client_of: Any
) -> None:
    """What a neighbour reads in a tab, a history or a log."""
    admin = client_of(everything.circle.admin)
    admin.raise_request_exception = False
    titles, paths = set(), set()
    for address in ADDRESSES:
        for browser in (leader, admin):
            path = address.path(everything.known)
            answer = browser.get(path)
            paths |= {path, answer.get("Location", "")}
            if not answer.streaming:
                titles |= set(TITLE.findall(answer.content.decode(errors="replace")))
    assert titles == {"Balint"}
    words = set(re.findall(r"[a-z]+", " ".join(paths).lower()))
    people = [one for one in vars(everything.circle).values() if isinstance(one, Member)]
    assert len(people) > 10
    assert words & {word.lower() for one in people for word in one.name.split()} == set()
    assert not any("@" in path for path in paths)


def test_log_out_clears_what_the_browser_kept(circle: Circle, client: Client) -> None:
    client.post("/accounts/login/", {"login": circle.member.email, "password": PASSWORD})
    assert "Clear-Site-Data" not in client.get("/accounts/logout/")
    answer = client.post("/accounts/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in client.get("/")


def test_ending_other_devices_clears_nothing_here(circle: Circle, client: Client) -> None:
    other = Client()
    for browser in (other, client):
        browser.post("/accounts/login/", {"login": circle.member.email, "password": PASSWORD})
    assert "Clear-Site-Data" not in client.post("/accounts/sessions/")
    assert other.get("/settings/").status_code == 302
    assert client.get("/settings/").status_code == 200


def test_the_cookies_of_a_signed_in_person_are_for_us_alone(circle: Circle, client: Client) -> None:
    page = client.get("/accounts/login/")
    assert page.cookies["csrftoken"]["httponly"] is True
    client.post("/accounts/login/", {"login": circle.member.email, "password": PASSWORD})
    session = client.cookies["sessionid"]
    assert (session["httponly"], session["samesite"]) == (True, "Lax")

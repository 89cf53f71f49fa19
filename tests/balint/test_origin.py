"""A form counts when it comes from our own pages and says so: by its origin, or by its browser."""

import re

import pytest
from django.test import Client

from members.models import Member
from tests.world import as_owner, make_member

OURS = "http://testserver"
PROFILE = {"profession": "typed", "time_zone": "UTC", "language": "en", "phone": ""}


@pytest.fixture
def member(db: None) -> Member:
    return make_member("Dr Dana Green")


@pytest.fixture
def browser(client_of, member: Member) -> Client:
    return client_of(member, enforce_csrf_checks=True)


def token_in(client: Client) -> str:
    page = client.get("/settings/").content.decode()
    found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert found
    return found[1]


def send(client: Client, headers: dict[str, str], token: str | None = None) -> int:
    token = token_in(client) if token is None else token
    fields = PROFILE | {"name": "Dr D. Green", "csrfmiddlewaretoken": token}
    return client.post("/settings/", fields, headers=headers).status_code


def saved(member: Member) -> bool:
    with as_owner():
        member.refresh_from_db()
    return member.name == "Dr D. Green"


SITES = ["same-origin", "same-site", "cross-site", "none", "", "Same-Origin", None]


@pytest.mark.parametrize("site", SITES)
def test_a_hidden_origin_counts_only_where_the_browser_vouches_for_it(
    browser: Client, member: Member, site: str | None
) -> None:
    headers = {"Origin": "null"} | ({} if site is None else {"Sec-Fetch-Site": site})
    vouched = site == "same-origin"
    assert send(browser, headers) == (302 if vouched else 403)
    assert saved(member) is vouched


@pytest.mark.parametrize("origin", ["http://evil.example", "http://testserver:81", "https://x", ""])
@pytest.mark.parametrize("site", SITES)
def test_another_origin_is_refused_whoever_vouches(
    browser: Client, member: Member, origin: str, site: str | None
) -> None:
    headers = {"Origin": origin} | ({} if site is None else {"Sec-Fetch-Site": site})
    assert send(browser, headers) == 403
    assert not saved(member)


@pytest.mark.parametrize("site", SITES)
def test_our_own_origin_needs_no_voucher(browser: Client, member: Member, site: str | None) -> None:
    headers = {"Origin": OURS} | ({} if site is None else {"Sec-Fetch-Site": site})
    assert send(browser, headers) == 302
    assert saved(member)


@pytest.mark.parametrize("token", ["", "x" * 64, "é"])
@pytest.mark.parametrize("origin", ["null", OURS])
def test_the_token_is_asked_for_all_the_same(
    browser: Client, member: Member, origin: str, token: str
) -> None:
    token_in(browser)
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
    assert send(browser, headers, token) == 403
    assert not saved(member)


def test_who_cannot_be_vouched_for_is_told_what_to_do(browser: Client) -> None:
    fields = {"csrfmiddlewaretoken": token_in(browser)}
    hidden = browser.post("/settings/", fields, headers={"Origin": "null"})
    assert "beginning with https" in hidden.content.decode()
    late = browser.post("/settings/", headers={"Origin": OURS})
    assert "had been open too long" in late.content.decode()
    assert "beginning with https" not in late.content.decode()


def test_an_unknown_host_is_no_origin_of_ours(browser: Client) -> None:
    headers = {"Host": "evil.example", "Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/settings/", headers=headers).status_code == 400

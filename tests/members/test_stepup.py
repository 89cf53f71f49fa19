"""A fresh sign-in before changes of who belongs; what was typed meanwhile waits."""

import re

import pytest

from groups.models import Proposal
from members import typed
from tests.balint.installation import install
from tests.members.signed_in import MINUTE, age, grow_stale
from tests.members.test_typed import in_the_store
from tests.world import PASSWORD, as_owner

ASK = "/accounts/reauthenticate/?next="
AGAIN = "%2Faccounts%2Fagain%2F"
SOMEBODY = {"name": "Dr Una Quist", "address": "una@example.org", "role": "member"}


@pytest.fixture
def there(circle):
    return install(circle)


@pytest.fixture
def stale(client_of):
    def signed_in(member):
        client = client_of(member)
        grow_stale(client)
        return client

    return signed_in


def confirm(client, answer):
    """Through “Is it still you?” by password, as a browser would; the page it leads to."""
    page = client.get(answer.headers["Location"])
    assert "Is it still you?" in page.content.decode()
    (then,) = re.findall(r'name="next" value="([^"]+)"', page.content.decode())
    done = client.post("/accounts/reauthenticate/", {"password": PASSWORD, "next": then})
    assert done.headers["Location"] == then
    return then


@pytest.mark.parametrize(("since", "asked"), [(14 * MINUTE, False), (16 * MINUTE, True)])
def test_a_sign_in_is_fresh_for_a_quarter_of_an_hour(client_of, circle, since, asked):
    client = client_of(circle.leader)
    age(client, since=since)
    page = client.get(f"/groups/{circle.group.pk}/propose/")
    assert (page.status_code == 302) == asked


def test_who_confirms_is_led_back_and_is_not_asked_again(stale, circle):
    client = stale(circle.leader)
    path = f"/groups/{circle.group.pk}/propose/"
    assert confirm(client, client.get(path)) == path
    assert client.get(path).status_code == 200


def test_a_wrong_password_confirms_nothing(stale, circle):
    client = stale(circle.leader)
    client.post("/accounts/reauthenticate/", {"password": "wrong", "next": "/"})
    assert client.get(f"/groups/{circle.group.pk}/propose/").status_code == 302


def test_what_was_posted_waits_sealed_and_is_sent_with_one_button(stale, circle):
    client = stale(circle.leader)
    path = f"/groups/{circle.group.pk}/propose/"
    answer = client.post(path, SOMEBODY)
    assert answer.headers["Location"] == ASK + AGAIN
    assert "Quist" not in in_the_store()
    with as_owner():
        assert not Proposal.objects.exists()
    assert confirm(client, answer) == "/accounts/again/"
    html = client.get("/accounts/again/").content.decode()
    assert f'action="{path}"' in html
    assert 'value="Dr Una Quist"' in html
    assert client.post(path, SOMEBODY).headers["Location"] == f"/groups/{circle.group.pk}/roster/"
    assert typed.KEY not in client.session


def leaders_posts(there) -> dict[str, str]:
    group, person = there.circle.group.pk, there.circle.member.memberships.first().pk
    return {
        "away": f"/groups/{group}/roster/{person}/away/",
        "farewell": f"/groups/{group}/roster/{person}/farewell/",
        "back": f"/groups/{group}/roster/{person}/back/",
        "ending yes": f"/endings/{there.ending.pk}/yes/",
        "ending withdrawn": f"/endings/{there.ending.pk}/withdraw/",
        "leaving": f"/groups/{group}/leave/",
        "propose": f"/groups/{group}/propose/",
        "answer": f"/proposals/{there.proposal.pk}/answer/",
        "resend": f"/proposals/{there.invited.pk}/resend/",
        "withdraw": f"/proposals/{there.invited.pk}/withdraw/",
        "the group's end": f"/groups/{group}/end/",
    }


def test_every_change_of_who_belongs_asks_the_leaders(stale, there):
    client = stale(there.circle.leader)
    for what, path in leaders_posts(there).items():
        assert client.post(path, {}).headers.get("Location") == ASK + AGAIN, what


def test_every_change_of_who_belongs_asks_the_office(stale, there):
    client = stale(there.circle.admin)
    programme = f"/programmes/{there.circle.programme.pk}/"
    group = f"{programme}groups/{there.circle.group.pk}/"
    changes = (f"{programme}groups/new/", f"{group}propose/", f"{group}end/", f"{group}edit/")
    for path in (group, *changes):
        assert client.post(path, SOMEBODY).headers.get("Location") == ASK + AGAIN, path
    assert "Quist" not in in_the_store()
    for path in (group, f"{group}end/", f"{group}edit/"):
        assert client.get(path).status_code == 200, path


def test_looking_at_lists_and_the_own_leaving_asks_nothing(stale, circle):
    client = stale(circle.leader)
    for path in ("roster", "leave", "edit", "schedule", "agreement/edit", "end"):
        assert client.get(f"/groups/{circle.group.pk}/{path}/").status_code == 200, path


def test_allauth_asks_too_and_keeps_no_request_in_clear(stale, circle):
    client = stale(circle.leader)
    answer = client.post("/accounts/2fa/totp/activate/", {"code": "Quist 123456"})
    assert answer.headers["Location"] == f"{ASK}%2Faccounts%2F2fa%2Ftotp%2Factivate%2F"
    assert "Quist" not in in_the_store()
    assert "account_reauthentication_state" not in in_the_store()


def test_a_part_of_a_page_sends_the_whole_browser(stale, circle):
    client = stale(circle.leader)
    path = f"/groups/{circle.group.pk}/propose/"
    answer = client.post(path, SOMEBODY, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == ASK + AGAIN

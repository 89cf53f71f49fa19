"""Every page of signing in, in our look and our words."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client

from members.models import Member
from members.templatetags.devices import device
from tests.world import PASSWORD, as_owner, make_member

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NOT_OUR_WORDS = re.compile(
    r"successfully|!(?!doctype|--)|Are you sure|please contact", re.IGNORECASE
)


def read(client: Client, url: str) -> str:
    """The page at `url`; what is asked of it here is asked of every page."""
    return checked(client.get(url))


def checked(response) -> str:
    html = response.content.decode()
    assert response.status_code == 200
    assert html.count('<header class="site-head">') == html.count("<h1>") == 1
    assert html.count("button primary") <= 1
    assert "<title>Balint</title>" in html
    assert NOT_OUR_WORDS.findall(html) == []
    return html


@pytest.fixture
def member(db) -> Member:
    return make_member("Dr Dana Green")


@pytest.fixture
def signed_in(member) -> Client:
    client = Client(headers={"user-agent": FIREFOX})
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def link_in(letter) -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", letter.body)
    assert found
    return found[1]


def test_the_sign_in_page_offers_no_sign_up_and_says_why(client, db):
    html = read(client, "/accounts/login/")
    assert "/accounts/signup/" not in html
    assert "Accounts are made by invitation" in html
    assert "Forgotten your password?" in html


def test_a_wrong_password_is_said_and_the_address_kept(client, member):
    answer = client.post("/accounts/login/", {"login": member.email, "password": "wrong"})
    html = answer.content.decode()
    assert '<div class="message error" role="alert">' in html
    assert f'value="{member.email}"' in html


def test_a_passkey_can_be_used_without_inline_script(client, db):
    html = read(client, "/accounts/login/")
    assert 'form="mfa_login"' in html
    assert 'action="/accounts/2fa/webauthn/login/"' in html
    scripts = re.findall(r"<script([^>]*)>", html)
    assert all("src=" in script or 'type="application/json"' in script for script in scripts)


@pytest.mark.parametrize(
    "url",
    [
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/done/",
        "/accounts/password/reset/key/09b5b0deb6ac4935ae8971a60a2d25ae-broken/",
        "/accounts/inactive/",
        "/accounts/confirm-email/",
        "/accounts/confirm-email/broken/",
    ],
)
def test_pages_before_signing_in(client, db, url):
    read(client, url)


@pytest.mark.parametrize(
    "url",
    [
        "/accounts/logout/",
        "/accounts/password/change/",
        "/accounts/email/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/sessions/",
        "/accounts/reauthenticate/",
    ],
)
def test_pages_of_the_own_account(signed_in, url):
    read(signed_in, url)


def test_signing_in_says_nothing_and_the_menu_leads_out_again(signed_in):
    html = read(signed_in, "/accounts/2fa/")
    assert 'class="message"' not in html
    assert '<form method="post" action="/accounts/logout/">' in html


def test_a_new_password_by_letter(client, member):
    client.post("/accounts/password/reset/", {"email": member.email})
    (letter,) = mail.outbox
    assert letter.subject == "A new password"
    assert member.name not in letter.body
    assert "Choose a new password" in checked(client.get(link_in(letter), follow=True))
    address = client.get(link_in(letter)).headers["Location"]
    new = "another long and quiet word"
    done = client.post(address, {"password1": new, "password2": new}, follow=True)
    assert "Your new password is set" in done.content.decode()


def test_an_unknown_address_gets_a_letter_that_says_what_to_do(client, db):
    client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    (letter,) = mail.outbox
    assert letter.subject == "No account under this address"
    assert NOT_OUR_WORDS.findall(str(letter.body)) == []


def test_a_change_of_password_is_told_by_letter(signed_in):
    new = "another long and quiet word"
    fields = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    answer = signed_in.post("/accounts/password/change/", fields, follow=True)
    assert "Your password is changed." in answer.content.decode()
    (letter,) = mail.outbox
    assert letter.subject == "Your password was changed"
    assert "If that was you, there is nothing to do." in letter.body
    assert NOT_OUR_WORDS.findall(str(letter.body)) == []


def test_a_new_address_waits_for_its_letter(signed_in, member):
    signed_in.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    waiting = read(signed_in, "/accounts/email/")
    assert "To be confirmed" in waiting
    html = read(signed_in, link_in(mail.outbox[-1]))
    assert "new@example.org" in html
    assert member.name not in mail.outbox[-1].body


def test_an_app_is_set_up_and_brings_recovery_codes(signed_in, member):
    html = read(signed_in, "/accounts/2fa/totp/activate/")
    (secret,) = set(re.findall(r"\b[A-Z2-7]{32}\b", html))
    now = next(totp.yield_hotp_counters_from_time())
    code = totp.format_hotp_value(totp.hotp_value(secret, now))
    done = signed_in.post("/accounts/2fa/totp/activate/", {"code": code}, follow=True)

    assert checked(done).count("<li><code>") == 10
    assert "10 codes are left." in read(signed_in, "/accounts/2fa/")
    read(signed_in, "/accounts/2fa/recovery-codes/generate/")
    read(signed_in, "/accounts/2fa/totp/deactivate/")
    read(signed_in, "/accounts/2fa/reauthenticate/")


def test_the_second_step_offers_a_way_back(client, member):
    with as_owner():
        Authenticator.objects.create(user=member, type="totp", data={"secret": "x"})
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    html = read(client, "/accounts/2fa/authenticate/")
    assert "The second step" in html
    assert "Not now" in html


def test_passkeys_are_listed_and_can_go(signed_in, member):
    with as_owner():
        passkey = Authenticator.objects.create(
            user=member,
            type="webauthn",
            data={
                "name": "Work laptop",
                "credential": {"clientExtensionResults": {"credProps": {"rk": True}}},
            },
        )
    assert "Work laptop" in read(signed_in, "/accounts/2fa/webauthn/")
    assert "You have one passkey." in read(signed_in, "/accounts/2fa/")
    read(signed_in, f"/accounts/2fa/webauthn/keys/{passkey.pk}/edit/")
    html = read(signed_in, f"/accounts/2fa/webauthn/keys/{passkey.pk}/remove/")
    assert "Work laptop" in html


def test_signed_in_devices_have_names_people_know(signed_in):
    html = read(signed_in, "/accounts/sessions/")
    assert "Firefox, Linux" in html
    assert "Mozilla" not in html


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140.0 Mobile Safari/537.36", "Chrome, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari, iPhone"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1",
            "Safari, Mac",
        ),
        ("curl/8.5.0", "unknown"),
    ],
)
def test_a_browser_is_called_what_its_owner_calls_it(user_agent, expected):
    assert device(user_agent) == expected

"""A person's own pages: profile, wishes group by group, and signing in with all that secures it."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.core.cache import cache
from django.test import Client

from groups.models import Preference
from groups.signals import preference_changed
from members.models import Member, Phone
from tests.world import PASSWORD, as_member, as_owner, join, make_group, make_member

PROFILE = {
    "name": "Dr Dana Green-Levi",
    "profession": "palliative care",
    "time_zone": "Europe/London",
    "language": "en",
    "phone": "",
}


@pytest.fixture
def member(db) -> Member:
    return make_member("Dr Dana Green")


@pytest.fixture
def signed_in(member) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def login(client: Client, address: str, password: str = PASSWORD, **more: Any):
    return client.post("/accounts/login/", {"login": address, "password": password} | more)


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def link_in(letter) -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", letter.body)
    assert found
    return found[1]


# Profile


def test_a_person_tells_name_profession_zone_and_number(client_of, member):
    client = client_of(member)
    answer = client.post("/settings/", PROFILE | {"phone": "+44 20 7946 0000"})
    assert answer.headers["Location"] == "/settings/"
    with as_owner():
        member.refresh_from_db()
        assert Phone.objects.get(member=member).number == "+44 20 7946 0000"
    assert (member.name, member.profession) == (PROFILE["name"], "palliative care")
    assert member.time_zone == "Europe/London"
    html = client_of(member).get("/settings/").content.decode()
    assert 'value="+44 20 7946 0000"' in html


def test_a_number_is_changed_and_taken_away_again(client_of, member):
    for number, kept in [("020 7946 0000", 1), ("020 7946 0001", 1), ("", 0)]:
        client_of(member).post("/settings/", PROFILE | {"phone": number})
        with as_owner():
            assert Phone.objects.filter(member=member, number=number).count() == kept
            assert Phone.objects.count() == kept


@pytest.mark.parametrize(
    "wrong",
    [
        {"phone": "ask my wife"},
        {"time_zone": "Mars/Base"},
        {"name": ""},
        {"language": "xx"},
    ],
)
def test_what_cannot_be_is_not_kept_and_what_was_typed_stays(client_of, member, wrong):
    typed = PROFILE | {"profession": "Typed with care"} | wrong
    answer = client_of(member).post("/settings/", typed)
    assert answer.status_code == 200
    assert "Typed with care" in answer.content.decode()
    with as_owner():
        member.refresh_from_db()
        assert Phone.objects.count() == 0
    assert member.profession == ""


def test_pages_speak_the_new_zone_at_once_and_nobody_elses_profile_opens(client_of, member):
    other = make_member("Dr Olga Fern")
    client_of(member).post("/settings/", PROFILE)
    assert "Olga" not in client_of(member).get("/settings/").content.decode()
    with as_owner():
        other.refresh_from_db()
    assert other.time_zone == "UTC"


@pytest.mark.parametrize("url", ["/settings/", "/settings/groups/"])
def test_the_own_pages_want_a_sign_in(client, db, url):
    assert client.get(url).headers["Location"] == f"/accounts/login/?next={url.replace('/', '%2F')}"


# Wishes, group by group


def test_each_group_has_its_own_wishes(client_of, member):
    valley, hill = make_group(name="Valley group"), make_group(name="Hill group")
    for group in (valley, hill):
        join(group, member)
    client = client_of(member)
    html = client.get("/settings/groups/").content.decode()
    assert html.index("Hill group") < html.index("Valley group")
    heard = []

    def listen(sender, *, group, member, at, **more):
        heard.append((group, member))

    preference_changed.connect(listen)
    try:
        client.post(
            "/settings/groups/", {f"{valley.pk}-reminders": "on", f"{valley.pk}-shares_phone": "on"}
        )
    finally:
        preference_changed.disconnect(listen)
    with as_owner():
        kept = {
            row.group: (row.reminders, row.shares_phone)
            for row in Preference.objects.filter(member=member)
        }
    assert kept == {valley: (True, True), hill: (False, False)}
    assert sorted(heard, key=lambda pair: str(pair[0])) == [(hill, member), (valley, member)]


def test_a_number_is_read_by_leaders_of_the_groups_it_is_shared_with(circle, client_of):
    client_of(circle.member).post("/settings/", PROFILE | {"phone": "020 7946 0000"})

    def readers():
        names = ["leader", "second_leader", "presenter", "newcomer", "admin", "outsider"]
        seen = {}
        for name in names:
            with as_member(getattr(circle, name)):
                seen[name] = Phone.objects.count()
        return [name for name, count in seen.items() if count]

    assert readers() == []
    shared = {f"{circle.group.pk}-reminders": "on", f"{circle.group.pk}-shares_phone": "on"}
    client_of(circle.member).post("/settings/groups/", shared)
    assert readers() == ["leader", "second_leader"]


def test_a_group_one_is_not_in_cannot_be_wished_about(client_of, member):
    group = make_group()
    client_of(member).post("/settings/groups/", {f"{group.pk}-shares_phone": "on"})
    with as_owner():
        assert Preference.objects.count() == 0


# Signing in


def test_signing_in_by_address_in_any_case(client, member):
    answer = login(client, member.email.upper())
    assert answer.headers["Location"] == "/"
    assert is_signed_in(client)


def test_an_unknown_address_and_a_wrong_password_look_the_same(member):
    answers = [
        login(Client(), address, "a wrong and quiet word")
        for address in (member.email, "nobody@example.org")
    ]
    pages = [
        re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())
        for answer in answers
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert pages[0].replace(member.email, "") == pages[1].replace("nobody@example.org", "")


def test_asking_for_a_new_password_looks_the_same_for_an_unknown_address(member):
    answers = [
        Client().post("/accounts/password/reset/", {"email": address}, follow=True)
        for address in (member.email, "nobody@example.org")
    ]
    assert [answer.redirect_chain for answer in answers] == [
        [("/accounts/password/reset/done/", 302)]
    ] * 2
    assert answers[0].content == answers[1].content
    assert len(mail.outbox) == 2


def test_a_password_from_a_letter_signs_in_and_the_old_one_does_not(client, member):
    client.post("/accounts/password/reset/", {"email": member.email})
    address = client.get(link_in(mail.outbox[0])).headers["Location"]
    new = "another long and quiet word"
    client.post(address, {"password1": new, "password2": new})
    fresh = Client()
    login(fresh, member.email)
    assert not is_signed_in(fresh)
    login(fresh, member.email, new)
    assert is_signed_in(fresh)


def test_sign_up_is_closed(client, db):
    typed = {"email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD}
    html = client.post("/accounts/signup/", typed).content.decode()
    assert "invitation" in html
    with as_owner():
        assert Member.objects.count() == 0


def test_a_new_address_counts_once_confirmed_and_the_old_one_is_told(signed_in, member):
    old = member.email
    signed_in.post("/accounts/email/", {"email": "new@example.org", "action_add": ""})
    waiting = [letter for letter in mail.outbox if letter.to == ["new@example.org"]]
    with as_owner():
        member.refresh_from_db()
    assert member.email == old
    signed_in.post(link_in(waiting[0]))
    with as_owner():
        member.refresh_from_db()
        addresses = list(EmailAddress.objects.filter(user=member).values_list("email", "verified"))
    assert member.email == "new@example.org"
    assert addresses == [("new@example.org", True)]
    told = [letter.body for letter in mail.outbox if letter.to == [old]]
    assert len(told) == 1
    assert "new@example.org" in told[0]
    fresh = Client()
    login(fresh, "new@example.org")
    assert is_signed_in(fresh)


# The second step


def code_for(secret: str) -> str:
    now = next(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, now))


@pytest.fixture
def secret(signed_in) -> str:
    """The secret a person types into an app, read from the page as they would read it."""
    html = signed_in.get("/accounts/2fa/totp/activate/").content.decode()
    shown = re.search(r">([A-Z2-7]{16,})<", html) or re.search(r'value="([A-Z2-7]{16,})"', html)
    assert shown
    done = signed_in.post("/accounts/2fa/totp/activate/", {"code": code_for(shown[1])})
    assert done.status_code == 302
    return shown[1]


@pytest.fixture
def next_half_minute(secret) -> None:
    """A code counts once; with the cache goes what was used, as in the next half minute."""
    cache.clear()


@pytest.mark.usefixtures("next_half_minute")
def test_with_an_app_a_password_alone_no_longer_signs_in(member, secret):
    client = Client()
    assert login(client, member.email).headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_for(secret)})
    assert is_signed_in(client)


def test_the_secret_lies_sealed(member, secret):
    with as_owner():
        data = str(Authenticator.objects.get(user=member, type="totp").data)
    assert secret not in data


@pytest.mark.usefixtures("next_half_minute")
def test_each_recovery_code_opens_once(signed_in, member, secret):
    html = signed_in.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.findall(r"<li><code>([^<]+)</code>", html)
    assert len(codes) == 10
    for expected in (True, False):
        client = Client()
        login(client, member.email)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})
        assert is_signed_in(client) == expected


def test_signed_in_devices_are_listed_and_ended(signed_in, member):
    other = Client(headers={"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Safari/604.1"})
    login(other, member.email)
    assert is_signed_in(other)
    html = signed_in.get("/accounts/sessions/").content.decode()
    assert "Safari, iPhone" in html
    signed_in.post("/accounts/sessions/")
    assert not is_signed_in(other)
    assert is_signed_in(signed_in)

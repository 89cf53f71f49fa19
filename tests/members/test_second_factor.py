"""Whoever leads or looks after a group needs a second factor; nobody gets round one they have."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache, caches
from django.test import Client

from members import second_factor
from members.mfa import MFAAdapter
from tests.members.signed_in import grow_stale, sign_in
from tests.sessions.evening import at_phase
from tests.sessions.test_room import Phase
from tests.world import PASSWORD, as_member, as_owner, join

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PAGE = "/accounts/2fa/"


@pytest.fixture
def required(settings):
    settings.SECOND_FACTOR_REQUIRED = True


def with_app(member) -> Authenticator:
    with as_member(member):
        return totp.TOTP.activate(member, SECRET).instance


def with_passkey(member, name="Work laptop") -> Authenticator:
    data = {
        "name": name,
        "credential": {"clientExtensionResults": {"credProps": {"rk": True}}},
    }
    with as_owner():
        return Authenticator.objects.create(user=member, type="webauthn", data=data)


def code() -> str:
    return totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30))


@pytest.mark.parametrize("who", ["leader", "second_leader", "admin"])
def test_leaders_and_admins_without_one_are_sent_to_set_one_up(required, client_of, circle, who):
    client = client_of(getattr(circle, who))
    for path in ("/", "/groups/", "/calendar/", f"/groups/{circle.group.pk}/", "/settings/groups/"):
        assert client.get(path).headers.get("Location") == PAGE, path
    assert client.post(f"/groups/{circle.group.pk}/propose/", {}).headers["Location"] == PAGE
    html = client.get(PAGE).content.decode()
    assert "add a passkey or an authenticator app" in html


def test_they_can_open_their_account_and_go_out(required, client_of, circle):
    client = client_of(circle.leader)
    for path in (PAGE, "/settings/", "/about/", "/accounts/email/", "/accounts/sessions/"):
        assert client.get(path, follow=True).status_code == 200, path
        assert client.get(path).headers.get("Location", "") != PAGE, path
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("who", ["member", "newcomer", "on_leave", "former", "outsider"])
def test_members_may_go_without(required, client_of, circle, who):
    client = client_of(getattr(circle, who))
    assert client.get("/settings/groups/").status_code == 200


def test_where_it_is_not_required_nobody_is_sent(client_of, circle):
    assert client_of(circle.leader).get("/groups/").status_code == 200


@pytest.mark.parametrize("make", [with_app, with_passkey])
def test_with_one_they_go_on(required, client_of, circle, make):
    make(circle.leader)
    assert client_of(circle.leader).get("/groups/").status_code == 200


def test_recovery_codes_alone_are_none(required, client_of, circle):
    with as_owner():
        Authenticator.objects.create(user=circle.leader, type="recovery_codes", data={})
    assert client_of(circle.leader).get("/groups/").headers["Location"] == PAGE


def test_who_has_one_is_asked_about_once_in_a_sitting(
    required, client_of, circle, django_assert_num_queries
):
    with_app(circle.leader)
    client = client_of(circle.leader)
    with django_assert_num_queries(1):
        assert second_factor._asked(circle.leader, second_factor.timezone.now()) == (True, True)
    client.get("/groups/")
    assert client.session[second_factor.HAS] is True
    with as_owner():
        Authenticator.objects.all().delete()
    assert client.get("/groups/").status_code == 200


def test_a_part_of_a_page_sends_the_whole_browser(required, client_of, circle):
    client = client_of(circle.leader)
    assert client.get("/groups/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == PAGE


def test_a_running_meeting_is_not_interrupted(required, client_of, circle):
    session = at_phase(circle, Phase.GROUP_WORK)
    client = client_of(circle.leader)
    assert client.get(f"/sessions/{session.pk}/room/").status_code == 200
    assert client.get(f"/sessions/{session.pk}/").headers["Location"] == PAGE


def confirmed(client: Client) -> Client:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def test_the_last_one_of_a_leader_stays(required, client_of, circle):
    with_app(circle.leader)
    client = confirmed(client_of(circle.leader))
    page = client.post("/accounts/2fa/totp/deactivate/")
    assert "Set up another one first" in page.content.decode()
    assert Authenticator.objects.filter(user=circle.leader).count() == 1


def test_the_last_passkey_of_a_leader_stays_but_not_the_last_but_one(required, client_of, circle):
    first, second = with_passkey(circle.leader, "One"), with_passkey(circle.leader, "Two")
    client = confirmed(client_of(circle.leader))
    client.post(f"/accounts/2fa/webauthn/keys/{first.pk}/remove/")
    refused = client.post(f"/accounts/2fa/webauthn/keys/{second.pk}/remove/")
    assert refused.status_code == 409
    assert "Set up another one first" in refused.content.decode()
    assert list(Authenticator.objects.values_list("pk", flat=True)) == [second.pk]


def test_nobody_learns_of_anothers_passkey_by_removing_it(required, client_of, circle):
    theirs = with_passkey(circle.leader)
    client = confirmed(client_of(circle.outsider))
    assert client.post(f"/accounts/2fa/webauthn/keys/{theirs.pk}/remove/").status_code == 404
    assert client.post("/accounts/2fa/webauthn/keys/999999/remove/").status_code == 404


def test_a_member_may_stop_and_is_asked_about_anew(required, client_of, circle):
    with_app(circle.member)
    client = confirmed(client_of(circle.member))
    client.get("/groups/")
    assert client.session[second_factor.HAS]
    client.post("/accounts/2fa/totp/deactivate/")
    assert second_factor.HAS not in client.session
    join(circle.other_group, circle.member, "leader")
    assert client.get("/groups/").headers["Location"] == PAGE


# Nobody gets in by the password alone


def test_a_password_alone_opens_nothing_where_there_is_a_second_factor(circle):
    with_app(circle.member)
    client = Client()
    answer = sign_in(client, circle.member, PASSWORD)
    assert answer.headers["Location"] == "/accounts/2fa/authenticate/"
    assert "_auth_user_id" not in client.session
    for path in ("/groups/", "/settings/", PAGE):
        assert client.get(path).headers["Location"].startswith("/accounts/login/?next="), path
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "_auth_user_id" not in client.session
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert client.get("/settings/").status_code == 200


def test_a_code_opens_once_with_redis_and_without(circle):
    outage = caches["default"]._outage  # type: ignore[attr-defined]
    with_app(circle.member)
    for _ in range(2):
        client = Client()
        sign_in(client, circle.member, PASSWORD)
        used = code()
        client.post("/accounts/2fa/authenticate/", {"code": used})
        thief = Client()
        sign_in(thief, circle.member, PASSWORD)
        thief.post("/accounts/2fa/authenticate/", {"code": used})
        assert "_auth_user_id" in client.session
        assert "_auth_user_id" not in thief.session
        cache.clear()
        outage.begin()
    outage.until = 0.0


def test_what_was_typed_is_there_after_both_steps(client_of, circle):
    with_app(circle.member)
    client = client_of(circle.member)
    grow_stale(client)
    session = client.session
    session["sitting_seen"] = 0
    session.save()
    fields = {"name": "Dr Dana Green", "profession": "A quiet word"}
    assert client.post("/settings/", fields).status_code == 302
    sign_in(client, circle.member, PASSWORD, next="/accounts/again/")
    done = client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert done.headers["Location"] == "/accounts/again/"
    assert "A quiet word" in client.get("/accounts/again/").content.decode()


def test_no_code_is_set_that_always_opens(settings):
    assert not hasattr(settings, "MFA_TOTP_INSECURE_BYPASS_CODE")
    assert MFAAdapter().error_messages["cannot_delete_authenticator"] == second_factor.STAYS

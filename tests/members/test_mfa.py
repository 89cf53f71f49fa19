"""Second factors lie sealed in the database, each for its own person and its own field."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from members import keys, rotation
from members.envelope import NO_SCOPE, CannotOpen, KeyClass, seal
from members.mfa import MFAAdapter
from members.models import DataKey, Member
from tests.world import PASSWORD, as_member, as_owner, make_member

pytestmark = pytest.mark.django_db

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def member() -> Member:
    return make_member("Dr Dana Green")


@pytest.fixture
def other() -> Member:
    return make_member("Dr Olga Fern")


def with_app(person: Member, secret: str = SECRET) -> Authenticator:
    with as_member(person):
        return totp.TOTP.activate(person, secret).instance


def read(pk: int) -> Any:
    return Authenticator.objects.get(pk=pk)


def code_of(secret: str) -> str:
    now = next(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, now))


def swap_data(one: Authenticator, other: Authenticator) -> None:
    """As somebody with the database in hand would."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "update mfa_authenticator a set data = b.data from mfa_authenticator b"
            " where (a.id, b.id) in ((%s, %s), (%s, %s))",
            [one.pk, other.pk, other.pk, one.pk],
        )


def test_allauth_uses_our_adapter() -> None:
    assert type(get_adapter()) is MFAAdapter


def test_an_apps_secret_comes_back_from_its_row_and_stands_nowhere(member: Member) -> None:
    made = with_app(member)
    stored = json.dumps(read(made.pk).data)
    assert SECRET not in stored
    assert SECRET.encode() not in base64.b64decode(read(made.pk).data["secret"])
    assert MFAAdapter().decrypt(read(made.pk).data["secret"]) == SECRET
    assert DataKey.objects.get(key_class="site").scope == NO_SCOPE
    assert read(made.pk).wrap().validate_code(code_of(SECRET))


def test_the_seed_of_recovery_codes_is_sealed_too(member: Member) -> None:
    with as_member(member):
        made = RecoveryCodes.activate(member)
    codes = made.generate_codes()
    again = read(made.instance.pk)
    assert again.wrap().generate_codes() == codes
    assert re.fullmatch(r"[0-9a-f]{80}", MFAAdapter().decrypt(again.data["seed"]))
    assert not re.fullmatch(r"[0-9a-f]{80}", again.data["seed"])


def test_swapped_between_two_people_neither_opens(member: Member, other: Member) -> None:
    mine, theirs = with_app(member), with_app(other, totp.generate_totp_secret())
    swap_data(mine, theirs)
    for row in (read(mine.pk), read(theirs.pk)):
        with pytest.raises(CannotOpen):
            row.wrap().validate_code(code_of(SECRET))


def test_put_back_it_opens_again(member: Member, other: Member) -> None:
    mine, theirs = with_app(member), with_app(other)
    swap_data(mine, theirs)
    swap_data(mine, theirs)
    assert read(mine.pk).wrap().validate_code(code_of(SECRET))


def test_one_persons_app_and_recovery_codes_are_not_each_others(member: Member) -> None:
    app = with_app(member)
    with as_member(member):
        codes = RecoveryCodes.activate(member).instance
    with as_owner():
        seed = str(read(codes.pk).data["seed"])
        Authenticator.objects.filter(pk=app.pk).update(data={"secret": seed})
    with pytest.raises(CannotOpen):
        read(app.pk).wrap().validate_code("123456")


@pytest.mark.parametrize("stored", [SECRET, "", "not base64 at all", "é"])
def test_a_secret_that_was_never_sealed_is_refused(member: Member, stored: str) -> None:
    with as_owner():
        row = Authenticator.objects.create(user=member, type="totp", data={"secret": stored})
    with pytest.raises(CannotOpen):
        read(row.pk).wrap().validate_code("123456")


def test_a_secret_that_comes_from_no_row_is_refused() -> None:
    with pytest.raises(CannotOpen):
        MFAAdapter().decrypt(SECRET)


def test_a_secret_that_bypasses_its_row_is_not_stored_at_all(member: Member) -> None:
    made = with_app(member)
    with as_member(member):
        Authenticator.objects.filter(pk=made.pk).update(
            data={"secret": MFAAdapter().encrypt("in clear")}
        )
    assert read(made.pk).data == {"secret": ""}


def test_another_text_of_the_sites_key_is_no_second_factor(member: Member) -> None:
    parting_word = seal(
        "Thank you all",
        key_class=KeyClass.SITE,
        scope=NO_SCOPE,
        table_column="groups_farewell.word_sealed",
        row=member.pk,
        version=0,
    )
    made = with_app(member)
    with as_owner():
        data = {"secret": base64.b64encode(parting_word).decode()}
        Authenticator.objects.filter(pk=made.pk).update(data=data)
    with pytest.raises(CannotOpen):
        read(made.pk).wrap().validate_code("123456")


def test_rotated_keys_open_second_factors_as_before(
    member: Member, settings: Any, tmp_path: Path
) -> None:
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    keys.create(tmp_path / "keys.json")
    made = with_app(member)
    with as_owner():
        before = DataKey.objects.get(key_class="site").epoch
        rotation.rotate()
        rotation.shred(before)
    assert keys.in_use().current > before
    assert read(made.pk).wrap().validate_code(code_of(SECRET))


# The secret that waits for its first code


@pytest.fixture
def signed_in(member: Member) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": member.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def shown(client: Client) -> str:
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    (secret,) = set(re.findall(r"\b[A-Z2-7]{32}\b", page))
    return str(secret)


def test_a_waiting_secret_stands_in_the_http_session_only_sealed(signed_in: Client) -> None:
    secret = shown(signed_in)
    with as_owner():
        (row,) = [one for one in Session.objects.all() if "mfa.totp.secret" in one.get_decoded()]
    session = row.get_decoded()
    assert secret not in json.dumps(session)
    assert secret.encode() not in base64.b64decode(session["mfa.totp.secret"])


def test_its_first_code_makes_it_a_factor_and_ends_the_waiting(
    signed_in: Client, member: Member
) -> None:
    secret = shown(signed_in)
    wrong = signed_in.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert wrong.status_code == 200
    right = signed_in.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert right.status_code == 302
    assert "mfa.totp.secret" not in signed_in.session
    made = Authenticator.objects.get(user=member, type="totp")
    assert MFAAdapter().decrypt(made.data["secret"]) == secret


def test_somebody_elses_waiting_secret_is_none(signed_in: Client, other: Member) -> None:
    shown(signed_in)
    theirs = signed_in.session["mfa.totp.secret"]
    mine = Client()
    mine.post("/accounts/login/", {"login": other.email, "password": PASSWORD})
    mine.post("/accounts/reauthenticate/", {"password": PASSWORD})
    session = mine.session
    session["mfa.totp.secret"] = theirs
    session.save()
    page = mine.post("/accounts/2fa/totp/activate/", {"code": "123456"})
    assert page.status_code == 200
    assert mine.session["mfa.totp.secret"] != theirs

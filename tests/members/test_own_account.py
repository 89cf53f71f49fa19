"""Nobody but the person changes an address, a password or a second factor, and it is told."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.test import Client

from members.mfa import MFAAdapter
from members.models import Member
from tests.balint.addresses import ADDRESSES
from tests.balint.installation import install
from tests.world import PASSWORD, Circle, as_member, as_owner, make_member

pytestmark = pytest.mark.django_db

NEW = "new@example.org"
NEW_PASSWORD = "another long and quiet word"


@pytest.fixture
def member(db: None) -> Member:
    return make_member("Dr Dana Green")


@pytest.fixture
def other() -> Member:
    return make_member("Dr Olga Fern")


def refused(who: Member | None, statement: str, *values: Any, role: str = "balint_app") -> bool:
    """Whether the database refuses the statement; false when it changes a row."""
    with as_member(who, role):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, values)
                assert cursor.rowcount == 1, statement
                transaction.set_rollback(True)
        except DatabaseError as error:
            if getattr(error.__cause__, "sqlstate", "") != "42501":
                raise
            return True
    return False


def with_factors(person: Member) -> tuple[Authenticator, Authenticator]:
    with as_member(person):
        app = totp.TOTP.activate(person, totp.generate_totp_secret()).instance
        codes = RecoveryCodes.activate(person).instance
    return app, codes


# The person

SET = "update members_member set {} where id = %s"
MEMBER_CHANGES = {
    # column: may oneself, may nobody signed in, may somebody else
    "password = 'x'": (True, True, False),
    "email = 'elsewhere@example.org'": (False, False, False),
    "is_active = false": (True, False, False),
    "is_superuser = true": (False, False, False),
    "id = gen_random_uuid()": (False, False, False),
    "last_login = now()": (True, True, True),
    "name = 'Dr D. Green'": (True, True, True),
}


@pytest.mark.parametrize("change", MEMBER_CHANGES)
def test_who_may_change_what_of_a_person(member: Member, other: Member, change: str) -> None:
    asked = (member, None, other)
    may = tuple(not refused(who, SET.format(change), member.pk) for who in asked)
    assert may == MEMBER_CHANGES[change]


@pytest.mark.parametrize("role", ["balint_roster", "balint_worker"])
@pytest.mark.parametrize("change", MEMBER_CHANGES)
def test_the_office_and_the_worker_change_nothing_of_a_person(
    member: Member, other: Member, role: str, change: str
) -> None:
    assert refused(other, SET.format(change), member.pk, role=role)
    assert refused(member, SET.format(change), member.pk, role=role)


@pytest.mark.parametrize("table", ["members_member", "account_emailaddress", "mfa_authenticator"])
@pytest.mark.parametrize("right", ["INSERT", "UPDATE", "DELETE"])
@pytest.mark.parametrize("role", ["balint_roster", "balint_worker"])
def test_neither_has_a_right_to_write_at_all(table: str, right: str, role: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("select has_table_privilege(%s, %s, %s)", [role, table, right])
        assert cursor.fetchone() == (False,)


def test_an_address_counts_only_once_it_is_confirmed(member: Member) -> None:
    with as_member(member):
        EmailAddress.objects.create(user=member, email=NEW)
    assert refused(member, SET.format("email = %s"), NEW, member.pk)
    with as_owner():
        EmailAddress.objects.filter(user=member).update(primary=False)
        EmailAddress.objects.filter(email=NEW).update(verified=True, primary=True)
    for who in (member, None):
        assert not refused(who, SET.format("email = %s"), NEW, member.pk)


ACCOUNT = (
    "insert into members_member (id, password, is_superuser, email, name, profession, time_zone,"
    " language, quiet_from, quiet_until, calendar_mail, is_active, joined_at)"
    " values (gen_random_uuid(), '', {}, 'n@example.org', 'N', '', 'UTC', 'en', '22:00', '07:00',"
    " true, {}, now())"
)


@pytest.mark.parametrize(
    ("superuser", "active", "refusal"),
    [("false", "true", False), ("true", "true", True), ("false", "false", True)],
)
def test_an_account_is_made_by_nobody_signed_in_and_never_a_superusers(
    other: Member, superuser: str, active: str, refusal: bool
) -> None:
    assert refused(None, ACCOUNT.format(superuser, active)) is refusal
    assert refused(other, ACCOUNT.format(superuser, active))


# Addresses

ADD = (
    'insert into account_emailaddress (user_id, email, verified, "primary")'
    " values (%s, %s, true, false)"
)
MOVE = "update account_emailaddress set {} where user_id = %s"


def test_an_address_is_added_and_taken_away_by_its_person_alone(
    member: Member, other: Member
) -> None:
    gone = "delete from account_emailaddress where user_id = %s"
    assert not refused(member, ADD, member.pk, NEW)
    assert refused(None, ADD, member.pk, NEW)
    assert refused(other, ADD, member.pk, NEW)
    assert not refused(member, gone, member.pk)
    assert refused(None, gone, member.pk)
    assert refused(other, gone, member.pk)


def test_nobody_signed_in_may_only_confirm(member: Member, other: Member) -> None:
    with as_owner():
        EmailAddress.objects.filter(user=member).update(verified=False)
    changes = {
        "verified = true": (True, True, False),
        "email = 'elsewhere@example.org'": (True, False, False),
        f"user_id = '{other.pk}'": (False, False, False),
    }
    for change, may in changes.items():
        asked = (member, None, other)
        assert tuple(not refused(who, MOVE.format(change), member.pk) for who in asked) == may
    with as_owner():
        EmailAddress.objects.filter(user=member).update(verified=True)
    assert refused(None, MOVE.format("verified = false"), member.pk)


def test_the_first_address_is_the_accounts_own(member: Member) -> None:
    with as_owner():
        EmailAddress.objects.filter(user=member).delete()
    assert refused(None, ADD, member.pk, NEW)
    assert not refused(None, ADD, member.pk, member.email)


# Second factors

ADD_FACTOR = (
    "insert into mfa_authenticator (user_id, type, data, created_at)"
    " values (%s, 'webauthn', '{{}}', now())"
).replace("{{}}", "{}")
FACTOR = "update mfa_authenticator set {} where id = %s"


def test_a_factor_is_added_and_taken_away_by_its_person_alone(
    member: Member, other: Member
) -> None:
    app, _ = with_factors(member)
    gone = "delete from mfa_authenticator where id = %s"
    for statement, value in ((ADD_FACTOR, member.pk), (gone, app.pk)):
        assert not refused(member, statement, value)
        assert refused(None, statement, value)
        assert refused(other, statement, value)


def test_the_second_step_notes_that_a_factor_was_used_and_nothing_else(
    member: Member, other: Member
) -> None:
    app, _ = with_factors(member)
    changes = {
        "last_used_at = now()": (True, True, False),
        """data = '{"secret": "x"}'""": (True, False, False),
        "type = 'webauthn'": (False, False, False),
        f"user_id = '{other.pk}'": (False, False, False),
        "created_at = now() - interval '1 day'": (False, False, False),
    }
    for change, may in changes.items():
        asked = (member, None, other)
        assert tuple(not refused(who, FACTOR.format(change), app.pk) for who in asked) == may


def test_recovery_codes_are_struck_off_and_never_back_on(member: Member) -> None:
    _, codes = with_factors(member)
    used = "data = jsonb_set(data, '{used_mask}', '%s')"
    with as_owner():
        codes.data["used_mask"] = 0b0101
        codes.save()
    assert not refused(None, FACTOR.format(used % 0b0111), codes.pk)
    assert refused(None, FACTOR.format(used % 0b0100), codes.pk)
    assert refused(None, FACTOR.format(used % 0b1010), codes.pk)
    assert refused(None, FACTOR.format('data = data || \'{"seed": "x"}\''), codes.pk)
    assert refused(None, FACTOR.format("data = data - 'used_mask'"), codes.pk)


# What is told, and to which address


@pytest.fixture
def signed_in(member: Member) -> Client:
    client = Client()
    login(client, member.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    mail.outbox.clear()
    return client


def login(client: Client, address: str, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": address, "password": password})


def link_in(letter: Any) -> str:
    found = re.search(r"https?://[^/\s]+(/\S+)", letter.body)
    assert found
    return found[1]


def is_signed_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


def told() -> list[tuple[list[str], str]]:
    return [(letter.to, str(letter.subject)) for letter in mail.outbox]


def ask_for_new_address(client: Client) -> str:
    client.post("/accounts/email/", {"email": NEW, "action_add": ""})
    (letter,) = mail.outbox
    assert letter.to == [NEW]
    mail.outbox.clear()
    return link_in(letter)


@pytest.mark.parametrize("where", ["in the same browser", "where nobody is signed in"])
def test_the_old_address_is_told_of_the_new_one(
    signed_in: Client, member: Member, where: str
) -> None:
    old = member.email
    link = ask_for_new_address(signed_in)
    (signed_in if where == "in the same browser" else Client()).post(link)
    assert told() == [([old], "Your address was changed")]
    assert NEW in mail.outbox[0].body
    assert old in mail.outbox[0].body
    with as_owner():
        member.refresh_from_db()
        kept = list(EmailAddress.objects.filter(user=member).values_list("email", "primary"))
    assert (member.email, kept) == (NEW, [(NEW, True)])


def test_a_letters_link_in_somebody_elses_browser_signs_that_one_out(
    signed_in: Client, member: Member, other: Member
) -> None:
    link = ask_for_new_address(signed_in)
    theirs = Client()
    login(theirs, other.email)
    assert is_signed_in(theirs)
    theirs.post(link)
    with as_owner():
        member.refresh_from_db()
        other.refresh_from_db()
    assert member.email == NEW
    assert other.email != NEW
    assert not is_signed_in(theirs)


def test_another_address_wants_the_password_once_more(member: Member) -> None:
    client = Client()
    login(client, member.email)
    session = client.session
    session["account_authentication_methods"][-1]["at"] -= 24 * 60 * 60
    session.save()
    answer = client.post("/accounts/email/", {"email": NEW, "action_add": ""})
    assert "/accounts/reauthenticate/" in answer.headers["Location"]
    assert not EmailAddress.objects.filter(email=NEW).exists()


def test_who_has_a_second_factor_can_change_their_address_too(
    signed_in: Client, member: Member
) -> None:
    with_factors(member)
    old = member.email
    signed_in.post(ask_for_new_address(signed_in))
    assert told() == [([old], "Your address was changed")]


def code_of(secret: str) -> str:
    now = next(totp.yield_hotp_counters_from_time())
    return totp.format_hotp_value(totp.hotp_value(secret, now))


# A forgotten password


def test_a_forgotten_password_never_passes_the_second_factor(member: Member) -> None:
    app, codes = with_factors(member)
    client = Client()
    client.post("/accounts/password/reset/", {"email": member.email})
    link = client.get(link_in(mail.outbox[-1])).headers["Location"]
    passwords = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    client.post(link, passwords, follow=True)
    assert not is_signed_in(client)
    step = login(client, member.email, NEW_PASSWORD)
    assert step.headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": codes.wrap().generate_codes()[0]})
    assert is_signed_in(client)
    with as_owner():
        rows = Authenticator.objects.filter(user=member).order_by("pk")
        assert [row.pk for row in rows] == [app.pk, codes.pk]
        assert rows[1].data["used_mask"] == 1
        assert rows[1].last_used_at is not None


def test_a_new_password_by_letter_is_told(member: Member) -> None:
    client = Client()
    client.post("/accounts/password/reset/", {"email": member.email})
    link = client.get(link_in(mail.outbox.pop())).headers["Location"]
    client.post(link, {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    assert [to for to, _ in told()] == [[member.email]]


def test_the_app_of_a_person_who_signs_in_is_marked_as_used(member: Member) -> None:
    app, _ = with_factors(member)
    client = Client()
    login(client, member.email)
    secret = MFAAdapter().decrypt(Authenticator.objects.get(pk=app.pk).data["secret"])
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert is_signed_in(client)
    with as_owner():
        assert Authenticator.objects.get(pk=app.pk).last_used_at is not None


# Whatever an admin or a leader sends to any address of the office or of a group

BODY = {
    "email": "taken@evil.example",
    "login": "taken@evil.example",
    "password": "a password of the admin",
    "password1": "a password of the admin",
    "password2": "a password of the admin",
    "oldpassword": PASSWORD,
    "is_active": "",
    "is_superuser": "on",
    "action_add": "",
    "action_remove": "",
    "action_primary": "",
    "secret": "JBSWY3DPEHPK3PXP",
    "code": "123456",
    "user": "",
    "user_id": "",
    "member": "",
}
WAYS_IN = ("password", "email", "is_active", "is_superuser")


def ways_in() -> dict[str, list[tuple[Any, ...]]]:
    """Everything by which anybody signs in, as it stands in the database."""
    with as_owner():
        return {
            "people": sorted(Member.objects.values_list("pk", *WAYS_IN)),
            "addresses": sorted(
                EmailAddress.objects.values_list("pk", "user", "email", "verified", "primary")
            ),
            "factors": sorted(
                (row.pk, row.user_id, row.type, str(row.data))
                for row in Authenticator.objects.all()
            ),
        }


@pytest.mark.parametrize("who", ["admin", "leader", "superuser"])
def test_no_address_of_the_office_or_a_group_changes_how_anybody_signs_in(
    circle: Circle, client_of: Any, who: str
) -> None:
    there = install(circle)
    for person in (circle.member, circle.second_leader):
        with_factors(person)
    before = ways_in()
    client = client_of(getattr(circle, who))
    client.raise_request_exception = False
    body = BODY | {"user": str(circle.member.pk), "user_id": str(circle.member.pk)}
    asked = 0
    for address in ADDRESSES:
        if address.pattern.startswith(("programmes/", "groups/")):
            for path in address.paths(there.known):
                client.post(path, body)
                asked += 1
    assert asked > 20
    assert ways_in() == before

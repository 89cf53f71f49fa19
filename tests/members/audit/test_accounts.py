"""Of accounts and keys: that something changed, by whom; never to what."""

from io import StringIO

import pytest
from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.core.management import call_command
from django.urls import reverse

from members import keys
from members.envelope import NO_SCOPE
from members.identity import acting_as
from members.models import AuditEvent, Member
from tests.world import PASSWORD, as_owner

LONGER = "another long and quiet word"


def recorded():
    with as_owner():
        found = AuditEvent.objects.filter(chain=NO_SCOPE).order_by("number")
        return list(found.values_list("actor", "verb", "thing"))


def test_a_password_changed_on_its_page_is_on_record(circle, client_of):
    given = {"oldpassword": PASSWORD, "password1": LONGER, "password2": LONGER}
    client = client_of(circle.member)
    assert client.post(reverse("account_change_password"), given).status_code == 302
    assert recorded() == [(circle.member.pk, "changed", "password")]


@pytest.mark.parametrize(
    ("signal", "thing"),
    [
        (account.email_changed, "address"),
        (account.password_set, "password"),
        (account.password_reset, "password"),
        (mfa.authenticator_added, "second factor"),
        (mfa.authenticator_removed, "second factor"),
        (mfa.authenticator_reset, "second factor"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whatever_changes_how_somebody_signs_in_is_on_record(circle, signal, thing):
    handlers = [one for one in signal.receivers if "audit" in str(one[0])]
    assert len(handlers) == 1
    with acting_as(circle.member):
        handlers[0][1](sender=Member, request=None, user=circle.member)
    assert recorded() == [(circle.member.pk, "changed", thing)]


def test_keys_rotated_and_shredded_are_on_record(db, tmp_path, settings):
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    keys.create(tmp_path / "keys.json")
    with as_owner():
        call_command("keys", "rotate", stdout=StringIO())
        call_command("keys", "shred", "1", stdout=StringIO())
    assert recorded() == [(None, "rotated", "keys"), (None, "shredded", "keys")]

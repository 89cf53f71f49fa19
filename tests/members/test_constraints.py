"""Every named constraint of this app, tripped through the database."""

from uuid import UUID

import pytest
from django.utils import timezone

from members.models import AuditChain, AuditEvent, DataKey, Letter, Tombstone
from tests.constraints import named, tripped

SCOPE = UUID(int=7)


def key(**fields):
    return DataKey(**({"key_class": "case", "scope": SCOPE, "epoch": 1, "wrapped": b"x"} | fields))


def letter(**fields):
    given = {"kind": "invitation", "about_id": SCOPE, "address": "a@example.org"}
    return Letter(**(given | {"send_after": timezone.now(), "message_id": "<x@y>"} | fields))


def chain():
    return AuditChain(id=SCOPE, started_at=timezone.now())


def event(number, once=b"x"):
    said = {"verb": "read", "thing": "case", "frame": False, "digest": b"", "mac": b""}
    return AuditEvent(chain_id=SCOPE, number=number, at=timezone.now(), once=once, **said)


TRIPS = {
    "one_key_per_class_and_scope": lambda c: [key(), key()],
    "data_key_class_is_known": lambda c: key(key_class="everything"),
    "one_letter_per_kind_and_recipient": lambda c: [letter(), letter()],
    "letter_goes_to_member_or_address": lambda c: letter(recipient=c.member),
    "one_event_per_number": lambda c: [chain(), event(1), event(1, once=None)],
    "one_reading_per_day": lambda c: [chain(), event(1), event(2)],
    "tombstone_kind_is_known": lambda c: Tombstone(
        kind="letter", subject=SCOPE, made_at=timezone.now()
    ),
    "leased_letter_has_a_lease": lambda c: letter(state="leased", lease_token=SCOPE),
}


@pytest.mark.parametrize("name", TRIPS)
def test_the_database_refuses_what_breaks(circle, name):
    assert tripped(lambda: TRIPS[name](circle)) == name


def test_every_constraint_is_tripped(db):
    assert named("members") == set(TRIPS)

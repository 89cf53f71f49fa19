"""Nobody of the site reads, alters, empties or forges the record; appending is all there is."""

# ruff: noqa: S608 - statements put together from our own text

import secrets
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from members import audit
from members.envelope import NO_SCOPE
from members.identity import acting_as
from members.models import AuditChain, AuditEvent
from tests.world import as_member, as_owner

ROLES = ("balint_app", "balint_roster", "balint_worker")
WHO = (
    *("leader", "second_leader", "presenter", "member", "absent", "newcomer", "on_leave"),
    *("former", "admin", "outsider", "superuser"),
)
TABLES = ("members_auditevent", "members_auditchain")


@pytest.fixture
def recorded(circle):
    with acting_as(circle.member):
        audit.note(audit.READ, audit.Thing.CASE, group=circle.group.pk, about=circle.group.pk)
        audit.note(audit.CHANGED, audit.Thing.SECOND_FACTOR)
    return circle


def tried(who, role, statement, *values):
    """What the database says to it: how many rows, or why not."""
    with as_member(who, role):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.rowcount
        except ProgrammingError as refused:
            return str(refused).splitlines()[0]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", TABLES)
def test_no_persona_under_any_role_has_a_right_on_the_tables(recorded, role, table):
    refused = f"permission denied for table {table}"
    statements = (
        f"select 1 from {table}",
        f"insert into {table} select * from {table}",
        f"update {table} set mac = ''",
        f"delete from {table}",
        f"truncate {table} cascade",
    )
    for name in WHO:
        who = getattr(recorded, name)
        assert [tried(who, role, one) for one in statements] == [refused] * 5, name
    assert tried(None, role, statements[0]) == refused


@pytest.mark.parametrize("role", ["balint_owner", "balint_reader"])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["update {} set mac = 'x'", "delete from {}"])
def test_not_even_the_owner_of_tables_or_functions_alters_it(recorded, role, table, change):
    found = tried(None, role, change.format(table))
    assert found in (
        "the record is only ever appended",
        f"permission denied for table {table}",
    ) or (role, table, change[:6]) == ("balint_reader", "members_auditchain", "update")


@pytest.mark.parametrize("table", TABLES)
def test_it_is_not_emptied(recorded, table):
    with connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
    found = tried(None, "balint_owner", f"truncate {table} cascade")
    assert found == "the record is only ever appended"


def append(who, role, chain, number, before):
    mac = secrets.token_bytes(32)
    return tried(
        who,
        role,
        "select balint_audit_append(%s, %s, %s, array[now()], array[%s]::uuid[], array['read'],"
        " array['case'], array[false], array[null]::bytea[], array[%s], array[%s])",
        *(chain, number, before, who.pk, mac, mac),
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_forged_event_goes_nowhere_but_at_the_end_and_is_found_there(recorded, role):
    who, group = recorded.outsider, recorded.group.pk
    with as_owner():
        head = AuditChain.objects.get(pk=group)
        last = bytes(head.mac)
    refused = "the record goes on only where it ends"
    assert append(who, role, group, head.length, last) == refused
    assert append(who, role, group, head.length + 2, last) == refused
    assert append(who, role, group, head.length + 1, b"guess") == refused
    assert append(who, role, uuid4(), 1, b"") == refused
    assert append(who, role, group, head.length + 1, last) == 1
    with as_owner():
        found = {one.chain: one.trouble for one in audit.verify({}) if not one.whole}
    assert list(found) == [group]
    assert found[group][0] == "event 2 is not as it was written, or not in its place"


def test_an_event_without_a_digest_is_not_appended(recorded):
    empty = ["array[]::" + kind + "[]" for kind in ("timestamptz", "uuid", "text", "text")]
    empty += ["array[]::boolean[]", *["array[]::bytea[]"] * 3]
    with as_owner():
        head = AuditChain.objects.get(pk=recorded.group.pk)
    found = tried(
        recorded.member,
        "balint_app",
        f"select balint_audit_append(%s, %s, %s, {', '.join(empty)})",
        *(head.pk, head.length + 1, bytes(head.mac)),
    )
    assert found == "the record goes on only where it ends"


def test_the_functions_that_append_tell_nothing_but_where_a_chain_ends(recorded):
    with as_member(recorded.outsider), connection.cursor() as cursor:
        cursor.execute(
            "select * from balint_audit_head(%s, %s::bytea[], true)",
            [recorded.group.pk, [secrets.token_bytes(32)]],
        )
        length, mac, standing = cursor.fetchone()
    assert (length, len(bytes(mac)), standing) == (1, 32, [])


@pytest.mark.parametrize(
    ("call", "allowed"),
    [
        ("balint_audit_heads('{}', '{}')", {"balint_worker"}),
        ("balint_forget_events_due()", {"balint_worker"}),
        ("balint_audit_key()", set(ROLES)),
        (f"balint_record('{NO_SCOPE}', null, 9)", {"balint_app", "balint_roster"}),
    ],
)
def test_who_may_call_what(recorded, call, allowed):
    able = {
        role
        for role in ROLES
        if not isinstance(tried(recorded.leader, role, f"select * from {call}"), str)
    }
    assert able == allowed


def test_the_site_s_own_chain_is_read_by_nobody(recorded):
    for name in WHO:
        for role in ("balint_app", "balint_roster"):
            found = tried(
                getattr(recorded, name), role, f"select * from balint_record('{NO_SCOPE}', null, 9)"
            )
            assert found == 0, name


def test_the_forgetting_touches_nothing_that_is_not_due(recorded):
    assert tried(None, "balint_worker", "select balint_forget_events_due()") == 1
    with as_owner():
        assert AuditEvent.objects.exclude(verb="").count() == 2

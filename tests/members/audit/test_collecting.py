"""What is noted is written once, at the very end, and only if what was done stands."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from members import audit
from members.audit import chain
from members.audit.notes import Note
from members.envelope import CannotOpen, KeyClass, seal, unseal
from members.identity import IdentityMiddleware, acting_as
from members.models import AuditChain, AuditEvent, DataKey, Member
from members.refusals import Refused
from tests.members.audit.test_chain import as_somebody_with_the_database
from tests.world import as_owner

GROUP = UUID("22222222-2222-4222-8222-222222222222")
CASE = UUID("33333333-3333-4333-8333-333333333333")


def somebody():
    return Member(id=uuid4(), email=f"{uuid4()}@example.org")


def answered(view, who, path="/groups/"):
    """What the middleware makes of a view, for somebody."""
    request = RequestFactory().get(path)
    request.user = who
    return IdentityMiddleware(view)(request)


def reads(about=CASE, **more):
    audit.note(audit.READ, audit.Thing.CASE, group=GROUP, about=about, **more)


def plans():
    audit.note(audit.PLANNED, audit.Thing.DATES, group=GROUP)


def events():
    with as_owner():
        found = AuditEvent.objects.order_by("chain", "number")
        return list(found.values_list("actor", "verb", "thing", "frame"))


def said(status=200, *steps):
    def view(request):
        for step in steps:
            step()
        return HttpResponse(status=status)

    return view


# When


def test_an_event_says_who_did_what_to_which_kind_of_thing_and_nothing_else(db):
    who = somebody()
    answered(said(200, plans, reads), who)
    assert events() == [(who.pk, "planned", "dates", True), (who.pk, "read", "case", False)]


def test_without_anything_noted_nothing_is_asked(db):
    who = somebody()
    with CaptureQueriesContext(
        connection,
    ) as quiet:
        answered(said(200), who)
    assert not [query for query in quiet if "audit" in query["sql"]]
    # Savepoint, identity, release: the test itself is the outer transaction.
    assert len(quiet) == 3


def test_the_chain_is_locked_after_everything_else(db):
    def asks():
        with connection.cursor() as cursor:
            cursor.execute("select 'the last of the view'")

    answered(said(200, plans), somebody())
    with CaptureQueriesContext(connection) as asked:
        answered(said(200, plans, reads, plans, asks), somebody())
    statements = [query["sql"] for query in asked]
    place = next(n for n, sql in enumerate(statements) if "the last of the view" in sql)
    told = [sql.split("(")[0].split("public.")[-1] for sql in statements[place + 1 : -1]]
    assert told == ["balint_audit_key", "balint_audit_head", "balint_audit_append"]


def test_a_task_within_another_leaves_the_writing_to_it(db):
    outer, inner = somebody(), somebody()
    with acting_as(outer):
        plans()
        with acting_as(inner):
            plans()
        assert events_now() == 0
        plans()
    assert [event[0] for event in events()] == [outer.pk, inner.pk, outer.pk]


def events_now():
    with acting_as(None, "balint_owner"):
        return AuditEvent.objects.count()


def test_outside_of_any_request_it_is_written_at_once(db):
    audit.note(audit.ROTATED, audit.Thing.KEYS)
    assert events() == [(None, "rotated", "keys", False)]


def test_a_group_is_named_for_what_is_a_groups_and_for_nothing_else(db):
    with pytest.raises(ValueError, match="Events of a group name it"):
        audit.note(audit.READ, audit.Thing.CASE)
    with pytest.raises(ValueError, match="events of the site have none"):
        audit.note(audit.ROTATED, audit.Thing.KEYS, group=GROUP)


# What was taken back


def refused():
    try:
        with transaction.atomic():
            plans()
            raise Refused
    except Refused:
        pass


def test_a_step_that_was_refused_is_not_on_record_though_the_request_goes_on(db):
    answered(said(409, refused, reads), somebody())
    assert [event[1] for event in events()] == ["read"]


@pytest.mark.parametrize("status", [500, 503])
def test_what_an_error_took_back_is_not_on_record(db, status):
    answered(said(status, plans, reads), somebody())
    assert events() == []


def test_a_task_that_failed_leaves_nothing_on_record(db):
    def fails():
        with acting_as(somebody()):
            plans()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert events() == []


def opens_what_was_moved():
    place: dict[str, Any] = {
        "key_class": KeyClass.CASE,
        "scope": GROUP,
        "table_column": "a.b",
        "version": 1,
    }
    blob = seal("A title", **place, row=CASE)
    unseal(blob, **place, row=GROUP)


def broken(request):
    """As Django answers an exception: with a page that says so."""
    try:
        plans()
        opens_what_was_moved()
    except CannotOpen:
        return HttpResponse(status=500)


def test_a_sealed_text_that_does_not_open_is_on_record_though_all_else_is_taken_back(db):
    who = somebody()
    answered(broken, who)
    assert events() == [(who.pk, "failed", "sealed text", False)]
    answered(broken, who)
    assert len(events()) == 1


def test_it_is_in_a_task_as_well_and_the_failure_is_not_hidden(db):
    who = somebody()
    with pytest.raises(CannotOpen), acting_as(who):
        opens_what_was_moved()
    assert events() == [(who.pk, "failed", "sealed text", False)]


def test_a_page_that_swallows_it_is_on_record_too(db):
    def swallowed():
        with pytest.raises(CannotOpen):
            opens_what_was_moved()

    answered(said(200, swallowed), somebody())
    assert [event[1:3] for event in events()] == [("failed", "sealed text")]


# Once a day


def test_a_reading_is_on_record_once_per_person_thing_and_day(db):
    one, other = somebody(), somebody()
    answered(said(200, reads, reads), one)
    answered(said(200, reads), one)
    answered(said(200, reads), other)
    answered(said(200, lambda: reads(uuid4())), one)
    assert [event[0] for event in events()] == [one.pk, other.pk, one.pk]


def test_it_is_on_record_again_on_another_day(db):
    at = timezone.now().replace(hour=12)
    read = [
        Note(audit.READ, audit.Thing.CASE, GROUP, None, at + hours, CASE)
        for hours in (timedelta(0), timedelta(hours=11), timedelta(hours=13))
    ]
    with acting_as(None):
        chain.write(read)
        chain.write(read)
    assert len(events()) == 2


def test_what_stands_already_locks_nothing(db):
    who = somebody()
    answered(said(200, reads), who)
    with CaptureQueriesContext(connection) as asked:
        answered(said(200, reads), who)
    assert not [query for query in asked if "balint_audit_append" in query["sql"]]
    with acting_as(None), connection.cursor() as cursor:
        with as_owner():
            once = bytes(AuditEvent.objects.get().once or b"")
        cursor.execute("select * from balint_audit_head(%s, %s, false)", [GROUP, [once]])
        assert cursor.fetchone() is None


def test_nothing_in_the_table_leads_to_the_case_or_from_one_reader_to_the_other(db):
    for _ in range(2):
        answered(said(200, reads), somebody())
    with as_owner():
        rows = [
            b"".join(bytes(part or b"") for part in (e.once, e.digest, e.mac))
            for e in AuditEvent.objects.all()
        ]
        onces = {bytes(e.once or b"") for e in AuditEvent.objects.all()}
    assert len(onces) == 2
    assert not any(CASE.bytes in row for row in rows)


def test_what_is_ones_own_is_not_on_record(db):
    one, other = somebody(), somebody()
    for who in (one, other):
        answered(said(200, lambda: reads(of=one.pk)), who)
    assert [event[0] for event in events()] == [other.pk]


def test_what_is_nobodys_own_is_on_record_for_who_is_not_signed_in(db):
    with acting_as(None):
        reads(of=None)
    assert len(events()) == 1


# At once


@pytest.fixture
def committed(django_db_setup, django_db_blocker):
    """A database without a transaction round the test; what it wrote is taken away again."""
    with django_db_blocker.unblock():
        try:
            yield
        finally:
            with as_somebody_with_the_database():
                AuditEvent.objects.filter(chain=GROUP).delete()
                AuditChain.objects.filter(pk=GROUP).delete()
                DataKey.objects.filter(key_class="site").delete()
            connection.close()


def test_ten_who_are_asked_at_once_do_not_wait_for_each_other_inside_their_requests(committed):
    inside = Barrier(10, timeout=20)

    def view(request):
        plans()
        reads()
        # Everyone has noted before anyone is answered: nobody holds the chain meanwhile.
        inside.wait()
        return HttpResponse()

    def ask(_):
        try:
            return answered(view, somebody()).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(ask, range(10))) == [200] * 10
    with as_owner():
        assert AuditChain.objects.get(pk=GROUP).length == 20
        verdicts = {one.chain: one.trouble for one in audit.verify({})}
    assert verdicts[GROUP] == []

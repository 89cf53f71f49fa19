"""Every edit, removal, reordering and cut of the record is found; two years make it shorter."""

# ruff: noqa: S608 - statements put together from our own text

from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from members import audit, keys, rotation
from members.audit import mac
from members.audit.chain import Event, append
from members.audit.mac import Happening
from members.envelope import NO_SCOPE
from members.identity import acting_as
from members.models import AuditChain, AuditEvent, DataKey
from tests.world import as_owner

GROUP = UUID("11111111-1111-4111-8111-111111111111")
DAY = timedelta(days=1)


@contextmanager
def as_somebody_with_the_database():
    """All rights on the tables, and the guards taken away: an operator, without the key file."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        for table in ("members_auditevent", "members_auditchain"):
            cursor.execute(f"alter table {table} disable trigger user")
        yield cursor
        cursor.execute("set constraints all immediate")
        for table in ("members_auditevent", "members_auditchain"):
            cursor.execute(f"alter table {table} enable trigger user")


def happened(verb="changed", thing="dates"):
    return Happening(uuid4(), verb, thing, thing == "dates", None)


def record(days_ago, chain=GROUP):
    """One event for each number of days."""
    with acting_as(None):
        of = mac.keys_of(chain, mac.bare_key())
        now = timezone.now()
        append(chain, of, [Event(now - days * DAY, happened()) for days in days_ago])


def kept():
    with acting_as(None, "balint_worker"):
        return audit.heads()


def trouble(anchors=None):
    with as_owner():
        verdicts = audit.verify(anchors or {})
    return {verdict.chain: verdict.trouble for verdict in verdicts if not verdict.whole}


def forget():
    with acting_as(None, "balint_worker"), connection.cursor() as cursor:
        cursor.execute("select balint_forget_events_due()")
        return cursor.fetchone()[0]


@pytest.fixture
def chain(db):
    """Five events of a group, two of another, one of the site; and the heads, kept elsewhere."""
    record([5, 4, 3, 2, 1])
    record([2, 1], chain=uuid4())
    with acting_as(None):
        audit.note(audit.ROTATED, audit.Thing.KEYS)
    return kept()


def test_a_record_that_nobody_touched_is_whole(chain):
    assert trouble(chain) == {}
    with as_owner():
        assert sorted(verdict.length for verdict in audit.verify(chain)) == [1, 2, 5]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("verb = 'read'", "event 3 does not say what was written"),
        ("thing = 'case'", "event 3 does not say what was written"),
        ("frame = not frame", "event 3 does not say what was written"),
        ("actor = null", "event 3 does not say what was written"),
        ("actor = gen_random_uuid()", "event 3 does not say what was written"),
        ("once = 'x'", "event 3 does not say what was written"),
        (
            "at = at + interval '1 microsecond'",
            "event 3 is not as it was written, or not in its place",
        ),
    ],
)
def test_an_event_that_was_edited_is_found(chain, change, found):
    with as_somebody_with_the_database() as cursor:
        cursor.execute(
            f"update members_auditevent set {change} where chain_id = %s and number = 3", [GROUP]
        )
    assert trouble() == {GROUP: [found]}


def test_an_event_edited_together_with_its_digest_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute(
            "update members_auditevent set (actor, digest) = (select actor, digest from "
            "members_auditevent where chain_id = %s and number = 2) "
            "where chain_id = %s and number = 3",
            [GROUP, GROUP],
        )
    assert trouble() == {GROUP: ["event 3 is not as it was written, or not in its place"]}


def test_an_event_that_was_deleted_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute(
            "delete from members_auditevent where chain_id = %s and number in (2, 3)", [GROUP]
        )
    assert trouble() == {
        GROUP: [
            "missing: events 2 to 3",
            "event 4 is not as it was written, or not in its place",
        ]
    }


def test_events_deleted_and_the_rest_numbered_anew_are_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute("delete from members_auditevent where chain_id = %s and number = 2", [GROUP])
        for number in (3, 4, 5):
            cursor.execute(
                "update members_auditevent set number = number - 1 "
                "where chain_id = %s and number = %s",
                [GROUP, number],
            )
        cursor.execute("update members_auditchain set length = 4 where id = %s", [GROUP])
    found = [f"event {n} is not as it was written, or not in its place" for n in (2, 3, 4)]
    assert trouble() == {GROUP: found}


def test_events_that_changed_places_are_found(chain):
    with as_somebody_with_the_database() as cursor:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            cursor.execute(
                "update members_auditevent set number = %s where chain_id = %s and number = %s",
                [new, GROUP, old],
            )
    found = [f"event {n} is not as it was written, or not in its place" for n in (2, 3, 4)]
    assert trouble() == {GROUP: found}


def test_an_event_moved_to_another_chain_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute(
            "update members_auditevent set chain_id = %s, number = 2 "
            "where chain_id = %s and number = 5",
            [NO_SCOPE, GROUP],
        )
    assert set(trouble()) == {GROUP, NO_SCOPE}


def cut_to(number):
    with as_somebody_with_the_database() as cursor:
        cursor.execute(
            "delete from members_auditevent where chain_id = %s and number > %s", [GROUP, number]
        )
        cursor.execute(
            "update members_auditchain set length = %s, mac = (select mac from members_auditevent "
            "where chain_id = %s and number = %s) where id = %s",
            [number, GROUP, number, GROUP],
        )


def test_an_end_that_was_cut_is_found_by_the_heads_that_were_kept_and_only_by_them(chain):
    cut_to(3)
    assert trouble() == {}
    found = ["the end was cut: event 5 was there when the heads were kept"]
    assert trouble(chain) == {GROUP: found}


def test_an_end_that_was_cut_and_grew_again_is_found(chain):
    cut_to(3)
    record([0.5, 0.4, 0.3])
    found = ["event 5 is not the one whose head was kept"]
    assert trouble() == {}
    assert trouble(chain) == {GROUP: found}


def test_a_head_that_no_longer_stands_is_not_replaced_by_what_the_chain_says_now(chain):
    cut_to(3)
    with acting_as(None, "balint_worker"):
        assert GROUP not in audit.heads(chain)
    record([0.5, 0.4, 0.3])
    with acting_as(None, "balint_worker"):
        assert set(audit.heads(chain)) == set(chain) - {GROUP}
        assert audit.heads()[GROUP][0] == 6


def test_a_head_without_its_last_event_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute("delete from members_auditevent where chain_id = %s and number = 5", [GROUP])
    assert trouble() == {GROUP: ["the chain ends at event 4; its head says 5"]}


def test_a_chain_that_is_gone_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute("delete from members_auditevent where chain_id = %s", [GROUP])
        cursor.execute("delete from members_auditchain where id = %s", [GROUP])
    assert trouble() == {}
    assert trouble(chain) == {GROUP: ["the chain is missing; it had 5 events"]}


def test_the_whole_table_replaced_by_an_older_one_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute("create temp table older as select * from members_auditevent")
        cursor.execute("create temp table older_heads as select * from members_auditchain")
    record([0.5])
    later = kept()
    with as_somebody_with_the_database() as cursor:
        cursor.execute("delete from members_auditevent")
        cursor.execute("delete from members_auditchain")
        cursor.execute("insert into members_auditchain select * from older_heads")
        cursor.execute("insert into members_auditevent select * from older")
    assert trouble(chain) == {}
    found = ["the end was cut: event 6 was there when the heads were kept"]
    assert trouble(later) == {GROUP: found}


def test_a_whole_table_made_under_another_key_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute("delete from members_auditevent")
        cursor.execute("delete from members_auditchain")
    with as_owner():
        mine = DataKey.objects.get(scope=mac.SCOPE)
        DataKey.objects.filter(scope=mac.SCOPE).delete()
    record([5, 4, 3, 2, 1])
    with as_owner():
        DataKey.objects.filter(scope=mac.SCOPE).update(epoch=mine.epoch, wrapped=mine.wrapped)
        DataKey.objects.filter(scope=mac.SCOPE).update(id=mine.pk)
    assert len(trouble()[GROUP]) == 10


def test_a_record_whose_key_is_gone_cannot_be_verified(chain):
    with as_owner():
        DataKey.objects.filter(scope=mac.SCOPE).delete()
    assert len(trouble()) == 3


def test_digests_outlive_a_rotation_and_the_shredding_of_the_old_epoch(chain, tmp_path, settings):
    with as_owner():
        DataKey.objects.all().delete()
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    keys.create(tmp_path / "keys.json")
    other = uuid4()
    record([3, 2], chain=other)
    with as_owner():
        rotation.rotate()
        rotation.shred(1)
    record([1], chain=other)
    assert other not in trouble()


# What is forgotten


def test_what_is_older_than_two_years_goes_and_the_rest_is_still_verified(chain):
    old = uuid4()
    record([900, 800, 740, 700, 10], chain=old)
    before = kept()
    assert forget() == 3
    assert forget() == 0
    with as_owner():
        stays = list(
            AuditEvent.objects.filter(chain=old)
            .order_by("number")
            .values_list("number", "verb", "thing", "actor", "frame", "once")
        )
    assert stays[0] == (3, "", "", None, False, None)
    assert [row[:3] for row in stays[1:]] == [(4, "changed", "dates"), (5, "changed", "dates")]
    assert trouble(before) == {}


def test_what_becomes_due_later_goes_later(db):
    record([900, 800, 740, 700, 10])
    forget()
    with as_somebody_with_the_database() as cursor:
        cursor.execute("select at from members_auditevent where number = 4")
    before = kept()
    record([5])
    assert forget() == 0
    assert trouble(before) == {}


def test_a_chain_that_is_older_as_a_whole_goes_but_for_its_blank_end(db):
    record([900, 800])
    before = kept()
    assert forget() == 2
    assert trouble(before) == {}
    record([1])
    assert forget() == 0
    assert trouble(before) == {}
    with as_owner():
        assert AuditChain.objects.get(pk=GROUP).length == 3


def test_events_forgotten_before_their_time_are_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute(
            "update members_auditchain set kept_from = 4, mac_before = (select mac from "
            "members_auditevent where chain_id = %s and number = 3) where id = %s",
            [GROUP, GROUP],
        )
        cursor.execute("delete from members_auditevent where chain_id = %s and number < 4", [GROUP])
    assert trouble() == {GROUP: ["events before 4 were forgotten before their time"]}


def test_an_event_blanked_before_its_time_is_found(chain):
    with as_somebody_with_the_database() as cursor:
        cursor.execute(
            "update members_auditevent set actor = null, verb = '', thing = '', frame = false "
            "where chain_id = %s and number = 2",
            [GROUP],
        )
    assert trouble() == {GROUP: ["event 2 was blanked before its time"]}

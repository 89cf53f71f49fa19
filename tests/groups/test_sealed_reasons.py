"""A reason in its real table: sealed at rest, and noticed when somebody moves it about there."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from groups.models import Group, Leave
from members.envelope import CannotOpen
from tests.world import as_owner, make_group, make_member

pytestmark = pytest.mark.django_db

REASON = "An operation in March"


@pytest.fixture
def group() -> Group:
    return make_group()


def leave(group: Group, reason: str = REASON) -> Leave:
    member = make_member()
    with as_owner():
        row = Leave(group=group, member=member, starts_at=timezone.now())
        row.reason = reason
        row.save()
    return row


def run(statement: str, *values: Any) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def read(row: Leave) -> str:
    with as_owner():
        return Leave.objects.get(pk=row.pk).reason


def test_a_reason_lies_sealed_in_its_table_and_reads_back(group: Group) -> None:
    row = leave(group)
    assert read(row) == REASON
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT groups_leave::text FROM groups_leave WHERE id = %s", [row.pk])
        text = cursor.fetchone()[0]
    assert REASON.encode().hex() not in text
    assert REASON not in text


def test_no_reason_is_null(group: Group) -> None:
    row = leave(group, reason="")
    with as_owner():
        assert Leave.objects.filter(reason_sealed=None).get() == row


def test_a_reason_is_changed_by_saving_its_two_columns(group: Group) -> None:
    row = leave(group)
    row.reason = "Back sooner"
    with as_owner():
        row.save(update_fields=Leave.reason.columns)
    assert read(row) == "Back sooner"


def test_a_reason_may_be_put_by_update_or_create(group: Group) -> None:
    row = leave(group)
    changed: dict[str, Any] = {"reason": "Back sooner"}
    with as_owner():
        Leave.objects.update_or_create(pk=row.pk, defaults=changed)
    assert read(row) == "Back sooner"


def test_reasons_swapped_in_the_database_do_not_open(group: Group) -> None:
    rows = [leave(group), leave(group)]
    run(
        "UPDATE groups_leave one SET reason_sealed = other.reason_sealed, "
        "reason_version = other.reason_version FROM groups_leave other WHERE one.id <> other.id"
    )
    for row in rows:
        with pytest.raises(CannotOpen):
            read(row)


def test_a_reason_put_back_from_a_backup_does_not_open(group: Group) -> None:
    row = leave(group)
    older = vars(row)["reason_sealed"]
    row.reason = "Back sooner"
    with as_owner():
        row.save()
    run("UPDATE groups_leave SET reason_sealed = %s WHERE id = %s", older, row.pk)
    with pytest.raises(CannotOpen):
        read(row)


def test_a_reason_moved_to_another_group_does_not_open(group: Group) -> None:
    row = leave(group)
    run("UPDATE groups_leave SET group_id = %s WHERE id = %s", make_group().pk, row.pk)
    with pytest.raises(CannotOpen):
        read(row)

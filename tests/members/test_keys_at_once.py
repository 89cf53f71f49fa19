"""Two connections at once: one key per scope, and no epoch shredded under a key being made."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import Queue
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from members import keys, rotation
from members.envelope import KeyClass, seal, unseal
from members.keys import KeyFileError
from members.models import DataKey
from tests.world import as_owner

pytestmark = pytest.mark.usefixtures("django_db_setup")


@pytest.fixture(autouse=True)
def path(tmp_path: Path, settings: Any, django_db_blocker: Any) -> Iterator[Path]:
    """A key file, and a database without a transaction round the test; made keys are deleted."""
    settings.BALINT_KEY_FILE = str(tmp_path / "keys.json")
    keys.create(tmp_path / "keys.json")
    with django_db_blocker.unblock():
        try:
            yield tmp_path / "keys.json"
        finally:
            with as_owner():
                DataKey.objects.all().delete()
            connection.close()


def blocked_in_another_connection(work: Callable[[], Any]) -> "Future[Any]":
    """Start `work` in a thread of its own and come back when it waits for us in the database."""
    backends: Queue[int] = Queue()

    def run() -> Any:
        try:
            backends.put(_backend())
            return work()
        finally:
            connection.close()

    pool = ThreadPoolExecutor(1)
    started = pool.submit(run)
    pool.shutdown(wait=False)
    _wait_until_blocked(backends.get(timeout=10))
    return started


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _wait_until_blocked(other: int) -> None:
    for _ in range(1000):
        with connection.cursor() as cursor:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s))", [other])
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    pytest.fail("The other connection never waited.")


def sealed(scope: UUID) -> tuple[bytes, dict[str, Any]]:
    place: dict[str, Any] = {
        "key_class": KeyClass.CASE,
        "scope": scope,
        "table_column": "a.b_sealed",
        "row": uuid4(),
        "version": 1,
    }
    with transaction.atomic():
        return seal("a title", **place), place


def test_two_first_uses_at_once_make_one_key() -> None:
    scope = uuid4()
    with transaction.atomic():
        blob, place = sealed(scope)
        other = blocked_in_another_connection(lambda: sealed(scope))
    other_blob, other_place = other.result(timeout=10)
    assert DataKey.objects.filter(scope=scope).count() == 1
    assert blob[:17] == other_blob[:17]
    assert unseal(blob, **place) == unseal(other_blob, **other_place) == "a title"


def test_a_first_use_undone_leaves_the_other_its_own_key() -> None:
    scope = uuid4()
    with transaction.atomic():
        undone, _ = sealed(scope)
        other = blocked_in_another_connection(lambda: sealed(scope))
        transaction.set_rollback(True)
    blob, place = other.result(timeout=10)
    assert blob[1:17] == DataKey.objects.get(scope=scope).id.bytes != undone[1:17]
    assert unseal(blob, **place) == "a title"


def test_a_key_is_not_made_under_an_epoch_shredded_meanwhile(path: Path) -> None:
    with as_owner():
        rotation.rotate()
    with as_owner(), rotation._keys_held_still():
        making = blocked_in_another_connection(lambda: sealed(uuid4()))
        keys.replace(path, keys.read(path).with_new_epoch().without(2))
    with pytest.raises(KeyFileError, match="has no epoch 2"):
        making.result(timeout=10)
    assert DataKey.objects.count() == 0

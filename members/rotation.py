"""Make, rotate, shred and prove the keys; run by the database's owner, never by the web."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from django.db import DatabaseError, connection, transaction
from django.views.decorators.debug import sensitive_variables

from members import keys
from members.envelope import NONCE_BYTES, CannotOpen, rewrap, unwrapped
from members.keys import KeyFile, KeyFileError
from members.models import DataKey

TEST_BLOB = b"This copy opens what the key file in use sealed."


class CannotProve(Exception):
    """The copy does not open everything; the text says what it fails at, never a key."""


@dataclass(frozen=True)
class Rotated:
    epoch: int
    rewrapped: int


@dataclass(frozen=True)
class Proved:
    """`shredded` are epochs the copy still holds although the file in use no longer does."""

    epochs: list[int]
    data_keys: int
    shredded: list[int]


@contextmanager
def _keys_held_still() -> Iterator[None]:
    """No data key is made, and no other rotation runs, until the transaction ends."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE members_datakey IN SHARE ROW EXCLUSIVE MODE")
        yield


def create() -> Path:
    """Write the first key file of a new installation and say where; raises KeyFileError.

    Refused where data keys exist: a fresh file would open none of them, and what is sealed
    under it would be lost as soon as the right one is put back.
    """
    path = keys.path_in_use()
    if not path.exists() and _has_data_keys():
        raise KeyFileError(
            f"The database holds sealed texts, but there is no key file at {path}. "
            "Put back your offline copy; a new file would open none of them."
        )
    keys.create(path)
    return path


def _has_data_keys() -> bool:
    try:
        with transaction.atomic():
            return DataKey.objects.exists()
    except DatabaseError:
        # No database yet, or no tables in it: this is how every installation begins.
        return False


def rotate() -> Rotated:
    """Add an epoch to the key file and wrap every data key under it; older epochs stay.

    The file is safe on disk before the database commits: a crash in between leaves an epoch
    unused, never a key that nothing opens. Raises CannotOpen, KeyFileError.
    """
    path = keys.path_in_use()
    with _keys_held_still():
        key_file = keys.read(path).with_new_epoch()
        rows = list(DataKey.objects.all())
        for row in rows:
            _rewrap(row, key_file)
        keys.replace(path, key_file)
        DataKey.objects.bulk_update(rows, ["epoch", "wrapped"], batch_size=500)
    return Rotated(epoch=key_file.current, rewrapped=len(rows))


@sensitive_variables()
def _rewrap(row: DataKey, key_file: KeyFile) -> None:
    bare = unwrapped(row, key_file)
    rewrap(row, bare, key_file)


def shred(epoch: int) -> None:
    """Take an epoch out of the key file for good; raises KeyFileError while a data key uses it."""
    path = keys.path_in_use()
    with _keys_held_still():
        key_file = keys.read(path).without(epoch)
        using = DataKey.objects.filter(epoch=epoch).count()
        if using:
            raise KeyFileError(
                f"Data keys still wrapped under epoch {epoch}: {using}. "
                "Run “manage.py keys rotate” first."
            )
        keys.replace(path, key_file)


def prove(copy_path: Path) -> Proved:
    """Open a test blob of every epoch, and every data key, with a copy of the key file alone.

    Raises CannotProve, or KeyFileError if either file cannot be read. Changes nothing.
    """
    path = keys.path_in_use()
    original, copy = keys.read(path), keys.read_copy(copy_path)
    if path.samefile(copy_path):
        raise CannotProve(f"{copy_path} is the key file in use, not a copy of it.")
    for epoch in original.epochs:
        _prove_epoch(epoch, original, copy)
    rows: list[Any] = list(DataKey.objects.all())
    failed = [row for row in rows if not _opens(row, copy)]
    if failed:
        raise CannotProve(f"The copy does not open {len(failed)} of {len(rows)} data keys.")
    shredded = sorted(set(copy.epochs) - set(original.epochs))
    return Proved(epochs=sorted(original.epochs), data_keys=len(rows), shredded=shredded)


def _prove_epoch(epoch: int, original: KeyFile, copy: KeyFile) -> None:
    nonce = os.urandom(NONCE_BYTES)
    blob = original.cipher(epoch).encrypt(nonce, TEST_BLOB, None)
    try:
        copy.cipher(epoch).decrypt(nonce, blob, None)
    except (InvalidTag, KeyFileError):
        raise CannotProve(
            f"The copy does not open what epoch {epoch} sealed. Make a new copy."
        ) from None


def _opens(row: Any, copy: KeyFile) -> bool:
    try:
        unwrapped(row, copy)
    except CannotOpen:
        return False
    return True

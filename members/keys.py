"""The key file: key-encryption keys in epochs, outside the database and outside its backups.

Whoever holds a dump holds only wrapped keys; whoever loses this file has lost every title and
reason. So it is written atomically, never overwritten, and refused when others may read it.
The sentences here are for whoever runs the server, so they are plain English and say what to do.
"""

import base64
import binascii
import contextlib
import json
import os
import stat
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.views.decorators.debug import sensitive_variables

KEY_BYTES = 32
FILE_MODE = 0o400
MOST_OPENED = 1024


class KeyFileError(Exception):
    """The key file cannot be used; the text says why and what to do, and never holds a key."""


@dataclass(frozen=True)
class OpenedKey:
    """A data key, unwrapped, and what it was made for."""

    id: UUID
    key_class: str
    scope: UUID
    cipher: AESGCM = field(repr=False)


class OpenedKeys:
    """The data keys used most recently, in the memory of this process alone."""

    def __init__(self) -> None:
        self._keys: OrderedDict[UUID, OpenedKey] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, key_id: UUID) -> OpenedKey | None:
        with self._lock:
            if key_id in self._keys:
                self._keys.move_to_end(key_id)
            return self._keys.get(key_id)

    def keep(self, key: OpenedKey) -> None:
        with self._lock:
            self._keys[key.id] = key
            self._keys.move_to_end(key.id)
            while len(self._keys) > MOST_OPENED:
                self._keys.popitem(last=False)

    def forget(self) -> None:
        with self._lock:
            self._keys.clear()


@dataclass(frozen=True)
class KeyFile:
    """The epochs and which of them wraps new keys.

    `opened` lives and dies with this reading of the file, so an epoch taken out of the file
    stops opening anything at once, in every process.
    """

    current: int
    epochs: Mapping[int, bytes] = field(repr=False)
    opened: OpenedKeys = field(default_factory=OpenedKeys, repr=False, compare=False)

    def cipher(self, epoch: int) -> AESGCM:
        """The cipher of one epoch; raises KeyFileError if the file does not hold it."""
        if epoch not in self.epochs:
            raise KeyFileError(
                f"The key file has no epoch {epoch}. Put back the copy that holds it."
            )
        return AESGCM(self.epochs[epoch])

    def with_new_epoch(self) -> "KeyFile":
        """The same file with a fresh key as its current epoch."""
        number = max(self.epochs, default=0) + 1
        return KeyFile(current=number, epochs={**self.epochs, number: _fresh_key()})

    def without(self, epoch: int) -> "KeyFile":
        """The same file without one epoch; raises KeyFileError for the current or no epoch."""
        if epoch == self.current:
            raise KeyFileError(
                f"Epoch {epoch} is the current one. Run “manage.py keys rotate” first."
            )
        if epoch not in self.epochs:
            raise KeyFileError(f"The key file has no epoch {epoch}: nothing was changed.")
        rest = {number: key for number, key in self.epochs.items() if number != epoch}
        return KeyFile(current=self.current, epochs=rest)

    def as_json(self) -> str:
        epochs = {str(n): base64.b64encode(key).decode() for n, key in self.epochs.items()}
        return json.dumps({"epochs": epochs, "current": self.current}, indent=2) + "\n"


def _fresh_key() -> bytes:
    return AESGCM.generate_key(bit_length=8 * KEY_BYTES)


def path_in_use() -> Path:
    """Where this installation keeps its key file (setting BALINT_KEY_FILE)."""
    return Path(settings.BALINT_KEY_FILE)


# One reading of the file for the whole process; replaced as a whole, so threads need no lock.
_read: tuple[tuple[object, ...], KeyFile] | None = None


def in_use() -> KeyFile:
    """The installation's key file, read again only when it changed; raises KeyFileError."""
    global _read
    path = path_in_use()
    with _explained(path):
        seen = _stamp(path, path.stat())
    if _read is None or _read[0] != seen:
        _read = (seen, read(path))
    return _read[1]


def _stamp(path: Path, found: os.stat_result) -> tuple[object, ...]:
    # The change time too: a file that became readable for others keeps its time of writing.
    return (str(path), found.st_ino, found.st_mtime_ns, found.st_ctime_ns)


@sensitive_variables("content")
def read(path: Path) -> KeyFile:
    """The key file at `path`; raises KeyFileError if it is missing, open to others or damaged."""
    with _explained(path), path.open("rb") as file:
        _refuse_open_to_others(path, os.fstat(file.fileno()))
        content = file.read()
    return _parsed(content, f"The key file {path} is damaged. Put back your offline copy of it.")


@sensitive_variables("content")
def read_copy(path: Path) -> KeyFile:
    """An offline copy, wherever it lies: a stick's file system may know no access rights."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"The copy {path} cannot be read: {error.strerror}.") from None
    return _parsed(content, f"The copy {path} is damaged: it opens nothing. Make a new copy.")


def _refuse_open_to_others(path: Path, found: os.stat_result) -> None:
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise KeyFileError(
            f"Other users of this machine may read the key file {path}. "
            f"Run “chmod 400 {path}”, and rotate the keys if somebody may have read it."
        )


@sensitive_variables()
def _parsed(content: bytes, when_damaged: str) -> KeyFile:
    try:
        return _key_file(json.loads(content))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        # `from None`: the causes carry pieces of the file.
        raise KeyFileError(when_damaged) from None


@sensitive_variables()
def _key_file(found: dict[str, Any]) -> KeyFile:
    epochs = {int(n): base64.b64decode(key, validate=True) for n, key in found["epochs"].items()}
    if found["current"] not in epochs or any(len(key) != KEY_BYTES for key in epochs.values()):
        raise ValueError
    return KeyFile(current=found["current"], epochs=epochs)


def create(path: Path) -> KeyFile:
    """Write a new key file with its first epoch; raises KeyFileError rather than overwrite one."""
    key_file = KeyFile(current=0, epochs={}).with_new_epoch()
    with _explained(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _written_beside(path, key_file) as new:
            # A link, unlike a rename, fails when the name is taken.
            os.link(new, path)
    return key_file


def replace(path: Path, key_file: KeyFile) -> None:
    """Put `key_file` in place of the one at `path`, whole or not at all, for the same owner."""
    with _explained(path):
        before = path.stat()
        with _written_beside(path, key_file) as new:
            # Rotated by root, it must stay readable for the account the site runs under.
            os.chown(new, before.st_uid, before.st_gid)
            new.replace(path)


@contextlib.contextmanager
def _written_beside(path: Path, key_file: KeyFile) -> Iterator[Path]:
    """A finished, synced file in the folder of `path`; synced again once the block moved it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w") as file:
            os.fchmod(handle, FILE_MODE)
            file.write(key_file.as_json())
            file.flush()
            os.fsync(handle)
        yield Path(name)
        _sync_folder(path.parent)
    finally:
        Path(name).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise KeyFileError(
            f"There is no key file at {path}. On a new installation run “manage.py keys create”; "
            "on an old one put back your offline copy, or nothing sealed can be opened again."
        ) from None
    except FileExistsError:
        raise KeyFileError(
            f"There is a key file at {path} already. It is never overwritten: without it "
            "nothing sealed under it can be opened again."
        ) from None
    except OSError as error:
        raise KeyFileError(
            f"The key file {path} cannot be used: {error.strerror}. The site's account must be "
            "able to read it, and to write in its folder when keys are made or rotated."
        ) from None

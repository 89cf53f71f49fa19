"""What is kept beside the key file: outside the database and its backups, so a restore keeps it.

Tombstones name what was erased, so that an old backup does not bring it back; the heads of the
audit's chains show when a chain's end was cut. Neither holds a word of content. The sentences here
are for whoever runs the server, so they are plain English and say what to do.
"""

import base64
import binascii
import contextlib
import fcntl
import json
import os
import stat
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from members.keys import path_in_use

TOMBSTONES = "tombstones.jsonl"
HEADS = "audit-heads.json"
FILE_MODE = 0o600


class BesideError(Exception):
    """What lies beside the key file cannot be used; the text says why and what to do."""


@dataclass(frozen=True, order=True)
class Stone:
    """That something was erased: its kind, its key in the database, and when."""

    made_at: datetime
    kind: str
    subject: UUID

    def as_json(self) -> str:
        return json.dumps(
            {"kind": self.kind, "subject": str(self.subject), "made_at": self.made_at.isoformat()}
        )


# Tombstones


def stones_kept() -> list[Stone]:
    """Every tombstone in the file, the oldest first; none if there is no file yet."""
    path = _path(TOMBSTONES)
    with _explained(path):
        return _parsed_stones(path, _content(path))


def keep_stones(new: Iterable[Stone], *, made_after: datetime) -> int:
    """Add these, drop those made before `made_after`; how many were not there before.

    On disk and synced before it returns, so the caller may then say in the database that they
    are copied: a crash between the two copies them once more, which changes nothing.
    """
    path = _path(TOMBSTONES)
    with _explained(path), _alone(path.parent):
        there = _parsed_stones(path, _content(path))
        # Of several for one thing the last counts: it may have been restored and erased again.
        newest = {(stone.kind, stone.subject): stone for stone in sorted([*there, *new])}
        wanted = sorted(stone for stone in newest.values() if stone.made_at >= made_after)
        if wanted != there:
            _replace(path, "".join(f"{stone.as_json()}\n" for stone in wanted))
        return len(set(wanted) - set(there))


def _parsed_stones(path: Path, content: str) -> list[Stone]:
    try:
        return sorted(_stone(json.loads(line)) for line in content.splitlines() if line.strip())
    except (ValueError, KeyError, TypeError):
        raise BesideError(
            f"The list of what was erased, {path}, is damaged. Put back a copy of it, or take out "
            "the lines that are no JSON; without it an old backup brings erased things back."
        ) from None


def _stone(found: dict[str, str]) -> Stone:
    made_at = datetime.fromisoformat(found["made_at"])
    if made_at.tzinfo is None:
        raise ValueError
    return Stone(made_at, str(found["kind"]), UUID(found["subject"]))


# Heads of the audit's chains


def heads_kept() -> dict[UUID, tuple[int, bytes]]:
    """For each chain the number and the code of its last event, as last kept here."""
    path = _path(HEADS)
    with _explained(path):
        return _parsed_heads(path, _content(path))


def keep_heads(heads: Mapping[UUID, tuple[int, bytes]]) -> None:
    """Keep these beside those of other chains; a head that would go back stays where it was.

    A chain only grows: a lower number in the database means that its end was cut, and the file
    is what shows it.
    """
    path = _path(HEADS)
    with _explained(path), _alone(path.parent):
        there = _parsed_heads(path, _content(path))
        wanted = there | {
            chain: head
            for chain, head in heads.items()
            if chain not in there or head[0] > there[chain][0]
        }
        if wanted != there:
            _replace(path, _heads_as_json(wanted))


def _heads_as_json(heads: Mapping[UUID, tuple[int, bytes]]) -> str:
    written = {
        str(chain): [number, base64.b64encode(code).decode()]
        for chain, (number, code) in sorted(heads.items())
    }
    return json.dumps(written, indent=1) + "\n"


def _parsed_heads(path: Path, content: str) -> dict[UUID, tuple[int, bytes]]:
    try:
        found: dict[str, Any] = json.loads(content or "{}")
        return {UUID(chain): _head(*head) for chain, head in found.items()}
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise BesideError(
            f"The heads of the audit’s chains, {path}, are damaged. Put back a copy of the file; "
            "as long as it is missing, nobody can tell whether the end of a chain was cut."
        ) from None


def _head(number: int, code: str) -> tuple[int, bytes]:
    if not isinstance(number, int):
        raise TypeError
    return number, base64.b64decode(code, validate=True)


# Files


def names() -> Collection[str]:
    """The files that lie beside the key file, for whoever makes copies of it."""
    return TOMBSTONES, HEADS


def _path(name: str) -> Path:
    return path_in_use().parent / name


def _content(path: Path) -> str:
    if not path.parent.is_dir():
        raise FileNotFoundError
    try:
        with path.open(encoding="utf-8") as file:
            _refuse_open_to_others(path, os.fstat(file.fileno()))
            return file.read()
    except FileNotFoundError:
        return ""


def _refuse_open_to_others(path: Path, found: os.stat_result) -> None:
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise BesideError(
            f"Other users of this machine may read or change {path}. Run “chmod 600 {path}”, "
            "and compare it with a copy if somebody may have changed it."
        )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process of ours changes what lies in the folder meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(path: Path, content: str) -> None:
    """The whole file or none of it, for the account that owns the key file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, FILE_MODE)
            if os.geteuid() == 0:
                # Written by root, it must stay readable for the account the site runs under.
                owner = path_in_use().stat() if path_in_use().exists() else path.parent.stat()
                os.fchown(handle, owner.st_uid, owner.st_gid)
            file.write(content)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BesideError(
            f"There is no folder {path.parent}, where the key file lies. Mount it, or set "
            "BALINT_KEY_FILE to where the key file is."
        ) from None
    except UnicodeDecodeError:
        raise BesideError(f"{path} is damaged. Put back a copy of it.") from None
    except OSError as error:
        raise BesideError(
            f"{path} cannot be used: {error.strerror}. The account of the site and of its worker "
            "must be able to read it and to write in its folder."
        ) from None

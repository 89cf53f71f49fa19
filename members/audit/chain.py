"""Events are chained as they are written: one lock of the head, one insert, nothing after."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from members.audit import mac
from members.audit.mac import Happening, Keys
from members.audit.notes import Note
from members.audit.things import FRAME
from members.envelope import NO_SCOPE


@dataclass(frozen=True)
class Event:
    """One event, ready to be linked to the one before."""

    at: datetime
    what: Happening


@dataclass(frozen=True)
class Head:
    """Where a chain ends, and which of the readings asked about stand in it already."""

    length: int
    mac: bytes
    standing: frozenset[bytes]


def write(notes: Sequence[Note]) -> None:
    """Append what was noted, chain by chain; readings of the day that stand already are left out.

    Chains come in the order of their ids, so that two writers of several never wait for each other.
    """
    bare = mac.bare_key()
    noted: dict[UUID, list[Note]] = defaultdict(list)
    for note in notes:
        noted[note.group or NO_SCOPE].append(note)
    for chain in sorted(noted):
        of = mac.keys_of(chain, bare)
        append(chain, of, [_event(note, of) for note in noted[chain]])


def _event(note: Note, of: Keys) -> Event:
    once = None
    if note.about is not None:
        once = mac.once(
            of,
            verb=note.verb,
            thing=note.thing,
            about=note.about,
            actor=note.actor,
            at=note.at,
        )
    frame = note.thing in FRAME
    return Event(note.at, Happening(note.actor, note.verb.value, note.thing.value, frame, once))


def append(chain: UUID, of: Keys, events: Sequence[Event]) -> None:
    """Lock the chain's head and append the events after it."""
    onces = [event.what.once for event in events if event.what.once is not None]
    head = _locked(chain, onces, others=len(onces) < len(events))
    if head is None:
        return
    new = _once_each(events, head.standing)
    if new:
        _append(chain, of, head, new)


def _once_each(events: Sequence[Event], standing: frozenset[bytes]) -> list[Event]:
    seen, new = set(standing), []
    for event in events:
        if event.what.once not in seen:
            new.append(event)
        if event.what.once is not None:
            seen.add(event.what.once)
    return new


def _locked(chain: UUID, onces: list[bytes], *, others: bool) -> Head | None:
    """The head, locked until the transaction ends; nothing, and no lock, if there is no news."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select * from public.balint_audit_head(%s, %s::bytea[], %s)", [chain, onces, others]
        )
        found = cursor.fetchone()
    if found is None:
        return None
    length, last, standing = found
    return Head(length, bytes(last), frozenset(bytes(once) for once in standing))


def _append(chain: UUID, of: Keys, head: Head, events: Sequence[Event]) -> None:
    digests, macs, before = [], [], head.mac
    for number, event in enumerate(events, head.length + 1):
        digest = event.what.digest(of)
        before = mac.link(of, number=number, at=event.at, digest=digest, before=before)
        digests.append(digest)
        macs.append(before)
    columns: list[list[Any]] = [
        [event.at for event in events],
        [event.what.actor for event in events],
        [event.what.verb for event in events],
        [event.what.thing for event in events],
        [event.what.frame for event in events],
        [event.what.once for event in events],
        digests,
        macs,
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "select public.balint_audit_append(%s, %s, %s, %s::timestamptz[], %s::uuid[],"
            " %s::text[], %s::text[], %s::boolean[], %s::bytea[], %s::bytea[], %s::bytea[])",
            [chain, head.length + 1, head.mac, *columns],
        )

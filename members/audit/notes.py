"""What is noted while somebody does something, written once, just before their transaction commits.

So a group's chain is locked for an instant at the very end, and ten phones do not queue for it.
What a refused step took back is not written; what must outlive the rollback (`survives`) is, in a
transaction of its own.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from members.audit.things import SITE, Thing, Verb

# Who acts at the moment: set by members/identity.py together with the database's identity.
actor: ContextVar[UUID | None] = ContextVar("actor", default=None)


@dataclass(frozen=True, eq=False)
class Note:
    """One event to be written. `about` never is: only its keyed digest, for once a day."""

    verb: Verb
    thing: Thing
    group: UUID | None
    actor: UUID | None
    at: datetime
    about: UUID | None = field(default=None, repr=False)
    survives: bool = False

    def __call__(self) -> None:
        """Registered with the transaction, which forgets it when its step is taken back."""

    @property
    def stands(self) -> bool:
        """Whether the step it was noted in has not been rolled back."""
        return any(entry[1] is self for entry in connection.run_on_commit)


Writer = Callable[[list[Note]], None]
_collecting: ContextVar[list[Note] | None] = ContextVar("collecting", default=None)


def note(
    verb: Verb,
    thing: Thing,
    *,
    group: UUID | None = None,
    about: UUID | None = None,
    of: UUID | None = None,
    survives: bool = False,
) -> None:
    """Note that the acting person did `verb` to some `thing` of a group, or of the site.

    With `about`, the id of the thing, it is recorded once per person and day; the id is not kept.
    With `of`, whose own it is, nothing is noted for that person. `survives` outlives a rollback.
    """
    if (group is None) != (thing in SITE):
        raise ValueError("Events of a group name it; events of the site have none.")
    by = actor.get()
    if of is not None and of == by:
        return
    _collect(Note(verb, thing, group, by, timezone.now(), about, survives))


def _collect(new: Note) -> None:
    from members.audit.chain import write

    collecting = _collecting.get()
    if collecting is None:
        # A command or a test outside any request: at once, in the transaction there is.
        with transaction.atomic():
            write([new])
        return
    if not new.survives:
        transaction.on_commit(new)
    collecting.append(new)


class Notes:
    """What the outermost request, task or command has noted; inner ones add to it."""

    def __init__(self, noted: list[Note] | None) -> None:
        self._noted = noted

    def write(self) -> None:
        """Write what stands: the last thing before the transaction commits."""
        if self._noted:
            self._write([one for one in self._noted if one.survives or one.stands])

    def write_survivors(self, become: Callable[[], None]) -> None:
        """After a rollback: what must outlive it, in a transaction of its own."""
        survivors = [one for one in self._noted or () if one.survives]
        if survivors:
            with transaction.atomic():
                become()
                self._write(survivors)

    def _write(self, notes: list[Note]) -> None:
        from members.audit.chain import write

        if notes:
            write(notes)


@contextmanager
def collected() -> Iterator[Notes]:
    """Collect what is noted in the block; nested in another block it is left to the outer one."""
    if _collecting.get() is not None:
        yield Notes(None)
        return
    noted: list[Note] = []
    token = _collecting.set(noted)
    try:
        yield Notes(noted)
    finally:
        _collecting.reset(token)

"""What is noted while somebody does something, written once, just before their transaction commits.

So a group's chain is locked for an instant at the very end, and ten phones do not queue for it.
What a refused step took back is not written; what must outlive the rollback (`survives`) is, in a
transaction of its own.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from members.audit.chain import write
from members.audit.notes import Note, actor
from members.audit.things import SITE, Thing, Verb
from members.envelope import CannotOpen, Place, could_not_open
from members.keys import KeyFileError

logger = logging.getLogger(__name__)
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
    if of is None or of != by:
        _collect(Note(verb, thing, group, by, timezone.now(), about, survives))


def _collect(new: Note) -> None:
    collecting = _collecting.get()
    if collecting is None:
        # A command outside `acting_as`: at once, in the transaction there is.
        _write_at_once(new)
        return
    if not new.survives:
        transaction.on_commit(new)
    collecting.append(new)


def _write_at_once(new: Note) -> None:
    if new.survives:
        _write_after_failure([new])
    else:
        with transaction.atomic():
            write([new])


def _write_after_failure(notes: list[Note]) -> None:
    """Something went wrong already, and is to be answered for itself: this may not hide it."""
    try:
        with transaction.atomic():
            write(notes)
    except (CannotOpen, KeyFileError, DatabaseError):
        logger.exception("A failure could not be put on record")


def _note_unopened(sender: object, place: Place, **kwargs: object) -> None:
    note(Verb.FAILED, Thing.SEALED_TEXT, about=place.row, survives=True)


def listen() -> None:
    """A sealed text that does not open is put on record, whatever becomes of the request."""
    could_not_open.connect(_note_unopened, dispatch_uid="audit")


class Notes:
    """What the outermost request, task or command has noted; inner ones add to it."""

    def __init__(self, noted: list[Note]) -> None:
        self._noted = noted

    def write(self) -> None:
        """Write what stands: the last thing before the transaction commits."""
        standing = [one for one in self._noted if one.stands]
        if standing:
            write(standing)

    def write_survivors(self, become: Callable[[], None]) -> None:
        """After a rollback: what must outlive it, in a transaction of its own."""
        survivors = [one for one in self._noted if one.survives]
        if survivors:
            with transaction.atomic():
                become()
                _write_after_failure(survivors)


@contextmanager
def collected() -> Iterator[Notes]:
    """Collect what is noted in the block; nested in another block it is left to the outer one."""
    if _collecting.get() is not None:
        yield Notes([])
        return
    noted: list[Note] = []
    token = _collecting.set(noted)
    try:
        yield Notes(noted)
    finally:
        _collecting.reset(token)

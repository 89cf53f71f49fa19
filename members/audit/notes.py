"""One event as it is noted, and who acts while it is."""

from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from members.audit.things import Thing, Verb

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
        return self.survives or any(entry[1] is self for entry in connection.run_on_commit)

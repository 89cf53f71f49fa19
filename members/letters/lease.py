"""Whose a letter is while it is being sent: leases, by the clock of the database alone.

Every step is one short transaction of the worker; none is open while we talk to the mail server.
"""

import secrets
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from members.identity import DbRole, acting_as
from members.letters.health import WORKER
from members.letters.post import Fate, NotSent
from members.models import Heartbeat, Letter, LetterState

ROLE: DbRole = "balint_worker"
BATCH = 20
LONGEST_WAIT = 600.0  # seconds

DUE = Q(send_after__lte=Now())
LATE = Q(send_before__lte=Now())
# Waiting and nobody's: not leased, or the lease ran out, and not told to wait longer.
FREE = (
    Q(state__in=[LetterState.PENDING, LetterState.UNCERTAIN])
    & (Q(not_before=None) | Q(not_before__lte=Now()))
) | Q(state=LetterState.LEASED, lease_until__lt=Now())

# Two statements sent as one are one transaction: a role set for it is gone at its end.
MARK_SENT = """
select set_config('role', %s, true);
update members_letter
   set state = 'sent', accepted_at = now(), last_error = '', lease_token = null, lease_until = null
 where id = %s and lease_token = %s
"""


@dataclass(frozen=True)
class Lease:
    """Letters that are ours for a while; the token tells our marks from a later worker's."""

    token: UUID
    letters: list[UUID]

    def held(self) -> QuerySet[Letter]:
        """Those of them that are still leased to us, and were not cancelled meanwhile."""
        return Letter.objects.filter(state=LetterState.LEASED, lease_token=self.token)

    def mark(self, pk: UUID, state: LetterState, **fields: object) -> str:
        """Write down what became of a letter, unless another worker has it by now."""
        with acting_as(None, ROLE):
            mine = self.held().filter(pk=pk)
            mine.update(state=state, lease_token=None, lease_until=None, **fields)
        return str(state.value)

    def mark_sent(self, pk: UUID) -> str:
        """Write down that the mail server took it; cancelled while it went out it is still sent.

        All in one round trip: who is killed in this moment sends it twice.
        """
        # Nobody's transaction is open here but a test's, whose role has to come back.
        inside = acting_as(None, ROLE) if connection.in_atomic_block else nullcontext()
        with inside, connection.cursor() as cursor:
            cursor.execute(MARK_SENT, [ROLE, pk, self.token])
        return str(LetterState.SENT.value)

    def put_off(self, pk: UUID, failure: NotSent) -> str:
        """Back to waiting, unless the answer was final; each time twice as long."""
        if failure.fate is Fate.GIVE_UP:
            return self.mark(pk, LetterState.FAILED, last_error=failure.code)
        unknown = failure.fate is Fate.UNKNOWN
        with acting_as(None, ROLE):
            attempts = self.held().filter(pk=pk).values_list("attempts", flat=True).first()
            if attempts is not None:
                self.mark(
                    pk,
                    LetterState.UNCERTAIN if unknown else LetterState.PENDING,
                    not_before=Now() + wait(attempts),
                    last_error=failure.code,
                )
        return "put off"

    def give_back(self) -> None:
        """What there was no time for waits for the next claim."""
        with acting_as(None, ROLE):
            self.held().update(state=LetterState.PENDING, lease_token=None, lease_until=None)


def claim() -> Lease:
    """Lease the next batch, also letters whose lease ran out; empty when nothing is due."""
    lease = Lease(uuid4(), [])
    with acting_as(None, ROLE):
        due = Letter.objects.filter(FREE, DUE).order_by("send_after", "pk")
        free = due.select_for_update(skip_locked=True).values_list("pk", flat=True)
        lease.letters.extend(free[:BATCH])
        Letter.objects.filter(pk__in=lease.letters).update(
            state=LetterState.LEASED,
            lease_token=lease.token,
            lease_until=Now() + timedelta(seconds=settings.LETTER_LEASE_SECONDS),
            attempts=F("attempts") + 1,
        )
    return lease


def expire_the_late() -> int:
    """What should have gone before now expires, also while the mail server is away."""
    with acting_as(None, ROLE):
        late = Letter.objects.filter(LATE, FREE, DUE).select_for_update(skip_locked=True)
        return Letter.objects.filter(pk__in=late.values("pk")).update(state=LetterState.EXPIRED)


def beat() -> None:
    """Say that a worker lives."""
    with acting_as(None, ROLE):
        Heartbeat.objects.bulk_create(
            [Heartbeat(name=WORKER, beat_at=Now())],
            update_conflicts=True,
            unique_fields=["name"],
            update_fields=["beat_at"],
        )


def wait(attempts: int) -> timedelta:
    """Twice as long each time, give or take a quarter, so that not all come back at once."""
    seconds = settings.LETTER_LEASE_SECONDS / 4 * 2 ** min(attempts - 1, 16)
    jitter = 0.75 + secrets.randbelow(501) / 1000
    return timedelta(seconds=min(seconds, LONGEST_WAIT) * jitter)

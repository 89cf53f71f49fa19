"""What happens by itself, every few minutes: nothing of it waits for a person or for Redis.

Each step is a transaction of its own, and one that fails does not keep the others from theirs.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from groups.models import Proposal
from members.identity import acting_as
from members.models import Letter, LetterState
from sessions import reminders

Step = Callable[[], int]

LETTERS_KEPT = INVITATIONS_KEPT = timedelta(days=30)


def run(steps: Mapping[str, Step] | None = None) -> dict[str, int]:
    """All steps, as the worker; what each did. Raises what failed once all have had their turn."""
    done: dict[str, int] = {}
    failures: list[Exception] = []
    for name, step in (STEPS if steps is None else steps).items():
        try:
            with acting_as(None, "balint_worker"):
                done[name] = step()
        except Exception as error:
            failures.append(error)
    if failures:
        raise ExceptionGroup("Upkeep did not do all of its work", failures)
    return done


def reconcile() -> int:
    """Letters that are missing or stale."""
    return reminders.reconcile(at=timezone.now())


def remove_old_letters() -> int:
    """Sent ones 30 days after they went, the others 30 days after their time.

    Until then a cancelled reminder must stay: it says that somebody cannot come.
    """
    sent = Q(state=LetterState.SENT, accepted_at__lt=Now() - LETTERS_KEPT)
    # What never got its time out, such as an invitation without an end, counts from its planning.
    given_up = ~Q(state=LetterState.SENT) & Q(over_at__lt=Now() - LETTERS_KEPT)
    old = Letter.objects.annotate(over_at=Coalesce("send_before", "send_after"))
    removed, _ = old.filter(sent | given_up).delete()
    return removed


def remove_dead_invitations() -> int:
    """Refused, withdrawn, declined or run out for 30 days; with their address and their name."""
    long_ago = Now() - INVITATIONS_KEPT
    dead = (
        Q(refused_at__lt=long_ago)
        | Q(withdrawn_at__lt=long_ago)
        | Q(declined_at__lt=long_ago)
        | Q(expires_at__lt=long_ago, accepted_at=None)
    )
    removed = Proposal.objects.filter(dead, accepted_at=None)
    return removed.delete()[1].get(Proposal._meta.label, 0)


def _function(name: str) -> Step:
    """A function of the database that may do what the worker's login may not read."""

    def call() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"select public.{name}()")
            return int(cursor.fetchone()[0])

    return call


STEPS: dict[str, Step] = {
    "letters planned": reconcile,
    "sessions closed": _function("balint_close_overdue"),
    "cases forgotten": _function("balint_forget_cases_due"),
    "words forgotten": _function("balint_forget_words_due"),
    "letters removed": remove_old_letters,
    "invitations removed": remove_dead_invitations,
}

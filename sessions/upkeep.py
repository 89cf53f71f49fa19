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
from members import audit, beside
from members.beside import Stone
from members.identity import acting_as
from members.letters.health import WAITING
from members.models import Letter, LetterState
from sessions import erasure, few, nomeeting, reminders

Step = Callable[[], int]

LETTERS_KEPT = INVITATIONS_KEPT = timedelta(days=30)
# Backups are kept 30 days; what was erased must not come back from any of them.
TOMBSTONES_KEPT = timedelta(days=40)


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


def tell_of_empty_months() -> int:
    """Word to leaders whose group has no meeting next month."""
    return nomeeting.plan(at=timezone.now())


def remove_old_letters() -> int:
    """Sent ones 30 days after they went, the others 30 days after their time.

    Until then a cancelled reminder must stay: it says that somebody cannot come. The last letter
    to somebody whose account is deleted goes with its address as soon as it has had its turn.
    """
    sent = Q(state=LetterState.SENT, accepted_at__lt=Now() - LETTERS_KEPT)
    # It stands for “told”: gone before its meeting is over, it would be written again.
    sent &= ~Q(kind=few.KIND, send_before__gt=Now())
    # What never got its time out, such as an invitation without an end, counts from its planning.
    given_up = ~Q(state=LetterState.SENT) & Q(over_at__lt=Now() - LETTERS_KEPT)
    old = Letter.objects.annotate(over_at=Coalesce("send_before", "send_after"))
    last = Q(kind=erasure.GONE) & ~Q(state__in=WAITING)
    removed, _ = old.filter(sent | given_up | last).delete()
    return removed


def remove_dead_invitations() -> int:
    """Refused, withdrawn, declined, run out or accepted for 30 days; with address and name.

    Nothing needs an accepted one any more: the place it opened stands by itself.
    """
    long_ago = Now() - INVITATIONS_KEPT
    dead = (
        Q(refused_at__lt=long_ago)
        | Q(withdrawn_at__lt=long_ago)
        | Q(declined_at__lt=long_ago)
        | Q(expires_at__lt=long_ago)
    )
    over = Q(dead, accepted_at=None) | Q(accepted_at__lt=long_ago)
    removed = Proposal.objects.filter(over)
    return removed.delete()[1].get(Proposal._meta.label, 0)


def keep_tombstones() -> int:
    """Copy those not copied yet beside the key file, and drop the old ones here and there.

    Should this be undone after the file was written, they are copied once more: no harm.
    """
    with connection.cursor() as cursor:
        cursor.execute("select id, kind, subject, made_at from public.balint_tombstones_to_copy()")
        rows = cursor.fetchall()
        stones = [Stone(made_at, kind, subject) for _, kind, subject, made_at in rows]
        beside.keep_stones(stones, made_after=timezone.now() - TOMBSTONES_KEPT)
        cursor.execute(
            "select public.balint_tombstones_copied(%s::uuid[])", [[row[0] for row in rows]]
        )
        cursor.execute("select public.balint_prune_tombstones()")
    return len(rows)


def _function(name: str) -> Step:
    """A function of the database that may do what the worker's login may not read."""

    def call() -> int:
        with connection.cursor() as cursor:
            cursor.execute(f"select public.{name}()")
            return int(cursor.fetchone()[0])

    return call


def keep_heads() -> int:
    """Where each chain of the record ends, beside the key file.

    Of a chain that was cut or replaced what was kept before stays: it is the evidence.
    """
    before = beside.heads_kept()
    heads = audit.heads(before)
    beside.keep_heads(heads)
    return sum(before.get(chain) != head for chain, head in heads.items())


STEPS: dict[str, Step] = {
    "letters planned": reconcile,
    "empty months told": tell_of_empty_months,
    "few told": few.plan,
    "sessions closed": _function("balint_close_overdue"),
    "rooms forgotten": _function("balint_forget_room_versions"),
    "cases forgotten": _function("balint_forget_cases_due"),
    "words forgotten": _function("balint_forget_words_due"),
    "replies forgotten": _function("balint_forget_replies_due"),
    "news of the evening forgotten": _function("balint_forget_tonight"),
    "observers forgotten": _function("balint_forget_observers"),
    "showings out forgotten": _function("balint_forget_shown_out"),
    "groups ended": _function("balint_end_groups_due"),
    "attendance forgotten": _function("balint_forget_attendance_due"),
    "sign-ins forgotten": _function("balint_forget_sign_ins_due"),
    "events forgotten": _function("balint_forget_events_due"),
    "openings forgotten": _function("balint_forget_openings_due"),
    "letters removed": remove_old_letters,
    "invitations removed": remove_dead_invitations,
    "heads of the record kept": keep_heads,
    # Last, so that what the others erased is among them.
    "tombstones kept": keep_tombstones,
}

"""Planning letters, in the transaction of the change that causes them; the engine sends them.

A letter is unique by kind, what it is about, the version of that, and its recipient: planning it
again changes nothing, whatever has become of the first.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings

from members.letters.health import WAITING
from members.models import Letter, LetterState, Member

BATCH = 1000


def letter(
    kind: str,
    *,
    about: UUID,
    version: int,
    group_id: UUID | None,
    recipient: Member | None = None,
    address: str = "",
    send_after: datetime,
    send_before: datetime | None = None,
    state: LetterState = LetterState.PENDING,
) -> Letter:
    """A letter that is not saved yet; without `send_before` it is tried until upkeep removes it."""
    made = Letter(
        kind=kind,
        about_id=about,
        about_version=version,
        group_id=group_id,
        recipient=recipient,
        address=address,
        send_after=send_after,
        send_before=send_before,
        state=state,
    )
    made.message_id = f"<{made.pk}@{settings.MAIL_DOMAIN}>"
    return made


def plan(letters: Iterable[Letter]) -> int:
    """Save those nobody planned before; how many that were. Two queries, whatever their number."""
    # Two that plan the same at once wait for each other in one order, never in a ring.
    ordered = sorted(letters, key=_identity)
    if not ordered:
        return 0
    Letter.objects.bulk_create(ordered, ignore_conflicts=True, batch_size=BATCH)
    return Letter.objects.filter(pk__in=[made.pk for made in ordered]).count()


def cancel(
    *,
    about: UUID,
    recipient: Member | None = None,
    kinds: Collection[str] | None = None,
    versions_below: int | None = None,
) -> int:
    """Take back what still waits, also one just leased: it is looked at again before it goes."""
    waiting = Letter.objects.filter(about_id=about, state__in=WAITING)
    if recipient is not None:
        waiting = waiting.filter(recipient=recipient)
    if kinds is not None:
        waiting = waiting.filter(kind__in=kinds)
    if versions_below is not None:
        waiting = waiting.filter(about_version__lt=versions_below)
    return waiting.update(state=LetterState.CANCELLED)


def _identity(letter: Letter) -> tuple[Any, ...]:
    return (
        letter.about_id,
        letter.about_version,
        letter.kind,
        str(letter.recipient_id),
        letter.address,
    )

"""A change taken back before everybody heard of it: who knows of nothing, and what they lost."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from members.models import Letter, LetterState
from sessions import reminded
from sessions.letters import NOTICES, REMINDERS
from sessions.models import Session
from sessions.reminded import Pair

Notice = tuple[UUID, UUID | None, int]  # session, recipient, sequence


def notices(back: Collection[Session]) -> set[Notice]:
    """The letters about earlier changes of these that were taken back before they went."""
    if not back:
        return set()
    letters = Letter.objects.filter(
        about_id__in=[session.pk for session in back],
        kind__in=NOTICES,
        state=LetterState.CANCELLED,
        attempts=0,
    )
    return set(letters.values_list("about_id", "recipient", "about_version"))


def know_no_other(back: Collection[Session], unheard: Collection[Notice]) -> set[Pair]:
    """Who never heard of the change that was taken back: their letter about it had not gone.

    Unless the one before it had not either: then what stands again is still news to them.
    """
    return {
        (pk, person)
        for session in back
        for pk, person, version in unheard
        if person
        and (pk, version) == (session.pk, session.sequence - 1)
        and (pk, person, version - 1) not in unheard
    }


def due_again(back: Collection[Session], who: Collection[Pair], at: datetime) -> dict[Pair, str]:
    """The reminder that was due when the change took it back, of each of these; the newest alone.

    Nothing has happened for them, so no notice stands for it. Who cannot come gets none.
    """
    if not who:
        return {}
    since = Q()
    for session in back:
        since |= Q(
            about_id=session.pk, about_version__range=(session.sequence - 2, session.sequence)
        )
    lost = Letter.objects.filter(
        since, kind__in=REMINDERS.values(), state=LetterState.CANCELLED, send_after__lte=at
    )
    rows: dict[tuple[UUID, UUID | None], str] = {
        (about, recipient): kind
        for about, recipient, kind in lost.order_by("send_after").values_list(
            "about_id", "recipient", "kind"
        )
    }
    wanted = set(who) - reminded.cannot_come(back)
    return {pair: rows[pair] for pair in wanted if pair in rows}

"""Sends what is due: claim, look again, send, mark; may run anywhere, twice, and be killed.

A batch is leased and committed before anything goes out, so a killed worker loses nothing: its
leases run out and another claims them. The only mail that can go out twice is one the server took
while we died before marking it, or whose answer never came; it has the same Message-ID each time.
"""

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.core.mail import EmailMessage
from django.db import DatabaseError
from django.db.models import BooleanField, ExpressionWrapper, F, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone, translation

from members.identity import acting_as
from members.letters import lease as leases
from members.letters import mail
from members.letters.health import WAITING
from members.letters.kinds import LetterKind, family_of, kind_of
from members.letters.lease import LATE, ROLE, Lease
from members.letters.post import Fate, Line, NotSent
from members.models import Letter, LetterState

log = logging.getLogger(__name__)

LOOK_ROUND_EVERY = 1.0  # seconds
LEFT_ALONE = "left alone"


@dataclass(frozen=True)
class Ready:
    """A mail that may go now, and for how many seconds its letter is still ours."""

    mail: EmailMessage
    seconds: float


def dispatch(*, go_on: Callable[[], bool] = lambda: True) -> Counter[str]:
    """Send everything due, in batches, while `go_on()`; how many letters met which end."""
    tally: Counter[str] = Counter()
    look_round_at = time.monotonic()
    with Line() as line:
        while True:
            if time.monotonic() >= look_round_at:
                leases.beat()
                tally["expired"] += leases.expire_the_late()
                look_round_at = time.monotonic() + LOOK_ROUND_EVERY
            lease = leases.claim()
            if not lease.letters or not _send_batch(lease, line, tally) or not go_on():
                return +tally


def _send_batch(lease: Lease, line: Line, tally: Counter[str]) -> bool:
    """Whether the mail server is there; while it is away the whole batch waits."""
    ends: Counter[str] = Counter()
    for pk in lease.letters:
        try:
            line.open()
        except NotSent as failure:
            tally.update(ends)
            tally.update(lease.put_off(left, failure) for left in lease.letters)
            return False
        ends[_send(pk, lease, line)] += 1
    tally.update(ends)
    if ends[LEFT_ALONE]:
        lease.give_back()
    return True


def _send(pk: UUID, lease: Lease, line: Line) -> str:
    """One letter, from the last look to the mark; what became of it."""
    begun = time.monotonic()
    try:
        with acting_as(None, ROLE):
            ready = _look_again(pk, lease)
        if isinstance(ready, str):
            return ready
        # Its seconds count from the look, however long the writing took.
        line.send(ready.mail, ready.seconds - (time.monotonic() - begun))
    except NotSent as failure:
        return lease.put_off(pk, failure)
    return lease.mark_sent(pk)


def _look_again(pk: UUID, lease: Lease) -> Ready | str:
    """The mail if it may still go; else what became of the letter."""
    letter = _held(lease).filter(pk=pk).first()
    if letter is None or letter.left < _enough():
        return LEFT_ALONE
    kind = kind_of(letter)
    if kind is None:
        raise NotSent("unknown kind", Fate.TRY_AGAIN)
    if letter.late or family_of(kind) & set(letter.newer):
        return lease.mark(pk, LetterState.EXPIRED)
    with _in_the_words_of(letter):
        if not _still_wanted(letter, kind):
            return lease.mark(pk, LetterState.CANCELLED)
        until = min(filter(None, [letter.left, letter.to_its_end]))
        return Ready(mail.build(letter, kind.compose(letter)), until.total_seconds())


def _held(lease: Lease) -> QuerySet[Any]:
    """Our letters with all that is to be known of each before it goes; one question of ours."""
    return (
        lease.held()
        .select_related("recipient")
        .annotate(
            left=F("lease_until") - Now(),
            to_its_end=F("send_before") - Now(),
            late=ExpressionWrapper(LATE, output_field=BooleanField()),
            newer=ArraySubquery(_newer().values("kind")),
        )
    )


def _newer() -> QuerySet[Letter]:
    """Later ones of the same to the same that are due too, or went: one of a family is enough."""
    return Letter.objects.filter(
        Q(recipient=OuterRef("recipient")) | Q(recipient=None, address=OuterRef("address")),
        about_id=OuterRef("about_id"),
        about_version=OuterRef("about_version"),
        state__in=(*WAITING, LetterState.SENT),
        send_after__gt=OuterRef("send_after"),
        send_after__lte=Now(),
    )


def _enough() -> timedelta:
    """How much of a lease must be left to begin: an exchange with the server and a half."""
    return timedelta(seconds=min(settings.EMAIL_TIMEOUT * 1.5, settings.LETTER_LEASE_SECONDS / 2))


def _still_wanted(letter: Letter, kind: LetterKind) -> bool:
    if letter.recipient and not letter.recipient.is_active:
        return False
    return kind.still_wanted(letter)


@contextmanager
def _in_the_words_of(letter: Letter) -> Iterator[None]:
    """The recipient's language and zone; a fault in one letter does not stop the others."""
    person = letter.recipient
    language = person.language if person else settings.LANGUAGE_CODE
    zone = person.time_zone if person else settings.TIME_ZONE
    try:
        with translation.override(language), timezone.override(zone):
            yield
    except DatabaseError:
        raise
    except Exception as error:
        # Where, not what: an error's own words may hold a name.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "A letter of kind %s cannot be written: %s in %s, line %s",
            letter.kind,
            type(error).__name__,
            place.filename,
            place.lineno,
        )
        raise NotSent("cannot be written", Fate.TRY_AGAIN) from None

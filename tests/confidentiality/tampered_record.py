"""The record edited, thinned, reordered, forged, and its tail cut: `verify` says so each time."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F

from groups.models import Group
from members import audit
from members.identity import acting_as
from members.models import AuditChain, AuditEvent, Member
from tests.confidentiality.ground import Size, forget_opened_keys

EVENTS = {"small": 12, "whole": 40}
Deed = tuple[str, Callable[[], object]]


def tried(size: Size) -> tuple[Counter[str], Counter[str]]:
    """How many of each kind there were, and in how many of them trouble was said."""
    chain = _written(EVENTS[size])
    heads = {row.pk: (row.length, bytes(row.mac)) for row in AuditChain.objects.all()}
    if trouble(heads):
        raise AssertionError("The record is not whole before anything was done to it.")
    done: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for kind, deed in itertools.chain(_of_events(chain), _of_order(chain), _of_the_end(chain)):
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("set local session_replication_role = replica")
            deed()
            done[kind] += 1
            seen[kind] += bool(trouble(heads))
            transaction.set_rollback(True)
    return done, seen


def trouble(heads: dict[UUID, tuple[int, bytes]]) -> list[str]:
    """What `verify` finds wrong, against the heads kept outside the database."""
    forget_opened_keys()
    return [words for verdict in audit.verify(heads) for words in verdict.trouble]


def _written(number: int) -> UUID:
    """So many events in the chain of a group, in as many transactions."""
    group = Group.objects.order_by("pk").first()
    readers = list(Member.objects.order_by("pk")[:4])
    for count in range(number):
        with acting_as(readers[count % len(readers)], "balint_app"):
            audit.note(audit.READ, audit.Thing.CASE, group=group.pk, about=uuid4())
    return group.pk


def _events(chain: UUID) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(chain=chain).order_by("number"))


def _of_events(chain: UUID) -> Iterator[Deed]:
    events = _events(chain)
    stranger = uuid4()
    for event in events:
        row = AuditEvent.objects.filter(pk=event.pk)
        verb = audit.CHANGED if event.verb == audit.READ else audit.READ
        changes = {
            "actor": stranger,
            "verb": verb,
            "thing": "leave",
            "frame": not event.frame,
            "at": event.at + timedelta(days=1),
            "once": b"\0" * 32,
            "digest": b"\0" * 32,
            "mac": b"\0" * 32,
        }
        for name, value in changes.items():
            yield "record edited", partial(row.update, **{name: value})
        yield "record blanked", partial(row.update, actor=None, verb="", thing="", once=None)
        yield "record thinned", row.delete


def _of_order(chain: UUID) -> Iterator[Deed]:
    for one, other in itertools.pairwise(_events(chain)):
        yield "record reordered", partial(_exchange, one, other)
        yield "record renumbered", partial(_leave_out, one)


def _exchange(one: AuditEvent, other: AuditEvent) -> None:
    """Two neighbours change places, each with all it says."""
    AuditEvent.objects.filter(pk=one.pk).update(number=0)
    AuditEvent.objects.filter(pk=other.pk).update(number=one.number)
    AuditEvent.objects.filter(pk=one.pk).update(number=other.number)


def _leave_out(event: AuditEvent) -> None:
    """One is taken out and those behind it close up, the head shorter by one."""
    behind = AuditEvent.objects.filter(chain=event.chain_id, number__gt=event.number)
    AuditEvent.objects.filter(pk=event.pk).delete()
    for row in behind.order_by("number"):
        AuditEvent.objects.filter(pk=row.pk).update(number=F("number") - 1)
    AuditChain.objects.filter(pk=event.chain_id).update(length=F("length") - 1)


def _of_the_end(chain: UUID) -> Iterator[Deed]:
    for keep in range(len(_events(chain))):
        yield "record's tail cut", partial(_cut, chain, keep)
    yield "record's head moved", partial(AuditChain.objects.filter(pk=chain).update, length=1)
    yield "chain removed", partial(_removed, chain)
    yield "event forged", partial(_forged, chain)


def _cut(chain: UUID, keep: int) -> None:
    """Everything after the first `keep` events goes, and the head is made to fit."""
    AuditEvent.objects.filter(chain=chain, number__gt=keep).delete()
    last = AuditEvent.objects.filter(chain=chain, number=keep).first()
    AuditChain.objects.filter(pk=chain).update(length=keep, mac=bytes(last.mac) if last else b"")


def _removed(chain: UUID) -> None:
    AuditEvent.objects.filter(chain=chain).delete()
    AuditChain.objects.filter(pk=chain).delete()


def _forged(chain: UUID) -> None:
    """One more event after the last, by who has the tables and not the key."""
    last = _events(chain)[-1]
    forged = AuditEvent(
        chain_id=chain,
        number=last.number + 1,
        at=last.at,
        actor=uuid4(),
        verb=last.verb,
        thing=last.thing,
        frame=last.frame,
        digest=bytes(last.digest),
        mac=b"\1" * 32,
    )
    forged.save(force_insert=True)
    AuditChain.objects.filter(pk=chain).update(length=F("length") + 1, mac=b"\1" * 32)

"""Whether the record is what was written: each event as it was, in its place, none gone."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from members.audit import mac
from members.audit.anchors import Heads
from members.audit.mac import Happening, Keys
from members.models import AuditChain, AuditEvent

YEARS_KEPT = 2


@dataclass
class Verdict:
    """What was found in one chain; `trouble` is empty when it is whole."""

    chain: UUID
    length: int
    trouble: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.trouble


def verify(anchors: Heads, at: datetime | None = None) -> list[Verdict]:
    """Verify every chain against its keys and against the heads kept outside the database.

    For who may read the tables: the owner or a backup's login. Raises CannotOpen, KeyFileError.
    """
    at = at or timezone.now()
    bare = mac.bare_key_of_tables()
    chains = {chain.pk: chain for chain in AuditChain.objects.all()}
    verdicts = [
        _verdict(chain, None if bare is None else mac.keys_of(chain.pk, bare), anchors, at)
        for _, chain in sorted(chains.items())
    ]
    gone = [
        Verdict(pk, 0, [f"the chain is missing; it had {number} events"])
        for pk, (number, _) in sorted(anchors.items())
        if pk not in chains
    ]
    strays = AuditEvent.objects.exclude(chain__in=chains).values_list("chain_id", flat=True)
    headless = [Verdict(pk, 0, ["events without their chain"]) for pk in set(strays)]
    return verdicts + gone + headless


def _verdict(chain: AuditChain, of: Keys | None, anchors: Heads, at: datetime) -> Verdict:
    verdict = Verdict(chain.pk, chain.length)
    if of is None:
        verdict.trouble.append("the key of the record is gone, so nothing can be verified")
        return verdict
    verdict.trouble += _Walk(chain, of, anchors.get(chain.pk), at).trouble()
    return verdict


@dataclass
class _Walk:
    """From the first event kept to the last, each against the one before."""

    chain: AuditChain
    of: Keys
    anchor: tuple[int, bytes] | None
    at: datetime

    def trouble(self) -> Iterator[str]:
        number, before = self.chain.kept_from - 1, bytes(self.chain.mac_before)
        anchored = self.anchor is None or self.anchor[0] < self.chain.kept_from
        for event in AuditEvent.objects.filter(chain=self.chain).order_by("number").iterator():
            yield from self._gap(number + 1, event.number)
            yield from self._event(event, before)
            if self.anchor is not None and self.anchor[0] == event.number:
                anchored = True
                if bytes(event.mac) != self.anchor[1]:
                    yield f"event {event.number} is not the one whose head was kept"
            number, before = event.number, bytes(event.mac)
        yield from self._end(number, before, anchored)

    def _gap(self, expected: int, number: int) -> Iterator[str]:
        if number < expected:
            yield f"event {number} stands before the first event kept"
        elif number > expected:
            yield f"missing: {_span(expected, number - 1)}"

    def _event(self, event: AuditEvent, before: bytes) -> Iterator[str]:
        digest = bytes(event.digest)
        made = mac.link(self.of, number=event.number, at=event.at, digest=digest, before=before)
        if made != bytes(event.mac):
            yield f"event {event.number} is not as it was written, or not in its place"
        if event.verb:
            yield from self._content(event, digest)
        elif not self._overdue(event):
            yield f"event {event.number} was blanked before its time"
        if event.number == self.chain.kept_from > 1 and not self._overdue(event):
            yield f"events before {event.number} were forgotten before their time"

    def _content(self, event: AuditEvent, digest: bytes) -> Iterator[str]:
        once = None if event.once is None else bytes(event.once)
        what = Happening(event.actor, event.verb, event.thing, event.frame, once)
        if what.digest(self.of) != digest:
            yield f"event {event.number} does not say what was written"

    def _overdue(self, event: AuditEvent) -> bool:
        return event.at <= _years_before(self.at)

    def _end(self, number: int, before: bytes, anchored: bool) -> Iterator[str]:
        if number != self.chain.length or before != bytes(self.chain.mac):
            yield f"the chain ends at event {number}; its head says {self.chain.length}"
        if not anchored and self.anchor is not None:
            yield f"the end was cut: event {self.anchor[0]} was there when the heads were kept"


def _span(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"events {first} to {last}"


def _years_before(at: datetime) -> datetime:
    """The same day two years earlier, as PostgreSQL counts them: of 29 February, the 28th."""
    year = at.year - YEARS_KEPT
    try:
        return at.replace(year=year)
    except ValueError:
        return at.replace(year=year, day=28)

"""The keyed digests of the record. Their key is a data key like any other, of the class *site*.

It lies in the database wrapped by the key file, so `keys rotate` wraps it anew and the digests
stand, and whoever has only the database can neither continue a chain nor alter one unseen.
Each chain has keys of its own, derived from it.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.db import connection
from django.views.decorators.debug import sensitive_variables

from members import keys
from members.envelope import KeyClass, joined, rewrap, unwrapped
from members.models import DataKey

SCOPE = UUID("a0d17000-0000-4000-8000-000000000001")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Keys:
    """Of one chain: what signs its events, and what blinds its once-a-day readings."""

    signing: bytes = field(repr=False)
    blinding: bytes = field(repr=False)


@dataclass(frozen=True)
class Happening:
    """What an event says, apart from its place in the chain."""

    actor: UUID | None
    verb: str
    thing: str
    frame: bool
    once: bytes | None

    def digest(self, of: Keys) -> bytes:
        """Apart from the chain's own, so that an event can be forgotten and the chain still hold.

        Keyed, since there is little to guess.
        """
        parts = (
            b"" if self.actor is None else self.actor.bytes,
            self.verb.encode(),
            self.thing.encode(),
            b"frame" if self.frame else b"",
            self.once or b"",
        )
        return _keyed(of.signing, b"balint audit event", *parts)


def link(of: Keys, *, number: int, at: datetime, digest: bytes, before: bytes) -> bytes:
    """What binds an event to its number, its time and the event before it."""
    micros = (at - EPOCH) // MICROSECOND
    return _keyed(
        of.signing,
        b"balint audit link",
        str(number).encode(),
        str(micros).encode(),
        digest,
        before,
    )


def once(
    of: Keys, *, verb: str, thing: str, about: UUID, actor: UUID | None, at: datetime
) -> bytes:
    """The same for one person, thing and day (UTC), and told apart from any other by nobody."""
    who = b"" if actor is None else actor.bytes
    day = at.astimezone(UTC).date().isoformat().encode()
    return _keyed(
        of.blinding, b"balint audit once", verb.encode(), thing.encode(), about.bytes, who, day
    )


@sensitive_variables()
def keys_of(chain: UUID, bare: bytes) -> Keys:
    """The keys of one chain, derived from the record's bare key."""
    signing, blinding = (
        HKDF(algorithm=SHA256(), length=32, salt=None, info=joined(purpose, chain.bytes)).derive(
            bare
        )
        for purpose in (b"balint audit sign", b"balint audit blind")
    )
    return Keys(signing, blinding)


@sensitive_variables()
def bare_key() -> bytes:
    """The record's key, made on first use; raises CannotOpen or KeyFileError."""
    return _opened(_kept()) or _made()


@sensitive_variables()
def bare_key_of_tables() -> bytes | None:
    """The record's key if there is one, for a login that reads tables and has no functions.

    Raises CannotOpen or KeyFileError.
    """
    return _opened(DataKey.objects.filter(key_class=KeyClass.SITE, scope=SCOPE).first())


@sensitive_variables()
def _opened(row: DataKey | None) -> bytes | None:
    return None if row is None else unwrapped(row, keys.in_use())


def _kept() -> DataKey | None:
    # Through a function: the office's and the worker's roles may not look at keys.
    with connection.cursor() as cursor:
        cursor.execute("select id, epoch, wrapped from public.balint_audit_key()")
        found = cursor.fetchone()
    return found and _row(*found)


def _row(key: UUID, epoch: int, wrapped: bytes) -> DataKey:
    return DataKey(id=key, key_class=KeyClass.SITE, scope=SCOPE, epoch=epoch, wrapped=wrapped)


@sensitive_variables()
def _made() -> bytes:
    """Insert a new key unless somebody just did; whichever came first counts."""
    new = _row(uuid4(), 0, b"")
    rewrap(new, AESGCM.generate_key(bit_length=256), keys.in_use())
    with connection.cursor() as cursor:
        cursor.execute(
            "select public.balint_make_audit_key(%s, %s, %s)",
            [new.id, new.epoch, bytes(new.wrapped)],
        )
    # The epoch used above may have been shredded just before; from the insert on none can be.
    row = _kept() or new
    keys.in_use().cipher(row.epoch)
    return unwrapped(row, keys.in_use())


def _keyed(key: bytes, *parts: bytes) -> bytes:
    return hmac.new(key, joined(*parts), hashlib.sha256).digest()

"""Addresses that open without signing in: whose and what about, signed with SECRET_KEY.

Nothing of them lies in the database, so the worker can write them into a letter and no dump holds
one. The ids are readable, the proof is bound to what the page says must still be so.
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

SIZE = 16  # octets of an id


@dataclass(frozen=True)
class Link:
    """What stood in an address: the ids as read, and a proof that is still to be checked."""

    ids: tuple[UUID, ...]
    proof: str

    def holds(self, purpose: str, bound: object = "") -> bool:
        """Whether we made it for this purpose, with the same thing bound to it."""
        return constant_time_compare(self.proof, _proof(purpose, self.ids, bound))


def make(purpose: str, ids: Sequence[UUID], bound: object = "") -> str:
    """The token: ids and proof, safe in an address."""
    return f"{_text(b''.join(one.bytes for one in ids))}.{_proof(purpose, ids, bound)}"


def read(text: str) -> Link | None:
    """The parts of a token; None for what cannot be one. Nothing of it is proved yet."""
    encoded, _, proof = text.partition(".")
    try:
        octets = signing.b64_decode(encoded.encode())
    except (ValueError, binascii.Error):
        return None
    # Decoding passes over what is no letter of it: one address has one spelling.
    if not octets or len(octets) % SIZE or _text(octets) != encoded:
        return None
    parts = (octets[at : at + SIZE] for at in range(0, len(octets), SIZE))
    return Link(tuple(UUID(bytes=part) for part in parts), proof)


def _proof(purpose: str, ids: Sequence[UUID], bound: object) -> str:
    said = "|".join([*map(str, ids), str(bound)])
    return _text(salted_hmac(f"members.links.{purpose}", said, algorithm="sha256").digest())


def _text(octets: bytes) -> str:
    return signing.b64_encode(octets).decode()

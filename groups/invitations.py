"""The address in an invitation: bound to the proposal, its address and how often it was sent.

The token is derived from SECRET_KEY, so nothing secret lies in the database, the worker can write
it into a letter, and a second sending or a withdrawal voids what went out before.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from groups.models import Proposal

SALT = "groups.invitation"


def token(proposal: Proposal) -> str:
    """The token of the latest sending: the proposal's id and its proof, safe in an address."""
    return f"{signing.b64_encode(proposal.pk.bytes).decode()}.{_proof(proposal)}"


def url(proposal: Proposal) -> str:
    """The address a letter holds, absolute."""
    return settings.SITE_URL + reverse("invitation", args=[token(proposal)])


def read(text: str, *, at: datetime) -> Proposal | None:
    """The proposal a token opens at `at`; None when it is wrong, dead, used, or too old."""
    encoded, _, proof = text.partition(".")
    try:
        pk = UUID(bytes=signing.b64_decode(encoded.encode()))
    except ValueError:
        return None
    proposal = Proposal.objects.select_related("programme", "group").filter(pk=pk).first()
    if proposal is None or not constant_time_compare(proof, _proof(proposal)):
        return None
    alive = proposal.is_open and proposal.consented_at and (proposal.expires_at or at) > at
    return proposal if alive else None


def _proof(proposal: Proposal) -> str:
    bound = f"{proposal.pk}|{proposal.address.lower()}|{proposal.sends}"
    digest = salted_hmac(SALT, bound, algorithm="sha256").digest()
    return signing.b64_encode(digest).decode()

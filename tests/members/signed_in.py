"""A browser signed in a while ago, without waiting."""

import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.test import Client

from members import sitting

MINUTE = 60
HOUR = 60 * MINUTE


def age(client: Client, *, idle: float = 0, since: float | None = None) -> None:
    """As if the last step had been `idle` seconds ago, and the sign-in `since` seconds ago."""
    session = client.session
    now = time.time()
    session[sitting.SEEN] = int(now - idle)
    session[sitting.BEGAN] = int(now - (idle if since is None else since))
    for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, []):
        record["at"] = session[sitting.BEGAN]
    session.save()


def grow_stale(client: Client) -> None:
    """Signed in too long ago for what needs a fresh sign-in, and at work all the time."""
    age(client, since=16 * MINUTE)


def sign_in(client: Client, member, password: str, **more):
    """Through the sign-in page."""
    return client.post("/accounts/login/", {"login": member.email, "password": password} | more)

"""Whose screen hears that a room changed: the beginning of a stream, and its signs of life.

A stream says “changed, version n” and nothing else; what changed, a screen asks of its own page.
"""

from datetime import datetime
from typing import Final

from django.db import connection
from django.utils.crypto import constant_time_compare, salted_hmac

from members.models import Member
from sessions import conduct, visible
from sessions.models import Session

# Under this name the server that goes on with a stream hands the page what lets somebody in.
ADMIT: Final = "balint.admit"
# Whom a server that starts anew lost come back one after the other.
BACK_AFTER_MS: Final = range(1000, 4000)


def version(session: Session) -> int | None:
    """How often the room has changed; None unless it is open to the asking person."""
    with connection.cursor() as cursor:
        cursor.execute("select public.balint_room_version(%s)", [session.pk])
        return cursor.fetchone()[0]


def listen(session: Session, *, by: Member, at: datetime) -> int:
    """The version to begin with. Raises, as the room's page does, where the room is closed."""
    number = None if session.cancelled else version(session)
    if number is None or not visible.rooms(by, at).filter(pk=session.pk).exists():
        raise conduct.closed_room(session, by, at)
    return number


def beginning(*, key: str, session: Session, by: Member, number: int) -> str:
    """What a stream says first: when to come back, how to show a sign of life, the version."""
    back = BACK_AFTER_MS[by.pk.int % len(BACK_AFTER_MS)]
    here = here_token(key=key, room=str(session.pk), person=str(by.pk))
    return f"retry: {back}\nevent: here\ndata: {here}\n\ndata: {number}\n\n"


def here_token(*, key: str, room: str, person: str) -> str:
    """Who was let in by this sign-in, so that a sign of life costs no question."""
    seal = salted_hmac("sessions.live", f"{key} {room} {person}", algorithm="sha256")
    return f"{person}.{seal.hexdigest()[:32]}"


def is_here(token: str, *, key: str, room: str) -> bool:
    """Whether the token came with a stream of this sign-in and room."""
    person = token.partition(".")[0]
    return constant_time_compare(token, here_token(key=key, room=room, person=person))

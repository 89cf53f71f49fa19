"""While a group meets, no limit of a sign-in interrupts its room: what `members.sitting` asks."""

import re
from datetime import datetime, timedelta
from typing import Final

from django.http import HttpRequest

from groups.gate import person
from members import sitting
from members.identity import acting_as
from sessions import visible
from sessions.models import Session

ID = r"(?P<pk>[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})"
ROOM: Final = re.compile(rf"^/(?:sessions|live)/{ID}(?:/room/|/afterwards/$|$)")
ASKED_BY_ITSELF: Final = re.compile(rf"^/(?:sessions|live)/{ID}(?:/room/now/)?$")
# Time for the page afterwards.
AFTER_THE_CLOSE: Final = timedelta(minutes=15)
# One that was opened and that nobody closed is over for a forgotten browser.
NEVER_CLOSED: Final = timedelta(hours=2)


def register() -> None:
    """Tell the clock of sign-ins what is exempt from it, and what is no sign of anybody."""
    sitting.exempt.append(is_in_open_room)
    sitting.asked_by_itself.append(is_asked_by_itself)


def is_in_open_room(request: HttpRequest, at: datetime) -> bool:
    """The room, or the page afterwards, of a meeting whose circle the person is in."""
    found = ROOM.match(request.path_info)
    if found is None:
        return False
    member = person(request)
    with acting_as(member):
        session = visible.circle(member, at).filter(pk=found["pk"]).first()
    return session is not None and is_open(session, at)


def is_open(session: Session, at: datetime) -> bool:
    """Until a while after it was closed; one that nobody closed, after its planned end."""
    if session.closed_at is not None:
        return at < session.closed_at + AFTER_THE_CLOSE
    never_closed = NEVER_CLOSED if session.opened_at else AFTER_THE_CLOSE
    return at < session.ends_at + never_closed


def is_asked_by_itself(request: HttpRequest, at: datetime) -> bool:
    """The room's page listens and asks, with or without anybody before it."""
    return ASKED_BY_ITSELF.match(request.path_info) is not None

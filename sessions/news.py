"""What has happened to a date since its people were last told of it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from members.models import Letter
from sessions import reminded
from sessions.letters import CANCELLED, MOVED, NOTICES, RESTORED
from sessions.models import Change, Session
from sessions.phases import Phase

# Word of a change goes with the change; its letters are removed 30 days later and must not return.
LASTS = timedelta(days=1)
# What takes an earlier change back.
BACK = frozenset({"undone", RESTORED})


def told(sessions: Sequence[Session]) -> dict[UUID, list[tuple[int, str]]]:
    """The sequences and kinds of all letters about each session, in order."""
    rows = Letter.objects.filter(about_id__in=[session.pk for session in sessions])
    found = defaultdict(list)
    for about, version, kind in (
        rows.order_by("about_version").values_list("about_id", "about_version", "kind").distinct()
    ):
        found[about].append((version, kind))
    return found


def is_news(session: Session, told: Sequence[tuple[int, str]], at: datetime) -> bool:
    """Whether nobody was told of this sequence, and the date was known before it changed."""
    versions = {version for version, _ in told}
    was_known = bool(versions) or (session.settled_at is not None and session.settled_at < at)
    return was_known and session.sequence not in versions


def kinds(
    sessions: Sequence[Session],
    told: dict[UUID, list[tuple[int, str]]],
    changes: dict[UUID, str],
) -> dict[UUID, str]:
    """What happened to each; after a cancellation nothing but putting it back can follow."""
    found = {}
    for session in sessions:
        last = [kind for _, kind in told[session.pk] if kind in NOTICES][-1:]
        if session.phase == Phase.CANCELLED:
            found[session.pk] = CANCELLED
        else:
            back = changes.get(session.pk) == RESTORED or last == [CANCELLED]
            found[session.pk] = RESTORED if back else MOVED
    return found


def last_changes(sessions: Sequence[Session]) -> dict[UUID, str]:
    """What the latest change of each says was done, where the asker may read changes."""
    if not reminded.readable(Change):
        return {}
    since = {session.pk: session.updated_at for session in sessions}
    rows = (
        Change.objects.filter(session__in=since).order_by("at").values_list("session", "kind", "at")
    )
    last = {session: (kind, at) for session, kind, at in rows}
    return {pk: kind for pk, (kind, at) in last.items() if at >= since[pk]}

"""What the frame announces and reminders follow, in the transaction that announces it."""

from datetime import datetime
from typing import Any

from groups import signals
from groups.models import Group
from members.models import Member
from sessions import reminders

HEARD = (
    signals.membership_started,
    signals.membership_ended,
    signals.leave_changed,
    signals.agreement_accepted,
    signals.preference_changed,
)


def listen() -> None:
    """Connect once, when the app is ready."""
    for signal in HEARD:
        signal.connect(_renew_reminders, dispatch_uid="sessions.reminders")


def _renew_reminders(
    sender: Any, *, group: Group, member: Member, at: datetime, **kwargs: Any
) -> None:
    reminders.sync_person(group, member, at=at)

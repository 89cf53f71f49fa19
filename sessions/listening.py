"""What the frame announces and reminders and dates follow, in the transaction that announces it."""

from datetime import datetime
from typing import Any

from groups import signals
from groups.models import Group, GroupEnd
from members.models import Member
from sessions import ending, reminders

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
    signals.reminder_days_changed.connect(_renew_for_all, dispatch_uid="sessions.reminders")
    signals.group_end_confirmed.connect(_cancel_dates, dispatch_uid="sessions.ending")
    signals.group_end_withdrawn.connect(_restore_dates, dispatch_uid="sessions.ending")


def _renew_reminders(
    sender: Any, *, group: Group, member: Member, at: datetime, **kwargs: Any
) -> None:
    reminders.sync_person(group, member, at=at)


def _renew_for_all(sender: Any, *, group: Group, at: datetime, **kwargs: Any) -> None:
    reminders.sync_group(group, at=at)


def _cancel_dates(
    sender: Any, *, group: Group, end: GroupEnd, by: Member, at: datetime, **kwargs: Any
) -> None:
    ending.cancel_dates(group, end, by=by, at=at)


def _restore_dates(
    sender: Any, *, group: Group, end: GroupEnd, by: Member, at: datetime, **kwargs: Any
) -> None:
    ending.restore_dates(group, end, by=by, at=at)

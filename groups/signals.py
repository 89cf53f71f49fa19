"""What the frame announces, inside the transaction that did it; `sessions` listens.

Each is sent with `group`, `member` and `at`; the end of a group with `end`, `by` and `at`; other
days for everybody's reminders with `group` and `at`.
"""

from django.dispatch import Signal

membership_started = Signal()
membership_ended = Signal()
leave_changed = Signal()
agreement_accepted = Signal()
preference_changed = Signal()
reminder_days_changed = Signal()
group_end_confirmed = Signal()
group_end_withdrawn = Signal()

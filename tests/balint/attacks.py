"""Trying what the database lets somebody do; everything tried is taken back."""

from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Model
from django.db.utils import ProgrammingError
from django.utils import timezone

from groups.models import Entrance, Leave, LeavingReason
from members.models import Phone
from sessions.models import (
    Answer,
    Attendance,
    CaseCount,
    CasePresence,
    CasePresentation,
    Change,
    DatesReply,
    LeadersNote,
    NoticeSeen,
    Observer,
    Reflection,
    RoomPresence,
    ShownOut,
    Step,
    SteppedOut,
)
from tests.world import as_member

EVERYBODY = [
    *("nobody", "leader", "second_leader", "new_leader", "late_leader", "former_leader"),
    *("leader_elsewhere", "presenter", "former_presenter", "member", "absent", "newcomer"),
    *("latecomer", "on_leave", "just_left", "former", "admin", "outsider", "superuser"),
]


# A new leader leads since yesterday, a late one since half an hour after tonight's meeting began.
LEADERS = "leader second_leader new_leader late_leader"
CIRCLE_TONIGHT = "leader second_leader new_leader presenter member absent just_left"


# A harmless change of each kind of row, so that a refusal is about the row and not the value.
CHANGE: dict[type[Model], dict[str, Any]] = {
    Entrance: {"door": "new"},
    Leave: {"ended_at": timezone.now() + timedelta(days=90)},
    LeavingReason: {"forget_on": "2030-01-01"},
    Phone: {"number": "1"},
    CaseCount: {"cases": 99},
    Change: {"kind": "restored"},
    Answer: {"answered_at": timezone.now()},
    DatesReply: {"replied_at": timezone.now()},
    NoticeSeen: {"seen_at": timezone.now()},
    Attendance: {"present": False},
    CasePresentation: {"follow_up": True},
    CasePresence: {"member": F("member")},
    Step: {"phase": "call"},
    RoomPresence: {"seen_at": timezone.now()},
    Observer: {"member": F("member")},
    SteppedOut: {"telling": 9},
    ShownOut: {"in_force": True},
    Reflection: {"changed_at": timezone.now()},
    LeadersNote: {"shared": F("shared")},
}


def rights_of(who, row):
    """What the database lets a person do with a row, each tried for real and taken back."""
    rows = type(row).objects.filter(pk=row.pk)
    with as_member(who):
        return (
            ("s" if rows.exists() else "")
            + ("u" if touches(lambda: rows.update(**CHANGE[type(row)])) else "")
            + ("d" if touches(lambda: rows._raw_delete("default")) else "")
        )


class InsufficientPrivilege(Exception):
    """Refused by row-level security, and not for another reason."""


@contextmanager
def refusals():
    try:
        yield
    except ProgrammingError as refused:
        if "row-level security" not in str(refused):
            raise
        raise InsufficientPrivilege from refused


def touches(change):
    try:
        with refusals(), transaction.atomic():
            touched = change()
            transaction.set_rollback(True)
            return touched
    except InsufficientPrivilege:
        return 0


def ask(who, question, *values, role="balint_app"):
    with as_member(who, role), connection.cursor() as cursor:
        cursor.execute(f"select {question}", values)
        return cursor.fetchone()[0]


def those_for_whom(inside, attempt):
    """Names of those for whom `attempt(person)` is true; each attempt is taken back."""
    found = set()
    for who in EVERYBODY:
        with transaction.atomic():
            if attempt(inside.people[who]):
                found.add(who)
            transaction.set_rollback(True)
    return found

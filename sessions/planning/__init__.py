"""Planning: a year from a rule, and each of its dates moved, cancelled, put back or added.

Every verb says who (`by=`) and when (`at=`), is one transaction, and lets the letters follow.
"""

from sessions.planning.day import OfDay, name_leader, plan_day
from sessions.planning.draft import Draft, Fate, Line, draft
from sessions.planning.following import (
    draft_end,
    draft_following,
    end_series,
    plan_following,
    plan_from,
)
from sessions.planning.one_date import (
    add_date,
    cancel,
    check_cancellable,
    check_movable,
    check_restorable,
    is_told,
    move,
    restore,
    undo,
    undoable,
)
from sessions.planning.plans import Plan, following, last_series, next_rule, plan_of
from sessions.planning.proposed import reply, settle
from sessions.planning.refusals import NothingToUndo
from sessions.planning.together import cancel_all, restore_all
from sessions.planning.years import draft_year, plan_year, state_of

__all__ = [
    "Draft",
    "Fate",
    "Line",
    "NothingToUndo",
    "OfDay",
    "Plan",
    "add_date",
    "cancel",
    "cancel_all",
    "check_cancellable",
    "check_movable",
    "check_restorable",
    "draft",
    "draft_end",
    "draft_following",
    "draft_year",
    "end_series",
    "following",
    "is_told",
    "last_series",
    "move",
    "name_leader",
    "next_rule",
    "plan_day",
    "plan_following",
    "plan_from",
    "plan_of",
    "plan_year",
    "reply",
    "restore",
    "restore_all",
    "settle",
    "state_of",
    "undo",
    "undoable",
]

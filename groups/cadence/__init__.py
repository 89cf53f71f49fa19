"""When a group meets: a rule, its breaks and its zone make a year. Pure: no clock inside."""

from groups.cadence.breaks import Break, format_breaks, parse_breaks, stored_breaks
from groups.cadence.moments import (
    QUIET,
    REMINDER_DAYS,
    after_quiet_hours,
    instant,
    last_day,
    next_midnight,
    next_morning,
    offsets_for,
    wall_time_days_before,
)
from groups.cadence.reasons import BreakCannotBe, CadenceCannotBe, RuleCannotBe
from groups.cadence.rules import LAST, Rule, Unit, rule_choices, rule_words, words
from groups.cadence.year import Cadence, Gap, Occurrence, gaps, held, long_gaps, longest_gap

__all__ = [
    "LAST",
    "QUIET",
    "REMINDER_DAYS",
    "Break",
    "BreakCannotBe",
    "Cadence",
    "CadenceCannotBe",
    "Gap",
    "Occurrence",
    "Rule",
    "RuleCannotBe",
    "Unit",
    "after_quiet_hours",
    "format_breaks",
    "gaps",
    "held",
    "instant",
    "last_day",
    "long_gaps",
    "longest_gap",
    "next_midnight",
    "next_morning",
    "offsets_for",
    "parse_breaks",
    "rule_choices",
    "rule_words",
    "stored_breaks",
    "wall_time_days_before",
    "words",
]

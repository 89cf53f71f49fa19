"""What saving a plan would do, date by date: the preview shows it, and saving does it. Pure.

An occurrence and a session belong together by (series, period), wherever a hand has moved the
session. What a hand changed stays; what has begun, is over or has passed is never touched.
"""

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Self
from zoneinfo import ZoneInfo

from groups.cadence import Break, Gap, Occurrence
from sessions.models import Series, Session
from sessions.phases import Phase
from sessions.planning.plans import Plan

# What a calendar or a letter must hear of: when, how long, where, and whether at all.
HEARD = frozenset({"starts_at", "minutes", "place", "setting", "phase"})


KINDS = {Phase.CANCELLED: "cancelled", Phase.PLANNED: "restored"}


class Fate(StrEnum):
    """What saving the plan does to one date."""

    NEW = "new"
    FOLLOWS = "follows"
    BY_HAND = "by hand"
    # The rule's new date of this period has passed, so the meeting stays where it is.
    STAYS = "stays"
    PAST = "past"
    LEFT_OUT = "left out"
    # The group meets that day anyway, by another series or an extra date.
    TAKEN = "taken"
    CANCELLED = "cancelled"
    GOES = "goes"


MEETS = frozenset({Fate.NEW, Fate.FOLLOWS, Fate.BY_HAND, Fate.STAYS, Fate.PAST})


@dataclass(frozen=True)
class Line:
    """One date of the year as it will be; `changes` are the fields of its session saving sets."""

    fate: Fate
    starts_at: datetime
    minutes: int
    zone: str
    occurrence: Occurrence | None = None
    session: Session | None = None
    changes: dict[str, Any] = field(default_factory=dict)
    # When its session begins as long as nothing is saved.
    was_at: datetime | None = None

    @classmethod
    def of_rule(cls, fate: Fate, occurrence: Occurrence, plan: Plan) -> Self:
        """A date without a session, as the rule says it."""
        cadence = plan.cadence
        return cls(fate, occurrence.starts_at, cadence.minutes, cadence.zone, occurrence)

    @classmethod
    def of_session(
        cls,
        fate: Fate,
        session: Session,
        occurrence: Occurrence | None = None,
        changes: dict[str, Any] | None = None,
    ) -> Self:
        """A session as it will be once its changes are saved."""
        changes = changes or {}
        starts_at, minutes, zone = (
            changes.get(name, getattr(session, name))
            for name in ("starts_at", "minutes", "time_zone")
        )
        was_at = session.starts_at
        return cls(fate, starts_at, minutes, zone, occurrence, session, changes, was_at)

    @property
    def on(self) -> date:
        """The date on the wall where the group meets."""
        return self.starts_at.astimezone(ZoneInfo(self.zone)).date()

    @property
    def left_out(self) -> Break | None:
        """The break the rule's date lies in."""
        return self.occurrence.left_out if self.occurrence else None

    @property
    def meets(self) -> bool:
        return self.fate in MEETS

    @property
    def is_told(self) -> bool:
        """Whether members know the date and it changes or goes: then everyone hears of it."""
        known = self.session is not None and self.session.settled_at is not None
        return known and not HEARD.isdisjoint(self.changes)

    @property
    def kind(self) -> str:
        """What a change of a date members know is called."""
        phase = self.changes.get("phase")
        return KINDS[phase] if phase else "moved"


@dataclass(frozen=True)
class Draft:
    """A plan laid over what is there. `series` is what it edits, or None for a new one."""

    plan: Plan
    series: Series | None
    lines: tuple[Line, ...]
    at: datetime
    # Its dates are proposed only: nobody but the group hears of them, and nothing is settled.
    proposes: bool = False

    def of(self, *fates: Fate) -> list[Line]:
        return [line for line in self.lines if line.fate in fates]

    @property
    def meetings(self) -> list[Line]:
        """The dates on which the group meets once this is saved."""
        return self.of(*MEETS)

    @property
    def proposable(self) -> bool:
        """Whether its dates may still be proposed: settled ones are only changed."""
        return self.series is None or self.series.settled_at is None

    @property
    def new_in_the_past(self) -> list[Line]:
        """Dates that would be put down after the fact; they make no mail."""
        return [line for line in self.of(Fate.NEW) if line.starts_at <= self.at]

    @property
    def told(self) -> list[Line]:
        return [line for line in self.lines if line.is_told]

    @property
    def added(self) -> list[Line]:
        """Dates that lie ahead and are new in a rhythm whose dates members know."""
        ahead = [line for line in self.of(Fate.NEW) if line.starts_at > self.at]
        return [] if self.proposable else ahead

    @property
    def several(self) -> bool:
        """Whether one letter with all dates tells of it, in place of a notice of each."""
        return len(self.told) > 1 or bool(self.added)

    @property
    def first(self) -> datetime | None:
        """When the first of the dates members hear of begins, or would have begun."""
        lines = [*self.told, *self.added]
        starts = [start for line in lines for start in (line.was_at, line.starts_at) if start]
        return min(starts, default=None)

    def gaps(self) -> list[Gap]:
        """The gap before every date but the first, counting days the group meets anyway."""
        days = sorted({line.on for line in self.of(*MEETS, Fate.TAKEN)})
        return [Gap(after, before) for after, before in itertools.pairwise(days)]

    def long_gaps(self) -> list[Gap]:
        """Those longer than the rule itself makes."""
        return [gap for gap in self.gaps() if gap.weeks > self.plan.cadence.rule.usual_weeks]

    def longest_gap(self) -> Gap | None:
        return max(self.gaps(), key=lambda gap: gap.before - gap.after, default=None)


def draft(
    plan: Plan,
    *,
    series: Series | None = None,
    sessions: Sequence[Session] = (),
    days_taken: Collection[date] = (),
    setting: str,
    at: datetime,
    proposes: bool = False,
) -> Draft:
    """The plan over the sessions of `series`; `days_taken` are the group's other meeting days.

    With `proposes` new dates stay unsettled, and so do those that are.
    """
    settles = None if proposes else at
    occurrences = plan.cadence.occurrences()
    of_period = _by_period(plan, sessions, occurrences, at)
    matched = {session.pk for session in of_period.values()}
    outside = [_outside(session, at) for session in sessions if session.pk not in matched]
    lines = [_settled(line, settles) for line in outside if line]
    for occurrence in occurrences:
        session = of_period.get(occurrence.period)
        if session is not None:
            lines.append(_settled(_inside(occurrence, session, plan, setting, at), settles))
        elif not _is_history(occurrence, series, at):
            lines.append(_without_session(occurrence, days_taken, plan))
    shown = sorted(lines, key=lambda line: line.starts_at)
    return Draft(plan, series, tuple(shown), at, proposes)


def _settled(line: Line, at: datetime | None) -> Line:
    """The line with its session settled at `at`, if it takes place ahead and is only proposed."""
    session = line.session
    if at is None or session is None or session.settled_at is not None or line.starts_at <= at:
        return line
    return replace(line, changes=line.changes | {"settled_at": at}) if line.meets else line


def is_fixed(session: Session, at: datetime) -> bool:
    """Begun, open, over or passed: no plan touches it any more."""
    return session.starts_at <= at or session.phase not in {Phase.PLANNED, Phase.CANCELLED}


def _by_period(
    plan: Plan, sessions: Sequence[Session], occurrences: Sequence[Occurrence], at: datetime
) -> dict[date, Session]:
    """The session of each period of the rule."""
    on = {occurrence.period: occurrence.on for occurrence in occurrences}
    known = {session.period: session for session in sessions if session.period}
    guessed = defaultdict(list)
    for session in sessions:
        if session.period is None and not is_fixed(session, at):
            guessed[plan.cadence.rule.period(_day(session))].append(session)
    best = {period: _best(found, on.get(period)) for period, found in guessed.items()}
    return {period: session for period, session in (best | known).items() if period in on}


def _best(sessions: Iterable[Session], on: date | None) -> Session:
    """Of several in one period the one on its date, else one a hand has changed, else the first.

    So it is after a rhythm of months became one of weeks, or the other way round: they have no
    period in common.
    """
    return min(sessions, key=lambda s: (_day(s) != on, not s.overrides, s.starts_at))


def _day(session: Session) -> date:
    return session.starts_at.astimezone(session.zone).date()


def _is_history(occurrence: Occurrence, series: Series | None, at: datetime) -> bool:
    """A past date the series already covered: that stretch went as it went."""
    if series is None or occurrence.starts_at > at:
        return False
    return series.first_on <= occurrence.on <= series.last_on


def _without_session(occurrence: Occurrence, days_taken: Collection[date], plan: Plan) -> Line:
    fate = Fate.TAKEN if occurrence.on in days_taken else Fate.NEW
    return Line.of_rule(Fate.LEFT_OUT if occurrence.left_out else fate, occurrence, plan)


def _inside(
    occurrence: Occurrence, session: Session, plan: Plan, setting: str, at: datetime
) -> Line:
    """The line of a session whose period the rule still has."""
    moved = "starts_at" in session.overrides
    if is_fixed(session, at):
        return Line.of_session(
            Fate.CANCELLED if session.cancelled else Fate.PAST, session, occurrence
        )
    if session.overrides.get("cancelled"):
        return Line.of_session(Fate.CANCELLED, session, occurrence)
    if occurrence.left_out:
        gone = session.cancelled and Line.of_rule(Fate.LEFT_OUT, occurrence, plan)
        return gone or _stays_or_goes(session, occurrence)
    if occurrence.starts_at <= at and not moved:
        fate = Fate.CANCELLED if session.cancelled else Fate.STAYS
        return Line.of_session(fate, session, occurrence)
    changes = _changes(occurrence, session, plan, setting)
    fate = Fate.BY_HAND if session.overrides else Fate.FOLLOWS
    return Line.of_session(fate, session, occurrence, changes)


def _changes(occurrence: Occurrence, session: Session, plan: Plan, setting: str) -> dict[str, Any]:
    """The fields in which an untouched session does not follow the rule yet."""
    rule = {"period": occurrence.period, **as_ruled(occurrence, plan, setting)}
    if "starts_at" in session.overrides:
        # The hand chose a time on the clock of that zone.
        del rule["starts_at"], rule["time_zone"]
    if session.cancelled:
        rule["phase"] = Phase.PLANNED
    return {
        name: value
        for name, value in rule.items()
        if name not in session.overrides and getattr(session, name) != value
    }


def as_ruled(occurrence: Occurrence, plan: Plan, setting: str) -> dict[str, Any]:
    """The fields of a session that stands exactly as the plan says."""
    return {
        "starts_at": occurrence.starts_at,
        "minutes": plan.cadence.minutes,
        "time_zone": plan.cadence.zone,
        "place": plan.place,
        "setting": setting,
    }


def _outside(session: Session, at: datetime) -> Line | None:
    """The line of a session whose period the rule does not have; None if nobody need see it."""
    if is_fixed(session, at):
        return None if session.cancelled else Line.of_session(Fate.PAST, session)
    if session.cancelled:
        by_hand = session.overrides.get("cancelled")
        return Line.of_session(Fate.CANCELLED, session) if by_hand else None
    return _stays_or_goes(session)


def _stays_or_goes(session: Session, occurrence: Occurrence | None = None) -> Line:
    """It stays if a hand gave it its date or put it back: place and length do not say that."""
    if "starts_at" in session.overrides or session.overrides.get("cancelled") is False:
        return Line.of_session(Fate.BY_HAND, session, occurrence)
    return Line.of_session(Fate.GOES, session, occurrence, {"phase": Phase.CANCELLED})

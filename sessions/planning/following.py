"""A rhythm changed from one date on, or ended after a day: what was held stays with the old one."""

from dataclasses import replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from groups import zones
from groups.cadence import Cadence, Rule
from groups.models import Group
from groups.policy import Action, may
from members import audit
from members.models import Member
from sessions import conduct
from sessions.models import Series, Session
from sessions.phases import Phase
from sessions.planning import years
from sessions.planning.draft import Draft, Fate, Line, draft, is_fixed
from sessions.planning.one_date import check_movable
from sessions.planning.plans import Plan, plan_of
from sessions.planning.refusals import (
    ChangedMeanwhile,
    EndsAnyway,
    LastDayHasPassed,
    NoDateIsLeft,
    NotYoursToPlan,
    OverlapsAnotherRhythm,
    StandsAlone,
)

A_DAY = timedelta(days=1)


def plan_from(session: Session, rule: Rule | None = None) -> Plan:
    """The plan of its series from this date on, by the same rule or another. Raises Refused.

    It begins with the whole month or week of the date, so that another weekday may lie before it;
    where months become weeks, or weeks months, with the date itself.
    """
    plan = plan_of(_series_of(session))
    cadence = plan.cadence
    alike = rule is None or rule.unit is cadence.rule.unit
    first_on = session.period if alike and session.period else _ruled_on(session, plan)
    if first_on <= cadence.first_on:
        return plan
    last_on = max(cadence.last_on, first_on)
    return Plan(replace(cadence, first_on=first_on, last_on=last_on), plan.place)


def draft_following(session: Session, plan: Plan, *, at: datetime) -> Draft:
    """What this plan would do to this date and those after it. Raises Refused."""
    check_movable(session, at)
    group, series = session.group, _series_of(session)
    if _is_whole(plan, series):
        return years.draft_year(group, plan, at=at, propose=series.settled_at is None)
    _check_alone(plan, series)
    found, others = years.sessions_near(group, plan, series)
    own = [other for other in found if _follows(other, session)]
    others += [other for other in found if not _follows(other, session)]
    if years.counts_otherwise(plan, series):
        for other in own:
            other.period = None
    drafted = draft(
        plan,
        series=series,
        sessions=own,
        days_taken=years.days_of(others),
        setting=group.setting,
        at=at,
        proposes=series.settled_at is None,
    )
    if not drafted.meetings:
        raise NoDateIsLeft
    return drafted


@transaction.atomic
def plan_following(
    session: Session, cadence: Cadence, place: str, *, by: Member, at: datetime, seen: str = ""
) -> Series:
    """This date and all after it follow another plan, as a series of their own; the old one ends.

    Sessions stay the same (id, uid), with whatever a hand changed in them, and members hear as of
    any planning. `cadence` begins as `plan_from` says. `seen` is `state_of(group)` as the leader
    saw it. Raises Refused.
    """
    group = _held_still(session.group, by=by, at=at, seen=seen)
    session = Session.objects.select_related("group", "series").get(pk=session.pk)
    check_movable(session, at)
    old, plan = _series_of(session), Plan(cadence, place)
    if _is_whole(plan, old):
        propose = old.settled_at is None
        return years.plan_year(group, cadence, place, by=by, at=at, propose=propose)
    if old.settled_at is None and plan == plan_from(session):
        # Whoever has marked these dates need not look at them again.
        return old
    drafted = draft_following(session, plan, at=at)
    series = _branch(drafted, old, by=by, at=at)
    own = _hand_over(drafted, session, series, by=by, at=at)
    saved = years.save_sessions(drafted, series, group, by=by, at=at)
    # Dates that do not change are reminded of by the new rhythm.
    rest = own.exclude(pk__in=[other.pk for other in saved])
    years.write(drafted, series, [*saved, *rest], newly=False, at=at)
    audit.note(audit.PLANNED, audit.Thing.DATES, group=group.pk)
    return series


def draft_end(series: Series, last_on: date, *, at: datetime) -> Draft:
    """Which dates go if the series ends with this day. Raises Refused."""
    if last_on < at.astimezone(series.group.zone).date():
        raise LastDayHasPassed
    if last_on >= series.last_on:
        raise EndsAnyway(day=zones.date_words(series.last_on, with_year=True))
    plan = plan_of(series)
    shorter = replace(plan.cadence, last_on=max(last_on, series.first_on))
    sessions = Session.objects.filter(series=series).order_by("starts_at")
    lines = tuple(_ending(session, last_on, at) for session in sessions)
    proposes = series.settled_at is None
    return Draft(Plan(shorter, plan.place), series, lines, at, proposes)


@transaction.atomic
def end_series(
    series: Series, last_on: date, *, by: Member, at: datetime, seen: str = ""
) -> Series:
    """All its dates after this day are cancelled, with their notice, also those a hand moved.

    `seen` is `state_of(group)` as the leader saw it. Raises Refused.
    """
    group = _held_still(series.group, by=by, at=at, seen=seen)
    series = Series.objects.select_related("group").get(pk=series.pk)
    drafted = draft_end(series, last_on, at=at)
    series.last_on = drafted.plan.cadence.last_on
    series.planned_by, series.planned_at = by, at
    series.save(update_fields=["last_on", "planned_by", "planned_at"])
    saved = years.save_sessions(drafted, series, group, by=by, at=at)
    years.write(drafted, series, saved, newly=False, at=at)
    audit.note(audit.PLANNED, audit.Thing.DATES, group=group.pk)
    return series


def _held_still(group: Group, *, by: Member, at: datetime, seen: str) -> Group:
    if not may(by, Action.PLAN, group, at):
        raise NotYoursToPlan
    group = Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    if seen and seen != years.state_of(group):
        raise ChangedMeanwhile
    return group


def _series_of(session: Session) -> Series:
    if session.series is None:
        raise StandsAlone
    return session.series


def _ruled_on(session: Session, plan: Plan) -> date:
    """The date its rule gives it, wherever a hand has moved it; else the day it is on."""
    ruled = (o.on for o in plan.cadence.occurrences() if o.period == session.period)
    return next(ruled, session.starts_at.astimezone(session.zone).date())


def _is_whole(plan: Plan, series: Series) -> bool:
    """Whether nothing of the series comes before, so that there is nothing to part from."""
    return plan.cadence.first_on <= series.first_on


def _check_alone(plan: Plan, series: Series) -> None:
    first_on, last_on = plan.span
    others = Series.objects.filter(group=series.group_id).exclude(pk=series.pk)
    other = others.filter(first_on__lte=last_on, last_on__gte=first_on).first()
    if other is not None:
        ends = (zones.date_words(on, with_year=True) for on in (other.first_on, other.last_on))
        raise OverlapsAnotherRhythm(**dict(zip(("first", "last"), ends, strict=True)))


def _follows(other: Session, session: Session) -> bool:
    """Whether it belongs to this and following, by its place in the rhythm where it has one."""
    if other.period and session.period:
        return other.period >= session.period
    return other.starts_at >= session.starts_at


def _branch(drafted: Draft, old: Series, *, by: Member, at: datetime) -> Series:
    """The new series from that date on, proposed or settled like the old one, which ends there."""
    series = Series.objects.create(
        group=old.group,
        **years.fields_of(drafted.plan),
        planned_by=by,
        planned_at=at,
        proposed_at=at if drafted.proposes else old.proposed_at,
        settled_at=old.settled_at,
        revision=1,
    )
    old.last_on = series.first_on - A_DAY
    old.save(update_fields=["last_on"])
    return series


def _hand_over(
    drafted: Draft, session: Session, series: Series, *, by: Member, at: datetime
) -> QuerySet[Session]:
    """Its sessions belong to the new series, with a period only where that counts alike."""
    old = _series_of(session)
    all_of_old = Session.objects.filter(series=old)
    own = Session.objects.filter(pk__in=[s.pk for s in all_of_old if _follows(s, session)])
    conduct.check_circles(own, by, at)
    periods = {"period": None} if years.counts_otherwise(drafted.plan, old) else {}
    own.update(series=series, **periods)
    for line in drafted.lines:
        if line.session is not None:
            line.session.series = series
    return own


def _ending(session: Session, last_on: date, at: datetime) -> Line:
    if is_fixed(session, at):
        return Line.of_session(Fate.CANCELLED if session.cancelled else Fate.PAST, session)
    if session.cancelled:
        return Line.of_session(Fate.CANCELLED, session)
    if session.starts_at.astimezone(session.zone).date() > last_on:
        return Line.of_session(Fate.GOES, session, changes={"phase": Phase.CANCELLED})
    return Line.of_session(Fate.BY_HAND if session.overrides else Fate.FOLLOWS, session)

"""A year planned, and planned again: what a hand moved stays, members hear only of changes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, Sum

from groups import zones
from groups.cadence import Cadence, Occurrence, Rule, next_morning, stored_breaks
from groups.models import Group
from groups.policy import Action, may
from members import audit
from members.models import Member
from sessions import conduct, reminders
from sessions.models import Change, DatesReply, Series, Session
from sessions.phases import Phase
from sessions.planning import letters
from sessions.planning.draft import Draft, Fate, Line, as_ruled, draft
from sessions.planning.plans import Plan
from sessions.planning.refusals import (
    ChangedMeanwhile,
    NoDateIsLeft,
    NotYoursToPlan,
    OverlapsAnotherRhythm,
    SettledAlready,
)

# No zone is further from UTC than this.
A_DAY = timedelta(days=1)
SAVED = ["period", "starts_at", "minutes", "time_zone", "place", "setting", "phase"]
SAVED += ["sequence", "settled_at", "runs_until", "updated_at"]


@transaction.atomic
def plan_year(
    group: Group,
    cadence: Cadence,
    place: str,
    *,
    by: Member,
    at: datetime,
    seen: str = "",
    propose: bool = False,
) -> Series:
    """Make or change the group's series of that span; its dates are settled and letters follow.

    Sessions of the same period stay the same (id, uid) and change only where the rule differs and
    no hand chose otherwise. Dates the rule no longer has are cancelled, with their notice; several
    changes, and new dates, are one letter. Past ones make no mail. With `propose` nothing is
    settled: members are asked which dates they cannot. `seen` is `state_of(group)` as seen. Raises
    Refused.
    """
    if not may(by, Action.PLAN, group, at):
        raise NotYoursToPlan
    group = Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    if seen and seen != state_of(group):
        raise ChangedMeanwhile
    drafted = draft_year(group, Plan(cadence, place), at=at, propose=propose)
    before = drafted.series.settled_at if drafted.series else None
    series = _save_series(drafted, group, by=by, at=at)
    sessions = save_sessions(drafted, series, group, by=by, at=at)
    write(drafted, series, sessions, newly=before is None, at=at)
    audit.note(audit.PLANNED, audit.Thing.DATES, group=group.pk)
    return series


def draft_year(group: Group, plan: Plan, *, at: datetime, propose: bool = False) -> Draft:
    """What saving, or proposing, this plan would do; raises Refused where it could not be saved."""
    series = _series_to_edit(group, plan)
    if propose and series and series.settled_at:
        raise SettledAlready
    own, others = sessions_near(group, plan, series)
    if series and counts_otherwise(plan, series):
        # A month's and a week's period have nothing in common, though they may be the same day.
        for session in own:
            session.period = None
    drafted = draft(
        plan,
        series=series,
        sessions=own,
        days_taken=days_of(others),
        setting=group.setting,
        at=at,
        proposes=propose,
    )
    if not drafted.meetings:
        raise NoDateIsLeft
    return drafted


def state_of(group: Group) -> str:
    """A word that changes whenever a series or a date of the group does."""
    counted = (Count("pk"), Count("settled_at"), Sum("sequence"))
    sessions = Session.objects.filter(group=group).aggregate(*counted)
    series = Series.objects.filter(group=group).aggregate(Count("pk"), Max("planned_at"))
    return "|".join(str(part) for part in [*sessions.values(), *series.values()])


def _series_to_edit(group: Group, plan: Plan) -> Series | None:
    """The series this plan's span covers most of, the latest planned of equals.

    A group has one rhythm at a time: a span that runs into another series as well is refused.
    """
    first_on, last_on = plan.span
    overlapping = Series.objects.filter(group=group, first_on__lte=last_on, last_on__gte=first_on)
    ranked = sorted(
        overlapping,
        key=lambda s: (min(s.last_on, last_on) - max(s.first_on, first_on), s.planned_at),
        reverse=True,
    )
    if len(ranked) > 1:
        first, last = (zones.date_words(on, with_year=True) for on in _span(ranked[1]))
        raise OverlapsAnotherRhythm(first=first, last=last)
    return ranked[0] if ranked else None


def _span(series: Series) -> tuple[date, date]:
    return series.first_on, series.last_on


def days_of(sessions: Iterable[Session]) -> set[date]:
    """The local days on which these take place."""
    return {s.starts_at.astimezone(s.zone).date() for s in sessions if not s.cancelled}


def sessions_near(
    group: Group, plan: Plan, series: Series | None
) -> tuple[list[Session], list[Session]]:
    """The sessions of the series, and the group's others within the plan's span; one query."""
    first, last = (datetime.combine(on, time.min, UTC) for on in plan.span)
    near = Q(starts_at__gt=first - A_DAY, starts_at__lt=last + 2 * A_DAY)
    of_series = Q(series=series) if series else Q()
    found = Session.objects.filter(of_series | near, group=group).order_by("starts_at")
    key = series.pk if series else None
    own = [session for session in found if key and session.series_id == key]
    return own, [session for session in found if not key or session.series_id != key]


def counts_otherwise(plan: Plan, series: Series) -> bool:
    """Whether the plan counts in weeks and the series in months, or the other way round."""
    return Rule.from_code(series.rule).unit is not plan.cadence.rule.unit


def _save_series(drafted: Draft, group: Group, *, by: Member, at: datetime) -> Series:
    fields = fields_of(drafted.plan)
    series = drafted.series or Series(group=group)
    same = drafted.series and all(getattr(series, name) == fields[name] for name in fields)
    if same and (drafted.proposes or series.settled_at):
        return series
    if drafted.series and counts_otherwise(drafted.plan, series):
        # Freed first: the new periods are written row by row, and some are old ones.
        conduct.check_circles(Session.objects.filter(series=series), by, at)
        Session.objects.filter(series=series).update(period=None)
    fields |= {"planned_by": by, "planned_at": at}
    if drafted.proposes:
        fields |= {"proposed_at": at, "revision": series.revision + 1}
    elif series.settled_at is None:
        fields |= {"settled_at": at, "revision": series.revision + 1}
    for name, value in fields.items():
        setattr(series, name, value)
    series.save()
    return series


def fields_of(plan: Plan) -> dict[str, Any]:
    """What a series keeps of its plan."""
    cadence = plan.cadence
    return {
        "rule": cadence.rule.code,
        "starts_at": cadence.starts_at,
        "minutes": cadence.minutes,
        "time_zone": cadence.zone,
        "place": plan.place,
        "first_on": cadence.first_on,
        "last_on": cadence.last_on,
        "breaks": stored_breaks(cadence.breaks),
    }


def write(
    drafted: Draft, series: Series, sessions: list[Session], *, newly: bool, at: datetime
) -> None:
    """What is to be sent: a question, the first letter with all dates, or word of what changed."""
    if drafted.proposes:
        if series.proposed_at == at:
            letters.ask(
                series, list(letters.proposed(series.group, at).filter(series=series)), at=at
            )
        return
    reminders.sync_many(sessions, at=at, told=not drafted.several)
    if newly:
        DatesReply.objects.filter(series=series).delete()
        letters.tell(series, sessions, at=at)
    elif drafted.several:
        letters.tell_anew(series, sessions, first=drafted.first, at=at)


def save_sessions(
    drafted: Draft, series: Series, group: Group, *, by: Member, at: datetime
) -> list[Session]:
    """Write what the draft says, in as many queries for ten dates as for fifty-two."""
    made = [line.occurrence for line in drafted.of(Fate.NEW) if line.occurrence]
    new = [_made(occurrence, drafted, series, group, at) for occurrence in made]
    forgotten = _forget_unknown(drafted)
    lines = [line for line in drafted.lines if line.changes and line.session not in forgotten]
    changed = [_applied(line, line.session, at) for line in lines if line.session]
    if new:
        Session.objects.bulk_create(new)
    if changed:
        Session.objects.bulk_update(changed, SAVED)
        Change.objects.bulk_create(
            Change(session=line.session, group=group, kind=line.kind, by=by, at=at)
            for line in lines
            if line.is_told
        )
    return new + changed


def _forget_unknown(drafted: Draft) -> list[Session]:
    """Dates that go before anybody knew of them leave no trace; all others are cancelled."""
    going = [line.session for line in drafted.of(Fate.GOES) if line.session]
    unknown = [session.pk for session in going if session.settled_at is None]
    if not unknown:
        return []
    found = list(Session.objects.filter(pk__in=unknown, answers=None))
    Session.objects.filter(pk__in=[session.pk for session in found]).delete()
    return found


def _applied(line: Line, session: Session, at: datetime) -> Session:
    session.sequence += line.is_told
    for name, value in line.changes.items():
        setattr(session, name, value)
    session.runs_until = next_morning(session.ends_at, session.time_zone)
    session.updated_at = at
    return session


def _made(
    occurrence: Occurrence, drafted: Draft, series: Series, group: Group, at: datetime
) -> Session:
    plan = drafted.plan
    return Session(
        group=group,
        series=series,
        period=occurrence.period,
        **as_ruled(occurrence, plan, group.setting),
        phase=Phase.PLANNED,
        settled_at=None if drafted.proposes and occurrence.starts_at > drafted.at else at,
        runs_until=next_morning(occurrence.ends_at, plan.cadence.zone),
        updated_at=at,
    )

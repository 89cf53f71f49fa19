"""What the planning page begins with: the rhythm in use, or the next one from the last."""

import calendar
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from groups import evenings
from groups.cadence import Break, Cadence, Rule, Unit, parse_breaks
from groups.models import Group
from sessions.models import Series

DAY = timedelta(days=1)
# A group that has no rhythm yet is offered the third Thursday, 19:30, as long as its template.
FIRST_RULE = Rule(Unit.MONTH, 1, weekday=3, nth=3)
FIRST_TIME = time(19, 30)
# From October on a year to come is planned, not the rest of this one.
OCTOBER = 10
DECEMBER = 12


@dataclass(frozen=True)
class Plan:
    """What the leaders say on one page: a cadence, and where."""

    cadence: Cadence
    place: str = ""

    @property
    def span(self) -> tuple[date, date]:
        return self.cadence.first_on, self.cadence.last_on


def plan_of(series: Series) -> Plan:
    """The plan this series was saved from."""
    first_on, last_on = series.first_on, series.last_on
    cadence = Cadence(
        rule=Rule.from_code(series.rule),
        starts_at=series.starts_at,
        minutes=series.minutes,
        zone=series.time_zone,
        first_on=first_on,
        last_on=last_on,
        breaks=parse_breaks(series.breaks, first_on, last_on),
    )
    return Plan(cadence, series.place)


def last_series(group: Group) -> Series | None:
    """The series that reaches furthest, the latest planned of equals."""
    return Series.objects.filter(group=group).order_by("-last_on", "-planned_at").first()


def next_rule(group: Group, at: datetime) -> Plan:
    """What the page offers first: the rhythm in use, or in autumn that of the year to come."""
    last = last_series(group)
    today = at.astimezone(group.zone).date()
    if last is not None and last.last_on > today and not _year_is_planned(last, today):
        return plan_of(last)
    return following(group, last, today)


def following(group: Group, last: Series | None, today: date) -> Plan:
    """The plan after `last`: the same rhythm for twelve months, its breaks on the same days again.

    A first plan runs to the year's end, from October on to that of the next: of a few weeks it
    would be none.
    """
    first_on = today + DAY
    if last is None:
        last_on = date(first_on.year + (first_on.month >= OCTOBER), 12, 31)
        lasts = evenings.usual_length(group)
        cadence = Cadence(FIRST_RULE, FIRST_TIME, lasts, group.time_zone, first_on, last_on)
        return Plan(cadence, group.place)
    first_on = max(first_on, _day_after(last.last_on))
    plan = plan_of(last)
    last_on = _years_later(first_on, 1) - DAY
    breaks = _breaks_again(plan.cadence.breaks, first_on, last_on)
    cadence = replace(plan.cadence, first_on=first_on, last_on=last_on, breaks=breaks)
    return Plan(cadence, last.place)


def _breaks_again(breaks: tuple[Break, ...], first_on: date, last_on: date) -> tuple[Break, ...]:
    """The same days of the year, where they touch the new span; the leaders see them beforehand."""
    again = {
        Break(_years_later(pause.first, years), _years_later(pause.last, years), pause.name)
        for pause in breaks
        for years in range(last_on.year - pause.first.year + 1)
    }
    return tuple(sorted(b for b in again if b.last >= first_on and b.first <= last_on))


def _years_later(on: date, years: int) -> date:
    """The same day so many years later; 29 February is the 28th where there is none."""
    leaps = (on.month, on.day) == (2, 29) and not calendar.isleap(on.year + years)
    return on.replace(year=on.year + years, day=28 if leaps else on.day)


def _year_is_planned(last: Series, today: date) -> bool:
    """Whether it is October or later, and the last rhythm ends with this year."""
    ends = (last.last_on.year, last.last_on.month)
    return today.month >= OCTOBER and ends == (today.year, DECEMBER)


def _day_after(last_on: date) -> date:
    """The next day; a plan that ended in December is followed by one from January."""
    return date(last_on.year + 1, 1, 1) if last_on.month == DECEMBER else last_on + DAY

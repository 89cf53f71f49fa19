"""The card for the knee: phases and times of one meeting, from the group's template."""

from groups import evenings
from groups.models import Group
from sessions import conduct
from sessions.models import Session
from sessions.timetable import Durations, Slot, durations, timetable


def of(session: Session) -> tuple[Slot, ...]:
    """The lines of the card, on the session's wall clock. One query."""
    return timetable(
        session.minutes,
        conduct.switches_of(session.group),
        session.starts_at.astimezone(session.zone),
        durations_for(session.group, session.minutes),
    )


def durations_for(group: Group, minutes: int) -> Durations:
    """For a meeting of so many minutes: the group's template, and its own minutes."""
    template = evenings.of_group(group, minutes)
    cases = template.cases if template else 1
    return durations(evenings.minutes_of(template, group.minutes), cases)

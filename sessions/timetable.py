"""How long each phase of an evening takes, and the card printed from it.

The templates are rows (`groups.evenings`); here their minutes become the times of one meeting.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sessions.phases import ORDER, Phase, Switches, enabled


class Stretch(NamedTuple):
    phase: Phase
    minutes: int


class Slot(NamedTuple):
    """One line of the printed card."""

    phase: Phase
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Durations:
    """How long the phases of an evening take: its stretches, in minutes that add up."""

    cases: int
    stretches: tuple[Stretch, ...]

    @property
    def minutes(self) -> int:
        return sum(stretch.minutes for stretch in self.stretches)


def durations(minutes: Mapping[str, int], cases: int = 1) -> Durations:
    """Minutes by phase, those from call to coming back in once per case."""
    arriving, follow_up, *case, closing = (Stretch(p, int(minutes.get(p, 0))) for p in ORDER)
    return Durations(cases, (arriving, follow_up, *case * cases, closing))


def timetable(
    minutes: int,
    switches: Switches,
    starts_at: datetime,
    durations: Durations,
) -> tuple[Slot, ...]:
    """The printed card, in the zone of the aware `starts_at`, without what takes no minutes."""
    slots = []
    # In UTC, since minutes added to a local time are an hour wrong where the clocks change.
    begins = starts_at.astimezone(UTC)
    for phase, lasts in stretches(minutes, switches, durations):
        ends = begins + timedelta(minutes=lasts)
        local = (moment.astimezone(starts_at.tzinfo) for moment in (begins, ends))
        slots.append(Slot(phase, *local))
        begins = ends
    return tuple(slots)


def stretches(minutes: int, switches: Switches, durations: Durations) -> tuple[Stretch, ...]:
    """What the group uses, adding up to `minutes`: time to spare goes to the group's work."""
    share = min(1.0, minutes / max(durations.minutes, 1))
    kept = [
        Stretch(stretch.phase, int(stretch.minutes * share))
        for stretch in durations.stretches
        if enabled(stretch.phase, switches)
    ]
    spare = iter(_shared(minutes - sum(stretch.minutes for stretch in kept), durations.cases))
    given = [
        Stretch(stretch.phase, stretch.minutes + next(spare))
        if stretch.phase is Phase.GROUP_WORK
        else stretch
        for stretch in kept
    ]
    return tuple(stretch for stretch in given if stretch.minutes)


def _shared(minutes: int, cases: int) -> list[int]:
    """As equal as whole minutes can be, the first case having the odd one."""
    return [minutes // cases + (case < minutes % cases) for case in range(cases)]

"""How long an evening takes: templates of durations, and the card printed from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils.translation import gettext as _

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
    """A group's template of an evening: its stretches, in minutes that add up."""

    key: str
    cases: int
    stretches: tuple[Stretch, ...]

    @property
    def minutes(self) -> int:
        return sum(stretch.minutes for stretch in self.stretches)

    @property
    def label(self) -> str:
        """“90 minutes, two cases”."""
        words = {
            1: _("%(minutes)d minutes, one case"),
            2: _("%(minutes)d minutes, two cases"),
        }
        return words[self.cases] % {"minutes": self.minutes}


def _durations(key: str, cases: int, *minutes: int) -> Durations:
    """Minutes in the order of an evening, those from call to coming back in once per case."""
    arriving, follow_up, *case, closing = minutes
    opening = (Stretch(Phase.ARRIVING, arriving), Stretch(Phase.FOLLOW_UP, follow_up))
    one_case = tuple(Stretch(*pair) for pair in zip(ORDER[2:-1], case, strict=True))
    return Durations(key, cases, (*opening, *one_case * cases, Stretch(Phase.CLOSING, closing)))


# arriving, follow-up, call, story, questions, the group's work, coming back in, closing
DURATIONS: dict[str, Durations] = {
    durations.key: durations
    for durations in (
        _durations("60", 1, 3, 3, 2, 5, 5, 32, 5, 5),
        _durations("75", 1, 5, 5, 2, 5, 5, 43, 5, 5),
        _durations("90", 1, 5, 5, 3, 7, 5, 52, 8, 5),
        _durations("90-two", 2, 4, 3, 2, 5, 4, 25, 3, 5),
        _durations("120", 2, 5, 4, 2, 7, 5, 33, 6, 5),
    )
}


def durations_of(minutes: Mapping[str, int], cases: int = 1) -> Durations:
    """A group's own minutes by phase; a phase it does not name takes what 90 minutes give it."""
    usual = {stretch.phase: stretch.minutes for stretch in DURATIONS["90"].stretches}
    own = (int(minutes.get(phase, usual[phase])) for phase in ORDER)
    return _durations("own", cases, *own)


def duration_choices() -> list[tuple[str, str]]:
    """Choices of a select: “90 minutes, two cases”."""
    return [(key, durations.label) for key, durations in DURATIONS.items()]


def durations_for(minutes: int) -> Durations:
    """The longest template that fits into so many minutes, one case rather than two."""
    fitting = [durations for durations in DURATIONS.values() if durations.minutes <= minutes]
    return max(fitting, key=lambda durations: durations.minutes, default=DURATIONS["60"])


def timetable(
    minutes: int,
    switches: Switches,
    starts_at: datetime,
    durations: Durations | None = None,
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


def stretches(
    minutes: int, switches: Switches, durations: Durations | None = None
) -> tuple[Stretch, ...]:
    """What the group uses, adding up to `minutes`: time to spare goes to the group's work."""
    template = durations or durations_for(minutes)
    share = min(1.0, minutes / max(template.minutes, 1))
    kept = [
        Stretch(stretch.phase, int(stretch.minutes * share))
        for stretch in template.stretches
        if enabled(stretch.phase, switches)
    ]
    spare = iter(_shared(minutes - sum(stretch.minutes for stretch in kept), template.cases))
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

"""The dates a cadence makes, those its breaks leave out, and the gaps between the rest."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from groups import zones
from groups.cadence.breaks import Break
from groups.cadence.moments import instant
from groups.cadence.reasons import CadenceCannotBe
from groups.cadence.rules import Rule

MINUTES = range(15, 12 * 60 + 1)
LONGEST_YEARS = 11
# A slip of the finger in a year's digits must not plan for centuries.
YEARS = range(1990, 2200)


@dataclass(frozen=True)
class Occurrence:
    """One date of a cadence, known by (series, period) even when moved. Instants are UTC."""

    period: date
    on: date
    starts_at: datetime
    ends_at: datetime
    left_out: Break | None = None
    clocks_changed: bool = False


@dataclass(frozen=True)
class Gap:
    """Two meetings and the whole weeks between them."""

    after: date
    before: date

    @property
    def weeks(self) -> int:
        return (self.before - self.after).days // 7

    @property
    def before_words(self) -> str:
        """“13 weeks without a meeting before it”, beside the date that ends the gap."""
        return ngettext(
            "%(weeks)d week without a meeting before it",
            "%(weeks)d weeks without a meeting before it",
            self.weeks,
        ) % {"weeks": self.weeks}

    def __str__(self) -> str:
        """“13 weeks without a meeting: 17 June to 16 September”; with the years over New Year."""
        years = self.after.year != self.before.year
        return ngettext(
            "%(weeks)d week without a meeting: %(after)s to %(before)s",
            "%(weeks)d weeks without a meeting: %(after)s to %(before)s",
            self.weeks,
        ) % {
            "weeks": self.weeks,
            "after": zones.date_words(self.after, with_year=years),
            "before": zones.date_words(self.before, with_year=years),
        }


@dataclass(frozen=True)
class Cadence:
    """A rule between two dates; `starts_at` is on the clock of `zone`, `minutes` are real time."""

    rule: Rule
    starts_at: time
    minutes: int
    zone: str
    first_on: date
    last_on: date
    breaks: tuple[Break, ...] = ()

    def __post_init__(self) -> None:
        if not zones.is_zone(self.zone):
            raise CadenceCannotBe(_("Choose a time zone from the list."))
        if self.minutes not in MINUTES:
            raise CadenceCannotBe(_("A meeting lasts between 15 minutes and 12 hours."))
        if self.last_on < self.first_on:
            raise CadenceCannotBe(_("The last date lies before the first."))
        if self.first_on.year not in YEARS or self.last_on.year not in YEARS:
            raise CadenceCannotBe(_("Look at the year of the first and the last date."))
        if self.last_on.year - self.first_on.year >= LONGEST_YEARS:
            raise CadenceCannotBe(_("Plan ten years at most."))

    def occurrences(self) -> tuple[Occurrence, ...]:
        """All dates in order, the ones a break leaves out among them, so that they can be shown."""
        found: list[Occurrence] = []
        offset: timedelta | None = None
        for on in self.rule.days(self.first_on, self.last_on):
            occurrence, offset = self._occurrence(on, offset)
            found.append(occurrence)
        return tuple(found)

    def _occurrence(
        self, on: date, previous: timedelta | None
    ) -> tuple[Occurrence, timedelta | None]:
        """The occurrence and the offset from UTC the next one compares itself with."""
        starts_at = instant(on, self.starts_at, self.zone)
        offset = starts_at.astimezone(ZoneInfo(self.zone)).utcoffset()
        left_out = self.break_on(on)
        changed = left_out is None and previous not in (None, offset)
        occurrence = Occurrence(
            period=self.rule.period(on),
            on=on,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(minutes=self.minutes),
            left_out=left_out,
            clocks_changed=changed,
        )
        return occurrence, previous if left_out else offset

    def clock_words(self, occurrence: Occurrence) -> str:
        """“the clocks have changed: still 19:30 here”, or nothing."""
        if not occurrence.clocks_changed:
            return ""
        local = occurrence.starts_at.astimezone(ZoneInfo(self.zone))
        sentence = _("the clocks have changed: still %(time)s here")
        return sentence % {"time": zones.time_words(local)}

    def break_on(self, on: date) -> Break | None:
        """The break that leaves this date out, if any."""
        return next((pause for pause in self.breaks if on in pause), None)


def held(occurrences: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    """The occurrences no break leaves out."""
    return tuple(occurrence for occurrence in occurrences if occurrence.left_out is None)


def gaps(occurrences: Iterable[Occurrence]) -> tuple[Gap, ...]:
    """The gap before every held occurrence but the first, in order."""
    days = [occurrence.on for occurrence in held(occurrences)]
    return tuple(Gap(after, before) for after, before in itertools.pairwise(days))


def longest_gap(occurrences: Iterable[Occurrence]) -> Gap | None:
    """The longest, the earliest of equals; None with fewer than two held occurrences."""
    return max(gaps(occurrences), key=lambda gap: gap.before - gap.after, default=None)


def long_gaps(occurrences: Iterable[Occurrence], rule: Rule) -> tuple[Gap, ...]:
    """The gaps longer than the rule itself makes, which people should see before they agree."""
    return tuple(gap for gap in gaps(occurrences) if gap.weeks > rule.usual_weeks)

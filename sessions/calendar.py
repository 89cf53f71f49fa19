"""The month as a grid and dates by month. Pure: today is passed in, and nothing is looked up."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Generic, Protocol, TypeVar

from django.utils.formats import date_format
from django.utils.translation import pgettext

MONTHS_AHEAD = 12
# As far as a rule may plan, with room to turn a page beyond it.
YEARS = range(1990, 2200)
_GRID = calendar.Calendar(firstweekday=calendar.MONDAY)


class Dated(Protocol):
    """Anything that stands on a date of a wall clock."""

    @property
    def on(self) -> date: ...


D = TypeVar("D", bound=Dated)


@dataclass(frozen=True)
class Day(Generic[D]):
    """One square of the grid; `inside` says whether it belongs to the month shown."""

    on: date
    inside: bool
    today: bool
    entries: Sequence[D]


@dataclass(frozen=True)
class Month(Generic[D]):
    """A month as whole weeks from Monday to Sunday."""

    first: date
    weeks: Sequence[Sequence[Day[D]]]

    @property
    def previous(self) -> date | None:
        """The first of the month before; none where the calendar ends."""
        return _or_none(self.first - timedelta(days=1))

    @property
    def following(self) -> date | None:
        return _or_none(self.first + timedelta(days=31))

    @property
    def entries(self) -> list[D]:
        return [entry for week in self.weeks for day in week for entry in day.entries]

    @property
    def weekdays(self) -> list[str]:
        """“Mon” to “Sun”, in the language in use."""
        return [date_format(day.on, "D") for day in self.weeks[0]]


def month(year: int, number: int, entries: Iterable[D], today: date) -> Month[D]:
    """The grid of a month with its entries, those of the days around it among them."""
    by_day: dict[date, list[D]] = {}
    for entry in entries:
        by_day.setdefault(entry.on, []).append(entry)
    weeks = [
        [Day(on, on.month == number, on == today, by_day.get(on, [])) for on in week]
        for week in _GRID.monthdatescalendar(year, number)
    ]
    return Month(date(year, number, 1), weeks)


def span(year: int, number: int) -> tuple[date, date]:
    """The first and the last day the grid of a month shows."""
    weeks = _GRID.monthdatescalendar(year, number)
    return weeks[0][0], weeks[-1][-1]


def by_month(entries: Iterable[D]) -> list[tuple[date, list[D]]]:
    """Entries in their order under the first of their month."""
    ordered = sorted(entries, key=lambda entry: entry.on)
    return [
        (first, list(those)) for first, those in groupby(ordered, lambda e: e.on.replace(day=1))
    ]


def agenda_span(today: date) -> tuple[date, date]:
    """From today to the day before, twelve months on."""
    first = today.replace(day=1)
    for _step in range(MONTHS_AHEAD):
        first = (first + timedelta(days=31)).replace(day=1)
    last = calendar.monthrange(first.year, first.month)[1]
    return today, first.replace(day=min(today.day, last)) - timedelta(days=1)


def month_words(on: date, *, with_year: bool = True) -> str:
    """“December 2026”, or “December”."""
    if with_year:
        return date_format(on, pgettext("month, as in December 2026", "F Y"))
    return date_format(on, pgettext("month, as in December", "F"))


def _or_none(on: date) -> date | None:
    return on.replace(day=1) if on.year in YEARS else None

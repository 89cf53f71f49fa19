"""A year on one sheet of paper: dates, times and places, for the door of a cupboard.

It leaves the site, so a group is called by its outside name, and nothing of the inside stands on
it: no reason, no answer, nobody's name. What is proposed and not settled is not on it either.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from django.utils import formats
from django.utils.translation import gettext as _

from groups.zones import short_day_words
from members.paper import HEIGHT, MARGIN, WIDTH, Paper
from sessions.dates import Entry

GAP = 6.0
LEAST, MOST = 4.1, 7.5  # of a line; a meeting each week of a year is one page
HEAD = 46.0  # what stands above and below the dates
ONE_COLUMN = 28
SHORT = 20  # letters


@dataclass(frozen=True)
class Sheet:
    """What is on it; what all dates share is said once, above them."""

    title: str
    entries: Sequence[Entry]
    at: datetime

    @cached_property
    def zone(self) -> str:
        return _shared(self.entries, lambda entry: entry.when.zone)

    @cached_property
    def place(self) -> str:
        return _shared(self.entries, lambda entry: entry.where_outside)

    @cached_property
    def columns(self) -> int:
        """One beside the other where there are many and little is to be said of each."""
        wordy = any(len(self.note(entry)) > SHORT for entry in self.entries)
        return 1 if wordy or len(self.entries) <= ONE_COLUMN else 2

    @cached_property
    def of_one_group(self) -> bool:
        return len({entry.session.group_id for entry in self.entries}) < 2

    def note(self, entry: Entry) -> str:
        """What else is to be said of a date, beside its time."""
        parts = [
            "" if entry.takes_place else _("cancelled"),
            _("for you %(yours)s") % {"yours": entry.yours_briefly} if entry.when.yours else "",
            "" if self.of_one_group else entry.group.name_outside,
            "" if self.place else entry.where_outside,
            "" if self.zone else entry.when.zone,
        ]
        return ", ".join(part for part in parts if part)


def settled(entries: Sequence[Entry]) -> list[Entry]:
    """Those that may leave the site."""
    return [entry for entry in entries if entry.session.settled_at]


def pdf(title: str, entries: Sequence[Entry], *, at: datetime) -> bytes:
    """The sheet as a PDF; the same dates on the same day are the same bytes."""
    entries = settled(entries)
    sheet = Sheet(title, entries, at)
    today = at.replace(hour=0, minute=0, second=0)
    changed = max((entry.session.updated_at for entry in entries), default=today)
    paper = Paper(made_at=changed.astimezone(UTC).replace(microsecond=0))
    rows = max(1, math.ceil(len(entries) / sheet.columns))
    line = min(MOST, max(LEAST, (HEIGHT - HEAD) / rows))
    each = sheet.columns * int((HEIGHT - HEAD) / line)
    for first in range(0, max(1, len(entries)), each):
        _page(paper, sheet, entries[first : first + each], line)
    return paper.file()


def _page(paper: Paper, sheet: Sheet, entries: Sequence[Entry], line: float) -> None:
    paper.add_page()
    _head(paper, sheet)
    top, wide = paper.get_y() + 2, (WIDTH - GAP * (sheet.columns - 1)) / sheet.columns
    rows = math.ceil(len(entries) / sheet.columns)
    for number, entry in enumerate(entries):
        column, row = divmod(number, rows)
        paper.set_y(top + row * line)
        _date(paper, entry, sheet.note(entry), column * (wide + GAP), wide, min(11, line * 1.7))
    paper.set_y(MARGIN + HEIGHT - 8)
    _foot(paper, sheet)


def _head(paper: Paper, sheet: Sheet) -> None:
    paper.line_of(sheet.title, 20, bold=True)
    paper.ln(2)
    if sheet.place:
        paper.line_of(sheet.place, 11)
    if sheet.zone:
        paper.line_of(_("All in %(zone)s.") % {"zone": sheet.zone}, 11)
    if not sheet.entries:
        paper.line_of(_("No meeting in this year."), 11)


def _date(paper: Paper, entry: Entry, note: str, at: float, wide: float, points: float) -> None:
    day, times = points * 3.1, points * 2.5
    drawn = paper.put(short_day_words(entry.on, entry.on), at, day, points, bold=True)
    if not entry.takes_place:
        paper.strike(at + paper.c_margin, drawn)
    paper.put(f"{entry.when.from_}–{entry.when.to}", at + day, times, points)
    if note:
        paper.put(note, at + day + times, wide - day - times, points)


def _foot(paper: Paper, sheet: Sheet) -> None:
    today = formats.date_format(sheet.at, "DATE_FORMAT")
    words = _("As it stood on %(day)s; what changes since stands on the site.") % {"day": today}
    if not paper.whole:
        words += " " + _("A box stands for a letter that this file cannot write.")
    paper.line_of(words, 8)


def _shared(entries: Sequence[Entry], said: Callable[[Entry], str]) -> str:
    """What all of them say; empty where they differ."""
    found = {said(entry) for entry in entries}
    return found.pop() if len(found) == 1 else ""

"""Breaks as people type them: “15 Jul – 31 Aug summer; 20 Dec – 6 Jan”."""

import calendar
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.dates import MONTHS, MONTHS_3, MONTHS_ALT, MONTHS_AP
from django.utils.formats import date_format
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from groups.cadence.reasons import BreakCannotBe

ENGLISH = {
    "January": 1,
    "February": 2,
    "March": 3,
    "April": 4,
    "May": 5,
    "June": 6,
    "July": 7,
    "August": 8,
    "September": 9,
    "October": 10,
    "November": 11,
    "December": 12,
}

# Typed without a year and longer than this over New Year, the ends are the wrong way round.
LONGEST_OVER_NEW_YEAR = timedelta(days=183)

TO = r"\s*(?:[-–—‑−]|\b(?:to|until|till|through)\b)\s*"
NOT_A_NAME = " \t:,()[]-–—‑−"


@dataclass(frozen=True, order=True)
class Break:
    """Local dates without meetings, both ends among them."""

    first: date
    last: date
    name: str = ""

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise BreakCannotBe(_("A break cannot end before it begins."))

    def __contains__(self, on: date) -> bool:
        return self.first <= on <= self.last


@dataclass(frozen=True)
class _Day:
    """A day as typed: the year may be left out."""

    month: int
    day: int
    year: int | None = None

    def on(self, year: int) -> date:
        return _date(year, self.month, self.day)

    @property
    def leaps(self) -> bool:
        return (self.month, self.day) == (2, 29)


@dataclass(frozen=True)
class _Typed:
    """One break as typed, before it is known which years it means."""

    first: _Day
    last: _Day
    name: str

    @property
    def over_new_year(self) -> bool:
        return (self.last.month, self.last.day) < (self.first.month, self.first.day)

    def within(self, first_on: date, last_on: date) -> list[Break]:
        """The break; without a year that of every year it touches, or else the next one after."""
        if self.first.year or self.last.year:
            return [self._dated()]
        years = range(first_on.year - 1, last_on.year + 2)
        following = [pause for pause in self._in(years) if pause.last >= first_on]
        return [pause for pause in following if pause.first <= last_on] or following[:1]

    def _dated(self) -> Break:
        first_year, last_year = self.first.year, self.last.year
        if first_year is None:
            first_year = (last_year or 0) - self.over_new_year
        if last_year is None:
            last_year = first_year + self.over_new_year
        return Break(self.first.on(first_year), self.last.on(last_year), self.name)

    def _in(self, years: Iterable[int]) -> list[Break]:
        ends = [self._ends_in(year) for year in years]
        if self.over_new_year and any(last - first > LONGEST_OVER_NEW_YEAR for first, last in ends):
            raise BreakCannotBe(_("A break cannot end before it begins."))
        # 29 February alone is no day at all in most years.
        return [Break(first, last, self.name) for first, last in ends if first <= last]

    def _ends_in(self, year: int) -> tuple[date, date]:
        """Where a year has no 29 February, a break begins after it or ends before it."""
        last_year = year + self.over_new_year
        first = self.first.on(year) if not self.first.leaps else _end_of_february(year, 1)
        last = self.last.on(last_year) if not self.last.leaps else _end_of_february(last_year, 0)
        return first, last


def parse_breaks(text: str, first_on: date, last_on: date) -> tuple[Break, ...]:
    """Breaks typed into one field, in order; without a year they mean each year of the plan.

    Raises BreakCannotBe with the part that was not understood and how to write it.
    """
    parts = (part.strip() for part in re.split(r"[;\r\n]", text))
    return tuple(sorted({b for part in parts if part for b in _breaks(part, first_on, last_on)}))


def format_breaks(breaks: Iterable[Break], first_on: date, last_on: date) -> str:
    """The field's text, as `parse_breaks` reads it back; years only where they are needed."""
    left = sorted(set(breaks))
    written = []
    while left:
        text, meant = _shortest(left, first_on, last_on)
        written.append(text)
        left = [pause for pause in left if pause not in meant]
    return "; ".join(written)


def stored_breaks(breaks: Iterable[Break]) -> str:
    """The same for the database: whole dates in ISO, which every language and plan reads alike."""
    ordered = sorted(set(breaks))
    return "; ".join(_with_name(f"{b.first} – {b.last}", b.name) for b in ordered)


def _breaks(part: str, first_on: date, last_on: date) -> list[Break]:
    try:
        found = _typed(part).within(first_on, last_on)
        if not found:
            raise _no_such_day()
    except BreakCannotBe as advice:
        sentence = _("“%(part)s” was not understood. %(advice)s")
        raise BreakCannotBe(sentence % {"part": part, "advice": advice}) from None
    return found


def _typed(part: str) -> _Typed:
    """Reads one break; whatever is left over and might be half a date is refused."""
    dates = list(_date_pattern(get_language()).finditer(part))
    if not 1 <= len(dates) <= 2:
        raise _not_understood()
    before, after = part[: dates[0].start()], part[dates[-1].end() :]
    if len(dates) == 1:
        return _typed_with_one_date(before, dates[0], after)
    if not re.fullmatch(TO, part[dates[0].end() : dates[1].start()], re.IGNORECASE):
        raise _not_understood()
    return _Typed(_day(dates[0]), _day(dates[1]), _name(before, after))


def _typed_with_one_date(before: str, found: re.Match[str], after: str) -> _Typed:
    """A single day, or “15 – 31 Aug” and “Aug 15 – 31”, where the month is said once."""
    day = _day(found)
    if found["day"] and (match := re.search(rf"(?<!\d)(\d{{1,2}}){TO}$", before, re.IGNORECASE)):
        first = _Day(day.month, int(match[1]), day.year)
        return _Typed(first, day, _name(before[: match.start()], after))
    if found["us_day"] and (match := re.match(rf"{TO}(\d{{1,2}})(?!\d)", after, re.IGNORECASE)):
        last = _Day(day.month, int(match[1]), day.year)
        return _Typed(day, last, _name(before, after[match.end() :]))
    if re.match(TO, after, re.IGNORECASE):
        raise _not_understood()
    return _Typed(day, day, _name(before, after))


def _name(before: str, after: str) -> str:
    """What stands before or after the dates; digits in it are rather a date we could not read."""
    before = re.sub(r"\bfrom\s*$", "", before, flags=re.IGNORECASE)
    names = [name for name in (before.strip(NOT_A_NAME), after.strip(NOT_A_NAME)) if name]
    name = names[0] if names else ""
    if len(names) > 1 or re.search(r"\d", name) or re.match(TO, name, re.IGNORECASE):
        raise _not_understood()
    return name


def _day(found: re.Match[str]) -> _Day:
    if found["iso"]:
        year, month, day = map(int, found["iso"].split("-"))
    else:
        name, day = found["month"] or found["us_month"], int(found["day"] or found["us_day"])
        month = _months(get_language()).get(name.casefold(), 0)
        year = int(found["year"] or found["us_year"] or 0)
    leap_year = 2000
    _date(year or leap_year, month, day)
    return _Day(month, day, year or None)


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise _no_such_day() from None


def _end_of_february(year: int, days_after_28th: int) -> date:
    return date(year, 2, 28) + timedelta(days=1 if calendar.isleap(year) else days_after_28th)


def _not_understood() -> BreakCannotBe:
    return BreakCannotBe(
        _("Write a break like “15 Jul – 31 Aug summer”, with a semicolon between two.")
    )


def _no_such_day() -> BreakCannotBe:
    return BreakCannotBe(_("There is no such day."))


@functools.cache
def _months(language: str | None) -> dict[str, int]:
    """Names of months, folded, in English and in this language."""
    names = {name[:letters].casefold(): n for name, n in ENGLISH.items() for letters in (3, 9)}
    names["sept"] = 9
    with override(language):
        for table in (MONTHS, MONTHS_3, MONTHS_AP, MONTHS_ALT):
            names |= {str(name).strip(". ").casefold(): n for n, name in table.items()}
    return {name: n for name, n in names.items() if name.isalpha()}


@functools.cache
def _date_pattern(language: str | None) -> re.Pattern[str]:
    longest_first = sorted(_months(language), key=len, reverse=True)
    month = rf"(?:{'|'.join(longest_first)})(?![^\W\d_])"
    year = r"(?:,?\s+(?P<{}>20\d\d)(?!\d))?"
    return re.compile(
        r"(?<!\d)(?P<iso>20\d\d-\d\d-\d\d)(?!\d)"
        r"|(?<!\d)(?P<day>\d{1,2})(?:st|nd|rd|th)?\.?\s*(?:of\s+)?"
        rf"(?P<month>{month})\.?{year.format('year')}"
        rf"|(?<![^\W\d_])(?P<us_month>{month})\.?\s*"
        rf"(?P<us_day>\d{{1,2}})(?!\d)(?:st|nd|rd|th)?{year.format('us_year')}",
        re.IGNORECASE,
    )


def _shortest(left: list[Break], first_on: date, last_on: date) -> tuple[str, tuple[Break, ...]]:
    """The text of the first break left, without years if that means nothing but breaks left."""
    text = _written(left[0], with_year=False)
    try:
        meant = parse_breaks(text, first_on, last_on)
    except BreakCannotBe:
        meant = ()
    if left[0] in meant and set(meant) <= set(left):
        return text, meant
    return _written(left[0], with_year=True), (left[0],)


def _written(pause: Break, *, with_year: bool) -> str:
    ends = [_written_day(on, with_year) for on in (pause.first, pause.last)]
    return _with_name(" – ".join(dict.fromkeys(ends)), pause.name)


def _with_name(dates: str, name: str) -> str:
    """Without what a name cannot have and be read back."""
    readable = re.sub(r"[\d;\r\n]+", " ", name).strip()
    return f"{dates} {readable}".strip()


def _written_day(on: date, with_year: bool) -> str:
    """“15 Jul”, in the language in use if its name of the month can be read back."""
    name = date_format(on, "M").strip(". ")
    if _months(get_language()).get(name.casefold()) != on.month:
        name = list(ENGLISH)[on.month - 1][:3]
    return f"{on.day} {name} {on.year}" if with_year else f"{on.day} {name}"

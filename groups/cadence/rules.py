"""The rule of a rhythm: every n weeks, or the nth or last weekday of every n months."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from groups import zones
from groups.cadence.reasons import RuleCannotBe

LAST = -1
ORDINALS = (1, 2, 3, 4, LAST)
WEEK = timedelta(weeks=1)

# Whole phrases, since in many languages the ordinal follows the gender of the day.
NTH_WEEKDAYS = (
    {
        1: gettext_lazy("first Monday"),
        2: gettext_lazy("second Monday"),
        3: gettext_lazy("third Monday"),
        4: gettext_lazy("fourth Monday"),
        LAST: gettext_lazy("last Monday"),
    },
    {
        1: gettext_lazy("first Tuesday"),
        2: gettext_lazy("second Tuesday"),
        3: gettext_lazy("third Tuesday"),
        4: gettext_lazy("fourth Tuesday"),
        LAST: gettext_lazy("last Tuesday"),
    },
    {
        1: gettext_lazy("first Wednesday"),
        2: gettext_lazy("second Wednesday"),
        3: gettext_lazy("third Wednesday"),
        4: gettext_lazy("fourth Wednesday"),
        LAST: gettext_lazy("last Wednesday"),
    },
    {
        1: gettext_lazy("first Thursday"),
        2: gettext_lazy("second Thursday"),
        3: gettext_lazy("third Thursday"),
        4: gettext_lazy("fourth Thursday"),
        LAST: gettext_lazy("last Thursday"),
    },
    {
        1: gettext_lazy("first Friday"),
        2: gettext_lazy("second Friday"),
        3: gettext_lazy("third Friday"),
        4: gettext_lazy("fourth Friday"),
        LAST: gettext_lazy("last Friday"),
    },
    {
        1: gettext_lazy("first Saturday"),
        2: gettext_lazy("second Saturday"),
        3: gettext_lazy("third Saturday"),
        4: gettext_lazy("fourth Saturday"),
        LAST: gettext_lazy("last Saturday"),
    },
    {
        1: gettext_lazy("first Sunday"),
        2: gettext_lazy("second Sunday"),
        3: gettext_lazy("third Sunday"),
        4: gettext_lazy("fourth Sunday"),
        LAST: gettext_lazy("last Sunday"),
    },
)


class Unit(StrEnum):
    MONTH = "month"
    WEEK = "week"


LONGEST_INTERVAL = {Unit.MONTH: 12, Unit.WEEK: 52}


@dataclass(frozen=True)
class Rule:
    """Monday is weekday 0; `nth` is 1 to 4 or LAST for months, and None for weeks."""

    unit: Unit
    interval: int
    weekday: int
    nth: int | None = None

    def __post_init__(self) -> None:
        self._check_interval()
        if self.weekday not in range(7):
            raise RuleCannotBe(_("Choose a day of the week."))
        if self.unit is Unit.MONTH:
            self._check_nth()
        elif self.nth is not None:
            raise RuleCannotBe(_("A rhythm of weeks names the day of the week only."))

    def _check_interval(self) -> None:
        longest = LONGEST_INTERVAL[self.unit]
        if not 1 <= self.interval <= longest:
            sentence = {
                Unit.MONTH: _("A group meets every 1 to %(longest)d months."),
                Unit.WEEK: _("A group meets every 1 to %(longest)d weeks."),
            }[self.unit]
            raise RuleCannotBe(sentence % {"longest": longest})

    def _check_nth(self) -> None:
        if self.nth == 5:
            raise RuleCannotBe(
                _("Not every month has a fifth %(weekday)s. Choose the fourth or the last.")
                % {"weekday": WEEKDAYS[self.weekday]}
            )
        if self.nth not in ORDINALS:
            raise RuleCannotBe(_("Choose the first, second, third, fourth or last of the month."))

    @classmethod
    def from_code(cls, code: str) -> "Rule":
        """The rule a select's value stands for; raises RuleCannotBe for anything else."""
        match = re.fullmatch(
            r"(month):([0-9]{1,3}):([0-6]):(-1|[0-9])|(week):([0-9]{1,3}):([0-6])", code
        )
        if match is None:
            raise RuleCannotBe(_("Choose a rhythm from the list."))
        unit, *numbers = (part for part in match.groups() if part is not None)
        return cls(Unit(unit), *map(int, numbers))

    @property
    def code(self) -> str:
        """The value of a select: `month:1:3:3` is every month on the third Thursday."""
        parts = (self.unit, self.interval, self.weekday, self.nth)
        return ":".join(str(part) for part in parts if part is not None)

    @property
    def gap_days(self) -> int:
        """The fewest days between two meetings; what reminders go by."""
        return 7 * self.interval if self.unit is Unit.WEEK else 28 * self.interval

    @property
    def usual_weeks(self) -> int:
        """The most weeks between two meetings that no break lies between."""
        if self.unit is Unit.WEEK:
            return self.interval
        return (31 * self.interval + 6) // 7

    def days(self, first_on: date, last_on: date) -> Iterator[date]:
        """The rule's dates; the first that fits on or after `first_on` anchors the rest."""
        if self.unit is Unit.WEEK:
            return self._weekly(first_on, last_on)
        return self._monthly(first_on, last_on)

    def period(self, on: date) -> date:
        """What an occurrence is known by, wherever it is moved: its month, or its week's Monday."""
        if self.unit is Unit.WEEK:
            return on - timedelta(days=on.weekday())
        return on.replace(day=1)

    def _weekly(self, first_on: date, last_on: date) -> Iterator[date]:
        on = first_on + timedelta(days=(self.weekday - first_on.weekday()) % 7)
        while on <= last_on:
            yield on
            on += self.interval * WEEK

    def _monthly(self, first_on: date, last_on: date) -> Iterator[date]:
        month = first_on.replace(day=1)
        if self._in_month(month) < first_on:
            month = _months_later(month, 1)
        while (on := self._in_month(month)) <= last_on:
            yield on
            month = _months_later(month, self.interval)

    def _in_month(self, month: date) -> date:
        if self.nth == LAST:
            last = _months_later(month, 1) - timedelta(days=1)
            return last - timedelta(days=(last.weekday() - self.weekday) % 7)
        first = month + timedelta(days=(self.weekday - month.weekday()) % 7)
        return first + ((self.nth or 1) - 1) * WEEK


def words(rule: Rule, starts_at: time, minutes: int, zone: str) -> str:
    """“every month on the third Thursday, 19:30–21:00, Jerusalem time”."""
    # Any day does: this is the wall clock the group agreed on, whatever the clocks do that night.
    starts = datetime.combine(date(2000, 1, 1), starts_at)
    return _("%(rule)s, %(from)s–%(to)s, %(zone)s") % {
        "rule": rule_words(rule),
        "from": zones.time_words(starts),
        "to": zones.time_words(starts + timedelta(minutes=minutes)),
        "zone": zones.city(zone),
    }


def rule_words(rule: Rule) -> str:
    """“every month on the third Thursday”, “every 3 weeks on Tuesday”."""
    return _("%(often)s on %(day)s") % {"often": _often(rule), "day": _day(rule)}


def rule_choices(current: Rule | None = None) -> list[tuple[str, list[tuple[str, str]]]]:
    """Choices of a select by weekday; a rule in use that is not among them is added."""
    return [(str(WEEKDAYS[weekday]), _choices_on(weekday, current)) for weekday in range(7)]


def _choices_on(weekday: int, current: Rule | None) -> list[tuple[str, str]]:
    rules = [Rule(Unit.MONTH, 1, weekday, nth) for nth in ORDINALS]
    rules += [Rule(Unit.WEEK, interval, weekday) for interval in (1, 2, 3, 4)]
    if current is not None and current.weekday == weekday and current not in rules:
        rules.append(current)
    return [(rule.code, _label(rule)) for rule in rules]


def _label(rule: Rule) -> str:
    """“Every month, on the third Thursday”."""
    often = _often(rule)
    return _("%(often)s, on %(day)s") % {"often": often[:1].upper() + often[1:], "day": _day(rule)}


def _often(rule: Rule) -> str:
    if rule.unit is Unit.WEEK:
        return ngettext("every week", "every %(n)d weeks", rule.interval) % {"n": rule.interval}
    if rule.interval == 2:
        return _("every two months")
    if rule.interval == 3:
        return _("every three months")
    return ngettext("every month", "every %(n)d months", rule.interval) % {"n": rule.interval}


def _day(rule: Rule) -> str:
    if rule.nth is None:
        return str(WEEKDAYS[rule.weekday])
    return _("the %(nth_weekday)s") % {"nth_weekday": NTH_WEEKDAYS[rule.weekday][rule.nth]}


def _months_later(month: date, months: int) -> date:
    """The first day of the month so many months later; `month` is a first day itself."""
    years, months = divmod(month.month - 1 + months, 12)
    return date(month.year + years, months + 1, 1)

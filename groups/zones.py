"""Time zones as people say them: the city, the wall clock, and the viewer's own when it differs."""

import functools
import importlib.resources
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

# `localtime` follows the machine and `Factory` is a placeholder: neither names a place.
NO_PLACE = frozenset({"localtime", "Factory"})

UTC_NAMES = frozenset(
    region + name
    for region in ("", "Etc/")
    for name in ("UTC", "UCT", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "Universal", "Zulu")
)

REGIONS = {
    "Africa": gettext_lazy("Africa"),
    "America": gettext_lazy("America"),
    "Antarctica": gettext_lazy("Antarctica"),
    "Arctic": gettext_lazy("Arctic"),
    "Asia": gettext_lazy("Asia"),
    "Atlantic": gettext_lazy("Atlantic"),
    "Australia": gettext_lazy("Australia"),
    "Europe": gettext_lazy("Europe"),
    "Indian": gettext_lazy("Indian Ocean"),
    "Pacific": gettext_lazy("Pacific"),
}

# Names the tz database cannot spell, having neither apostrophes nor accents.
SPELLINGS = {
    "St_Johns": "St John’s",
    "DumontDUrville": "Dumont d’Urville",
    "Ho_Chi_Minh": "Ho Chi Minh City",
    "Sao_Paulo": "São Paulo",
    "Bogota": "Bogotá",
    "Asuncion": "Asunción",
}

Choice = tuple[str, str]


@dataclass(frozen=True)
class Clock:
    """One start and end on one wall clock, in words: “Thursday 17 December”, “19:30”, “21:00”."""

    on: date
    day: str
    short_day: str
    from_: str
    to: str
    zone: str

    def __str__(self) -> str:
        return _("%(day)s, %(from)s–%(to)s, %(zone)s") % self._words(self.day)

    @property
    def times(self) -> str:
        """“19:30–21:00, Jerusalem time”, where the day already stands beside it."""
        return _("%(from)s–%(to)s, %(zone)s") % self._words(self.day)

    def _words(self, day: str) -> dict[str, str]:
        return {"day": day, "from": self.from_, "to": self.to, "zone": self.zone}


@dataclass(frozen=True)
class When(Clock):
    """The group's clock, and the viewer's (`yours`) where it shows another time at that instant."""

    yours: Clock | None = None

    @property
    def yours_words(self) -> str:
        """“17:30–19:00, London time”, with the day if it is another; empty if nothing differs."""
        if self.yours is None:
            return ""
        return self.yours.times if self.yours.on == self.on else str(self.yours)


def is_zone(name: str) -> bool:
    """Whether this names a zone of the tz database; old names browsers still send count too."""
    return name in _known()


def zone_choices(current: str = "") -> list[tuple[str, list[Choice]] | Choice]:
    """Choices of a select, by region, UTC last; an older name that is in use stays choosable."""
    names = _inhabited() | ({current} & _known() - UTC_NAMES)
    choices: list[tuple[str, list[Choice]] | Choice] = [
        (str(label), _cities(region, names)) for region, label in REGIONS.items()
    ]
    others = {name for name in names if name.split("/")[0] not in REGIONS}
    choices += [(name, city(name)) for name in sorted(others)]
    return [*choices, (current if current in UTC_NAMES else "UTC", "UTC")]


def city(zone: str) -> str:
    """“Jerusalem time”; “UTC” for its many names; “UTC−5” where a zone is only a number."""
    if zone in UTC_NAMES:
        return "UTC"
    if zone.startswith("Etc/GMT"):
        # POSIX counts westwards: Etc/GMT+5 is five hours behind.
        sign, hours = zone[7], zone[8:]
        return f"UTC{'−' if sign == '+' else '+'}{hours}"
    return _("%(city)s time") % {"city": place(zone)}


def place(zone: str) -> str:
    """“Jerusalem”: the city alone, where “time” does not fit the sentence."""
    return _spelt(zone.split("/")[-1])


def is_place(zone: str) -> bool:
    """Whether this zone is somewhere; UTC and the zones that are only a number are not."""
    return zone not in UTC_NAMES and not zone.startswith("Etc/")


def same_wall_clock(a: str, b: str, at: datetime) -> bool:
    """Whether clocks in both zones show the same at that instant; true of Paris and Berlin."""
    return at.astimezone(ZoneInfo(a)).utcoffset() == at.astimezone(ZoneInfo(b)).utcoffset()


def when_words(
    starts_at: datetime, minutes: int, zone: str, viewer_zone: str = "", today: date | None = None
) -> When:
    """A meeting on the group's clock and the viewer's; the year is said unless it is today's."""
    ends_at = starts_at.astimezone(UTC) + timedelta(minutes=minutes)
    yours = None
    if viewer_zone and _differs(starts_at, ends_at, zone, viewer_zone):
        yours = Clock(**_clock(starts_at, ends_at, viewer_zone, today))
    return When(**_clock(starts_at, ends_at, zone, today), yours=yours)


def day_words(on: date, today: date | None = None) -> str:
    """“Thursday 17 December”; with its year unless that is the year of `today`."""
    if today is not None and on.year == today.year:
        return date_format(on, pgettext("day, as in Thursday 17 December", "l j F"))
    return date_format(on, pgettext("day, as in Thursday 17 December 2026", "l j F Y"))


def short_day_words(on: date, today: date | None = None) -> str:
    """“Thu 17 Dec”; with its year unless that is the year of `today`."""
    if today is not None and on.year == today.year:
        return date_format(on, pgettext("day, as in Thu 17 Dec", "D j M"))
    return date_format(on, pgettext("day, as in Thu 17 Dec 2026", "D j M Y"))


def date_words(on: date, with_year: bool = False) -> str:
    """“17 June” or “17 June 2027”, for the inside of a sentence."""
    if with_year:
        return date_format(on, pgettext("date, as in 17 June 2027", "j F Y"))
    return date_format(on, pgettext("date, as in 17 June", "j F"))


def time_words(moment: datetime) -> str:
    """“19:30”, of a local datetime."""
    return date_format(moment, pgettext("time, as in 19:30", "H:i"))


def _differs(starts_at: datetime, ends_at: datetime, zone: str, viewer_zone: str) -> bool:
    # The clocks may change during a meeting, so both ends are compared.
    return not all(same_wall_clock(zone, viewer_zone, at) for at in (starts_at, ends_at))


def _clock(starts_at: datetime, ends_at: datetime, zone: str, today: date | None) -> dict[str, Any]:
    starts, ends = (at.astimezone(ZoneInfo(zone)) for at in (starts_at, ends_at))
    return {
        "on": starts.date(),
        "day": day_words(starts.date(), today),
        "short_day": short_day_words(starts.date(), today),
        "from_": time_words(starts),
        "to": time_words(ends),
        "zone": city(zone),
    }


def _cities(region: str, names: frozenset[str]) -> list[Choice]:
    within = [name for name in names if name.startswith(f"{region}/")]
    return sorted(((name, _label(name)) for name in within), key=lambda choice: choice[1])


def _label(zone: str) -> str:
    """“Jerusalem”, “Louisville, Kentucky”: the city first, so that typing it finds it."""
    return ", ".join(_spelt(part) for part in reversed(zone.split("/")[1:]))


def _spelt(part: str) -> str:
    return SPELLINGS.get(part, part.replace("_", " "))


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - NO_PLACE


@functools.cache
def _inhabited() -> frozenset[str]:
    """One zone for each city people choose from, without the tz database's older names."""
    table = importlib.resources.files("tzdata").joinpath("zoneinfo/zone.tab")
    lines = table.read_text(encoding="utf-8").splitlines()
    return frozenset(line.split("\t")[2] for line in lines if line and not line.startswith("#"))

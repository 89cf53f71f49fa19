"""Public holidays of the country a time zone lies in: worth knowing before a date is settled."""

import functools
import importlib.resources
from datetime import date

import holidays
from django.utils.translation import get_language

# A zone is a city, so no region is known: what holds in the whole country only.
ENGLISH = "en_US"


def public_day(on: date, zone: str) -> str:
    """The name of the public holiday on that day where that zone lies, or nothing."""
    country = country_of(zone)
    if not country:
        return ""
    return _days(country, on.year, get_language() or "en").get(on, "")


def country_of(zone: str) -> str:
    """“IL” of Asia/Jerusalem, by its older names too; empty where a zone is no place."""
    countries = _countries()
    return countries.get(zone) or countries.get(_newer_names().get(zone, ""), "")


@functools.lru_cache(maxsize=256)
def _days(country: str, year: int, language: str) -> dict[date, str]:
    try:
        known = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return {}
    tongue = _tongue(known.supported_languages, language)
    if tongue:
        known = holidays.country_holidays(country, years=year, language=tongue)
    return {on: name for on, name in known.items() if on.year == year}


def _tongue(spoken: tuple[str, ...], language: str) -> str:
    """The reader's language if the names are known in it, else English, else the country's own."""
    tongue = language.split("-")[0]
    fitting = [name for name in (ENGLISH, *spoken) if name.split("_")[0] == tongue]
    return next((name for name in [*fitting, ENGLISH] if name in spoken), "")


@functools.cache
def _countries() -> dict[str, str]:
    rows = (line.split("\t") for line in _table("zone.tab") if not line.startswith("#"))
    return {zone: country for country, _, zone, *_ in rows}


@functools.cache
def _newer_names() -> dict[str, str]:
    """Asia/Kolkata of Asia/Calcutta, which browsers still send."""
    rows = (line.split() for line in _table("tzdata.zi") if line.startswith("L "))
    return {older: newer for _, newer, older in rows}


def _table(name: str) -> list[str]:
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", name)
    return table.read_text(encoding="utf-8").splitlines()

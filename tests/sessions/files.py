"""Calendar files as others read them: by two libraries that share no code with the one we write."""

from datetime import UTC, datetime

import vobject
from ical.calendar_stream import IcsCalendarStream


def one(content: bytes) -> list:
    """What the first reader finds; it would remember a zone from the files before."""
    for zone in values(content, "TZID"):
        vobject.icalendar.__dict__["__tzidMap"].pop(zone, None)
    return vobject.readOne(content.decode()).contents.get("vevent", [])


def other(content: bytes) -> list:
    """What the second reader finds."""
    return IcsCalendarStream.calendar_from_ics(content.decode()).events


def instants(content: bytes) -> list[tuple[datetime, datetime]]:
    """Start and end of every event in UTC; both readers agree, and no zone is unexplained."""
    told = [line for line in unfolded(content) if line.startswith(("DTSTART;", "DTEND;"))]
    assert {line.split("=")[1].split(":")[0] for line in told} <= set(values(content, "TZID"))
    first = [
        (event.dtstart.value.astimezone(UTC), event.dtend.value.astimezone(UTC))
        for event in one(content)
    ]
    second = [
        (event.dtstart.astimezone(UTC), event.dtend.astimezone(UTC)) for event in other(content)
    ]
    assert first == second
    return first


def unfolded(content: bytes) -> list[str]:
    return content.decode().replace("\r\n ", "").split("\r\n")


def values(content: bytes, name: str) -> list[str]:
    """The bare values of a property, in the order of the file."""
    heads = (f"{name}:", f"{name};")
    return [line.partition(":")[2] for line in unfolded(content) if line.startswith(heads)]

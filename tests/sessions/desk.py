"""What a leader's desk shows: pages of planning read as people read them, on a day we choose."""

import re
from datetime import datetime
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.urls import reverse

from sessions import planning
from sessions.models import Session
from tests.sessions.rhythm import LIBRARY, NOVEMBER, SUMMER, cadence
from tests.world import Circle, as_member, as_owner

AMERICAN = {
    "rule": "month:1:1:4",
    "starts_at": "19:00",
    "minutes": "60",
    "time_zone": "America/New_York",
    "place": "Clinic, room 4",
    "breaks": "",
    "first_on": "2027-03-01",
    "last_on": "2027-10-31",
}
THIRD_THURSDAY = {
    "rule": "month:1:3:3",
    "starts_at": "19:30",
    "minutes": "90",
    "time_zone": "Asia/Jerusalem",
    "place": LIBRARY,
    "breaks": "15 Jul – 31 Aug summer",
    "first_on": "2027-01-01",
    "last_on": "2027-12-31",
}
HTMX = {"HX-Request": "true"}


class Clock:
    """What Django says is now; the database's own clock goes on."""

    def __init__(self) -> None:
        self.now = NOVEMBER

    def __call__(self) -> datetime:
        return self.now


def schedule(circle: Circle) -> str:
    return reverse("schedule", args=[circle.group.pk])


def text(response: Any) -> str:
    """What can be read, in one line."""
    body = re.sub(r"<(script|option)\b.*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def sessions(circle: Circle) -> list[Session]:
    with as_owner():
        return list(Session.objects.filter(group=circle.group).order_by("starts_at"))


def plan(circle: Circle, planned: Any = None) -> list[Session]:
    with as_member(circle.leader):
        planned = planned or cadence(breaks=(SUMMER,))
        planning.plan_year(circle.group, planned, LIBRARY, by=circle.leader, at=NOVEMBER)
    return sessions(circle)


def value_of(response: Any, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', response.content.decode())
    assert found, name
    return unescape(found[1])


class Fields(HTMLParser):
    """The fields of the planning form, by whether they are in sight."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.inside: list[str] = []
        self.in_sight: list[str] = []
        self.deeper: list[str] = []
        self.filled: dict[str, str] = {}
        self.feed(page[page.index('<form class="card"') :].split("</form>")[0])

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        attrs = dict(attributes)
        if tag == "details":
            self.inside.append(tag)
        if tag in {"input", "select", "textarea"} and attrs.get("type") != "hidden":
            (self.deeper if self.inside else self.in_sight).append(attrs["name"] or "")
            self.filled[attrs["name"] or ""] = attrs.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self.inside.pop()

"""What is posted where: what somebody who may would send, so that a hole would change something."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from django.utils import timezone

from groups.evening_models import PHASES
from tests.confidentiality.world import World

Body = dict[str, Any]


def _day(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


PROPOSED = {"address": "someone.new@example.org", "name": "Dr Some One", "role": "member"}
EVENING = {"name": "posted", "cases": 1, "sessions": 1, "pause": 0} | {
    f"minutes_{phase}": 10 for phase in PHASES
}
FIXED: dict[str, Callable[[], Body]] = {
    "roster_away": lambda: {"starts_on": _day(0), "reason": "posted"},
    "roster_farewell": lambda: {"last_on": _day(30), "reason": "posted"},
    "leave_group": lambda: {"do": "away", "away-starts_on": _day(1), "away-reason": "posted"},
    "proposal_new": lambda: PROPOSED,
    "propose": lambda: PROPOSED,
    "proposal_answer": lambda: {"answer": "yes"},
    "session_answer": lambda: {"reason": "posted"},
    "answer_by_mail": lambda: {"coming": "no"},
    "room_out": lambda: {"seen": 2},
    "room_in": lambda: {"seen": 2},
    "room_show_out": lambda: {"seen": 2},
    "room_stays": lambda: {"seen": 2},
    "room_undo": lambda: {"seen": 2},
    "room_step": lambda: {"seen": 2, "to": "return"},
    "room_presenter": lambda: {"seen": 2, "presenter": ""},
    "case_title": lambda: {"title": "posted"},
    "agreement": lambda: {"version": "1"},
    "agreement_edit": lambda: {"text": "posted", "begins_on": _day(4)},
    "group_new": lambda: {
        "name": "posted",
        "setting": "online",
        "place": "",
        "time_zone": "Asia/Jerusalem",
    },
    "session_new": lambda: {
        # One that has passed: on others there may be something to say first, a holiday or a clock.
        "on": _day(-40),
        "past_known": "on",
        "starts_at": "19:00",
        "minutes": 90,
        "setting": "online",
        "place": "posted",
    },
    "evening_new": lambda: EVENING,
    "evening_edit": lambda: EVENING,
    "day_new": lambda: {
        **{"on": _day(41), "setting": "online", "place": "posted"},
        **{f"starts_{number}": f"{10 + 2 * number}:00" for number in range(4)},
        **{f"minutes_{number}": 90 for number in range(4)},
    },
    "group_end": lambda: {"do": "ask", "last_on": _day(60)},
    "record": lambda: {"do": "ask"},
    "programme_record": lambda: {"do": "ask"},
    "observers": lambda: {"seen": 2},
    "series_end": lambda: {"last_on": _day(60)},
    "tonight": lambda: {
        "do": "substitute",
        "seen": "",
        "name": "posted",
        "address": "posted@example.org",
    },
    "leaders_note": lambda: {"word-text": "posted"},
    "reflection": lambda: {"text": "posted"},
    "reflection_edit": lambda: {"text": "posted"},
    "session_cancel": lambda: {"seen": 0, "reason": "posted"},
}
# Whose page shows the form as it stands, to be posted as it is.
FROM_PAGE = {
    "group_edit": ("leader", "groups/{group}/edit/"),
    "group_frame": ("admin", "programmes/{programme}/groups/{group}/edit/"),
    "dates_answer": ("member", "groups/{group}/dates/"),
    "dates_settle": ("leader", "groups/{group}/dates/settle/"),
    "session_edit": ("leader", "sessions/{planned}/edit/"),
    "afterwards": ("leader", "sessions/{running}/afterwards/"),
    "schedule": ("leader", "groups/{group}/schedule/"),
    "settings": ("member", "settings/"),
}
TYPED = {"group_edit": {"door": "posted"}, "session_edit": {"place": "posted"}}


def bodies(world: World) -> Mapping[str, Body]:
    """For each route that wants one its body; for the others nothing is posted."""
    here = {
        "group": world.a.circle.group.pk,
        "programme": world.a.circle.programme.pk,
        "planned": world.a.planned.pk,
        "running": world.a.running.pk,
    }
    made = {name: make() for name, make in FIXED.items()}
    for name, (persona, pattern) in FROM_PAGE.items():
        page = world.clients[persona].get("/" + pattern.format(**here)).content.decode()
        made[name] = _form(page) | TYPED.get(name, {})
    member = world.a.circle.absent
    made["programme_group"] = {
        "membership": str(member.memberships.get().pk),
        "last_on": _day(30),
    }
    return made


def _form(page: str) -> Body:
    """The largest form of a page, as a browser would send it."""
    forms = []
    for form in re.findall(r"<form\b.*?</form>", page, re.S):
        reader = _Fields()
        reader.feed(form)
        forms.append(reader.fields)
    return max(forms, key=len, default={})


class _Fields(HTMLParser):
    """Inputs, areas and choices of a form with what stands in them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: Body = {}
        self.area = self.choice = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "input" and name and name != "csrfmiddlewaretoken":
            self._input(name, value, given)
        elif tag == "textarea":
            self.area = name
            self.fields[name] = ""
        elif tag == "select":
            self.choice = name
            self.fields.setdefault(name, "")
        elif tag == "option" and "selected" in given:
            self.fields[self.choice] = value

    def _input(self, name: str, value: str, given: dict[str, str | None]) -> None:
        if given.get("type") not in {"checkbox", "radio"}:
            self.fields[name] = value
        elif "checked" in given:
            self.fields.setdefault(name, []).append(value or "on")

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.area = ""

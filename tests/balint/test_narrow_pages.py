"""The pages of the rhythm and of tonight on a phone and on a desk: nothing runs out to the side."""

import os
from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route

from groups import optout
from groups.cadence import Cadence
from groups.models import Entrance
from members.models import Letter, Phone
from sessions import answerlinks, leading, planning
from sessions.models import Session
from tests.sessions.meetings import cannot_come, make_session
from tests.sessions.rhythm import THIRD_THURSDAY
from tests.world import Circle, as_member, as_owner, make_group

# Playwright keeps an event loop in this thread; our calls to the database are plain ones beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CSS = settings.BASE_DIR / "static" / "balint.css"
LONG = (
    "Kfar Vitkin clinic, second floor, the library behind the reception, ring at “Levi-Rosenthal”"
)


@pytest.fixture
def pages() -> dict[str, bytes]:
    """What the app answers, by name: fetched beforehand, as the database is another thread's."""
    return {}


@pytest.fixture
def page(browser: Browser, pages: dict[str, bytes]) -> Iterator[Page]:
    """A browser that is given these pages, with all that is folded opened."""

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.endswith(".css"):
            return route.fulfill(body=CSS.read_text(), content_type="text/css")
        body = pages.get(path.strip("/"), b"").replace(b'class="more"', b'class="more" open')
        return route.fulfill(body=body, content_type="text/html; charset=utf-8")

    context = browser.new_context(java_script_enabled=False, base_url="http://testserver")
    context.route("**/*", answer)
    yield context.new_page()
    context.close()


def year(circle: Circle, *, propose: bool = False) -> list[Session]:
    """A settled or a proposed year in a group with a long place."""
    today = timezone.localdate()
    rule = Cadence(
        THIRD_THURSDAY,
        time(19, 30),
        90,
        "Asia/Jerusalem",
        today + timedelta(days=400 if propose else 7),
        today + timedelta(days=700 if propose else 300),
    )
    with as_member(circle.leader):
        at = timezone.now()
        series = planning.plan_year(
            circle.group, rule, LONG, by=circle.leader, at=at, propose=propose
        )
        return list(Session.objects.filter(series=series).order_by("starts_at"))


def tonight(circle: Circle) -> Session:
    """An evening with all that its page may have to say."""
    session = make_session(circle.group, timezone.now() + timedelta(hours=3), place=LONG)
    with as_owner():
        Phone.objects.create(member=circle.second_leader, number="+972 4 555 0199 extension 4471")
        Entrance.objects.create(group=circle.group, door="4471#")
    with as_member(circle.leader):
        known = Session.objects.select_related("group", "series").get(pk=session.pk)
        leading.stands_in(
            known,
            name="Professor Dr Maximiliane-Alexandra Rosenthal-Oppenheimer",
            address="maximiliane-alexandra.rosenthal-oppenheimer@psychosomatics.hospital.example",
            by=circle.leader,
            at=timezone.now(),
        )
    with as_owner():
        Letter.objects.filter(kind="standing-in").update(state="failed")
    return session


def of_leader(client: Client, circle: Circle) -> dict[str, bytes]:
    """Each page a leader plans on, with something to show."""
    evening = tonight(circle)
    first, second, *_rest = year(circle)
    proposed = year(circle, propose=True)
    cannot_come(proposed[0], circle.member)
    ours = [circle.group.pk]
    last_on = {"last_on": f"{second.starts_at:%Y-%m-%d}"}
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "tonight": (reverse("tonight", args=[evening.pk]), {}),
        "series_end": (reverse("series_end", args=ours), last_on | {"series": first.series_id}),
        "session_following": (reverse("session_following", args=[second.pk]), {}),
        "schedule": (reverse("schedule", args=ours), {}),
        "session_edit": (reverse("session_edit", args=[second.pk]), {}),
        "session_cancel": (reverse("session_cancel", args=[second.pk]), {}),
        "session_new": (reverse("session_new", args=ours), {}),
        "dates_settle": (reverse("dates_settle", args=ours), {}),
        "dates_answer": (reverse("dates_answer", args=ours), {}),
    }
    found = {name: client.get(path, typed) for name, (path, typed) in asked.items()}
    assert {name: answer.status_code for name, answer in found.items()} == dict.fromkeys(asked, 200)
    return {name: answer.content for name, answer in found.items()}


def from_mail(circle: Circle) -> dict[str, bytes]:
    """The pages behind the links of a letter, for who is not signed in."""
    others = [make_group(name=f"Group {number}", alias=f"{LONG[:50]} {number}") for number in "12"]
    with as_owner():
        session = Session.objects.select_related("group").order_by("starts_at").first()
    assert session
    paths = {
        "answer_by_mail": answerlinks.url(session, circle.member),
        "unsubscribe": optout.url(circle.member, [circle.group, *others]),
    }
    found = {name: Client().get(urlsplit(path).path) for name, path in paths.items()}
    assert [answer.status_code for answer in found.values()] == [200, 200]
    return {name: answer.content for name, answer in found.items()}


def test_no_page_of_the_rhythm_scrolls_sideways_on_a_phone_or_a_desk(
    circle: Circle, client_of: Any, pages: dict[str, bytes], page: Page
):
    with as_owner():
        circle.group.alias = "Balint group of the psychosomatic department, Valley"
        circle.group.save()
    pages |= of_leader(client_of(circle.leader), circle) | from_mail(circle)
    too_wide = []
    for name in pages:
        page.goto(f"/{name}/")
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 860})
            if not page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"):
                too_wide.append((name, width))
    assert too_wide == []

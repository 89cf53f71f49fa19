"""The calendar as it is walked through with keys alone, without script, and as it is printed."""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route
from pypdf import PdfReader

from tests.sessions.meetings import on_wall

# Playwright keeps an event loop in this thread; our calls to the database are plain ones beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CSS = settings.BASE_DIR / "static" / "balint.css"
YEAR = timezone.localdate().year + 1


@pytest.fixture
def pages() -> dict[str, bytes]:
    """What the app answers, by path: fetched beforehand, since the database is another thread's."""
    return {}


@pytest.fixture
def page(browser: Browser, pages: dict[str, bytes]) -> Iterator[Page]:
    """A browser that is given these pages and runs no script."""

    def answer(route: Route) -> None:
        address = urlsplit(route.request.url)
        if address.path.endswith(".css"):
            return route.fulfill(body=CSS.read_text(), content_type="text/css")
        known = pages.get(address.path, b"")
        return route.fulfill(body=known, content_type="text/html; charset=utf-8")

    context = browser.new_context(java_script_enabled=False, base_url="http://testserver")
    context.route("**/*", answer)
    shown = context.new_page()
    shown.set_default_timeout(10_000)
    yield shown
    context.close()


def tab_to(page: Page, words: str, *, within: int) -> None:
    """Press Tab until a link of that name has the focus; so often at most."""
    for _ in range(within):
        page.keyboard.press("Tab")
        focused = page.locator("a:focus")
        if focused.count() and words in focused.inner_text():
            return
    raise AssertionError(f"{words} was not reached")


def follow(page: Page, words: str, *, within: int) -> str:
    """Enter on a link reached by Tab; the heading of where it leads."""
    tab_to(page, words, within=within)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    return page.get_by_role("heading", level=1).inner_text()


def test_month_agenda_and_year_are_walked_through_by_keyboard_without_script(
    circle, client_of, pages, page
):
    today = timezone.localdate()
    following = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    after = (following + timedelta(days=31)).replace(day=1)
    session = on_wall(circle.group, after.replace(day=15))
    months = [f"/calendar/{first.year}/{first.month}/" for first in (today, following, after)]
    year, meeting = f"/calendar/{today.year}/", f"/sessions/{session.pk}/"
    client = client_of(circle.member)
    for path in ("/calendar/", "/calendar/agenda/", year, meeting, *months):
        pages[path] = client.get(path).content
    page.goto("/calendar/")
    tab_to(page, "Agenda", within=40)
    ring = page.locator("a:focus").evaluate("link => getComputedStyle(link).outlineStyle")
    assert ring == "solid"
    page.goto("/calendar/")
    assert follow(page, f"{following:%B}", within=40) == f"{following:%B %Y}"
    # What was turned to is one or two keys away, and not behind the whole head of the page.
    assert follow(page, f"{after:%B}", within=2) == f"{after:%B %Y}"
    assert follow(page, "Agenda", within=4) == "Twelve months ahead"
    assert follow(page, "Year", within=3) == str(today.year)
    assert follow(page, "Month", within=3) == f"{today:%B %Y}"
    page.goto(f"{months[2]}#view")
    assert follow(page, "Valley group", within=5).startswith(f"{after.replace(day=15):%A %-d %B}")


def test_a_groups_month_agenda_and_year_are_walked_through_by_keyboard_too(
    circle, client_of, pages, page
):
    today, group = timezone.localdate(), f"/groups/{circle.group.pk}/"
    following = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    on_wall(circle.group, following.replace(day=15))
    months = [f"{group}{first.year}/{first.month}/" for first in (today, following)]
    client = client_of(circle.member)
    for path in (group, f"{group}agenda/", *months):
        pages[path] = client.get(path).content
    page.goto(group)
    assert follow(page, "Month", within=15) == f"{today:%B %Y}"
    assert follow(page, f"{following:%B}", within=40) == f"{following:%B %Y}"
    assert follow(page, "Agenda", within=4) == "Twelve months ahead"
    assert follow(page, "Year", within=3) == "Valley group"
    assert urlsplit(page.url).path == group


@pytest.mark.parametrize("path", ["/calendar/{year}/", "/groups/{group}/"])
def test_a_year_with_a_meeting_every_week_is_printed_on_one_page(
    circle, client_of, pages, page, path
):
    for week in range(52):
        on_wall(circle.group, date(YEAR, 1, 1) + timedelta(days=7 * week))
    path = path.format(year=YEAR, group=circle.group.pk)
    pages[path] = client_of(circle.member).get(path, {"year": YEAR}).content
    page.goto(path)
    for paper in ("A4", "Letter"):
        printed = PdfReader(BytesIO(page.pdf(format=paper))).pages
        assert len(printed) == 1
        assert printed[0].extract_text().count("19:30") >= 52

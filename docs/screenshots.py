"""The pictures of the README, taken from a demo of their own: `make screenshots`."""

import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from balint.embedded.supervisor import DEMO_PASSWORD
from bench.start import MODULE, ROOT, environment, started, stopped
from tests import chromium

PICTURES = ROOT / "docs" / "pictures"
GROUP = "Evening group"
LEADER = "leader2"
PRESENTER = "Samuel"
# Who is in the room, as their addresses in the demo begin.
ROOM = ("leader", "samuel", "priya", "clara", "greta")
# From arriving to the group's work: follow-up, call, story, questions, and on.
STEPS = 5
# The evening of the picture is tonight: its next meeting began a while ago.
BEGIN = f"""
from datetime import timedelta
from django.utils import timezone
from sessions.models import Session
ahead = Session.objects.filter(group__name={GROUP!r}, starts_at__gt=timezone.now())
session = ahead.earliest("starts_at")
session.starts_at = timezone.now().replace(second=0) - timedelta(minutes=34)
session.runs_until = session.starts_at + timedelta(hours=10)
session.save(update_fields=["starts_at", "runs_until"])
"""


@contextmanager
def demo() -> Iterator[str]:
    """A running demo's address."""
    with tempfile.TemporaryDirectory(prefix="balint-pictures-") as folder:
        Path(folder).chmod(0o711)
        environ = environment(Path(folder) / "var")
        process, _ = started(environ)
        try:
            begin = [*MODULE, "manage", "shell", "--no-imports", "--command", BEGIN]
            subprocess.run(begin, env=environ, cwd=ROOT, check=True)
            yield f"http://127.0.0.1:{environ['PORT']}"
        finally:
            stopped(process, signal.SIGTERM)
            subprocess.run([*MODULE, "clean"], env=environ, cwd=ROOT, check=True)


def signed_in(
    browser: Browser, address: str, name: str, width: int, *, script: bool = True
) -> Page:
    """A browser of this person's own, on their first page."""
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 960},
        device_scale_factor=1.5,
        java_script_enabled=script,
    )
    page = context.new_page()
    page.goto("/accounts/login/")
    page.get_by_label(re.compile("E-?mail")).fill(f"{name}@demo.example")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"^(?!.*accounts/login)"))
    return page


def first_page(browser: Browser, address: str) -> None:
    """What a member sees first."""
    page = signed_in(browser, address, "member", 1280)
    page.goto("/")
    page.screenshot(path=PICTURES / "first-page.png")


def online_strip(browser: Browser, address: str) -> None:
    """The leader's strip while the group works, with everyone in the room."""
    leader = signed_in(browser, address, LEADER, 380, script=False)
    room = open_room(leader)
    everyone = [signed_in(browser, address, name, 380) for name in ROOM]
    for page in everyone:
        page.goto(room)
    step_to_the_groups_work(leader, room)
    seen = signed_in(browser, address, LEADER, 380)
    seen.goto(room)
    seen.screenshot(path=PICTURES / "online-strip.png")


def open_room(leader: Page) -> str:
    """Open the next meeting of the group from its leaders' page; the room's address."""
    leader.goto("/groups/")
    leader.locator("main").get_by_role("link", name=GROUP).first.click()
    ahead = leader.locator("section", has=leader.get_by_role("heading", name="Next meeting"))
    meeting = ahead.locator("a[href^='/sessions/']").first.get_attribute("href")
    leader.goto(f"{meeting}before/")
    leader.get_by_role("button", name="Open the room").click()
    return f"{meeting}room/"


def step_to_the_groups_work(leader: Page, room: str) -> None:
    """Always the one next step, and who tells where the room asks for it."""
    for _ in range(STEPS):
        leader.goto(room)
        asked = leader.locator("#who-tells")
        if asked.count():
            teller = asked.locator("option", has_text=PRESENTER).get_attribute("value")
            asked.select_option(teller)
        leader.locator("button.hold").click()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=["--no-sandbox"])
        first_page(browser, address)
        online_strip(browser, address)
        browser.close()
    print(f"Look at what is in {PICTURES.relative_to(ROOT)} before you commit it.")

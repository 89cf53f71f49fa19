"""The pictures of the README: `make screenshots`, or `python -m docs.screenshots URL`.

Taken from a demo of their own, or from the one that runs at URL; there everything is done as a
person would do it, in browsers, and the meeting put down for the picture stays.
"""

import base64
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from balint.embedded.supervisor import DEMO_PASSWORD
from bench.start import MODULE, ROOT, environment, started, stopped
from tests import chromium

PICTURES = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 1280, 860
GROUP, ZONE = "Evening group", ZoneInfo("Asia/Jerusalem")
LEADER = "leader2"
PRESENTER = "Samuel"
# Who is in the room, as their addresses in the demo begin.
ROOM = ("leader", "samuel", "priya", "clara", "greta")
# The evening of the picture began a while ago.
BEGAN = timedelta(minutes=34)
MINUTES = "75"
# From arriving to the group's work: follow-up, call, story, questions, and on.
STEPS = 5
# Beside the strip only the place where the group has its call.
BESIDE_THE_CALL = """
<style>
  body {{ box-sizing: border-box; height: 100vh; margin: 0; padding: 20px; display: flex; gap: 20px;
    background: #e9e4d8 }}
  main {{ flex: 1; border-radius: 14px; background: #d9d3c5; color: #6b6557;
    font: 16px system-ui, sans-serif; display: grid; place-items: center }}
</style>
<img src="data:image/png;base64,{strip}" alt="">
<main>the group’s video call, in its own window</main>
"""


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo in a folder that is removed again."""
    with tempfile.TemporaryDirectory(prefix="balint-pictures-") as folder:
        Path(folder).chmod(0o711)
        environ = environment(Path(folder) / "var")
        try:
            process, _ = started(environ)
            try:
                yield f"http://127.0.0.1:{environ['PORT']}"
            finally:
                stopped(process, signal.SIGTERM)
        finally:
            subprocess.run([*MODULE, "clean"], env=environ, cwd=ROOT, check=True)


def signed_in(browser: Browser, address: str, name: str, width: int = WIDTH) -> Page:
    """A browser of this person's own, on their first page."""
    page = window(browser, width, base_url=address).new_page()
    page.goto("/accounts/login/")
    page.get_by_label(re.compile("E-?mail")).fill(f"{name}@demo.example")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"^(?!.*accounts/login)"))
    return page


def window(browser: Browser, width: int, base_url: str = "") -> BrowserContext:
    """Small and crisp: one and a half pixels for each."""
    return browser.new_context(
        base_url=base_url or None,
        viewport={"width": width, "height": HEIGHT},
        device_scale_factor=1.5,
    )


def first_page(browser: Browser, address: str) -> None:
    """What a member sees first."""
    page = signed_in(browser, address, "member")
    page.screenshot(path=PICTURES / "first-page.png")


def online_strip(browser: Browser, address: str) -> None:
    """The leaders' strip while the group works, with everyone in the room."""
    leader = signed_in(browser, address, LEADER, 412)
    room = put_down_and_open(leader)
    everyone = [signed_in(browser, address, name, 412) for name in ROOM]
    for page in everyone:
        page.goto(room)
    for _ in range(STEPS):
        take_the_next_step(leader)
    strip = leader.locator("main.strip").screenshot()
    beside = window(browser, WIDTH).new_page()
    encoded = base64.b64encode(strip).decode()
    beside.set_content(BESIDE_THE_CALL.format(strip=encoded))
    beside.screenshot(path=PICTURES / "online-strip.png")


def put_down_and_open(leader: Page) -> str:
    """A meeting that began a while ago, put down and opened; its room's address."""
    began = datetime.now(ZONE) - BEGAN
    leader.goto("/groups/")
    leader.locator("main").get_by_role("link", name=GROUP).first.click()
    leader.goto(f"{leader.url}schedule/new/")
    leader.get_by_label("Date").fill(f"{began:%Y-%m-%d}")
    leader.get_by_label("From").fill(f"{began:%H:%M}")
    leader.get_by_label("For (minutes)").fill(MINUTES)
    save = leader.get_by_role("button", name="Save this date")
    save.click()
    leader.get_by_label("I know that this date has passed").check()
    save.click()
    leader.wait_for_url("**/schedule/")
    leader.goto("/")
    leader.get_by_role("link", name="Before you open the door").first.click()
    leader.get_by_role("button", name="Open the room").click()
    leader.wait_for_url("**/room/")
    return leader.url


def take_the_next_step(leader: Page) -> None:
    """Hold the one button there is, naming who tells where the room asks for it."""
    leader.reload()
    button = leader.locator("#steps button.hold")
    label = button.inner_text()
    asked = leader.locator("#who-tells")
    if asked.count():
        asked.select_option(asked.locator("option", has_text=PRESENTER).get_attribute("value"))
    button.focus()
    leader.keyboard.down("Enter")
    leader.wait_for_function(
        "label => document.querySelector('#steps button.hold').innerText !== label", arg=label
    )
    leader.keyboard.up("Enter")


def take(address: str) -> None:
    """Both pictures, from the demo that runs there."""
    PICTURES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.path(), args=["--no-sandbox"])
        first_page(browser, address)
        online_strip(browser, address)
        browser.close()
    sys.stdout.write(f"Look at what is in {PICTURES.relative_to(ROOT)} before you commit it.\n")


if __name__ == "__main__":
    if sys.argv[1:]:
        take(sys.argv[1])
    else:
        with demo() as address:
            take(address)

"""A whole site for one journey: its own database, a real server, real mail, a real browser."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import dj_database_url
import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

from tests import servers
from tests.world import PASSWORD

# Playwright keeps an event loop in this thread; our calls to the database are plain ones beside it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Site:
    """One running installation; `mail()` sends what is due and reads what arrived."""

    database: str
    url: str
    environment: dict[str, str]
    folder: Path
    browser: Browser
    server: "serving"
    pages: list[Page] = field(default_factory=list)

    def manage(self, *arguments: str, login: str = "owner") -> str:
        return servers.manage(*arguments, env=self.environment | {"BALINT_LOGIN": login})

    def mail(self, to: str) -> list[EmailMessage]:
        """Dispatch what is due, then the mails to one address, the oldest first."""
        self.manage("dispatch_letters", login="worker")
        files = [*(self.folder / "new").glob("*"), *(self.folder / "cur").glob("*")]
        read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        mine = [message for message in read if message["To"] == to]
        return sorted(mine, key=lambda message: message["Date"].datetime)

    def link_in_mail(self, to: str, pattern: str) -> str:
        """The newest address in a mail to somebody that fits a pattern."""
        text = self.mail(to)[-1].get_body(("plain",)).get_content()
        found = re.search(rf"http\S*{pattern}\S*", text)
        assert found, text
        return found.group()

    def page(self, member: Any = None, *, width: int = 1280, **context: Any) -> Page:
        """A browser of its own, signed in as `member` by the sign-in page."""
        page = self._opened(self.browser, member, width=width, **context)
        self.pages.append(page)
        return page

    def mortal_page(
        self, member: Any, *, width: int = 1280
    ) -> tuple[Page, subprocess.Popen[bytes]]:
        """A page in a browser of its own, and the process to kill it by."""
        folder = self.folder.parent / "browser"
        command = [str(chromium()), *CHROMIUM, "--headless", "--remote-debugging-port=0"]
        with (self.folder.parent / "browser.log").open("wb") as log:
            process = subprocess.Popen([*command, f"--user-data-dir={folder}"], stderr=log)
        port = folder / "DevToolsActivePort"
        wait_until(lambda: port.exists() and port.read_text().count("\n") > 0)
        address = f"http://127.0.0.1:{port.read_text().splitlines()[0]}"
        connect = self.browser.browser_type.connect_over_cdp
        try:
            browser = connect(address, timeout=10_000)
        except TimeoutError:  # It connected while the first tab was still being made.
            browser = connect(address)
        return self._opened(browser, member, width=width), process

    def _opened(self, browser: Browser, member: Any, *, width: int, **context: Any) -> Page:
        page = browser.new_context(
            base_url=self.url, viewport={"width": width, "height": 860}, **context
        ).new_page()
        page.set_default_timeout(10_000)
        if member is not None:
            sign_in(page, member.email)
        return page


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    if "/accounts/login/" not in page.url:
        page.goto("/accounts/login/")
    page.get_by_label(re.compile("E-?mail")).fill(email)
    page.get_by_label("Password").fill(password)
    page.locator("main").get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"^(?!.*accounts/login)"))


CHROMIUM = ("--no-sandbox", "--disable-background-networking", "--disable-sync")


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


def wait_until(ready: Callable[[], bool], alive: Callable[[], bool] = lambda: True) -> bool:
    """Whether it is ready within half a minute, while what it waits for is alive."""
    until = time.monotonic() + 30
    while not ready():
        if not alive() or time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=list(CHROMIUM))
        yield opened
        opened.close()


@pytest.fixture
def site(
    django_db_setup: None,
    django_db_blocker: Any,
    browser: Browser,
    worker_id: str,
    tmp_path: Path,
) -> Iterator[Site]:
    """This test's own database behind a real server; the test's own calls go to it as well."""
    name = servers.clone(f"journey_{worker_id}")
    default = connections["default"]
    before = dict(default.settings_dict)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = servers.environment(
        name,
        SITE_URL=url,
        ALLOWED_HOSTS="127.0.0.1,localhost",
        EMAIL_URL=f"maildir://{tmp_path}/mail",
        SECRET_KEY="a journey",
    )
    server = serving(environment, port, tmp_path / "web.log")
    with django_db_blocker.unblock(), server:
        default.close()
        default.settings_dict.update(dj_database_url.parse(servers.url("balint_test", name)))
        site = Site(name, url, environment, tmp_path / "mail", browser, server)
        yield site
        for page in site.pages:
            page.context.close()
        default.close()
        default.settings_dict.update(before)
    servers.drop(name)


class serving:  # noqa: N801
    """A real server process on a port of its own, stopped by its process id."""

    def __init__(self, environment: dict[str, str], port: int, log: Path) -> None:
        self.environment, self.port, self.log = environment, port, log

    def restart(self) -> None:
        """Killed in the middle of whatever it does, and started again at once."""
        # With its worker, which would go on alone.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.__enter__()

    def __enter__(self) -> None:
        arguments = ["--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "balint.serve", *arguments],
                cwd=servers.ROOT,
                env=self.environment | {"BALINT_LOGIN": "app"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if not wait_until(self._answers, lambda: self.process.poll() is None):
            raise RuntimeError(self.log.read_text())

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                return True
        except OSError:
            return False

    def __exit__(self, *error: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

"""A whole site of real processes on one database: web, worker and clock; and its browsers."""

import http.client
import os
import re
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from members.models import Member
from tests import servers
from tests.confidentiality.ground import signed_in
from tests.journeys.conftest import free_port

CELERY = ("-m", "celery", "-A", "balint")
WORKER = (*CELERY, "worker", "--concurrency=1", "--without-gossip", "--without-mingle")


@dataclass
class RunningSite:
    """Where it answers, where its mail and logs lie, and which Redis it speaks to."""

    port: int
    folder: Path
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def mail(self) -> Path:
        return self.folder / "mail"


@contextmanager
def running(
    database: str, folder: Path, *, application: str = "balint.asgi:application", worker: bool
) -> Iterator[RunningSite]:
    """Start it all, and end it all by process id."""
    port = free_port()
    environment = servers.environment(
        database,
        # By this name browsers take a page without TLS as safe, too.
        SITE_URL=f"http://localhost:{port}",
        ALLOWED_HOSTS="127.0.0.1,localhost",
        EMAIL_URL=f"maildir://{folder}/mail",
        LETTER_TICK_SECONDS="0.5",
        BALINT_VAR=str(folder / "var"),
    )
    site = RunningSite(port, folder, environment)
    web = ("-m", "balint.serve", "--host", "127.0.0.1", "--port", str(port))
    with ExitStack() as stack:
        process = stack.enter_context(_process(site, "web", "app", *web, application))
        _wait(lambda: _answers(port), process, folder / "web.log")
        if worker:
            beat = ("beat", "--schedule", str(folder / "schedule"), "--pidfile", "")
            stack.enter_context(_process(site, "worker", "worker", *WORKER, "-l", "DEBUG"))
            stack.enter_context(_process(site, "beat", "worker", *CELERY, *beat))
        yield site


@contextmanager
def _process(
    site: RunningSite, name: str, login: str, *command: str
) -> Iterator[subprocess.Popen[bytes]]:
    with (site.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=servers.ROOT,
            env={**site.environment, "BALINT_LOGIN": login},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Politely, and then with every child it made."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 40
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(log.read_text())
        time.sleep(0.1)


def _answers(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=1)) as connection:
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False


class Browser:
    """Somebody signed in to the running site, over one connection."""

    TOKEN = "0123456789abcdefghijABCDEFGHIJ01"

    def __init__(self, site: RunningSite, member: Member) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        self.session = signed_in(member).cookies[settings.SESSION_COOKIE_NAME].value

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path)

    def post(self, path: str, **values: str) -> tuple[int, str]:
        return self._ask("POST", path, urllib.parse.urlencode(values))

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}; csrftoken={self.TOKEN}"
        headers = {"Cookie": cookies, "X-CSRFToken": self.TOKEN}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError):
            # The server lets go of a connection that was idle for a while.
            self.connection.close()
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")

    def value(self, path: str, name: str) -> str:
        """What a hidden field of a page holds."""
        field = re.search(rf'name="{name}"[^>]*value="([^"]*)"', self.get(path)[1])
        return field[1] if field else ""

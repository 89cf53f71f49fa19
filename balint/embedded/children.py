"""The processes of Balint itself: web, worker and beat, each with a log and a sign of being up."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from balint.embedded import places, processes


@dataclass
class Child:
    """A process we start in a group of its own, so that Ctrl-C reaches only us."""

    name: str
    command: list[str]
    log: Path
    is_up: Callable[["Child"], bool]
    # Seconds for a polite stop, and for the firm one after it: all of them, with the servers,
    # must stay under ten. A worker takes two and a half when it has nothing to do.
    patience: tuple[float, float]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start it with a log that begins anew."""
        with open(self.log, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as log:
            self.process = subprocess.Popen(
                processes.ending_with_us(signal.SIGTERM, self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=places.checkout(),
                env=dict(environment),
                start_new_session=True,
            )

    @property
    def ladder(self) -> list[tuple[signal.Signals, float]]:
        """How it is asked to stop, and for how many seconds each time."""
        polite, firm = self.patience
        return [(signal.SIGTERM, polite), (signal.SIGQUIT, firm), (signal.SIGKILL, 0.3)]

    def stop(self) -> None:
        """Ask, insist, and end it with everything in its group."""
        if self.process is None:
            return
        processes.end_child(self.process, ladder=self.ladder)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None

    def died(self) -> bool:
        """Whether it ended though nobody asked."""
        return self.process is not None and self.process.poll() is not None


def web(log: Path, port: int) -> Child:
    """Pages and, beside them, room for streams: one process, one port, this machine only."""
    command = [sys.executable, "-m", "balint.serve", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--workers-kill-timeout", "1"]
    return Child("web", command, log, lambda _: answers(port), patience=(1.2, 0.2))


def worker(log: Path) -> Child:
    """Sends the letters."""
    command = [*_celery("worker"), "--concurrency", "2", "--without-gossip", "--without-mingle"]
    command += ["--without-heartbeat"]
    return Child("worker", command, log, _says(" ready."), patience=(3.2, 0.4))


def beat(log: Path, schedule: Path) -> Child:
    """The clock: nothing but ticks, so what it remembers may be lost."""
    command = [*_celery("beat"), "--schedule", str(schedule), "--pidfile", ""]
    return Child("beat", command, log, _says("beat: Starting"), patience=(0.7, 0.1))


def answers(port: int) -> bool:
    """Whether the site says on this port that it lives."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _celery(command: str) -> list[str]:
    return [sys.executable, "-m", "celery", "-A", "balint", command, "--loglevel", "INFO"]


def _says(words: str) -> Callable[[Child], bool]:
    return lambda child: words in child.log.read_text(errors="replace")

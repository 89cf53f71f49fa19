"""`make run`: starts everything in order, says so, watches, and stops everything in reverse."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Protocol

from balint.embedded import children, database, environment, places, processes
from balint.embedded.children import Child
from balint.embedded.instance import Instance
from balint.embedded.places import CannotStart
from balint.embedded.postgres import Postgres
from balint.embedded.valkey import Valkey

DEMO_PASSWORD = "balint-demo"  # noqa: S105  Of the demo's people, who exist nowhere else.
DEMO_PEOPLE = {
    "leader": "leads a group; sign in as this one first",
    "leader2": "the second leader of that group, with equal rights",
    "member": "a member of that group",
    "newcomer": "has accepted an invitation, has not agreed yet",
    "admin": "keeps the roster of a programme, and never sees inside a group",
    "outsider": "a member of another group",
}
WATCH_EVERY = 0.2  # seconds


class StopRequested(Exception):
    """Ctrl-C, SIGTERM, or the terminal is gone."""


class Server(Protocol):
    """What PostgreSQL and Valkey have in common."""

    process: subprocess.Popen[bytes] | None
    log: Path

    def stop(self) -> None: ...


def say(text: str, end: str = "\n") -> None:
    """Tell the person; a closed terminal is no reason to stop in disorder."""
    with contextlib.suppress(OSError):
        print(text, end=end, flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """One line for one step, with the seconds it took."""
    begun = time.monotonic()
    say(f"  {text} … ", end="")
    try:
        yield
    except BaseException:
        say("")
        raise
    say(f"{time.monotonic() - begun:.1f} s")


class Supervisor:
    """Everything `make run` started, in the order in which it started."""

    def __init__(self, var: Path, port: int) -> None:
        self.var = var
        self.port = port
        self.address = f"http://127.0.0.1:{port}"
        self.demo = not environment.brings_a_database(os.environ)
        self.instance = Instance(var)
        self.servers: dict[str, Server] = {}
        self.children: list[Child] = []
        self.environment: dict[str, str] = {}
        self.stopping = False

    def run(self) -> int:
        """Start, announce, watch until asked to stop or a process dies, and stop in order."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        environment.prepare_var(self.var)
        self.instance.take(self.address)
        try:
            self._start()
            self._announce()
            self._wait(lambda: False)
        except StopRequested:
            return 0
        except CannotStart as reason:
            print(f"\n{reason}", file=sys.stderr, flush=True)
        finally:
            self._stop()
        return 1

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _start(self) -> None:
        refuse_taken(self.port)
        say("Starting Balint:")
        self.environment = environment.local_environment(
            self.var, self.port, self._start_servers(), demo=self.demo
        )
        self.instance.keep_environment(self.environment)
        self._prepare_data()
        self._start_children()

    def _start_servers(self) -> dict[str, str]:
        addresses: dict[str, str] = {}
        if self.demo:
            with step("PostgreSQL"):
                addresses |= database.addresses(self._start_postgres())
        if not os.environ.get("REDIS_URL"):
            with step("Valkey, a Redis"):
                addresses["REDIS_URL"] = self._start_valkey().url()
        self._refuse_if_stopping()
        return addresses

    def _start_postgres(self) -> Postgres:
        self.postgres = Postgres(self.var / "postgres", log=self._log("postgres"))
        self.servers["PostgreSQL"] = self.postgres
        self.postgres.start()
        return self.postgres

    def _start_valkey(self) -> Valkey:
        valkey = Valkey(self.var / "valkey", log=self._log("valkey"))
        self.servers["Valkey"] = valkey
        valkey.start()
        return valkey

    def _prepare_data(self) -> None:
        if not Path(self.environment["BALINT_KEY_FILE"]).exists():
            with step("Making the key file"):
                self.manage("keys", "create")
        if self.demo:
            with step("Roles of the database"):
                database.create_roles(self.postgres, self.manage)
        with step("Bringing the tables up to date"):
            self.manage("migrate", "--no-input", "--verbosity", "0")
        if self.demo and not self._demo_mark.exists():
            with step("Filling the demo: two programmes, five groups, two years"):
                self.manage("demo")
            self._demo_mark.touch()

    def _start_children(self) -> None:
        with step("Web, worker and beat"):
            self.children = [
                children.web(self._log("web"), self.port),
                children.worker(self._log("worker")),
                children.beat(self._log("beat"), self.var / "run" / "beat-schedule"),
            ]
            for child in self.children:
                child.start(self.environment)
                self._record_children()
            self._wait(lambda: all(child.is_up(child) for child in self.children))

    def _announce(self) -> None:
        say(f"\nBalint is running at {self.address}\n")
        if self.demo:
            say(f"The demo's people, all with the password {DEMO_PASSWORD}:")
            for name, who in DEMO_PEOPLE.items():
                say(f"  {name + '@demo.example':<22} {who}")
            say(f"The demo's mail arrives at {self.address}/demo/mail/")
        say("Ctrl-C stops everything.")

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Wait till it is so, unless we are asked to stop or something dies."""
        while not condition():
            self._refuse_if_stopping()
            self._refuse_if_one_died()
            time.sleep(WATCH_EVERY if self.children else 0.05)

    def _refuse_if_stopping(self) -> None:
        if self.stopping:
            raise StopRequested

    def _refuse_if_one_died(self) -> None:
        for child in self.children:
            if child.died():
                raise CannotStart(_obituary(child.name, child.log))
        for name, server in self.servers.items():
            if server.process is not None and server.process.poll() is not None:
                raise CannotStart(_obituary(name, server.log))

    def _stop(self) -> None:
        """Beat first, so that nothing new begins; PostgreSQL last, so that all can finish."""
        things = [*reversed(self.children), *reversed(self.servers.values())]
        if things:
            say("\nStopping … ", end="")
        for thing in things:
            thing.stop()
        if things:
            say("stopped.")
        self.instance.release()

    def manage(self, *arguments: str) -> str:
        """Run one of Balint's commands and return what it printed; stops early when asked to."""
        log = self._log("manage")
        with open(log, "w+", opener=lambda path, flags: os.open(path, flags, 0o600)) as errors:
            process = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=places.checkout(),
                env=self.environment,
                start_new_session=True,
            )
            output = self._collect(process)
        if process.returncode:
            command = " ".join(arguments)
            raise CannotStart(f"`manage.py {command}` failed:\n{processes.tail(log, 30)}")
        return output

    def _collect(self, process: subprocess.Popen[bytes]) -> str:
        while True:
            try:
                return process.communicate(timeout=WATCH_EVERY)[0].decode()
            except subprocess.TimeoutExpired:
                if self.stopping:
                    process.kill()
                    process.communicate()
                    raise StopRequested from None

    def _record_children(self) -> None:
        pids = {child.name: child.process.pid for child in reversed(self.children) if child.process}
        self.instance.record(pids)

    def _log(self, name: str) -> Path:
        return self.var / "log" / f"{name}.log"

    @property
    def _demo_mark(self) -> Path:
        return self.var / "postgres" / "demo-is-filled"


def refuse_taken(port: int) -> None:
    """Say so before anything starts when another program listens there, also as `localhost`."""
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        why = _why_taken(family, host, port)
        if why and (family == socket.AF_INET or why == os.strerror(errno.EADDRINUSE)):
            raise CannotStart(
                f"Port {port} cannot be used ({why}). "
                f"Choose another: `PORT={port % 65535 + 1} make run`."
            )


def _why_taken(family: socket.AddressFamily, host: str, port: int) -> str | None:
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return error.strerror
    return None


def _obituary(name: str, log: Path) -> str:
    return (
        f"{name} stopped by itself, so everything stops. The end of {log}:\n{processes.tail(log)}"
    )

"""PostgreSQL and Valkey of one run, in a folder of its own, and processes of ours beside them."""

import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from balint.embedded import Postgres, Valkey, database, processes
from balint.embedded.children import answers
from bench.start import ROOT, free_port

# As docker-compose.yml starts it, with one process: the other core is for the asker.
SERVE = ["balint.serve", "--host", "127.0.0.1", "--workers", "1"]


@dataclass
class Servers:
    """What runs, and what a process needs to know of it: the settings of production."""

    folder: Path
    environment: dict[str, str]
    postgres: Postgres
    valkey: Valkey
    # By the port on which it answers.
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def python(self, *arguments: str, login: str) -> str:
        """Run a module or a command to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment | {"BALINT_LOGIN": login},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    def lines(self, module: str, login: str) -> list[dict[str, Any]]:
        """What a module printed, a JSON object each line."""
        return [json.loads(line) for line in self.python("-m", module, login=login).splitlines()]

    @contextmanager
    def web(self, application: str) -> Iterator[int]:
        """The port on which the application answers, in a server process of its own."""
        port = free_port()
        log = self.folder / f"{application.partition(':')[0]}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                processes.ending_with_us(
                    signal.SIGTERM,
                    [sys.executable, "-m", *SERVE, "--port", str(port), application],
                ),
                cwd=ROOT,
                env=self.environment | {"BALINT_LOGIN": "app"},
                stdout=out,
                stderr=out,
            )
        try:
            _wait_for(port, process, log)
            self.processes[port] = process
            yield port
        finally:
            process.terminate()
            process.wait()


@contextmanager
def running(mail_port: int) -> Iterator[Servers]:
    """Both servers with migrated tables; stopped, and everything removed, at the end."""
    with tempfile.TemporaryDirectory(prefix="balint-bench-") as name:
        folder = Path(name)
        # Passable, as a checkout is: so that root's PostgreSQL can lie in it.
        folder.chmod(0o711)
        postgres = Postgres(folder / "postgres")
        try:
            with postgres, Valkey(folder / "valkey") as valkey:
                environment = _bare_environment(folder, mail_port, valkey.url())
                servers = Servers(folder, environment, postgres, valkey)
                _prepare(servers, postgres)
                yield servers
        finally:
            postgres.discard()


def _prepare(servers: Servers, postgres: Postgres) -> None:
    def manage(*arguments: str) -> str:
        return servers.python("manage.py", *arguments, login="owner")

    servers.environment |= database.addresses(postgres)
    database.create_roles(postgres, manage)
    manage("keys", "create")
    manage("migrate", "--no-input", "--verbosity", "0")
    manage("collectstatic", "--no-input", "--verbosity", "0")


def _bare_environment(folder: Path, mail_port: int, redis: str) -> dict[str, str]:
    """Nothing of the caller's but the path: the figures are of production's settings."""
    return {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "balint.settings",
        "BALINT_MODE": "production",
        # No proxy stands here: who asks says in its place that the outside spoke TLS.
        "TRUSTED_PROXIES": "1",
        "REDIS_URL": redis,
        "SECRET_KEY": secrets.token_hex(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "SITE_URL": "https://127.0.0.1",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "DEFAULT_FROM_EMAIL": "balint@bench.example",
        "BALINT_KEY_FILE": str(folder / "keys.json"),
        "BALINT_VAR": str(folder),
        "STATIC_ROOT": str(folder / "static"),
        "BENCH_PAGES": str(folder / "pages.json"),
    }


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while not answers(port):
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(log.read_text())
        time.sleep(0.05)

"""How long `make run` takes to come up, first, again and after a kill, how it stops, and a page."""

import http.client
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MODULE = [sys.executable, "-m", "balint.embedded"]
REQUESTS = 300


def figures() -> Iterator[dict[str, Any]]:
    """On a demo of its own, in a folder that is removed again."""
    with tempfile.TemporaryDirectory(prefix="balint-bench-") as folder:
        # Passable, as a checkout is: so that root's PostgreSQL can lie in it.
        Path(folder).chmod(0o711)
        environ = environment(Path(folder) / "var")
        port = int(environ["PORT"])
        try:
            process, seconds = started(environ)
            yield {"name": "first start with the demo", "seconds": seconds}
            yield {"name": "stop", "seconds": stopped(process, signal.SIGTERM)}
            process, seconds = started(environ)
            yield {"name": "second start", "seconds": seconds}
            stopped(process, signal.SIGKILL)
            process, seconds = started(environ)
            yield {"name": "start after a kill", "seconds": seconds}
            bare = median_milliseconds(port, "/healthz")
            page = median_milliseconds(port, "/accounts/login/")
            yield {"name": "a string, p50", "milliseconds": bare}
            yield {
                "name": "sign-in page, p50",
                "milliseconds": page,
                "ratio": round(page / bare, 1),
            }
            stopped(process, signal.SIGTERM)
        finally:
            subprocess.run([*MODULE, "clean"], env=environ, cwd=ROOT, check=True)


def environment(var: Path) -> dict[str, str]:
    """No database but the embedded one, and a port nobody uses."""
    foreign = re.compile(r"DATABASE_|REDIS_|BALINT_|DJANGO_")
    known = {name: value for name, value in os.environ.items() if not foreign.match(name)}
    return known | {"BALINT_VAR": str(var), "PORT": str(free_port())}


def free_port() -> int:
    """A port on loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def started(environ: dict[str, str]) -> tuple[subprocess.Popen[str], float]:
    """The process, and the seconds until it said where it runs."""
    begun = time.monotonic()
    process = subprocess.Popen(MODULE, env=environ, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Balint is running at"):
            return process, round(time.monotonic() - begun, 2)
    raise SystemExit(f"Balint did not start (exit code {process.wait()}).")


def stopped(process: subprocess.Popen[str], number: signal.Signals) -> float:
    """The seconds from the signal to the end."""
    begun = time.monotonic()
    process.send_signal(number)
    process.communicate()
    return round(time.monotonic() - begun, 2)


def median_milliseconds(port: int, path: str) -> float:
    """Of many requests, one after the other, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    times = []
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        times.append(time.perf_counter() - begun)
        if response.status != 200:
            raise SystemExit(f"{path} answered {response.status}.")
    connection.close()
    return round(statistics.median(times) * 1000, 2)

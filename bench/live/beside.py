"""A page beside the streams, and what they weigh."""

import http.client
import json
import statistics
import subprocess
import time
from pathlib import Path

from bench.servers import Servers

PAUSE = 0.2


class Beside:
    """A member who reads a page while others listen."""

    def __init__(self, site: Servers, port: int) -> None:
        room = json.loads(Path(site.environment["BENCH_ROOMS"]).read_text())[-1]
        self.port = port
        self.headers = {
            "Host": "127.0.0.1",
            "X-Forwarded-Proto": "https",
            "Cookie": f"__Host-session={room['cookies'][-1]}",
        }

    def milliseconds(self, seconds: float) -> float:
        """The median of the first page, asked for now and then."""
        until, taken = time.monotonic() + seconds, []
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while time.monotonic() < until:
            begun = time.perf_counter()
            connection.request("GET", "/", headers=self.headers)
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - begun)
            if answer.status != 200:
                raise SystemExit(f"The page beside answered {answer.status}.")
            time.sleep(PAUSE)
        connection.close()
        return round(statistics.median(taken) * 1000, 1)


def kilobytes(of: int) -> int:
    """What a process and those it started hold in memory."""
    listed = subprocess.run(
        ["ps", "-axo", "pid=,ppid=,rss="], stdout=subprocess.PIPE, text=True, check=True
    )
    rows = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    family = {of}
    while more := {pid for pid, parent, _ in rows if parent in family} - family:
        family |= more
    return sum(held for pid, _, held in rows if pid in family)

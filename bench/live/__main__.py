"""`make bench-live`: 10,000 listeners in 1,000 rooms on one process; what it came to, last.

Ends with 1 if a change was lost. `--small` for a tenth of it.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from balint.serve import allow_files
from bench import servers
from bench.live.beside import Beside, kilobytes
from bench.live.verdict import TO_A_ROOM, Change, Heard, figures
from bench.servers import Servers
from bench.site import mail_server
from bench.start import ROOT

ROOMS, ASKED_BY = 1_000, 50
A_SECOND, STEADY = 25.0, 45.0
REDIS_RESTARTS, POSTGRES_RESTARTS, DROPS = 50, 3, 3
# The question of every few seconds, and as much again on a machine that has no time.
GRACE = 10.0


class Crowd:
    """The process of the listeners."""

    def __init__(self, site: Servers, port: int, listeners: int, askers: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.live.listeners", str(port), str(listeners), str(askers)],
            cwd=ROOT,
            env=site.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def answer(self, order: str = "") -> dict[str, Any]:
        """What it says next, or says to an order."""
        assert self.process.stdin
        assert self.process.stdout
        if order:
            self.process.stdin.write(f"{order}\n")
            self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def heard(self) -> Heard:
        return [tuple(one) for one in self.answer("report")["heard"]]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


class Changes:
    """Leaders at work, in a process of their own, for so many seconds."""

    def __init__(self, site: Servers, seconds: float, a_second: float = A_SECOND) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.live.changes", str(seconds), str(a_second)],
            cwd=ROOT,
            env=site.environment | {"BALINT_LOGIN": "app"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def running(self) -> bool:
        return self.process.poll() is None

    def done(self) -> list[Change]:
        """Wait for the last, and for what follows from it."""
        said, _ = self.process.communicate()
        time.sleep(GRACE)
        return [tuple(one) for one in json.loads(said)]


@contextmanager
def crowd_of(site: Servers, port: int, rooms: int) -> Iterator[Crowd]:
    crowd = Crowd(site, port, rooms * TO_A_ROOM, rooms // ASKED_BY)
    try:
        yield crowd
    finally:
        crowd.stop()


def measured(site: Servers, rooms: int) -> Iterator[dict[str, Any]]:
    """A figure each, and the whole last."""
    site.environment["BENCH_ROOMS"] = str(site.folder / "rooms.json")
    begun = time.monotonic()
    site.python("-m", "bench.live.seed", str(rooms), login="owner")
    yield {"name": "seeded", "rooms": rooms, "seconds": round(time.monotonic() - begun, 1)}
    with site.web("balint.asgi:application") as port:
        beside = Beside(site, port)
        before = kilobytes(site.processes[port].pid)
        yield {"name": "page alone", "page_ms": beside.milliseconds(seconds=3)}
        with crowd_of(site, port, rooms) as crowd:
            yield {"name": "connected", **crowd.answer()}
            yield from _whole(site, crowd, beside, port, rooms, before)


def _whole(
    site: Servers, crowd: Crowd, beside: Beside, port: int, rooms: int, before: int
) -> Iterator[dict[str, Any]]:
    listeners = rooms * TO_A_ROOM
    crowd.heard()
    changes = Changes(site, STEADY)
    page = beside.milliseconds(seconds=STEADY)
    steady = figures(site, changes.done(), crowd.heard(), rooms // ASKED_BY)
    each = (kilobytes(site.processes[port].pid) - before) / listeners
    yield {"name": "steady", **steady}
    lost = steady["lost"] + steady["lost_by_askers"]
    for figure in _broken(site, crowd, rooms):
        lost += figure["lost"] + figure["lost_by_askers"]
        yield figure
    yield {
        "listeners": listeners,
        "rooms": rooms,
        "lost": lost,
        "p50_ms": steady["p50_ms"],
        "p99_ms": steady["p99_ms"],
        "kb_per_listener": round(each, 1),
        "page_ms_beside": page,
    }


def _broken(site: Servers, crowd: Crowd, rooms: int) -> Iterator[dict[str, Any]]:
    """The same while something fails."""
    changes, restarts = Changes(site, REDIS_RESTARTS * 1.1, A_SECOND / 2), 0
    while restarts < REDIS_RESTARTS or changes.running():
        if restarts < REDIS_RESTARTS:
            site.valkey.stop()
            site.valkey.start()
            restarts += 1
        time.sleep(1)
    found = figures(site, changes.done(), crowd.heard(), rooms // ASKED_BY)
    yield {"name": "restarts of Redis", "restarts": restarts, **found}

    many = rooms * TO_A_ROOM // 10
    changes = Changes(site, 10.0 * DROPS, A_SECOND / 2)
    for _ in range(DROPS):
        crowd.answer(f"drop {many}")
        time.sleep(10)
    again = crowd.answer("whole")["again"]
    found = figures(site, changes.done(), crowd.heard(), rooms // ASKED_BY)
    yield {"name": "drops of connections", "dropped": many * DROPS, "again": again, **found}

    for _ in range(POSTGRES_RESTARTS):
        site.postgres.stop(at_once=True)
        site.postgres.start()
        time.sleep(2)
    time.sleep(GRACE)
    found = figures(
        site, Changes(site, 10.0, A_SECOND / 2).done(), crowd.heard(), rooms // ASKED_BY
    )
    yield {"name": "restarts of PostgreSQL", "restarts": POSTGRES_RESTARTS, **found}


def main(arguments: Iterable[str]) -> int:
    allow_files()
    figure: dict[str, Any] = {}
    with mail_server() as mail, servers.running(mail) as site:
        for figure in measured(site, ROOMS // 10 if "--small" in arguments else ROOMS):
            print(json.dumps(figure), flush=True)
    return 1 if figure["lost"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
